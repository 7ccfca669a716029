/** Pictures of histograms over time: heat map, ridges, and the slice at a step. */

import { h } from "../core/dom.js";
import { number } from "../core/format.js";
import { theme } from "../core/theme.js";
import { borders } from "./bins.js";
import { axes, between, ink, Plot } from "./plot.js";
import { stepText } from "./steps.js";

const HEIGHT = 260;
const BOX = { left: 64, top: 8, right: 12, foot: 36 };
/** From nothing to most; each theme's own panel is where it starts. */
const RAMPS = {
  light: [[255, 255, 255], [199, 219, 246], [116, 165, 230], [47, 101, 190], [22, 45, 110]],
  dark: [[23, 28, 37], [32, 62, 112], [54, 113, 193], [122, 178, 240], [226, 240, 255]],
};
const LOG = 100;
const RIDGES = 40;

/** @param {number} width @param {number} height @param {{left: number, top: number, right: number, foot: number}} [room] around it */
const inner = (width, height, room = BOX) => ({ left: room.left, top: room.top, width: Math.max(1, width - room.left - room.right), height: height - room.top - room.foot });

function lines(...rows) {
  return rows.filter(Boolean).map((row) => h("div", null, row));
}

function range(bins, i) {
  return `${number(bins.edges[i], 4)} … ${number(bins.edges[i + 1], 4)}`;
}

/** The axis of values: bins on a scale of their own say in `axis` where they lie on it. */
function values({ axis, edges }) {
  return axis ?? { low: edges[0], high: edges[edges.length - 1] };
}

function part(share) {
  return `${number(share * 100, 3)} % of the values`;
}

/** The colours of a heat map from nothing to most, as CSS has them. */
export function ramp() {
  return RAMPS[theme()].map((stop) => `rgb(${stop.join(" ")})`);
}

/** Step across, value up, density as colour. */
export class Heat {
  /** @param {(at: number) => void} pick @param {{height?: number, room?: {left: number, top: number, right: number, foot: number}}} [size] */
  constructor(pick, { height: tall = HEIGHT, room = BOX } = {}) {
    Object.assign(this, { tall, room });
    this.plot = new Plot({
      label: "", height: tall,
      draw: (context, width, height) => this.#draw(context, width, height),
      hover: (x, y) => this.#hover(x, y),
      pick: (x) => { const at = this.#step(x); if (at >= 0) pick(at); },
    });
    this.el = this.plot.el;
  }

  show(more) {
    Object.assign(this, more);
    this.columns = borders(more.steps);
    /** Several runs have one axis of steps: where it begins and ends. */
    this.ends = more.span ?? [this.columns[0], this.columns[this.columns.length - 1]];
    const [low, high] = [more.bins.edges[0], more.bins.edges[more.bins.edges.length - 1]];
    this.plot.say(`Heat map of ${more.name}: ${more.steps.length} steps from ${more.steps[0]} to ${more.steps[more.steps.length - 1]}, values from ${number(low, 3)} to ${number(high, 3)}`);
    this.plot.redraw();
  }

  #x(value, box) {
    const [first, last] = this.ends;
    return box.left + ((value - first) / (last - first)) * box.width;
  }

