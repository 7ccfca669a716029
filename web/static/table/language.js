/** The filter language as far as a page must know it: its tokens, what may come next, and the parts of a filter. */

import { literal } from "../core/split.js";

const KEYWORDS = new Set(["and", "or", "not", "between", "in", "like", "ilike", "is", "null", "true", "false"]);
const COMPARE = new Set(["=", "==", "!=", "<>", "<", "<=", ">", ">=", "~", "!~", "like", "ilike"]);
const PARTS = [
  ["text", /'(?:[^']|'')*'?/uy],
  ["quoted", /"(?:[^"]|"")*"?/uy],
  ["number", /\d[\p{L}\p{N}_.]*(?:(?<=[eE])[+-]\d+)?/uy],
  ["name", /[\p{L}_][\p{L}\p{N}_]*/uy],
  ["sign", /<>|!=|==|<=|>=|!~|[=<>~+\-*/%]/uy],
  ["other", /\S/uy],
];
const WORD = /"((?:[^"]|"")+)"|'((?:[^']|'')+)'|([\p{L}\p{N}_./:*-]+)/uy;

function raw(text) {
  const found = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at])) {
      at += 1;
      continue;
    }
    for (const [kind, pattern] of PARTS) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (!match) continue;
      found.push({ kind, text: match[0], start: at, end: at + match[0].length });
      at += match[0].length;
      break;
    }
  }
  return found;
}

const touch = (a, b) => a.end === b.start;

/**
 * The tokens of an expression: text, quoted, number, name, keyword, sign, other (brackets, commas), and hparam for the
 * whole of `hp.a.b` or `hp."a b"`.
 */
export function tokens(text) {
  const found = [];
  const all = raw(text);
  for (let i = 0; i < all.length; i += 1) {
    let token = all[i];
    const low = token.text.toLowerCase();
    if (token.kind === "name" && low === "hp" && all[i + 1]?.text === "." && touch(token, all[i + 1])) {
      let last = i + 1;
      while (all[last + 1] && touch(all[last], all[last + 1]) && (all[last].text === "." ? ["name", "quoted", "number"].includes(all[last + 1].kind) : all[last + 1].text === ".")) last += 1;
      token = { kind: "hparam", text: text.slice(token.start, all[last].end), start: token.start, end: all[last].end };
      i = last;
    } else if (token.kind === "name" && KEYWORDS.has(low)) token = { ...token, kind: "keyword", text: low };
    found.push(token);
  }
  return found;
}

/** Whether a filter is a plain search for words, as the server decides it. */
export function isWords(text) {
  let end = 0;
  let found = 0;
  for (let at = 0; at < text.length; ) {
    WORD.lastIndex = at;
    const match = WORD.exec(text);
    if (!match) {
      if (text[at].trim()) return false;
      at += 1;
      continue;
    }
    const word = (match[3] ?? "").toLowerCase();
    if (found && match.index === end) return false;
    if (KEYWORDS.has(word) || word.startsWith("hp.") || (word && !/[\p{L}\p{N}]/u.test(word))) return false;
    found += 1;
    end = at = match.index + match[0].length;
  }
  return found > 0;
}

const closed = (token) => token.text.length > 1 && token.text.endsWith(token.text[0]) && (token.text.length - token.text.replaceAll(token.text[0], "").length) % 2 === 0;
const unquoted = (text) => text.slice(1, text.length > 1 && text.endsWith(text[0]) ? -1 : undefined).replaceAll(text[0] + text[0], text[0]);

/** The open brackets before token *at*, each with the index of the token that stands before it. */
function brackets(all, at) {
  const open = [];
  for (let i = 0; i < at; i += 1) {
    if (all[i].text === "(") open.push(i);
    else if (all[i].text === ")") open.pop();
  }
  return open;
}

/** The field that is compared with what stands at *at*, which follows an operator or is within `in (`. */
function subject(all, at) {
  let i = at;
  if (all[i]?.text === "not") i -= 1;
  return ["name", "hparam"].includes(all[i]?.kind) ? all[i] : null;
}

/** Whether the clause that ends at token *last* already compares something. */
function compared(all, last) {
  let depth = 0;
  for (let i = last; i >= 0; i -= 1) {
    const { text } = all[i];
    if (text === ")") depth += 1;
    else if (text === "(") {
      if (depth === 0) return false;
      depth -= 1;
    } else if (depth === 0) {
      if (COMPARE.has(text) || text === "in" || text === "is" || text === "between") return true;
      if (text === "and" || text === "or" || text === ",") return false;
    }
  }
  return false;
}

/**
 * What may stand at the caret.
 * @returns {{kind: "name" | "operator" | "junction" | "tag" | "usertag" | "value" | "none", typed: string, from: number, to: number, field?: string, listed?: boolean, closed?: boolean}}
 */
