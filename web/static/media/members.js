/** The runs that are drawn, where groups are drawn: the first members of each. */

import { get } from "../core/api.js";

const MOST = 200;
const COLUMNS = ["run_key", "label", "state", "project", "machine"];

/**
 * Runs in the order in which some of them stood before: new ones at the end of their group.
 * @param {any[]} runs @param {any[]} before @returns {any[]}
 */
export function inOrder(runs, before) {
  const places = new Map(before.map((run, i) => [run.key, i]));
  const groups = new Map();
  for (const run of before) if (!groups.has(run.group)) groups.set(run.group, groups.size);
  const place = (known, of) => known.get(of) ?? before.length;
  return runs.toSorted((a, b) => place(groups, a.group) - place(groups, b.group) || place(places, a.key) - place(places, b.key));
}

/**
 * Entries of the run table as runs. Groups give the first of their members, in the table's order and the group's colour.
 * @param {any[]} entries @param {Record<string, any>} params what the table asks for: filter, sort, archived, duplicates @param {AbortSignal} signal
 * @returns {Promise<{runs: any[], note: string}>}
 */
export async function runsOf(entries, params, signal) {
  if (!entries.some((one) => one.members)) return { runs: entries, note: "" };
  const each = Math.max(1, Math.floor(MOST / entries.length));
  const some = entries.slice(0, MOST);
  const pages = await Promise.all(some.map((group) => get("runs", { ...params, members: JSON.stringify(group.members), columns: COLUMNS, limit: each }, signal)));
  const runs = pages.flatMap((page, i) => page.rows.map(([run_id, key, label, state, project, machine]) => ({ key, run_id, label, state, project, machine, colour: some[i].colour, group: some[i].label })));
  const all = entries.reduce((sum, one) => sum + one.runs, 0);
  const note = runs.length < all ? `${runs.length.toLocaleString("en-US")} of the ${all.toLocaleString("en-US")} runs of ${entries.length.toLocaleString("en-US")} groups are shown, at most ${each} of each.` : "";
  return { runs, note };
}
