/** What a refused statement is told: the words, the place, and what to write instead. */

import { fill, h } from "../core/dom.js";
import { named } from "./complete.js";
import { misfit, near, offset } from "./tokens.js";

/** The message without the picture of the line, which the editor itself shows. */
function words(error) {
  return error.message.replace(/\n\nLINE \d+: [^]*$/, "").replace(/^([A-Z]\w*) Error: \1 Error: /, "$1 Error: ").trim();
}

/** Where in the editor's text an error is; null where it is not known. @param {any} error @param {{text: string, start: number}} asked */
export function placeOf(error, asked) {
  if (error.position === null || error.position === undefined) return null;
  const found = misfit(asked.text, offset(asked.text, error.position));
  return { start: asked.start + found.start, end: asked.start + found.end };
}

/** Names that stand instead of one that is not there. @returns {string[]} */
function candidates(error, text, schema) {
  const told = /^did you mean (.+)\?$/.exec(error.hint ?? "")?.[1];
  if (told) return [told];
  const lost = /"([^"]+)" does not have a column named "([^"]+)"/.exec(error.message);
  if (lost && schema) {
    const table = named(text).tables.get(lost[1]) ?? lost[1];
    const columns = schema.tables.find((one) => one.name === table)?.columns ?? [];
    return near(lost[2], columns.map((one) => one.name)).map((one) => `${lost[1]}.${one}`);
  }
  const listed = /(?:Candidate bindings|Candidate functions|Did you mean)[^:"]*:?\s*((?:"[^"]+"(?:,\s*| or )?)+)/i.exec(error.message)?.[1];
  return listed ? [...listed.matchAll(/"([^"]+)"/g)].map((one) => one[1]).slice(0, 5) : [];
}

/**
 * Fill *el* with an error.
 * @param {any} error @param {{start: number, end: number} | null} at
 * @param {{text: string, schema: any, line: (at: number) => number, go: (at: number) => void, use: (name: string) => void, again: () => void}} told
 */
export function wrong(error, at, told) {
  const hint = error.hint && !/^did you mean/.test(error.hint) ? error.hint : "";
  const names = at && error.status === 400 ? candidates(error, told.text, told.schema) : [];
  const parts = [h("pre", null, words(error)), hint && h("p", { class: "muted" }, hint)];
  const acts = [
    at && h("button", { type: "button", class: "button", on: { click: () => told.go(at.start) } }, `Line ${told.line(at.start)}`),
    names.map((name) => h("button", { type: "button", class: "button", on: { click: () => told.use(name) } }, `Use ${name}`)),
    error.status !== 400 && h("button", { type: "button", class: "button", on: { click: told.again } }, "Try again"),
  ];
  return fill(h("div", null), parts, h("div", { class: "sql-acts" }, acts));
}
