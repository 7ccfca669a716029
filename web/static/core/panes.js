/** Two panes side by side with a grip between them; which of them is seen, and how wide the left one is, stands in the state. */

import { fill, h, onFrame } from "./dom.js";
import { bind } from "./keys.js";
import { number, oneOf } from "./kinds.js";
import { offer } from "./search.js";

const LEAST = 260;
const MOST = 2000;
const VIEWS = ["both", "table", "charts"];

/** The part of a page's schema that `panes` needs. @param {number} width of the left pane in pixels */
export const paneSchema = (width) => ({ pane: number(width, LEAST, MOST), view: oneOf(...VIEWS) });

/**
 * Fill *root* with a pane of runs and a pane of what the page shows of them.
 * @param {HTMLElement} root @param {import("./state.js").State} state with `paneSchema`
 * @param {{label: string, what: string}} right its label, and what people call what is in it
 * @returns {{left: HTMLElement, right: HTMLElement}}
 */
export function panes(root, state, { label, what }) {
  const left = h("section", { class: "runs", "aria-label": "Runs" });
  const right = h("section", { class: "beside", "aria-label": label });
  const grip = h("div", { class: "grip", role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": "Width of the run table", "aria-valuemin": LEAST, "aria-valuemax": MOST });
  root.classList.add("panes");
  fill(root, left, grip, right);

  const layout = () => {
    const view = state.get("view");
    left.hidden = view === "charts";
    right.hidden = view === "table";
    grip.hidden = view !== "both";
    left.style.flex = view === "table" ? "1" : "";
    root.style.setProperty("--pane", `min(${state.get("pane")}px, 75vw)`);
    grip.setAttribute("aria-valuenow", String(state.get("pane")));
  };
  const drag = onFrame((x) => state.set({ pane: Math.max(LEAST, Math.round(x - root.getBoundingClientRect().left)) }, { commit: false }));
  grip.addEventListener("pointerdown", (event) => {
    grip.setPointerCapture(event.pointerId);
    const move = (moved) => drag(moved.clientX);
    grip.addEventListener("pointermove", move);
    // Also where the browser takes the pointer away.
    grip.addEventListener("lostpointercapture", () => { grip.removeEventListener("pointermove", move); state.set({ pane: state.get("pane") }); }, { once: true });
  });
  grip.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -20, ArrowRight: 20 }[event.key];
    if (by) state.set({ pane: Math.max(LEAST, state.get("pane") + by) });
  });
  layout();
  state.on((changed) => { if (["view", "pane"].some((name) => changed.has(name))) layout(); });

  const step = () => state.set({ view: VIEWS[(VIEWS.indexOf(state.get("view")) + 1) % VIEWS.length] });
  bind("Ctrl+J", `table and ${what}, table alone, ${what} alone`, step, { whileTyping: true });
  offer(`Table and ${what} side by side`, () => state.set({ view: "both" }));
  offer("The table alone", () => state.set({ view: "table" }));
  offer(`The ${what} alone`, () => state.set({ view: "charts" }));
  offer("Reset the view", () => state.set(state.defaults()));
  return { left, right };
}
