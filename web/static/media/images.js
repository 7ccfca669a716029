/** Images of many runs and tags at one step: a grid whose cells are fetched when they come into sight. */

import { button, debounce, fill, h } from "../core/dom.js";
import { popover, toast } from "../core/ui.js";
import { nearest, stepText } from "../run/steps.js";
import { Cell, MOST_IN_CELL } from "./cell.js";
import { GridPanel } from "./grid-panel.js";
import { lookStyle } from "./look.js";
import { Pool } from "./pool.js";
import { Viewer } from "./viewer.js";

const GAP = 4;
const PAD = 8;
const CAPTION = 18;
const LEAST = 96; // pixels of a column
const ACROSS = 4; // images beside one another in a cell
const HINT = "Shift+click two images, or press c on them, to compare";
const AHEAD = [1, -1, 2, -2]; // steps that are fetched before somebody asks
const MOVES = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [5, 0], PageUp: [-5, 0] };

/** The panel. */
export class Images extends GridPanel {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} told */
  constructor(el, state, told) {
    super(el, state, told, { kind: "images", label: "Images", noun: "images" });
    Object.assign(this, { pool: new Pool(), turn: 0, marked: null });
    this.later = debounce(() => this.#ahead(this.turn), 60);
    this.#tools();
    this.viewer = new Viewer(state, this);
    this.grid.el.addEventListener("keydown", (event) => this.#key(event));
  }

  updated() {
    this.viewer.update();
  }

  /** @param {number | null} value */
  step(value) {
    this.turn += 1;
    super.step(value);
    this.viewer.step();
    this.settled();
  }

  /** Resolves when all that is in sight is drawn. */
  async ready() {
    await Promise.all(this.#waits);
    await this.viewer.ready();
    await new Promise((done) => requestAnimationFrame(done));
  }

  /** What is not in sight any more is not asked for; what stands beside in time comes last. */
  settled() {
    this.pool.only(new Set(this.grid.cells.flatMap((cell) => cell.thumbs.map((one) => one.url))));
    this.later();
  }

  close() {
    this.turn += 1;
    this.viewer.close();
    super.close();
    this.pool.clear();
  }

  changed(changed) {
    if (changed.has("size")) this.resize();
    this.viewer.changed(changed);
  }

  get #waits() {
    return this.grid.cells.flatMap((cell) => cell.thumbs.map((one) => one.waits));
  }

  /** What stands beside in time is fetched before somebody asks, once all that is in sight is there. */
  async #ahead(turn) {
    if (this.steps.length < 2) return;
    await Promise.all(this.#waits);
    const at = nearest(this.steps, this.at);
    for (const by of AHEAD) {
      const step = this.steps[at + by];
      if (turn !== this.turn) return;
      if (step === undefined) continue;
      const items = this.grid.cells.flatMap((cell) => cell.series?.near(step).slice(0, MOST_IN_CELL) ?? []);
      await Promise.all(items.map((item) => this.pool.get(item, true).promise));
    }
  }

  // What is above the grid

  #tools() {
    const { state } = this;
    this.size = /** @type {HTMLInputElement} */ (h("input", {
      type: "range", min: 48, max: 640, step: 8, "aria-label": "Size of the images", title: "Size of the images", value: state.get("size"),
      on: { input: () => state.set({ size: Number(this.size.value) }, { commit: false }), change: () => state.set({ size: Number(this.size.value) }) },
    }));
    this.adjust = button("sun", "Brightness and contrast", () => this.#adjust(), { text: "Adjust" });
    this.compare = h("span", { class: "marked keysays muted", role: "status" }, HINT);
    fill(this.told.tools, h("label", { class: "field" }, "Size", this.size), this.flip, this.adjust, this.compare);
    this.tooled();
  }

  tooled() {
    super.tooled();
    const { state } = this;
    if (document.activeElement !== this.size) this.size.value = String(state.get("size"));
    this.adjust.setAttribute("aria-pressed", String(lookStyle(state) !== ""));
    this.grid.el.style.setProperty("--look", lookStyle(state) || "none");
  }

  #adjust() {
    const { state } = this;
    const row = (label, name) => {
      const range = /** @type {HTMLInputElement} */ (h("input", {
        type: "range", min: 0.2, max: 4, step: 0.05, value: state.get(name), "aria-label": label,
        on: { input: () => state.set({ [name]: Number(range.value) }, { commit: false }), change: () => state.set({ [name]: Number(range.value) }) },
      }));
      return [range, h("label", { class: "row" }, h("span", null, label), range)];
    };
    const [bright, first] = row("Brightness", "bright");
    const [contrast, second] = row("Contrast", "contrast");
    const reset = () => { state.set({ bright: 1, contrast: 1 }); bright.value = contrast.value = "1"; };
    popover(this.adjust, h("div", { class: "settings" }, first, second, button("reset", "As they were logged", reset, { text: "As logged" })), { label: "Brightness and contrast", align: "end" });
  }

  // Cells

  /** So wide and high are the images of a tag. */
  shape(tag) {
    let [most, ratio] = [1, null];
    for (const run of this.having) {
      const one = this.of(run, tag);
      if (!one) continue;
      most = Math.max(most, Math.min(one.most, MOST_IN_CELL));
      const { width, height } = ratio === null ? one.item(0, one.steps[0]) : {};
      if (width && height) ratio = Math.min(4, Math.max(0.25, height / width));
    }
    // Where runs stand beside one another, images of a cell form a square.
    const across = Math.min(this.state.get("flip") ? Math.ceil(Math.sqrt(most)) : ACROSS, most);
    const high = Math.round(this.state.get("size") * Math.min(1, ratio ?? 1));
    const wide = Math.round(high / (ratio ?? 1));
    return { high, wide, width: Math.max(LEAST, across * (wide + GAP) - GAP + 2 * PAD), height: Math.ceil(most / across) * (high + GAP) - GAP + CAPTION + 2 * PAD };
  }

  cell(box, what) {
    return new Cell(box, { ...what, pool: this.pool, click: (thumb, event) => this.#click(thumb, event), marked: (item) => this.marked?.url === item.url });
  }

  // What people do

  #click(thumb, event) {
    if (thumb.failed) thumb.again();
    else if (event.shiftKey || event.ctrlKey || event.metaKey) this.#pick(thumb.item);
    else this.viewer.open(thumb.item);
  }

  /** The first image that is picked is A, the second is B, and both open. */
  #pick(item) {
    const a = this.marked;
    this.marked = a ? null : item;
    if (a && a.url !== item.url) this.viewer.open(a, item);
    if (!a) toast("This is A. Press c on another image, or click it with Shift, to compare both");
    this.#marks();
  }

  #marks() {
    for (const cell of this.grid.cells) cell.mark();
    const release = () => { this.marked = null; this.#marks(); };
    fill(this.compare, !this.marked ? HINT : ["A: ", h("strong", null, this.marked.tag), ` ${stepText(this.marked.step)}`, button("close", "Do not compare", release)]);
  }

  #key(event) {
    if (!event.target.closest(".thumb") || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = MOVES[event.key];
    if (!move && event.key !== "c") return;
    event.preventDefault();
    event.stopPropagation();
    if (move) this.go(move[0], move[1]);
    else this.#pick(this.grid.cell(this.focus.row, this.focus.column).thumbs[this.focus.at].item);
  }
}
