/** PR curves of many runs: all in one drawing for each tag, and what is read off them in a table. */

import { fill, h } from "../core/dom.js";
import { number, plural, toNumber } from "../core/format.js";
import { area, average, best } from "../run/areas.js";
import { stepText } from "../run/steps.js";
import { CurvesPlot } from "./curves-plot.js";
import { among, check, runName, TensorPanel, TensorSheet } from "./tensor-panel.js";

const LISTS = ["precision", "recall", "thresholds", "tp", "fp", "tn", "fn"];
/** Curves of all runs together that are asked for where other steps are drawn too. */
const BUDGET = 300;

/** The panel of PR curves. */
export default class Curves extends TensorPanel {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} told */
  constructor(el, state, told) {
    super(el, state, told, {
      Sheet: CurveSheet, names: ["ct", "ci", "cf", "base"],
      controls: [
        check(state, "ct", "other steps", "Also the curves of other steps, faint"),
        check(state, "ci", "lines of equal F1"),
        check(state, "cf", "fit the axes", "Axes from the lowest point to 1, instead of from 0 to 1"),
      ],
    });
  }
}

class CurveSheet extends TensorSheet {
  path = "pr_curves";
  newest = { most: 2 };

  constructor(series, panel) {
    super(series, panel);
    this.hover = (key) => { panel.told.onHover?.(key); panel.highlight(key); };
    this.plot = new CurvesPlot(series.display_name || series.tag, this.hover);
    this.stepSays = h("p", { class: "muted stepsays" });
    this.table = h("div", { class: "scroll areas", tabindex: "0", role: "region", "aria-label": `Areas under the curves of ${series.tag}` });
    this.against = h("p", { class: "muted" });
    this.lay();
  }

  lay() {
    fill(this.box, h("div", { class: "curveplot" }, this.stepSays, this.plot.el), h("div", { class: "aside" }, this.table, this.against));
    this.laid = true;
  }

  forget() {
    this.laid = false;
  }

  get fineness() {
    return this.panel.state.get("ct");
  }

  limits(runs) {
    if (this.fineness) return { most: Math.max(3, Math.min(40, Math.floor(BUDGET / runs))) };
    return this.panel.at === null ? { most: 2 } : { step: this.panel.at };
  }

  taken(given) {
    const curves = given.steps.map((_, i) => {
      const curve = Object.fromEntries(LISTS.map((name) => [name, given[name][i].map((one) => toNumber(one) ?? NaN)]));
      return { ...curve, average: average(curve.precision, curve.recall), area: area(curve.precision, curve.recall), best: best(curve.precision, curve.recall) };
    });
    return { steps: given.steps, curves };
  }

  put(one, more) {
    among(one, more, ["curves"]);
  }

  paint() {
    if (!this.laid) this.lay();
    if (!this.found.length) {
      this.laid = false;
      fill(this.says);
      fill(this.box, h("p", { class: "muted" }, "No curve of this tag can be drawn: each needs six rows of numbers."));
      return;
    }
    const most = Math.max(...this.found.map((one) => one.total));
    fill(this.says, `${plural(this.found.length, "run")} · ${this.found.length > 1 ? "up to " : ""}${plural(most, "step")}`);
    this.relook();
  }

  relook() {
    if (!this.laid || !this.found.length) return;
    const { state } = this.panel;
    const traces = state.get("ct");
    const lines = this.found.map((one) => {
      const at = this.place(one);
      return { key: one.key, run: one.run, step: one.steps[at], curve: one.curves[at], others: traces ? one.curves.filter((_, i) => i !== at) : [] };
    });
    this.plot.show({ lines, levels: state.get("ci"), fit: state.get("cf"), lit: this.panel.lit ?? null });
    const steps = [...new Set(lines.map((one) => one.step))];
    fill(this.stepSays, h("strong", null, steps.length === 1 ? stepText(steps[0]) : `steps ${Math.min(...steps).toLocaleString("en-US")} to ${Math.max(...steps).toLocaleString("en-US")}`), steps.length > 1 && ": the nearest of each run");
    this.#table(lines);
  }

  #table(lines) {
    const base = lines.find((one) => one.key === this.panel.state.get("base")) ?? lines[0];
    const top = (name) => lines.reduce((found, one) => Math.max(found, one.curve[name]), -Infinity);
    const tops = { average: top("average"), area: top("area") };
    const value = (line, name) => h("td", { class: line.curve[name] === tops[name] && lines.length > 1 ? "number top" : "number" }, number(line.curve[name], 4));
    const delta = (line, name) => h("td", { class: "number muted" }, line === base ? "" : signed(line.curve[name] - base.curve[name]));
    const many = lines.length > 1;
    const several = new Set(lines.map((one) => one.step)).size > 1;
    const head = [["Run"], several && ["Step"], ["AP", "Average precision"], many && ["Δ", "AP against that of the baseline"], ["Area", "Below straight lines between the points"], many && ["Δ", "Area against that of the baseline"], ["F1", "The largest"], ["at", "The threshold of the largest F1"]].filter(Boolean);
    const row = (line) => {
      const { at, f1 } = line.curve.best;
      return h("tr", { dataset: { key: line.key }, class: line.key === this.panel.lit ? "lit" : "", on: { pointerenter: () => this.hover(line.key), pointerleave: () => this.hover(null) } },
        h("th", { scope: "row" }, runName(line.run)), several && h("td", { class: "number" }, line.step.toLocaleString("en-US")),
        value(line, "average"), many && delta(line, "average"), value(line, "area"), many && delta(line, "area"),
        h("td", { class: "number" }, number(f1, 4)), h("td", { class: "number", title: "threshold" }, at < 0 ? "" : number(line.curve.thresholds[at], 3)));
    };
    fill(this.table, h("table", { class: "plain" }, h("thead", null, h("tr", null, head.map(([name, title], i) => h("th", { scope: "col", class: i ? "number" : "", title }, name)))), h("tbody", null, lines.map(row))));
    fill(this.against, many && `Differences are against ${base.run.label}${base.key === this.panel.state.get("base") ? ", the baseline" : ", the first: a baseline is set in the run table"}.`);
  }

  light(key) {
    super.light(key);
    this.plot.light(key);
  }
}

/** A difference with its sign. @param {number} value */
export function signed(value) {
  if (!Number.isFinite(value)) return "";
  const rounded = Number(value.toFixed(4));
  return rounded === 0 ? "0" : `${rounded > 0 ? "+" : "−"}${number(Math.abs(rounded), 4)}`;
}
