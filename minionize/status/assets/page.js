// The page: what stands where.

const data = JSON.parse(document.getElementById("data").textContent);

const outcomesOf = (group) => Object.entries(group.outcomes).map(([name, number]) => [spoken(name), count(number), colourOf(name)]);
const failuresOf = (group) => FAILURES.reduce((sum, name) => sum + (group.outcomes[name] ?? 0), 0);
const remove = (id) => document.getElementById(id).remove();

function tiles() {
  const { outcomes, waste, durations, rate, records } = data;
  const shown = [["records", count(records), "", "var(--ink)"]];
  for (const [name, { count: number, seconds }] of Object.entries(outcomes)) {
    if (number) shown.push([spoken(name), count(number), `${percent(number / records)}, ${duration(seconds)}`, colourOf(name)]);
  }
  shown.push(["wasted", duration(waste.seconds), `${percent(waste.share)} of ${duration(waste.total)}`, "var(--failed)"]);
  shown.push(["median run", duration(durations.p50), `p95 ${duration(durations.p95)}, p99 ${duration(durations.p99)}`, "var(--line)"]);
  if (rate) shown.push(["rate", `${digits(rate)} /s`, "succeeded, over the whole time", "var(--succeeded)"]);
  for (const [name, value, more, colour] of shown) {
    const tile = element("div", { class: "tile", colour }, element("span", {}, name), element("b", {}, value));
    tile.append(element("span", {}, more));
    document.getElementById("tiles").append(tile);
  }
}

// columns: [heading, function of a row, class]
function table(id, rows, columns, note) {
  if (!rows.length) return remove(id);
  const head = element("tr", {}, ...columns.map(([name, , kind]) => element("th", { class: kind ?? "" }, name)));
  const body = rows.map((row) => element("tr", {}, ...columns.map(([, write, kind]) => element("td", { class: kind ?? "" }, write(row)))));
  const made = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  document.getElementById(id).append(element("div", { class: "scroll" }, made));
  more(id, rows.length, note);
}

function more(id, shown, all) {
  if (shown < all) document.getElementById(id).append(element("p", { class: "hint" }, `${count(shown)} of ${count(all)} are shown.`));
}

function groups(id, rows, kind) {
  const columns = [
    [kind, (row) => row.name ?? "(no job)", "wide"],
    ["minions", (row) => count(row.minions), "number"],
    ...(kind === "job" ? [["hosts", (row) => count(row.hosts), "number"]] : []),
    ["runs", (row) => count(row.records), "number"],
    ["failed", (row) => count(failuresOf(row)), "number"],
    ["time", (row) => duration(row.seconds), "number"],
    ["wasted", (row) => duration(row.wasted), "number"],
    ["first", (row) => date(row.first), "number"],
    ["last", (row) => date(row.last), "number"],
  ];
  table(id, rows, columns, data.all[id]);
}

function overTime() {
  const { start, step, in_flight: flight } = data.times;
  zoom.whole = [Math.max(start, data.first), Math.min(start + step * flight.length, data.last)];
  if (zoom.whole[1] <= zoom.whole[0]) zoom.whole = [start, start + step * flight.length];
  zoom.domain = zoom.whole;
  linesOverTime("rates", data.times.rates, "Ended runs per second", (name, index, values) => {
    return `${digits(values[index])} per second (${count(data.times.ended[name][index])})`;
  });
  linesOverTime("flight", { "in flight": flight }, "Runs in flight", (name, index, values) => digits(values[index]));
  hostsOverTime();
  if (data.minions.length) {
    rowsOverTime("minions", data.minions, "Minions and their lifetimes", (row) => row.minion, lifetimes, "var(--succeeded)");
    more("minions", data.minions.length, data.all.minions);
  }
}

function hostsOverTime() {
  const rows = data.hosts.filter((host) => host.activity);
  const highest = Math.max(0, ...rows.map((host) => Math.max(...host.activity.in_flight)));
  const cells = ({ activity: { start, step, in_flight: values } }) => values.flatMap((value, index) => {
    const at = { from: start + index * step, to: start + (index + 1) * step };
    const rows = [["from", date(at.from)], ["in flight", digits(value)]];
    return value > 0 ? [{ ...at, opacity: (0.12 + (0.88 * value) / highest).toFixed(3), rows }] : [];
  });
  rowsOverTime("activity", rows, "Hosts over time", (host) => host.name || "(unknown)", cells, "var(--in_flight)");
}

function lifetimes(minion) {
  const rows = [
    ["host", minion.host],
    ...(minion.job ? [["job", minion.job]] : []),
    ["lived", `${duration(minion.last - minion.first)} from ${date(minion.first)}`],
    ["runs", count(minion.records)],
    ...outcomesOf(minion),
    ["wasted", duration(minion.wasted)],
  ];
  // The less a minion succeeded, the paler it is.
  const share = (minion.outcomes.succeeded ?? 0) / minion.records;
  return [{ from: minion.first, to: minion.last, opacity: (0.35 + 0.65 * share).toFixed(3), rows }];
}

function themeSwitch() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  system.addEventListener("change", name);
  name();
}

function build() {
  const { minions, hosts } = data.all;
  const span = `${date(data.first)} to ${date(data.last)}, ${duration(data.last - data.first)}`;
  document.getElementById("about").textContent = `${span}; ${plural(minions, "minion")} on ${plural(hosts, "host")}`;
  themeSwitch();
  tiles();
  overTime();
  histogram("durations");
  table("failures", data.failures, [
    ["runs", (row) => count(row.count), "number"],
    ["share", (row) => percent(row.share), "number"],
    ["cause", (row) => row.cause, "wide"],
    ["such as", (row) => row.samples.join(", "), "wide"],
    ["time", (row) => duration(row.seconds), "number"],
    ["first", (row) => date(row.first), "number"],
    ["last", (row) => date(row.last), "number"],
  ], data.all.failures);
  groups("hosts", data.hosts, "host");
  groups("jobs", data.jobs.some((job) => job.name !== null) ? data.jobs : [], "job");
  setZoom(zoom.whole);
  addEventListener("resize", () => setZoom(zoom.domain));
}

build();
