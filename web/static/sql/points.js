/** From rows to what a chart draws: which columns, which series, what was left out. Pure. */

import { PALETTE } from "../core/colour.js";
import { natural, toNumber } from "../core/format.js";

export const MOST_SERIES = 50;
export const MOST_BARS = 200;
const MOST_VALUES = 50; // of a column that a guess colours by
const X = ["step", "epoch", "iteration", "at_step", "time", "wall_time", "day", "date", "hour", "week", "month"];
const NAMES = ["run", "name", "run_name", "label", "tag", "run_key", "run_id"];
const ID = /(^|_)(id|key|rank|attempt|idx|record)$/;

/**
 * @typedef {{name: string, kind: string, type: string}} Column
 * @typedef {{kind: "line" | "scatter" | "bar", x: string, y: string[], by: string, scale: "linear" | "log", xscale: "linear" | "log"}} Chart
 * @typedef {{name: string, colour: string, x: Float64Array, y: Float64Array}} Series
 */

/** A time, or Unix seconds as the lake has wall times. */
const isTime = (column) => column.kind === "time" || (column.kind === "number" && /(^|_)wall_time$/.test(column.name));

const isX = (column) => column.kind === "number" || column.kind === "time";

function distinct(rows, at, most) {
  const found = new Set();
  for (const row of rows) {
    found.add(row[at]);
    if (found.size > most) break;
  }
  return found.size;
}

/** A chart for an answer that has none yet; null where nothing can be drawn. @param {Column[]} columns @param {any[][]} rows @returns {Chart | null} */
export function guess(columns, rows) {
  const numbers = columns.filter((one) => one.kind === "number");
  const values = numbers.filter((one) => !ID.test(one.name));
  const known = X.map((name) => columns.find((one) => one.name === name && isX(one))).find(Boolean);
  const timed = known ?? columns.find((one) => one.kind === "time");
  const texts = columns.filter((one) => one.kind === "text");
  const coloured = [...NAMES.map((name) => columns.find((one) => one.name === name && one !== timed)), ...texts].filter(Boolean).find((one) => {
    const count = distinct(rows, columns.indexOf(one), MOST_VALUES);
    return count > 1 && count <= MOST_VALUES;
  });
  const pick = (x, most) => {
    const rest = values.filter((one) => one !== x && !X.includes(one.name));
    const named = rest.filter((one) => one.name === "value");
    return (named.length ? named : rest.length ? rest : numbers.filter((one) => one !== x)).slice(0, most).map((one) => one.name);
  };
  if (timed && pick(timed, 1).length) {
    const y = pick(timed, coloured ? 1 : 4);
    const alone = distinct(rows, columns.indexOf(timed), rows.length) === rows.length;
    return { kind: timed.kind === "time" && alone && rows.length <= 60 && !coloured ? "bar" : "line", x: timed.name, y, by: alone ? "" : coloured?.name ?? "", scale: "linear", xscale: "linear" };
  }
  if (texts.length && values.length && rows.length <= MOST_BARS) return { kind: "bar", x: texts.find((one) => distinct(rows, columns.indexOf(one), MOST_BARS) > 1)?.name ?? texts[0].name, y: [values[0].name], by: "", scale: "linear", xscale: "linear" };
  if (values.length >= 2) return { kind: "scatter", x: values[0].name, y: [values[1].name], by: coloured?.name ?? "", scale: "linear", xscale: "linear" };
  if (texts.length && numbers.length) return { kind: "bar", x: texts[0].name, y: [numbers[0].name], by: "", scale: "linear", xscale: "linear" };
  return null;
}

