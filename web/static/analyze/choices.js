/** What is shown before anybody has chosen: hyperparameters that vary, and the metric that says most about most runs. */

import { get } from "../core/api.js";
import { direction } from "../core/direction.js";
import { metric } from "../core/split.js";
import { columnsOf } from "./data.js";

const LOOKED_AT = 40; // hyperparameters
const MOST_AXES = 6;
const NAMED = 12; // a text with more values than these is a name
const HELD_OUT = /(^|[^a-z])(val|valid|validation|eval|test|dev)([^a-z]|$)/i;
const OUTCOME = /(^|[^a-z])(loss|acc|accuracy|return|reward|score)([^a-z]|$)/i;
const LEAST_SHARE = 0.3;

/** How much a metric says about a run, by its name. */
function worth(tag) {
  return (direction(tag) ? 1 : 0.25) * (HELD_OUT.test(tag) ? 1.6 : 1) * (OUTCOME.test(tag) ? 1.3 : 1);
}

/** The best value of a metric: the smallest loss, the largest accuracy. */
export function bestOf(tag) {
  const way = direction(tag);
  return metric(way < 0 ? "min" : way > 0 ? "max" : "last", tag);
}

/** Runs that have a value of each of two columns, and how many values there are among them. */
function shared(one, other, count) {
  let runs = 0;
  const values = new Set();
  const has = ({ kind, values: all }, i) => (kind === "number" || kind === "time" ? Number.isFinite(all[i]) : all[i] != null);
  for (let i = 0; i < count; i += 1) {
    if (!has(one, i) || (other && !has(other, i))) continue;
    runs += 1;
    values.add(one.values[i]);
  }
  return { runs, values: values.size };
}

/**
 * @param {object} params of the runs looked at @param {() => Promise<any>} fields the names that there are @param {AbortSignal} [signal]
 * @returns {Promise<{x: string, y: string, colour: string, axes: string[], metrics: string[], hparams: string[]}>} expressions, empty where there is nothing;
 *   colour is "run" where no hyperparameter says more
 */
export async function choicesFor(params, fields, signal) {
  const [known, own] = await Promise.all([fields(), get("tags", { ...params, kind: "scalar" }, signal)]);
  const runs = new Map();
  for (const { tag, runs: count } of own.tags) runs.set(tag, Math.max(count, runs.get(tag) ?? 0));
  const tags = [...runs.keys()].sort((a, b) => runs.get(b) * worth(b) - runs.get(a) * worth(a) || (a < b ? -1 : 1));
  const metrics = tags.slice(0, 8).map(bestOf);
  const y = metrics[0] ?? "";
  const looked = known.hparams.filter((one) => one.distinct > 1).sort((a, b) => b.runs - a.runs).slice(0, LOOKED_AT);
  const { columns, keys } = await columnsOf(params, [...(y ? [y] : []), ...looked.map((one) => one.expr)], signal);
  const result = columns.get(y);
  const most = result ? shared(result, null, keys.length).runs : keys.length;
  const found = looked.map(({ expr, name }) => {
    const column = columns.get(expr);
    const { runs: both, values } = shared(column, result, keys.length);
    const number = column.kind === "number";
    // A seed varies in every run and explains nothing.
    return { expr, number, runs: both * (/(^|[._])(seed|rank|port|pid)$/i.test(name) ? 0.2 : 1), values };
  }).filter((one) => one.values > 1 && (one.number || one.values <= NAMED));
  found.sort((a, b) => b.runs - a.runs || b.values - a.values);
  const numbers = found.filter((one) => one.number).sort((a, b) => b.runs * (b.values > 2 ? 1.5 : 1) - a.runs * (a.values > 2 ? 1.5 : 1));
  const x = numbers[0]?.expr ?? found[0]?.expr ?? (y ? "duration_s" : "created_at");
  const colour = found.find((one) => one.expr !== x && one.values <= NAMED && one.runs >= LEAST_SHARE * most)?.expr ?? "run";
  const axes = found.filter((one) => one.runs >= LEAST_SHARE * most).slice(0, MOST_AXES - 1).map((one) => one.expr);
  const rest = axes.length ? [] : ["duration_s", "last_step"];
  return { x, y: y || "points", colour, axes: [...axes, ...rest, y || "points"], metrics, hparams: found.map((one) => one.expr) };
}
