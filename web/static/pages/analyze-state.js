/** What the analysis page's URL says. */

import { flag, isText, items, json, list, number, oneOf, text, values } from "../core/kinds.js";
import { paneSchema } from "../core/panes.js";
import { isBrush } from "../analyze/brush.js";
import { runSchema } from "./workspace-state.js";

const SCALES = ["auto", "linear", "log", "symlog"];
const MOST_AXES = 24;

const isSpan = (value) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1];
const asWindow = (value) => (Array.isArray(value) && value.length === 2 && value.every(isSpan) ? value : undefined);

/** The scatter plot; an expression that is empty is chosen from what the runs have. */
const scatterSchema = {
  sx: text(), // x
  sy: text(), // y
  sc: text(), // colour: an expression, or empty for the runs' own colours
  ss: text(), // size: an expression, or empty for one size
  sxs: oneOf(...SCALES),
  sys: oneOf(...SCALES),
  scs: oneOf(...SCALES),
  front: flag(), // the Pareto front
  fx: oneOf("auto", "min", "max"), // which way x is better
  fy: oneOf("auto", "min", "max"),
  trend: flag(), // a straight line through the points
  drag: oneOf("lasso", "box", "zoom"), // what dragging does
  szoom: json(null, asWindow), // [[x from, x to], [y from, y to]] in places of the axes
};

/** Parallel coordinates. */
const parallelSchema = {
  axes: list(), // expressions; without any they are chosen from what the runs have
  inv: list(), // axes that are upside down
  scale: json({}, values((value) => SCALES.includes(value), 100)), // of axes, by expression
  pc: text(), // colour: an expression, "run" for the runs' own colours, empty for the last axis
  curves: flag(true), // curves or straight lines
  brush: json({}, values(isBrush, MOST_AXES)), // what is left of each axis, by expression
};

/** Importance, groups and best runs; an expression that is empty is the scatter's y. */
const statisticsSchema = {
  impOf: text(), // whose importance
  impSort: oneOf("importance", "correlation", "name"),
  boxOf: text(), // of groups
  boxBy: list(), // their keys; without any those of the run table
  boxKind: oneOf("boxes", "bars"),
  boxErr: oneOf("std", "se", "ci95", "none"), // whiskers of bars
  boxSort: oneOf("key", "median", "-median", "-values"),
  boxScale: oneOf("linear", "log", "symlog"),
  bestOf: text(), // of the best runs
  bestBy: list(), // of each group by these keys
  bestDir: oneOf("auto", "min", "max"),
  bestLeast: number(1, 0, 1_000_000), // only groups with so many runs that have a value
  bestSort: oneOf("best", "-best", "key", "-key", "values", "-values", "mean", "-mean", "median", "-median"),
};

export const schema = {
  ...runSchema,
  ...paneSchema(420),
  closed: json([], items(isText, 20)), // panels that are closed
  ...scatterSchema,
  ...parallelSchema,
  ...statisticsSchema,
};
