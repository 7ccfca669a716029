/** Group keys of a panel: a chip for each, and a box that adds one; without any, keys are chosen. */

import { fill, h, icon } from "../core/dom.js";
import { column } from "../table/expression.js";
import { ExpressionBox } from "./expression-box.js";

const MOST = 4;

export class KeysBox {
  /** @param {{fields: () => Promise<any>, put: (keys: string[]) => void}} how */
  constructor({ fields, put }) {
    this.keys = [];
    this.put = put;
    this.chips = h("span", { class: "chips" });
    this.box = new ExpressionBox({ label: "Group by", fields, clears: true, placeholder: "add a key", pick: (expr) => expr && !this.keys.includes(expr) && put([...this.keys, expr]) });
    this.el = h("span", { class: "keysbox" }, this.chips, this.box.el);
  }

  /** @param {string[]} keys that were chosen @param {string[]} automatic what stands for none */
  show(keys, automatic = []) {
    this.keys = keys;
    const within = this.chips.contains(document.activeElement);
    fill(this.chips, keys.map((key) => h("span", { class: "chip", title: key }, h("span", { class: "cut" }, column(key).title),
      h("button", { type: "button", class: "remove", "aria-label": `Do not group by ${column(key).title}`, on: { click: () => this.put(keys.filter((one) => one !== key)) } }, icon("close")))));
    // What was pressed is gone: whoever pressed it goes on here.
    if (within) this.box.input.focus();
    this.box.input.placeholder = keys.length ? "add a key" : automatic.map((key) => column(key).title).join(", ") || "automatic";
    this.box.el.hidden = keys.length >= MOST;
  }
}

/** What a group is called. @param {any[]} values of its keys */
export function groupName(values, show) {
  return values.map((value) => (value === null ? "(none)" : show(value))).join(" · ");
}
