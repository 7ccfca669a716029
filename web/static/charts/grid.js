/** The grid of charts: which there are, in which sections, and which of them are in sight. */

import { get, withdrawn } from "../core/api.js";
import { button, debounce, fill, h } from "../core/dom.js";
import { natural, plural } from "../core/format.js";
import { bind } from "../core/keys.js";
import { tagPattern } from "../core/pattern.js";
import { empty, failed } from "../core/ui.js";
import { AWAY, Card } from "./card.js";
import { editChart } from "./editor.js";
import { Feed } from "./feed.js";
import { FullChart } from "./full.js";
import { Toolbar } from "./toolbar.js";

const PAGE = 24; // charts of a section at first
const MANY = 120; // beyond so many charts only the first sections are open
const OPEN = 3;
const LISTED = 300; // runs by number in a question for tags

/**
 * What all charts of a page share.
 * @typedef {{state: import("../core/state.js").State, feed: Feed, entries: import("./lines.js").Entry[], grouped: boolean, coarse: boolean, baseline: string,
 *   highlit: string | null, pin: (id: string) => void, edit: ((chart: any, at: number | null) => void) | null, hovered: (key: string | null) => void,
 *   picked: (key: string) => void, cursor: (x: number | null, card: Card) => void, drew: (card: Card) => void,
 *   which: () => import("../core/tensorboard.js").Asked, hidden?: (key: string) => boolean, toggle?: (key: string) => void, solo?: (key: string) => void}} Context
 */

// What needs other curves, and what only another picture of them.
const FETCH = ["x", "lost", "traces"];
const LOOK = ["xs", "ys", "sk", "sm", "out", "band", "yz", "own"];
const LAYOUT = ["tags", "pins", "multi", "shut", "size"];

