/** Deleting runs for good: what goes and what stays is said before, the number of runs is typed, a receipt comes after. */

import { get, send } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { bytes, plural, time } from "../core/format.js";
import { saveBlob } from "../core/save.js";
import { copy, dialog, empty, failed } from "../core/ui.js";
import { described } from "./chosen.js";

const LISTED = 200;
const MOST_RECEIPTS = 200;

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

/** What was deleted before, as the lake's log keeps it: runs by their keys alone. */
function earlier() {
  const box = h("div", null, h("p", { class: "muted" }, "Looking up what was deleted…"));
  dialog("Receipts of deletions", box, [], { wide: true });
  const look = async () => {
    try {
      const found = await get("receipts", { limit: MOST_RECEIPTS });
      if (!found.total) {
        fill(box, empty("Nothing was deleted from this lake."));
        return;
      }
      const row = (one) => h("tr", null, h("td", null, time(one.at)), h("td", { class: "number" }, one.runs.toLocaleString("en-US")), h("td", null, rows(one) || "no points"), h("td", null, one.erased_at ? time(one.erased_at) : "with the next upkeep"),
        h("td", null, button("download", `Save the receipt of ${time(one.at)} as JSON`, () => saveReceipt(one))));
      fill(box, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Receipts" }, h("table", { class: "plain" }, h("thead", null, h("tr", null, ["Deleted", "Runs", "Gone", "Erased from the disk", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "sr" }, "Save"))))), h("tbody", null, found.receipts.map(row)))),
        found.total > found.receipts.length && h("p", { class: "muted" }, `and ${(found.total - found.receipts.length).toLocaleString("en-US")} earlier`));
    } catch (error) {
      fill(box, failed(error, look));
    }
  };
  look();
}

function saveReceipt(receipt) {
  saveBlob(new Blob([JSON.stringify(receipt, null, 2), "\n"], { type: "application/json" }), `boardlake-deletion-${receipt.at.replace(/[^0-9]/g, "").slice(0, 14)}.json`);
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
    h("div", { class: "receipt-actions" },
      button("copy", "Copy the receipt as JSON", () => copy(JSON.stringify(receipt, null, 2), "Receipt"), { text: "Copy" }),
      button("download", "Save the receipt as JSON", () => saveReceipt(receipt), { text: "Save as JSON" }),
      button(null, "Receipts of all deletions", earlier, { text: "All receipts" })),
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
  const before = h("div", { class: "receipt-actions" }, button(null, "Receipts of earlier deletions", earlier, { text: "Receipts of earlier deletions" }));
  body.append(told, before);
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
