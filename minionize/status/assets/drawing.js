// Elements, the tip at the pointer, and what the plots over time have in common. Text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";
const RIGHT = 12, TOP = 14, BOTTOM = 24;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "colour") made.style.setProperty("--colour", value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function shape(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

const place = (id, kind = ".plot") => document.querySelector(`#${id} ${kind}`);

// A drawing as wide as its place, with room for words on the left. Its coordinates are pixels.
function drawing(parent, height, label, left = 56) {
  const width = Math.max(280, parent.clientWidth);
  parent.replaceChildren();
  const svg = shape(parent, "svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label });
  return { svg, width, height, left, inner: width - left - RIGHT, floor: height - BOTTOM };
}

const tip = document.getElementById("tip");

// rows: [name, value, colour or null]
function showTip(event, title, rows) {
  tip.replaceChildren(element("strong", {}, title));
  for (const [name, value, colour] of rows) {
    tip.append(element("div", {}, ...(colour ? [element("i", { colour })] : []), `${name}: ${value}`));
  }
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = event.clientX + 16 + box.width > innerWidth ? event.clientX - box.width - 16 : event.clientX + 16;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 4))}px`;
}

const hideTip = () => { tip.hidden = true; };

function horizontalGrid(plot, highest, write) {
  const marks = ticks(highest, 4);
  const top = marks[marks.length - 1];
  const y = (value) => plot.floor - ((plot.floor - TOP) * value) / top;
  for (const mark of marks) {
    shape(plot.svg, "line", { x1: plot.left, x2: plot.width - RIGHT, y1: y(mark), y2: y(mark), class: "grid" });
    shape(plot.svg, "text", { x: plot.left - 7, y: y(mark) + 4, "text-anchor": "end" }, write(mark));
  }
  return y;
}

function timeAxis(plot, [from, to]) {
  const x = (moment) => plot.left + (plot.inner * (moment - from)) / (to - from || 1);
  const { step, at } = timeTicks(from, to, Math.max(2, plot.inner / 105));
  shape(plot.svg, "line", { x1: plot.left, x2: plot.width - RIGHT, y1: plot.floor, y2: plot.floor, class: "axis" });
  for (const moment of at) {
    shape(plot.svg, "line", { x1: x(moment), x2: x(moment), y1: plot.floor, y2: plot.floor + 4, class: "axis" });
    const words = time(moment, step);
    const middle = Math.min(x(moment), plot.width - 3.6 * words.length);
    shape(plot.svg, "text", { x: middle, y: plot.floor + 17, "text-anchor": "middle" }, words);
  }
  return x;
}

// One zoom for all plots over time: drag to set it, double-click to see all again.
const zoom = { whole: [0, 1], domain: [0, 1], redraw: [] };

function setZoom(domain) {
  zoom.domain = domain;
  hideTip();
  for (const draw of zoom.redraw) draw();
}

function zoomable(plot, hover) {
  const [from, to] = zoom.domain;
  const clamped = (event) => {
    const box = plot.svg.getBoundingClientRect();
    const pixel = ((event.clientX - box.left) * plot.width) / box.width;
    return Math.max(plot.left, Math.min(plot.width - RIGHT, pixel));
  };
  const moment = (pixel) => from + ((to - from) * (pixel - plot.left)) / plot.inner;
  let start = null;
  const brush = shape(plot.svg, "rect", { class: "brush", y: TOP, height: plot.floor - TOP, width: 0 });
  plot.svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    start = clamped(event);
    plot.svg.setPointerCapture(event.pointerId);
  });
  plot.svg.addEventListener("pointermove", (event) => {
    const pixel = clamped(event);
    if (start === null) return hover(event, moment(pixel), pixel);
    brush.setAttribute("x", Math.min(start, pixel));
    brush.setAttribute("width", Math.abs(pixel - start));
  });
  plot.svg.addEventListener("pointerup", (event) => {
    const pixel = clamped(event);
    const [low, high] = [Math.min(start ?? pixel, pixel), Math.max(start ?? pixel, pixel)];
    start = null;
    if (high - low > 6) setZoom([moment(low), moment(high)]);
  });
  plot.svg.addEventListener("pointercancel", () => { start = null; brush.setAttribute("width", 0); });
  plot.svg.addEventListener("pointerleave", hideTip);
  plot.svg.addEventListener("dblclick", () => setZoom(zoom.whole));
}

// Buttons that show and hide.
function legend(parent, names, hidden, redraw) {
  for (const name of names) {
    const button = element("button", { type: "button", "aria-pressed": "true", colour: colourOf(name) }, spoken(name));
    button.addEventListener("click", () => {
      if (hidden.has(name)) hidden.delete(name); else hidden.add(name);
      button.setAttribute("aria-pressed", String(!hidden.has(name)));
      redraw();
    });
    parent.append(button);
  }
}
