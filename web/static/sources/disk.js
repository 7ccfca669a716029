/** What takes the disk: the lake's tables, projects and tags, as bars of one scale. */

import { get } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { bytes, number } from "../core/format.js";
import { alone } from "../core/pattern.js";
import { literal } from "../core/split.js";
import { empty } from "../core/ui.js";
import { middle } from "../table/cells.js";
import { Answer } from "./answer.js";
import { Rows } from "./rows.js";

const FIRST = 20;
const MOST = 500;
const REST_MS = 30_000; // between two looks at a lake that changes

/** @type {import("../run/tabs.js").Part} */
export default {
  id: "disk",
  label: "Disk",
  none: "",
  about: () => true,
  make: (el, page) => new Disk(el, page),
};

/** A bar of what a row has of the largest. */
function bar(row) {
  return h("span", { class: "diskbar", "aria-hidden": "true" }, h("span", { style: `width:${row.bytes ? `max(1px, ${(100 * row.bytes) / row.most}%)` : 0}` }));
}

const share = (row) => {
  const part = row.whole ? (100 * row.bytes) / row.whole : 0;
  return part >= 10 ? `${Math.round(part)} %` : part >= 0.1 ? `${part.toFixed(1)} %` : part > 0 ? "< 0.1 %" : "0 %";
};

const COLUMNS = [
  { id: "bar", title: "", cell: bar, kind: () => "barcell" },
  { id: "bytes", title: "Size", number: true, cell: (row) => bytes(Math.round(row.bytes)), hint: (row) => `${Math.round(row.bytes).toLocaleString("en-US")} bytes` },
  { id: "share", title: "Share", number: true, cell: share },
];
const count = (id, title) => ({ id, title, number: true, cell: (row) => (row[id] == null ? "" : number(row[id])) });

class Disk {
  constructor(el, page) {
    this.page = page;
    this.limit = FIRST;
    this.answer = new Answer();
    this.whole = h("div", { class: "facts-line" });
    this.tables = new Rows("Size of tables", [{ id: "table", title: "Table", head: true, cell: (row) => h("code", null, row.table) }, ...COLUMNS, count("rows", "Rows"), count("files", "Files")], { key: (row) => row.table });
    this.projects = new Rows("Size of projects", [
      { id: "project", title: "Project", head: true, cell: (row) => (row.project ? h("a", { href: `/?${new URLSearchParams({ q: `project = ${literal(row.project)}` })}` }, middle(row.project)) : h("span", { class: "muted" }, "(none)")) },
      ...COLUMNS, count("runs", "Runs"), count("points", "Points"),
    ], { key: (row) => `project ${row.project}` });
    this.tags = new Rows("Size of tags", [
      { id: "tag", title: "Tag", head: true, cell: (row) => h("span", { class: "filecell" }, row.kind === "scalar" ? h("a", { href: `/?${new URLSearchParams({ tags: alone(row.tag) })}` }, middle(row.tag)) : middle(row.tag), row.kind !== "scalar" && h("span", { class: "chip" }, row.kind)) },
      ...COLUMNS, count("runs", "Runs"), count("points", "Points"),
    ], { key: (row) => `${row.kind} ${row.tag}` });
    this.note = h("p", { class: "muted" });
    this.more = h("div");
    this.none = h("div");
    this.rest = h("div", null, this.whole, h("div", { class: "disks" },
      h("div", null,
        h("section", { "aria-label": "Projects" }, h("h2", null, "Projects", h("span", { class: "chip" }, "estimate")), this.projects.el),
        h("section", { "aria-label": "Tags" }, h("h2", null, "Tags", h("span", { class: "chip" }, "estimate")), this.tags.el), this.more),
      h("div", null, h("section", { "aria-label": "Tables of the lake" }, h("h2", null, "Tables of the lake"), this.tables.el))), this.note);
    fill(this.answer.content, this.none, this.rest);
    fill(el, this.answer.el);
  }

  update() {
    const { limit } = this;
    this.answer.ask(limit, (signal) => get("disk", { limit }, signal), (found) => this.#show(found), REST_MS);
  }

  #show(found) {
    const { total, catalog, tables, projects, tags, note } = found;
    const size = this.page.data.sources.reduce((all, one) => all + (one.size ?? 0), 0);
    fill(this.whole,
      fact("Data files", bytes(total)), fact("Catalog", bytes(catalog)), fact("Event files of all sources", bytes(size)),
      size > 0 && fact("The lake against the event files", `${(100 * (total + catalog) / size).toFixed(size > total + catalog ? 1 : 0)} %`));
    fill(this.note, note ?? "");
    fill(this.none, !tables.length && !tags.length && empty(h("span", null, "The lake holds nothing yet. ", h("code", null, "boardlake ingest"), " reads event files into it.")));
    this.rest.hidden = !tables.length && !tags.length;
    for (const [table, rows] of [[this.tables, tables], [this.projects, projects], [this.tags, tags]]) {
      const most = Math.max(0, ...rows.map((one) => one.bytes));
      table.el.hidden = !rows.length;
      table.show(rows.map((one) => ({ ...one, most, whole: total })));
    }
    const shown = Math.max(projects.length, tags.length);
    const cut = shown >= this.limit && this.limit < MOST;
    fill(this.more, cut && h("p", { class: "muted" }, `The largest ${shown} of each. `, h("button", { type: "button", class: "button", on: { click: () => { this.limit = MOST; this.update(); } } }, "Show more")));
  }
}

function fact(name, value) {
  return h("div", { class: "fact" }, h("span", { class: "muted" }, name), h("strong", null, value));
}
