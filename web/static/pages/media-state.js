/** What the media page's URL says. */

import { isText, items, flag, json, number, oneOf, text } from "../core/kinds.js";
import { paneSchema } from "../core/panes.js";
import { tensorSchema } from "../media/tensors-state.js";
import { runSchema } from "./workspace-state.js";

/** What is looked at, in the order of the tabs. */
export const KINDS = ["images", "audio", "texts", "histograms", "curves"];

/** An image: run, tag, stream, index within its step, and its step, or null where it follows the slider. */
const picture = (value) =>
  Array.isArray(value) && value.length === 5 && value.slice(0, 3).every(isText) && Number.isInteger(value[3]) && value[3] >= 0 && (value[4] === null || Number.isFinite(value[4])) ? value : undefined;

const zoom = (value) => (Array.isArray(value) && value.length === 3 && value.every(Number.isFinite) && value[0] >= 0.001 && value[0] <= 256 ? value : undefined);

export const schema = {
  ...runSchema,
  ...paneSchema(420),
  ...tensorSchema,
  kind: oneOf(...KINDS),
  tags: text(), // regular expression
  pick: json([], items(isText, 500)), // tags chosen one by one; none is all
  many: number(12, 1, 500), // so many of the tags are shown
  step: number(null), // none is the newest
  speed: oneOf("4", "1", "2", "8", "16"), // steps a second while it plays
  loop: flag(true),
  size: number(160, 32, 1024), // of the longer side of an image, in pixels
  flip: flag(), // runs are columns
  bright: number(1, 0.2, 4),
  contrast: number(1, 0.2, 4),
  va: json(null, picture), // the image that the viewer shows
  vb: json(null, picture), // and the one that it is compared with
  vm: oneOf("one", "side", "flicker", "diff", "wipe"),
  vd: oneOf("abs", "heat", "signed"), // how a difference looks
  gain: number(0, 0, 64), // what it is multiplied by; 0 is as much as it bears
  rate: number(2, 0.5, 12), // changes a second of the flicker
  cut: number(0.5, 0, 1), // where the wipe parts both
  vz: json(null, zoom), // [scale, x, y]: none fits the image into the window
  pg: flag(true), // lines between pixels
};
