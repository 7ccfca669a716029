/** What cycles did over time: one small chart for each measure, and when each source was looked at. */

import { steps, tick, wallTicks } from "../charts/scale.js";
import { get } from "../core/api.js";
import { distinct } from "../core/colour.js";
import { fill, h, onFrame } from "../core/dom.js";
import { bytes, duration, natural, number, plural, time } from "../core/format.js";
import { empty } from "../core/ui.js";
import { ink, Plot } from "../run/plot.js";
import { Answer } from "./answer.js";
import { binned, cyclesOf, gaps } from "./bins.js";
import { Lanes } from "./lanes.js";
import { BOX, line, money, span, summary } from "./words.js";

export const RANGES = { day: 86400, hour: 3600, week: 604800, all: null };
const NAMES = { hour: "Hour", day: "Day", week: "Week", all: "All" };
const CHARTS = [
  ["bytes_read", "Bytes read", bytes],
  ["points", "Points stored", number],
  ["files_changed", "Files changed", number],
  ["requests", "Requests", number],
  ["problems", "Problems found", number],
  ["seconds", "Seconds per cycle", duration],
  ["bytes_received", "Bytes received", bytes],
  ["cost", "Cost of requests", money],
];
// Only servers send bytes, and only some count requests.
const REMOTE = ["bytes_received", "cost"];
const FORMATTED = ["bytes_read", "bytes_received", "cost"];
const COLUMN = 5; // pixels
const MOST_COLOURS = 12;
const MOST_TOLD = 8;
const MOST_CYCLES = [50, 500]; // of a source
const IN_ALL = 6000;
const OTHERS = "\0others";

/** The charts of cycles. */
export class Cycles {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.cycles = [];
    this.at = null; // the time under the pointer
    this.answer = new Answer();
    this.buttons = Object.fromEntries(Object.entries(NAMES).map(([id, name]) => [id, h("button", { type: "button", class: "button", on: { click: () => page.state.set({ range: id }) } }, name)]));
    this.legend = h("div", { class: "legend", role: "group", "aria-label": "Colours of sources" });
    this.none = h("div");
    this.redraw = onFrame(() => { for (const one of this.plots) one.redraw(); });
    this.lanes = new Lanes(this);
    this.cards = CHARTS.map(([id, title, format]) => {
      const plot = this.plot({ label: title, height: 150, draw: (c, w, t) => this.#draw(c, w, t, id, format), hover: (x) => this.#hover(x, id, format) });
      const whole = h("span", { class: "muted" });
      return { id, title, format, plot, whole, el: h("section", { class: "sheet", "aria-label": title }, h("header", { class: "sheethead" }, h("h3", null, title), whole), plot.el) };
    });
    this.plots = [this.lanes.plot, ...this.cards.map((one) => one.plot)];
    this.drawn = h("div", null,
      this.legend,
      this.lanes.el,
      h("div", { class: "multiples" }, this.cards.map((one) => one.el)));
    fill(this.answer.content, this.none, this.drawn);
    this.el = h("section", { "aria-labelledby": "cycles-title" },
      h("div", { class: "title" }, h("h2", { id: "cycles-title" }, "Cycles"), h("div", { class: "both", role: "group", "aria-label": "Time" }, Object.values(this.buttons))),
      this.answer.el);
  }

  /** A plot in which the pointer marks a time, as it then does in all of them. @param {ConstructorParameters<typeof Plot>[0]} options */
  plot(options) {
    const plot = new Plot(options);
    plot.canvas.addEventListener("pointerleave", () => this.point(null));
    return plot;
  }

  /** Mark a time, or none. @param {number | null} at Unix seconds */
  point(at) {
    this.at = this.cycles.length ? at : null;
    this.redraw();
  }

  /** Ask for the cycles of the time that the state has. */
  update() {
    const { range, source } = this.page.state.values;
    for (const [id, el] of Object.entries(this.buttons)) el.setAttribute("aria-pressed", String(id === range));
    const now = Date.parse(this.page.data.now) / 1000;
    const since = RANGES[range] && new Date((now - RANGES[range]) * 1000).toISOString();
    return this.answer.ask([range, source], (signal) => get("cycles", { source, since, most: this.#most() }, signal), (found) => this.#show(cyclesOf(found.cycles), now, range));
  }

  /** So many cycles of each source: the more sources there are, the coarser. */
  #most() {
    const sources = this.page.state.get("source") ? 1 : this.page.data.sources.length;
    return Math.max(MOST_CYCLES[0], Math.min(MOST_CYCLES[1], Math.ceil(IN_ALL / Math.max(1, sources))));
  }

  #show(cycles, now, range) {
    Object.assign(this, { cycles, now });
    this.from = RANGES[range] ? now - RANGES[range] : Math.min(now - 60, ...cycles.slice(0, 1).map((one) => one.from));
    const names = [...new Set(cycles.map((one) => one.source))].sort(natural);
    this.names = names;
    this.#colours(names);
    const any = cycles.length > 0;
    this.drawn.hidden = !any;
    const { source } = this.page.state.values;
    const wider = () => this.page.state.set({ range: "all" });
    fill(this.none, !any && empty(`No cycle ${source ? `of ${source} ` : ""}ran ${range === "all" ? "so far. `boardlake ingest` runs one." : `in the last ${range}.`}`,
      range !== "all" && h("button", { type: "button", class: "button", on: { click: wider } }, "Show all")));
    if (!any) return;
    const known = new Map(this.page.data.sources.map((one) => [one.source, one.usual_s]));
    const usual = Math.min(...names.map((name) => known.get(name) ?? Infinity));
    // Of sources that were looked at once nobody knows when to expect them.
    this.gaps = Number.isFinite(usual) ? gaps(cycles, now, usual, (now - this.from) / 200) : [];
    this.#heads();
    this.redraw();
  }

  /** One colour for each source; of many the busiest ones have one. */
  #colours(names) {
    const size = new Map(names.map((name) => [name, 0]));
    for (const one of this.cycles) size.set(one.source, size.get(one.source) + (one.bytes_read ?? 0));
    const many = names.length > MOST_COLOURS;
    this.own = many ? [...names].sort((a, b) => size.get(b) - size.get(a) || natural(a, b)).slice(0, MOST_COLOURS - 1).sort(natural) : names;
    this.colour = new Map(Object.entries(distinct(this.own)));
    const choose = (name) => this.page.choose(name);
    const says = JSON.stringify([this.own, names.length, this.page.state.get("source")]);
    if (says === this.legendSays) return;
    this.legendSays = says;
    fill(this.legend, names.length > 1 || this.page.state.get("source") ? [
      this.own.map((name) => h("button", { type: "button", class: "button bare", title: this.page.state.get("source") === name ? "Show all sources" : `Show ${name} alone`, on: { click: () => choose(name) } }, h("span", { class: "dot", style: `background:${this.colour.get(name)}` }), name)),
      many && h("span", { class: "muted" }, h("span", { class: "dot others" }), ` ${plural(names.length - this.own.length, "other")}`),
    ] : null);
  }

  #heads() {
    const { cycles } = this;
    const ran = cycles.reduce((all, one) => all + one.cycles, 0);
    for (const { id, title, format, plot, whole, el } of this.cards) {
      const all = cycles.reduce((total, one) => total + (one[id] ?? 0), 0);
      el.hidden = REMOTE.includes(id) && !all;
      const says = id === "seconds" ? `${duration(all / Math.max(1, ran))} on average` : format(all);
      fill(whole, says);
      plot.say(`${title} from ${time(this.from)} to ${time(this.now)}: ${says} in ${plural(Math.round(ran), "cycle")} of ${plural(this.names.length, "source")}`);
    }
    this.lanes.update(ran);
  }

