/** Histograms of many runs: heat maps or ridges side by side on one axis of values, and what one step looks like in all of them. */

import { fill, h } from "../core/dom.js";
import { number, plural, toNumber } from "../core/format.js";
import { buckets, borders, percentiles } from "../run/bins.js";
import { Heat, ramp, Ridge } from "../run/density.js";
import { stepText } from "../run/steps.js";
import { axisOf, binned, largest } from "./shared-bins.js";
import { Slices } from "./slices.js";
import { among, check, choice, runName, TensorPanel, TensorSheet } from "./tensor-panel.js";

const VIEWS = { heat: "Heat map", ridge: "Ridges", slice: "One step" };
const SCALES = { linear: "Linear", symlog: "Symlog", log: "Log" };
const ROOM = { left: 52, top: 6, right: 10, foot: 34 };
/** Few runs have room for tall pictures. */
const FEW = 2;
const TALL = { few: 300, many: 176 };
const TALL_RIDGES = { few: 360, many: 220 };
const PERCENTS = [0, 5, 25, 50, 75, 95, 100];
const NAMES = ["min", "5 %", "25 %", "median", "75 %", "95 %", "max"];
const BINS = 100;
/** Steps of all runs together that are asked for. */
const BUDGET = 1500;

/** The panel of histograms. */
export default class Histograms extends TensorPanel {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} told */
  constructor(el, state, told) {
    const scale = h("select", { "aria-label": "Axis of values", on: { change: (event) => state.set({ hx: event.target.value }) } }, Object.entries(SCALES).map(([value, text]) => h("option", { value }, text)));
    const log = check(state, "hl", "log colour");
    const counts = check(state, "hc", "counts", "Numbers of values, instead of shares of all values of a run, where one step is shown");
    super(el, state, told, {
      Sheet: HistogramSheet, names: ["hv", "hx", "hl", "ho", "hc"],
      controls: [
        choice(state, "hv", "View", VIEWS),
        { el: h("label", { class: "field" }, "values", scale), draw: () => { scale.value = state.get("hx"); } },
        check(state, "ho", "without the outer 1 %"),
        { el: log.el, draw: () => { log.draw(); log.el.hidden = state.get("hv") !== "heat"; } },
        counts,
      ],
    });
  }
}

class HistogramSheet extends TensorSheet {
  path = "histograms";

  constructor(series, panel) {
    super(series, panel);
    this.cells = new Map();
    this.key = h("span", { class: "ramp muted" });
    this.head.append(this.key);
    const hover = (key) => { panel.told.onHover?.(key); panel.highlight(key); };
    this.hover = hover;
    this.grid = h("div", { class: "cells" });
    this.stepSays = h("p", { class: "muted stepsays" });
    this.slices = new Slices(hover);
    this.table = h("div", { class: "scroll percentiles", tabindex: "0", role: "region", "aria-label": `Percentiles of ${series.tag}` });
    this.aside = h("div", { class: "aside" }, this.stepSays, this.slices.el, this.table);
    this.lay();
  }

  lay() {
    fill(this.box, this.grid, this.aside);
    this.laid = true;
  }

  forget() {
    this.laid = false;
  }

  /** Buckets that a linear axis does not show are asked for where it is another. */
  get fineness() {
    return this.panel.state.get("hx") !== "linear";
  }

  get fine() {
    return { fine: this.fineness };
  }

  get newest() {
    return { most: 2, ...this.fine };
  }

  limits(runs) {
    return { most: Math.max(12, Math.min(200, Math.floor((this.fineness ? BUDGET / 2 : BUDGET) / runs))), ...this.fine };
  }

  taken({ steps, wall_times: walls, left, right, count }) {
    this.bins = null;
    const numbers = (row) => row.map((one) => toNumber(one));
    return { steps, walls: walls.map((one) => toNumber(one)), buckets: steps.map((_, i) => buckets(numbers(left[i]), numbers(right[i]), numbers(count[i]))) };
  }

  put(one, more) {
    among(one, more, ["walls", "buckets"]);
    this.bins = null;
  }

