/** How good the data is: a card for each check, with the runs that it found and the way to them in the run table. */

import { get } from "../core/api.js";
import { fill, h, icon } from "../core/dom.js";
import { duration, number, plural, time, toNumber } from "../core/format.js";
import { alone } from "../core/pattern.js";
import { literal, metric } from "../core/split.js";
import { empty } from "../core/ui.js";
import { middle } from "../table/cells.js";
import { Answer } from "./answer.js";
import { Pager } from "./pager.js";
import { age, Rows } from "./rows.js";

const SIZE = 25;
const MOST_TAGS = 3;
const REST_MS = 30_000; // between two looks at a lake that changes: each is at every run
const LEAD = ["label", "state", "last_event_at", "machine", "project"];
// Columns that show in the run table why a run is there; those of tags are added for the tags that were found.
const WHY = {
  non_finite: { fields: ["nan_tags"], stats: ["first_nan", "first_inf"] },
  steps_back: { fields: ["attempts"], stats: ["attempts", "superseded"] },
  clock_skew: { fields: ["clock_skew_s"], stats: [] },
  stopped_tags: { fields: ["stopped_tags", "last_step"], stats: ["step_last"] },
  no_hparams: { fields: ["hparams"], stats: [] },
  problems: { fields: ["problems"], stats: [] },
  copies: { fields: ["duplicate_of", "source", "path"], stats: [], dup: true },
  stalled: { fields: ["last_step"], stats: [] },
  failed: { fields: ["end_reason", "last_step"], stats: [] },
};

/** @type {import("../run/tabs.js").Part} */
export default {
  id: "quality",
  label: "Data quality",
  none: "",
  about: () => true,
  make: (el, page) => new Quality(el, page),
};

class Quality {
  constructor(el, page) {
    this.page = page;
    this.answer = new Answer();
    this.says = h("p", { role: "status" });
    this.box = h("div", { class: "checks" });
    /** @type {Map<string, Check>} */
    this.cards = new Map();
    fill(this.answer.content, this.says, this.box);
    fill(el, h("p", { class: "muted" }, "What looks wrong in what runs logged. Archived runs and copies of other runs are left out, except where copies are what is looked for."), this.answer.el);
  }

  /** The filter that a chosen source makes. */
  get filter() {
    const { source } = this.page.state.values;
    return source ? `source = ${literal(source)}` : "";
  }

  update() {
    const { filter } = this;
    this.answer.ask(filter, (signal) => get("quality", { filter }, signal), (found) => this.#show(found), REST_MS);
  }

  /** @param {Set<string>} changed */
  follow(changed) {
    if (changed.has("source")) this.update();
    else if (changed.has("open")) for (const one of this.cards.values()) one.fold();
  }

  #show({ runs, checks }) {
    const bad = checks.filter((one) => one.runs > 0).length;
    const { source } = this.page.state.values;
    fill(this.says, runs ? `${plural(runs, "run")}${source ? ` of ${source}` : ""} looked at. ` : null, runs > 0 && (bad ? `${bad} of ${plural(checks.length, "check")} found something.` : `All ${checks.length} checks found nothing.`),
      !runs && `There are no runs${source ? ` of ${source}` : ""} to look at yet.`);
    for (const one of checks) {
      let card = this.cards.get(one.id);
      if (!card) this.cards.set(one.id, (card = new Check(this, one.id)));
      card.update(one);
    }
    const els = checks.map((one) => this.cards.get(one.id).el);
    if (els.some((el, i) => this.box.children[i] !== el)) fill(this.box, els);
  }
}

