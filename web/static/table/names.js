/** What expressions may use: names, values and people's tags, fetched once for a snapshot and shared. */

import { get } from "../core/api.js";
import { natural } from "../core/format.js";

let snapshot = null;
let asked = null;
let values = new Map();

/** Forget what is known once the lake has another snapshot. @param {number} [now] without it: in any case */
export function renew(now) {
  if (now !== undefined && now === snapshot) return;
  snapshot = now ?? snapshot;
  asked = null;
  values = new Map();
}

/**
 * Fields, hyperparameters (those that vary first), tags and functions.
 * @returns {Promise<{fields: any[], hparams: any[], tags: any[], stats: string[], functions: string[]}>}
 */
export function names() {
  asked ??= get("fields").catch((error) => {
    asked = null;
    throw error;
  });
  return asked;
}

/** What a part of the page was given as `fields`: an answer of the API, a promise of one, or a function. */
export function loader(given) {
  if (!given) return names;
  return async () => (typeof given === "function" ? given() : given);
}

/** The commonest values of a field or a hyperparameter. @returns {Promise<{value: any, runs: number}[]>} */
export function valuesOf(expr) {
  if (!values.has(expr)) {
    const found = get("facets", { fields: [expr], limit: 200 }).then((answer) => answer.facets[0].values);
    found.catch(() => values.delete(expr));
    values.set(expr, found);
  }
  return values.get(expr);
}

/** The tags that people gave to runs, with the number of runs. @returns {Promise<{tag: string, runs: number}[]>} */
export async function peoplesTags() {
  return (await get("annotations/tags")).tags.sort((a, b) => b.runs - a.runs || natural(a.tag, b.tag));
}

/** The scalar tags among those that the API names. @returns {{tag: string, runs: number}[]} */
export function scalars(known) {
  const found = new Map();
  for (const one of known.tags) if (one.kind === "scalar" && !found.has(one.tag)) found.set(one.tag, one);
  return [...found.values()];
}
