/** Images of many runs and tags at one step: a grid whose cells are fetched when they come into sight. */

import { withdrawn } from "../core/api.js";
import { button, debounce, fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { offer } from "../core/search.js";
import { empty, failed, popover, toast } from "../core/ui.js";
import { nearest, stepText } from "../run/steps.js";
import { Cell, MOST_IN_CELL } from "./cell.js";
import { seriesName } from "./chooser.js";
import { lookStyle } from "./look.js";
import { Matrix } from "./matrix.js";
import { Pool } from "./pool.js";
import { allSteps, askSeries, seriesKey } from "./series.js";
import { Viewer } from "./viewer.js";

const SIDE = 168;
const HEAD = 46;
const GAP = 4;
const PAD = 8;
const CAPTION = 18;
const ACROSS = 4; // images beside one another in a cell
const AHEAD = [1, -1, 2, -2]; // steps that are fetched before somebody asks

/** The panel. */
export class Images {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {{steps: (all: ArrayLike<number>) => void, tools: HTMLElement, onHover: (key: string | null) => void}} told */
  constructor(el, state, told) {
    Object.assign(this, { el, state, told, runs: [], tags: [], series: new Map(), steps: [], asking: new AbortController(), at: null, turn: 0, marked: null });
    this.pool = new Pool();
    this.grid = new Matrix({
      label: "Images", side: SIDE, head: HEAD,
      makeHead: (box, one) => this.#head(box, one), makeSide: (box, one) => this.#head(box, one),
      make: (box, row, column) => this.#cell(box, row, column),
      settled: () => {
        this.pool.only(this.#wanted);
        this.#later();
      },
    });
    this.says = h("p", { class: "note muted", role: "status" });
    this.frame = h("div", { class: "imagebox" }, this.grid.el);
    fill(el, this.says, this.frame);
    this.#later = debounce(() => this.#ahead(this.turn), 60);
    this.#tools();
    this.viewer = new Viewer(state, this);
    this.ended = state.on((changed) => this.#changed(changed));
    this.grid.el.addEventListener("keydown", (event) => this.#key(event));
    this.grid.el.addEventListener("focusin", (event) => this.#focused(event));
    this.grid.el.addEventListener("pointerover", (event) => this.#hover(event));
    this.grid.el.addEventListener("pointerleave", () => told.onHover(null));
    offer("Images: runs as rows or as columns", () => state.set({ flip: !state.get("flip") }));
  }

  /** Show these tags of these runs. @param {any[]} runs @param {any[]} tags */
  async show(runs, tags) {
    Object.assign(this, { runs, tags });
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const series = await askSeries(runs, tags, "images", signal);
      if (signal.aborted) return;
      this.series = series;
      this.steps = allSteps(series.values());
      this.told.steps(this.steps, (step) => this.wall(step));
      this.#lay();
      this.viewer.update();
    } catch (error) {
      if (!withdrawn(error)) fill(this.frame, failed(error, () => this.show(runs, tags)));
    }
  }

  /** Go to the nearest step; null is the newest. @param {number | null} value */
  step(value) {
    this.at = value;
    this.turn += 1;
    for (const cell of this.grid.cells) this.#paint(cell);
    this.pool.only(this.#wanted);
    this.viewer.step();
    this.#later();
  }

  /** Resolves when all that is in sight is drawn. */
  async ready() {
    await Promise.all(this.grid.cells.flatMap((cell) => cell.thumbs.map((one) => one.waits)));
    await this.viewer.ready();
    await new Promise((done) => requestAnimationFrame(done));
  }

  /** Mark the images of a run. @param {string | null} key */
  highlight(key) {
    for (const el of this.grid.el.querySelectorAll("[data-run]")) el.classList.toggle("lit", key !== null && /** @type {HTMLElement} */ (el).dataset.run === key);
  }

  close() {
    this.asking.abort();
    this.ended();
    this.viewer.close();
    this.grid.close();
    this.pool.clear();
    fill(this.el);
  }

  /** The step that the slider shows. */
  get shown() {
    return this.steps[nearest(this.steps, this.at)] ?? null;
  }

  /** The wall time of a step, of the first series that has it. */
  wall(step) {
    for (const one of this.series.values()) {
      const wall = one.wall(step);
      if (wall !== null) return wall;
    }
    return null;
  }

  #later = () => {};

  /** The addresses of what is in sight. */
  get #wanted() {
    return new Set(this.grid.cells.flatMap((cell) => cell.thumbs.map((one) => one.url)));
  }

  // What is above the grid

  #tools() {
    const { state } = this;
    this.size = /** @type {HTMLInputElement} */ (h("input", {
      type: "range", min: 48, max: 640, step: 8, "aria-label": "Size of the images", title: "Size of the images", value: state.get("size"),
      on: { input: () => state.set({ size: Number(this.size.value) }, { commit: false }), change: () => state.set({ size: Number(this.size.value) }) },
    }));
    this.flip = button("sort", "Runs as columns, tags as rows", () => state.set({ flip: !state.get("flip") }), { text: "Transpose" });
    this.adjust = button("sun", "Brightness and contrast", () => this.#adjust(), { text: "Adjust" });
    this.compare = h("span", { class: "marked", role: "status" });
    fill(this.told.tools, h("label", { class: "field" }, "Size", this.size), this.flip, this.adjust, this.compare);
    this.#drawTools();
  }

  #drawTools() {
    const { state } = this;
    if (document.activeElement !== this.size) this.size.value = String(state.get("size"));
    this.flip.setAttribute("aria-pressed", String(state.get("flip")));
    const changed = lookStyle(state) !== "";
    this.adjust.setAttribute("aria-pressed", String(changed));
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

  #changed(changed) {
    this.#drawTools();
    if (["size", "flip"].some((name) => changed.has(name))) this.#resize();
    this.viewer.changed(changed);
  }

  #resize() {
    // A drag asks for many sizes: one for each frame is enough.
    cancelAnimationFrame(this.sizing);
    this.sizing = requestAnimationFrame(() => this.#lay());
  }

  // Rows and columns

  /** So wide and high are the images of a tag, and so many has a cell. */
  #shape(tag) {
    let most = 1;
    let ratio = null;
    for (const run of this.having) {
      const one = this.series.get(seriesKey(run.key, tag.tag, tag.stream));
      if (!one) continue;
      most = Math.max(most, Math.min(one.most, MOST_IN_CELL));
      if (ratio !== null) continue;
      const { width, height } = one.item(0, one.steps[0]);
      if (width && height) ratio = Math.min(4, Math.max(0.25, height / width));
    }
    const size = this.state.get("size");
    // Where runs stand beside one another, images of a cell form a square.
    const across = Math.min(this.state.get("flip") ? Math.ceil(Math.sqrt(most)) : ACROSS, most);
    const high = Math.round(size * Math.min(1, ratio ?? 1));
    const wide = Math.round(high / (ratio ?? 1));
    return {
      most, high, wide,
      width: Math.max(96, across * wide + (across - 1) * GAP + 2 * PAD),
      height: Math.ceil(most / across) * (high + GAP) - GAP + CAPTION + 2 * PAD,
    };
  }

  #lay() {
    const { state, grid } = this;
    const keep = [grid.el.scrollTop, grid.el.scrollLeft];
    this.having = this.runs.filter((run) => this.tags.some((tag) => this.series.has(seriesKey(run.key, tag.tag, tag.stream))));
    if (!this.having.length) {
      grid.clear();
      fill(this.frame, empty("These runs have no images that can be shown under these tags: their files were read without them."));
      return;
    }
    if (grid.el.parentElement !== this.frame) fill(this.frame, grid.el);
    const shapes = this.tags.map((tag) => ({ tag, shape: this.#shape(tag) }));
    const flip = state.get("flip");
    const widest = Math.max(...shapes.map((one) => one.shape.width));
    const highest = Math.max(...shapes.map((one) => one.shape.height));
    const runs = this.having.map((run) => ({ key: run.key, run, size: flip ? widest : highest }));
    const tags = shapes.map(({ tag, shape }) => ({ key: `${tag.stream}\0${tag.tag}`, tag, shape, size: flip ? shape.height : shape.width }));
    grid.lay(flip ? tags : runs, flip ? runs : tags, flip ? "Tag" : "Run");
    [grid.el.scrollTop, grid.el.scrollLeft] = keep;
    this.#tab();
    this.#note();
  }

  #note() {
    const missing = this.runs.length - this.having.length;
    const cut = [...this.series.values()].filter((one) => one.truncated).length;
    fill(this.says, [
      missing > 0 && `${plural(missing, "run")} of the ${this.runs.length.toLocaleString("en-US")} drawn ${missing === 1 ? "has" : "have"} no images of these tags.`,
      cut > 0 && `There are too many images to list: of ${cut.toLocaleString("en-US")} series every few steps are shown. Fewer runs or tags show all.`,
    ].filter(Boolean).join(" "));
  }

  #head(box, { run, tag }) {
    if (tag) {
      fill(box, h("span", { class: "tagname", title: tag.description || seriesName(tag) }, h("bdi", null, tag.display_name || tag.tag)), tag.stream && h("span", { class: "chip stream" }, tag.stream));
      return;
    }
    box.dataset.run = run.key;
    fill(box, h("span", { class: "dot", style: `background:${run.colour}` }),
      h("a", { class: "runname", href: `/run/${encodeURIComponent(run.key)}`, title: [run.group, run.label, run.project, run.machine].filter(Boolean).join(" · ") }, h("bdi", null, String(run.label ?? run.key))),
      run.group && h("span", { class: "group muted" }, run.group));
  }

  // Cells

  #cell(box, row, column) {
    const run = row.run ?? column.run;
    const { tag, shape } = row.tag ? row : column;
    const series = this.series.get(seriesKey(run.key, tag.tag, tag.stream));
    const cell = new Cell(box, { run, tag, shape, series, pool: this.pool, click: (thumb, event) => this.#click(thumb, event) });
    this.#paint(cell);
    return cell;
  }

  #paint(cell) {
    cell.paint(this.at, this.shown);
    for (const thumb of cell.thumbs) this.#mark(thumb);
  }

  /** What stands beside in time is fetched before somebody asks, once all that is in sight is there. */
  async #ahead(turn) {
    if (this.steps.length < 2) return;
    await Promise.all(this.grid.cells.flatMap((cell) => cell.thumbs.map((one) => one.waits)));
    const at = nearest(this.steps, this.at);
    for (const by of AHEAD) {
      const step = this.steps[at + by];
      if (step === undefined) continue;
      const asked = [];
      for (const cell of this.grid.cells) {
        if (turn !== this.turn) return;
        for (const item of cell.series?.near(step).slice(0, MOST_IN_CELL) ?? []) asked.push(this.pool.get(item, true).promise);
      }
      await Promise.all(asked);
      if (turn !== this.turn) return;
    }
  }

  // What people do

  #click(thumb, event) {
    if (thumb.failed) {
      thumb.again();
      return;
    }
    if (event.shiftKey || event.ctrlKey || event.metaKey) this.#pick(thumb);
    else this.viewer.open(thumb.item);
  }

  /** The first image that is picked is A, the second is B, and both open. */
  #pick(thumb) {
    const { item } = thumb;
    if (!this.marked) {
      this.marked = item;
      toast("A is chosen. Shift+click another image, or press c on it, to compare both");
    } else {
      const a = this.marked;
      this.marked = null;
      if (a.url !== item.url) this.viewer.open(a, item);
    }
    for (const cell of this.grid.cells) for (const one of cell.thumbs) this.#mark(one);
    fill(this.compare, this.marked && ["A: ", h("strong", null, stepText(this.marked.step)), button("close", "Do not compare", () => this.#release())]);
  }

  #release() {
    this.marked = null;
    fill(this.compare);
    for (const cell of this.grid.cells) for (const one of cell.thumbs) this.#mark(one);
  }

  #mark(thumb) {
    thumb.el.classList.toggle("picked", this.marked !== null && this.marked.url === thumb.item?.url);
  }

  #hover(event) {
    const key = event.target.closest("[data-run]")?.dataset.run ?? null;
    if (key !== this.hovered) this.told.onHover(this.hovered = key);
  }

  /** The thumb that Tab leads to. */
  #tab() {
    const { focus } = this;
    const cell = focus && this.grid.cell(focus.row, focus.column);
    const thumb = cell?.thumbs[focus.at] ?? this.grid.cells.find((one) => one.thumbs.length)?.thumbs[0];
    if (thumb) thumb.el.tabIndex = 0;
  }

  #focused(event) {
    const el = event.target.closest(".thumb");
    const cell = el && this.grid.cells.find((one) => one.strip.contains(el));
    if (!cell) return;
    for (const other of this.grid.el.querySelectorAll(".thumb[tabindex='0']")) if (other !== el) /** @type {HTMLElement} */ (other).tabIndex = -1;
    el.tabIndex = 0;
    this.focus = { row: cell.row, column: cell.column, at: cell.thumbs.findIndex((one) => one.el === el) };
  }

  #key(event) {
    if (!event.target.closest(".thumb") || event.ctrlKey || event.metaKey || event.altKey) return;
    const { row, column, at } = this.focus;
    const cell = this.grid.cell(row, column);
    if (event.key === "c") {
      event.preventDefault();
      event.stopPropagation();
      this.#pick(cell.thumbs[at]);
      return;
    }
    const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [5, 0], PageUp: [-5, 0] }[event.key] ?? [];
    if (down === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (right && cell.thumbs[at + right]) cell.thumbs[at + right].el.focus({ preventScroll: true });
    else this.#go(row, column, down, right, at);
  }

  /** Focus the next cell in a direction that has an image. */
  #go(row, column, down, right, at) {
    const { rows, columns } = this.grid;
    const last = Math.abs(down) > 1 ? Math.max(0, Math.min(rows.length - 1, row + down)) : row + down;
    for (let [r, c] = [last, column + right]; r >= 0 && c >= 0 && r < rows.length && c < columns.length; r += Math.sign(down), c += right) {
      this.grid.reveal(r, c);
      const thumbs = this.grid.cell(r, c)?.thumbs ?? [];
      if (!thumbs.length) continue;
      (right < 0 ? thumbs.at(-1) : right > 0 ? thumbs[0] : thumbs[Math.min(at, thumbs.length - 1)]).el.focus({ preventScroll: true });
      return;
    }
  }
}
