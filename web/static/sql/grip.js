/** The edge below the editor: it is dragged, or moved by keys. */

import { h, onFrame } from "../core/dom.js";

const STEP = 20;

/**
 * @param {{label: string, least: number, most: () => number, get: () => number, set: (px: number, commit: boolean) => void}} told
 * @returns {HTMLElement}
 */
export function grip({ label, least, most, get, set }) {
  const el = h("div", { class: "sql-grip", role: "separator", tabindex: "0", "aria-orientation": "horizontal", "aria-label": label, "aria-valuemin": least, "aria-valuenow": get() });
  const put = (px, commit) => {
    const next = Math.round(Math.max(least, Math.min(most(), px)));
    el.setAttribute("aria-valuenow", String(next));
    set(next, commit);
  };
  el.addEventListener("pointerdown", (event) => {
    const [from, height] = [event.clientY, get()];
    el.setPointerCapture(event.pointerId);
    const drag = onFrame((y) => put(height + y - from, false));
    const move = (moved) => drag(moved.clientY);
    el.addEventListener("pointermove", move);
    el.addEventListener("lostpointercapture", () => { el.removeEventListener("pointermove", move); put(get(), true); }, { once: true });
  });
  el.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -STEP, ArrowDown: STEP }[event.key];
    if (!by) return;
    event.preventDefault();
    put(get() + by, true);
  });
  return el;
}
