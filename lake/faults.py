"""What may be wrong with runs, as relations by run: curves with NaN, tags that stopped, clocks that are off."""

from __future__ import annotations

# A file's newest event against the file's own time, as seconds: above 0 the writer's clock is ahead.
# Copying makes a file's time later, never earlier: an event after it is a clock's doing. That the
# file's time is later counts where we saw the file grow, and nothing has touched it since.
# A time before 2000 was put there by a packer.
SKEW = """
    CASE WHEN f.last_wall_time BETWEEN -62135596800 AND 253402300799
          AND f.mtime_ns > 946684800000000000
          AND (f.last_wall_time > f.mtime_ns / 1e9
               OR (f.grew_at > f.last_wall_time AND f.mtime_ns / 1e9 < f.grew_at + 60))
         THEN f.last_wall_time - f.mtime_ns / 1e9 END
"""

# A tag has stopped when the run went on without it. What went on are the curves that began before the
# middle of the tag's own time: what came later is another phase, or another experiment. They did for
# more than ten times the mean distance of the tag's points and for more than a tenth of the run, both
# by steps and by wall time; and for two minutes, since writers keep points back that long.
MANY, PART, LEAST_S, LEAST_POINTS = 10, 10, 120, 3
_SOUND = "BETWEEN -62135596800 AND 253402300799"
# Runs without a part that ends so early are passed over before series are put together, of which
# there may be millions.
STOPPED = f"""
    WITH r AS MATERIALIZED (
        SELECT run_id, max(last_step) AS high, max(last_wall_time) FILTER (last_wall_time {_SOUND}) AS "end",
               (CAST(max(last_step) AS DOUBLE) - min(first_step)) / {PART} AS few_steps,
               greatest({LEAST_S}, (max(last_wall_time) FILTER (last_wall_time {_SOUND})
                   - min(first_wall_time) FILTER (first_wall_time {_SOUND})) / {PART}) AS short
        FROM series_parts WHERE kind = 'scalar'{{test}} GROUP BY run_id
    ), worth AS (
        SELECT DISTINCT run_id FROM series_parts p JOIN r USING (run_id)
        WHERE kind = 'scalar'{{test}} AND CAST(r.high AS DOUBLE) - p.last_step > r.few_steps
          AND r."end" - p.last_wall_time > r.short
    ), s AS (
        SELECT run_id, stream, tag, CAST(sum(points) AS BIGINT) AS points,
               min(first_step) AS low, max(last_step) AS high,
               min(first_wall_time) AS "begin", max(last_wall_time) AS "end"
        FROM series_parts WHERE kind = 'scalar' AND run_id IN (SELECT run_id FROM worth)
        GROUP BY run_id, stream, tag
        HAVING sum(points) >= {LEAST_POINTS}
           AND "end" {_SOUND} AND "begin" BETWEEN -62135596800 AND "end"
    ), beside AS (
        SELECT *, max(high) OVER w AS run_high, max("end") OVER w AS run_end
        FROM s
        WINDOW w AS (PARTITION BY run_id ORDER BY "begin"
                     RANGE BETWEEN UNBOUNDED PRECEDING AND ("end" - "begin") / 2 FOLLOWING)
    )
    SELECT run_id, stream, tag, points, b.high AS last_step, b."end" AS last_wall_time,
           b.run_high AS run_last_step, b.run_end AS run_last_wall_time
    FROM beside b JOIN r USING (run_id)
    WHERE CAST(b.run_high AS DOUBLE) - b.high
          > greatest(r.few_steps, {MANY} * (CAST(b.high AS DOUBLE) - b.low) / (points - 1))
      AND b.run_end - b."end" > greatest(r.short, {MANY} * (b."end" - b."begin") / (points - 1))
"""

_NAN_TAGS = """
    SELECT run_id, count(DISTINCT (stream, tag)) AS v FROM series_parts
    WHERE kind = 'scalar' AND nan_count + inf_count > 0{test} GROUP BY run_id
"""
_HPARAMS = "SELECT run_id, count(DISTINCT name) AS v FROM hparams WHERE true{test} GROUP BY run_id"
_PROBLEMS = """
    SELECT run_id, count(*) AS v FROM problems p JOIN files f USING (source, path)
    WHERE run_id IS NOT NULL{test} GROUP BY run_id
"""
_SKEW = f"""
    SELECT run_id, arg_max(skew, abs(skew)) AS v FROM (SELECT f.run_id, {SKEW} AS skew FROM files f)
    WHERE run_id IS NOT NULL AND skew IS NOT NULL{{test}} GROUP BY run_id
"""

# Each a query of run_id and v with room for a test of run_id, and v for runs that it leaves out.
FAULTS: dict[str, tuple[str, str]] = {
    "nan_tags": (_NAN_TAGS, "0"),
    "stopped_tags": (
        f"SELECT run_id, count(*) AS v FROM ({STOPPED}) GROUP BY run_id",
        "0",
    ),
    "hparams": (_HPARAMS, "0"),
    "problems": (_PROBLEMS, "0"),
    "clock_skew_s": (_SKEW, "NULL"),
}
