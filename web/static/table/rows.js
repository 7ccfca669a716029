/** What the table shows: runs, or groups with the members of those that are opened, row by row. */

import { get } from "../core/api.js";
import { literal } from "../core/split.js";
import { column, sortKey, sortText } from "./expression.js";
import { both } from "./language.js";
import { Pages, rowsOf } from "./pages.js";

/** What every row must have, whatever columns are shown. */
const ALWAYS = ["run_key", "label", "colour", "state", "archived", "tags", "project", "machine"];
const MOST_KEYS = 100_000;

/** A group's id, in which every quote ends or begins a text, so that lists of ids can be parted. @param {any[]} values of its keys */
export const groupId = (values) => `g:${JSON.stringify(values).replace(/\\[\\"]/g, (pair) => (pair === '\\"' ? "\\u0022" : pair))}`;

/** The values of a group's keys. @param {string} id */
export function groupValues(id) {
  try {
    const values = JSON.parse(id.slice(2));
    return id.startsWith("g:") && Array.isArray(values) ? values : null;
  } catch {
    return null;
  }
}

/** The sort keys of a table without those that only groups have. @param {import("../core/state.js").State} state */
export function runSort(state) {
  const own = state.get("cols").map(column);
  const named = (name) => own.find((one) => one.name === name);
  return state.get("sort").map(sortKey).filter(({ expr }) => expr !== "runs").map(({ expr, desc }) => {
    const stat = /^(.+)_(?:mean|std|min|max)$/s.exec(expr);
    return { expr: (named(expr) ?? (stat && named(stat[1])))?.expr ?? expr, desc };
  }).map(sortText);
}

export class Rows {
  /**
   * @param {import("../core/state.js").State} state @param {() => void} changed called when there is more to see
   * @param {() => string} [narrow] a condition besides the filter
   */
  constructor(state, changed, narrow = () => "") {
    this.state = state;
    this.changed = changed;
    this.narrow = narrow;
    this.members = new Map();
    this.places = new Map();
    this.layout = [];
    this.extras = { asked: "", rows: [] };
    this.base = null;
    this.view = [0, 60];
    this.ask();
  }

  /** The keys by which runs are grouped. */
  get group() {
    return this.state.get("group");
  }

  /** Whether what is seen now are groups: what the state says may still be on its way. */
  get grouped() {
    return (this.top ?? this.next).grouped;
  }

  /** The sort keys that the rows in view are ordered by: groups have not all of them. */
  get sorting() {
    return ((this.grouped && this.top?.sorted) || this.state.get("sort")).map(sortKey);
  }

  get error() {
    return [this.top, ...this.members.values()].find((one) => one?.error)?.error ?? null;
  }

  get busy() {
    return Boolean(this.next || this.top?.busy);
  }

  /** How many runs or groups match, null while nobody knows. */
  get total() {
    return this.top?.total ?? null;
  }

  /** How many rows there are, with opened members. */
  get length() {
    return (this.top?.total ?? 0) + this.layout.reduce((sum, one) => sum + one.count, 0);
  }

  /** Which runs match: those of the filter and of what narrows it. */
  get chosen() {
    const { q, arch, dup } = this.state.values;
    return { filter: both(q, this.narrow()), archived: arch, duplicates: dup };
  }

