/** Two values of every run against each other. */

import { withdrawn } from "../core/api.js";
import { button, debounce, fill, h, onFrame } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { theme } from "../core/theme.js";
import { empty } from "../core/ui.js";
import { ink } from "../run/plot.js";
import { axisOf, SCALES } from "./axis.js";
import { left } from "./brush.js";
import { columnsOf, MOST } from "./data.js";
import { ExpressionBox } from "./expression-box.js";
import { legend, legendLines } from "./legend.js";
import { caught } from "./maths.js";
import { pointing } from "./pointing.js";
import { picture, places, rings, wayOf } from "./scatter-picture.js";
import { drawn, Stage } from "./stage.js";
import { tinted } from "./tints.js";
import { Turn } from "./turn.js";

const OWN = ["sx", "sy", "sc", "ss"];
const LOOK = ["sxs", "sys", "scs", "front", "fx", "fy", "trend", "szoom", "hue", "drag"];
const NEAR = 14; // pixels
const MOST_LIT = 500;
const KEEP_MS = 300; // after the last turn of the wheel
const DRAGS = { lasso: "Lasso", box: "Rectangle", zoom: "Zoom" };
const WAYS = { auto: "automatic", min: "less is better", max: "more is better" };
const KEYS = "Arrow keys go from run to run, Enter opens the menu of a run, Space selects it, plus and minus zoom, 0 shows all";

function select(label, options, set) {
  return /** @type {HTMLSelectElement} */ (h("select", { "aria-label": label, title: label, on: { change: (event) => set(event.target.value) } }, Object.entries(options).map(([key, text]) => h("option", { value: key }, text))));
}

