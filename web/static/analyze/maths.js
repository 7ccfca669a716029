/** The mathematics of many runs at once: fronts, lines through points, ranks, what lies within a loop. Pure. */

/**
 * The runs that no other beats: for each of the others there is one on the front that is at least as good in x and in y, and
 * better in one of them. Runs that share the values of one on the front are on it too; who lacks a value is not.
 * @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys
 * @param {1 | -1} bestX 1 where more is better, -1 where less is @param {1 | -1} bestY
 * @param {ArrayLike<number> | null} [mask] only runs that have something there
 * @returns {number[]} places of runs, from the best x on
 */
export function paretoFront(xs, ys, bestX, bestY, mask = null) {
  const order = [];
  for (let i = 0; i < xs.length; i += 1) if ((!mask || mask[i]) && Number.isFinite(xs[i]) && Number.isFinite(ys[i])) order.push(i);
  order.sort((a, b) => bestX * (xs[b] - xs[a]) || bestY * (ys[b] - ys[a]) || a - b);
  const front = [];
  let best = -Infinity;
  let at = NaN;
  for (const i of order) {
    const y = bestY * ys[i];
    if (y > best) {
      best = y;
      at = xs[i];
      front.push(i);
    } else if (y === best && xs[i] === at) front.push(i);
  }
  return front;
}

/** The corners of the step line along a front. @param {number[][]} points [x, y] in the order of `paretoFront` */
export function stepLine(points) {
  const xs = [];
  const ys = [];
  points.forEach(([x, y], i) => {
    if (i) {
      // Between two of the front, what is as good as possible in both is at the worse value of each.
      xs.push(x);
      ys.push(points[i - 1][1]);
    }
    xs.push(x);
    ys.push(y);
  });
  return { xs, ys };
}

/** Whether a point lies within a loop, by the even-odd rule. @param {number[][]} loop its corners */
export function within(x, y, loop) {
  let inside = false;
  for (let i = 0, j = loop.length - 1; i < loop.length; j = i, i += 1) {
    const [ax, ay] = loop[i];
    const [bx, by] = loop[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** The places of points within a loop. @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys @param {number[][]} loop */
export function caught(xs, ys, loop) {
  if (loop.length < 3) return [];
  const [left, right] = [Math.min(...loop.map((one) => one[0])), Math.max(...loop.map((one) => one[0]))];
  const [low, high] = [Math.min(...loop.map((one) => one[1])), Math.max(...loop.map((one) => one[1]))];
  const found = [];
  for (let i = 0; i < xs.length; i += 1) {
    if (xs[i] >= left && xs[i] <= right && ys[i] >= low && ys[i] <= high && within(xs[i], ys[i], loop)) found.push(i);
  }
  return found;
}

function pairs(xs, ys, mask) {
  const [a, b] = [[], []];
  for (let i = 0; i < xs.length; i += 1) {
    if ((mask && !mask[i]) || !Number.isFinite(xs[i]) || !Number.isFinite(ys[i])) continue;
    a.push(xs[i]);
    b.push(ys[i]);
  }
  return [a, b];
}

function correlation(a, b) {
  const n = a.length;
  const [ma, mb] = [a, b].map((one) => one.reduce((sum, v) => sum + v, 0) / n);
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < n; i += 1) {
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
    ab += (a[i] - ma) * (b[i] - mb);
  }
  return { r: aa > 0 && bb > 0 ? Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb))) : NaN, slope: aa > 0 ? ab / aa : NaN, ma, mb };
}

/** Ranks from 1 on; equal values share the mean of theirs. @param {number[]} values */
export function ranks(values) {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const found = new Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1]] === values[order[from]]) to += 1;
    for (let k = from; k <= to; k += 1) found[order[k]] = (from + to) / 2 + 1;
    from = to + 1;
  }
  return found;
}

/**
 * The straight line with the least squares through points, and how well they follow it or any order at all.
 * @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys @param {ArrayLike<number> | null} [mask]
 * @returns {{n: number, slope: number, start: number, r: number, rank: number, low: number, high: number} | null} null without two different x
 */
export function trend(xs, ys, mask = null) {
  const [a, b] = pairs(xs, ys, mask);
  if (a.length < 3) return null;
  const { r, slope, ma, mb } = correlation(a, b);
  if (!Number.isFinite(slope)) return null;
  let [low, high] = [Infinity, -Infinity];
  for (const v of a) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return { n: a.length, slope, start: mb - slope * ma, r, rank: correlation(ranks(a), ranks(b)).r, low, high };
}

/** The smallest and the largest number that is finite; null where there is none. @param {ArrayLike<number>} values */
export function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i += 1) {
    const v = values[i];
    if (!Number.isFinite(v)) continue;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return low <= high ? [low, high] : null;
}

/** A number from 0 to 1 that is always the same for the same whole number. */
export function shaken(i) {
  let h = Math.imul(i ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}