  #draw(context, width, height) {
    if (!this.bins) return;
    const box = inner(width, height, this.room);
    const { shares, edges, most } = this.bins;
    const n = edges.length - 1;
    const sheet = this.#sheet(shares, n, most);
    context.imageSmoothingEnabled = false;
    for (let i = 0; i < shares.length; i += 1) {
      const from = Math.floor(this.#x(this.columns[i], box));
      const to = Math.ceil(this.#x(this.columns[i + 1], box));
      context.drawImage(sheet, i, 0, 1, n, from, box.top, Math.max(1, to - from), box.height);
    }
    const x = { low: this.ends[0], high: this.ends[1], name: "step", whole: true };
    axes(context, box, x, values(this.bins));
    const mark = (at, colour, dash) => {
      const middle = Math.round((this.#x(this.columns[at], box) + this.#x(this.columns[at + 1], box)) / 2) + 0.5;
      context.strokeStyle = colour;
      context.setLineDash(dash);
      context.beginPath();
      context.moveTo(middle, box.top);
      context.lineTo(middle, box.top + box.height);
      context.stroke();
      context.setLineDash([]);
    };
    mark(this.at, ink().text, [4, 3]);
    if (this.hovered != null && this.plot.tip.hidden === false) mark(this.hovered, ink().muted, []);
  }

  /** One pixel for each bin, to be stretched: a column is as wide as its step lasts. Made anew only for other bins, colours or scale. */
  #sheet(shares, n, most) {
    const made = `${theme()} ${this.log}`;
    if (this.sheet && this.made === made && this.of === shares) return this.sheet;
    const tint = Array.from({ length: 256 }, (_, i) => between(RAMPS[theme()], i / 255));
    const level = (one) => Math.round(255 * (this.log ? Math.log1p((LOG * one) / most) / Math.log1p(LOG) : one / most));
    const image = new ImageData(shares.length, n);
    shares.forEach((column, i) => {
      for (let k = 0; k < n; k += 1) {
        const [r, g, b] = tint[level(column[k])];
        image.data.set([r, g, b, column[k] > 0 ? 255 : 0], ((n - 1 - k) * shares.length + i) * 4);
      }
    });
    const sheet = new OffscreenCanvas(shares.length, n);
    sheet.getContext("2d").putImageData(image, 0, 0);
    Object.assign(this, { sheet, made, of: shares });
    return sheet;
  }

  #step(x) {
    const box = inner(this.plot.canvas.clientWidth, this.tall, this.room);
    if (!this.columns || x < box.left || x > box.left + box.width) return -1;
    if (x < this.#x(this.columns[0], box)) return -1;
    for (let i = 0; i < this.steps.length; i += 1) if (x <= this.#x(this.columns[i + 1], box)) return i;
    return -1;
  }

  #hover(x, y) {
    const box = inner(this.plot.canvas.clientWidth, this.tall, this.room);
    const at = this.#step(x);
    const n = this.bins.edges.length - 1;
    const k = Math.floor(((box.top + box.height - y) / box.height) * n);
    this.hovered = at;
    if (at < 0 || k < 0 || k >= n) return null;
    return lines(h("strong", null, stepText(this.steps[at])), range(this.bins, k), part(this.bins.shares[at][k]));
  }
}

/** The histogram at one step. */
export class Slice {
  constructor() {
    this.plot = new Plot({ label: "Histogram at one step", height: HEIGHT - 24, draw: (context, width, height) => this.#draw(context, width, height), hover: (x) => this.#hover(x) });
    this.el = this.plot.el;
  }

  show(more) {
    Object.assign(this, more);
    this.plot.say(`Histogram of ${more.name} at step ${more.steps[more.at]}`);
    this.plot.redraw();
  }

  #draw(context, width, height) {
    if (!this.bins) return;
    const box = inner(width, height);
    const { edges } = this.bins;
    const counts = this.bins.counts[this.at];
    const n = counts.length;
    const most = Math.max(...counts) || 1;
    const at = (i) => box.left + (box.width * i) / n;
    context.fillStyle = this.colour;
    context.globalAlpha = 0.75;
    context.beginPath();
    context.moveTo(at(0), box.top + box.height);
    counts.forEach((one, i) => {
      const y = box.top + box.height * (1 - one / most);
      context.lineTo(at(i), y);
      context.lineTo(at(i + 1), y);
    });
    context.lineTo(at(n), box.top + box.height);
    context.fill();
    context.globalAlpha = 1;
    axes(context, box, { low: edges[0], high: edges[n], name: "value" }, { low: 0, high: most });
  }

  #hover(x) {
    const box = inner(this.plot.canvas.clientWidth, HEIGHT - 24);
    const n = this.bins.edges.length - 1;
    const i = Math.floor(((x - box.left) / box.width) * n);
    if (i < 0 || i >= n) return null;
    return lines(h("strong", null, range(this.bins, i)), `count ${number(this.bins.counts[this.at][i], 4)}`, part(this.bins.shares[this.at][i]));
  }
}

/** Histograms one behind the other, the newest in front. */
export class Ridge {
  /** @param {(at: number) => void} pick @param {{height?: number, room?: {left: number, top: number, right: number, foot: number}, most?: number}} [size] */
  constructor(pick, { height: tall = HEIGHT, room = BOX, most = RIDGES } = {}) {
    Object.assign(this, { tall, room, many: most });
    this.plot = new Plot({
      label: "Histograms one behind the other", height: tall,
      draw: (context, width, height) => this.#draw(context, width, height),
      hover: (x, y) => this.#hover(x, y),
      pick: (x, y) => { const at = this.#step(y); if (at >= 0) pick(at); },
    });
    this.el = this.plot.el;
  }

  show(more) {
    Object.assign(this, more);
    // So many can be told apart; the one that is shown beside is among them.
    const { length } = more.steps;
    const picked = length <= this.many ? more.steps.map((_, i) => i) : Array.from({ length: this.many }, (_, i) => Math.round((i * (length - 1)) / (this.many - 1)));
    this.rows = [...new Set([...picked, more.at])].sort((a, b) => a - b);
    this.plot.say(`Histograms of ${more.name} one behind the other: ${length} steps from ${more.steps[0]} to ${more.steps[length - 1]}`);
    this.plot.redraw();
  }

  get #lift() {
    return this.rows.length > 1 ? 0.3 : 0.9;
  }

  #base(row, box) {
    const room = box.height * (1 - this.#lift);
    return box.top + box.height * this.#lift + (this.rows.length > 1 ? (room * row) / (this.rows.length - 1) : room);
  }

  #draw(context, width, height) {
    if (!this.bins) return;
    const box = inner(width, height, this.room);
    const { edges, shares, most } = this.bins;
    const n = edges.length - 1;
    const colours = ink();
    this.rows.forEach((step, row) => {
      const base = this.#base(row, box);
      const y = (k) => base - (shares[step][k] / most) * box.height * this.#lift;
      const x = (k) => box.left + (box.width * (k + 0.5)) / n;
      const path = () => {
        context.beginPath();
        context.moveTo(box.left, base);
        for (let k = 0; k < n; k += 1) context.lineTo(x(k), y(k));
        context.lineTo(box.left + box.width, base);
      };
      path();
      context.fillStyle = colours.panel;
      context.fill();
      const chosen = step === this.at;
      context.fillStyle = this.colour;
      context.globalAlpha = chosen ? 0.7 : 0.1 + (0.25 * row) / this.rows.length;
      context.fill();
      context.globalAlpha = 1;
      path();
      context.strokeStyle = chosen || step === this.hovered ? colours.text : this.colour;
      context.lineWidth = chosen ? 1.5 : 1;
      context.stroke();
    });
    axes(context, box, { ...values(this.bins), name: "value" }, null);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillStyle = colours.muted;
    const [first, last] = [0, this.rows.length - 1];
    for (const row of first === last ? [first] : [first, last]) context.fillText(this.steps[this.rows[row]].toLocaleString("en-US"), box.left - 6, this.#base(row, box) - 4);
  }

  #step(y) {
    if (!this.rows) return -1;
    const box = inner(this.plot.canvas.clientWidth, this.tall, this.room);
    const row = this.rows.findIndex((_, i) => y <= this.#base(i, box) + 1);
    return row < 0 ? -1 : this.rows[row];
  }

  #hover(x, y) {
    const box = inner(this.plot.canvas.clientWidth, this.tall, this.room);
    const at = this.#step(y);
    const n = this.bins.edges.length - 1;
    const k = Math.floor(((x - box.left) / box.width) * n);
    this.hovered = at;
    if (at < 0 || k < 0 || k >= n) return null;
    return lines(h("strong", null, stepText(this.steps[at])), range(this.bins, k), part(this.bins.shares[at][k]));
  }
}
