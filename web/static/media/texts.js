/** Texts of many runs: side by side at a step, rendered or as written; what differs between two; and a search within all of them. */

import { difference } from "../compare/sides.js";
import { button, fill, h } from "../core/dom.js";
import { plural, toNumber } from "../core/format.js";
import { alone } from "../core/pattern.js";
import { copy, failed } from "../core/ui.js";
import { withdrawn } from "../core/api.js";
import { mark, putCleanedHtml } from "../run/markup.js";
import { nearest, stepText, together, wallText } from "../run/steps.js";
import { marked, TextSearch } from "./text-search.js";
import { among, check, choice, runName, TensorPanel, TensorSheet } from "./tensor-panel.js";

const FORMS = { html: "Rendered", raw: "As written", diff: "Difference" };
const MOST_STEPS = 1000;

/** Which text is meant. @param {[string, string, string]} place */
function goalOf([key, tag, stream]) {
  return { key, tag, stream };
}

/** The panel of texts. */
export default class Texts extends TensorPanel {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} told */
  constructor(el, state, told) {
    super(el, state, told, { Sheet: TextSheet, names: ["tv", "ta", "tb", "tas", "tbs", "tu", "tf", "tq", "tr", "tw", "base"], controls: [choice(state, "tv", "Form", FORMS)] });
    /** The literal texts that a search has found, by run, tag, stream and step. */
    this.marks = new Map();
    /** Where a hit leads, until it is there. */
    this.goal = state.get("tf") ? goalOf(state.get("tf")) : null;
    this.search = new TextSearch(state, { runs: () => this.runs, open: (hit) => this.#open(hit), found: (hits) => this.#found(hits) });
    (told.tools ?? el).append(this.search.el);
    this.sides = h("div", { class: "sides", role: "group", "aria-label": "Which texts are compared" });
    fill(this.head, this.search.results, this.sides);
    this.united = check(state, "tu", "in one column");
    this.#draw();
  }

  show(runs, tags) {
    const grown = JSON.stringify(tags.map((one) => [one.tag, one.points]));
    super.show(runs, tags);
    if (this.grown !== undefined && grown !== this.grown) this.search.refresh();
    else this.search.draw();
    this.grown = grown;
    this.#draw();
  }

  changed(changed) {
    this.#draw();
    if (["tq", "tr", "tw"].some((name) => changed.has(name))) this.search.draw();
    super.changed(changed);
  }

  tellSteps() {
    super.tellSteps();
    if (!this.sides) return;
    this.#draw();
    // What is compared may now be two other runs.
    if (this.state.get("tv") === "diff") for (const sheet of this.sheets) if (sheet.drawn) sheet.relook();
  }

  close() {
    this.search.close();
    super.close();
  }

  /** What is compared: {key, step} on either side. */
  get pair() {
    const { ta, tb, tas, tbs, base } = this.state.values;
    const keys = this.runs.map((run) => run.key);
    // Runs that have most of the texts that are shown are worth a look.
    const has = (key) => this.sheets.filter((sheet) => sheet.known.get(key)?.total).length;
    const order = [...keys].sort((a, b) => has(b) - has(a));
    const left = keys.includes(ta) ? ta : keys.includes(base) && has(base) ? base : order[0];
    const right = keys.includes(tb) ? tb : order.find((key) => key !== left) ?? left;
    return { left: { key: left, step: tas }, right: { key: right, step: tbs } };
  }

  #draw() {
    const { state, runs } = this;
    this.sides.hidden = state.get("tv") !== "diff" || !runs.length;
    if (this.sides.hidden) return;
    const { left, right } = this.pair;
    const steps = (side) => together(this.sheets.map((sheet) => sheet.known.get(side.key)?.all ?? [])).slice(-MOST_STEPS);
    const drawn = JSON.stringify([runs.map((run) => [run.key, run.label]), left, right, steps(left), steps(right)]);
    this.united.draw();
    if (drawn === this.drawnSides || (this.sides.contains(document.activeElement) && document.activeElement?.tagName === "INPUT")) return;
    this.drawnSides = drawn;
    const held = /** @type {HTMLElement | null} */ (document.activeElement)?.getAttribute("aria-label");
    const pick = (name, label, chosen) => h("select", { class: "of-run", "aria-label": label, on: { change: (event) => state.set({ [name]: event.target.value }) } }, runs.map((run) => h("option", { value: run.key, selected: run.key === chosen }, run.label)));
    const at = (name, label, side) => h("select", { "aria-label": label, on: { change: (event) => state.set({ [name]: event.target.value === "" ? null : Number(event.target.value) }) } },
      h("option", { value: "", selected: side.step === null }, "step of the slider"), together([steps(side), side.step === null ? [] : [side.step]]).map((step) => h("option", { value: String(step), selected: step === side.step }, stepText(step))));
    const swap = () => state.set({ ta: right.key, tb: left.key, tas: right.step, tbs: left.step });
    fill(this.sides, pick("ta", "Left run", left.key), at("tas", "Step of the left text", left), button("compare", "Swap left and right", swap), pick("tb", "Right run", right.key), at("tbs", "Step of the right text", right), this.united.el);
    if (held) /** @type {HTMLElement | null} */ (this.sides.querySelector(`[aria-label="${CSS.escape(held)}"]`))?.focus();
  }

  #found(hits) {
    this.marks = new Map();
    for (const hit of hits) this.marks.set(JSON.stringify([hit.run_key, hit.tag, hit.stream, hit.step]), marked(hit));
    for (const sheet of this.sheets) if (sheet.drawn) sheet.paint();
  }

  /** Go to where a hit is: its run, tag and step. */
  #open(hit) {
    const { state } = this;
    const patch = { tf: [hit.run_key, hit.tag, hit.stream], step: hit.step, ...(state.get("tv") === "diff" ? { tv: "html" } : {}) };
    if (!this.tags.some((one) => one.tag === hit.tag && one.stream === hit.stream)) Object.assign(patch, { tags: alone(hit.tag), pick: [] });
    if (!this.runs.some((run) => run.key === hit.run_key)) {
      const { show, hide } = state.values;
      Object.assign(patch, { group: [], show: [...show.filter((key) => key !== hit.run_key), hit.run_key], hide: hide.filter((key) => key !== hit.run_key) });
    }
    this.goal = { ...goalOf(patch.tf), step: hit.step };
    state.set(patch);
    for (const sheet of this.sheets) sheet.reach();
  }
}

