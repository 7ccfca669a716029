/** Histograms over time: a heat map of each tag with the slice at a step beside it, or ridges. */

import { get } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { time, toNumber } from "../core/format.js";
import { failed } from "../core/ui.js";
import { common } from "./bins.js";
import { Cards, matching, searchField, seriesTitle } from "./cards.js";
import { Heat, Ridge, Slice } from "./density.js";
import { nearest, StepSlider, stepText, together } from "./steps.js";

const of = (data) => data.series.filter((one) => one.plugin === "histograms" && one.kind === "tensor");

/** @type {import("./tabs.js").Part} */
export default {
  id: "histograms",
  label: "Histograms",
  none: "This run logged no histograms.",
  about: (data) => of(data).length || false,
  make(el, page) {
    return new Histograms(el, page);
  },
};

class Histograms {
  constructor(el, page) {
    this.page = page;
    const { state } = page;
    this.slider = new StepSlider(state, "Step of the slices");
    this.field = searchField(state, "hi", "Search tags");
    const check = (name, label) => {
      const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", on: { change: () => state.set({ [name]: box.checked }) } }));
      return { name, box, el: h("label", { class: "tick" }, box, label) };
    };
    this.checks = [check("hl", "log colour"), check("ho", "without the outer 1 %")];
    this.views = ["heat", "ridge"].map((view) => h("button", { type: "button", class: "button", on: { click: () => state.set({ hv: view }) } }, view === "heat" ? "Heat map" : "Ridges"));
    this.cards = new Cards((series) => new Card(series, this), "wide");
    fill(el, h("div", { class: "tools sticky" }, this.slider.el, h("div", { class: "both", role: "group", "aria-label": "View" }, this.views), this.checks.map((one) => one.el), this.field), this.cards.el);
  }

  update() {
    this.#draw();
    for (const card of this.cards.started) card.refresh();
  }

  follow(changed) {
    this.#draw();
    const anew = ["ho"].some((name) => changed.has(name));
    for (const card of this.cards.started) anew ? card.bin() : card.draw();
  }

  #draw() {
    const { state, data } = this.page;
    const all = of(data);
    const words = state.get("hi");
    this.field.hidden = all.length < 2 && !words;
    if (document.activeElement !== this.field) this.field.value = words;
    for (const one of this.checks) one.box.checked = state.get(one.name);
    this.views.forEach((one, i) => one.setAttribute("aria-pressed", String(state.get("hv") === ["heat", "ridge"][i])));
    this.checks[0].el.hidden = state.get("hv") !== "heat";
    this.cards.show(matching(all, words), { none: `No histogram is called “${words}”.`, clear: () => { this.field.value = ""; state.set({ hi: "" }); } });
    this.steps();
  }

  /** The slider has the steps of all cards that are there. */
  steps() {
    const walls = new Map();
    const shown = this.cards.started.filter((one) => one.given);
    for (const { given } of shown) given.steps.forEach((step, i) => walls.set(step, toNumber(given.wall_times[i])));
    this.slider.set(together(shown.map((one) => one.given.steps)), walls);
  }
}

class Card {
  constructor(series, tab) {
    this.series = series;
    this.tab = tab;
    this.box = h("div", { class: "hist waiting" });
    this.note = h("span", { class: "muted" });
    this.el = h("section", { class: "sheet", "aria-label": series.tag }, seriesTitle(series, this.note), this.box);
  }

  update(series) {
    this.series = series;
  }

  start() {
    this.refresh();
  }

  /** Ask again where the series has grown. */
  async refresh() {
    const { series, tab } = this;
    const version = `${series.points} ${series.last_step} ${series.last_wall_time}`;
    if (version === this.version) return this.draw();
    this.version = version;
    try {
      const given = await get("histograms", { run: tab.page.key, tag: series.tag, stream: series.stream, most: 500 });
      const numbers = (rows) => rows.map((row) => row.map((one) => toNumber(one)));
      this.given = { ...given, left: numbers(given.left), right: numbers(given.right), count: numbers(given.count) };
      fill(this.note, given.total > given.steps.length ? `${given.steps.length} of ${given.total.toLocaleString("en-US")} steps` : `${given.total.toLocaleString("en-US")} steps`);
      this.bin();
      tab.steps();
    } catch (error) {
      this.version = null;
      fill(this.box, failed(error, () => this.refresh()));
    }
  }

  /** Bring the steps on common bins. */
  bin() {
    if (!this.given) return;
    const { state } = this.tab.page;
    this.bins = common(this.given, { n: 80, outside: state.get("ho") ? 0.01 : 0 });
    this.draw();
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
    const pick = (at) => state.set({ step: at === this.given.steps.length - 1 ? null : this.given.steps[at] });
    if (this.view !== view) {
      this.view = view;
      this.over = view === "heat" ? new Heat(pick) : new Ridge(pick);
      this.slice ??= new Slice();
      this.says ??= h("p", { class: "muted says" });
      fill(this.box, this.over.el, h("div", null, this.says, this.slice.el));
    }
    const at = nearest(this.given.steps, state.get("step"));
    const more = { steps: this.given.steps, bins: this.bins, at, log: state.get("hl"), colour: this.tab.page.colour, name: this.series.tag };
    this.over.show(more);
    this.slice.show(more);
    const wall = toNumber(this.given.wall_times[at]);
    fill(this.says, h("strong", null, stepText(this.given.steps[at])), wall !== null && Number.isFinite(wall) && ` · ${time(wall)}`);
  }
}
