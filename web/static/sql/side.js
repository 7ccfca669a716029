/** The pane beside the editor: tables, examples, history, saved queries. */

import { fill, h } from "../core/dom.js";
import { EXAMPLES } from "./examples.js";
import { history } from "./history.js";
import { Saved } from "./saved.js";
import { Tables } from "./tables.js";

const TABS = { tables: "Tables", examples: "Examples", history: "History", saved: "Saved" };

export class Side {
  /**
   * @param {HTMLElement} el @param {import("../core/state.js").State} state
   * @param {{insert: (text: string) => void, open: (q: string) => void, example: (one: any) => void}} told
   */
  constructor(el, state, told) {
    this.state = state;
    this.el = el;
    const panels = Object.fromEntries(Object.keys(TABS).map((name) => [name, h("div", { class: "sql-panel", id: `side-${name}`, role: "tabpanel", "aria-labelledby": `tab-${name}`, tabindex: "-1" })]));
    this.panels = panels;
    this.tabs = h("div", { class: "sql-tabs", role: "tablist", "aria-label": "Beside the editor" }, Object.entries(TABS).map(([name, label]) =>
      h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `side-${name}`, dataset: { name }, on: { click: () => state.set({ side: name }) } }, label)));
    this.tabs.addEventListener("keydown", (event) => this.#key(event));
    this.tables = new Tables(panels.tables, { insert: told.insert, run: told.open });
    fill(panels.examples, examples(told.example));
    this.past = history(panels.history, told.open);
    this.saved = new Saved(panels.saved, state);
    fill(el, this.tabs, Object.values(panels));
    state.on((changed) => { if (changed.has("side")) this.#layout(); });
    this.#layout();
  }

  /** A statement was run. */
  ran() {
    if (this.state.get("side") === "history") this.past();
  }

  #key(event) {
    const all = Object.keys(TABS);
    const at = all.indexOf(this.state.get("side"));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.state.set({ side: all[(to + all.length) % all.length] });
    /** @type {HTMLElement} */ (this.tabs.querySelector("[aria-selected=true]")).focus();
  }

  #layout() {
    const side = this.state.get("side");
    this.el.hidden = side === "none";
    for (const tab of /** @type {HTMLElement[]} */ ([...this.tabs.children])) {
      const on = tab.dataset.name === side;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      this.panels[tab.dataset.name].hidden = !on;
    }
    if (side === "history") this.past();
    if (side === "saved") this.saved.load();
  }
}

/** The example queries as a list. @param {(one: any) => void} open @param {number} [most] */
export function examples(open, most = EXAMPLES.length) {
  return h("ul", { class: "sql-list", "aria-label": "Examples" }, EXAMPLES.slice(0, most).map((one) =>
    h("li", null, h("button", { type: "button", class: "sql-item", on: { click: () => open(one) } }, h("span", null, one.title), h("span", { class: "muted" }, one.says)))));
}