  /** Where times are on a plot of *width* pixels whose box begins at *left*. */
  place(width, left) {
    const inner = width - left - BOX.right;
    return { inner, x: (at) => left + ((at - this.from) / (this.now - this.from || 1)) * inner, time: (x) => this.from + ((x - left) / inner) * (this.now - this.from) };
  }

  /** Ticks of the time, stretches without a cycle, and the time under the pointer. */
  ground(context, width, left, top, foot) {
    const colours = ink();
    const { inner, x } = this.place(width, left);
    context.fillStyle = colours.line;
    context.globalAlpha = 0.55;
    for (const [from, to] of this.gaps) {
      const a = Math.max(left, x(from));
      context.fillRect(a, top, Math.max(0, x(to) - a), foot - top);
    }
    context.globalAlpha = 1;
    context.strokeStyle = colours.line;
    context.fillStyle = colours.muted;
    context.textBaseline = "top";
    let free = -Infinity;
    for (const { at, label } of wallTicks(this.from, this.now, Math.max(2, inner / 80))) {
      const place = Math.round(x(at)) + 0.5;
      line(context, place, foot, place, foot + 4);
      const half = context.measureText(label).width / 2;
      const middle = Math.min(width - half - 1, place);
      if (middle - half < free) continue;
      context.textAlign = "center";
      context.fillText(label, middle, foot + 6);
      free = middle + half + 6;
    }
    if (this.at === null) return;
    context.strokeStyle = colours.muted;
    const place = Math.round(x(this.at)) + 0.5;
    line(context, place, top, place, foot);
  }

