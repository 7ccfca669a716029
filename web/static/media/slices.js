/** The histograms of many runs at one step, one over the other. */

import { h } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { axes, ink, Plot } from "../run/plot.js";

const HEIGHT = 250;
const TALL = 360;
const ROOM = { left: 56, top: 20, right: 12, foot: 36 };
const TOLD = 8;

/** @typedef {{key: string, run: any, values: Float64Array, step: number}} Line */

/** Outlines of histograms in the colours of their runs. */
export class Slices {
  /** @param {(key: string | null) => void} onHover */
  constructor(onHover) {
    this.onHover = onHover;
    this.lines = [];
    this.plot = new Plot({ label: "Histograms at one step", height: HEIGHT, draw: (context, width, height) => this.#draw(context, width, height), hover: (x, y) => this.#hover(x, y) });
    this.el = this.plot.el;
    this.plot.canvas.addEventListener("pointerleave", () => onHover(null));
  }

  /**
   * @param {{lines: Line[], axis: import("./shared-bins.js").Axis, counts: boolean, lit: string | null, name: string, tall: boolean}} more
   *   `counts` are numbers of values, else shares of all values of a run
   */
  show(more) {
    Object.assign(this, more);
    this.most = more.lines.reduce((most, { values }) => values.reduce((own, one) => Math.max(own, one), most), 0) || 1;
    this.plot.canvas.style.height = `${more.tall ? TALL : HEIGHT}px`;
    this.plot.say(`Histograms of ${more.name} in ${plural(more.lines.length, "run")}, values from ${number(more.axis.edges[0], 3)} to ${number(more.axis.edges.at(-1), 3)}`);
    this.plot.redraw();
  }

  /** Mark a run. @param {string | null} key */
  light(key) {
    this.lit = key;
    this.plot.redraw();
  }

  get #box() {
    const { clientWidth, clientHeight } = this.plot.canvas;
    return { left: ROOM.left, top: ROOM.top, width: Math.max(1, clientWidth - ROOM.left - ROOM.right), height: clientHeight - ROOM.top - ROOM.foot };
  }

  #draw(context) {
    if (!this.axis) return;
    const box = this.#box;
    const { axis, lines, most } = this;
    const n = axis.edges.length - 1;
    const colours = ink();
    const y = (value) => box.top + box.height * (1 - value / most);
    const x = (i) => box.left + (box.width * i) / n;
    const high = this.counts ? most : most * 100;
    axes(context, box, { low: axis.low, high: axis.high, scale: axis.scale, name: "value" }, { low: 0, high });
    context.fillStyle = colours.muted;
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    context.fillText(this.counts ? "values in a bin" : "% of a run's values in a bin", box.left + 4, box.top - 8);
    const lit = lines.find((one) => one.key === this.lit);
    const trace = ({ values }) => {
      context.beginPath();
      context.moveTo(x(0), y(0));
      values.forEach((one, i) => {
        context.lineTo(x(i), y(one));
        context.lineTo(x(i + 1), y(one));
      });
      context.lineTo(x(n), y(0));
    };
    const paint = (line, faint) => {
      trace(line);
      if (lines.length <= 4 || line === lit) {
        context.fillStyle = line.run.colour;
        context.globalAlpha = faint ? 0.03 : 0.14;
        context.fill();
      }
      context.strokeStyle = line.run.colour;
      context.globalAlpha = faint ? 0.25 : 1;
      context.lineWidth = line === lit ? 2.5 : lines.length > 12 ? 1 : 1.5;
      context.stroke();
      context.globalAlpha = 1;
    };
    for (const line of lines) if (line !== lit) paint(line, Boolean(lit));
    if (lit) paint(lit, false);
    if (this.bin != null && !this.plot.tip.hidden) {
      context.fillStyle = colours.text;
      context.globalAlpha = 0.08;
      context.fillRect(x(this.bin), box.top, x(this.bin + 1) - x(this.bin), box.height);
      context.globalAlpha = 1;
    }
  }

  #hover(px, py) {
    const box = this.#box;
    if (!this.axis || !this.lines.length) return null;
    const { edges } = this.axis;
    const n = edges.length - 1;
    const i = Math.floor(((px - box.left) / box.width) * n);
    this.bin = i;
    if (i < 0 || i >= n) return null;
    const y = (line) => box.top + box.height * (1 - line.values[i] / this.most);
    const near = this.lines.reduce((found, one) => (Math.abs(y(one) - py) < Math.abs(y(found) - py) ? one : found));
    if (this.lit !== near.key) this.onHover(near.key);
    this.lit = near.key;
    const order = [...this.lines].sort((a, b) => b.values[i] - a.values[i]);
    const told = order.slice(0, TOLD);
    if (!told.includes(near)) told[TOLD - 1] = near;
    const says = (value) => (this.counts ? number(value, 4) : `${number(value * 100, 3)} %`);
    return [
      h("div", null, h("strong", null, `${number(edges[i], 4)} … ${number(edges[i + 1], 4)}`)),
      h("table", { class: "tiprows" }, told.map((one) => h("tr", { class: one === near ? "near" : "" }, h("td", null, h("span", { class: "dot", style: `background:${one.run.colour}` })), h("td", { class: "name" }, one.run.label), h("td", { class: "number" }, says(one.values[i]))))),
      order.length > told.length && h("div", { class: "muted" }, `and ${plural(order.length - told.length, "more run")}`),
    ].filter(Boolean);
  }
}
