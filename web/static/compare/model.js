/** What a comparison shows, as plain data: sections of rows with a value for each run; no page in sight. */

import { direction } from "../core/direction.js";
import { natural, toNumber } from "../core/format.js";
import { under } from "../core/kinds.js";

const SECTIONS = { fields: "Run", hparams: "Hyperparameters", metrics: "Metrics" };

/** Fields that the head of a run's column already tells. */
const IN_HEAD = new Set(["run_id", "run_key", "name", "label", "colour", "state", "archived"]);

/** `add_hparams` writes into a stream that is named by the time: each run has its own for one and the same metric. */
const STAMP = /^\d{9,}(\.\d+)?$/;

/** The key by which a row is known in URLs. */
const idOf = (section, name, stream) => (stream ? `${section}:${name}@${stream}` : `${section}:${name}`);

/**
 * The answers of the server as one table, its columns by run_key.
 * @param {any} answer what /compare gives
 * @param {any} [other] for the best values: `answer` has the minima and this the maxima
 */
export function table(answer, other) {
  const keys = answer.runs.map((run) => run.run_key);
  const byKey = (values) => new Map(keys.map((key, i) => [key, values?.[i] ?? null]));
  const rows = [];
  for (const one of answer.fields) {
    if (IN_HEAD.has(one.name)) continue;
    rows.push({ section: "fields", id: idOf("fields", one.name), name: one.name, group: "", leaf: one.name, values: byKey(one.values) });
  }
  for (const one of answer.hparams) {
    const [group, leaf] = parted(one.name, /[./]/);
    rows.push({ section: "hparams", id: idOf("hparams", one.name), name: one.name, expr: one.expr, group, leaf, numeric: one.numeric, values: byKey(one.values) });
  }
  const highest = new Map((other?.metrics ?? []).map((one) => [idOf("metrics", one.tag, one.stream), one]));
  const metrics = new Map();
  for (const one of answer.metrics) {
    const stream = STAMP.test(one.stream) ? "hparams" : one.stream;
    const id = idOf("metrics", one.tag, stream);
    const [group, leaf] = parted(one.tag, /\//);
    const row = { section: "metrics", id, name: one.tag, stream, group, leaf, numeric: true, ...held(one, byKey) };
    const high = highest.get(idOf("metrics", one.tag, one.stream));
    if (high) row.high = held(high, byKey);
    const before = metrics.get(id);
    if (before) merge(before, row);
    else metrics.set(id, row);
  }
  rows.push(...metrics.values());
  return { runs: new Map(answer.runs.map((run) => [run.run_key, run])), rows };
}

const held = (one, byKey) => ({ values: byKey(one.values), steps: byKey(one.steps) });

/** Put what *more* has of a run into *row*, which has nothing of it. */
function merge(row, more) {
  for (const [into, from] of [[row, more], [row.high, more.high]]) {
    if (!into || !from) continue;
    for (const [key, value] of from.values) {
      if (value === null || into.values.get(key) !== null) continue;
      into.values.set(key, value);
      into.steps.set(key, from.steps.get(key));
    }
  }
}

function parted(name, at) {
  const found = name.search(at);
  return found > 0 && found < name.length - 1 ? [name.slice(0, found), name.slice(found + 1)] : ["", name];
}

/**
 * The sections as they are seen.
 * @param {ReturnType<typeof table>} all
 * @param {{keys: string[], base?: string, diff?: boolean, q?: string, best?: boolean, dirs?: Record<string, number>}} view
 *   keys in order; `dirs` says of tags whether higher (1) or lower (-1) is better, or neither (0)
 */
export function sections(all, { keys, base = "", diff = false, q = "", best = false, dirs = {} }) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const out = [];
  for (const [id, title] of Object.entries(SECTIONS)) {
    const rows = [];
    let total = 0;
    let differing = 0;
    for (const one of all.rows) {
      if (one.section !== id) continue;
      const row = cells(one, keys, base, best, dirs);
      if (row.values.every((value) => value === null)) continue;
      total += 1;
      if (row.differs) differing += 1;
      const text = `${row.name} ${row.stream ?? ""}`.toLowerCase();
      if ((diff && keys.length > 1 && !row.differs) || !words.every((word) => text.includes(word))) continue;
      rows.push(row);
    }
    // Names without a prefix come first, then each prefix in its own group; fields keep the server's order.
    if (id !== "fields") rows.sort((a, b) => Number(a.group !== "") - Number(b.group !== "") || natural(a.group, b.group) || natural(a.leaf, b.leaf) || natural(a.stream ?? "", b.stream ?? ""));
    out.push({ id, title, rows, total, differing });
  }
  return out;
}

function cells(one, keys, base, best, dirs) {
  const better = one.section === "metrics" ? (under(dirs, one.name) ?? direction(one.name)) : 0;
  const from = best && better > 0 && one.high ? one.high : one;
  const values = keys.map((key) => from.values.get(key) ?? null);
  const row = { ...one, better, values, steps: from.steps ? keys.map((key) => from.steps.get(key) ?? null) : null };
  const plain = values.map((value) => sameness(value, one.numeric));
  row.differs = new Set(plain).size > 1;
  row.odd = odd(plain, base ? keys.indexOf(base) : -1, row.differs);
  if (one.section === "metrics") Object.assign(row, measured(values, keys.indexOf(base), better));
  return row;
}

/** Values that are written differently may be the same number. */
function sameness(value, numeric) {
  if (value === null) return "";
  const number = numeric && typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
  return JSON.stringify(Number.isNaN(number) ? value : number);
}

/** Which values are unlike the baseline's or, without one, unlike what most of the runs that have any have. */
function odd(plain, baseAt, differs) {
  if (!differs) return plain.map(() => false);
  let usual = plain[baseAt];
  if (baseAt < 0) {
    const counts = new Map();
    const present = plain.filter((value) => value !== "");
    for (const value of present) counts.set(value, (counts.get(value) ?? 0) + 1);
    const [most, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
    usual = count > present.length / 2 ? most : undefined;
  }
  return plain.map((value) => value !== usual);
}

function measured(values, baseAt, better) {
  const numbers = values.map(toNumber);
  const finite = numbers.filter((value) => value !== null && Number.isFinite(value));
  const least = Math.min(...finite);
  const most = Math.max(...finite);
  const base = baseAt >= 0 ? numbers[baseAt] : null;
  const against = (value) => (base === null || value === null || !Number.isFinite(base) || !Number.isFinite(value) ? null : value - base);
  const deltas = numbers.map((value, i) => (i === baseAt ? null : against(value)));
  return {
    bars: numbers.map((value) => (value === null || !Number.isFinite(value) || finite.length < 2 ? null : most > least ? (value - least) / (most - least) : 1)),
    best: numbers.map((value) => better !== 0 && most > least && value === (better > 0 ? most : least)),
    deltas,
    relative: deltas.map((delta) => (delta === null || base === 0 ? null : delta / Math.abs(base))),
  };
}
