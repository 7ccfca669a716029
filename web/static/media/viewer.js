/** One image large, or two compared: side by side, flickering, their difference, a wipe; all of it in the URL. */

import { withdrawn } from "../core/api.js";
import { button, debounce, fill, h, onFrame } from "../core/dom.js";
import { bytes, number } from "../core/format.js";
import { tell } from "../core/ui.js";
import { Bitmaps } from "./bitmaps.js";
import { Canvas } from "./canvas.js";
import { lookStyle } from "./look.js";
import { at, difference, distance, overlap } from "./pixels.js";
import { askSeries, seriesKey } from "./series.js";
import { Side } from "./side.js";
import { StepBar } from "./stepbar.js";

const MODES = { one: "One image", side: "Side by side", flicker: "Flicker", diff: "Difference", wipe: "Wipe" };
const KEYS = { o: "one", s: "side", f: "flicker", d: "diff", w: "wipe" };
const STYLES = { abs: "absolute, by channel", heat: "largest channel, as heat", signed: "signed: red brighter in B, blue darker" };
const [LEAST, MOST] = [0.02, 160]; // screen pixels of an image's pixel
const BY = 1.25; // a press of + or -
const PAN = 60;
const NAMES = ["va", "vb", "vm", "vd", "gain", "rate", "cut", "vz", "pg", "bright", "contrast"];

