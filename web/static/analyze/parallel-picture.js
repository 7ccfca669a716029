/** Parallel coordinates in pixels: where axes stand, where values are on them, the lines of runs, the words. Pure. */

import { tester } from "./brush.js";

const SIDE = { left: 76, right: 64 };
const FOOT = 34; // of the place for runs without a value, with its distance
const TOP = 12;
const ROOM_TICK = 30; // pixels between two labels
const SAMPLES = [[400, 16], [1500, 10], [6000, 7]]; // up to so many runs, corners of a curve between two axes
const CUT = 15; // characters of a category

/**
 * @param {import("./axis.js").Axis[]} axes @param {number} width @param {number} height
 * @param {{inverted: Set<string>, top?: number}} look
 */
export function layout(axes, width, height, { inverted, top = TOP }) {
  const lacking = axes.some((axis) => axis.none + axis.below > 0);
  const foot = lacking ? height - FOOT : height - 10;
  const gap = axes.length > 1 ? (width - SIDE.left - SIDE.right) / (axes.length - 1) : 0;
  const rails = axes.map((axis, k) => {
    const x = axes.length > 1 ? SIDE.left + k * gap : width / 2;
    const turned = inverted.has(axis.expr);
    // One value alone stands in the middle; categories keep away from the ends.
    const pad = axis.kind === "category" ? 0.5 : axis.high === axis.low ? 1 : 0;
    const [low, high] = [axis.low - pad, axis.high + pad];
    const y = (place) => {
      const t = (place - low) / (high - low);
      return turned ? top + t * (foot - top) : foot - t * (foot - top);
    };
    const place = (at) => {
      const t = (foot - at) / (foot - top);
      return low + (turned ? 1 - t : t) * (high - low);
    };
    return { axis, x, y, place, top, foot, none: height - 12, lacking: axis.none + axis.below > 0, turned };
  });
  return { rails, width, height, top, foot, gap, lacking };
}

/** For each axis the pixels of all runs, from the top; who has no value is in the place for that. @returns {Float64Array[]} */
export function heights({ rails }) {
  return rails.map((rail) => Float64Array.from(rail.axis.places, (place) => (Number.isFinite(place) ? rail.y(place) : rail.none)));
}

const ease = (t) => t * t * (3 - 2 * t);

/** Where a line is at *t* between two axes. */
export const between = (a, b, t, curved) => a + (b - a) * (curved ? ease(t) : t);

/** Corners of a line in each gap: as many as so many runs can bear. */
export function samples(count, curved) {
  return curved ? SAMPLES.find(([most]) => count <= most)?.[1] ?? 1 : 1;
}

/** The x of all lines' corners: the same for every run. */
export function acrosses({ rails }, steps) {
  const xs = [];
  rails.forEach(({ x }, k) => {
    if (k === 0) xs.push(x);
    else for (let s = 1; s <= steps; s += 1) xs.push(rails[k - 1].x + ((x - rails[k - 1].x) * s) / steps);
  });
  return Float64Array.from(xs);
}

/** The y of one run's corners. */
export function lineOf(ys, i, steps) {
  const found = new Float64Array(1 + (ys.length - 1) * steps);
  found[0] = ys[0][i];
  let at = 1;
  for (let k = 1; k < ys.length; k += 1) {
    const [a, b] = [ys[k - 1][i], ys[k][i]];
    for (let s = 1; s <= steps; s += 1) {
      found[at] = a + (b - a) * ease(s / steps);
      at += 1;
    }
  }
  return found;
}

const short = (text) => (text.length > CUT ? `${text.slice(0, CUT - 1)}…` : text);

/**
 * The words beside the axes, and above them where the picture is taken away.
 * @param {ReturnType<typeof layout>} at @param {{text: string, muted: string, panel: string}} ink
 * @returns {{x: number, y: number, text: string, align: "center" | "right", colour: string, halo: string}[]}
 */
export function wordsOf({ rails, top, foot, gap }, ink, titled = false) {
  const words = [];
  const add = (x, y, text, align, colour) => words.push({ x, y, text, align, colour, halo: ink.panel });
  for (const rail of rails) {
    const { axis, x } = rail;
    const most = Math.max(2, Math.floor((foot - top) / ROOM_TICK));
    for (const { at, label } of axis.ticks(axis.low, axis.high, most)) add(x - 11, rail.y(at), short(label), "right", ink.muted);
    if (rail.lacking) add(x - 11, rail.none, "none", "right", ink.muted);
    if (titled) add(x, top - 18, axis.title.length * 6 > gap ? `${axis.title.slice(0, Math.max(4, Math.floor(gap / 6) - 1))}…` : axis.title, "center", ink.text);
  }
  return words;
}

