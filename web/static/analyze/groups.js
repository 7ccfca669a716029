/** How a metric lies in groups of runs: boxes with their runs, or bars with errors; a click selects the runs of a group. */

import { get } from "../core/api.js";
import { fill, h, onFrame } from "../core/dom.js";
import { number, plural } from "../core/format.js";
import { empty } from "../core/ui.js";
import { column } from "../table/expression.js";
import { groupId } from "../table/rows.js";
import { keysOf, metricOf } from "./automatic.js";
import { Body, copyButton, field, segmented, select } from "./body.js";
import { ExpressionBox } from "./expression-box.js";
import { axis, ERRORS, facts, layout, mark } from "./groups-picture.js";
import { groupName, KeysBox } from "./keys-box.js";
import { drawn } from "./stage.js";

const MOST = 60;
const ASKED = ["boxOf", "boxBy", "boxSort"];
const LOOK = ["boxKind", "boxErr", "boxScale"];
const SORTS = { key: "by name", median: "lowest median first", "-median": "highest median first", "-values": "most runs first" };
const SCALES = { linear: "linear", log: "logarithmic", symlog: "symlog" };

export class Groups {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state @param {any} page */
  constructor(el, state, page) {
    Object.assign(this, { state, page, answer: null, asked: null, groups: [], marks: [] });
    this.body = new Body();
    this.metric = new ExpressionBox({ label: "Metric of the groups", fields: page.fields, more: () => [{ label: "automatic", detail: "the scatter's y", value: "" }], pick: (expr) => state.set({ boxOf: expr }) });
    this.keys = new KeysBox({ fields: page.fields, put: (boxBy) => state.set({ boxBy }) });
    this.kind = segmented("What is drawn", { boxes: ["Boxes", "Median and quartiles; whiskers end at the last run within 1.5 heights of the box, dots lie beyond them or are all there are; ◇ is the mean"], bars: ["Bars", "Means with their error"] }, (boxKind) => state.set({ boxKind }));
    this.error = select("Whiskers of the bars", ERRORS, (boxErr) => state.set({ boxErr }));
    this.sort = select("Order of the groups", SORTS, (boxSort) => state.set({ boxSort }));
    this.scale = select("Scale of the metric", SCALES, (boxScale) => state.set({ boxScale }));
    this.copy = copyButton(() => this.#table());
    this.svg = /** @type {SVGSVGElement} */ (drawn("svg", { class: "groups", role: "group", "aria-label": "Groups" }));
    this.card = h("div", { class: "card-tip", "aria-hidden": "true", hidden: true });
    this.stage = h("div", { class: "stage boxes" }, this.svg, this.card);
    this.about = h("p", { class: "note", role: "status" });
    this.nothing = h("div");
    fill(this.body.shown, this.about, this.stage, this.nothing);
    el.append(
      h("div", { class: "controls" }, field("Metric", this.metric.el, this.scale), field("by", this.keys.el), this.sort, this.kind.el, this.error, h("span", { class: "actions" }, this.copy)),
      this.body.el);
    this.#listen();
    new ResizeObserver(onFrame(() => { if (this.answer && this.width !== this.stage.clientWidth) this.#draw(); })).observe(this.stage);
    state.on((changed) => this.#changed(changed));
    this.#controls();
  }

  #changed(changed) {
    const follows = (changed.has("sy") && !this.state.get("boxOf")) || (changed.has("group") && !this.state.get("boxBy").length);
    if (follows || ASKED.some((name) => changed.has(name))) this.update();
    else if (LOOK.some((name) => changed.has(name))) {
      this.#controls();
      this.#draw();
    } else if (changed.has("sel")) this.#select();
  }

  get #look() {
    const { boxKind: kind, boxErr: error, boxScale: scale } = this.state.values;
    return { kind, error, scale };
  }

  #controls() {
    const { boxOf, boxBy, boxKind, boxErr, boxSort, boxScale } = this.state.values;
    this.metric.show(boxOf);
    this.keys.show(boxBy, this.asked?.group_by);
    this.kind.show(boxKind);
    this.error.value = boxErr;
    this.error.hidden = boxKind !== "bars";
    this.sort.value = boxSort;
    this.scale.value = boxScale;
  }

  async #question(signal) {
    const { boxOf, boxBy, boxSort } = this.state.values;
    const [metric, keys] = await Promise.all([metricOf(boxOf, this.state, this.page, signal), keysOf(boxBy, this.state, this.page)]);
    return { ...this.page.params(), group_by: keys, metric, sort: boxSort, limit: MOST };
  }

  update() {
    this.#controls();
    const { boxOf, sy, boxBy, group, boxSort } = this.state.values;
    this.body.ask([boxOf || sy, boxBy.length ? boxBy : group, boxSort, this.page.params()], async (signal) => {
      const asked = await this.#question(signal);
      signal.throwIfAborted();
      this.asked = asked;
      this.metric.input.placeholder = asked.metric;
      this.#controls();
      return get("boxes", asked, signal);
    }, (answer) => {
      this.answer = answer;
      this.groups = answer.rows.map((row) => this.#group(row));
      this.#draw();
    });
  }

  #group(row) {
    const { keys, columns } = this.answer;
    const told = Object.fromEntries(columns.slice(keys.length).map((one, i) => [one.name, row[keys.length + i]]));
    const values = row.slice(0, keys.length);
    const { runs, values: count } = told;
    return {
      ...told, own: values, id: groupId(values), none: values.every((value) => value === null),
      name: groupName(values, (value) => (typeof value === "number" ? number(value) : String(value))),
      count: count === runs ? runs.toLocaleString("en-US") : `${count.toLocaleString("en-US")} of ${runs.toLocaleString("en-US")}`,
    };
  }

  #draw() {
    const { answer, groups } = this;
    if (!answer) return;
    const look = this.#look;
    const title = column(this.asked.metric).title;
    const some = groups.some((one) => one.values);
    this.copy.disabled = !groups.length;
    this.stage.hidden = !some;
    fill(this.nothing, !some && empty(groups.length ? `No run that is looked at has a value of ${title}. Choose another metric, or another filter.` : "No run matches the filter."));
    this.#tell(title, look);
    if (!some) return;
    this.width = this.stage.clientWidth;
    const at = layout(groups, look, Math.max(240, this.width));
    for (const [name, value] of [["width", at.width], ["height", at.height], ["viewBox", `0 0 ${at.width} ${at.height}`]]) this.svg.setAttribute(name, String(value));
    const held = this.marks.findIndex((one) => one === document.activeElement);
    this.marks = groups.map((group, i) => {
      const says = facts(group, look).map(([name, value]) => `${name} ${value}`).join(", ");
      const el = drawn("g", { class: "group-mark", role: "button", tabindex: "0", "aria-label": `${group.name}: ${says}` }, ...mark(group, at, look, i));
      const tint = this.page.tints.get(group.id);
      if (tint) el.style.setProperty("--tint", tint);
      return el;
    });
    this.svg.replaceChildren(axis(at), ...this.marks);
    if (held >= 0) this.marks[Math.min(held, this.marks.length - 1)]?.focus({ preventScroll: true });
    this.#select();
  }

