/** What a column's expression means: its title, its alias, the metric or hyperparameter in it, which way is better. */

import { direction } from "../core/direction.js";
import { under } from "../core/kinds.js";

/** Statistics of a metric that a column may show. */
export const STATS = ["last", "min", "max", "mean", "first", "std", "count", "step_min", "step_max"];

/** What else a column may say of a metric, which no menu offers: it has no better and worse. */
const COUNTS = ["step_last", "first_nan", "first_inf", "nan_count", "inf_count", "attempts", "superseded"];

const FIELD_TITLES = {
  label: "Run", name: "Name", last_event_at: "Last event", created_at: "Created", discovered_at: "Discovered", duration_s: "Duration",
  last_step: "Last step", run_key: "Key", run_id: "Number", git_commit: "Commit", group_name: "Group", end_reason: "End", duplicate_of: "Copy of", job_id: "Job",
  nan_tags: "Curves with NaN", hparams: "Hyperparameters", clock_skew_s: "Clock off by",
};

const parsed = new Map();

/**
 * A column as it is written: `min("val/loss") as best`.
 * @param {string} text
 * @returns {{text: string, expr: string, alias: string | null, name: string, title: string, stat: string, tag: string, stream: string | null, field: string, better: -1 | 0 | 1}}
 * `name` is what the server calls it; `better` is 1 where more is better, -1 where less is
 */
export function column(text) {
  let one = parsed.get(text);
  if (!one) {
    one = parse(text);
    if (parsed.size > 5000) parsed.clear();
    parsed.set(text, one);
  }
  return one;
}

const unquote = (text) => (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);

function parse(text) {
  const named = /^(.*\S)\s+as\s+("(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_]*)\s*$/isu.exec(text);
  const expr = (named ? named[1] : text).trim();
  const alias = named ? unquote(named[2]) : null;
  const call = /^(\w+)\(\s*"((?:[^"]|"")*)"\s*(?:,\s*"((?:[^"]|"")*)"\s*)?\)$/.exec(expr);
  const metric = call && [...STATS, ...COUNTS].includes(call[1].toLowerCase()) ? call : null;
  const hp = /^hp\.(.+)$/s.exec(expr);
  const field = /^[a-z_]+$/i.test(expr) ? expr.toLowerCase() : "";
  const stat = metric ? metric[1].toLowerCase() : "";
  const tag = metric ? metric[2].replaceAll('""', '"') : "";
  const stream = metric?.[3] === undefined ? null : metric[3].replaceAll('""', '"');
  let title = expr;
  if (metric) title = `${stat.replace("_", " ").replace("nan", "NaN")} ${tag}${stream ? ` (${stream})` : ""}`;
  else if (hp) title = hp[1].startsWith('"') ? unquote(hp[1]) : hp[1];
  else if (field) title = under(FIELD_TITLES, field) ?? (field[0].toUpperCase() + field.slice(1)).replaceAll("_", " ");
  const better = ["count", "std", "step_min", "step_max", ...COUNTS].includes(stat) ? 0 : direction(metric ? tag : alias ?? "");
  return { text, expr, alias, name: alias ?? text.trim(), title: alias ?? title, stat, tag, stream, field, better };
}

/** A sort key such as `-points` as its expression and its direction. */
export function sortKey(text) {
  const trimmed = text.trim();
  const word = /^(.*\S)\s+(asc|desc)$/is.exec(trimmed);
  if (word) return { expr: word[1], desc: word[2].toLowerCase() === "desc" };
  return trimmed.startsWith("-") ? { expr: trimmed.slice(1).trim(), desc: true } : { expr: trimmed, desc: false };
}

/** The same the other way round. */
export function sortText({ expr, desc }) {
  return (desc ? "-" : "") + expr;
}
