/** Pages of a long list: which rows are seen, and the way to the others. */

import { button, fill, h } from "../core/dom.js";

const thousands = (n) => n.toLocaleString("en-US");

/** Buttons below a list of *total* rows, of which a page starts at the state's offset. */
export class Pager {
  /** @param {string} what the list @param {number} size rows of a page @param {(offset: number) => void} go */
  constructor(what, size, go) {
    Object.assign(this, { size, go, offset: 0, total: 0 });
    this.first = button(null, `First page of ${what}`, () => go(0), { text: "First", "aria-label": `First page of ${what}` });
    this.before = button("right", `Page before of ${what}`, () => go(Math.max(0, this.offset - size)), { class: "button bare back" });
    this.next = button("right", `Next page of ${what}`, () => go(this.offset + size));
    this.last = button(null, `Last page of ${what}`, () => go(this.#lastOffset()), { text: "Last", "aria-label": `Last page of ${what}` });
    this.says = h("span", { class: "muted", role: "status" });
    this.el = h("div", { class: "pager", hidden: true, role: "group", "aria-label": `Pages of ${what}` }, this.first, this.before, this.says, this.next, this.last);
  }

  #lastOffset() {
    return Math.max(0, Math.floor((this.total - 1) / this.size) * this.size);
  }

  /** @param {number} offset @param {number} rows that are seen @param {number} total */
  show(offset, rows, total) {
    Object.assign(this, { offset, total });
    this.el.hidden = total <= this.size && offset === 0;
    const says = rows ? `${thousands(offset + 1)} to ${thousands(offset + rows)} of ${thousands(total)}` : `none from ${thousands(offset + 1)} of ${thousands(total)}`;
    if (this.says.textContent !== says) fill(this.says, says);
    for (const one of [this.first, this.before]) /** @type {HTMLButtonElement} */ (one).disabled = offset <= 0;
    for (const one of [this.next, this.last]) /** @type {HTMLButtonElement} */ (one).disabled = offset + rows >= total;
  }
}
