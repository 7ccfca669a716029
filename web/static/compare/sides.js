/** A difference of two texts as a table: side by side or in one column, what is alike folded. */

import { h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { diff, fold } from "./diff.js";

const MOST_ROWS = 2000;

/**
 * What differs, in words and as a table.
 * @param {{text: string, truncated?: boolean}} a the left text @param {{text: string, truncated?: boolean}} b the right one
 * @param {{united?: boolean, note?: string, left?: string, right?: string}} [how] `left` and `right` are what people call the sides
 */
export function difference(a, b, { united = false, note = "", left = "left", right = "right" } = {}) {
  const { rows, counts, rough } = diff(a.text, b.text);
  const notes = [note];
  if (rough) notes.push("The texts are too different or too long for the shortest difference: lines are matched by what they say.");
  if (a.truncated || b.truncated) notes.push("Only the begin of a long text is compared.");
  const differ = counts.changed + counts.removed + counts.added;
  const said = differ ? [counts.changed && `${plural(counts.changed, "line")} changed`, counts.removed && `${counts.removed.toLocaleString("en-US")} only ${left}`, counts.added && `${counts.added.toLocaleString("en-US")} only ${right}`].filter(Boolean).join(", ") : `No difference in ${plural(counts.same, "line")}`;
  return [h("p", { class: "muted", role: "status" }, [`${said}.`, ...notes].filter(Boolean).join(" ")), united ? unified(rows) : beside(rows)];
}

const pieces = (list, tag) => list.map(([text, differs]) => (differs ? h(tag, null, text) : text));
const SIGNS = { removed: ["−", ""], added: ["", "+"], changed: ["−", "+"], same: ["", ""] };

function side(row, own) {
  const [text, at] = own === 0 ? [row.left, row.leftAt] : [row.right, row.rightAt];
  const kind = text === null ? "void" : row.kind === "same" ? "" : own === 0 ? "gone" : "come";
  return [h("td", { class: "at" }, at ?? ""), h("td", { class: `sign ${kind}` }, text === null ? "" : SIGNS[row.kind][own]), h("td", { class: `text ${kind}` }, text === null ? "" : pieces(text, own === 0 ? "del" : "ins"))];
}

function beside(rows) {
  const line = (row) => h("tr", null, side(row, 0), side(row, 1));
  const head = h("thead", { class: "sr" }, h("tr", null, ["Line", "Sign", "Left text", "Line", "Sign", "Right text"].map((name) => h("th", { scope: "col" }, name))));
  return grid("Difference side by side", "diff beside", ["at", "sign", "", "at", "sign", ""], head, fold(rows), line);
}

function unified(rows) {
  // Within a stretch that differs, all of the left comes before all of the right.
  const flat = [];
  let held = [];
  const flush = () => {
    flat.push(...held.filter((row) => row.left !== null).map((row) => ({ ...row, only: 0 })), ...held.filter((row) => row.right !== null).map((row) => ({ ...row, only: 1 })));
    held = [];
  };
  for (const row of rows) {
    if (row.kind === "same") {
      flush();
      flat.push(row);
    } else held.push(row);
  }
  flush();
  const line = (row) => {
    if (row.only === undefined) return h("tr", null, h("td", { class: "at" }, row.leftAt), h("td", { class: "at" }, row.rightAt), h("td", { class: "sign" }), h("td", { class: "text" }, pieces(row.left, "span")));
    const [at, sign, text] = side(row, row.only);
    return h("tr", null, row.only === 0 ? [at, h("td", { class: "at" })] : [h("td", { class: "at" }), at], sign, text);
  };
  const head = h("thead", { class: "sr" }, h("tr", null, ["Left line", "Right line", "Sign", "Text"].map((name) => h("th", { scope: "col" }, name))));
  return grid("Difference in one column", "diff unified", ["at", "at", "sign", ""], head, fold(flat), line);
}

function grid(label, kind, cols, head, folded, line) {
  const width = cols.length;
  const body = h("tbody", null);
  const make = (row) => {
    if (row.kind !== "fold") return line(row);
    const el = h("tr", { class: "folded" }, h("td", { colspan: width }, h("button", { type: "button", class: "link", on: { click: () => el.replaceWith(...row.rows.map(line)) } }, `${plural(row.rows.length, "line")} alike`)));
    return el;
  };
  const add = (from) => {
    body.append(...folded.slice(from, from + MOST_ROWS).map(make));
    const left = folded.length - from - MOST_ROWS;
    if (left <= 0) return;
    const more = h("tr", { class: "folded" }, h("td", { colspan: width }, h("button", { type: "button", class: "link", on: { click: () => { more.remove(); add(from + MOST_ROWS); } } }, `Show more: ${plural(left, "line")} left`)));
    body.append(more);
  };
  add(0);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: kind }, h("colgroup", null, cols.map((name) => h("col", { class: name }))), head, body));
}
