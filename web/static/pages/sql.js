/** The SQL page: an editor, what can be asked beside it, and the answer below. */

import { get, send, withdrawn } from "../core/api.js";
import { replace } from "../core/combo.js";
import { button, debounce, fill, h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { offer } from "../core/search.js";
import { shell } from "../core/shell.js";
import { State } from "../core/state.js";
import { failed } from "../core/ui.js";
import { complete, identifier } from "../sql/complete.js";
import { Editor } from "../sql/editor.js";
import { grip } from "../sql/grip.js";
import { keep } from "../sql/history.js";
import { Result } from "../sql/result.js";
import { Side, examples } from "../sql/side.js";
import { paneButton } from "../sql/tables.js";
import { statements } from "../sql/tokens.js";
import { placeOf, wrong } from "../sql/wrong.js";
import { names, valuesOf } from "../table/names.js";
import { schema } from "./sql-state.js";

const WRITE_MS = 400;
const CLIP = 10_000; // characters of a value
const LEAST_EDITOR = 90;
const LEAST_RESULT = 120;
const TELL_MS = 300;
const ASKED = ["q", "at", "limit"]; // what an answer depends on

const state = new State("sql", schema, "/sql");
shell({ state });
const root = /** @type {HTMLElement} */ (document.getElementById("sql"));
const side = h("aside", { class: "sql-side", "aria-label": "Tables, examples, history" });
const work = h("div", { class: "sql-work" });
const typing = h("div", { class: "sql-edit" });
fill(root, side, work);

let known = /** @type {any} */ (null);
let asking = /** @type {AbortController | null} */ (null);
let began = 0;
/** What was asked last. @type {{text: string, start: number, at: number} | null} */
let last = null;
/** The state that the answer is of. @type {{q: string, at: number, limit: number} | null} */
let ran = null;

const editor = new Editor(typing, {
  onInput: debounce(() => state.set({ q: editor.text }, { commit: false }), WRITE_MS),
  onRun: () => run(),
  options: async (text, caret, asked) => (known ? complete(text, caret, asked, { schema: known, names, valuesOf }) : []),
});
const go = button("right", "Run the statement at the caret, or what is selected (Ctrl+Enter)", () => run(), { text: "Run", class: "button primary" });
const stop = button("close", "Stop the statement that runs (Esc)", () => cancel(), { text: "Cancel", class: "button", hidden: true });
const running = h("span", { class: "muted", role: "status" });
const toggle = paneButton(() => state.set({ side: state.get("side") === "none" ? "tables" : "none" }));
const tools = h("div", { class: "sql-tools" }, toggle, go, stop, h("span", { class: "muted sql-keys" }, h("kbd", null, "Ctrl"), " ", h("kbd", null, "Enter"), " runs · ", h("kbd", null, "Tab"), " completes"), running, h("span", { class: "space" }),
  button("plus", "An empty editor; the text is in the history once it was run", () => { editor.write(""); editor.go(0); }, { text: "New" }));
const height = () => typing.getBoundingClientRect().height;
const edge = grip({
  label: "Height of the editor", least: LEAST_EDITOR, most: () => work.getBoundingClientRect().height - LEAST_RESULT, get: () => Math.round(height()) || state.get("edit"),
  set: (edit, commit) => state.set({ edit }, { commit }),
});
const answer = h("div", { class: "sql-answer" });
fill(work, tools, typing, edge, answer);
const result = new Result(answer, state, { examples: () => examples(example, 6) });
const beside = new Side(side, state, { insert: (text) => editor.insert(text), open, example });

function layout() {
  typing.style.height = `min(${state.get("edit")}px, calc(100% - ${LEAST_RESULT + 60}px))`;
  toggle.setAttribute("aria-pressed", String(state.get("side") !== "none"));
}

/** Put another text into the editor and run it. @param {string} q */
function open(q) {
  if (editor.text.trim() && editor.text !== q && !state.get("q").includes(editor.text.trim())) keep({ q: editor.text, rows: null, seconds: null });
  editor.write(q);
  editor.input.setSelectionRange(q.length, q.length);
  state.set({ sort: "", chart: {}, show: "table" }, { commit: false });
  run();
}

function example(one) {
  editor.write(one.sql);
  editor.input.setSelectionRange(0, 0);
  state.set({ sort: "", chart: one.chart ?? {}, show: one.chart ? "chart" : "table" }, { commit: false });
  run();
}

/** What is to be run: once more what was, or what the editor says now. */
function wanted(same) {
  if (!same) return editor.chosen();
  if (last) return last;
  const all = statements(editor.text);
  const one = all[Math.min(state.get("at"), all.length - 1)];
  return one ? { text: editor.text.slice(one.start, one.end), start: one.start, at: all.indexOf(one) } : null;
}

/** Ask; the last answer stays until the new one is there. */
async function run({ same = false } = {}) {
  const asked = wanted(same);
  cancel();
  if (!asked) {
    editor.input.focus();
    return;
  }
  const another = asked.text !== result.query;
  const told = same ? { q: state.get("q"), at: state.get("at") } : { q: editor.text, at: Math.max(0, asked.at) };
  last = asked;
  ran = { ...told, limit: state.get("limit") };
  state.set({ ...told, ...(another && result.query !== undefined && !same && state.values.sort ? { sort: "" } : {}) });
  editor.mark(null);
  asking = new AbortController();
  const { signal } = asking;
  began = Date.now();
  busy(true);
  try {
    const found = await send("POST", "sql", { query: asked.text, format: "json", limit: state.get("limit"), clip: CLIP }, signal);
    if (signal.aborted) return;
    result.show(found, { query: asked.text });
    keep({ q: asked.at < 0 ? asked.text : editor.text, rows: found.rows.length, seconds: found.seconds });
  } catch (error) {
    if (withdrawn(error) || signal.aborted) return;
    refused(error, asked);
    keep({ q: asked.at < 0 ? asked.text : editor.text, rows: null, seconds: null, wrong: true });
  } finally {
    if (!signal.aborted) {
      asking = null;
      busy(false);
    }
    beside.ran();
  }
}

function refused(error, asked) {
  const same = editor.text.slice(asked.start, asked.start + asked.text.length) === asked.text;
  const at = same ? placeOf(error, asked) : null;
  editor.mark(at);
  result.fail(wrong(error, at, {
    text: asked.text, schema: known,
    line: (place) => editor.text.slice(0, place).split("\n").length,
    go: (place) => editor.go(place),
    use: (name) => {
      replace(editor.input, at.start, at.end, name.split(".").map((part) => identifier(part, new Set(known?.keywords ?? []))).join("."));
      editor.list.close();
      run();
    },
    again: () => run({ same: true }),
  }));
}

/** Stop what runs: the server hears that nobody waits any more, and ends the statement. */
function cancel() {
  if (!asking) return;
  asking.abort();
  asking = null;
  busy(false);
  fill(running, "Cancelled");
}

let ticking = 0;
function busy(on) {
  clearInterval(ticking);
  fill(running);
  result.busy(on);
  stop.hidden = true;
  if (!on) return;
  const tick = () => {
    const seconds = (Date.now() - began) / 1000;
    if (seconds * 1000 < TELL_MS) return;
    stop.hidden = false;
    fill(running, `Running for ${seconds.toFixed(1)} s${known ? `, stopped at ${known.limits.seconds} s` : ""}`);
  };
  ticking = setInterval(tick, 100);
}

async function load() {
  try {
    known = await get("schema");
    editor.know(known);
    beside.tables.show(known);
  } catch (error) {
    beside.tables.fail(failed(error, load));
  }
}

state.on((changed) => {
  if (changed.has("edit") || changed.has("side")) layout();
  // Undo, or a step forward: the text is another than the editor's.
  if (changed.has("q") && state.get("q") !== editor.text) editor.set(state.get("q"));
  // What is being written does not run by itself; what else differs from what was asked does.
  const { q, at, limit } = state.values;
  if (state.loose || !ASKED.some((name) => changed.has(name)) || (ran && ran.q === q && ran.at === at && ran.limit === limit)) return;
  if (changed.has("q") || changed.has("at")) last = null;
  if (q) run({ same: true });
  else {
    cancel();
    ran = null;
    result.clear();
  }
});
bind("Ctrl+Enter", "run the statement at the caret, or what is selected", () => run(), { whileTyping: true });
bind("Escape", "stop the statement that runs", () => (asking && !document.querySelector("dialog[open], [popover=auto]:popover-open") ? cancel() : false), { whileTyping: true });
bind("/", "write SQL", () => editor.go(editor.input.selectionStart));
bind("c", "table or chart", () => state.set({ show: state.get("show") === "chart" ? "table" : "chart" }));
offer("Run the statement", () => run());
offer("Table or chart of the answer", () => state.set({ show: state.get("show") === "chart" ? "table" : "chart" }));
layout();
editor.set(state.get("q"));
if (editor.text) run({ same: true });
else {
  result.clear();
  editor.input.focus({ preventScroll: true });
}
load();
