/** What colours mean, beside a plot: a ramp with its numbers, or names. */

import { PALETTE } from "../core/colour.js";
import { h } from "../core/dom.js";
import { missing, ramp } from "./tints.js";

const MOST_NAMES = 14;

/** How many runs of each category are shown. */
function counted(axis, mask) {
  const counts = new Array(axis.categories.length).fill(0);
  for (let i = 0; i < axis.places.length; i += 1) if ((!mask || mask[i]) && Number.isFinite(axis.places[i])) counts[axis.places[i]] += 1;
  return counts;
}

/**
 * @param {import("./axis.js").Axis} axis by which runs are coloured @param {"light" | "dark"} theme @param {ArrayLike<number> | null} mask
 * @returns {HTMLElement}
 */
export function legend(axis, theme, mask) {
  const none = axis.none + axis.below > 0 && h("span", { class: "legend-name" }, h("span", { class: "dot", style: `background:${missing(theme)}` }), `none (${axis.none + axis.below})`);
  if (axis.kind === "category") {
    const counts = counted(axis, mask);
    const names = axis.categories.map((text, i) => ({ text: text ?? "others", colour: PALETTE[i % PALETTE.length], count: counts[i] })).filter((one) => one.count);
    return h("div", { class: "colours" }, h("span", { class: "legend-title" }, axis.title),
      names.slice(0, MOST_NAMES).map(({ text, colour, count }) => h("span", { class: "legend-name", title: `${text}: ${count} runs` }, h("span", { class: "dot", style: `background:${colour}` }), h("span", { class: "cut" }, text), h("span", { class: "muted" }, String(count)))),
      names.length > MOST_NAMES && h("span", { class: "muted" }, `and ${names.length - MOST_NAMES} more`), none);
  }
  const ticks = axis.ticks(axis.low, axis.high, 4).filter(({ at }) => at >= axis.low && at <= axis.high);
  const colours = ramp(theme);
  const stops = Array.from({ length: 9 }, (_, i) => colours[Math.round((i * (colours.length - 1)) / 8)]);
  return h("div", { class: "colours" }, h("span", { class: "legend-title" }, axis.title),
    h("span", { class: "ramp", role: "img", "aria-label": `from ${ticks[0]?.label ?? ""} dark to ${ticks.at(-1)?.label ?? ""} bright` },
      h("span", { class: "ramp-bar", style: `background:linear-gradient(90deg, ${stops.join(", ")})` }),
      ticks.map(({ at, label }) => h("span", { class: "ramp-tick", style: `left:${((at - axis.low) / (axis.high - axis.low || 1)) * 100}%` }, label))), none);
}

/** The same as names for a picture that is taken away. @returns {{name: string, colour: string, dash: number[]}[]} */
export function legendLines(axis, theme, mask) {
  if (!axis) return [];
  if (axis.kind === "category") {
    const counts = counted(axis, mask);
    return axis.categories.map((text, i) => ({ name: `${axis.title} = ${text ?? "others"}`, colour: PALETTE[i % PALETTE.length], dash: [] })).filter((_, i) => counts[i]);
  }
  const colours = ramp(theme);
  const ticks = axis.ticks(axis.low, axis.high, 5).filter(({ at }) => at >= axis.low && at <= axis.high);
  return ticks.map(({ at, label }) => ({ name: `${axis.title} ${label}`, colour: colours[Math.round(((at - axis.low) / (axis.high - axis.low || 1)) * (colours.length - 1))], dash: [] }));
}
