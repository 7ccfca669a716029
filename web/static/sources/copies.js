/** Runs that lie in several places: which of them is shown, and where its copies are. */

import { get } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { empty } from "../core/ui.js";
import { middle } from "../table/cells.js";
import { Answer } from "./answer.js";
import { Pager } from "./pager.js";
import { Rows } from "./rows.js";

const SIZE = 50;
const MOST_PLACES = 10;

/** @type {import("../run/tabs.js").Part} */
export default {
  id: "copies",
  label: "Copies",
  none: "",
  about: () => true,
  make: (el, page) => new Copies(el, page),
};

const place = (one) => h("span", { class: "place" }, h("span", { class: "chip" }, one.source), middle(one.path), one.machine && h("span", { class: "muted" }, `on ${one.machine}`));

class Copies {
  constructor(el, page) {
    this.page = page;
    this.answer = new Answer();
    this.count = h("p", { role: "status" });
    this.none = h("div");
    this.table = new Rows("Runs with copies", [
      { id: "name", title: "Run that is shown", head: true, cell: (row) => h("a", { href: `/run/${encodeURIComponent(row.run_key)}` }, middle(row.name)) },
      { id: "where", title: "It lies in", cell: place },
      { id: "copies", title: "Copies of it", kind: () => "placescell", cell: (row) => this.#copies(row) },
      { id: "count", title: "Copies", number: true, cell: (row) => row.copies.length.toLocaleString("en-US") },
    ], { key: (row) => row.run_key });
    this.pager = new Pager("copies", SIZE, (ca) => page.state.set({ ca }));
    fill(this.answer.content, this.count, this.none, this.table.el, this.pager.el);
    fill(el, h("p", { class: "muted" }, "Runs whose event files have the same names and first records are one run that lies in several places. The fullest is shown, the others are left out of tables, charts and sums unless copies are asked for."), this.answer.el);
  }

  #copies(row) {
    const shown = row.copies.slice(0, MOST_PLACES);
    return h("ul", { class: "places" }, shown.map((one) => h("li", null, h("a", { href: `/run/${encodeURIComponent(one.run_key)}`, title: one.name }, "open"), place(one))),
      row.copies.length > shown.length && h("li", { class: "muted" }, `and ${row.copies.length - shown.length} more`));
  }

  update() {
    const { source, ca: offset } = this.page.state.values;
    this.answer.ask([source, offset], (signal) => get("copies", { source, limit: SIZE, offset }, signal), (found) => this.#show(found, offset, source));
  }

  /** @param {Set<string>} changed */
  follow(changed) {
    if (["source", "ca"].some((name) => changed.has(name))) this.update();
  }

  #show({ total, copies }, offset, source) {
    fill(this.count, total > 0 && `${plural(total, "run")} with copies`);
    this.table.el.hidden = !copies.length;
    this.table.show(copies);
    this.pager.show(offset, copies.length, total);
    fill(this.none, !total && h("p", { class: "fine" }, source ? `No run of ${source} lies in several places.` : "No run lies in several places."),
      total > 0 && !copies.length && empty("There are fewer by now.", h("button", { type: "button", class: "button", on: { click: () => this.page.state.set({ ca: 0 }) } }, "To the first page")));
  }
}