  #bins(width) {
    const { inner } = this.place(width, BOX.left);
    if (this.binnedFor !== this.cycles || this.binnedTo !== this.now || this.binnedIn !== inner) {
      Object.assign(this, { binnedFor: this.cycles, binnedTo: this.now, binnedIn: inner });
      this.bins = binned(this.cycles, this.from, this.now, inner / COLUMN);
    }
    return this.bins;
  }

  #draw(context, width, height, id, format) {
    if (!this.cycles.length) return;
    const foot = height - BOX.foot;
    this.ground(context, width, BOX.left, BOX.top, foot);
    const { start, width: step, columns } = this.#bins(width);
    const { x } = this.place(width, BOX.left);
    const most = id === "seconds" ? this.cycles.reduce((most, one) => Math.max(most, one.seconds / one.cycles), 0) : Math.max(0, ...columns.map((one) => (one ? total(one, id) : 0)));
    const high = most || 1;
    const y = (value) => foot - (value / high) * (foot - BOX.top - 4);
    this.#axis(context, width, foot, high, most, y, id, format);
    const clip = (at) => Math.max(BOX.left, Math.min(width - BOX.right, at));
    columns.forEach((column, i) => {
      if (!column) return;
      const a = clip(x(start + i * step));
      const wide = Math.max(1.5, clip(x(start + (i + 1) * step)) - a - 1);
      if (id === "seconds") {
        const dash = (value) => context.fillRect(a, Math.min(foot - 2, y(value) - 1), wide, 2.5);
        // Of those without a colour the longest.
        context.fillStyle = ink().muted;
        const others = [...column].filter(([name]) => !this.colour.has(name)).map(([, cell]) => cell.most);
        if (others.length) dash(Math.max(...others));
        for (const name of this.own) {
          context.fillStyle = this.colour.get(name);
          if (column.has(name)) dash(column.get(name).most);
        }
        return;
      }
      // A cycle that found nothing new is seen as well: where none ran there is nothing.
      context.fillStyle = ink().muted;
      context.fillRect(a, foot - 1.5, wide, 1.5);
      let sum = 0;
      for (const [name, value] of this.#stack(column, id)) {
        context.fillStyle = this.colour.get(name) ?? ink().muted;
        const from = y(sum);
        sum += value;
        context.fillRect(a, Math.min(y(sum), foot - 2), wide, Math.max(0.5, from - y(sum)));
      }
    });
  }

  /** The sources of a column in the order of the legend, with what is left in the end. */
  #stack(column, id) {
    const found = this.own.filter((name) => column.get(name)?.values[id] > 0).map((name) => [name, column.get(name).values[id]]);
    const rest = [...column].reduce((all, [name, cell]) => (this.colour.has(name) ? all : all + cell.values[id]), 0);
    return rest > 0 ? [...found, [OTHERS, rest]] : found;
  }

  #axis(context, width, foot, high, most, y, id, format) {
    const colours = ink();
    context.strokeStyle = colours.line;
    context.fillStyle = colours.muted;
    context.textAlign = "right";
    context.textBaseline = "middle";
    const whole = !["seconds", "cost"].includes(id);
    for (const value of most ? steps(0, high, 3, whole) : [0]) {
      const at = Math.round(y(value)) + 0.5;
      line(context, BOX.left, at, width - BOX.right, at);
      context.fillText(FORMATTED.includes(id) ? format(value) : id === "seconds" && value ? format(value) : tick(value), BOX.left - 7, at);
    }
  }

  #hover(x, id, format) {
    const width = this.plots[1].canvas.clientWidth;
    const place = this.place(width, BOX.left);
    this.point(x < BOX.left || x > width - BOX.right ? null : place.time(x));
    if (this.at === null) return null;
    const { start, width: step, columns } = this.#bins(width);
    const i = Math.floor((this.at - start) / step);
    const column = columns[i];
    const head = h("strong", null, span([start + i * step, Math.min(this.now, start + (i + 1) * step)]));
    if (!column) return [head, h("div", { class: "muted" }, this.#without(this.at))];
    const value = (cell) => (id === "seconds" ? cell.most : cell.values[id]);
    const rows = [...column].sort(([a, p], [b, q]) => value(q) - value(p) || natural(a, b));
    return [head, this.#told(rows.map(([name, cell]) => [name, format(round(value(cell), id))])), h("div", { class: "muted" }, summary([...column.values()]))];
  }

  #told(rows) {
    const shown = rows.slice(0, MOST_TOLD);
    return h("table", { class: "told" }, h("tbody", null,
      shown.map(([name, says]) => h("tr", null, h("th", null, h("span", { class: `dot${this.colour.has(name) ? "" : " others"}`, style: this.colour.has(name) ? `background:${this.colour.get(name)}` : null }), name), h("td", null, says))),
      rows.length > shown.length && h("tr", null, h("th", null, `and ${rows.length - shown.length} more`), h("td"))));
  }

  /** What to say of a time at which nothing ran. */
  #without(at) {
    const gap = this.gaps.find(([from, to]) => at >= from && at <= to);
    return gap ? `No cycle for ${duration(gap[1] - gap[0])}: ${span(gap)}` : "No cycle in this time";
  }

}

const total = (column, id) => [...column.values()].reduce((sum, cell) => sum + cell.values[id], 0);

const round = (value, id) => (id === "seconds" || id === "cost" ? value : Math.round(value));
