/** The table of a comparison: a column for each run, or a row for each when there are many. */

import { button, fill, h, icon } from "../core/dom.js";
import { bytes, duration, number, plural, time, toNumber } from "../core/format.js";
import { copy, menu, popover } from "../core/ui.js";
import { title } from "./export.js";

/** So many cells are drawn at once; the rest when the reader comes near. */
const BATCH = 3000;
/** Columns of a turned table, beyond which only a search shows the rest. */
const MOST_COLUMNS = 400;
const LONG = 36;

const BETTER = { 1: ["↑", "higher is better"], "-1": ["↓", "lower is better"], 0: ["↕", "neither higher nor lower is better"] };

/**
 * @typedef {{runs: any[], shown: any[], base: string, flip: boolean, shut: string[], diff: boolean, q: string, stat: string}} Seen
 * @typedef {{remove: Function, move: Function, baseline: Function, toggle: Function, better: Function, texts: Function, all: Function, clear: Function}} Acts
 */

/** The table. @param {HTMLElement} el a place that scrolls @param {Seen} seen @param {Acts} acts */
export function draw(el, seen, acts) {
  const keep = [el.scrollTop, el.scrollLeft];
  const parts = seen.flip ? turned(seen, acts) : upright(seen, acts);
  const body = h("table", { class: seen.flip ? "compare flip" : "compare" }, h("caption", { class: "sr" }, `Comparison of ${plural(seen.runs.length, "run")}`), parts.head);
  fill(el, body);
  lazily(el, body, parts.rows, parts.width);
  [el.scrollTop, el.scrollLeft] = keep;
}

/** Append rows (functions that make them) until enough are there, and more as the end comes into view. */
function lazily(el, body, rows, width) {
  const size = Math.max(10, Math.floor(BATCH / Math.max(1, width)));
  const place = h("tbody", null);
  body.append(place);
  let at = 0;
  const more = () => {
    place.append(...rows.slice(at, at + size).map((row) => row()));
    at += size;
  };
  more();
  if (at >= rows.length) return;
  const end = h("div", { class: "more muted" }, "…");
  el.append(end);
  const watch = new IntersectionObserver((seen) => {
    if (!end.isConnected) return watch.disconnect();
    if (!seen.some((one) => one.isIntersecting)) return undefined;
    more();
    // A new look is needed where the end is still in view.
    watch.unobserve(end);
    if (at < rows.length) watch.observe(end);
    else end.remove();
    return undefined;
  }, { root: el, rootMargin: "600px" });
  watch.observe(end);
}

function upright(seen, acts) {
  const { runs, shown, shut } = seen;
  const head = h("thead", null, h("tr", null, h("th", { class: "corner", scope: "col" }, summary(shown)), runs.map((run, i) => runHead(run, i, seen, acts, "col"))));
  const rows = [];
  for (const section of shown) {
    const open = !shut.includes(section.id);
    rows.push(() => h("tr", { class: "section" }, h("th", { scope: "colgroup", colspan: runs.length + 1 }, toggle(section, open, seen, acts))));
    if (!open) continue;
    if (!section.rows.length) rows.push(() => h("tr", { class: "none" }, h("td", { colspan: runs.length + 1 }, h("div", null, nothing(section, seen, acts)))));
    let group = "";
    for (const row of section.rows) {
      if (row.group !== group) {
        group = row.group;
        const name = group;
        rows.push(() => h("tr", { class: "group" }, h("th", { scope: "colgroup", colspan: runs.length + 1 }, h("span", null, name))));
      }
      rows.push(() => h("tr", { class: row.differs ? "differs" : "" }, h("th", { scope: "row", class: row.group ? "within" : "" }, rowHead(row, row.leaf, acts)), runs.map((run, i) => cell(row, i, seen, acts))));
    }
  }
  return { head, rows, width: runs.length };
}

function turned(seen, acts) {
  const { runs, shown, shut } = seen;
  const columns = [];
  const spans = [];
  for (const section of shown) {
    const open = !shut.includes(section.id);
    const rows = open ? section.rows.slice(0, Math.max(0, MOST_COLUMNS - columns.length)) : [];
    const left = open ? section.rows.length - rows.length : 0;
    columns.push(...(rows.length ? rows : [null]));
    spans.push(h("th", { scope: "colgroup", colspan: Math.max(1, rows.length), class: "section" }, h("div", null, toggle(section, open, seen, acts), left ? h("span", { class: "muted" }, `${left} more: search by name`) : null)));
  }
  const names = columns.map((row) => (row ? h("th", { scope: "col" }, rowHead(row, row.name, acts)) : h("td", { class: "void" })));
  const head = h("thead", null, h("tr", null, h("th", { class: "corner", scope: "col", rowspan: 2 }, summary(shown)), spans), h("tr", { class: "names" }, names));
  const rows = runs.map((run, i) => () => h("tr", { class: run.run_key === seen.base ? "base" : "" }, runHead(run, i, seen, acts, "row"), columns.map((row) => (row ? cell(row, i, seen, acts) : h("td", { class: "void" })))));
  return { head, rows, width: columns.length };
}

