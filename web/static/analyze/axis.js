/** A column as an axis: which values have which places on it, and how they are told. Pure. */

import { bytes, duration, natural, number, time } from "../core/format.js";
import { relativeTicks, scaleOf, wallTicks } from "../charts/scale.js";
import { column } from "../table/expression.js";
import { extent } from "./maths.js";

export const SCALES = { auto: "automatic", linear: "linear", log: "logarithmic", symlog: "symlog" };
/** More categories than these stand under "others". */
const MOST_CATEGORIES = 60;
/** Fields whose numbers are told in a way of their own. */
const FORMS = new Map([["duration_s", duration], ["size", bytes]]);
// Values that lie so many times apart are seen better on a logarithmic axis.
const WIDE = 30;
const VERY_WIDE = 100;

/** A value that is no number as text, null where there is none. */
function asText(value) {
  if (value == null) return null;
  return Array.isArray(value) ? value.join(", ") || null : String(value);
}

/** The scale that suits values best. @param {string} expr @param {ArrayLike<number>} values */
function usual(expr, values) {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort();
  if (!sorted.length || sorted[0] <= 0) return "linear";
  // What people choose by powers: rates, sizes, decays. Results are compared as they are, unless most of them spread wider still.
  if (/^hp\./i.test(expr)) return sorted[sorted.length - 1] >= sorted[0] * WIDE ? "log" : "linear";
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  return at(0.9) >= at(0.1) * VERY_WIDE ? "log" : "linear";
}

/**
 * @typedef {{
 *   expr: string, title: string, kind: "number" | "time" | "category", boolean?: boolean, scale: string, places: Float64Array,
 *   categories: (string | null)[], low: number, high: number, none: number, below: number,
 *   ticks: (low: number, high: number, most: number) => {at: number, label: string}[],
 *   value: (place: number) => number, place: (value: number) => number, tell: (i: number) => string,
 * }} Axis `places` are NaN for runs that have none, `none` counts them; `below` counts values that a logarithmic axis has no place for
 */

/**
 * @param {string} expr @param {import("./data.js").Column} found its values
 * @param {string} [wanted] the scale @param {ArrayLike<number> | null} [mask] the runs whose missing values are counted; places are those of all
 * @returns {Axis}
 */
export function axisOf(expr, found, wanted = "auto", mask = null) {
  const { title } = column(expr);
  return found.kind === "number" || found.kind === "time" ? ofNumbers(expr, title, found, wanted, mask) : ofTexts(expr, title, found, mask);
}

function ofNumbers(expr, title, { kind, values }, wanted, mask) {
  const scale = kind === "time" ? "linear" : wanted === "auto" ? usual(expr, values) : wanted;
  const straight = scaleOf(scale, typical(values));
  const places = scale === "linear" ? values : Float64Array.from(values, straight.place);
  let [none, below] = [0, 0];
  for (let i = 0; i < places.length; i += 1) {
    if ((mask && !mask[i]) || Number.isFinite(places[i])) continue;
    if (Number.isFinite(values[i])) below += 1;
    else none += 1;
  }
  const [low, high] = extent(places) ?? [0, 1];
  return {
    expr, title, kind, scale, places, categories: [], low, high, none, below, place: straight.place, value: straight.value,
    ticks: kind === "time" ? wallTicks : expr === "duration_s" && scale === "linear" ? relativeTicks : straight.ticks,
    tell: (i) => (Number.isNaN(values[i]) ? "" : kind === "time" ? time(values[i]) : (FORMS.get(expr) ?? number)(values[i])),
  };
}

/** The size of a usual value: what a symlog axis is straight within. */
function typical(values) {
  const sizes = [];
  for (const v of values) if (Number.isFinite(v) && v !== 0) sizes.push(Math.abs(v));
  sizes.sort((a, b) => a - b);
  return sizes[Math.floor(sizes.length / 2)] ?? 1;
}

function ofTexts(expr, title, { kind, values }, mask) {
  const counts = new Map();
  const texts = Array.from(values, asText);
  let none = 0;
  texts.forEach((text, i) => {
    if (text === null) none += !mask || mask[i] ? 1 : 0;
    else counts.set(text, (counts.get(text) ?? 0) + 1);
  });
  let shown = [...counts.keys()];
  if (shown.length > MOST_CATEGORIES) shown = shown.sort((a, b) => counts.get(b) - counts.get(a)).slice(0, MOST_CATEGORIES);
  /** @type {(string | null)[]} */
  const categories = shown.sort(natural);
  const at = new Map(categories.map((text, i) => [text, i]));
  if (counts.size > categories.length) categories.push(null);
  const others = counts.size > at.size ? at.size : NaN;
  const places = Float64Array.from(texts, (text) => (text === null ? NaN : at.get(text) ?? others));
  const label = (text) => text ?? `${counts.size - at.size} others`;
  return {
    expr, title, kind: "category", boolean: kind === "boolean", scale: "linear", places, categories, low: 0, high: Math.max(0, categories.length - 1), none, below: 0,
    place: (value) => value, value: (place) => place,
    ticks: (low, high, most) => {
      const every = Math.max(1, Math.ceil((Math.min(high, categories.length) - Math.max(low, 0)) / most));
      return categories.map((text, i) => ({ at: i, label: label(text) })).filter(({ at: i }) => i >= low && i <= high && i % every === 0);
    },
    tell: (i) => texts[i] ?? "",
  };
}
