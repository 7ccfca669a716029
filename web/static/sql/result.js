/** The answer to a statement: its rows in a table, what was cut, and ways to take it along. */

import { button, fill, h, icon } from "../core/dom.js";
import { plural } from "../core/format.js";
import { saveFrom } from "../core/save.js";
import { copy, empty, menu, popover, tell, toast } from "../core/ui.js";
import { LIMITS } from "../pages/sql-state.js";
import { Grid } from "../table/grid.js";
import { asText, kindOf, openValue, show, widthOf } from "./cells.js";
import { Chart } from "./chart.js";
import { FORMS, ordered, written } from "./copying.js";
import { RunLinks } from "./runs.js";

const ROW = 26;
const LOOKED_AT = 300; // rows for the width of a column
const FILES = [["csv", "CSV"], ["parquet", "Parquet"], ["arrow", "Arrow stream"], ["json", "JSON"]];
const LEAST = 48;
const MOST = 1200;

export class Result {
  /**
   * @param {HTMLElement} el @param {import("../core/state.js").State} state
   * @param {{examples: () => Node}} told
   */
  constructor(el, state, told) {
    Object.assign(this, { state, told, waits: false, answer: null, rows: [], columns: [], cut: new Map() });
    this.count = h("span", { class: "sql-count", role: "status" });
    this.views = h("div", { class: "sql-views", role: "group", "aria-label": "Show as" });
    this.limit = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Rows to load", title: "Rows to load", on: { change: () => { state.set({ limit: Number(this.limit.value) }); } } }));
    this.copying = button("copy", "Copy the rows", (event) => this.#copyMenu(event.currentTarget), { text: "Copy", "aria-haspopup": "menu" });
    this.saving = button("download", "Download the whole answer", (event) => this.#downloads(event.currentTarget), { text: "Download", "aria-haspopup": "dialog" });
    this.tools = h("div", { class: "sql-result-tools" }, this.views, this.count, h("span", { class: "space" }), h("label", { class: "sql-pick" }, h("span", { class: "muted" }, "Load"), this.limit), this.copying, this.saving);
    this.note = h("div", { class: "sql-note", role: "status", hidden: true });
    this.wrong = h("div", { class: "sql-wrong", id: "sql-wrong", role: "alert", hidden: true });
    this.table = h("div", { class: "runtable sql-rows" });
    this.drawing = h("div", { class: "sql-chart", hidden: true });
    this.blank = h("div", { class: "sql-blank" });
    this.el = h("section", { class: "sql-result", "aria-label": "Answer" }, this.tools, this.wrong, this.note, this.table, this.drawing, this.blank);
    el.append(this.el);
    this.links = new RunLinks(() => this.grid.redraw());
    this.grid = new Grid(this.table, {
      label: "Rows", source: { length: 0, item: (i) => this.rows[i], want: () => {} },
      head: (cell, column) => this.#head(cell, column),
      cell: (cell, column, row, i) => this.#cell(cell, column, row, i),
      row: (el2, _, i) => { el2.className = `row${i === this.grid.active.row && this.grid.el.contains(document.activeElement) ? " active" : ""}`; },
      activate: (column, i, event, cell) => this.#activate(column, i, event, cell),
    });
    this.grid.setRowHeight(ROW);
    this.chart = new Chart(this.drawing, state);
    this.#listen();
    this.#limits();
    this.#layout();
    state.on((changed) => {
      if (changed.has("limit")) this.#limits();
      if (changed.has("show")) this.#layout();
      if (changed.has("show") || changed.has("chart")) this.#plot();
      if (changed.has("sort") && this.answer) this.#order();
      if (changed.has("wide") && this.answer) this.#columns();
    });
  }

  /** Show an answer. @param {any} answer as the API gives it @param {{query: string}} asked */
  show(answer, { query }) {
    Object.assign(this, { answer, query });
    this.columns = answer.columns.map((one) => ({ ...one, kind: kindOf(one) }));
    this.cut = new Map(answer.cut.map(([row, column, size]) => [row * this.columns.length + column, size]));
    this.places = new Map(answer.rows.map((row, i) => [row, i]));
    this.grid.active = { row: 0, column: 1 };
    this.grid.el.scrollTop = this.grid.el.scrollLeft = 0;
    this.#columns();
    this.#order();
    fill(this.wrong);
    this.wrong.hidden = true;
    this.#says();
    this.#layout();
    this.#plot();
  }

  /** The chart is made when it is looked at. */
  #plot() {
    if (this.answer && this.state.get("show") === "chart") this.chart.show(this.columns, this.answer.rows);
  }

  /** Tell an error; the answer that was there stays, and is said to be an older one. @param {...any} content */
  fail(...content) {
    fill(this.wrong, ...content);
    this.wrong.hidden = false;
    this.el.classList.toggle("stale", this.answer !== null);
    this.#layout();
  }

  /** @param {boolean} on */
  busy(on) {
    this.waits = on;
    this.#layout();
    this.el.classList.toggle("busy", on);
    this.el.setAttribute("aria-busy", String(on));
  }

  /** Nothing was asked yet. */
  clear() {
    this.answer = null;
    this.wrong.hidden = true;
    this.#layout();
  }

  #layout() {
    const has = this.answer !== null;
    const chart = this.state.get("show") === "chart";
    this.tools.hidden = !has;
    this.table.hidden = !has || chart || !this.columns.length;
    this.drawing.hidden = !has || !chart;
    this.note.hidden = !has || !this.note.childElementCount;
    this.blank.hidden = has || !this.wrong.hidden || this.waits;
    if (!this.blank.hidden && !this.blank.childElementCount) fill(this.blank, empty("Write a statement above, or begin with one of these."), this.told.examples());
    fill(this.views, [["table", "Table"], ["chart", "Chart"]].map(([name, label]) => h("button", { type: "button", class: "button", "aria-pressed": String((name === "chart") === chart), on: { click: () => { this.state.set({ show: name }); this.views.querySelector(name === "chart" ? "button + button" : "button")?.focus(); } } }, label)));
  }