function summary(shown) {
  const [rows, total] = shown.reduce(([a, b], section) => [a + section.rows.length, b + section.total], [0, 0]);
  return h("span", { class: "muted" }, rows === total ? plural(total, "row") : `${rows.toLocaleString("en-US")} of ${plural(total, "row")}`);
}

function toggle(section, open, seen, acts) {
  const differ = seen.runs.length > 1 ? `${section.differing} of ${section.total} differ` : String(section.total);
  return h("button", { type: "button", class: "fold", "aria-expanded": String(open), on: { click: () => acts.toggle(section.id) } }, icon(open ? "down" : "right"), section.title, h("span", { class: "muted" }, differ));
}

function nothing(section, seen, acts) {
  if (!section.total) return { fields: "Nothing is known.", hparams: "No hyperparameters were found in these runs.", metrics: "These runs have no scalar metrics." }[section.id];
  if (seen.q) return ["No name here matches the search. ", h("button", { type: "button", class: "link", on: { click: () => acts.clear() } }, "Clear the search")];
  return ["All the same in these runs. ", h("button", { type: "button", class: "link", on: { click: () => acts.all() } }, "Show what is the same")];
}

function rowHead(row, name, acts) {
  const [sign, words] = BETTER[row.better] ?? BETTER[0];
  return [
    h("span", { class: "name", title: title(row) }, name),
    row.stream ? h("span", { class: "chip" }, row.stream) : null,
    row.section === "metrics" ? h("button", { type: "button", class: row.better ? "better" : "better unknown", "aria-label": `${title(row)}: ${words}`, title: `${words}; click to change`, on: { click: () => acts.better(row) } }, sign) : null,
  ];
}

function runHead(run, at, seen, acts, scope) {
  const isBase = run.run_key === seen.base;
  const last = seen.runs.length - 1;
  const [back, on] = scope === "col" ? ["left", "right"] : ["up", "down"];
  const options = button("menu", `Options of ${run.label}`, () => menu(options, `Options of ${run.label}`, [
    { label: "Open the run", icon: "right", run: () => { location.href = `/run/${run.run_key}`; } },
    { label: isBase ? "No baseline" : "Make it the baseline", icon: "compare", run: () => acts.baseline(isBase ? "" : run.run_key) },
    "-",
    { label: `Move ${back}`, disabled: at === 0, run: () => acts.move(run.run_key, at - 1) },
    { label: `Move ${on}`, disabled: at === last, run: () => acts.move(run.run_key, at + 1) },
    { label: scope === "col" ? "Move to the begin" : "Move to the top", disabled: at === 0, run: () => acts.move(run.run_key, 0) },
    "-",
    { label: "Remove from the comparison", icon: "close", run: () => acts.remove(run.run_key) },
  ]), { "aria-haspopup": "menu" });
  const el = h(
    "th", { scope, class: isBase ? "run base" : "run", draggable: "true", dataset: { run: run.run_key } },
    h("div", { class: "top" },
      h("span", { class: "dot", style: `background:${run.colour}` }),
      h("a", { href: `/run/${run.run_key}`, title: `${run.label}\n${[run.project, run.machine].filter(Boolean).join(" · ")}`, draggable: "false" }, run.label),
      h("span", { class: "tools" }, options, button("close", `Remove ${run.label}`, () => acts.remove(run.run_key)))),
    h("div", { class: "under" }, h("span", { class: `state ${run.state ?? ""}` }, run.state ?? ""), isBase ? h("span", { class: "chip" }, "baseline") : null),
  );
  drags(el, run.run_key, at, acts, scope);
  return el;
}

