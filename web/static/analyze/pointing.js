/** What the pointer does on a plot of points: hover, click, a lasso, a rectangle, a window. In pixels of the plot. */

import { onFrame } from "../core/dom.js";
import { drawn } from "./stage.js";

const DRAG = 4; // pixels
const FINE = 3; // pixels between two corners of a lasso
const MOST_CORNERS = 2000;

/** What holding a key makes of a selection. */
export function howOf(event) {
  return event.altKey ? "take" : event.shiftKey ? "add" : "only";
}

const corners = ([a, b]) => [[a.x, a.y], [b.x, a.y], [b.x, b.y], [a.x, b.y]];

/**
 * @param {import("./stage.js").Stage} stage
 * @param {{
 *   mode: () => "lasso" | "box" | "zoom", frame: () => {left: number, top: number, width: number, height: number} | null,
 *   hover: (at: {x: number, y: number} | null) => void, click: (at: {x: number, y: number}, event: PointerEvent) => void,
 *   around: (loop: number[][] | null, how: string) => void, pick: (loop: number[][], how: string) => void,
 *   zoom: (from: {x: number, y: number}, to: {x: number, y: number}) => void, reset: () => void,
 *   wheel: (at: {x: number, y: number}, factor: number) => void,
 * }} does `around` is told while a loop is being drawn, and null when it is not any more
 */
export function pointing(stage, does) {
  const { plot } = stage;
  const shape = drawn("path", { class: "loop" });
  let start = null;
  let last = null;
  let loop = [];
  let moved = false;

  const inside = (at) => {
    const frame = does.frame();
    return frame && at.x >= frame.left && at.x <= frame.left + frame.width && at.y >= frame.top && at.y <= frame.top + frame.height;
  };
  const held = (at) => {
    const { left, top, width, height } = does.frame();
    return { x: Math.max(left, Math.min(left + width, at.x)), y: Math.max(top, Math.min(top + height, at.y)) };
  };
  const end = () => {
    start = null;
    moved = false;
    shape.remove();
    does.around(null, "only");
  };
  const hover = onFrame((at) => { if (!start) does.hover(at && inside(at) ? at : null); });
  const draw = onFrame((how) => {
    if (!start || !moved) return;
    const path = does.mode() === "lasso" ? loop : corners([start, last]);
    shape.setAttribute("d", `M${path.map((one) => one.map(Math.round).join(" ")).join("L")}Z`);
    shape.setAttribute("class", `loop ${does.mode()}`);
    if (does.mode() !== "zoom") does.around(path, how);
  });

  plot.addEventListener("pointerdown", (event) => {
    const at = stage.at(event);
    if (event.button || !does.frame() || !inside(at) || /** @type {Element} */ (event.target).closest("button")) return;
    start = last = at;
    loop = [[at.x, at.y]];
    moved = false;
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    const at = stage.at(event);
    if (!start) {
      hover(event.pointerType === "touch" ? null : at);
      return;
    }
    last = held(at);
    if (!moved && Math.hypot(last.x - start.x, last.y - start.y) < DRAG) return;
    if (!moved) {
      moved = true;
      does.hover(null);
      stage.above.append(shape);
    }
    const corner = loop.at(-1);
    if (loop.length < MOST_CORNERS && Math.hypot(last.x - corner[0], last.y - corner[1]) >= FINE) loop.push([last.x, last.y]);
    draw(howOf(event));
  });
  plot.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [from, to, path, was] = [start, held(stage.at(event)), loop, moved];
    const mode = does.mode();
    end();
    if (!was) does.click(to, event);
    else if (mode === "zoom") does.zoom(from, to);
    else does.pick(mode === "lasso" ? path : corners([from, to]), howOf(event));
  });
  plot.addEventListener("pointercancel", () => { if (start) end(); });
  plot.addEventListener("pointerleave", () => hover(null));
  plot.addEventListener("dblclick", () => does.reset());
  plot.addEventListener("wheel", (event) => {
    const at = stage.at(event);
    // The page scrolls by the wheel: with Alt or Ctrl it is for the plot.
    if (!(event.altKey || event.ctrlKey) || !does.frame() || !inside(at)) return;
    event.preventDefault();
    does.wheel(at, event.deltaY > 0 ? 1.25 : 0.8);
  }, { passive: false });
  return {
    /** Give up what is being drawn. */
    cancel() {
      if (!start) return false;
      end();
      return true;
    },
  };
}
