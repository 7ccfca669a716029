/** What a panel shows of an answer: the old one stays while a new one is on its way, and errors stand in its place. */

import { withdrawn } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { copy, failed, menu } from "../core/ui.js";
import { Turn } from "./turn.js";

export class Body {
  constructor() {
    this.turn = new Turn();
    this.bar = h("div", { class: "loading", hidden: true });
    this.shown = h("div", { class: "answer" });
    this.message = h("div", { class: "told", hidden: true });
    this.el = h("div", { class: "panel-body" }, this.bar, this.shown, this.message);
  }

  /**
   * Ask, and draw the answer unless something else was asked for meanwhile.
   * @template T
   * @param {any} about what the question depends on
   * @param {(signal: AbortSignal, show: (answer: T) => void) => Promise<T>} question may show a part of the answer before it has all
   * @param {(answer: T) => void} draw
   * @param {number} [rest] so many milliseconds an answer to the same is good enough
   */
  ask(about, question, draw, rest = 0) {
    return this.turn.take(about, (signal) => this.#answer(signal, question, draw, () => this.ask(about, question, draw, rest)), rest);
  }

  async #answer(signal, question, draw, again) {
    this.#busy(true);
    try {
      const show = (answer) => {
        if (signal.aborted) return;
        this.say();
        draw(answer);
      };
      show(await question(signal, show));
    } catch (error) {
      if (withdrawn(error) || signal.aborted) return;
      this.turn.void();
      this.say(failed(error, again));
    } finally {
      if (!signal.aborted) this.#busy(false);
    }
  }

  #busy(on) {
    this.bar.hidden = !on;
    this.el.setAttribute("aria-busy", String(on));
  }

  /** Say something in the place of the answer; nothing: the answer is seen. */
  say(...content) {
    this.shown.hidden = content.length > 0;
    this.message.hidden = !content.length;
    fill(this.message, content);
  }
}

/** A select with words for values. @param {string} label @param {Record<string, string>} options @param {(value: string) => void} set */
export function select(label, options, set) {
  return /** @type {HTMLSelectElement} */ (h("select", { "aria-label": label, title: label, on: { change: (event) => set(event.target.value) } }, Object.entries(options).map(([key, text]) => h("option", { value: key }, text))));
}

/** Some buttons of which one is pressed. @param {string} label @param {Record<string, string | [string, string]>} options words, perhaps with a title @param {(value: string) => void} set */
export function segmented(label, options, set) {
  const buttons = Object.entries(options).map(([value, given]) => {
    const [text, title] = [given].flat();
    return h("button", { type: "button", class: "button", title, dataset: { value }, on: { click: () => set(value) } }, text);
  });
  return {
    el: h("span", { class: "segmented", role: "group", "aria-label": label }, buttons),
    show: (value) => { for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.value === value)); },
  };
}

/** A field of a panel's controls. @param {string} name */
export function field(name, ...controls) {
  return h("div", { class: "field" }, h("span", { class: "name", "aria-hidden": "true" }, name), controls);
}

/** Rows as CSV. @param {string[]} names @param {any[][]} rows */
export function csv(names, rows) {
  const cell = (value) => {
    const text = value == null ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
}

/** A button that copies what is shown. @param {() => {names: string[], rows: any[][]}} shown */
export function copyButton(shown) {
  const open = button("copy", "Copy what is shown", () => menu(open, "Copy", [
    { label: "As CSV", run: () => { const { names, rows } = shown(); copy(csv(names, rows), "CSV"); } },
    { label: "As JSON", run: () => { const { names, rows } = shown(); copy(JSON.stringify(rows.map((row) => Object.fromEntries(row.map((value, i) => [names[i], value]))), null, 1), "JSON"); } },
  ]), { text: "Copy", "aria-haspopup": "menu", "aria-expanded": "false" });
  return open;
}
