/** Group keys and sort keys: short lists of expressions that are edited in a popover. */

import { get } from "../core/api.js";
import { combo, ranked } from "../core/combo.js";
import { direction } from "../core/direction.js";
import { button, fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { metric, split } from "../core/split.js";
import { popover, tell } from "../core/ui.js";
import { complete, meant, nameOptions } from "./completion.js";
import { column, sortKey, sortText } from "./expression.js";
import { loader, scalars } from "./names.js";
import { moved, OrderList } from "./order.js";

const MOST_KEYS = 16;
const USUAL = ["project", "machine", "state", "source", "group_name", "host", "name"];
const STATISTICS = ["mean", "std", "min", "max"];

/** Names that one groups or sorts by: fields people use first, then hyperparameters, then the other fields. */
function candidates(known) {
  const all = nameOptions({ ...known, functions: [] }).map((one) => ({ label: one.insert, detail: one.detail }));
  const usual = USUAL.map((name) => all.find((one) => one.label === name)).filter(Boolean);
  const hparams = all.filter((one) => one.label.startsWith("hp."));
  return [...new Set([...usual, ...hparams, ...all])];
}

/** The best value of every metric, as one asks for it first. */
function metrics(known) {
  return scalars(known).map((one) => ({ label: metric(direction(one.tag) < 0 ? "min" : direction(one.tag) > 0 ? "max" : "last", one.tag), detail: plural(one.runs, "run"), key: one.tag }));
}

class Keys {
  constructor(state, load, { name, label, add, row, text, check, offered, write = (expr) => expr, with: patch = () => ({}) }) {
    Object.assign(this, { state, name, check, write, text, patch, stats: [] });
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.list = new OrderList({
      label, name: (item) => column(text(item)).title, row: (item, i) => row(item, i, (next) => this.#put(this.#items.map((one, j) => (j === i ? next : one)))),
      move: (from, to) => this.#put(moved(this.#items, from, to)), remove: (i) => this.#put(this.#items.filter((_, j) => j !== i)),
    });
    this.input = /** @type {HTMLInputElement} */ (h("input", { type: "text", "aria-label": add, placeholder: add, spellcheck: "false", maxlength: "10000", autofocus: true }));
    this.el = h("div", { class: "keys-editor" }, h("strong", null, label), this.list.el, this.input, this.wrong,
      h("footer", null, button("reset", `No ${name === "group" ? "groups" : "order of your own"}`, () => this.#put(state.defaults()[name]), { text: name === "group" ? "Ungroup" : "Reset" })));
    combo(this.input, {
      label: add, onFocus: true, eager: (typed, caret) => (/[("]/.test(typed) ? meant(typed, caret, this.stats, false) : typed.trim() !== ""),
      options: async (typed, caret) => {
        const known = await load();
        this.stats = known.stats;
        const plain = ranked(typed, await offered(known), (one) => one.key ?? one.label);
        if (/[("]/.test(typed) || !plain.length) return (await complete(typed, caret, known)).map((one) => ({ ...one, partial: true }));
        return plain.filter((one) => !this.#items.some((item) => text(item) === one.label));
      },
      pick: (option) => {
        if (option.partial) this.input.setRangeText(option.insert, option.from, option.to, "end");
        else this.#add(option.label);
      },
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !this.input.value.trim()) return;
      event.preventDefault();
      this.#add(this.input.value.trim());
    });
    this.close = state.on((changed) => {
      if (changed.has(name) || changed.has("group")) this.#draw();
    });
    this.#draw();
  }

  get #items() {
    return this.state.get(this.name);
  }

  #put(items, more = {}) {
    fill(this.wrong);
    this.state.set({ [this.name]: items, ...more });
  }

  #draw() {
    this.list.draw(this.#items);
    this.el.querySelector("footer").hidden = !this.#items.length;
  }

  async #add(text) {
    try {
      const more = split(text).filter((one) => !this.#items.some((item) => this.text(item) === one));
      if (this.#items.length + more.length > MOST_KEYS) throw new Error(`at most ${MOST_KEYS} keys are taken`);
      if (more.length) await this.check(more);
      this.input.value = "";
      // The usual order gives way to the first that somebody wishes.
      const usual = JSON.stringify(this.#items) === JSON.stringify(this.state.defaults()[this.name]);
      this.#put([...(usual ? [] : this.#items), ...more.map(this.write)], this.patch(more));
      this.input.focus();
    } catch (error) {
      fill(this.wrong, tell(error));
    }
  }
}

function opener(icon, label, name, state, make, words) {
  const open = button(icon, label, () => {
    const keys = make();
    popover(open, keys.el, { label, class: "keys-popover", onclose: () => keys.close() });
  }, { text: " ", "aria-haspopup": "dialog", "aria-expanded": "false" });
  const text = open.lastChild;
  const draw = () => {
    text.textContent = words(state.get(name));
    open.classList.toggle("on", name === "group" && state.get(name).length > 0);
  };
  state.on((changed) => changed.has(name) && draw());
  draw();
  return open;
}

/** The button whose popover says by what runs are grouped. @param {import("../core/state.js").State} state @param {any} [fields] */
export function groupButton(state, fields) {
  const load = loader(fields);
  const make = () => new Keys(state, load, {
    name: "group", label: "Group by", add: "Add a field, hyperparameter or expression", text: (item) => item,
    row: (item) => h("span", { class: "column-title", title: item }, column(item).title, column(item).title !== item && h("span", { class: "muted" }, item)),
    check: (keys) => get("groups", { group_by: keys, columns: ["points"], limit: "0" }), offered: candidates,
  });
  return opener("group", "Group the runs", "group", state, make, (keys) => (keys.length ? `Group: ${keys.map((one) => column(one).title).join(", ")}` : "Group"));
}

/** The button whose popover says how runs (or groups) are sorted. @param {import("../core/state.js").State} state @param {any} [fields] */
export function sortButton(state, fields) {
  const load = loader(fields);
  const grouped = () => state.get("group").length > 0;
  const numeric = (known, { expr, stat }) => Boolean(stat) || /[-+*/(]/.test(expr) || known.hparams.some((one) => one.expr === expr && one.numeric) || known.fields.some((one) => one.name === expr && one.kind === "number");
  const ofGroups = (known) => [
    ...["runs", ...state.get("group").map((one) => column(one).name)].map((label) => ({ label })),
    ...state.get("cols").map(column).filter((one) => numeric(known, one)).flatMap((one) => STATISTICS.map((stat) => ({ label: `${one.name}_${stat}` }))),
  ];
  const make = () => new Keys(state, load, {
    name: "sort", label: "Sort by", add: "Add a sort key", text: (item) => sortKey(item).expr,
    row: (item, i, change) => {
      const key = sortKey(item);
      const way = key.desc ? "descending" : "ascending";
      return [
        h("span", { class: "column-title", title: item }, column(key.expr).title),
        button(key.desc ? "down" : "up", `${column(key.expr).title}: ${way}; turn around`, () => change(sortText({ ...key, desc: !key.desc })), { text: way, class: "button small", "aria-label": `${column(key.expr).title}: ${way}; turn around`, "data-part": "way", tabindex: "-1" }),
      ];
    },
    check: (keys) => (grouped() ? null : get("runs", { sort: keys, columns: ["run_key"], limit: "0" })),
    offered: (known) => (grouped() ? ofGroups(known) : [...state.get("cols").map((text) => ({ label: column(text).expr, detail: "shown" })), ...candidates(known), ...metrics(known)].filter((one, i, all) => all.findIndex((other) => other.label === one.label) === i)),
    // Times and best values are read from the newest and largest down.
    write: (expr) => (/(_at|^points|^runs|^size|last_step|duration_s)$/.test(expr) || column(expr).better > 0 ? `-${expr}` : expr),
    with: (keys) => {
      // A metric that decides the order is one that people want to read, in sight.
      const [cols, fix] = [state.get("cols"), state.get("fix")];
      const news = grouped() ? [] : keys.filter((expr) => column(expr).stat && !cols.some((text) => column(text).expr === column(expr).expr));
      return news.length ? { cols: [...cols.slice(0, fix), ...news, ...cols.slice(fix)] } : {};
    },
  });
  return opener("sort", "Sort the runs", "sort", state, make, (keys) => (keys.length > 1 ? `Sort (${keys.length})` : "Sort"));
}
