/** The compare page: runs side by side, their texts line by line, their charts below. */

import { ChartGrid } from "../charts/grid.js";
import { asJson, csv, markdown } from "../compare/export.js";
import { sections, table } from "../compare/model.js";
import { find, picker, runLine } from "../compare/pick.js";
import { candidates, Texts } from "../compare/texts.js";
import { draw } from "../compare/view.js";
import { get, withdrawn } from "../core/api.js";
import { colourOf, PALETTE } from "../core/colour.js";
import { button, debounce, fill, h, icon, onFrame } from "../core/dom.js";
import { plural } from "../core/format.js";
import { bind } from "../core/keys.js";
import { flag, isText, items, json, list, oneOf, text, values } from "../core/kinds.js";
import { offer } from "../core/search.js";
import { shell } from "../core/shell.js";
import { literal } from "../core/split.js";
import { State } from "../core/state.js";
import { openTensorboard, TensorboardLink } from "../core/tensorboard.js";
import { copy, empty, failed, menu } from "../core/ui.js";
import { follow } from "./live.js";
import { chartSchema } from "./workspace-state.js";

const MOST_RUNS = 200;
const TURNED_FROM = 50;
const RECENT = 12;
const STATS = { last: "Last", best: "Best", min: "Smallest", max: "Largest", mean: "Mean", first: "First" };

const state = new State("compare", {
  runs: list(), // run_keys in order
  base: text(), // the run_key that the others are measured against
  diff: flag(true), // only what differs
  stat: oneOf(...Object.keys(STATS)),
  q: text(), // words that names of rows have
  flip: oneOf("auto", "no", "yes"), // a row for each run
  closed: list(), // closed sections
  dirs: json({}, values((better) => [1, -1, 0].includes(better))), // tags of which higher (1) or lower (-1) is better, or neither (0)
  text: json(null, items(isText, 3)), // the text that is compared, and of which two runs
  ta: text(),
  tb: text(),
  uni: flag(),
  ...chartSchema,
}, "/compare");

/** What was loaded: for which runs and statistic, the table, the tags. */
let loaded = { keys: [], stat: "", all: table({ runs: [], fields: [], hparams: [], metrics: [] }), tags: [], missing: [], metrics: 0, listed: 0 };
let asking = new AbortController();
const found = new Map();

const keys = () => [...new Set(state.get("runs"))].slice(0, MOST_RUNS);
const set = (patch) => state.set(patch);
const add = (more) => set({ runs: [...new Set([...keys(), ...more])] });

shell({ state });

const pick = picker({ taken: keys, add });
const search = h("input", { type: "search", "aria-label": "Search names", placeholder: "Search names", value: state.get("q"), maxlength: "500", spellcheck: "false" });
const typed = debounce(() => set({ q: /** @type {HTMLInputElement} */ (search).value.trim() }), 150);
search.addEventListener("input", typed);
const only = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", on: { change: () => set({ diff: only.checked }) } }));
const stat = /** @type {HTMLSelectElement} */ (h("select", { on: { change: () => set({ stat: stat.value }) } }, Object.entries(STATS).map(([value, name]) => h("option", { value }, name))));
const flip = button("columns", "A row for each run", () => set({ flip: turned() ? "no" : "yes" }), { text: "A row for each run" });
const out = button("download", "Copy as CSV, Markdown or JSON", () => menu(out, "Copy", [
  { label: "Copy as CSV", run: () => copy(csv(...shownForCopy()), "CSV") },
  { label: "Copy as Markdown", run: () => copy(markdown(...shownForCopy()), "Markdown") },
  { label: "Copy as JSON", run: () => copy(asJson(...shownForCopy(), { base: state.get("base"), stat: state.get("stat") }), "JSON") },
]), { text: "Copy", "aria-haspopup": "menu" });
const board = new TensorboardLink();
const tools = h("div", { class: "tools", role: "group", "aria-label": "Comparison" },
  search, h("label", { class: "check" }, only, "Differences only"), h("label", { class: "check" }, "Value", stat), flip, out, board.el, h("span", { class: "space" }), pick.el);

const notes = h("div", null);
const place = h("div", { class: "compare-scroll", tabindex: "0", role: "region", "aria-label": "Comparison" });
const hint = h("div", null);
const textsHead = h("h2", null);
const textsEl = h("div", { class: "texts" });
const texts = new Texts(textsEl, state);
const textsPart = h("section", { class: "part", "aria-label": "Texts", hidden: true }, textsHead, textsEl);
const chartsHead = h("h2", null);
const chartsEl = h("div", { class: "charts" });
const chartsPart = h("section", { class: "part", "aria-label": "Charts", hidden: true }, chartsHead, chartsEl);
const grid = new ChartGrid(chartsEl, state, {
  why: () => empty("There is no run to draw."),
});
fill(document.getElementById("compare"), tools, notes, place, hint, textsPart, chartsPart);

