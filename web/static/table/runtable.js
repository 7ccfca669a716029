/** The run table of the workspace: filter and tools above, runs or groups below, what is drawn beside it. */

import { button, fill, h, icon, set } from "../core/dom.js";
import { plural } from "../core/format.js";
import { bind } from "../core/keys.js";
import { recall, remember } from "../core/memory.js";
import { TensorboardLink } from "../core/tensorboard.js";
import { menu } from "../core/ui.js";
import { Board } from "./board.js";
import { Bulk } from "./bulk.js";
import { groupCell, groupLabel, isNumeric, label, runCell } from "./cells.js";
import { columnsButton, groupButton, sortButton } from "./columns.js";
import { download } from "./download.js";
import { Drawn, MOST_DRAWN } from "./drawn.js";
import { column as parse } from "./expression.js";
import { Grid } from "./grid.js";
import { Headers, shownColumn } from "./headers.js";
import { headLead, LEAD, rowLead } from "./leads.js";
import { nothing, waiting, wrong } from "./messages.js";
import { names } from "./names.js";
import { QueryBox } from "./query.js";
import { Rows } from "./rows.js";
import { Selection } from "./selection.js";

const COMPACT = "boardlake.compact";
const ROW = 32;
const ROW_COMPACT = 26;
const AGO_MS = 30_000;
/** What the table shows depends on these alone: a page's own settings are no reason to draw it again. */
const OWN = ["q", "brush", "sort", "group", "cols", "fix", "wide", "n", "hide", "show", "hue", "sel", "base", "open", "arch", "dup", "view", "pane"];
const ASKED = ["q", "brush", "sort", "group", "cols", "arch", "dup"];

export class RunTable {
  /**
   * @param {HTMLElement} el
   * @param {import("../core/state.js").State} state of a page whose schema has the run table's
   * @param {{onVisible?: (entries: object[], total: number) => void, onHover?: (key: string | null) => void, narrow?: () => string, board?: TensorboardLink}} [told]
   * `onVisible` is told what the charts draw whenever it changes, `onHover` which row the pointer is on; `narrow` is a
   * condition besides the filter, made of the state's `brush`; `board` is the page's link to TensorBoard
   */
  constructor(el, state, { onVisible = () => {}, onHover = () => {}, narrow, board = new TensorboardLink() } = {}) {
    Object.assign(this, { state, onVisible, onHover, told: "", highlighted: null, hovered: null, kinds: new Map(), entries: [] });
    const [query, tools, bulk] = [h("div", { class: "query" }), h("div", { class: "tools" }), h("div", { class: "bulk" })];
    const area = this.area = h("div", { class: "runtable" });
    el.append(h("div", { class: "table-head" }, query, tools, bulk), area);
    this.rows = new Rows(state, () => this.#arrived(), narrow);
    this.drawn = new Drawn(state, this.rows);
    this.board = new Board(state, this.rows, board);
    this.selection = new Selection(state, this.rows, () => this.grid.redraw());
    this.grid = new Grid(area, {
      label: "Runs", source: this.rows,
      head: (cell, column) => this.#head(cell, column),
      cell: (cell, column, item, i) => this.#cell(cell, column, item, i),
      row: (row, item, i) => this.#row(row, item, i),
      activate: (column, i, event, cell) => this.#activate(column, i, event, cell),
    });
    this.headers = new Headers(state, this.grid);
    this.query = new QueryBox(query, state, { fields: names });
    this.bulk = new Bulk(bulk, state, this);
    this.#tools(tools);
    this.#density();
    this.#columns();
    this.#listen();
    this.#keys();
    state.on((changed) => this.#changed(changed));
    setInterval(() => { if (!document.hidden) this.grid.redraw(); }, AGO_MS);
    this.#messages();
  }

  /** Ask again for what is on screen: the lake has changed, or what people wrote. */
  refresh() {
    this.rows.refresh();
    this.query.refresh();
  }

  /** Mark the row of a run or group. @param {string | null} key */
  highlight(key) {
    this.highlighted = key;
    for (const { el, item } of this.grid.live.values()) el.classList.toggle("lit", key !== null && this.#keyOf(item) === key);
  }

  /** Bring the row of a run into sight, if it matches. @param {string} key */
  async reveal(key) {
    const i = this.rows.grouped ? -1 : (await this.keys()).indexOf(key);
    if (i < 0) return false;
    this.grid.go(i, this.grid.active.column ?? 0);
    return true;
  }

  /** The run_keys of all runs that match, in order. @returns {Promise<string[]>} */
  keys() {
    return this.rows.keys();
  }

  // What is above the rows

  #tools(el) {
    this.count = h("span", { class: "count", role: "status" });
    this.first = /** @type {HTMLInputElement} */ (h("input", { type: "number", min: 0, max: MOST_DRAWN, class: "first", "aria-label": "How many of the first are drawn", title: "So many of the first are drawn in the charts", on: { change: () => this.state.set({ n: this.state.schema.n.read(this.first.value) }) } }));
    this.dense = button("menu", "Compact rows", () => {
      remember(COMPACT, recall(COMPACT) === "1" ? "0" : "1");
      this.#density();
    });
    fill(this.dense, lines());
    this.load = button("download", "Download all runs that match", async () => download(this.state, { total: await this.rows.runs() }), { "aria-haspopup": "dialog" });
    el.append(this.count, h("label", { class: "firsts" }, h("span", null, "Draw first"), this.first), h("span", { class: "space" }), groupButton(this.state, names), sortButton(this.state, names), columnsButton(this.state, { fields: names }), this.load, this.dense);
  }

  #density() {
    const compact = recall(COMPACT) === "1";
    this.dense.setAttribute("aria-pressed", String(compact));
    this.grid.setRowHeight(compact ? ROW_COMPACT : ROW);
  }

  // Columns

  #columns() {
    const { cols, fix, wide, group, base } = this.state.values;
    const { grouped } = this.rows;
    const numeric = (one) => this.kinds.get(one.name) === "number" || one.stat !== "";
    let chosen = [...new Set(cols)].map((text, i) => shownColumn(text, i, fix, wide, numeric));
    if (grouped) {
      // A group has no values but those of numbers: these stand where they are seen.
      chosen = chosen.filter((one) => one.one.field !== "label" || one.one.alias !== null).sort((a, b) => Number(numeric(b.one)) - Number(numeric(a.one)));
      const key = parse(group[0] ?? "label");
      const title = group.map((text) => parse(text).title).join(" / ");
      chosen.unshift({ id: "group", tree: true, fixed: fix > 0, width: Number(wide.group) || 260, one: { ...key, text: "", title } });
    }
    // A mean has its deviation beside it, a value its distance from the baseline.
    for (const one of chosen) if (!one.tree && numeric(one.one) && wide[one.id] === undefined) one.width += (base ? 84 : 0) + (grouped ? 36 : 0);
    this.grid.setColumns([...LEAD, ...chosen.filter((one) => one.fixed), ...chosen.filter((one) => !one.fixed)].map((one) => ({ ...one })));
  }

