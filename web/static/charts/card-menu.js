/** What can be done with one chart: take its picture or its numbers, ask for it elsewhere, set its own scale. */

import { bytesOf } from "../core/api.js";
import { h } from "../core/dom.js";
import { under } from "../core/kinds.js";
import { saveBlob } from "../core/save.js";
import { literal } from "../core/split.js";
import { tensorboardItem } from "../core/tensorboard.js";
import { copy, dialog, menu, tell, toast } from "../core/ui.js";

const fileName = (title) => title.replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 80) || "chart";

/** What stands around a picture: the chart's title and the names of its lines. */
function said(card) {
  const lines = card.lines.filter((line) => !line.superseded);
  return { title: card.spec.title, lines: lines.map(({ name, colour, dash }) => ({ name, colour, dash })) };
}

/** The run_ids that a chart draws. */
function idsOf(context) {
  return context.entries.flatMap((entry) => entry.group?.ids ?? [entry.run_id]);
}

function question(card, format) {
  const { state } = card.context;
  return { runs: idsOf(card.context).slice(0, 2000), tags: card.tags(), x: ["relative", "wall"].includes(state.get("x")) ? state.get("x") : "step", every: true, superseded: state.get("lost"), format };
}

/** Hand over what *make* gives, as a file called after the chart. */
async function hand(card, ending, make) {
  try {
    saveBlob(await make(), `${fileName(card.spec.title)}.${ending}`);
  } catch (error) {
    toast(tell(error), { bad: true });
  }
}

const points = (card, format) => hand(card, format, async () => new Blob([await bytesOf("series", question(card, format))]));

/** The same points in SQL, Python and over HTTP. */
export function elsewhere(tags, ids) {
  const some = ids.slice(0, 500).join(", ");
  const named = tags.map(literal).join(", ");
  const sql = `SELECT r.name, p.stream, p.tag, p.step, p.value\nFROM scalars p JOIN runs r USING (run_id)\nWHERE p.tag IN (${named})\n  AND p.run_id IN (${some})\nORDER BY r.name, p.stream, p.tag, p.step`;
  const python = `import boardlake\n\nwith boardlake.open(${JSON.stringify(location.origin)}) as lake:\n    curves = lake.history([${some}], ${JSON.stringify(tags)})`;
  const json = `curl -s ${location.origin}/api/v1/series -H 'Content-Type: application/json' \\\n  -d '${JSON.stringify({ runs: ids.slice(0, 500), tags, every: true, format: "json" }).replaceAll("'", "'\\''")}'`;
  return { SQL: sql, Python: python, JSON: json };
}

function showElsewhere(card) {
  const told = elsewhere(card.tags(), idsOf(card.context));
  dialog(`${card.spec.title} elsewhere`, Object.entries(told).map(([name, text]) => [
    h("h3", null, name),
    h("pre", { class: "code block", tabindex: "0" }, text),
    h("button", { type: "button", class: "button", on: { click: () => copy(text, name) } }, `Copy ${name}`),
  ]), [], { wide: true });
}

/** The chart's tags in TensorBoard, for the runs that it draws, as smooth as here. */
function inTensorboard(card) {
  const { state, which } = card.context;
  return tensorboardItem(which(), { dashboard: "timeseries", tags: card.tags(), smoothing: state.get("sk") === "none" ? 0 : state.get("sm") });
}

/** Open the menu of a card. @param {import("./card.js").Card} card @param {HTMLElement} anchor */
export function cardMenu(card, anchor) {
  const { context, spec } = card;
  const { state } = context;
  const own = under(state.get("own"), spec.id) ?? {};
  const setOwn = (patch) => state.set({ own: { ...state.get("own"), [spec.id]: { ...own, ...patch } } });
  const scale = own.ys ?? state.get("ys");
  menu(anchor, `Menu of ${spec.title}`, [
    ...["linear", "log", "symlog"].map((name) => ({ label: `y ${name === "linear" ? "linear" : name}`, checked: scale === name, run: () => setOwn({ ys: name }) })),
    { label: "Leave outliers out of the scale", checked: own.out ?? state.get("out"), run: () => setOwn({ out: !(own.out ?? state.get("out")) }) },
    "-",
    { label: "Reset zoom", icon: "reset", run: () => card.reset() },
    "-",
    { label: "Picture (PNG)", icon: "download", disabled: !card.canvas, run: () => hand(card, "png", () => card.canvas.png(said(card))) },
    { label: "Drawing (SVG)", icon: "download", disabled: !card.canvas, run: () => hand(card, "svg", () => card.canvas.svg(said(card))) },
    { label: "Every point (CSV)", icon: "download", run: () => points(card, "csv") },
    { label: "Every point (Parquet)", icon: "download", run: () => points(card, "parquet") },
    inTensorboard(card),
    { label: "As SQL, Python, JSON", icon: "share", disabled: !card.tags().length, run: () => showElsewhere(card) },
    { label: "Copy the tag", icon: "tag", run: () => copy(spec.expr ?? spec.tags.join("\n"), "Tag") },
    ...(context.edit && spec.at === undefined ? ["-", { label: "Put on a chart with other tags", icon: "plus", run: () => context.edit({ title: "", tags: spec.tags }, null) }] : []),
    ...(context.edit && spec.at !== undefined ? ["-", { label: "Edit this chart", icon: "edit", run: () => context.edit(state.get("multi")[spec.at], spec.at) },
      { label: "Remove this chart", icon: "trash", danger: true, run: () => state.set({ multi: state.get("multi").filter((_, i) => i !== spec.at) }) }] : []),
  ]);
}
