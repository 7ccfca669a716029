/** The state of a page, which stands in its URL: every committed change is a step that can be undone. */

import { send } from "./api.js";
import { debounce } from "./dom.js";

const LONGEST = 1500; // characters of an address
const WRITE_MS = 150;

const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);

/** One page's state. */
export class State {
  /**
   * @param {string} page the page's name, under which views of it are kept
   * @param {Record<string, import("./kinds.js").Kind>} schema
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
    /** What was committed last, while something is dragged. */
    this.loose = null;
    this.writing = null;
    this.saveLong = debounce(() => this.#shorten(), 400);
    const view = document.getElementById("view");
    const kept = history.state?.page === page ? history.state.values : view ? JSON.parse(view.textContent) : null;
    this.values = kept ? this.#taken(kept) : this.#read(location.search, foreign);
    history.replaceState({ page, values: this.values, at: history.state?.at ?? 0 }, "");
    addEventListener("popstate", (event) => {
      if (event.state?.page !== this.page) return;
      clearTimeout(this.writing);
      this.loose = this.writing = null;
      this.#put(event.state.values);
    });
  }

  defaults() {
    return Object.fromEntries(Object.entries(this.schema).map(([name, kind]) => [name, kind.fallback]));
  }

  /** Values from elsewhere, as far as they are such: a saved view may be of another version, or written by a program. */
  #taken(values) {
    return Object.fromEntries(Object.entries(this.schema).map(([name, kind]) => [name, Object.hasOwn(values, name) ? kind.take(values[name]) : kind.fallback]));
  }

  #read(search, foreign) {
    const query = new URLSearchParams(search);
    const values = this.#taken(foreign?.(query) ?? {});
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
    if (this.#same(values, this.values) && !this.loose) return;
    if (commit) this.#commit(values);
    else {
      this.loose ??= this.values;
      // Browsers drop changes of the history that come faster than some twenty a second, the last one too.
      this.writing ??= setTimeout(() => { this.writing = null; this.#replace(this.values); }, WRITE_MS);
    }
    this.#put(values);
    if (this.url(values).length > LONGEST) this.saveLong();
  }

  #commit(values) {
    clearTimeout(this.writing);
    const before = this.loose ?? this.values;
    // A drag ends in one step: the state before it is what undo goes back to.
    if (this.loose) this.#replace(before);
    this.loose = this.writing = null;
    if (!this.#same(values, before)) history.pushState({ page: this.page, values, at: this.#at + 1 }, "", this.#address(values));
  }

  #replace(values) {
    history.replaceState({ page: this.page, values, at: this.#at }, "", this.#address(values));
  }

  /** How many steps can be taken back. */
  get #at() {
    return history.state?.at ?? 0;
  }

  #same(a, b) {
    return Object.keys(this.schema).every((name) => same(a[name], b[name]));
  }

  #put(values) {
    const before = this.values;
    this.values = values;
    const changed = new Set(Object.keys(this.schema).filter((name) => !same(before[name], values[name])));
    if (changed.size) for (const listen of [...this.listeners]) listen(changed);
  }

  /** Be told which names changed. @param {(changed: Set<string>) => void} listen @returns {() => void} ends it */
  on(listen) {
    this.listeners.add(listen);
    return () => this.listeners.delete(listen);
  }

  /** Take back the last committed change. */
  undo() {
    if (this.#at > 0) history.back();
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
