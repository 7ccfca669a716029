/** How sources do: which are fresh, late, put off, cannot be read or were never read, and what machines have in sum. */

const LATE = 3; // times the usual distance between cycles
const LEAST_S = 30; // a cycle may take so long itself
const ONCE_S = 86_400; // for a source that was looked at once

/**
 * fresh, late, put off, unreadable or never.
 * @param {{last_cycle_at: string | null, lag_s: number | null, usual_s: number | null, error: string | null, cycle?: {error?: string | null, skipped?: string | null} | null}} source
 */
export function healthOf(source) {
  if (!source.last_cycle_at) return "never";
  if (source.error || source.cycle?.error) return "unreadable";
  const most = source.usual_s == null ? ONCE_S : Math.max(LEAST_S, LATE * source.usual_s);
  if (source.lag_s > most) return "late";
  return source.cycle?.skipped ? "put off" : "fresh";
}

/** Why the last cycle did not read all of a source; null if it did. */
export function reasonOf(source) {
  return source.error ?? source.cycle?.error ?? source.cycle?.skipped ?? null;
}

/** What is wrong with a source, by the names that the page's `only` has. */
export const WRONG = {
  late: (one) => healthOf(one) === "late",
  never: (one) => ["never", "unreadable"].includes(healthOf(one)),
  putoff: (one) => healthOf(one) === "put off",
  missing: (one) => one.files_missing > 0,
  behind: (one) => one.behind > 0,
  stalled: (one) => one.stalled > 0,
  failed: (one) => one.failed > 0,
  problems: (one) => one.problems > 0,
};

/** The sum of a column. @param {any[]} rows @param {string} name */
export function sum(rows, name) {
  return rows.reduce((total, one) => total + (one[name] ?? 0), 0);
}

const WORST = ["unreadable", "never", "late", "put off", "fresh"];

/** How a column is ordered: by the value of a source or a machine row. */
function rank(row, by) {
  if (by === "state") return -WORST.indexOf(row.health);
  if (by === "requests_per_cycle") return row.requests_per_cycle ?? -1;
  return row[by] ?? -1;
}

/**
 * The rows of the table: each machine, and under it its sources.
 * @param {{sources: any[], machines: any[]}} data @param {{words: string, only: string, by: string, desc: boolean}} how
 */
export function rowsOf({ sources, machines }, { words, only, by, desc }) {
  const all = words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (one) => all.every((word) => `${one.source} ${one.machine} ${one.uri} ${one.project ?? ""}`.toLowerCase().includes(word)) && (WRONG[only]?.(one) ?? true);
  const seen = sources.filter(fits).map((one) => ({ ...one, health: healthOf(one), kind: "source", uriKind: one.kind }));
  const byMachine = Map.groupBy ? Map.groupBy(seen, (one) => one.machine) : grouped(seen);
  const known = new Map(machines.map((one) => [one.machine, one]));
  const groups = [...byMachine].map(([machine, rows]) => ({ head: head(machine, rows, known.get(machine), sources), rows }));
  const sign = desc ? -1 : 1;
  const order = (a, b, name) => (by === "source" ? sign * compare(a[name], b[name]) : sign * (rank(a, by) - rank(b, by)) || compare(a[name], b[name]));
  groups.sort((a, b) => order(a.head, b.head, "machine"));
  for (const one of groups) one.rows.sort((a, b) => order(a, b, "source"));
  return groups.flatMap((one) => [one.head, ...one.rows]);
}

function compare(a, b) {
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

function grouped(rows) {
  const found = new Map();
  for (const one of rows) found.set(one.machine, [...(found.get(one.machine) ?? []), one]);
  return found;
}

function head(machine, rows, known, all) {
  const newest = rows.map((one) => one.last_cycle_at).filter(Boolean).sort().at(-1) ?? null;
  const names = ["files", "files_missing", "runs", "running", "stalled", "failed", "finished", "problems", "points", "size", "behind", "requests_per_cycle", "requests_day", "received_day"];
  return {
    kind: "machine", machine, sources: rows.length, of: all.filter((one) => one.machine === machine).length,
    health: WORST.find((health) => rows.some((one) => one.health === health)), last_cycle_at: newest,
    lag_s: Math.max(...rows.map((one) => one.lag_s ?? -1)),
    ...Object.fromEntries(names.map((name) => [name, sum(rows, name)])),
    cost_per_day: rows.some((one) => one.cost_per_day != null) ? sum(rows, "cost_per_day") : null,
    skew_s: known?.skew_s ?? null, skew_files: known?.skew_files ?? 0, last_event_at: known?.last_event_at ?? null,
  };
}