/** Charts of the runs that are given, in an element. */
export class ChartGrid {
  /**
   * @param {HTMLElement} el
   * @param {import("../core/state.js").State} state with the fields of chartSchema
   * @param {{scope?: string, onHover?: (key: string | null) => void, onPick?: (key: string) => void, toggle?: (key: string) => void, solo?: (key: string) => void,
   *   why?: () => Node | string | null, which?: () => import("../core/tensorboard.js").Asked}} [hooks] `why` says why nothing is drawn, `which` what TensorBoard is to show where groups are drawn
   */
  constructor(el, state, hooks = {}) {
    this.state = state;
    this.hooks = hooks;
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    this.inSight = new Set();
    this.more = new Map();
    /** What there is to draw, in natural order. @type {{tag: string, runs: number}[]} */
    this.tags = [];
    this.byTag = new Map();
    this.setting = 0;
    this.listing = new AbortController();
    this.feed = new Feed();
    /** @type {Context} */
    this.context = {
      state, feed: this.feed, entries: [], grouped: false, coarse: false, baseline: "", highlit: null,
      pin: (id) => state.set({ pins: state.get("pins").includes(id) ? state.get("pins").filter((one) => one !== id) : [...state.get("pins"), id] }),
      edit: (chart, at) => editChart(this.context, this.tags.map((one) => one.tag), chart, at),
      hovered: (key) => hooks.onHover?.(key),
      picked: (key) => hooks.onPick?.(key),
      cursor: (x, from) => { for (const card of this.inSight) if (card !== from || x === null) card.pointer.cursor(x); from.pointer.cursor(x); },
      drew: (card) => this.#drew(card),
      which: () => hooks.which?.() ?? { runs: this.context.entries.map((entry) => entry.key) },
      toggle: hooks.toggle, solo: hooks.solo,
    };
    this.toolbar = new Toolbar(this.context, () => this.tags);
    this.body = h("div", { class: "sections", tabindex: "-1" });
    fill(el, this.toolbar.el, this.body);
    this.watch = new IntersectionObserver((seen) => this.#sighted(seen), { root: null, rootMargin: "200px 0px" });
    this.sizes = new ResizeObserver(debounce(() => { for (const card of this.inSight) card.resize(); }, 80));
    this.sizes.observe(this.body);
    this.full = new FullChart(this);
    this.settle = debounce(() => { this.context.coarse = false; for (const card of this.inSight) card.redraw(); }, 200);
    this.refetch = debounce(() => this.#load(), 120);
    state.on((changed) => this.#changed(changed));
    this.#keys();
  }

  #keys() {
    const { state } = this;
    bind("f", "the chart under the mouse in full", () => {
      const card = /** @type {HTMLElement | null} */ (this.body.querySelector(".card:hover") ?? this.body.querySelector(".card:focus-within"));
      return card && !this.full.card ? state.set({ full: card.dataset.id }) : false;
    });
    bind("l", "logarithmic y", () => state.set({ ys: state.get("ys") === "log" ? "linear" : "log" }));
    bind("r", "reset zoom", () => state.set({ zoom: null, yz: {} }));
    bind("[", "less smoothing", () => state.set({ sm: Math.max(0, Math.round((state.get("sm") - 0.05) * 100) / 100) }));
    bind("]", "more smoothing", () => state.set({ sm: Math.min(0.99, Math.round((state.get("sm") + 0.05) * 100) / 100) }));
  }

  /**
   * Draw these runs, or groups. Members of groups are found first.
   * @param {import("./lines.js").Entry[]} entries @param {Record<string, any>} [params] what the runs of groups are searched with
   */
  async setRuns(entries, params = {}) {
    const asked = (this.setting += 1);
    const grouped = entries.some((entry) => entry.members || entry.group);
    let ready = entries;
    try {
      if (grouped) ready = await Promise.all(entries.map(async (entry) => ({ ...entry, group: entry.group ?? { ids: await this.feed.idsOf(entry.members, params) } })));
    } catch (error) {
      if (asked === this.setting) fill(this.body, failed(error, () => this.setRuns(entries, params)));
      return;
    }
    if (asked !== this.setting) return;
    const before = JSON.stringify(this.context.entries.map((entry) => entry.group?.ids ?? entry.run_id));
    const same = before === JSON.stringify(ready.map((entry) => entry.group?.ids ?? entry.run_id)) && grouped === this.context.grouped;
    this.context.entries = ready;
    this.context.grouped = grouped;
    this.toolbar.draw();
    if (same && this.tags.length) {
      for (const card of this.inSight) card.redraw();
      this.full.redraw();
      return;
    }
    await this.#list();
  }

  /** The run that others are measured by is drawn thicker. */
  setBaseline(key) {
    if (this.context.baseline === key) return;
    this.context.baseline = key;
    for (const card of this.inSight) card.redraw();
  }

  /** Draw one run above the others. */
  highlight(key) {
    if (this.context.highlit === key) return;
    this.context.highlit = key;
    for (const card of this.inSight) card.highlight();
    this.full.card?.highlight();
  }

  /** The lake has grown: ask again for what is in sight, keeping what is drawn until then. */
  async refresh() {
    this.feed.clear();
    const { entries } = this.context;
    if (!entries.length) return;
    await this.#list();
  }

  async #list() {
    this.listing.abort();
    this.listing = new AbortController();
    const { signal } = this.listing;
    const ids = this.context.entries.flatMap((entry) => entry.group?.ids ?? [entry.run_id]);
    try {
      const found = ids.length ? await get("tags", { runs: ids.length <= LISTED ? ids : [], kind: "scalar" }, signal) : { tags: [] };
      this.tags = found.tags.sort((a, b) => natural(a.tag, b.tag));
      this.drawn = ids.length;
      this.byTag = new Map(this.tags.map((one) => [one.tag, one]));
      this.toolbar.draw();
      this.#layout();
      this.#load();
    } catch (error) {
      if (!withdrawn(error)) fill(this.body, failed(error, () => this.#list()));
    }
  }

  #load() {
    for (const card of this.cards.values()) card.load();
    this.full.card?.load();
  }

  #changed(changed) {
    const any = (names) => names.some((name) => changed.has(name));
    this.toolbar.draw();
    if (any(LAYOUT)) this.#layout();
    if (changed.has("x")) this.feed.clear({ members: false });
    if (any(FETCH)) this.#load();
    else if (changed.has("zoom")) {
      // The picture moves at once; finer points follow.
      this.#redraw();
      this.refetch();
    } else if (any(LOOK)) {
      if (this.state.loose) {
        this.context.coarse = true;
        this.settle();
      }
      this.#redraw();
    }
    if (changed.has("full")) this.full.sync();
  }

  #redraw() {
    for (const card of this.inSight) card.redraw();
    this.full.redraw();
  }

