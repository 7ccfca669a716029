/** What mouse and keys do on a chart: crosshair, sorted tooltip, zoom. All of it above the canvas. */

import { fill, h, onFrame } from "../core/dom.js";
import { duration, number, time } from "../core/format.js";
import { nearest } from "./lines.js";

const ROWS = 12;
const FAR = 0.03; // of the window
const DRAG = 4; // pixels
const STEPS = 50; // of the arrow keys, from end to end
const LEAPS = 8; // of the arrow keys with Shift

// In the top layer, so that it is seen above a chart that fills the page.
const tip = h("div", { class: "tip", popover: "manual", "aria-hidden": "true" });

/** The plot that the tooltip is about. @type {HTMLElement | null} */
let owner = null;

function showTip() {
  if (!tip.matches(":popover-open")) tip.showPopover();
}

function hideTip() {
  if (tip.matches(":popover-open")) tip.hidePopover();
}

/** x as people read it. */
export function readX(kind, value) {
  if (kind === "relative") return duration(value);
  if (kind === "wall") return time(value);
  return kind === "step" ? `step ${number(Math.round(value))}` : `${kind} ${number(value)}`;
}

/** The rows of a tooltip at *x*: of every line the nearest point, highest value first. */
function rowsAt(lines, x, within, place, y) {
  const rows = [];
  for (const line of lines) {
    if (line.superseded) continue;
    const i = nearest(line.x, x);
    if (i < 0 || line.x[i] < within[0] || line.x[i] > within[1]) continue;
    // A curve that ended before, or begins later, is told faintly.
    const far = Math.abs(line.x[i] - x) > FAR * (within[1] - within[0]);
    rows.push({ line, i, far, off: Math.abs(place(line.smoothed[i]) - y) });
  }
  const near = rows.reduce((best, row) => (!row.far && (!best || row.off < best.off) ? row : best), null);
  let shown = rows;
  if (rows.length > ROWS) shown = [...rows].sort((a, b) => (a.off || 0) - (b.off || 0)).slice(0, ROWS);
  shown.sort((a, b) => b.line.smoothed[b.i] - a.line.smoothed[a.i]);
  return { rows: shown, near, left: rows.length - shown.length };
}

function table({ rows, near, left }, { x, kind, smoothing, grouped }) {
  const head = ["", "run", smoothing ? "smoothed" : null, grouped ? "mean" : "value", grouped ? "runs" : null, kind === "step" ? "step" : "at"].filter((one) => one !== null);
  const row = ({ line, i, far }) => h("tr", { class: near?.line === line ? "near" : far ? "far" : "" },
    h("td", null, h("span", { class: "dot", style: `background:${line.colour}` })),
    h("td", { class: "name" }, line.name),
    smoothing && h("td", null, number(line.smoothed[i])),
    h("td", null, number(line.y[i]), line.low && !line.exact ? h("span", { class: "muted" }, ` [${number(line.low[i], 3)}, ${number(line.high[i], 3)}]`) : null),
    grouped && h("td", null, line.count ? number(line.count[i]) : ""),
    h("td", { class: "muted" }, kind === "step" ? number(Math.round(line.x[i])) : readX(kind, line.x[i])));
  return [
    h("div", { class: "muted" }, readX(kind, x)),
    h("table", null, h("thead", null, h("tr", null, head.map((one) => h("th", null, one)))), h("tbody", null, rows.map(row))),
    left > 0 && h("div", { class: "muted" }, `and ${left} more`),
  ];
}

/**
 * Let mouse and keys work on a chart.
 * @param {HTMLElement} el the plot
 * @param {{figure: () => any, state: () => any, over: (near: any) => void, cursor: (x: number | null) => void, say: (text: string) => void,
 *   zoom: (x: [number, number], y: [number, number] | null) => void, reset: () => void, pick: (line: any) => void}} chart
 */
