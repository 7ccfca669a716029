/** From what the server sent to what is drawn: lines with colours and dashes, bands, marks, ranges. Pure. */

import { DASHES } from "../core/colour.js";
import { smooth } from "./smooth.js";

/**
 * @typedef {{key: string, label: string, colour: string, run_id?: number, group?: {ids: number[]}}} Entry
 * @typedef {{key: string, name: string, entry: Entry, stream: string, tag: string, colour: string, dash: number[], x: Float64Array, y: Float64Array,
 *   smoothed: Float64Array, low: Float64Array | null, high: Float64Array | null, n: number, count: Uint32Array | null, exact: boolean,
 *   special: [number, string][], restarts: number[], superseded: boolean}} Line
 */

/** Streams in the order of dashes: the run itself and training first. */
function byImportance(streams) {
  const rank = (name) => (name === "" ? 0 : /^train/.test(name) ? 1 : /^(val|eval|test)/.test(name) ? 2 : 3);
  return [...streams].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, "en", { numeric: true }));
}

/** Buckets that hold nothing are left out, so that sparse curves stay lines. */
function filled(series, grid) {
  if (series.x) return { x: series.x, y: series.y, min: null, max: null, std: null, count: null };
  const { count, y, min, max, std } = series;
  let n = 0;
  for (let i = 0; i < count.length; i += 1) if (count[i]) n += 1;
  const out = { x: new Float64Array(n), y: new Float64Array(n), min: new Float64Array(n), max: new Float64Array(n), std: std ? new Float64Array(n) : null, count: new Uint32Array(n) };
  for (let i = 0, j = 0; i < count.length; i += 1) {
    if (!count[i]) continue;
    out.x[j] = grid[i];
    out.y[j] = y[i];
    out.min[j] = min[i];
    out.max[j] = max[i];
    if (out.std) out.std[j] = std[i];
    out.count[j] = count[i];
    j += 1;
  }
  return out;
}

/** The band of a line: of a group's members, or of what its buckets hold. */
function bandOf(points, kind, group) {
  if (!points.min || kind === "none") return [null, null];
  if (kind === "minmax" || !group) return [points.min, points.max];
  const low = new Float64Array(points.y.length);
  const high = new Float64Array(points.y.length);
  for (let i = 0; i < low.length; i += 1) {
    const n = points.count[i];
    const std = n > 1 ? points.std[i] : 0;
    const half = kind === "std" ? std : kind === "se" ? std / Math.sqrt(n) : (1.96 * std) / Math.sqrt(n);
    low[i] = points.y[i] - half;
    high[i] = points.y[i] + half;
  }
  return [low, high];
}

/**
 * The lines of a chart of some tags.
 * @param {import("../core/frame.js").Chart[]} charts one for each tag, in the order of dashes
 * @param {Entry[]} entries what is drawn; in charts of groups their place is the owner's number
 * @param {{sk: string, sm: number, band: string, grouped: boolean}} settings
 * @returns {Line[]}
 */
export function linesOf(charts, entries, settings) {
  const owners = new Map(entries.map((entry, i) => [settings.grouped ? i : entry.run_id, entry]));
  const streams = byImportance(new Set(charts.flatMap((chart) => chart.series.map((one) => one.stream))));
  const several = charts.length > 1;
  const lines = [];
  for (const [place, chart] of charts.entries()) {
    for (const series of chart.series) {
      const entry = owners.get(series.run_id);
      if (!entry) continue;
      const points = filled(series, chart.grid);
      const [low, high] = bandOf(points, settings.band, settings.grouped);
      const dash = several ? place * (streams.length > 1 ? streams.length : 1) + (streams.length > 1 ? streams.indexOf(series.stream) : 0) : streams.indexOf(series.stream);
      const said = [several ? chart.tag : "", series.stream].filter(Boolean);
      lines.push({
        key: entry.key, name: said.length ? `${entry.label} · ${said.join(" · ")}` : entry.label, entry, stream: series.stream, tag: chart.tag,
        colour: entry.colour, dash: DASHES[dash % DASHES.length], x: points.x, y: points.y,
        smoothed: series.superseded ? points.y : smooth(settings.sk, points.x, points.y, settings.sm),
        low, high, n: series.n, count: points.count, exact: Boolean(series.x), special: series.special, restarts: series.restarts, superseded: series.superseded,
      });
    }
  }
  return lines;
}

