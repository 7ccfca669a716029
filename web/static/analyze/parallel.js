/** Many values of every run, each on an axis of its own; brushes on them say which runs are looked at. */

import { withdrawn } from "../core/api.js";
import { button, fill, h, onFrame } from "../core/dom.js";
import { plural } from "../core/format.js";
import { under } from "../core/kinds.js";
import { theme } from "../core/theme.js";
import { empty, menu, popover, toast } from "../core/ui.js";
import { ink } from "../run/plot.js";
import { axisOf, SCALES } from "./axis.js";
import { brushEditor } from "./brush-editor.js";
import { left, words } from "./brush.js";
import { brushing } from "./brushing.js";
import { columnsOf, MOST } from "./data.js";
import { ExpressionBox } from "./expression-box.js";
import { Heads } from "./heads.js";
import { legend, legendLines } from "./legend.js";
import { acrosses, between, heights, layout, lineOf, railsOf, samples, spansOf, wordsOf } from "./parallel-picture.js";
import { drawn, Stage } from "./stage.js";
import { missing, tinted } from "./tints.js";
import { Turn } from "./turn.js";

const OWN = ["axes", "pc"];
const LOOK = ["inv", "scale", "curves", "hue"];
const NEAR = 7; // pixels
const MOST_AXES = 24;
const MOST_CHOSEN = 300; // selected runs whose lines stand out
const TITLED = 40; // pixels for names above the axes of a picture that is taken away
const MANY = 1000; // lines, behind which grey is fainter
const KEYS = "Axes are moved, brushed and changed by the menus of their names";
// Many lines are fainter, so that where they lie thick can be seen.
const FAINT = [[60, "e0"], [300, "a8"], [1200, "70"], [3000, "48"], [6000, "28"]];

