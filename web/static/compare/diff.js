/** Differences of two texts, line by line and word by word: pure functions, bounded in time and space. */

/** Texts with more lines are compared by which lines they have, not by where. */
const MOST_LINES = 5000;
const MOST_EDITS = 1500;
const MOST_WORDS = 400;
const ALIKE = 0.3;

/**
 * A shortest list of steps from *a* to *b* (Myers), or null where it takes more than *most* edits.
 * @param {string[]} a @param {string[]} b
 * @returns {[" " | "-" | "+", number, number][] | null} sign, index in a, index in b
 */
export function steps(a, b, most = MOST_EDITS) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const n = a.length - start - end;
  const m = b.length - start - end;
  const middle = path((x, y) => a[start + x] === b[start + y], n, m, Math.min(most, n + m));
  if (!middle) return null;
  const out = [];
  for (let i = 0; i < start; i += 1) out.push([" ", i, i]);
  for (const [sign, x, y] of middle) out.push([sign, start + x, start + y]);
  for (let i = 0; i < end; i += 1) out.push([" ", start + n + i, start + m + i]);
  return out;
}

function path(equal, n, m, most) {
  const reach = new Int32Array(2 * most + 3);
  const origin = most + 1;
  const trail = [];
  for (let d = 0; d <= most; d += 1) {
    // Only what this round can reach is kept for the way back.
    trail.push(reach.slice(origin - d - 1, origin + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach[origin + k - 1] < reach[origin + k + 1]);
      let x = down ? reach[origin + k + 1] : reach[origin + k - 1] + 1;
      let y = x - k;
      while (x < n && y < m && equal(x, y)) {
        x += 1;
        y += 1;
      }
      reach[origin + k] = x;
      if (x >= n && y >= m) return back(trail, d, n, m);
    }
  }
  return null;
}

function back(trail, last, n, m) {
  const out = [];
  let x = n;
  let y = m;
  for (let d = last; d > 0; d -= 1) {
    const reach = trail[d];
    const at = (k) => reach[k + d + 1];
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const fromX = down ? at(k + 1) : at(k - 1);
    const fromY = fromX - (down ? k + 1 : k - 1);
    const turn = down ? fromX : fromX + 1;
    while (x > turn) {
      x -= 1;
      y -= 1;
      out.push([" ", x, y]);
    }
    if (down) y -= 1;
    else x -= 1;
    out.push([down ? "+" : "-", x, y]);
  }
  while (x > 0) {
    x -= 1;
    y -= 1;
    out.push([" ", x, y]);
  }
  return out.reverse();
}

/** Steps from *a* to *b* in linear time: true, but not always the fewest. */
export function roughSteps(a, b) {
  const count = (lines) => {
    const found = new Map();
    for (const line of lines) found.set(line, (found.get(line) ?? 0) + 1);
    return found;
  };
  const leftA = count(a);
  const leftB = count(b);
  const out = [];
  let x = 0;
  let y = 0;
  while (x < a.length || y < b.length) {
    if (x < a.length && y < b.length && a[x] === b[y]) {
      leftA.set(a[x], leftA.get(a[x]) - 1);
      leftB.set(b[y], leftB.get(b[y]) - 1);
      out.push([" ", x, y]);
      x += 1;
      y += 1;
    } else if (y < b.length && (x === a.length || !leftA.get(b[y]))) {
      leftB.set(b[y], leftB.get(b[y]) - 1);
      out.push(["+", x, y]);
      y += 1;
    } else {
      leftA.set(a[x], leftA.get(a[x]) - 1);
      out.push(["-", x, y]);
      x += 1;
    }
  }
  return out;
}

/** A text's lines; the end of a line is no part of it. @param {string} text */
export function lines(text) {
  return text === "" ? [] : text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");
}

/**
 * The lines of two texts side by side.
 * A row is {kind: "same" | "changed" | "removed" | "added", left, right, leftAt, rightAt}; in a changed row `left` and
 * `right` are pieces [text, differs]. `rough` says that the steps are not the fewest.
 * @param {string} a @param {string} b
 */
