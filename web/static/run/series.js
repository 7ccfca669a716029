/** What the tabs of images, texts, histograms and curves have in common: one slider over the steps of all their series, a search for tags, a card for each series. */

import { get } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { failed } from "../core/ui.js";
import { Cards, matching, searchField } from "./cards.js";
import { StepSlider, together } from "./steps.js";

/**
 * A part of the page that is about some of the run's series.
 * @param {{id: string, label: string, none: string, of: (data: any) => any[], Tab: new (el: HTMLElement, page: any) => any}} told
 * @returns {import("./tabs.js").Part}
 */
export function seriesPart({ id, label, none, of, Tab }) {
  return { id, label, none, about: (data) => of(data).length || false, make: (el, page) => new Tab(el, page) };
}

/** A tab of series. */
export class SeriesTab {
  /**
   * @param {HTMLElement} el @param {any} page
   * @param {{of: (data: any) => any[], Card: new (series: any, tab: any) => SeriesCard, step: string, search?: string, none: (words: string) => string, kind?: string, tools?: any[]}} how
   *   `step` is the slider's label; `search` the state's name for the words that tags are searched for
   */
  constructor(el, page, { of, Card, step, search, none, kind = "", tools = [] }) {
    Object.assign(this, { page, of, search, none });
    this.slider = new StepSlider(page.state, step);
    this.field = search ? searchField(page.state, search, "Search tags") : null;
    this.cards = new Cards((series) => new Card(series, this), kind);
    fill(el, h("div", { class: "tools sticky" }, this.slider.el, tools, this.field), this.cards.el);
  }

  /** The run changed. */
  update() {
    this.show();
    for (const card of this.cards.started) card.refresh();
  }

  /** The URL changed. @param {Set<string>} _changed the names */
  follow(_changed) {
    this.show();
    for (const card of this.cards.started) card.draw();
  }

  /** The cards of the series that are searched for. */
  show() {
    const { state, data } = this.page;
    const all = this.of(data);
    const words = this.field ? state.get(this.search) : "";
    if (this.field) {
      this.field.hidden = all.length < 2 && !words;
      if (document.activeElement !== this.field) this.field.value = words;
    }
    const clear = words ? () => { this.field.value = ""; state.set({ [this.search]: "" }); } : undefined;
    this.cards.show(matching(all, words), { none: this.none(words), clear });
    this.steps();
  }

  /** The slider has the steps of all cards that know theirs. */
  steps() {
    const known = this.cards.started.filter((one) => one.steps);
    this.slider.set(together(known.map((one) => one.steps)), new Map(known.flatMap((one) => [...one.walls])));
  }
}

/**
 * A card of a series, asked for anew when the series has grown. Its kinds say in `path` and `limits` what is asked,
 * in `take` what they make of the answer (with it `steps` and `walls`), and in `draw` how the page's step looks.
 */
export class SeriesCard {
  /** @param {any} series @param {SeriesTab} tab */
  constructor(series, tab) {
    this.series = series;
    this.tab = tab;
    /** @type {number[] | null} ascending */
    this.steps = null;
    /** Wall times by step, as far as they are known. @type {Map<number, number | null>} */
    this.walls = new Map();
  }

  update(series) {
    this.series = series;
  }

  start() {
    this.refresh();
  }

  /** Ask the server about the series. */
  ask(more) {
    const { tag, stream } = this.series;
    return get(this.path, { run: this.tab.page.key, tag, stream, ...more });
  }

  /** The answer for all steps. */
  whole() {
    return this.ask(this.limits);
  }

  async refresh() {
    const { points, last_step, last_wall_time } = this.series;
    const version = `${points} ${last_step} ${last_wall_time}`;
    if (version === this.version) return this.draw();
    this.version = version;
    try {
      const given = await this.whole();
      // Answers may overtake each other: the newest question's holds.
      if (version !== this.version) return undefined;
      this.take(given);
      this.tab.steps();
      this.draw();
    } catch (error) {
      if (version !== this.version) return undefined;
      this.version = null;
      fill(this.box, failed(error, () => this.refresh()));
    }
    return undefined;
  }
}
