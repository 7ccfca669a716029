/** One image large, or two compared: side by side, flickering, their difference, a wipe; all of it in the URL. */

import { ApiError, withdrawn } from "../core/api.js";
import { button, fill, h, onFrame } from "../core/dom.js";
import { number } from "../core/format.js";
import { tell } from "../core/ui.js";
import { Bitmaps } from "./bitmaps.js";
import { Canvas } from "./canvas.js";
import { lookStyle } from "./look.js";
import { offerPartners, partner } from "./partners.js";
import { at, difference } from "./pixels.js";
import { Readout, signed } from "./readout.js";
import { askSeries, seriesKey } from "./series.js";
import { Settings } from "./settings.js";
import { Side } from "./side.js";
import { StepBar } from "./stepbar.js";
import { Zoom } from "./zoom.js";

const MODES = { one: ["One image", "o"], side: ["Side by side", "s"], flicker: ["Flicker", "f"], diff: ["Difference", "d"], wipe: ["Wipe", "w"] };
const KEYS = Object.fromEntries(Object.entries(MODES).map(([mode, [, key]]) => [key, mode]));
const BY = 1.25; // a press of + or -
const PAN = 60;
const NAMES = ["va", "vb", "vm", "vd", "gain", "rate", "cut", "vz", "pg", "bright", "contrast"];

/** The viewer over the page. */
export class Viewer {
  /** @param {import("../core/state.js").State} state @param {any} panel the panel of images */
  constructor(state, panel) {
    Object.assign(this, { state, panel, dialog: null, turn: 0, loading: Promise.resolve(), own: new Map(), hover: null, flip: false, timer: 0, made: null });
    this.bitmaps = new Bitmaps();
    this.zoom = new Zoom(this);
    this.readout = new Readout(this);
    this.draw = onFrame(() => this.#paint());
  }

  /** The runs and tags that can be chosen. */
  get runs() {
    return this.panel.having ?? [];
  }

  get tags() {
    return this.panel.tags;
  }

  get mode() {
    return this.state.get("vb") ? this.state.get("vm") : "one";
  }

  /** Show an image, or compare two. @param {any} a @param {any} [b] */
  open(a, b) {
    const { vm } = this.state.values;
    this.state.set({ va: this.#ref(a), vb: b ? this.#ref(b) : null, vm: b ? (vm === "one" ? "side" : vm) : "one", vz: null });
  }

  /** An image follows the slider where it is what the slider shows. */
  #ref(item) {
    const series = this.panel.series.get(seriesKey(item.run, item.tag, item.stream));
    const follows = series?.near(this.panel.at)[0].step === item.step;
    return [item.run, item.tag, item.stream, item.idx, follows ? null : item.step];
  }

  /** The panel has other series. */
  update() {
    this.bar?.set(this.panel.steps, (step) => this.panel.wall(step));
    this.own.clear();
    this.#sync();
  }

  /** The page's step has moved. */
  step() {
    if (this.dialog) this.#load();
  }

  /** The URL has changed. @param {Set<string>} changed */
  changed(changed) {
    if (NAMES.some((name) => changed.has(name))) this.#sync(changed);
  }

  /** Resolves when what is asked for is drawn. */
  async ready() {
    await this.loading;
  }

  close() {
    this.#shut();
    this.bitmaps.clear();
  }

  #sync(changed = new Set(["va"])) {
    if (!this.state.get("va")) {
      this.#shut();
      return;
    }
    if (!this.panel.steps.length) return;
    if (!this.dialog) this.#build();
    if (changed.has("vz")) this.zoom.view = null;
    this.#controls();
    if (["va", "vb"].some((name) => changed.has(name))) this.#load();
    if (changed.has("vm")) this.readout.measure();
    this.#beat();
    this.draw();
  }

  #shut() {
    clearInterval(this.timer);
    const { dialog } = this;
    if (!dialog) return;
    this.dialog = null;
    this.turn += 1;
    this.watch.disconnect();
    this.bar.close();
    dialog.close();
    dialog.remove();
    this.zoom.view = this.made = this.hover = null;
  }

