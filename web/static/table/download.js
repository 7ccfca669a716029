/** Downloads of runs: everything about them in a file of the lake's own tables, or the table as it is shown. */

import { ApiError, address } from "../core/api.js";
import { h } from "../core/dom.js";
import { dialog } from "../core/ui.js";
import { MOST_NAMED, only } from "./chosen.js";

const WHOLE = [
  ["parquet", "Everything as Parquet", "ZIP of tables, for pandas, polars, Spark"], ["csv", "Everything as CSV", "ZIP of tables, for everything else"],
  ["duckdb", "Everything as DuckDB", "one database file"], ["arrow", "The points as Arrow", "one stream of record batches"],
];

/** Fetch first: an error is told in its place, where a plain link would leave the page or end in silence. */
export async function save(url, name) {
  const answer = await fetch(url);
  if (!answer.ok) {
    const told = await answer.json().then((body) => body.error, () => null);
    throw new ApiError(told ?? { message: `the server answers ${answer.status}` }, answer.status);
  }
  const given = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  const url2 = URL.createObjectURL(await answer.blob());
  const link = h("a", { href: url2, download: given ?? name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url2), 60_000);
}

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
      await save(address("runs", params), "runs.csv");
    } else await save(address("export", { filter: only(keys), format: form, archived: true, duplicates: true }), `runs.${form}`);
  };
  dialog(`Download ${keys.length === 1 ? "this run" : `${keys.length} runs`}`, body, [{ label: "Download", primary: true, run }]);
}
