/** The column of panels: each can be closed, is told of changes while it is in sight, and is reached by the bar above. */

import { button, fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { offer } from "../core/search.js";
import { tell, toast } from "../core/ui.js";
import { both } from "../table/language.js";
import { Best } from "./best.js";
import { conditionOf, words } from "./brush.js";
import { Groups } from "./groups.js";
import { Importance } from "./importance.js";
import { Parallel } from "./parallel.js";
import { Scatter } from "./scatter.js";

/** What changes the runs that are looked at. */
const RUNS = ["q", "arch", "dup"];

const PANELS = [
  { id: "scatter", title: "Scatter", Kind: Scatter },
  { id: "parallel", title: "Parallel coordinates", Kind: Parallel },
  { id: "importance", title: "Importance", Kind: Importance },
  { id: "groups", title: "Groups", Kind: Groups },
  { id: "best", title: "Best per group", Kind: Best },
];

class Panel {
  constructor(spec, state, page) {
    Object.assign(this, { ...spec, state, page, stale: true, seen: false, panel: null, lit: null });
    this.fold = h("button", { type: "button", "aria-controls": `inside-${this.id}`, on: { click: () => this.toggle() } }, h("span", { class: "chevron" }), this.title);
    this.head = h("header", null, h("h2", null, this.fold));
    this.inside = h("div", { class: "inside", id: `inside-${this.id}` });
    this.el = h("section", { class: "panel", id: this.id, "aria-label": this.title, tabindex: "-1" }, this.head, this.inside);
    this.draw();
  }

  get open() {
    return !this.state.get("closed").includes(this.id);
  }

  draw() {
    this.fold.setAttribute("aria-expanded", String(this.open));
    this.fold.firstElementChild.classList.toggle("open", this.open);
    this.inside.hidden = !this.open;
    this.update();
  }

  toggle(open = !this.open) {
    const others = this.state.get("closed").filter((id) => id !== this.id);
    this.state.set({ closed: open ? others : [...others, this.id] });
  }

  /** Show what the state says now, or once it is in sight. */
  update(stale = this.stale) {
    this.stale = stale;
    if (!stale || !this.seen || !this.open) return;
    this.stale = false;
    // One that is never looked at is never made.
    this.panel ??= new this.Kind(this.inside, this.state, this.page);
    this.panel.update();
  }
}

/** All panels, and the bar above them. */
export class Panels {
  /**
   * @param {HTMLElement} el @param {import("../core/state.js").State} state
   * @param {{params: () => object, all: () => object, fields: any, pick: (keys: string[], how?: string) => void, hover: (key: string | null) => void}} page
   */
  constructor(el, state, page) {
    Object.assign(this, { state, page });
    this.panels = PANELS.map((spec) => new Panel(spec, state, page));
    this.links = new Map(this.panels.map((panel) => [panel.id, h("a", { href: `#${panel.id}`, on: { click: (event) => { event.preventDefault(); this.go(panel); } } }, panel.title)]));
    this.brushes = h("div", { class: "brushes", role: "group", "aria-label": "Brushes" });
    this.looked = h("span", { class: "looked", role: "status" });
    this.over = h("div", { class: "over" }, h("nav", { "aria-label": "Panels" }, [...this.links.values()]), h("span", { class: "space" }), this.looked, this.brushes);
    this.el = h("div", { class: "analysis" }, this.over, this.panels.map((panel) => panel.el));
    el.append(this.el);
    const sight = new IntersectionObserver((found) => {
      for (const { target, isIntersecting } of found) {
        const panel = this.panels.find((one) => one.el === target);
        panel.seen = isIntersecting;
        panel.update();
      }
    }, { root: this.el, rootMargin: "300px" });
    for (const panel of this.panels) sight.observe(panel.el);
    this.el.addEventListener("scroll", () => this.#where(), { passive: true });
    const grown = new ResizeObserver(() => this.#where());
    for (const panel of this.panels) grown.observe(panel.el);
    for (const panel of this.panels) offer(`Go to ${panel.title}`, () => this.go(panel));
    state.on((changed) => this.#changed(changed));
    this.#where();
    this.#chips();
  }

  /** Bring a panel into sight. */
  go(panel) {
    panel.toggle(true);
    panel.el.scrollIntoView({ block: "start" });
    panel.el.focus({ preventScroll: true });
  }

  #where() {
    const top = this.over.getBoundingClientRect().bottom + 80;
    const here = this.panels.findLast((panel) => panel.el.getBoundingClientRect().top <= top) ?? this.panels[0];
    for (const [id, link] of this.links) {
      if (id === here.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  #changed(changed) {
    if (changed.has("closed")) for (const panel of this.panels) panel.draw();
    if (changed.has("brush")) this.#chips();
    if ([...RUNS, "brush"].some((name) => changed.has(name))) this.refresh();
  }

  /** How many runs are looked at. @param {number | null} count null while groups are counted */
  count(count) {
    fill(this.looked, count === null ? "" : plural(count, "run"));
  }

  /** The brushes as chips, and what can be made of them. */
  #chips() {
    const { state } = this;
    const brush = state.get("brush");
    const all = Object.entries(brush);
    const focused = this.brushes.contains(document.activeElement);
    const clear = (expr) => {
      const { [expr]: _, ...others } = state.get("brush");
      state.set({ brush: others });
    };
    const select = async () => {
      try {
        const keys = await this.page.runs();
        this.page.pick(keys);
        toast(`${plural(keys.length, "run")} selected`);
      } catch (error) {
        toast(tell(error), { bad: true });
      }
    };
    this.brushes.hidden = !all.length;
    fill(this.brushes, all.map(([expr, parts]) => h("span", { class: "chip", title: words(expr, parts) }, h("span", { class: "cut" }, words(expr, parts)), button("close", `Clear the brush of ${expr}`, () => clear(expr)))),
      all.length > 0 && [
        button(null, "", select, { text: "Select the brushed runs" }),
        button(null, "The brushes become part of the filter", () => state.set({ q: both(state.get("q"), conditionOf(state.get("brush"))), brush: {} }), { text: "Make it the filter" }),
        button(null, "", () => state.set({ brush: {} }), { text: "Clear brushes" }),
      ]);
    if (focused) /** @type {HTMLElement | null} */ (this.brushes.querySelector("button"))?.focus();
  }

  /** The lake has changed, or which runs are looked at. */
  refresh() {
    for (const panel of this.panels) panel.update(true);
  }

  /** Only colours have changed. */
  repaint() {
    for (const { panel } of this.panels) panel?.repaint?.();
  }

  /** Mark a run, or the *keys* of a group's runs, in every panel. @param {string | null} key @param {string[]} [keys] */
  highlight(key, keys = key ? [key] : []) {
    for (const { panel } of this.panels) panel?.highlight?.(key, keys);
  }
}
