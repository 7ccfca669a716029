/** The workspace: the run table beside the charts of the runs that are drawn. */

import { ChartGrid } from "../charts/grid.js";
import { button, fill, h, onFrame } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { alone } from "../core/pattern.js";
import { offer, onTag } from "../core/search.js";
import { shell } from "../core/shell.js";
import { State } from "../core/state.js";
import { empty } from "../core/ui.js";
import { RunTable } from "../table/runtable.js";
import { viewsButton } from "../table/views.js";
import { follow } from "./live.js";
import { foreign, schema } from "./workspace-state.js";

const state = new State("workspace", schema, "/", foreign);
shell({ state, tools: [viewsButton(state)] });

const runs = h("section", { class: "runs", "aria-label": "Runs" });
const charts = h("section", { class: "charts", "aria-label": "Charts" });
const grip = h("div", { class: "grip", role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": "Width of the run table", "aria-valuemin": 260, "aria-valuemax": 2000 });
const root = /** @type {HTMLElement} */ (document.getElementById("workspace"));
fill(root, runs, grip, charts);

function layout() {
  const view = state.get("view");
  runs.hidden = view === "charts";
  charts.hidden = view === "table";
  grip.hidden = view !== "both";
  runs.style.flex = view === "table" ? "1" : "";
  root.style.setProperty("--pane", `min(${state.get("pane")}px, 75vw)`);
  grip.setAttribute("aria-valuenow", String(state.get("pane")));
}

const drag = onFrame((x) => state.set({ pane: Math.max(260, Math.round(x - root.getBoundingClientRect().left)) }, { commit: false }));
grip.addEventListener("pointerdown", (event) => {
  grip.setPointerCapture(event.pointerId);
  const move = (moved) => drag(moved.clientX);
  grip.addEventListener("pointermove", move);
  // Also where the browser takes the pointer away.
  grip.addEventListener("lostpointercapture", () => { grip.removeEventListener("pointermove", move); state.set({ pane: state.get("pane") }); }, { once: true });
});
grip.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -20, ArrowRight: 20 }[event.key];
  if (by) state.set({ pane: Math.max(260, state.get("pane") + by) });
});

const eye = (key, hidden) => {
  const without = (name) => state.get(name).filter((one) => one !== key);
  state.set(hidden ? { hide: [...without("hide"), key], show: without("show") } : { hide: without("hide"), show: [...without("show"), key] });
};
let drawn = [];
const grid = new ChartGrid(charts, state, {
  onHover: (key) => table.highlight(key),
  onPick: (key) => state.set({ sel: state.get("sel").includes(key) ? state.get("sel").filter((one) => one !== key) : [...state.get("sel"), key] }),
  toggle: (key) => eye(key, true),
  solo: (key) => state.set({ n: 0, hide: [], show: [key] }),
  why: () => (drawn.length ? null : total ? empty("No run is drawn.", button(null, "", () => state.set({ n: 10, hide: [], show: [] }), { text: "Draw the first 10" })) : empty(state.get("q") ? "No run matches the filter, so there is nothing to draw." : "There are no runs yet.")),
});
let total = 0;
const params = () => ({ filter: state.get("q"), archived: state.get("arch") ? "true" : null, duplicates: state.get("dup") ? "true" : null });
const table = new RunTable(runs, state, {
  onVisible: (entries, all) => {
    drawn = entries;
    total = all;
    grid.setRuns(entries, params());
  },
  onHover: (key) => grid.highlight(key),
});
layout();
grid.setBaseline(state.get("base"));
state.on((changed) => {
  if (["view", "pane"].some((name) => changed.has(name))) layout();
  if (changed.has("base")) grid.setBaseline(state.get("base"));
});

const views = ["both", "table", "charts"];
const step = () => state.set({ view: views[(views.indexOf(state.get("view")) + 1) % views.length] });
bind("Ctrl+J", "table and charts, table alone, charts alone", step, { whileTyping: true });
offer("Table and charts side by side", () => state.set({ view: "both" }));
offer("The table alone", () => state.set({ view: "table" }));
offer("The charts alone", () => state.set({ view: "charts" }));
offer("Reset the view", () => state.set(state.defaults()));
onTag((tag) => state.set({ tags: alone(tag), view: state.get("view") === "table" ? "both" : state.get("view") }));

follow(() => state.get("live"), () => {
  table.refresh();
  grid.refresh();
});
