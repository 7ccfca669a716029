/** Machines and their sources in one table, and what their cycles did over time. */

import { fill, h } from "../core/dom.js";
import { bytes, duration, number, plural, time } from "../core/format.js";
import { literal } from "../core/split.js";
import { empty } from "../core/ui.js";
import { searchField } from "../run/cards.js";
import { Cycles } from "./cycles.js";
import { reasonOf, rowsOf } from "./health.js";
import { age, Rows } from "./rows.js";
import { money } from "./words.js";

const SKEWED_S = 60;
const NEARLY = 0.9; // of a budget
const MOST_REASONS = 5;
const ONLY = { all: "All sources", late: "Late", never: "Not readable, or never read", putoff: "Put off", stalled: "With stalled runs", failed: "With failed runs", problems: "With problems", behind: "With bytes to read", missing: "With missing files" };
const MEANS = { fresh: "looked at as often as usual", late: "no cycle for more than three times the usual distance, or a day after its only one", unreadable: "the last cycle could not read it", "put off": "some of it was left to a later cycle", never: "no cycle has looked at it yet" };
const LOOKS = { fresh: "running", late: "stalled", "put off": "stalled", unreadable: "failed", never: "failed" };

/** The run table with the runs of a row in a state. */
function runsLink(row, state, count) {
  if (!count) return h("span", { class: "muted" }, "0");
  const of = row.kind === "machine" ? `machine = ${literal(row.machine)}` : `source = ${literal(row.source)}`;
  const q = state ? `${of} and state = ${literal(state)}` : of;
  // Archived runs and copies are counted as well: the table shows as many.
  return h("a", { href: `/?${new URLSearchParams({ q, arch: "1", dup: "1" })}`, title: `Open ${plural(count, "run")} in the run table`, class: state === "failed" || state === "stalled" ? `state plain ${state}` : null }, count.toLocaleString("en-US"));
}

/** Zeros are there to be passed over. */
function amount(value, format = number) {
  return value ? format(value) : h("span", { class: "muted" }, format(value ?? 0));
}

function usual(row) {
  return row.usual_s == null ? "" : `; usually every ${duration(round(row.usual_s))}`;
}

const round = (seconds) => (seconds >= 10 ? Math.round(seconds) : Number(seconds.toPrecision(2)));

/** @type {import("../run/tabs.js").Part} */
export default {
  id: "sources",
  label: "Sources",
  none: "",
  about: (data) => data.sources.length || true,
  make: (el, page) => new Overview(el, page),
};

class Overview {
  constructor(el, page) {
    this.page = page;
    const { state } = page;
    this.field = searchField(state, "q", "Search sources");
    this.only = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Which sources", on: { change: () => state.set({ only: this.only.value }) } }, Object.entries(ONLY).map(([value, name]) => h("option", { value }, name))));
    this.count = h("span", { class: "muted", role: "status" });
    this.table = new Rows("Machines and sources", this.#columns(), {
      key: (row) => `${row.kind} ${row.kind === "machine" ? row.machine : row.source}`,
      kind: (row) => (row.kind === "machine" ? "machine" : row.source === state.get("source") ? "chosen" : ""),
      sort: (id) => state.set({ sort: this.#next(id) }),
      sorted: () => this.#order,
    });
    this.none = h("div");
    this.reasons = h("ul", { class: "reasons", "aria-label": "Sources that were not read" });
    this.cycles = new Cycles(page);
    fill(el, h("div", { class: "tools" }, this.only, this.count, this.field), this.reasons, this.none, this.table.el, this.cycles.el);
  }

  get #order() {
    const given = this.page.state.get("sort");
    return given.startsWith("-") ? { id: given.slice(1), desc: true } : { id: given, desc: false };
  }

