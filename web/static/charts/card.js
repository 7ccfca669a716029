/** One chart: its frame on the page, the curves it asks for, and the figure that it has while it is in sight. */

import { button, fill, h, onFrame } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { under } from "../core/kinds.js";
import { failed } from "../core/ui.js";
import { cardMenu } from "./card-menu.js";
import { borrow, giveBack } from "./figure.js";
import { withdrawn } from "./feed.js";
import { hover, readX } from "./hover.js";
import { computed, linesOf, overMetric } from "./lines.js";
import { overLayer, picture } from "./picture.js";
import { parse } from "./expr.js";

/** Charts that are not on the screen yet are asked for behind all that are. */
export const AWAY = 1e6;
const AXES = ["step", "relative", "wall"];
const TRACES = 200;

/**
 * @typedef {{id: string, title: string, tags: string[], expr?: string, at?: number, runs?: number}} Spec
 */

/** A chart of a grid; the grid's context says what is drawn and how. */
export class Card {
  /** @param {Spec} spec @param {import("./grid.js").Context} context */
  constructor(spec, context, { full = false, wholeName = full } = {}) {
    this.spec = spec;
    this.context = context;
    this.full = full;
    this.wholeName = wholeName;
    this.order = 0;
    this.seen = false;
    this.turn = 0; // counts how often it came into sight or went
    this.asked = 0;
    this.lines = [];
    this.plot = h("div", { class: "plot", tabindex: "0", "aria-description": "Left and right read values, plus and minus zoom" });
    this.voice = h("p", { class: "sr", role: "status" });
    this.note = h("div", { class: "note" });
    this.bar = h("div", { class: "loading", hidden: true });
    this.message = h("div", { class: "message", hidden: true });
    this.few = h("span", { class: "muted few" });
    this.el = h("article", { class: full ? "card whole" : "card", tabindex: full ? null : "-1", dataset: { id: spec.id }, "aria-label": `Chart ${spec.title}` },
      this.#head(), h("div", { class: "stage" }, this.plot, this.message, this.bar), this.note, this.voice);
    this.pointer = hover(this.plot, this);
    this.redraw = onFrame(() => this.#draw());
  }

  #head() {
    const { state } = this.context;
    const pinned = state.get("pins").includes(this.spec.id);
    const slash = this.spec.title.lastIndexOf("/");
    const name = this.wholeName || this.spec.at !== undefined || slash < 0 ? this.spec.title : this.spec.title.slice(slash + 1);
    const title = h("h3", { title: this.spec.expr ?? this.spec.tags.join("\n") }, name);
    const menu = button("menu", `Menu of ${this.spec.title}`, () => cardMenu(this, menu), { "aria-haspopup": "menu", dataset: { part: "menu" } });
    if (this.full) return h("header", null, title, this.few, h("span", { class: "space" }), menu);
    return h("header", null, title, this.few, h("span", { class: "space" }),
      button("pin", pinned ? `Unpin ${this.spec.title}` : `Pin ${this.spec.title}`, () => this.context.pin(this.spec.id), { "aria-pressed": String(pinned), dataset: { part: "pin" } }),
      button("full", `${this.spec.title} in full`, () => state.set({ full: this.spec.id }), { dataset: { part: "full" } }), menu);
  }

  // What hover.js asks of a chart.

  figure() {
    return this.canvas ?? null;
  }

  state() {
    return this.drawn ? { picture: this.drawn, lines: this.lines, kind: this.context.state.get("x"), smoothing: this.#smoothing(), grouped: this.context.grouped } : null;
  }

  over(near) {
    const key = near?.line.key ?? null;
    if (near?.line !== this.above) {
      this.above = near?.line ?? null;
      this.canvas?.over(near && this.drawn ? overLayer([near.line], this.drawn) : null);
      this.context.hovered(key);
    }
  }

  cursor(x) {
    this.context.cursor(x, this);
  }

  say(text) {
    fill(this.voice, text);
  }

  zoom(x, y) {
    const { state } = this.context;
    state.set({ zoom: x, yz: y ? { ...state.get("yz"), [this.spec.id]: y } : state.get("yz") });
  }

  reset() {
    const { state } = this.context;
    const { [this.spec.id]: _, ...yz } = state.get("yz");
    state.set({ zoom: null, yz });
  }

  pick(line) {
    this.context.picked(line.entry.key);
  }

  /** The tags that it is made of: none where its expression is none. */
  tags() {
    try {
      return this.spec.expr ? parse(this.spec.expr).tags : this.spec.tags;
    } catch {
      return [];
    }
  }

  // Life

  /** It came into sight. */
  async show(order = 0) {
    this.order = order;
    if (this.seen) return;
    this.seen = true;
    this.turn += 1;
    const { turn } = this;
    this.load();
    try {
      const canvas = await borrow(order < AWAY);
      if (turn !== this.turn) {
        // It went meanwhile; if it is back, another figure is on its way.
        giveBack(canvas);
        return;
      }
      this.canvas = canvas;
      const { width, height } = this.#size();
      canvas.attach(this.plot, width, height);
      this.#draw();
    } catch (error) {
      if (turn !== this.turn) return;
      this.wrong = error;
      this.#say();
    }
  }

  /** It went out of sight: the figure is somebody else's now. */
  hide() {
    this.seen = false;
    this.turn += 1;
    this.pointer.end();
    if (this.canvas) giveBack(this.canvas);
    this.canvas = null;
  }

  resize() {
    if (!this.canvas) return;
    const { width, height } = this.#size();
    this.canvas.resize(width, height);
    this.redraw();
  }

  #size() {
    return { width: Math.max(120, Math.floor(this.plot.clientWidth)), height: Math.max(80, Math.floor(this.plot.clientHeight)) };
  }

  #smoothing() {
    const { state } = this.context;
    return state.get("sk") !== "none" && state.get("sm") > 0;
  }

