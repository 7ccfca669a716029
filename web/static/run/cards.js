/** Cards by tag under a search for tags: what images, texts, histograms and curves have in common. */

import { debounce, fill, h } from "../core/dom.js";
import { natural } from "../core/format.js";
import { empty } from "../core/ui.js";

const ROOM = "400px";

/** The name of a series in the page. */
function seriesKey(one) {
  return `${one.stream}\0${one.tag}`;
}

/** The heading of a series: its tag, its stream, what it is. */
export function seriesTitle(one, ...more) {
  return h("header", { class: "sheethead" }, h("h2", { title: one.description || one.tag }, one.display_name || one.tag), one.stream && h("span", { class: "chip stream" }, one.stream), more);
}

/** A search field whose words stand in the page's state. */
export function searchField(state, name, label) {
  const field = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: label, "aria-label": label, value: state.get(name) }));
  field.addEventListener("input", debounce(() => state.set({ [name]: field.value }, { commit: false }), 150));
  field.addEventListener("change", () => state.set({ [name]: field.value }));
  return field;
}

/** The series of a run that match the words of a search, in natural order. */
export function matching(series, words) {
  const all = words.toLowerCase().split(/\s+/).filter(Boolean);
  return series
    .filter((one) => all.every((word) => `${one.tag} ${one.display_name} ${one.stream}`.toLowerCase().includes(word)))
    .sort((a, b) => natural(a.display_name || a.tag, b.display_name || b.tag) || natural(a.stream, b.stream));
}

/**
 * A card for each series, kept while its series is there; a card starts when it comes near the window.
 * `make(series)` → {el, start(), update(series)?}.
 */
export class Cards {
  /** @param {(series: any) => {el: HTMLElement, start: () => void, update?: (series: any) => void}} make @param {string} kind class of the list */
  constructor(make, kind = "") {
    this.make = make;
    this.known = new Map();
    this.byElement = new WeakMap();
    this.el = h("div", { class: `sheets ${kind}` });
    this.watch = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) {
        const card = this.byElement.get(target);
        if (!card || !isIntersecting) continue;
        if (!card.started) {
          card.started = true;
          card.start();
        }
        this.watch.unobserve(target);
      }
    }, { rootMargin: ROOM });
  }

  /** Show these series. @param {any[]} series @param {{none: string, clear?: () => void}} options */
  show(series, { none, clear }) {
    const els = series.map((one) => {
      const key = seriesKey(one);
      let card = this.known.get(key);
      if (!card) {
        card = this.make(one);
        this.known.set(key, card);
        this.byElement.set(card.el, card);
      } else card.update?.(one);
      if (!card.started) this.watch.observe(card.el);
      return card.el;
    });
    if (!els.length) {
      fill(this.el, empty(none, clear && h("button", { type: "button", class: "button", on: { click: clear } }, "Clear the search")));
      return;
    }
    // Equal lists are left alone, so that nothing loses the focus or its place.
    if (els.length !== this.el.children.length || els.some((el, i) => el !== this.el.children[i])) fill(this.el, els);
  }

  /** The cards that are shown and have started. */
  get started() {
    return [...this.known.values()].filter((one) => one.started && one.el.isConnected);
  }
}