/** What the reader chose where it fits these columns, else what was guessed. @returns {Chart | null} */
export function chosen(given, columns, rows) {
  const found = guess(columns, rows);
  // What was chosen for other columns says nothing about these.
  if (given.x !== undefined && !columns.some((one) => one.name === given.x)) return found;
  const has = (name) => columns.some((one) => one.name === name);
  const y = (given.y ?? []).filter((name) => columns.some((one) => one.name === name && one.kind === "number"));
  const x = given.x !== undefined && has(given.x) ? given.x : found?.x;
  if (x === undefined || !(y.length || found?.y.length)) return null;
  const kind = given.kind ?? found?.kind ?? "scatter";
  const by = given.by !== undefined ? (has(given.by) ? given.by : "") : given.x !== undefined && given.x !== found?.x ? "" : found?.by ?? "";
  return { kind, x, y: y.length ? y : found.y, by, scale: given.scale ?? "linear", xscale: kind !== "bar" && columns.find((one) => one.name === x)?.kind === "number" ? given.xscale ?? "linear" : "linear" };
}

function placesOf(column, at, rows, kind) {
  if (kind === "bar" || !isX(column)) {
    const seen = new Map();
    const places = Float64Array.from(rows, (row) => {
      const key = row[at] === null ? "NULL" : typeof row[at] === "object" ? JSON.stringify(row[at]) : String(row[at]);
      if (!seen.has(key)) seen.set(key, seen.size);
      return seen.get(key);
    });
    return { places, categories: [...seen.keys()] };
  }
  const read = column.kind === "time" ? (value) => Date.parse(value) / 1000 : toNumber2;
  return { places: Float64Array.from(rows, (row) => (row[at] === null ? NaN : read(row[at]))), categories: null };
}

/** A number that may be written as text, as long ones are. */
function toNumber2(value) {
  return toNumber(value) ?? Number(value);
}

/**
 * @param {Chart} chart @param {Column[]} columns @param {any[][]} rows
 * @returns {{series: Series[], categories: string[] | null, time: boolean, all: number, bars: number, missing: number, added: boolean}}
 *   `all` series there are, `bars` places there are, `missing` points without a number, `added` whether bars are sums of rows
 */
export function seriesOf(chart, columns, rows) {
  const index = (name) => columns.findIndex((one) => one.name === name);
  const xAt = index(chart.x);
  const { places, categories } = placesOf(columns[xAt], xAt, rows, chart.kind);
  const byAt = chart.by ? index(chart.by) : -1;
  const groups = new Map();
  let missing = 0;
  for (const [i, row] of rows.entries()) {
    const owner = byAt < 0 ? "" : row[byAt] === null ? "NULL" : typeof row[byAt] === "object" ? JSON.stringify(row[byAt]) : String(row[byAt]);
    for (const name of chart.y) {
      const value = row[index(name)];
      const y = value === null ? NaN : toNumber2(value);
      if (!Number.isFinite(places[i]) || !Number.isFinite(y) || (chart.scale === "log" && y <= 0) || (chart.xscale === "log" && places[i] <= 0)) {
        missing += 1;
        continue;
      }
      const title = owner && chart.y.length > 1 ? `${owner} · ${name}` : owner || name;
      const key = `${owner}\0${name}`;
      if (!groups.has(key)) groups.set(key, { title, points: [] });
      groups.get(key).points.push([places[i], y]);
    }
  }
  const found = [...groups.values()];
  // Bars stand in the order of the rows, which says something; lines do not.
  if (chart.kind !== "bar") found.sort((a, b) => natural(a.title, b.title));
  const shown = found.slice(0, MOST_SERIES);
  let added = false;
  const series = shown.map(({ title, points }, i) => {
    let list = points;
    if (chart.kind === "bar") {
      const sums = new Map();
      for (const [x, y] of points) {
        added ||= sums.has(x);
        sums.set(x, (sums.get(x) ?? 0) + y);
      }
      list = [...sums].filter(([x]) => x < MOST_BARS);
    } else if (chart.kind === "line") list = [...points].sort((a, b) => a[0] - b[0]);
    return { name: title, colour: PALETTE[i % PALETTE.length], x: Float64Array.from(list, (one) => one[0]), y: Float64Array.from(list, (one) => one[1]) };
  });
  return { series, categories: categories?.slice(0, chart.kind === "bar" ? MOST_BARS : Infinity) ?? null, time: !categories && isTime(columns[xAt]) && chart.xscale !== "log", all: groups.size, bars: categories?.length ?? 0, missing, added };
}