/** The viewer over the page. */
export class Viewer {
  /** @param {import("../core/state.js").State} state @param {any} panel the panel of images */
  constructor(state, panel) {
    Object.assign(this, { state, panel, dialog: null, turn: 0, loading: Promise.resolve(), own: new Map(), hover: null, flip: false, timer: 0, differences: null, measured: null, view: null });
    this.bitmaps = new Bitmaps();
    this.draw = onFrame(() => this.#paint());
    this.keepZoom = debounce((vz) => { if (this.dialog && this.view) state.set({ vz }); }, 300);
    this.measure = debounce(() => this.#measure(), 120);
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
    this.state.set({ va: this.#ref(a), vb: b ? this.#ref(b) : null, vm: b ? (this.state.get("vm") === "one" ? "side" : this.state.get("vm")) : "one", vz: null });
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
    if (!this.dialog) return;
    this.bar.draw();
    this.#load();
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
    if (changed.has("vz") && !this.panning) this.view = null;
    this.#controls();
    if (["va", "vb", "vm"].some((name) => changed.has(name))) this.#load();
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
    Object.assign(this, { view: null, differences: null, measured: null, hover: null });
  }

  // What the dialog is made of

  #build() {
    const { state } = this;
    this.a = new Side("A", this);
    this.b = new Side("B", this);
    this.left = new Canvas("Image A");
    this.right = new Canvas("Image B");
    this.modes = h("div", { class: "modes", role: "group", "aria-label": "How images are shown" }, Object.entries(MODES).map(([mode, label]) =>
      h("button", { type: "button", class: "button", dataset: { mode }, title: `${label} (${mode[0]})`, on: { click: () => this.setMode(mode) } }, label)));
    this.special = h("div", { class: "special" });
    this.percent = h("output", { class: "percent", "aria-label": "Zoom" });
    const zooming = h("div", { class: "zooming", role: "group", "aria-label": "Zoom" },
      button(null, "Zoom out (-)", () => this.zoom(1 / BY), { text: "−", "aria-label": "Zoom out" }), this.percent, button(null, "Zoom in (+)", () => this.zoom(BY), { text: "+", "aria-label": "Zoom in" }),
      button(null, "Fit into the window (0)", () => this.fit(), { text: "Fit" }), button(null, "One pixel for each pixel (1)", () => this.zoomTo(1), { text: "1:1" }));
    this.lines = button("columns", "Lines between pixels at high zoom (g)", () => state.set({ pg: !state.get("pg") }), { text: "Pixel grid" });
    this.swap = button("compare", "Exchange A and B (x)", () => this.#swap(), { text: "Swap" });
    this.add = button("plus", "Compare with another image", () => this.setMode("side"), { text: "Compare" });
    this.remove = button("close", "Do not compare", () => state.set({ vb: null, vm: "one" }));
    this.file = h("a", { class: "file", target: "_blank", rel: "noopener" }, "as a file");
    this.stage = h("div", { class: "stage", tabindex: "0", role: "group", "aria-label": "Images; + and - zoom, Shift with arrows moves, arrows change step and run" }, this.left.box, this.right.box);
    this.says = h("div", { class: "readout", "aria-live": "off" });
    this.facts = h("div", { class: "facts", role: "status" });
    this.bar = new StepBar(state, { label: "Step of the images", ready: () => this.panel.ready() });
    this.bar.set(this.panel.steps, (step) => this.panel.wall(step));
    this.dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: "viewer", "aria-label": "Image viewer" },
      h("header", null, this.modes, this.special, h("span", { class: "space" }), zooming, this.lines, button("close", "Close (Esc)", () => this.leave())),
      h("div", { class: "sources" }, this.a.el, h("span", { class: "between" }, this.add, this.swap), this.b.el, this.remove),
      this.stage, h("footer", null, h("div", { class: "line" }, this.says, h("span", { class: "space" }), this.facts, this.file), this.bar.el)));
    this.panel.told.pause?.();
    document.body.append(this.dialog);
    this.dialog.addEventListener("cancel", (event) => { event.preventDefault(); this.leave(); });
    this.dialog.addEventListener("keydown", (event) => this.#key(event));
    this.#pointer();
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
    else state.set({ vm: mode, vb: state.get("vb") ?? this.#partner() });
  }

  /** What A is compared with at first: the next run, else an earlier step, else another image. */
  #partner() {
    const [run, tag, stream, idx, step] = this.state.get("va");
    const { series } = this.panel;
    const at = this.runs.findIndex((one) => one.key === run);
    const others = [...this.runs.slice(at + 1), ...this.runs.slice(0, Math.max(0, at))];
    const other = others.find((one) => series.has(seriesKey(one.key, tag, stream)));
    if (other) return [other.key, tag, stream, idx, step];
    const own = this.a.series;
    if (own?.steps.length > 1) {
      const place = own.place(step ?? this.panel.at);
      return [run, tag, stream, idx, own.steps[place ? place - 1 : 1]];
    }
    const next = this.tags.find((one) => (one.tag !== tag || one.stream !== stream) && series.has(seriesKey(run, one.tag, one.stream)));
    return next ? [run, next.tag, next.stream, 0, step] : [run, tag, stream, own?.most > 1 ? (idx + 1) % own.most : idx, step];
  }

  #swap() {
    const { va, vb } = this.state.values;
    if (vb) this.state.set({ va: vb, vb: va });
  }

  #controls() {
    const { state, mode } = this;
    for (const el of /** @type {HTMLElement[]} */ ([...this.modes.children])) el.setAttribute("aria-pressed", String(el.dataset.mode === mode));
    this.lines.setAttribute("aria-pressed", String(state.get("pg")));
    const two = mode !== "one";
    this.b.el.classList.toggle("resting", !two);
    this.swap.hidden = this.remove.hidden = !state.get("vb");
    this.add.hidden = Boolean(state.get("vb"));
    this.right.box.hidden = mode !== "side";
    this.#extra(mode);
    this.a.draw();
    this.b.draw();
  }

  /** What belongs to one mode alone. */
  #extra(mode) {
    const { state, special } = this;
    if (special.dataset.mode !== mode) {
      special.dataset.mode = mode;
      const slide = (label, name, least, most, stepping, text) => {
        const range = /** @type {HTMLInputElement} */ (h("input", { type: "range", min: least, max: most, step: stepping, "aria-label": label, value: text.to(state.get(name)), on: {
          input: () => state.set({ [name]: text.from(Number(range.value)) }, { commit: false }), change: () => state.set({ [name]: text.from(Number(range.value)) }),
        } }));
        const says = h("output", null);
        this.slid = () => { if (document.activeElement !== range) range.value = String(text.to(state.get(name))); fill(says, text.say(state.get(name))); };
        return h("label", { class: "field" }, label, range, says);
      };
      const plain = { to: (value) => value, from: (value) => value };
      this.slid = () => {};
      fill(special, mode === "flicker" && [
        this.pause = button(null, "Stop, or go on (space)", () => this.#hold(!this.held), { text: "Pause" }), button(null, "Show the other one", () => this.#other(), { text: "A / B" }),
        slide("Rate", "rate", 0.5, 12, 0.5, { ...plain, say: (value) => `${value} a second` }),
      ], mode === "diff" && [
        h("select", { "aria-label": "How the difference looks", on: { change: (event) => state.set({ vd: event.target.value }) } }, Object.entries(STYLES).map(([key, text]) => h("option", { value: key, selected: key === state.get("vd") }, text))),
        slide("Amplify", "gain", 0, 6, 0.25, { to: Math.log2, from: (value) => Math.round(2 ** value * 100) / 100, say: (value) => `${number(value, 3)}×` }),
        button(null, "Amplify until the largest difference is as bright as can be", () => this.#auto(), { text: "Auto" }),
      ], mode === "wipe" && slide("Place", "cut", 0, 1, 0.005, { ...plain, say: (value) => `${Math.round(100 * value)} %` }));
    }
    this.slid();
    if (mode === "diff") /** @type {HTMLSelectElement} */ (special.querySelector("select")).value = state.get("vd");
    if (this.pause && mode === "flicker") fill(this.pause, this.held ? "Go on" : "Pause");
  }

  // What is shown

  async #series(ref) {
    const [run, tag, stream] = ref;
    const key = seriesKey(run, tag, stream);
    const known = this.panel.series.get(key) ?? this.own.get(key);
    if (known) return known;
    const found = (await askSeries([{ key: run }], [{ tag, stream }], "images", this.panel.asking.signal)).get(key);
    if (!found) throw new Error("This run has no image of this tag");
    this.own.set(key, found);
    return found;
  }

  /** Fetch what is asked for; the old picture stays until both are there, and late answers are dropped. */
  #load() {
    const turn = (this.turn += 1);
    const sides = this.state.get("vb") ? [this.a, this.b] : [this.a];
    if (!this.state.get("vb")) Object.assign(this.b, { item: null, picture: null, error: null });
    this.loading = this.#fetch(sides, turn);
  }

