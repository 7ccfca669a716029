/** The selected runs: one by one, ranges, whole groups, or all that match. */

import { toast, tell } from "../core/ui.js";

const MOST_SELECTED = 100_000;
const MOST_COUNTED = 500; // longer lists of keys are no filter

export class Selection {
  /** @param {import("../core/state.js").State} state @param {import("./rows.js").Rows} rows @param {() => void} changed called when it is known which groups are selected */
  constructor(state, rows, changed) {
    this.state = state;
    this.rows = rows;
    this.changed = changed;
    this.anchor = -1;
    this.groups = new Map(); // keys of groups that were selected as a whole
    this.counts = new Map(); // how many runs of each group are selected
    this.counted = "";
  }

  /** Find out which groups hold the selected runs. */
  async count() {
    const list = this.state.get("sel");
    if (!this.rows.grouped || !list.length || list.length > MOST_COUNTED) return;
    const asked = JSON.stringify([list, this.rows.group]);
    if (asked === this.counted) return;
    this.counted = asked;
    const counts = await this.rows.counts(list).catch(() => new Map());
    if (asked !== this.counted) return;
    this.counts = counts;
    this.changed();
  }

  /** The selected run_keys. */
  get keys() {
    const list = this.state.get("sel");
    if (this.list !== list) {
      this.list = list;
      this.set = new Set(list);
    }
    return this.set;
  }

  /** true, false, or null for a group of which some are selected. */
  of(item) {
    const { keys } = this;
    if (!item.group?.members) return keys.has(item.key);
    if (!keys.size) return false;
    const own = this.groups.get(item.key);
    const all = own?.length ?? item.group.runs;
    const count = own ? own.filter((key) => keys.has(key)).length : this.counts.get(item.key) ?? 0;
    return count === all ? true : count ? null : false;
  }

  /** Select or release row *i*; with *range* all from the row touched before. */
  async toggle(item, i, range = false) {
    const on = this.of(item) !== true;
    try {
      const keys = range && this.anchor >= 0 ? await this.#between(this.anchor, i) : await this.#own(item);
      this.#put(keys, on);
    } catch (error) {
      toast(tell(error), { bad: true });
    }
    this.anchor = i;
  }

  async #own(item) {
    if (!item.group?.members) return [item.key];
    const keys = await this.rows.keys({ members: item.group.members });
    this.groups.set(item.key, keys);
    return keys;
  }

  async #between(a, b) {
    const [from, to] = [Math.min(a, b), Math.max(a, b)];
    if (!this.rows.grouped) return this.rows.keys({ offset: from, limit: Math.min(MOST_SELECTED, to - from + 1) });
    const items = [];
    for (let i = from; i <= to; i += 1) items.push(this.rows.item(i));
    return (await Promise.all(items.filter(Boolean).map((item) => this.#own(item)))).flat();
  }

  #put(keys, on) {
    const next = new Set(this.keys);
    for (const key of keys) {
      if (on) next.add(key);
      else next.delete(key);
    }
    this.state.set({ sel: [...next].slice(0, MOST_SELECTED) });
  }

  /** Select all that match; or, if any are selected, none. */
  async toggleAll() {
    if (this.keys.size) {
      this.state.set({ sel: [] });
      return;
    }
    try {
      const keys = await this.rows.keys();
      this.state.set({ sel: keys });
      if (keys.length === MOST_SELECTED) toast(`The first ${MOST_SELECTED.toLocaleString("en-US")} runs are selected: more cannot be at once`);
    } catch (error) {
      toast(tell(error), { bad: true });
    }
  }
}
