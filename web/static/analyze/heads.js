/** The heads of the axes of parallel coordinates: names that open menus, are dragged into another order, and moved by keys. */

import { button, fill, h } from "../core/dom.js";
import { moved } from "../table/order.js";

const DRAG = 4; // pixels
const SCALE_WORDS = { log: "log", symlog: "symlog" };

export class Heads {
  /**
   * @param {{menu: (expr: string, anchor: HTMLElement) => void, order: (exprs: string[]) => void, preview: (exprs: string[] | null) => void,
   *   clear: (expr: string) => void, remove: (expr: string) => void}} does `preview` shows an order while an axis is dragged
   */
  constructor(does) {
    this.does = does;
    this.el = h("div", { class: "heads", role: "group", "aria-label": "Axes" });
    this.at = null;
  }

  /** @param {any} at a layout @param {Record<string, any>} brushes */
  draw(at, brushes) {
    const focus = /** @type {HTMLElement | null} */ (document.activeElement)?.closest?.(".heads > *")?.dataset?.expr;
    const inner = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.part;
    this.at = at;
    const exprs = at.rails.map(({ axis }) => axis.expr);
    const room = Math.max(48, (at.gap || at.width) - 6);
    if (exprs.join("\n") === this.made) {
      // Only places have changed: what has the focus stays.
      [...this.el.children].forEach((el, k) => this.#place(el, at.rails[k], room, brushes));
      return;
    }
    this.made = exprs.join("\n");
    fill(this.el, at.rails.map((rail) => {
      const el = this.#head(rail.axis);
      this.#place(el, rail, room, brushes);
      return el;
    }));
    const again = focus && [...this.el.children].find((el) => el.dataset.expr === focus);
    if (again) /** @type {HTMLElement} */ ((inner && again.querySelector(`[data-part="${inner}"]`)) ?? again.querySelector("button"))?.focus({ preventScroll: true });
  }

  #head(axis) {
    const name = h("button", {
      type: "button", class: "axis-name", "aria-haspopup": "menu", "aria-expanded": "false", title: `${axis.expr}\nDrag, or Alt with the arrow keys, to move`, dataset: { part: "name" },
      on: { click: () => { if (!this.dropped) this.does.menu(axis.expr, name); }, keydown: (event) => this.#key(event, axis.expr) },
    }, axis.title);
    const el = h("div", { class: "axis-head", dataset: { expr: axis.expr } }, name,
      h("span", { class: "axis-more" }, h("span", { class: "axis-scale" }),
        button("close", `Clear the brush of ${axis.title}`, () => this.does.clear(axis.expr), { class: "button bare clear", dataset: { part: "clear" } })));
    name.addEventListener("pointerdown", (event) => this.#grab(event, axis.expr, name));
    return el;
  }

  #place(el, rail, room, brushes) {
    el.style.left = `${rail.x}px`;
    el.style.width = `${room}px`;
    const words = [SCALE_WORDS[rail.axis.scale], rail.turned ? "inverted" : ""].filter(Boolean).join(", ");
    fill(el.querySelector(".axis-scale"), words);
    el.querySelector(".clear").hidden = !Object.hasOwn(brushes, rail.axis.expr);
    el.classList.toggle("brushed", Object.hasOwn(brushes, rail.axis.expr));
  }

  #exprs() {
    return this.at.rails.map(({ axis }) => axis.expr);
  }

  #key(event, expr) {
    const exprs = this.#exprs();
    const from = exprs.indexOf(expr);
    if (event.key === "Delete") this.does.remove(expr);
    else if (event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      const to = from + (event.key === "ArrowRight" ? 1 : -1);
      if (to >= 0 && to < exprs.length) this.does.order(moved(exprs, from, to));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #grab(event, expr, name) {
    if (event.button) return;
    const start = event.clientX;
    let order = this.#exprs();
    let on = false;
    this.dropped = false;
    // The head itself may be made anew under the pointer: the row of heads is there all the time.
    const { el } = this;
    const box = el.getBoundingClientRect();
    const move = (at) => {
      if (!on && Math.abs(at.clientX - start) < DRAG) return;
      if (!on) {
        on = true;
        el.setPointerCapture(event.pointerId);
        el.classList.add("dragging");
      }
      const x = at.clientX - box.left;
      const { rails } = this.at;
      const to = rails.reduce((best, rail, k) => (Math.abs(rail.x - x) < Math.abs(rails[best].x - x) ? k : best), 0);
      const from = order.indexOf(expr);
      if (to !== from) {
        order = moved(order, from, to);
        this.does.preview(order);
      }
    };
    const end = (ended) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      el.classList.remove("dragging");
      if (!on) return;
      this.dropped = true;
      setTimeout(() => { this.dropped = false; });
      this.does.preview(null);
      if (ended.type === "pointerup") this.does.order(order);
      name.blur();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }
}