let dragged = "";
function drags(el, key, at, acts, scope) {
  const drop = () => el.classList.remove("before", "after");
  // A run that comes from before lands behind, and the other way round: always where the mark is.
  const side = (event) => {
    const box = el.getBoundingClientRect();
    return scope === "col" ? event.clientX > box.left + box.width / 2 : event.clientY > box.top + box.height / 2;
  };
  for (const [name, handle] of Object.entries({
    dragstart: (event) => {
      dragged = key;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", key);
      el.classList.add("dragged");
    },
    dragend: () => {
      dragged = "";
      el.classList.remove("dragged");
    },
    dragover: (event) => {
      if (!dragged || dragged === key) return;
      event.preventDefault();
      drop();
      el.classList.add(side(event) ? "after" : "before");
    },
    dragleave: drop,
    drop: (event) => {
      event.preventDefault();
      drop();
      if (dragged && dragged !== key) acts.move(dragged, side(event) ? at + 1 : at, true);
    },
  })) el.addEventListener(name, /** @type {any} */ (handle));
}

const FORMS = { time: /_at$/, duration: /^duration_s$/, bytes: /^(size|bytes)$/ };

/** How a value reads; what is longer than a line is cut. */
function shownAs(row, value) {
  if (row.section === "fields") {
    if (Array.isArray(value)) return value.join(", ");
    if (FORMS.time.test(row.name)) return time(value);
    if (FORMS.duration.test(row.name)) return duration(value);
    if (FORMS.bytes.test(row.name)) return bytes(value);
  }
  if (row.section === "metrics" || typeof value === "number") return number(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const ABSENT = { fields: "not known of this run", hparams: "this run has no such hyperparameter", metrics: "this run has no such metric" };

function cell(row, at, seen, acts) {
  const value = row.values[at];
  const base = seen.runs[at].run_key === seen.base ? " base" : "";
  if (value === null) return h("td", { class: `absent${base}`, title: ABSENT[row.section] });
  if (row.section === "metrics") return measured(row, at, seen, base);
  const text = shownAs(row, value);
  const isNumber = typeof value === "number" || (row.numeric && toNumber(Number(value)) !== null && value !== "");
  const kind = `${isNumber ? "number" : "text"}${row.section === "hparams" && row.odd[at] ? " odd" : ""}${base}`;
  if (text.length <= LONG && !text.includes("\n")) return h("td", { class: kind, title: typeof value === "number" ? String(value) : null }, text);
  const open = h("button", { type: "button", class: "cut", title: `${text.slice(0, 300)}\n(click for the whole)`, on: { click: () => whole(open, row, at, text, seen, acts) } }, text.slice(0, 300));
  return h("td", { class: kind }, open);
}

function whole(anchor, row, at, text, seen, acts) {
  const other = seen.runs.length > 1 ? button("compare", "Compare this text", () => { opened?.close(); acts.texts(row, seen.runs[at].run_key); }, { text: "Compare this text" }) : null;
  const opened = popover(anchor, [h("pre", { class: "whole", tabindex: "0" }, text), h("div", { class: "row" }, button("share", "Copy", () => copy(text, title(row)), { text: "Copy" }), other)], { label: title(row) });
}

function measured(row, at, seen, base) {
  const value = row.values[at];
  const step = row.steps?.[at];
  const delta = row.deltas[at];
  const bar = row.bars[at];
  const good = row.best[at];
  const share = row.relative[at];
  const tips = [`${value}${step == null ? "" : ` at step ${step.toLocaleString("en-US")}`}`];
  if (good) tips.push(`best of these runs (${BETTER[row.better][1]})`);
  if (bar !== null) tips.push("the bar goes from the least to the greatest of this row");
  const tone = delta === null || delta === 0 || !row.better ? "muted" : delta * row.better > 0 ? "good" : "worse";
  return h(
    "td", { class: `number metric${base}`, title: tips.join("\n") },
    h("div", { class: "line" }, h("span", { class: "step" }, step == null ? "" : `@${step.toLocaleString("en-US")}`), h("span", { class: good ? "value best" : "value" }, good ? h("span", { class: "sr" }, "best: ") : null, number(value))),
    seen.base && seen.runs.length > 1 ? h("div", { class: `delta ${tone}` }, delta === null ? "\u00a0" : `${signed(number(delta, 3), delta)}${share === null ? "" : ` (${signed(percent(share), share)})`}`) : null,
    bar === null ? null : h("div", { class: "bar-of" }, h("i", { style: `width:${(4 + 96 * bar).toFixed(1)}%;background:${seen.runs[at].colour}` })),
  );
}

const signed = (text, value) => (value > 0 ? `+${text}` : text.replace(/^-/, "−"));
const percent = (share) => `${number(share * 100, 3)} %`;
