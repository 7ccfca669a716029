/** A table of any length: only the rows in view, and of many columns only those in view, are in the page. */

import { fill, h, onFrame } from "../core/dom.js";

const AHEAD = 6;
const MANY_COLUMNS = 25;
const HEAD = 30;

/**
 * @typedef {{id: string, width: number, fixed: boolean, lead?: boolean, className?: string}} Column
 * @typedef {{label: string, source: {length: number, item: (i: number) => any, want: (from: number, to: number) => void}, head: (cell: HTMLElement, column: Column) => void, cell: (cell: HTMLElement, column: Column, item: any, i: number) => void, row: (row: HTMLElement, item: any, i: number) => void, activate: (column: Column | null, i: number, event: KeyboardEvent) => void}} Told
 */
export class Grid {
  /** @param {HTMLElement} el @param {Told} told what is shown and how */
  constructor(el, told) {
    Object.assign(this, told);
    this.columns = [];
    this.live = new Map();
    this.version = 0;
    this.rowHeight = 32;
    this.top = null; // the row that stays under the head
    this.active = { row: 0, column: 0 };
    this.size = { width: 0, height: 0 };
    this.shown = [0, 0];
    this.headRow = h("div", { role: "row", class: "head", "aria-rowindex": "1" });
    this.topRow = h("div", { role: "row", class: "row top", hidden: true });
    this.space = h("div", { class: "space", role: "presentation" });
    this.said = h("div", { role: "gridcell" });
    this.note = h("div", { class: "note", role: "row", hidden: true }, this.said);
    this.el = h("div", { class: "grid", role: "grid", "aria-label": told.label, "aria-multiselectable": "true" }, this.headRow, this.topRow, this.space, this.note);
    el.append(this.el);
    const soon = onFrame(() => this.draw());
    this.el.addEventListener("scroll", soon, { passive: true });
    this.el.addEventListener("keydown", (event) => this.#key(event));
    this.el.addEventListener("focusin", (event) => this.#focused(event));
    new ResizeObserver(([entry]) => {
      this.size = { width: entry.contentRect.width, height: entry.contentRect.height };
      this.#place();
      soon();
    }).observe(this.el);
  }

  /** @param {Column[]} columns in order, the fixed ones first */
  setColumns(columns) {
    this.columns = columns;
    this.#place();
    this.redraw();
  }

  /** The height of a row in pixels; the row on top stays on top. */
  setRowHeight(height) {
    const at = this.el.scrollTop / this.rowHeight;
    this.rowHeight = height;
    this.el.style.setProperty("--row", `${height}px`);
    this.update();
    this.el.scrollTop = at * height;
    this.redraw();
  }

  /** Where each column stands. */
  #place() {
    let x = 0;
    const room = this.size.width ? this.size.width * 0.7 : Infinity;
    this.columns.forEach((column, i) => {
      this.el.style.setProperty(`--w${i}`, `${column.width}px`);
      column.x = x;
      // Where the fixed ones would fill the pane they let go: the rest could not be seen.
      column.stuck = column.fixed && (column.lead || x + column.width <= room);
      x += column.width;
    });
    this.width = x;
    this.el.style.setProperty("--all", `${x}px`);
    this.version += 1;
  }

  /** Give a column another width. @param {string} id */
  setWidth(id, width) {
    const column = this.columns.find((one) => one.id === id);
    if (!column) return;
    column.width = width;
    this.#place();
    this.redraw();
  }

  /** How wide the cells of a column that are in view would like to be. */
  fitting(id) {
    const at = this.columns.findIndex((one) => one.id === id);
    const cells = [...this.el.querySelectorAll(`[aria-colindex="${at + 1}"]`)];
    for (const cell of cells) cell.classList.add("natural");
    const widest = Math.max(0, ...cells.map((cell) => cell.getBoundingClientRect().width));
    for (const cell of cells) cell.classList.remove("natural");
    return Math.ceil(widest) + 2;
  }

  /** Draw all rows anew: what they show has changed. */
  redraw() {
    this.version += 1;
    this.draw();
  }

  /** The number of rows may have changed. */
  update() {
    const { length } = this.source;
    if (this.drawnLength !== length || this.drawnHeight !== this.rowHeight) {
      this.drawnLength = length;
      this.drawnHeight = this.rowHeight;
      this.space.style.height = `${length * this.rowHeight}px`;
      this.el.setAttribute("aria-rowcount", String(length + 1));
      this.active.row = Math.min(this.active.row, Math.max(0, length - 1));
    }
    this.draw();
  }

  /** Columns that are drawn: all, or of many those in view and the fixed ones. */
  #inView() {
    const all = this.columns.map((_, i) => i);
    if (this.columns.length <= MANY_COLUMNS) return all;
    const [left, right] = [this.el.scrollLeft, this.el.scrollLeft + this.size.width];
    return all.filter((i) => {
      const one = this.columns[i];
      return one.stuck || i === this.active.column || (one.x + one.width >= left - 200 && one.x <= right + 200);
    });
  }

