/** The workspace: the run table beside the charts of the runs that are seen. */

import { h, fill, button } from "../core/dom.js";
import { State } from "../core/state.js";
import { shell } from "../core/shell.js";
import { copy } from "../core/ui.js";
import { RunTable } from "../table/runtable.js";
import { foreign, schema } from "./workspace-state.js";

const state = new State("workspace", schema, "/", foreign);
const share = button("share", "Copy a short link to this view", async () => copy(await state.link(), "Link"), { text: "Share" });
shell({ state, tools: [share] });

const runs = h("section", { class: "runs", "aria-label": "Runs" });
const charts = h("section", { class: "charts", "aria-label": "Charts" });
fill(document.getElementById("workspace"), runs, charts);
new RunTable(runs, state, { onVisible: () => {}, onHover: () => {} });
