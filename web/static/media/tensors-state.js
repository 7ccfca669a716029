/** What the panels of histograms, PR curves and texts say in the media page's URL. */

import { flag, isText, json, number, oneOf, text } from "../core/kinds.js";

const place = (value) => (Array.isArray(value) && value.length === 3 && value.every(isText) ? value : undefined);

export const tensorSchema = {
  hv: oneOf("heat", "ridge", "slice"), // histograms over time, or those of one step
  hx: oneOf("linear", "symlog", "log"), // the axis of values
  hl: flag(true), // logarithmic colours
  ho: flag(), // without the outer 1 %
  hc: flag(), // counts instead of shares
  ct: flag(), // the curves of other steps
  ci: flag(true), // lines of equal F1
  cf: flag(), // axes as far as there are curves
  tv: oneOf("html", "raw", "diff"), // texts rendered, as written, or what differs
  ta: text(), // the left text of a difference: a run_key
  tb: text(), // the right one
  tas: number(null), // its step; none is that of the slider
  tbs: number(null),
  tu: flag(), // a difference in one column
  tq: text(), // what is searched for
  tr: flag(), // a regular expression
  tw: oneOf("shown", "all"), // in the runs that are drawn, or in all that match
  tf: json(null, place), // the text that a hit led to: run_key, tag, stream
};
