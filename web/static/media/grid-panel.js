/** What the panels of images and of sounds have in common: a grid of runs and tags, all steps in one request, one step shown. */

import { withdrawn } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { empty, failed } from "../core/ui.js";
import { nearest } from "../run/steps.js";
import { seriesName } from "./chooser.js";
import { Matrix } from "./matrix.js";
import { allSteps, askSeries, seriesKey } from "./series.js";

const SIDE = 190;
const HEAD = 46;

/**
 * A panel. Its kinds say in `shape(tag)` how large a cell of a tag is, make cells with `cell(box, what)` that have
 * `paint(at, shown)` and a list `parts` of what can have the focus, and may take part in `laid`, `stepped` and `settled`.
 */
export class GridPanel {
  /**
   * @param {HTMLElement} el @param {import("../core/state.js").State} state
   * @param {{steps: (all: ArrayLike<number>, walls?: (step: number) => number | null) => void, tools: HTMLElement, onHover: (key: string | null) => void, pause?: () => void, others?: () => void}} told
   * @param {{kind: "images" | "audio", label: string, noun: string}} what
   */
  constructor(el, state, told, what) {
    Object.assign(this, { el, state, told, what, runs: [], tags: [], having: [], series: new Map(), steps: [], asking: new AbortController(), at: state.get("step"), laid: "" });
    this.grid = new Matrix({
      label: what.label, side: SIDE, head: HEAD,
      makeHead: (box, one) => this.#head(box, one), makeSide: (box, one) => this.#head(box, one),
      make: (box, row, column) => this.#cell(box, row, column), drop: (cell) => this.dropped(cell), settled: () => this.settled(),
    });
    this.says = h("p", { class: "note muted", role: "status" });
    this.frame = h("div", { class: "gridbox" }, this.grid.el);
    fill(el, this.says, this.frame);
    this.flip = button("sort", "Runs as columns, tags as rows", () => state.set({ flip: !state.get("flip") }), { text: "Transpose" });
    this.ended = state.on((changed) => {
      this.tooled();
      if (changed.has("flip")) this.resize();
      this.changed(changed);
    });
    this.grid.el.addEventListener("focusin", (event) => this.#focused(event));
    this.grid.el.addEventListener("pointerover", (event) => this.#hover(event));
    this.grid.el.addEventListener("pointerleave", () => told.onHover(this.hovered = null));
  }

  // What kinds of panels say

  /** How large a cell of a tag is. @param {any} _tag @returns {{width: number, height: number}} */
  shape(_tag) {
    return { width: 0, height: 0 };
  }

  /** A cell. @param {HTMLElement} _box @param {any} _what run, tag, shape, series @returns {any} */
  cell(_box, _what) {}

  settled() {}

  dropped(_cell) {}

  /** The state has changed. @param {Set<string>} _changed */
  changed(_changed) {}

  /** The controls above show what the state says. */
  tooled() {
    this.flip.setAttribute("aria-pressed", String(this.state.get("flip")));
  }

  /** There are other series. */
  updated() {}

  // What the page asks for

  /** Show these tags of these runs. @param {any[]} runs @param {any[]} tags */
  async show(runs, tags) {
    Object.assign(this, { runs, tags });
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const series = await askSeries(runs, tags, this.what.kind, signal);
      if (signal.aborted) return;
      this.series = series;
      this.steps = allSteps(series.values());
      this.told.steps(this.steps, (step) => this.wall(step));
      this.lay();
      this.updated();
    } catch (error) {
      if (withdrawn(error)) return;
      this.laid = "";
      fill(this.frame, failed(error, () => this.show(runs, tags)));
    }
  }

  /** Go to the nearest step; null is the newest. @param {number | null} value */
  step(value) {
    this.at = value;
    for (const cell of this.grid.cells) cell.paint(this.at, this.shown);
  }

  /** Mark what is of a run. @param {string | null} key */
  highlight(key) {
    for (const el of /** @type {NodeListOf<HTMLElement>} */ (this.grid.el.querySelectorAll("[data-run]"))) el.classList.toggle("lit", key !== null && el.dataset.run === key);
  }

  close() {
    this.asking.abort();
    this.ended();
    this.grid.close();
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

  /** The series of a run and a tag. */
  of(run, tag) {
    return this.series.get(seriesKey(run.key, tag.tag, tag.stream));
  }

  // Rows and columns

  /** Lay the grid out anew at the next frame: a drag asks for many sizes. */
  resize() {
    cancelAnimationFrame(this.sizing);
    this.sizing = requestAnimationFrame(() => this.lay());
  }

  /** Rows and columns as the state says; where they are as before, cells stay and show what is new. */
  lay() {
    const { state, grid } = this;
    this.having = this.runs.filter((run) => this.tags.some((tag) => this.of(run, tag)));
    if (!this.having.length) {
      grid.clear();
      this.laid = "";
      fill(this.frame, empty(`These runs have no ${this.what.noun} that can be shown under these tags: their files were read without them.`));
      return;
    }
    const shapes = this.tags.map((tag) => ({ tag, shape: this.shape(tag) }));
    const flip = state.get("flip");
    const laid = JSON.stringify([flip, this.having.map(({ key, label, colour, group }) => [key, label, colour, group]), shapes.map(({ tag, shape }) => [tag.tag, tag.stream, shape])]);
    if (laid === this.laid) {
      for (const cell of grid.cells) {
        cell.series = this.of(cell.run, cell.tag) ?? cell.series;
        cell.paint(this.at, this.shown);
      }
      if (!grid.cells.some((cell) => cell.parts.some((part) => part.tabIndex === 0))) this.#tab();
      this.#note();
      grid.el.dispatchEvent(new Event("scroll"));
      return;
    }
    this.laid = laid;
    const keep = [grid.el.scrollTop, grid.el.scrollLeft];
    if (grid.el.parentElement !== this.frame) fill(this.frame, grid.el);
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
    // Its button may have the focus.
    const noted = JSON.stringify([missing, this.runs.length, cut]);
    if (noted === this.noted) return;
    this.noted = noted;
    fill(this.says, [
      missing > 0 && `${plural(missing, "run")} of the ${this.runs.length.toLocaleString("en-US")} drawn ${missing === 1 ? "has" : "have"} no ${this.what.noun} of these tags.`,
      cut > 0 && `There are too many steps to list: of ${cut.toLocaleString("en-US")} series only some are shown, evenly chosen. Fewer runs or tags show all.`,
    ].filter(Boolean).join(" "), missing > 0 && this.told.others && [" ", button("eye", "The first of those that match, at most 10", () => this.told.others(), { text: `Draw runs that logged ${this.what.noun}` })]);
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

  #cell(box, row, column) {
    const run = row.run ?? column.run;
    const { tag, shape } = row.tag ? row : column;
    box.dataset.run = run.key;
    const cell = this.cell(box, { run, tag, shape, series: this.of(run, tag) });
    cell.paint(this.at, this.shown);
    return cell;
  }

  // What people do

  #hover(event) {
    const key = event.target.closest("[data-run]")?.dataset.run ?? null;
    if (key !== this.hovered) this.told.onHover(this.hovered = key);
  }

  /** One part of the grid can be reached by Tab, the others by arrows. */
  #tab() {
    const { focus } = this;
    const part = (focus && this.grid.cell(focus.row, focus.column)?.parts[focus.at]) ?? this.grid.cells.find((one) => one.parts.length)?.parts[0];
    if (part) part.tabIndex = 0;
  }

