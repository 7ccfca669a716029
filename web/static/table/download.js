/** Downloads of runs: everything about them in a file of the lake's own tables, or the table as it is shown. */

import { send, withdrawn } from "../core/api.js";
import { debounce, fill, h } from "../core/dom.js";
import { begin } from "../core/exports.js";
import { bytes, plural } from "../core/format.js";
import { dialog, failed, tell } from "../core/ui.js";
import { saveTable } from "./shown.js";

const FORMS = [
  ["parquet", "Everything as Parquet", "ZIP of tables, for pandas, polars, Spark, DuckDB"],
  ["csv", "Everything as CSV", "ZIP of tables, for everything else"],
  ["arrow", "Everything as Arrow", "ZIP of Arrow IPC files (Feather)"],
  ["duckdb", "Everything as DuckDB", "one database file with the lake's tables and views"],
];
const TABLE = [["table.csv", "The table as it is shown, as CSV"], ["table.json", "The table as it is shown, as JSON"]];
const MOST_PATTERN = 4096;
const LATE_MS = 300;

/**
 * Ask in which form runs are wanted: those of *keys*, or without any, all that match what the table shows.
 * @param {import("../core/state.js").State | null} state of a page with a run table, where there is one
 * @param {{keys?: string[], total?: number | null, what?: string}} which
 */
export function download(state, { keys = [], total = null, what = "" }) {
  const many = keys.length || total;
  const name = what || (keys.length ? (keys.length === 1 ? "this run" : plural(keys.length, "run")) : many === null ? "all runs that match" : `all ${plural(many, "run")} that match`);
  const params = () => (keys.length ? { runs: keys, archived: true, duplicates: true } : { filter: state?.get("q") ?? "", archived: state?.get("arch") ?? false, duplicates: state?.get("dup") ?? false });
  const forms = [...FORMS, ...(state ? TABLE.map(([form, label]) => [form, label, plural(state.get("cols").length, "column")]) : [])];
  const body = h("div", { class: "downloading" });
  const pattern = /** @type {HTMLInputElement} */ (h("input", { type: "text", class: "whole", maxlength: String(MOST_PATTERN), autocomplete: "off", spellcheck: "false", placeholder: "all tags", "aria-label": "Tags, a regular expression" }));
  const tags = h("label", { class: "download-tags" }, h("span", null, "Only series whose tag matches"), pattern);
  const figures = h("div", { class: "download-figures", role: "status" });
  const choice = (form, label, detail, i) => h("label", { class: "choice" }, h("input", { type: "radio", name: "form", value: form, checked: i === 0 }), h("span", null, label, h("span", { class: "muted" }, detail)));
  fill(body, h("div", { class: "choices", role: "radiogroup", "aria-label": "Form" }, forms.map(([form, label, detail], i) => choice(form, label, detail, i))), tags, figures);
  const form = () => /** @type {HTMLInputElement} */ (body.querySelector("input[name=form]:checked")).value;
  const whole = () => ({ ...params(), format: form(), tag_pattern: pattern.value.trim() });

  let asking = new AbortController();
  const estimate = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const table = form().startsWith("table.");
    tags.hidden = table;
    if (table) {
      fill(figures, many === null ? "" : h("p", null, `${plural(many, "row")}, one for each run`));
      return;
    }
    const late = setTimeout(() => fill(figures, h("p", null, "Counting…")), LATE_MS);
    try {
      const found = await send("POST", "exports/estimate", whole(), signal);
      const full = found.bytes > found.free;
      fill(figures, h("p", null, `${plural(found.runs, "run")}, ${plural(found.points, "point")}, ${plural(found.rows_total, "row")} in all; about ${bytes(found.bytes)}`),
        full && h("p", { class: "wrong" }, `Only ${bytes(found.free)} are free on the server's disk`));
    } catch (error) {
      if (withdrawn(error)) return;
      fill(figures, error.status === 400 ? h("p", { class: "wrong", role: "alert" }, tell(error)) : failed(error, estimate));
    } finally {
      clearTimeout(late);
    }
  };
  const soon = debounce(estimate, 250);
  pattern.addEventListener("input", soon);
  body.addEventListener("change", (event) => { if (/** @type {HTMLElement} */ (event.target).getAttribute("name") === "form") estimate(); });

  const run = async () => {
    if (form().startsWith("table.")) await saveTable(/** @type {any} */ (state), keys, form().slice("table.".length));
    else await begin(whole(), name);
  };
  const asked = dialog(`Download ${name}`, body, [{ label: "Download", primary: true, run }]);
  asked.el.addEventListener("close", () => asking.abort());
  pattern.addEventListener("keydown", (event) => {
    if (event.key === "Enter") /** @type {HTMLElement} */ (asked.el.querySelector("footer .primary")).click();
  });
  estimate();
}
