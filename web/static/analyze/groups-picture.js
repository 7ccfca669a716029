/** Boxes and bars of groups as an SVG: where they stand, and the elements of each. */

import { scaleOf } from "../charts/scale.js";
import { number } from "../core/format.js";
import { shaken } from "./maths.js";
import { drawn } from "./stage.js";

export const ERRORS = { std: "± deviation", se: "± standard error", ci95: "95 % interval", none: "no whiskers" };
/** Of groups of no more values, every one is a dot. */
const FEW = 12;
const LETTER = 6.6; // pixels, about
const SLOT = 52; // the least for a group that stands
const ROW = 34;
const MANY = 14; // groups, whose rows are lower
const LOW_ROW = 25;
const TALL = 320;
const MOST_SLOT = 200; // few groups do not lie far apart
const WIDEST = 228;
const MOST_LETTERS = 29;
const ROOM = 0.04;
// Student's t for 95 % by degrees of freedom, from 1 on; beyond them by its expansion.
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042];

/** Half of the interval that an error bar is; 0 where one value says nothing of others. @param {{std: number | null, values: number}} group */
export function half({ std, values }, kind) {
  if (std === null || values < 2 || kind === "none") return 0;
  if (kind === "std") return std;
  const df = values - 1;
  const z = 1.959964;
  const t = T95[df - 1] ?? z + (z ** 3 + z) / (4 * df) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * df * df);
  return (kind === "ci95" ? t : 1) * (std / Math.sqrt(values));
}

/** The values of a group that must be in sight. */
function reach(group, look) {
  if (!group.values) return [];
  if (look.kind === "bars") return [group.mean - half(group, look.error), group.mean + half(group, look.error), ...(look.scale === "log" ? [] : [0])];
  return [group.low, group.high, ...group.points.map((one) => one.value)];
}

