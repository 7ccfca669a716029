/** Cycles over time as columns of equal width, and the stretches in which none ran. */

export const MEASURES = ["bytes_read", "points", "requests", "problems", "files_changed", "bytes_received", "cost"];

const GAP = 3; // times the usual distance between cycles

/**
 * @typedef {{source: string, from: number, to: number, cycles: number, seconds: number, [measure: string]: any}} Cycle times in Unix seconds
 * @typedef {{cycles: number, seconds: number, most: number, values: Record<string, number>}} Cell what one source did in a column
 */

/** Cycles as the server tells them, by time. @param {any[]} told @returns {Cycle[]} */
export function cyclesOf(told) {
  return told.map((one) => ({ ...one, from: Date.parse(one.started_at) / 1000, to: Date.parse(one.ended_at ?? one.started_at) / 1000, cycles: one.cycles ?? 1 }))
    .filter((one) => Number.isFinite(one.from))
    .map((one) => ({ ...one, to: one.to >= one.from ? one.to : one.from }))
    .sort((a, b) => a.from - b.from);
}

/**
 * Columns between two times, whose edges stay where they are when the window moves on.
 * @param {Cycle[]} cycles @param {number} from @param {number} to in Unix seconds @param {number} most columns
 * @returns {{start: number, width: number, columns: (Map<string, Cell> | undefined)[]}}
 */
export function binned(cycles, from, to, most) {
  const width = nice(Math.max(1e-3, to - from) / Math.max(1, most));
  const start = Math.floor(from / width) * width;
  const count = Math.max(1, Math.ceil((to - start) / width));
  const columns = new Array(count).fill(undefined);
  for (const cycle of cycles) {
    const first = Math.floor((cycle.from - start) / width);
    const last = Math.max(first, Math.ceil((cycle.to - start) / width) - 1);
    // What took several columns is spread over them by its time in each.
    for (let i = Math.max(0, first); i <= Math.min(count - 1, last); i += 1) {
      const share = first === last ? 1 : overlap(cycle, start + i * width, width) / (cycle.to - cycle.from);
      if (share > 0) add(columns, i, cycle, share);
    }
  }
  return { start, width, columns };
}

function overlap(cycle, at, width) {
  return Math.min(cycle.to, at + width) - Math.max(cycle.from, at);
}

function add(columns, i, cycle, share) {
  columns[i] ??= new Map();
  const column = columns[i];
  let cell = column.get(cycle.source);
  if (!cell) column.set(cycle.source, (cell = { cycles: 0, seconds: 0, most: 0, values: Object.fromEntries(MEASURES.map((name) => [name, 0])) }));
  cell.cycles += cycle.cycles * share;
  cell.seconds += cycle.seconds * share;
  cell.most = Math.max(cell.most, cycle.seconds / Math.max(1, cycle.cycles));
  for (const name of MEASURES) cell.values[name] += (cycle[name] ?? 0) * share;
}

const WIDTHS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];

/** A width that people name: 5 s, 10 min, 2 h. */
function nice(seconds) {
  return WIDTHS.find((one) => one >= seconds) ?? Math.ceil(seconds / 2592000) * 2592000;
}

/** The middle of numbers, null where there are none. @param {number[]} numbers */
export function median(numbers) {
  const sorted = numbers.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted.length ? (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2 : null;
}

/**
 * Stretches without a cycle of any source, longer than three times what is usual: [from, to] in Unix seconds, the last
 * one up to now where none came since.
 * @param {Cycle[]} cycles by time @param {number} now @param {number | null} usual seconds between cycles @param {number} least seconds that can be seen
 * @returns {[number, number][]}
 */
export function gaps(cycles, now, usual, least) {
  if (!cycles.length) return [];
  const starts = cycles.map((one) => one.from);
  const distance = usual ?? median(starts.slice(1).map((at, i) => at - starts[i]));
  if (distance === null) return [];
  const from = Math.max(GAP * distance, least);
  const found = [];
  let end = cycles[0].to;
  for (const one of cycles) {
    if (one.from - end > from) found.push([end, one.from]);
    end = Math.max(end, one.to);
  }
  if (now - end > from) found.push([end, now]);
  return found;
}
