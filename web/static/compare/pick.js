/** A box in which runs are found by words and added to a comparison. */

import { get, withdrawn } from "../core/api.js";
import { colourOf } from "../core/colour.js";
import { debounce, fill, h } from "../core/dom.js";
import { ago } from "../core/format.js";
import { tell } from "../core/ui.js";

const COLUMNS = ["run_key", "label", "project", "machine", "state", "last_event_at", "colour"];
const MOST = 20;

/** Runs by a filter or words, the latest first. */
export async function find(filter, limit, signal) {
  const found = await get("runs", { filter, columns: COLUMNS, sort: "-last_event_at", limit }, signal);
  return found.rows.map((row) => Object.fromEntries(["run_id", ...COLUMNS].map((name, i) => [name, row[i]])));
}

/** What a run looks like in a list. */
export function runLine(run) {
  return [
    h("span", { class: "dot", style: `background:${colourOf(run.run_id, run.colour)}` }),
    h("span", { class: "label" }, run.label),
    h("span", { class: "muted" }, [run.project, run.machine, run.state, ago(run.last_event_at)].filter(Boolean).join(" · ")),
  ];
}

/**
 * A combobox over the runs of the lake.
 * @param {{taken: () => string[], add: (keys: string[]) => void}} options the keys that are there already; what to do with a new one
 */
export function picker({ taken, add }) {
  const input = h("input", {
    type: "text", id: "add-run", placeholder: "Add a run: words or a filter", role: "combobox", "aria-expanded": "false", "aria-controls": "add-run-list",
    "aria-autocomplete": "list", "aria-label": "Add a run", autocomplete: "off", spellcheck: "false", maxlength: "10000",
  });
  const list = h("ul", { id: "add-run-list", role: "listbox", "aria-label": "Runs found" });
  const told = h("p", { class: "muted", role: "status" });
  const box = h("div", { class: "found", hidden: true }, list, told);
  const el = h("div", { class: "picker" }, input, box);
  let runs = [];
  let at = 0;
  let asking = new AbortController();

  const show = (open) => {
    box.hidden = !open;
    input.setAttribute("aria-expanded", String(open && runs.length > 0));
    if (!open) asking.abort();
  };
  const choose = (run) => {
    if (!run) return;
    /** @type {HTMLInputElement} */ (input).value = "";
    show(false);
    add([run.run_key]);
    input.focus();
  };
  const drawList = () => {
    at = Math.max(0, Math.min(at, runs.length - 1));
    fill(list, runs.map((run, i) => h("li", { role: "option", id: `add-run-${i}`, "aria-selected": String(i === at), on: { mousedown: (event) => { event.preventDefault(); choose(run); } } }, runLine(run))));
    input.setAttribute("aria-activedescendant", runs.length ? `add-run-${at}` : "");
    input.setAttribute("aria-expanded", String(!box.hidden && runs.length > 0));
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const look = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const here = new Set(taken());
    try {
      const found = await find(/** @type {HTMLInputElement} */ (input).value.trim(), MOST + here.size, signal);
      runs = found.filter((run) => !here.has(run.run_key)).slice(0, MOST);
      fill(told, runs.length ? "" : found.length ? "All of these are compared already." : "No run matches.");
    } catch (error) {
      if (withdrawn(error)) return;
      runs = [];
      fill(told, tell(error));
    }
    if (document.activeElement !== input) return;
    show(true);
    drawList();
  };
  const soon = debounce(look, 120);
  input.addEventListener("input", () => { at = 0; soon(); });
  input.addEventListener("focus", () => { if (box.hidden) look(); });
  input.addEventListener("click", () => { if (box.hidden) look(); });
  input.addEventListener("blur", () => show(false));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (box.hidden) return;
      show(false);
    } else if (event.key === "Enter") choose(box.hidden ? null : runs[at]);
    else if (event.key === "ArrowDown" && box.hidden) look();
    else if (event.key === "ArrowDown") at = (at + 1) % Math.max(1, runs.length);
    else if (event.key === "ArrowUp") at = (at - 1 + runs.length) % Math.max(1, runs.length);
    else return;
    event.preventDefault();
    if (!box.hidden) drawList();
  });
  return { el, input };
}
