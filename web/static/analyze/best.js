/** The best run of each group, with how many runs it is the best of. */

import { address, get } from "../core/api.js";
import { direction } from "../core/direction.js";
import { button, fill, h } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { empty } from "../core/ui.js";
import { column } from "../table/expression.js";
import { keysOf, metricOf } from "./automatic.js";
import { Body, copyButton, field, segmented } from "./body.js";
import { ExpressionBox } from "./expression-box.js";
import { KeysBox } from "./keys-box.js";

const MOST = 500;
const OWN = ["bestOf", "bestBy", "bestDir", "bestLeast", "bestSort"];
const HEADS = [["best", "Best"], ["values", "Runs"], ["mean", "Mean ± std"], ["median", "Median"]];

/** Which end of a metric is the better one, as far as its name tells. */
function wayOf(expr) {
  const { tag, stat, alias } = column(expr);
  const way = direction(tag || alias || expr);
  return way < 0 || (!way && stat === "min") ? "min" : "max";
}

export class Best {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} page */
  constructor(el, state, page) {
    Object.assign(this, { state, page, answer: null, asked: null });
    this.body = new Body();
    this.metric = new ExpressionBox({ label: "Metric of the best runs", fields: page.fields, more: () => [{ label: "automatic", detail: "the scatter's y", value: "" }], pick: (expr) => state.set({ bestOf: expr, bestDir: "auto" }) });
    this.keys = new KeysBox({ fields: page.fields, put: (bestBy) => state.set({ bestBy }) });
    this.way = segmented("Which end is better", { min: "smallest", max: "largest" }, (bestDir) => state.set({ bestDir }));
    this.least = /** @type {HTMLInputElement} */ (h("input", { type: "number", class: "least", min: 0, max: 1_000_000, "aria-label": "Least number of runs with a value", title: "Only groups with so many runs that have a value", on: { change: () => state.set({ bestLeast: state.schema.bestLeast.read(this.least.value) }) } }));
    this.pick = button("check", "Select the best run of each group", () => page.pick(this.#keys()), { text: "Select the best" });
    this.copy = copyButton(() => ({ names: this.answer.columns.map((one) => one.name), rows: this.answer.rows }));
    this.link = /** @type {HTMLAnchorElement} */ (h("a", { class: "button", target: "_blank", rel: "noopener", title: "These rows as JSON: an address for programs" }, "JSON"));
    this.about = h("p", { class: "note", role: "status" });
    this.table = h("div", { class: "statistics" });
    fill(this.body.shown, this.about, this.table);
    el.append(
      h("div", { class: "controls" }, field("Metric", this.metric.el), this.way.el, field("by", this.keys.el), field("at least", this.least, h("span", { class: "name" }, "runs")), h("span", { class: "actions" }, this.pick, this.copy, this.link)),
      this.body.el);
    state.on((changed) => this.#changed(changed));
    this.#controls();
  }

  #changed(changed) {
    const follows = (changed.has("sy") && !this.state.get("bestOf")) || (changed.has("group") && !this.state.get("bestBy").length);
    if (follows || OWN.some((name) => changed.has(name))) this.update();
    else if (changed.has("sel") && this.answer) this.#draw();
  }

  #controls() {
    this.metric.show(this.state.get("bestOf"));
    this.keys.show(this.state.get("bestBy"), this.asked?.group_by);
    this.least.value = String(this.state.get("bestLeast"));
    this.way.show(this.asked?.direction);
  }

  async #question(signal) {
    const { bestOf, bestBy, bestDir, bestLeast, bestSort } = this.state.values;
    const [metric, keys] = await Promise.all([metricOf(bestOf, this.state, this.page, signal), keysOf(bestBy, this.state, this.page)]);
    return {
      ...this.page.params(), group_by: keys, metric,
      direction: bestDir === "auto" ? wayOf(metric) : bestDir, least: String(bestLeast), sort: bestSort, limit: MOST,
    };
  }

  update() {
    this.#controls();
    const { bestOf, sy, bestBy, group, bestDir, bestLeast, bestSort } = this.state.values;
    this.body.ask([bestOf || sy, bestBy.length ? bestBy : group, bestDir, bestLeast, bestSort, this.page.params()], async (signal) => {
      const asked = await this.#question(signal);
      signal.throwIfAborted();
      this.asked = asked;
      this.metric.input.placeholder = asked.metric;
      this.#controls();
      return get("best", asked, signal);
    }, (answer) => {
      this.answer = answer;
      this.link.href = address("best", this.asked);
      this.#draw();
    });
  }

  #at(name) {
    return this.answer.columns.findIndex((one, i) => i >= this.answer.keys.length && one.name === name);
  }

  #keys() {
    const at = this.#at("best_run_key");
    return this.answer.rows.map((row) => row[at]).filter(Boolean);
  }

  #draw() {
    const { answer, asked } = this;
    const { keys, rows, total, left_out: out } = answer;
    const shown = rows.length > 0;
    for (const one of [this.pick, this.copy]) one.disabled = !shown;
    const title = column(asked.metric).title;
    fill(this.about, `${plural(total, "group")}, best by the ${asked.direction === "min" ? "smallest" : "largest"} ${title}.`,
      out > 0 && ` ${plural(out, "group")} ${Number(asked.least) > 1 ? `with a value in fewer than ${asked.least} runs` : "without a value"} ${out === 1 ? "is" : "are"} left out.`,
      total > rows.length && ` The first ${rows.length.toLocaleString("en-US")} are shown.`);
    if (!shown) {
      fill(this.table, empty(out ? `No group has ${Number(asked.least) > 1 ? `${asked.least} runs` : "a run"} with a value of ${title}.` : "No run matches the filter.",
        out && Number(asked.least) > 0 ? button(null, "Show groups without a value too", () => this.state.set({ bestLeast: 0 }), { text: "Show them all the same" }) : null));
      return;
    }
    const by = this.state.get("bestSort");
    const head = (name, label, number = true) => {
      const on = by.replace(/^-/, "") === name;
      // The best value comes first, which may be the largest.
      const falls = name === "best" && asked.direction === "max";
      // Best, few runs, small values, names: what comes first at the first click.
      const next = by === name ? `-${name}` : on || name === "best" || name === "key" ? name : name === "values" ? "-values" : name;
      return h("th", { scope: "col", class: number ? "number" : null, "aria-sort": on ? (by.startsWith("-") === falls ? "ascending" : "descending") : null },
        h("button", { type: "button", class: "sorter", "aria-pressed": String(on), on: { click: () => this.state.set({ bestSort: next }) } }, label));
    };
    const selected = new Set(this.state.get("sel"));
    fill(this.table, h("table", { class: "plain standings" },
      h("thead", null, h("tr", null, keys.map((name, i) => (i ? h("th", { scope: "col" }, column(name).title) : head("key", column(name).title, false))),
        head("best", `Best ${title}`), h("th", { scope: "col" }, "Run"), HEADS.slice(1).map(([name, label]) => head(name, label)))),
      h("tbody", null, rows.map((row) => this.#row(row, selected)))));
  }

  #row(row, selected) {
    const value = (name) => row[this.#at(name)];
    const [key, ties] = [value("best_run_key"), value("ties")];
    const names = this.answer.keys.map((_, i) => (row[i] === null ? h("span", { class: "muted" }, "(none)") : typeof row[i] === "number" ? number(row[i]) : String(row[i])));
    return h("tr", { class: key && selected.has(key) ? "selected" : null },
      h("th", { scope: "row" }, h("button", { type: "button", class: "namer", title: "Select the runs of this group; with Shift, besides those that are", on: { click: (event) => this.#select(row, event.shiftKey) } }, names[0])),
      names.slice(1).map((name) => h("td", null, name)),
      h("td", { class: "number", title: key ? String(value("best")) : null }, key ? h("strong", null, number(value("best"))) : h("span", { class: "muted" }, "–"), value("best_step") !== null && h("span", { class: "muted at" }, `step ${value("best_step").toLocaleString("en-US")}`)),
      h("td", { class: "who", on: { pointerenter: () => this.page.hover(key), pointerleave: () => this.page.hover(null) } }, key && h("a", { href: `/run/${encodeURIComponent(key)}`, title: value("best_run") }, value("best_run")), ties > 0 && h("span", { class: "muted", title: "Runs with the same value; the one that was found first is shown" }, ` and ${ties.toLocaleString("en-US")} more`)),
      h("td", { class: "number" }, counted(value("values"), value("runs"))),
      h("td", { class: "number" }, number(value("mean")), value("std") !== null && h("span", { class: "muted" }, ` ± ${number(value("std"), 3)}`)),
      h("td", { class: "number" }, number(value("median"))));
  }

  async #select(row, more) {
    const members = this.asked.group_by.map((text, i) => [column(text).expr, row[i]]);
    const answer = await get("runs", { ...this.page.params(), columns: ["run_key"], members: JSON.stringify(members), limit: 100_000 });
    this.page.pick(answer.rows.map((one) => one[1]), more ? "add" : "only");
  }
}

/** How many runs have a value, of how many. */
export function counted(values, runs) {
  return values === runs ? runs.toLocaleString("en-US") : `${values.toLocaleString("en-US")} of ${runs.toLocaleString("en-US")}`;
}