/** The axes themselves, and the lines of selected runs. */
export function railsOf({ rails, foot, top }, ink, chosen, xs) {
  const layer = { xs: [], ys: [], colour: [], dash: [], width: [] };
  const add = (x, y, colour, dash, width) => {
    layer.xs.push(x);
    layer.ys.push(y);
    layer.colour.push(colour);
    layer.dash.push(dash);
    layer.width.push(width);
  };
  for (const line of chosen) add(xs, line, ink.accent, [], 2.5);
  for (const { axis, x, y, none, lacking } of rails) {
    add([x, x], [top, foot], ink.muted, [], 1);
    for (const { at } of axis.ticks(axis.low, axis.high, Math.max(2, Math.floor((foot - top) / ROOM_TICK)))) add([x - 4, x], [y(at), y(at)], ink.muted, [], 1);
    if (lacking) add([x - 4, x + 4], [none, none], ink.muted, [], 1);
  }
  return layer;
}

/** A number rounded to what a pixel can tell, away from *towards*. */
function rounded(value, grain, up) {
  const power = 10 ** Math.floor(Math.log10(grain));
  if (!(power > 0) || !Number.isFinite(power)) return value;
  return Number(((up ? Math.ceil : Math.floor)(value / power) * power).toPrecision(12));
}

/**
 * The part of an axis between two heights.
 * @param {any} rail @param {number} from pixels from the top @param {number} to
 * @returns {import("./brush.js").Part[]} nothing where there is nothing between them
 */
export function partsBetween(rail, from, to) {
  const { axis, top, foot, none } = rail;
  const [upper, lower] = [Math.min(from, to), Math.max(from, to)];
  const parts = [];
  // The place of those without a value begins half way to it.
  const lacking = rail.lacking && lower >= (foot + none) / 2;
  if (upper <= foot) {
    const [a, b] = [rail.place(Math.max(top, upper)), rail.place(Math.min(foot, lower))];
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    if (axis.kind === "category") axis.categories.forEach((text, i) => { if (text !== null && i >= low && i <= high) parts.push(axis.boolean ? text === "true" : text); });
    else if (low <= axis.high && high >= axis.low) {
      const value = (place) => axis.value(Math.max(axis.low, Math.min(axis.high, place)));
      const pixel = (axis.high - axis.low || 1) / (foot - top);
      const [first, last] = [value(low), value(high)];
      const grain = (place) => Math.abs(axis.value(place + pixel) - axis.value(place)) || 1;
      const span = [rounded(first, grain(low), false), rounded(last, grain(high), true)];
      parts.push(axis.kind === "time" ? span.map((one) => new Date(one * 1000).toISOString()) : span);
    }
  }
  if (lacking) parts.push(...lackingOf(axis));
  return parts;
}

/** The part of an axis for the runs that have no place on it. @param {import("./axis.js").Axis} axis @returns {import("./brush.js").Part[]} */
export function lackingOf(axis) {
  if (axis.kind === "category" || axis.kind === "time") return [null];
  return axis.scale === "log" ? [[], [-Number.MAX_VALUE, 0]] : [[]];
}

/** Where the parts of a brush are on their axis: [from, to] in pixels from the top, and which part it is. */
export function spansOf(rail, parts) {
  const { axis } = rail;
  const found = [];
  parts.forEach((part, i) => {
    if (Array.isArray(part) && part.length === 2) {
      const [low, high] = (typeof part[0] === "string" ? part.map((one) => Date.parse(one) / 1000) : part).map((one) => axis.place(one));
      // What is below all places of a logarithmic axis is among those without one.
      if (!Number.isFinite(high)) return;
      const at = [rail.y(Number.isFinite(low) ? Math.max(low, axis.low) : axis.low), rail.y(Math.min(high, axis.high))].map((y) => Math.max(rail.top, Math.min(rail.foot, y)));
      found.push({ from: Math.min(...at), to: Math.max(...at), part: i });
    } else if (part === null || Array.isArray(part)) found.push({ from: rail.none - 7, to: rail.none + 7, part: i, lacking: true });
    else {
      const at = axis.categories.indexOf(String(part));
      if (at >= 0) found.push({ from: rail.y(at) - 8, to: rail.y(at) + 8, part: i });
    }
  });
  // Neighbouring categories are one brush to the eye.
  return found.sort((a, b) => a.from - b.from);
}

/** Whether a run is left by a brush that is being drawn. */
export function leftBy(parts, column) {
  const test = tester(parts);
  return (i) => test(column.values[i]);
}
