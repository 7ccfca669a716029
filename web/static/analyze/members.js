/** The runs of a group of the table, by the values of its keys. */

import { groupId } from "../table/rows.js";
import { columnsOf } from "./data.js";

/**
 * @param {object} params of the runs looked at @param {string[]} by the keys of the groups @param {string} id of a group
 * @returns {Promise<string[] | null>} run_keys; null where *id* is no group
 */
export async function membersOf(params, by, id) {
  if (!id.startsWith("g:")) return null;
  const { keys, columns } = await columnsOf(params, by);
  const own = by.map((expr) => columns.get(expr));
  const value = ({ kind, values }, i) => (kind === "time" ? new Date(values[i] * 1000).toISOString() : typeof values[i] === "number" && Number.isNaN(values[i]) ? null : values[i]);
  return keys.filter((_, i) => groupId(own.map((column) => value(column, i))) === id);
}
