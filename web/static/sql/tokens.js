/** SQL as its editor reads it: one regular expression, and what can be told from its tokens. Pure. */

// Comments, texts, quoted names, dollar texts, numbers, words, brackets, all else; what is not ended goes to the end.
const TOKEN = /(?<comment>--[^\n]*|\/\*[^]*?(?:\*\/|$))|(?<text>e?'(?:[^']|'')*(?:'|$)|\$(?<dollar>[a-z_]\w*)?\$[^]*?(?:\$\k<dollar>\$|$))|(?<quoted>"(?:[^"]|"")*(?:"|$))|(?<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<bracket>[()[\]{}])|(?<end>;)|(?<blank>\s+)|(?<sign>[^])/giu;

/** @typedef {{kind: string, start: number, end: number, text: string}} Token */

/** @param {string} text @returns {Token[]} */
export function tokens(text) {
  const found = [];
  for (const match of text.matchAll(TOKEN)) {
    const groups = match.groups;
    const kind = Object.keys(groups).find((name) => name !== "dollar" && groups[name] !== undefined);
    found.push({ kind, start: match.index, end: match.index + match[0].length, text: match[0] });
  }
  return found;
}

/** The statements of a text, without blanks and comments around them. @param {string} text @returns {{start: number, end: number, to: number}[]} `to` is behind its semicolon */
export function statements(text) {
  const found = [];
  let start = -1;
  let end = 0;
  const close = (to) => {
    if (start >= 0) found.push({ start, end, to });
    start = -1;
  };
  for (const token of tokens(text)) {
    if (token.kind === "end") close(token.end);
    else if (token.kind !== "blank" && token.kind !== "comment") {
      if (start < 0) start = token.start;
      end = token.end;
    }
  }
  close(text.length);
  return found;
}

/** Which statement a caret is in: behind the last semicolon it is still the one before. */
export function statementAt(text, caret) {
  const all = statements(text);
  const at = all.findIndex((one) => caret <= one.to);
  return { all, at: at >= 0 ? at : all.length - 1 };
}

const PAIRS = { "(": ")", "[": "]", "{": "}" };

/** The bracket at the caret and its other half, as [at, at], or one alone that has none. @param {Token[]} all @param {number} caret */
export function mates(all, caret) {
  const brackets = all.filter((one) => one.kind === "bracket");
  const touched = brackets.findIndex((one) => one.start === caret || one.end === caret);
  if (touched < 0) return [];
  const open = [];
  for (const [i, one] of brackets.entries()) {
    if (PAIRS[one.text]) {
      open.push(i);
      continue;
    }
    const before = open.length && PAIRS[brackets[open[open.length - 1]].text] === one.text ? open.pop() : -1;
    if (before >= 0 && (i === touched || before === touched)) return [brackets[before].start, one.start];
  }
  return [brackets[touched].start];
}

/** An offset in characters, as the server counts them, as one in this language's strings. */
export function offset(text, position) {
  let units = 0;
  let left = position;
  for (const character of text) {
    if (left <= 0) break;
    units += character.length;
    left -= 1;
  }
  return units;
}

/** The part of a text that an error at *at* is about: a token, and of a name with dots all of it. */
export function misfit(text, at) {
  const all = tokens(text);
  let i = all.findIndex((one) => one.start <= at && at < one.end);
  if (i < 0 || all[i].kind === "blank") return { start: at, end: Math.min(text.length, at + 1) };
  const { start } = all[i];
  const isName = (one) => one?.kind === "word" || one?.kind === "quoted";
  while (isName(all[i]) && all[i + 1]?.text === "." && isName(all[i + 2])) i += 2;
  return { start, end: all[i].end };
}

/** How many letters two words differ by. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

/** The names that one may have meant, the nearest first. @param {string} name @param {string[]} known */
export function near(name, known) {
  const low = name.toLowerCase().slice(0, 100);
  const far = new Map(known.map((one) => [one, low.length > 2 && one.includes(low) ? 1 : distance(low, one.toLowerCase())]));
  return known.filter((one) => far.get(one) <= Math.max(1, Math.floor(low.length / 3))).sort((a, b) => far.get(a) - far.get(b)).slice(0, 3);
}
