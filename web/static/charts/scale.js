/** Scales and their ticks: values become places on a linear axis, which is all that the canvas knows. */

import { number } from "../core/format.js";

/**
 * @typedef {{place: (value: number) => number, value: (place: number) => number,
 *   ticks: (low: number, high: number, most: number) => {at: number, label: string}[]}} Scale
 */

/** @type {Scale} */
const linear = { place: (v) => v, value: (p) => p, ticks: (low, high, most) => steps(low, high, most).map(numbered) };

function numbered(at) {
  return { at, label: tick(at) };
}

/** A number on an axis: 12k, 3M, 0.05, 1e-6. */
export function tick(value) {
  const size = Math.abs(value);
  if (size >= 1e4 && size < 1e15) {
    const [unit, factor] = size >= 1e12 ? ["T", 1e12] : size >= 1e9 ? ["G", 1e9] : size >= 1e6 ? ["M", 1e6] : ["k", 1e3];
    return `${Number((value / factor).toPrecision(6))}${unit}`;
  }
  return number(Number(value.toPrecision(10)), 6);
}

/** Round numbers from *low* to *high*, about *most* of them; *whole* ones have no fractions. */
export function steps(low, high, most, whole = false) {
  const range = high - low;
  if (!(range > 0) || !Number.isFinite(range)) return [low];
  const rough = Math.max(range / Math.max(1, most), whole ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999 && (!whole || Number.isInteger(s))) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const found = new Set();
  // A window narrower than numbers of its size can tell apart has ticks that are equal: each is there once.
  for (let i = 0; i <= range / step + 1e-9 && (first + i) * step <= high + step * 1e-9; i += 1) found.add(Number(((first + i) * step).toPrecision(14)));
  return [...found];
}

/** Decades, and where few are in sight what lies between. */
function decades(low, high, most) {
  const from = Math.ceil(low - 1e-9);
  const to = Math.floor(high + 1e-9);
  if (to - from >= 2) {
    const every = Math.ceil((to - from + 1) / most);
    const found = [];
    for (let p = from; p <= to; p += every) found.push({ at: p, label: power(p) });
    return found;
  }
  const found = [];
  for (let p = Math.floor(low); p <= high; p += 1) {
    for (const m of [1, 2, 5]) {
      const at = p + Math.log10(m);
      if (at >= low && at <= high) found.push({ at, label: tick(m * 10 ** p) });
    }
  }
  return found.length >= 2 ? found : steps(10 ** low, 10 ** high, most).filter((v) => v > 0).map((v) => ({ at: Math.log10(v), label: tick(v) }));
}

function power(p) {
  return p >= -4 && p <= 4 ? tick(10 ** p) : `1e${p}`;
}

/** @type {Scale} */
const log = { place: (v) => (v > 0 ? Math.log10(v) : NaN), value: (p) => 10 ** p, ticks: decades };

/** Logarithmic both ways, straight between -c and c. @param {number} c @returns {Scale} */
export function symlog(c) {
  const place = (v) => Math.sign(v) * Math.log10(1 + Math.abs(v) / c);
  const value = (p) => Math.sign(p) * c * (10 ** Math.abs(p) - 1);
  return {
    place,
    value,
    ticks(low, high, most) {
      const found = [];
      const reach = Math.max(Math.abs(low), Math.abs(high));
      const every = Math.max(1, Math.ceil((high - low) / most));
      for (let p = 0; p <= reach + 1; p += every) {
        const v = c * 10 ** p;
        for (const sign of [1, -1]) {
          const at = place(sign * v);
          if (at >= low && at <= high) found.push({ at, label: tick(sign * v) });
        }
      }
      if (low <= 0 && high >= 0) found.push({ at: 0, label: "0" });
      return found.length >= 2 ? found.sort((a, b) => a.at - b.at) : steps(value(low), value(high), most).map((v) => ({ at: place(v), label: tick(v) }));
    },
  };
}

/** The scale called *name*; *values* are what it is for. @param {"linear" | "log" | "symlog"} name @param {number} typical the size of a usual value */
export function scaleOf(name, typical = 1) {
  if (name === "log") return log;
  if (name !== "symlog") return linear;
  return symlog(10 ** Math.floor(Math.log10(typical > 0 && Number.isFinite(typical) ? typical : 1)) / 10);
}

/** Ticks of steps: there is none between two. */
export function stepTicks(low, high, most) {
  return steps(low, high, most, true).map(numbered);
}

const UNITS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];

function unit(range, most) {
  const rough = range / Math.max(1, most);
  return rough < 1 ? null : (UNITS.find((one) => one >= rough) ?? Math.ceil(rough / 31536000) * 31536000);
}

/** Ticks of seconds since a run began. */
export function relativeTicks(low, high, most) {
  const step = unit(high - low, most);
  if (!step) return steps(low, high, most).map((at) => ({ at, label: `${tick(at)}s` }));
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high && found.length < 100; i += 1) found.push({ at: i * step, label: i ? span(i * step, step) : "0" });
  return found;
}

function span(seconds, step) {
  const sign = seconds < 0 ? "−" : "";
  const s = Math.abs(seconds);
  if (step >= 86400) return `${sign}${Math.round(s / 86400)}d`;
  if (step >= 3600) return `${sign}${Math.round(s / 3600)}h`;
  if (step >= 60) return s >= 3600 ? `${sign}${Math.floor(s / 3600)}h${s % 3600 ? ` ${Math.round((s % 3600) / 60)}m` : ""}` : `${sign}${Math.round(s / 60)}m`;
  return s >= 60 ? `${sign}${Math.floor(s / 60)}m${s % 60 ? ` ${Math.round(s % 60)}s` : ""}` : `${sign}${Math.round(s)}s`;
}

/** Ticks of Unix seconds in the reader's zone. */
export function wallTicks(low, high, most) {
  const step = unit(high - low, most);
  if (!step) return steps(low, high, most).map((at) => ({ at, label: `${(at % 60).toFixed(1)}s` }));
  const shift = -new Date(low * 1000).getTimezoneOffset() * 60;
  const pad = (n) => String(n).padStart(2, "0");
  const found = [];
  for (let i = Math.ceil((low + shift) / step); i * step - shift <= high && found.length < 100; i += 1) {
    const at = i * step - shift;
    const date = new Date(at * 1000);
    const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}${step < 60 ? `:${pad(date.getSeconds())}` : ""}`;
    const day = `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
    const midnight = date.getHours() + date.getMinutes() + date.getSeconds() === 0;
    found.push({ at, label: step >= 86400 * 28 ? `${date.getFullYear()}-${pad(date.getMonth() + 1)}` : step >= 86400 || midnight ? day : clock });
  }
  return found;
}
