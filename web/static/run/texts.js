/** Texts by tag at a step: rendered or as written, with a search within. */

import { get } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { plural, time, toNumber } from "../core/format.js";
import { copy, failed } from "../core/ui.js";
import { Cards, matching, searchField, seriesTitle } from "./cards.js";
import { mark, putCleanedHtml } from "./markup.js";
import { nearest, StepSlider, stepText, together } from "./steps.js";

const of = (data) => data.series.filter((one) => one.plugin === "text" && one.kind === "tensor");
const AT_ONCE = 100;
const CHIPS = 20;

/** @type {import("./tabs.js").Part} */
export default {
  id: "texts",
  label: "Text",
  none: "This run logged no texts.",
  about: (data) => of(data).length || false,
  make(el, page) {
    return new Texts(el, page);
  },
};

class Texts {
  constructor(el, page) {
    this.page = page;
    const { state } = page;
    this.slider = new StepSlider(state, "Step of the texts");
    this.field = searchField(state, "tx", "Search within the texts");
    this.raw = h("button", { type: "button", class: "button", on: { click: () => state.set({ raw: !state.get("raw") }) } }, "As written");
    this.hits = h("span", { class: "muted", role: "status" });
    this.cards = new Cards((series) => new Card(series, this), "");
    fill(el, h("div", { class: "tools sticky" }, this.slider.el, this.raw, this.field, this.hits), this.cards.el);
  }

  update() {
    this.follow();
    for (const card of this.cards.started) card.refresh();
  }

  follow() {
    const { state, data } = this.page;
    if (document.activeElement !== this.field) this.field.value = state.get("tx");
    this.raw.setAttribute("aria-pressed", String(state.get("raw")));
    this.cards.show(matching(of(data), ""), { none: "This run logged no texts." });
    this.steps();
    for (const card of this.cards.started) card.draw();
  }

  steps() {
    const walls = new Map();
    const shown = this.cards.started.filter((one) => one.steps);
    for (const one of shown) for (const [step, text] of one.texts) walls.set(step, toNumber(text.wall_time));
    this.slider.set(together(shown.map((one) => one.steps)), walls);
  }

  /** How often the words of the search are seen. */
  count() {
    const words = this.page.state.get("tx");
    const hits = this.cards.started.reduce((sum, one) => sum + (one.hits ?? 0), 0);
    fill(this.hits, words ? (hits ? plural(hits, "place") : "nowhere in what is shown") : "");
  }
}

class Card {
  constructor(series, tab) {
    this.series = series;
    this.tab = tab;
    this.texts = new Map();
    this.says = h("span", { class: "muted" });
    this.also = h("p", { class: "also" });
    this.body = h("div", { class: "markdown", tabindex: "0", role: "region", "aria-label": `Text of ${series.tag}` });
    this.box = h("div", null, this.also, this.body);
    const take = button("copy", `Copy the text of ${series.tag}`, () => copy(this.shown?.text ?? "", "Text"));
    this.el = h("section", { class: "sheet", "aria-label": series.tag }, seriesTitle(series, this.says, take), this.box);
  }

  update(series) {
    this.series = series;
  }

  start() {
    this.refresh();
  }

  #ask(more) {
    return get("texts", { run: this.tab.page.key, tag: this.series.tag, stream: this.series.stream, ...more });
  }

  async refresh() {
    const { series } = this;
    const version = `${series.points} ${series.last_step} ${series.last_wall_time}`;
    if (version === this.version) return this.draw();
    this.version = version;
    try {
      const given = await this.#ask({ most: AT_ONCE });
      this.steps = given.steps;
      for (const one of given.texts) this.texts.set(one.step, one);
      fill(this.box, this.also, this.body);
      this.drawn = null;
      this.tab.steps();
      this.draw();
    } catch (error) {
      this.version = null;
      fill(this.box, failed(error, () => this.refresh()));
    }
  }

  async draw() {
    if (!this.steps) return;
    const { state } = this.tab.page;
    const step = this.steps[nearest(this.steps, state.get("step"))];
    if (step === undefined) {
      fill(this.box, h("p", { class: "muted" }, "No text of this tag can be shown."));
      return;
    }
    this.wanted = step;
    if (!this.texts.has(step)) {
      try {
        const given = await this.#ask({ step, most: 1 });
        for (const one of given.texts) this.texts.set(one.step, one);
      } catch (error) {
        fill(this.says, String(error.message));
        return;
      }
    }
    const one = this.texts.get(step);
    // A slider that is dragged leaves answers behind that nobody waits for.
    if (this.wanted !== step || !one) return;
    const raw = state.get("raw");
    const words = state.get("tx").trim();
    const drawn = JSON.stringify([step, raw, words]);
    if (drawn === this.drawn) return this.tab.count();
    this.drawn = drawn;
    this.shown = one;
    const wall = toNumber(one.wall_time);
    fill(this.says, stepText(step), wall !== null && Number.isFinite(wall) && ` · ${time(wall)}`, one.truncated && " · only the beginning is shown");
    if (raw) fill(this.body, h("pre", null, one.text));
    else putCleanedHtml(this.body, one.html);
    this.hits = mark(this.body, words);
    this.#others(words, step);
    this.tab.count();
  }

  /** Other steps whose text has the words. */
  #others(words, now) {
    const low = words.toLowerCase();
    const found = low ? [...this.texts.values()].filter((one) => one.step !== now && one.text.toLowerCase().includes(low)).map((one) => one.step).sort((a, b) => a - b) : [];
    fill(this.also, found.length > 0 && ["Also at ", found.slice(0, CHIPS).map((step) => h("button", { type: "button", class: "link", on: { click: () => this.tab.page.state.set({ step }) } }, stepText(step))), found.length > CHIPS && ` and ${found.length - CHIPS} more`]);
    if (low && this.steps.length > this.texts.size) this.also.append(h("span", { class: "muted" }, ` (searched: ${this.texts.size} of ${this.steps.length} steps)`));
  }
}
