/** What the panels of statistics look at where nobody has chosen: the scatter's y, and the run table's groups. */

import { checked } from "./expression-box.js";

const MOST_KEYS = 4;

/** Whether an expression is a number in the runs, as far as its name or the server can tell. */
async function isNumber(expr, page, signal) {
  const hparam = (await page.fields()).hparams.find((one) => one.expr === expr);
  if (hparam) return hparam.numeric;
  return (await checked(expr, signal).catch(() => "")) === "number";
}

/**
 * The metric that is looked at: what was chosen, else the scatter's y where that is a number, else what says most about the runs.
 * @param {string} chosen @param {import("../core/state.js").State} state @param {any} page @param {AbortSignal} signal
 */
export async function metricOf(chosen, state, page, signal) {
  if (chosen) return chosen;
  const y = state.get("sy");
  const metric = y && (await isNumber(y, page, signal)) ? y : (await page.choices()).y;
  signal.throwIfAborted();
  return metric;
}

/**
 * The group keys: those that were chosen, else those of the run table, else what tells most runs apart.
 * @param {string[]} chosen @param {import("../core/state.js").State} state @param {any} page
 */
export async function keysOf(chosen, state, page) {
  if (chosen.length) return chosen;
  if (state.get("group").length) return state.get("group").slice(0, MOST_KEYS);
  const { colour, hparams } = await page.choices();
  if (colour !== "run") return [colour];
  return hparams.length ? [hparams[0]] : ["project"];
}
