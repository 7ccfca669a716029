/** One canvas of the viewer: an image at a zoom, its pixel grid and the values of its pixels. */

import { fill, h } from "../core/dom.js";
import { at } from "./pixels.js";

const GRID_FROM = 10; // screen pixels of an image's pixel, from which on lines part them
const VALUES_FROM = 46; // and from which on their values are written
const [SMALL, LARGE] = [10, 16]; // pixels of a value's letters

/** A sharp canvas that fills its box. */
export class Canvas {
  /** @param {string} label */
  constructor(label) {
    this.el = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img", "aria-label": label }));
    this.first = h("span", { class: "side-tag" });
    this.second = h("span", { class: "side-tag B end", hidden: true });
    this.message = h("div", { class: "message", hidden: true });
    this.box = h("div", { class: "pane" }, this.el, this.first, this.second, this.message);
  }

  /** What is seen here, for people and for screen readers. @param {string} title @param {string} letter @param {string} [second] what is seen at the right of the wipe */
  say(title, letter, second = "") {
    this.el.setAttribute("aria-label", second ? `Left ${title}, right ${second}` : title);
    this.first.className = `side-tag ${letter}`;
    fill(this.first, letter && h("b", null, letter), letter && ` ${letter.length > 1 ? "" : title}`);
    if (second) fill(this.second, h("b", null, "B"), ` ${second}`);
  }

  /** A message in the place of the image; none takes it away. @param {Node | string} what @param {string} key an equal one is left as it is */
  complain(what, key) {
    this.message.hidden = !key;
    if (key && key !== this.complained) fill(this.message, what);
    this.complained = key;
  }

  get size() {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  /** The place in the image under a place of the window. @param {{scale: number, x: number, y: number}} view */
  toImage(view, clientX, clientY) {
    const box = this.el.getBoundingClientRect();
    return { x: view.x + (clientX - box.left - box.width / 2) / view.scale, y: view.y + (clientY - box.top - box.height / 2) / view.scale };
  }

  /**
   * Paint layers over one another. The view's x and y are the place of the image in the middle.
   * @param {{scale: number, x: number, y: number}} view
   * @param {{image: CanvasImageSource, width: number, height: number, from?: number, to?: number}[]} layers `from` and `to` are bounds in screen pixels
   * @param {{look?: string, grid?: boolean, pixels?: import("./pixels.js").Pixels | null, grey?: boolean, write?: ((x: number, y: number) => string[] | null) | null, hover?: {x: number, y: number} | null, cut?: number | null}} how
   */
  draw(view, layers, { look = "none", grid = false, pixels = null, grey = false, write = null, hover = null, cut = null } = {}) {
    const { width, height } = this.size;
    const ratio = devicePixelRatio || 1;
    const [wide, high] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (this.el.width !== wide || this.el.height !== high) Object.assign(this.el, { width: wide, height: high });
    const context = /** @type {CanvasRenderingContext2D} */ (this.el.getContext("2d"));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, wide, high);
    const { scale } = view;
    // Whole screen pixels, so that pixels of the image have straight edges.
    const left = Math.round((width / 2 - view.x * scale) * ratio) / ratio;
    const top = Math.round((height / 2 - view.y * scale) * ratio) / ratio;
    context.imageSmoothingEnabled = scale * ratio < 1;
    context.imageSmoothingQuality = "high";
    for (const layer of layers) {
      context.save();
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      if (layer.from !== undefined || layer.to !== undefined) {
        context.beginPath();
        context.rect(layer.from ?? 0, 0, (layer.to ?? width) - (layer.from ?? 0), height);
        context.clip();
      }
      context.fillStyle = checks(context);
      context.fillRect(left, top, layer.width * scale, layer.height * scale);
      context.filter = look;
      context.drawImage(layer.image, left, top, layer.width * scale, layer.height * scale);
      context.restore();
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [first] = layers;
    if (first && grid && scale >= GRID_FROM) this.#lines(context, left, top, scale, first, width, height, ratio);
    if (pixels && scale >= VALUES_FROM) this.#values(context, left, top, scale, pixels, grey, write, width, height);
    if (hover && scale >= 4) {
      context.lineWidth = 3;
      context.strokeStyle = "rgb(0 0 0 / 70%)";
      context.strokeRect(left + hover.x * scale, top + hover.y * scale, scale, scale);
      context.lineWidth = 1.5;
      context.strokeStyle = "#fff";
      context.strokeRect(left + hover.x * scale, top + hover.y * scale, scale, scale);
    }
    if (cut !== null) {
      context.fillStyle = "rgb(0 0 0 / 60%)";
      context.fillRect(cut - 2, 0, 4, height);
      context.fillStyle = "#fff";
      context.fillRect(cut - 1, 0, 2, height);
      knob(context, cut, height / 2);
    }
  }

  #lines(context, left, top, scale, { width: w, height: hgt }, width, height, ratio) {
    const [x0, x1] = [Math.max(0, Math.floor(-left / scale)), Math.min(w, Math.ceil((width - left) / scale))];
    const [y0, y1] = [Math.max(0, Math.floor(-top / scale)), Math.min(hgt, Math.ceil((height - top) / scale))];
    context.beginPath();
    const sharp = (value) => Math.round(value * ratio) / ratio + 0.5 / ratio;
    for (let x = x0; x <= x1; x += 1) {
      context.moveTo(sharp(left + x * scale), top + y0 * scale);
      context.lineTo(sharp(left + x * scale), top + y1 * scale);
    }
    for (let y = y0; y <= y1; y += 1) {
      context.moveTo(left + x0 * scale, sharp(top + y * scale));
      context.lineTo(left + x1 * scale, sharp(top + y * scale));
    }
    context.lineWidth = 1 / ratio;
    context.strokeStyle = "rgb(128 128 128 / 55%)";
    context.stroke();
  }

