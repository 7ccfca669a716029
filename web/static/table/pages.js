/** The rows of one question to the server, in blocks that come when they are looked at. */

import { get, withdrawn } from "../core/api.js";

const BLOCK = 100;
const KEPT = 80;
const AT_ONCE = 2;

/**
 * One row: its place and its values, by the server's names of columns.
 * @typedef {{i: number, key: string, group: any, value: (name: string) => any, has: (name: string) => boolean, kind: (name: string) => string}} Item
 */
class Row {
  constructor(block, values, i, make) {
    this.block = block;
    this.values = values;
    this.i = i;
    Object.assign(this, make(this));
  }

  value(name) {
    return this.values[this.block.at.get(name)];
  }

  has(name) {
    return this.block.at.has(name);
  }

  kind(name) {
    return this.block.kinds[this.block.at.get(name)];
  }
}

/** The rows of an answer; *first* is the place of its first. */
export function rowsOf(answer, first, make) {
  const block = { kinds: answer.columns.map((one) => one.kind), at: new Map(answer.columns.map((one, i) => [one.name, i])), stale: false };
  return answer.rows.map((values, i) => new Row(block, values, first + i, make));
}

/** A question and its answer so far. */
export class Pages {
  /**
   * @param {string} path @param {() => Promise<Record<string, any>>} params what is asked besides limit and offset
   * @param {(row: Row) => object} make what else a row knows of itself, its key at least
   * @param {() => void} changed called when there is more to see
   */
  constructor(path, params, make, changed) {
    Object.assign(this, { path, params, make, changed });
    this.blocks = new Map();
    this.loading = new Map();
    this.needed = [];
    this.total = null;
    this.error = null;
    this.snapshot = -1;
    this.age = 0; // how often it was asked anew
    this.closed = false;
  }

  /** The row at *i*, once it is there. @returns {Item | undefined} */
  item(i) {
    return this.blocks.get(Math.floor(i / BLOCK))?.rows[i % BLOCK];
  }

  /** Whether rows are on their way. */
  get busy() {
    return this.loading.size > 0;
  }

  /** Ranges [from, to) of rows that are looked at now: what is missing is asked for. */
  want(ranges) {
    const needed = new Set();
    for (const [from, to] of ranges) {
      const most = this.total === null ? to : Math.min(to, this.total);
      for (let block = Math.floor(Math.max(0, from) / BLOCK); block * BLOCK < most; block += 1) needed.add(block);
    }
    this.needed = [...needed];
    for (const block of needed) {
      const known = this.blocks.get(block);
      if (known) {
        this.blocks.delete(block);
        this.blocks.set(block, known);
      }
    }
    this.#load();
  }

  #lacks(block) {
    const known = this.blocks.get(block);
    return !this.loading.has(block) && (!known || known.stale);
  }

  /** A scroll that goes on asks only as fast as the server answers: what flew past in the meantime is never asked for. */
  #load() {
    // After an error it is for people to try again.
    if (this.closed || this.error) return;
    for (const block of this.needed) {
      if (this.loading.size >= AT_ONCE) return;
      if (this.#lacks(block)) this.#ask(block);
    }
  }

  async #ask(block) {
    const asking = new AbortController();
    this.loading.set(block, asking);
    try {
      const { age } = this;
      this.asking ??= this.params();
      const answer = await get(this.path, { ...(await this.asking), limit: BLOCK, offset: block * BLOCK }, asking.signal);
      if (this.loading.get(block) === asking) this.#take(block, answer, age);
    } catch (error) {
      if (withdrawn(error) || this.closed) return;
      this.error = error;
    } finally {
      if (this.loading.get(block) === asking) this.loading.delete(block);
    }
    if (this.closed) return;
    this.changed();
    this.#load();
  }

  #take(block, answer, age) {
    this.error = null;
    this.total = answer.total;
    if (answer.snapshot > this.snapshot) {
      // Runs moved: what was read before stays to be seen until it is looked at again.
      if (this.snapshot >= 0) for (const known of this.blocks.values()) known.stale = true;
      this.snapshot = answer.snapshot;
    }
    this.blocks.delete(block);
    this.blocks.set(block, { stale: age < this.age || answer.snapshot < this.snapshot, rows: rowsOf(answer, block * BLOCK, this.make) });
    for (const old of [...this.blocks.keys()]) {
      if (this.blocks.size <= KEPT) break;
      if (!this.needed.includes(old)) this.blocks.delete(old);
    }
  }

  /** Ask anew for what is looked at; what is there stays until its successor comes. */
  refresh() {
    this.error = null;
    this.asking = null;
    this.age += 1;
    for (const known of this.blocks.values()) known.stale = true;
    this.#load();
  }

  close() {
    this.closed = true;
    for (const asking of this.loading.values()) asking.abort();
  }
}
