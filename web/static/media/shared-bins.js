/** Histograms of many runs on one axis of values: pure functions. */

import { scaleOf } from "../charts/scale.js";
import { core, edges, extent, percentiles, resample } from "../run/bins.js";

const LEAST = 1e-12; // of the largest value: what a logarithmic axis begins with

/** @typedef {[number, number, number][]} Step buckets of one histogram: from, to, count */
/** @typedef {{edges: Float64Array, low: number, high: number, scale: import("../charts/scale.js").Scale}} Axis bins, and where the axis begins and ends in places */

/** The size of a usual value: half of the weight is further from zero. @param {Step[]} steps */
function typical(steps) {
  const sizes = steps.flatMap((step) => {
    const whole = step.reduce((sum, one) => sum + one[2], 0);
    return step.map(([a, b, count]) => /** @type {[number, number, number]} */ ([Math.abs(a + b) / 2, Math.abs(a + b) / 2, count / whole]));
  });
  return percentiles(sizes.sort((a, b) => a[0] - b[0]), [50])[0];
}

/**
 * One axis for the histograms of all runs, or null where none holds a value that it can show.
 * @param {Step[]} steps of all runs @param {{n?: number, outside?: number, scale?: "linear" | "log" | "symlog"}} [options] `outside`: so much weight may be cut off
 * @returns {Axis | null}
 */
export function axisOf(steps, { n = 100, outside = 0, scale: name = "linear" } = {}) {
  const full = steps.filter((step) => step.length);
  const positive = name === "log" ? full.map((step) => step.filter(([, b]) => b > 0)).filter((step) => step.length) : full;
  const range = outside > 0 ? core(positive, outside) : extent(positive);
  if (!range) return null;
  const scale = scaleOf(name, name === "symlog" ? typical(full) : 1);
  if (name === "linear") {
    const found = edges(range[0], range[1], n);
    return { edges: found, low: found[0], high: found[n], scale };
  }
  let [low, high] = range;
  if (name === "log") {
    // A bucket that begins at zero begins nowhere on this axis: the smallest end that does decides.
    const least = positive.reduce((found, step) => step.reduce((own, [a, b]) => Math.min(own, a > 0 ? a : b), found), Infinity);
    low = Math.max(low, Math.min(least, high), high * LEAST);
    if (!(high > low)) [low, high] = [low / 1.1, high * 1.1];
  }
  const places = edges(scale.place(low), scale.place(high), n);
  const found = places.map((place) => scale.value(place));
  // There and back is not always the same number: what lies at an end must not fall off.
  if (high > low) [found[0], found[n]] = [low, high];
  return { edges: found, low: places[0], high: places[n], scale };
}

/**
 * Histograms on an axis: counts, and the share of all of a step's weight that each bin has, so that runs
 * with other numbers of values compare. What is not on the axis is `lost`, as a share.
 * @param {Step[]} steps @param {Axis} axis @returns {{counts: Float64Array[], shares: Float64Array[], lost: number[]}}
 */
export function binned(steps, axis) {
  const place = (value) => {
    const at = axis.scale.place(value);
    return Number.isNaN(at) ? axis.low : at;
  };
  const counts = steps.map((step) => resample(step, axis.edges, place));
  const lost = [];
  const parts = counts.map((column, i) => {
    const whole = steps[i].reduce((sum, one) => sum + one[2], 0);
    const part = whole > 0 ? column.map((one) => one / whole) : column;
    lost.push(whole > 0 ? Math.max(0, 1 - part.reduce((sum, one) => sum + one, 0)) : 0);
    return part;
  });
  return { counts, shares: parts, lost };
}

/** The largest of several lists of numbers. @param {Float64Array[][]} lists */
export function largest(lists) {
  let most = 0;
  for (const columns of lists) for (const column of columns) for (const one of column) if (one > most) most = one;
  return most;
}
