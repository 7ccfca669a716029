/** The hyperparameters of a run: nested names indented, every origin, and where origins disagree. */

import { button, fill, h } from "../core/dom.js";
import { natural } from "../core/format.js";
import { copy, empty, menu } from "../core/ui.js";
import { searchField } from "./cards.js";

/** Hyperparameters by name: the value that holds, and the others. @param {any[]} rows best origin first within a name */
export function grouped(rows) {
  const found = new Map();
  for (const row of rows) {
    if (!found.has(row.name)) found.set(row.name, { name: row.name, held: row, all: [] });
    found.get(row.name).all.push(row);
  }
  for (const one of found.values()) one.differ = one.all.some((other) => !equal(one.held, other));
  return [...found.values()].sort((a, b) => natural(a.name, b.name));
}

/** Whether two origins say the same: 0.10 is 0.1. */
function equal(a, b) {
  return a.value === b.value || (a.number !== null && a.number !== undefined && a.number === b.number);
}

/** A value as JSON has it. */
function plain(row) {
  if (row.type === "null") return null;
  if (row.type === "bool") return row.value === "true" || row.value === "True";
  if ((row.type === "int" || row.type === "float") && typeof row.number === "number") return row.number;
  if (row.type === "list") {
    try {
      return JSON.parse(row.value);
    } catch {
      return row.value;
    }
  }
  return row.value;
}

/** The list of hyperparameters. */
export class Hparams {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.field = searchField(page.state, "hp", "Search hyperparameters");
    this.count = h("span", { class: "muted" });
    this.take = button("copy", "Copy the hyperparameters", () => this.#copy(), { text: "Copy", "aria-haspopup": "menu" });
    this.box = h("div");
    this.el = h("section", null, h("div", { class: "title" }, h("h2", null, "Hyperparameters"), this.count, this.field, this.take), this.box);
  }

  follow(changed) {
    if (!changed.has("hp")) return;
    if (document.activeElement !== this.field) this.field.value = this.page.state.get("hp");
    this.update();
  }

  get #all() {
    return grouped(this.page.data.hparams);
  }

  update() {
    const all = this.#all;
    const words = this.page.state.get("hp").toLowerCase().split(/\s+/).filter(Boolean);
    const shown = all.filter((one) => words.every((word) => `${one.name} ${one.all.map((row) => `${row.value} ${row.origin}`).join(" ")}`.toLowerCase().includes(word)));
    this.field.hidden = all.length < 6;
    this.take.hidden = !all.length;
    const differ = all.filter((one) => one.differ).length;
    fill(this.count, words.length ? `${shown.length} of ${all.length}` : String(all.length), differ > 0 && h("span", { class: "bad" }, ` · origins disagree on ${differ}`));
    if (!shown.length) {
      fill(this.box, empty(all.length ? "No hyperparameter matches this search." : "Nothing says with which hyperparameters this run was started: neither its events, nor a file beside them, nor its path."));
      return;
    }
    const held = this.box.firstElementChild;
    const top = held?.scrollTop ?? 0;
    fill(this.box, h("div", { class: "scroll hparams", tabindex: "0", role: "region", "aria-label": "Hyperparameters" },
      h("table", { class: "plain" }, h("thead", { class: "sr" }, h("tr", null, ["Name", "Value", "Origin"].map((one) => h("th", { scope: "col" }, one)))), h("tbody", null, this.#rows(shown)))));
    this.box.firstElementChild.scrollTop = top;
  }

  /** A line for every name, and one for every level above it that has more than one name. */
  #rows(shown) {
    const below = new Map();
    for (const { name } of shown) {
      const parts = name.split(".");
      for (let i = 1; i < parts.length; i += 1) {
        const prefix = parts.slice(0, i).join(".");
        below.set(prefix, (below.get(prefix) ?? 0) + 1);
      }
    }
    const rows = [];
    const open = new Set();
    for (const one of shown) {
      const parts = one.name.split(".");
      let depth = 0;
      let from = 0;
      for (let i = 1; i < parts.length; i += 1) {
        const prefix = parts.slice(0, i).join(".");
        if (below.get(prefix) < 2) continue;
        if (!open.has(prefix)) {
          open.add(prefix);
          rows.push(h("tr", { class: "level" }, h("th", { scope: "rowgroup", colspan: "3", style: `--depth:${depth}` }, parts.slice(from, i).join("."))));
        }
        depth += 1;
        from = i;
      }
      rows.push(this.#row(one, parts.slice(from).join("."), depth));
    }
    return rows;
  }

  #row(one, label, depth) {
    const origins = (rows) => rows.map((row) => row.origin).join(", ");
    const others = one.all.filter((row) => !equal(one.held, row));
    const value = (row) => h("span", { class: `value ${row.type}` }, row.type === "null" ? "null" : row.value);
    return h("tr", { class: one.differ ? "differ" : "" },
      h("th", { scope: "row", style: `--depth:${depth}`, title: one.name }, label),
      h("td", null, h("span", { class: "held" }, value(one.held), button("copy", `Copy ${one.name}`, () => copy(String(one.held.value ?? ""), one.name))),
        others.map((row) => h("div", { class: "other" }, "but ", value(row), ` in ${row.origin}`))),
      h("td", { class: "muted origin", title: origins(one.all) }, origins(one.all.filter((row) => equal(one.held, row)))));
  }

  #copy() {
    const flat = Object.fromEntries(this.#all.map((one) => [one.name, plain(one.held)]));
    menu(this.take, "Copy as", [
      { label: "JSON", run: () => copy(JSON.stringify(flat, null, 2), "JSON") },
      { label: "Lines name=value", run: () => copy(this.#all.map((one) => `${one.name}=${one.held.value ?? ""}`).join("\n"), "Lines") },
    ]);
  }
}
