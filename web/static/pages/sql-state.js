/** What the SQL page's URL says. */

import { isObject, isText, items, json, number, oneOf, text, values } from "../core/kinds.js";

export const MOST_CHARACTERS = 50_000;
export const LIMITS = [1_000, 10_000, 100_000];
export const KINDS = ["line", "scatter", "bar"];

const isWidth = (value) => Number.isFinite(value) && value >= 40 && value <= 1200;
const isName = (value) => isText(value) && value.length <= 1000;

/** Statements are longer than other texts. @type {import("../core/kinds.js").Kind} */
const statements = {
  fallback: "",
  take: (value) => (typeof value === "string" ? value.slice(0, MOST_CHARACTERS) : ""),
  read: (given) => given.slice(0, MOST_CHARACTERS),
  write: (value) => value,
};

/** What a chart shows, as far as the reader chose: {kind, x, y, by, scale, xscale}. */
function chart(value) {
  if (!isObject(value)) return undefined;
  const found = {};
  if (KINDS.includes(value.kind)) found.kind = value.kind;
  if (isName(value.x)) found.x = value.x;
  if (isName(value.by)) found.by = value.by;
  for (const name of ["scale", "xscale"]) if (value[name] === "log") found[name] = "log";
  const y = items(isName, 20)(value.y);
  if (y?.length) found.y = y;
  return found;
}

export const schema = {
  q: statements, // the editor's text
  at: number(0, 0, 10_000), // which of its statements was run
  limit: number(10_000, 1, 100_000), // rows
  show: oneOf("table", "chart"),
  chart: json({}, chart),
  sort: text(), // a column of the loaded rows, `-` before it descends
  wide: json({}, values(isWidth)), // widths of columns in pixels
  side: oneOf("tables", "examples", "history", "saved", "none"),
  edit: number(230, 90, 2000), // height of the editor in pixels
};