  #focused(event) {
    for (const cell of this.grid.cells) {
      const at = cell.parts.findIndex((one) => one === event.target || one.contains(event.target));
      if (at < 0) continue;
      for (const other of this.grid.cells) for (const part of other.parts) part.tabIndex = part === cell.parts[at] ? 0 : -1;
      this.focus = { row: cell.row, column: cell.column, at };
      return;
    }
  }

  /** Focus the next part in a direction: within the cell, else in the next cell that has one. @returns {HTMLElement | null} */
  go(down, right) {
    const { rows, columns } = this.grid;
    const { row, column, at } = this.focus;
    const within = right ? this.grid.cell(row, column)?.parts[at + right] : null;
    if (within) return focused(within);
    const first = Math.abs(down) > 1 ? Math.max(0, Math.min(rows.length - 1, row + down)) : row + down;
    for (let [r, c] = [first, column + right]; r >= 0 && c >= 0 && r < rows.length && c < columns.length; r += Math.sign(down), c += right) {
      this.grid.reveal(r, c);
      const parts = this.grid.cell(r, c)?.parts ?? [];
      if (parts.length) return focused(right < 0 ? parts.at(-1) : right > 0 ? parts[0] : parts[Math.min(at, parts.length - 1)]);
      if (!down && !right) return null;
    }
    return null;
  }
}

function focused(el) {
  el.focus({ preventScroll: true });
  return el;
}
