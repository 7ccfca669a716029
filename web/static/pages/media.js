/** Media across runs: the run table beside what its runs logged besides scalars. */

import { panes } from "../core/panes.js";
import { shell } from "../core/shell.js";
import { State } from "../core/state.js";
import { RunTable } from "../table/runtable.js";
import { viewsButton } from "../table/views.js";
import { follow } from "./live.js";
import { schema } from "./media-state.js";

const state = new State("media", schema, "/media");
shell({ state, tools: [viewsButton(state)] });
const root = /** @type {HTMLElement} */ (document.getElementById("media"));
const { left } = panes(root, state, { label: "Media", what: "media" });
const table = new RunTable(left, state, {});
follow(() => true, () => table.refresh());
