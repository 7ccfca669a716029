/** What the panels of histograms, PR curves and texts have in common: a sheet for each tag, which asks for all runs at once when it comes near the window. */

import { send, withdrawn } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { onTheme } from "../core/theme.js";
import { failed } from "../core/ui.js";
import { Cards, seriesTitle } from "../run/cards.js";
import { nearest, together } from "../run/steps.js";

const MOST_RUNS = 200;
const NAMED = 3;
const MOST_NAMED = 40;
const PASSING_MS = 60;

/** The panels there are: some of their colours are put into the page. */
const live = new Set();
onTheme(() => { for (const panel of live) for (const sheet of panel.sheets) if (sheet.drawn) sheet.paint(); });

/** A run as people read it: its colour and its name. @param {any} run */
export function runName(run) {
  return h("span", { class: "runname", title: run.group ? `${run.group}: ${run.label}` : run.label }, h("span", { class: "dot", style: `background:${run.colour}` }), h("span", { class: "label" }, run.label));
}

/** Buttons of which one is pressed, by a value of the state. @param {import("../core/state.js").State} state @param {string} name @param {Record<string, string>} labels by value */
export function choice(state, name, label, labels) {
  const buttons = Object.entries(labels).map(([value, text]) => h("button", { type: "button", class: "button", dataset: { value }, on: { click: () => state.set({ [name]: value }) } }, text));
  const el = h("div", { class: "choice", role: "group", "aria-label": label }, buttons);
  const draw = () => { for (const one of buttons) one.setAttribute("aria-pressed", String(state.get(name) === one.dataset.value)); };
  return { el, draw };
}

/** A check box for a flag of the state. @param {import("../core/state.js").State} state @param {string} name */
export function check(state, name, label, title = "") {
  const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", on: { change: () => state.set({ [name]: box.checked }) } }));
  return { el: h("label", { class: "tick", title: title || null }, box, label), draw: () => { box.checked = state.get(name); } };
}

/** A panel of the media page. */
export class TensorPanel {
  /**
   * @param {HTMLElement} el @param {import("../core/state.js").State} state
   * @param {{steps: (steps: number[]) => void, tools?: HTMLElement, onHover?: (key: string | null) => void}} told
   * @param {{Sheet: new (series: any, panel: any) => TensorSheet, controls?: {el: HTMLElement, draw: () => void}[], names: string[], kind?: string}} how
   *   `names` are those of the state that the sheets are drawn by
   */
  constructor(el, state, told, { Sheet, controls = [], names, kind = "" }) {
    Object.assign(this, { el, state, told, controls, runs: [], tags: [], at: state.get("step") });
    this.cards = new Cards((series) => new Sheet(series, this), `tensors ${kind}`);
    this.note = h("p", { class: "muted", role: "status" });
    this.head = h("div", { class: "panelhead" });
    const body = h("div", { class: "tensorbody" }, this.head, this.note, this.cards.el);
    const tools = told.tools ?? h("div", { class: "paneltools" });
    fill(tools, controls.map((one) => one.el));
    fill(el, told.tools ? null : tools, body);
    this.stop = state.on((changed) => {
      if (!names.some((name) => changed.has(name))) return;
      this.drawControls();
      this.changed(changed);
    });
    this.drawControls();
    live.add(this);
  }

  /** The controls say what the state says. */
  drawControls() {
    for (const one of this.controls) one.draw();
  }

  /** Names of the state changed. @param {Set<string>} changed */
  changed(changed) {
    for (const sheet of this.sheets) sheet.restyle(changed);
  }

  /** @returns {TensorSheet[]} */
  get sheets() {
    return this.cards.started;
  }

  /** Show some tags of some runs. @param {any[]} runs entries of the run table @param {any[]} tags with tag, stream, and how much there is of them */
  show(runs, tags) {
    this.runs = runs.slice(0, MOST_RUNS);
    this.tags = tags.map((one) => ({ stream: "", ...one }));
    fill(this.note, runs.length > MOST_RUNS ? `The first ${MOST_RUNS} of ${plural(runs.length, "run")} are shown.` : "");
    this.note.hidden = runs.length <= MOST_RUNS;
    this.cards.show(this.tags, { none: "No tag is chosen." });
    for (const sheet of this.sheets) sheet.refresh();
    this.tellSteps();
  }

  /** The slider moved. @param {number | null} value null is the newest */
  step(value) {
    this.at = value;
    for (const sheet of this.sheets) sheet.move();
  }

  /** Mark a run. @param {string | null} key */
  highlight(key) {
    this.lit = key;
    for (const sheet of this.sheets) sheet.light(key);
  }

  /** Resolves when the step is drawn. */
  ready() {
    return Promise.all(this.sheets.map((sheet) => sheet.settled));
  }

  /** The slider has the steps of all sheets that know theirs. */
  tellSteps() {
    const lists = this.sheets.flatMap((sheet) => sheet.found.map((one) => one.all));
    // Of sheets that nobody has seen yet the ends are known.
    const ends = this.tags.flatMap((one) => [one.first_step, one.last_step]).filter((step) => Number.isFinite(step));
    const told = together([...lists, ends]);
    if (told.length === this.toldSteps?.length && told.every((step, i) => step === this.toldSteps[i])) return;
    this.toldSteps = told;
    this.told.steps(told);
  }

  close() {
    live.delete(this);
    this.stop();
    this.cards.watch.disconnect();
    for (const sheet of this.sheets) sheet.close();
    fill(this.el);
  }
}

