/** Follows the lake: tells when it has a new snapshot, as long as somebody looks at the page. */

import { get } from "../core/api.js";

const EVERY_MS = 5_000;

/** @param {() => boolean} wanted @param {(info: any) => void} changed */
export function follow(wanted, changed) {
  let known = null;
  const look = async () => {
    if (document.hidden || !wanted()) return;
    try {
      const info = await get("info");
      if (known !== null && info.snapshot !== known) changed(info);
      known = info.snapshot;
    } catch {
      // The server may be starting anew; the next look tells.
    }
  };
  look();
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
}
