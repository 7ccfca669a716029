/** What is read off a PR curve: pure functions of its points in the order of thresholds, in which recall falls. */

/**
 * Average precision: each precision counts for as much as recall falls to the next threshold.
 * @param {number[]} precision @param {number[]} recall
 */
export function average(precision, recall) {
  let sum = 0;
  for (let i = 0; i < recall.length; i += 1) {
    const part = precision[i] * Math.max(0, recall[i] - (recall[i + 1] ?? 0));
    if (Number.isFinite(part)) sum += part;
  }
  return sum;
}

/**
 * The area below straight lines between the points; from the last one to no recall the precision stays.
 * @param {number[]} precision @param {number[]} recall
 */
export function area(precision, recall) {
  let sum = 0;
  for (let i = 0; i < recall.length; i += 1) {
    const part = ((precision[i] + (precision[i + 1] ?? precision[i])) / 2) * Math.max(0, recall[i] - (recall[i + 1] ?? 0));
    if (Number.isFinite(part)) sum += part;
  }
  return sum;
}

/** The place of the largest F1, or -1. @param {number[]} precision @param {number[]} recall @returns {{at: number, f1: number}} */
export function best(precision, recall) {
  const found = { at: -1, f1: NaN };
  precision.forEach((p, i) => {
    const f1 = (2 * p * recall[i]) / (p + recall[i]);
    if (f1 > found.f1 || (found.at < 0 && Number.isFinite(f1))) Object.assign(found, { at: i, f1 });
  });
  return found;
}

/** The precision at which a recall has an F1, or null where none has. @param {number} f1 @param {number} recall */
export function atF1(f1, recall) {
  const precision = (f1 * recall) / (2 * recall - f1);
  return precision > 0 && precision <= 1 ? precision : null;
}
