/** The page of sources: what is looked at and how often, what goes wrong there, and how good the data is. */

import { get } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { bytes, plural } from "../core/format.js";
import { bind } from "../core/keys.js";
import { list, number, oneOf, text } from "../core/kinds.js";
import { offer } from "../core/search.js";
import { shell } from "../core/shell.js";
import { State } from "../core/state.js";
import { failed } from "../core/ui.js";
import { Tabs } from "../run/tabs.js";
import copies from "../sources/copies.js";
import { RANGES } from "../sources/cycles.js";
import disk from "../sources/disk.js";
import { healthOf, sum } from "../sources/health.js";
import overview from "../sources/overview.js";
import problems from "../sources/problems.js";
import quality from "../sources/quality.js";
import { tick } from "../sources/rows.js";
import trouble from "../sources/trouble.js";
import { viewsButton } from "../table/views.js";
import { follow } from "./live.js";

const PARTS = [overview, trouble, problems, copies, disk, quality];
const TICK_MS = 5000;
const RENEW_TICKS = 6; // states and lags change with the clock alone

const schema = {
  tab: oneOf(...PARTS.map((part) => part.id)),
  source: text(), // the source that the page is about; none is all
  q: text(), // words that sources have
  only: oneOf("all", "late", "never", "putoff", "stalled", "failed", "problems", "behind", "missing"),
  sort: text("source"), // of the table of sources
  range: oneOf(...Object.keys(RANGES)), // of the charts
  sa: number(0, 0, 1e9), // the first stalled run that is seen
  fa: number(0, 0, 1e9), // and the first failed one
  kind: text(), // of problems
  path: text(), // a part of the paths of problems
  at: number(0, 0, 1e9), // the first problem that is seen
  ca: number(0, 0, 1e9), // the first run with copies that is seen
  open: list(), // checks whose findings are seen
};

const root = /** @type {HTMLElement} */ (document.getElementById("sources"));
const state = new State("sources", schema, "/sources");

/** What the parts of the page share. */
const page = {
  state,
  /** The answer of `/api/v1/sources`. @type {any} */
  data: null,
  asking: false,
  /** Show one source alone; the same once more shows all. @param {string} source */
  choose(source) {
    state.set({ source: state.get("source") === source ? "" : source, at: 0, sa: 0, fa: 0, ca: 0 });
  },
  async reload() {
    if (page.asking) return;
    page.asking = true;
    try {
      page.data = await get("sources");
    } finally {
      page.asking = false;
    }
    draw();
    tabs.update();
  },
};

shell({ state, tools: [viewsButton(state)] });

const pick = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Source", on: { change: () => state.set({ source: pick.value, at: 0, sa: 0, fa: 0, ca: 0 }) } }));
const tiles = h("div", { class: "tiles", role: "group", "aria-label": "At a glance" });
const gone = h("div");
const tabs = new Tabs(page, PARTS, "Parts of this page");

/** A number at a glance, which leads to what stands behind it. */
function tile(name, value, says, patch, kind = "") {
  return h("button", { type: "button", class: `tile ${kind}`, on: { click: () => state.set(patch) } }, h("span", { class: "muted" }, name), h("strong", null, value), h("span", { class: "under" }, says || "\u00a0"));
}

function draw() {
  const { sources } = page.data;
  const chosen = state.get("source");
  const about = chosen ? sources.filter((one) => one.source === chosen) : sources;
  options(sources, chosen);
  fill(gone, chosen && !about.length && h("p", { class: "notice", role: "status" }, `The lake has no source ${chosen}. `, h("button", { type: "button", class: "link", on: { click: () => state.set({ source: "" }) } }, "Show all sources")));
  const of = (name) => sum(about, name);
  const health = (kind) => about.filter((one) => healthOf(one) === kind).length;
  const [late, never, unreadable, off] = ["late", "never", "unreadable", "put off"].map(health);
  const many = (n) => n.toLocaleString("en-US");
  const shown = [
    ["Sources", many(about.length), [unreadable && `${many(unreadable)} not readable`, late && `${many(late)} late`, never && `${many(never)} never read`, off && `${many(off)} put off`].filter(Boolean).join(", ") || (about.length ? "all fresh" : ""), { tab: "sources", only: unreadable || never ? "never" : late ? "late" : off ? "putoff" : "all" }, unreadable || never ? "bad" : late || off ? "warn" : about.length ? "good" : ""],
    ["Runs", many(of("runs")), `${many(of("running"))} running`, { tab: "sources", only: "all" }, ""],
    ["Stalled", many(of("stalled")), of("stalled") ? "runs fell silent" : "", { tab: "trouble" }, of("stalled") ? "warn" : "good"],
    ["Failed", many(of("failed")), of("failed") ? "runs broke off" : "", { tab: "trouble" }, of("failed") ? "bad" : "good"],
    ["Problems", many(of("problems")), of("problems") ? "in files and sources" : "", { tab: "problems", kind: "", path: "", at: 0 }, of("problems") ? "bad" : "good"],
    ["Behind", bytes(of("behind")), of("behind") ? "not read yet" : "all is read", { tab: "sources", only: of("behind") ? "behind" : "all" }, of("behind") ? "warn" : ""],
    ["Missing", many(of("files_missing")), of("files_missing") ? "files are gone" : `of ${plural(of("files"), "file")}`, { tab: "sources", only: of("files_missing") ? "missing" : "all" }, of("files_missing") ? "warn" : ""],
  ];
  const says = JSON.stringify(shown);
  if (says === tiles.dataset.says) return;
  tiles.dataset.says = says;
  const at = [...tiles.children].indexOf(/** @type {Element} */ (document.activeElement));
  fill(tiles, shown.map(([name, value, told, patch, kind]) => tile(name, value, told, patch, kind)));
  if (at >= 0) /** @type {HTMLElement | undefined} */ (tiles.children[at])?.focus({ preventScroll: true });
}

function options(sources, chosen) {
  const names = sources.map((one) => one.source);
  if (chosen && !names.includes(chosen)) names.unshift(chosen);
  const says = JSON.stringify(names);
  if (pick.dataset.says !== says) {
    pick.dataset.says = says;
    fill(pick, h("option", { value: "" }, "All sources"), names.map((name) => h("option", { value: name }, name)));
  }
  pick.value = chosen;
  pick.hidden = names.length < 2;
}

async function start() {
  try {
    page.data = await get("sources");
  } catch (error) {
    fill(root, failed(error, start));
    return;
  }
  fill(root, h("div", { class: "pagehead" }, tiles, pick), gone, tabs.el);
  draw();
  tabs.update();
}

const renew = () => { if (page.data) page.reload().catch(() => {}); };

state.on((changed) => { if (changed.has("source") && page.data) draw(); });
follow(() => page.data !== null, renew);
let ticks = 0;
setInterval(() => {
  if (document.hidden) return;
  tick(root);
  ticks += 1;
  if (ticks % RENEW_TICKS === 0) renew();
}, TICK_MS);

PARTS.forEach((part, i) => {
  bind(String(i + 1), i ? "" : "a tab by its number", () => tabs.pick(i));
  offer(`Show ${part.label.toLowerCase()}`, () => state.set({ tab: part.id }));
});
offer("Show all sources", () => state.set({ source: "", q: "", only: "all" }));
start();
