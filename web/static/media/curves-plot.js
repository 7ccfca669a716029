/** PR curves of many runs in one drawing. */

import { h } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { atF1 } from "../run/areas.js";
import { axes, ink, Plot } from "../run/plot.js";

const HEIGHT = 400;
const ROOM = { left: 48, top: 12, right: 40, foot: 36 };
const LEVELS = [0.2, 0.4, 0.6, 0.8, 0.9];
const TOLD = 10;
const REACH = 60;

/** @typedef {{key: string, run: any, step: number, curve: any, others: any[]}} Line a run's curve at its step, and those of other steps */

/** The curves of some runs. */
export class CurvesPlot {
  /** @param {string} name @param {(key: string | null) => void} onHover */
  constructor(name, onHover) {
    Object.assign(this, { name, onHover, lines: [], hit: null });
    this.plot = new Plot({ label: `Precision against recall of ${name}`, height: HEIGHT, draw: (context) => this.#draw(context), hover: (x, y) => this.#hover(x, y) });
    this.el = this.plot.el;
    this.plot.canvas.addEventListener("pointerleave", () => { this.hit = null; onHover(null); });
  }

  /** @param {{lines: Line[], levels: boolean, fit: boolean, lit: string | null}} more `levels`: lines of equal F1; `fit`: axes as far as there are curves */
  show(more) {
    Object.assign(this, more);
    this.range = more.fit ? fitted(more.lines) : { x: [0, 1], y: [0, 1] };
    this.plot.say(`Precision against recall of ${this.name} in ${plural(more.lines.length, "run")}`);
    this.plot.redraw();
  }

  /** Mark a run. @param {string | null} key */
  light(key) {
    this.lit = key;
    this.plot.redraw();
  }

  get #place() {
    const { clientWidth: width, clientHeight: height } = this.plot.canvas;
    const box = { left: ROOM.left, top: ROOM.top, width: Math.max(1, width - ROOM.left - ROOM.right), height: height - ROOM.top - ROOM.foot };
    const { x: [left, right], y: [low, high] } = this.range;
    return { box, x: (recall) => box.left + ((recall - left) / (right - left)) * box.width, y: (precision) => box.top + ((high - precision) / (high - low)) * box.height };
  }

  #draw(context) {
    if (!this.range) return;
    const { box, x, y } = this.#place;
    const { range, lines } = this;
    axes(context, box, { low: range.x[0], high: range.x[1], name: "recall" }, { low: range.y[0], high: range.y[1] }, { grid: true });
    context.save();
    context.beginPath();
    context.rect(box.left, box.top - 1, box.width + ROOM.right, box.height + 2);
    context.clip();
    if (this.levels) this.#levels(context, x, y, box);
    const lit = lines.find((one) => one.key === this.lit);
    context.lineJoin = "bevel";
    const trace = (curve) => {
      context.beginPath();
      let open = false;
      curve.recall.forEach((recall, i) => {
        const precision = curve.precision[i];
        if (!Number.isFinite(recall) || !Number.isFinite(precision)) return;
        if (open) context.lineTo(x(recall), y(precision));
        else context.moveTo(x(recall), y(precision));
        open = true;
      });
      context.stroke();
    };
    for (const line of lines) {
      context.strokeStyle = line.run.colour;
      context.lineWidth = 1;
      context.globalAlpha = lit && line !== lit ? 0.06 : 0.22;
      for (const other of line.others) trace(other);
    }
    const main = (line) => {
      context.strokeStyle = line.run.colour;
      context.lineWidth = line === lit ? 3 : lines.length > 12 ? 1.25 : 2;
      context.globalAlpha = lit && line !== lit ? 0.3 : 1;
      trace(line.curve);
    };
    for (const line of lines) if (line !== lit) main(line);
    if (lit) main(lit);
    context.restore();
    if (this.hit && !this.plot.tip.hidden) {
      const { curve, run } = this.hit.line;
      context.fillStyle = run.colour;
      context.strokeStyle = ink().text;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(x(curve.recall[this.hit.at]), y(curve.precision[this.hit.at]), 4.5, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }

  /** Faint lines on which F1 is the same. */
  #levels(context, x, y, box) {
    const colours = ink();
    context.strokeStyle = colours.muted;
    context.fillStyle = colours.muted;
    context.lineWidth = 1;
    context.setLineDash([2, 4]);
    context.textAlign = "left";
    context.textBaseline = "middle";
    const [left, right] = this.range.x;
    for (const level of LEVELS) {
      context.globalAlpha = 0.55;
      context.beginPath();
      let open = false;
      let last = null;
      for (let i = 0; i <= 200; i += 1) {
        const recall = left + ((right - left) * i) / 200;
        const precision = atF1(level, recall);
        if (precision === null) continue;
        last = precision;
        if (open) context.lineTo(x(recall), y(precision));
        else context.moveTo(x(recall), y(precision));
        open = true;
      }
      context.stroke();
      context.globalAlpha = 1;
      const at = last === null ? -1 : y(last);
      if (at > box.top + 4 && at < box.top + box.height - 4) context.fillText(`F1 ${level}`, box.left + box.width + 4, at);
    }
    context.setLineDash([]);
  }

  #hover(px, py) {
    if (!this.range || !this.lines.length) return null;
    const { x, y } = this.#place;
    let [hit, far] = [null, REACH ** 2];
    for (const line of this.lines) {
      const { recall, precision } = line.curve;
      for (let at = 0; at < recall.length; at += 1) {
        const away = (x(recall[at]) - px) ** 2 + (y(precision[at]) - py) ** 2;
        if (away < far) [hit, far] = [{ line, at }, away];
      }
    }
    this.hit = hit;
    if (this.lit !== (hit?.line.key ?? null)) this.onHover(hit?.line.key ?? null);
    this.lit = hit?.line.key ?? null;
    if (!hit) return null;
    const threshold = hit.line.curve.thresholds[hit.at];
    const rows = this.lines.map((line) => ({ line, at: closest(line.curve.thresholds, threshold) }));
    // Those whose point at this threshold is near come first; the one that is pointed at is one of them.
    const away = ({ line, at }) => (line === hit.line ? -1 : (x(line.curve.recall[at]) - px) ** 2 + (y(line.curve.precision[at]) - py) ** 2);
    const told = [...rows].sort((a, b) => away(a) - away(b)).slice(0, TOLD);
    const order = rows.filter((row) => told.includes(row));
    const names = ["precision", "recall", "tp", "fp", "tn", "fn"];
    return [
      h("div", null, h("strong", null, `threshold ${number(threshold, 4)}`)),
      h("table", { class: "tiprows" },
        h("tr", null, h("td"), h("td"), names.map((name) => h("td", { class: "number muted" }, name.length === 2 ? name.toUpperCase() : name))),
        order.map(({ line, at }) => h("tr", { class: line === hit.line ? "near" : "" },
          h("td", null, h("span", { class: "dot", style: `background:${line.run.colour}` })), h("td", { class: "name" }, line.run.label),
          names.map((name) => h("td", { class: "number" }, number(line.curve[name][at], 4)))))),
      rows.length > order.length && h("div", { class: "muted" }, `and ${plural(rows.length - order.length, "more run")}`),
    ].filter(Boolean);
  }
}

function closest(list, value) {
  let found = 0;
  for (let i = 1; i < list.length; i += 1) if (Math.abs(list[i] - value) < Math.abs(list[found] - value)) found = i;
  return found;
}

/** Axes that hold all curves, with some room; they end at 1. @param {Line[]} lines */
export function fitted(lines) {
  const least = (name) => {
    let low = 1;
    for (const { curve } of lines) for (const one of curve[name]) if (one < low) low = one;
    return Math.max(0, Math.floor((low - 0.02) * 20) / 20);
  };
  return { x: [Math.min(0.95, least("recall")), 1], y: [Math.min(0.95, least("precision")), 1] };
}
