/** Two runs' texts side by side: commands, long hyperparameters, and the texts that were logged. */

import { get, withdrawn } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { natural } from "../core/format.js";
import { failed } from "../core/ui.js";
import { unfold } from "./diff.js";
import { difference } from "./sides.js";

const LONG = 120;
const SUFFIX = /\/text_summary$/;

/**
 * The texts that can be compared: {id, label, group, values?: Map<run_key, text>, tag?, stream?}.
 * @param {any} all the table of the comparison @param {any[]} tags those of the compared runs
 */
export function candidates(all, tags, keys) {
  const out = [];
  for (const row of all.rows) {
    if (row.section === "metrics") continue;
    const texts = keys.map((key) => row.values.get(key)).filter((value) => typeof value === "string");
    if (!texts.length || (row.name !== "command" && !texts.some((text) => text.length > LONG || text.includes("\n")))) continue;
    const values = new Map(keys.map((key) => [key, row.values.get(key) ?? null]));
    out.push({ id: [row.section, row.name], label: row.name, group: row.section === "fields" ? "Run" : "Hyperparameters", values });
  }
  const logged = tags.filter((tag) => tag.plugin === "text").flatMap((tag) => tag.streams.map((stream) => ({
    id: ["tag", tag.tag, stream], label: tag.tag.replace(SUFFIX, "") + (stream ? ` (${stream})` : ""), group: "Text tags", tag: tag.tag, stream,
  })));
  return [...out, ...logged.sort((a, b) => natural(a.label, b.label))];
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The comparison of texts. */
export class Texts {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state */
  constructor(el, state) {
    this.el = el;
    this.state = state;
    this.known = new Map();
    this.at = { ta: null, tb: null };
    this.asking = new AbortController();
  }

  /** Show *found* texts of *runs*, unless they are shown already. @param {any[]} found @param {any[]} runs with label and run_key */
  show(found, runs) {
    this.found = found;
    this.runs = runs;
    const { text, ta, tb, uni, base } = this.state.values;
    const shown = JSON.stringify([found.map((one) => [one.id, [...(one.values ?? [])]]), runs.map((run) => [run.run_key, run.label]), text, ta, tb, uni, base]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.draw();
  }

  /** The lake has grown: the newest texts may be others. */
  renew() {
    this.known.clear();
    this.shown = "";
  }

  async draw() {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const { found, runs, state } = this;
    if (runs.length < 2) return fill(this.el, h("p", { class: "muted" }, "Two runs are needed to compare their texts."));
    if (!found.length) return fill(this.el, h("p", { class: "muted" }, "These runs have no long texts: no command, no text tags, no hyperparameters of many words."));
    const one = found.find((text) => same(text.id, state.get("text"))) ?? found[0];
    const keys = runs.map((run) => run.run_key);
    const left = keys.includes(state.get("ta")) ? state.get("ta") : keys.includes(state.get("base")) ? state.get("base") : keys[0];
    const right = keys.includes(state.get("tb")) ? state.get("tb") : keys.find((key) => key !== left);
    const body = h("div", { class: "texts-body", "aria-busy": "true" });
    const sides = [h("span", null), h("span", null)];
    fill(this.el, this.#bar(one, left, right, sides), body);
    try {
      const [a, b] = await Promise.all([this.#text(one, left, this.at.ta, signal), this.#text(one, right, this.at.tb, signal)]);
      fill(sides[0], this.#steps("ta", a, "left"));
      fill(sides[1], this.#steps("tb", b, "right"));
      fill(body, this.#compared(one, a, b));
    } catch (error) {
      if (withdrawn(error)) return undefined;
      fill(body, failed(error, () => this.draw()));
    }
    body.removeAttribute("aria-busy");
    return undefined;
  }

  #bar(one, left, right, sides) {
    const groups = [...new Set(this.found.map((text) => text.group))];
    const pick = h("select", { "aria-label": "Text", on: { change: (event) => this.#set({ text: this.found[Number(event.target.value)].id }) } },
      groups.map((group) => h("optgroup", { label: group }, this.found.map((text, i) => (text.group === group ? h("option", { value: String(i), selected: text === one }, text.label) : null)))));
    const run = (name, label, chosen) => h("select", { class: "of-run", "aria-label": label, on: { change: (event) => this.#set({ [name]: event.target.value }) } },
      this.runs.map((each) => h("option", { value: each.run_key, selected: each.run_key === chosen }, each.label)));
    const uni = this.state.get("uni");
    const form = (value, label) => h("button", { type: "button", class: "button", "aria-pressed": String(uni === value), on: { click: () => this.#set({ uni: value }, false) } }, label);
    return h("div", { class: "tools", role: "group", "aria-label": "Which texts" },
      pick, run("ta", "Left run", left), sides[0], button("compare", "Swap left and right", () => this.#set({ ta: right, tb: left })), run("tb", "Right run", right), sides[1],
      h("span", { class: "pair", role: "group", "aria-label": "Form" }, form(false, "Side by side"), form(true, "Unified")));
  }

  #set(patch, otherTexts = true) {
    if (otherTexts) this.at = { ta: null, tb: null };
    this.state.set(patch);
  }

  #steps(name, side, label) {
    if (!side.steps || side.steps.length < 2) return null;
    return h("select", { "aria-label": `Step of the ${label} text`, on: { change: (event) => { this.at[name] = Number(event.target.value); this.draw(); } } },
      side.steps.map((step) => h("option", { value: String(step), selected: step === side.step }, `step ${step.toLocaleString("en-US")}`)));
  }

  /** {text: string | null, step?, steps?, truncated?} */
  async #text(one, key, step, signal) {
    if (one.values) {
      const value = one.values.get(key);
      return { text: value === null ? null : one.id[1] === "command" ? unfold(value) : value };
    }
    const id = JSON.stringify([one.id, key, step]);
    if (!this.known.has(id)) {
      const answer = await get("texts", { run: key, tag: one.tag, stream: one.stream, most: 1, step }, signal).catch((error) => {
        // A run without this tag is an answer too.
        if (error.status === 404 || error.status === 400) return { steps: [], texts: [] };
        throw error;
      });
      const text = answer.texts[0];
      this.known.set(id, text ? { text: text.text, step: text.step, steps: answer.steps, truncated: text.truncated } : { text: null });
    }
    return this.known.get(id);
  }

  #compared(one, a, b) {
    if (a.text === null || b.text === null) return h("p", { class: "muted" }, a.text === null && b.text === null ? "Neither run has this text." : `The ${a.text === null ? "left" : "right"} run does not have this text.`);
    return difference(a, b, { united: this.state.get("uni"), note: one.id[1] === "command" ? "One argument a line." : "" });
  }
}
