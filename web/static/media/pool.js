/** Images as elements that are decoded before they are shown; those that were shown lately stay. */

import { ApiError, withdrawn } from "../core/api.js";
import { Bytes } from "./bytes.js";

const MOST = 600;
const MOST_PIXELS = 64e6;
const UNREADABLE = "The bytes that were logged are no image that this browser can show";

/** An error that says that bytes are no image. */
export function unreadable() {
  return new ApiError({ message: UNREADABLE }, 200);
}

/** Elements by address. */
export class Pool {
  constructor() {
    this.bytes = new Bytes();
    /** The least recently used first. @type {Map<string, {url: string, img: HTMLImageElement, done: boolean, error: Error | null, pixels: number, promise: Promise<any>}>} */
    this.entries = new Map();
    this.pixels = 0;
  }

  /** The element of an item, loading or decoded. @param {any} item @param {boolean} [ahead] not yet in sight */
  get(item, ahead = false) {
    let entry = this.entries.get(item.url);
    if (entry) {
      this.entries.delete(item.url);
      this.entries.set(item.url, entry);
      if (!ahead && !entry.done) this.bytes.get(item);
      return entry;
    }
    const img = new Image();
    Object.assign(img, { decoding: "async", draggable: false, alt: "" });
    entry = { url: item.url, img, done: false, error: null, pixels: (item.width ?? 256) * (item.height ?? 256), promise: Promise.resolve() };
    entry.promise = this.#decode(entry, this.bytes.get(item, ahead));
    this.entries.set(item.url, entry);
    this.pixels += entry.pixels;
    this.#trim();
    return entry;
  }

  async #decode(entry, bytes) {
    try {
      entry.img.src = URL.createObjectURL(await bytes);
    } catch (error) {
      entry.error = error;
      // Nobody waits for it any more; who wants it again asks again.
      if (withdrawn(error)) this.forget(entry.url);
    }
    if (!entry.error) await entry.img.decode().catch(() => { entry.error = unreadable(); });
    entry.done = true;
    return entry;
  }

  /** Withdraw every question but those about these addresses. @param {Set<string>} urls */
  only(urls) {
    this.bytes.only(urls);
  }

  /** Forget an image, so that it is asked for again. */
  forget(url) {
    this.bytes.forget(url);
    const entry = this.entries.get(url);
    if (entry) this.#drop(entry);
  }

  #drop(entry) {
    if (this.entries.get(entry.url) !== entry) return;
    this.entries.delete(entry.url);
    this.pixels -= entry.pixels;
    if (entry.img.src) URL.revokeObjectURL(entry.img.src);
  }

  #trim() {
    for (const entry of this.entries.values()) {
      if (this.entries.size <= MOST && this.pixels <= MOST_PIXELS) return;
      if (!entry.img.isConnected && entry.done) this.#drop(entry);
    }
  }

  clear() {
    this.bytes.clear();
    for (const entry of [...this.entries.values()]) this.#drop(entry);
  }
}