export function context(text, caret, stats) {
  const all = tokens(text);
  const here = all.findIndex((token) => token.start < caret && (caret < token.end || (caret === token.end && !["sign", "other"].includes(token.kind) && !(["text", "quoted"].includes(token.kind) && closed(token)))));
  const token = all[here];
  const at = here >= 0 ? here : all.filter((one) => one.end <= caret).length;
  const before = all[at - 1];
  const from = token?.start ?? caret;
  const place = { typed: text.slice(from, caret), from, to: token?.end ?? caret };
  const open = brackets(all, at);
  const caller = open.length ? all[open.at(-1) - 1] : undefined;
  const called = caller?.kind === "name" && before === all[open.at(-1)] ? caller.text.toLowerCase() : "";
  const quoted = ["text", "quoted"].includes(token?.kind);
  if (quoted) place.typed = place.typed.slice(1);
  if (called && (quoted || !token)) {
    const kind = stats.includes(called) ? "tag" : called === "tag" ? "usertag" : null;
    if (kind) return { ...place, kind, closed: text.slice(place.to).trimStart().startsWith(")") };
  }
  const within = caller?.text === "in";
  const field = within ? subject(all, open.at(-1) - 2) : COMPARE.has(before?.text) ? subject(all, at - 2) : null;
  const expected = within ? ["(", ","].includes(before?.text) : COMPARE.has(before?.text);
  if (expected) {
    if (field) return { ...place, kind: "value", field: field.text, listed: within };
    return quoted ? { ...place, kind: "none" } : { ...place, kind: "name" };
  }
  if (quoted || token?.kind === "number") return { ...place, kind: "none" };
  const ended = before && (["text", "quoted", "number", "name", "hparam"].includes(before.kind) || before.text === ")" || ["null", "true", "false"].includes(before.text));
  if (!ended) return { ...place, kind: "name" };
  if (within) return { ...place, kind: "none" };
  return { ...place, kind: compared(all, at - 1) ? "junction" : "operator" };
}

/** The conditions that a filter joins with `and`; one where it says `or`. */
function conditions(text) {
  if (!text.trim()) return [];
  if (isWords(text)) return [`search(${literal(text.trim())})`];
  const parts = [];
  let depth = 0;
  let start = 0;
  let between = false;
  for (const token of tokens(text)) {
    if (token.text === "(") depth += 1;
    else if (token.text === ")") depth -= 1;
    else if (depth > 0 || token.kind !== "keyword") continue;
    else if (token.text === "or") return [`(${text.trim()})`];
    else if (token.text === "between") between = true;
    else if (token.text === "and" && between) between = false;
    else if (token.text === "and") {
      parts.push(text.slice(start, token.start).trim());
      start = token.end;
    }
  }
  return [...parts, text.slice(start).trim()].filter(Boolean);
}

/** A filter of conditions; words that stand alone are words again. */
export function together(parts) {
  if (parts.length === 1) {
    const all = tokens(parts[0]);
    const words = all.length === 4 && all[0].text.toLowerCase() === "search" && all[2].kind === "text" ? unquoted(all[2].text) : "";
    if (words && isWords(words)) return words;
  }
  return parts.join(" and ");
}

/** What both of two filters leave. @param {string} filter @param {string} condition an expression, or nothing */
export function both(filter, condition) {
  return condition.trim() ? together([...conditions(filter), ...conditions(condition)]) : filter;
}

/** The values that a condition such as `state = 'running'` or `state in ('a', 'b')` leaves, null for none; else null. */
function chosenBy(condition, field) {
  const all = tokens(condition);
  if (all[0]?.kind !== "name" || all[0].text.toLowerCase() !== field) return null;
  const texts = all.slice(1).map((token) => token.text);
  if (all.length === 3 && ["=", "=="].includes(texts[0]) && all[2].kind === "text") return [unquoted(all[2].text)];
  if (texts.join(" ") === "is null") return [null];
  if (texts[0] !== "in" || texts[1] !== "(" || texts.at(-1) !== ")") return null;
  const inner = all.slice(3, -1);
  return inner.length % 2 && inner.every((token, i) => (i % 2 ? token.text === "," : token.kind === "text")) ? inner.filter((_, i) => i % 2 === 0).map((token) => unquoted(token.text)) : null;
}

/** The values of *field* that a filter has chosen. */
export function chosen(text, field) {
  return conditions(text).map((one) => chosenBy(one, field)).find(Boolean) ?? [];
}

/** The filter without its choice of *field*. */
export function without(text, field) {
  return together(conditions(text).filter((one) => !chosenBy(one, field)));
}

/** The filter with *value* of *field* added to its choice, or taken from it. */
export function toggled(text, field, value) {
  const parts = conditions(text);
  const at = parts.findIndex((one) => chosenBy(one, field));
  const now = at < 0 ? [] : chosenBy(parts[at], field);
  const next = now.includes(value) ? now.filter((one) => one !== value) : value === null ? [null] : [...now.filter((one) => one !== null), value];
  const written = next.length === 0 ? [] : next[0] === null ? [`${field} is null`] : next.length === 1 ? [`${field} = ${literal(next[0])}`] : [`${field} in (${next.map(literal).join(", ")})`];
  parts.splice(at < 0 ? parts.length : at, at < 0 ? 0 : 1, ...written);
  return together(parts);
}
