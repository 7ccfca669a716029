/** Downloads of runs: everything about them in a file of the lake's own tables, or the table as it is shown. */

import { address } from "../core/api.js";
import { h } from "../core/dom.js";
import { saveFrom } from "../core/save.js";
import { dialog } from "../core/ui.js";
import { MOST_NAMED, only } from "./chosen.js";

const WHOLE = [
  ["parquet", "Everything as Parquet", "ZIP of tables, for pandas, polars, Spark"], ["csv", "Everything as CSV", "ZIP of tables, for everything else"],
  ["duckdb", "Everything as DuckDB", "one database file"], ["arrow", "The points as Arrow", "one stream of record batches"],
];

/** Ask in which form the runs are wanted. @param {string[]} keys @param {import("../core/state.js").State} state */
export function download(keys, state) {
  const forms = [
    ["table", "The table as it is shown", `CSV with ${state.get("cols").length} columns`],
    ...WHOLE,
  ];
  const choice = (form, label, detail, i) => h("label", { class: "choice" }, h("input", { type: "radio", name: "form", value: form, checked: i === 0 }), h("span", null, label, h("span", { class: "muted" }, detail)));
  const body = h("div", { class: "choices", role: "radiogroup", "aria-label": "Form" }, forms.map(([form, label, detail], i) => choice(form, label, detail, i)));
  const run = async () => {
    if (keys.length > MOST_NAMED) throw new Error(`${keys.length} runs are too many for one download of a selection: at most ${MOST_NAMED}. \`boardlake export\` takes any number`);
    const form = /** @type {HTMLInputElement} */ (body.querySelector("input:checked")).value;
    if (form === "table") {
      const params = { filter: only(keys), columns: state.get("cols"), sort: state.get("group").length ? [] : state.get("sort"), archived: true, duplicates: true, limit: 100_000, format: "csv" };
      await saveFrom(address("runs", params), "runs.csv");
    } else await saveFrom(address("export", { filter: only(keys), format: form, archived: true, duplicates: true }), `runs.${form}`);
  };
  dialog(`Download ${keys.length === 1 ? "this run" : `${keys.length} runs`}`, body, [{ label: "Download", primary: true, run }]);
}
