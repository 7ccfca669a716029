/** The settings of all charts, each with a control in sight. */

import { button, debounce, fill, h } from "../core/dom.js";
import { popover } from "../core/ui.js";
import { KINDS } from "./smooth.js";

const BANDS = { std: "mean ± std", se: "mean ± std. error", ci95: "95 % interval", minmax: "min to max", none: "mean alone" };
const MOST_AXES = 500;
const SIZES = { s: "Small charts", m: "Medium charts", l: "Large charts" };

function select(label, options, value, set) {
  return h("select", { "aria-label": label, title: label, on: { change: (event) => set(event.target.value) } },
    Object.entries(options).map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
}

/** The bar above the charts. */
export class Toolbar {
  /** @param {import("./grid.js").Context} context @param {() => {tag: string}[]} tags */
  constructor(context, tags) {
    this.context = context;
    this.tags = tags;
    const { state } = context;
    const search = debounce(() => state.set({ tags: this.search.value.trim() }), 250);
    this.search = /** @type {HTMLInputElement} */ (h("input", { type: "search", class: "tagsearch", placeholder: "Tags (regular expression)", "aria-label": "Search tags", spellcheck: "false", value: state.get("tags"), on: { input: search } }));
    this.slider = /** @type {HTMLInputElement} */ (h("input", {
      type: "range", min: 0, max: 0.99, step: 0.01, "aria-label": "Smoothing", value: state.get("sm"),
      on: { input: () => state.set({ sm: Number(this.slider.value) }, { commit: false }), change: () => state.set({ sm: Number(this.slider.value) }) },
    }));
    this.exact = /** @type {HTMLInputElement} */ (h("input", { type: "number", min: 0, max: 0.999, step: "any", class: "short", "aria-label": "Smoothing, as a number", value: state.get("sm"), on: { change: () => state.set({ sm: Math.min(0.999, Math.max(0, Number(this.exact.value) || 0)) }) } }));
    this.axis = h("span", { class: "slot" });
    this.more = button("gear", "Settings of all charts", () => this.#settings(), { text: "Settings" });
    this.zoom = button("reset", "Reset zoom", () => state.set({ zoom: null, yz: {} }), { text: "Reset zoom" });
    this.band = h("span", { class: "slot" });
    this.add = button("plus", "Add a chart of several tags, or of an expression", () => context.edit?.({ title: "", tags: [] }, null), { text: "Chart" });
    this.el = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Charts" }, this.search,
      h("label", { class: "field" }, "x", this.axis),
      h("span", { class: "field" }, "Smoothing", this.slider, this.exact),
      this.band, this.zoom, h("span", { class: "space" }), this.add, this.more);
    this.draw();
  }

  /** Show what the state says. */
  draw() {
    const { state, grouped } = this.context;
    if (document.activeElement !== this.search) this.search.value = state.get("tags");
    if (document.activeElement !== this.slider) this.slider.value = String(state.get("sm"));
    if (document.activeElement !== this.exact) this.exact.value = String(state.get("sm"));
    this.slider.disabled = state.get("sk") === "none";
    const x = state.get("x");
    const axes = { step: "Step", relative: "Relative time", wall: "Wall time" };
    const tags = this.tags();
    if (x !== this.shownX || tags !== this.shownTags) {
      this.shownX = x;
      this.shownTags = tags;
      const others = tags.map((one) => one.tag).filter((tag) => !Object.hasOwn(axes, tag)).slice(0, MOST_AXES);
      const options = { ...axes, ...(Object.hasOwn(axes, x) || others.includes(x) ? {} : { [x]: x }), ...Object.fromEntries(others.map((tag) => [tag, tag])) };
      const key = JSON.stringify([x, Object.keys(options)]);
      // A list that is open must not be taken away by one that says the same.
      if (key !== this.axisKey) fill(this.axis, select("x axis", options, x, (value) => state.set({ x: value, zoom: null })));
      this.axisKey = key;
    }
    this.zoom.hidden = !state.get("zoom") && !Object.keys(state.get("yz")).length;
    this.band.hidden = !grouped;
    const bandKey = `${grouped} ${state.get("band")} ${state.get("traces")}`;
    if (grouped && bandKey !== this.bandKey) {
      this.bandKey = bandKey;
      fill(this.band, select("Band of a group", BANDS, state.get("band"), (value) => state.set({ band: value })),
        h("label", { class: "check" }, h("input", { type: "checkbox", checked: state.get("traces"), on: { change: (event) => state.set({ traces: event.target.checked }) } }), "single runs"));
    }
  }

  #settings() {
    const { state } = this.context;
    const scales = { linear: "linear", log: "logarithmic", symlog: "symlog" };
    const row = (label, control) => h("label", { class: "row" }, h("span", null, label), control);
    const check = (label, name) => h("label", { class: "check" }, h("input", { type: "checkbox", checked: state.get(name), on: { change: (event) => state.set({ [name]: event.target.checked }) } }), label);
    popover(this.more, h("div", { class: "settings" },
      row("y axis", select("y axis", scales, state.get("ys"), (value) => state.set({ ys: value, yz: {} }))),
      row("x axis", select("Scale of the x axis", scales, state.get("xs"), (value) => state.set({ xs: value }))),
      row("Smoothing", select("Kind of smoothing", KINDS, state.get("sk"), (value) => state.set({ sk: value }))),
      row("Band", select("Band", BANDS, state.get("band"), (value) => state.set({ band: value }))),
      row("Size", select("Size of the charts", SIZES, state.get("size"), (value) => state.set({ size: value }))),
      check("Leave outliers out of the scale", "out"),
      check("Show what restarts took back", "lost"),
      check("Follow runs that grow", "live")), { label: "Settings of all charts", align: "end" });
  }
}
