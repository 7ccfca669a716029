/** What the pointer does on parallel coordinates: brushes are drawn, moved and stretched; lines are pointed at. In pixels. */

import { onFrame } from "../core/dom.js";
import { partsBetween, spansOf } from "./parallel-picture.js";

const GRIP = 12; // pixels beside an axis
const EDGE = 6; // pixels at the ends of a brush
const DRAG = 3; // pixels

/**
 * @param {import("./stage.js").Stage} stage
 * @param {{
 *   at: () => any, brush: (expr: string) => import("./brush.js").Part[], live: (expr: string, parts: import("./brush.js").Part[]) => void,
 *   done: (expr: string, parts: import("./brush.js").Part[] | null) => void, hover: (at: {x: number, y: number} | null) => void, click: (at: {x: number, y: number}) => void,
 * }} does `live` is told while a brush is being drawn, `done` when it is; null: as it was
 */
export function brushing(stage, does) {
  const { plot } = stage;
  /** @type {any} */
  let drag = null;
  const railAt = (x) => {
    const rails = does.at()?.rails ?? [];
    const found = rails.reduce((best, rail) => (Math.abs(rail.x - x) < Math.abs((best ?? rail).x - x) || !best ? rail : best), null);
    return found && Math.abs(found.x - x) <= GRIP ? found : null;
  };

  /** What is under the pointer: an end of a brush, its middle, or nothing of one. */
  const touched = (rail, y) => {
    for (const span of spansOf(rail, does.brush(rail.axis.expr))) {
      // Parts that are values have no ends of their own.
      const stretches = Array.isArray(does.brush(rail.axis.expr)[span.part]) && !span.lacking;
      if (stretches && Math.abs(y - span.from) <= EDGE) return { ...span, end: "from" };
      if (stretches && Math.abs(y - span.to) <= EDGE) return { ...span, end: "to" };
      if (y >= span.from && y <= span.to) return { ...span, end: stretches ? "both" : "none" };
    }
    return null;
  };

  const now = (y) => {
    const { rail, others, span, from } = drag;
    const held = Math.max(rail.top, Math.min(rail.lacking ? rail.none + 8 : rail.foot, y));
    if (!span || span.end === "none") return [...others, ...partsBetween(rail, from, held)];
    if (span.end === "both") {
      const by = Math.max(rail.top - span.from, Math.min(rail.foot - span.to, y - from));
      return [...others, ...partsBetween(rail, span.from + by, span.to + by)];
    }
    const fixed = span.end === "from" ? span.to : span.from;
    return [...others, ...partsBetween(rail, fixed, Math.max(rail.top, Math.min(rail.foot, held)))];
  };

  const draw = onFrame((y) => { if (drag?.moved) does.live(drag.rail.axis.expr, now(y)); });
  const hover = onFrame((at) => { if (!drag) does.hover(at); });

  plot.addEventListener("pointerdown", (event) => {
    const { x, y } = stage.at(event);
    const rail = event.button ? null : railAt(x);
    if (!rail) return;
    const span = touched(rail, y);
    const parts = does.brush(rail.axis.expr);
    drag = { rail, from: y, span, moved: false, parts, others: span && span.end !== "none" ? parts.filter((_, i) => i !== span.part) : parts };
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    const { x, y } = stage.at(event);
    if (!drag) {
      const rail = railAt(x);
      const span = rail && touched(rail, y);
      plot.style.cursor = !rail ? "" : span?.end === "both" ? "grab" : span && span.end !== "none" ? "ns-resize" : "crosshair";
      hover(event.pointerType === "touch" ? null : { x, y });
      return;
    }
    if (!drag.moved && Math.abs(y - drag.from) < DRAG) return;
    if (!drag.moved) does.hover(null);
    drag.moved = true;
    draw(y);
  });
  plot.addEventListener("pointerup", (event) => {
    const at = stage.at(event);
    if (!drag) {
      does.click(at);
      return;
    }
    const { rail, moved, span, parts } = drag;
    const { expr } = rail.axis;
    const found = moved ? now(at.y) : toggled(rail, at.y, parts, span);
    drag = null;
    does.done(expr, found);
  });
  plot.addEventListener("pointercancel", () => {
    if (!drag) return;
    const { expr } = drag.rail.axis;
    drag = null;
    does.done(expr, null);
  });
  plot.addEventListener("dblclick", (event) => {
    const rail = railAt(stage.at(event).x);
    if (rail) does.done(rail.axis.expr, []);
  });
  plot.addEventListener("pointerleave", () => hover(null));
}

/** A click on a category, or on the place of those without a value, adds it to the brush or takes it from it; elsewhere nothing happens. */
function toggled(rail, y, parts, span) {
  if (span) return span.end === "none" ? parts.filter((_, i) => i !== span.part) : null;
  const { axis } = rail;
  if (rail.lacking && Math.abs(y - rail.none) < 10) return [...parts, ...partsBetween(rail, rail.none, rail.none)];
  if (axis.kind !== "category") return null;
  const near = axis.categories.findIndex((_, i) => Math.abs(rail.y(i) - y) <= 8);
  return near >= 0 ? [...parts, ...partsBetween(rail, rail.y(near) - 1, rail.y(near) + 1)] : null;
}
