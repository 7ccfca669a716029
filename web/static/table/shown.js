/** The table as it is shown, as a file: its columns, in its order, for any number of rows. */

import { address, fetched, get } from "../core/api.js";
import { saveBlob } from "../core/save.js";
import { kept } from "./chosen.js";
import { runSort } from "./rows.js";

const PAGE = 100_000;

/**
 * Hand over the rows of *keys*, or without any, of all runs that match.
 * @param {import("../core/state.js").State} state @param {string[]} keys @param {string} form csv or json
 */
export async function saveTable(state, keys, form) {
  const which = keys.length ? { filter: await kept(keys), archived: true, duplicates: true } : { filter: state.get("q"), archived: state.get("arch"), duplicates: state.get("dup") };
  const params = { ...which, columns: state.get("cols"), sort: runSort(state) };
  const parts = form === "csv" ? await csv(params) : await json(params);
  saveBlob(new Blob(parts, { type: form === "csv" ? "text/csv" : "application/json" }), `runs.${form}`);
}

async function csv(params) {
  const page = async (limit, offset) => (await fetched(address("runs", { ...params, limit: String(limit), offset, format: "csv" }))).arrayBuffer();
  const { total } = await get("runs", { ...params, limit: "0" });
  const head = await page(0, 0);
  const parts = [head];
  // Each page begins with the names of the columns.
  for (let at = 0; at < total; at += PAGE) parts.push((await page(PAGE, at)).slice(head.byteLength));
  return parts;
}

async function json(params) {
  const parts = ["["];
  for (let at = 0, total = Infinity; at < total; at += PAGE) {
    const found = await get("runs", { ...params, limit: PAGE, offset: at });
    total = found.total;
    const names = found.columns.map((one) => one.name);
    // A column may have any name: of pairs an object is made without touching what objects have of their own.
    const rows = found.rows.map((row) => JSON.stringify(Object.fromEntries(names.map((name, i) => [name, row[i]]))));
    if (rows.length) parts.push(parts.length > 1 ? ",\n" : "\n", rows.join(",\n"));
  }
  parts.push("\n]\n");
  return parts;
}
