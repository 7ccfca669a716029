/** Rows as text for the clipboard. Pure. */

import { asText } from "./cells.js";

/** The forms, by name, with what people call them. */
export const FORMS = { tsv: "TSV, for spreadsheets", csv: "CSV", json: "JSON", markdown: "Markdown" };

const quoted = (text, unless) => (unless.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A text for CSV: an empty one has quotes, so that NULL is another. */
function csv(value, kind) {
  if (value === null || value === undefined) return "";
  const text = asText(value, kind);
  return text === "" ? '""' : quoted(text, /[",\r\n]/);
}

function markdown(text) {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replace(/\r?\n/g, "<br>").replaceAll("`", "\\`");
}

/**
 * @param {"tsv" | "csv" | "json" | "markdown"} form
 * @param {{name: string, kind: string}[]} columns @param {any[][]} rows
 */
export function written(form, columns, rows) {
  if (form === "json") {
    // Not an object: a column may be called __proto__.
    const lines = rows.map((row) => `  {${columns.map((column, i) => `${JSON.stringify(column.name)}: ${JSON.stringify(row[i] ?? null)}`).join(", ")}}`);
    return `[\n${lines.join(",\n")}\n]`;
  }
  if (form === "markdown") {
    const line = (cells) => `| ${cells.join(" | ")} |`;
    const rule = columns.map((column) => (column.kind === "number" ? "---:" : "---"));
    return [line(columns.map((column) => markdown(column.name))), line(rule), ...rows.map((row) => line(columns.map((column, i) => markdown(row[i] === null ? "NULL" : asText(row[i], column.kind)))))].join("\n");
  }
  const [by, cell] = form === "csv" ? [",", csv] : ["\t", (value, kind) => quoted(asText(value, kind), /["\t\r\n]/)];
  return [columns.map((column) => cell(column.name, "text")).join(by), ...rows.map((row) => columns.map((column, i) => cell(row[i], column.kind)).join(by))].join("\n");
}

/** The loaded rows in another order: numbers by size with NaN last, NULL behind all. @param {any[][]} rows @param {number} at @param {string} kind */
export function ordered(rows, at, kind, descending) {
  const number = (value) => (typeof value === "number" ? value : value === "Infinity" ? Infinity : value === "-Infinity" ? -Infinity : Number(value));
  const key = kind === "number" ? (value) => (value === null ? null : number(value)) : (value) => (value === null ? null : typeof value === "boolean" ? Number(value) : asText(value, kind));
  const keyed = rows.map((row, i) => [key(row[at]), i, row]);
  const last = (value) => (value === null ? 2 : Number.isNaN(value) ? 1 : 0);
  const sign = descending ? -1 : 1;
  keyed.sort(([a, i], [b, j]) => last(a) - last(b) || (a < b ? -sign : a > b ? sign : i - j));
  return keyed.map(([, , row]) => row);
}
