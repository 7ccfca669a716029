/** Colours by value: a ramp for numbers, a palette for names. Pure. */

import { PALETTE } from "../core/colour.js";
import { between } from "../run/plot.js";

/** Viridis at nine places: its order is seen by eyes that see colours differently, and in grey. @type {[number, number, number][]} */
const VIRIDIS = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];
/** The ends of the ramp are cut where they would be lost on the page: the dark one on dark, the bright one on light. */
const REACH = { light: [0, 0.92], dark: [0.14, 1] };
const GREY = { light: "#9aa3b0", dark: "#66718a" };
const STEPS = 64;

/** The colour of runs without a value. @param {"light" | "dark"} theme */
export const missing = (theme) => GREY[theme];

/** Colours from the lowest to the highest value. @param {"light" | "dark"} theme @returns {string[]} */
export function ramp(theme) {
  const [from, to] = REACH[theme];
  return Array.from({ length: STEPS }, (_, i) => {
    const [r, g, b] = between(VIRIDIS, from + ((to - from) * i) / (STEPS - 1));
    return `#${[r, g, b].map((one) => one.toString(16).padStart(2, "0")).join("")}`;
  });
}

/**
 * A colour for every run by an axis.
 * @param {import("./axis.js").Axis} axis @param {"light" | "dark"} theme
 * @returns {string[]}
 */
export function tinted(axis, theme) {
  const none = GREY[theme];
  if (axis.kind === "category") return Array.from(axis.places, (place) => (Number.isFinite(place) ? PALETTE[place % PALETTE.length] : none));
  const colours = ramp(theme);
  const span = axis.high - axis.low || 1;
  return Array.from(axis.places, (place) => (Number.isFinite(place) ? colours[Math.max(0, Math.min(STEPS - 1, Math.round(((place - axis.low) / span) * (STEPS - 1))))] : none));
}
