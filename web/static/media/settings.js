/** What belongs to one mode of the viewer alone: the rate of the flicker, how a difference looks, where the wipe parts. */

import { button, fill, h } from "../core/dom.js";
import { number } from "../core/format.js";

const STYLES = { abs: "absolute, by channel", heat: "largest channel, as heat", signed: "signed: red is brighter in B, blue darker" };
const MOST_GAIN = 64;

/** The controls of the mode. */
export class Settings {
  /** @param {any} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.el = h("div", { class: "special" });
    this.mode = "";
    this.update = () => {};
  }

  /** What a difference is multiplied by: what people chose, else as much as the largest one bears. */
  get gain() {
    const chosen = this.viewer.state.get("gain");
    const most = chosen ? 0 : this.viewer.readout.distance?.most ?? 0;
    return chosen || (most ? Math.max(1, Math.min(MOST_GAIN, Math.round(25500 / most) / 100)) : 1);
  }

  /** Show what the state says. @param {string} mode */
  draw(mode) {
    if (mode !== this.mode) {
      this.mode = mode;
      this.update = () => {};
      fill(this.el, { flicker: () => this.#flicker(), diff: () => this.#diff(), wipe: () => this.#wipe() }[mode]?.());
    }
    this.update();
  }

  #slider(label, [least, most, stepping], read, write, say) {
    const { state } = this.viewer;
    const range = /** @type {HTMLInputElement} */ (h("input", { type: "range", min: least, max: most, step: stepping, "aria-label": label, on: {
      input: () => state.set(write(Number(range.value)), { commit: false }), change: () => state.set(write(Number(range.value))),
    } }));
    const says = h("output", null);
    const update = () => {
      if (document.activeElement !== range) range.value = String(read());
      fill(says, say());
    };
    return { el: h("label", { class: "field" }, label, range, says), update };
  }

  #flicker() {
    const { viewer } = this;
    const { state } = viewer;
    const pause = button(null, "Stop, or go on", () => viewer.hold(!viewer.held), { text: "Pause" });
    const rate = this.#slider("Rate", [0.5, 12, 0.5], () => state.get("rate"), (value) => ({ rate: value }), () => `${state.get("rate")} a second`);
    this.update = () => {
      fill(pause, viewer.held ? "Go on" : "Pause");
      rate.update();
    };
    return [pause, button(null, "Show the other one (space)", () => viewer.other(), { text: "A / B" }), rate.el];
  }

  #diff() {
    const { state } = this.viewer;
    const style = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "How the difference looks", on: { change: () => state.set({ vd: style.value }) } }, Object.entries(STYLES).map(([key, text]) => h("option", { value: key }, text))));
    const gain = this.#slider("Amplify", [0, Math.log2(MOST_GAIN), 0.25], () => Math.log2(this.gain), (value) => ({ gain: Math.round(2 ** value * 100) / 100 }), () => `${number(this.gain, 3)}×`);
    const auto = button(null, "As much as the largest difference bears", () => state.set({ gain: state.get("gain") ? 0 : this.gain }), { text: "Auto" });
    this.update = () => {
      style.value = state.get("vd");
      auto.setAttribute("aria-pressed", String(!state.get("gain")));
      gain.update();
    };
    return [style, gain.el, auto];
  }

  #wipe() {
    const { state } = this.viewer;
    const cut = this.#slider("Place", [0, 1, 0.005], () => state.get("cut"), (value) => ({ cut: value }), () => `${Math.round(100 * state.get("cut"))} %`);
    this.update = cut.update;
    return cut.el;
  }
}
