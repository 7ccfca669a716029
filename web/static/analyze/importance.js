/** Which hyperparameters a metric depends on: a random forest's importance, rank correlation, and how the metric lies along each. */

import { send } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { empty } from "../core/ui.js";
import { column } from "../table/expression.js";
import { metricOf } from "./automatic.js";
import { Body, copyButton, field } from "./body.js";
import { ExpressionBox } from "./expression-box.js";
import { drawn } from "./stage.js";

const REST_MS = 30_000; // a forest takes seconds of the server's time, and changes little by a few more points
const TREND = { width: 132, height: 30, pad: 4 };
const LEAST_SCALE = 0.05; // importances below this are not blown up to a full bar
const WHY = { "one value": "have one value in all runs", "a value for each run": "have a value of their own in each run", "too many": "are beyond the limit" };
const NAMED = 12; // so many are listed before "and more"
const SORTS = {
  importance: (one) => -(one.importance ?? -Infinity),
  correlation: (one) => -Math.abs(one.rank_correlation ?? 0),
  name: () => 0,
};

const percent = (part) => `${part < 0 ? "−" : ""}${(100 * Math.abs(part)).toFixed(Math.abs(part) < 0.0995 ? 1 : 0)} %`;

/** What the trend says of one bin, in words. */
function binName(one) {
  if (one.text !== null) return one.text;
  if (one.low === null) return "missing";
  return one.low === one.high ? number(one.low) : `${number(one.low)} … ${number(one.high)}`;
}

