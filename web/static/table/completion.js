/** What completes an expression at the caret, from the names that the lake really has. */

import { ranked } from "../core/combo.js";
import { plural } from "../core/format.js";
import { literal } from "../core/split.js";
import { context } from "./language.js";
import { peoplesTags, scalars, valuesOf } from "./names.js";

const MOST = 60;
const OPERATORS = {
  text: ["=", "!=", "in (", "~", "like", "is null", "is not null"],
  number: ["<", ">", "<=", ">=", "=", "!=", "between", "is null"],
  time: [">", "<", ">=", "<=", "between"],
  list: ["is null", "is not null"],
};
const MEANING = {
  "=": "equals", "!=": "differs from", "<": "less than", ">": "more than", "<=": "at most", ">=": "at least", "~": "matches a regular expression",
  like: "pattern with % and _", "in (": "one of", between: "from, to", "is null": "has none", "is not null": "has one",
};
const FUNCTIONS = {
  last: "last value of a metric", first: "first value of a metric", min: "smallest value of a metric", max: "largest value of a metric",
  mean: "mean of a metric", std: "standard deviation of a metric", count: "points of a metric", step_min: "step of the smallest value", step_max: "step of the largest value",
  step_last: "last step of a metric", first_nan: "step of the first NaN", first_inf: "step of the first infinity", nan_count: "NaN values of a metric", inf_count: "infinite values of a metric",
  attempts: "restarts of a metric, and one", superseded: "points that restarts took back",
  tag: "runs with a tag of yours", search: "words, as a search without operators", now: "this moment",
  selected: "runs of a selection that is kept",
};
const TIMES = [["now() - interval '1 hour'", "an hour ago"], ["now() - interval '1 day'", "a day ago"], ["now() - interval '7 days'", "a week ago"], ["now() - interval '1 month'", "a month ago"]];

const quote = (text) => `"${text.replaceAll('"', '""')}"`;

/** Fields, hyperparameters, functions and metrics as suggestions. */
export function nameOptions(known, { blank = "" } = {}) {
  return [
    ...known.fields.map((one) => ({ label: one.name, detail: one.kind, insert: one.name + blank, kind: "field" })),
    ...known.hparams.map((one) => ({ label: one.expr, detail: one.distinct > 1 ? plural(one.distinct, "value") : "same in all", insert: one.expr + blank, kind: "hparam", key: `${one.expr} ${one.name}` })),
    ...known.functions.map((name) => {
      const call = known.stats.includes(name) ? `${name}("` : ["tag", "search", "selected"].includes(name) ? `${name}('` : name === "now" ? "now() " : `${name}(`;
      return { label: name === "now" ? "now()" : `${name}(${call.endsWith('"') ? '"…"' : "…"})`, detail: FUNCTIONS[name] ?? "function", insert: call, kind: "function", key: name };
    }),
  ];
}

function kindOf(field, known) {
  if (/^hp\./i.test(field)) return "hparam";
  return known.fields.find((one) => one.name === field.toLowerCase())?.kind ?? "";
}

async function values(place, known) {
  const kind = kindOf(place.field, known);
  if (kind === "time") return TIMES.map(([insert, detail]) => ({ label: insert, detail, insert: `${insert} ` }));
  if (kind !== "text" && kind !== "hparam") return [];
  const found = await valuesOf(place.field);
  return found.filter((one) => one.value !== null).map((one) => {
    const text = typeof one.value === "number" ? String(one.value) : literal(one.value);
    return { label: text, detail: plural(one.runs, "run"), insert: text + (place.listed ? "" : " "), kind: "value" };
  });
}

/** Metrics whose tags hold what stands before the caret up to a blank or a bracket: `val/lo` is the start of a tag, not a division. */
function tagsBy(text, place, caret, known) {
  const typed = /[^\s"'(),=<>!~]+$/.exec(text.slice(0, caret))?.[0] ?? "";
  const from = caret - typed.length;
  if (from >= place.from || !/[/.:-]/.test(typed) || /^hp\./i.test(typed)) return [];
  const low = typed.toLowerCase();
  const fits = scalars(known).filter((one) => one.tag.toLowerCase().includes(low));
  return ranked(typed, fits, (one) => one.tag).slice(0, MOST).map((one) => ({ label: `last(${quote(one.tag)})`, detail: plural(one.runs, "run"), insert: `last(${quote(one.tag)}) `, kind: "function", from, to: place.to }));
}

/** The field whose operator comes next: the name or the closing bracket before *at*. */
function operators(text, at, known) {
  const name = /(hp\.[^\s=<>!~()]+|[\p{L}_][\p{L}\p{N}_]*)\s*$/u.exec(text.slice(0, at))?.[1];
  const kind = name ? kindOf(name, known) : "number";
  const signs = kind === "hparam" ? [...new Set([...OPERATORS.number.slice(0, 6), ...OPERATORS.text])] : OPERATORS[kind] ?? OPERATORS.number;
  return signs.map((sign) => ({ label: sign, detail: MEANING[sign], insert: sign.endsWith("(") ? sign : `${sign} `, kind: "keyword" }));
}

/**
 * Suggestions at the caret of an expression.
 * @param {string} text @param {number} caret
 * @param {Awaited<ReturnType<typeof import("./names.js").names>>} known
 */
export async function complete(text, caret, known) {
  const place = context(text, caret, known.stats);
  const next = text[place.to] === " ";
  const whole = place.kind === "name" ? tagsBy(text, place, caret, known) : [];
  if (whole.length) return whole;
  let options = [];
  let key = (one) => one.key ?? one.label;
  if (place.kind === "tag") {
    options = scalars(known).map((one) => ({ label: one.tag, detail: plural(one.runs, "run"), insert: quote(one.tag) + (place.closed ? "" : ") "), kind: "value" }));
  } else if (place.kind === "usertag") {
    options = (await peoplesTags()).map((one) => ({ label: one.tag, detail: plural(one.runs, "run"), insert: literal(one.tag) + (place.closed ? "" : ") "), kind: "value" }));
  } else if (place.kind === "value") {
    options = await values(place, known);
    key = (one) => one.label.replace(/^'/, "");
  } else if (place.kind === "operator") options = operators(text, place.from, known);
  else if (place.kind === "junction") options = ["and", "or"].map((word) => ({ label: word, detail: word === "and" ? "both hold" : "one of both holds", insert: `${word} `, kind: "keyword" }));
  else if (place.kind === "name") {
    options = nameOptions(known, { blank: " " });
    if (place.typed.length > 1) options.push(...scalars(known).map((one) => ({ label: `last(${quote(one.tag)})`, detail: plural(one.runs, "run"), insert: `last(${quote(one.tag)}) `, kind: "function", key: one.tag })));
  }
  const found = ranked(place.typed.startsWith("/") ? place.typed.slice(1) : place.typed, options, key).slice(0, MOST);
  const done = found.length === 1 && found[0].insert.trim() === text.slice(place.from, place.to);
  return done ? [] : found.map((one) => ({ ...one, from: place.from, to: place.to, insert: next ? one.insert.trimEnd() : one.insert }));
}

/** Whether the first suggestion is what is meant: a name is being written, no number, and this is no search for words. */
export function meant(text, caret, stats, words) {
  const place = context(text, caret, stats);
  return place.typed !== "" && !words && !/^[\d.]/.test(text.slice(place.from, caret));
}
