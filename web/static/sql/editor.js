/** The editor: a textarea whose text is seen in colours through it, with line numbers, and brackets that find each other. */

import { combo, replace } from "../core/combo.js";
import { fill, h, onFrame } from "../core/dom.js";
import { MOST_CHARACTERS } from "../pages/sql-state.js";
import { mates, statementAt, tokens } from "./tokens.js";

const INDENT = "  ";
// Words before a bracket that call nothing, though a function is called so.
const WORDS = new Set(["filter", "over", "within", "in", "exists", "values", "using", "and", "or", "not", "as", "by", "on"]);

export class Editor {
  /**
   * @param {HTMLElement} el
   * @param {{onInput: (text: string) => void, onRun: () => void, options: (text: string, caret: number, asked: boolean, signal: AbortSignal) => Promise<any[]> | any[]}} told
   */
  constructor(el, told) {
    this.told = told;
    this.words = new Set();
    this.functions = new Set();
    this.relations = new Set();
    this.wrong = null;
    this.brackets = new Map();
    this.lit = [];
    this.asked = false;
    this.input = /** @type {HTMLTextAreaElement} */ (h("textarea", {
      class: "sql-input", spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off", rows: 1, maxlength: MOST_CHARACTERS,
      "aria-label": "SQL", "aria-describedby": "sql-wrong", placeholder: "SELECT * FROM runs LIMIT 100",
    }));
    this.shown = h("pre", { class: "sql-shown", "aria-hidden": "true" });
    this.lines = h("pre", { class: "sql-lines", "aria-hidden": "true" });
    this.el = h("div", { class: "sql-editor" }, this.lines, h("div", { class: "sql-text" }, this.shown, this.input));
    el.append(this.el);
    this.draw = onFrame(() => this.#draw());
    // Before the suggestions hear of a key: what is theirs only while they are open must stay the editor's otherwise.
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("input", () => {
      this.wrong = null;
      this.#draw();
      this.told.onInput(this.input.value);
    });
    this.list = combo(this.input, {
      label: "Completions", eager: () => this.asked, anchor: () => this.#caretBox(),
      options: (text, caret, signal) => this.told.options(text, caret, this.asked, signal),
    });
    document.addEventListener("selectionchange", () => this.#match());
    this.input.addEventListener("blur", () => this.#match());
    this.#draw();
  }

  get text() {
    return this.input.value;
  }

  /** Show another text; its undo begins anew. */
  set(text) {
    if (text === this.input.value) return;
    this.input.value = text;
    this.wrong = null;
    this.list.close();
    this.#draw();
  }

  /** Put a text in the place of all, so that the browser's undo can take it back. */
  write(text) {
    replace(this.input, 0, this.input.value.length, text);
    this.list.close();
  }

  /** Put a name at the caret, with a blank before it where words would meet. */
  insert(text) {
    const { selectionStart: from, selectionEnd: to, value } = this.input;
    const blank = from > 0 && /[\p{L}\p{N}_"',*)]/u.test(value[from - 1]) ? " " : "";
    replace(this.input, from, to, blank + text);
    this.list.close();
  }

  /** What keywords, functions and tables there are, for the colours. */
  know({ keywords, functions, tables }) {
    this.words = new Set(keywords);
    this.functions = new Set(functions.map((one) => one.name));
    this.relations = new Set(tables.map((one) => one.name));
    this.#draw();
  }

  /** What Run means now: the selected text, else the statement that the caret is in; null where there is none. */
  chosen() {
    const { selectionStart: from, selectionEnd: to, value } = this.input;
    if (to > from && value.slice(from, to).trim()) return { text: value.slice(from, to), start: from, at: -1 };
    const { all, at } = statementAt(value, to);
    return at < 0 ? null : { text: value.slice(all[at].start, all[at].end), start: all[at].start, at };
  }

  /** Mark a part of the text as what an error is about. @param {{start: number, end: number} | null} part */
  mark(part) {
    this.wrong = part;
    this.input.setAttribute("aria-invalid", String(Boolean(part)));
    this.#draw();
  }

  /** Put the caret there, in sight. */
  go(at) {
    this.input.focus({ preventScroll: true });
    this.input.setSelectionRange(at, at);
    this.#reveal(at);
  }

  #reveal(at) {
    const line = this.input.value.slice(0, at).split("\n").length - 1;
    const height = this.lines.scrollHeight / Math.max(1, this.count);
    const top = line * height;
    if (top < this.el.scrollTop || top + 2 * height > this.el.scrollTop + this.el.clientHeight) this.el.scrollTop = top - this.el.clientHeight / 2;
  }

  #key(event) {
    if (event.isComposing) return;
    const open = this.list.isOpen();
    const marked = open && this.input.hasAttribute("aria-activedescendant");
    const { selectionStart: from, selectionEnd: to, value } = this.input;
    const control = event.ctrlKey || event.metaKey;
    // Where the list is closed, arrows are the caret's.
    const ours = () => event.stopImmediatePropagation();
    const instead = (text) => {
      event.preventDefault();
      ours();
      replace(this.input, from, to, text);
    };
    this.asked = false;
    if (event.key === "Enter" && control) {
      event.preventDefault();
      ours();
      this.list.close();
      this.told.onRun();
    } else if (event.key === "Enter" && !marked && !event.shiftKey) {
      const indent = /^[ \t]*/.exec(value.slice(value.lastIndexOf("\n", from - 1) + 1, from))[0];
      instead(`\n${indent}${/[([{]\s*$/.test(value.slice(0, from)) ? INDENT : ""}`);
    } else if (event.key === "Tab" && !event.shiftKey && !open && from === to && /[\p{L}\p{N}_.]$/u.test(value.slice(0, from))) {
      // Behind a word Tab completes; elsewhere it leaves the editor, as everywhere.
      event.preventDefault();
      ours();
      this.asked = true;
      this.list.open();
    } else if (control && event.key === " ") this.asked = true;
    else if (control && event.key === "/") {
      event.preventDefault();
      ours();
      this.#comment();
    } else if (event.key === "ArrowDown" && !open) ours();
  }

  /** Make the lines of the selection comments, or no longer. */
  #comment() {
    const { selectionStart: from, selectionEnd: to, value } = this.input;
    const start = value.lastIndexOf("\n", from - 1) + 1;
    const end = value.indexOf("\n", Math.max(from, to - 1));
    const lines = value.slice(start, end < 0 ? value.length : end).split("\n");
    const off = lines.every((line) => /^\s*--/.test(line) || !line.trim());
    const next = lines.map((line) => (off ? line.replace(/^(\s*)-- ?/, "$1") : line.trim() ? `-- ${line}` : line)).join("\n");
    replace(this.input, start, end < 0 ? value.length : end, next);
    this.input.setSelectionRange(start, start + next.length);
    this.list.close();
  }

  #kind(token, next) {
    if (token.kind !== "word") return { comment: "is-comment", text: "is-text", quoted: "is-quoted", number: "is-number" }[token.kind] ?? "";
    const low = token.text.toLowerCase();
    if (this.functions.has(low) && next === "(" && !WORDS.has(low)) return "is-call";
    if (this.relations.has(low)) return "is-table";
    return this.words.has(low) ? "is-keyword" : "";
  }

