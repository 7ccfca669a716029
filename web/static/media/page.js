/** The right side of the media page: tabs of kinds, tags, the step slider, and the panel of the kind that is chosen. */

import { get, send, withdrawn } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { bind } from "../core/keys.js";
import { offer } from "../core/search.js";
import { TensorboardLink } from "../core/tensorboard.js";
import { empty, failed, tell, toast } from "../core/ui.js";
import { KINDS } from "../pages/media-state.js";
import { runSort } from "../table/rows.js";
import { byKind, Chooser, chosen } from "./chooser.js";
import { inOrder, runsOf } from "./members.js";
import { StepBar } from "./stepbar.js";

const LABELS = { images: "Images", audio: "Audio", texts: "Texts", histograms: "Histograms", curves: "PR curves" };
const NOUNS = { images: "images", audio: "audio", texts: "texts", histograms: "histograms", curves: "PR curves" };
/** Each panel is a module of its own, fetched when its kind is chosen. */
const PANELS = {
  images: () => import("./images.js"),
  audio: () => import("./audio.js"),
  texts: () => import("./texts.js"),
  histograms: () => import("./histograms.js"),
  curves: () => import("./curves.js"),
};
/** TensorBoard's dashboards of the kinds. */
const DASHBOARDS = { images: "images", audio: "audio", texts: "text", histograms: "histograms", curves: "pr_curves" };
const MOST_DRAWN = 50;
/** What people ask of the table: while it stays, runs keep their places, whatever the lake learns. */
const ORDERING = ["sort", "group", "q", "arch", "dup", "n", "show", "hide"];

