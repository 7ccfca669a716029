/** What the viewer's image can be compared with: other runs, other steps, other tags. */

import { menu } from "../core/ui.js";
import { seriesName } from "./chooser.js";
import { seriesKey } from "./series.js";

const MOST = 12; // runs and tags of the menu

/** The other runs that have an image of A's tag, the next one first. */
function others({ state, runs, panel }) {
  const [run, tag, stream] = state.get("va");
  const place = runs.findIndex((one) => one.key === run);
  return [...runs.slice(place + 1), ...runs.slice(0, Math.max(0, place))].filter((one) => panel.series.has(seriesKey(one.key, tag, stream)));
}

/** What A is compared with at first: the next run, else the step before, else another image of its step. @param {any} viewer */
export function partner(viewer) {
  const [run, tag, stream, idx, step] = viewer.state.get("va");
  const [other] = others(viewer);
  if (other) return [other.key, tag, stream, idx, step];
  const own = viewer.a.series;
  if (own?.steps.length > 1) {
    const place = own.place(step ?? viewer.panel.at);
    return [run, tag, stream, idx, own.steps[place ? place - 1 : 1]];
  }
  return [run, tag, stream, own?.most > 1 ? (idx + 1) % own.most : idx, step];
}

/** A menu of what A can be compared with. @param {any} viewer @param {HTMLElement} anchor */
export function offerPartners(viewer, anchor) {
  const { state, a, panel } = viewer;
  const [run, tag, stream, idx, step] = state.get("va");
  const steps = a.series?.steps ?? [];
  const place = a.series ? a.series.place(step ?? panel.at) : -1;
  const base = state.get("base");
  const to = (vb) => () => state.set({ vb, vm: state.get("vm") === "one" ? "side" : state.get("vm") });
  const own = [["The step before", steps[place - 1]], ["The next step", steps[place + 1]], ["The first step", place > 1 ? steps[0] : undefined], ["The newest step", place < steps.length - 2 ? steps.at(-1) : undefined]];
  const runs = others(viewer).sort((one, other) => Number(other.key === base) - Number(one.key === base)).slice(0, MOST);
  const tags = viewer.tags.filter((one) => (one.tag !== tag || one.stream !== stream) && panel.series.has(seriesKey(run, one.tag, one.stream))).slice(0, MOST);
  menu(anchor, "Compare with", [
    ...own.filter(([, there]) => there !== undefined).map(([label, there]) => ({ label: `${label}: ${there.toLocaleString("en-US")}`, run: to([run, tag, stream, idx, there]) })),
    runs.length && "-", ...runs.map((one) => ({ label: one.key === base ? `${one.label} (baseline)` : one.label, run: to([one.key, tag, stream, idx, step]) })),
    tags.length && "-", ...tags.map((one) => ({ label: seriesName(one), run: to([run, one.tag, one.stream, 0, step]) })),
  ], "start");
}
