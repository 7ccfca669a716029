/** Runs in trouble: those that have stalled, and those that have failed. */

import { get } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { literal } from "../core/split.js";
import { empty } from "../core/ui.js";
import { middle } from "../table/cells.js";
import { Answer } from "./answer.js";
import { sum } from "./health.js";
import { Pager } from "./pager.js";
import { age, Rows } from "./rows.js";

const SIZE = 50;
const COLUMNS = ["run_key", "label", "machine", "source", "project", "last_event_at", "last_step", "end_reason", "path"];
const KINDS = {
  stalled: { title: "Stalled runs", means: "Nothing was written for longer than usual, and nothing says that they ended.", none: "No run has stalled.", cols: "label,state,last_event_at,machine,source,project,last_step" },
  failed: { title: "Failed runs", means: "Something says that they ended before they were done.", none: "No run has failed.", cols: "label,state,end_reason,last_event_at,machine,source,project,last_step" },
};

/** @type {import("../run/tabs.js").Part} */
export default {
  id: "trouble",
  label: "Runs in trouble",
  none: "",
  about: (data) => sum(data.sources, "stalled") + sum(data.sources, "failed"),
  make(el, page) {
    const lists = Object.keys(KINDS).map((state) => new List(state, page));
    fill(el, lists.map((one) => one.el));
    const update = () => { for (const one of lists) one.update(); };
    return { update, follow: (changed) => { if (["source", "sa", "fa"].some((name) => changed.has(name))) update(); } };
  },
};

/** The runs in one state. */
class List {
  constructor(run, page) {
    Object.assign(this, { run, page, at: `${run[0]}a` });
    const { title, means } = KINDS[run];
    this.answer = new Answer();
    this.count = h("span", { class: "muted" });
    this.open = h("a", { class: "button", href: "/" }, "Open in the run table");
    this.table = new Rows(title, [
      { id: "label", title: "Run", head: true, cell: (row) => h("a", { href: `/run/${encodeURIComponent(row.run_key)}` }, middle(String(row.label))) },
      { id: "last_event_at", title: run === "stalled" ? "Silent since" : "Last event", number: true, cell: (row) => age(row.last_event_at) },
      { id: "last_step", title: "Last step", number: true, cell: (row) => (row.last_step == null ? "" : number(row.last_step)) },
      { id: "end_reason", title: run === "stalled" ? "What is known" : "Reason", long: true, cell: (row) => row.end_reason ?? h("span", { class: "muted" }, run === "stalled" ? "no sign of an end" : "not known") },
      { id: "machine", title: "Machine", cell: (row) => row.machine },
      { id: "source", title: "Source", cell: (row) => row.source },
      { id: "path", title: "Path", cell: (row) => middle(row.path) },
      { id: "project", title: "Project", cell: (row) => row.project },
    ], { key: (row) => row.run_key });
    this.pager = new Pager(title.toLowerCase(), SIZE, (offset) => page.state.set({ [this.at]: offset }));
    this.none = h("div");
    fill(this.answer.content, this.none, this.table.el, this.pager.el);
    this.el = h("section", { "aria-label": title }, h("div", { class: "title" }, h("h2", null, title), this.count, this.open), h("p", { class: "muted" }, means), this.answer.el);
  }

  update() {
    const { source, [this.at]: offset } = this.page.state.values;
    const filter = `state = ${literal(this.run)}${source ? ` and source = ${literal(source)}` : ""}`;
    /** @type {HTMLAnchorElement} */ (this.open).href = `/?${new URLSearchParams({ q: filter, cols: KINDS[this.run].cols })}`;
    this.answer.ask([filter, offset], (signal) => get("runs", { filter, columns: COLUMNS, sort: "-last_event_at", limit: SIZE, offset }, signal), (found) => this.#show(found, offset, source));
  }

  #show({ rows, total }, offset, source) {
    const items = rows.map((row) => Object.fromEntries(COLUMNS.map((name, i) => [name, row[i + 1]])));
    const { sources } = this.page.data;
    const all = sum(source ? sources.filter((one) => one.source === source) : sources, this.run);
    fill(this.count, total < all ? `${total.toLocaleString("en-US")} of ${plural(all, "run")}: archived runs and copies are left out` : plural(total, "run"));
    this.open.hidden = total === 0;
    this.table.el.hidden = !items.length;
    this.table.show(items);
    this.pager.show(offset, items.length, total);
    fill(this.none, !total && h("p", { class: "fine" }, source ? `${KINDS[this.run].none.slice(0, -1)} in ${source}.` : KINDS[this.run].none),
      total > 0 && !items.length && empty("There are fewer by now.", h("button", { type: "button", class: "button", on: { click: () => this.page.state.set({ [this.at]: 0 }) } }, "To the first page")));
  }
}
