/** A comparison as text for other programs: what is seen, with every digit. */

/** A row's name with its stream. */
export function title(row) {
  return row.stream ? `${row.name} (${row.stream})` : row.name;
}

function text(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Names of columns: those that several runs have get the run's key. */
function heads(runs) {
  const counts = new Map();
  for (const run of runs) counts.set(run.label, (counts.get(run.label) ?? 0) + 1);
  return runs.map((run) => (counts.get(run.label) > 1 ? `${run.label} ${run.run_key}` : run.label));
}

/** A cell of CSV; a text that a spreadsheet would calculate is kept a text. */
function csvCell(value) {
  let cell = text(value);
  if (typeof value !== "number" && /^[=+\-@\t\r]/.test(cell) && !Number.isFinite(Number(cell))) cell = `'${cell}`;
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** @param {any[]} shown sections @param {any[]} runs with label and run_key, in order */
export function csv(shown, runs) {
  const rows = [["section", "name", ...heads(runs)]];
  for (const section of shown) for (const row of section.rows) rows.push([section.id, title(row), ...row.values]);
  return rows.map((row) => row.map(csvCell).join(",")).join("\r\n");
}

function markdownCell(value) {
  return text(value).replace(/[\\|`*_[\]<>]/g, "\\$&").replace(/\s*[\r\n]+\s*/g, " ");
}

/** A table of GitHub's Markdown; the best value of a row is bold. */
export function markdown(shown, runs) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const out = [line(["", ...heads(runs).map(markdownCell)]), line([":---", ...runs.map(() => "---:")])];
  for (const section of shown) {
    if (!section.rows.length) continue;
    out.push(line([`**${section.title}**`, ...runs.map(() => "")]));
    for (const row of section.rows) {
      out.push(line([markdownCell(title(row)), ...row.values.map((value, i) => (row.best?.[i] ? `**${markdownCell(value)}**` : markdownCell(value)))]));
    }
  }
  return out.join("\n");
}

/** Everything, with steps and differences to the baseline. */
export function asJson(shown, runs, { base, stat }) {
  const sections = shown.map((section) => ({
    name: section.id,
    rows: section.rows.map((row) => ({
      name: row.name,
      ...(row.section === "metrics" ? { stream: row.stream ?? "", steps: row.steps, deltas: row.deltas, relative: row.relative } : {}),
      values: row.values,
      differs: row.differs,
    })),
  }));
  return JSON.stringify({ runs: runs.map(({ run_id, run_key, label }) => ({ run_id, run_key, label })), baseline: base || null, stat, sections }, null, 2);
}
