/** The selected runs as far as a page must know them: their names, and what is written about them. */

import { get, send } from "../core/api.js";
import { literal } from "../core/split.js";

const CHUNK = 200;
/** So many runs are looked up by name. */
const MOST_DESCRIBED = 600;
/** More are not named in a filter that people read and addresses hold. */
const MOST_NAMED = 20;

/** The filter that leaves only these runs. @param {string[]} keys */
function only(keys) {
  return keys.length === 1 ? `run_key = ${literal(keys[0])}` : `run_key in (${keys.map(literal).join(", ")})`;
}

/** The filter that leaves only these runs, of which the server keeps the list where they are many. @param {string[]} keys @returns {Promise<string>} */
export async function kept(keys) {
  if (keys.length <= MOST_NAMED) return only(keys);
  const { id } = await send("POST", "views", { page: "selection", state: { sel: keys } });
  return `selected(${literal(id)})`;
}

/**
 * The first *most* of some runs, in the order of their keys.
 * @param {string[]} keys @returns {Promise<{key: string, name: string, label: string, where: string, archived: boolean, tags: string[], notes: string}[]>}
 */
export async function described(keys, most = MOST_DESCRIBED) {
  const some = keys.slice(0, most);
  const parts = [];
  for (let i = 0; i < some.length; i += CHUNK) parts.push(some.slice(i, i + CHUNK));
  const columns = ["run_key", "name", "label", "machine", "project", "archived", "tags", ...(keys.length === 1 ? ["notes"] : [])];
  const asked = parts.map((part) => get("runs", { filter: only(part), columns, archived: true, duplicates: true, limit: CHUNK }));
  const found = new Map((await Promise.all(asked)).flatMap((page) => page.rows).map(([, key, name, label, machine, project, archived, tags, notes]) => {
    const where = [project, machine].filter(Boolean).join(" · ");
    return [key, { key, name, label, where, archived: archived === true, tags: tags ?? [], notes: notes ?? "" }];
  }));
  return some.map((key) => found.get(key)).filter(Boolean);
}
