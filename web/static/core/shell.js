/** What stands on every page: quick search, theme, keys, and undo where the page has a state. */

import { button, fill, h } from "./dom.js";
import { resume } from "./exports.js";
import { bind, showKeys } from "./keys.js";
import { carry } from "./scope.js";
import { quickSearch } from "./search.js";
import { theme, toggleTheme } from "./theme.js";
import { copy, tell, toast } from "./ui.js";

/** The button that makes a short link to the page as it is. @param {import("./state.js").State} state */
function shareButton(state) {
  const share = async () => {
    try {
      await copy(await state.link(), "Link");
    } catch (error) {
      toast(tell(error), { bad: true });
    }
  };
  return button("share", "Copy a short link to this view", share, { text: "Share" });
}

/**
 * Fill the bar and bind the keys that every page has.
 * @param {{state?: import("./state.js").State, tools?: HTMLElement[]}} [page]
 */
export function shell({ state, tools = [] } = {}) {
  const bar = document.getElementById("bar-tools");
  const look = () => (theme() === "dark" ? "sun" : "moon");
  const light = button(look(), "Light or dark", () => {
    toggleTheme();
    fill(light, button(look(), "", () => {}).firstElementChild);
  });
  const find = button("search", "Search everything", quickSearch, { text: "Search everything", class: "button quick" });
  find.append(h("kbd", null, "Ctrl K"));
  fill(bar, find, tools, state && shareButton(state), light, button("help", "Keys", showKeys));
  bind("Ctrl+K", "search everything", quickSearch, { whileTyping: true });
  bind("t", "light or dark", () => light.click());
  bind("?", "this list", showKeys);
  resume();
  if (state) {
    carry(state);
    bind("Ctrl+Z", "undo the last change of the view", () => state.undo());
    bind("Ctrl+Shift+Z", "do it again", () => state.redo());
  }
}
