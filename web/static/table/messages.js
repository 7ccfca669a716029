/** What the table says in the place of rows: why there are none, and what to do. */

import { ApiError } from "../core/api.js";
import { h } from "../core/dom.js";
import { empty, failed, tell } from "../core/ui.js";

/** A button that changes the state. */
function fix(state, text, patch) {
  return h("button", { type: "button", class: "button", on: { click: () => state.set(patch) } }, text);
}

/** An error, by the part of the state that it is about. @param {any} error @param {import("../core/state.js").State} state @param {() => void} again */
export function wrong(error, state, again) {
  const { q, cols, sort, group } = state.values;
  if (error instanceof ApiError && error.text !== null) {
    const text = error.text.trim();
    const others = (list) => list.filter((one) => one.trim() !== text);
    if (error.text === q) return empty(`Nothing is shown, because the filter cannot be used: ${tell(error)}`, fix(state, "Clear the filter", { q: "" }));
    if (others(cols).length < cols.length) return empty(`Nothing is shown, because the column ${text} cannot be had: ${tell(error)}`, fix(state, "Hide this column", { cols: others(cols) }));
    if (others(sort).length < sort.length) return empty(`Nothing is shown, because the order ${text} cannot be had: ${tell(error)}`, fix(state, "Use the usual order", { sort: state.schema.sort.fallback }));
    if (others(group).length < group.length) return empty(`Nothing is shown, because ${text} cannot be grouped by: ${tell(error)}`, fix(state, "Do not group", { group: [] }));
  }
  return failed(error, again);
}

/** Why there are no rows. @param {import("../core/state.js").State} state */
export function nothing(state) {
  const { q, arch, brush } = state.values;
  if (Object.keys(brush ?? {}).length) return empty("The brushes leave no run.", fix(state, "Clear the brushes", { brush: {} }));
  if (q) return empty(h("span", null, "No run matches ", h("code", null, q)), fix(state, "Clear the filter", { q: "" }), !arch && fix(state, "Look among archived runs, too", { arch: true }));
  return empty(h("span", null, "No runs here yet. ", h("code", null, "boardlake ingest PATH"), " reads the event files below a folder; they show here by themselves."), !arch && fix(state, "Show archived runs", { arch: true }));
}

/** Rows that are on their way. */
export function waiting() {
  return Array.from({ length: 12 }, () => h("div", { class: "row-wait", "aria-hidden": "true" }, h("span", { class: "bar-wait" })));
}