export class Parallel {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} page */
  constructor(el, state, page) {
    Object.assign(this, { state, page, data: null, axes: [], at: null, live: null, order: null, by: "", turn: new Turn(), lit: new Set(), pointed: -1 });
    this.stage = new Stage({ kind: "parallel", label: "Parallel coordinates", keys: KEYS, redraw: () => this.#draw() });
    this.marks = { words: drawn("g"), lit: drawn("g"), brushes: drawn("g") };
    this.stage.above.append(...Object.values(this.marks));
    this.heads = new Heads({
      menu: (expr, anchor) => this.#menu(expr, anchor), order: (exprs) => this.#put(exprs), preview: (exprs) => { this.order = exprs; this.#draw(); },
      clear: (expr) => this.#brush(expr, []), remove: (expr) => this.#remove(expr),
    });
    this.note = h("p", { class: "note" });
    this.key = h("div", { class: "legendbar" });
    el.append(this.#tools(), this.key, this.heads.el, this.stage.el, this.note);
    brushing(this.stage, {
      at: () => (this.stage.message.hidden ? this.at : null), brush: (expr) => this.#partsOf(expr),
      live: (expr, parts) => { this.live = { expr, parts: unique(parts) }; this.#lines(); },
      done: (expr, parts) => {
        this.live = null;
        if (parts) this.#brush(expr, unique(parts));
        else this.#lines();
      },
      hover: (at) => this.#point(at ? this.#nearest(at) : -1), click: (at) => this.#click(at),
    });
    this.stage.plot.addEventListener("keydown", (event) => this.#key(event));
    this.#soon = onFrame(() => this.#paintLines());
    state.on((changed) => this.#changed(changed));
    this.#controls();
  }

  #soon = () => {};

  // Controls

  #tools() {
    const { state, page } = this;
    this.add = new ExpressionBox({ label: "Add an axis", fields: page.fields, placeholder: "Add an axis", clears: true, pick: (expr) => this.#add(expr) });
    this.colours = new ExpressionBox({
      label: "Colour", fields: page.fields, pick: (expr) => state.set({ pc: expr }),
      more: () => [{ label: "the last axis", detail: "", value: "" }, { label: "colours of the runs", detail: "as in the table", value: "run" }],
    });
    this.colours.input.placeholder = "the last axis";
    this.curves = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", on: { change: () => state.set({ curves: this.curves.checked }) } }));
    this.usual = button("reset", "Axes chosen from what the runs have", () => state.set({ axes: [] }), { text: "Automatic axes" });
    const download = this.stage.download(() => ({ title: `${this.axes.map((axis) => axis.title).join(", ")}: ${plural(this.count, "run")}`, name: "parallel-coordinates", lines: legendLines(this.colour, theme(), null), words: () => wordsOf(this.at, ink(), true) }), () => { this.titled = true; this.#draw(); }, () => { this.titled = false; this.#draw(); });
    return h("div", { class: "tools" }, this.add.el, h("span", { class: "field" }, h("span", { class: "name" }, "Colour"), this.colours.el), h("label", { class: "check" }, this.curves, "Curves"), this.usual, h("span", { class: "space" }), download);
  }

  #controls() {
    const { pc, curves, axes } = this.state.values;
    this.colours.show(pc);
    this.curves.checked = curves;
    this.usual.hidden = !axes.length;
  }

  #changed(changed) {
    const any = (names) => names.some((name) => changed.has(name));
    if (any(OWN)) this.update();
    else if (any(LOOK)) this.#draw();
    else if (changed.has("sel") && this.at) this.#rails();
    if (any([...OWN, ...LOOK])) this.#controls();
  }

  get #exprs() {
    return this.order ?? this.asked ?? [];
  }

  #put(axes) {
    this.state.set({ axes });
  }

  #add(expr) {
    const now = this.#exprs;
    if (now.includes(expr)) toast(`${expr} is there already`);
    else if (now.length >= MOST_AXES) toast(`At most ${MOST_AXES} axes are shown`, { bad: true });
    else this.#put([...now, expr]);
  }

  #remove(expr) {
    const rest = this.#exprs.filter((one) => one !== expr);
    const { [expr]: _, ...brush } = this.state.get("brush");
    // A picture without axes would be none.
    if (rest.length) this.state.set({ axes: rest, brush });
  }

  #partsOf(expr) {
    return this.live?.expr === expr ? this.live.parts : under(this.state.get("brush"), expr) ?? [];
  }

  #brush(expr, parts) {
    const { [expr]: _, ...others } = this.state.get("brush");
    this.state.set({ brush: parts.length ? { ...others, [expr]: parts } : others });
  }

  #menu(expr, anchor) {
    const { state } = this;
    const exprs = this.#exprs;
    const at = exprs.indexOf(expr);
    const axis = this.axes[at];
    const inv = state.get("inv");
    const scale = under(state.get("scale"), expr) ?? "auto";
    const move = (to) => () => {
      const next = exprs.filter((one) => one !== expr);
      next.splice(to, 0, expr);
      this.#put(next);
    };
    menu(anchor, axis.title, [
      { label: "Brush by values", icon: "edit", run: () => popover(anchor, [h("strong", null, axis.title), brushEditor(axis, () => this.#partsOf(expr), (parts) => this.#brush(expr, unique(parts)))], { label: `Brush of ${axis.title}` }) },
      this.#partsOf(expr).length > 0 && { label: "Clear the brush", icon: "close", run: () => this.#brush(expr, []) },
      "-",
      { label: "Inverted", checked: inv.includes(expr), run: () => state.set({ inv: inv.includes(expr) ? inv.filter((one) => one !== expr) : [...inv, expr] }) },
      ...(axis.kind === "number" ? Object.entries(SCALES).map(([name, label]) => ({ label: `Scale: ${label}`, checked: scale === name, run: () => state.set({ scale: { ...state.get("scale"), [expr]: name } }) })) : []),
      "-",
      state.get("pc") !== expr && { label: "Colour by it", run: () => state.set({ pc: expr }) },
      at > 0 && { label: "Move left", run: move(at - 1) },
      at < exprs.length - 1 && { label: "Move right", run: move(at + 1) },
      { label: "Remove", icon: "trash", disabled: exprs.length < 2, run: () => this.#remove(expr) },
    ], "start");
  }

  // Data

  /** Ask for what the state says, and show it. */
  update() {
    const { axes, pc, brush } = this.state.values;
    return this.turn.take([axes, pc, Object.keys(brush), this.page.all()], (signal) => this.#answer(signal));
  }

  async #answer(signal) {
    this.stage.busy(true);
    try {
      const { axes, pc, brush } = this.state.values;
      const asked = axes.length ? [...new Set(axes)].slice(0, MOST_AXES) : (await this.page.choices()).axes;
      signal.throwIfAborted();
      const exprs = [...asked, ...(pc && pc !== "run" ? [pc] : []), ...Object.keys(brush)];
      const [data] = await Promise.all([columnsOf(this.page.all(), exprs, signal), this.stage.ready()]);
      signal.throwIfAborted();
      // Another answer has the runs at other places.
      if (data.keys.some((key, i) => key !== this.data?.keys[i])) this.#point(-1);
      Object.assign(this, { asked, data, by: pc });
      this.stage.say();
      this.#draw();
    } catch (error) {
      if (withdrawn(error) || signal.aborted) return;
      const { axes } = this.state.values;
      const bad = axes.filter((expr) => error.text?.startsWith(expr));
      this.turn.void();
      this.stage.fail(error, () => this.update());
      if (bad.length) this.stage.message.append(button("trash", "Remove this axis", () => this.#put(axes.filter((expr) => !bad.includes(expr))), { text: "Remove this axis" }));
    } finally {
      if (!signal.aborted) this.stage.busy(false);
    }
  }

  /** Colours of runs have changed. */
  repaint() {
    if (this.by === "run") this.#draw();
  }

  #draw() {
    const { data, state, stage } = this;
    if (!data || !stage.figure) return;
    const { values } = state;
    const exprs = this.#exprs.filter((expr) => data.columns.has(expr));
    if (!exprs.length) return;
    this.axes = exprs.map((expr) => axisOf(expr, data.columns.get(expr), under(values.scale, expr) ?? "auto"));
    this.at = layout(this.axes, stage.width, stage.height, { inverted: new Set(values.inv), ...(this.titled ? { top: TITLED } : {}) });
    this.ys = heights(this.at);
    // Runs that have none of the values are no lines.
    this.lines = [];
    for (let i = 0; i < data.keys.length; i += 1) if (this.axes.some((axis) => Number.isFinite(axis.places[i]))) this.lines.push(i);
    const curved = values.curves;
    this.steps = samples(this.lines.length, curved);
    this.xs = acrosses(this.at, this.steps);
    this.corners = new Map();
    const by = this.by === "run" ? null : this.by || exprs.at(-1);
    this.colour = by ? axisOf(by, data.columns.get(by), under(values.scale, by) ?? "auto") : null;
    const { hue } = values;
    this.tints = this.colour ? tinted(this.colour, theme()) : data.keys.map((key, i) => hue[key] ?? this.page.tints.get(key) ?? data.colours[i]);
    this.heads.draw(this.at, values.brush);
    const faint = this.#brushed();
    stage.figure.draw({
      layers: { ...(faint ? { faint: this.#faint() } : {}), rails: this.#railLayer(), lines: this.#lineLayer() },
      x: [0, stage.width], y: [stage.height, 0],
    });
    this.hasFaint = faint;
    this.#words();
    fill(this.key, this.colour && legend(this.colour, theme(), null));
    this.#brushes();
    this.#tell();
    this.#mark();
  }

  #brushed() {
    return Boolean(this.live) || Object.keys(this.state.get("brush")).length > 0;
  }

  #corner(i) {
    let found = this.corners.get(i);
    if (!found) {
      found = lineOf(this.ys, i, this.steps);
      this.corners.set(i, found);
    }
    return found;
  }

  /** All lines, behind those that are left. */
  #faint() {
    const grey = missing(theme()) + (this.lines.length > MANY ? "70" : "");
    return { xs: this.lines.map(() => this.xs), ys: this.lines.map((i) => this.#corner(i)), colour: this.lines.map(() => grey) };
  }

  /** The runs that the brushes leave, also one that is being drawn. */
  #lineLayer() {
    const brush = this.live ? { ...this.state.get("brush"), [this.live.expr]: this.live.parts } : this.state.get("brush");
    const some = Object.fromEntries(Object.entries(brush).filter(([, parts]) => parts.length));
    this.mask = left(some, this.data.columns, this.data.keys.length);
    this.left = this.mask ? this.lines.filter((i) => this.mask[i]) : this.lines;
    const alpha = FAINT.find(([most]) => this.left.length <= most)?.[1] ?? "18";
    return { xs: this.left.map(() => this.xs), ys: this.left.map((i) => this.#corner(i)), colour: this.left.map((i) => this.tints[i] + alpha) };
  }

  #railLayer() {
    const keys = new Set(this.state.get("sel"));
    const chosen = keys.size ? this.lines.filter((i) => keys.has(this.data.keys[i])).slice(0, MOST_CHOSEN) : [];
    return railsOf(this.at, ink(), chosen.map((i) => this.#corner(i)), this.xs);
  }

  #rails() {
    this.stage.figure?.put("rails", this.#railLayer());
  }

  /** A brush has changed: only the lines that are left are painted anew. */
  #lines() {
    this.#soon();
  }

  #paintLines() {
    const { figure } = this.stage;
    if (!figure || !this.at) return;
    const faint = this.#brushed();
    if (faint !== this.hasFaint) {
      figure.put("faint", faint ? this.#faint() : null);
      this.hasFaint = faint;
    }
    figure.put("lines", this.#lineLayer());
    this.#brushes();
    this.#tell();
  }

  #words() {
    this.marks.words.replaceChildren(...wordsOf(this.at, ink()).map(({ x, y, text }) => drawn("text", { x, y, class: "word" }, text)));
  }

  /** The brushes themselves, above the canvas. */
  #brushes() {
    this.marks.brushes.replaceChildren();
    for (const rail of this.at.rails) {
      for (const { from, to } of spansOf(rail, this.#partsOf(rail.axis.expr))) {
        this.marks.brushes.append(drawn("rect", { class: "brush", x: rail.x - 8, y: from, width: 16, height: Math.max(3, to - from), rx: 3 }));
      }
    }
  }

  // Words

  get count() {
    return this.left?.length ?? 0;
  }

  #tell() {
    const { data, stage, state } = this;
    const parts = [];
    const without = data.keys.length - this.lines.length;
    if (this.mask) parts.push(`${this.count.toLocaleString("en-US")} of ${plural(this.lines.length, "run")} are left by the brushes. `);
    if (without) parts.push(`${plural(without, "run")} ${without === 1 ? "has" : "have"} none of these values. `);
    if (data.cut) parts.push(`The ${MOST.toLocaleString("en-US")} newest of ${plural(data.total, "run")} are looked at: filter to see others.`);
    fill(this.note, parts);
    const brushes = Object.entries(state.get("brush")).map(([expr, own]) => words(expr, own)).join("; ");
    stage.plot.setAttribute("aria-label", `Parallel coordinates of ${plural(this.count, "run")}: ${this.axes.map((axis) => axis.title).join(", ")}${brushes ? `. Brushes: ${brushes}` : ""}`);
    if (!data.keys.length) stage.say(empty(state.get("q") ? "No run matches the filter." : "There are no runs yet."));
    else if (!this.lines.length) stage.say(empty("No run has a value on any of these axes. Add an axis."));
    else stage.say();
  }

  // What is pointed at

  #nearest({ x, y }) {
    const { at, ys, left: shown } = this;
    if (!at || !shown || !this.stage.message.hidden) return -1;
    const { rails, gap } = at;
    const k = gap ? Math.max(0, Math.min(rails.length - 2, Math.floor((x - rails[0].x) / gap))) : 0;
    if (x < rails[0].x - NEAR || x > rails.at(-1).x + NEAR) return -1;
    const t = gap ? Math.max(0, Math.min(1, (x - rails[k].x) / gap)) : 0;
    const other = ys[Math.min(k + 1, ys.length - 1)];
    const curved = this.steps > 1;
    let best = -1;
    let least = NEAR;
    for (const i of shown) {
      const off = Math.abs(between(ys[k][i], other[i], t, curved) - y);
      if (off <= least) {
        least = off;
        best = i;
      }
    }
    if (best >= 0) this.from = { x, y };
    return best;
  }

  #point(i) {
    if (i === this.pointed && i < 0) return;
    const moved = i !== this.pointed;
    this.pointed = i;
    if (moved) this.page.hover(i < 0 ? null : this.data.keys[i]);
    if (i < 0) {
      this.stage.tip();
      return;
    }
    this.stage.tip(this.from.x, this.from.y, h("div", { class: "who" }, h("span", { class: "dot", style: `background:${this.tints[i]}` }), h("strong", null, this.data.labels[i])),
      h("table", null, h("tbody", null, this.axes.map((axis) => h("tr", null, h("th", null, axis.title), h("td", null, axis.tell(i) || "none"))))));
  }

  #click(at) {
    const i = this.#nearest(at);
    if (i < 0) return;
    const key = this.data.keys[i];
    const selected = this.state.get("sel").includes(key);
    this.stage.menu(at.x, at.y, this.data.labels[i], [
      { label: `Open ${this.data.labels[i]}`, icon: "right", run: () => { location.href = `/run/${encodeURIComponent(key)}`; } },
      { label: selected ? "Release" : "Select", icon: "check", run: () => this.page.pick([key], selected ? "take" : "add") },
      { label: "Show it in the table", icon: "search", run: () => this.page.reveal(key) },
    ]);
  }

  /** Mark runs. @param {string | null} _ @param {string[]} keys */
  highlight(_, keys) {
    this.lit = new Set(keys);
    this.#mark();
  }

  #mark() {
    const { lit, marks } = this;
    marks.lit.replaceChildren();
    if (!lit.size || !this.at || !this.stage.figure) return;
    const several = lit.size > 1 ? "several" : "";
    for (const i of this.lines) {
      if (!lit.has(this.data.keys[i])) continue;
      const ys = this.#corner(i);
      marks.lit.append(drawn("path", { class: `lit line ${several}`, d: `M${Array.from(this.xs, (x, k) => `${x.toFixed(1)} ${ys[k].toFixed(1)}`).join("L")}` }));
      if (marks.lit.childElementCount >= MOST_CHOSEN) break;
    }
  }

  /** Up and down go from run to run along the last axis. */
  #key(event) {
    if (event.target !== this.stage.plot || !this.left?.length) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      const last = this.ys.at(-1);
      const order = [...this.left].sort((a, b) => last[a] - last[b] || a - b);
      const at = order.indexOf(this.pointed);
      const i = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : Math.max(0, Math.min(order.length - 1, at + by))];
      this.from = { x: this.at.rails.at(-1).x - 40, y: last[i] };
      this.#point(i);
      fill(this.stage.voice, `${this.data.labels[i]}: ${this.axes.map((axis) => `${axis.title} ${axis.tell(i) || "none"}`).join(", ")}`);
    } else if (event.key === "Escape" && this.pointed >= 0) this.#point(-1);
    else if (event.key === "Enter" && this.pointed >= 0) this.#click(this.from);
    else if (event.key === " " && this.pointed >= 0) {
      const key = this.data.keys[this.pointed];
      this.page.pick([key], this.state.get("sel").includes(key) ? "take" : "add");
    } else return;
    event.preventDefault();
  }
}

/** Parts without those that are there twice. */
function unique(parts) {
  return [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()];
}
