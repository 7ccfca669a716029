/** What can be asked: tables, their columns, and what they hold, in words. */

import { button, fill, h, icon } from "../core/dom.js";
import { matcher } from "../core/combo.js";
import { identifier } from "./complete.js";

/** Words in which names stand between backticks. */
const worded = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", null, part) : part));

export class Tables {
  /**
   * @param {HTMLElement} el
   * @param {{insert: (text: string) => void, run: (sql: string) => void}} told
   */
  constructor(el, told) {
    this.told = told;
    this.schema = null;
    this.opened = new Set(["runs"]);
    this.search = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "Find a table or column", "aria-label": "Find a table or column", maxlength: "200", autocomplete: "off", spellcheck: "false", on: { input: () => this.#draw() } }));
    this.list = h("div", { class: "sql-tables" });
    el.append(h("div", { class: "sql-find" }, this.search), this.list);
  }

  /** @param {any} schema as `/api/v1/schema` has it */
  show(schema) {
    this.schema = schema;
    this.reserved = new Set(schema.keywords);
    this.#draw();
  }

  #draw() {
    if (!this.schema) return;
    const typed = this.search.value.trim();
    let fits = (/** @type {string} */ _) => /** @type {number | null} */ (0);
    try {
      fits = typed ? matcher(typed) : fits;
    } catch {
      // What is no regular expression yet finds all.
    }
    const found = [];
    for (const table of this.schema.tables) {
      const whole = fits(table.name) !== null;
      const columns = typed && !whole ? table.columns.filter((one) => fits(one.name) !== null) : table.columns;
      if (whole || columns.length) found.push({ table, columns, open: Boolean(typed && !whole) });
    }
    const front = found.filter((one) => !one.table.behind);
    const behind = found.filter((one) => one.table.behind);
    const draw = (one) => this.#table(one);
    fill(
      this.list, front.map(draw), behind.length > 0 && [h("h3", { class: "muted" }, "Behind the views"), behind.map(draw)],
      !found.length && h("p", { class: "muted none" }, `No table or column is called ${typed}.`),
    );
  }

  #table({ table, columns, open }) {
    const body = h("ul", { class: "sql-columns" });
    const draw = () => fill(body, columns.map((one) => this.#column(one)));
    const el = /** @type {HTMLDetailsElement} */ (h("details", { class: "sql-table", open: open || this.opened.has(table.name) },
      h("summary", { title: table.says.replaceAll("`", "") }, icon("right"), h("span", { class: "sql-name" }, table.name), h("span", { class: "muted" }, table.kind === "view" ? "view" : "")),
      h("p", { class: "sql-says" }, worded(table.says)),
      h("div", { class: "sql-acts" },
        h("button", { type: "button", class: "button", "aria-label": `Insert ${table.name}`, on: { click: () => this.told.insert(table.name) } }, "Insert"),
        h("button", { type: "button", class: "button", "aria-label": `First rows of ${table.name}`, on: { click: () => this.told.run(`SELECT * FROM ${table.name} LIMIT 100`) } }, "First rows"),
        h("button", { type: "button", class: "button", "aria-label": `Summary of ${table.name}`, on: { click: () => this.told.run(`SUMMARIZE ${table.name}`) } }, "Summary")),
      body));
    el.addEventListener("toggle", () => {
      if (el.open) this.opened.add(table.name);
      else this.opened.delete(table.name);
      if (el.open && !body.childElementCount) draw();
    });
    if (el.open) draw();
    return el;
  }

  #column(one) {
    const name = identifier(one.name, this.reserved);
    return h("li", null, h("button", { type: "button", class: "sql-column", title: `${one.name} ${one.type}: ${one.says.replaceAll("`", "")}`, on: { click: () => this.told.insert(name) } },
      h("span", { class: "sql-name" }, one.name), h("span", { class: "sql-type" }, one.type), h("span", { class: "sql-says" }, worded(one.says))));
  }

  /** An error in the place of the tables. */
  fail(node) {
    fill(this.list, node);
  }
}

/** The button that hides the pane or shows it again. */
export function paneButton(toggle) {
  return button("columns", "Tables, examples, history", toggle, { class: "button bare" });
}
