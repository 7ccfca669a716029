/** The parts of the page as tabs: only those that have something, the chosen one in the URL. */

import { fill, h } from "../core/dom.js";
import { empty } from "../core/ui.js";

/**
 * A part: `id`, `label`, `about(data)` → false where it has nothing, else true or how many;
 * `make(el, page)` → {update(), follow?(changed)}: `update` after the run changed, `follow` after the URL did.
 * Both are called only while the part is seen; what happened meanwhile is told when it is seen again.
 * @typedef {{id: string, label: string, none: string, about: (data: any) => boolean | number, make: (el: HTMLElement, page: any) => {update: () => void, follow?: (changed: Set<string>) => void}}} Part
 */

/** The tabs of a page. */
export class Tabs {
  /** @param {any} page @param {Part[]} parts @param {string} label what they are parts of */
  constructor(page, parts, label = "Parts of this run") {
    this.page = page;
    this.parts = parts.map((part) => ({ ...part, made: null, stale: false, missed: new Set() }));
    this.list = h("div", { role: "tablist", class: "tabs", "aria-label": label, on: { keydown: (event) => this.#key(event) } });
    this.panels = h("div", { class: "panels" });
    this.el = h("div", { class: "parts" }, this.list, this.panels);
    page.state.on((changed) => this.#follow(changed));
  }

  /** The run changed. */
  update() {
    for (const part of this.parts) {
      part.size = part.about(this.page.data);
      part.stale = true;
    }
    this.#draw();
    this.#show();
  }

  /** Choose the tab at a place among those that are shown. */
  pick(place) {
    const part = this.#shown()[place];
    if (part) this.page.state.set({ tab: part.id });
  }

  get #chosen() {
    return this.page.state.get("tab");
  }

  /** Also one that has nothing, where the URL names it: it says why it is empty. */
  #shown() {
    return this.parts.filter((part) => part.size !== false || part.id === this.#chosen);
  }

  #draw() {
    const focused = this.list.contains(document.activeElement);
    fill(this.list, this.#shown().map((part) => {
      const on = part.id === this.#chosen;
      return h("button", {
        type: "button", role: "tab", id: `tab-${part.id}`, "aria-selected": String(on), "aria-controls": on ? `panel-${part.id}` : null, tabindex: on ? "0" : "-1",
        on: { click: () => this.page.state.set({ tab: part.id }) },
      }, part.label, typeof part.size === "number" && h("span", { class: "count" }, part.size.toLocaleString("en-US")));
    }));
    if (focused) /** @type {HTMLElement} */ (this.list.querySelector("[aria-selected='true']"))?.focus();
  }

  #show() {
    for (const part of this.parts) {
      const on = part.id === this.#chosen;
      if (!on) {
        if (part.el) part.el.hidden = true;
        continue;
      }
      if (!part.el) {
        part.el = h("section", { role: "tabpanel", id: `panel-${part.id}`, "aria-labelledby": `tab-${part.id}`, tabindex: "0", class: `panel ${part.id}` });
        this.panels.append(part.el);
      }
      part.el.hidden = false;
      if (part.size === false && !part.made) {
        fill(part.el, empty(part.none));
        continue;
      }
      if (!part.made) {
        fill(part.el);
        part.made = part.make(part.el, this.page);
        part.stale = true;
      }
      if (part.stale) part.made.update();
      else if (part.missed.size) part.made.follow?.(part.missed);
      part.stale = false;
      part.missed = new Set();
    }
  }

  #follow(changed) {
    if (!this.page.data) return;
    for (const part of this.parts) {
      for (const name of changed) part.missed.add(name);
    }
    if (changed.has("tab")) this.#draw();
    this.#show();
  }

  #key(event) {
    const shown = this.#shown();
    const at = shown.findIndex((part) => part.id === this.#chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.pick((to + shown.length) % shown.length);
    /** @type {HTMLElement} */ (this.list.querySelector("[aria-selected='true']"))?.focus();
  }
}