  async #fetch(sides, turn) {
    const found = await Promise.all(sides.map(async (side) => {
      try {
        const item = side.take(await this.#series(side.ref));
        return { item, picture: await this.bitmaps.get(item), error: null };
      } catch (error) {
        return { item: null, picture: null, error };
      }
    }));
    if (turn !== this.turn || !this.dialog || found.some((one) => withdrawn(one.error))) return;
    sides.forEach((side, i) => Object.assign(side, found[i]));
    this.#controls();
    this.#paint();
    this.measure();
    this.#ahead(sides);
  }

  /** The steps beside are fetched before somebody asks. */
  #ahead(sides) {
    for (const side of sides) {
      if (!side.series || !side.item) continue;
      const place = side.series.place(side.item.step);
      for (const by of [1, -1, 2, -2]) {
        const step = side.series.steps[place + by];
        const item = step === undefined ? null : side.series.near(step).find((one) => one.idx === side.item.idx);
        if (item) this.bitmaps.get(item, true).catch(() => {});
      }
    }
  }

  /** The size that the view is about: what both cover. */
  get extent() {
    const pictures = [this.a?.picture, this.mode === "one" ? null : this.b?.picture].filter(Boolean);
    if (!pictures.length) return null;
    return { width: Math.max(...pictures.map((one) => one.width)), height: Math.max(...pictures.map((one) => one.height)) };
  }

  /** Where people look: what they zoomed to, else all of it. */
  get looking() {
    const { extent } = this;
    if (!extent) return { scale: 1, x: 0, y: 0 };
    const kept = this.view ?? (this.state.get("vz") && Object.fromEntries(this.state.get("vz").map((value, i) => [["scale", "x", "y"][i], value])));
    return kept ?? { scale: this.#fitting(extent), x: extent.width / 2, y: extent.height / 2 };
  }

  #fitting(extent) {
    const { width, height } = this.left.size;
    const scale = Math.min((width - 16) / extent.width, (height - 16) / extent.height);
    // Small images are shown in whole multiples of their pixels.
    return Math.max(LEAST, Math.min(MOST, scale >= 2 ? Math.floor(scale) : scale));
  }

  #paint() {
    if (!this.dialog) return;
    const { a, b, mode, looking: view, state } = this;
    const how = { look: lookStyle(state) || "none", grid: state.get("pg"), hover: this.hover };
    const layer = (side) => (side.picture ? [{ image: side.picture.bitmap, width: side.picture.width, height: side.picture.height }] : []);
    const paint = (canvas, side, tag) => {
      canvas.draw(view, layer(side), { ...how, pixels: how.look === "none" ? side.picture?.pixels : null, grey: side.picture?.grey });
      canvas.el.setAttribute("aria-label", side.title);
      fill(canvas.tag, tag && `${tag} · ${side.title}`);
      this.#wrong(canvas, side);
    };
    if (mode === "one") paint(this.left, a, "");
    else if (mode === "side") {
      paint(this.left, a, "A");
      paint(this.right, b, "B");
    } else if (mode === "flicker") paint(this.left, this.flip ? b : a, this.flip ? "B" : "A");
    else if (mode === "wipe") this.#wipe(view, how, layer);
    else this.#difference(view, how);
    this.left.tag.className = `side-tag ${mode === "flicker" && this.flip ? "B" : "A"}`;
    this.right.tag.className = "side-tag B";
    fill(this.percent, `${number(100 * view.scale, view.scale >= 10 ? 4 : 3)} %`);
    this.#readout();
    this.#told();
  }

  #wrong(canvas, ...sides) {
    const wrong = sides.find((one) => one.error);
    canvas.message.hidden = !wrong;
    if (wrong && canvas.told !== wrong.error) {
      canvas.told = wrong.error;
      fill(canvas.message, h("div", { role: "alert" }, h("p", null, `${sides.length > 1 || wrong === this.b ? `${wrong.letter}: ` : ""}${tell(wrong.error)}`), button("reset", "", () => this.#load(), { text: "Try again" })));
    }
    return Boolean(wrong);
  }

  #wipe(view, how, layer) {
    const { a, b } = this;
    const cut = this.state.get("cut") * this.left.size.width;
    const layers = [...layer(a).map((one) => ({ ...one, to: cut })), ...layer(b).map((one) => ({ ...one, from: cut }))];
    this.left.draw(view, layers, { ...how, grid: false, cut });
    this.left.el.setAttribute("aria-label", `Left ${a.title}, right ${b.title}`);
    fill(this.left.tag, `left A · ${a.title}`, h("br"), `right B · ${b.title}`);
    this.#wrong(this.left, a, b);
  }

  #difference(view, how) {
    const { a, b, state } = this;
    fill(this.left.tag, "B − A");
    if (this.#wrong(this.left, a, b) || !a.picture || !b.picture) {
      this.left.draw(view, []);
      return;
    }
    if (!a.picture.pixels || !b.picture.pixels) {
      this.left.draw(view, []);
      this.left.message.hidden = false;
      this.left.told = null;
      fill(this.left.message, h("p", null, "Differences are computed of images of up to 16 megapixels. Flicker and wipe show larger ones."));
      return;
    }
    const { vd, gain } = state.values;
    const key = [a.picture.url, b.picture.url, vd, gain].join(" ");
    if (this.differences?.key !== key) {
      const made = difference(a.picture.pixels, b.picture.pixels, vd, gain);
      const image = new OffscreenCanvas(made.width, made.height);
      image.getContext("2d").putImageData(new ImageData(made.data, made.width, made.height), 0, 0);
      this.differences = { key, image, made };
    }
    const { image, made } = this.differences;
    const grey = a.picture.grey && b.picture.grey;
    const signed = (value) => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0");
    const write = (x, y) => {
      const [p, q] = [at(a.picture.pixels, x, y), at(b.picture.pixels, x, y)];
      return p && q ? (grey ? [signed(q[0] - p[0])] : [0, 1, 2].map((c) => signed(q[c] - p[c]))) : null;
    };
    this.left.draw(view, [{ image, width: made.width, height: made.height }], { ...how, look: "none", pixels: made, write });
    this.left.el.setAttribute("aria-label", `Difference of ${b.title} from ${a.title}`);
  }

  /** The values under the pointer. */
  #readout() {
    const { hover, a, b, mode } = this;
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
    const [p, q] = [value(a), mode === "one" ? null : value(b)];
    const by = p && q && [0, 1, 2].map((c) => q[c] - p[c]).map((one) => (one > 0 ? `+${one}` : one < 0 ? `−${-one}` : "0"));
    const grey = a.picture?.grey && b.picture?.grey;
    fill(this.says, h("span", { class: "place" }, `x ${hover.x}  y ${hover.y}`), mode !== "one" && h("b", null, "A"), said(a), mode !== "one" && [h("b", null, "B"), said(b)], by && [h("b", null, "B − A"), h("code", null, grey ? by[0] : by.join(" "))]);
  }

  /** Sizes, and how far both are apart. */
  #told() {
    const { a, b, mode } = this;
    const one = a.picture;
    const parts = [];
    if (mode === "one") {
      if (one) parts.push(`${one.width} × ${one.height}`, bytes(a.item?.nbytes), a.item?.mime, a.item?.label);
    } else if (one && b.picture) {
      const both = overlap(one, b.picture);
      if (one.width !== b.picture.width || one.height !== b.picture.height) parts.push(h("strong", { class: "sizes" }, `A is ${one.width} × ${one.height}, B is ${b.picture.width} × ${b.picture.height}: the ${both.width} × ${both.height} that both have are compared`));
      const m = this.measured;
      if (m?.key === `${one.url} ${b.picture.url}`) {
        if (!m.most) parts.push("every pixel is the same");
        else {
          parts.push(`${number(100 * m.differ, 3)} % of pixels differ`, `mean ${number(m.mean, 3)}`, h("span", null, `largest ${m.most} at `, h("button", { type: "button", class: "linklike", title: "Go there", on: { click: () => this.zoomTo(Math.max(24, this.looking.scale), { x: m.at[0] + 0.5, y: m.at[1] + 0.5 }) } }, `${m.at[0]}, ${m.at[1]}`)), `PSNR ${number(m.psnr, 3)} dB`);
          if (m.ssim !== null) parts.push(`SSIM ${number(m.ssim, 3)}`);
        }
      }
    }
    const key = JSON.stringify(parts.map((part) => part?.textContent ?? part));
    if (key !== this.factsKey) fill(this.facts, parts.filter(Boolean).flatMap((part, i) => (i ? [h("span", { class: "muted" }, " · "), part] : [part])));
    this.factsKey = key;
    this.file.hidden = mode !== "one" || !a.item;
    if (a.item) this.file.setAttribute("href", a.item.url);
  }

  #measure() {
    const [p, q] = [this.a?.picture, this.b?.picture];
    if (!this.dialog || this.mode === "one" || !p?.pixels || !q?.pixels) return;
    const key = `${p.url} ${q.url}`;
    if (this.measured?.key !== key) this.measured = { key, ...distance(p.pixels, q.pixels) };
    this.#told();
  }

  #auto() {
    this.#measure();
    if (this.measured?.most) this.state.set({ gain: Math.max(1, Math.min(64, Math.round(25500 / this.measured.most) / 100)) });
  }

  // Flicker

  #beat() {
    clearInterval(this.timer);
    this.timer = 0;
    if (this.mode !== "flicker") {
      this.flip = false;
      return;
    }
    this.held ??= matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!this.held) this.timer = setInterval(() => this.#turnOver(), 1000 / this.state.get("rate"));
  }

  #turnOver() {
    this.flip = !this.flip;
    this.draw();
  }

  #hold(on) {
    this.held = on;
    this.#extra("flicker");
    this.#beat();
  }

  /** By hand: it stays with the other one. */
  #other() {
    this.#hold(true);
    this.#turnOver();
  }

  // Zoom and pan

  /** All of it. */
  fit() {
    this.view = null;
    this.state.set({ vz: null });
    this.draw();
  }

  /** Closer or further, around a place of the image. @param {number} by @param {{x: number, y: number}} [around] */
  zoom(by, around) {
    this.zoomTo(this.looking.scale * by, undefined, around);
  }

  /** To a scale: around a place that stays where it is, or with a place in the middle. */
  zoomTo(wanted, middle, around) {
    const view = this.looking;
    const scale = Math.max(LEAST, Math.min(MOST, wanted));
    const fixed = around ?? { x: view.x, y: view.y };
    const place = middle ?? { x: fixed.x + ((view.x - fixed.x) * view.scale) / scale, y: fixed.y + ((view.y - fixed.y) * view.scale) / scale };
    this.#look({ scale, ...place });
  }

  #pan(dx, dy) {
    const view = this.looking;
    this.#look({ scale: view.scale, x: view.x - dx / view.scale, y: view.y - dy / view.scale });
  }

  #look({ scale, x, y }) {
    const { extent } = this;
    if (!extent) return;
    // Something of the image stays in sight.
    this.view = { scale, x: Math.max(0, Math.min(extent.width, x)), y: Math.max(0, Math.min(extent.height, y)) };
    const round = (value) => Math.round(value * 1000) / 1000;
    this.keepZoom([round(this.view.scale), round(this.view.x), round(this.view.y)]);
    this.draw();
  }

  #pointer() {
    const canvasOf = (event) => [this.left, this.right].find((one) => one.box.contains(event.target)) ?? this.left;
    const place = (event) => canvasOf(event).toImage(this.looking, event.clientX, event.clientY);
    const touches = new Map();
    this.stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
      this.zoom(Math.exp(-Math.max(-400, Math.min(400, event.deltaY * lines)) * (event.ctrlKey ? 0.01 : 0.0018)), place(event));
      this.#over(place(event));
    }, { passive: false });
    this.stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest("button")) return;
      this.stage.setPointerCapture(event.pointerId);
      touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const box = this.left.box.getBoundingClientRect();
      this.wiping = this.mode === "wipe" && Math.abs(event.clientX - box.left - this.state.get("cut") * box.width) < 16;
      this.stage.classList.add("held");
    });
    this.stage.addEventListener("pointermove", (event) => {
      const before = touches.get(event.pointerId);
      if (!before) {
        this.#over(place(event));
        const box = this.left.box.getBoundingClientRect();
        this.stage.classList.toggle("parting", this.mode === "wipe" && Math.abs(event.clientX - box.left - this.state.get("cut") * box.width) < 16);
        return;
      }
      const other = [...touches].find(([id]) => id !== event.pointerId)?.[1];
      if (this.wiping) {
        const box = this.left.box.getBoundingClientRect();
        this.state.set({ cut: Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) }, { commit: false });
      } else if (other) {
        const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
        const middle = { clientX: (event.clientX + other.x) / 2, clientY: (event.clientY + other.y) / 2, target: event.target };
        this.zoom(apart({ x: event.clientX, y: event.clientY }) / apart(before), place(middle));
      } else this.#pan(event.clientX - before.x, event.clientY - before.y);
      touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    const end = (event) => {
      touches.delete(event.pointerId);
      if (this.wiping) this.state.set({ cut: this.state.get("cut") });
      this.wiping = false;
      if (!touches.size) this.stage.classList.remove("held");
    };
    this.stage.addEventListener("lostpointercapture", end);
    this.stage.addEventListener("pointerleave", () => { this.hover = null; this.draw(); });
    this.stage.addEventListener("dblclick", (event) => {
      if (this.state.get("vz") || this.view) this.fit();
      else this.zoom(Math.max(2, 16 / this.looking.scale), place(event));
    });
  }

  #over({ x, y }) {
    const { extent } = this;
    const inside = extent && x >= 0 && y >= 0 && x < extent.width && y < extent.height;
    const hover = inside ? { x: Math.floor(x), y: Math.floor(y) } : null;
    if (hover?.x === this.hover?.x && hover?.y === this.hover?.y) return;
    this.hover = hover;
    this.draw();
  }

  #key(event) {
    const el = /** @type {HTMLElement} */ (event.target);
    const within = el.closest("select, input:not([type='range'])");
    if (within || event.altKey || event.isComposing) return;
    const side = this.mode === "one" ? this.a : this.b;
    const ranged = el.matches("input[type='range']") && el !== this.bar.range;
    const control = event.ctrlKey || event.metaKey;
    const pans = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] }[event.key];
    const run = (() => {
      if (control) return { ArrowLeft: () => this.bar.move(-1), ArrowRight: () => this.bar.move(1) }[event.key];
      if (event.shiftKey && pans) return () => this.#pan(...pans);
      if (ranged && /^(Arrow|Home|End|Page)/.test(event.key)) return undefined;
      if (event.key === " ") return el.closest("button, a") ? undefined : this.mode === "flicker" ? () => this.#other() : () => this.bar.toggle();
      if (KEYS[event.key]) return () => this.setMode(KEYS[event.key]);
      return {
        "+": () => this.zoom(BY), "=": () => this.zoom(BY), "-": () => this.zoom(1 / BY), 0: () => this.fit(), 1: () => this.zoomTo(1),
        ArrowLeft: () => side.move(-1), ArrowRight: () => side.move(1), ArrowUp: () => side.other(-1), ArrowDown: () => side.other(1),
        Home: () => this.bar.go(0), End: () => this.bar.go(Infinity), x: () => this.#swap(), g: () => this.lines.click(), p: () => this.bar.toggle(),
      }[event.key];
    })();
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  }
}