  #next(id) {
    const { id: by, desc } = this.#order;
    // Of numbers the largest come first, of names the first.
    const first = id === "source" ? id : `-${id}`;
    if (by !== id) return first;
    return desc ? id : `-${id}`;
  }

  #columns() {
    const { page } = this;
    const name = (row) => {
      if (row.kind === "machine") return [h("span", { class: "name" }, row.machine || "(no machine)"), h("span", { class: "muted" }, ` ${row.sources === row.of ? plural(row.of, "source") : `${row.sources} of ${plural(row.of, "source")}`}`)];
      const on = row.source === page.state.get("source");
      return h("button", { type: "button", class: "link", "aria-pressed": String(on), title: `${row.uri}\n${on ? "Click to show all sources" : "Click to show this source alone"}`, on: { click: () => page.choose(row.source) } }, row.source);
    };
    const runs = (state) => ({ id: state, title: state[0].toUpperCase() + state.slice(1), number: true, sort: true, cell: (row) => runsLink(row, state, row[state]) });
    const sum = (id, title, format, help) => ({ id, title, help, number: true, sort: true, cell: (row) => amount(row[id], format), hint: (row) => (row[id] ? row[id].toLocaleString("en-US") : null) });
    return [
      { id: "source", title: "Source", head: true, sort: true, cell: name, kind: () => "name", hint: (row) => (row.kind === "machine" ? row.machine : null) },
      { id: "state", title: "State", sort: true, cell: (row) => (row.kind === "machine" ? null : h("span", { class: `state ${LOOKS[row.health]}` }, row.health)), hint: (row) => (row.kind === "machine" ? null : reasonOf(row) ?? `${MEANS[row.health]}${usual(row)}`) },
      { id: "lag_s", title: "Last cycle", number: true, sort: true, cell: (row) => (row.last_cycle_at ? age(row.last_cycle_at) : h("span", { class: "muted" }, "never")), kind: (row) => (row.health === "late" && row.kind === "source" ? "worry" : "") },
      { id: "usual_s", title: "Usually", number: true, help: "The usual distance between its cycles, and when everything in it is looked at again: in between only what may have changed is", cell: often, hint: whole },
      sum("files", "Files", number),
      { ...sum("files_missing", "Missing", number, "Event files that are no longer in the source; what was read of them is kept"), kind: (row) => (row.files_missing ? "worry" : "") },
      { id: "runs", title: "Runs", number: true, sort: true, cell: (row) => runsLink(row, "", row.runs) },
      runs("running"), runs("stalled"), runs("failed"),
      sum("points", "Points", number), sum("size", "Size", bytes, "Bytes of its event files"),
      { ...sum("behind", "Behind", bytes, "Bytes that were listed and are not read yet"), kind: (row) => (row.behind ? "worry" : "") },
      { id: "requests_day", title: "Requests", help: "To its disk or server within the last 24 hours", number: true, sort: true, cell: requests, hint: (row) => (row.requests_per_cycle == null || row.kind === "machine" ? null : `${number(row.requests_per_cycle)} a cycle${row.requests_per_day ? `; ${row.requests_per_day.toLocaleString("en-US")} a day are allowed` : ""}`), kind: (row) => (spent(row) >= NEARLY ? "worry" : "") },
      sum("received_day", "Received", bytes, "Bytes that its server sent within the last 24 hours"),
      { id: "cost_per_day", title: "Cost a day", help: "Estimate of what its requests cost in 24 hours, at the prices in the config", number: true, sort: true, cell: (row) => (row.cost_per_day == null ? "" : amount(row.cost_per_day, money)), hint: (row) => (row.cost_per_day == null ? null : `about ${money(row.cost_per_day * 30)} in 30 days`) },
      { id: "problems", title: "Problems", number: true, sort: true, cell: (row) => this.#problems(row) },
      { id: "skew_s", title: "Clock", number: true, help: "How far the machine's clock is ahead of (or behind) the times of its files", cell: (row) => (row.kind === "machine" && row.skew_s != null ? skew(row.skew_s) : ""), hint: (row) => (row.kind === "machine" && row.skew_files ? `median of ${plural(row.skew_files, "file")}: newest event against the file's own time` : null), kind: (row) => (Math.abs(row.skew_s ?? 0) > SKEWED_S ? "worry" : "") },
    ];
  }

  /** Which sources the last cycle did not read, or not whole, and why. */
  #why(rows) {
    const shown = rows.slice(0, MOST_REASONS).map((one) => [one.source, one.health, reasonOf(one), one.last_cycle_at]);
    const says = JSON.stringify([shown, rows.length]);
    if (this.reasons.dataset.says === says) return;
    this.reasons.dataset.says = says;
    this.reasons.hidden = !rows.length;
    fill(this.reasons,
      shown.map(([name, health, reason, at]) => h("li", { class: "notice" }, h("strong", null, name), " ", h("span", { class: `state ${LOOKS[health]}` }, health), ` ${reason} · `, h("span", { class: "muted" }, "tried ", age(at)))),
      rows.length > shown.length && h("li", { class: "muted" }, `and ${plural(rows.length - shown.length, "other source")}`));
  }

  #problems(row) {
    if (!row.problems) return h("span", { class: "muted" }, "0");
    const says = row.problems.toLocaleString("en-US");
    if (row.kind === "machine") return says;
    const { state } = this.page;
    const patch = { tab: "problems", source: row.source, kind: "", path: "", at: 0 };
    return h("a", { href: state.url({ ...state.values, ...patch }), title: "Show these problems", on: { click: (event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); state.set(patch); } } }, says);
  }

  update() {
    this.#draw();
    this.cycles.update();
  }

  /** @param {Set<string>} changed */
  follow(changed) {
    this.#draw();
    if (["source", "range"].some((name) => changed.has(name))) this.cycles.update();
  }

  #draw() {
    const { state, data } = this.page;
    const { only, q: words, source } = state.values;
    const { id: by, desc } = this.#order;
    this.only.value = only;
    if (document.activeElement !== this.field) this.field.value = words;
    this.field.hidden = data.sources.length < 2 && !words;
    this.only.hidden = data.sources.length < 2 && only === "all";
    const rows = rowsOf(data, { words, only, by, desc });
    const shown = rows.filter((one) => one.kind === "source").length;
    const says = shown === data.sources.length ? `${plural(shown, "source")} on ${plural(data.machines.length, "machine")}` : `${shown} of ${plural(data.sources.length, "source")}`;
    if (this.count.textContent !== says) fill(this.count, says);
    this.table.el.hidden = !rows.length;
    this.table.show(rows, source);
    this.#why(rows.filter((one) => one.kind === "source" && reasonOf(one)));
    const clear = () => { this.field.value = ""; state.set({ only: "all", q: "" }); };
    fill(this.none, !rows.length && (data.sources.length
      ? empty(only !== "all" && !words ? `No source is of this kind: ${ONLY[only].toLowerCase()}.` : "No source fits.", h("button", { type: "button", class: "button", on: { click: clear } }, "Show all sources"))
      : empty(h("span", null, "This lake has no sources yet. ", h("code", null, "boardlake ingest PATH"), " reads the event files below a folder, and makes it a source."))));
  }
}

