/** Fetches curves: what many cards ask within a frame goes out in few requests, and answers are kept. */

import { bytesOf, get, withdrawn } from "../core/api.js";
import { decode } from "../core/frame.js";

const BATCH = 12;
const RUNS = 1_000;
const AT_ONCE = 2;
const KEPT = 400;

/** How many tags are asked for at once: of many runs few, so that the first chart is not the last. */
function batchOf({ runs, groups }) {
  const count = runs?.length ?? groups.reduce((sum, ids) => sum + ids.length, 0);
  return Math.max(1, Math.min(BATCH, Math.floor(RUNS / Math.max(1, count))));
}

/**
 * @typedef {{runs?: number[], groups?: number[][], x: "step" | "relative" | "wall", range: [number, number] | null, px: number, superseded: boolean}} Want
 */

/** One page's questions for curves. */
export class Feed {
  constructor() {
    /** @type {Map<string, Promise<import("../core/frame.js").Chart | null>>} answers by question */
    this.kept = new Map();
    this.waiting = [];
    this.running = 0;
    this.members = new Map();
    this.asking = new AbortController();
  }

  /** Forget answers: the lake has grown, or other runs are drawn. Questions on their way are withdrawn. */
  clear({ members = true } = {}) {
    this.kept.clear();
    if (members) this.members.clear();
    this.asking.abort();
    this.asking = new AbortController();
    for (const one of this.waiting) one.reject(new DOMException("withdrawn", "AbortError"));
    this.waiting = [];
  }

  /**
   * The chart of one tag, or null where none of the runs has it. *urgent* ones go first.
   * @param {string} tag @param {Want} want @param {number} [order]
   * @returns {Promise<import("../core/frame.js").Chart | null>}
   */
  chart(tag, want, order = 0) {
    const question = JSON.stringify({ ...want });
    const key = `${tag}\n${question}`;
    const known = this.kept.get(key);
    if (known) {
      // The youngest stand last.
      this.kept.delete(key);
      this.kept.set(key, known);
      return known;
    }
    const made = new Promise((resolve, reject) => {
      this.waiting.push({ tag, want, question, order, resolve, reject });
      // What one turn asks goes out together, before figures are made for it.
      if (this.waiting.length === 1) queueMicrotask(() => this.#go());
    });
    this.kept.set(key, made);
    made.catch(() => { if (this.kept.get(key) === made) this.kept.delete(key); });
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
    return made;
  }

  /** Whether all of these were asked for without a window. */
  has(tags, want) {
    const question = JSON.stringify({ ...want, range: null });
    return tags.every((tag) => this.kept.has(`${tag}\n${question}`));
  }

  /** The run_ids of a group's members. */
  async idsOf(members, params) {
    const key = JSON.stringify([members, params]);
    if (!this.members.has(key)) {
      const asked = get("runs", { ...params, members: JSON.stringify(members), columns: ["run_key"], limit: 100_000 });
      this.members.set(key, asked.then((found) => found.rows.map((row) => row[0])));
      this.members.get(key).catch(() => this.members.delete(key));
    }
    return this.members.get(key);
  }

  #go() {
    while (this.waiting.length && this.running < AT_ONCE) {
      this.waiting.sort((a, b) => a.order - b.order);
      const { question, want } = this.waiting[0];
      const most = batchOf(want);
      const batch = [];
      this.waiting = this.waiting.filter((one) => !(one.question === question && batch.length < most && batch.push(one)));
      this.#ask(batch);
    }
  }

  async #ask(batch) {
    this.running += 1;
    const { signal } = this.asking;
    try {
      const { range, ...want } = batch[0].want;
      const body = { ...want, tags: batch.map((one) => one.tag), ...(range ? { range } : {}) };
      const found = decode(await bytesOf("series", body, signal));
      const byTag = new Map(found.charts.map((chart) => [chart.tag, chart]));
      for (const one of batch) one.resolve(byTag.get(one.tag) ?? null);
    } catch (error) {
      for (const one of batch) one.reject(error);
    } finally {
      this.running -= 1;
      this.#go();
    }
  }
}

export { withdrawn };
