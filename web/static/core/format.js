/** Numbers, times and sizes as people read them. */

const NAMES = { NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity };

/** A number as the API has it: NaN and infinities come by name. */
export function toNumber(value) {
  if (typeof value === "number") return value;
  return typeof value === "string" && Object.hasOwn(NAMES, value) ? NAMES[value] : null;
}

/** At most five significant digits: 0.01234, 1.2346e-7, 12,345,678. */
export function number(value, digits = 5) {
  if (value == null) return "";
  const n = toNumber(value);
  if (n === null) return String(value);
  if (Number.isNaN(n)) return "NaN";
  if (!Number.isFinite(n)) return n > 0 ? "+Inf" : "−Inf";
  const size = Math.abs(n);
  if (Number.isInteger(n) && size < 1e15) return n.toLocaleString("en-US");
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) {
    return n.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  }
  return size >= 10 ** digits ? Math.round(n).toLocaleString("en-US") : String(Number(n.toPrecision(digits)));
}

/** Seconds as the two largest units: 3d 4h, 12m 5s, 0.42s. */
export function duration(seconds) {
  const n = toNumber(seconds);
  if (n === null || !Number.isFinite(n)) return "";
  if (n < 0) return `−${duration(-n)}`;
  if (n < 10) return `${Number(n.toPrecision(3))}s`;
  const parts = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  let left = Math.round(n);
  const shown = [];
  for (const [unit, size] of parts) {
    const count = Math.floor(left / size);
    if (count || shown.length) shown.push(`${count}${unit}`);
    left -= count * size;
    if (shown.length === 2) break;
  }
  return shown.filter((part, i) => i === 0 || !part.startsWith("0")).join(" ");
}

/** How long ago an ISO time is: 12s ago, 3h ago. */
export function ago(text, now = Date.now()) {
  const then = Date.parse(text ?? "");
  if (Number.isNaN(then)) return "";
  const seconds = (now - then) / 1000;
  if (seconds < -5) return `in ${duration(-seconds).split(" ")[0]}`;
  if (seconds < 10) return seconds < 5 ? "now" : `${Math.floor(seconds)}s ago`;
  return `${duration(seconds).split(" ")[0]} ago`;
}

/** An ISO time, or Unix seconds, in the reader's own zone. */
export function time(value) {
  if (value == null || value === "") return "";
  const date = typeof value === "number" ? new Date(value * 1000) : new Date(value);
  if (Number.isNaN(date.getTime())) return String(value);
  const pad = (n) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** Bytes: 1.2 MB. */
export function bytes(count) {
  if (count == null) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let n = Number(count);
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit += 1;
  }
  return `${unit ? n.toPrecision(3) : n} ${units[unit]}`;
}

/** *count* things: 1 run, 2 runs. */
export function plural(count, word) {
  return `${count.toLocaleString("en-US")} ${word}${count === 1 ? "" : "s"}`;
}

/** Text order in which run2 comes before run10. */
export const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;
