/** Histograms over time: a heat map of each tag with the slice at a step beside it, or ridges. */

import { fill, h } from "../core/dom.js";
import { toNumber } from "../core/format.js";
import { common } from "./bins.js";
import { seriesTitle } from "./cards.js";
import { Heat, Ridge, Slice } from "./density.js";
import { SeriesCard, seriesPart, SeriesTab } from "./series.js";
import { nearest, stepText, wallText } from "./steps.js";

const of = (data) => data.series.filter((one) => one.plugin === "histograms" && one.kind === "tensor");

const VIEWS = { heat: "Heat map", ridge: "Ridges" };

class Histograms extends SeriesTab {
  constructor(el, page) {
    const { state } = page;
    const check = (name, label) => {
      const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", on: { change: () => state.set({ [name]: box.checked }) } }));
      return { name, box, el: h("label", { class: "tick" }, box, label) };
    };
    const checks = [check("hl", "log colour"), check("ho", "without the outer 1 %")];
    const views = Object.entries(VIEWS).map(([view, name]) => h("button", { type: "button", class: "button", dataset: { view }, on: { click: () => state.set({ hv: view }) } }, name));
    super(el, page, {
      of, Card: Histogram, step: "Step of the slices", search: "hi", kind: "wide", none: (words) => `No histogram is called “${words}”.`,
      tools: [h("div", { class: "both", role: "group", "aria-label": "View" }, views), checks.map((one) => one.el)],
    });
    Object.assign(this, { checks, views });
  }

  follow(changed) {
    this.show();
    for (const card of this.cards.started) changed.has("ho") ? card.bin() : card.draw();
  }

  show() {
    const { state } = this.page;
    for (const one of this.checks) one.box.checked = state.get(one.name);
    for (const one of this.views) one.setAttribute("aria-pressed", String(state.get("hv") === one.dataset.view));
    this.checks[0].el.hidden = state.get("hv") !== "heat";
    super.show();
  }
}

export default seriesPart({ id: "histograms", label: "Histograms", none: "This run logged no histograms.", of, Tab: Histograms });

class Histogram extends SeriesCard {
  path = "histograms";
  limits = { most: 500 };

  constructor(series, tab) {
    super(series, tab);
    this.box = h("div", { class: "hist waiting" });
    this.note = h("span", { class: "muted" });
    this.el = h("section", { class: "sheet", "aria-label": series.tag }, seriesTitle(series, this.note), this.box);
  }

  take(given) {
    const numbers = (rows) => rows.map((row) => row.map((one) => toNumber(one)));
    this.given = { left: numbers(given.left), right: numbers(given.right), count: numbers(given.count) };
    this.steps = given.steps;
    this.walls = new Map(given.steps.map((step, i) => [step, toNumber(given.wall_times[i])]));
    fill(this.note, given.total > given.steps.length ? `${given.steps.length} of ${given.total.toLocaleString("en-US")} steps` : `${given.total.toLocaleString("en-US")} steps`);
    // After an error the pictures are no longer in the box.
    this.view = null;
    this.#bins();
  }

  /** Bring the steps on common bins. */
  bin() {
    if (!this.given) return;
    this.#bins();
    this.draw();
  }

  #bins() {
    this.bins = common(this.given, { n: 80, outside: this.tab.page.state.get("ho") ? 0.01 : 0 });
  }

  draw() {
    if (!this.given) return;
    this.box.classList.remove("waiting");
    if (!this.bins) {
      fill(this.box, h("p", { class: "muted" }, "All histograms of this tag are empty, or hold no finite number."));
      return;
    }
    const { state } = this.tab.page;
    const view = state.get("hv");
    if (this.view !== view) {
      this.view = view;
      const pick = (at) => state.set({ step: at === this.steps.length - 1 ? null : this.steps[at] });
      this.over = view === "heat" ? (this.heat ??= new Heat(pick)) : (this.ridge ??= new Ridge(pick));
      this.slice ??= new Slice();
      this.says ??= h("p", { class: "muted says" });
      fill(this.box, this.over.el, h("div", null, this.says, this.slice.el));
    }
    const at = nearest(this.steps, state.get("step"));
    const more = { steps: this.steps, bins: this.bins, at, log: state.get("hl"), colour: this.tab.page.colour, name: this.series.tag };
    this.over.show(more);
    this.slice.show(more);
    fill(this.says, h("strong", null, stepText(this.steps[at])), wallText(this.walls.get(this.steps[at])));
  }
}
