/** Our own small plots: a canvas as sharp as the screen, axes, and the colours of the theme. */

import { scaleOf, stepTicks } from "../charts/scale.js";
import { h, onFrame } from "../core/dom.js";
import { onTheme } from "../core/theme.js";

/** Drawings lower and narrower than that have their ticks closer together. */
const SMALL = 160;
const NARROW = 300;
const LETTER = 11;

/** The theme's colours. */
export function ink() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return { text: of("--text"), muted: of("--muted"), line: of("--line"), panel: of("--panel"), accent: of("--accent") };
}

const live = new Set();
onTheme(() => { for (const one of live) if (one.canvas.isConnected) one.redraw(); else live.delete(one); });

/** A canvas in a box, drawn anew when its size or the theme changes. */
export class Plot {
  /**
   * @param {{label: string, height: number, draw: (context: CanvasRenderingContext2D, width: number, height: number) => void, hover?: (x: number, y: number) => any, pick?: (x: number, y: number) => void}} options
   *   `draw` paints in pixels of the page; `hover` gives what stands beside the pointer, or null; `pick` is a click
   */
  constructor({ label, height, draw, hover, pick }) {
    this.draw = draw;
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img", "aria-label": label, style: `height:${height}px` }));
    this.tip = h("div", { class: "hint", hidden: true });
    this.el = h("div", { class: pick ? "drawing picks" : "drawing" }, this.canvas, this.tip);
    this.redraw = onFrame(() => this.#paint());
    new ResizeObserver(this.redraw).observe(this.canvas);
    // What is out of sight is painted when it comes into sight.
    this.seen = false;
    new IntersectionObserver((found) => {
      this.seen = found[found.length - 1].isIntersecting;
      if (this.seen && this.late) this.redraw();
    }, { rootMargin: "200px" }).observe(this.canvas);
    live.add(this);
    if (hover) {
      const show = onFrame((event) => this.#hover(event, hover));
      this.canvas.addEventListener("pointermove", show);
      this.canvas.addEventListener("pointerleave", () => { this.at = null; this.tip.hidden = true; this.redraw(); });
    }
    if (pick) this.canvas.addEventListener("click", (event) => pick(event.offsetX, event.offsetY));
  }

  /** What a reader that sees nothing is told. */
  say(label) {
    this.canvas.setAttribute("aria-label", label);
  }

  #paint() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.late = !this.seen || !width || !height;
    if (this.late) return;
    const scale = devicePixelRatio || 1;
    const [w, t] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.canvas.width !== w || this.canvas.height !== t) Object.assign(this.canvas, { width: w, height: t });
    const context = this.canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    this.draw(context, width, height);
  }

  #hover(event, hover) {
    const { offsetX: x, offsetY: y } = event;
    const says = hover(x, y);
    this.tip.hidden = !says;
    this.redraw();
    if (!says) return;
    this.tip.replaceChildren(...[says].flat());
    const box = this.canvas.clientWidth;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${x + 14 + width > box ? Math.max(0, x - width - 14) : x + 14}px`;
    this.tip.style.top = `${Math.max(0, y - 12)}px`;
  }
}

function ticks({ low, high, scale, whole }, most) {
  return whole ? stepTicks(low, high, most) : (scale ?? scaleOf("linear")).ticks(low, high, most);
}

/**
 * Axes around a box, with grid lines where *grid* says so.
 * @param {CanvasRenderingContext2D} context
 * @param {{left: number, top: number, width: number, height: number}} box
 * @param {{low: number, high: number, name?: string, whole?: boolean, scale?: import("../charts/scale.js").Scale}} x of places, where it has a scale
 * @param {{low: number, high: number, name?: string, scale?: import("../charts/scale.js").Scale} | null} y
 */
export function axes(context, box, x, y, { grid = false } = {}) {
  const colours = ink();
  const [right, foot] = [box.left + box.width, box.top + box.height];
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.muted;
  const crisp = (value) => Math.round(value) + 0.5;
  const stroke = (...points) => {
    context.beginPath();
    points.forEach(([a, b], i) => (i ? context.lineTo(a, b) : context.moveTo(a, b)));
    context.stroke();
  };
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const { at: value, label } of ticks(x, Math.max(2, box.width / (box.width < NARROW ? 55 : 90)))) {
    const at = crisp(box.left + ((value - x.low) / (x.high - x.low || 1)) * box.width);
    stroke([at, grid ? box.top : foot], [at, foot + 4]);
    context.fillText(label, at, foot + 7);
  }
  if (x.name) {
    context.textAlign = "right";
    context.fillText(x.name, right, foot + 21);
  }
  if (y) {
    context.textAlign = "right";
    context.textBaseline = "middle";
    const taken = [];
    // Zero is the last to go where there is no room for all labels.
    const marks = ticks(y, Math.max(2, box.height / (box.height < SMALL ? 26 : 40))).sort((a, b) => Number(b.at === 0) - Number(a.at === 0));
    for (const { at: value, label } of marks) {
      const at = crisp(foot - ((value - y.low) / (y.high - y.low || 1)) * box.height);
      stroke([box.left - 4, at], [grid ? right : box.left, at]);
      if (taken.some((other) => Math.abs(other - at) < LETTER)) continue;
      taken.push(at);
      context.fillText(label, box.left - 7, at);
    }
  }
  context.strokeStyle = colours.muted;
  stroke([box.left + 0.5, box.top], [box.left + 0.5, foot + 0.5], [right, foot + 0.5]);
}

/** A colour between the stops of a ramp. @param {[number, number, number][]} stops @param {number} t from 0 to 1 */
export function between(stops, t) {
  const at = Math.max(0, Math.min(1, t)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(at));
  return stops[i].map((from, k) => Math.round(from + (stops[i + 1][k] - from) * (at - i)));
}
