/** Which page a run_id in an answer leads to. */

import { get, withdrawn } from "../core/api.js";
import { debounce } from "../core/dom.js";

const AT_ONCE = 200;
const SOON_MS = 120;

export class RunLinks {
  /** @param {() => void} onKnown called when more is known */
  constructor(onKnown) {
    this.onKnown = onKnown;
    this.known = new Map();
    this.wanted = new Set();
    this.soon = debounce(() => this.#ask(), SOON_MS);
  }

  /** The address of a run's page: null while it is not known, or where there is none. @param {any} id */
  href(id) {
    if (!Number.isSafeInteger(id) || id < 0) return null;
    const key = this.known.get(id);
    if (key) return `/run/${encodeURIComponent(key)}`;
    if (key === undefined && !this.wanted.has(id)) {
      this.wanted.add(id);
      this.soon();
    }
    return null;
  }

  async #ask() {
    const ids = [...this.wanted].slice(0, AT_ONCE);
    if (!ids.length) return;
    try {
      const found = await get("runs", { filter: `run_id in (${ids.join(", ")})`, columns: ["run_key"], archived: "true", duplicates: "true", limit: AT_ONCE });
      for (const id of ids) this.known.set(id, null);
      for (const [id, key] of found.rows) this.known.set(id, key);
    } catch (error) {
      // The number is there without its link.
      if (!withdrawn(error)) for (const id of ids) this.known.set(id, null);
    }
    for (const id of ids) this.wanted.delete(id);
    this.onKnown();
    if (this.wanted.size) this.soon();
  }
}
