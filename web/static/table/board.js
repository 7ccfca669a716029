/** The run table's ways to TensorBoard: for the selected runs or all that match, for a row, for a group. */

import { plural } from "../core/format.js";
import { bind } from "../core/keys.js";
import { offer } from "../core/search.js";
import { literal } from "../core/split.js";
import { openTensorboard, tensorboardItem } from "../core/tensorboard.js";
import { both } from "./language.js";

const KEY = "b";

/** The condition that a run is in a group by one of its keys, or null where the filter language has none for it. */
function condition(expr, value, kind) {
  const of = /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(expr) ? expr : `(${expr})`;
  // A time is cut to milliseconds where it is shown, and tags are a list.
  if (kind === "time" || kind === "list" || expr === "tags") return null;
  if (value === null) return `${of} is null`;
  if (typeof value === "boolean") return value ? of : `not ${of}`;
  if (typeof value === "number") return `${of} = ${value}`;
  if (kind !== "number") return `${of} = ${literal(value)}`;
  return value === "NaN" ? `isnan(${expr})` : null;
}

/**
 * The filter that leaves the runs of one group, or null where only a list can say which they are.
 * @param {{members: [string, any][], kinds?: string[]}} group its keys with their values, and the kinds of these as far as they are known
 */
export function groupFilter({ members, kinds = [] }) {
  if (kinds.length < members.length) return null;
  const parts = members.map(([expr, value], i) => condition(expr, value, kinds[i]));
  return parts.includes(null) ? null : parts.join(" and ");
}

/** What one table leads to. */
export class Board {
  /** @param {import("../core/state.js").State} state @param {import("./rows.js").Rows} rows @param {import("../core/tensorboard.js").TensorboardLink} link */
  constructor(state, rows, link) {
    Object.assign(this, { state, rows, link, count: null, counted: "" });
    bind(KEY, "open the selected runs, or all that match, in TensorBoard", () => (this.link.el.hidden ? false : this.open()));
    offer("Open these runs in TensorBoard", () => this.open());
  }

  /** The selected runs if there are any, else what the filter finds. */
  get which() {
    const { sel } = this.state.values;
    return sel.length ? { runs: sel } : this.rows.chosen;
  }

  open() {
    openTensorboard(this.which);
  }

  /** Show what the state says now, and how many runs that are. */
  draw() {
    const { sel } = this.state.values;
    const none = !sel.length && (this.rows.total === 0 || this.rows.error);
    if (!sel.length && !none) this.#count();
    this.link.show(none ? null : this.which, { count: sel.length || this.count, kind: sel.length ? "selected" : "", key: KEY });
  }

  /** Only the server knows how many runs all groups hold. */
  async #count() {
    if (!this.rows.grouped) {
      this.count = this.rows.total;
      this.counted = "";
      return;
    }
    const asked = JSON.stringify([this.rows.chosen, this.rows.total, this.rows.top?.age]);
    if (this.counted === asked) return;
    this.counted = asked;
    const count = await this.rows.runs();
    if (this.counted !== asked) return;
    this.count = count;
    this.draw();
  }

  /**
   * The runs of rows that are drawn: of groups all members.
   * @param {any[]} entries as `Drawn` gives them @returns {import("../core/tensorboard.js").Asked}
   */
  whichOf(entries) {
    if (!entries.some((one) => one.members)) return { runs: entries.map((one) => one.key) };
    const parts = entries.map(groupFilter);
    const { filter, ...more } = this.rows.chosen;
    if (parts.includes(null)) return async () => ({ runs: (await Promise.all(entries.map(({ members }) => this.rows.keys({ members })))).flat() });
    return { filter: both(filter, parts.length > 1 ? `(${parts.map((part) => `(${part})`).join(" or ")})` : parts[0]), ...more };
  }

  /** What the menu of a row has. @param {import("./pages.js").Item} item */
  item({ key, group }) {
    if (!group?.members) return tensorboardItem({ runs: [key] });
    const label = `Open its ${plural(group.runs, "run")} in TensorBoard`;
    return tensorboardItem(this.whichOf([group]), {}, label);
  }
}
