/** The summary of every scalar series: where it ended, its extremes, what was not finite. */

import { fill, h, icon } from "../core/dom.js";
import { natural, number, toNumber } from "../core/format.js";
import { alone } from "../core/pattern.js";
import { empty } from "../core/ui.js";
import { searchField } from "./cards.js";

const AT_FIRST = 500;
const name = (one) => one.tag + (one.stream ? `\0${one.stream}` : "");
const COLUMNS = [
  ["tag", "Metric", name],
  ["last", "Last", (one) => toNumber(one.last)],
  ["min", "Min", (one) => toNumber(one.min)],
  ["max", "Max", (one) => toNumber(one.max)],
  ["first", "First", (one) => toNumber(one.first)],
  ["mean", "Mean", (one) => toNumber(one.mean)],
  ["points", "Points", (one) => one.points],
  ["bad", "NaN, Inf", (one) => one.nan_count + one.inf_count],
];

/** The table of metrics. */
export class Metrics {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.most = AT_FIRST;
    this.field = searchField(page.state, "q", "Search metrics");
    this.count = h("span", { class: "muted" });
    this.box = h("div");
    this.el = h("section", null, h("div", { class: "title" }, h("h2", null, "Metrics"), this.count, this.field), this.box);
  }

  follow(changed) {
    if (!["q", "sort"].some((one) => changed.has(one))) return;
    if (document.activeElement !== this.field) this.field.value = this.page.state.get("q");
    this.update();
  }

  update() {
    const all = this.page.data.series.filter((one) => one.kind === "scalar");
    const words = this.page.state.get("q").toLowerCase().split(/\s+/).filter(Boolean);
    const rows = all.filter((one) => words.every((word) => `${one.tag} ${one.stream}`.toLowerCase().includes(word)));
    this.#sort(rows);
    fill(this.count, words.length ? `${rows.length} of ${all.length}` : `${all.length.toLocaleString("en-US")} series`);
    this.field.hidden = all.length < 2;
    if (!rows.length) {
      fill(this.box, empty(all.length ? `No metric is called “${this.page.state.get("q")}”.` : "This run logged no scalars.",
        all.length ? h("button", { type: "button", class: "button", on: { click: () => { this.field.value = ""; this.page.state.set({ q: "" }); } } }, "Clear the search") : null));
      return;
    }
    const held = this.box.querySelector(".scroll");
    const [top, left] = [held?.scrollTop ?? 0, held?.scrollLeft ?? 0];
    const focused = /** @type {HTMLElement} */ (document.activeElement)?.dataset?.sort;
    const shown = rows.slice(0, this.most);
    const bad = all.some((one) => one.nan_count + one.inf_count > 0);
    fill(this.box, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Metrics" },
      h("table", { class: "plain metrics" }, this.#head(bad), h("tbody", null, shown.map((one) => this.#row(one, bad))))),
    rows.length > shown.length && h("button", { type: "button", class: "button", on: { click: () => { this.most = Infinity; this.update(); } } }, `Show all ${rows.length.toLocaleString("en-US")}`));
    const now = /** @type {HTMLElement} */ (this.box.querySelector(".scroll"));
    now.scrollTop = top;
    now.scrollLeft = left;
    if (focused) /** @type {HTMLElement} */ (this.box.querySelector(`[data-sort="${focused}"]`))?.focus();
  }

  get #order() {
    const given = this.page.state.get("sort")[0] ?? "tag";
    return given.startsWith("-") ? [given.slice(1), -1] : [given, 1];
  }

  #sort(rows) {
    const [by, sign] = this.#order;
    const value = (COLUMNS.find(([id]) => id === by) ?? COLUMNS[0])[2];
    rows.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (typeof x === "string") return sign * natural(x, y);
      // What has no value, or none that can be ordered, comes last in both directions.
      const [none, nothing] = [x === null || Number.isNaN(x), y === null || Number.isNaN(y)];
      if (none || nothing) return none - nothing || natural(name(a), name(b));
      return sign * (x - y) || natural(name(a), name(b));
    });
  }

  #head(bad) {
    const [by, sign] = this.#order;
    return h("thead", null, h("tr", null, COLUMNS.filter(([id]) => bad || id !== "bad").map(([id, label]) => {
      const on = id === by;
      const flip = on ? sign > 0 : id !== "tag" ? true : false;
      return h("th", { scope: "col", class: id === "tag" ? "" : "number", "aria-sort": on ? (sign > 0 ? "ascending" : "descending") : null },
        h("button", { type: "button", class: "sorter", dataset: { sort: id }, on: { click: () => this.page.state.set({ sort: [(flip ? "-" : "") + id] }) } }, label, on && icon(sign > 0 ? "up" : "down")));
    })));
  }

  #row(one, column) {
    const open = () => this.page.state.set({ tab: "charts", tags: alone(one.tag) });
    const at = (value, step) => [number(value), step != null && h("span", { class: "at" }, ` @${step.toLocaleString("en-US")}`)];
    const bad = one.nan_count + one.inf_count;
    const says = [one.nan_count && `${one.nan_count.toLocaleString("en-US")} NaN`, one.inf_count && `${one.inf_count.toLocaleString("en-US")} Inf`].filter(Boolean).join(", ");
    return h("tr", null,
      h("th", { scope: "row", title: one.description || one.tag }, h("button", { type: "button", class: "link", title: "Open the chart", on: { click: open } }, one.tag), one.stream && h("span", { class: "chip stream" }, one.stream)),
      h("td", { class: "number" }, number(one.last), one.last_step !== this.page.data.run.last_step && h("span", { class: "at" }, ` @${Number(one.last_step).toLocaleString("en-US")}`)),
      h("td", { class: "number" }, at(one.min, one.min_step)),
      h("td", { class: "number" }, at(one.max, one.max_step)),
      h("td", { class: "number" }, number(one.first)),
      h("td", { class: "number" }, number(one.mean)),
      h("td", { class: "number", title: one.superseded ? `and ${one.superseded.toLocaleString("en-US")} that restarts took back` : null }, one.points.toLocaleString("en-US"), one.superseded > 0 && h("span", { class: "at" }, ` +${one.superseded.toLocaleString("en-US")}`)),
      column && h("td", { class: bad ? "number bad" : "number" }, bad ? says : ""));
  }
}
