/** Which runs or groups are drawn in the charts: the first of the order, less those hidden, and those shown besides. */

import { PALETTE, colourOf, colourOfText } from "../core/colour.js";
import { groupId } from "./rows.js";

export const MOST_DRAWN = 200;
const MOST_KEPT = 2000;

export class Drawn {
  /** @param {import("../core/state.js").State} state @param {import("./rows.js").Rows} rows */
  constructor(state, rows) {
    this.state = state;
    this.rows = rows;
    /** Colours of runs that were drawn, which they keep as long as the page is open. @type {Map<string, string>} */
    this.kept = new Map();
  }

  /** The colour of a row: that of this view, that which people gave it, else its own as far as no other line has it. */
  colour(item) {
    const own = this.state.get("hue")[item.key];
    if (!item.group?.members) {
      const given = own || item.value("colour") || "";
      return colourOf(item.value("run_id"), given || (item.group ? "" : this.#apart().get(item.key)) || "");
    }
    return /^#[0-9a-f]{6}$/i.test(own ?? "") ? own : this.#ofGroups().get(item.key) ?? colourOfText(item.key);
  }

  /** Runs that are drawn together share a colour only when there are more of them than colours. */
  #apart() {
    const items = (this.rows.grouped ? [] : this.items()) ?? [];
    const { hue } = this.state.values;
    const told = items.map((item) => `${item.key} ${hue[item.key] ?? item.value("colour") ?? ""}`).join("\n");
    if (this.told === told) return this.kept;
    this.told = told;
    const uses = new Map(PALETTE.map((colour) => [colour, 0]));
    const use = (colour) => uses.has(colour) && uses.set(colour, uses.get(colour) + 1);
    const fresh = [];
    if (this.kept.size > MOST_KEPT) this.kept.clear();
    const own = (item) => hue[item.key] || item.value("colour");
    for (const item of items) if (own(item)) use(own(item));
    for (const item of items.filter((one) => !own(one))) {
      const colour = this.kept.get(item.key);
      if (colour && (!uses.get(colour) || items.length > PALETTE.length)) use(colour);
      else fresh.push(item);
    }
    // By number, not by place: another order of the rows is no reason for other colours.
    for (const item of fresh.sort((a, b) => a.value("run_id") - b.value("run_id"))) {
      const wished = PALETTE.indexOf(colourOf(item.value("run_id")));
      const order = PALETTE.map((_, i) => PALETTE[(wished + i) % PALETTE.length]);
      const colour = order.reduce((best, one) => (uses.get(one) < uses.get(best) ? one : best));
      use(colour);
      this.kept.set(item.key, colour);
    }
    return this.kept;
  }

  /** Groups are few: as long as there are colours, no two have the same, whatever the order or the eyes. */
  #ofGroups() {
    const first = this.rows.first(Math.min(PALETTE.length, this.rows.total ?? 0)) ?? [];
    const ids = first.map((item) => item.key).sort();
    const known = ids.join("\n");
    if (this.known === known) return this.colours;
    const free = [...PALETTE];
    this.known = known;
    this.colours = new Map(ids.map((id) => {
      const wished = free.indexOf(colourOfText(id));
      return [id, free.splice(Math.max(0, wished), 1)[0]];
    }));
    return this.colours;
  }

  /** Whether a row of the top list is drawn. */
  is(item) {
    const { n, hide, show } = this.state.values;
    return !hide.includes(item.key) && (item.i < n || show.includes(item.key));
  }

  /** The rows that are drawn, in order; undefined while some are on their way. */
  items() {
    const { n, hide, show } = this.state.values;
    const first = this.rows.first(n);
    if (!first) return undefined;
    const within = new Set(first.map((item) => item.key));
    const hidden = new Set(hide);
    const more = show.filter((key) => !within.has(key) && !hidden.has(key) && key.startsWith(groupId([]).slice(0, 2)) === this.rows.grouped);
    const rest = this.rows.picked(more);
    return rest && [...first.filter((item) => !hidden.has(item.key)), ...rest.filter((item) => !within.has(item.key))];
  }

  /** What the charts need to know of a row. */
  entry(item) {
    const colour = this.colour(item);
    if (item.group?.members) {
      const { values, members, kinds, runs } = item.group;
      return { key: item.key, label: values.map((value) => value ?? "(none)").join(" · "), colour, runs, members, kinds };
    }
    const [run_id, label, state, project, machine] = ["run_id", "label", "state", "project", "machine"].map((name) => item.value(name));
    return { key: item.key, run_id, label, colour, state, project, machine };
  }

  toggle(item) {
    const { n, hide, show } = this.state.values;
    const without = (list) => list.filter((key) => key !== item.key);
    if (this.is(item)) this.state.set({ show: without(show), hide: item.i < n ? [...hide, item.key] : hide });
    else this.state.set({ hide: without(hide), show: item.i < n ? show : [...without(show), item.key] });
  }

  /** Draw this one only; if it is alone already, the first ones again. */
  solo(item) {
    const { n, hide, show } = this.state.values;
    const alone = n === 0 && show.length === 1 && show[0] === item.key && !hide.includes(item.key);
    this.state.set(alone ? { n: this.state.schema.n.fallback, show: [], hide: [] } : { n: 0, show: [item.key], hide: [] });
  }

  /** None, if any is drawn; else all, as far as charts can bear. */
  toggleAll(count) {
    if (count) this.state.set({ n: 0, show: [], hide: [] });
    else this.state.set({ n: Math.min(MOST_DRAWN, this.rows.total ?? 0), show: [], hide: [] });
  }
}