  /** All runs on one axis. */
  #bins() {
    const { ho, hx } = this.panel.state.values;
    const key = `${ho} ${hx} ${this.found.map((one) => one.key)}`;
    if (this.bins?.key === key) return;
    const axis = axisOf(this.found.flatMap((one) => one.buckets), { n: BINS, outside: ho ? 0.01 : 0, scale: hx });
    this.bins = { key, axis };
    if (!axis) return;
    for (const one of this.found) Object.assign(one, binned(one.buckets, axis));
    this.bins.most = largest(this.found.map((one) => one.shares)) || 1;
    const ends = this.found.map((one) => { const all = borders(one.steps); return [all[0], all.at(-1)]; });
    this.bins.span = [Math.min(...ends.map((one) => one[0])), Math.max(...ends.map((one) => one[1]))];
  }

  paint() {
    if (!this.laid) this.lay();
    this.#bins();
    const { state } = this.panel;
    const view = state.get("hv");
    const { found } = this;
    const { axis } = this.bins;
    this.box.dataset.view = view;
    if (!axis) {
      this.laid = false;
      fill(this.key);
      fill(this.box, h("p", { class: "muted" }, found.length ? (state.get("hx") === "log" ? "No value of these histograms is above zero: a logarithmic axis shows none." : "All histograms of this tag are empty, or hold no finite number.") : "None of the runs has histograms of this tag that can be drawn."));
      return;
    }
    const most = Math.max(...found.map((one) => one.total));
    fill(this.says, `${plural(found.length, "run")} · ${found.length > 1 ? "up to " : ""}${plural(most, "step")}`);
    const lost = Math.max(...found.flatMap((one) => one.lost));
    fill(this.key, view === "heat" && [this.#ramp(), h("span", null, `0 … ${number(this.bins.most * 100, 3)} % of a run's values in a bin`)], lost > 0.02 && h("span", null, `up to ${number(lost * 100, 2)} % of them are ${state.get("hx") === "log" ? "not above zero" : "beyond the axis"}`));
    this.#cells(view);
    this.relook();
  }

  #ramp() {
    return h("span", { class: "gradient", role: "img", "aria-label": "Colours from nothing to most", style: `background:linear-gradient(to right, ${ramp().join(",")})` });
  }

  #cells(view) {
    this.grid.hidden = view === "slice";
    if (view === "slice") return;
    const kept = new Map();
    const size = this.found.length <= FEW ? "few" : "many";
    const els = this.found.map((one) => {
      const id = this.#id(view, one);
      const cell = this.cells.get(id) ?? this.#cell(view, one.key, size);
      kept.set(id, cell);
      fill(cell.title, runName(one.run), cell.says);
      return cell.el;
    });
    this.cells = kept;
    if (els.length !== this.grid.children.length || els.some((el, i) => el !== this.grid.children[i])) fill(this.grid, els);
  }

  #id(view, one) {
    return `${view} ${this.found.length <= FEW} ${one.key}`;
  }

  #cell(view, key, size) {
    const pick = (at) => {
      const one = this.known.get(key);
      if (one) this.panel.state.set({ step: one.steps[at] });
    };
    const picture = view === "heat" ? new Heat(pick, { room: ROOM, height: TALL[size] }) : new Ridge(pick, { room: ROOM, height: TALL_RIDGES[size], most: size === "few" ? 40 : 24 });
    const title = h("figcaption", null);
    const el = h("figure", { class: "cell", dataset: { key }, on: { pointerenter: () => this.hover(key), pointerleave: () => this.hover(null) } }, title, picture.el);
    return { el, title, picture, says: h("span", { class: "muted" }) };
  }

  relook() {
    if (!this.bins?.axis || !this.laid) return this.bins ? undefined : this.paint();
    this.#bins();
    const { state } = this.panel;
    const { axis, most, span } = this.bins;
    const [view, log, counts] = [state.get("hv"), state.get("hl"), state.get("hc")];
    for (const one of this.found) {
      const cell = this.cells.get(this.#id(view, one));
      if (!cell) continue;
      const at = this.place(one);
      fill(cell.says, stepText(one.steps[at]));
      const name = `${this.series.tag} of ${one.run.label}`;
      cell.picture.show({ steps: one.steps, bins: { edges: axis.edges, axis, shares: one.shares, counts: one.counts, most }, at, log, colour: one.run.colour, name, span });
    }
    const lines = this.found.map((one) => ({ key: one.key, run: one.run, step: one.steps[this.place(one)], values: (counts ? one.counts : one.shares)[this.place(one)] }));
    this.slices.show({ lines, axis, counts, lit: this.panel.lit ?? null, name: this.series.tag, tall: view === "slice" });
    const steps = [...new Set(lines.map((one) => one.step))];
    fill(this.stepSays, h("strong", null, steps.length === 1 ? stepText(steps[0]) : `steps ${Math.min(...steps).toLocaleString("en-US")} to ${Math.max(...steps).toLocaleString("en-US")}`), steps.length > 1 && ": the nearest of each run");
    this.#percentiles();
    return undefined;
  }

  #percentiles() {
    const several = new Set(this.found.map((one) => one.steps[this.place(one)])).size > 1;
    const head = h("thead", null, h("tr", null, [["Run", ""], ...[...NAMES, "values", several && "step"].map((name) => name && [name, "number"])].filter(Boolean).map(([name, kind]) => h("th", { scope: "col", class: kind }, name))));
    const rows = this.found.map((one) => {
      const at = this.place(one);
      const step = one.buckets[at];
      const whole = step.reduce((sum, each) => sum + each[2], 0);
      const values = [...percentiles(step, PERCENTS).map((value) => number(value, 3)), number(whole, 4), ...(several ? [one.steps[at].toLocaleString("en-US")] : [])];
      return h("tr", { dataset: { key: one.key }, class: one.key === this.panel.lit ? "lit" : "", on: { pointerenter: () => this.hover(one.key), pointerleave: () => this.hover(null) } },
        h("th", { scope: "row" }, runName(one.run)), values.map((value) => h("td", { class: "number" }, value)));
    });
    fill(this.table, h("table", { class: "plain" }, head, h("tbody", null, rows)));
  }

  light(key) {
    super.light(key);
    this.slices.light(key);
  }
}
