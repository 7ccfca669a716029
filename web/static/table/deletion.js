/** Deleting runs for good: what goes and what stays is said before, the number of runs is typed, a receipt comes after. */

import { send } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { bytes, plural, time } from "../core/format.js";
import { dialog, failed } from "../core/ui.js";
import { described } from "./chosen.js";

const LISTED = 200;

function names(runs, total) {
  return [
    h("ul", { class: "run-names", tabindex: "0", "aria-label": "Runs that go" }, runs.map((run) => h("li", null, h("span", null, run.label), h("span", { class: "muted" }, run.where)))),
    total > runs.length && h("p", { class: "muted" }, `and ${plural(total - runs.length, "more run")}`),
  ];
}

/** What people know of the tables; the others only hold what these come to. */
const KNOWN = { scalar_points: ["point", "points"], hparams: ["hyperparameter value", "hyperparameter values"], tensors: ["histogram, text or other tensor", "histograms, texts and other tensors"], blobs: ["image or other medium", "images and other media"], files: ["record of an event file", "records of event files"], problems: ["problem", "problems"] };

function rows(receipt) {
  const counts = Object.entries(KNOWN).map(([table, words]) => [receipt.rows?.[table] ?? 0, words]);
  return counts.filter(([count]) => count > 0).map(([count, [one, many]]) => `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`).join(", ");
}

function receiptBody(receipt) {
  const facts = [
    ["Runs", receipt.runs?.length], ["Gone", rows(receipt)], ["Files removed", receipt.files_removed],
    ["Size of the lake", receipt.bytes_after && `${bytes(receipt.bytes_before)} before, ${bytes(receipt.bytes_after)} now`], ["At", time(receipt.at)],
  ];
  return [
    h("dl", { class: "facts" }, facts.filter(([, value]) => value != null && value !== "" && value !== 0).map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, String(value))))),
    !receipt.erased && h("p", null, "A reader still holds old pages of the catalog: the next upkeep erases them."),
    h("p", { class: "muted" }, "The event files in the source were not touched; the lake will not read them again."),
  ];
}

/** Ask and delete. @param {string[]} keys @param {() => void} after called once the runs are gone */
export function deleteRuns(keys, after) {
  const many = plural(keys.length, "run");
  const list = h("div", null, h("p", { class: "muted" }, "Looking up what goes…"));
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "text", inputmode: "numeric", autocomplete: "off", maxlength: "9", "aria-label": `Type ${keys.length} to confirm`, placeholder: String(keys.length) }));
  const body = h("div", null, list,
    h("p", null, "They go for good: points, hyperparameters, images, texts, and what was written about them. The event files in the source stay where they are, and are not read again."),
    h("label", { class: "confirm" }, h("span", null, "Type ", h("strong", null, String(keys.length)), " to delete ", many, ": "), input));
  const told = h("p", { class: "muted", role: "status" });
  body.append(told);
  const run = async () => {
    if (input.value.trim() !== String(keys.length)) throw new Error(`Type ${keys.length}, the number of runs, to confirm`);
    fill(told, "Deleting: every file of the lake that holds them is written anew…");
    const receipt = await send("POST", "delete", { runs: keys, confirm: keys.length }).finally(() => fill(told));
    after();
    dialog(`${many} deleted`, receiptBody(receipt));
  };
  const asked = dialog(`Delete ${many}?`, body, [{ label: `Delete ${many}`, danger: true, run }]);
  const go = /** @type {HTMLButtonElement} */ (asked.el.querySelector("footer .danger"));
  go.disabled = true;
  input.addEventListener("input", () => { go.disabled = input.value.trim() !== String(keys.length); });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter" && !go.disabled) go.click(); });
  input.focus();
  const look = async () => {
    try {
      const [runs, dry] = await Promise.all([described(keys, LISTED), send("POST", "delete", { runs: keys, confirm: keys.length, dry_run: true })]);
      fill(list, names(runs, keys.length), rows(dry) && h("p", { class: "muted" }, `${rows(dry)} go with them.`));
    } catch (error) {
      fill(list, failed(error, look));
    }
  };
  look();
}
