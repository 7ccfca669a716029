/** The cells before the columns that people chose: selection, eye, colour. */

import { button, h, icon } from "../core/dom.js";
import { plural } from "../core/format.js";
import { swatches } from "./swatches.js";

/** Their columns. */
export const LEAD = [
  { id: "select", width: 30, fixed: true, lead: true, className: "lead" },
  { id: "eye", width: 28, fixed: true, lead: true, className: "lead" },
  { id: "colour", width: 26, fixed: true, lead: true, className: "lead" },
];

/** Fill the head of one of them. @param {HTMLElement} cell @param {{id: string}} column @param {import("./runtable.js").RunTable} table */
export function headLead(cell, { id }, { rows, selection, drawn, entries }) {
  const total = rows.total ?? Infinity;
  if (id === "select") {
    const some = selection.keys.size;
    const all = some > 0 && !rows.grouped && some >= total;
    cell.append(h("input", { type: "checkbox", tabindex: "-1", checked: all, indeterminate: some > 0 && !all, "aria-label": some ? `Release ${plural(some, "selected run")}` : "Select all runs that match", on: { change: () => selection.toggleAll() } }));
  } else if (id === "eye") {
    const count = entries.length;
    const pressed = count === 0 ? "false" : count >= total ? "true" : "mixed";
    cell.append(button(count ? "eye" : "eyeoff", count ? "Draw none" : "Draw all", () => drawn.toggleAll(count), { tabindex: "-1", "aria-pressed": pressed, class: count ? "button bare eye on" : "button bare eye" }));
  } else cell.append(h("span", { class: "sr" }, "Colour"));
}

/**
 * Fill one of them in a row; row -2 is that of the baseline, which stays under the head. Members of an opened group are
 * drawn with their group.
 * @param {HTMLElement} cell @param {{id: string}} column @param {any} item @param {number} i @param {import("./runtable.js").RunTable} table
 */
export function rowLead(cell, { id }, item, i, table) {
  const member = item.group?.id !== undefined;
  const name = item.group?.members ? item.group.values.map((value) => value ?? "(none)").join(" · ") : String(item.value("label"));
  if (id === "select") cell.append(i < 0 ? h("span", { class: "pinned", title: "Baseline: what the others are compared with" }, icon("pin")) : box(item, i, name, table));
  else if (id === "eye" && i < 0) cell.append(button("close", "No baseline", () => table.state.set({ base: "" }), { tabindex: "-1" }));
  else if (!member) cell.append(id === "eye" ? eye(item, name, table) : tint(item, name, table));
}

function box(item, i, name, { selection }) {
  const on = selection.of(item);
  const toggle = (event) => {
    event.preventDefault();
    selection.toggle(item, i, event.shiftKey);
  };
  return h("input", { type: "checkbox", tabindex: "-1", checked: on === true, indeterminate: on === null, "aria-label": `Select ${name}`, on: { click: toggle } });
}

function eye(item, name, { drawn }) {
  const on = drawn.is(item);
  const press = (event) => (event.altKey ? drawn.solo(item) : drawn.toggle(item));
  return button(on ? "eye" : "eyeoff", `Draw ${name}`, press, { tabindex: "-1", "aria-pressed": String(on), class: on ? "button bare eye on" : "button bare eye", title: `${on ? "Drawn" : "Not drawn"}; Alt-click: this one only` });
}

function tint(item, name, table) {
  const colour = table.drawn.colour(item);
  const choose = () => swatches(dot, {
    key: item.key, label: name, colour, shared: !item.group?.members, drawn: table.entries.map((one) => one.key),
    state: table.state, written: () => table.refresh(),
  });
  const dot = h("button", { type: "button", tabindex: "-1", class: "button bare tint", title: `Colour of ${name}`, "aria-label": `Colour of ${name}`, on: { click: choose } }, h("span", { class: "dot", style: `background:${colour}` }));
  return dot;
}