  /** Ask for the curves, if it is in sight; the old ones stay until the new ones are there. */
  async load() {
    if (!this.seen) {
      this.stale = true;
      return;
    }
    this.stale = false;
    const asked = ++this.asked;
    this.bar.hidden = false;
    try {
      const found = await this.#ask();
      if (asked !== this.asked) return;
      this.charts = found.charts;
      this.traces = found.traces;
      this.wrong = null;
      this.#draw();
    } catch (error) {
      if (withdrawn(error) || asked !== this.asked) return;
      this.wrong = error;
      this.#draw();
    } finally {
      if (asked === this.asked) this.bar.hidden = true;
    }
  }

  #want() {
    const { state, entries, grouped } = this.context;
    const x = AXES.includes(state.get("x")) ? state.get("x") : "step";
    const px = Math.min(4096, Math.max(128, Math.ceil((this.plot.clientWidth || 400) / 64) * 64));
    const whose = grouped ? { groups: entries.map((entry) => entry.group.ids) } : { runs: entries.map((entry) => entry.run_id) };
    return { ...whose, x, px, superseded: state.get("lost") && !grouped, range: /** @type {[number, number] | null} */ (null) };
  }

  async #ask() {
    const { state, entries, grouped } = this.context;
    const x = state.get("x");
    const metric = AXES.includes(x) ? null : x;
    const zoom = metric ? null : state.get("zoom");
    const expression = this.spec.expr ? parse(this.spec.expr) : null;
    const tags = expression?.tags ?? this.spec.tags;
    const want = this.#want();
    if (!entries.length) return { charts: [], traces: [] };
    const all = metric && !tags.includes(metric) ? [...tags, metric] : tags;
    let charts = await this.#charts(all, want, zoom);
    const by = metric ? charts[all.indexOf(metric)] : null;
    charts = charts.slice(0, tags.length);
    if (expression) charts = charts.every(Boolean) ? [computed(charts, expression, this.spec.title)] : [];
    charts = charts.filter(Boolean);
    if (metric) charts = overMetric(charts, by);
    let traces = [];
    if (grouped && state.get("traces") && !expression && !metric) {
      const runs = entries.flatMap((entry) => entry.group.ids).slice(0, TRACES);
      const { groups: _, ...single } = want;
      traces = (await this.#charts(tags, { ...single, runs }, zoom)).filter(Boolean);
    }
    return { charts, traces };
  }

  /** One chart for each tag; finer ones where the window shows little of many points. */
  async #charts(tags, want, zoom) {
    const { feed } = this.context;
    const all = (range) => Promise.all(tags.map((tag) => feed.chart(tag, { ...want, range }, this.order)));
    const whole = zoom && feed.has(tags, want) ? await all(null) : null;
    return whole?.every((chart) => !chart || chart.exact) ? whole : all(zoom);
  }

  /** Make the picture anew from what was fetched. */
  #draw() {
    const { state, entries, grouped } = this.context;
    if (!this.seen || !this.canvas) return;
    this.#say();
    if (!this.charts) return;
    const settings = { sk: state.get("sk"), sm: state.get("sm"), band: state.get("band"), grouped };
    const metric = !AXES.includes(state.get("x"));
    this.lines = linesOf(this.charts, entries, metric ? { ...settings, band: "none" } : settings);
    const shown = [...this.#traceLines(settings), ...this.lines];
    const own = under(state.get("own"), this.spec.id) ?? {};
    const { width, height } = this.#size();
    this.drawn = picture(shown, {
      xs: state.get("xs"), ys: own.ys ?? state.get("ys"), out: own.out ?? state.get("out"), x: state.get("x"), zoom: state.get("zoom"), yzoom: under(state.get("yz"), this.spec.id) ?? null,
      baseline: this.context.baseline, grouped, smoothing: this.#smoothing(), band: settings.band, coarse: this.context.coarse, width, height, full: this.full,
    });
    this.canvas.draw(this.drawn);
    this.#describe();
    this.above = null;
    this.canvas.over(this.#overLayer());
    this.#say();
    this.context.drew(this);
  }

  /** The picture in words, for those who cannot see it. */
  #describe() {
    const { x, y, xscale, yscale } = this.drawn;
    const lines = this.lines.filter((line) => !line.superseded);
    const kind = this.context.state.get("x");
    const from = `${readX(kind, xscale.value(x[0]))} to ${readX(kind, xscale.value(x[1]))}`;
    const values = `${number(yscale.value(y[0]), 3)} to ${number(yscale.value(y[1]), 3)}`;
    const names = [...new Set(lines.map((line) => line.name))];
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", `${this.spec.title}: ${plural(lines.length, "line")}, x from ${from}, y from ${values}. ${names.slice(0, 10).join(", ")}${names.length > 10 ? ` and ${names.length - 10} more` : ""}`);
  }

  #traceLines(settings) {
    if (!this.traces?.length) return [];
    const of = new Map(this.context.entries.flatMap((entry) => entry.group.ids.map((id) => [id, { ...entry, run_id: id }])));
    const faint = linesOf(this.traces, [...of.values()], { ...settings, grouped: false, band: "none" });
    return faint.map((line) => ({ ...line, superseded: true, restarts: [] }));
  }

  #overLayer() {
    const lines = this.context.highlit ? this.lines.filter((line) => line.key === this.context.highlit && !line.superseded) : [];
    return lines.length && this.drawn ? overLayer(lines, this.drawn) : null;
  }

  /** Draw the run that somebody points at above the others. */
  highlight() {
    if (this.canvas && this.drawn) this.canvas.over(this.#overLayer());
  }

  #say() {
    const { entries, state } = this.context;
    const lines = this.lines.filter((line) => !line.superseded);
    const drawn = new Set(lines.map((line) => line.key)).size;
    fill(this.few, this.charts && drawn < entries.length ? `${drawn} of ${entries.length}` : "");
    const message = this.wrong ? failed(this.wrong, () => this.load())
      : !this.charts ? null
      : !lines.length ? state.get("zoom") ? h("div", { class: "muted" }, h("p", null, "No point lies in this window."), button("reset", "Reset zoom", () => state.set({ zoom: null, yz: {} }), { text: "Reset zoom" })) : h("p", { class: "muted" }, AXES.includes(state.get("x")) ? "None of the runs that are drawn has this tag." : `No run has both this tag and ${state.get("x")}.`)
      : null;
    this.message.hidden = !message;
    if (message) fill(this.message, message);
    const notes = [];
    const odd = lines.reduce((sum, line) => sum + line.special.length, 0);
    if (odd) notes.push(`▲ ${odd} values that are no finite number`);
    const again = lines.reduce((sum, line) => sum + line.restarts.length, 0);
    if (again) notes.push(`┆ ${again} ${again === 1 ? "restart" : "restarts"}`);
    const ys = under(state.get("own"), this.spec.id)?.ys ?? state.get("ys");
    if (ys === "log" && lines.some((line) => line.smoothed.some((v) => v <= 0))) notes.push("values of 0 and below are not on a log axis (symlog has them)");
    fill(this.note, notes.join(" · "));
  }
}