  #tell(title, look) {
    const { answer, groups, about } = this;
    const rest = answer.total - groups.length;
    const below = look.scale === "log" ? groups.filter((one) => one.values && (look.kind === "bars" ? one.mean : one.min) <= 0).length : 0;
    fill(about, `${title} in ${plural(answer.total, "group")}, over all of their runs. `,
      rest > 0 && `The first ${groups.length} are shown: another order or a filter shows others. `,
      below > 0 && `${plural(below, "group")} ${below === 1 ? "has" : "have"} values of 0 or less, which a logarithmic axis does not show. `);
  }

  /** Mark the runs that are selected. */
  #select() {
    const keys = new Set(this.state.get("sel"));
    for (const dot of this.svg.querySelectorAll(".dot-run")) dot.classList.toggle("selected", keys.has(/** @type {SVGElement} */ (dot).dataset.key));
  }

  /** Colours of groups have changed. */
  repaint() {
    this.marks.forEach((el, i) => el.style.setProperty("--tint", this.page.tints.get(this.groups[i].id) ?? ""));
  }

  /** Mark a run. @param {string | null} key */
  highlight(key) {
    for (const dot of this.svg.querySelectorAll(".dot-run")) dot.classList.toggle("lit", key !== null && /** @type {SVGElement} */ (dot).dataset.key === key);
  }

  // Pointer and keys

  #listen() {
    const { svg } = this;
    const index = (event) => this.marks.indexOf(event.target.closest?.(".group-mark"));
    svg.addEventListener("click", (event) => {
      const key = event.target.dataset?.key;
      const i = index(event);
      if (key) this.page.pick([key], event.shiftKey ? "add" : "only");
      else if (i >= 0) this.#pick(i, event.shiftKey);
    });
    svg.addEventListener("keydown", (event) => {
      const i = index(event);
      if (i < 0) return;
      const to = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: this.marks.length - 1 }[event.key];
      if (event.key === "Enter" || event.key === " ") this.#pick(i, event.shiftKey);
      else if (to === undefined) return;
      else this.marks[to]?.focus();
      event.preventDefault();
    });
    svg.addEventListener("pointermove", onFrame((event) => {
      const key = event.target.dataset?.key;
      if (key !== this.over) this.page.hover(key ?? null);
      this.over = key;
      const box = this.stage.getBoundingClientRect();
      this.#tip(index(event), event.clientX - box.left, event.clientY - box.top, key);
    }));
    svg.addEventListener("pointerleave", () => { this.#tip(-1); if (this.over) this.page.hover(null); this.over = undefined; });
    svg.addEventListener("focusin", (event) => {
      if (!event.target.matches(":focus-visible")) return;
      const [box, own] = [this.stage.getBoundingClientRect(), event.target.getBoundingClientRect()];
      this.#tip(index(event), own.left - box.left + own.width / 2, own.top - box.top + own.height / 2);
    });
    svg.addEventListener("focusout", () => this.#tip(-1));
  }

  #tip(i, x = 0, y = 0, key = undefined) {
    const group = this.groups[i];
    this.card.hidden = !group;
    if (!group) return;
    const run = key && group.points.find((one) => one.run_key === key);
    fill(this.card, run ? [h("div", { class: "who" }, run.run), h("table", null, row([column(this.asked.metric).title, number(run.value)]), row(["group", group.name]))]
      : [h("div", { class: "who" }, h("strong", null, group.name)), h("table", null, facts(group, this.#look).map(row))]);
    const { offsetWidth: width, offsetHeight: height } = this.card;
    this.card.style.left = `${x + 14 + width > this.stage.clientWidth ? Math.max(4, x - width - 14) : x + 14}px`;
    this.card.style.top = `${Math.max(4, Math.min(this.stage.clientHeight - height - 4, y - height / 2))}px`;
  }

  async #pick(i, more) {
    const members = this.asked.group_by.map((text, k) => [column(text).expr, this.groups[i].own[k]]);
    const answer = await get("runs", { ...this.page.params(), columns: ["run_key"], members: JSON.stringify(members), limit: 100_000 });
    this.page.pick(answer.rows.map((one) => one[1]), more ? "add" : "only");
  }

  #table() {
    const { keys, columns } = this.answer;
    const shown = columns.map((one, i) => i).filter((i) => i < keys.length || columns[i].name !== "points");
    return { names: shown.map((i) => columns[i].name), rows: this.answer.rows.map((one) => shown.map((i) => one[i])) };
  }
}

function row([name, value]) {
  return h("tr", null, h("th", null, name), h("td", null, value));
}
