/** What goes along from page to page: which runs are looked at, drawn and selected. */

import { send } from "./api.js";
import { tell, toast } from "./ui.js";

/** Names in the state of every page that has a run table. */
const SHARED = ["q", "sort", "group", "n", "hide", "show", "hue", "sel", "base", "arch", "dup"];
const PAGES = { workspace: "/", media: "/media", analyze: "/analyze" };
const MOST_COMPARED = 200;
const LONGEST = 1500; // characters of an address

/** Let the bar's links lead to the same runs as *state* has. @param {import("./state.js").State} state */
export function carry(state) {
  if (!PAGES[state.page]) return;
  const links = Object.keys(PAGES).filter((page) => page !== state.page).map((page) => [page, /** @type {HTMLAnchorElement | null} */ (document.querySelector(`header.bar nav a[href="${PAGES[page]}"]`))]).filter(([, el]) => el);
  const compare = /** @type {HTMLAnchorElement | null} */ (document.querySelector('header.bar nav a[href="/compare"]'));
  const lead = () => {
    const kept = SHARED.filter((name) => state.schema[name] && JSON.stringify(state.get(name)) !== JSON.stringify(state.schema[name].fallback));
    const query = new URLSearchParams(kept.map((name) => [name, state.schema[name].write(state.get(name))])).toString();
    for (const [page, el] of links) el.href = query && query.length <= LONGEST ? `${PAGES[page]}?${query}` : PAGES[page];
    const { sel, base } = state.values;
    if (compare) compare.href = sel.length && sel.length <= MOST_COMPARED ? `/compare?${new URLSearchParams({ runs: sel.join(","), ...(base ? { base } : {}) })}` : "/compare";
    return { kept, long: query.length > LONGEST };
  };
  lead();
  state.on(lead);
  for (const [page, el] of links) {
    el.addEventListener("click", async (event) => {
      const { kept, long } = lead();
      if (!long || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      try {
        const values = Object.fromEntries(kept.map((name) => [name, state.get(name)]));
        location.href = `/v/${(await send("POST", "views", { page, state: values, name: "" })).id}`;
      } catch (error) {
        toast(tell(error), { bad: true });
      }
    });
  }
}
