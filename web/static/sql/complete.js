/** What completes a statement at the caret: names that the lake has, values where a value stands, functions, keywords. */

import { ranked } from "../core/combo.js";
import { plural } from "../core/format.js";
import { literal } from "../core/split.js";
import { statementAt, tokens } from "./tokens.js";

const MOST = 60;
// So far back is looked for what a word is about: expressions that look at whole texts would take long on some.
const NAME = 200;
const LIST = 4000;
const VALUE = /(?<![\p{L}\p{N}_"])(?:([\p{L}\p{N}_"]+)\s*\.\s*)?"?([\p{L}\p{N}_]+)"?\s*(?:==?|<>|!=|\b(?:not\s+)?i?like|\bin\s*\((?:\s*'(?:[^']|'')*'\s*,)*)\s*('(?:[^']|'')*)?$/iu;
const BEFORE_TABLE = new Set(["from", "join", "describe", "summarize", "table", "pivot", "unpivot", "show"]);
// Between a table and what follows it.
const NO_ALIAS = new Set("on using where group order limit offset having qualify join left right full inner outer cross natural asof positional semi anti union except intersect window sample tablesample pivot unpivot select as lateral and or set values into".split(" "));
const FACETS = new Set(["project", "machine", "source", "state", "host", "writer", "group_name", "git_commit"]);
const FIXED = { kind: ["scalar", "tensor", "blob"], data_class: ["SCALAR", "TENSOR", "BLOB_SEQUENCE"], policy: ["keep", "mirror"] };

const bare = (name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);

/**
 * What a statement names: tables by alias, CTEs, and other names given with AS.
 * @param {string} text @returns {{tables: Map<string, string>, ctes: Set<string>, given: Set<string>}}
 */
export function named(text) {
  const all = tokens(text).filter((one) => one.kind !== "blank" && one.kind !== "comment");
  const word = (i) => (all[i]?.kind === "word" || all[i]?.kind === "quoted" ? bare(all[i].text) : null);
  const low = (i) => (all[i]?.kind === "word" ? all[i].text.toLowerCase() : all[i]?.text);
  const tables = new Map();
  const ctes = new Set();
  const given = new Set();
  let from = false;
  for (let i = 0; i < all.length; i += 1) {
    if (word(i) && low(i + 1) === "as" && (low(i + 2) === "(" || low(i + 2) === "materialized") && ["with", "recursive", ","].includes(low(i - 1))) ctes.add(word(i));
    else if (low(i) === "as" && word(i + 1)) given.add(word(i + 1));
    if (BEFORE_TABLE.has(low(i))) from = true;
    else if (["where", "group", "order", "select", "having", "qualify", "on", "using", "limit", "union", ")"].includes(low(i))) from = false;
    const here = from && (BEFORE_TABLE.has(low(i)) || low(i) === ",") && word(i + 1);
    if (!here) continue;
    let at = i + 1;
    while (all[at + 1]?.text === "." && word(at + 2)) at += 2;
    const table = word(at);
    const alias = low(at + 1) === "as" ? word(at + 2) : all[at + 1]?.kind !== "word" || NO_ALIAS.has(low(at + 1)) ? null : word(at + 1);
    tables.set(alias ?? table, table);
  }
  return { tables, ctes, given };
}

/** A name as SQL writes it. @param {string} name @param {Set<string>} reserved */
export function identifier(name, reserved) {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !reserved.has(name) && name !== "at" ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Where the caret is: {kind: "value" | "name" | "none", ...}. */
export function place(text, caret) {
  const { all, at } = statementAt(text, caret);
  const start = at >= 0 && all[at].start < caret ? all[at].start : caret;
  const whole = at >= 0 ? text.slice(all[at].start, Math.max(all[at].end, caret)) : "";
  const before = text.slice(start, caret);
  const last = tokens(text.slice(0, caret)).at(-1);
  if (last?.kind === "comment") return { kind: "none" };
  const value = VALUE.exec(before.slice(-LIST));
  const ended = last?.kind === "text" && last.text.length > 1 && last.text.endsWith("'");
  if (value && !ended && (value[3] !== undefined || /\s|[=(,]/.test(before.at(-1)))) {
    const typed = value[3] ?? "";
    const closed = /^(?:[^'\n]|'')*'/.test(text.slice(caret)) && value[3] !== undefined;
    return { kind: "value", owner: value[1] ? bare(value[1]) : null, column: value[2].toLowerCase(), typed: typed.slice(1).replaceAll("''", "'"), from: caret - typed.length, to: caret, closed, whole };
  }
  if (last?.kind === "text" || (last?.kind === "quoted" && !(last.text.length > 1 && last.text.endsWith('"')))) return { kind: "none" };
  const typed = /[\p{L}\p{N}_]*$/u.exec(before.slice(-NAME))[0];
  if (/^\d/.test(typed)) return { kind: "none" };
  const owner = /([\p{L}_][\p{L}\p{N}_]*|"(?:[^"]|"")*")\s*\.\s*$/u.exec(before.slice(0, before.length - typed.length).slice(-NAME))?.[1];
  const previous = tokens(before.slice(0, before.length - typed.length)).findLast((one) => one.kind !== "blank" && one.kind !== "comment")?.text.toLowerCase() ?? "";
  const rest = /^[\p{L}\p{N}_]*/u.exec(text.slice(caret))[0].length;
  return { kind: "name", typed, owner: owner ? bare(owner) : null, previous, from: caret - typed.length, to: caret + rest, whole };
}

/**
 * @typedef {{schema: any, names: () => Promise<any>, valuesOf: (field: string) => Promise<{value: any, runs: number}[]>}} Known
 * @param {{owner: string | null, column: string, typed: string, whole: string}} at @param {Known} known
 */
async function values(at, known) {
  const { tables } = named(at.whole);
  const owner = at.owner ? tables.get(at.owner) ?? at.owner : null;
  const among = owner ? [owner] : [...tables.values()];
  const of = (list) => list.filter((one) => one.value !== null && one.value !== undefined).map((one) => ({ label: String(one.value), detail: plural(one.runs, "run") }));
  if (at.column === "tag") {
    const seen = new Map();
    for (const one of (await known.names()).tags) if (!seen.has(one.tag)) seen.set(one.tag, { label: one.tag, detail: plural(one.runs, "run") });
    return [...seen.values()];
  }
  if (at.column === "name" && among.includes("hparams")) {
    const found = (await known.names()).hparams.map((one) => ({ label: one.name, detail: one.distinct > 1 ? plural(one.distinct, "value") : "same in all" }));
    if (owner || !among.some((one) => one === "runs")) return found;
    return [...found, ...of(await known.valuesOf("name"))];
  }
  if (at.column === "name" && among.some((one) => one === "runs" || one === "run_facts")) return of(await known.valuesOf("name"));
  if (at.column === "stream") return [...new Set((await known.names()).tags.map((one) => one.stream ?? ""))].map((label) => ({ label, detail: label ? "stream" : "the run itself" }));
  if (at.column === "value" && among.includes("hparams")) {
    const name = /\bname\s*=\s*'((?:[^']|'')*)'/i.exec(at.whole)?.[1]?.replaceAll("''", "'");
    const one = name && (await known.names()).hparams.find((hparam) => hparam.name === name);
    return one ? of(await known.valuesOf(one.expr)) : [];
  }
  if (Object.hasOwn(FIXED, at.column)) return FIXED[at.column].map((label) => ({ label, detail: at.column }));
  return FACETS.has(at.column) ? of(await known.valuesOf(at.column)) : [];
}

/** Columns of a table of the lake. */
function columnsOf(table, schema) {
  return schema.tables.find((one) => one.name === table.toLowerCase())?.columns ?? [];
}

function names(at, known) {
  const { schema } = known;
  const reserved = new Set(schema.keywords);
  const { tables, ctes, given } = named(at.whole);
  const column = (one, detail) => ({ label: one.name, detail: `${one.type}${detail ? ` · ${detail}` : ""}`, insert: identifier(one.name, reserved), kind: "field", says: one.says });
  if (at.owner) return columnsOf(tables.get(at.owner) ?? at.owner, schema).map((one) => column(one, ""));
  const relations = [
    ...[...ctes].map((name) => ({ label: name, detail: "WITH", insert: identifier(name, reserved), kind: "table" })),
    ...schema.tables.map((one) => ({ label: one.name, detail: one.kind, insert: one.name, kind: "table", late: one.behind })),
  ].sort((a, b) => Number(a.late ?? false) - Number(b.late ?? false));
  if (BEFORE_TABLE.has(at.previous)) return [...relations, ...schema.functions.filter((one) => one.kind === "table").map((one) => ({ label: one.call, detail: "rows", insert: `${one.name}(`, kind: "function", key: one.name }))];
  const seen = new Map();
  const asked = tables.size ? [...tables] : schema.tables.filter((one) => !one.behind).map((one) => [one.name, one.name]);
  for (const [alias, table] of asked) {
    for (const one of columnsOf(table, schema)) {
      const known = seen.get(one.name);
      if (known) known.in.push(alias);
      else seen.set(one.name, { one, in: [alias] });
    }
  }
  const columns = [...seen.values()].map((found) => column(found.one, found.in.length > 3 ? `${found.in.length} tables` : found.in.join(", ")));
  const own = [...new Set([...given, ...tables.keys(), ...ctes])].filter((name) => !seen.has(name) && !schema.tables.some((one) => one.name === name)).map((name) => ({ label: name, detail: "of this statement", insert: identifier(name, reserved), kind: "field" }));
  const functions = schema.functions.map((one) => ({ label: one.call, detail: one.kind, insert: `${one.name}(`, kind: "function", key: one.name, says: one.says }));
  const keywords = schema.keywords.map((word) => ({ label: word.toUpperCase(), detail: "", insert: `${word.toUpperCase()} `, kind: "keyword" }));
  return [...columns, ...own, ...relations, ...keywords, ...functions];
}

/**
 * Suggestions at the caret; nothing unasked where nothing is being written.
 * @param {string} text @param {number} caret @param {boolean} asked @param {Known} known
 */
export async function complete(text, caret, asked, known) {
  const at = place(text, caret);
  if (at.kind === "none") return [];
  if (at.kind === "value") {
    const found = ranked(at.typed, await values(at, known), (one) => one.label).slice(0, MOST);
    if (found.length === 1 && found[0].label === at.typed) return [];
    return found.map((one) => ({ ...one, kind: "value", insert: at.closed ? literal(one.label).slice(0, -1) : literal(one.label), from: at.from, to: at.to }));
  }
  if (!at.typed && !at.owner && !asked && !BEFORE_TABLE.has(at.previous)) return [];
  const fits = (one) => (one.key ?? one.label).toLowerCase();
  const low = at.typed.toLowerCase();
  let options = names(at, known);
  // One letter is in nearly every name: it is meant as a beginning.
  if (low.length === 1) options = options.filter((one) => fits(one).startsWith(low));
  const found = ranked(at.typed, options, (one) => one.key ?? one.label).slice(0, MOST);
  // What is written out needs no completion: Enter and Tab go on.
  if (!asked && found.length && fits(found[0]) === low && (found[0].kind !== "function")) return [];
  return found.map((one) => ({ ...one, from: at.from, to: at.to }));
}
