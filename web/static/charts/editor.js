/** Putting a chart together: of several tags, or of an expression over tags. */

import { button, fill, h } from "../core/dom.js";
import { dialog } from "../core/ui.js";
import { parse } from "./expr.js";

const SHOWN = 200;

/**
 * Ask for a chart and put it into the state, in the place *at*, or at the end.
 * @param {import("./grid.js").Context} context @param {string[]} tags those that there are
 * @param {{title?: string, tags?: string[], expr?: string}} chart @param {number | null} at
 */
export function editChart(context, tags, chart, at) {
  const { state } = context;
  const chosen = new Set(chart.tags ?? []);
  const title = /** @type {HTMLInputElement} */ (h("input", { type: "text", maxlength: 200, value: chart.title ?? "", "aria-label": "Title", placeholder: "as its tags are called" }));
  const expr = /** @type {HTMLInputElement} */ (h("input", { type: "text", maxlength: 1000, class: "code", spellcheck: "false", value: chart.expr ?? "", "aria-label": "Expression", placeholder: '"train/loss" - "val/loss"' }));
  const wrong = h("p", { class: "wrong", role: "alert" });
  const search = /** @type {HTMLInputElement} */ (h("input", { type: "search", "aria-label": "Search tags", placeholder: "Search tags", autofocus: true }));
  const box = h("div", { class: "choices", role: "group", "aria-label": "Tags" });
  const picked = h("div", { class: "chips" });

  const check = () => {
    fill(wrong);
    if (!expr.value.trim()) return null;
    try {
      const found = parse(expr.value);
      const missing = found.tags.find((tag) => !tags.includes(tag));
      if (missing) fill(wrong, `none of the runs that are drawn has the tag ${missing}`);
      return found;
    } catch (error) {
      fill(wrong, `${error.message} (at character ${error.position + 1})`);
      return undefined;
    }
  };
  const draw = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = tags.filter((tag) => words.every((word) => tag.toLowerCase().includes(word)));
    fill(box, fits.slice(0, SHOWN).map((tag) => h("label", { class: "check" }, h("input", { type: "checkbox", checked: chosen.has(tag), on: { change: (event) => { if (event.target.checked) chosen.add(tag); else chosen.delete(tag); draw(); } } }), tag)),
      fits.length > SHOWN && h("p", { class: "muted" }, `and ${fits.length - SHOWN} more: search for them`));
    fill(picked, [...chosen].map((tag) => h("span", { class: "chip" }, tag, button("close", `Take ${tag} away`, () => { chosen.delete(tag); draw(); }))));
  };
  search.addEventListener("input", draw);
  expr.addEventListener("input", check);
  draw();
  dialog(at === null ? "Add a chart" : "Edit a chart", h("div", { class: "editor" },
    h("label", { class: "row" }, h("span", null, "Title"), title),
    h("h3", null, "Several tags on one chart"), picked, search, box,
    h("h3", null, "Or an expression"),
    h("p", { class: "muted" }, "Tags stand in double quotes. + - * / ^, brackets, and abs, sqrt, exp, ln, log10, log2, min, max, pow are understood. It has a point where the sparsest tag has one, and takes the last value so far of the others; where points are too many to be drawn one by one, the means of buckets."),
    expr, wrong), [{
    label: at === null ? "Add" : "Save", primary: true,
    run: () => {
      const found = check();
      if (found === undefined) return false;
      if (!found && !chosen.size) throw new Error("choose a tag, or write an expression");
      const made = found ? { title: title.value.trim(), expr: expr.value.trim(), tags: [] } : { title: title.value.trim(), tags: [...chosen] };
      const multi = [...state.get("multi")];
      multi.splice(at ?? multi.length, at === null ? 0 : 1, made);
      state.set({ multi });
      return true;
    },
  }]);
}