  #draw() {
    const text = this.input.value;
    const all = tokens(text);
    this.all = all;
    this.brackets.clear();
    const parts = [];
    all.forEach((token, i) => {
      const next = all[i + 1]?.kind === "blank" ? all[i + 2]?.text : all[i + 1]?.text;
      const here = this.wrong && token.start < this.wrong.end && token.end > this.wrong.start;
      const kind = `${this.#kind(token, next)}${here ? " misfit" : ""}`;
      if (!kind && token.kind !== "bracket") {
        parts.push(token.text);
        return;
      }
      const span = h("span", { class: kind }, token.text);
      if (token.kind === "bracket") this.brackets.set(token.start, span);
      parts.push(span);
    });
    if (this.wrong && this.wrong.start >= text.length) parts.push(h("span", { class: "misfit" }, " "));
    fill(this.shown, parts, "\u200b");
    const count = text.split("\n").length;
    if (count !== this.count) {
      this.count = count;
      this.lines.textContent = Array.from({ length: count }, (_, i) => i + 1).join("\n");
    }
    this.lit = [];
    this.#match();
  }

  /** Mark the bracket at the caret and its other half. */
  #match() {
    for (const span of this.lit) span.classList.remove("mate", "alone");
    this.lit = [];
    const { selectionStart: from, selectionEnd: to } = this.input;
    if (document.activeElement !== this.input || from !== to) return;
    const found = mates(this.all, from);
    this.lit = found.map((at) => this.brackets.get(at)).filter(Boolean);
    for (const span of this.lit) span.classList.add(found.length === 2 ? "mate" : "alone");
  }

  #caretBox() {
    const at = this.input.selectionStart;
    const begun = /[\p{L}\p{N}_]*$/u.exec(this.input.value.slice(Math.max(0, at - 200), at))[0].length;
    const walk = document.createTreeWalker(this.shown, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    let left = at - begun;
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const { length } = node.textContent;
      if (left <= length) {
        range.setStart(node, left);
        range.collapse(true);
        const box = range.getBoundingClientRect();
        if (box.height) return box;
        break;
      }
      left -= length;
    }
    return this.el.getBoundingClientRect();
  }
}