class TextSheet extends TensorSheet {
  path = "texts";

  constructor(series, panel) {
    super(series, panel);
    this.columns = new Map();
    this.grid = h("div", { class: "textcolumns" });
    this.diff = h("div", { class: "difference" });
    this.lay();
  }

  lay() {
    fill(this.box, this.grid, this.diff);
    this.laid = true;
  }

  forget() {
    this.laid = false;
  }

  limits() {
    return this.panel.at === null ? {} : { step: this.panel.at };
  }

  taken({ text }) {
    return { steps: text ? [text.step] : [], texts: text ? [text] : [] };
  }

  put(one, more) {
    among(one, more, ["texts"]);
  }

  paint() {
    if (!this.laid) this.lay();
    const { found } = this;
    if (!found.length) {
      this.laid = false;
      fill(this.says);
      fill(this.box, h("p", { class: "muted" }, "None of the runs has a text of this tag that can be shown."));
      return;
    }
    this.relook();
  }

  relook() {
    if (!this.laid) return;
    const { state } = this.panel;
    const form = state.get("tv");
    this.grid.hidden = form === "diff";
    this.diff.hidden = form !== "diff";
    this.el.classList.toggle("compares", form === "diff");
    this.#summary();
    if (form === "diff") {
      this.#compare();
      return;
    }
    this.compared = "";
    this.grid.dataset.runs = String(Math.min(3, this.found.length));
    const kept = new Map();
    const els = this.found.map((one) => {
      const column = this.columns.get(one.key) ?? this.#column(one.key);
      kept.set(one.key, column);
      this.#write(column, one, form);
      return column.el;
    });
    this.columns = kept;
    if (els.length !== this.grid.children.length || els.some((el, i) => el !== this.grid.children[i])) fill(this.grid, els);
    this.reach();
  }