/** How much of its budget a source has spent; 0 where it has none. */
function spent(row) {
  return row.requests_per_day ? row.requests_day / row.requests_per_day : 0;
}

/** Requests within a day, and how many are allowed. */
function requests(row) {
  const says = amount(row.requests_day);
  return row.kind === "machine" || !row.requests_per_day ? says : [says, h("span", { class: "muted" }, ` of ${number(row.requests_per_day)}`)];
}

/** How often a source is looked at, and when all of it is. */
function often(row) {
  if (row.kind === "machine") return "";
  const each = row.usual_s == null ? "" : `every ${duration(round(row.usual_s))}`;
  const next = Date.parse(row.whole_again_at ?? "");
  if (Number.isNaN(next)) return each;
  return [each, h("span", { class: "muted" }, each ? ", whole " : "whole ", next > Date.now() ? age(row.whole_again_at) : "next time")];
}

/** When everything in a source was looked at, and is again. */
function whole(row) {
  if (row.kind === "machine" || !row.whole_at) return null;
  const next = row.whole_again_at ? `; again by ${time(row.whole_again_at)}` : "";
  return `Everything was looked at ${time(row.whole_at)}${next}`;
}

/** A clock's difference: +2m 3s is ahead. */
function skew(seconds) {
  if (Math.abs(seconds) < 1) return "0s";
  return `${seconds > 0 ? "+" : "−"}${duration(round(Math.abs(seconds)))}`;
}