export class Importance {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} page */
  constructor(el, state, page) {
    Object.assign(this, { state, page, answer: null });
    this.body = new Body();
    this.target = new ExpressionBox({ label: "Target", fields: page.fields, more: () => [{ label: "automatic", detail: "the scatter's y", value: "" }], pick: (expr) => state.set({ impOf: expr }) });
    this.copy = copyButton(() => this.#table());
    this.about = h("p", { class: "note", role: "status" });
    this.note = h("p", { class: "note warned" });
    this.table = h("div", { class: "statistics" });
    this.apart = h("div");
    fill(this.body.shown, this.about, this.note, this.table, this.apart);
    el.append(h("div", { class: "controls" }, field("Target", this.target.el), h("span", { class: "actions" }, this.copy)), this.body.el);
    state.on((changed) => this.#changed(changed));
  }

  #changed(changed) {
    const follows = changed.has("sy") && !this.state.get("impOf");
    if (changed.has("impOf") || follows) this.update();
    else if (changed.has("impSort") || changed.has("sx")) this.#draw();
  }

  update() {
    this.target.show(this.state.get("impOf"));
    const { impOf, sy } = this.state.values;
    this.body.ask([impOf || sy, this.page.params()], async (signal, show) => {
      const target = await metricOf(this.state.get("impOf"), this.state, this.page, signal);
      this.target.input.placeholder = target;
      const { filter, archived, duplicates } = this.page.params();
      const asked = { target, filter: filter ?? "", archived: Boolean(archived), duplicates: Boolean(duplicates) };
      // Correlations are there at once, a forest takes its time; a picture of the same target is not taken back for it.
      if (this.answer?.target !== target) show({ ...(await send("POST", "importance", { ...asked, method: "rank" }, signal)), early: true });
      return send("POST", "importance", asked, signal);
    }, (answer) => {
      this.answer = answer;
      this.#draw();
    }, REST_MS);
  }

  #sorted() {
    const by = this.#by;
    return [...this.answer.rows].sort((a, b) => SORTS[by](a) - SORTS[by](b) || (a.name < b.name ? -1 : 1));
  }

  /** Without a forest there is no importance to sort by. */
  get #by() {
    const by = this.state.get("impSort");
    return by === "importance" && this.answer.method !== "forest" ? "correlation" : by;
  }

  #draw() {
    const { answer } = this;
    if (!answer) return;
    const forest = answer.method === "forest";
    this.copy.disabled = !answer.rows.length;
    const without = answer.left_out ? `; ${answer.left_out.toLocaleString("en-US")} without a value` : "";
    fill(this.about, `${plural(answer.runs, "run")} with ${column(answer.target).title}${without}. `,
      answer.early && answer.runs > 0 && "A random forest is being grown …",
      forest && h("span", { title: "R² on runs that the forest has not seen" }, answer.r2 > 0 ? `A random forest explains ${percent(answer.r2)} of the variance of its ranks on runs that it has not seen.` : "A random forest explains nothing on runs that it has not seen."));
    fill(this.note, answer.note);
    this.#untold();
    if (!answer.rows.length) {
      fill(this.table, empty(answer.runs ? "No hyperparameter of these runs has more than one value." : `No run that is looked at has a value of ${answer.target}. Choose another target, or another filter.`));
      return;
    }
    const rows = this.#sorted();
    const top = Math.max(LEAST_SCALE, ...rows.map((one) => (one.importance ?? 0) + (one.std ?? 0)));
    const bins = rows.flatMap((one) => one.trend);
    const span = [Math.min(...bins.map((one) => one.q1)), Math.max(...bins.map((one) => one.q3))];
    const head = (by, label, title) => h("th", { scope: "col", "aria-sort": this.#by === by ? (by === "name" ? "ascending" : "descending") : null },
      h("button", { type: "button", class: "sorter", title, "aria-pressed": String(this.#by === by), on: { click: () => this.state.set({ impSort: by }) } }, label));
    fill(this.table, h("table", { class: "plain weights" },
      h("thead", null, h("tr", null,
        head("name", "Hyperparameter", "Sort by name"),
        forest && head("importance", "Importance", "The part of the target's variance in which a hyperparameter has a hand: half of what R² loses when it is shuffled among runs that the forest has not seen. Whiskers: ± the deviation over shuffles"),
        head("correlation", "Rank correlation", "Spearman's, from −1 to 1; for texts η of Kruskal and Wallis, from 0 to 1. Sorted by strength"),
        h("th", { scope: "col" }, "Median and quartiles"), h("th", { scope: "col", class: "number" }, "Values"), h("th", { scope: "col", class: "number" }, "Runs"))),
      h("tbody", null, rows.map((one) => h("tr", null,
        h("th", { scope: "row" }, this.#name(one)),
        forest && h("td", null, weight(one, top)),
        h("td", null, relation(one)),
        h("td", null, trend(one, span)),
        h("td", { class: "number" }, one.distinct.toLocaleString("en-US")),
        h("td", { class: "number" }, one.runs.toLocaleString("en-US")))))));
  }

  #name(one) {
    const onAxis = this.state.get("sx") === one.expr;
    return h("button", {
      type: "button", class: "namer", title: `Show ${one.name} on the scatter's x axis`, "aria-pressed": String(onAxis),
      on: { click: () => { this.state.set({ sx: one.expr, szoom: null }); document.getElementById("scatter")?.scrollIntoView({ block: "nearest" }); } },
    }, one.name);
  }

  #untold() {
    const groups = Object.entries(WHY).map(([why, words]) => [words, this.answer.apart.filter((one) => one.why === why).map((one) => one.name)]).filter(([, names]) => names.length);
    const some = (names) => `${names.slice(0, NAMED).join(", ")}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ""}`;
    fill(this.apart, groups.length > 0 && h("details", { class: "apart" }, h("summary", null, `${plural(this.answer.apart.length, "further hyperparameter")} ${this.answer.apart.length === 1 ? "tells" : "tell"} nothing`), groups.map(([words, names]) => h("p", null, `${plural(names.length, "hyperparameter")} ${names.length === 1 ? words.replace(/^have/, "has").replace(/^are/, "is").replace("their own", "its own") : words}: ${some(names)}.`))));
  }

  #table() {
    const names = ["name", "expr", "kind", "distinct", "runs", "importance", "std", "rank_correlation", "p"];
    return { names, rows: this.#sorted().map((one) => names.map((name) => one[name])) };
  }
}

/** A bar from 0 with its deviation as whiskers. */
function weight({ importance, std }, top) {
  const at = (value) => `${(100 * Math.max(0, Math.min(top, value))) / top}%`;
  const low = Math.max(0, importance - std);
  return h("div", { class: "weighed", title: `${percent(importance)} ± ${percent(std)}` },
    h("span", { class: "track" },
      h("span", { class: "filled", style: `width:${at(importance)}` }),
      importance + std > 0 && h("span", { class: "whisker", style: `left:${at(low)};width:calc(${at(importance + std)} - ${at(low)})` })),
    h("span", { class: "amount" }, percent(importance)));
}

/** A bar to the right of the middle where the target rises, to the left where it falls; from the middle alone for texts. */
function relation({ rank_correlation: r, p, kind, direction }) {
  if (r === null) return h("span", { class: "muted" }, "–");
  const words = p === null ? "" : `; p ${p < 0.001 ? "< 0.001" : `= ${number(p, 2)}`}`;
  const sure = kind === "category" ? p !== null && p < 0.05 : direction !== "none";
  return h("div", { class: sure ? "related" : "related unsure", title: `${kind === "category" ? "η" : "ρ"} = ${number(r, 3)}${words}${sure ? "" : ": it may well be chance"}` },
    h("span", { class: "track" }, h("span", { class: `filled ${kind === "category" ? "text" : r < 0 ? "falls" : "rises"}`, style: `width:${50 * Math.abs(r)}%;${r < 0 ? "right" : "left"}:50%` })),
    h("span", { class: "amount" }, `${kind === "category" ? "" : r < 0 ? "−" : "+"}${Math.abs(r).toFixed(2)}`));
}

/** Medians of the target along a hyperparameter, with quartiles; all rows have one scale. */
function trend(one, [low, high]) {
  const { width, height, pad } = TREND;
  const bins = one.trend;
  const y = (value) => height - pad - ((value - low) / (high - low || 1)) * (height - 2 * pad);
  const x = (i) => pad + ((i + 0.5) * (width - 2 * pad)) / Math.max(2, bins.length);
  const told = bins.map((bin) => `${binName(bin)}: ${number(bin.median)} (${number(bin.q1)} … ${number(bin.q3)}; ${plural(bin.runs, "run")})`);
  const svg = drawn("svg", { class: "trend", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Median of the target by ${one.name}: ${told.join("; ")}` });
  const title = drawn("title");
  title.textContent = told.join("\n");
  svg.append(title);
  const there = bins.map((bin, i) => [bin, i]).filter(([bin]) => one.kind === "number" && bin.low !== null);
  if (there.length > 1) svg.append(drawn("polyline", { points: there.map(([bin, i]) => `${x(i)},${y(bin.median)}`).join(" ") }));
  bins.forEach((bin, i) => {
    const lacks = bin.text === null && bin.low === null;
    svg.append(drawn("line", { x1: x(i), x2: x(i), y1: y(bin.q1), y2: y(bin.q3) }), drawn("circle", { cx: x(i), cy: y(bin.median), r: 2.5, class: lacks ? "lacks" : null }));
  });
  return svg;
}
