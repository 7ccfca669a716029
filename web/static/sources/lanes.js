/** When each source was looked at: a lane for each, with a mark for each cycle. */

import { fill, h } from "../core/dom.js";
import { natural, plural } from "../core/format.js";
import { ink } from "../run/plot.js";
import { MEASURES } from "./bins.js";
import { healthOf } from "./health.js";
import { BOX, clock, line, shortened, span, summary } from "./words.js";

const MOST = 24;
const HEIGHT = 16; // of a lane in pixels
const LEFT = 150;
const NEAR = 4; // pixels from the pointer

/** The lanes of sources. */
export class Lanes {
  /** @param {import("./cycles.js").Cycles} view the charts that they stand above */
  constructor(view) {
    this.view = view;
    /** @type {string[]} */
    this.names = [];
    this.lane = null; // the source under the pointer
    this.note = h("p", { class: "muted" });
    this.plot = view.plot({
      label: "When cycles ran", height: 40, draw: (context, width) => this.#draw(context, width), hover: (x, y) => this.#hover(x, y),
      pick: (_, y) => { const name = this.#at(y); if (name) view.page.choose(name); },
    });
    this.el = h("section", { class: "sheet lanes", "aria-label": "When cycles ran" },
      h("header", { class: "sheethead" }, h("h3", null, "When cycles ran"), h("span", { class: "muted" }, "solid where something was read, red where a problem was found, grey behind where no cycle ran")),
      this.plot.el, this.note);
  }

  /** There are other cycles. @param {number} ran how many */
  update(ran) {
    const { names, gaps, page } = this.view;
    const late = new Set(page.data.sources.filter((one) => healthOf(one) !== "fresh").map((one) => one.source));
    // Where not all have room, those that are late come first: they are what is looked for.
    const many = names.length > MOST;
    this.names = many ? [...names].sort((a, b) => Number(late.has(b)) - Number(late.has(a)) || natural(a, b)).slice(0, MOST) : names;
    this.note.hidden = !many;
    fill(this.note, many && `${MOST} of ${names.length} sources, those that are late first. Choose one in the table to see it alone.`);
    this.plot.canvas.style.height = `${this.names.length * HEIGHT + BOX.top + BOX.foot}px`;
    this.plot.say(`When cycles ran: ${plural(Math.round(ran), "cycle")}, ${plural(gaps.length, "pause")} longer than usual`);
  }

  #draw(context, width) {
    const { view } = this;
    if (!view.cycles.length) return;
    const colours = ink();
    view.ground(context, width, LEFT, BOX.top, BOX.top + this.names.length * HEIGHT);
    const { x } = view.place(width, LEFT);
    const lane = new Map(this.names.map((name, i) => [name, BOX.top + i * HEIGHT]));
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const [name, top] of lane) {
      context.fillStyle = name === this.lane ? colours.text : colours.muted;
      context.fillText(shortened(context, name, LEFT - 14), LEFT - 8, top + HEIGHT / 2);
      context.strokeStyle = colours.line;
      line(context, LEFT, top + HEIGHT - 0.5, width - BOX.right, top + HEIGHT - 0.5);
    }
    const bad = getComputedStyle(document.documentElement).getPropertyValue("--bad").trim();
    for (const cycle of view.cycles) {
      const top = lane.get(cycle.source);
      if (top === undefined) continue;
      const a = Math.max(LEFT, x(cycle.from));
      const wide = Math.max(2, x(cycle.to) - a);
      context.globalAlpha = cycle.files_changed || cycle.problems ? 1 : 0.4;
      context.fillStyle = view.colour.get(cycle.source) ?? colours.muted;
      context.fillRect(a, top + 3, wide, HEIGHT - 7);
      if (cycle.problems) {
        context.fillStyle = bad;
        context.fillRect(a, top + HEIGHT - 5, wide, 3);
      }
    }
    context.globalAlpha = 1;
  }

  #at(y) {
    return this.names[Math.floor((y - BOX.top) / HEIGHT)] ?? null;
  }

  #hover(x, y) {
    const { view } = this;
    const width = this.plot.canvas.clientWidth;
    const place = view.place(width, LEFT);
    this.lane = this.#at(y);
    view.point(x < LEFT || x > width - BOX.right ? null : place.time(x));
    if (!this.lane) return null;
    const { at } = view;
    const head = h("strong", null, this.lane);
    if (at === null) return [head];
    const near = ((view.now - view.from) / place.inner) * NEAR;
    const hit = view.cycles.findLast((one) => one.source === this.lane && one.from - near <= at && one.to + near >= at);
    if (!hit) return [head, h("div", { class: "muted" }, `No cycle at ${clock(at)}`)];
    const cell = { cycles: hit.cycles, seconds: hit.seconds, most: 0, values: Object.fromEntries(MEASURES.map((name) => [name, hit[name] ?? 0])) };
    return [head, h("div", null, span([hit.from, hit.to])), h("div", { class: "muted" }, summary([cell])), hit.reason && h("div", null, hit.reason)];
  }
}
