/** Follows the lake as long as somebody looks at the page: tells of new snapshots, and of a server that is gone. */

import { get, UNREACHABLE } from "../core/api.js";
import { h } from "../core/dom.js";

const EVERY_MS = 5_000;

/** Words under the bar for as long as the server does not answer. */
function absence() {
  const el = h("div", { class: "absence", role: "status", hidden: true });
  document.querySelector("header.bar")?.after(el);
  return {
    get on() {
      return !el.hidden;
    },
    tell() {
      if (!el.hidden) return;
      el.textContent = `The server has not answered since ${new Date().toLocaleTimeString()}. What you see is as it was then; the page goes on by itself when the server is back.`;
      el.hidden = false;
    },
    end() {
      el.hidden = true;
    },
  };
}

/** @param {() => boolean} wanted whether news are @param {(info: any) => void} changed told of a new snapshot, and when the server is back */
export function follow(wanted, changed) {
  let known = null;
  const away = absence();
  const look = async () => {
    if (document.hidden) return;
    try {
      const info = await get("info");
      const back = away.on;
      away.end();
      if (back || (known !== null && info.snapshot !== known && wanted())) changed(info);
      known = info.snapshot;
    } catch {
      // An answer that is an error comes from a server that is there: who asked for something shows it.
    }
  };
  addEventListener(UNREACHABLE, () => away.tell());
  look();
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
}
