/** Times and sums of cycles in words, and what their charts paint with. */

import { bytes, duration, plural, time } from "../core/format.js";

/** What is left around the box of a plot, in pixels. */
export const BOX = { left: 58, right: 10, top: 8, foot: 20 };

/** A time without its year and seconds. @param {number} at Unix seconds */
export const clock = (at) => time(at).slice(5, 16);

/** An amount of money, whatever the currency of the prices is. @param {number} value */
export function money(value) {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value > 0 && value < 1e-4 ? "< 0.0001" : String(Number(value.toPrecision(2)));
}

/** From when to when. @param {[number, number]} stretch Unix seconds */
export function span([from, to]) {
  const [a, b] = [clock(from), clock(to)];
  if (a === b) return time(from);
  return `${a} to ${a.slice(0, 5) === b.slice(0, 5) ? b.slice(6) : b}`;
}

/** All that cycles did, in words. @param {import("./bins.js").Cell[]} cells */
export function summary(cells) {
  const all = (id) => Math.round(cells.reduce((sum, cell) => sum + cell.values[id], 0));
  const ran = Math.max(1, Math.round(cells.reduce((sum, cell) => sum + cell.cycles, 0)));
  const seconds = cells.reduce((sum, cell) => sum + cell.seconds, 0);
  return [plural(ran, "cycle"), duration(seconds), bytes(all("bytes_read")), plural(all("points"), "point"), plural(all("files_changed"), "file"), plural(all("requests"), "request"), plural(all("problems"), "problem")].join(" · ");
}

/** A straight line. @param {CanvasRenderingContext2D} context */
export function line(context, a, b, c, d) {
  context.beginPath();
  context.moveTo(a, b);
  context.lineTo(c, d);
  context.stroke();
}

/** A text that fits into *most* pixels, without its middle: names differ at their ends. */
export function shortened(context, text, most) {
  if (context.measureText(text).width <= most) return text;
  const cut = (length) => `${text.slice(0, Math.ceil(length / 2))}…${text.slice(text.length - Math.floor(length / 2))}`;
  let length = Math.min(text.length - 1, 60);
  while (length > 1 && context.measureText(cut(length)).width > most) length -= 1;
  return cut(length);
}
