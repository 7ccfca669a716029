/** The selected runs as far as a page must know them: their names, and what is written about them. */

import { get } from "../core/api.js";
import { literal } from "../core/split.js";
import { written } from "./changes.js";

const CHUNK = 200;
/** So many runs can be named in one filter. */
export const MOST_NAMED = 600;

/** The filter that leaves only these runs. @param {string[]} keys */
export function only(keys) {
  return keys.length === 1 ? `run_key = ${literal(keys[0])}` : `run_key in (${keys.map(literal).join(", ")})`;
}

/**
 * The first *most* of some runs, in the order of their keys.
 * @param {string[]} keys @returns {Promise<{key: string, name: string, label: string, where: string, points: number, archived: boolean, tags: string[], notes: string}[]>}
 */
export async function described(keys, most = MOST_NAMED) {
  const some = keys.slice(0, most);
  const parts = [];
  for (let i = 0; i < some.length; i += CHUNK) parts.push(some.slice(i, i + CHUNK));
  const asked = parts.map((part) => get("runs", { filter: only(part), columns: ["run_key", "name", "machine", "project", "points"], archived: true, duplicates: true, limit: CHUNK }));
  const [notes, ...pages] = await Promise.all([written(some), ...asked]);
  const found = new Map(pages.flatMap((page) => page.rows).map(([, key, name, machine, project, points]) => {
    const note = notes.get(key);
    const where = [project, machine].filter(Boolean).join(" · ");
    return [key, { key, name, label: note?.name || name, where, points, archived: note?.archived ?? false, tags: note?.tags ?? [], notes: note?.notes ?? "" }];
  }));
  return some.map((key) => found.get(key)).filter(Boolean);
}
