/** A grid that scrolls both ways under its heads and makes only the cells that are in sight. */

import { fill, h, onFrame, set } from "../core/dom.js";

const BEYOND = 80; // pixels around the window in which cells are made

/** The places where things of these sizes begin, and their end. @param {number[]} sizes */
function edges(sizes) {
  const found = [0];
  for (const size of sizes) found.push(found.at(-1) + size);
  return found;
}

/** The first and the one behind the last thing between two places. */
function between(places, from, to) {
  let [low, high] = [0, places.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle + 1] <= from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < places.length - 1 && places[end] < to) end += 1;
  return [low, end];
}

/** The grid. */
export class Matrix {
  /**
   * @param {{
   *   label: string, side: number, head: number,
   *   makeHead: (el: HTMLElement, column: any) => void, makeSide: (el: HTMLElement, row: any) => void,
   *   make: (el: HTMLElement, row: any, column: any) => any, drop?: (cell: any) => void, settled?: () => void,
   * }} how `side` and `head` are the sizes of the heads; `make` fills a cell and gives what stands for it
   */
  constructor(how) {
    this.how = how;
    this.rows = [];
    this.columns = [];
    /** Rows that are made, by their place: the element, and the cells by column. */
    this.live = new Map();
    this.heads = new Map();
    this.headRow = h("div", { role: "row", class: "mx-head", "aria-rowindex": "1" });
    this.sizer = h("div", { class: "mx-space", role: "rowgroup" });
    this.el = h("div", { class: "mx", role: "grid", "aria-label": how.label, tabindex: "-1" }, h("div", { role: "rowgroup", class: "mx-top" }, this.headRow), this.sizer);
    const soon = onFrame(() => this.#fit());
    this.el.addEventListener("scroll", soon, { passive: true });
    this.watch = new ResizeObserver(soon);
    this.watch.observe(this.el);
  }

  /**
   * Show these rows and columns: each has a `key` and a `size` in pixels. All cells are made anew.
   * @param {any[]} rows @param {any[]} columns @param {string} corner
   */
  lay(rows, columns, corner) {
    const { side, head } = this.how;
    this.clear();
    Object.assign(this, { rows, columns });
    this.tops = edges(rows.map((one) => one.size));
    this.lefts = edges(columns.map((one) => one.size));
    const [width, height] = [side + this.lefts.at(-1), this.tops.at(-1)];
    set(this.el, { "aria-rowcount": rows.length + 1, "aria-colcount": columns.length + 1 });
    Object.assign(this.headRow.style, { width: `${width}px`, height: `${head}px` });
    Object.assign(this.sizer.style, { width: `${width}px`, height: `${height}px` });
    fill(this.headRow, h("div", { class: "mx-corner", role: "columnheader", "aria-colindex": "1", style: `width:${side}px` }, corner));
    this.#fit();
  }

  clear() {
    for (const place of [...this.live.keys()]) this.#dropRow(place);
    for (const el of this.heads.values()) el.remove();
    this.heads.clear();
  }

  close() {
    this.watch.disconnect();
    this.clear();
  }

  /** The cells that are made: what `make` gave. */
  get cells() {
    return [...this.live.values()].flatMap((row) => [...row.cells.values()].map((one) => one.cell));
  }

  /** What stands for a cell, if it is made. */
  cell(row, column) {
    return this.live.get(row)?.cells.get(column)?.cell;
  }

  /** Bring a cell into sight. */
  reveal(row, column) {
    const { side, head } = this.how;
    const { el } = this;
    const [top, bottom, left, right] = [this.tops[row], this.tops[row + 1], this.lefts[column], this.lefts[column + 1]];
    const [high, wide] = [el.clientHeight - head, el.clientWidth - side];
    if (top < el.scrollTop) el.scrollTop = top;
    else if (bottom > el.scrollTop + high) el.scrollTop = Math.min(top, bottom - high);
    if (left < el.scrollLeft) el.scrollLeft = left;
    else if (right > el.scrollLeft + wide) el.scrollLeft = Math.min(left, right - wide);
    this.#fit();
  }

  #fit() {
    const { el, rows, columns } = this;
    const { side, head } = this.how;
    if (!rows.length || !columns.length || !el.clientHeight) return;
    const [top, bottom] = between(this.tops, el.scrollTop - BEYOND, el.scrollTop + el.clientHeight - head + BEYOND);
    const [left, right] = between(this.lefts, el.scrollLeft - BEYOND, el.scrollLeft + el.clientWidth - side + BEYOND);
    for (const place of [...this.live.keys()]) if (place < top || place >= bottom) this.#dropRow(place);
    for (const [place, one] of [...this.heads]) {
      if (place >= left && place < right) continue;
      one.remove();
      this.heads.delete(place);
    }
    for (let place = left; place < right; place += 1) {
      if (this.heads.has(place)) continue;
      const one = h("div", { role: "columnheader", class: "mx-colhead", "aria-colindex": place + 2, style: `left:${side + this.lefts[place]}px;width:${columns[place].size}px` });
      this.how.makeHead(one, columns[place]);
      this.heads.set(place, one);
      this.headRow.append(one);
    }
    for (let place = top; place < bottom; place += 1) this.#row(place, left, right);
    this.how.settled?.();
  }

  #row(place, left, right) {
    let row = this.live.get(place);
    if (!row) {
      const side = h("div", { role: "rowheader", class: "mx-side", "aria-colindex": "1", style: `width:${this.how.side}px` });
      this.how.makeSide(side, this.rows[place]);
      row = { el: h("div", { role: "row", class: "mx-row", "aria-rowindex": place + 2, style: `top:${this.tops[place]}px;height:${this.rows[place].size}px`, dataset: { key: this.rows[place].key } }, side), cells: new Map() };
      this.live.set(place, row);
      this.sizer.append(row.el);
    }
    for (const [at, one] of [...row.cells]) if (at < left || at >= right) this.#dropCell(row, at, one);
    for (let at = left; at < right; at += 1) {
      if (row.cells.has(at)) continue;
      const el = h("div", { role: "gridcell", class: "mx-cell", "aria-colindex": at + 2, style: `left:${this.how.side + this.lefts[at]}px;width:${this.columns[at].size}px` });
      const cell = this.how.make(el, this.rows[place], this.columns[at]);
      Object.assign(cell, { row: place, column: at });
      row.cells.set(at, { el, cell });
      row.el.append(el);
    }
  }

  #dropCell(row, at, { el, cell }) {
    this.how.drop?.(cell);
    el.remove();
    row.cells.delete(at);
  }

  #dropRow(place) {
    const row = this.live.get(place);
    for (const [at, one] of [...row.cells]) this.#dropCell(row, at, one);
    row.el.remove();
    this.live.delete(place);
  }
}
