/** The keyboard map: each key with what it does; nothing happens while somebody types. */

import { h } from "./dom.js";
import { dialog } from "./ui.js";

const known = [];

function typing(event) {
  const el = /** @type {HTMLElement} */ (event.target);
  return el.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName) && !["checkbox", "range", "radio", "button"].includes(el.getAttribute("type") ?? ""));
}

/**
 * Bind a key such as `f`, `/`, `Ctrl+K`, `Ctrl+Shift+Z` (Ctrl is Cmd on a Mac).
 * @param {string} key @param {string} does what it does, for the help @param {(event: KeyboardEvent) => void | false} run false leaves the key to the browser
 */
export function bind(key, does, run, { whileTyping = false } = {}) {
  known.push({ key, does, run, whileTyping });
}

function name(event) {
  const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  const shift = event.shiftKey && (control || event.key.length > 1) ? "Shift+" : "";
  const key = event.key.length === 1 && control ? event.key.toUpperCase() : event.key;
  return control + shift + key;
}

addEventListener("keydown", (event) => {
  if (event.altKey || event.isComposing) return;
  const pressed = name(event);
  const within = document.querySelector("dialog[open]:not(.fullchart), [popover=auto]:popover-open");
  for (const one of known) {
    if (one.key !== pressed || (!one.whileTyping && (typing(event) || within))) continue;
    if (one.run(event) !== false) event.preventDefault();
    return;
  }
});

/** Show every key. */
export function showKeys() {
  const rows = known.filter((one) => one.does).map((one) => h("tr", null, h("td", null, one.key.split("+").map((part, i) => [i ? " + " : "", h("kbd", null, part === "ArrowLeft" ? "←" : part === "ArrowRight" ? "→" : part === " " ? "Space" : part)])), h("td", null, one.does)));
  dialog("Keys", h("table", { class: "keys" }, h("tbody", null, rows)));
}
