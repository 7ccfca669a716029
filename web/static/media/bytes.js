/** Bytes of many images or sounds, asked for together: what costs the server is the question, not the image. */

import { ApiError, bytesOf } from "../core/api.js";

const MOST_ASKED = 64; // of one request
const MOST_BYTES = 8e6; // and so many bytes, as far as they are known
const AT_ONCE = 2; // requests
const MOST_KEPT = 96e6; // bytes

/**
 * What a frame of `POST media/bytes` holds: a Blob, an error, or null where the item is to be asked for again.
 * @param {ArrayBuffer} buffer @returns {(Blob | Error | null)[]}
 */
export function unframe(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  let at = 4 + size;
  return header.map((one) => {
    if (one.error) return new ApiError(one.error, 404);
    if (one.later) return null;
    at += one.size;
    return new Blob([new Uint8Array(buffer, at - one.size, one.size)], { type: one.mime });
  });
}

/** Blobs by the address of their item; those that were wanted lately stay. */
export class Bytes {
  constructor() {
    /** The least recently used first. @type {Map<string, any>} */
    this.known = new Map();
    this.waiting = [];
    this.running = new Set();
    this.size = 0;
  }

  /**
   * @param {any} item as `Series.item` gives it @param {boolean} [ahead] not yet in sight: it waits until nothing else does
   * @returns {Promise<Blob>} rejected with the server's reason, or with an AbortError where `only` left it out
   */
  get(item, ahead = false) {
    let entry = this.known.get(item.url);
    if (entry) {
      this.known.delete(item.url);
      this.known.set(item.url, entry);
      entry.ahead &&= ahead;
      return entry.promise;
    }
    entry = { item, ahead, done: false, size: 0 };
    entry.promise = new Promise((take, refuse) => Object.assign(entry, { take, refuse }));
    // Who withdraws a question does not wait for its answer.
    entry.promise.catch(() => {});
    this.known.set(item.url, entry);
    this.waiting.push(entry);
    this.#soon();
    return entry.promise;
  }

  /** Withdraw every question but those about these addresses. @param {Set<string>} urls */
  only(urls) {
    for (const [url, entry] of this.known) if (!entry.done && !urls.has(url)) this.#refuse(entry, new DOMException("withdrawn", "AbortError"));
    this.waiting = this.waiting.filter((entry) => !entry.done);
    for (const batch of this.running) if (batch.entries.every((entry) => entry.done)) batch.controller.abort();
  }

  /** Ask again for what could not be had. */
  forget(url) {
    const entry = this.known.get(url);
    if (entry) this.#drop(entry);
  }

  clear() {
    this.only(new Set());
    this.known.clear();
    this.size = 0;
  }

  #soon() {
    if (this.asked) return;
    this.asked = true;
    // What one turn of the page asks for goes together.
    queueMicrotask(() => { this.asked = false; this.#send(); });
  }

  #send() {
    while (this.running.size < AT_ONCE && this.waiting.length) {
      const urgent = this.waiting.some((entry) => !entry.ahead);
      if (!urgent && this.running.size) return;
      const entries = [];
      let bytes = 0;
      const rest = [];
      for (const entry of this.waiting) {
        const fits = entry.ahead !== urgent && entries.length < MOST_ASKED && (!entries.length || bytes + entry.item.nbytes <= MOST_BYTES);
        (fits ? entries : rest).push(entry);
        if (fits) bytes += entry.item.nbytes;
      }
      this.waiting = rest;
      this.#ask({ entries, controller: new AbortController() });
    }
  }

  async #ask(batch) {
    const { entries, controller } = batch;
    this.running.add(batch);
    try {
      const items = entries.map(({ item: { run, file, record, idx, tag } }) => ({ run, file, record, idx, tag }));
      const found = unframe(await bytesOf("media/bytes", { items }, controller.signal));
      entries.forEach((entry, i) => {
        if (entry.done) return;
        if (found[i] === null) this.waiting.push(entry);
        else if (found[i] instanceof Blob) this.#take(entry, found[i]);
        else this.#refuse(entry, found[i]);
      });
    } catch (error) {
      for (const entry of entries) if (!entry.done) this.#refuse(entry, error);
    }
    this.running.delete(batch);
    this.#send();
  }

  #take(entry, blob) {
    Object.assign(entry, { done: true, size: blob.size });
    this.size += blob.size;
    entry.take(blob);
    for (const old of this.known.values()) {
      if (this.size <= MOST_KEPT) return;
      if (old.done && old !== entry) this.#drop(old);
    }
  }

  #refuse(entry, error) {
    entry.done = true;
    this.#drop(entry);
    entry.refuse(error);
  }

  #drop(entry) {
    if (this.known.get(entry.item.url) === entry) this.known.delete(entry.item.url);
    this.size -= entry.size;
  }
}
