/** Light or dark: as the system says, unless the reader chose. Listeners hear of a change. */

import { recall, remember } from "./memory.js";

const KEY = "boardlake.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();

/** @returns {"light" | "dark"} */
export function theme() {
  const own = recall(KEY);
  return own === "light" || own === "dark" ? own : system.matches ? "dark" : "light";
}

function apply() {
  document.documentElement.dataset.theme = theme();
  for (const listen of listeners) listen(theme());
}

/** Switch between light and dark. */
export function toggleTheme() {
  remember(KEY, theme() === "dark" ? "light" : "dark");
  apply();
}

/** Be told when the theme changes. */
export function onTheme(listen) {
  listeners.add(listen);
}

system.addEventListener("change", apply);
apply();