/** What stands beside the run table. */
export class MediaPage {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {{onHover?: (key: string | null) => void}} [told] */
  constructor(el, state, { onHover = () => {} } = {}) {
    Object.assign(this, { el, state, onHover, entries: [], runs: [], total: null, tags: null, panel: null, kind: "", turn: 0, ordering: "", asking: new AbortController() });
    this.tabs = h("div", { role: "tablist", class: "tabs", "aria-label": "Kinds of media", on: { keydown: (event) => this.#key(event) } });
    this.chooser = new Chooser(state);
    this.bar = new StepBar(state, { ready: async () => this.panel?.ready?.() });
    this.tools = h("div", { class: "paneltools" });
    this.note = h("p", { class: "note muted", role: "status" });
    this.box = h("div", { class: "mediabox", role: "tabpanel", id: "media-panel" });
    el.classList.add("media");
    this.board = new TensorboardLink({ text: "In TensorBoard" });
    this.toolbar = h("div", { class: "toolbar" }, this.chooser.el, this.bar.el, this.tools, this.board.el);
    fill(el, this.tabs, this.toolbar, this.note, this.box);
    state.on((changed) => this.#changed(changed));
    this.#keys();
    this.#draw();
    offer("Images and sounds: runs as rows or as columns", () => state.set({ flip: !state.get("flip") }));
  }

  /** What the run table draws. @param {any[]} entries runs or groups @param {number} total of the runs that match */
  setRuns(entries, total) {
    this.total = total;
    this.entries = entries;
    this.ordering = JSON.stringify(ORDERING.map((name) => this.state.get(name)));
    this.#ask();
  }

  /** The lake has changed. */
  refresh() {
    // What could not be had is asked for again.
    if (this.box.querySelector(".failed, .gone")) this.known = "";
    if (this.total !== null) this.#ask();
  }

  /** Mark a run. @param {string | null} key */
  highlight(key) {
    this.panel?.highlight?.(key);
  }

  /** What the table asks for. */
  get params() {
    const { q, arch, dup } = this.state.values;
    return { filter: q, archived: arch ? "true" : null, duplicates: dup ? "true" : null };
  }

  async #ask() {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const { ordering } = this;
    try {
      const found = await runsOf(this.entries, { ...this.params, sort: runSort(this.state) }, signal);
      const { note } = found;
      const runs = ordering === this.ordered ? inOrder(found.runs, this.runs) : found.runs;
      const answer = runs.length ? await send("POST", "media/tags", { runs: runs.map((one) => one.key) }, signal) : { tags: [], truncated: false };
      if (signal.aborted) return;
      this.ordered = ordering;
      const key = JSON.stringify([runs, note, answer]);
      if (key === this.known && this.panel) return;
      this.known = key;
      this.runs = runs;
      this.tags = byKind(answer.tags);
      fill(this.note, [note, answer.truncated && "There are more tags than can be listed: the first 5,000 are."].filter(Boolean).join(" "));
      this.#draw();
      this.#show();
    } catch (error) {
      if (withdrawn(error)) return;
      this.#close();
      fill(this.box, failed(error, () => this.#ask()));
    }
  }

  #changed(changed) {
    if (["tags", "pick", "many", "kind"].some((name) => changed.has(name))) {
      this.#draw();
      this.#show();
    } else if (changed.has("step")) this.panel?.step(this.state.get("step"));
  }

  #draw() {
    const kind = this.state.get("kind");
    const focused = this.tabs.contains(document.activeElement);
    const key = JSON.stringify([kind, this.tags && KINDS.map((one) => this.tags[one]?.length ?? 0)]);
    if (key !== this.drawn) {
      this.drawn = key;
      fill(this.tabs, KINDS.map((one) => h("button", {
        type: "button", role: "tab", id: `kind-${one}`, "aria-selected": String(one === kind), "aria-controls": "media-panel", tabindex: one === kind ? "0" : "-1",
        on: { click: () => this.state.set({ kind: one }) },
      }, LABELS[one], this.tags && h("span", { class: "count" }, (this.tags[one]?.length ?? 0).toLocaleString("en-US")))));
      this.box.setAttribute("aria-labelledby", `kind-${kind}`);
    }
    if (focused) /** @type {HTMLElement} */ (this.tabs.querySelector("[aria-selected='true']")).focus();
    this.chooser.update(this.tags?.[kind] ?? []);
    this.toolbar.hidden = this.tags !== null && !this.tags[kind]?.length;
  }

  /** Show what is chosen, or say why there is nothing. */
  async #show() {
    if (!this.tags) return;
    const kind = this.state.get("kind");
    const all = this.tags[kind] ?? [];
    const { shown } = chosen(all, this.state);
    if (!shown.length) {
      this.#close();
      this.#nothing(kind, all);
      return;
    }
    if (this.kind !== kind) {
      this.#close();
      this.kind = kind;
      const { turn } = this;
      let module;
      try {
        module = await PANELS[kind]();
      } catch (error) {
        if (this.turn === turn) {
          this.kind = "";
          fill(this.box, failed({ message: `${LABELS[kind]} cannot be shown: ${error.message}`, hint: "Reload the page" }, () => this.#show()));
        }
        return;
      }
      if (this.turn !== turn) return;
      const Panel = module.default ?? Object.values(module).find((one) => typeof one === "function" && one.prototype?.show);
      const steps = (list, walls = null) => { if (this.turn === turn) this.bar.set(list, walls); };
      fill(this.box);
      fill(this.tools);
      this.panel = new Panel(this.box, this.state, { steps, tools: this.tools, onHover: this.onHover, pause: () => this.bar.pause(), others: () => this.#others(kind) });
      this.box.dataset.kind = kind;
    }
    if (this.panel) this.#give();
  }

  #give() {
    const all = this.tags[this.kind] ?? [];
    const { shown } = chosen(all, this.state);
    const tags = shown.length < all.length ? [...new Set(shown.map((one) => one.tag))] : [];
    this.board.show({ runs: this.runs.map((one) => one.key) }, { label: `Open the ${NOUNS[this.kind]} of ${plural(this.runs.length, "run")} in TensorBoard`, place: { dashboard: DASHBOARDS[this.kind], tags } });
    this.panel.show(this.runs, shown);
    this.panel.step(this.state.get("step"));
  }

  #close() {
    this.panel?.close();
    this.panel = null;
    this.kind = "";
    this.turn += 1;
    this.board.show(null);
    this.bar.pause();
    this.bar.set([]);
    fill(this.tools);
  }

  #nothing(kind, all) {
    const { state, entries, total } = this;
    const noun = NOUNS[kind];
    const others = KINDS.filter((one) => this.tags[one]?.length);
    const tabs = others.map((one) => button(null, "", () => state.set({ kind: one }), { text: `${LABELS[one]} (${this.tags[one].length.toLocaleString("en-US")})` }));
    if (all.length) {
      const { tags } = state.values;
      fill(this.box, empty(tags ? h("span", null, "No tag of these runs matches ", h("code", null, tags), ".") : "None of the chosen tags is in these runs.",
        h("button", { type: "button", class: "button", on: { click: () => state.set({ tags: "", pick: [] }) } }, "Show all tags")));
    } else if (!entries.length) {
      fill(this.box, total ? empty("No run is drawn.", button(null, "", () => state.set({ n: 10, hide: [], show: [] }), { text: "Draw the first 10" }))
        : empty(state.get("q") ? "No run matches the filter, so there is nothing to show." : "There are no runs yet."));
    } else {
      const more = h("p", null);
      fill(this.box, empty(h("span", null, `None of the ${plural(this.runs.length, "run")} drawn logged ${noun}.`), more, tabs.length > 0 && h("p", { class: "others" }, "They logged: ", tabs)));
      this.#elsewhere(kind, more);
    }
  }

  /** Which other runs have some. */
  async #elsewhere(kind, el) {
    const { signal } = this.asking;
    const noun = NOUNS[kind];
    try {
      let found = await get("media/runs", { kind, ...this.params, limit: MOST_DRAWN }, signal);
      const filtered = this.state.get("q") && !found.total;
      if (filtered) found = await get("media/runs", { kind, limit: MOST_DRAWN }, signal);
      if (signal.aborted || !el.isConnected) return;
      if (!found.total) {
        fill(el, `No run of the lake logged ${noun}.`);
        return;
      }
      const draw = () => this.#drawThese(found.runs, filtered ? { q: "" } : {});
      fill(el, filtered ? `No run that matches the filter did; ${plural(found.total, "other run")} did. ` : `${found.total.toLocaleString("en-US")} of the ${plural(found.looked_at, "run")} ${this.state.get("q") ? "that match" : "in the table"} did. `,
        button("eye", "", draw, { text: found.total === 1 ? "Draw it" : found.total <= 10 ? `Draw these ${found.total}` : "Draw the first 10 of them" }));
    } catch (error) {
      if (!withdrawn(error) && el.isConnected) fill(el, failed(error, () => this.#elsewhere(kind, el)));
    }
  }

  #drawThese(keys, more = {}) {
    this.state.set({ n: 0, hide: [], show: keys.slice(0, 10), group: [], ...more });
  }

  /** Draw runs that have some, instead of those that are drawn. */
  async #others(kind) {
    const { turn } = this;
    try {
      const { runs } = await get("media/runs", { kind, ...this.params, limit: MOST_DRAWN });
      if (this.turn === turn && runs.length) this.#drawThese(runs);
    } catch (error) {
      if (!withdrawn(error)) toast(tell(error));
    }
  }

  #key(event) {
    const at = KINDS.indexOf(this.state.get("kind"));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: KINDS.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.state.set({ kind: KINDS[(to + KINDS.length) % KINDS.length] });
  }

  #keys() {
    // Arrows belong to what has the focus; elsewhere they move the step.
    const free = (event) => {
      const at = /** @type {HTMLElement} */ (event.target);
      return at === document.body || at === this.bar.range;
    };
    bind("Ctrl+ArrowLeft", "the step before", () => this.bar.move(-1));
    bind("Ctrl+ArrowRight", "the next step", () => this.bar.move(1));
    for (const [key, does, run] of [
      ["ArrowLeft", "the step before", () => this.bar.move(-1)], ["ArrowRight", "the next step", () => this.bar.move(1)],
      ["Home", "the first step", () => this.bar.go(0)], ["End", "the newest step", () => this.bar.go(Infinity)],
      [" ", "play, or pause", () => this.bar.toggle()],
    ]) bind(key, does, (event) => (free(event) ? void run() : false));
  }
}