  #drew(card) {
    if (card === this.full.card) this.full.legend();
  }

  /** The chart of an id: a tag, or one that was put together. @returns {import("./card.js").Spec | null} */
  spec(id) {
    const multi = this.state.get("multi");
    const match = /^chart:(\d+)$/.exec(id);
    if (match) {
      const one = multi[Number(match[1])];
      return one ? { id, title: one.title || one.expr || one.tags.join(", "), tags: one.tags ?? [], expr: one.expr, at: Number(match[1]) } : null;
    }
    const tag = this.byTag.get(id);
    return tag ? { id, title: id, tags: [id], runs: tag.runs } : null;
  }

  /** Sections with their charts, as the page shows them. */
  sections() {
    const { state } = this;
    const pattern = tagPattern(state.get("tags"));
    const pins = new Set(state.get("pins"));
    const fits = this.tags.filter((one) => !pattern || pattern.test(one.tag)).map((one) => one.tag);
    const sections = [];
    const pinned = state.get("pins").filter((id) => this.spec(id));
    if (pinned.length) sections.push({ name: "Pinned", kind: "pinned", ids: pinned });
    const own = state.get("multi").map((_, i) => `chart:${i}`).filter((id) => !pins.has(id) && this.spec(id));
    if (own.length) sections.push({ name: "My charts", kind: "own", ids: own });
    const groups = new Map();
    for (const tag of fits) {
      const slash = tag.indexOf("/");
      const name = slash > 0 ? tag.slice(0, slash) : "";
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(tag);
    }
    // Results that were logged once are no curves: they stand behind those.
    const once = new Set(this.tags.filter((one) => one.points <= Math.max(one.runs, one.streams.length)).map((one) => one.tag));
    // What most of the drawn runs have stands before what only a few of them log.
    const common = new Set(this.tags.filter((one) => 2 * one.runs >= this.drawn).map((one) => one.tag));
    const last = ([, ids]) => (ids.every((tag) => once.has(tag)) ? 2 : ids.some((tag) => common.has(tag)) ? 0 : 1);
    for (const [name, ids] of [...groups].sort((a, b) => last(a) - last(b) || natural(a[0], b[0]))) sections.push({ name: name || "Metrics", kind: `tag:${name}`, ids });
    return sections;
  }

  #isOpen(section, place, total) {
    const byDefault = total <= MANY || place < OPEN || section.kind === "pinned" || section.kind === "own";
    return this.state.get("shut").includes(section.kind) ? !byDefault : byDefault;
  }

  #layout() {
    const { state } = this;
    const sections = this.sections();
    const total = sections.reduce((sum, section) => sum + section.ids.length, 0);
    const wanted = new Set();
    const parts = sections.map((section, place) => {
      const open = this.#isOpen(section, place, total);
      const shown = open ? section.ids.slice(0, this.more.get(section.kind) ?? PAGE) : [];
      const cards = shown.map((id) => {
        // A pinned chart also stands where it belongs.
        const key = `${section.kind === "pinned" ? "pinned" : "own"} ${id}`;
        wanted.add(key);
        return this.#card(key, id, section.kind === "pinned");
      });
      const left = section.ids.length - shown.length;
      const toggle = () => state.set({ shut: state.get("shut").includes(section.kind) ? state.get("shut").filter((one) => one !== section.kind) : [...state.get("shut"), section.kind] });
      return h("section", { class: "section", "aria-label": section.name },
        h("h2", null, h("button", { type: "button", "aria-expanded": String(open), dataset: { part: `head ${section.kind}` }, on: { click: toggle } }, chevron(open), section.name, h("span", { class: "muted" }, ` ${section.ids.length}`))),
        open && h("div", { class: `cards ${state.get("size")}` }, cards.map((card) => card.el)),
        open && left > 0 && button(null, "", () => { this.more.set(section.kind, shown.length + PAGE); this.#layout(); }, { text: `Show ${Math.min(PAGE, left)} more of ${left}`, dataset: { part: `more ${section.kind}` } }));
    });
    for (const [key, card] of this.cards) {
      if (wanted.has(key)) continue;
      this.watch.unobserve(card.el);
      this.inSight.delete(card);
      card.hide();
      this.cards.delete(key);
    }
    this.#put(parts.length ? parts : [this.#nothing()]);
    this.full.sync();
  }

  /** Put the sections into the page: what is seen stays where it is, and what has the focus keeps it. */
  #put(parts) {
    const scroll = this.body.scrollTop;
    const held = this.body.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const name = (el) => `${el.dataset.part} ${el.closest(".card")?.dataset.key}`;
    const known = held && name(held);
    fill(this.body, parts);
    this.body.scrollTop = scroll;
    if (!held) return;
    const again = held.isConnected ? held : [...this.body.querySelectorAll("[data-part]")].find((el) => name(el) === known);
    (again ?? this.body).focus({ preventScroll: true });
  }

  #nothing() {
    const { state } = this;
    if (state.get("tags") && this.tags.length) {
      return empty(`None of ${plural(this.tags.length, "tag")} matches ${state.get("tags")}.`, button(null, "", () => state.set({ tags: "" }), { text: "Clear the tag search" }));
    }
    if (!this.context.entries.length) return this.hooks.why?.() ?? empty("No run is drawn. The eye beside a run draws it.");
    return empty("The runs that are drawn have no scalars.");
  }

  #card(key, id, wholeName) {
    const spec = /** @type {import("./card.js").Spec} */ (this.spec(id));
    const known = this.cards.get(key);
    const fresh = known && JSON.stringify(known.spec.tags) === JSON.stringify(spec.tags) && known.spec.expr === spec.expr && known.spec.title === spec.title;
    if (known && fresh && known.pinned === this.state.get("pins").includes(id)) return known;
    if (known) {
      this.watch.unobserve(known.el);
      this.inSight.delete(known);
      known.hide();
    }
    const card = new Card(spec, this.context, { wholeName });
    card.pinned = this.state.get("pins").includes(id);
    card.el.dataset.key = key;
    this.cards.set(key, card);
    this.watch.observe(card.el);
    return card;
  }

  #sighted(seen) {
    for (const { target, isIntersecting, boundingClientRect } of seen) {
      const card = this.cards.get(/** @type {HTMLElement} */ (target).dataset.key ?? "");
      if (!card) continue;
      if (isIntersecting) {
        this.inSight.add(card);
        // What is on the screen itself goes first.
        const away = boundingClientRect.top > innerHeight || boundingClientRect.bottom < 0 ? AWAY : 0;
        card.show(away + boundingClientRect.top);
        if (card.stale) card.load();
      } else {
        this.inSight.delete(card);
        card.hide();
      }
    }
  }
}

function chevron(open) {
  return h("span", { class: open ? "chevron open" : "chevron", "aria-hidden": "true" });
}
