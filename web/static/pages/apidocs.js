/** The API page: search, copying, and questions that can be asked from it. */

import { button, debounce, fill, h } from "../core/dom.js";
import { bytes, plural } from "../core/format.js";
import { bind } from "../core/keys.js";
import { shell } from "../core/shell.js";
import { copy } from "../core/ui.js";

const MOST_READ = 2_000_000; // bytes of an answer
const MOST_SHOWN = 30_000; // characters of it

shell();

// Search
const input = /** @type {HTMLInputElement} */ (h("input", { type: "search", "aria-label": "Search operations", placeholder: "Search operations", spellcheck: "false", maxlength: "200" }));
const count = h("p", { class: "sr", role: "status" });
fill(document.getElementById("api-search"), input, count);
const all = [...document.querySelectorAll(".operation")].map((el) => ({
  el: /** @type {HTMLElement} */ (el),
  link: /** @type {HTMLElement} */ (document.querySelector(`.index a[href="#${el.id}"]`)?.parentElement),
  text: [...el.querySelectorAll("h3, p, .parameters, .field")].map((part) => part.textContent).join(" ").toLowerCase(),
}));

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const one of all) {
    const fits = words.every((word) => one.text.includes(word));
    one.el.hidden = !fits;
    one.link.hidden = !fits;
    if (fits) shown += 1;
  }
  for (const group of document.querySelectorAll(".group")) /** @type {HTMLElement} */ (group).hidden = !group.querySelector(".operation:not([hidden]), li:not([hidden])");
  /** @type {HTMLElement} */ (document.getElementById("api-none")).hidden = shown > 0;
  fill(count, plural(shown, "operation"));
}
input.addEventListener("input", debounce(search, 80));
bind("/", "search operations", () => input.focus());

// Snippets
for (const figure of document.querySelectorAll(".snippet")) {
  const name = figure.querySelector("figcaption")?.textContent ?? "";
  figure.querySelector("figcaption")?.append(button(null, `Copy ${name}`, () => copy(figure.querySelector("code")?.textContent ?? "", name), { text: "Copy", "aria-label": `Copy ${name}` }));
}

// Questions
for (const { el } of all) {
  if (!("try" in el.dataset)) continue;
  const open = button(null, "Try it", () => {
    open.remove();
    el.append(tryIt(el));
    /** @type {HTMLElement | null} */ (el.querySelector(".try input, .try select, .try button"))?.focus();
  }, { text: "Try it" });
  el.append(open);
}

function field(row) {
  const { name = "", type = "", choices = "", default: usual = "" } = row.dataset;
  const shared = { name, "aria-label": name };
  if (choices) return h("select", shared, h("option", { value: "" }, "required" in row.dataset ? "" : `default (${unquoted(usual)})`), choices.split(",").map((value) => h("option", { value }, value)));
  if (type === "boolean") return h("select", shared, ["", "true", "false"].map((value) => h("option", { value }, value || `default (${usual})`)));
  return h("input", { ...shared, type: "text", placeholder: usual && usual !== "[]" ? unquoted(usual) : type, spellcheck: "false", autocomplete: "off" });
}

function unquoted(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "string" ? value : text;
  } catch {
    return text;
  }
}

function tryIt(el) {
  const rows = /** @type {HTMLElement[]} */ ([...el.querySelectorAll(".parameters tr[data-name]")]);
  const fields = rows.map((row) => ({ row, input: field(row) }));
  const out = h("div", { class: "result", role: "status" });
  const send = h("button", { class: "button primary" }, "Send");
  let asking = new AbortController();
  const url = () => {
    let path = el.dataset.path ?? "";
    const query = new URLSearchParams();
    for (const { row, input: one } of fields) {
      const value = /** @type {HTMLInputElement} */ (one).value.trim();
      if (row.dataset.in === "path") path = path.replace(`{${row.dataset.name}}`, encodeURIComponent(value || "-"));
      else if (value) query.set(row.dataset.name ?? "", value);
    }
    const text = query.toString();
    return text ? `${path}?${text}` : path;
  };
  const ask = async (event) => {
    event.preventDefault();
    asking.abort();
    asking = new AbortController();
    fill(out, h("p", { class: "muted" }, "Asking…"));
    const began = performance.now();
    try {
      const asked = url();
      const answer = await fetch(asked, { signal: asking.signal });
      const body = await read(answer);
      fill(out, shown(asked, answer, body, performance.now() - began));
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") fill(out, h("p", { class: "wrong" }, "The server does not answer. Is `boardlake serve` still running?"));
    }
  };
  return h("form", { class: "try", "aria-label": `Try ${el.dataset.path}`, on: { submit: ask } },
    fields.length ? h("div", { class: "fields" }, fields.map(({ row, input: one }) => h("label", null, h("code", null, row.dataset.name), one))) : null, h("div", { class: "row" }, send), out);
}

/** The begin of an answer: {data, whole}. */
async function read(answer) {
  const reader = answer.body?.getReader();
  const parts = [];
  let size = 0;
  while (reader && size < MOST_READ) {
    const { done, value } = await reader.read();
    if (done) return { data: new Blob(parts), whole: true };
    parts.push(value);
    size += value.length;
  }
  await reader?.cancel();
  return { data: new Blob(parts), whole: !reader };
}

function shown(asked, answer, { data, whole }, ms) {
  const mime = (answer.headers.get("Content-Type") ?? "").split(";")[0];
  const head = h("p", null, h("strong", { class: answer.ok ? "good" : "bad" }, `${answer.status} ${answer.statusText}`), ` · ${Math.round(ms)} ms · ${whole ? "" : "more than "}${bytes(data.size)} · ${mime} `, h("a", { href: asked }, asked));
  const place = h("div", null);
  if (/^(text\/|application\/json)/.test(mime)) data.text().then((text) => fill(place, pretty(text, mime, whole)));
  else fill(place, h("p", { class: "muted" }, "These are bytes; the link above fetches them."));
  return [head, place];
}

function pretty(text, mime, whole) {
  let said = text;
  if (whole && mime === "application/json") {
    try {
      said = dense(JSON.stringify(JSON.parse(text), null, 2));
    } catch {
      // Shown as it came.
    }
  }
  const cut = said.length > MOST_SHOWN || !whole;
  return [h("pre", { tabindex: "0", "aria-label": "Answer" }, said.slice(0, MOST_SHOWN)), cut ? h("p", { class: "muted" }, `Only the begin is shown; the link above has the rest.`) : null, button("share", "Copy the answer", () => copy(said, "Answer"), { text: "Copy the answer" })];
}

/** JSON whose innermost lists and objects stand on one line; within its texts there are no line breaks. */
function dense(json) {
  return json.replace(/([[{])\n\s+([^[\]{}]+?)\n\s+([\]}])/g, (all, open, inner, close) => (inner.length > 400 ? all : `${open}${inner.replace(/\n\s+/g, " ")}${close}`));
}

// The address names an operation that was not there before the scripts came: nothing moves, but it is marked.
function mark() {
  for (const one of all) one.el.classList.toggle("aimed", `#${one.el.id}` === location.hash);
}
addEventListener("hashchange", mark);
mark();
