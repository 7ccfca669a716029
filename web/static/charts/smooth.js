/** Smoothing of curves; the picture alone is smoothed, never the data. */

/**
 * TensorBoard's debiased exponential moving average, bit for bit: values that are not finite pass through
 * and do not count, a constant curve stays as it is.
 * Source: tensorboard/webapp/widgets/line_chart_v2/data_transformer.ts, classicSmoothing.
 * @param {ArrayLike<number>} y @param {number} weight 0 to 1
 */
export function ema(y, weight) {
  const out = new Float64Array(y.length);
  let constant = true;
  for (let i = 1; i < y.length && constant; i += 1) constant = y[i] === y[0];
  let last = 0;
  let count = 0;
  for (let i = 0; i < y.length; i += 1) {
    if (constant || !Number.isFinite(y[i])) {
      out[i] = y[i];
      continue;
    }
    last = last * weight + (1 - weight) * y[i];
    count += 1;
    out[i] = last / (weight === 1 ? 1 : 1 - weight ** count);
  }
  return out;
}

/**
 * Time-weighted exponential moving average: points far apart in x forget more.
 * Source: W&B's documentation of its default smoothing; the range of x counts as 1000.
 */
export function twema(x, y, weight) {
  const out = new Float64Array(y.length);
  const w = Math.min(Math.sqrt(weight), 0.999);
  const range = x[x.length - 1] - x[0] || 1;
  let last = 0;
  let sum = 0;
  let before = x[0];
  for (let i = 0; i < y.length; i += 1) {
    if (!Number.isFinite(y[i])) {
      out[i] = y[i];
      continue;
    }
    const kept = w ** (((x[i] - before) / range) * 1000);
    before = x[i];
    last = last * kept + y[i];
    sum = sum * kept + 1;
    out[i] = last / sum;
  }
  return out;
}

/** How many points a Gaussian's sigma has at *weight*: at most a tenth of the curve. */
const sigma = (n, weight) => weight * weight * n * 0.1;

/** A Gaussian-weighted mean over points, cut at three sigma. */
export function gaussian(y, weight) {
  const spread = sigma(y.length, weight);
  if (spread < 0.3) return Float64Array.from(y);
  const reach = Math.ceil(3 * spread);
  const kernel = Float64Array.from({ length: reach + 1 }, (_, i) => Math.exp(-(i * i) / (2 * spread * spread)));
  const out = new Float64Array(y.length);
  for (let i = 0; i < y.length; i += 1) {
    if (!Number.isFinite(y[i])) {
      out[i] = y[i];
      continue;
    }
    let sum = 0;
    let total = 0;
    for (let j = Math.max(0, i - reach); j <= Math.min(y.length - 1, i + reach); j += 1) {
      if (!Number.isFinite(y[j])) continue;
      const part = kernel[Math.abs(i - j)];
      sum += part * y[j];
      total += part;
    }
    out[i] = sum / total;
  }
  return out;
}

/** How many points a running mean looks back at *weight*: at most a fifth of the curve. */
export const span = (n, weight) => Math.max(1, Math.round(weight * weight * n * 0.2));

/** The mean of the last `span` points. */
export function runningMean(y, weight) {
  const width = span(y.length, weight);
  const out = new Float64Array(y.length);
  let sum = 0;
  let count = 0;
  for (let i = 0; i < y.length; i += 1) {
    if (Number.isFinite(y[i])) {
      sum += y[i];
      count += 1;
    }
    if (i >= width && Number.isFinite(y[i - width])) {
      sum -= y[i - width];
      count -= 1;
    }
    out[i] = Number.isFinite(y[i]) ? sum / count : y[i];
  }
  return out;
}

/** The names that people see. */
export const KINDS = {
  ema: "TensorBoard EMA",
  twema: "Time-weighted EMA",
  gaussian: "Gaussian",
  mean: "Running mean",
  none: "No smoothing",
};

/** Smooth a curve. @param {keyof typeof KINDS} kind */
export function smooth(kind, x, y, weight) {
  if (kind === "none" || !weight || y.length < 2) return y;
  if (kind === "twema") return twema(x, y, weight);
  if (kind === "gaussian") return gaussian(y, weight);
  if (kind === "mean") return runningMean(y, weight);
  return ema(y, weight);
}