export function hover(el, chart) {
  if (!tip.isConnected) document.body.append(tip);
  const line = h("div", { class: "crosshair", hidden: true });
  const box = h("div", { class: "selection", hidden: true });
  el.append(line, box);
  let from = null;
  let last = null;
  /** Where the keys are, as a place of the axis. @type {number | null} */
  let keyed = null;

  const inside = (event) => {
    const figure = chart.figure();
    if (!figure) return null;
    const { left, top } = el.getBoundingClientRect();
    const frame = figure.frame;
    const at = { px: event.clientX - left - frame.left, py: event.clientY - top - frame.top, frame };
    return { ...at, in: at.px >= 0 && at.py >= 0 && at.px <= frame.width && at.py <= frame.height };
  };
  const toPlace = (at) => {
    const { x, y } = chart.state().picture;
    return { x: x[0] + (at.px / at.frame.width) * (x[1] - x[0]), y: y[1] - (at.py / at.frame.height) * (y[1] - y[0]) };
  };

  const show = onFrame((event) => {
    const found = chart.state();
    const at = inside(event);
    if (!found?.picture || !at?.in || from) return leave();
    const { picture, lines } = found;
    const place = toPlace(at);
    const x = picture.xscale.value(place.x);
    const rows = rowsAt(lines, x, picture.within, picture.yscale.place, place.y);
    chart.cursor(x);
    chart.over(rows.near);
    last = rows.near;
    if (!rows.rows.length) {
      hideTip();
      return undefined;
    }
    put(rows, x, found, event.clientX, event.clientY);
    return undefined;
  });

  /** Put the tooltip beside a place of the window. */
  const put = (rows, x, { kind, smoothing, grouped }, left, top) => {
    owner = el;
    fill(tip, table(rows, { x, kind, smoothing, grouped }));
    showTip();
    const size = tip.getBoundingClientRect();
    const right = left + 16 + size.width < innerWidth;
    tip.style.left = `${right ? left + 16 : Math.max(4, left - 16 - size.width)}px`;
    tip.style.top = `${Math.max(4, Math.min(top + 16, innerHeight - size.height - 4))}px`;
  };

  /** Read the values at a place of the axis, to the eyes and to the ears. */
  const read = (found, place) => {
    const { picture, lines, kind } = found;
    const [low, high] = picture.x;
    keyed = Math.max(low, Math.min(high, place));
    const x = picture.xscale.value(keyed);
    const rows = rowsAt(lines, x, picture.within, picture.yscale.place, NaN);
    chart.cursor(x);
    const { frame } = chart.figure();
    const box = el.getBoundingClientRect();
    if (rows.rows.length) put({ ...rows, near: null }, x, found, box.left + frame.left + ((keyed - low) / (high - low)) * frame.width, box.top + frame.top);
    else hideTip();
    chart.say(`${readX(kind, x)}: ${rows.rows.map(({ line, i }) => `${line.name} ${number(line.smoothed[i])}`).join(", ") || "no value"}`);
  };

  const keys = (event) => {
    const found = chart.state();
    if (!found?.picture || !chart.figure() || event.ctrlKey || event.metaKey || event.altKey) return;
    const { x: [low, high], xscale } = found.picture;
    const now = keyed ?? (low + high) / 2;
    const step = (high - low) / (event.shiftKey ? LEAPS : STEPS);
    const to = { ArrowLeft: now - step, ArrowRight: now + step, Home: low, End: high }[event.key];
    const factor = { "+": 0.5, "=": 0.5, "-": 2 }[event.key];
    if (to !== undefined) read(found, to);
    else if (factor) chart.zoom([xscale.value(now - (now - low) * factor), xscale.value(now + (high - now) * factor)], null);
    else if (event.key === "Escape" && keyed !== null) leave();
    else return;
    event.preventDefault();
  };

  const leave = () => {
    hideTip();
    chart.cursor(null);
    chart.over(null);
    last = keyed = null;
  };

  const drag = onFrame((event) => {
    if (!from) return;
    const at = inside(event);
    if (!at) return;
    const { frame } = at;
    const px = Math.max(0, Math.min(frame.width, at.px));
    const py = Math.max(0, Math.min(frame.height, at.py));
    const both = event.shiftKey;
    Object.assign(box.style, {
      left: `${frame.left + Math.min(from.px, px)}px`, width: `${Math.abs(px - from.px)}px`,
      top: `${frame.top + (both ? Math.min(from.py, py) : 0)}px`, height: `${both ? Math.abs(py - from.py) : frame.height}px`,
    });
    box.hidden = Math.abs(px - from.px) < DRAG;
  });

  el.addEventListener("keydown", keys);
  el.addEventListener("blur", () => { if (keyed !== null) leave(); });
  el.addEventListener("pointermove", (event) => {
    if (from) drag(event);
    else if (event.pointerType !== "touch") show(event);
  });
  el.addEventListener("pointerleave", () => { if (!from) { show(new PointerEvent("pointermove", { clientX: -1, clientY: -1 })); leave(); } });
  el.addEventListener("pointerdown", (event) => {
    const at = inside(event);
    if (event.button || !at?.in || !chart.state()?.picture) return;
    from = at;
    hideTip();
    el.setPointerCapture(event.pointerId);
  });
  el.addEventListener("pointerup", (event) => {
    if (!from) return;
    const at = inside(event);
    const start = from;
    from = null;
    box.hidden = true;
    if (!at) return;
    const { frame } = at;
    const end = { ...at, px: Math.max(0, Math.min(frame.width, at.px)), py: Math.max(0, Math.min(frame.height, at.py)) };
    if (Math.abs(end.px - start.px) < DRAG) {
      if (last) chart.pick(last.line);
      return;
    }
    const { picture } = chart.state();
    const a = toPlace(start);
    const b = toPlace(end);
    const sorted = (p, q, scale) => [scale.value(Math.min(p, q)), scale.value(Math.max(p, q))];
    chart.zoom(/** @type {[number, number]} */ (sorted(a.x, b.x, picture.xscale)), event.shiftKey ? /** @type {[number, number]} */ (sorted(a.y, b.y, picture.yscale)) : null);
  });
  el.addEventListener("pointercancel", () => { from = null; box.hidden = true; });
  el.addEventListener("dblclick", () => chart.reset());
  el.addEventListener("wheel", (event) => {
    const found = chart.state();
    const at = event.altKey ? inside(event) : null;
    if (!at?.in || !found?.picture) return;
    event.preventDefault();
    const { picture } = found;
    const { x } = toPlace(at);
    const factor = event.deltaY > 0 ? 1.25 : 0.8;
    chart.zoom([picture.xscale.value(x - (x - picture.x[0]) * factor), picture.xscale.value(x + (picture.x[1] - x) * factor)], null);
  }, { passive: false });

  return {
    /** The chart goes: nothing of it may stay above the page. */
    end() {
      from = last = keyed = null;
      line.hidden = box.hidden = true;
      if (owner === el) hideTip();
    },

    /** Show the crosshair at *x* of the axis, or none. */
    cursor(x) {
      const found = chart.state();
      const figure = chart.figure();
      const place = x === null || !found?.picture ? NaN : found.picture.xscale.place(x);
      const ok = figure && place >= found?.picture?.x[0] && place <= found?.picture?.x[1];
      line.hidden = !ok;
      if (!ok) return;
      const { frame } = figure;
      const [low, high] = found.picture.x;
      Object.assign(line.style, { left: `${frame.left + ((place - low) / (high - low)) * frame.width}px`, top: `${frame.top}px`, height: `${frame.height}px` });
    },
  };
}
