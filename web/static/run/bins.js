/** Histograms of many steps on common bins: pure functions. */

/** Widths beyond this are no widths: writers close a histogram with the largest numbers there are. */
const ENDLESS = 1e300;

/**
 * A bucket as it can be drawn: its ends in order and finite, or null where it holds nothing.
 * @param {number} left @param {number} right @param {number} count @returns {[number, number, number] | null}
 */
export function bucket(left, right, count) {
  if (!(count > 0) || !Number.isFinite(count)) return null;
  let [a, b] = left <= right ? [left, right] : [right, left];
  const [low, high] = [Math.abs(a) < ENDLESS, Math.abs(b) < ENDLESS];
  if (!low && !high) return null;
  if (!low) a = b;
  if (!high) b = a;
  return [a, b, count];
}

/**
 * The buckets of one step that hold something, by their left ends.
 * @param {number[]} left @param {number[]} right @param {number[]} count @returns {[number, number, number][]}
 */
export function buckets(left, right, count) {
  const found = [];
  for (let i = 0; i < count.length; i += 1) {
    const one = bucket(left[i], right[i], count[i]);
    if (one) found.push(one);
  }
  return found.sort((a, b) => a[0] - b[0]);
}

/** The smallest and the largest value of some steps, or null where there is none. @param {[number, number, number][][]} steps @returns {[number, number] | null} */
export function extent(steps) {
  let [low, high] = [Infinity, -Infinity];
  for (const step of steps) {
    for (const [a, b] of step) {
      if (a < low) low = a;
      if (b > high) high = b;
    }
  }
  return low <= high ? [low, high] : null;
}

/** *n* bins of equal width from *low* to *high*, as n + 1 edges; a single value gets room around it. */
export function edges(low, high, n) {
  if (!(high > low)) {
    const room = Math.abs(low) * 0.01 || 0.5;
    [low, high] = [low - room, high + room];
  }
  const found = new Float64Array(n + 1);
  for (let i = 0; i < n; i += 1) found[i] = low + ((high - low) * i) / n;
  // Not rounded: the largest value lies there.
  found[n] = high;
  return found;
}

/**
 * The counts of a step's buckets on other bins: each bucket is spread evenly over the bins that it meets, one
 * without width lies in one bin. What lies outside of the edges is left out.
 * @param {[number, number, number][]} step @param {Float64Array} on n + 1 edges of equal width
 * @param {(value: number) => number} [places] where a value lies on the axis on which the widths are equal
 * @returns {Float64Array} n counts
 */
export function resample(step, on, places = (value) => value) {
  const n = on.length - 1;
  const counts = new Float64Array(n);
  const from = places(on[0]);
  const width = (places(on[n]) - from) / n;
  const place = (value) => Math.min(n - 1, Math.max(0, Math.floor((places(value) - from) / width) || 0));
  for (const [a, b, count] of step) {
    if (b < on[0] || a > on[n]) continue;
    // Widths that get lost beside the numbers themselves are none.
    if (!(b - a > Number.EPSILON * Math.max(Math.abs(a), Math.abs(b)))) {
      counts[place(a)] += count;
      continue;
    }
    // A place is a rounded number: the bins beside it may hold a share too.
    const last = Math.min(n - 1, place(b) + 1);
    for (let i = Math.max(0, place(a) - 1); i <= last; i += 1) {
      const shared = Math.min(b, on[i + 1]) - Math.max(a, on[i]);
      if (shared > 0) counts[i] += (count * shared) / (b - a);
    }
  }
  return counts;
}

/** The part of the whole that each count is. @param {Float64Array} counts */
export function shares(counts) {
  let whole = 0;
  for (const one of counts) whole += one;
  return whole > 0 ? counts.map((one) => one / whole) : counts;
}

/**
 * Values between which all but *outside* of every step's weight lies, taken over all steps.
 * @param {[number, number, number][][]} steps @param {number} outside @returns {[number, number] | null}
 */
export function core(steps, outside = 0.01) {
  const whole = extent(steps);
  if (!whole) return null;
  const fine = edges(whole[0], whole[1], 4000);
  const sum = new Float64Array(4000);
  let full = 0;
  for (const step of steps) {
    if (!step.length) continue;
    shares(resample(step, fine)).forEach((one, i) => { sum[i] += one; });
    full += 1;
  }
  const least = (full * outside) / 2;
  let [low, high] = [0, 3999];
  for (let seen = sum[0]; seen < least && low < high; seen += sum[low]) low += 1;
  for (let seen = sum[3999]; seen < least && high > low; seen += sum[high]) high -= 1;
  return [fine[low], fine[high + 1]];
}

/**
 * Histograms of an answer of `/api/v1/histograms` on common bins.
 * @param {{left: number[][], right: number[][], count: number[][]}} given @param {{n?: number, outside?: number}} [options] `outside`: so much weight may be cut off
 * @returns {{edges: Float64Array, counts: Float64Array[], shares: Float64Array[], steps: [number, number, number][][], most: number} | null} null where no step holds anything
 */
export function common(given, { n = 120, outside = 0 } = {}) {
  const steps = given.count.map((count, i) => buckets(given.left[i], given.right[i], count));
  const range = outside > 0 ? core(steps, outside) : extent(steps);
  if (!range) return null;
  const on = edges(range[0], range[1], n);
  const counts = steps.map((step) => resample(step, on));
  const parts = counts.map(shares);
  let most = 0;
  for (const part of parts) for (const one of part) if (one > most) most = one;
  return { edges: on, counts, shares: parts, steps, most };
}

/**
 * Values below which so many percent of a step's weight lie, by straight lines within its buckets.
 * @param {[number, number, number][]} step @param {number[]} percents ascending @returns {number[]} NaN where the step is empty
 */
export function percentiles(step, percents) {
  const whole = step.reduce((sum, one) => sum + one[2], 0);
  let [i, below] = [0, 0];
  return percents.map((percent) => {
    const wanted = (whole * percent) / 100;
    while (i < step.length - 1 && below + step[i][2] < wanted) {
      below += step[i][2];
      i += 1;
    }
    if (!step.length) return NaN;
    const [a, b, count] = step[i];
    return a + (b - a) * Math.min(1, Math.max(0, (wanted - below) / count));
  });
}

/**
 * Where the columns of steps meet: halfway between neighbours, and as far beyond the first and the last.
 * @param {number[]} steps ascending @returns {number[]} one more than there are steps
 */
export function borders(steps) {
  if (steps.length === 1) return [steps[0] - 0.5, steps[0] + 0.5];
  const found = [];
  for (let i = 1; i < steps.length; i += 1) found.push((steps[i - 1] + steps[i]) / 2);
  const [first, last] = [steps[0], steps[steps.length - 1]];
  return [first - (found[0] - first), ...found, last + (last - found[found.length - 1])];
}