  #limits() {
    const own = this.state.get("limit");
    fill(this.limit, [...new Set([...LIMITS, own])].sort((a, b) => a - b).map((value) => h("option", { value: String(value), selected: value === own }, `${value.toLocaleString("en-US")} rows`)));
  }

  #says() {
    const { rows, truncated_by: by, seconds, snapshot } = this.answer;
    fill(this.count, h("b", null, `${by ? "First " : ""}${plural(rows.length, "row")}`), ` in ${seconds < 0.1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(2)} s`}`, h("span", { class: "muted", title: "The state of the lake that was asked" }, ` · snapshot ${snapshot}`));
    const said = [];
    if (by === "rows") said.push(`There are more rows than the ${rows.length.toLocaleString("en-US")} that were loaded: aggregate or filter, load more, or download up to a million.`);
    if (by === "bytes") said.push(`There are more rows, but these ${rows.length.toLocaleString("en-US")} have 64 MB, which is the most of one answer: leave out columns with texts or bytes, or ask for parts.`);
    if (this.answer.cut.length) said.push(`${plural(this.answer.cut.length, "value")} ${this.answer.cut.length === 1 ? "is" : "are"} long and shown in part: a download has the whole.`);
    if (!rows.length) said.push("No row is the answer. The statement ran; its conditions leave nothing.");
    fill(this.note, said.map((text) => h("p", null, text)));
    this.el.classList.remove("stale");
  }

  #columns() {
    const wide = this.state.get("wide");
    const some = this.answer.rows.slice(0, LOOKED_AT);
    const digits = String(this.answer.rows.length).length;
    const lead = { id: "#", width: Math.max(36, digits * 8 + 18), fixed: true, lead: true, className: "sql-number" };
    this.grid.setColumns([lead, ...this.columns.map((one, at) => ({ id: one.name, at, fixed: false, width: (Object.hasOwn(wide, one.name) ? wide[one.name] : 0) || widthOf(one, some, at), className: ["number", "blob"].includes(one.kind) ? "number" : "" }))]);
  }

  #order() {
    const sort = this.state.get("sort");
    const at = this.columns.findIndex((one) => one.name === sort.replace(/^-/, ""));
    const name = at < 0 ? this.columns.findIndex((one) => one.name === sort) : at;
    this.sorted = name < 0 ? null : { at: name, descending: sort.startsWith("-") && this.columns[name].name !== sort };
    this.rows = this.sorted ? ordered(this.answer.rows, this.sorted.at, this.columns[this.sorted.at].kind, this.sorted.descending) : this.answer.rows;
    this.grid.source.length = this.rows.length;
    this.grid.version += 1;
    this.grid.update();
  }

  #head(cell, column) {
    if (column.lead) {
      cell.setAttribute("aria-label", "Row");
      return;
    }
    const one = this.columns[column.at];
    const order = this.sorted?.at === column.at ? (this.sorted.descending ? "descending" : "ascending") : "none";
    cell.setAttribute("aria-sort", order);
    cell.dataset.column = one.name;
    cell.setAttribute("aria-label", one.name);
    cell.append(
      h("span", { class: "title", title: `${one.name}\n${one.type}` }, one.name),
      order !== "none" ? h("span", { class: "order" }, icon(order === "descending" ? "down" : "up")) : "",
      h("span", { class: "edge", title: "Drag: width; double-click: as wide as its values", on: { pointerdown: (event) => this.#resize(event, column), dblclick: (event) => { event.stopPropagation(); this.#widen(column.id, this.grid.fitting(column.id), true); }, click: (event) => event.stopPropagation() } }),
    );
  }

  #widen(id, width, commit) {
    this.state.set({ wide: { ...this.state.get("wide"), [id]: Math.round(Math.max(LEAST, Math.min(MOST, width))) } }, { commit });
  }

  #resize(event, column) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    const [from, width] = [event.clientX, column.width];
    const move = (moved) => this.#widen(column.id, width + moved.clientX - from, false);
    const end = (ended) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      if (ended.type !== "pointercancel" && ended.clientX !== from) this.#widen(column.id, width + ended.clientX - from, true);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }

  /** Ascending, descending, as the statement had them. */
  #sort(at) {
    const { name } = this.columns[at];
    const next = this.sorted?.at !== at ? name : this.sorted.descending ? "" : `-${name}`;
    this.state.set({ sort: next });
  }

  #size(row, at) {
    return this.cut.get(this.places.get(row) * this.columns.length + at);
  }

  #cell(cell, column, row, i) {
    if (column.lead) {
      cell.textContent = String(i + 1);
      return;
    }
    const one = this.columns[column.at];
    const value = row[column.at];
    const href = this.#href(one, value);
    if (href) cell.append(h("a", { class: "value", href, tabindex: "-1" }, String(value)));
    else show(cell, value, one.kind, this.#size(row, column.at));
  }

  /** The page of a run that a value names. */
  #href(one, value) {
    if (value === null) return null;
    if (/(^|_)run_key(_\d+)?$/.test(one.name) && typeof value === "string" && value) return `/run/${encodeURIComponent(value)}`;
    return /^run_id(_\d+)?$/.test(one.name) && one.kind === "number" ? this.links.href(value) : null;
  }

  #open(row, column) {
    const one = this.columns[column.at];
    openValue(one, row[column.at], this.#size(row, column.at));
  }

  #listen() {
    const { el } = this.grid;
    const found = (event) => {
      const cell = event.target.closest(".cell");
      const line = cell?.closest(".row");
      const column = cell && this.grid.columns[Number(cell.getAttribute("aria-colindex")) - 1];
      return line && column ? { cell, column, i: Number(line.dataset.i), row: this.rows[Number(line.dataset.i)] } : null;
    };
    el.addEventListener("click", (event) => {
      const head = event.target.closest(".head .cell");
      const column = head && this.grid.columns[Number(head.getAttribute("aria-colindex")) - 1];
      if (column && !column.lead) this.#sort(column.at);
      const at = found(event);
      if (at && !event.target.closest("a") && !getSelection()?.toString()) this.grid.go(at.i, this.grid.columns.indexOf(at.column));
    });
    el.addEventListener("dblclick", (event) => {
      const at = found(event);
      if (at && !at.column.lead && !event.target.closest("a")) this.#open(at.row, at.column);
    });
    el.addEventListener("contextmenu", (event) => {
      const at = found(event);
      if (!at || event.target.closest("a")) return;
      event.preventDefault();
      this.#menu(at.cell, at.column, at.row);
    });
    el.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "c" || !(event.ctrlKey || event.metaKey) || event.shiftKey || getSelection()?.toString()) return;
      const { row, column } = this.grid.active;
      const shown = this.grid.columns[column];
      if (row < 0 || !this.rows[row] || !shown) return;
      event.preventDefault();
      this.#copyCell(this.rows[row], shown);
    });
  }

  #activate(column, i, event, cell) {
    if (!column) return;
    if (i === -1) {
      if (!column.lead) this.#sort(column.at);
      return;
    }
    const row = this.rows[i];
    if (!row) return;
    if (event.key === "ContextMenu" || event.altKey || event.key === "F10" || column.lead) this.#menu(cell, column, row);
    else if (event.key === "Enter" && cell.querySelector("a")) cell.querySelector("a").click();
    else this.#open(row, column);
  }

  #menu(anchor, column, row) {
    const one = column.lead ? null : this.columns[column.at];
    const href = one && this.#href(one, row[column.at]);
    return menu(anchor, "Value", [
      href && { label: "Open the run's page", icon: "right", run: () => { location.href = href; } },
      one && { label: "Open the value", icon: "full", run: () => this.#open(row, column) },
      one && { label: "Copy the value", icon: "copy", run: () => this.#copyCell(row, column) },
      one && "-",
      ...Object.entries(FORMS).map(([form, label]) => ({ label: `Copy the row as ${label.split(",")[0]}`, run: () => this.#copy(form, [row]) })),
    ], "start");
  }

  #copyCell(row, column) {
    if (column.lead) this.#copy("tsv", [row]);
    else {
      copy(asText(row[column.at], this.columns[column.at].kind), "Value");
    }
  }

  #copy(form, rows) {
    const cut = this.cut.size ? rows.reduce((sum, row) => sum + this.columns.filter((_, at) => this.#size(row, at) !== undefined).length, 0) : 0;
    copy(written(form, this.columns, rows), plural(rows.length, "row"));
    if (cut) toast(`${plural(cut, "value")} of these only in part: a download has the whole`);
  }

  #copyMenu(anchor) {
    menu(anchor, "Copy the rows", Object.entries(FORMS).map(([form, label]) => ({ label: `${this.rows.length.toLocaleString("en-US")} rows as ${label}`, run: () => this.#copy(form, this.rows) })));
  }

  #downloads(anchor) {
    const query = this.query;
    const row = ([form, label]) => {
      const href = `/api/v1/sql?${new URLSearchParams({ query, limit: "1000000", format: form })}`;
      const click = async (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        shown?.close();
        try {
          toast(`${label}: the statement runs again for the whole answer`);
          await saveFrom(href, `boardlake-sql.${form}`);
        } catch (error) {
          toast(tell(error), { bad: true });
        }
      };
      return h("a", { class: "button", href, download: `boardlake-sql.${form}`, on: { click } }, label);
    };
    const text = "The whole answer, up to a million rows and 64 MB. The addresses can be given to programs.";
    const shown = popover(anchor, h("div", { class: "sql-downloads" }, h("p", { class: "muted" }, text), FILES.map(row), button("copy", "Copy the address of the CSV", () => copy(new URL(`/sql.csv?${new URLSearchParams({ q: query, limit: "1000000" })}`, location.href).href, "Address"), { text: "Copy the address of the CSV" })), { label: "Download", align: "end" });
  }
}
