/** Analysis: the run table beside plots of many runs at once. */

import { panes } from "../core/panes.js";
import { shell } from "../core/shell.js";
import { State } from "../core/state.js";
import { RunTable } from "../table/runtable.js";
import { viewsButton } from "../table/views.js";
import { follow } from "./live.js";
import { schema } from "./analyze-state.js";

const state = new State("analyze", schema, "/analyze");
shell({ state, tools: [viewsButton(state)] });
const root = /** @type {HTMLElement} */ (document.getElementById("analyze"));
const { left } = panes(root, state, { label: "Analysis", what: "plots" });
const table = new RunTable(left, state, {});
follow(() => true, () => table.refresh());
