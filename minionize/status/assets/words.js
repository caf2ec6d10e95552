// Numbers, durations and times as people read them.

const FAILURES = ["failed", "timed_out", "could_not_start"];

const count = (number) => number.toLocaleString("en");
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
const spoken = (name) => name.replaceAll("_", " ");
const colourOf = (name) => `var(--${name.replaceAll(" ", "_")})`;
const digits = (value, number = 3) => Number(value.toPrecision(number)).toLocaleString("en", { maximumFractionDigits: 6 });

function percent(share) {
  if (share === null || share === undefined) return "-";
  if (share > 0 && share < 0.001) return "<0.1 %";
  if (share > 0.999 && share < 1) return ">99.9 %";
  return `${(100 * share).toFixed(1)} %`;
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "-";
  if (seconds > 0 && seconds < 0.0009995) return `${digits(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return seconds ? `${digits(seconds * 1e3)} ms` : "0 s";
  if (seconds < 59.95) return `${digits(seconds)} s`;
  for (const [big, name, small, part] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    const whole = Math.round(seconds / small);
    if (whole * small < big) continue;
    const rest = whole % (big / small);
    return `${count(Math.floor((whole * small) / big))} ${name}${rest ? ` ${rest} ${part}` : ""}`;
  }
  return `${digits(seconds)} s`;
}

const two = (number) => String(number).padStart(2, "0");

function time(moment, step = 1) {
  const at = new Date(Math.round(moment * 1e3));
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (step >= 86400) return `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  if (step >= 3600) return `${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`;
  if (step >= 60) return clock;
  const seconds = `${clock}:${two(at.getSeconds())}`;
  return step >= 1 ? seconds : `${seconds}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

const date = (moment) => {
  const at = new Date(moment * 1000);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time(moment)}`;
};

// Round values from 0 to the highest, about so many.
function ticks(highest, number) {
  if (!(highest > 0)) return [0, 1];
  const rough = highest / number;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.999999);
  return Array.from({ length: Math.ceil(highest / step - 1e-9) + 1 }, (_, index) => index * step);
}

const TIME_STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000,
];

// Round times of the local clock between two times, about so many, but no single one.
function timeTicks(from, to, number) {
  let at = TIME_STEPS.findIndex((each) => each >= (to - from) / number);
  if (at < 0) return evenTicks(from, to, (to - from) / number);
  let found = evenTicks(from, to, TIME_STEPS[at]);
  while (found.at.length < 2 && at > 0) found = evenTicks(from, to, TIME_STEPS[--at]);
  return found;
}

function evenTicks(from, to, step) {
  const zone = new Date(from * 1000).getTimezoneOffset() * 60;
  const first = Math.ceil((from - zone) / step) * step + zone;
  const found = [];
  for (let at = first; at <= to; at += step) found.push(at);
  return { step, at: found };
}
