/** Values of many runs at once, by columns; what was fetched is kept until the lake, or what people wrote, changes. */

import { get } from "../core/api.js";
import { colourOf } from "../core/colour.js";
import { toNumber } from "../core/format.js";
import { split } from "../core/split.js";

/** As many runs as the page takes: the newest ones. */
export const MOST = 20_000;
const KEPT = 4;
// Under names of ours: a column may be asked for only once, and expressions may be these fields too.
const BASE = ["run_key", "label", "colour", "state"].map((field) => `${field} as _${field}`);
const named = (exprs) => exprs.map((expr, i) => `${expr} as _x${i}`);

/** Throws where a text is a list of expressions: each would be a column of its own. @param {string} text */
export function single(text) {
  if (split(text).length > 1) throw new Error(`One expression is expected in place of ${text}`);
}

/**
 * @typedef {{kind: string, values: Float64Array | any[]}} Column `number` and `time` (Unix seconds) have a Float64Array with NaN
 * where there is no value; others have what the API gives
 * @typedef {{keys: string[], run_ids: number[], labels: string[], colours: string[], states: string[], columns: Map<string, Column>, total: number, cut: boolean}} Columns
 */

/** @type {Map<string, {base: Promise<Columns> | null, table: Columns | null}>} */
const kept = new Map();

/** Forget what was fetched: the lake has changed, or what people wrote. */
export function renew() {
  kept.clear();
}

function columnOf(kind, rows, at) {
  if (kind !== "number" && kind !== "time") return { kind, values: rows.map((row) => row[at]) };
  const values = new Float64Array(rows.length);
  const read = kind === "time" ? (value) => (value === null ? NaN : Date.parse(value) / 1000) : (value) => toNumber(value) ?? NaN;
  for (let i = 0; i < rows.length; i += 1) values[i] = read(rows[i][at]);
  return { kind, values };
}

async function ask(params, columns, signal) {
  return get("runs", { ...params, columns, sort: "-run_id", limit: MOST }, signal);
}

/** The runs of an answer whose first columns are BASE, and *exprs* by their names. */
function tableOf(answer, exprs) {
  const { rows, total } = answer;
  const [keys, labels, , states] = BASE.map((_, k) => rows.map((row) => row[k + 1]));
  const colours = rows.map((row) => colourOf(row[0], row[3] ?? ""));
  const table = { keys, run_ids: rows.map((row) => row[0]), labels, colours, states, columns: new Map(), total, cut: total > rows.length };
  add(table, answer, exprs);
  return table;
}

function add(table, { columns, rows }, exprs) {
  exprs.forEach((expr, i) => {
    const at = columns.findIndex((one) => one.name === `_x${i}`);
    table.columns.set(expr, columnOf(columns[at].kind, rows, at));
  });
}

/** The runs themselves, and *exprs* of them if they can be had. */
async function first(params, exprs) {
  try {
    return tableOf(await ask(params, [...BASE, ...named(exprs)]), exprs);
  } catch (error) {
    // Who asked for what cannot be had is told when it asks for it alone; the others must not wait for it.
    if (!exprs.length || !error.text) throw error;
    return tableOf(await ask(params, BASE), []);
  }
}

/**
 * The values of *exprs*, expressions of the filter language, of the runs that match.
 * @param {{filter?: string, archived?: any, duplicates?: any}} params
 * @param {string[]} exprs @param {AbortSignal} [signal]
 * @returns {Promise<Columns>}
 */
export async function columnsOf(params, exprs, signal) {
  const key = JSON.stringify([params.filter ?? "", Boolean(params.archived), Boolean(params.duplicates)]);
  const wanted = [...new Set(exprs)];
  wanted.forEach(single);
  let entry = kept.get(key);
  if (!entry) {
    entry = { base: null, table: null };
    kept.set(key, entry);
    for (const old of kept.keys()) if (kept.size > KEPT) kept.delete(old);
  }
  entry.base ??= first(params, wanted).then((table) => { entry.table = table; }, (error) => { kept.delete(key); throw error; });
  await entry.base;
  signal?.throwIfAborted();
  const missing = wanted.filter((expr) => !entry.table.columns.has(expr));
  if (missing.length) {
    const answer = await ask(params, named(missing), signal);
    const same = answer.rows.length === entry.table.run_ids.length && answer.rows.every((row, i) => row[0] === entry.table.run_ids[i]);
    if (same) add(entry.table, answer, missing);
    // Runs came or went in the meantime: columns of two moments do not fit together.
    else entry.table = tableOf(await ask(params, [...BASE, ...named(wanted)], signal), wanted);
  }
  const { table } = entry;
  return { ...table, columns: new Map(wanted.map((expr) => [expr, table.columns.get(expr)])) };
}
