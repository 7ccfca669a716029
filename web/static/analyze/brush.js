/** Brushes: what is left of some axes, as a condition of the filter language, as words, and as a test of values. Pure. */

import { number, time } from "../core/format.js";
import { literal } from "../core/split.js";
import { column } from "../table/expression.js";

/**
 * A part of an axis: [low, high] of numbers or of ISO times, a text, true or false, null for runs without a value,
 * or [] for those without a number that can be drawn.
 * @typedef {[number, number] | [string, string] | [] | string | boolean | null} Part
 */

const MOST_PARTS = 200;
const isTime = (value) => typeof value === "string" && value.length <= 40 && !Number.isNaN(Date.parse(value));

/** Whether a value is such a part. */
function isPart(value) {
  if (value === null || typeof value === "boolean") return true;
  if (typeof value === "string") return value.length <= 1000;
  if (!Array.isArray(value)) return false;
  if (!value.length) return true;
  return value.length === 2 && ((value.every(Number.isFinite) && value[0] <= value[1]) || value.every(isTime));
}

/** Whether a value is the brush of one axis. */
export function isBrush(value) {
  return Array.isArray(value) && value.length > 0 && value.length <= MOST_PARTS && value.every(isPart);
}

/** An operand: what binds less than a comparison is put in brackets. */
function operand(expr) {
  return /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(expr) || column(expr).stat || /^hp\."(?:[^"]|"")*"$/.test(expr) ? expr : `(${expr})`;
}

/** The condition that the brush of one axis is. @param {string} expr @param {Part[]} parts */
export function condition(expr, parts) {
  const of = operand(expr);
  const texts = parts.filter((part) => typeof part === "string");
  const written = parts.flatMap((part) => {
    if (part === null) return [`${of} is null`];
    if (typeof part === "boolean") return [part ? of : `not ${of}`];
    if (!Array.isArray(part)) return [];
    if (!part.length) return [`${of} is null`, `isnan(${expr})`, `isinf(${expr})`];
    const [low, high] = part;
    return [typeof low === "string" ? `${of} between ${literal(low)} and ${literal(high)}` : `${of} between ${low} and ${high}`];
  });
  if (texts.length) written.unshift(texts.length === 1 ? `${of} = ${literal(texts[0])}` : `${of} in (${texts.map(literal).join(", ")})`);
  return written.length === 1 ? written[0] : `(${written.join(" or ")})`;
}

/** The condition that all brushes are together, empty without any. @param {Record<string, Part[]>} brushes */
export function conditionOf(brushes) {
  return Object.entries(brushes).map(([expr, parts]) => condition(expr, parts)).join(" and ");
}

/** A brush as people read it. @param {string} expr @param {Part[]} parts */
export function words(expr, parts) {
  const { title } = column(expr);
  const part = (one) => {
    if (one === null || (Array.isArray(one) && !one.length)) return "missing";
    if (!Array.isArray(one)) return String(one);
    return typeof one[0] === "string" ? `${time(one[0])} … ${time(one[1])}` : `${number(one[0], 4)} … ${number(one[1], 4)}`;
  };
  const shown = parts.slice(0, 4).map(part);
  return `${title}: ${[...new Set(shown)].join(", ")}${parts.length > 4 ? ` and ${parts.length - 4} more` : ""}`;
}

/**
 * A test for the values of a column as `columnsOf` gives them: the same runs that the condition finds.
 * @param {Part[]} parts @returns {(value: any) => boolean}
 */
export function tester(parts) {
  const exact = new Set(parts.filter((part) => !Array.isArray(part)));
  const lacking = parts.some((part) => Array.isArray(part) && !part.length);
  const spans = parts.filter((part) => Array.isArray(part) && part.length === 2).map((part) => (typeof part[0] === "string" ? part.map((one) => Date.parse(one) / 1000) : part));
  return (value) => {
    if (typeof value !== "number") return exact.has(value ?? null) || (value == null && lacking);
    if (!Number.isFinite(value)) return lacking || (Number.isNaN(value) && exact.has(null));
    return spans.some(([low, high]) => value >= low && value <= high);
  };
}

/**
 * Which runs all brushes leave: 1 or 0 for each; null without any brush.
 * @param {Record<string, Part[]>} brushes @param {Map<string, {values: any}>} columns @param {number} count
 * @returns {Uint8Array | null}
 */
export function left(brushes, columns, count) {
  const own = Object.entries(brushes).filter(([expr]) => columns.has(expr));
  if (!own.length) return null;
  const mask = new Uint8Array(count).fill(1);
  for (const [expr, parts] of own) {
    const { values } = columns.get(expr);
    const test = tester(parts);
    for (let i = 0; i < count; i += 1) if (mask[i] && !test(values[i])) mask[i] = 0;
  }
  return mask;
}
