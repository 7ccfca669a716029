/** The reader's own statements, the newest first, kept in the browser. */

import { button, fill, h } from "../core/dom.js";
import { ago, plural, time } from "../core/format.js";
import { recall, remember } from "../core/memory.js";

const KEY = "boardlake.sql.history";
const MOST = 200;
const LONGEST = 20_000;

/** @returns {{q: string, at: number, rows: number | null, seconds: number | null, wrong?: boolean}[]} */
function past() {
  try {
    const found = JSON.parse(recall(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one?.q === "string" && Number.isFinite(one.at)).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Keep a statement; the same text again moves to the front. @param {{q: string, rows: number | null, seconds: number | null, wrong?: boolean}} one */
export function keep(one) {
  if (!one.q.trim() || one.q.length > LONGEST) return;
  remember(KEY, JSON.stringify([{ ...one, at: Date.now() }, ...past().filter((other) => other.q !== one.q)].slice(0, MOST)));
}

/** The list. @param {HTMLElement} el @param {(q: string) => void} open */
export function history(el, open) {
  const draw = () => {
    const all = past();
    const row = (one) => h("li", null, h("button", { type: "button", class: "sql-item", on: { click: () => open(one.q) } },
      h("code", null, one.q.trim().slice(0, 400)),
      h("span", { class: one.wrong ? "muted bad" : "muted", title: time(one.at / 1000) }, [ago(new Date(one.at).toISOString()), one.wrong ? "failed" : one.rows !== null && plural(one.rows, "row"), one.seconds !== null && `${one.seconds.toFixed(2)} s`].filter(Boolean).join(" · "))));
    fill(el, all.length ? [h("ul", { class: "sql-list", "aria-label": "History" }, all.map(row)), button("trash", "Forget these statements", () => { remember(KEY, "[]"); draw(); }, { text: "Forget all" })]
      : h("p", { class: "muted none" }, "What you run is listed here, in this browser alone."));
  };
  draw();
  return draw;
}
