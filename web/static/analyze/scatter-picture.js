/** A scatter plot as layers for the canvas: places of runs, their colours and sizes, the front and the trend. Pure. */

import { direction } from "../core/direction.js";
import { column } from "../table/expression.js";
import { axisOf } from "./axis.js";
import { paretoFront, shaken, stepLine, trend } from "./maths.js";

const ROOM = 0.04;
const SPREAD = 0.56; // of a category's room, in which its runs are strewn
const SIZES = [5, 20];
const MOST_WORDS = 24; // letters of a label
const LETTER = 6.5; // pixels

/** Which way an expression is better: 1 more, -1 less. @param {string} expr @param {string} wanted */
export function wayOf(expr, wanted) {
  if (wanted !== "auto") return wanted === "max" ? 1 : -1;
  const { tag } = column(expr);
  // What costs, such as time and size, is better when there is less of it.
  return direction(tag || expr) || (tag ? 1 : -1);
}

/** Points are smaller where there are many. */
function usualSize(count) {
  return count <= 150 ? 10 : count <= 600 ? 8 : count <= 3000 ? 6 : 5;
}

/** Places of an axis with categories strewn, so that runs of one do not lie on each other. */
function strewn(axis, run_ids, turn) {
  if (axis.kind !== "category") return axis.places;
  return Float64Array.from(axis.places, (place, i) => place + (shaken(run_ids[i] * 2 + turn) - 0.5) * SPREAD);
}

function widened(low, high, category) {
  if (category) return [low - 0.5, high + 0.5];
  if (low === high) {
    const half = Math.max(Math.abs(low) * 0.05, 1e-9) || 0.5;
    return [low - half, high + half];
  }
  const pad = (high - low) * ROOM;
  return [low - pad, high + pad];
}

/** A line cut at the window, part by part. @param {number[]} xs @param {number[]} ys */
export function clipped(xs, ys, [left, right], [low, high]) {
  const [outX, outY] = [[], []];
  for (let i = 1; i < xs.length; i += 1) {
    const [ax, ay, bx, by] = [xs[i - 1], ys[i - 1], xs[i], ys[i]];
    let [from, to] = [0, 1];
    for (const [p, q] of [[ax - bx, ax - left], [bx - ax, right - ax], [ay - by, ay - low], [by - ay, high - ay]]) {
      if (p === 0) {
        if (q < 0) to = -1;
      } else if (p < 0) from = Math.max(from, q / p);
      else to = Math.min(to, q / p);
    }
    if (from > to) continue;
    outX.push(ax + (bx - ax) * from, ax + (bx - ax) * to, NaN);
    outY.push(ay + (by - ay) * from, ay + (by - ay) * to, NaN);
  }
  return { xs: outX, ys: outY };
}

/**
 * Where runs are and what they look like.
 * @param {import("./data.js").Columns} data
 * @param {{sx: string, sy: string, ss: string, sxs: string, sys: string, front: boolean, fx: string, fy: string, trend: boolean, szoom: number[][] | null}} look expressions are never empty but `ss`
 * @param {Uint8Array | null} mask runs that the brushes leave
 */