  draw() {
    const held = this.el.contains(document.activeElement);
    const height = this.rowHeight;
    const { scrollTop } = this.el;
    const covered = HEAD + (this.top ? height : 0);
    const length = this.source.length;
    const from = Math.max(0, Math.floor(scrollTop / height) - AHEAD);
    const to = Math.min(length, Math.ceil((scrollTop + Math.max(0, this.size.height - covered)) / height) + AHEAD);
    this.shown = [from, to];
    const inView = this.#inView();
    const key = inView.join();
    if (key !== this.drawnColumns) {
      this.drawnColumns = key;
      this.version += 1;
    }
    const keep = this.active.row < length ? this.active.row : -1;
    for (const [i, one] of this.live) {
      if ((i >= from && i < to) || i === keep) continue;
      one.el.remove();
      this.live.delete(i);
    }
    this.source.want(from, to);
    if (this.headVersion !== this.version) this.#drawHead(inView);
    const fresh = document.createDocumentFragment();
    for (let i = from; i < to; i += 1) this.#drawRow(i, inView, fresh);
    if (keep >= 0 && (keep < from || keep >= to)) this.#drawRow(keep, inView, fresh);
    this.space.append(fresh);
    this.#refocus(held);
  }

  #drawHead(inView) {
    this.headVersion = this.version;
    this.el.setAttribute("aria-colcount", String(this.columns.length));
    this.headRow.replaceChildren(...this.#cells(inView, "columnheader", -1, (cell, column) => this.head(cell, column)));
    this.topRow.hidden = !this.top;
    if (!this.top) return;
    this.row(this.topRow, this.top, -2);
    this.topRow.classList.add("top");
    this.topRow.replaceChildren(...this.#cells(inView, "gridcell", -2, (cell, column) => this.cell(cell, column, this.top, -2)));
  }

  #drawRow(i, inView, fresh) {
    const item = this.source.item(i);
    let one = this.live.get(i);
    if (one && one.item === item && one.version === this.version) return;
    if (!one) {
      one = { el: h("div", { role: "row", "aria-rowindex": i + 2 }) };
      this.live.set(i, one);
      fresh.append(one.el);
    }
    one.el.style.top = `${i * this.rowHeight}px`;
    one.item = item;
    one.version = this.version;
    one.el.dataset.i = String(i);
    this.row(one.el, item, i);
    // What flies past while it is still on its way is one element, however many columns there are.
    if (item || i === this.active.row) one.el.replaceChildren(...this.#cells(inView, "gridcell", i, (cell, column) => this.cell(cell, column, item, i)));
    else one.el.replaceChildren(h("div", { role: "gridcell", class: "waits" }));
  }

  #cells(inView, role, row, draw) {
    const cells = [];
    let end = 0;
    for (const i of inView) {
      const column = this.columns[i];
      const cell = document.createElement("div");
      cell.setAttribute("role", role);
      cell.setAttribute("aria-colindex", String(i + 1));
      cell.className = `cell${column.className ? ` ${column.className}` : ""}${column.stuck ? " stuck" : ""}`;
      cell.style.cssText = `width:var(--w${i});${column.stuck ? `left:${column.x}px;` : ""}${column.x > end ? `margin-left:${column.x - end}px` : ""}`;
      end = column.x + column.width;
      if (row === this.active.row && i === this.active.column) cell.tabIndex = 0;
      draw(cell, column);
      cells.push(cell);
    }
    return cells;
  }

