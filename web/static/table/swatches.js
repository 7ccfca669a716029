/** Choosing a colour for a run or a group: in this view, or for everybody. */

import { send } from "../core/api.js";
import { PALETTE, distinct } from "../core/colour.js";
import { h } from "../core/dom.js";
import { popover, tell, toast } from "../core/ui.js";

let everybody = false;

/**
 * @param {HTMLElement} anchor
 * @param {{key: string, label: string, colour: string, shared: boolean, drawn: string[], state: import("../core/state.js").State, written: () => void}} told
 * `shared`: a run, whose colour can be the same for all; `written` is called when that was stored
 */
export function swatches(anchor, { key, label, colour, shared, drawn, state, written }) {
  const here = (value) => {
    const { [key]: _, ...rest } = state.get("hue");
    state.set({ hue: value ? { ...rest, [key]: value } : rest });
  };
  const pick = async (value) => {
    opened?.close();
    if (!shared || !everybody) {
      here(value);
      return;
    }
    try {
      await send("PATCH", "annotations", { runs: [key], set: { colour: value } });
      here("");
      written();
    } catch (error) {
      toast(tell(error), { bad: true });
    }
  };
  const swatch = (value) => h("button", { type: "button", class: "swatch", style: `background:${value}`, "aria-label": value, title: value, "aria-pressed": String(value === colour.toLowerCase()), on: { click: () => pick(value) } });
  const hex = /** @type {HTMLInputElement} */ (h("input", { type: "text", value: colour, size: 8, maxlength: 7, pattern: "#?[0-9a-fA-F]{6}", "aria-label": "Colour as hexadecimal number", spellcheck: "false" }));
  const typed = () => {
    const value = hex.value.trim().replace(/^#?/, "#").toLowerCase();
    if (/^#[0-9a-f]{6}$/.test(value)) pick(value);
    else hex.setCustomValidity("Six hexadecimal digits: #346bbb"), hex.reportValidity();
  };
  const scope = (value, text) => h("label", null, h("input", { type: "radio", name: "scope", checked: everybody === value, on: { change: () => { everybody = value; } } }), text);
  const opened = popover(anchor, [
    h("div", { class: "muted swatch-label" }, label),
    h("div", { class: "swatches", role: "group", "aria-label": "Palette" }, PALETTE.map(swatch)),
    h("form", { class: "hex", on: { submit: (event) => { event.preventDefault(); typed(); } } }, hex, h("button", { class: "button" }, "Use"), h("button", { type: "button", class: "button", on: { click: () => pick("") } }, "Reset")),
    shared && h("div", { class: "scope", role: "radiogroup", "aria-label": "Where it applies" }, scope(false, "in this view"), scope(true, "for everybody")),
    drawn.length > 1 && h("button", { type: "button", class: "button", on: { click: () => { opened?.close(); state.set({ hue: { ...state.get("hue"), ...distinct(drawn) } }); } } }, `Distinct colours for ${drawn.length} drawn`),
  ].filter(Boolean), { label: `Colour of ${label}`, class: "colours" });
  return opened;
}
