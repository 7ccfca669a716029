/** What the media page's URL says. */

import { isText, items, flag, json, number, oneOf, text } from "../core/kinds.js";
import { paneSchema } from "../core/panes.js";
import { runSchema } from "./workspace-state.js";

/** What is looked at, in the order of the tabs. */
export const KINDS = ["images", "audio", "texts", "histograms", "curves"];

export const schema = {
  ...runSchema,
  ...paneSchema(420),
  kind: oneOf(...KINDS),
  tags: text(), // regular expression
  pick: json([], items(isText, 500)), // tags chosen one by one; none is all
  many: number(12, 1, 500), // so many of the tags are shown
  step: number(null), // none is the newest
  speed: oneOf("4", "1", "2", "8", "16"), // steps a second while it plays
  loop: flag(true),
};