  #values(context, left, top, scale, pixels, grey, write, width, height) {
    const font = Math.round(Math.max(SMALL, Math.min(LARGE, scale / 6)));
    context.font = `${font}px ui-monospace, Menlo, Consolas, monospace`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    for (let y = Math.max(0, Math.floor(-top / scale)); y < pixels.height && top + y * scale < height; y += 1) {
      for (let x = Math.max(0, Math.floor(-left / scale)); x < pixels.width && left + x * scale < width; x += 1) {
        const value = /** @type {number[]} */ (at(pixels, x, y));
        const lines = write ? write(x, y) : grey ? [String(value[0])] : value.slice(0, value[3] === 255 ? 3 : 4).map(String);
        if (!lines) continue;
        const bright = 0.299 * value[0] + 0.587 * value[1] + 0.114 * value[2] > 140;
        context.fillStyle = bright ? "#000" : "#fff";
        lines.forEach((text, i) => context.fillText(text, left + (x + 0.5) * scale, top + (y + 0.5) * scale + (i - (lines.length - 1) / 2) * (font + 2)));
      }
    }
  }
}

/** What shows that the line can be moved. */
function knob(context, x, y) {
  context.beginPath();
  context.arc(x, y, 13, 0, 2 * Math.PI);
  context.fillStyle = "#fff";
  context.fill();
  context.lineWidth = 1;
  context.strokeStyle = "rgb(0 0 0 / 60%)";
  context.stroke();
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(x + side * 3, y - 4);
    context.lineTo(x + side * 7, y);
    context.lineTo(x + side * 3, y + 4);
  }
  context.lineWidth = 1.5;
  context.strokeStyle = "#1b2330";
  context.stroke();
}

let pattern = null;

/** What shines through where an image is transparent. */
function checks(context) {
  if (!pattern) {
    const tile = new OffscreenCanvas(16, 16);
    const paint = /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext("2d"));
    paint.fillStyle = "#c8c8c8";
    paint.fillRect(0, 0, 16, 16);
    paint.fillStyle = "#a4a4a4";
    paint.fillRect(0, 0, 8, 8);
    paint.fillRect(8, 8, 8, 8);
    pattern = context.createPattern(tile, "repeat");
  }
  return pattern;
}
