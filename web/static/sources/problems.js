/** What could not be read, or not as it should be: by kind, by file, page by page. */

import { get } from "../core/api.js";
import { button, debounce, fill, h } from "../core/dom.js";
import { bytes, number, plural } from "../core/format.js";
import { literal } from "../core/split.js";
import { copy, empty } from "../core/ui.js";
import { middle } from "../table/cells.js";
import { Answer } from "./answer.js";
import { sum } from "./health.js";
import { Pager } from "./pager.js";
import { age, Rows } from "./rows.js";

const SIZE = 100;
const MOST_IN_SQL = 1000;
// What the kinds mean; each row has what was wrong in it, and what was done.
const MEANS = new Map(Object.entries({
  "bad payload": "A record's checksum does not fit its bytes: that record is left out.",
  "bad length": "A record's length is damaged: what lies before the next sound record is left out.",
  "nul tail": "The file ends in zeros, as a crashed disk leaves it. It is read on when they are overwritten.",
  "bad event": "A record is no event: it is left out.",
  "bad value": "A value in an event cannot be understood: it is left out.",
  "bad gzip": "The file is damaged where it is compressed: what lies before is kept.",
  held: "The file was replaced by something that does not continue it: what was read is kept.",
  lost: "A part of the file could not be read.",
  unreadable: "It cannot be opened: look at its permissions.",
  source: "The source as a whole could not be read.",
  "too deep": "The folder lies deeper than the settings allow.",
  mount: "Another file system is mounted there: it is entered only with cross_mounts = true.",
  "no ranges": "The server cannot read from the middle of a file: each look costs the whole of it.",
}));

/** @type {import("../run/tabs.js").Part} */
export default {
  id: "problems",
  label: "Problems",
  none: "",
  about: (data) => sum(data.sources, "problems"),
  make: (el, page) => new Problems(el, page),
};

