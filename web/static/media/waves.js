/** The outline of a sound, and where it plays. */

import { fill, h } from "../core/dom.js";
import { duration } from "../core/format.js";
import { onTheme } from "../core/theme.js";

const COLUMNS = 600;
const RATE = 8000; // an outline needs no more

/** @type {Map<string, Promise<{low: Float32Array, high: Float32Array, seconds: number}>>} */
const known = new Map();
const MOST_KNOWN = 400;

/** The lowest and highest sample of each of COLUMNS stretches. @param {string} url @param {Blob} blob */
function outline(url, blob) {
  let found = known.get(url);
  if (found) return found;
  found = (async () => {
    const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await blob.arrayBuffer());
    const samples = sound.getChannelData(0);
    const columns = Math.min(COLUMNS, Math.max(1, samples.length));
    const [low, high] = [new Float32Array(columns), new Float32Array(columns)];
    for (let i = 0; i < columns; i += 1) {
      const end = Math.max(Math.floor(((i + 1) * samples.length) / columns), Math.floor((i * samples.length) / columns) + 1);
      for (let j = Math.floor((i * samples.length) / columns); j < end; j += 1) {
        if (samples[j] < low[i]) low[i] = samples[j];
        if (samples[j] > high[i]) high[i] = samples[j];
      }
    }
    return { low, high, seconds: sound.duration };
  })();
  known.set(url, found);
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value);
  return found;
}

const drawn = new Set();
onTheme(() => { for (const one of drawn) one.draw(); });

/** A canvas with the outline of what an audio element plays; pressing it plays from there. */
export class Wave {
  /** @param {HTMLAudioElement} audio */
  constructor(audio) {
    this.audio = audio;
    this.shape = null;
    this.url = "";
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
    this.says = h("span", { class: "seconds" });
    this.el = h("div", { class: "wave", title: "Play from here" }, this.canvas, this.says);
    for (const event of ["timeupdate", "seeking", "ended", "pause"]) audio.addEventListener(event, () => this.draw());
    audio.addEventListener("play", () => this.#run());
    this.el.addEventListener("pointerdown", (event) => this.#seek(event));
    drawn.add(this);
  }

  /** @param {string} url of the item @param {Blob} blob */
  async show(url, blob) {
    this.url = url;
    const shape = await outline(url, blob).catch(() => null);
    if (this.url !== url) return;
    this.shape = shape;
    this.draw();
  }

  draw() {
    const { canvas, shape, audio } = this;
    const { clientWidth: width, clientHeight: height } = this.el;
    const ratio = devicePixelRatio || 1;
    Object.assign(canvas, { width: Math.max(1, width * ratio), height: Math.max(1, height * ratio) });
    const seconds = shape?.seconds ?? audio.duration;
    fill(this.says, Number.isFinite(seconds) ? duration(seconds) : "");
    if (!shape) return;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.el);
    const done = audio.currentTime / shape.seconds;
    const n = shape.low.length;
    for (let i = 0; i < n; i += 1) {
      context.fillStyle = i / n < done ? style.getPropertyValue("--accent") : style.getPropertyValue("--muted");
      const top = (0.5 - shape.high[i] / 2) * height;
      context.fillRect((i / n) * width, top, Math.max(0.5, width / n - 0.25), Math.max(1, (0.5 - shape.low[i] / 2) * height - top));
    }
    if (done > 0 && done < 1) {
      context.fillStyle = style.getPropertyValue("--text");
      context.fillRect(done * width, 0, 1, height);
    }
  }

  #run() {
    if (this.audio.paused || !this.canvas.isConnected) return;
    this.draw();
    requestAnimationFrame(() => this.#run());
  }

  #seek(event) {
    const box = this.el.getBoundingClientRect();
    const { audio } = this;
    const seconds = this.shape?.seconds ?? audio.duration;
    if (!Number.isFinite(seconds)) return;
    audio.currentTime = Math.max(0, Math.min(seconds, ((event.clientX - box.left) / box.width) * seconds));
    audio.play().catch(() => {});
  }

  close() {
    drawn.delete(this);
  }
}
