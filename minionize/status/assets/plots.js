// The plots.

// Values in even steps of time, as lines with steps: each value holds for its whole step.
function linesOverTime(id, lines, label, write) {
  const { start, step } = data.times;
  const hidden = new Set();
  const draw = () => {
    const plot = drawing(place(id), 220, label);
    const [from, to] = zoom.domain;
    const first = Math.max(0, Math.floor((from - start) / step));
    const last = Math.min(Object.values(lines)[0].length - 1, Math.floor((to - start) / step));
    const shown = Object.entries(lines).filter(([name]) => !hidden.has(name));
    const highest = Math.max(0, ...shown.map(([, values]) => Math.max(0, ...values.slice(first, last + 1))));
    const y = horizontalGrid(plot, highest, (value) => digits(value));
    const x = timeAxis(plot, zoom.domain);
    const at = (index) => Math.max(plot.left, Math.min(plot.width - RIGHT, x(start + index * step)));
    for (const [name, values] of shown) {
      let path = "";
      for (let index = first; index <= last; index++) {
        path += `${path ? "V" : `M${at(index).toFixed(1)} `}${y(values[index]).toFixed(1)}H${at(index + 1).toFixed(1)}`;
      }
      if (!path) continue;
      const area = `${path}V${plot.floor}H${at(first).toFixed(1)}Z`;
      shape(plot.svg, "path", { d: area, class: "area", style: `fill: ${colourOf(name)}` });
      shape(plot.svg, "path", { d: path, class: "line", style: `stroke: ${colourOf(name)}`, "data-name": name });
    }
    const cross = shape(plot.svg, "line", { class: "cross", y1: TOP, y2: plot.floor, visibility: "hidden" });
    zoomable(plot, (event, moment, pixel) => {
      const index = Math.max(first, Math.min(last, Math.floor((moment - start) / step)));
      cross.setAttribute("x1", pixel);
      cross.setAttribute("x2", pixel);
      cross.setAttribute("visibility", "visible");
      const until = start + (index + 1) * step;
      const title = `${date(start + index * step)} to ${time(until, Math.min(1, step))}`;
      showTip(event, title, shown.map(([name, values]) => [spoken(name), write(name, index, values), colourOf(name)]));
    });
    plot.svg.addEventListener("pointerleave", () => cross.setAttribute("visibility", "hidden"));
  };
  const names = Object.keys(lines);
  if (names.length > 1 || place(id, ".legend")) legend(place(id, ".legend"), names, hidden, draw);
  zoom.redraw.push(draw);
}

function histogram(id) {
  const { bounds, buckets, p50, p95, p99 } = data.durations;
  const hidden = new Set();
  const draw = () => {
    const plot = drawing(place(id), 220, "How long runs took");
    const shown = Object.keys(buckets).filter((name) => !hidden.has(name));
    const totals = bounds.map((_, index) => shown.reduce((sum, name) => sum + buckets[name][index], 0));
    const y = horizontalGrid(plot, Math.max(...totals), count);
    const wide = plot.inner / bounds.length;
    shape(plot.svg, "line", { x1: plot.left, x2: plot.width - RIGHT, y1: plot.floor, y2: plot.floor, class: "axis" });
    const every = Math.ceil(95 / wide);
    bounds.forEach((bound, index) => {
      const left = plot.left + index * wide;
      let below = 0;
      for (const name of shown) {
        const number = buckets[name][index];
        if (!number) continue;
        const top = y(below + number);
        const height = y(below) - top;
        const box = { x: left + wide * 0.06, y: top, width: wide * 0.88, height, style: `fill: ${colourOf(name)}` };
        shape(plot.svg, "rect", { ...box, "data-name": name });
        below += number;
      }
      if (index % every === every - 1 && bound !== null) {
        const end = plot.width - (left + wide) < 40;
        shape(plot.svg, "text", { x: left + wide, y: plot.floor + 17, "text-anchor": end ? "end" : "middle" }, duration(bound));
      }
    });
    let taken = 0;
    for (const [name, value] of [["p50", p50], ["p95", p95], ["p99", p99]]) {
      const x = plot.left + wide * position(bounds, value);
      shape(plot.svg, "line", { x1: x, x2: x, y1: TOP, y2: plot.floor, class: "mark" });
      const words = Math.min(Math.max(x + 4, taken), plot.width - 26);
      taken = words + 28;
      shape(plot.svg, "text", { x: words, y: TOP - 1, class: "name" }, name);
    }
    plot.svg.addEventListener("pointermove", (event) => {
      const box = plot.svg.getBoundingClientRect();
      const index = Math.floor((((event.clientX - box.left) * plot.width) / box.width - plot.left) / wide);
      if (index < 0 || index >= bounds.length) return hideTip();
      const title = bounds[index] === null ? "longer" : `up to ${duration(bounds[index])}`;
      showTip(event, title, shown.map((name) => [spoken(name), count(buckets[name][index]), colourOf(name)]));
    });
    plot.svg.addEventListener("pointerleave", hideTip);
  };
  legend(place(id, ".legend"), Object.keys(buckets), hidden, draw);
  zoom.redraw.push(draw);
}

// Where a duration stands among the buckets, which are even on the axis.
function position(bounds, value) {
  const index = bounds.findIndex((bound) => bound === null || bound >= value);
  if (index < 0) return bounds.length;
  const low = index ? bounds[index - 1] : bounds[0] / 1.12;
  const high = bounds[index] ?? value;
  return index + (high > low ? Math.max(0, Math.min(1, (value - low) / (high - low))) : 0.5);
}

// A row for each of many, with bars over time: {from, to, opacity, rows of the tip}.
function rowsOverTime(id, rows, label, nameOf, barsOf, colour) {
  const draw = () => {
    const high = rows.length > 60 ? 13 : 18;
    place(id).classList.toggle("tall", rows.length > 40);
    const room = innerWidth < 600 ? 90 : 190;
    const plot = drawing(place(id), rows.length * high + TOP + BOTTOM, label, room);
    const [from, to] = zoom.domain;
    const x = timeAxis(plot, zoom.domain);
    const bars = rows.map((row, index) => {
      const found = barsOf(row).filter((bar) => bar.to >= from && bar.from <= to);
      for (const bar of found) {
        const left = x(Math.max(from, bar.from));
        const width = Math.max(1.5, x(Math.min(to, bar.to)) - left);
        const box = { x: left, y: TOP + index * high + 2, width, height: high - 4, "fill-opacity": bar.opacity };
        shape(plot.svg, "rect", { ...box, style: `fill: ${colour}`, class: "bar" });
      }
      const name = nameOf(row);
      const most = Math.floor((room - 8) / 7.2);
      const cut = name.length > most ? `${name.slice(0, most - 9)}…${name.slice(-8)}` : name;
      shape(plot.svg, "text", { x: room - 7, y: TOP + (index + 0.5) * high + 4, "text-anchor": "end", class: "name" }, cut);
      return found;
    });
    zoomable(plot, (event, moment) => {
      const box = plot.svg.getBoundingClientRect();
      const index = Math.floor((((event.clientY - box.top) * plot.height) / box.height - TOP) / high);
      if (index < 0 || index >= rows.length) return hideTip();
      const bar = bars[index].find((each) => each.from <= moment && moment <= each.to) ?? bars[index][0];
      showTip(event, nameOf(rows[index]), bar ? bar.rows : []);
    });
  };
  zoom.redraw.push(draw);
}