  #build() {
    const { state, zoom } = this;
    this.a = new Side("A", this);
    this.b = new Side("B", this);
    this.left = new Canvas("Image A");
    this.right = new Canvas("Image B");
    this.settings = new Settings(this);
    this.modes = h("div", { class: "modes", role: "group", "aria-label": "How images are shown" }, Object.entries(MODES).map(([mode, [label, key]]) =>
      h("button", { type: "button", class: "button", dataset: { mode }, title: `${label} (${key})`, on: { click: () => this.setMode(mode) } }, label)));
    this.percent = h("output", { class: "percent", "aria-label": "Zoom" });
    const zooming = h("div", { class: "zooming", role: "group", "aria-label": "Zoom" },
      button(null, "Zoom out (-)", () => zoom.by(1 / BY), { text: "−", "aria-label": "Zoom out" }), this.percent, button(null, "Zoom in (+)", () => zoom.by(BY), { text: "+", "aria-label": "Zoom in" }),
      button(null, "Fit into the window (0)", () => zoom.fit(), { text: "Fit" }), button(null, "One pixel for each pixel (1)", () => zoom.to(1), { text: "1:1" }));
    this.lines = button("columns", "Lines between pixels at high zoom (g)", () => state.set({ pg: !state.get("pg") }), { text: "Pixel grid" });
    this.swap = button("compare", "Exchange A and B (x)", () => this.#swap(), { text: "Swap" });
    this.add = button("plus", "Compare with another image", () => offerPartners(this, this.add), { text: "Compare with", "aria-haspopup": "menu" });
    this.remove = button("close", "Do not compare", () => state.set({ vb: null, vm: "one" }));
    this.stage = h("div", { class: "stage", tabindex: "0", role: "group", "aria-label": "Images. Plus and minus zoom, Shift with arrows moves, left and right change the step, up and down the run" }, this.left.box, this.right.box);
    this.bar = new StepBar(state, { label: "Step of the images", ready: () => this.panel.ready() });
    this.bar.set(this.panel.steps, (step) => this.panel.wall(step));
    this.dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: "viewer", "aria-label": "Image viewer" },
      h("header", null, this.modes, this.settings.el, h("span", { class: "space" }), zooming, this.lines, button("close", "Close (Esc)", () => this.leave())),
      h("div", { class: "sources" }, this.a.el, h("span", { class: "between" }, this.add, this.swap), this.b.el, this.remove),
      this.stage, h("footer", null, this.readout.el, this.bar.el)));
    this.panel.told.pause?.();
    document.body.append(this.dialog);
    this.dialog.addEventListener("cancel", (event) => { event.preventDefault(); this.leave(); });
    this.dialog.addEventListener("keydown", (event) => this.#key(event));
    zoom.listen(this.stage, (place) => this.#over(place));
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.stage);
    this.dialog.showModal();
    this.stage.focus();
  }

  /** Close it; the browser's own history opens it again. */
  leave() {
    this.state.set({ va: null, vb: null, vm: "one", vz: null });
  }

  /** Another way of showing; B is found where there is none. */
  setMode(mode) {
    const { state } = this;
    if (mode === "one") state.set({ vm: "one" });
    else state.set({ vm: mode, vb: state.get("vb") ?? partner(this) });
  }

  #swap() {
    const { va, vb } = this.state.values;
    if (vb) this.state.set({ va: vb, vb: va });
  }

  #controls() {
    const { state, mode } = this;
    for (const el of /** @type {HTMLElement[]} */ ([...this.modes.children])) el.setAttribute("aria-pressed", String(el.dataset.mode === mode));
    this.lines.setAttribute("aria-pressed", String(state.get("pg")));
    this.b.el.classList.toggle("resting", mode === "one");
    this.swap.hidden = this.remove.hidden = !state.get("vb");
    this.add.hidden = Boolean(state.get("vb"));
    this.right.box.hidden = mode !== "side";
    this.settings.draw(mode);
    this.a.draw();
    this.b.draw();
    // What was pressed may be gone now: keys go on.
    if (!this.dialog.contains(document.activeElement) || document.activeElement === this.dialog) this.stage.focus();
  }

  // What is shown

  async #series(ref) {
    const [run, tag, stream] = ref;
    const key = seriesKey(run, tag, stream);
    const known = this.panel.series.get(key) ?? this.own.get(key);
    if (known) return known;
    const found = (await askSeries([{ key: run }], [{ tag, stream }], "images", this.panel.asking.signal)).get(key);
    if (!found) throw new ApiError({ message: "This run has no image of this tag" }, 404);
    this.own.set(key, found);
    return found;
  }

  #load() {
    const turn = (this.turn += 1);
    const sides = this.state.get("vb") ? [this.a, this.b] : [this.a];
    if (sides.length === 1) Object.assign(this.b, { item: null, picture: null, error: null });
    this.loading = this.#fetch(sides, turn);
  }

  /** Fetch what is asked for; the old picture stays until both are there, and late answers are dropped. */
  async #fetch(sides, turn) {
    const items = await Promise.all(sides.map((side) => this.#series(side.ref).then((series) => side.take(series)).catch((error) => ({ error }))));
    if (turn !== this.turn || !this.dialog) return;
    const asked = items.map((item) => (item.error ? Promise.reject(item.error) : this.bitmaps.get(item)));
    this.bitmaps.bytes.only(new Set(items.map((item) => item.url)));
    const found = await Promise.allSettled(asked);
    if (turn !== this.turn || !this.dialog || found.some((one) => withdrawn(one.reason))) return;
    sides.forEach((side, i) => Object.assign(side, { item: items[i].error ? null : items[i], picture: found[i].value ?? null, error: found[i].reason ?? null }));
    this.#controls();
    this.zoom.again();
    this.#paint();
    this.readout.measure();
    for (const side of sides) this.#ahead(side);
  }

  /** The steps beside are fetched before somebody asks. */
  #ahead({ series, item }) {
    if (!series || !item) return;
    const place = series.place(item.step);
    for (const by of [1, -1, 2, -2]) {
      const step = series.steps[place + by];
      const next = step === undefined ? null : series.near(step).find((one) => one.idx === item.idx);
      if (next) this.bitmaps.get(next, true).catch(() => {});
    }
  }

  /** The size that the view is about: what both cover. */
  get extent() {
    const pictures = [this.a?.picture, this.mode === "one" ? null : this.b?.picture].filter(Boolean);
    if (!pictures.length) return null;
    return { width: Math.max(...pictures.map((one) => one.width)), height: Math.max(...pictures.map((one) => one.height)) };
  }

  #paint() {
    if (!this.dialog) return;
    const { a, b, left, right, mode, state } = this;
    const view = this.zoom.looking;
    const how = { look: lookStyle(state) || "none", grid: state.get("pg"), hover: this.hover };
    const layer = (side) => (side.picture ? [{ image: side.picture.bitmap, width: side.picture.width, height: side.picture.height }] : []);
    const paint = (canvas, side, letter) => {
      // Values are those that were logged: over other brightness they would not be what is seen.
      canvas.draw(view, layer(side), { ...how, pixels: how.look === "none" ? side.picture?.pixels : null, grey: side.picture?.grey });
      canvas.say(side.title, letter);
      this.#wrong(canvas, side);
    };
    left.second.hidden = mode !== "wipe";
    if (mode === "one") paint(left, a, "");
    else if (mode === "flicker") paint(left, this.flip ? b : a, this.flip ? "B" : "A");
    else if (mode === "side") {
      paint(left, a, "A");
      paint(right, b, "B");
    } else if (mode === "wipe") {
      const cut = state.get("cut") * left.size.width;
      left.draw(view, [...layer(a).map((one) => ({ ...one, to: cut })), ...layer(b).map((one) => ({ ...one, from: cut }))], { ...how, grid: false, cut });
      left.say(a.title, "A", b.title);
      this.#wrong(left, a, b);
    } else this.#difference(view, how);
    fill(this.percent, this.extent && `${number(100 * view.scale, view.scale >= 10 ? 4 : 3)} %`);
    this.readout.point(this.hover);
    this.readout.draw();
  }

  /** Why an image is not there, in its place. */
  #wrong(canvas, ...sides) {
    const wrong = sides.find((one) => one.error);
    const text = wrong ? `${sides.length > 1 || wrong === this.b ? `${wrong.letter}: ` : ""}${tell(wrong.error)}` : "";
    canvas.complain(text && h("div", { role: "alert" }, h("p", null, text), button("reset", "", () => this.#load(), { text: "Try again" })), text);
    return Boolean(wrong);
  }

  #difference(view, how) {
    const { a, b, left, state } = this;
    left.say(`Difference of ${b.title} from ${a.title}`, "B − A");
    const [p, q] = [a.picture, b.picture];
    if (this.#wrong(left, a, b) || !p || !q) {
      left.draw(view, []);
      return;
    }
    if (!p.pixels || !q.pixels) {
      left.draw(view, []);
      const text = "Differences are computed of images of up to 16 megapixels. Flicker and wipe show larger ones.";
      left.complain(h("p", null, text), text);
      return;
    }
    this.settings.update();
    const { vd } = state.values;
    const key = [p.url, q.url, vd, this.settings.gain].join(" ");
    if (this.made?.key !== key) {
      const pixels = difference(p.pixels, q.pixels, vd, this.settings.gain);
      const image = new OffscreenCanvas(pixels.width, pixels.height);
      image.getContext("2d").putImageData(new ImageData(pixels.data, pixels.width, pixels.height), 0, 0);
      this.made = { key, image, pixels };
    }
    const { image, pixels } = this.made;
    const write = (x, y) => {
      const [one, other] = [at(p.pixels, x, y), at(q.pixels, x, y)];
      return (p.grey && q.grey ? [0] : [0, 1, 2]).map((c) => signed(other[c] - one[c]));
    };
    left.draw(view, [{ image, width: pixels.width, height: pixels.height }], { ...how, look: "none", pixels, write });
  }

  // Flicker

  #beat() {
    clearInterval(this.timer);
    this.timer = 0;
    if (this.mode !== "flicker") this.flip = false;
    else {
      this.held ??= matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (!this.held) this.timer = setInterval(() => this.#turnOver(), 1000 / this.state.get("rate"));
    }
  }

  #turnOver() {
    this.flip = !this.flip;
    this.draw();
  }

  /** Stop the flicker, or let it go on. */
  hold(on) {
    this.held = on;
    this.settings.update();
    this.#beat();
  }

  /** By hand: it stays with the other one. */
  other() {
    this.hold(true);
    this.#turnOver();
  }

  // What people do

  #over(place) {
    const { extent } = this;
    const inside = place && extent && place.x >= 0 && place.y >= 0 && place.x < extent.width && place.y < extent.height;
    const hover = inside ? { x: Math.floor(place.x), y: Math.floor(place.y) } : null;
    if (hover?.x === this.hover?.x && hover?.y === this.hover?.y) return;
    this.hover = hover;
    this.draw();
  }

  #key(event) {
    const el = /** @type {HTMLElement} */ (event.target);
    if (el.closest("select, input:not([type='range']), [role='menu']") || event.altKey || event.isComposing) return;
    const run = this.#does(event, el);
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  }

  /** What a key does, if anything. */
  #does(event, el) {
    const { zoom, bar } = this;
    const side = this.mode === "one" ? this.a : this.b;
    if (event.ctrlKey || event.metaKey) return { ArrowLeft: () => bar.move(-1), ArrowRight: () => bar.move(1) }[event.key];
    const pans = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] }[event.key];
    if (event.shiftKey && pans) return () => zoom.pan(...pans);
    if (el.matches("input[type='range']") && el !== bar.range && /^(Arrow|Home|End|Page)/.test(event.key)) return undefined;
    if (event.key === " ") return el.closest("button, a") ? undefined : this.mode === "flicker" ? () => this.other() : () => bar.toggle();
    if (Object.hasOwn(KEYS, event.key)) return () => this.setMode(KEYS[event.key]);
    return {
      "+": () => zoom.by(BY), "=": () => zoom.by(BY), "-": () => zoom.by(1 / BY), 0: () => zoom.fit(), 1: () => zoom.to(1),
      ArrowLeft: () => side.move(-1), ArrowRight: () => side.move(1), ArrowUp: () => side.other(-1), ArrowDown: () => side.other(1),
      Home: () => bar.go(0), End: () => bar.go(Infinity), x: () => this.#swap(), g: () => this.lines.click(), p: () => bar.toggle(),
    }[event.key];
  }
}