export class Scatter {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} page */
  constructor(el, state, page) {
    Object.assign(this, { state, page, data: null, at: null, shown: null, turn: new Turn(), lit: new Set(), pointed: -1, pointedKey: null, marks: drawn("g") });
    this.stage = new Stage({ kind: "points", label: "Scatter plot", keys: KEYS, redraw: () => this.#draw() });
    this.stage.above.append(this.marks);
    this.note = h("p", { class: "note" });
    this.fits = h("p", { class: "note fits" });
    this.key = h("div", { class: "legendbar" });
    this.titles = { x: h("span", { class: "axis-title x", "aria-hidden": "true" }), y: h("span", { class: "axis-title y", "aria-hidden": "true" }) };
    el.append(this.#axes(), this.#tools(), this.key, h("div", { class: "framed" }, this.titles.y, this.stage.el, this.titles.x), this.fits, this.note);
    this.#pointer();
    this.stage.plot.addEventListener("keydown", (event) => this.#key(event));
    state.on((changed) => this.#changed(changed));
    this.#controls();
  }

  // Controls

  #box(label, name, more) {
    const box = new ExpressionBox({ label, fields: this.page.fields, more, pick: (expr) => this.state.set({ [name]: expr, ...(name === "sx" || name === "sy" ? { szoom: null } : {}) }) });
    return box;
  }

  #axes() {
    const automatic = (detail) => ({ label: "automatic", detail, value: "" });
    this.boxes = {
      sx: this.#box("x", "sx", () => [automatic("a hyperparameter that varies")]),
      sy: this.#box("y", "sy", () => [automatic("the metric of most runs")]),
      sc: this.#box("Colour", "sc", () => [automatic("a hyperparameter that varies"), { label: "colours of the runs", detail: "as in the table", value: "run" }]),
      ss: this.#box("Size", "ss", () => [{ label: "one size", detail: "", value: "" }]),
    };
    this.boxes.ss.input.placeholder = "one size";
    this.scales = { sxs: select("Scale of x", SCALES, (value) => this.state.set({ sxs: value, szoom: null })), sys: select("Scale of y", SCALES, (value) => this.state.set({ sys: value, szoom: null })), scs: select("Scale of the colours", SCALES, (value) => this.state.set({ scs: value })) };
    const swap = button("compare", "Swap x and y", () => {
      const { sxs, sys, fx, fy } = this.state.values;
      const { sx, sy } = this.#asked ?? this.state.values;
      this.state.set({ sx: sy, sy: sx, sxs: sys, sys: sxs, fx: fy, fy: fx, szoom: null });
    });
    const field = (name, ...controls) => h("div", { class: "field" }, h("span", { class: "name" }, name), controls);
    return h("div", { class: "controls" }, field("x", this.boxes.sx.el, this.scales.sxs), field("y", this.boxes.sy.el, this.scales.sys), swap, field("Colour", this.boxes.sc.el, this.scales.scs), field("Size", this.boxes.ss.el));
  }

  #tools() {
    const { state } = this;
    const check = (label, name) => {
      const input = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", on: { change: () => state.set({ [name]: input.checked }) } }));
      return { input, el: h("label", { class: "check" }, input, label) };
    };
    this.drags = Object.entries(DRAGS).map(([mode, label]) => h("button", { type: "button", class: "button", dataset: { mode }, title: { lasso: "Drag around runs to select them; Shift adds, Alt releases", box: "Drag a rectangle to select runs; Shift adds, Alt releases", zoom: "Drag a rectangle to see what is in it" }[mode], on: { click: () => state.set({ drag: mode }) } }, label));
    this.front = check("Pareto front", "front");
    this.trend = check("Trend", "trend");
    this.ways = { fx: select("Which x is better", WAYS, (value) => state.set({ fx: value })), fy: select("Which y is better", WAYS, (value) => state.set({ fy: value })) };
    this.pickFront = button("check", "Select the runs on the front", () => this.page.pick(this.at.front.map((i) => this.data.keys[i])), { text: "Select the front" });
    this.frontTools = h("span", { class: "field" }, h("span", { class: "name" }, "x"), this.ways.fx, h("span", { class: "name" }, "y"), this.ways.fy, this.pickFront);
    this.reset = button("reset", "Show all points", () => state.set({ szoom: null }), { text: "Reset zoom" });
    const download = this.stage.download(() => ({ title: `${this.at.y.title} against ${this.at.x.title}`, name: "scatter", lines: legendLines(this.colour, theme(), this.mask) }));
    return h("div", { class: "tools" }, h("span", { class: "segmented", role: "group", "aria-label": "What dragging does" }, this.drags), this.front.el, this.frontTools, this.trend.el, h("span", { class: "space" }), this.reset, download);
  }

  #controls() {
    const { values } = this.state;
    for (const [name, box] of Object.entries(this.boxes)) box.show(values[name]);
    for (const [name, one] of Object.entries(this.scales)) one.value = values[name];
    for (const [name, one] of Object.entries(this.ways)) one.value = values[name];
    for (const one of this.drags) one.setAttribute("aria-pressed", String(one.dataset.mode === values.drag));
    this.stage.plot.dataset.drag = values.drag;
    this.front.input.checked = values.front;
    this.trend.input.checked = values.trend;
    this.frontTools.hidden = !values.front;
    this.reset.hidden = !values.szoom;
    const asked = this.#asked;
    if (asked) for (const [name, text] of [["sx", asked.sx], ["sy", asked.sy], ["sc", asked.sc === "run" ? "colours of the runs" : asked.sc]]) this.boxes[name].input.placeholder = text;
    this.scales.scs.hidden = !this.colour || this.colour.kind !== "number";
    if (this.at) for (const [name, axis] of [["sxs", this.at.x], ["sys", this.at.y]]) this.scales[name].disabled = axis.kind !== "number";
  }

  #changed(changed) {
    const any = (names) => names.some((name) => changed.has(name));
    if (any(OWN)) this.update();
    else if (any(LOOK)) this.#draw();
    else if (changed.has("sel")) this.#select();
    if (any([...OWN, ...LOOK])) this.#controls();
  }

  // Data

  /** What the picture is made of; empty expressions are those that were chosen. */
  #asked = null;

  /** Ask for what the state says, and show it. */
  update() {
    const { sx, sy, sc, ss, brush } = this.state.values;
    return this.turn.take([sx, sy, sc, ss, Object.keys(brush), this.page.all()], (signal) => this.#answer(signal));
  }

  async #answer(signal) {
    this.stage.busy(true);
    try {
      const { sx, sy, sc, ss, brush } = this.state.values;
      const chosen = sx && sy && sc ? null : await this.page.choices();
      signal.throwIfAborted();
      const asked = { sx: sx || chosen.x, sy: sy || chosen.y, sc: sc || chosen.colour, ss };
      const exprs = [asked.sx, asked.sy, ...(asked.sc === "run" ? [] : [asked.sc]), ...(ss ? [ss] : []), ...Object.keys(brush)];
      const [data] = await Promise.all([columnsOf(this.page.all(), exprs, signal), this.stage.ready()]);
      signal.throwIfAborted();
      this.#asked = asked;
      this.data = data;
      this.stage.say();
      this.#draw();
      this.#controls();
    } catch (error) {
      if (withdrawn(error) || signal.aborted) return;
      this.turn.void();
      this.stage.fail(error, () => this.update());
      fill(this.note);
    } finally {
      if (!signal.aborted) this.stage.busy(false);
    }
  }

  /** Colours of runs have changed. */
  repaint() {
    if (this.#asked?.sc === "run") this.#draw();
  }

  #draw() {
    const { data, state, stage } = this;
    if (!data || !stage.figure) return;
    const pointed = this.pointedKey;
    this.mask = left(state.get("brush"), data.columns, data.keys.length);
    const { values } = state;
    this.at = places(data, { ...values, ...this.#asked }, this.mask);
    this.colour = this.#asked.sc === "run" ? null : axisOf(this.#asked.sc, data.columns.get(this.#asked.sc), values.scs);
    const { hue } = values;
    this.colours = this.colour ? tinted(this.colour, theme()) : data.keys.map((key, i) => hue[key] ?? this.page.tints.get(key) ?? data.colours[i]);
    this.shown = picture(this.at, this.colours, this.#selected(), ink(), stage.width, stage.height);
    this.pixels = null;
    stage.figure.draw(this.shown);
    // The same run may have another place, or none any more.
    const again = pointed ? this.shown.seen.findIndex((i) => data.keys[i] === pointed) : -1;
    if (again < 0) this.#point(-1);
    this.pointed = again;
    fill(this.titles.x, this.at.x.title);
    fill(this.titles.y, this.at.y.title);
    fill(this.key, this.colour && legend(this.colour, theme(), this.mask));
    this.#tell();
    this.#mark();
  }

  /** Places of the selected runs among those that are shown. */
  #selected() {
    const keys = new Set(this.state.get("sel"));
    const found = new Set();
    if (keys.size) for (const i of this.at.shown) if (keys.has(this.data.keys[i])) found.add(i);
    return found;
  }

  #select() {
    if (!this.at || !this.stage.figure) return;
    this.stage.figure.put("rings", rings(this.at, this.#selected(), ink()));
  }

  // Words

  #tell() {
    const { data, at, mask, stage, state } = this;
    const count = mask ? mask.reduce((sum, one) => sum + one, 0) : data.keys.length;
    const parts = [];
    for (const [axis, name] of [[at.x, "sxs"], [at.y, "sys"]]) {
      if (axis.none) parts.push(`${axis.none.toLocaleString("en-US")} of ${plural(count, "run")} ${axis.none === 1 ? "has" : "have"} no ${axis.title}. `);
      if (axis.below) {
        parts.push(`${plural(axis.below, "run")} ${axis.below === 1 ? "has" : "have"} ${axis.title} of 0 or less, which a logarithmic axis does not show. `,
          button(null, `Symlog scale for ${axis.title}`, () => state.set({ [name]: "symlog", szoom: null }), { text: "Use symlog" }), " ");
      }
    }
    const out = at.shown.length - this.shown.seen.length;
    if (out) parts.push(`${plural(out, "run")} ${out === 1 ? "lies" : "lie"} outside of the window. `);
    if (data.cut) parts.push(`The ${MOST.toLocaleString("en-US")} newest of ${plural(data.total, "run")} are looked at: filter to see others.`);
    fill(this.note, parts);
    fill(this.fits, [this.#trendWords(), this.#frontWords()].filter(Boolean).join(" · "));
    this.pickFront.disabled = !at.front.length;
    stage.plot.setAttribute("aria-label", `Scatter plot of ${at.y.title} against ${at.x.title}: ${plural(at.shown.length, "run")}`);
    if (!count) stage.say(empty(data.total ? "The brushes leave no run." : state.get("q") ? "No run matches the filter." : "There are no runs yet."));
    else if (!at.shown.length) stage.say(empty(`No run has both ${at.x.title} and ${at.y.title}. Choose another axis.`));
    else stage.say();
  }

  #trendWords() {
    if (!this.state.get("trend")) return "";
    if (!this.at.numeric) return "A trend needs numbers on both axes";
    const { trend, x, y } = this.at;
    if (!trend) return "Too few different values for a trend";
    const of = x.scale === "linear" && y.scale === "linear" ? "" : " of the places on these axes";
    return `Trend of ${plural(trend.n, "run")}: linear correlation ${number(trend.r, 3)}${of}, rank correlation ${number(trend.rank, 3)}${of ? "" : `, slope ${number(trend.slope, 3)}`}`;
  }

  #frontWords() {
    const { at } = this;
    if (!this.state.get("front")) return "";
    if (!at.numeric) return "A Pareto front needs numbers on both axes";
    const way = (expr, wanted) => (wayOf(expr, wanted) > 0 ? "more" : "less");
    return `${plural(at.front.length, "run")} on the front: ${way(this.#asked.sx, this.state.get("fx"))} ${at.x.title} and ${way(this.#asked.sy, this.state.get("fy"))} ${at.y.title} is better`;
  }

  // What is pointed at

  /** Pixels of the runs in sight, in the order of `shown.seen`. */
  #pixels() {
    if (!this.pixels) {
      const { frame } = this.stage.figure;
      const { x: [x0, x1], y: [y0, y1], seen } = this.shown;
      const { xs, ys } = this.at;
      this.pixels = {
        x: Float64Array.from(seen, (i) => frame.left + ((xs[i] - x0) / (x1 - x0)) * frame.width),
        y: Float64Array.from(seen, (i) => frame.top + ((y1 - ys[i]) / (y1 - y0)) * frame.height),
      };
    }
    return this.pixels;
  }

  #nearest({ x, y }) {
    if (!this.shown) return -1;
    const pixels = this.#pixels();
    let best = -1;
    let least = NEAR * NEAR;
    for (let k = 0; k < pixels.x.length; k += 1) {
      const off = (pixels.x[k] - x) ** 2 + (pixels.y[k] - y) ** 2;
      if (off <= least) {
        least = off;
        best = k;
      }
    }
    return best;
  }

  #pointer() {
    const { stage, state } = this;
    const keysIn = (loop) => {
      const { x, y } = this.#pixels();
      return caught(x, y, loop).map((k) => this.data.keys[this.shown.seen[k]]);
    };
    // A pinch is many turns of the wheel, and one step.
    const keep = debounce(() => state.set({ szoom: state.get("szoom") }), KEEP_MS);
    let turned = 1;
    const turn = onFrame((at) => {
      const factor = turned;
      turned = 1;
      if (!this.shown) return;
      this.#zoom(factor, this.#place(at), false);
      keep();
    });
    this.pointing = pointing(stage, {
      mode: () => state.get("drag"),
      frame: () => (this.shown && stage.figure && stage.message.hidden ? stage.figure.frame : null),
      hover: (at) => this.#point(at ? this.#nearest(at) : -1),
      click: (at) => {
        const k = this.#nearest(at);
        if (k >= 0) this.#menu(k);
      },
      around: (loop, how) => {
        const words = { only: "Select", add: "Add", take: "Release" }[how];
        if (!loop) stage.tip();
        else stage.tip(...loop.at(-1), `${words} ${plural(keysIn(loop).length, "run")}`);
      },
      pick: (loop, how) => {
        const keys = keysIn(loop);
        this.page.pick(keys, how);
        fill(stage.voice, `${plural(state.get("sel").length, "run")} selected`);
      },
      zoom: (from, to) => {
        const [a, b] = [this.#place(from), this.#place(to)];
        if (a.x !== b.x && a.y !== b.y) state.set({ szoom: [[Math.min(a.x, b.x), Math.max(a.x, b.x)], [Math.min(a.y, b.y), Math.max(a.y, b.y)]] });
      },
      reset: () => { if (state.get("szoom")) state.set({ szoom: null }); },
      wheel: (at, factor) => {
        turned *= factor;
        turn(at);
      },
    });
  }

  #place({ x, y }) {
    const { frame } = this.stage.figure;
    const { x: [x0, x1], y: [y0, y1] } = this.shown;
    return { x: x0 + ((x - frame.left) / frame.width) * (x1 - x0), y: y1 - ((y - frame.top) / frame.height) * (y1 - y0) };
  }

  #zoom(factor, about, commit = true) {
    const around = ([low, high], at) => [at - (at - low) * factor, at + (high - at) * factor];
    const { x, y } = this.shown;
    const at = about ?? { x: (x[0] + x[1]) / 2, y: (y[0] + y[1]) / 2 };
    this.state.set({ szoom: [around(x, at.x), around(y, at.y)] }, { commit });
  }

  #menu(k) {
    const i = this.shown.seen[k];
    const key = this.data.keys[i];
    const { x, y } = this.#pixels();
    const selected = this.state.get("sel").includes(key);
    this.stage.menu(x[k], y[k], this.data.labels[i], [
      { label: `Open ${this.data.labels[i]}`, icon: "right", run: () => { location.href = `/run/${encodeURIComponent(key)}`; } },
      { label: selected ? "Release" : "Select", icon: "check", run: () => this.page.pick([key], selected ? "take" : "add") },
      { label: "Show it in the table", icon: "search", run: () => this.page.reveal(key) },
    ]);
  }

  /** The pointer, or a key, is on a run in sight; -1: on none. */
  #point(k) {
    if (k === this.pointed) return;
    this.pointed = k;
    const i = k < 0 ? -1 : this.shown.seen[k];
    this.pointedKey = i < 0 ? null : this.data.keys[i];
    this.page.hover(this.pointedKey);
    if (i < 0) {
      this.stage.tip();
      return;
    }
    const { x, y } = this.#pixels();
    this.stage.tip(x[k], y[k], this.#cardOf(i));
  }

  #cardOf(i) {
    const { data, at, colour } = this;
    const axes = [at.x, at.y, colour, at.size].filter(Boolean);
    const rows = [...new Map(axes.map((axis) => [axis.expr, axis])).values()];
    return [
      h("div", { class: "who" }, h("span", { class: "dot", style: `background:${this.colours[i]}` }), h("strong", null, data.labels[i])),
      h("table", null, h("tbody", null, rows.map((axis) => h("tr", null, h("th", null, axis.title), h("td", null, axis.tell(i) || "none"))), h("tr", null, h("th", null, "State"), h("td", null, data.states[i])))),
    ];
  }

  /** Mark runs. @param {string | null} _ @param {string[]} keys */
  highlight(_, keys) {
    this.lit = new Set(keys);
    this.#mark();
  }

  #mark() {
    this.marks.replaceChildren();
    if (!this.lit.size || !this.shown || !this.stage.figure) return;
    const { x, y } = this.#pixels();
    const { seen } = this.shown;
    for (let k = 0; k < seen.length && this.marks.childElementCount < MOST_LIT; k += 1) {
      if (this.lit.has(this.data.keys[seen[k]])) this.marks.append(drawn("circle", { class: "lit", cx: x[k], cy: y[k], r: this.at.sizes[seen[k]] / 2 + 5 }));
    }
  }

  #key(event) {
    if (event.target !== this.stage.plot || !this.shown) return;
    const { key } = event;
    if (key === "Escape") {
      if (!this.pointing.cancel() && this.pointed < 0) return;
      this.#point(-1);
    } else if (key.startsWith("Arrow")) this.#step(key === "ArrowLeft" || key === "ArrowRight" ? "x" : "y", key === "ArrowRight" || key === "ArrowUp" ? 1 : -1);
    else if (key === "+" || key === "=") this.#zoom(0.8);
    else if (key === "-") this.#zoom(1.25);
    else if (key === "0") this.state.set({ szoom: null });
    else if (this.pointed >= 0 && key === "Enter") this.#menu(this.pointed);
    else if (this.pointed >= 0 && key === " ") {
      const run = this.data.keys[this.shown.seen[this.pointed]];
      this.page.pick([run], this.state.get("sel").includes(run) ? "take" : "add");
    } else return;
    event.preventDefault();
  }

  /** Go to the next run along an axis. */
  #step(axis, by) {
    const pixels = this.#pixels()[axis];
    const order = Array.from(pixels, (_, k) => k).sort((a, b) => (axis === "x" ? pixels[a] - pixels[b] : pixels[b] - pixels[a]) || a - b);
    if (!order.length) return;
    const at = order.indexOf(this.pointed);
    const next = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : Math.max(0, Math.min(order.length - 1, at + by))];
    this.#point(next);
    const i = this.shown.seen[next];
    fill(this.stage.voice, `${this.data.labels[i]}: ${this.at.x.title} ${this.at.x.tell(i)}, ${this.at.y.title} ${this.at.y.tell(i)}`);
  }
}
