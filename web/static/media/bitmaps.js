/** Images as bitmaps and pixels, for the viewer: fetched with their errors, kept while they are looked at. */

import { Bytes } from "./bytes.js";
import { isGrey } from "./pixels.js";
import { unreadable } from "./pool.js";

const MOST = 24;
/** Beyond so many pixels values are not read: an image of this size takes 64 MB. */
const MOST_PIXELS = 16e6;

/** @typedef {{url: string, bitmap: ImageBitmap, width: number, height: number, pixels: import("./pixels.js").Pixels | null, grey: boolean}} Picture */

/** Bitmaps by address. */
export class Bitmaps {
  constructor() {
    this.bytes = new Bytes();
    /** @type {Map<string, Promise<Picture>>} the least recently used first */
    this.known = new Map();
  }

  /** @param {any} item @param {boolean} [ahead] not yet looked at @returns {Promise<Picture>} an ApiError where it cannot be shown */
  get(item, ahead = false) {
    let found = this.known.get(item.url);
    if (found) this.known.delete(item.url);
    else {
      found = load(item.url, this.bytes.get(item, ahead));
      // An image that failed is asked for again.
      found.catch(() => this.known.get(item.url) === found && this.known.delete(item.url));
    }
    this.known.set(item.url, found);
    for (const [url, old] of this.known) {
      if (this.known.size <= MOST) break;
      this.known.delete(url);
      old.then((one) => one.bitmap.close(), () => {});
    }
    return found;
  }

  clear() {
    this.bytes.clear();
    for (const old of this.known.values()) old.then((one) => one.bitmap.close(), () => {});
    this.known.clear();
  }
}

/** @param {string} url @param {Promise<Blob>} bytes @returns {Promise<Picture>} */
async function load(url, bytes) {
  const blob = await bytes;
  let bitmap;
  try {
    // The numbers that were logged, not what a colour profile makes of them.
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw unreadable();
  }
  const { width, height } = bitmap;
  const pixels = width * height <= MOST_PIXELS ? read(bitmap) : null;
  return { url, bitmap, width, height, pixels, grey: pixels !== null && isGrey(pixels) };
}

function read(bitmap) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}
