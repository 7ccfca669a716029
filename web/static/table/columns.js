/** The column manager: which fields, hyperparameters and metrics the table shows, in which order, and under which names. */

import { get } from "../core/api.js";
import { matcher } from "../core/combo.js";
import { direction } from "../core/direction.js";
import { button, debounce, fill, h, icon } from "../core/dom.js";
import { plural } from "../core/format.js";
import { metric } from "../core/split.js";
import { popover, tell } from "../core/ui.js";
import { column } from "./expression.js";
import { loader, scalars } from "./names.js";
import { moved, OrderList } from "./order.js";

export { groupButton, sortButton } from "./keys.js";

const MOST_ROWS = 200;
const MOST_COLUMNS = 1000;
const AGGREGATES = ["last", "min", "max", "mean", "first", "count"];

/** The statistic that is the best of a metric called so: the smallest loss, the largest of everything else. */
function bestOf(tag) {
  return direction(tag) < 0 ? "min" : "max";
}

/** Whether what was typed into the search is more than a name. */
const isExpression = (typed) => !typed.startsWith("/") && /[("<>=*+]|^hp\.|\sas\s/.test(typed);

/** An expression with a name of its own, or without. */
export function named(expr, name) {
  if (!name) return expr;
  return `${expr} as ${/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`}`;
}

/**
 * The button that opens the column manager.
 * @param {import("../core/state.js").State} state its `cols` and `fix`
 * @param {{fields?: any}} [given]
 */
export function columnsButton(state, { fields } = {}) {
  const open = button("columns", "Choose columns", () => {
    const manager = new Columns(state, loader(fields));
    manager.shown = popover(open, manager.el, { label: "Columns", class: "columns", onclose: () => manager.close() });
  }, { text: "Columns", "aria-haspopup": "dialog", "aria-expanded": "false" });
  return open;
}

class Columns {
  constructor(state, load) {
    this.state = state;
    this.known = null;
    this.search = /** @type {HTMLInputElement} */ (h("input", { type: "search", "aria-label": "Search columns", placeholder: "Search: words, letters or /regex/", autofocus: true, spellcheck: "false", autocomplete: "off", maxlength: "1000" }));
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.jumps = h("div", { class: "column-jumps", role: "group", "aria-label": "Go to" });
    this.found = h("div", { class: "column-groups", tabindex: "-1" });
    this.count = h("span", { class: "muted" });
    this.list = new OrderList({
      label: "Chosen columns", name: (text) => column(text).title, row: (text, i) => this.#chosenRow(text, i), divide: () => this.state.get("fix"),
      move: (from, to) => this.#move(from, to), remove: (i) => this.#remove(i),
      keys: { p: (i) => this.#pin(i), Enter: (i) => this.#rename(i), F2: (i) => this.#rename(i) },
    });
    this.el = h("div", { class: "columns-panes" },
      h("section", { class: "columns-all", "aria-label": "All columns" }, this.search, this.wrong, this.jumps, this.found),
      h("section", { class: "columns-chosen", "aria-label": "Shown columns" },
        h("header", null, h("strong", null, "Shown"), this.count), this.list.el,
        h("footer", null,
          button("plus", "Add every hyperparameter that has more than one value", () => this.#addVarying(), { text: "All that vary" }),
          button("reset", "Back to the columns of the start", () => this.#put(this.state.defaults().cols, this.state.defaults().fix), { text: "Reset" }))));
    const soon = debounce(() => this.#drawFound(), 60);
    this.search.addEventListener("input", soon);
    this.search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.#drawFound();
      /** @type {HTMLInputElement | HTMLButtonElement | null} */ (this.found.querySelector("input[type=checkbox]:not(:checked), .column-expr"))?.click();
    });
    this.close = state.on((changed) => {
      if (changed.has("cols") || changed.has("fix")) this.#draw();
    });
    this.#draw();
    load().then((known) => { this.known = known; this.#drawFound(); this.#grown(); }, (error) => fill(this.wrong, tell(error)));
  }

  /** The list makes the popover higher: it must not leave the window. */
  #grown() {
    const box = this.shown?.el.getBoundingClientRect();
    if (box && box.bottom > innerHeight - 8) this.shown.el.style.top = `${Math.max(8, innerHeight - box.height - 8)}px`;
  }

  get #cols() {
    return this.state.get("cols");
  }

  #put(cols, fix = this.state.get("fix")) {
    fill(this.wrong);
    this.state.set({ cols, fix: Math.min(fix, cols.length) });
  }

  #draw() {
    fill(this.count, plural(this.#cols.length, "column"));
    this.list.draw(this.#cols);
    if (this.known) this.#drawFound();
  }

  #has(expr) {
    return this.#cols.some((text) => column(text).expr === expr);
  }

  #toggle(expr, on) {
    if (on && this.#cols.length >= MOST_COLUMNS) fill(this.wrong, `At most ${MOST_COLUMNS} columns are shown`);
    else if (on) this.#put([...this.#cols, expr]);
    else this.#remove(this.#cols.findIndex((text) => column(text).expr === expr));
  }

  #remove(i) {
    // A table without columns would be none.
    if (this.#cols.length < 2) return;
    const fix = this.state.get("fix");
    this.#put(this.#cols.filter((_, j) => j !== i), i < fix ? fix - 1 : fix);
  }

  #move(from, to) {
    const fix = this.state.get("fix");
    const now = from < fix && to >= fix ? fix - 1 : from >= fix && to < fix ? fix + 1 : fix;
    this.#put(moved(this.#cols, from, to), now);
  }

  /** Pinned columns are the first ones. */
  #pin(i) {
    const fix = this.state.get("fix");
    if (i >= fix) this.#put(moved(this.#cols, i, fix), fix + 1);
    else this.#put(moved(this.#cols, i, fix - 1), fix - 1);
  }

  #addVarying() {
    const more = (this.known?.hparams ?? []).filter((one) => one.distinct > 1 && !this.#has(one.expr)).map((one) => one.expr);
    this.#put([...this.#cols, ...more].slice(0, MOST_COLUMNS));
  }

  #chosenRow(text, i) {
    const one = column(text);
    const pinned = i < this.state.get("fix");
    return [
      h("span", { class: "column-title", title: text, on: { dblclick: () => this.#rename(i) } }, one.title, one.alias && h("span", { class: "muted" }, one.expr)),
      button("edit", `Rename ${one.title}`, () => this.#rename(i), { "data-part": "rename", tabindex: "-1" }),
      button("pin", pinned ? `Unpin ${one.title}` : `Pin ${one.title}: it stays when the table scrolls`, () => this.#pin(i), { "data-part": "pin", tabindex: "-1", "aria-pressed": String(pinned) }),
    ];
  }

  #rename(i) {
    const row = /** @type {HTMLElement} */ (this.list.el.children[i]);
    const one = column(this.#cols[i]);
    const input = /** @type {HTMLInputElement} */ (h("input", { type: "text", "aria-label": `Name of ${one.expr}`, value: one.alias ?? "", placeholder: one.title, maxlength: "200" }));
    let open = true;
    const end = (keep) => {
      if (!open) return;
      open = false;
      const cols = [...this.#cols];
      cols[i] = named(one.expr, input.value.trim());
      if (keep && cols[i] !== this.#cols[i]) this.#put(cols);
      else this.list.draw(this.#cols);
      this.list.focus(i);
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      end(event.key === "Enter");
    });
    input.addEventListener("blur", () => end(true));
    row.querySelector(".column-title").replaceWith(input);
    input.focus();
    input.select();
  }

  // What can be added

  #drawFound() {
    if (!this.known) return;
    const typed = this.search.value;
    let fits;
    try {
      fits = matcher(typed);
    } catch (error) {
      fill(this.wrong, `This is no regular expression: ${/** @type {Error} */ (error).message.replace(/^Invalid regular expression: /, "")}`);
      return;
    }
    fill(this.wrong);
    const part = (items, text) => {
      const found = items.map((item) => [fits(text(item)), item]).filter(([score]) => score !== null);
      return (typed.trim() ? found.sort((a, b) => a[0] - b[0]) : found).map(([, item]) => item);
    };
    const focus = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.expr;
    const top = this.found.scrollTop;
    const hparams = part(this.known.hparams, (one) => one.expr);
    const groups = [
      this.#group("Fields", part(this.known.fields, (one) => `${one.name} ${column(one.name).title}`), (one) => this.#box(one.name, column(one.name).title, one.name === column(one.name).title ? "" : one.name)),
      this.#group("Hyperparameters", hparams, (one) => this.#box(one.expr, one.name, one.distinct > 1 ? plural(one.distinct, "value") : "same in all")),
      this.#group("Metrics", part(scalars(this.known), (one) => one.tag), (one) => this.#metric(one)),
    ].filter(Boolean);
    fill(this.found, groups, isExpression(typed) || (typed.trim() && !groups.length) ? this.#own(typed.trim()) : null);
    fill(this.jumps, groups.map((group) => h("button", { type: "button", class: "chip", on: { click: () => group.scrollIntoView({ block: "start" }) } }, group.firstElementChild.textContent)));
    this.found.scrollTop = top;
    if (focus) /** @type {HTMLElement} */ (this.found.querySelector(`[data-expr="${CSS.escape(focus)}"]`))?.focus({ preventScroll: true });
  }

  #group(title, items, row) {
    if (!items.length) return null;
    const rest = items.length - MOST_ROWS;
    return h("fieldset", null, h("legend", null, title, " ", h("span", { class: "muted" }, String(items.length))), items.slice(0, MOST_ROWS).map(row), rest > 0 && h("p", { class: "muted" }, `${rest} more: search to see them`));
  }

  #box(expr, label, detail) {
    return h("label", { class: "column-row", title: expr },
      h("input", { type: "checkbox", checked: this.#has(expr), dataset: { expr }, on: { change: (event) => this.#toggle(expr, event.target.checked) } }),
      h("span", { class: "column-name" }, label), h("span", { class: "muted" }, detail));
  }

  /** A metric: the box shows its last value; once chosen, every aggregate can be. */
  #metric({ tag, runs }) {
    const shown = this.#cols.map(column).filter((one) => one.tag === tag && one.stat);
    const last = metric("last", tag);
    const on = shown.length > 0;
    const change = (event) => {
      if (event.target.checked) this.#toggle(last, true);
      else this.#put(this.#keepOne(this.#cols.filter((text) => !(column(text).stat && column(text).tag === tag))));
    };
    return h("div", { class: "column-metric" },
      h("label", { class: "column-row", title: tag },
        h("input", { type: "checkbox", checked: on, dataset: { expr: last }, on: { change } }),
        h("span", { class: "column-name" }, tag), h("span", { class: "muted" }, plural(runs, "run"))),
      on && h("div", { class: "aggregates", role: "group", "aria-label": `Aggregates of ${tag}` }, this.#aggregates(tag)));
  }

  #keepOne(cols) {
    return cols.length ? cols : this.#cols.slice(0, 1);
  }

  #aggregates(tag) {
    const best = bestOf(tag);
    const chip = (stat, label, title) => {
      const expr = metric(stat, tag);
      const on = this.#has(expr);
      return h("button", { type: "button", class: "chip", "aria-pressed": String(on), title, dataset: { expr: `${label}:${expr}` }, on: { click: () => this.#toggle(expr, !on) } }, label);
    };
    const steps = ["min", "max"].filter((stat) => this.#has(metric(stat, tag)) || this.#has(metric(`step_${stat}`, tag)));
    return [
      AGGREGATES.map((stat) => chip(stat, stat, stat === "count" ? "number of points" : `${stat} value`)),
      chip(best, `best (${best})`, `the ${best === "min" ? "smallest" : "largest"} value is taken for the best of a metric called so`),
      steps.map((stat) => chip(`step_${stat}`, `step of ${stat}`, `the step at which the ${stat === "min" ? "smallest" : "largest"} value was`)),
    ];
  }

  /** Whatever was typed as an expression of the filter language. */
  #own(shown) {
    const add = async () => {
      const text = this.search.value.trim();
      try {
        await get("runs", { columns: [text], limit: "0" });
        if (!this.#cols.includes(text)) this.#put([...this.#cols, text]);
        this.search.value = "";
        this.#drawFound();
      } catch (error) {
        fill(this.wrong, tell(error));
      }
    };
    return h("button", { type: "button", class: "item column-expr", on: { click: add } }, icon("plus"), "Add the expression ", h("code", null, shown));
  }
}