export function places(data, look, mask) {
  const { columns, run_ids } = data;
  const x = axisOf(look.sx, columns.get(look.sx), look.sxs, mask);
  const y = axisOf(look.sy, columns.get(look.sy), look.sys, mask);
  const [xs, ys] = [strewn(x, run_ids, 0), strewn(y, run_ids, 1)];
  const shown = [];
  // The window is that of all runs: brushes take some away, and the others stay where they are.
  let [lowX, highX, lowY, highY] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < run_ids.length; i += 1) {
    if (!Number.isFinite(xs[i]) || !Number.isFinite(ys[i])) continue;
    if (!mask || mask[i]) shown.push(i);
    lowX = Math.min(lowX, x.places[i]);
    highX = Math.max(highX, x.places[i]);
    lowY = Math.min(lowY, y.places[i]);
    highY = Math.max(highY, y.places[i]);
  }
  const whole = lowX <= highX ? [widened(lowX, highX, x.kind === "category"), widened(lowY, highY, y.kind === "category")] : [[0, 1], [0, 1]];
  const size = look.ss ? axisOf(look.ss, columns.get(look.ss), "linear") : null;
  const usual = usualSize(shown.length);
  const sizes = size ? Float64Array.from(size.places, (place) => (Number.isFinite(place) ? SIZES[0] + ((place - size.low) / (size.high - size.low || 1)) * (SIZES[1] - SIZES[0]) : SIZES[0])) : new Float64Array(run_ids.length).fill(usual);
  const numeric = x.kind !== "category" && y.kind !== "category";
  // Of places, not values: the order is the same, and on a logarithmic axis what it cannot show is not on the front either.
  const front = look.front && numeric ? paretoFront(x.places, y.places, wayOf(look.sx, look.fx), wayOf(look.sy, look.fy), mask) : [];
  const line = look.trend && numeric ? trend(x.places, y.places, mask) : null;
  return { x, y, xs, ys, shown, window: look.szoom ?? whole, whole, size, sizes, front, trend: line, numeric };
}

/**
 * @param {ReturnType<typeof places>} at @param {string[]} colours of runs @param {Set<number>} selected places of runs
 * @param {{text: string, accent: string, muted: string}} ink @param {number} width @param {number} height
 */
export function picture(at, colours, selected, ink, width, height) {
  const { xs, ys, shown, sizes, window: [x, y], front } = at;
  // What is seen only: a canvas spends time on what lies beside it too.
  const seen = shown.filter((i) => xs[i] >= x[0] && xs[i] <= x[1] && ys[i] >= y[0] && ys[i] <= y[1]);
  const pick = (values) => Float64Array.from(seen, (i) => values[i]);
  return {
    layers: { dots: { x: pick(xs), y: pick(ys), colour: seen.map((i) => colours[i]), size: pick(sizes) }, rings: rings(at, selected, ink), over: lines(at, ink) },
    x, y, xticks: cut(at.x.ticks(x[0], x[1], Math.max(2, Math.floor(width / 90))), width), yticks: cut(at.y.ticks(y[0], y[1], Math.max(2, Math.floor(height / 40)))), seen, front,
  };
}

/** Labels so short that they have room beside each other. */
function cut(ticks, room = Infinity) {
  const most = Math.max(4, Math.min(MOST_WORDS, Math.floor(room / Math.max(1, ticks.length) / LETTER)));
  return ticks.map(({ at, label }) => ({ at, label: label.length > most ? `${label.slice(0, most - 1)}…` : label }));
}

/** Rings around the runs that are selected, or on the front. */
export function rings({ xs, ys, sizes, window: [x, y], front }, selected, ink) {
  const layer = { x: [], y: [], colour: [], size: [] };
  const add = (i, colour, more) => {
    if (!(xs[i] >= x[0] && xs[i] <= x[1] && ys[i] >= y[0] && ys[i] <= y[1])) return;
    layer.x.push(xs[i]);
    layer.y.push(ys[i]);
    layer.colour.push(colour);
    layer.size.push(sizes[i] + more);
  };
  for (const i of front) add(i, ink.text, 3);
  for (const i of selected) add(i, ink.accent, 7);
  return layer.x.length ? layer : null;
}

function lines({ x, y, window, front, trend: line }, ink) {
  const layer = { xs: [], ys: [], colour: [], dash: [], width: [] };
  const add = (xs, ys, colour, dash, width) => {
    const cut = clipped(xs, ys, window[0], window[1]);
    if (!cut.xs.length) return;
    layer.xs.push(cut.xs);
    layer.ys.push(cut.ys);
    layer.colour.push(colour);
    layer.dash.push(dash);
    layer.width.push(width);
  };
  if (front.length > 1) {
    const steps = stepLine(front.map((i) => [x.places[i], y.places[i]]));
    add(steps.xs, steps.ys, ink.text, [], 1.5);
  }
  if (line) add([line.low, line.high], [line.start + line.slope * line.low, line.start + line.slope * line.high], ink.accent, [6, 4], 2);
  return layer.xs.length ? layer : null;
}
