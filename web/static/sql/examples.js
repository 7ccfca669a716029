/** Questions that any lake can be asked, to begin with. */

/** The metric that stands for all where a question needs one: a loss, if most runs have one. */
const METRIC = `metric AS ( -- or write your own: tag = 'val/loss'
  SELECT tag, stream FROM series WHERE kind = 'scalar'
  GROUP BY tag, stream ORDER BY tag ILIKE '%loss%' DESC, count(*) DESC, tag LIMIT 1
)`;

/** @type {{title: string, says: string, sql: string, chart?: any}[]} */
export const EXAMPLES = [
  {
    title: "Best runs of each project", says: "QUALIFY keeps the best three by the smallest value",
    sql: `WITH ${METRIC}
SELECT r.project, r.name, s.tag, s.min AS best, s.min_step AS at_step, r.run_key
FROM series s JOIN metric USING (tag, stream) JOIN runs r USING (run_id)
QUALIFY row_number() OVER (PARTITION BY r.project ORDER BY s.min) <= 3
ORDER BY r.project, best`,
  },
  {
    title: "Learning rate against the metric", says: "a hyperparameter as a number beside a statistic of a curve",
    chart: { kind: "scatter", x: "lr", y: ["best"], by: "project", xscale: "log" },
    sql: `WITH ${METRIC}, rates AS (
  SELECT run_id, arg_min(number, rank) AS lr FROM hparams
  WHERE regexp_matches(name, '(^|[._])(lr|learning_rate)$') GROUP BY run_id
)
SELECT lr, s.min AS best, r.project, r.name, s.tag, r.run_key
FROM rates JOIN series s USING (run_id) JOIN metric USING (tag, stream) JOIN runs r USING (run_id)
ORDER BY lr`,
  },
  {
    title: "Where curves became NaN", says: "the first step that is not finite, and the last value before it",
    sql: `SELECT r.name, s.tag, s.stream, min(s.step) FILTER (NOT isfinite(s.value)) AS first_bad_step,
       arg_max(s.value, s.step) FILTER (isfinite(s.value)) AS last_finite,
       count(*) FILTER (isnan(s.value)) AS nans, r.run_key
FROM scalars s JOIN runs r USING (run_id)
WHERE (s.run_id, s.stream, s.tag) IN (SELECT (run_id, stream, tag) FROM series WHERE nan_count + inf_count > 0)
GROUP BY ALL ORDER BY first_bad_step`,
  },
  {
    title: "Slowest machines", says: "points and steps a second, over all runs of a machine",
    chart: { kind: "bar", x: "machine", y: ["steps_per_s"] },
    sql: `SELECT machine, count(*) AS runs, sum(points) AS points,
       sum(last_step) / nullif(sum(duration_s), 0) AS steps_per_s,
       sum(points) / nullif(sum(duration_s), 0) AS points_per_s
FROM runs WHERE duration_s > 0 GROUP BY machine ORDER BY steps_per_s`,
  },
  {
    title: "Metrics of runs side by side", says: "PIVOT makes a column of each tag",
    sql: `PIVOT (
  SELECT r.name AS run, r.run_key, s.tag, s.last FROM series s JOIN runs r USING (run_id)
  WHERE s.tag IN (SELECT tag FROM series WHERE kind = 'scalar' GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 12)
) ON tag USING any_value(last) GROUP BY run, run_key ORDER BY run`,
  },
  {
    title: "Points by day", says: "what was logged, by the day of a run's first event",
    chart: { kind: "bar", x: "day", y: ["points"] },
    sql: `SELECT created_at::DATE AS day, count(*) AS runs, sum(points) AS points
FROM runs WHERE created_at IS NOT NULL GROUP BY day ORDER BY day`,
  },
  {
    title: "Longest runs", says: "how long, how far, and how they ended",
    sql: `SELECT name, project, machine, state, to_seconds(duration_s) AS took, last_step, points, attempts, end_reason, run_key
FROM runs ORDER BY duration_s DESC NULLS LAST LIMIT 50`,
  },
  {
    title: "One curve of many runs", says: "every point, a line for each run",
    chart: { kind: "line", x: "step", y: ["value"], by: "run" },
    sql: `WITH ${METRIC}, newest AS (SELECT run_id, name FROM runs ORDER BY last_event_at DESC LIMIT 10)
SELECT n.name || ' #' || n.run_id AS run, s.step, s.value
FROM scalars s JOIN metric USING (tag, stream) JOIN newest n USING (run_id)
ORDER BY run, s.step`,
  },
  {
    title: "Moving average", says: "a window of 20 points over each curve",
    chart: { kind: "line", x: "step", y: ["smooth"], by: "run" },
    sql: `WITH ${METRIC}, newest AS (SELECT run_id, name FROM runs ORDER BY last_event_at DESC LIMIT 5)
SELECT n.name || ' #' || n.run_id AS run, s.step, s.value,
       avg(s.value) FILTER (isfinite(s.value)) OVER (PARTITION BY s.run_id ORDER BY s.step ROWS 19 PRECEDING) AS smooth
FROM scalars s JOIN metric USING (tag, stream) JOIN newest n USING (run_id)
ORDER BY run, s.step`,
  },
  {
    title: "Two metrics at the same step", says: "ASOF finds the last point at or before, where tags are logged at other steps",
    sql: `WITH two AS (
  SELECT run_id, stream, list(tag ORDER BY points, tag)[1:2] AS tags
  FROM series WHERE kind = 'scalar' GROUP BY ALL HAVING count(*) > 1 ORDER BY run_id LIMIT 1
), a AS (SELECT s.* FROM scalars s JOIN two t USING (run_id, stream) WHERE s.tag = t.tags[1]
), b AS (SELECT s.* FROM scalars s JOIN two t USING (run_id, stream) WHERE s.tag = t.tags[2])
SELECT a.run_id, a.step, a.tag, a.value, b.tag AS other, b.value AS other_value, a.step - b.step AS steps_before
FROM a ASOF JOIN b ON a.run_id = b.run_id AND a.step >= b.step ORDER BY a.step`,
  },
  {
    title: "Percentiles of histograms", says: "from the counts of their buckets, by step",
    chart: { kind: "line", x: "step", y: ["p10", "p50", "p90"] },
    sql: `WITH one AS (SELECT run_id, stream, tag FROM series WHERE plugin = 'histograms' ORDER BY run_id, tag LIMIT 1),
buckets AS (
  SELECT step, unnest("left") AS low, unnest("right") AS high, unnest("count") AS n
  FROM histograms JOIN one USING (run_id, stream, tag)
), summed AS (
  SELECT *, sum(n) OVER (PARTITION BY step ORDER BY low) / sum(n) OVER (PARTITION BY step) AS share FROM buckets
)
SELECT step, min(high) FILTER (share >= 0.1) AS p10, min(high) FILTER (share >= 0.5) AS p50, min(high) FILTER (share >= 0.9) AS p90
FROM summed GROUP BY step ORDER BY step`,
  },
  {
    title: "Search in texts", says: "words in what runs logged as text",
    sql: `SELECT r.name, t.tag, t.step, t.text, r.run_key
FROM texts t JOIN runs r USING (run_id)
WHERE t.text ILIKE '%lr%' -- any words
ORDER BY t.run_id, t.tag, t.step LIMIT 200`,
  },
  {
    title: "Problems by source", says: "what could not be read, and where",
    sql: `SELECT source, kind, count(*) AS problems, count(DISTINCT path) AS files, sum(bytes) AS bytes,
       max(problems."at") AS newest, any_value(path) AS for_example
FROM problems GROUP BY source, kind ORDER BY problems DESC`,
  },
  {
    title: "What a hyperparameter does", says: "runs and the metric for each of its values",
    sql: `WITH ${METRIC}, names AS ( -- or write your own: name = 'optimizer'
  SELECT name FROM hparams GROUP BY name HAVING count(DISTINCT value) BETWEEN 2 AND 20
  ORDER BY count(DISTINCT run_id) DESC, name LIMIT 8
)
SELECT h.name, h.value, count(*) AS runs, round(avg(s.min), 5) AS mean, min(s.min) AS best, round(stddev_samp(s.min), 5) AS std
FROM hparams h JOIN names USING (name) JOIN series s USING (run_id) JOIN metric USING (tag, stream)
WHERE isfinite(s.min) GROUP BY ALL ORDER BY h.name, mean`,
  },
  {
    title: "Largest tags", says: "curves, tensors and media by points",
    chart: { kind: "bar", x: "tag", y: ["points"] },
    sql: `SELECT tag, kind, any_value(plugin) AS plugin, count(DISTINCT run_id) AS runs, sum(points) AS points
FROM series GROUP BY tag, kind ORDER BY points DESC LIMIT 30`,
  },
];
