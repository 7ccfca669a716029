/** Analysis: the run table beside plots of many runs at once. */

import { conditionOf } from "../analyze/brush.js";
import { choicesFor } from "../analyze/choices.js";
import { renew } from "../analyze/data.js";
import { membersOf } from "../analyze/members.js";
import { Panels } from "../analyze/panels.js";
import { panes } from "../core/panes.js";
import { shell } from "../core/shell.js";
import { State } from "../core/state.js";
import { TensorboardLink } from "../core/tensorboard.js";
import { both } from "../table/language.js";
import { names } from "../table/names.js";
import { RunTable } from "../table/runtable.js";
import { viewsButton } from "../table/views.js";
import { follow } from "./live.js";
import { schema } from "./analyze-state.js";

const state = new State("analyze", schema, "/analyze");
const board = new TensorboardLink();
shell({ state, tools: [board.el, viewsButton(state, ({ brush }) => conditionOf(schema.brush.take(brush ?? {})))] });
const root = /** @type {HTMLElement} */ (document.getElementById("analyze"));
const { left, right } = panes(root, state, { label: "Analysis", what: "plots" });

const chosen = (filter) => ({ filter, archived: state.get("arch") ? "true" : null, duplicates: state.get("dup") ? "true" : null });
/** @type {{key?: string, found?: ReturnType<typeof choicesFor>}} */
let choices = {};
const page = {
  /** The runs that are looked at: those of the filter that the brushes leave. */
  params: () => chosen(both(state.get("q"), conditionOf(state.get("brush")))),
  /** The runs of the filter, brushed or not. */
  all: () => chosen(state.get("q")),
  fields: names,
  /** What is shown where nobody has chosen, the same for all panels. */
  choices() {
    const params = chosen(state.get("q"));
    const key = JSON.stringify(params);
    if (choices.key !== key) {
      choices = { key, found: choicesFor(params, names) };
      choices.found.catch(() => { choices = {}; });
    }
    return choices.found;
  },
  /** Select runs, beside or without those that are. @param {string[]} keys @param {"only" | "add" | "take"} [how] */
  pick(keys, how = "only") {
    const now = new Set(how === "only" ? [] : state.get("sel"));
    for (const key of keys) if (how === "take") now.delete(key); else now.add(key);
    state.set({ sel: [...now] });
  },
  /** The pointer is on a run. @param {string | null} key */
  hover(key) {
    table.highlight(key);
    panels.highlight(key);
  },
  /** The keys of all runs that are looked at, in the order of the table. */
  runs: () => table.keys(),
  /** Bring a run into sight in the table. @param {string} key */
  reveal(key) {
    if (state.get("view") === "charts") state.set({ view: "both" });
    table.reveal(key);
  },
  /** Colours of runs that the table draws. @type {Map<string, string>} */
  tints: new Map(),
};
const table = new RunTable(left, state, {
  board,
  narrow: () => conditionOf(state.get("brush")),
  onVisible: (entries, total) => {
    const grouped = state.get("group").length > 0;
    page.tints = new Map(entries.map((one) => [one.key, one.colour]));
    panels.count(grouped ? null : total);
    panels.repaint();
  },
  onHover: (key) => {
    pointed = key;
    panels.highlight(key);
    if (key && state.get("group").length) group(key);
  },
});

/** What the pointer is on in the table. @type {string | null} */
let pointed = null;

/** Mark the runs of a group, once they are known. */
async function group(id) {
  try {
    const keys = await membersOf(page.params(), state.get("group"), id);
    if (pointed === id && keys) panels.highlight(id, keys);
  } catch {
    // A mark is a help: what is wrong with the keys of groups is told by the table.
  }
}

const panels = new Panels(right, state, page);

follow(() => true, () => {
  table.refresh();
  renew();
  choices = {};
  panels.refresh();
});
