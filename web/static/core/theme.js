/** Light or dark: as the system says, unless the reader chose. Listeners hear of a change. */

const KEY = "boardlake.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();

function chosen() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** @returns {"light" | "dark"} */
export function theme() {
  const own = chosen();
  return own === "light" || own === "dark" ? own : system.matches ? "dark" : "light";
}

function apply() {
  document.documentElement.dataset.theme = theme();
  for (const listen of listeners) listen(theme());
}

/** Switch between light and dark. */
export function toggleTheme() {
  try {
    localStorage.setItem(KEY, theme() === "dark" ? "light" : "dark");
  } catch {
    document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
  }
  apply();
}

/** Be told when the theme changes. */
export function onTheme(listen) {
  listeners.add(listen);
}

system.addEventListener("change", apply);
apply();
