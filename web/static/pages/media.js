/** Media across runs: the run table beside what its runs logged besides scalars, under one step slider. */

import { panes } from "../core/panes.js";
import { shell } from "../core/shell.js";
import { State } from "../core/state.js";
import { TensorboardLink } from "../core/tensorboard.js";
import { MediaPage } from "../media/page.js";
import { RunTable } from "../table/runtable.js";
import { viewsButton } from "../table/views.js";
import { follow } from "./live.js";
import { schema } from "./media-state.js";

const state = new State("media", schema, "/media");
const board = new TensorboardLink();
shell({ state, tools: [board.el, viewsButton(state)] });
const root = /** @type {HTMLElement} */ (document.getElementById("media"));
const { left, right } = panes(root, state, { label: "Media", what: "media" });
const page = new MediaPage(right, state, { onHover: (key) => table.highlight(key) });
const table = new RunTable(left, state, {
  board,
  onVisible: (entries, total) => page.setRuns(entries, total),
  onHover: (key) => page.highlight(key),
});
follow(() => true, () => {
  table.refresh();
  page.refresh();
});