/**
 * One tag in all runs. Its kinds say in `path` and `limits` what is asked, in `taken` what becomes of a run's part of
 * the answer ({steps, all, total, ...}), in `put` how more steps of it are added to it, in `paint` how it looks and in
 * `relook` what changes with a step. `fine` is asked with a step, `newest` where the last ones are wanted.
 */
export class TensorSheet {
  /** @param {any} series @param {TensorPanel} panel */
  constructor(series, panel) {
    Object.assign(this, { series, panel, known: new Map(), asked: "", settled: Promise.resolve(), asking: new AbortController(), looking: new AbortController() });
    this.says = h("span", { class: "muted" });
    this.without = h("p", { class: "muted without" });
    this.box = h("div", { class: "sheetbox waiting" });
    this.head = seriesTitle(series, this.says);
    this.el = h("section", { class: "sheet", "aria-label": series.stream ? `${series.tag}, ${series.stream}` : series.tag }, this.head, this.box, this.without);
  }

  update(series) {
    this.series = series;
  }

  start() {
    this.refresh();
  }

  /** The runs that have something, in order: what `taken` made of them, with `run`. */
  get found() {
    return this.panel.runs.map((run) => this.known.get(run.key)).filter((one) => one?.total);
  }

  /** Ask about some runs. @param {any[]} runs @param {any} more @param {AbortSignal} signal */
  ask(runs, more, signal) {
    const { tag, stream } = this.series;
    return send("POST", this.path, { runs: runs.map((run) => run.key), tag, stream, ...more }, signal);
  }

  /** Draw what is known, and ask for what is not: other runs, or more of them. */
  refresh() {
    this.settled = this.#refresh();
    return this.settled;
  }

  async #refresh() {
    const { runs } = this.panel;
    const { points, steps, last_step } = this.series;
    const asked = JSON.stringify([runs.map((run) => run.key), points, steps, last_step, this.fineness]);
    for (const run of runs) {
      const one = this.known.get(run.key);
      if (one) one.run = run;
    }
    if (this.drawn) this.paint();
    if (asked === this.asked) return;
    this.asked = asked;
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const answer = await this.ask(runs, this.limits(runs.length), signal);
      if (signal.aborted) return;
      const by = new Map(runs.map((run) => [run.key, run]));
      this.known = new Map(answer.runs.map((one) => [one.run_key, { run: by.get(one.run_key), key: one.run_key, total: one.total, all: one.all_steps, ...this.taken(one) }]));
      this.drawn = true;
      this.box.classList.remove("waiting");
      this.panel.tellSteps();
      this.#missing();
      this.paint();
      await this.#nearer();
    } catch (error) {
      if (withdrawn(error)) return;
      this.asked = "";
      this.drawn = false;
      this.forget();
      fill(this.box, failed(error, () => this.refresh()));
    }
  }

  get fine() {
    return {};
  }

  get newest() {
    return {};
  }

  /** Elements in the box are gone. */
  forget() {}

  /** What the state says changed. @param {Set<string>} _changed */
  restyle(_changed) {
    this.refresh();
  }

  /** The step changed. */
  move() {
    if (!this.drawn) return;
    this.relook();
    this.settled = this.#nearer();
  }

  /** Mark a run. @param {string | null} key */
  light(key) {
    for (const el of this.el.querySelectorAll("[data-key]")) el.classList.toggle("lit", /** @type {HTMLElement} */ (el).dataset.key === key);
  }

  close() {
    this.asking.abort();
    this.looking.abort();
  }

  /** The place of a run's step nearest to the slider's. */
  place(one) {
    return nearest(one.steps, this.panel.at);
  }

  /** Where a run has many steps, only some are here: those nearer to the slider's are asked for. */
  async #nearer() {
    const { at } = this.panel;
    this.looking.abort();
    const far = this.found.filter((one) => one.all.length > one.steps.length && one.steps[this.place(one)] !== one.all[nearest(one.all, at)]);
    if (!far.length) return;
    this.looking = new AbortController();
    const { signal } = this.looking;
    // A slider that is dragged passes many steps.
    await new Promise((done) => setTimeout(done, PASSING_MS));
    if (signal.aborted) return;
    try {
      const answer = await this.ask(far.map((one) => one.run), at === null ? this.newest : { step: at, ...this.fine }, signal);
      if (signal.aborted) return;
      for (const given of answer.runs) {
        const one = this.known.get(given.run_key);
        if (one && given.total) this.put(one, this.taken(given));
      }
      this.relook();
    } catch (error) {
      // The step that is near stays; whoever moves on asks again.
      if (!withdrawn(error)) fill(this.says, "A step that is not shown could not be fetched.");
    }
  }

  #missing() {
    const none = this.panel.runs.filter((run) => !this.known.get(run.key)?.total);
    const has = this.panel.runs.length - none.length;
    const names = none.map((run) => run.label);
    fill(this.without, names.length <= NAMED ? `Not in ${names.join(", ")}.` : `Not in ${names.length.toLocaleString("en-US")} of the runs that are drawn.`);
    this.without.title = names.length > NAMED ? `${names.slice(0, MOST_NAMED).join(", ")}${names.length > MOST_NAMED ? ", …" : ""}` : "";
    this.without.hidden = !none.length || !has;
  }
}

/**
 * Put more steps and what belongs to them among those that are known, in order.
 * @param {{steps: number[]}} one @param {{steps: number[]}} more @param {string[]} names of the lists besides `steps`
 */
export function among(one, more, names) {
  more.steps.forEach((step, from) => {
    const at = one.steps.findIndex((other) => other >= step);
    if (at >= 0 && one.steps[at] === step) return;
    for (const name of ["steps", ...names]) one[name].splice(at < 0 ? one[name].length : at, 0, more[name][from]);
  });
}
