/** Two runs' texts side by side: commands, long hyperparameters, and the texts that were logged. */

import { get, withdrawn } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { natural, plural } from "../core/format.js";
import { failed } from "../core/ui.js";
import { diff, fold, unfold } from "./diff.js";

const LONG = 120;
const MOST_ROWS = 2000;
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
    const { rows, counts, rough } = diff(a.text, b.text);
    const notes = [];
    if (one.id[1] === "command") notes.push("One argument a line.");
    if (rough) notes.push("The texts are too different or too long for the shortest difference: lines are matched by what they say.");
    if (a.truncated || b.truncated) notes.push("Only the begin of a long text is compared.");
    const differ = counts.changed + counts.removed + counts.added;
    const said = differ ? [counts.changed && `${plural(counts.changed, "line")} changed`, counts.removed && `${counts.removed.toLocaleString("en-US")} only left`, counts.added && `${counts.added.toLocaleString("en-US")} only right`].filter(Boolean).join(", ") : `No difference in ${plural(counts.same, "line")}`;
    return [h("p", { class: "muted", role: "status" }, `${said}. ${notes.join(" ")}`), this.state.get("uni") ? unified(rows) : beside(rows)];
  }
}

const pieces = (list, tag) => list.map(([text, differs]) => (differs ? h(tag, null, text) : text));
const SIGNS = { removed: ["−", ""], added: ["", "+"], changed: ["−", "+"], same: ["", ""] };

function side(row, own) {
  const [text, at] = own === 0 ? [row.left, row.leftAt] : [row.right, row.rightAt];
  const kind = text === null ? "void" : row.kind === "same" ? "" : own === 0 ? "gone" : "come";
  return [h("td", { class: "at" }, at ?? ""), h("td", { class: `sign ${kind}` }, text === null ? "" : SIGNS[row.kind][own]), h("td", { class: `text ${kind}` }, text === null ? "" : pieces(text, own === 0 ? "del" : "ins"))];
}

function beside(rows) {
  const line = (row) => h("tr", null, side(row, 0), side(row, 1));
  const head = h("thead", { class: "sr" }, h("tr", null, ["Line", "Sign", "Left text", "Line", "Sign", "Right text"].map((name) => h("th", { scope: "col" }, name))));
  return grid("Difference side by side", "diff beside", ["at", "sign", "", "at", "sign", ""], head, fold(rows), line);
}

function unified(rows) {
  // Within a stretch that differs, all of the left comes before all of the right.
  const flat = [];
  let held = [];
  const flush = () => {
    flat.push(...held.filter((row) => row.left !== null).map((row) => ({ ...row, only: 0 })), ...held.filter((row) => row.right !== null).map((row) => ({ ...row, only: 1 })));
    held = [];
  };
  for (const row of rows) {
    if (row.kind === "same") {
      flush();
      flat.push(row);
    } else held.push(row);
  }
  flush();
  const line = (row) => {
    if (row.only === undefined) return h("tr", null, h("td", { class: "at" }, row.leftAt), h("td", { class: "at" }, row.rightAt), h("td", { class: "sign" }), h("td", { class: "text" }, pieces(row.left, "span")));
    const [at, sign, text] = side(row, row.only);
    return h("tr", null, row.only === 0 ? [at, h("td", { class: "at" })] : [h("td", { class: "at" }), at], sign, text);
  };
  const head = h("thead", { class: "sr" }, h("tr", null, ["Left line", "Right line", "Sign", "Text"].map((name) => h("th", { scope: "col" }, name))));
  return grid("Difference in one column", "diff unified", ["at", "at", "sign", ""], head, fold(flat), line);
}

function grid(label, kind, cols, head, folded, line) {
  const width = cols.length;
  const body = h("tbody", null);
  const make = (row) => {
    if (row.kind !== "fold") return line(row);
    const el = h("tr", { class: "folded" }, h("td", { colspan: width }, h("button", { type: "button", class: "link", on: { click: () => el.replaceWith(...row.rows.map(line)) } }, `${plural(row.rows.length, "line")} alike`)));
    return el;
  };
  const add = (from) => {
    body.append(...folded.slice(from, from + MOST_ROWS).map(make));
    const left = folded.length - from - MOST_ROWS;
    if (left <= 0) return;
    const more = h("tr", { class: "folded" }, h("td", { colspan: width }, h("button", { type: "button", class: "link", on: { click: () => { more.remove(); add(from + MOST_ROWS); } } }, `Show more: ${plural(left, "line")} left`)));
    body.append(more);
  };
  add(0);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: kind }, h("colgroup", null, cols.map((name) => h("col", { class: name }))), head, body));
}
