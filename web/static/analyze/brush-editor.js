/** The brush of one axis by keys: from and to, or values to check. */

import { button, fill, h } from "../core/dom.js";
import { lackingOf } from "./parallel-picture.js";

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** A time for an input of the browser, in the reader's zone. */
function localTime(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function numbers(axis, parts, put) {
  const spans = parts.filter((part) => Array.isArray(part) && part.length === 2 && !lackingOf(axis).some((one) => same(one, part)));
  const isTime = axis.kind === "time";
  const written = (value) => (value === undefined ? "" : isTime ? localTime(typeof value === "string" ? Date.parse(value) / 1000 : value) : String(value));
  const [first] = spans;
  const end = (label, value) => /** @type {HTMLInputElement} */ (h("input", { type: isTime ? "datetime-local" : "number", step: isTime ? "1" : "any", "aria-label": label, value: written(value), ...(isTime ? {} : { placeholder: label === "From" ? `${axis.value(axis.low)}` : `${axis.value(axis.high)}` }) }));
  const from = end("From", first?.[0]);
  const to = end("To", first?.[1]);
  const wrong = h("p", { class: "wrong", role: "alert" });
  const read = (input, fallback) => (input.value === "" ? fallback : isTime ? Date.parse(input.value) / 1000 : Number(input.value));
  const use = () => {
    const [low, high] = [read(from, axis.value(axis.low)), read(to, axis.value(axis.high))];
    if (!(low <= high)) {
      fill(wrong, "From must not be more than to");
      return;
    }
    fill(wrong);
    const rest = parts.filter((part) => part !== first);
    put([...(from.value === "" && to.value === "" ? [] : [isTime ? [low, high].map((one) => new Date(one * 1000).toISOString()) : [low, high]]), ...rest]);
  };
  for (const input of [from, to]) {
    input.addEventListener("change", use);
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") use(); });
  }
  return [h("label", { class: "row" }, h("span", null, "From"), from), h("label", { class: "row" }, h("span", null, "To"), to), wrong,
    spans.length > 1 && h("p", { class: "muted" }, `and ${spans.length - 1} more parts`)];
}

function check(label, on, change) {
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", checked: on, on: { change: () => change(input.checked) } }));
  return h("label", { class: "check" }, input, label);
}

function values(axis, parts, put) {
  const of = (text) => (axis.boolean ? text === "true" : text);
  return h("div", { class: "values" }, axis.categories.filter((text) => text !== null).map((text) => check(text, parts.includes(of(text)), (on) => put(on ? [...parts, of(text)] : parts.filter((part) => part !== of(text))))));
}

/**
 * @param {import("./axis.js").Axis} axis @param {() => import("./brush.js").Part[]} now @param {(parts: import("./brush.js").Part[]) => void} put
 * @returns {HTMLElement}
 */
export function brushEditor(axis, now, put) {
  const el = h("div", { class: "settings brush-editor" });
  const draw = () => {
    const parts = now();
    const change = (next) => { put(next); draw(); };
    const lacking = lackingOf(axis);
    const has = lacking.every((one) => parts.some((part) => same(part, one)));
    const without = parts.filter((part) => !lacking.some((one) => same(part, one)));
    const at = [...el.querySelectorAll("input")].indexOf(/** @type {HTMLInputElement} */ (document.activeElement));
    fill(el, axis.kind === "category" ? values(axis, parts, change) : numbers(axis, parts, change),
      axis.none + axis.below > 0 && check(`runs without a value (${axis.none + axis.below})`, has, (on) => change(on ? [...parts, ...lacking] : without)),
      button("reset", "Clear the brush", () => change([]), { text: "Clear", disabled: !parts.length }));
    if (at >= 0) el.querySelectorAll("input")[at]?.focus();
  };
  draw();
  return el;
}