/** Index of the last x at or before *at*. */
export function before(x, at) {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Index of the x nearest to *at*, or -1. */
export function nearest(x, at) {
  if (!x.length) return -1;
  const i = before(x, at);
  if (i < 0) return 0;
  return i + 1 < x.length && x[i + 1] - at < at - x[i] ? i + 1 : i;
}

/**
 * The charts of some tags with another tag as x: at each step the last value of that tag so far.
 * @param {import("../core/frame.js").Chart[]} charts @param {import("../core/frame.js").Chart | null} by
 * @returns {import("../core/frame.js").Chart[]}
 */
export function overMetric(charts, by) {
  if (!by) return charts.map((chart) => ({ ...chart, series: [] }));
  const axes = new Map();
  for (const one of by.series) {
    if (one.superseded) continue;
    const points = filled(one, by.grid);
    axes.set(`${one.run_id}/${one.stream}`, points);
    if (!axes.has(`${one.run_id}`) || one.stream === "") axes.set(`${one.run_id}`, points);
  }
  return charts.map((chart) => ({
    ...chart,
    series: chart.series.flatMap((one) => {
      const axis = axes.get(`${one.run_id}/${one.stream}`) ?? axes.get(`${one.run_id}`);
      if (!axis || one.superseded) return [];
      const points = filled(one, chart.grid);
      const rows = [];
      for (let i = 0; i < points.x.length; i += 1) {
        const at = before(axis.x, points.x[i]);
        const x = at < 0 ? NaN : axis.y[at];
        if (Number.isFinite(x)) rows.push([x, points.y[i]]);
      }
      if (!rows.length) return [];
      rows.sort((a, b) => a[0] - b[0]);
      return [{ ...one, x: Float64Array.from(rows, (row) => row[0]), y: Float64Array.from(rows, (row) => row[1]), min: null, max: null, std: null, count: null, special: [], restarts: [] }];
    }),
  }));
}

/**
 * A chart computed from the charts of some tags, for every run and stream that has all of them (the run's own
 * stream stands in where a tag has no such stream). Its points are where the sparsest tag has one; of the others
 * the last value so far counts, since tags are seldom logged at the same steps.
 * @param {(import("../core/frame.js").Chart | null)[]} charts in the order of the expression's tags
 * @param {{run: (values: number[]) => number}} expression @param {string} title
 */
export function computed(charts, expression, title) {
  const maps = charts.map((chart) => new Map((chart?.series ?? []).filter((one) => !one.superseded).map((one) => [`${one.run_id}/${one.stream}`, { one, points: filled(one, chart.grid) }])));
  const series = [];
  for (const key of new Set(maps.flatMap((map) => [...map.keys()]))) {
    const own = key.slice(0, key.indexOf("/") + 1);
    const of = maps.map((map) => map.get(key) ?? map.get(own));
    if (of.some((one) => !one)) continue;
    const sparsest = of.reduce((a, b) => (a.points.x.length <= b.points.x.length ? a : b));
    const x = [];
    const y = [];
    for (const at of sparsest.points.x) {
      const places = of.map(({ points }) => before(points.x, at));
      if (places.some((place) => place < 0)) continue;
      x.push(at);
      y.push(expression.run(places.map((place, i) => of[i].points.y[place])));
    }
    const { run_id } = sparsest.one;
    if (x.length) series.push({ run_id, stream: key.slice(own.length), n: x.length, x: Float64Array.from(x), y: Float64Array.from(y), min: null, max: null, std: null, count: null, special: [], restarts: [], superseded: false });
  }
  return { tag: title, range: /** @type {[number, number]} */ ([0, 0]), exact: charts.every((chart) => chart?.exact), grid: null, series };
}

/** Smallest and largest x of the lines. @param {Line[]} lines @returns {[number, number] | null} */
export function extentX(lines) {
  let low = Infinity;
  let high = -Infinity;
  for (const { x } of lines) {
    if (!x.length) continue;
    if (x[0] < low) low = x[0];
    if (x[x.length - 1] > high) high = x[x.length - 1];
  }
  return low <= high ? [low, high] : null;
}

/**
 * The range of y between two x, padded by a twentieth, in places of the axis. Without outliers it goes from the
 * 5th to the 95th percentile of what is shown, as TensorBoard's does.
 * @param {Line[]} lines @param {[number, number]} within @param {(value: number) => number} place
 * @param {{outliers: boolean, bands: boolean}} options
 * @returns {[number, number]}
 */
export function extentY(lines, within, place, { outliers, bands }) {
  const values = [];
  for (const line of lines) {
    const { x } = line;
    for (const y of bands && line.low ? [line.smoothed, line.low, line.high] : [line.smoothed]) {
      for (let i = 0; i < x.length; i += 1) {
        if (x[i] < within[0] || x[i] > within[1]) continue;
        const at = place(y[i]);
        if (Number.isFinite(at)) values.push(at);
      }
    }
  }
  if (!values.length) return [0, 1];
  const all = Float64Array.from(values).sort();
  const cut = !outliers && all.length > 20;
  let low = cut ? all[Math.floor(0.05 * (all.length - 1))] : all[0];
  let high = cut ? all[Math.ceil(0.95 * (all.length - 1))] : all[all.length - 1];
  // A curve that is cut at both ends by nothing but its own slope is shown whole: only spikes are left out.
  if (cut && high > low) {
    const room = 0.5 * (high - low);
    if (all[0] >= low - room) low = all[0];
    if (all[all.length - 1] <= high + room) high = all[all.length - 1];
  }
  const pad = (high - low) * 0.05 || Math.abs(high) * 0.05 || 0.5;
  return [low - pad, high + pad];
}

/** The size of a usual value, for symlog: the median of |y| that is not 0. @param {Line[]} lines */
export function typical(lines) {
  const sizes = lines.flatMap((line) => Array.from(line.y, Math.abs).filter((v) => v > 0 && Number.isFinite(v)));
  sizes.sort((a, b) => a - b);
  return sizes.length ? sizes[sizes.length >> 1] : 1;
}