/** One check. */
class Check {
  constructor(all, id) {
    Object.assign(this, { all, id, offset: 0 });
    const { state } = all.page;
    this.head = h("h2", null);
    this.detail = h("p", { class: "muted" });
    this.answer = new Answer();
    this.fine = h("span", { class: "fine" });
    this.more = h("button", { type: "button", class: "button", "aria-expanded": "false", on: { click: () => {
      const open = state.get("open");
      state.set({ open: open.includes(id) ? open.filter((one) => one !== id) : [...open, id] });
    } } });
    this.link = h("a", { class: "button", href: "/" }, "Show in the run table");
    this.tools = h("div", { class: "line" }, this.more, this.link);
    this.pager = new Pager("findings", SIZE, (offset) => { this.offset = offset; this.#ask(); });
    this.note = h("div");
    this.box = h("div");
    fill(this.answer.content, this.box, this.note, this.pager.el);
    this.el = h("section", { class: "sheet check", "aria-label": id, dataset: { check: id } }, h("header", null, this.head, this.fine), this.detail, this.tools, this.answer.el);
  }

  /** @param {{title: string, detail: string, runs: number, filter: string}} check */
  update(check) {
    this.check = check;
    const bad = check.runs > 0;
    this.el.setAttribute("aria-label", check.title);
    this.el.classList.toggle("found", bad);
    fill(this.head, check.title, bad && h("span", { class: "chip found" }, plural(check.runs, "run")));
    fill(this.fine, !bad && [icon("check"), "none"]);
    fill(this.detail, check.detail);
    this.tools.hidden = !bad;
    this.#lead([]);
    this.fold(true);
  }

  /** Show or hide the findings, as the state says; asked anew where *renew* says so. */
  fold(renew = false) {
    const bad = this.check.runs > 0;
    const open = bad && this.all.page.state.get("open").includes(this.id);
    this.more.setAttribute("aria-expanded", String(open));
    fill(this.more, icon(open ? "down" : "right"), open ? "Hide what was found" : "Show what was found");
    this.answer.el.hidden = !open;
    if (open && (renew || !this.answer.found)) this.#ask();
    else if (bad && this.link && !this.tags && WHY[this.id]?.stats.length) this.#ask(true);
    else this.#lead(this.tags ?? []);
  }

  #ask(quiet = false) {
    const { filter } = this.all;
    const { offset } = this;
    const question = (signal) => get(`quality/${encodeURIComponent(this.id)}`, { filter, limit: SIZE, offset }, signal);
    const placed = async (signal) => {
      const found = await question(signal);
      return { ...found, places: found.columns.some((one) => one.name === "path") ? null : await places(found.rows.map((row) => row[0]), signal) };
    };
    if (quiet) {
      // Only to know which tags the run table should show: without them it shows fewer columns.
      this.tags = [];
      return question().then((found) => { this.tags = tagsOf(found); this.#lead(this.tags); }, () => {});
    }
    return this.answer.ask([filter, offset], placed, (found) => this.#show(found, offset), REST_MS);
  }

  #show(found, offset) {
    const { columns, rows, total, places: known } = found;
    // A column that has nothing in all rows says nothing.
    const own = columns.map((one, at) => ({ ...one, at })).filter(({ name, at }) => at && (name === "run" || rows.some((row) => row[at] != null && row[at] !== "")));
    const says = JSON.stringify([own, Boolean(known)]);
    if (says !== this.columnsSay) {
      this.columnsSay = says;
      const list = own.map(({ name, kind, at }) => column(name, kind, at));
      if (known) list.splice(1, 0, { id: "place", title: "Lies in", cell: (row) => (row.place ? h("span", { class: "place" }, h("span", { class: "chip" }, row.place.source), middle(row.place.path)) : "") });
      this.table = new Rows(this.check.title, list, { key: (row) => row.key });
      fill(this.box, this.table.el);
    }
    this.table.el.hidden = !rows.length;
    this.table.show(rows.map((values, i) => ({ key: `${offset + i} ${values[0]}`, values, place: known?.get(values[0]) })));
    this.pager.show(offset, rows.length, total);
    fill(this.note, total > 0 && !rows.length && empty("There are fewer by now.", h("button", { type: "button", class: "button", on: { click: () => { this.offset = 0; this.#ask(); } } }, "To the first page")));
    this.tags = tagsOf(found);
    this.#lead(this.tags);
  }

  /** Where the run table shows these runs, with columns that say why. */
  #lead(tags) {
    const { fields, stats, dup } = WHY[this.id] ?? { fields: [], stats: [] };
    const own = tags.slice(0, MOST_TAGS).flatMap((tag) => stats.map((stat) => metric(stat, tag, "")));
    const { filter } = this.all;
    const q = filter && !this.check.filter.includes(filter) ? `(${this.check.filter}) and ${filter}` : this.check.filter;
    const cols = [...new Set([...LEAD, ...fields, ...own])].join(",");
    /** @type {HTMLAnchorElement} */ (this.link).href = `/?${new URLSearchParams({ q, cols, ...(dup ? { dup: "1" } : {}) })}`;
  }
}

/** Where runs lie: many are called the same. @param {string[]} keys */
async function places(keys, signal) {
  const own = [...new Set(keys)];
  if (!own.length) return new Map();
  const found = await get("runs", { filter: `run_key in (${own.map(literal).join(", ")})`, columns: ["run_key", "source", "path"], limit: own.length, duplicates: true, archived: true }, signal);
  return new Map(found.rows.map(([, key, source, path]) => [key, { source, path }]));
}

/** The tags that most of the findings are about. */
function tagsOf({ columns, rows }) {
  const at = columns.findIndex((one) => one.name === "tag");
  if (at < 0) return [];
  const counts = new Map();
  for (const row of rows) if (row[at] != null) counts.set(row[at], (counts.get(row[at]) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([tag]) => tag);
}

const TITLES = new Map(Object.entries({ run: "Run", tag: "Tag", nan_count: "NaN", inf_count: "Infinite", first_nan: "First NaN at step", first_inf: "First infinite at step", end_reason: "Reason", last_event_at: "Last event" }));

function title(name) {
  return TITLES.get(name) ?? (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ").replace(/ s$/, "").replace(/ at$/, "");
}

/** A column of findings as a table has it. */
function column(name, kind, at) {
  const value = (row) => row.values[at];
  if (name === "run") return { id: name, title: title(name), head: true, cell: (row) => h("a", { href: `/run/${encodeURIComponent(row.values[0])}` }, middle(String(value(row) ?? row.values[0]))) };
  if (name === "tag") return { id: name, title: title(name), cell: (row) => h("a", { href: `/run/${encodeURIComponent(row.values[0])}?${new URLSearchParams({ tab: "charts", tags: alone(String(value(row))) })}`, title: "Open the chart" }, middle(String(value(row)))) };
  const numeric = kind === "number";
  return { id: name, title: title(name), number: numeric || kind === "time", long: ["end_reason", "message"].includes(name), cell: (row) => shown(value(row), name, kind), hint: (row) => (numeric && value(row) != null ? String(value(row)) : null) };
}

function shown(value, name, kind) {
  if (value == null || value === "") return "";
  if (kind === "time") return age(value) ?? time(value);
  if (kind === "number" && name.endsWith("_s")) {
    const n = toNumber(value);
    return n === null ? "" : `${name.includes("skew") && n > 0 ? "+" : ""}${duration(n)}`;
  }
  if (kind === "number") return number(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.join(", ");
  return middle(String(value));
}
