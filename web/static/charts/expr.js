/** Expressions over tags for charts, such as `"train/loss" - "val/loss"` or `log(1 - "acc")`; parsed, never evaluated as code. */

const FUNCTIONS = {
  abs: Math.abs, sqrt: Math.sqrt, exp: Math.exp, ln: Math.log, log: Math.log, log10: Math.log10, log2: Math.log2,
  min: Math.min, max: Math.max, pow: Math.pow, sign: Math.sign, floor: Math.floor, ceil: Math.ceil, round: Math.round,
};
const MOST = 1000;
const DEEPEST = 50;

/** What is wrong with an expression, and where. */
class ExprError extends Error {
  constructor(message, position) {
    super(message);
    this.position = position;
  }
}

function tokens(text) {
  if (text.length > MOST) throw new ExprError(`at most ${MOST} characters are taken`, MOST);
  const pattern = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|"((?:[^"]|"")+)"|([A-Za-z_][\w./-]*)|(\*\*|[-+*/^(),]))/gy;
  const found = [];
  let at = 0;
  while (text.slice(at).trim()) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) throw new ExprError(`${JSON.stringify(text.slice(at).trim()[0])} is not understood here`, at);
    const start = pattern.lastIndex - match[0].trimStart().length;
    if (match[1] !== undefined) found.push({ kind: "number", value: Number(match[1]), at: start });
    else if (match[2] !== undefined) found.push({ kind: "tag", value: match[2].replaceAll('""', '"'), at: start });
    else if (match[3] !== undefined) found.push({ kind: "name", value: match[3], at: start });
    else found.push({ kind: match[4] === "**" ? "^" : match[4], at: start });
    at = pattern.lastIndex;
  }
  return found;
}

/**
 * Parse an expression; a bare word is a tag too, unless a bracket follows it.
 * @param {string} text
 * @returns {{tags: string[], run: (values: number[]) => number}} run takes the value of each tag
 */
export function parse(text) {
  const list = tokens(text);
  /** @type {string[]} */
  const tags = [];
  let i = 0;
  let depth = 0;
  const peek = (kind) => list[i]?.kind === kind;
  const fail = (wanted) => {
    throw new ExprError(`${wanted} is expected ${list[i] ? `at ${JSON.stringify(text.slice(list[i].at).slice(0, 20))}` : "at the end"}`, list[i]?.at ?? text.length);
  };
  const take = (kind) => (peek(kind) ? list[i++] : fail(kind === ")" ? "a closing bracket" : kind));

  function binary(kinds, inner, make) {
    let left = inner();
    while (list[i] && kinds.includes(list[i].kind)) {
      const kind = list[i++].kind;
      left = make(kind, left, inner());
    }
    return left;
  }
  const sum = () => binary(["+", "-"], product, (kind, a, b) => (kind === "+" ? (v) => a(v) + b(v) : (v) => a(v) - b(v)));
  const product = () => binary(["*", "/"], unary, (kind, a, b) => (kind === "*" ? (v) => a(v) * b(v) : (v) => a(v) / b(v)));
  function unary() {
    depth += 1;
    if (depth > DEEPEST) throw new ExprError("too many brackets or signs within each other", list[i]?.at ?? 0);
    let made;
    if (peek("-")) {
      i += 1;
      const inner = unary();
      made = (v) => -inner(v);
    } else made = raised();
    depth -= 1;
    return made;
  }
  function raised() {
    const base = atom();
    if (!peek("^")) return base;
    i += 1;
    const by = unary();
    return (v) => base(v) ** by(v);
  }
  function atom() {
    const token = list[i];
    if (!token) return fail("a tag or a number");
    if (token.kind === "number") {
      i += 1;
      return () => token.value;
    }
    if (token.kind === "(") {
      i += 1;
      const inner = sum();
      take(")");
      return inner;
    }
    if (token.kind === "name" && list[i + 1]?.kind === "(") return call();
    if (token.kind !== "tag" && token.kind !== "name") return fail("a tag or a number");
    i += 1;
    let at = tags.indexOf(token.value);
    if (at < 0) at = tags.push(token.value) - 1;
    return (v) => v[at];
  }
  function call() {
    const token = list[i];
    const run = Object.hasOwn(FUNCTIONS, token.value) ? FUNCTIONS[token.value] : null;
    if (!run) throw new ExprError(`there is no function ${token.value}; there are ${Object.keys(FUNCTIONS).join(", ")}`, token.at);
    i += 2;
    const given = [sum()];
    while (peek(",")) {
      i += 1;
      given.push(sum());
    }
    take(")");
    return (v) => run(...given.map((one) => one(v)));
  }
  const run = sum();
  if (list[i]) fail("an operator");
  if (!tags.length) throw new ExprError("no tag is named: a tag stands in double quotes", 0);
  return { tags, run };
}
