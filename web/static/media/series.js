/** Images or sounds of many runs by step, as one answer gives them, and the address of each. */

import { send } from "../core/api.js";
import { nearest } from "../run/steps.js";

/** The name of a series in the page. */
export function seriesKey(run, tag, stream = "") {
  return `${run}\0${stream}\0${tag}`;
}

/** A column of the answer as a function of the item's number. */
function column(packed) {
  if (Array.isArray(packed)) return (i) => packed[i];
  if (packed !== null && typeof packed === "object") return (i) => packed.first + i * packed.by;
  return () => packed;
}

/** One series: its steps, and the items of each. */
export class Series {
  /** @param {any} raw as `POST media/steps` gives it */
  constructor(raw) {
    const { run, tag, stream, items, steps, truncated, wall_time } = raw;
    Object.assign(this, { run, tag, stream, total: steps, truncated, start: wall_time });
    this.key = seriesKey(run, tag, stream);
    this.columns = Object.fromEntries(["idx", "file", "record", "nbytes", "width", "height", "mime", "label", "after_ms"].map((name) => [name, column(raw[name])]));
    const step = column(raw.step);
    /** The first item of each step. */
    this.starts = [];
    this.steps = [];
    for (let i = 0; i < items; i += 1) {
      if (i && step(i) === this.steps.at(-1)) continue;
      this.steps.push(step(i));
      this.starts.push(i);
    }
    this.starts.push(items);
    /** So many items has the step with most. */
    this.most = this.steps.reduce((most, _, at) => Math.max(most, this.starts[at + 1] - this.starts[at]), 0);
  }

  /** The place of the step nearest to *step*; null is the newest. */
  place(step) {
    return nearest(this.steps, step);
  }

  /** The items of the step nearest to *step*; null is the newest. */
  near(step) {
    const at = this.place(step);
    const found = [];
    for (let i = this.starts[at]; i < this.starts[at + 1]; i += 1) found.push(this.item(i, this.steps[at]));
    return found;
  }

  item(i, step) {
    const { run, tag, stream, columns } = this;
    const [idx, file, record, nbytes, after] = [columns.idx(i), columns.file(i), columns.record(i), columns.nbytes(i), columns.after_ms(i)];
    // A file that is written anew has other bytes at the same place.
    const version = encodeURIComponent(`${step}.${after}.${nbytes}`);
    return {
      run, tag, stream, step, idx, file, record, nbytes, width: columns.width(i), height: columns.height(i), mime: columns.mime(i), label: columns.label(i),
      wall: after === null || this.start === null ? null : this.start + after / 1000,
      url: `/api/v1/media/${encodeURIComponent(run)}/${file}/${record}/${idx}?tag=${encodeURIComponent(tag)}&v=${version}`,
    };
  }

  /** The wall time of a step, or null. */
  wall(step) {
    const at = this.place(step);
    return this.steps[at] === step ? this.item(this.starts[at], step).wall : null;
  }
}

/**
 * All steps of some tags in some runs, in one request.
 * @param {any[]} runs entries @param {any[]} tags with `tag` and `stream` @param {"images" | "audio"} kind @param {AbortSignal} signal
 * @returns {Promise<Map<string, Series>>}
 */
export async function askSeries(runs, tags, kind, signal) {
  const body = { runs: runs.map((one) => one.key), tags: tags.map(({ tag, stream }) => ({ tag, ...(stream === undefined ? {} : { stream }) })), kind };
  const { series } = await send("POST", "media/steps", body, signal);
  return new Map(series.map((raw) => [seriesKey(raw.run, raw.tag, raw.stream), new Series(raw)]));
}

/** All steps of several series, each once, ascending. @param {Iterable<Series>} all */
export function allSteps(all) {
  const found = new Set();
  for (const one of all) for (const step of one.steps) found.add(step);
  return Float64Array.from(found).sort();
}
