/** A short list that people put in order: by dragging, by Alt and the arrows; Delete removes. */

import { button, fill, h } from "../core/dom.js";

export class OrderList {
  /**
   * @param {{
   *   label: string, row: (item: any, i: number) => any, move: (from: number, to: number) => void, remove: (i: number) => void,
   *   name: (item: any) => string, keys?: Record<string, (i: number) => void>, divide?: () => number,
   * }} how `divide` is the number of first items that a line parts from the others
   */
  constructor(how) {
    this.how = how;
    this.el = h("ol", { class: "order", "aria-label": how.label, on: { keydown: (event) => this.#key(event), pointerdown: (event) => this.#grab(event) } });
    this.items = [];
  }

  /** Show *items*; the focus stays at its place in the list. */
  draw(items) {
    const rows = [...this.el.children];
    const focus = rows.findIndex((row) => row.contains(document.activeElement));
    const inner = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.part;
    this.items = items;
    const divide = this.how.divide?.() ?? 0;
    fill(this.el, items.map((item, i) => h(
      "li",
      { tabindex: i === Math.max(0, Math.min(focus, items.length - 1)) ? "0" : "-1", class: divide && i === divide - 1 ? "last-fixed" : null, "aria-label": this.how.name(item), title: "Drag, or Alt with the arrow keys, to move" },
      h("span", { class: "grip-dots", "aria-hidden": "true" }, "⠿"), this.how.row(item, i),
      button("close", `Remove ${this.how.name(item)}`, () => this.how.remove(i), { "data-part": "remove", tabindex: "-1" }),
    )));
    if (focus < 0) return;
    const row = /** @type {HTMLElement} */ (this.el.children[Math.min(focus, items.length - 1)]);
    const part = inner && row?.querySelector(`[data-part=${CSS.escape(inner)}]`);
    (/** @type {HTMLElement} */ (part) ?? row)?.focus();
  }

  /** Put the focus on an item. */
  focus(i) {
    this.#focus(i);
  }

  #focus(i) {
    const rows = /** @type {HTMLElement[]} */ ([...this.el.children]);
    const to = Math.max(0, Math.min(i, rows.length - 1));
    rows.forEach((row, j) => row.setAttribute("tabindex", j === to ? "0" : "-1"));
    rows[to]?.focus();
  }

  #move(from, to) {
    if (to < 0 || to >= this.items.length || from === to) return;
    this.#focus(to);
    this.how.move(from, to);
    this.#focus(to);
  }

  #key(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest("li");
    const i = [...this.el.children].indexOf(row);
    if (i < 0 || event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && event.altKey) this.#move(i, i + step);
    else if (step) this.#focus(i + step);
    else if (event.key === "Home") this.#focus(0);
    else if (event.key === "End") this.#focus(this.items.length - 1);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") this.#within(row, event.key === "ArrowRight" ? 1 : -1);
    else if (event.key === "Delete" || event.key === "Backspace") this.how.remove(i);
    else if (event.target === row && this.how.keys?.[event.key]) this.how.keys[event.key](i);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #within(row, step) {
    const all = [row, ...row.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement);
    all[Math.max(0, Math.min(at + step, all.length - 1))]?.focus();
  }

  #grab(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const row = target.closest("li");
    if (!row || event.button !== 0 || target.closest("button, input, select")) return;
    const from = [...this.el.children].indexOf(row);
    const place = () => [...this.el.children].indexOf(row);
    event.preventDefault();
    this.#focus(from);
    // The list, not the row: a row that is put elsewhere loses the pointer.
    this.el.setPointerCapture(event.pointerId);
    row.classList.add("dragged");
    const move = ({ clientY }) => {
      const before = [...this.el.children].find((other) => {
        const box = other.getBoundingClientRect();
        return other !== row && clientY < box.top + box.height / 2;
      });
      if (before ? row.nextElementSibling !== before : this.el.lastElementChild !== row) this.el.insertBefore(row, before ?? null);
    };
    const end = (dropped) => {
      for (const [name, listen] of Object.entries(listeners)) this.el.removeEventListener(name, listen);
      row.classList.remove("dragged");
      const to = place();
      if (dropped && to !== from) this.how.move(from, to);
      else this.draw(this.items);
    };
    const listeners = { pointermove: move, pointerup: () => end(true), pointercancel: () => end(false) };
    for (const [name, listen] of Object.entries(listeners)) this.el.addEventListener(name, listen);
  }
}

/** *items* with one moved. */
export function moved(items, from, to) {
  const next = [...items];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}
