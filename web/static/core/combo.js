/** Suggestions under an input or a textarea, and the ways in which lists of names are searched. */

import { fill, h } from "./dom.js";

const MOST = 60;
let numbered = 0;

/** How far the letters of *word* lie apart in *text*, in their order; null where they are not all there. */
function scattered(word, text) {
  let at = -1;
  let gaps = 0;
  for (const letter of word) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    gaps += at < 0 ? 0 : next - at - 1;
    at = next;
  }
  return gaps <= word.length * 2 ? gaps : null;
}

function rank(word, text) {
  const at = text.indexOf(word);
  if (at === 0) return text.length === word.length ? 0 : 1;
  if (at > 0) return /[\p{L}\p{N}]/u.test(text[at - 1]) ? 3 : 2;
  const gaps = word.length > 1 ? scattered(word, text) : null;
  return gaps === null ? null : 5 + gaps;
}

/**
 * A test for what was typed into a search: words that all occur, else letters in their order, or a /regular expression/.
 * It gives a rank, the smaller the better, or null. Throws SyntaxError for what is no regular expression.
 * @param {string} typed @returns {(text: string) => number | null}
 */
export function matcher(typed) {
  const given = typed.trim();
  const regex = /^\/(.+?)\/?(i?)$/.exec(given);
  if (regex && given.length > 1) {
    const test = new RegExp(regex[1], "iu");
    return (text) => (test.test(text) ? 0 : null);
  }
  const words = given.toLowerCase().split(/\s+/).filter(Boolean);
  return (text) => {
    const low = text.toLowerCase();
    let sum = 0;
    for (const word of words) {
      const one = rank(word, low);
      if (one === null) return null;
      sum += one;
    }
    return sum;
  };
}

/** The items that fit what was typed, the best first and otherwise in their own order. */
export function ranked(typed, items, text = (item) => item) {
  if (!typed.trim()) return items;
  const fits = matcher(typed);
  const found = [];
  items.forEach((item, i) => {
    const score = fits(text(item));
    if (score !== null) found.push([score, i, item]);
  });
  found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return found.map(([, , item]) => item);
}

