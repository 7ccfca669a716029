/** Ways to TensorBoard: its address for some runs, links to it, and how it is opened where their list is too long for an address. */

import { send } from "./api.js";
import { h, icon } from "./dom.js";
import { plural } from "./format.js";
import { alone } from "./pattern.js";
import { tell, toast } from "./ui.js";

const LONGEST = 1500; // characters of an address
const LONGEST_PATTERN = 600;
/** TensorBoard ticks all runs up to so many, and none of more. */
const TICKED = 500;

/**
 * Which runs: a list of run_keys, or all that a filter finds whenever somebody looks, or those of a saved view.
 * @typedef {{runs?: string[], filter?: string, duplicates?: boolean, archived?: boolean, view?: string}} Which
 * The same, or a function where it must be looked up first.
 * @typedef {Which | (() => Promise<Which>)} Asked
 * Where in TensorBoard: its dashboard, and there these tags alone, smoothed so much.
 * @typedef {{dashboard?: string, tags?: string[], smoothing?: number | null}} Place
 */

/** The pattern that finds some tags alone; nothing where it would be too long. @param {string[]} tags */
function patternOf(tags) {
  const pattern = tags.length > 1 ? `(${tags.map(alone).join("|")})` : tags.map(alone).join("");
  return pattern.length <= LONGEST_PATTERN ? pattern : "";
}

/**
 * A place as TensorBoard's own address has it: Time Series reads the query, the older dashboards what follows the number sign.
 * @param {Place} place @returns {{query: Record<string, string>, hash: string}}
 */
function placed({ dashboard = "", tags = [], smoothing = null }) {
  const pattern = patternOf(tags);
  const query = {};
  if (dashboard === "timeseries") {
    if (pattern) query.tagFilter = pattern;
    if (smoothing !== null) query.smoothing = String(smoothing);
    return { query, hash: "#timeseries" };
  }
  return { query, hash: dashboard ? `#${dashboard}${pattern ? `&tagFilter=${encodeURIComponent(pattern)}` : ""}` : "" };
}

/**
 * The address that leads to TensorBoard on some runs; null where it would be too long.
 * @param {Which} which @param {Place} [place] @returns {string | null}
 */
export function address({ runs, filter = "", duplicates = false, archived = false, view = "" }, place = {}) {
  // An empty list is not what a filter without conditions is, and a long one is not worth writing out.
  if (runs && (!runs.length || runs.length > LONGEST)) return null;
  const { query, hash } = placed(place);
  const asked = view ? { view } : runs ? { runs: runs.join(",") } : { q: filter, ...(duplicates ? { dup: "1" } : {}), ...(archived ? { arch: "1" } : {}) };
  const found = `/tensorboard?${new URLSearchParams({ ...asked, ...query })}${hash}`;
  return found.length <= LONGEST ? found : null;
}

/**
 * Open TensorBoard in a tab of its own. It must be called by a click or a key, or the browser takes the tab for an advertisement.
 * @param {Asked} which @param {Place} [place]
 */
export async function openTensorboard(which, place = {}) {
  const short = typeof which === "function" ? null : address(which, place);
  if (short) {
    open(short, "_blank", "noopener");
    return;
  }
  // The tab first: one that comes after an answer is blocked.
  const tab = open("", "_blank");
  try {
    const { runs, filter = "", duplicates = false, archived = false } = typeof which === "function" ? await which() : which;
    if (runs && !runs.length) throw new Error("None of these runs is there any more");
    const { url } = await send("POST", "tensorboard", runs ? { runs } : { filter, duplicates, archived });
    const { query, hash } = placed(place);
    const more = new URLSearchParams(query).toString();
    const to = `${url}${more ? `?${more}` : ""}${hash}`;
    if (tab) {
      tab.opener = null;
      tab.location.replace(to);
    } else location.assign(to);
  } catch (error) {
    tab?.close();
    toast(tell(error), { bad: true });
  }
}

/** What is said of a link to TensorBoard. @param {number | null} count of runs, where it is known @param {string} [kind] of them, such as `selected` */
export function wording(count, kind = "") {
  const runs = plural(count ?? 0, kind ? `${kind} run` : "run");
  const label = count === null ? "Open these runs in TensorBoard" : `Open ${runs} in TensorBoard`;
  return { label, title: (count ?? 0) > TICKED ? `${label}, which ticks none where there are more than ${TICKED}: tick there what is to be drawn` : label };
}

/** A link to TensorBoard whose runs may change; where they are too many for an address, a button. */
export class TensorboardLink {
  /** @param {{text?: string, class?: string, part?: string}} [look] `text` is what is read on it beside its icon, without any there is the icon alone */
  constructor({ text = "TensorBoard", class: kind = text ? "button" : "button bare", part } = {}) {
    Object.assign(this, { text, kind, part });
    this.el = h("span", { class: "tensorboard", hidden: true });
    this.known = "";
    this.runs = undefined;
  }

  /**
   * Lead to these runs, or with null nowhere.
   * @param {Which | null} which @param {{count?: number | null, kind?: string, place?: Place, key?: string, label?: string}} [more] `label` in place of how many they are
   */
  show(which, { count = null, kind = "", place = {}, key = "", label = "" } = {}) {
    const said = wording(count, kind);
    const props = { title: `${label || said.title}${key ? ` (${key})` : ""}`, "aria-label": label || said.label, class: this.kind, "data-part": this.part };
    const short = which && address(which, place);
    const known = JSON.stringify([which === null, short ?? [{ ...which, runs: null }, place], props]);
    if (known === this.known && (short || which?.runs === this.runs)) return;
    this.known = known;
    this.runs = which?.runs;
    this.el.hidden = which === null;
    const held = this.el.contains(document.activeElement);
    const inside = [icon("board"), ...(this.text ? [this.text] : []), ...(this.text && count !== null && !label ? [h("span", { class: "muted" }, count.toLocaleString("en-US"))] : [])];
    if (which === null) this.el.replaceChildren();
    else if (short) this.el.replaceChildren(h("a", { ...props, href: short, target: "_blank", rel: "noopener" }, inside));
    else this.el.replaceChildren(h("button", { ...props, type: "button", on: { click: () => openTensorboard(which, place) } }, inside));
    if (held) /** @type {HTMLElement | null} */ (this.el.firstElementChild)?.focus();
  }
}

/** An item of a menu that leads to TensorBoard. @param {Asked} which @param {Place} [place] @param {string} [label] */
export function tensorboardItem(which, place = {}, label = "Open in TensorBoard") {
  return { label, icon: "board", href: typeof which === "function" ? null : address(which, place), run: () => openTensorboard(which, place) };
}
