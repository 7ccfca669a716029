/** The workspace: the run table beside the charts of the runs that are drawn. */

import { ChartGrid } from "../charts/grid.js";
import { button } from "../core/dom.js";
import { panes } from "../core/panes.js";
import { alone } from "../core/pattern.js";
import { onTag } from "../core/search.js";
import { shell } from "../core/shell.js";
import { State } from "../core/state.js";
import { TensorboardLink } from "../core/tensorboard.js";
import { empty } from "../core/ui.js";
import { RunTable } from "../table/runtable.js";
import { viewsButton } from "../table/views.js";
import { follow } from "./live.js";
import { foreign, schema } from "./workspace-state.js";

const state = new State("workspace", schema, "/", foreign);
const board = new TensorboardLink();
shell({ state, tools: [board.el, viewsButton(state)] });

const root = /** @type {HTMLElement} */ (document.getElementById("workspace"));
const { left, right } = panes(root, state, { label: "Charts", what: "charts" });
right.classList.add("charts");

const eye = (key, hidden) => {
  const without = (name) => state.get(name).filter((one) => one !== key);
  state.set(hidden ? { hide: [...without("hide"), key], show: without("show") } : { hide: without("hide"), show: [...without("show"), key] });
};
let drawn = [];
const grid = new ChartGrid(right, state, {
  onHover: (key) => table.highlight(key),
  onPick: (key) => state.set({ sel: state.get("sel").includes(key) ? state.get("sel").filter((one) => one !== key) : [...state.get("sel"), key] }),
  toggle: (key) => eye(key, true),
  which: () => table.board.whichOf(drawn),
  solo: (key) => state.set({ n: 0, hide: [], show: [key] }),
  why: () => (drawn.length ? null : total ? empty("No run is drawn.", button(null, "", () => state.set({ n: 10, hide: [], show: [] }), { text: "Draw the first 10" })) : empty(state.get("q") ? "No run matches the filter, so there is nothing to draw." : "There are no runs yet.")),
});
let total = 0;
const params = () => ({ filter: state.get("q"), archived: state.get("arch") ? "true" : null, duplicates: state.get("dup") ? "true" : null });
const table = new RunTable(left, state, {
  board,
  onVisible: (entries, all) => {
    drawn = entries;
    total = all;
    grid.setRuns(entries, params());
  },
  onHover: (key) => grid.highlight(key),
});
grid.setBaseline(state.get("base"));
state.on((changed) => {
  if (changed.has("base")) grid.setBaseline(state.get("base"));
});

onTag((tag) => state.set({ tags: alone(tag), view: state.get("view") === "table" ? "both" : state.get("view") }));

follow(() => state.get("live"), () => {
  table.refresh();
  grid.refresh();
});