/** Put *insert* in the place of a part of the text, in a way that the browser's own undo knows. */
export function replace(input, from, to, insert) {
  input.focus({ preventScroll: true });
  input.setSelectionRange(from, to);
  const done = insert ? document.execCommand("insertText", false, insert) : document.execCommand("delete");
  if (done || from === to) return;
  input.setRangeText(insert, from, to, "end");
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * Suggestions for *input*. Arrows move, Tab and Enter accept, Escape closes, the mouse works. Enter accepts only what is
 * marked: the first suggestion is marked at once where *eager* says so, else when an arrow was pressed.
 * Without *pick* a suggestion's `insert` takes the place of the text between `from` and `to`.
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {{
 *   options: (text: string, caret: number, signal: AbortSignal) => Promise<any[]> | any[],
 *   pick?: (option: any) => void, eager?: (text: string, caret: number) => boolean,
 *   onFocus?: boolean, label?: string, anchor?: () => DOMRect,
 * }} how options are {label, detail?, insert?, from?, to?, kind?}
 * @returns {{close: () => void, open: () => void, isOpen: () => boolean}}
 */
export function combo(input, { options, pick, eager = () => true, onFocus = false, label = "Suggestions", anchor }) {
  const id = `combo-${(numbered += 1)}`;
  const box = h("ul", { id, class: "combo", role: "listbox", "aria-label": label, popover: "manual" });
  let shown = [];
  let at = -1;
  let chosen = false;
  let made = "";
  let asking = new AbortController();
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("autocomplete", "off");
  if (input.tagName === "INPUT") {
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "false");
  }
  const isOpen = () => box.isConnected;
  const expanded = (open) => input.tagName === "INPUT" && input.setAttribute("aria-expanded", String(open));

  function close() {
    asking.abort();
    if (!isOpen()) return;
    box.remove();
    expanded(false);
    input.removeAttribute("aria-activedescendant");
    input.removeAttribute("aria-controls");
    removeEventListener("scroll", moved, true);
    removeEventListener("resize", close);
  }

  function moved(event) {
    if (event.target !== box && event.target !== input) close();
  }

  function place() {
    const rect = (anchor ?? (() => input.getBoundingClientRect()))();
    const size = box.getBoundingClientRect();
    const below = rect.bottom + 4;
    const fits = below + size.height <= innerHeight - 8 || rect.top < innerHeight - rect.bottom;
    box.style.left = `${Math.max(8, Math.min(rect.left, innerWidth - size.width - 8))}px`;
    box.style.top = `${fits ? below : Math.max(8, rect.top - size.height - 4)}px`;
    box.style.maxHeight = `${Math.min(320, fits ? innerHeight - below - 8 : rect.top - 12)}px`;
  }

  function mark(to) {
    box.children[at]?.setAttribute("aria-selected", "false");
    at = to;
    const row = box.children[at];
    row?.setAttribute("aria-selected", "true");
    row?.scrollIntoView({ block: "nearest" });
    if (row) input.setAttribute("aria-activedescendant", row.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function choose(to) {
    chosen = true;
    mark(to);
  }

  function accept(option) {
    close();
    if (pick) pick(option);
    else replace(input, option.from ?? 0, option.to ?? input.value.length, option.insert ?? option.label);
  }

  function row(option, i) {
    return h(
      "li",
      {
        id: `${id}-${i}`, role: "option", "aria-selected": "false",
        on: { mousedown: (event) => event.preventDefault(), click: () => accept(option), mousemove: () => at !== i && mark(i) },
      },
      h("span", { class: `label ${option.kind ?? ""}` }, option.label), option.detail != null && h("span", { class: "detail" }, option.detail),
    );
  }

  function show(found, marked) {
    // What an arrow has chosen stays chosen when the list comes anew.
    const kept = chosen && isOpen() ? shown[at]?.label : undefined;
    shown = found.slice(0, MOST);
    if (!shown.length) return close();
    fill(box, shown.map(row));
    if (!isOpen()) {
      // Within a dialog or a popover it must be part of it, or a click on it would close that.
      (input.closest("dialog, [popover]") ?? document.body).append(box);
      box.showPopover();
      addEventListener("scroll", moved, true);
      addEventListener("resize", close);
    }
    input.setAttribute("aria-controls", id);
    expanded(true);
    box.scrollTop = 0;
    at = -1;
    const again = kept === undefined ? -1 : shown.findIndex((one) => one.label === kept);
    chosen = again >= 0;
    mark(chosen ? again : marked ? 0 : -1);
    return place();
  }

  async function open() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const text = input.value;
    const caret = input.selectionStart ?? text.length;
    let found = [];
    try {
      found = await options(text, caret, signal);
    } catch {
      // Suggestions are a help: without them the text can still be typed, and its errors are told elsewhere.
    }
    if (signal.aborted || document.activeElement !== input) return;
    made = text;
    show(found, eager(text, caret));
  }

  input.addEventListener("input", (event) => {
    if (!(/** @type {InputEvent} */ (event).isComposing)) open();
  });
  if (onFocus) input.addEventListener("focus", open);
  input.addEventListener("click", () => (onFocus && !isOpen() ? open() : !onFocus && close()));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    const key = event.ctrlKey && event.key === " " ? "Open" : event.key;
    // A list that was made for other text has nothing to say about this one.
    if (isOpen() && input.value !== made && (key === "Enter" || key === "Tab")) {
      close();
      if (key === "Enter") return;
    } else if (!isOpen()) {
      if (key !== "Open" && !(key === "ArrowDown" && !event.altKey)) return;
      open();
    } else if (key === "ArrowDown") choose((at + 1) % shown.length);
    else if (key === "ArrowUp") choose((at <= 0 ? shown.length : at) - 1);
    else if (key === "PageDown" || key === "PageUp") choose(Math.max(0, Math.min(shown.length - 1, at + (key === "PageDown" ? 8 : -8))));
    else if (key === "Enter" && at >= 0) accept(shown[at]);
    else if (key === "Tab" && !event.shiftKey) accept(shown[Math.max(0, at)]);
    else if (key === "Escape") close();
    else {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) close();
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  return { close, open, isOpen };
}

/**
 * An input that finds tags (or other names) in a list and gives one after the other to *pick*.
 * @param {HTMLElement} el where it is put
 * @param {{
 *   tags: any[] | (() => any[] | Promise<any[]>), pick: (tag: string) => void, label?: string, placeholder?: string,
 *   free?: boolean,
 * }} how tags are texts or {tag, detail?, runs?}; *free*: what is not in the list can be picked too
 */
export function tagInput(el, { tags, pick, label = "Tag", placeholder = "Find a tag", free = false }) {
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "text", class: "taginput", "aria-label": label, placeholder, spellcheck: "false", maxlength: "1000" }));
  el.append(input);
  const take = (tag) => {
    input.value = "";
    pick(tag);
  };
  const listed = async () => {
    const given = await (typeof tags === "function" ? tags() : tags);
    return given.map((one) => (typeof one === "string" ? { tag: one } : one));
  };
  const list = combo(input, {
    // Where names may be new, Enter takes what was typed.
    label, onFocus: true, eager: (text) => !free && text.trim() !== "",
    options: async (text) => {
      const all = await listed();
      const found = ranked(text, all, (one) => one.tag).slice(0, MOST);
      const options = found.map((one) => ({ label: one.tag, detail: one.detail ?? (one.runs === undefined ? null : `${one.runs} run${one.runs === 1 ? "" : "s"}`) }));
      const typed = text.trim();
      if (free && typed && !all.some((one) => one.tag === typed)) options.push({ label: typed, detail: "new" });
      return options;
    },
    pick: (option) => take(option.label),
  });
  input.addEventListener("keydown", (event) => {
    const typed = input.value.trim();
    if (event.key !== "Enter" || !free || !typed) return;
    event.preventDefault();
    list.close();
    take(typed);
  });
  return { input, close: list.close };
}
