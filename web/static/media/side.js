/** One of the two images of the viewer: which run, tag, image and step it is, with controls for each. */

import { button, fill, h } from "../core/dom.js";
import { time } from "../core/format.js";
import { stepText } from "../run/steps.js";
import { seriesName } from "./chooser.js";

const [RUN, TAG, STREAM, IDX, STEP] = [0, 1, 2, 3, 4];

/** A or B. Its place in the state is [run, tag, stream, index, step or null where it follows the slider]. */
export class Side {
  /** @param {"A" | "B"} letter @param {any} viewer */
  constructor(letter, viewer) {
    Object.assign(this, { letter, viewer, name: letter === "A" ? "va" : "vb", item: null, picture: null, error: null, series: null });
    this.dot = h("span", { class: "dot" });
    this.run = h("select", { class: "runs", "aria-label": `Run of ${letter}`, on: { change: () => this.set({ [RUN]: this.run.value }) } });
    this.tag = h("select", { class: "tags", "aria-label": `Tag of ${letter}`, on: { change: () => this.#tagged() } });
    this.idx = h("select", { "aria-label": `Image of ${letter} within its step`, on: { change: () => this.set({ [IDX]: Number(this.idx.value) }) } });
    this.link = button("pin", `Keep ${letter} at this step`, () => this.#pin(), {});
    this.back = button("right", `${letter}: the step before`, () => this.move(-1), { class: "button bare back" });
    this.next = button("right", `${letter}: the next step`, () => this.move(1));
    this.says = h("span", { class: "step" });
    this.el = h("div", { class: "source", role: "group", "aria-label": `Image ${letter}` }, h("strong", { class: `letter ${letter}` }, letter), this.dot, this.run, this.tag, this.idx, this.back, this.says, this.next, this.link);
  }

  /** What the state says. */
  get ref() {
    return this.viewer.state.get(this.name);
  }

  /** Change some of it. */
  set(patch) {
    const ref = [...this.ref];
    for (const [at, value] of Object.entries(patch)) ref[at] = value;
    this.viewer.state.set({ [this.name]: ref });
  }

  /** Another step for this image alone; where it follows the slider, the slider moves. */
  move(by) {
    if (this.ref[STEP] === null) return this.viewer.bar.move(by);
    const { steps } = this.series;
    const at = Math.max(0, Math.min(steps.length - 1, this.series.place(this.ref[STEP]) + by));
    return this.set({ [STEP]: steps[at] });
  }

  /** Another run. */
  other(by) {
    const { runs } = this.viewer;
    const at = runs.findIndex((one) => one.key === this.ref[RUN]);
    if (runs.length > 1) this.set({ [RUN]: runs[(at + by + runs.length) % runs.length].key });
  }

  #tagged() {
    const tag = this.viewer.tags[Number(this.tag.value)];
    if (tag) this.set({ [TAG]: tag.tag, [STREAM]: tag.stream, [IDX]: 0 });
  }

  #pin() {
    this.set({ [STEP]: this.ref[STEP] === null ? this.item?.step ?? this.viewer.panel.shown : null });
  }

  /** The item that is meant now. @param {import("./series.js").Series} series */
  take(series) {
    this.series = series;
    const items = series.near(this.ref[STEP] ?? this.viewer.panel.at);
    return items.find((one) => one.idx === this.ref[IDX]) ?? items[0];
  }

  /** The name of what is shown, for people. */
  get title() {
    const run = this.viewer.runs.find((one) => one.key === this.ref?.[RUN]);
    return [run?.label ?? this.ref?.[RUN], this.ref?.[TAG], this.item && stepText(this.item.step)].filter(Boolean).join(", ");
  }

  /** Show what the state says. */
  draw() {
    const { ref, viewer, item } = this;
    this.el.hidden = !ref;
    if (!ref) return;
    const { runs, tags } = viewer;
    const known = runs.some((one) => one.key === ref[RUN]);
    const at = tags.findIndex((one) => one.tag === ref[TAG] && one.stream === ref[STREAM]);
    const key = JSON.stringify([runs.map((one) => [one.key, one.label]), tags.map((one) => [one.tag, one.stream]), known ? 0 : ref[RUN], at < 0 ? ref[TAG] : 0]);
    if (key !== this.key) {
      this.key = key;
      fill(this.run, [...(known ? [] : [{ key: ref[RUN], label: `${ref[RUN]} (not drawn)` }]), ...runs].map((one) => h("option", { value: one.key }, one.group ? `${one.group}: ${one.label}` : one.label)));
      fill(this.tag, at < 0 && h("option", { value: "-1" }, ref[TAG]), tags.map((one, i) => h("option", { value: String(i) }, seriesName(one))));
    }
    this.run.value = ref[RUN];
    this.tag.value = String(at);
    this.dot.style.background = runs.find((one) => one.key === ref[RUN])?.colour ?? "var(--muted)";
    const most = this.series?.most ?? 1;
    this.idx.hidden = most < 2;
    if (this.idx.children.length !== most) fill(this.idx, Array.from({ length: most }, (_, i) => h("option", { value: String(i) }, `${i + 1} of ${most}`)));
    this.idx.value = String(item?.idx ?? ref[IDX]);
    const kept = ref[STEP] !== null;
    this.link.setAttribute("aria-pressed", String(kept));
    this.link.title = kept ? `${this.letter} stays at this step; press to follow the slider` : `${this.letter} follows the slider; press to keep it at this step`;
    this.back.hidden = this.next.hidden = !kept;
    const shown = viewer.panel.shown;
    const away = !kept && item && item.step !== shown;
    fill(this.says, item ? h("span", { class: away ? "away" : "", title: [item.wall && time(item.wall), away && `the nearest to step ${shown?.toLocaleString("en-US")}`].filter(Boolean).join(" · ") }, stepText(item.step)) : "");
  }
}
