/** Texts by tag at a step: rendered or as written, with a search within. */

import { button, fill, h } from "../core/dom.js";
import { plural, toNumber } from "../core/format.js";
import { copy, tell } from "../core/ui.js";
import { searchField, seriesTitle } from "./cards.js";
import { mark, putCleanedHtml } from "./markup.js";
import { SeriesCard, seriesPart, SeriesTab } from "./series.js";
import { nearest, stepText, wallText } from "./steps.js";

const of = (data) => data.series.filter((one) => one.plugin === "text" && one.kind === "tensor");
const AT_ONCE = 100;
const CHIPS = 20;
const NONE = "This run logged no texts.";

class Texts extends SeriesTab {
  constructor(el, page) {
    const { state } = page;
    const words = searchField(state, "tx", "Search within the texts");
    const raw = h("button", { type: "button", class: "button", on: { click: () => state.set({ raw: !state.get("raw") }) } }, "As written");
    const hits = h("span", { class: "muted", role: "status" });
    super(el, page, { of, Card: Sheet, step: "Step of the texts", none: () => NONE, tools: [raw, words, hits] });
    Object.assign(this, { words, raw, hits });
  }

  show() {
    const { state } = this.page;
    if (document.activeElement !== this.words) this.words.value = state.get("tx");
    this.raw.setAttribute("aria-pressed", String(state.get("raw")));
    super.show();
  }

  /** How often the words of the search are seen. */
  count() {
    const words = this.page.state.get("tx");
    const hits = this.cards.started.reduce((sum, one) => sum + (one.hits ?? 0), 0);
    fill(this.hits, words ? (hits ? plural(hits, "place") : "nowhere in what is shown") : "");
  }
}

export default seriesPart({ id: "texts", label: "Text", none: NONE, of, Tab: Texts });

class Sheet extends SeriesCard {
  path = "texts";
  limits = { most: AT_ONCE };

  constructor(series, tab) {
    super(series, tab);
    this.texts = new Map();
    this.says = h("span", { class: "muted" });
    this.also = h("p", { class: "also" });
    this.body = h("div", { class: "markdown", tabindex: "0", role: "region", "aria-label": `Text of ${series.tag}` });
    this.box = h("div", null, this.also, this.body);
    const take = button("copy", `Copy the text of ${series.tag}`, () => copy(this.shown?.text ?? "", "Text"));
    this.el = h("section", { class: "sheet", "aria-label": series.tag }, seriesTitle(series, this.says, take), this.box);
  }

  take(given) {
    this.steps = given.steps;
    this.#keep(given);
    fill(this.box, this.also, this.body);
    this.drawn = null;
  }

  #keep({ texts }) {
    for (const one of texts) {
      this.texts.set(one.step, one);
      this.walls.set(one.step, toNumber(one.wall_time));
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
        this.#keep(await this.ask({ step, most: 1 }));
      } catch (error) {
        if (this.wanted === step) fill(this.says, tell(error));
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
    fill(this.says, stepText(step), wallText(this.walls.get(step)), one.truncated && " · only the beginning is shown");
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