class Problems {
  constructor(el, page) {
    this.page = page;
    const { state } = page;
    this.answer = new Answer();
    this.field = this.#search();
    this.kinds = h("div", { class: "facets", role: "group", "aria-label": "Kinds of problems" });
    this.means = h("p", { class: "muted" });
    this.count = h("span", { class: "muted", role: "status" });
    this.table = new Rows("Problems", [
      { id: "at", title: "Found", number: true, cell: (row) => age(row.at) },
      { id: "kind", title: "Kind", cell: (row) => row.kind, hint: (row) => MEANS.get(row.kind) ?? null },
      { id: "path", title: "File", head: true, kind: () => "path", cell: (row) => this.#file(row) },
      { id: "offset", title: "Offset", number: true, cell: (row) => number(row.offset) },
      { id: "bytes", title: "Bytes", number: true, cell: (row) => (row.bytes ? number(row.bytes) : h("span", { class: "muted" }, "unknown")), hint: (row) => (row.bytes ? bytes(row.bytes) : null) },
      { id: "message", title: "What was wrong, and what was done", long: true, cell: (row) => row.message },
      { id: "run", title: "Run", cell: (row) => (row.run_key ? h("a", { href: `/run/${encodeURIComponent(row.run_key)}?tab=files` }, middle(row.run ?? row.run_key)) : "") },
      { id: "source", title: "Source", cell: (row) => row.source },
    ], { key: (row) => row.id });
    this.pager = new Pager("problems", SIZE, (at) => state.set({ at }));
    this.none = h("div");
    this.sql = h("code", { class: "sql" });
    this.hint = h("details", { class: "hint-sql", hidden: true }, h("summary", null, "The same in SQL"), h("div", { class: "line" }, this.sql, button("copy", "Copy the command", () => copy(this.sql.textContent, "Command"))));
    this.rest = h("div", null, h("div", { class: "tools" }, this.kinds, this.field), this.means, h("p", null, this.count), this.none, this.table.el, this.pager.el, this.hint);
    fill(this.answer.content, this.rest);
    fill(el, this.answer.el);
  }

  /** The field that paths are searched with: another search starts at its first page. */
  #search() {
    const { state } = this.page;
    const field = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "Search paths", "aria-label": "Search paths", value: state.get("path"), maxlength: "500", spellcheck: "false" }));
    field.addEventListener("input", debounce(() => state.set({ path: field.value, at: 0 }, { commit: false }), 200));
    field.addEventListener("change", () => state.set({ path: field.value, at: 0 }));
    return field;
  }

  #file(row) {
    return h("span", { class: "filecell" }, row.path ? middle(row.path) : h("span", { class: "muted" }, "the whole source"), row.path && button("copy", "Copy the path", () => copy(row.path, "Path"), { tabindex: "-1" }));
  }

  update() {
    const { source, kind, path, at: offset } = this.page.state.values;
    if (document.activeElement !== this.field) this.field.value = path;
    this.answer.ask([source, kind, path, offset], (signal) => get("problems", { source, kind, path, limit: SIZE, offset }, signal), (found) => this.#show(found));
  }

  /** @param {Set<string>} changed */
  follow(changed) {
    if (["source", "kind", "path", "at"].some((name) => changed.has(name))) this.update();
  }

  #show({ total, kinds, problems }) {
    const { source, kind, path, at: offset } = this.page.state.values;
    const any = kinds.length > 0 || total > 0 || kind || path;
    this.#facets(kinds, kind);
    fill(this.means, MEANS.get(kind) ?? "");
    const files = kinds.reduce((all, one) => (!kind || one.kind === kind ? all + one.files : all), 0);
    fill(this.count, any && `${plural(total, "problem")}${files ? ` in ${plural(files, "file")}` : ""}`);
    for (const el of [this.kinds, this.field]) el.hidden = !any;
    const rows = problems.map((one, i) => ({ ...one, id: `${one.source}\0${one.path}\0${one.offset}\0${one.kind}\0${one.message}\0${offset + i}` }));
    this.table.el.hidden = !rows.length;
    this.table.show(rows);
    this.pager.show(offset, rows.length, total);
    const clear = () => { this.field.value = ""; this.page.state.set({ kind: "", path: "", at: 0 }); };
    if (!any) fill(this.none, h("p", { class: "fine" }, `Every byte that was read${source ? ` from ${source}` : ""} was sound.`));
    else if (!rows.length) fill(this.none, empty(total ? "There are fewer by now." : "No problem is like this.", h("button", { type: "button", class: "button", on: { click: clear } }, "Show all problems")));
    else fill(this.none);
    this.hint.hidden = !any;
    const asked = command({ source, kind, path });
    if (this.sql.textContent !== asked) fill(this.sql, asked);
  }

  /** Kinds with how many each has; a chosen one stays, also where it has none. */
  #facets(kinds, chosen) {
    const all = kinds.some((one) => one.kind === chosen) || !chosen ? kinds : [...kinds, { kind: chosen, problems: 0, files: 0 }];
    const says = JSON.stringify([all, chosen]);
    if (says === this.said) return;
    this.said = says;
    const at = [...this.kinds.children].indexOf(document.activeElement);
    fill(this.kinds, all.map((one) => h("button", {
      type: "button", class: "button", "aria-pressed": String(one.kind === chosen), title: `${MEANS.get(one.kind) ?? one.kind} ${plural(one.files, "file")}`,
      on: { click: () => this.page.state.set({ kind: one.kind === chosen ? "" : one.kind, at: 0 }) },
    }, one.kind, h("span", { class: "count" }, one.problems.toLocaleString("en-US")))));
    if (at >= 0) /** @type {HTMLElement | undefined} */ (this.kinds.children[at])?.focus();
  }
}

/** The command that asks the lake for the same, as a shell reads it. */
function command({ source, kind, path }) {
  const where = [source && `source = ${literal(source)}`, kind && `kind = ${literal(kind)}`, path && `contains(path, ${literal(path)})`].filter(Boolean).join(" AND ");
  const sql = `SELECT source, path, "offset", bytes, kind, message FROM problems${where ? ` WHERE ${where}` : ""} ORDER BY source, path LIMIT ${MOST_IN_SQL}`;
  return `boardlake sql '${sql.replaceAll("'", "'\\''")}'`;
}
