/** A box for one expression: hyperparameters, metrics and fields by name, or whatever else the filter language can say. */

import { get } from "../core/api.js";
import { combo, ranked } from "../core/combo.js";
import { direction } from "../core/direction.js";
import { fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { metric } from "../core/split.js";
import { tell } from "../core/ui.js";
import { complete, meant } from "../table/completion.js";
import { column } from "../table/expression.js";
import { scalars } from "../table/names.js";
import { single } from "./data.js";

const STATS = ["last", "min", "max", "mean", "first"];
const LISTS = new Set(["list", "interval"]);
/** Fields that are worth an axis come first; those that name a run do not. */
const USUAL = ["duration_s", "created_at", "last_step", "points", "machine", "project", "state", "attempts"];

/** What an axis can be, as suggestions: hyperparameters that vary, metrics by their usual statistic, fields, and all the rest. */
function candidates(known) {
  const hparams = known.hparams.map((one) => ({ label: one.expr, detail: one.distinct > 1 ? plural(one.distinct, "value") : "same in all", kind: "hparam", key: `${one.expr} ${one.name}`, varies: one.distinct > 1 }));
  const tags = scalars(known);
  const by = (stat) => tags.map((one) => ({ label: metric(stat(one.tag), one.tag), detail: plural(one.runs, "run"), kind: "function", key: `${stat(one.tag)} ${one.tag}` }));
  const first = (tag) => (direction(tag) < 0 ? "min" : direction(tag) > 0 ? "max" : "last");
  const fields = known.fields.filter((one) => !LISTS.has(one.kind)).map((one) => ({ label: one.name, detail: one.kind, kind: "field" }));
  const usual = fields.filter((one) => USUAL.includes(one.label)).sort((a, b) => USUAL.indexOf(a.label) - USUAL.indexOf(b.label));
  const seen = new Set();
  return [...hparams.filter((one) => one.varies).slice(0, 20), ...by(first).slice(0, 12), ...usual, ...hparams, ...by(first), ...STATS.flatMap((stat) => by(() => stat)), ...fields]
    .filter((one) => !seen.has(one.label) && seen.add(one.label));
}

/** Text that is written, not searched for. */
const isWritten = (text) => /[("+*/]|\s-\s|\s[<>=]/.test(text);

/**
 * Check that an expression can be an axis; throws what is wrong with it.
 * @param {string} expr @param {AbortSignal} [signal] @returns {Promise<string>} its kind
 */
export async function checked(expr, signal) {
  single(expr);
  const { columns } = await get("runs", { columns: [`${expr} as _x`], limit: "0" }, signal);
  const { kind } = columns.at(-1);
  if (LISTS.has(kind)) throw new Error(`${expr} is a list, which has no place on an axis. A number, a text or a time is expected.`);
  return kind;
}

export class ExpressionBox {
  /**
   * @param {{label: string, fields: () => Promise<any>, pick: (expr: string) => void, placeholder?: string,
   *   more?: () => {label: string, detail?: string, value: string}[], clears?: boolean}} how `more` are choices besides expressions, told by
   *   their labels; *clears*: the box is emptied when something was picked
   */
  constructor({ label, fields, pick, placeholder = "", more = () => [], clears = false }) {
    Object.assign(this, { fields, pick, more, clears, value: "", stats: [], fresh: true, near: false, asking: new AbortController() });
    this.input = /** @type {HTMLInputElement} */ (h("input", { type: "text", "aria-label": label, title: label, placeholder, spellcheck: "false", autocapitalize: "off", maxlength: "2000", class: "expr" }));
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.el = h("span", { class: "exprbox" }, this.input, this.wrong);
    this.list = combo(this.input, {
      label: `${label}: suggestions`, onFocus: true, eager: (text, caret) => !this.fresh && (isWritten(text) ? meant(text, caret, this.stats, false) : text.trim() !== "" && this.near),
      options: async (text, caret) => {
        const known = await fields();
        this.stats = known.stats;
        const special = this.more().map((one) => ({ ...one, kind: "keyword" }));
        const all = [...special, ...candidates(known)];
        // What stands there has not been touched: all is offered.
        if (this.fresh) return all;
        if (isWritten(text)) return (await complete(text, caret, known)).map((one) => ({ ...one, partial: true }));
        const found = ranked(text, all, (one) => one.key ?? one.label);
        // What only has the same letters somewhere is offered, but Enter does not take it for what was typed.
        this.near = (found[0]?.key ?? found[0]?.label ?? "").toLowerCase().includes(text.trim().toLowerCase().split(/\s+/)[0]);
        return found;
      },
      pick: (option) => {
        if (option.partial) this.input.setRangeText(option.insert, option.from, option.to, "end");
        else this.#take(option.value ?? option.label, option.value !== undefined);
      },
    });
    this.input.addEventListener("focus", () => { this.fresh = true; this.input.select(); });
    this.input.addEventListener("input", () => { this.fresh = false; this.#tell(null); });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.list.close();
        this.#take(this.input.value.trim());
      } else if (event.key === "Escape") {
        this.fresh = true;
        this.show(this.value);
        this.input.blur();
      }
    });
    this.input.addEventListener("blur", () => {
      if (this.clears) this.input.value = "";
      else if (this.input.value.trim() && this.input.value.trim() !== this.#shown) this.#take(this.input.value.trim());
      else this.show(this.value);
    });
  }

  get #shown() {
    // Where nothing is chosen, the placeholder says what that means.
    return this.value && (this.more().find((one) => one.value === this.value)?.label ?? this.value);
  }

  /** Show an expression; while somebody types, what is typed stays. */
  show(value) {
    this.value = value;
    if (document.activeElement === this.input && !this.fresh) return;
    this.input.value = this.clears ? "" : this.#shown;
    this.input.title = this.#shown;
    this.#tell(null);
    // An address may say what nobody could have written here.
    try {
      single(value);
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error) {
    this.input.setAttribute("aria-invalid", String(Boolean(error)));
    fill(this.wrong, error && tell(error));
  }

  async #take(text, sure = false) {
    const given = this.more().find((one) => one.label === text && !sure);
    const value = given ? given.value : sure ? text : column(text).expr;
    if (value === this.value && !this.clears) {
      this.show(value);
      return;
    }
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      if (!given && !sure && value) await checked(value, signal);
      if (signal.aborted) return;
      this.value = value;
      this.fresh = true;
      this.input.value = this.clears ? "" : this.#shown;
      this.#tell(null);
      this.pick(value);
    } catch (error) {
      if (!signal.aborted) this.#tell(error);
    }
  }
}