  // Moving by keys: one cell at a time can be reached with Tab, arrows move on from there. Row -1 is the head.

  #cellAt({ row, column }) {
    const el = row === -1 ? this.headRow : this.live.get(row)?.el;
    return /** @type {HTMLElement | null} */ (el?.querySelector(`:scope > [aria-colindex="${column + 1}"]`) ?? null);
  }

  #focused(event) {
    const cell = event.target.closest(".cell");
    const row = cell?.closest("[role=row]");
    if (!row || row === this.topRow) return;
    this.#activate({ row: row === this.headRow ? -1 : Number(row.dataset.i), column: Number(cell.getAttribute("aria-colindex")) - 1 });
  }

  #activate(next) {
    const before = this.#cellAt(this.active);
    const cell = this.#cellAt(next);
    this.active = next;
    if (before !== cell) before?.removeAttribute("tabindex");
    before?.parentElement?.classList.remove("active");
    if (cell) cell.tabIndex = 0;
    cell?.parentElement?.classList.add("active");
  }

  /** A cell that was drawn anew while it had the focus gets it back. */
  #refocus(held) {
    if (!held || this.el.contains(document.activeElement)) return;
    this.#cellAt(this.active)?.focus({ preventScroll: true });
  }

  /** Go to a cell: it is scrolled into view and has the focus. */
  go(row, column = this.active.column) {
    const length = this.source.length;
    const next = { row: Math.max(-1, Math.min(length - 1, row)), column: Math.max(0, Math.min(this.columns.length - 1, column)) };
    if (next.row >= 0) this.reveal(next.row);
    const one = this.columns[next.column];
    if (one && !one.stuck) {
      const stuck = this.columns.filter((other) => other.stuck).reduce((sum, other) => sum + other.width, 0);
      if (one.x < this.el.scrollLeft + stuck) this.el.scrollLeft = one.x - stuck;
      else if (one.x + one.width > this.el.scrollLeft + this.size.width) this.el.scrollLeft = one.x + one.width - this.size.width;
    }
    this.#activate(next);
    this.draw();
    this.#activate(next);
    this.#cellAt(next)?.focus({ preventScroll: true });
  }

  /** Scroll so that row *i* is seen. */
  reveal(i) {
    const top = i * this.rowHeight;
    const seen = this.size.height - HEAD - (this.top ? this.rowHeight : 0);
    if (top < this.el.scrollTop) this.el.scrollTop = top;
    else if (top + this.rowHeight > this.el.scrollTop + seen) this.el.scrollTop = top + this.rowHeight - seen;
  }

  #key(event) {
    if (event.target.closest(".cell") === null || event.ctrlKey && !["Home", "End"].includes(event.key) || event.metaKey) return;
    const { row, column } = this.active;
    const screen = Math.max(1, Math.floor(this.size.height / this.rowHeight) - 2);
    const last = this.source.length - 1;
    if (/^(INPUT|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox") return;
    const to = {
      ArrowDown: [row + 1, column], ArrowUp: [row - 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      PageDown: [row + screen, column], PageUp: [Math.max(0, row - screen), column],
      Home: event.ctrlKey ? [0, column] : [row, 0], End: event.ctrlKey ? [last, column] : [row, this.columns.length - 1],
    }[event.key];
    if (to && !event.altKey) {
      event.preventDefault();
      this.go(to[0], to[1]);
    } else if (["Enter", " ", "ContextMenu"].includes(event.key) || (event.altKey && event.key === "ArrowDown") || (event.shiftKey && event.key === "F10")) {
      if (event.target !== this.#cellAt(this.active)) return;
      event.preventDefault();
      this.activate(this.columns[column] ?? null, row, event, this.#cellAt(this.active));
    }
  }

  /** What stands in the place of rows: a message, an error. @param {...any} content */
  say(...content) {
    fill(this.said, ...content);
    this.note.hidden = !content.some(Boolean);
  }
}
