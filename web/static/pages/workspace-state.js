/** What the workspace's URL says; TensorBoard's own keys are understood. */

import { flag, isObject, isRange, isText, items, json, list, number, oneOf, text, values } from "../core/kinds.js";
import { paneSchema } from "../core/panes.js";
import { literal } from "../core/split.js";

const DEFAULT_COLUMNS = ["label", "state", "last_event_at", "machine", "source", "project", "last_step"];

const isColour = (value) => /^#[0-9a-f]{6}$/i.test(value);
const isWidth = (value) => Number.isFinite(value) && value >= 20 && value <= 1200;
const isTexts = (value) => Array.isArray(value) && value.every(isText);
const isChart = (value) => isObject(value) && isText(value.title ?? "") && isTexts(value.tags ?? []) && (isText(value.expr) || value.tags?.length > 0);
const isOwn = (value) => isObject(value) && ["linear", "log", "symlog", undefined].includes(value.ys) && ["boolean", "undefined"].includes(typeof value.out);
const range = (value) => (isRange(value) ? value : undefined);

/** The run table. */
export const runSchema = {
  q: text(), // filter
  sort: list("-last_event_at"),
  group: list(), // group keys
  cols: list(...DEFAULT_COLUMNS),
  fix: number(1, 0, 10), // so many columns stay where they are
  wide: json({}, values(isWidth)), // widths of columns in pixels
  n: number(10, 0, 200), // so many runs (or groups) are drawn
  hide: list(), // run keys (or group ids) that are not drawn
  show: list(), // and those that are drawn besides the first n
  hue: json({}, values(isColour)), // colours given in this view, by key
  sel: list(), // selected run keys
  base: text(), // the run_key that others are compared with
  open: json([], items(isText)), // ids of groups that are opened
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
  pins: json([], items(isText)), // pinned tags
  multi: json([], items(isChart, 200)), // charts of several tags: {title, tags} or {title, expr}
  shut: json([], items(isText, 10_000)), // closed sections
  size: oneOf("m", "s", "l"),
  zoom: json(null, range), // [from, to] in x
  yz: json({}, values(isRange)), // [from, to] in y, by chart
  own: json({}, values(isOwn)), // settings that a chart has of its own: {ys, out}
  full: text(), // the chart that fills the page
  live: flag(true), // follow runs that grow
};

export const schema = {
  ...runSchema,
  ...chartSchema,
  ...paneSchema(560),
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
