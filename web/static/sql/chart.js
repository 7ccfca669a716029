/** The chart of an answer: which columns it shows, and its canvas. */

import { scaleOf, wallTicks } from "../charts/scale.js";
import { button, fill, h } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { saveBlob } from "../core/save.js";
import { empty, menu } from "../core/ui.js";
import { KINDS } from "../pages/sql-state.js";
import { ink, Plot } from "../run/plot.js";
import { sqlTime } from "./cells.js";
import { MOST_BARS, MOST_SERIES, chosen, seriesOf } from "./points.js";

const BOX = { left: 64, top: 12, right: 18, bottom: 44 };
const NEAR = 40; // pixels
const KIND_NAMES = { line: "Line", scatter: "Scatter", bar: "Bar" };

/** Ticks of Unix seconds in UTC, as the table has times. */
function utcTicks(low, high, most) {
  const shift = new Date(low * 1000).getTimezoneOffset() * 60;
  return wallTicks(low + shift, high + shift, most).map((tick) => ({ ...tick, at: tick.at - shift }));
}

export class Chart {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state */
  constructor(el, state) {
    this.state = state;
    this.el = el;
    this.hidden = new Set();
    this.near = null;
    this.tools = h("div", { class: "sql-chart-tools", role: "group", "aria-label": "Chart" });
    this.plot = new Plot({ label: "Chart", height: 360, draw: (context, width, height) => this.#draw(context, width, height), hover: (x, y) => this.#hover(x, y) });
    this.plot.canvas.addEventListener("pointerleave", () => { this.near = null; });
    this.note = h("p", { class: "muted sql-chart-note", role: "status" });
    this.legend = h("ul", { class: "sql-legend", "aria-label": "Series" });
    this.why = h("div", { hidden: true });
    this.body = h("div", { class: "sql-chart-body" }, this.plot.el, this.legend);
    fill(el, this.tools, this.body, this.why, this.note);
  }

  /** @param {{name: string, kind: string, type: string}[]} columns @param {any[][]} rows */
  show(columns, rows) {
    if (this.rows !== rows) this.hidden.clear();
    Object.assign(this, { columns, rows });
    this.chart = rows.length ? chosen(this.state.get("chart"), columns, rows) : null;
    this.near = null;
    this.tools.hidden = this.body.hidden = this.note.hidden = !this.chart;
    this.why.hidden = Boolean(this.chart);
    if (!this.chart) {
      fill(this.why, empty(rows.length ? "No column of numbers: a chart needs one for y." : "There are no rows to draw."));
      return;
    }
    this.data = seriesOf(this.chart, columns, rows);
    this.#tools();
    this.#legend();
    this.#says();
    this.plot.redraw();
  }

  #put(patch) {
    const { kind, x, y, by, scale, xscale } = { ...this.chart, ...patch };
    this.state.set({ chart: { kind, x, y, by, ...(scale === "log" ? { scale } : {}), ...(xscale === "log" ? { xscale } : {}) } });
  }

  #tools() {
    const held = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.name;
    const select = (label, name, options, value) => h("label", { class: "sql-pick" }, h("span", { class: "muted" }, label),
      h("select", { dataset: { name }, on: { change: (event) => this.#put({ [name]: event.currentTarget.value }) } },
        options.map(([text, shown]) => h("option", { value: text, selected: text === value }, shown))));
    const check = (label, name) => h("label", { class: "sql-pick" }, h("input", { type: "checkbox", dataset: { name }, checked: chart[name] === "log", on: { change: (event) => this.#put({ [name]: event.currentTarget.checked ? "log" : "linear" }) } }), label);
    const names = this.columns.map((one) => [one.name, one.name]);
    const { chart } = this;
    const y = h("button", { type: "button", class: "button", dataset: { name: "y" }, "aria-haspopup": "menu", on: { click: (event) => this.#pickY(event.currentTarget) } }, chart.y.length > 2 ? `${chart.y.length} columns` : chart.y.join(", "));
    fill(
      this.tools,
      select("Kind", "kind", KINDS.map((kind) => [kind, KIND_NAMES[kind]]), chart.kind),
      select("x", "x", names, chart.x),
      h("span", { class: "sql-pick" }, h("span", { class: "muted", id: "sql-y" }, "y"), y),
      select("Series", "by", [["", "none"], ...names], chart.by),
      chart.kind !== "bar" && this.columns.find((one) => one.name === chart.x).kind === "number" && check("log x", "xscale"),
      check("log y", "scale"),
      h("span", { class: "space" }),
      button("download", "The chart as PNG", () => this.#save(), { text: "PNG" }),
    );
    y.setAttribute("aria-label", `y: ${chart.y.join(", ")}`);
    if (held) /** @type {HTMLElement | null} */ (this.tools.querySelector(`[data-name="${held}"]`))?.focus();
  }

  #pickY(anchor) {
    const all = this.columns.filter((one) => one.kind === "number");
    menu(anchor, "Columns of y", all.map(({ name }) => {
      const on = this.chart.y.includes(name);
      return { label: name, checked: on, disabled: on && this.chart.y.length === 1, run: () => this.#put({ y: on ? this.chart.y.filter((one) => one !== name) : [...this.chart.y, name] }) };
    }), "start");
  }

  #legend() {
    this.legend.hidden = this.data.series.length < 2;
    fill(this.legend, this.data.series.map((one) => h("li", null, h("button", {
      type: "button", class: "sql-series", "aria-pressed": String(!this.hidden.has(one.name)), title: `${one.name}: ${one.x.length.toLocaleString("en-US")} points`,
      on: { click: () => { if (!this.hidden.delete(one.name)) this.hidden.add(one.name); this.#legend(); this.plot.redraw(); } },
    }, h("span", { class: "dot", style: `background:${one.colour}` }), h("span", { class: "sql-name" }, one.name)))));
  }

  #says() {
    const { all, bars, missing, added } = this.data;
    const said = [];
    if (all > MOST_SERIES) said.push(`The first ${MOST_SERIES} of ${all.toLocaleString("en-US")} series are drawn: filter, or choose a column with fewer values.`);
    if (this.chart.kind === "bar" && bars > MOST_BARS) said.push(`The first ${MOST_BARS} of ${bars.toLocaleString("en-US")} bars are drawn: add ORDER BY and LIMIT.`);
    if (added) said.push("Rows with the same x are added up.");
    if (missing) said.push(`${plural(missing, "point")} without a ${[this.chart.scale, this.chart.xscale].includes("log") ? "positive " : ""}number ${missing === 1 ? "is" : "are"} left out.`);
    fill(this.note, said.join(" "));
    this.note.hidden = !said.length;
    this.plot.say(`${KIND_NAMES[this.chart.kind]} chart of ${this.chart.y.join(", ")} by ${this.chart.x}, ${this.data.series.length} series`);
  }

  #seen() {
    return this.data.series.filter((one) => !this.hidden.has(one.name));
  }

  /** Where values stand on the canvas. */
  #frame(width, height) {
    const box = { left: BOX.left, top: BOX.top, width: width - BOX.left - BOX.right, height: height - BOX.top - BOX.bottom };
    const [scale, across] = [scaleOf(this.chart.scale), scaleOf(this.chart.xscale)];
    const bar = this.chart.kind === "bar";
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const one of this.#seen()) {
      for (let i = 0; i < one.x.length; i += 1) {
        const y = scale.place(one.y[i]);
        const x = across.place(one.x[i]);
        if (x < x0) x0 = x;
        if (x > x1) x1 = x;
        if (y < y0) y0 = y;
        if (y > y1) y1 = y;
      }
    }
    if (x0 > x1) [x0, x1, y0, y1] = [0, 1, 0, 1];
    if (this.data.categories) [x0, x1] = [-0.5, this.data.categories.length - 0.5];
    else if (x0 === x1) [x0, x1] = [x0 - 0.5, x1 + 0.5];
    else if (this.chart.kind === "scatter") [x0, x1] = [x0 - (x1 - x0) * 0.03, x1 + (x1 - x0) * 0.03];
    if (bar && this.chart.scale !== "log") [y0, y1] = [Math.min(0, y0), Math.max(0, y1)];
    const pad = (y1 - y0) * 0.05 || Math.abs(y1) * 0.05 || 0.5;
    if (!bar || y0 !== 0) y0 -= pad;
    if (!bar || y1 !== 0) y1 += pad;
    const px = (x) => box.left + ((across.place(x) - x0) / (x1 - x0)) * box.width;
    const py = (y) => box.top + box.height - ((scale.place(y) - y0) / (y1 - y0)) * box.height;
    // Bars stand on 0, which a logarithmic axis has nowhere: there they stand on its foot.
    const ground = this.chart.scale === "log" ? y0 : Math.max(y0, Math.min(y1, 0));
    return { box, scale, across, x0, x1, y0, y1, px, py, base: box.top + box.height - ((ground - y0) / (y1 - y0)) * box.height };
  }

  #axes(context, frame) {
    const { box, scale, across, x0, x1, y0, y1 } = frame;
    const colours = ink();
    const foot = box.top + box.height;
    context.lineWidth = 1;
    context.strokeStyle = colours.line;
    context.fillStyle = colours.muted;
    const line = (a, b, c, d) => {
      context.beginPath();
      context.moveTo(Math.round(a) + 0.5, Math.round(b) + 0.5);
      context.lineTo(Math.round(c) + 0.5, Math.round(d) + 0.5);
      context.stroke();
    };
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const { at, label } of scale.ticks(y0, y1, Math.max(2, box.height / 44))) {
      const y = foot - ((at - y0) / (y1 - y0)) * box.height;
      if (y < box.top - 1 || y > foot + 1) continue;
      line(box.left, y, box.left + box.width, y);
      context.fillText(label, box.left - 8, y);
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    if (this.data.categories) this.#categories(context, frame, foot);
    else {
      const ticks = this.data.time ? utcTicks(x0, x1, Math.max(2, box.width / 90)) : across.ticks(x0, x1, Math.max(2, box.width / 90));
      for (const { at, label } of ticks) {
        const x = box.left + ((at - x0) / (x1 - x0)) * box.width;
        if (x < box.left - 1 || x > box.left + box.width + 1) continue;
        line(x, foot, x, foot + 4);
        context.fillText(label, x, foot + 8);
      }
    }
    context.strokeStyle = colours.muted;
    line(box.left, foot, box.left + box.width, foot);
    context.textAlign = "right";
    context.textBaseline = "bottom";
    context.fillText(this.chart.x + (this.data.time ? " (UTC)" : ""), box.left + box.width, foot + BOX.bottom - 4);
  }

  /** As many names of places as have room. */
  #categories(context, { box, px }, foot) {
    const { categories } = this.data;
    const every = Math.max(1, Math.ceil(categories.length / Math.max(1, box.width / 84)));
    const room = (box.width / categories.length) * every - 6;
    for (let i = 0; i < categories.length; i += every) {
      let text = sqlTime(categories[i]).slice(0, 60);
      while (text.length > 2 && context.measureText(text).width > Math.max(28, room)) text = `${text.slice(0, -2).trimEnd()}…`;
      context.fillText(text, px(i), foot + 8);
    }
  }

  #draw(context, width, height) {
    if (!this.chart) return;
    const frame = this.frame = this.#frame(width, height);
    this.#axes(context, frame);
    const seen = this.#seen();
    context.lineJoin = "bevel";
    seen.forEach((one, place) => {
      context.strokeStyle = context.fillStyle = one.colour;
      if (this.chart.kind === "bar") this.#bars(context, frame, one, place, seen.length);
      else if (this.chart.kind === "scatter") this.#dots(context, frame, one, 3);
      else {
        context.lineWidth = seen.length > 20 ? 1 : 1.6;
        context.beginPath();
        for (let i = 0; i < one.x.length; i += 1) context.lineTo(frame.px(one.x[i]), frame.py(one.y[i]));
        context.stroke();
        if (one.x.length <= 60) this.#dots(context, frame, one, 2);
      }
    });
    if (!this.near) return;
    context.strokeStyle = ink().text;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(this.near.at[0], this.near.at[1], 5, 0, 2 * Math.PI);
    context.stroke();
  }

  #dots(context, { px, py }, one, radius) {
    context.globalAlpha = one.x.length > 2000 ? 0.5 : 0.85;
    for (let i = 0; i < one.x.length; i += 1) {
      context.beginPath();
      context.arc(px(one.x[i]), py(one.y[i]), radius, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  #slot(frame, place, count) {
    const wide = (frame.box.width / this.data.categories.length) * 0.8;
    return { left: -wide / 2 + (wide / count) * place, width: Math.max(1, wide / count - (count > 1 || wide < 6 ? 0 : 1)) };
  }

  #bars(context, frame, one, place, count) {
    const { left, width } = this.#slot(frame, place, count);
    for (let i = 0; i < one.x.length; i += 1) {
      const y = frame.py(one.y[i]);
      context.fillRect(frame.px(one.x[i]) + left, Math.min(y, frame.base), width, Math.max(1, Math.abs(frame.base - y)));
    }
  }

  #hover(x, y) {
    this.near = null;
    if (!this.chart || !this.frame) return null;
    const { frame } = this;
    const bar = this.chart.kind === "bar";
    const seen = this.#seen();
    let best = NEAR ** 2;
    let found = null;
    seen.forEach((one, place) => {
      const shift = bar ? this.#slot(frame, place, seen.length) : null;
      for (let i = 0; i < one.x.length; i += 1) {
        const at = [frame.px(one.x[i]) + (shift ? shift.left + shift.width / 2 : 0), frame.py(one.y[i])];
        const far = (at[0] - x) ** 2 + (bar ? 0 : (at[1] - y) ** 2);
        if (far < best) [best, found] = [far, { one, i, at }];
      }
    });
    if (!found) return null;
    this.near = found;
    const { one, i } = found;
    const where = this.data.categories ? sqlTime(this.data.categories[one.x[i]]) : this.data.time ? sqlTime(new Date(one.x[i] * 1000).toISOString()) : number(one.x[i], 8);
    return [
      h("div", { class: "sql-tip" }, h("span", { class: "dot", style: `background:${one.colour}` }), h("b", null, one.name)),
      h("div", null, `${this.chart.x} ${where}`), h("div", null, `${this.chart.y.length === 1 ? this.chart.y[0] : "y"} ${number(one.y[i], 8)}`),
    ];
  }

  #save() {
    const { canvas } = this.plot;
    const whole = document.createElement("canvas");
    Object.assign(whole, { width: canvas.width, height: canvas.height });
    const context = whole.getContext("2d");
    context.fillStyle = ink().panel;
    context.fillRect(0, 0, whole.width, whole.height);
    context.drawImage(canvas, 0, 0);
    whole.toBlob((blob) => { if (blob) saveBlob(blob, "boardlake-sql.png"); });
  }
}
