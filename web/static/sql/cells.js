/** Values of an answer as cells, and as text for people and other programs. */

import { button, fill, h } from "../core/dom.js";
import { bytes, number, toNumber } from "../core/format.js";
import { copy, dialog } from "../core/ui.js";

const SHOWN = 400; // characters in a cell
const NUMBER = /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL)/;
const TIME = /^(?:TIMESTAMP|DATE|TIME)/;

/** What kind of value a column has: number, time, blob, nested, boolean or text. @param {{type: string, kind: string}} column */
export function kindOf({ type, kind }) {
  if (/\]$|^STRUCT|^MAP|^UNION/.test(type)) return "nested";
  if (type === "BLOB") return "blob";
  if (NUMBER.test(type)) return "number";
  if (TIME.test(type)) return "time";
  if (type === "BOOLEAN") return "boolean";
  return kind === "number" ? "number" : "text";
}

/** A time as SQL writes it, in UTC as the lake has it: 2024-01-02 03:04:05.5. */
export function sqlTime(text) {
  const found = /^(\d{4,}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d*?)0*)?Z$/.exec(text);
  return found ? `${found[1]} ${found[2]}${found[3] ? `.${found[3]}` : ""}` : text;
}

/** A value as one text, whole: what is copied. NULL is ''. @param {any} value @param {string} kind */
export function asText(value, kind) {
  if (value === null || value === undefined) return "";
  if (kind === "time") return sqlTime(String(value));
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A number in a cell: ten digits tell enough, all are in its title. */
function short(value) {
  const n = typeof value === "number" ? value : toNumber(value);
  if (n === null || Number.isInteger(n)) return String(value);
  return Number.isFinite(n) ? String(Number(n.toPrecision(10))) : number(n);
}

/**
 * Fill a cell.
 * @param {HTMLElement} cell @param {any} value @param {string} kind
 * @param {number | undefined} size of the whole, where the value was cut
 */
export function show(cell, value, kind, size) {
  if (value === null) {
    cell.append(h("span", { class: "null" }, "NULL"));
    return;
  }
  if (kind === "number") {
    const text = short(value);
    const odd = typeof value === "string" && ["NaN", "Infinity", "-Infinity"].includes(value);
    cell.append(h("span", { class: odd ? "value odd" : "value", title: text === String(value) ? null : String(value) }, text));
  } else if (kind === "blob") {
    const length = size ?? value.length / 2;
    cell.append(h("span", { class: "value muted", title: `${length.toLocaleString("en-US")} bytes: ${value.slice(0, 64)}${length > 32 ? "…" : ""}` }, bytes(length)));
  } else if (value === "") cell.append(h("span", { class: "null", title: "an empty text" }, "''"));
  else {
    const text = asText(value, kind);
    const flat = text.length > SHOWN || text.includes("\n") ? text.slice(0, SHOWN).replace(/\s+/g, " ") : text;
    cell.append(h("span", { class: kind === "nested" ? "value code" : "value" }, flat));
    if (size !== undefined) cell.append(h("span", { class: "cut", title: `${size.toLocaleString("en-US")} characters` }, "cut"));
  }
}

/** How wide a column should be for some of its values, in pixels. */
export function widthOf(column, rows, at) {
  let longest = Math.max(column.name.length + 3, 4);
  for (const row of rows) {
    const value = row[at];
    const text = value === null ? "NULL" : column.kind === "number" ? short(value) : column.kind === "blob" ? "123.4 kB" : asText(value, column.kind);
    longest = Math.max(longest, Math.min(text.length, 60));
  }
  return Math.min(420, Math.round(longest * 7.2) + 26);
}

/** Show one value whole. @param {{name: string, type: string, kind: string}} column @param {any} value @param {number | undefined} size */
export function openValue(column, value, size) {
  const text = value !== null && typeof value === "object" ? JSON.stringify(value, null, 2) : asText(value, column.kind);
  const said = [column.type];
  if (value === null) said.push("NULL");
  else if (column.kind === "blob") said.push(`${(size ?? text.length / 2).toLocaleString("en-US")} bytes`);
  else said.push(`${(size ?? text.length).toLocaleString("en-US")} characters`);
  const note = h("p", { class: "muted" }, said.join(" · "), size !== undefined && ". Only the beginning is here: a download has the whole.");
  const body = h("pre", { class: "sql-value", tabindex: "0", role: "region", "aria-label": column.name });
  fill(body, text || (value === null ? "NULL" : "(empty)"));
  dialog(column.name, [note, body, button("copy", "Copy the value", () => copy(text, "Value"), { text: "Copy" })], [], { wide: text.length > 200 });
}
