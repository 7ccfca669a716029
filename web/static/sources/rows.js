/** Tables whose rows come again and again: only those that changed are drawn anew, so that focus and scrolling stay. */

import { fill, h, icon } from "../core/dom.js";
import { ago, time } from "../core/format.js";

/**
 * A column: `cell` gives the content of a row's cell, `hint` its tooltip; `number` stands to the right. `sort` makes its head a button.
 * @typedef {{id: string, title: string, help?: string, number?: boolean, long?: boolean, head?: boolean, sort?: boolean, cell: (row: any) => any, hint?: (row: any) => string | null, kind?: (row: any) => string}} Column
 */

/** A table of rows. */
export class Rows {
  /**
   * @param {string} label @param {Column[]} columns
   * @param {{key: (row: any) => string, kind?: (row: any) => string, sort?: (id: string) => void, sorted?: () => {id: string, desc: boolean}}} how
   */
  constructor(label, columns, { key, kind = () => "", sort, sorted }) {
    Object.assign(this, { columns, key, kind, sort, sorted });
    this.drawn = new Map();
    this.head = h("tr");
    this.body = h("tbody");
    this.el = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      h("table", { class: "plain", "aria-label": label }, h("thead", null, this.head), this.body));
    this.#heads();
  }

  #heads() {
    const by = this.sorted?.();
    const state = by ? `${by.id} ${by.desc}` : "";
    if (state === this.state && this.head.children.length) return;
    this.state = state;
    const focused = /** @type {HTMLElement | null} */ (this.head.contains(document.activeElement) ? document.activeElement : null)?.dataset.sort;
    fill(this.head, this.columns.map((one) => {
      const on = by?.id === one.id;
      const order = on ? (by.desc ? "descending" : "ascending") : null;
      const title = one.sort && this.sort
        ? h("button", { type: "button", class: "sorter", dataset: { sort: one.id }, on: { click: () => this.sort(one.id) } }, one.title, on && icon(by.desc ? "down" : "up"))
        : one.title;
      return h("th", { scope: "col", class: one.number ? "number" : null, title: one.help ?? null, "aria-sort": order }, title);
    }));
    if (focused) /** @type {HTMLElement | null} */ (this.head.querySelector(`[data-sort="${focused}"]`))?.focus();
  }

  /** Show these rows in this order. @param {any[]} rows @param {any} [more] what else the cells depend on */
  show(rows, more) {
    this.#heads();
    const kept = new Map();
    const els = rows.map((row) => {
      const key = this.key(row);
      const says = JSON.stringify([row, more]);
      let one = this.drawn.get(key);
      if (!one) one = { el: h("tr") };
      if (one.says !== says) this.#draw(one, row, says);
      kept.set(key, one);
      return one.el;
    });
    for (const [key, one] of this.drawn) if (!kept.has(key)) one.el.remove();
    this.drawn = kept;
    const held = this.body.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    els.forEach((el, i) => {
      if (this.body.children[i] !== el) this.body.insertBefore(el, this.body.children[i] ?? null);
    });
    // What is moved within the page loses the focus.
    if (held?.isConnected && document.activeElement !== held) held.focus({ preventScroll: true });
  }

  #draw(one, row, says) {
    one.says = says;
    const able = "a, button, input";
    const at = one.el.contains(document.activeElement) ? [...one.el.querySelectorAll(able)].indexOf(document.activeElement) : -1;
    one.el.className = this.kind(row);
    fill(one.el, this.columns.map((column) => {
      const kinds = [column.number && "number", column.long && "long", column.kind?.(row)].filter(Boolean).join(" ");
      return h(column.head ? "th" : "td", { scope: column.head ? "row" : null, class: kinds || null, title: column.hint?.(row) ?? null }, column.cell(row));
    }));
    if (at >= 0) /** @type {HTMLElement | undefined} */ (one.el.querySelectorAll(able)[at])?.focus({ preventScroll: true });
  }
}

/** How long ago a time is, which goes on by itself; the time stands in the tooltip, here and in UTC. @param {string | null} iso */
export function age(iso) {
  if (!iso) return null;
  return h("time", { class: "age", datetime: iso, title: both(iso) }, ago(iso));
}

/** A time in the reader's zone and in UTC. */
export function both(iso) {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? String(iso) : `${time(iso)} · ${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Let ages go on. @param {HTMLElement} root */
export function tick(root) {
  for (const one of /** @type {NodeListOf<HTMLTimeElement>} */ (root.querySelectorAll("time.age"))) {
    const says = ago(one.dateTime);
    if (one.textContent !== says) one.textContent = says;
  }
}
