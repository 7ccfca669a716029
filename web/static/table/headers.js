/** The heads of columns: order by click, width and place by drag, and a menu for all of it. */

import { h, icon } from "../core/dom.js";
import { metric } from "../core/split.js";
import { menu } from "../core/ui.js";
import { STATS, column as parse, sortKey, sortText } from "./expression.js";

const LEAST = 48;
const MOST = 1200;
const DRAG_FROM = 5;

export class Headers {
  /**
   * @param {import("../core/state.js").State} state
   * @param {import("./grid.js").Grid} grid
   */
  constructor(state, grid) {
    this.state = state;
    this.grid = grid;
  }

  /** The sort keys, with the first at the front. */
  sorting() {
    return this.state.get("sort").map(sortKey);
  }

  #same(expr, one) {
    return expr === one.expr || expr === one.name;
  }

  /** Order by a column: again is the other way, *more* adds it to the keys that are there. */
  sort(one, { more = false, desc } = {}) {
    const keys = this.sorting();
    const known = keys.find((key) => this.#same(key.expr, one));
    const key = { expr: one.expr, desc: desc ?? (known && (more || keys.length === 1) ? !known.desc : known?.desc ?? one.better === 1) };
    const next = more ? (known ? keys.map((other) => (other === known ? key : other)) : [...keys, key]) : [key];
    this.state.set({ sort: next.map(sortText) });
  }

  /** Fill the head cell of a column that people chose; *keys* are what the rows are ordered by. */
  draw(cell, shown, sortable, keys) {
    const { one } = shown;
    const at = keys.findIndex((key) => this.#same(key.expr, one));
    const key = keys[at];
    cell.setAttribute("aria-sort", key ? (key.desc ? "descending" : "ascending") : "none");
    cell.setAttribute("aria-label", one.title);
    cell.dataset.column = one.text;
    const named = one.stat && !one.alias
      ? [h("span", { class: "stat" }, `${one.stat.replace("_", " ").replace("nan", "NaN")} `), h("span", { class: "tag-name" }, `${one.tag}${one.stream ? ` (${one.stream})` : ""}`)]
      : one.title;
    cell.append(
      h("span", { class: "title", title: one.title === one.expr ? one.title : `${one.title}\n${one.expr}` }, named),
      key ? h("span", { class: "order" }, icon(key.desc ? "down" : "up"), keys.length > 1 && String(at + 1)) : "",
      h("button", { type: "button", class: "button bare more", tabindex: "-1", "aria-label": `Menu of ${one.title}`, "aria-haspopup": "menu", on: { click: (event) => { event.stopPropagation(); this.menu(event.currentTarget, shown, sortable); } } }, icon("menu")),
      h("span", { class: "edge", title: "Drag: width; double-click: as wide as its values", on: { pointerdown: (event) => this.#resize(event, shown), dblclick: (event) => { event.stopPropagation(); this.fit(shown); }, click: (event) => event.stopPropagation() } }),
    );
    cell.addEventListener("pointerdown", (event) => this.#drag(event, cell, shown, sortable));
    cell.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      this.menu(cell, shown, sortable);
    });
  }

  #widen(id, width, commit) {
    const px = Math.round(Math.max(LEAST, Math.min(MOST, width)));
    this.state.set({ wide: { ...this.state.get("wide"), [id]: px } }, { commit });
  }

  fit(shown) {
    this.#widen(shown.id, this.grid.fitting(shown.id), true);
  }

  #resize(event, shown) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    const from = event.clientX;
    const width = shown.width;
    // Another head stands here as soon as the width has changed: the page itself is listened to.
    const move = (moved) => this.#widen(shown.id, width + moved.clientX - from, false);
    const end = (ended) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      if (ended.type !== "pointercancel" && ended.clientX !== from) this.#widen(shown.id, width + ended.clientX - from, true);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }

  #drag(event, cell, shown, sortable) {
    if (event.button !== 0 || event.target.closest("button, .edge")) return;
    const from = event.clientX;
    let target = null;
    const mark = h("div", { class: "drop", hidden: true });
    this.grid.el.append(mark);
    const move = (moved) => {
      if (!target && Math.abs(moved.clientX - from) < DRAG_FROM) return;
      if (!shown.one.text || shown.tree) return;
      cell.classList.add("dragged");
      target = this.#target(moved.clientX) ?? target;
      if (!target) return;
      mark.hidden = false;
      mark.style.left = `${target.x}px`;
    };
    const end = (ended) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      cell.classList.remove("dragged");
      mark.remove();
      if (ended.type === "pointercancel") return;
      if (target) this.move(shown.id, target.before);
      else if (Math.abs(ended.clientX - from) < DRAG_FROM && sortable) this.sort(shown.one, { more: ended.shiftKey });
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  }

  /** Between which columns the pointer is: the id of the one behind it, null at the end. */
  #target(x) {
    const heads = [...this.grid.headRow.querySelectorAll("[data-column]")];
    const box = this.grid.el.getBoundingClientRect();
    for (const head of heads) {
      const at = head.getBoundingClientRect();
      if (x < at.left + at.width / 2) return { before: head.dataset.column, x: at.left - box.left + this.grid.el.scrollLeft };
    }
    const last = heads.at(-1)?.getBoundingClientRect();
    return last ? { before: null, x: last.right - box.left + this.grid.el.scrollLeft } : null;
  }

  /** Put a column before another, null: at the end; crossing the fixed ones makes it one of them. */
  move(id, before) {
    if (id === before) return;
    const cols = this.state.get("cols");
    const fix = this.state.get("fix");
    const from = cols.indexOf(id);
    const rest = cols.filter((one) => one !== id);
    const to = before === null ? rest.length : rest.indexOf(before);
    if (from < 0 || to < 0) return;
    rest.splice(to, 0, id);
    const fixed = from < fix ? (to >= fix ? fix - 1 : fix) : to < fix ? fix + 1 : fix;
    this.state.set({ cols: rest, fix: fixed });
  }

  /** Columns without one; a table without any would be none. */
  hide(id) {
    const cols = this.state.get("cols");
    if (cols.length < 2) return;
    const fix = this.state.get("fix");
    this.state.set({ cols: cols.filter((one) => one !== id), fix: cols.indexOf(id) < fix ? fix - 1 : fix });
  }

  #pin(id) {
    const fix = this.state.get("fix");
    const cols = this.state.get("cols");
    const rest = cols.filter((one) => one !== id);
    const pinned = cols.indexOf(id) < fix;
    const at = pinned ? fix - 1 : fix;
    rest.splice(at, 0, id);
    this.state.set({ cols: rest, fix: pinned ? fix - 1 : Math.min(10, fix + 1) });
  }

  menu(anchor, shown, sortable) {
    const { one, id } = shown;
    const cols = this.state.get("cols");
    const at = cols.indexOf(id);
    const group = this.state.get("group");
    const known = this.sorting().find((key) => this.#same(key.expr, one));
    const sort = (desc, more = false) => () => this.sort(one, { desc, more });
    const stats = one.stat && !shown.tree ? STATS.filter((stat) => stat !== one.stat).map((stat) => {
      const text = metric(stat, one.tag, one.stream);
      const there = cols.includes(text);
      return { label: `${stat.replace("_", " ")} of ${one.tag}`, checked: there, run: () => (there ? this.hide(text) : this.#add(text, at + 1)) };
    }) : [];
    const own = !shown.tree && at >= 0;
    return menu(anchor, one.title, [
      sortable && { label: "Sort ascending", icon: "up", run: sort(false) },
      sortable && { label: "Sort descending", icon: "down", run: sort(true) },
      sortable && !known && { label: "Add to the sort keys", icon: "sort", run: sort(one.better === 1, true) },
      known && { label: "Do not sort by it", icon: "close", run: () => this.state.set({ sort: this.sorting().filter((key) => !this.#same(key.expr, one)).map(sortText) }) },
      shown.tree && { label: "Largest groups first", icon: "sort", run: () => this.state.set({ sort: ["-runs"] }) },
      own && sortable && !group.includes(one.expr) && { label: "Group by it", icon: "group", run: () => this.state.set({ group: [...group, one.expr], open: [] }) },
      (shown.tree || group.includes(one.expr)) && { label: "Do not group", icon: "group", run: () => this.state.set({ group: shown.tree ? [] : group.filter((other) => other !== one.expr), open: [] }) },
      "-",
      own && { label: at < this.state.get("fix") ? "Let it scroll" : "Keep it at the left", icon: "pin", run: () => this.#pin(id) },
      own && at > 0 && { label: "Move left", run: () => this.move(id, cols[at - 1]) },
      own && at < cols.length - 1 && { label: "Move right", run: () => this.move(id, cols[at + 2] ?? null) },
      { label: "As wide as its values", icon: "full", run: () => this.fit(shown) },
      own && { label: "Hide", icon: "eyeoff", disabled: cols.length < 2, run: () => this.hide(id) },
      stats.length > 0 && "-",
      ...stats,
    ], "start");
  }

  #add(text, at) {
    const cols = [...this.state.get("cols")];
    cols.splice(at, 0, text);
    this.state.set({ cols, fix: at < this.state.get("fix") ? this.state.get("fix") + 1 : this.state.get("fix") });
  }
}

/** A column of the state as the grid has it. */
export function shownColumn(text, i, fix, wide, numeric) {
  const one = parse(text);
  const usual = one.field === "label" ? 240 : one.field === "state" || one.field === "project" || one.field === "machine" ? 110 : numeric(one) ? 116 : 120;
  const width = Number(wide[text]);
  return { id: text, one, fixed: i < fix, width: width >= LEAST && width <= MOST ? width : usual };
}
