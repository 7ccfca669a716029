/** Steps: which is nearest, and the one slider over them that images, texts, histograms and curves share. */

import { button, fill, h } from "../core/dom.js";
import { time } from "../core/format.js";

/** The place of the step nearest to *step* in an ascending list; null is the last. @param {ArrayLike<number>} steps @param {number|null} step */
export function nearest(steps, step) {
  if (step === null || !steps.length) return steps.length - 1;
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < step) low = middle + 1;
    else high = middle;
  }
  return low > 0 && step - steps[low - 1] <= steps[low] - step ? low - 1 : low;
}

/** All steps of several lists, each once, ascending. @param {number[][]} lists */
export function together(lists) {
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}

/** A step as people read it. */
export function stepText(step) {
  return `step ${Number(step).toLocaleString("en-US")}`;
}

/** A wall time behind a step, where it is known. @param {number | null | undefined} wall */
export function wallText(wall) {
  return wall != null && Number.isFinite(wall) ? ` · ${time(wall)}` : "";
}

/** A slider over steps; the page's `step` is where it stands, the last step is written as none: it follows new ones. */
export class StepSlider {
  /** @param {import("../core/state.js").State} state @param {string} label */
  constructor(state, label) {
    this.state = state;
    this.steps = [];
    this.walls = new Map();
    this.range = /** @type {HTMLInputElement} */ (h("input", {
      type: "range", min: "0", max: "0", value: "0", "aria-label": label,
      on: { input: () => this.#move(Number(this.range.value), false), change: () => this.#move(Number(this.range.value), true) },
    }));
    this.back = button("right", "The step before", () => this.#move(this.at - 1, true), { class: "button bare back" });
    this.next = button("right", "The next step", () => this.#move(this.at + 1, true));
    this.says = h("output", { class: "step" });
    this.el = h("div", { class: "slider" }, this.back, this.range, this.next, this.says);
  }

  /** The steps there are, with the wall times of those for which they are known. @param {number[]} steps @param {Map<number, number>} [walls] */
  set(steps, walls = new Map()) {
    this.steps = steps;
    this.walls = walls;
    this.draw();
  }

  /** The place that is shown. */
  get at() {
    return nearest(this.steps, this.state.get("step"));
  }

  /** The step that is shown, or null. */
  get step() {
    return this.steps[this.at] ?? null;
  }

  /** Show what the state says. */
  draw() {
    const { at, steps } = this;
    this.range.max = String(Math.max(0, steps.length - 1));
    this.range.value = String(Math.max(0, at));
    this.back.disabled = at <= 0;
    this.next.disabled = at >= steps.length - 1;
    this.el.hidden = !steps.length;
    if (!steps.length) return;
    const wall = wallText(this.walls.get(steps[at]));
    this.range.setAttribute("aria-valuetext", stepText(steps[at]) + wall.replace(" · ", ", "));
    fill(this.says, h("strong", null, stepText(steps[at])), h("span", { class: "muted" }, `${wall} · ${at + 1} of ${steps.length}`));
  }

  #move(to, commit) {
    const at = Math.max(0, Math.min(to, this.steps.length - 1));
    this.state.set({ step: at === this.steps.length - 1 ? null : this.steps[at] }, { commit });
  }
}
