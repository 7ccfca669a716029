/** A search within the texts of runs: the field, and what it found. */

import { send, withdrawn } from "../core/api.js";
import { debounce, fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { failed } from "../core/ui.js";
import { stepText } from "../run/steps.js";

const FIRST = 50;
const MOST = 1000;
const TYPED_MS = 350;

/** @typedef {{run_key: string, run: string, tag: string, stream: string, step: number, places: number, snippet: string, matches: [number, number][], before: boolean, after: boolean, cut: boolean}} Hit */

/** The texts that a hit's snippet has marked. @param {Hit} hit */
export function marked({ snippet, matches }) {
  // The server counts characters; a text here counts halves of some of them.
  const letters = [...snippet];
  return matches.map(([from, to]) => letters.slice(from, to).join(""));
}

/** A snippet in pieces [text, marked]. @param {Hit} hit @returns {[string, boolean][]} */
export function pieces({ snippet, matches }) {
  const letters = [...snippet];
  const found = [];
  let at = 0;
  for (const [from, to] of matches) {
    if (from > at) found.push([letters.slice(at, from).join(""), false]);
    found.push([letters.slice(from, to).join(""), true]);
    at = to;
  }
  if (at < letters.length) found.push([letters.slice(at).join(""), false]);
  return found;
}

/** The search; what it is for stands in the state: `tq`, `tr` and `tw`. */
export class TextSearch {
  /**
   * @param {import("../core/state.js").State} state
   * @param {{runs: () => any[], open: (hit: Hit) => void, found: (hits: Hit[]) => void}} page
   */
  constructor(state, page) {
    Object.assign(this, { state, page, hits: [], asked: "", most: FIRST, asking: new AbortController() });
    const type = debounce(() => this.#type(false), TYPED_MS);
    this.field = /** @type {HTMLInputElement} */ (h("input", {
      type: "search", class: "textsearch", placeholder: "Search within the texts", "aria-label": "Search within the texts", spellcheck: "false", maxlength: "1000", value: state.get("tq"),
      on: { input: type, change: () => this.#type(true) },
    }));
    this.regex = h("button", { type: "button", class: "button", title: "A regular expression", "aria-label": "A regular expression", on: { click: () => state.set({ tr: !state.get("tr") }) } }, h("code", null, ".*"));
    this.where = h("select", { "aria-label": "Where to search", on: { change: (event) => state.set({ tw: event.target.value }) } }, h("option", { value: "shown" }, "in the runs drawn"), h("option", { value: "all" }, "in all runs of the table"));
    this.el = h("div", { class: "searchtools" }, this.field, this.regex, this.where);
    this.says = h("p", { class: "muted", role: "status" });
    this.list = h("ol", { class: "hits" });
    this.results = h("section", { class: "results", "aria-label": "Texts that were found", hidden: true }, this.says, this.list);
    this.draw();
  }

  #type(commit) {
    this.state.set({ tq: this.field.value.trim() }, { commit });
  }

  /** Show what the state says, and search where it is another question. */
  draw() {
    const { tq, tr, tw, q, arch, dup } = this.state.values;
    if (document.activeElement !== this.field) this.field.value = tq;
    this.regex.setAttribute("aria-pressed", String(tr));
    this.where.value = tw;
    this.where.hidden = !tq;
    this.results.hidden = !tq;
    const runs = tw === "all" ? null : this.page.runs().map((run) => run.key);
    const asked = tq ? JSON.stringify([tq, tr, runs, runs ? null : [q, arch, dup], this.most]) : "";
    if (asked === this.asked) return;
    this.asked = asked;
    this.asking.abort();
    if (!tq || runs?.length === 0) {
      this.#take([]);
      if (tq) fill(this.says, "No run is drawn.");
      return;
    }
    this.asking = new AbortController();
    const body = { query: tq, regex: tr, limit: this.most, ...(runs ? { runs } : { filter: q, archived: arch, duplicates: dup }) };
    this.#ask(body, this.asking.signal);
  }

  /** The lake has changed. */
  refresh() {
    if (this.asked) this.asked = "stale";
    this.draw();
  }

  async #ask(body, signal) {
    try {
      const found = await send("POST", "texts/search", body, signal);
      if (signal.aborted) return;
      this.#take(found.hits);
      fill(this.says,
        found.total ? `${plural(found.total, "text")} found in ${plural(found.searched, "run")}${found.truncated ? `: the first ${found.hits.length.toLocaleString("en-US")}. ` : "."}` : `Nothing in the texts of ${plural(found.searched, "run")}. ${body.regex ? "" : "All words must occur in one text."}`,
        found.truncated && this.most < MOST && h("button", { type: "button", class: "link", on: { click: () => { this.most = MOST; this.draw(); } } }, found.total <= MOST ? "Show all" : `Show ${MOST.toLocaleString("en-US")}`));
    } catch (error) {
      if (withdrawn(error)) return;
      this.#take([]);
      fill(this.says, failed(error, () => this.refresh()));
    }
  }

  #take(hits) {
    this.hits = hits;
    fill(this.says);
    fill(this.list, hits.map((hit) => this.#row(hit)));
    this.page.found(hits);
  }

  #row(hit) {
    const run = this.page.runs().find((one) => one.key === hit.run_key);
    const snippet = h("span", { class: "snippet" }, hit.before && "… ", pieces(hit).map(([text, on]) => (on ? h("mark", null, text) : text)), hit.after && " …");
    const facts = [hit.places > 1 && `${hit.places.toLocaleString("en-US")} places`, hit.cut && "only the beginning of this text is searched"].filter(Boolean).join(" · ");
    return h("li", null, h("button", { type: "button", class: "hit", on: { click: () => this.page.open(hit) } },
      h("span", { class: "whose" }, h("span", { class: "dot", style: `background:${run?.colour ?? "var(--muted)"}` }), h("strong", null, run?.label ?? hit.run), h("span", { class: "muted" }, ` ${hit.tag.replace(/\/text_summary$/, "")}${hit.stream ? ` (${hit.stream})` : ""} · ${stepText(hit.step)}${facts ? ` · ${facts}` : ""}`)),
      snippet));
  }

  close() {
    this.asking.abort();
  }
}