  #head(cell, column) {
    if (!column.lead) {
      if (!column.tree && this.kinds.get(column.one.name) === "number") cell.classList.add("number");
      const kind = this.kinds.get(column.one.name);
      const sortable = column.tree ? this.state.get("group").length > 0 : this.rows.grouped ? kind === "number" : kind !== "list";
      this.headers.draw(cell, column, sortable, this.rows.sorting);
      return;
    }
    headLead(cell, column, this);
  }

  // Rows and cells

  #keyOf(item) {
    return item ? (item.group?.id ?? item.key) : null;
  }

  #row(row, item, i) {
    const { base } = this.state.values;
    const classes = ["row"];
    if (!item) classes.push("waiting");
    else {
      if (item.group?.members) classes.push("group");
      else if (item.group) classes.push("member");
      if (item.key === base) classes.push("base");
      if (this.highlighted !== null && this.#keyOf(item) === this.highlighted) classes.push("lit");
      if (item.value("archived") === true) classes.push("archived");
      const selected = this.selection.of(item);
      if (selected) classes.push("selected");
      row.setAttribute("aria-selected", String(selected === true));
      row.dataset.key = item.key;
    }
    if (i === this.grid.active.row && this.grid.el.contains(document.activeElement)) classes.push("active");
    row.className = classes.join(" ");
    set(row, {
      "aria-expanded": item?.group?.members ? String(this.state.get("open").includes(item.key)) : null,
      "aria-level": item && this.rows.grouped ? (item.group?.members ? 1 : 2) : null,
    });
  }

  #cell(cell, column, item, i) {
    if (!item) {
      if (!column.lead) cell.append(h("span", { class: "bar-wait" }));
      return;
    }
    if (column.lead) rowLead(cell, column, item, i, this);
    else if (column.tree) this.#tree(cell, item);
    else {
      const group = Boolean(item.group?.members);
      const { one } = column;
      if (isNumeric(one, item)) cell.classList.add("number");
      if (!group && !item.has(one.name)) {
        cell.append(h("span", { class: "bar-wait" }));
        return;
      }
      const content = group ? groupCell(one, item, this.rows.base) : runCell(one, item, this.rows.base);
      if (content !== null) cell.append(...[content].flat().filter((part) => part !== null && part !== false));
      if (one.field === "label") cell.append(this.#more(item, i));
    }
  }

  #more(item, i) {
    return button("menu", `Menu of ${item.value("label") ?? "this group"}`, (event) => this.#menu(event.currentTarget, item, i), { tabindex: "-1", class: "button bare more", "aria-haspopup": "menu" });
  }

  #tree(cell, item) {
    const group = item.group;
    if (!group?.members) {
      cell.append(item.group ? h("span", { class: "indent" }) : "", ...label(item).filter(Boolean), this.#more(item, -1));
      return;
    }
    const open = this.state.get("open").includes(item.key);
    cell.append(
      button(open ? "down" : "right", open ? "Close the group" : "Open the group", () => this.#expand(item), { tabindex: "-1", class: "button bare fold" }),
      groupLabel(group.values, this.state.get("group").map((text) => parse(text).title)),
      h("span", { class: "size", title: plural(group.runs, "run") }, group.runs.toLocaleString("en-US")),
      this.#more(item, -1),
    );
  }

  #expand(item) {
    const open = this.state.get("open");
    this.state.set({ open: open.includes(item.key) ? open.filter((id) => id !== item.key) : [...open, item.key] });
  }

  #pin(item) {
    if (item.group?.members) return;
    this.state.set({ base: this.state.get("base") === item.key ? "" : item.key });
  }

  #menu(anchor, item, i) {
    const run = !item.group?.members;
    const top = item.group?.id === undefined && i !== -2;
    const at = i >= 0 ? i : this.rows.indexOf(item);
    return menu(anchor, "Actions", [
      run && { label: "Open its page", icon: "right", run: () => { location.href = `/run/${encodeURIComponent(item.key)}`; } },
      this.board.item(item),
      top && { label: this.drawn.is(item) ? "Do not draw" : "Draw", icon: "eye", run: () => this.drawn.toggle(item) },
      top && { label: "Draw only this", icon: "eye", run: () => this.drawn.solo(item) },
      run && { label: this.state.get("base") === item.key ? "No baseline" : "Use as baseline", icon: "pin", run: () => this.#pin(item) },
      { label: this.selection.of(item) === true ? "Release" : "Select", icon: "check", run: () => this.selection.toggle(item, at) },
      !run && { label: this.state.get("open").includes(item.key) ? "Close" : "Open", icon: "down", run: () => this.#expand(item) },
    ], "start");
  }

  // What people do

  #listen() {
    const { el } = this.grid;
    const hover = (key) => {
      if (this.hovered === key) return;
      this.hovered = key;
      this.onHover(key);
    };
    el.addEventListener("pointerover", (event) => {
      const row = event.target.closest(".row");
      const item = row && (row === this.grid.topRow ? this.grid.top : this.rows.item(Number(row.dataset.i)));
      hover(this.#keyOf(item ?? null));
    });
    el.addEventListener("pointerleave", () => hover(null));
    el.addEventListener("click", (event) => {
      const cell = event.target.closest(".cell");
      const row = cell?.closest(".row");
      if (!row || row === this.grid.topRow || event.target.closest("a, button, input") || getSelection()?.toString()) return;
      this.grid.go(Number(row.dataset.i), Number(cell.getAttribute("aria-colindex")) - 1);
    });
    el.addEventListener("dblclick", (event) => {
      const item = event.target.closest(".row.group") && !event.target.closest("button, input") ? this.rows.item(Number(event.target.closest(".row").dataset.i)) : null;
      if (item) this.#expand(item);
    });
    el.addEventListener("contextmenu", (event) => {
      const row = event.target.closest(".row");
      const item = row && row !== this.grid.topRow && !event.target.closest("a") ? this.rows.item(Number(row.dataset.i)) : null;
      if (!item) return;
      event.preventDefault();
      this.#menu(event.target.closest(".cell") ?? row, item, Number(row.dataset.i));
    });
  }

  #activate(column, i, event, cell) {
    if (i === -1) {
      if (event.key === "ContextMenu" || event.altKey || event.key === "F10") /** @type {HTMLElement | null} */ (cell.querySelector(".more"))?.click();
      else if (column.lead) /** @type {HTMLElement | null} */ (cell.querySelector("input, button"))?.click();
      else this.headers.sort(column.one, { more: event.shiftKey });
      return;
    }
    const item = this.rows.item(i);
    if (!item) return;
    if (event.key === "ContextMenu" || event.altKey || event.key === "F10") this.#menu(cell, item, i);
    else if (column.lead) /** @type {HTMLElement | null} */ (cell.querySelector("input, button"))?.click();
    else if (item.group?.members) this.#expand(item);
    else if (event.key === "Enter") location.href = `/run/${encodeURIComponent(item.key)}`;
    else this.selection.toggle(item, i, event.shiftKey);
  }

  #keys() {
    const here = (run) => () => {
      const i = this.grid.active.row;
      const item = i >= 0 ? this.rows.item(i) : null;
      if (!item) return false;
      run(item, i);
      return undefined;
    };
    const top = (run) => here((item) => { if (item.group?.id === undefined) run(item); });
    const move = (by) => () => {
      const { el, active } = this.grid;
      this.grid.go(el.contains(document.activeElement) ? active.row + by : active.row);
    };
    bind("j", "next run", move(1));
    bind("k", "previous run", move(-1));
    bind("x", "select the run", here((item, i) => this.selection.toggle(item, i)));
    bind("v", "draw the run, or do not", top((item) => this.drawn.toggle(item)));
    bind("s", "draw this run only", top((item) => this.drawn.solo(item)));
    bind("p", "compare others with this run", here((item) => this.#pin(item)));
  }

  // Changes

  #changed(changed) {
    const any = (...list) => list.some((name) => changed.has(name));
    if (!any(...OWN)) return;
    if (any("q", "brush", "sort", "group")) this.grid.el.scrollTop = 0;
    if (any(...ASKED)) this.rows.ask();
    if (any("open")) this.rows.ask();
    if (any("base", "cols")) this.rows.rebase();
    if (any("cols", "fix", "wide", "group", "base")) this.#columns();
    else this.grid.version += 1;
    this.#arrived();
  }

  #arrived() {
    if (!this.grid) return;
    const { base } = this.rows;
    if (this.grid.top !== base) {
      this.grid.top = base;
      this.grid.version += 1;
    }
    this.#learn();
    this.selection.count();
    this.board.draw();
    this.grid.update();
    this.#tell();
    this.#messages();
  }

  /** Kinds of columns as the answers have them. */
  #learn() {
    let learnt = this.wasGrouped !== this.rows.grouped;
    this.wasGrouped = this.rows.grouped;
    const item = this.rows.item(this.grid.shown[0]) ?? this.rows.item(0);
    for (const text of item ? this.state.get("cols") : []) {
      const { name } = parse(text);
      const kind = item.group?.members ? (item.has(`${name}_mean`) ? "number" : this.kinds.get(name) ?? "text") : item.kind(name);
      if (kind === undefined || this.kinds.get(name) === kind) continue;
      this.kinds.set(name, kind);
      learnt = true;
    }
    if (!learnt) return;
    this.grid.el.setAttribute("role", this.rows.grouped ? "treegrid" : "grid");
    this.#columns();
  }

  /** Tell the charts what is drawn. */
  #tell() {
    if (document.activeElement !== this.first) this.first.value = String(this.state.get("n"));
    const items = this.rows.total === null ? undefined : this.drawn.items();
    if (!items) return;
    const entries = items.map((item) => this.drawn.entry(item));
    const total = this.rows.total ?? 0;
    const key = JSON.stringify([entries, total]);
    if (key === this.told) return;
    this.told = key;
    this.entries = entries;
    fill(this.count, `${entries.length.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} drawn`);
    this.grid.redraw();
    this.onVisible(entries, total);
  }

  #again() {
    if (this.rows.top?.total === null) this.rows.ask();
    else this.refresh();
  }

  #messages() {
    const { error, total } = this.rows;
    this.grid.el.setAttribute("aria-busy", String(this.rows.busy));
    this.area.classList.toggle("busy", this.rows.busy);
    if (error) this.grid.say(wrong(error, this.state, () => this.#again()));
    else if (total === 0) this.grid.say(nothing(this.state));
    else if (total === null) this.grid.say(waiting());
    else this.grid.say();
  }
}

function lines() {
  const svg = icon("menu");
  svg.firstElementChild?.setAttribute("d", "M2.500 4h11M2.500 8h11M2.500 12h11");
  return svg;
}
