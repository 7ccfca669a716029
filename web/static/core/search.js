/** Quick search: runs, tags, saved views, pages and the actions of this page in one list. */

import { get, withdrawn } from "./api.js";
import { debounce, fill, h } from "./dom.js";
import { natural } from "./format.js";
import { alone } from "./pattern.js";

const MOST_WORDS = 20;
const actions = [];

/** Offer an action of the page in the quick search. @param {string} label @param {() => void} run */
export function offer(label, run) {
  actions.push({ kind: "action", label, run });
}

const pages = [
  { kind: "page", label: "All runs", href: "/" },
  { kind: "page", label: "Compare runs", href: "/compare" },
  { kind: "page", label: "Media: images, sounds, histograms, texts of runs", href: "/media" },
  { kind: "page", label: "Analysis: scatter, parallel coordinates, importance", href: "/analyze" },
  { kind: "page", label: "SQL", href: "/sql" },
  { kind: "page", label: "Sources and the quality of data", href: "/sources" },
  { kind: "page", label: "API", href: "/api" },
];

/** Where a tag leads: to the page's own charts if it has any. */
let openTag = (tag) => { location.href = `/?${new URLSearchParams({ tags: alone(tag) })}`; };

/** Let the page itself show a tag that was picked. */
export function onTag(open) {
  openTag = open;
}

async function runs(words, signal) {
  const found = await get("runs", { filter: words, columns: ["run_key", "name", "project", "machine", "state"], limit: 8, archived: "true" }, signal);
  return found.rows.map(([, key, name, project, machine, state]) => ({ kind: "run", label: name, detail: [project, machine, state].filter(Boolean).join(" · "), href: `/run/${key}` }));
}

async function lists() {
  const [tags, views] = await Promise.all([get("tags", { kind: "scalar" }), get("views")]);
  return [
    ...tags.tags.map((one) => ({ kind: "tag", label: one.tag, detail: `${one.runs} runs`, run: () => openTag(one.tag) })),
    ...views.views.map((one) => ({ kind: "view", label: one.name, detail: one.page, href: `/v/${one.id}` })),
  ];
}

/** Open the search. */
export function quickSearch() {
  if (document.querySelector("dialog.quicksearch")) return;
  const input = h("input", { type: "text", placeholder: "Runs, tags, views, pages, actions", "aria-label": "Search everything", role: "combobox", "aria-expanded": "true", "aria-controls": "quick-list", autocomplete: "off" });
  const box = h("ul", { id: "quick-list", role: "listbox", "aria-label": "Found" });
  const el = /** @type {HTMLDialogElement} */ (h("dialog", { class: "quicksearch", "aria-label": "Search everything" }, input, box));
  let items = [];
  let at = 0;
  let known = [];
  let sought = "";
  let asking = new AbortController();
  const go = (item) => {
    if (!item) return;
    el.close();
    if (item.run) item.run();
    else location.href = item.href;
  };
  const draw = () => {
    at = Math.max(0, Math.min(at, items.length - 1));
    fill(box, items.length ? items.map((item, i) =>
      h("li", { role: "option", id: `quick-${i}`, "aria-selected": String(i === at), on: { click: () => go(item), mousemove: () => { if (at !== i) { at = i; draw(); } } } },
        h("span", { class: "kind" }, item.kind), h("span", { class: "label" }, item.label), item.detail && h("span", { class: "muted" }, item.detail)))
      : h("li", { class: "muted", role: "option", "aria-selected": "false" }, "Nothing is called so"));
    input.setAttribute("aria-activedescendant", items.length ? `quick-${at}` : "");
    box.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const find = async () => {
    asking.abort();
    asking = new AbortController();
    sought = input.value;
    const words = sought.trim();
    const low = words.toLowerCase();
    const fits = (item) => low.split(/\s+/).every((word) => item.label.toLowerCase().includes(word));
    const near = [...actions, ...pages, ...known].filter(fits);
    near.sort((a, b) => a.label.toLowerCase().indexOf(low) - b.label.toLowerCase().indexOf(low) || natural(a.label, b.label));
    items = near.slice(0, 12);
    draw();
    try {
      // Only words, in quotes since some mean something there: an expression of the filter language is for the filter box.
      const plain = words.replace(/[^\p{L}\p{N}_\-./ ]/gu, " ").split(" ").filter((word) => /[\p{L}\p{N}]/u.test(word));
      const found = await runs(plain.slice(0, MOST_WORDS).map((word) => `"${word}"`).join(" "), asking.signal);
      items = [...near.slice(0, words ? 12 : 6), ...found];
      draw();
    } catch (error) {
      if (!withdrawn(error)) draw();
    }
  };
  const soon = debounce(find, 80);
  input.addEventListener("input", () => { at = 0; soon(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      // Who types fast means what was typed, not what is listed still.
      if (sought !== input.value) find();
      go(items[at]);
    }
    else if (event.key === "ArrowDown") at = (at + 1) % Math.max(1, items.length);
    else if (event.key === "ArrowUp") at = (at - 1 + items.length) % Math.max(1, items.length);
    else return;
    event.preventDefault();
    if (event.key !== "Enter") draw();
  });
  el.addEventListener("close", () => el.remove());
  el.addEventListener("click", (event) => { if (event.target === el) el.close(); });
  document.body.append(el);
  el.showModal();
  input.focus();
  lists().then((found) => { known = found; find(); }, () => find());
  find();
}