  #columns() {
    const texts = [...new Set(this.state.get("cols"))];
    const shown = new Set(texts.map((text) => column(text).name));
    return [...texts, ...ALWAYS.filter((name) => !shown.has(name))];
  }

  /** Ask what the state says, unless it has been asked; what is seen stays until the answer is here. */
  ask() {
    const grouped = this.group.length > 0;
    const kind = JSON.stringify([this.chosen, this.state.get("sort"), this.group]);
    const columns = grouped ? this.state.get("cols") : this.#columns();
    const latest = this.next ?? this.top;
    if (latest?.kind === kind && columns.every((one) => latest.asked.has(one)) && !latest.error) {
      this.#open();
      return;
    }
    this.next?.close();
    const moved = this.top?.kind !== kind;
    this.next = grouped ? this.#groups(columns) : this.#runs(columns, {});
    this.next.kind = kind;
    this.next.grouped = grouped;
    this.next.asked = new Set(columns);
    this.next.want(moved ? [[0, Math.max(60, this.state.get("n"))]] : this.#wanted(this.next));
    this.#askBase();
  }

  #runs(columns, more, group = null) {
    const params = { ...this.chosen, columns, sort: this.#runSort(), ...more };
    const pages = new Pages("runs", async () => params, (row) => ({ key: row.value("run_key"), group }), () => this.#arrived(pages));
    return pages;
  }

  #runSort() {
    return runSort(this.state);
  }

  #groups(columns) {
    const keys = this.group;
    const names = keys.map((text) => column(text).name);
    const make = (row) => {
      const values = names.map((name) => row.value(name));
      return { key: groupId(values), group: { values, members: keys.map((text, i) => [column(text).expr, values[i]]), kinds: names.map((name) => row.kind(name)), runs: row.value("runs") } };
    };
    const params = { ...this.chosen, group_by: keys, columns };
    const sort = this.state.get("sort");
    const pages = new Pages("groups", async () => {
      pages.sorted = await groupSort(params, sort);
      return { ...params, sort: pages.sorted };
    }, make, () => this.#arrived(pages));
    return pages;
  }

  #arrived(pages) {
    if (pages === this.next && (pages.total !== null || pages.error)) {
      this.top?.close();
      this.top = pages;
      this.next = null;
      this.places.clear();
      for (const one of this.members.values()) one.close();
      this.members.clear();
    }
    this.#open();
    this.changed();
  }

  /** Put the opened groups where they belong. */
  #open() {
    if (!this.top?.grouped) {
      this.layout = [];
      return;
    }
    for (const block of this.top.blocks.values()) for (const row of block.rows) this.places.set(row.key, row.i);
    const open = new Set(this.state.get("open"));
    for (const [id, pages] of this.members) {
      if (open.has(id)) continue;
      pages.close();
      this.members.delete(id);
    }
    this.layout = [];
    for (const id of open) {
      const at = this.places.get(id);
      const row = at === undefined ? null : this.top.item(at);
      if (at === undefined) continue;
      let pages = this.members.get(id);
      if (!pages && row) {
        pages = this.#runs(this.#columns(), { members: JSON.stringify(row.group.members) }, { id });
        pages.runs = row.group.runs;
        this.members.set(id, pages);
      }
      if (pages) this.layout.push({ at, id, pages, count: pages.total ?? pages.runs });
    }
    this.layout.sort((a, b) => a.at - b.at);
  }

  /** Where row *i* stands: in the top list, or among the members of an opened group. */
  #place(i) {
    let shift = 0;
    for (const one of this.layout) {
      const head = one.at + shift;
      if (i <= head) break;
      if (i <= head + one.count) return [one.pages, i - head - 1];
      shift += one.count;
    }
    return [this.top, i - shift];
  }

  /** Row *i*, once it is there. */
  item(i) {
    if (!this.top) return undefined;
    const [pages, at] = this.#place(i);
    return pages.item(at);
  }

  /** The number of a row of the top list among all rows. */
  indexOf(item) {
    if (item.block && this.top?.item(item.i) !== item) {
      const within = this.layout.find((one) => one.pages.item(item.i) === item);
      return within ? this.indexOf(this.top.item(within.at)) + 1 + item.i : -1;
    }
    return item.i + this.layout.filter((one) => one.at < item.i).reduce((sum, one) => sum + one.count, 0);
  }

  #wanted(pages) {
    const ranges = [];
    let from = -1;
    let to = -1;
    for (let i = this.view[0]; i < this.view[1]; i += 1) {
      const [owner, at] = this.layout.length ? this.#place(i) : [pages, i];
      if (owner !== pages && !(pages === this.next && owner === this.top)) continue;
      if (from < 0) from = at;
      to = at + 1;
    }
    if (from >= 0) ranges.push([from, to]);
    // What the charts draw comes after what is looked at.
    if (pages === (this.next ?? this.top)) ranges.push([0, this.state.get("n")]);
    return ranges;
  }

  /** Rows [from, to) are looked at. */
  want(from, to) {
    this.view = [from, to];
    this.top?.want(this.#wanted(this.top));
    for (const one of this.members.values()) one.want(this.#wanted(one));
  }

  /** Ask again for what is seen, because the lake or what people wrote has changed. */
  refresh() {
    this.top?.refresh();
    for (const one of this.members.values()) one.refresh();
    this.extras.asked = "";
    this.#askBase(true);
  }

  /** The first rows of the top list, undefined while some are missing. */
  first(n) {
    if (!this.top || this.top.total === null || this.next) return undefined;
    const found = [];
    for (let i = 0; i < Math.min(n, this.top.total); i += 1) {
      const row = this.top.item(i);
      if (!row) return undefined;
      found.push(row);
    }
    return found;
  }

  /** Rows of the top list by their keys, in its order; undefined until they are here. */
  picked(keys) {
    if (!keys.length || !this.top) return [];
    const asked = JSON.stringify([this.top.kind, keys]);
    if (this.extras.asked !== asked) {
      const [rows, kind] = [this.extras.rows, this.extras.kind];
      this.extras = { asked, kind: this.top.kind, rows: kind === this.top.kind ? rows : undefined };
      this.#pick(this.extras, keys);
    }
    return this.extras.rows;
  }

  async #pick(extras, keys) {
    const rows = await (this.group.length ? this.#pickGroups(keys) : this.#pickRuns(keys)).catch(() => []);
    if (this.extras !== extras) return;
    extras.rows = rows;
    this.changed();
  }

  async #pickRuns(keys) {
    const members = JSON.stringify([[`run_key in (${keys.slice(0, 500).map(literal).join(", ")})`, true]]);
    return this.#once({ ...this.chosen, columns: ALWAYS, sort: this.#runSort(), members, limit: 500 });
  }

  async #pickGroups(keys) {
    const found = await Promise.all(keys.slice(0, 50).map(async (key) => {
      const values = groupValues(key);
      if (values?.length !== this.group.length) return null;
      const members = this.group.map((text, i) => [column(text).expr, values[i]]);
      const answer = await get("runs", { ...this.chosen, columns: ["run_key"], members: JSON.stringify(members), limit: 1 });
      return answer.total ? { key, i: this.places.get(key) ?? Infinity, group: { values, members, kinds: this.top?.item(0)?.group.kinds, runs: answer.total }, value: () => null } : null;
    }));
    return found.filter(Boolean).sort((a, b) => a.i - b.i);
  }

  async #once(params) {
    return rowsOf(await get("runs", params), 0, (row) => ({ key: row.value("run_key"), group: null }));
  }

  async #askBase(again = false) {
    const key = this.state.get("base");
    const columns = this.#columns();
    const asked = JSON.stringify([key, columns]);
    if (this.baseAsked === asked && !again) return;
    this.baseAsked = asked;
    if (!key) {
      this.base = null;
      return;
    }
    const members = JSON.stringify([["run_key", key]]);
    const rows = await this.#once({ columns, members, archived: true, duplicates: true, limit: 1 }).catch(() => []);
    if (this.baseAsked !== asked) return;
    this.base = rows[0] ?? null;
    this.changed();
  }

  /** The baseline may have changed. */
  rebase() {
    this.#askBase();
  }

  /** How many of some runs each group holds, by its id. @returns {Promise<Map<string, number>>} */
  async counts(keys) {
    const answer = await get("groups", { filter: `run_key in (${keys.map(literal).join(", ")})`, archived: true, duplicates: true, group_by: this.group, limit: MOST_KEYS });
    const names = answer.columns.map((one) => one.name);
    const own = this.group.map((text) => names.indexOf(column(text).name));
    return new Map(answer.rows.map((row) => [groupId(own.map((i) => row[i])), row[names.indexOf("runs")]]));
  }

  /** How many runs match, or null where that cannot be said. @returns {Promise<number | null>} */
  async runs() {
    if (!this.grouped) return this.total;
    const answer = await get("runs", { ...this.chosen, columns: ["run_key"], limit: "0" }).catch(() => null);
    return answer?.total ?? null;
  }

  /** The run_keys of all runs that match, or of one group's, in order: at most 100,000. */
  async keys({ members = null, offset = 0, limit = MOST_KEYS } = {}) {
    const params = { ...this.chosen, columns: ["run_key"], sort: this.#runSort(), offset, limit };
    const answer = await get("runs", members ? { ...params, members: JSON.stringify(members) } : params);
    return answer.rows.map((row) => row[1]);
  }
}

/** The sort keys that groups have: their own, the count, and means of columns of numbers. */
async function groupSort(params, sort) {
  if (!sort.length) return [];
  // Only the server knows which columns are numbers.
  const answer = await get("groups", { ...params, limit: 0 });
  const known = new Set(answer.columns.map((one) => one.name));
  const names = new Map([...params.columns, ...params.group_by].map(column).map((one) => [one.expr, one.name]));
  return sort.map(sortKey).map(({ expr, desc }) => ({ expr: names.get(expr) ?? expr, desc }))
    .filter(({ expr }) => known.has(expr) || known.has(`${expr}_mean`)).map(sortText);
}
