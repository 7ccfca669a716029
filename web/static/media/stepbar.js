/** The one slider over the steps of all that is shown: by hand, by keys, playing, or following the newest. */

import { button, fill, h } from "../core/dom.js";
import { time } from "../core/format.js";
import { nearest } from "../run/steps.js";

const SPEEDS = { 1: "1/s", 2: "2/s", 4: "4/s", 8: "8/s", 16: "16/s" };

/** A slider; the state's `step` is where it stands, none is the newest: it follows new ones. */
export class StepBar {
  /**
   * @param {import("../core/state.js").State} state with `step`, `speed` and `loop`
   * @param {{label?: string, ready?: () => Promise<unknown>}} [options] `ready` resolves when the step is drawn: playing waits for it
   */
  constructor(state, { label = "Step", ready = async () => {} } = {}) {
    Object.assign(this, { state, ready, steps: [], walls: null, playing: null });
    this.range = /** @type {HTMLInputElement} */ (h("input", {
      type: "range", min: "0", max: "0", value: "0", "aria-label": label,
      on: { input: () => this.go(Number(this.range.value), { commit: false }), change: () => this.go(Number(this.range.value)) },
    }));
    this.back = button("right", "The step before (Ctrl+←)", () => this.move(-1), { class: "button bare back" });
    this.next = button("right", "The next step (Ctrl+→)", () => this.move(1));
    this.play = h("button", { type: "button", class: "button bare play", on: { click: () => this.toggle() } });
    this.newest = button("live", "Always show the newest step", () => this.follow(), { text: "Newest" });
    this.typed = /** @type {HTMLInputElement} */ (h("input", { type: "text", inputmode: "numeric", class: "at", "aria-label": `${label}, as a number`, maxlength: "20", on: { change: () => this.#type() } }));
    this.speed = h("select", { "aria-label": "Steps a second", title: "Steps a second", on: { change: (event) => state.set({ speed: event.target.value }) } },
      Object.entries(SPEEDS).map(([key, text]) => h("option", { value: key, selected: key === state.get("speed") }, text)));
    this.loop = h("button", { type: "button", class: "button bare loop", title: "Start again after the last step", "aria-label": "Start again after the last step", on: { click: () => state.set({ loop: !state.get("loop") }) } }, loopIcon());
    this.says = h("output", { class: "muted of" });
    this.el = h("div", { class: "stepbar", role: "group", "aria-label": label }, this.back, this.play, this.next, this.range,
      h("label", { class: "field" }, "step", this.typed), this.says, this.newest, this.speed, this.loop);
    this.stop = state.on((changed) => { if (["step", "speed", "loop"].some((name) => changed.has(name))) this.draw(); });
    this.draw();
  }

  /** The steps there are. @param {ArrayLike<number>} steps ascending @param {((step: number) => number | null) | null} [walls] the wall time of a step */
  set(steps, walls = null) {
    this.steps = steps;
    this.walls = walls;
    this.draw();
  }

  /** The place that is shown. */
  get at() {
    return nearest(this.steps, this.state.get("step"));
  }

  /** Show what the state says. */
  draw() {
    const { at, steps, state } = this;
    const last = steps.length - 1;
    const newest = state.get("step") === null;
    this.el.hidden = last < 0;
    this.range.max = String(Math.max(0, last));
    this.range.value = String(Math.max(0, at));
    this.range.disabled = last < 1;
    this.back.disabled = at <= 0;
    this.next.disabled = at >= last;
    this.play.disabled = last < 1;
    this.newest.setAttribute("aria-pressed", String(newest));
    this.loop.setAttribute("aria-pressed", String(state.get("loop")));
    this.speed.value = state.get("speed");
    const on = this.playing !== null;
    this.play.setAttribute("aria-label", on ? "Pause" : "Play");
    this.play.title = on ? "Pause" : "Play the steps";
    if (this.play.dataset.on !== String(on)) fill(this.play, playIcon(on));
    this.play.dataset.on = String(on);
    if (last < 0) return;
    const step = steps[at];
    if (document.activeElement !== this.typed || on) this.typed.value = String(step);
    this.typed.style.width = `${Math.max(4, String(steps[last]).length) + 3}ch`;
    const wall = this.walls?.(step);
    this.range.setAttribute("aria-valuetext", `step ${step.toLocaleString("en-US")}${wall ? `, ${time(wall)}` : ""}, ${at + 1} of ${steps.length}`);
    fill(this.says, `${(at + 1).toLocaleString("en-US")} of ${steps.length.toLocaleString("en-US")}`);
    this.says.title = wall ? time(wall) : "";
  }

  /** Show the step at a place; who goes to the last one sees newer ones when they come. */
  go(to, { commit = true } = {}) {
    const last = this.steps.length - 1;
    if (last < 0) return;
    const at = Math.max(0, Math.min(to, last));
    this.state.set({ step: at === last && this.playing === null ? null : this.steps[at] }, { commit });
  }

  /** Steps further or back. */
  move(by) {
    this.pause();
    this.go(this.at + by);
  }

  /** The newest step, and newer ones when they come. */
  follow() {
    this.pause();
    const on = this.state.get("step") === null;
    this.state.set({ step: on ? this.steps[this.at] ?? null : null });
  }

  /** Play, or pause. */
  toggle() {
    if (this.playing !== null) return this.pause();
    if (this.steps.length < 2) return undefined;
    if (this.at === this.steps.length - 1) this.go(0, { commit: false });
    this.playing = {};
    this.#tick(this.playing);
    return this.draw();
  }

  pause() {
    if (this.playing === null) return;
    this.playing = null;
    this.state.set({ step: this.state.get("step") });
    this.draw();
  }

  /** No step is left out: the next one waits until the last is drawn. */
  async #tick(turn) {
    const start = performance.now();
    await this.ready();
    const wait = 1000 / Number(this.state.get("speed")) - (performance.now() - start);
    await new Promise((done) => setTimeout(done, Math.max(0, wait)));
    if (this.playing !== turn) return;
    const { at } = this;
    if (at >= this.steps.length - 1 && !this.state.get("loop")) return this.pause();
    if (!document.hidden) this.go(at >= this.steps.length - 1 ? 0 : at + 1, { commit: false });
    this.#tick(turn);
  }

  #type() {
    this.pause();
    const typed = this.typed.value.replaceAll(",", "").trim();
    if (typed !== "" && Number.isFinite(Number(typed)) && this.steps.length) this.go(nearest(this.steps, Number(typed)));
    this.typed.value = String(this.steps[this.at] ?? "");
  }

  close() {
    this.playing = null;
    this.stop();
  }
}

function drawn(path, filled) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", class: filled ? "icon filled" : "icon", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const shape = document.createElementNS(svg.namespaceURI, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

function playIcon(on) {
  return drawn(on ? "M4.500 3h2.500v10H4.500zM9 3h2.500v10H9z" : "M5 3l8 5-8 5z", true);
}

function loopIcon() {
  return drawn("M3 7V6a2 2 0 012-2h8M11 2l2 2-2 2M13 9v1a2 2 0 01-2 2H3M5 14l-2-2 2-2", false);
}
