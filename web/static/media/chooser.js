/** Which tags are shown: a search by regular expression, and a list to choose from. */

import { button, debounce, fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { under } from "../core/kinds.js";
import { tagPattern } from "../core/pattern.js";
import { popover } from "../core/ui.js";

const MOST_LISTED = 500;

/** The tags of a kind by the state: what is searched for, of that what is chosen, of that the first. @param {any[]} all @param {import("../core/state.js").State} state */
export function chosen(all, state) {
  const { tags, pick, many } = state.values;
  const pattern = tagPattern(tags);
  const picked = new Set(pick);
  const fits = all.filter((one) => (!pattern || pattern.test(one.tag)) && (!picked.size || picked.has(one.tag)));
  return { fits, shown: fits.slice(0, many) };
}

/** The search and the list. */
export class Chooser {
  /** @param {import("../core/state.js").State} state */
  constructor(state) {
    this.state = state;
    this.all = [];
    const search = debounce(() => state.set({ tags: this.search.value.trim() }), 250);
    this.search = /** @type {HTMLInputElement} */ (h("input", { type: "search", class: "tagsearch", placeholder: "Tags (regular expression)", "aria-label": "Search tags", spellcheck: "false", maxlength: "1000", value: state.get("tags"), on: { input: search } }));
    this.open = button("tag", "Choose tags from a list", () => this.#list(), { text: "Tags", "aria-haspopup": "dialog" });
    this.more = h("button", { type: "button", class: "button", on: { click: () => state.set({ many: Math.min(500, this.fits) }) } });
    this.el = h("div", { class: "chooser" }, this.search, this.open, this.more);
  }

  /** The tags of the kind that is shown. @param {any[]} all */
  update(all) {
    this.all = all;
    const { fits, shown } = chosen(all, this.state);
    this.fits = fits.length;
    if (document.activeElement !== this.search) this.search.value = this.state.get("tags");
    const label = shown.length === all.length ? plural(all.length, "tag") : `${shown.length.toLocaleString("en-US")} of ${plural(all.length, "tag")}`;
    fill(this.open, this.open.firstElementChild, label);
    this.open.hidden = !all.length;
    this.search.hidden = all.length < 2 && !this.state.get("tags");
    this.more.hidden = shown.length === fits.length;
    fill(this.more, fits.length <= 500 ? "Show all" : "Show 500");
  }

  #list() {
    const { state } = this;
    const rows = Map.groupBy(this.all, (one) => one.tag);
    const find = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "Find a tag", "aria-label": "Find a tag", autofocus: true, on: { input: () => draw() } }));
    const list = h("ul", { class: "taglist" });
    const says = h("p", { class: "muted" });
    const boxes = new Map();
    let found = [];
    const set = (pick) => { state.set({ pick }); mark(); };
    // Boxes stay as they are otherwise: one of them may have the focus.
    const mark = () => {
      const picked = new Set(state.get("pick"));
      for (const [tag, box] of boxes) box.checked = picked.has(tag);
      fill(says, picked.size ? `${picked.size.toLocaleString("en-US")} chosen` : "None is chosen, so all are shown", found.length > MOST_LISTED ? ` · the first ${MOST_LISTED} of ${found.length.toLocaleString("en-US")}` : "");
    };
    const toggle = (tag) => {
      const pick = state.get("pick");
      set(pick.includes(tag) ? pick.filter((one) => one !== tag) : [...pick, tag]);
    };
    const draw = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      found = [...rows.keys()].filter((tag) => words.every((word) => tag.toLowerCase().includes(word)));
      boxes.clear();
      fill(list, found.slice(0, MOST_LISTED).map((tag) => {
        const series = rows.get(tag);
        const runs = Math.max(...series.map((one) => one.runs));
        const box = h("input", { type: "checkbox", on: { change: () => toggle(tag) } });
        boxes.set(tag, box);
        return h("li", null, h("label", { class: "check" }, box, h("span", { class: "name", title: tag }, tag)),
          h("span", { class: "muted" }, `${plural(runs, "run")} · ${plural(Math.max(...series.map((one) => one.steps)), "step")}`),
          h("button", { type: "button", class: "button bare only", "aria-label": `Only ${tag}`, on: { click: () => set([tag]) } }, "only"));
      }));
      mark();
    };
    draw();
    popover(this.open, h("div", { class: "tagchoice" }, find, says, list, h("button", { type: "button", class: "button", on: { click: () => set([]) } }, "Show all tags")), { label: "Tags that are shown" });
  }
}

/** How a series is called where several tags or streams are shown. @param {{tag: string, stream?: string, display_name?: string | null}} one */
export function seriesName(one) {
  const name = one.display_name || one.tag;
  return one.stream ? `${name} (${one.stream})` : name;
}

/** The tags of an answer by their kind. @param {any[]} tags @returns {Record<string, any[]>} */
export function byKind(tags) {
  const found = {};
  for (const one of tags) (under(found, one.kind) ?? (found[one.kind] = [])).push(one);
  return found;
}