/** Names that differ at all mostly do at their end. */
function cut(text) {
  const end = Math.floor(MOST_LETTERS / 2) - 1;
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - end - 1)}…${text.slice(-end)}` : text;
}

/**
 * Where everything stands.
 * @param {any[]} groups @param {{kind: "boxes" | "bars", error: string, scale: "linear" | "log" | "symlog"}} look @param {number} width in pixels
 */
export function layout(groups, look, width) {
  const medians = groups.map((one) => Math.abs(one.median ?? 0)).filter((one) => one > 0).sort((a, b) => a - b);
  const scale = scaleOf(look.scale, medians[Math.floor(medians.length / 2)] ?? 1);
  const places = groups.flatMap((one) => reach(one, look)).map(scale.place).filter(Number.isFinite);
  let [low, high] = places.length ? [Math.min(...places), Math.max(...places)] : [0, 1];
  if (low === high) [low, high] = [low - (Math.abs(low) * 0.05 || 0.5), high + (Math.abs(high) * 0.05 || 0.5)];
  const room = ROOM * (high - low);
  // Bars stand on their axis.
  const grounded = look.kind === "bars" && look.scale !== "log";
  const ends = [grounded && low === 0 ? 0 : low - room, grounded && high === 0 ? 0 : high + room];
  const letters = Math.max(1, ...groups.map((one) => Math.max(cut(one.name).length, one.count.length + 2)));
  const left = 58;
  const count = Math.max(1, groups.length);
  const slot = Math.min(MOST_SLOT, (width - left - 12) / count);
  const lying = slot < SLOT || letters * LETTER > slot - 8;
  const box = lying
    ? { left: Math.min(WIDEST, letters * LETTER + 16), top: 6, right: 78, foot: 28, height: groups.length * (groups.length > MANY ? LOW_ROW : ROW) + 34 }
    : { left, top: 10, right: 12, foot: 44, height: TALL };
  const inner = { width: lying ? Math.max(60, width - box.left - box.right) : slot * count, height: box.height - box.top - box.foot };
  const along = lying ? inner.width : inner.height;
  const part = (place) => (place - ends[0]) / (ends[1] - ends[0]);
  const at = (value) => {
    const p = part(scale.place(value));
    return lying ? box.left + p * along : box.top + (1 - p) * along;
  };
  const step = (lying ? inner.height : inner.width) / count;
  const centre = (i) => (lying ? box.top : box.left) + (i + 0.5) * step;
  const ticks = scale.ticks(ends[0], ends[1], Math.max(2, along / (lying ? 90 : 45))).map(({ at: place, label }) => ({ at: lying ? box.left + part(place) * along : box.top + (1 - part(place)) * along, label }));
  const ground = lying ? box.left : box.top + inner.height;
  return { lying, width, height: box.height, box, inner, at, centre, step, ticks, ground, zero: grounded ? at(0) : ground, thick: Math.min(lying ? 20 : 56, step * 0.55) };
}

/** The axis of values, with lines across. */
export function axis({ lying, box, inner, ticks, width, height }) {
  const right = box.left + inner.width;
  const foot = box.top + inner.height;
  return drawn("g", { class: "axis", "aria-hidden": "true" }, ...ticks.flatMap(({ at, label }) => {
    const text = drawn("text", lying ? { x: at, y: height - 8, "text-anchor": "middle" } : { x: box.left - 8, y: at + 4, "text-anchor": "end" });
    text.textContent = label;
    return [drawn("line", lying ? { x1: at, x2: at, y1: box.top, y2: foot } : { x1: box.left, x2: right, y1: at, y2: at }), text];
  }), drawn("rect", { x: 0, y: 0, width, height, fill: "none" }));
}

/** The elements of group *i*. @param {any} group @param {ReturnType<typeof layout>} at @param {any} look @param {number} i */
export function mark(group, at, look, i) {
  const { lying, thick } = at;
  const centre = at.centre(i);
  const line = (kind, from, to, across = 0) => drawn("line", lying ? { class: kind, x1: from, x2: to, y1: centre + across, y2: centre + across } : { class: kind, y1: from, y2: to, x1: centre + across, x2: centre + across });
  const bar = (kind, place, size) => drawn("line", lying ? { class: kind, x1: place, x2: place, y1: centre - size / 2, y2: centre + size / 2 } : { class: kind, y1: place, y2: place, x1: centre - size / 2, x2: centre + size / 2 });
  const rect = (kind, a, b) => {
    const [from, size] = [Math.min(a, b), Math.max(1, Math.abs(a - b))];
    return drawn("rect", lying ? { class: kind, x: from, width: size, y: centre - thick / 2, height: thick } : { class: kind, y: from, height: size, x: centre - thick / 2, width: thick });
  };
  const found = [hit(at, centre)];
  const ok = (...values) => values.every((value) => value !== null && Number.isFinite(at.at(value)));
  if (look.kind === "bars") {
    if (ok(group.mean)) found.push(rect("pillar", at.zero, at.at(group.mean)));
    const error = half(group, look.error);
    if (ok(group.mean) && error) {
      // What is below every power of ten ends at the axis.
      const low = ok(group.mean - error) ? at.at(group.mean - error) : at.ground;
      found.push(line("whisker", low, at.at(group.mean + error)), bar("whisker", low, 8), bar("whisker", at.at(group.mean + error), 8));
    }
  } else if (group.values > 1) {
    if (ok(group.q1, group.q3)) found.push(rect("box", at.at(group.q1), at.at(group.q3)));
    for (const [from, to] of [[group.q1, group.low], [group.q3, group.high]]) if (ok(from, to)) found.push(line("whisker", at.at(from), at.at(to)), bar("whisker", at.at(to), thick * 0.5));
    if (ok(group.median)) found.push(bar("median", at.at(group.median), thick));
    if (ok(group.mean)) found.push(diamond(lying ? [at.at(group.mean), centre] : [centre, at.at(group.mean)]));
  }
  if (look.kind === "boxes") found.push(...dots(group, at, centre));
  found.push(...words(group, at, centre));
  return found;
}

/** All of the place of a group can be pressed. */
function hit({ lying, step, width, height }, centre) {
  return drawn("rect", lying ? { class: "hit", x: 0, width, y: centre - step / 2, height: step } : { class: "hit", y: 0, height, x: centre - step / 2, width: step });
}

function dots(group, at, centre) {
  const few = group.values <= FEW;
  const shown = group.points.filter(({ value }) => Number.isFinite(at.at(value)) && (few || value < group.low || value > group.high));
  return shown.map(({ run_key: key, value }, i) => {
    const aside = centre + (few && shown.length > 1 ? (shaken(i) - 0.5) * at.thick * 0.8 : 0);
    const dot = drawn("circle", { class: "dot-run", r: 3, cx: at.lying ? at.at(value) : aside, cy: at.lying ? aside : at.at(value) });
    dot.dataset.key = key;
    return dot;
  });
}

function diamond([x, y]) {
  return drawn("path", { class: "mean", d: `M${x - 4} ${y}L${x} ${y - 4}L${x + 4} ${y}L${x} ${y + 4}Z` });
}

function words(group, { lying, box, inner, height }, centre) {
  const name = drawn("text", lying ? { class: "name", x: box.left - 10, y: centre + 4, "text-anchor": "end" } : { class: "name", x: centre, y: height - 24, "text-anchor": "middle" });
  name.textContent = cut(group.name);
  if (group.none) name.classList.add("none");
  const count = drawn("text", lying ? { class: "count", x: box.left + inner.width + 10, y: centre + 4 } : { class: "count", x: centre, y: height - 8, "text-anchor": "middle" });
  count.textContent = `n ${group.count}`;
  return [name, count];
}

/** What stands in the card beside a group. */
export function facts(group, look) {
  const rows = [["runs", group.runs.toLocaleString("en-US")]];
  if (group.values !== group.runs) rows.push(["with a value", group.values.toLocaleString("en-US")]);
  if (!group.values) return rows;
  rows.push(["mean", group.std === null ? number(group.mean) : `${number(group.mean)} ± ${number(group.std, 3)}`]);
  if (look.kind === "bars" && half(group, look.error) && look.error !== "std") rows.push([ERRORS[look.error], `± ${number(half(group, look.error), 3)}`]);
  return [...rows, ["median", number(group.median)], ["quartiles", `${number(group.q1)} … ${number(group.q3)}`], ["range", `${number(group.min)} … ${number(group.max)}`],
    ...(group.outside ? [["beyond the whiskers", group.outside.toLocaleString("en-US")]] : [])];
}
