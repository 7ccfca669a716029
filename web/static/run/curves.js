/** Precision against recall by tag, at a step. */

import { fill, h } from "../core/dom.js";
import { number, toNumber } from "../core/format.js";
import { average } from "./areas.js";
import { seriesTitle } from "./cards.js";
import { axes, ink, Plot } from "./plot.js";
import { SeriesCard, seriesPart, SeriesTab } from "./series.js";
import { nearest, stepText, wallText } from "./steps.js";

const of = (data) => data.series.filter((one) => one.plugin === "pr_curves" && one.kind === "tensor");
const HEIGHT = 320;
const BOX = { left: 48, top: 10, right: 14, foot: 36 };

class Curves extends SeriesTab {
  constructor(el, page) {
    super(el, page, { of, Card: Curve, step: "Step of the curves", search: "pc", kind: "thirds", none: (words) => `No PR curve is called “${words}”.` });
  }
}

export default seriesPart({ id: "curves", label: "PR curves", none: "This run logged no PR curves.", of, Tab: Curves });

class Curve extends SeriesCard {
  path = "pr_curves";
  limits = { most: 200 };

  constructor(series, tab) {
    super(series, tab);
    this.says = h("p", { class: "muted says" });
    this.plot = new Plot({ label: `Precision against recall of ${series.tag}`, height: HEIGHT, draw: (...given) => this.#paint(...given), hover: (x, y) => this.#hover(x, y) });
    this.box = h("div", null, this.says, this.plot.el);
    this.el = h("section", { class: "sheet", "aria-label": series.tag }, seriesTitle(series), this.box);
  }

  take(given) {
    for (const name of ["precision", "recall", "thresholds", "tp", "fp", "tn", "fn"]) given[name] = given[name].map((row) => row.map((one) => toNumber(one) ?? NaN));
    this.given = given;
    this.steps = given.steps;
    this.walls = new Map(given.steps.map((step, i) => [step, toNumber(given.wall_times[i])]));
    fill(this.box, this.says, this.plot.el);
  }

  draw() {
    const { given } = this;
    if (!given?.steps.length) {
      if (given) fill(this.box, h("p", { class: "muted" }, "No curve of this tag can be drawn: each needs six rows of numbers."));
      return;
    }
    this.at = nearest(given.steps, this.tab.page.state.get("step"));
    const area = average(given.precision[this.at], given.recall[this.at]);
    fill(this.says, h("strong", null, stepText(given.steps[this.at])), wallText(this.walls.get(given.steps[this.at])), ` · area ${number(area, 4)}`);
    this.plot.say(`Precision against recall of ${this.series.tag} at step ${given.steps[this.at]}: area ${number(area, 4)}, ${given.recall[this.at].length} thresholds`);
    this.plot.redraw();
  }

  #place(width, height) {
    const box = { left: BOX.left, top: BOX.top, width: width - BOX.left - BOX.right, height: height - BOX.top - BOX.foot };
    return { box, x: (recall) => box.left + recall * box.width, y: (precision) => box.top + (1 - precision) * box.height };
  }

  #paint(context, width, height) {
    const { given } = this;
    if (!given?.steps.length || this.at === undefined) return;
    const { box, x, y } = this.#place(width, height);
    axes(context, box, { low: 0, high: 1, name: "recall" }, { low: 0, high: 1 }, { grid: true });
    const line = (step) => {
      context.beginPath();
      let open = false;
      given.recall[step].forEach((recall, i) => {
        const precision = given.precision[step][i];
        if (!Number.isFinite(recall) || !Number.isFinite(precision)) return;
        if (open) context.lineTo(x(recall), y(precision));
        else context.moveTo(x(recall), y(precision));
        open = true;
      });
      context.stroke();
    };
    context.strokeStyle = this.tab.page.colour;
    context.lineJoin = "bevel";
    // The other steps stand behind, faint: whether the curve moves is what one wants to see.
    context.lineWidth = 1;
    context.globalAlpha = 0.35;
    const every = Math.max(1, Math.ceil(given.steps.length / 12));
    given.steps.forEach((_, step) => { if (step !== this.at && step % every === 0) line(step); });
    context.globalAlpha = 1;
    context.lineWidth = 2;
    line(this.at);
    if (this.hit != null && this.plot.tip.hidden === false) {
      context.fillStyle = ink().text;
      context.beginPath();
      context.arc(x(given.recall[this.at][this.hit]), y(given.precision[this.at][this.hit]), 4, 0, 2 * Math.PI);
      context.fill();
    }
  }

  #hover(px, py) {
    const { given, at } = this;
    if (!given?.steps.length) return null;
    const { x, y } = this.#place(this.plot.canvas.clientWidth, HEIGHT);
    let [best, far] = [-1, Infinity];
    given.recall[at].forEach((recall, i) => {
      const away = (x(recall) - px) ** 2 + (y(given.precision[at][i]) - py) ** 2;
      if (away < far) [best, far] = [i, away];
    });
    this.hit = best;
    if (best < 0 || far > 80 ** 2) return null;
    const of = (name) => given[name][at][best];
    return [
      h("div", null, h("strong", null, `threshold ${number(of("thresholds"), 4)}`)),
      h("div", null, `precision ${number(of("precision"), 4)} · recall ${number(of("recall"), 4)}`),
      h("div", { class: "muted" }, `TP ${number(of("tp"))} · FP ${number(of("fp"))} · TN ${number(of("tn"))} · FN ${number(of("fn"))}`),
    ];
  }
}
