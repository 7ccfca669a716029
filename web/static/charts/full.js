/** One chart over the whole page, with its legend; arrows go to the next one. */

import { button, fill, h } from "../core/dom.js";
import { Card } from "./card.js";

/** The chart that the state calls `full`. */
export class FullChart {
  /** @param {import("./grid.js").ChartGrid} grid */
  constructor(grid) {
    this.grid = grid;
    this.card = null;
    this.list = h("ul", { class: "legend", "aria-label": "Legend" });
    this.place = h("div", { class: "place" });
    this.el = /** @type {HTMLDialogElement} */ (h("dialog", { class: "fullchart", "aria-label": "Chart in full" },
      h("div", { class: "bar" }, button(null, "Chart before this", () => this.step(-1), { text: "←" }), button(null, "Next chart", () => this.step(1), { text: "→" }),
        h("span", { class: "space" }), button("close", "Close", () => this.el.close())),
      h("div", { class: "split" }, this.place, this.list)));
    this.el.addEventListener("close", () => { if (this.card) grid.state.set({ full: "" }); });
    // Not of the dialog alone: what had the focus may be gone with a redrawn legend.
    document.addEventListener("keydown", (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (!this.el.open || event.defaultPrevented || target.closest("input, select, textarea, [popover], dialog:not(.fullchart)")) return;
      if (event.key === "ArrowLeft") this.step(-1);
      if (event.key === "ArrowRight") this.step(1);
    });
    this.sizes = new ResizeObserver(() => this.card?.resize());
  }

  /** Show what the state says, or nothing. */
  sync() {
    const id = this.grid.state.get("full");
    const spec = id ? this.grid.spec(id) : null;
    if (!spec) {
      if (!this.card) return;
      this.#drop();
      if (this.el.open) this.el.close();
      this.el.remove();
      return;
    }
    if (this.card?.spec.id === id) return;
    this.#drop();
    this.card = new Card(spec, this.grid.context, { full: true });
    fill(this.place, this.card.el);
    if (!this.el.isConnected) document.body.append(this.el);
    if (!this.el.open) this.el.showModal();
    this.sizes.observe(this.card.plot);
    this.card.show();
  }

  #drop() {
    if (!this.card) return;
    const { card } = this;
    this.card = null;
    this.sizes.disconnect();
    card.hide();
  }

  redraw() {
    this.card?.redraw();
  }

  step(by) {
    const ids = [...new Set(this.grid.sections().flatMap((section) => section.ids))];
    const at = ids.indexOf(this.grid.state.get("full"));
    if (ids.length) this.grid.state.set({ full: ids[(at + by + ids.length) % ids.length] });
  }

  /** Who is drawn: a click hides a run everywhere, a double click shows it alone. */
  legend() {
    const { context, hooks } = this.grid;
    const lines = this.card?.lines.filter((line) => !line.superseded) ?? [];
    fill(this.list, lines.map((line) => h("li", null, h("button", {
      type: "button", title: hooks.toggle ? "Click hides it, a double click shows it alone" : line.name,
      on: {
        click: (event) => { if (event.detail <= 1) hooks.toggle?.(line.key); },
        dblclick: () => hooks.solo?.(line.key),
        mouseenter: () => { context.highlit = line.key; this.card?.highlight(); },
        mouseleave: () => { context.highlit = null; this.card?.highlight(); },
      },
    }, dash(line), h("span", null, line.name)))));
  }
}

function dash(line) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 8");
  svg.setAttribute("class", "dash");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", "M0 4h24");
  path.setAttribute("stroke", line.colour);
  path.setAttribute("stroke-width", "2.500");
  path.setAttribute("stroke-dasharray", line.dash.join(" "));
  svg.append(path);
  return svg;
}