  #summary() {
    const { found } = this;
    const texts = new Set(found.map((one) => one.texts[this.place(one)].text));
    const most = Math.max(...found.map((one) => one.total));
    fill(this.says, plural(found.length, "run"), most > 1 && ` · ${found.length > 1 ? "up to " : ""}${plural(most, "step")}`, found.length > 1 && (texts.size === 1 ? " · all the same" : texts.size < found.length ? ` · ${texts.size} different texts` : ""));
  }

  #column(key) {
    const says = h("span", { class: "muted" });
    const title = h("header", null);
    const body = h("div", { class: "markdown", tabindex: "0", role: "region" });
    const take = button("copy", "Copy the text", () => copy(this.columns.get(key)?.text ?? "", "Text"));
    const el = h("article", { class: "textcolumn", dataset: { key }, on: { pointerenter: () => this.panel.told.onHover?.(key), pointerleave: () => this.panel.told.onHover?.(null) } }, title, body);
    return { el, title, says, body, take, text: "", drawn: "" };
  }

  #write(column, one, form) {
    const { run } = one;
    const given = one.texts[this.place(one)];
    const words = this.#words(one.key, given.step);
    column.el.classList.toggle("reached", JSON.stringify(this.panel.state.get("tf")) === JSON.stringify([one.key, this.series.tag, this.series.stream]));
    const drawn = JSON.stringify([run.label, run.colour, given.step, given.wall_time, given.text.length, form, words]);
    if (drawn === column.drawn) return;
    column.drawn = drawn;
    column.text = given.text;
    const name = `${this.series.tag} of ${run.label}`;
    column.take.setAttribute("aria-label", `Copy the text of ${name}`);
    column.body.setAttribute("aria-label", `Text of ${name}`);
    fill(column.says, stepText(given.step), wallText(toNumber(given.wall_time)), given.truncated && " · only the beginning is shown");
    fill(column.title, runName(run), column.take, column.says);
    if (form === "raw") fill(column.body, h("pre", null, given.text));
    else putCleanedHtml(column.body, given.html);
    for (const word of words) mark(column.body, word);
  }

  /** What a search has found in a text. */
  #words(key, step) {
    const { tag, stream } = this.series;
    const found = this.panel.marks.get(JSON.stringify([key, tag, stream, step])) ?? [];
    const low = new Map(found.map((one) => [one.toLowerCase(), one]));
    // The longest first: what is marked is no longer looked at as a whole.
    return [...low.values()].filter((one) => one.trim()).sort((a, b) => b.length - a.length);
  }

  /** Bring what a hit led to into sight. */
  reach() {
    const { goal } = this.panel;
    if (!goal || goal.tag !== this.series.tag || goal.stream !== this.series.stream) return;
    const column = this.columns.get(goal.key);
    const one = this.known.get(goal.key);
    if (!column?.el.isConnected || !one || (goal.step !== undefined && one.steps[this.place(one)] !== goal.step)) return;
    this.panel.goal = null;
    column.el.scrollIntoView({ block: "nearest", inline: "nearest" });
    column.body.focus({ preventScroll: true });
    column.body.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  }

  // What differs

  async #compare() {
    const { left, right } = this.panel.pair;
    const united = this.panel.state.get("tu");
    const { at } = this.panel;
    const wanted = JSON.stringify([left, right, united, at, this.asked]);
    if (wanted === this.compared) return;
    this.compared = wanted;
    this.comparing?.abort();
    this.comparing = new AbortController();
    const { signal } = this.comparing;
    try {
      const [a, b] = await Promise.all([left, right].map((side) => this.#text(side.key, side.step ?? at, signal)));
      if (signal.aborted) return;
      const name = (side, text) => h("span", { class: "side" }, runName(this.#run(side.key)), text ? h("span", { class: "muted" }, stepText(text.step)) : null);
      const heads = h("div", { class: "sidenames" }, name(left, a), h("span", { class: "muted" }, "against"), name(right, b));
      if (!a || !b) fill(this.diff, heads, h("p", { class: "muted" }, !a && !b ? "Neither run has this text." : `The ${a ? "right" : "left"} run does not have this text.`));
      else fill(this.diff, heads, difference(a, b, { united }));
    } catch (error) {
      if (withdrawn(error)) return;
      this.compared = "";
      fill(this.diff, failed(error, () => this.#compare()));
    }
  }

  #run(key) {
    return this.panel.runs.find((run) => run.key === key) ?? { label: "", colour: "var(--muted)" };
  }

  /** The text of a run nearest to a step, or null. */
  async #text(key, step, signal) {
    const one = this.known.get(key);
    if (!one?.total) return null;
    const wanted = one.all[nearest(one.all, step)];
    const known = one.texts[one.steps.indexOf(wanted)];
    if (known) return known;
    const answer = await this.ask([one.run], { step: wanted }, signal);
    const given = answer.runs[0];
    if (given.text) this.put(one, this.taken(given));
    return given.text;
  }
}
