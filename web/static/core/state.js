/** The state of a page, which stands in its URL: every committed change is a step that can be undone. */

import { send } from "./api.js";
import { debounce } from "./dom.js";
import { split } from "./split.js";

const LONGEST = 1500;

/** Kinds of values: how each is read from the URL and written to it. */
export const text = (fallback = "") => ({ fallback, read: (given) => given, write: (value) => value });
export const number = (fallback, least = -Infinity, most = Infinity) => ({
  fallback,
  read: (given) => (given.trim() && Number.isFinite(Number(given)) ? Math.min(most, Math.max(least, Number(given))) : fallback),
  write: String,
});
export const flag = (fallback = false) => ({ fallback, read: (given) => given !== "0" && given !== "false", write: (value) => (value ? "1" : "0") });
export const oneOf = (...values) => ({ fallback: values[0], read: (given) => (values.includes(given) ? given : values[0]), write: String });
export const list = (...fallback) => ({ fallback, read: split, write: (value) => value.join(",") });
export const json = (fallback) => ({
  fallback,
  read: (given) => {
    try {
      const value = JSON.parse(given);
      // A list stays a list, an object an object: pages rely on it.
      const fits = fallback === null || (value !== null && typeof value === typeof fallback && Array.isArray(value) === Array.isArray(fallback));
      return fits ? value : fallback;
    } catch {
      return fallback;
    }
  },
  write: JSON.stringify,
});

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** One page's state. */
export class State {
  /**
   * @param {string} page the page's name, under which views of it are kept
   * @param {Record<string, {fallback: any, read: Function, write: Function}>} schema
   * @param {string} path the page's own path
   * @param {(query: URLSearchParams) => Record<string, any>} [foreign] values that other programs' links have
   * @param {Record<string, any>} [subject] what the page is about: kept with its views, and no part of its state
   */
  constructor(page, schema, path, foreign, subject = {}) {
    this.page = page;
    this.schema = schema;
    this.path = path;
    this.subject = subject;
    this.values = {};
    this.listeners = new Set();
    this.saveLong = debounce(() => this.#shorten(), 400);
    const view = document.getElementById("view");
    const from = view ? { ...this.defaults(), ...this.#known(JSON.parse(view.textContent)) } : this.#read(location.search, foreign);
    this.values = history.state?.values && history.state.page === page ? history.state.values : from;
    history.replaceState({ page, values: this.values, at: history.state?.at ?? 0 }, "");
    addEventListener("popstate", (event) => {
      if (event.state?.page !== this.page) return;
      this.#put(event.state.values);
    });
  }

  defaults() {
    return Object.fromEntries(Object.entries(this.schema).map(([name, kind]) => [name, kind.fallback]));
  }

  #known(values) {
    return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(this.schema, name)));
  }

  #read(search, foreign) {
    const query = new URLSearchParams(search);
    const values = { ...this.defaults(), ...(foreign?.(query) ?? {}) };
    for (const [name, kind] of Object.entries(this.schema)) {
      const given = query.get(name);
      if (given !== null) values[name] = kind.read(given);
    }
    return values;
  }

  get(name) {
    return this.values[name];
  }

  /**
   * Change some values. A committed change is a step of its own in the history; the others
   * (while something is dragged) only replace what the URL says.
   */
  set(patch, { commit = true } = {}) {
    const values = { ...this.values, ...patch };
    if (same(values, this.values) && !this.loose) return;
    const at = history.state?.at ?? 0;
    // A drag ends in one step: the state before it is what undo goes back to.
    if (commit && this.loose) {
      history.replaceState({ page: this.page, values: this.loose, at }, "", this.#address(this.loose));
    }
    if (!commit && !this.loose) this.loose = this.values;
    if (commit) {
      const moved = !same(values, this.loose ?? this.values);
      this.loose = null;
      if (moved) history.pushState({ page: this.page, values, at: at + 1 }, "", this.#address(values));
    } else {
      history.replaceState({ page: this.page, values, at }, "", this.#address(values));
    }
    this.#put(values);
    if (this.url(values).length > LONGEST) this.saveLong();
  }

  #put(values) {
    const before = this.values;
    this.values = values;
    const changed = new Set(Object.keys(this.schema).filter((name) => !same(before[name], values[name])));
    if (changed.size) for (const listen of [...this.listeners]) listen(changed);
  }

  /** Be told which names changed. @param {(changed: Set<string>) => void} listen */
  on(listen) {
    this.listeners.add(listen);
  }

  /** Take back the last committed change. */
  undo() {
    if ((history.state?.at ?? 0) > 0) history.back();
  }

  redo() {
    history.forward();
  }

  /** The page's address with *values*; what is as always is left out. */
  url(values = this.values) {
    const query = new URLSearchParams();
    for (const [name, kind] of Object.entries(this.schema)) {
      if (!same(values[name], kind.fallback)) query.set(name, kind.write(values[name]));
    }
    const written = query.toString();
    return written ? `${this.path}?${written}` : this.path;
  }

  #address(values) {
    const url = this.url(values);
    return url.length > LONGEST ? location.pathname + location.search : url;
  }

  async #shorten() {
    const values = this.values;
    if (this.url(values).length <= LONGEST) return;
    const short = await this.#save("").catch(() => null);
    if (short && values === this.values) history.replaceState(history.state, "", `/v/${short}`);
  }

  async #save(name) {
    const kept = Object.fromEntries(Object.entries(this.values).filter(([key, value]) => !same(value, this.schema[key].fallback)));
    return (await send("POST", "views", { page: this.page, state: { ...kept, ...this.subject }, name })).id;
  }

  /** A short link to this state; with a name it is listed among the saved views. */
  async link(name = "") {
    return `${location.origin}/v/${await this.#save(name)}`;
  }
}
