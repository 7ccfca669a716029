/** A cell of the image grid: what one series has at a step, swapped only for what can be painted at once. */

import { withdrawn } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { bytes, time } from "../core/format.js";
import { tell } from "../core/ui.js";
import { stepText } from "../run/steps.js";
import { seriesName } from "./chooser.js";

/** So many images of a step are shown; the viewer has the others. */
export const MOST_IN_CELL = 64;

/** One image. */
class Thumb {
  /** @param {Cell} cell */
  constructor(cell) {
    const { wide, high } = cell.shape;
    Object.assign(this, { cell, item: null, url: "", img: null, failed: false, waits: Promise.resolve() });
    this.el = h("button", { type: "button", class: "thumb", tabindex: "-1", style: `width:${wide}px;height:${high}px`, on: { click: (event) => cell.click(this, event) } });
  }

  /** Show an item; the one before stays until it is decoded. @param {any} item @param {string} name */
  show(item, name) {
    this.item = item;
    if (this.url === item.url) return;
    this.url = item.url;
    this.name = name;
    this.el.setAttribute("aria-label", name);
    const entry = this.cell.pool.get(item);
    if (entry.done) {
      this.#put(entry);
      return;
    }
    if (!this.img) this.el.classList.add("waiting");
    this.waits = entry.promise.then(() => { if (this.url === item.url && !withdrawn(entry.error)) this.#put(entry); });
  }

  /** Ask again for what could not be had. */
  again() {
    this.cell.pool.forget(this.url);
    this.url = "";
    this.show(this.item, this.name);
  }

  #put({ img, error }) {
    const { el } = this;
    el.classList.remove("waiting");
    el.classList.toggle("gone", Boolean(error));
    this.failed = Boolean(error);
    if (error) {
      this.img = null;
      el.title = `${tell(error)}\nPress to try again`;
      el.setAttribute("aria-label", `${this.name}: ${tell(error)}`);
      fill(el, h("span", { class: "why" }, tell(error)));
      return;
    }
    el.removeAttribute("title");
    img.classList.toggle("pixels", img.naturalWidth > 0 && img.naturalWidth < this.cell.shape.wide);
    this.img = img;
    fill(el, img);
  }
}

/** The images of one run and tag. */
export class Cell {
  /**
   * @param {HTMLElement} box
   * @param {{run: any, tag: any, shape: {wide: number, high: number}, series: import("./series.js").Series | undefined, pool: import("./pool.js").Pool, click: (thumb: any, event: MouseEvent) => void, marked: (item: any) => boolean}} what
   */
  constructor(box, what) {
    Object.assign(this, what, { box });
    /** @type {Thumb[]} */
    this.thumbs = [];
    this.strip = h("div", { class: "strip" });
    this.says = h("div", { class: "says" });
    if (!this.series) fill(box, h("span", { class: "none muted", title: "This run has no image of this tag" }, "none"));
  }

  /** Show what is nearest to a step. @param {number | null} at null is the newest @param {number | null} shown the step that the slider says */
  paint(at, shown) {
    const { series, strip, thumbs } = this;
    if (!series) return;
    // What the run had not logged yet may be there now.
    if (!strip.parentElement) fill(this.box, strip, this.says);
    const all = series.near(at);
    const items = all.slice(0, MOST_IN_CELL);
    while (thumbs.length > items.length) thumbs.pop().el.remove();
    while (thumbs.length < items.length) {
      thumbs.push(new Thumb(this));
      strip.append(thumbs.at(-1).el);
    }
    const title = `${this.run.label}, ${seriesName(this.tag)}, ${stepText(items[0].step)}`;
    items.forEach((item, i) => thumbs[i].show(item, items.length > 1 ? `${title}, image ${i + 1} of ${items.length}` : title));
    this.#say(items[0], all.length - items.length, shown);
    this.mark();
  }

  /** What can have the focus. */
  get parts() {
    return this.thumbs.map((one) => one.el);
  }

  /** Mark the image that another one is to be compared with. */
  mark() {
    for (const thumb of this.thumbs) thumb.el.classList.toggle("picked", thumb.item !== null && this.marked(thumb.item));
  }

  #say({ step, wall, width, height, nbytes, label }, more, shown) {
    const away = step !== shown;
    const title = [stepText(step), wall && time(wall), away && `the nearest to step ${shown?.toLocaleString("en-US")}`].filter(Boolean).join(" · ");
    fill(this.says, h("span", { class: away ? "away" : "", title }, away && stepText(step)), more > 0 && h("span", { class: "muted" }, `${more.toLocaleString("en-US")} more`),
      label && h("span", { class: "muted label", title: label }, label), h("span", { class: "muted size", title }, width ? `${width}×${height}` : bytes(nbytes)));
  }
}