/** Runs by key, remembered: [run, ...] in the order of *wanted*, without those that are gone. */
async function lookUp(wanted, signal) {
  const unknown = wanted.filter((key) => !found.has(key));
  if (unknown.length) {
    const answer = await get("runs", { filter: `run_key in (${unknown.map(literal).join(", ")})`, columns: ["run_key", "label", "colour"], limit: unknown.length, duplicates: true, archived: true }, signal);
    for (const [id, key, label, colour] of answer.rows) found.set(key, { run_id: id, run_key: key, label, colour });
  }
  return wanted.map((key) => found.get(key)).filter(Boolean);
}

async function load() {
  const wanted = keys();
  const kind = state.get("stat");
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  place.setAttribute("aria-busy", "true");
  try {
    const runs = await lookUp(wanted, signal);
    const missing = wanted.filter((key) => !found.has(key));
    const ids = runs.map((run) => run.run_id);
    const stats = kind === "best" ? ["min", "max"] : [kind];
    const [tags, ...answers] = ids.length
      ? await Promise.all([get("tags", { runs: ids, kind: "tensor" }, signal), ...stats.map((one) => get("compare", { runs: ids, stat: one }, signal))])
      : [{ tags: [] }, { runs: [], fields: [], hparams: [], metrics: [] }];
    loaded = { keys: wanted, stat: kind, all: table(answers[0], answers[1]), tags: tags.tags, missing, metrics: answers[0].metrics_total ?? 0, listed: answers[0].metrics.length };
    render();
  } catch (error) {
    if (withdrawn(error)) return;
    place.hidden = false;
    fill(place, failed(error, load));
  }
  place.removeAttribute("aria-busy");
}

const turned = () => state.get("flip") === "yes" || (state.get("flip") === "auto" && keys().length >= TURNED_FROM);

/** The compared runs in order, with all that is known of each; a few have colours that differ. */
function here() {
  const runs = keys().filter((key) => loaded.all.runs.has(key)).map((key) => ({ ...loaded.all.runs.get(key), ...found.get(key) }));
  const taken = new Set(runs.map((run) => run.colour).filter(Boolean));
  return runs.map((run) => {
    const own = colourOf(run.run_id, run.colour ?? "");
    const colour = run.colour || !taken.has(own) ? own : (PALETTE.find((one) => !taken.has(one)) ?? own);
    taken.add(colour);
    return { ...run, colour };
  });
}

function seen() {
  const runs = here();
  const order = runs.map((run) => run.run_key);
  const base = order.includes(state.get("base")) ? state.get("base") : "";
  const view = { keys: order, base, diff: state.get("diff"), q: state.get("q"), best: state.get("stat") === "best", dirs: state.get("dirs") };
  return { runs, base, shown: sections(loaded.all, view), flip: turned(), shut: state.get("closed"), diff: view.diff, q: view.q, stat: state.get("stat") };
}

function shownForCopy() {
  const { shown, runs } = seen();
  return [shown.filter((section) => !state.get("closed").includes(section.id)), runs];
}

const acts = {
  remove: (key) => set({ runs: keys().filter((one) => one !== key), ...(state.get("base") === key ? { base: "" } : {}) }),
  /** Put a run at a place; `before` counts the places as they were with it. */
  move: (key, at, before = false) => {
    const order = keys();
    const from = order.indexOf(key);
    order.splice(from, 1);
    order.splice(before && from < at ? at - 1 : at, 0, key);
    set({ runs: order });
  },
  baseline: (key) => set({ base: key }),
  toggle: (id) => set({ closed: state.get("closed").includes(id) ? state.get("closed").filter((one) => one !== id) : [...state.get("closed"), id] }),
  better: (row) => set({ dirs: { ...state.get("dirs"), [row.name]: { 1: -1, "-1": 0, 0: 1 }[row.better] } }),
  texts: (row, key) => {
    const other = here().find((run) => run.run_key !== key)?.run_key ?? "";
    const base = state.get("base");
    set({ text: [row.section, row.name], ta: base && base !== key ? base : other, tb: key, closed: state.get("closed").filter((id) => id !== "texts") });
    textsPart.scrollIntoView({ block: "start" });
  },
  all: () => set({ diff: false }),
  clear: () => set({ q: "" }),
};

