/** Where a panel's picture stands: the figure, what lies above it, and what is said in its place. */

import { borrow } from "../charts/figure.js";
import { button, fill, h, onFrame } from "../core/dom.js";
import { saveBlob } from "../core/save.js";
import { onTheme } from "../core/theme.js";
import { failed, menu, tell, toast } from "../core/ui.js";

const SVG = "http://www.w3.org/2000/svg";
const BESIDE = 14; // pixels between the pointer and the card
const EDGE = 4;

/** An element of an SVG. @param {string} name @param {Record<string, any>} attributes */
export function drawn(name, attributes = {}, ...children) {
  const el = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== false) el.setAttribute(key, String(value));
  el.append(...children);
  return el;
}

export class Stage {
  /**
   * @param {{kind: "points" | "parallel", label: string, keys: string, redraw: () => void}} how `keys` says what keys do, `redraw`
   *   paints anew because size or theme have changed
   */
  constructor({ kind, label, keys, redraw }) {
    this.kind = kind;
    this.figure = null;
    this.plot = h("div", { class: "plot", tabindex: "0", role: "application", "aria-label": label, "aria-description": keys });
    this.above = /** @type {SVGSVGElement} */ (drawn("svg", { class: "above", "aria-hidden": "true" }));
    this.card = h("div", { class: "card-tip", "aria-hidden": "true", hidden: true });
    this.message = h("div", { class: "message", hidden: true });
    this.bar = h("div", { class: "loading", hidden: true });
    this.voice = h("p", { class: "sr", role: "status" });
    this.spot = h("span", { class: "spot", tabindex: "-1" });
    this.plot.append(this.above, this.spot);
    this.el = h("div", { class: `stage ${kind}` }, this.plot, this.card, this.message, this.bar, this.voice);
    const soon = onFrame(() => {
      if (!this.figure || !this.plot.clientWidth) return;
      this.figure.resize(this.width, this.height);
      redraw();
    });
    new ResizeObserver(soon).observe(this.plot);
    onTheme(soon);
  }

  get width() {
    return Math.max(160, Math.floor(this.plot.clientWidth));
  }

  get height() {
    return Math.max(120, Math.floor(this.plot.clientHeight));
  }

  /** The figure, made when it is first needed. */
  async ready() {
    if (this.figure) return this.figure;
    // Who failed to load it once may try again.
    this.making ??= borrow(true, this.kind).catch((error) => { this.making = null; throw error; });
    const figure = await this.making;
    if (!this.figure) {
      this.figure = figure;
      figure.attach(this.plot, this.width, this.height);
    }
    return figure;
  }

  /** Whether something is on its way. */
  busy(on) {
    this.bar.hidden = !on;
    this.el.setAttribute("aria-busy", String(on));
  }

  /** Say something in the place of the picture; nothing: show the picture. */
  say(...content) {
    this.message.hidden = !content.length;
    fill(this.message, content);
    this.plot.classList.toggle("away", content.length > 0);
  }

  fail(error, again) {
    this.say(failed(error, again));
  }

  /** A card beside a place of the plot, in pixels; without content none. */
  tip(x, y, ...content) {
    this.card.hidden = !content.length;
    if (!content.length) return;
    fill(this.card, content);
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const [w, t] = [this.width, this.height];
    this.card.style.left = `${x + BESIDE + width > w ? Math.max(EDGE, x - width - BESIDE) : x + BESIDE}px`;
    this.card.style.top = `${Math.max(EDGE, Math.min(t - height - EDGE, y - height / 2))}px`;
  }

  /** A menu at a place of the plot. */
  menu(x, y, label, items) {
    Object.assign(this.spot.style, { left: `${x}px`, top: `${y}px` });
    this.tip();
    // What opens while the pointer is being lifted is closed by that, as by any click beside it.
    setTimeout(() => {
      const shown = menu(this.spot, label, items, "start");
      shown?.el.addEventListener("toggle", (event) => { if (/** @type {ToggleEvent} */ (event).newState === "closed") this.plot.focus({ preventScroll: true }); });
    });
  }

  /** Where an event is within the plot. */
  at(event) {
    const box = this.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** A button that hands over the picture. @param {() => {title: string, name: string, lines: {name: string, colour: string, dash: number[]}[], words?: () => any[]}} said `words` are asked for behind *before* @param {() => void} [before] @param {() => void} [after] */
  download(said, before = () => {}, after = () => {}) {
    const take = async (form) => {
      if (!this.figure) return;
      const { name, words, ...rest } = said();
      before();
      try {
        saveBlob(await this.figure[form]({ ...rest, words: words?.() }), `${name}.${form}`);
      } catch (error) {
        toast(tell(error), { bad: true });
      } finally {
        after();
      }
    };
    const open = button("download", "Download the picture", () => menu(open, "Download the picture", [
      { label: "PNG", icon: "download", run: () => take("png") },
      { label: "SVG", icon: "download", run: () => take("svg") },
    ]), { "aria-haspopup": "menu", "aria-expanded": "false" });
    return open;
  }
}
