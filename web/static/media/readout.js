/** What the viewer says of its images: the values under the pointer, their sizes, how far they are apart. */

import { debounce, fill, h } from "../core/dom.js";
import { bytes, number } from "../core/format.js";
import { at, distance, overlap } from "./pixels.js";

/** A difference as people write it. */
export function signed(value) {
  return value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0";
}

/** The line under the images. */
export class Readout {
  /** @param {any} viewer with `a`, `b`, `mode` and `zoom` */
  constructor(viewer) {
    this.viewer = viewer;
    this.says = h("div", { class: "readout" });
    this.facts = h("div", { class: "facts", role: "status" });
    this.file = h("a", { class: "file", target: "_blank", rel: "noopener" }, "as a file");
    this.el = h("div", { class: "line" }, this.says, h("span", { class: "space" }), this.facts, this.file);
    this.measured = null;
    this.measure = debounce(() => this.draw(), 120);
  }

  /** How far both are apart, or null where it is not known. Computed once for two images. */
  get distance() {
    const { a, b, mode, dialog } = this.viewer;
    const [p, q] = [a?.picture, b?.picture];
    if (!dialog || mode === "one" || !p?.pixels || !q?.pixels) return null;
    const key = `${p.url} ${q.url}`;
    if (this.measured?.key !== key) this.measured = { key, ...distance(p.pixels, q.pixels) };
    return this.measured;
  }

  /** The values of a pixel. @param {{x: number, y: number} | null} hover */
  point(hover) {
    const { a, b, mode } = this.viewer;
    if (!hover) {
      fill(this.says, h("span", { class: "muted" }, "The wheel zooms, dragging moves; values of pixels stand here"));
      return;
    }
    const value = (side) => (side.picture?.pixels ? at(side.picture.pixels, hover.x, hover.y) : null);
    const said = (side) => {
      const found = value(side);
      if (!found) return h("span", { class: "muted" }, "outside");
      const shown = side.picture.grey ? [found[0]] : found.slice(0, 3);
      return [h("i", { class: "swatch", style: `background:rgb(${found[0]} ${found[1]} ${found[2]})` }), h("code", null, shown.join(" "), found[3] < 255 ? ` α${found[3]}` : "")];
    };
    const two = mode !== "one";
    const [p, q] = [value(a), two ? value(b) : null];
    const by = p && q && (a.picture.grey && b.picture.grey ? [q[0] - p[0]] : [0, 1, 2].map((c) => q[c] - p[c]));
    fill(this.says, h("span", { class: "place" }, `x ${hover.x}  y ${hover.y}`), two && h("b", null, "A"), said(a), two && [h("b", null, "B"), said(b)], by && [h("b", null, "B − A"), h("code", null, by.map(signed).join(" "))]);
  }

  /** Sizes, and how far both are apart. */
  draw() {
    const { a, b, mode } = this.viewer;
    const parts = mode === "one" ? this.#one(a) : this.#two(a.picture, b.picture);
    const key = JSON.stringify(parts.map((part) => part?.textContent ?? part));
    if (key !== this.key) fill(this.facts, parts.flatMap((part, i) => (i ? [h("span", { class: "muted" }, " · "), part] : [part])));
    this.key = key;
    this.file.hidden = mode !== "one" || !a.item;
    if (a.item) this.file.setAttribute("href", a.item.url);
  }

  #one({ item, picture }) {
    return picture ? [`${picture.width} × ${picture.height}`, bytes(item?.nbytes), item?.mime, item?.label].filter(Boolean) : [];
  }

  #two(one, other) {
    if (!one || !other) return [];
    const parts = [];
    const both = overlap(one, other);
    if (one.width !== other.width || one.height !== other.height) {
      parts.push(h("strong", { class: "sizes" }, `A is ${one.width} × ${one.height}, B is ${other.width} × ${other.height}: the ${both.width} × ${both.height} that both have are compared`));
    }
    const m = this.distance;
    if (!m) return parts;
    if (!m.most) return [...parts, "every pixel is the same"];
    const go = () => this.viewer.zoom.to(Math.max(24, this.viewer.zoom.looking.scale), { middle: { x: m.at[0] + 0.5, y: m.at[1] + 0.5 } });
    parts.push(`${number(100 * m.differ, 3)} % of pixels differ`, `mean ${number(m.mean, 3)}`, h("span", null, `largest ${m.most} at `, h("button", { type: "button", class: "linklike", title: "Go there", on: { click: go } }, `${m.at[0]}, ${m.at[1]}`)), `PSNR ${number(m.psnr, 3)} dB`);
    return m.ssim === null ? parts : [...parts, `SSIM ${number(m.ssim, 4)}`];
  }
}
