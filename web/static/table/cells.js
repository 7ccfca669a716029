/** How values look in the table. */

import { h } from "../core/dom.js";
import { ago, bytes, duration, number, time, toNumber } from "../core/format.js";

const TAIL = 12;
const LONG = 24;
const MOST_TAGS = 6;
const OLD_MS = 60 * 86_400_000; // a day says more than how many days ago

/** A text that loses its middle where there is no room; the whole stands in the title. */
export function middle(text) {
  if (text.length <= LONG) return h("span", { class: "mid", title: text }, h("span", null, text));
  return h("span", { class: "mid", title: text }, h("span", null, text.slice(0, -TAIL)), h("span", { class: "tail" }, text.slice(-TAIL)));
}

/** The chips of a user's tags. */
function tags(list) {
  const shown = list.slice(0, MOST_TAGS).map((tag) => h("span", { class: "chip tag" }, tag));
  return list.length > MOST_TAGS ? [...shown, h("span", { class: "muted", title: list.join(", ") }, `+${list.length - MOST_TAGS}`)] : shown;
}

/** A run's name with what people marked it with. */
export function label(item) {
  const archived = item.value("archived") === true;
  return [
    h("a", { class: "name", href: `/run/${encodeURIComponent(item.key)}`, tabindex: "-1", draggable: "false" }, middle(String(item.value("label") ?? item.key))),
    archived && h("span", { class: "chip away", title: "This run was archived" }, "archived"),
    ...tags(item.value("tags") ?? []),
  ];
}

/** A group's name: the values of its keys. */
export function groupLabel(values, names) {
  const title = values.map((value, i) => `${names[i]}: ${value ?? "(none)"}`).join("\n");
  return h("span", { class: "keys", title }, values.map((value, i) => [i ? " · " : "", value === null ? h("span", { class: "muted" }, "(none)") : typeof value === "number" ? number(value) : String(value)]));
}

function numeric(value, field) {
  const n = toNumber(value);
  if (n !== null && !Number.isFinite(n)) return h("span", { class: "value odd", title: "not a finite number" }, number(value));
  if (field === "duration_s") return h("span", { class: "value", title: `${value} s` }, duration(n));
  if (field === "size") return h("span", { class: "value", title: `${value} bytes` }, bytes(n));
  return h("span", { class: "value", title: String(value) }, number(value));
}

/** An amount without its sign, as the column has amounts. */
function amount(value, field) {
  if (field === "duration_s") return duration(value);
  return field === "size" ? bytes(value) : number(value, 3);
}

/** How far *value* is from that of the baseline, coloured where it is known which way is better. */
function delta(value, base, { better, field }) {
  const [a, b] = [toNumber(value), toNumber(base)];
  if (a === null || b === null || !Number.isFinite(a) || !Number.isFinite(b)) return null;
  const by = a - b;
  if (by === 0) return h("span", { class: "delta", title: "as the baseline" }, "±0");
  const sign = by > 0 ? "+" : "−";
  const part = b === 0 ? "" : ` (${sign}${share(Math.abs(by / b))})`;
  const judged = better === 0 ? "" : Math.sign(by) === better ? " good" : " worse";
  return h("span", { class: `delta${judged}`, title: `${sign}${amount(Math.abs(by), field)}${part}; the baseline has ${number(b)}` }, `${sign}${amount(Math.abs(by), field)}${part}`);
}

function share(part) {
  const percent = 100 * part;
  return `${percent >= 1000 ? Math.round(percent).toLocaleString("en-US") : percent.toPrecision(percent < 1 ? 2 : 3)}%`;
}

/**
 * What a cell of a run shows.
 * @param {ReturnType<import("./expression.js").column>} column @param {import("./pages.js").Item} item
 * @param {import("./pages.js").Item | null} base the baseline
 */
export function runCell(column, item, base) {
  const value = item.value(column.name);
  if (value === null || value === undefined) return null;
  if (column.field === "label" && column.alias === null) return label(item);
  if (column.field === "state") return h("span", { class: `state ${value}` }, value);
  if (column.field === "colour") return value;
  if (Array.isArray(value)) return tags(value.map(String));
  if (typeof value === "boolean") return value ? "yes" : "no";
  const kind = item.kind(column.name);
  if (kind === "time") return h("time", { title: time(value), datetime: value }, Date.now() - Date.parse(value) > OLD_MS ? time(value).slice(0, 10) : ago(value));
  if (kind !== "number") return middle(String(value));
  const other = base && base.key !== item.key && !IDENTITIES.has(column.field) ? delta(value, base.value(column.name), column) : null;
  return [other, numeric(value, column.field)];
}

// Numbers that are not amounts.
const IDENTITIES = new Set(["run_id", "duplicate_of"]);

/** What a cell of a group shows: mean ± std over all its members. */
export function groupCell(column, item, base) {
  const own = item.value(column.name);
  if (own !== undefined && own !== null && item.has(column.name)) return typeof own === "number" ? numeric(own, column.field) : middle(String(own));
  const [mean, std, min, max] = ["mean", "std", "min", "max"].map((stat) => item.value(`${column.name}_${stat}`));
  if (mean === null || mean === undefined) return null;
  const spread = `${number(min)} to ${number(max)} over ${item.group.runs} runs`;
  const other = base && !IDENTITIES.has(column.field) ? delta(mean, base.value(column.name), column) : null;
  if (column.field === "duration_s") return [other, h("span", { class: "value", title: `mean of ${duration(min)} to ${duration(max)}` }, duration(mean))];
  if (column.field === "size") return [other, h("span", { class: "value", title: `mean of ${bytes(min)} to ${bytes(max)}` }, bytes(Math.round(mean)))];
  return [other, h("span", { class: "value", title: spread }, number(Math.abs(mean) >= 1000 ? Math.round(mean) : mean, 4), std !== null && h("span", { class: "muted" }, ` ± ${number(std, 2)}`))];
}

/** Whether a column stands to the right: its numbers are compared by their digits. */
export function isNumeric(column, item) {
  if (!item) return Boolean(column.stat);
  if (item.group?.members) return item.has(`${column.name}_mean`);
  return item.kind(column.name) === "number";
}
