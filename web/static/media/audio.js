/** Sounds of many runs and tags at one step; one plays at a time, and the next run goes on where it was. */

import { withdrawn } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { bytes as sizeText, time } from "../core/format.js";
import { failed } from "../core/ui.js";
import { stepText } from "../run/steps.js";
import { Bytes } from "./bytes.js";
import { seriesName } from "./chooser.js";
import { GridPanel } from "./grid-panel.js";
import { Wave } from "./waves.js";

const WIDTH = 320;
const PLAYER = 92; // pixels: outline, player, label
const CAPTION = 20;
const PAD = 8;
const MOST_IN_CELL = 16;
/** Larger ones are fetched when they are played, and have no outline. */
const MOST_AHEAD = 4e6;

/** The panel. */
export class Audio extends GridPanel {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} told */
  constructor(el, state, told) {
    super(el, state, told, { kind: "audio", label: "Sounds", noun: "sounds" });
    this.bytes = new Bytes();
    this.playing = null;
    fill(told.tools, this.flip, h("span", { class: "muted keysays" }, "↑ ↓ play the next run from the same moment"));
    this.tooled();
    // Events of players do not bubble; on their way down they pass here.
    this.grid.el.addEventListener("play", (event) => this.#alone(event.target), true);
    this.grid.el.addEventListener("keydown", (event) => this.#key(event), true);
  }

  /** Resolves when what is in sight can be played. */
  async ready() {
    await Promise.all(this.grid.cells.flatMap((cell) => cell.sounds.map((one) => one.waits)));
  }

  settled() {
    this.bytes.only(new Set(this.grid.cells.flatMap((cell) => cell.sounds.map((one) => one.url))));
  }

  step(value) {
    super.step(value);
    this.settled();
  }

  close() {
    this.playing?.pause();
    super.close();
    this.bytes.clear();
  }

  dropped(cell) {
    for (const one of cell.sounds) one.close();
  }

  shape(tag) {
    let most = 1;
    for (const run of this.having) most = Math.max(most, Math.min(MOST_IN_CELL, this.of(run, tag)?.most ?? 0));
    return { width: WIDTH, height: most * PLAYER + CAPTION + 2 * PAD };
  }

  cell(box, what) {
    return new SoundCell(box, what, this.bytes);
  }

  /** One plays at a time. */
  #alone(audio) {
    if (this.playing && this.playing !== audio) this.playing.pause();
    this.playing = audio;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.matches("audio")) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const from = event.target;
    const on = !from.paused;
    const flip = this.state.get("flip");
    const next = /** @type {HTMLAudioElement | null} */ (flip ? this.go(0, by) : this.go(by, 0));
    if (!next || next === from) return;
    const moment = from.currentTime;
    from.pause();
    if (on) play(next, moment);
  }
}

/** Play from a moment, as soon as it can. */
function play(audio, moment) {
  const start = () => {
    audio.currentTime = Math.min(moment, Number.isFinite(audio.duration) ? audio.duration : moment);
    audio.play().catch(() => {});
  };
  if (audio.readyState) start();
  else audio.addEventListener("loadedmetadata", start, { once: true });
}

/** One sound. */
class Sound {
  /** @param {Bytes} bytes */
  constructor(bytes) {
    Object.assign(this, { bytes, url: "", waits: Promise.resolve(), source: "" });
    this.audio = /** @type {HTMLAudioElement} */ (h("audio", { controls: true, preload: "metadata", tabindex: "-1" }));
    this.wave = new Wave(this.audio);
    this.label = h("span", { class: "muted soundlabel" });
    this.wrong = h("div", { class: "soundwrong", hidden: true });
    this.el = h("div", { class: "sound" }, this.wave.el, this.audio, this.label, this.wrong);
    this.audio.addEventListener("error", () => this.#unplayable());
  }

  /** @param {any} item @param {string} name */
  show(item, name) {
    if (item.url === this.url) return;
    this.item = item;
    this.url = item.url;
    this.audio.setAttribute("aria-label", name);
    fill(this.label, [item.label, sizeText(item.nbytes)].filter(Boolean).join(" · "));
    this.label.title = item.label ?? "";
    this.waits = this.#load(item);
  }

  async #load(item) {
    const on = this.source && !this.audio.paused;
    const moment = this.audio.currentTime;
    try {
      if (item.nbytes > MOST_AHEAD) this.#source(item.url);
      else {
        const blob = await this.bytes.get(item);
        if (item.url !== this.url) return;
        this.#source(URL.createObjectURL(blob));
        await this.wave.show(item.url, blob);
      }
      this.#fine();
      // The same moment of another step.
      if (on) play(this.audio, moment);
    } catch (error) {
      if (item.url === this.url && !withdrawn(error)) this.#fail(error);
    }
  }

  #source(url) {
    if (this.source.startsWith("blob:")) URL.revokeObjectURL(this.source);
    this.source = url;
    this.audio.src = url;
  }

  #fine() {
    this.wrong.hidden = true;
    this.audio.hidden = this.wave.el.hidden = false;
  }

  #fail(error) {
    this.audio.hidden = this.wave.el.hidden = true;
    this.wrong.hidden = false;
    fill(this.wrong, failed(error, () => {
      this.bytes.forget(this.url);
      const { item } = this;
      this.url = "";
      this.show(item, this.audio.getAttribute("aria-label") ?? "");
    }));
  }

  #unplayable() {
    if (this.source) this.#fail({ message: "The bytes that were logged are no sound that this browser can play" });
  }

  close() {
    this.audio.pause();
    this.wave.close();
    if (this.source.startsWith("blob:")) URL.revokeObjectURL(this.source);
    this.source = "";
    this.audio.removeAttribute("src");
  }
}

/** The sounds of one run and tag. */
class SoundCell {
  /** @param {HTMLElement} box @param {any} what @param {Bytes} bytes */
  constructor(box, what, bytes) {
    Object.assign(this, what, { box, bytes });
    /** @type {Sound[]} */
    this.sounds = [];
    this.strip = h("div", { class: "sounds" });
    this.says = h("div", { class: "says" });
    if (!this.series) fill(box, h("span", { class: "none muted", title: "This run has no sound of this tag" }, "none"));
  }

  /** What can have the focus. */
  get parts() {
    return this.sounds.map((one) => one.audio);
  }

  /** Show what is nearest to a step. @param {number | null} at @param {number | null} shown */
  paint(at, shown) {
    const { series, sounds, strip } = this;
    if (!series) return;
    // What the run had not logged yet may be there now.
    if (!strip.parentElement) fill(this.box, strip, this.says);
    const all = series.near(at);
    const items = all.slice(0, MOST_IN_CELL);
    while (sounds.length > items.length) {
      const gone = sounds.pop();
      gone.close();
      gone.el.remove();
    }
    while (sounds.length < items.length) {
      sounds.push(new Sound(this.bytes));
      strip.append(sounds.at(-1).el);
    }
    const [{ step, wall }] = items;
    const title = `${this.run.label}, ${seriesName(this.tag)}, ${stepText(step)}`;
    items.forEach((item, i) => sounds[i].show(item, items.length > 1 ? `${title}, sound ${i + 1} of ${items.length}` : title));
    const away = step !== shown;
    const told = [stepText(step), wall && time(wall), away && `the nearest to step ${shown?.toLocaleString("en-US")}`].filter(Boolean).join(" · ");
    fill(this.says, h("span", { class: away ? "away" : "", title: told }, away && stepText(step)), all.length > items.length && h("span", { class: "muted" }, `${(all.length - items.length).toLocaleString("en-US")} more`));
  }
}