export function diff(a, b) {
  const before = lines(a);
  const after = lines(b);
  const large = before.length > MOST_LINES || after.length > MOST_LINES;
  const exact = large ? null : steps(before, after);
  const rows = [];
  let gone = [];
  let come = [];
  const flush = () => {
    for (let i = 0; i < Math.max(gone.length, come.length); i += 1) {
      const [l, r] = [gone[i], come[i]];
      if (l === undefined) rows.push({ kind: "added", left: null, right: [[after[r], false]], leftAt: null, rightAt: r + 1 });
      else if (r === undefined) rows.push({ kind: "removed", left: [[before[l], false]], right: null, leftAt: l + 1, rightAt: null });
      else {
        const pieces = words(before[l], after[r]) ?? { left: [[before[l], false]], right: [[after[r], false]] };
        rows.push({ kind: "changed", ...pieces, leftAt: l + 1, rightAt: r + 1 });
      }
    }
    gone = [];
    come = [];
  };
  for (const [sign, x, y] of exact ?? roughSteps(before, after)) {
    if (sign === "-") gone.push(x);
    else if (sign === "+") come.push(y);
    else {
      flush();
      rows.push({ kind: "same", left: [[before[x], false]], right: [[after[y], false]], leftAt: x + 1, rightAt: y + 1 });
    }
  }
  flush();
  const counts = { removed: 0, added: 0, changed: 0, same: 0 };
  for (const row of rows) counts[row.kind] += 1;
  return { rows, counts, rough: !exact };
}

/** Two lines in pieces [text, differs], or null where they have too little in common. */
export function words(a, b) {
  const cut = (line) => line.match(/\s+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[\p{L}_][\p{L}\p{N}_]*|[^\s\p{L}\p{N}_]|\p{N}/gu) ?? [];
  const [left, right] = [cut(a), cut(b)];
  if (left.length > MOST_WORDS || right.length > MOST_WORDS) return null;
  const found = steps(left, right, MOST_WORDS);
  if (!found) return null;
  const shared = found.reduce((sum, [sign, x]) => sum + (sign === " " ? left[x].trim().length : 0), 0);
  const size = (tokens) => tokens.reduce((sum, token) => sum + token.trim().length, 0);
  if (shared < ALIKE * Math.max(size(left), size(right))) return null;
  const side = (tokens, own, at) => {
    const pieces = [];
    for (const step of found) {
      if (step[0] !== " " && step[0] !== own) continue;
      const differs = step[0] === own;
      const last = pieces.at(-1);
      if (last && last[1] === differs) last[0] += tokens[step[at]];
      else pieces.push([tokens[step[at]], differs]);
    }
    return pieces;
  };
  return { left: side(left, "-", 1), right: side(right, "+", 2) };
}

/**
 * Rows with the stretches that are the same folded: a fold is {kind: "fold", rows}.
 * @param {any[]} rows @param {number} around rows that stay on each side of a difference
 */
export function fold(rows, around = 3) {
  const near = new Uint8Array(rows.length);
  rows.forEach((row, i) => {
    if (row.kind === "same") return;
    for (let j = Math.max(0, i - around); j <= Math.min(rows.length - 1, i + around); j += 1) near[j] = 1;
  });
  const out = [];
  for (let i = 0; i < rows.length; ) {
    let end = i;
    while (end < rows.length && !near[end]) end += 1;
    // A fold of a line or two would take more room than the lines.
    if (end - i > 2) out.push({ kind: "fold", rows: rows.slice(i, end) });
    else out.push(...rows.slice(i, end));
    if (end < rows.length) out.push(rows[end]);
    i = end + 1;
  }
  return out;
}

/** A command with one argument a line, so that commands can be compared; an option keeps its value. */
export function unfold(command) {
  const parts = command.match(/(?:[^\s"']+|"(?:\\.|[^"\\])*"|'[^']*'|["'])+/g) ?? [];
  const out = [];
  let open = false;
  for (const part of parts) {
    const option = /^--?[A-Za-z]/.test(part);
    if (open && !option) out[out.length - 1] += ` ${part}`;
    else out.push(part);
    open = option && !part.includes("=");
  }
  return out.join("\n");
}