function render() {
  const now = seen();
  const many = now.runs.length;
  only.checked = now.diff;
  stat.value = now.stat;
  flip.setAttribute("aria-pressed", String(now.flip));
  if (document.activeElement !== search) /** @type {HTMLInputElement} */ (search).value = now.q;
  for (const el of [only, stat, flip, out, search]) /** @type {any} */ (el).disabled = many === 0;
  board.show(many ? { runs: now.runs.map((run) => run.run_key) } : null, { count: many, kind: "compared", key: "b" });
  place.hidden = many === 0;
  if (many) draw(place, now, acts);
  const asked = new Set(state.get("runs")).size;
  const missing = keys().filter((key) => loaded.missing.includes(key));
  fill(notes,
    missing.length ? h("p", { class: "notice", role: "status" }, `${plural(missing.length, "run")} of this link ${missing.length === 1 ? "is" : "are"} not in the lake (any more): ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ", …" : ""}. `, h("button", { type: "button", class: "link", on: { click: () => set({ runs: keys().filter((key) => !missing.includes(key)) }) } }, "Leave out")) : null,
    asked > MOST_RUNS ? h("p", { class: "notice", role: "status" }, `The link names ${asked} runs; the first ${MOST_RUNS} are compared. Groups of the run table compare more.`) : null);
  if (loaded.metrics > loaded.listed) notes.append(h("p", { class: "notice", role: "status" }, `Only ${loaded.listed.toLocaleString("en-US")} of ${plural(loaded.metrics, "metric")} are listed.`));
  document.title = many ? `${many === 1 ? now.runs[0].label : `${many} runs`} · Compare · boardlake` : "Compare · boardlake";
  offerRuns(many);
  textsPart.hidden = many < 2;
  if (many >= 2) renderTexts(now.runs);
  chartsPart.hidden = many < 1;
  if (many && part("charts", "Charts", chartsHead, chartsEl)) {
    grid.setRuns(now.runs.map((run) => ({ key: run.run_key, run_id: run.run_id, label: run.label, colour: run.colour })));
    grid.setBaseline(now.base);
  }
}

/** The head of a part of the page below the table; whether the part is open. */
function part(id, name, head, body) {
  const open = !state.get("closed").includes(id);
  fill(head, h("button", { type: "button", class: "fold", "aria-expanded": String(open), on: { click: () => acts.toggle(id) } }, icon(open ? "down" : "right"), name));
  body.hidden = !open;
  return open;
}

function renderTexts(runs) {
  if (part("texts", "Texts", textsHead, textsEl)) texts.show(candidates(loaded.all, loaded.tags, runs.map((run) => run.run_key)), runs);
}

/** With fewer than two runs there is nothing to compare: say so, and offer the latest. */
async function offerRuns(many) {
  if (many >= 2) return fill(hint);
  const words = many ? "One run alone: add another to see what differs." : "Nothing to compare yet. Pick two or more runs: here, by the box above, or in the run table with “compare”.";
  let recent = [];
  try {
    recent = await find("", RECENT + keys().length);
  } catch (error) {
    return fill(hint, failed(error, () => offerRuns(many)));
  }
  if (here().length >= 2) return fill(hint);
  const others = recent.filter((run) => !keys().includes(run.run_key)).slice(0, RECENT);
  const chosen = new Set();
  const go = /** @type {HTMLButtonElement} */ (button("compare", "Compare", () => add([...chosen]), { text: "Compare", class: "button primary", disabled: true }));
  const rows = others.map((run) => h("li", null, h("label", null, h("input", { type: "checkbox", on: { change: (event) => {
    if (event.target.checked) chosen.add(run.run_key);
    else chosen.delete(run.run_key);
    go.disabled = chosen.size + many < 2;
  } } }), runLine(run))));
  if (!others.length) return fill(hint, empty(many ? "The lake holds no other run." : "The lake holds no runs yet: `boardlake ingest PATH` reads event files into it."));
  return fill(hint, h("section", { class: "start", "aria-label": "Recent runs" }, h("p", null, words), h("h2", null, "Recent runs"), h("ul", { class: "recent" }, rows), go));
}

const again = onFrame(render);
state.on((changed) => {
  const textOnly = [...changed].every((name) => ["text", "ta", "tb", "uni"].includes(name));
  const chartOnly = [...changed].every((name) => name in chartSchema);
  if (chartOnly) return;
  if (textOnly && loaded.keys.length) {
    renderTexts(here());
    return;
  }
  // Fewer runs, or others in order, are in what was loaded already.
  const more = keys().some((key) => !loaded.keys.includes(key));
  if (more || state.get("stat") !== loaded.stat) load();
  else again();
});

bind("/", "search names", () => search.focus());
bind("a", "add a run", () => pick.input.focus());
bind("d", "differences only, or all", () => set({ diff: !state.get("diff") }));
offer("Compare: show or hide what is the same", () => set({ diff: !state.get("diff") }));
offer("Compare: a row or a column for each run", () => set({ flip: turned() ? "no" : "yes" }));
const openBoard = () => openTensorboard({ runs: here().map((run) => run.run_key) });
bind("b", "open the compared runs in TensorBoard", () => (here().length ? void openBoard() : false));
offer("Open the compared runs in TensorBoard", openBoard);
offer("Compare: no baseline", () => set({ base: "" }));
load();
follow(() => state.get("live") && keys().length > 0, () => {
  if (document.querySelector("[popover=auto]:popover-open, dialog[open]")) return;
  texts.renew();
  load();
  grid.refresh();
});
