/** A chart as layers for the canvas: lines in places of the axes, bands, marks, ranges and ticks. Pure. */

import { extentX, extentY, nearest, typical } from "./lines.js";
import { relativeTicks, scaleOf, stepTicks, wallTicks } from "./scale.js";

const MARKERS = { NaN: "triangle", Infinity: "diamond", "-Infinity": "inverted_triangle" };
const FEW = 12;
const MOST_SPANS = 40;

/** Numbers as places; a straight axis has them as they are. */
function placed(values, scale, straight) {
  return straight ? values : values.map(scale.place);
}

/**
 * @param {import("./lines.js").Line[]} lines
 * @param {{xs: string, ys: string, out: boolean, zoom: [number, number] | null, yzoom: [number, number] | null, x: string, baseline: string,
 *   grouped: boolean, smoothing: boolean, band: string, coarse: boolean, width: number, height: number, full: boolean}} look
 */
export function picture(lines, look) {
  const main = lines.filter((line) => !line.superseded);
  const xscale = scaleOf(look.xs, 1);
  const yscale = scaleOf(look.ys, look.ys === "symlog" ? typical(main) : 1);
  const straight = { x: look.xs === "linear", y: look.ys === "linear" };
  let within = look.zoom ?? extentX(lines) ?? [0, 1];
  if (look.xs === "log" && within[0] <= 0) within = [smallest(lines, within), within[1]];
  const bands = main.some((line) => line.low) && (look.grouped || main.length <= 4) && look.band !== "none";
  const x = widened([xscale.place(within[0]), xscale.place(within[1])], !look.zoom);
  const zoomed = look.yzoom?.map(yscale.place);
  // A window that was chosen on a straight axis may reach where a logarithmic one has no places.
  const y = zoomed?.every(Number.isFinite) ? zoomed : extentY(main, within, yscale.place, { outliers: !look.out, bands });
  const many = main.length > FEW;
  const width = look.coarse || many ? 1 : 1.5;
  const xs = main.map((line) => placed(line.x, xscale, straight.x));
  const layers = {
    lines: {
      xs, ys: main.map((line) => placed(line.smoothed, yscale, straight.y)), colour: main.map((line) => line.colour),
      dash: main.map((line) => line.dash), width: main.map((line) => (line.key === look.baseline ? width + 1.5 : width)),
    },
  };
  // A band shows the spread already.
  const behind = [...(look.smoothing && !many && !bands ? main : []), ...lines.filter((line) => line.superseded)];
  if (behind.length) {
    layers.faint = {
      xs: behind.map((line) => placed(line.x, xscale, straight.x)), ys: behind.map((line) => placed(line.y, yscale, straight.y)), colour: behind.map((line) => line.colour),
    };
  }
  if (bands) layers.bands = bandLayer(main, xscale, yscale);
  const dots = dotLayer(main, xscale, yscale);
  if (dots.x.length) layers.dots = dots;
  const spans = main.flatMap((line) => line.restarts.map((at) => ({ at: xscale.place(at), colour: line.colour }))).slice(0, MOST_SPANS);
  if (spans.length) layers.spans = { x: spans.map((span) => span.at), colour: spans.map((span) => span.colour) };
  const roomX = Math.max(2, Math.floor(look.width / (look.x === "wall" ? 90 : 70)));
  const roomY = Math.max(2, Math.floor(look.height / 45));
  const own = straight.x && new Map([["step", stepTicks], ["relative", relativeTicks], ["wall", wallTicks]]).get(look.x);
  return {
    layers, x, y, xscale, yscale, within,
    xticks: !main.length ? [] : own ? own(x[0], x[1], roomX) : xscale.ticks(x[0], x[1], roomX),
    yticks: main.length ? yscale.ticks(y[0], y[1], roomY) : [],
  };
}

function smallest(lines, within) {
  let least = within[1];
  for (const { x } of lines) for (const at of x) if (at > 0 && at < least) least = at;
  return least > 0 ? least : 1;
}

function widened([low, high], room) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (low === high) {
    // Half a step would be lost beside steps beyond 2^53.
    const half = Math.max(0.5, Math.abs(low) * 1e-9);
    return [low - half, high + half];
  }
  const pad = room ? (high - low) * 0.01 : 0;
  return [low - pad, high + pad];
}

function bandLayer(lines, xscale, yscale) {
  const shown = lines.filter((line) => line.low);
  const outline = (line) => {
    const xs = [];
    const ys = [];
    const add = (i, values) => {
      const y = yscale.place(values[i]);
      if (!Number.isFinite(y)) return;
      xs.push(xscale.place(line.x[i]));
      ys.push(y);
    };
    for (let i = 0; i < line.x.length; i += 1) add(i, line.low);
    for (let i = line.x.length - 1; i >= 0; i -= 1) add(i, line.high);
    return [xs, ys];
  };
  const outlines = shown.map(outline);
  return { xs: outlines.map((one) => one[0]), ys: outlines.map((one) => one[1]), colour: shown.map((line) => line.colour) };
}

/** Curves of one point, and values that are no numbers where the curve was last. */
function dotLayer(lines, xscale, yscale) {
  const dots = { x: [], y: [], colour: [], marker: [] };
  const add = (line, x, y, marker) => {
    if (!Number.isFinite(y)) return;
    dots.x.push(xscale.place(x));
    dots.y.push(y);
    dots.colour.push(line.colour);
    dots.marker.push(marker);
  };
  for (const line of lines) {
    if (line.x.length === 1) add(line, line.x[0], yscale.place(line.y[0]), "circle");
    for (const [x, name] of line.special) {
      let i = nearest(line.x, x);
      while (i > 0 && !Number.isFinite(line.smoothed[i])) i -= 1;
      while (i >= 0 && i < line.x.length && !Number.isFinite(line.smoothed[i])) i += 1;
      add(line, x, i >= 0 && i < line.x.length ? yscale.place(line.smoothed[i]) : yscale.place(0), MARKERS[name] ?? "circle");
    }
  }
  return dots;
}

/** One line above the others, cut to the window since that layer is not clipped. */
export function overLayer(lines, { xscale, yscale, x, y }) {
  const over = { xs: [], ys: [], colour: [], dash: [], width: [] };
  for (const line of lines) {
    const xs = [];
    const ys = [];
    for (let i = 0; i < line.x.length; i += 1) {
      const at = xscale.place(line.x[i]);
      if (at < x[0] || at > x[1]) continue;
      const value = yscale.place(line.smoothed[i]);
      xs.push(at);
      ys.push(value < y[0] || value > y[1] ? NaN : value);
    }
    over.xs.push(xs);
    over.ys.push(ys);
    over.colour.push(line.colour);
    over.dash.push(line.dash);
    over.width.push(3);
  }
  return over;
}
