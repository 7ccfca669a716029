/** Kinds of values in a page's state: how each is read from the URL, taken from a saved view, and written. */

import { split } from "./split.js";

const LONGEST = 10_000; // characters of a text
const MOST_LISTED = 100_000;

/**
 * `take` is asked of every value, wherever it comes from: one that does not fit becomes the fallback.
 * @typedef {{fallback: any, take: (value: any) => any, read: (given: string) => any, write: (value: any) => string}} Kind
 */

/** @returns {Kind} */
function kind(fallback, take, parse, write) {
  return { fallback, take, read: (given) => take(parse(given)), write };
}

const asGiven = (given) => given;

/** A text. @returns {Kind} */
export function text(fallback = "") {
  return kind(fallback, (value) => (typeof value === "string" && value.length <= LONGEST ? value : fallback), asGiven, asGiven);
}

/** A number from *least* to *most*. @returns {Kind} */
export function number(fallback, least = -Infinity, most = Infinity) {
  const take = (value) => (Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : fallback);
  return kind(fallback, take, (given) => (given.trim() ? Number(given) : NaN), String);
}

/** Yes or no. @returns {Kind} */
export function flag(fallback = false) {
  return kind(fallback, (value) => (typeof value === "boolean" ? value : fallback), (given) => given !== "0" && given !== "false", (value) => (value ? "1" : "0"));
}

/** One of some words, the first where nothing is said. @returns {Kind} */
export function oneOf(...values) {
  return kind(values[0], (value) => (values.includes(value) ? value : values[0]), asGiven, String);
}

/** A list of texts, such as keys and expressions, that commas part. @returns {Kind} */
export function list(...fallback) {
  return kind(fallback, (value) => (Array.isArray(value) ? value.filter(isText).slice(0, MOST_LISTED) : fallback), split, (value) => value.join(","));
}

/** What is written as JSON; *shape* gives what it makes of a value, undefined where it can make nothing of it. @returns {Kind} */
export function json(fallback, shape) {
  const parse = (given) => {
    try {
      return JSON.parse(given);
    } catch {
      return undefined;
    }
  };
  return kind(fallback, (value) => shape(value) ?? fallback, parse, JSON.stringify);
}

export const isText = (value) => typeof value === "string" && value.length <= LONGEST;

/** Two numbers in ascending order. */
export const isRange = (value) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1];

/** An object as JSON has it. */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The shape of a list whose items fit. */
export function items(fits, most = 1000) {
  return (value) => (Array.isArray(value) ? value.filter(fits).slice(0, most) : undefined);
}

/** The shape of an object whose values fit. */
export function values(fits, most = 1000) {
  return (value) => (isObject(value) ? Object.fromEntries(Object.entries(value).filter(([, one]) => fits(one)).slice(0, most)) : undefined);
}

/** What an object of the state has under a name that comes from data: a tag may be called `constructor`. */
export function under(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
