/** The filter of the run table: highlighted text with completion, errors in their place, and chips for what people filter by most. */

import { get, withdrawn } from "../core/api.js";
import { combo, replace } from "../core/combo.js";
import { button, debounce, fill, h, icon } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { hparam } from "../core/split.js";
import { menu } from "../core/ui.js";
import { complete, meant } from "./completion.js";
import { chosen, isWords, toggled, tokens, without } from "./language.js";
import { loader, renew } from "./names.js";

const APPLY_MS = 400;
const TELL_MS = 1200;
const FACETS = ["state", "project", "machine", "source"];
const SHOWN = 3;

/** An offset in characters, as the server counts them, as one in this language's strings. */
function offset(text, position) {
  let units = 0;
  let left = position;
  for (const character of text) {
    if (left <= 0) break;
    units += character.length;
    left -= 1;
  }
  return units;
}

/** The part of the text that an error is about. */
function misfit(text, error) {
  if (error.position == null || error.text !== text) return null;
  const at = offset(text, error.position);
  const token = tokens(text).find((one) => one.start <= at && at < one.end);
  return { start: token?.start ?? at, end: token?.end ?? at };
}

/** What to write instead, if the hint says so. */
function correction(hint) {
  const near = /Did you mean (.+)\?$/.exec(hint)?.[1];
  if (near) return near;
  const form = /(?:is written|Write) `?([^`,]+?)`?\.$/.exec(hint)?.[1];
  return form && !/\("tag"\)|hp\.name|\.\.\./.test(form) ? form : null;
}

export class QueryBox {
  /**
   * @param {HTMLElement} el where it is put
   * @param {import("../core/state.js").State} state its `q`, `arch` and `dup`
   * @param {{fields?: any}} [given] the names, if the page has them already
   */
  constructor(el, state, { fields } = {}) {
    this.state = state;
    this.load = loader(fields);
    this.known = null;
    this.stale = false;
    this.wrong = null;
    this.checked = null;
    this.passed = null;
    this.counted = [];
    this.seen = new Set();
    this.asking = new AbortController();
    this.counting = new AbortController();
    this.soon = debounce(() => this.input.value !== this.checked && this.#check(false), APPLY_MS);
    this.later = debounce(() => this.#tell(), TELL_MS);
    this.#build(el);
    this.list = combo(this.input, {
      label: "Completions", anchor: () => this.#caretBox(),
      options: async (text, caret) => {
        if (this.stale || !this.known) this.known = await this.load();
        this.stale = false;
        return complete(text, caret, this.known);
      },
      eager: (text, caret) => meant(text, caret, this.known?.stats ?? [], isWords(text)),
    });
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("input", () => this.#typed());
    this.input.addEventListener("blur", () => this.#left());
    state.on((changed) => {
      if (changed.has("q")) this.#follow();
      if (["q", "arch", "dup"].some((name) => changed.has(name))) this.#facets();
    });
    bind("/", "filter the runs", () => this.focus());
    this.load().then((known) => { this.known = known; this.#draw(); }, () => {});
    this.#follow();
    if (state.get("q")) this.#check(true);
    this.#facets();
  }

  #build(el) {
    this.input = /** @type {HTMLTextAreaElement} */ (h("textarea", {
      rows: 1, class: "query-text", maxlength: 10000, spellcheck: "false", autocapitalize: "off", "aria-label": "Filter", "aria-describedby": "query-wrong",
      placeholder: "Filter: words, or state = 'running' and hp.lr < 1e-3",
    }));
    this.shown = h("pre", { class: "query-shown", "aria-hidden": "true" });
    this.clear = button("close", "Clear the filter", () => this.#set(""), { class: "button bare query-clear" });
    this.note = h("div", { class: "query-wrong", id: "query-wrong", role: "alert", hidden: true });
    this.chips = h("div", { class: "facets", role: "group", "aria-label": "Quick filters", hidden: true });
    const line = h("div", { class: "query-line" }, icon("search"), h("div", { class: "query-edit" }, this.shown, this.input), h("kbd", { class: "query-key", title: "Press / to filter" }, "/"), this.clear);
    el.append(h("div", { class: "querybox", role: "search" }, line, this.note, this.chips));
  }

  /** Put the caret at the end of the filter. */
  focus() {
    this.input.focus();
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  /** The lake has another snapshot: names and counts may be others. @param {number} [snapshot] */
  refresh(snapshot) {
    renew(snapshot);
    // The names are fetched when they are next needed: a lake that grows has another snapshot every few seconds.
    this.stale = true;
    this.#facets();
  }

  /** Tell an error that the page met with this filter. */
  fail(error) {
    this.#refused(this.input.value, error);
    this.#tell();
  }

  #follow() {
    const now = this.state.get("q");
    if (this.input.value.trim() !== now) {
      this.input.value = now;
      this.wrong = null;
    }
    this.#draw();
  }

  #set(text) {
    this.list.close();
    this.asking.abort();
    this.input.value = text;
    this.wrong = null;
    this.#draw();
    this.input.focus();
    this.#check(true);
  }

  #key(event) {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      this.list.close();
      this.#check(true);
    } else if (event.key === "Escape") this.input.blur();
  }

  #typed() {
    // A pasted filter of several lines is one line, as in the URL.
    if (/[\r\n]/.test(this.input.value)) {
      const at = this.input.selectionStart;
      this.input.value = this.input.value.replace(/[\r\n]+/g, " ");
      this.input.setSelectionRange(at, at);
    }
    // An answer about what stood here before must not be used over what stands here now.
    this.asking.abort();
    this.wrong = null;
    this.checked = null;
    this.#draw();
    this.soon();
  }

  #left() {
    if (this.input.value.trim() !== this.state.get("q") || this.state.loose) this.#check(true);
  }

  /** Ask the server whether the text is a filter, and use it if so; a committed one tells its error at once. */
  async #check(commit) {
    const text = this.input.value;
    this.checked = text;
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      if (text.trim() && text !== this.passed) await get("runs", { filter: text, columns: ["run_key"], limit: "0" }, signal);
      if (signal.aborted) return;
      this.passed = text;
      this.wrong = null;
      this.state.set({ q: text.trim() }, { commit });
    } catch (error) {
      if (withdrawn(error) || signal.aborted) return;
      this.#refused(text, error);
      if (commit) this.#tell();
      else this.later();
    }
    this.#draw();
  }

  #refused(text, error) {
    this.wrong = { text, error, told: false, at: misfit(text, error) };
  }

  #tell() {
    if (!this.wrong || this.wrong.text !== this.input.value) return;
    this.wrong.told = true;
    this.#draw();
  }

  #draw() {
    const text = this.input.value;
    const wrong = this.wrong?.told && this.wrong.text === text ? this.wrong : null;
    fill(this.shown, this.#highlighted(text, wrong?.at), "\u200b");
    this.clear.hidden = !text;
    this.input.setAttribute("aria-invalid", String(Boolean(wrong)));
    this.note.hidden = !wrong;
    fill(this.note, wrong && this.#message(wrong));
  }

  #highlighted(text, at) {
    const fields = new Set(this.known?.fields.map((one) => one.name));
    const functions = new Set(this.known?.functions);
    const parts = [];
    let end = 0;
    const all = isWords(text) ? [] : tokens(text);
    const marked = (start, stop, kind) => {
      if (start >= stop) return;
      const here = at && at.start < stop && at.end > start;
      parts.push(h("span", { class: `${kind}${here ? " misfit" : ""}` }, text.slice(start, stop)));
    };
    all.forEach((token, i) => {
      marked(end, token.start, "");
      const low = token.text.toLowerCase();
      const call = all[i + 1]?.text === "(" && functions.has(low);
      marked(token.start, token.end, `is-${token.kind !== "name" ? token.kind : call ? "function" : fields.has(low) ? "field" : "name"}`);
      end = token.end;
    });
    marked(end, text.length, "");
    if (at && at.start >= text.length) parts.push(h("span", { class: "misfit" }, " "));
    return parts;
  }

  #message({ text, error, at }) {
    const instead = at ? correction(error.hint) : null;
    return [
      h("span", null, error.message, error.hint ? `. ${error.hint}` : ""),
      instead && h("button", { type: "button", class: "button", on: { click: () => this.#fix(text, at, instead) } }, `Use ${instead}`),
    ];
  }

  #fix(text, at, instead) {
    const was = text.slice(at.start, at.end);
    const quoted = /^["']/.exec(was)?.[0];
    const next = instead.startsWith("hp.") && !instead.includes('"') ? hparam(instead.slice(3)) : instead;
    // A tag that was meant stands in the quotes of the one that was written.
    const bare = quoted && !/\(|^hp\.|^["']/.test(next);
    replace(this.input, at.start, at.end, bare ? quoted + next.replaceAll(quoted, quoted + quoted) + quoted : next);
    this.list.close();
    this.#check(true);
  }

  #caretBox() {
    const box = this.input.getBoundingClientRect();
    const range = document.createRange();
    const start = tokens(this.input.value).findLast((one) => one.start < this.input.selectionStart && this.input.selectionStart <= one.end)?.start ?? this.input.selectionStart;
    const walk = document.createTreeWalker(this.shown, NodeFilter.SHOW_TEXT);
    let left = start;
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const { length } = node.textContent;
      if (left <= length) {
        range.setStart(node, left);
        range.collapse(true);
        const at = range.getBoundingClientRect();
        return at.height ? new DOMRect(at.left, box.top, 0, Math.max(box.height, at.bottom - box.top)) : box;
      }
      left -= length;
    }
    return box;
  }

  /** Counts of each facet among the runs that the rest of the filter leaves. */
  async #facets() {
    this.counting.abort();
    this.counting = new AbortController();
    const { signal } = this.counting;
    const text = this.state.get("q");
    // What is chosen is seen at once, its counts when they are known.
    this.#drawFacets(text);
    const asked = new Map();
    for (const field of FACETS) {
      const rest = without(text, field);
      asked.set(rest, [...(asked.get(rest) ?? []), field]);
    }
    const more = { archived: this.state.get("arch") ?? false, duplicates: this.state.get("dup") ?? false, limit: 200 };
    try {
      const answers = await Promise.all([...asked].map(([filter, fields]) => get("facets", { filter, fields, ...more }, signal)));
      this.counted = answers.flatMap((answer) => answer.facets).sort((a, b) => FACETS.indexOf(a.field) - FACETS.indexOf(b.field));
      this.#drawFacets(text);
    } catch (error) {
      // The filter itself tells what is wrong; the chips stay as they were.
      if (!withdrawn(error)) this.chips.classList.add("stale");
    }
  }

  #drawFacets(text) {
    const found = this.counted;
    const counts = (facet) => JSON.stringify(facet.values);
    const machine = found.find((facet) => facet.field === "machine");
    // What was of use once stays where it is: the table below must not jump about.
    for (const facet of found) {
      const doubled = facet.field === "source" && machine && counts(machine) === counts(facet);
      if (chosen(text, facet.field).length || (facet.values.length > 1 && !doubled)) this.seen.add(facet.field);
    }
    const useful = found.filter((facet) => this.seen.has(facet.field));
    this.chips.classList.remove("stale");
    this.chips.hidden = !useful.length;
    const focused = /** @type {HTMLElement} */ (document.activeElement)?.dataset?.facet;
    fill(this.chips, useful.map((facet) => this.#facet(text, facet)));
    if (focused) /** @type {HTMLElement} */ (this.chips.querySelector(`[data-facet=${CSS.escape(focused)}]`))?.focus();
  }

  #facet(text, { field, values }) {
    const on = chosen(text, field);
    const gone = on.filter((value) => !values.some((one) => one.value === value)).map((value) => ({ value, runs: 0 }));
    const all = [...values, ...gone];
    const first = all.filter((one, i) => i < SHOWN || on.includes(one.value));
    const rest = all.length - first.length;
    const toggle = (value) => this.state.set({ q: toggled(this.state.get("q"), field, value) });
    const chips = first.map(({ value, runs }) => h(
      "button",
      {
        type: "button", class: "chip facet", "aria-pressed": String(on.includes(value)), dataset: { facet: `${field}:${value}` },
        title: `${field} ${value === null ? "is null" : `= ${value}`}: ${runs} runs`, on: { click: () => toggle(value) },
      },
      h("span", { class: field === "state" ? `state ${value}` : "facet-value" }, value ?? "none"), h("span", { class: "muted" }, String(runs)),
    ));
    const more = rest > 0 && h("button", { type: "button", class: "chip facet more", "aria-haspopup": "menu", dataset: { facet: `${field}:` }, "aria-label": `${rest} more of ${field}` }, `+${rest}`);
    if (more) {
      more.addEventListener("click", () => menu(more, field, all.map(({ value, runs }) => ({ label: `${value ?? "none"} (${runs})`, checked: on.includes(value), run: () => toggle(value) })), "start"));
    }
    return h("div", { class: "facet-group", role: "group", "aria-label": field }, h("span", { class: "facet-name" }, field), chips, more);
  }
}
