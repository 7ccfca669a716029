/** What the workspace's URL says; TensorBoard's own keys are understood. */

import { flag, json, list, number, oneOf, text } from "../core/state.js";
import { literal } from "../core/split.js";

export const DEFAULT_COLUMNS = ["label", "state", "last_event_at", "machine", "source", "project", "last_step"];

/** The run table. */
export const runSchema = {
  q: text(), // filter
  sort: list("-last_event_at"),
  group: list(), // group keys
  cols: list(...DEFAULT_COLUMNS),
  fix: number(1, 0, 10), // so many columns stay where they are
  wide: json({}), // widths of columns in pixels
  n: number(10, 0, 200), // so many runs (or groups) are drawn
  hide: list(), // run keys (or group ids) that are not drawn
  show: list(), // and those that are drawn besides the first n
  hue: json({}), // colours given in this view, by key
  sel: list(), // selected run keys
  base: text(), // the run_key that others are compared with
  open: json([]), // ids of groups that are opened
  arch: flag(), // also archived runs
  dup: flag(), // also copies of other runs
};

/** A grid of charts. */
export const chartSchema = {
  tags: text(), // regular expression
  x: text("step"), // step, relative, wall or a scalar tag
  xs: oneOf("linear", "log", "symlog"),
  ys: oneOf("linear", "log", "symlog"),
  sk: oneOf("ema", "twema", "gaussian", "mean", "none"), // kind of smoothing
  sm: number(0.6, 0, 0.999),
  out: flag(true), // outliers are left out of the scale
  band: oneOf("std", "se", "ci95", "minmax", "none"),
  traces: flag(), // also the single lines of a group
  lost: flag(), // also what restarts took back
  pins: json([]), // pinned tags
  multi: json([]), // charts of several tags: {title, tags} or {title, expr}
  shut: json([]), // closed sections
  size: oneOf("m", "s", "l"),
  zoom: json(null), // [from, to] in x
  yz: json({}), // [from, to] in y, by chart
  own: json({}), // settings that a chart has of its own: {ys, out}
  full: text(), // the chart that fills the page
  live: flag(true), // follow runs that grow
};

export const schema = {
  ...runSchema,
  ...chartSchema,
  pane: number(560, 260, 2000),
  view: oneOf("both", "table", "charts"),
};

/** TensorBoard's keys as ours. @param {URLSearchParams} query */
export function foreign(query) {
  const found = {};
  if (query.has("smoothing")) found.sm = schema.sm.read(query.get("smoothing"));
  if (query.has("tagFilter")) found.tags = query.get("tagFilter");
  if (query.has("runFilter")) found.q = `name ~ ${literal(query.get("runFilter"))}`;
  if (query.has("pinnedCards")) {
    try {
      found.pins = JSON.parse(query.get("pinnedCards")).map((card) => card.tag).filter((tag) => typeof tag === "string");
    } catch {
      // A pin that cannot be read is no reason not to show the page.
    }
  }
  return found;
}
