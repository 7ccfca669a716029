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

# A tag has stopped when the run went on without it. The run, here, is the curves that began before
# the middle of the tag's own time: what came later is another phase, or another experiment. They went
# on for more than ten times the mean distance of the tag's points and for more than a tenth of the
# whole, both by steps and by wall time; and for two minutes, since writers keep points back that long.
MANY, PART, LEAST_S, LEAST_POINTS = 10, 10, 120, 3
STOPPED = f"""
    WITH s AS MATERIALIZED (
        SELECT run_id, stream, tag, CAST(sum(points) AS BIGINT) AS points,
               CAST(min(first_step) AS DOUBLE) AS low, CAST(max(last_step) AS DOUBLE) AS high,
               arg_min(first_wall_time, first_step) AS "begin", arg_max(last_wall_time, last_step) AS "end"
        FROM series_parts WHERE kind = 'scalar'{{test}} GROUP BY run_id, stream, tag
        HAVING sum(points) >= {LEAST_POINTS}
           AND "end" BETWEEN -62135596800 AND 253402300799 AND "begin" BETWEEN -62135596800 AND "end"
    ), worth AS (
        SELECT DISTINCT s.run_id
        FROM s JOIN (SELECT run_id, max(high) AS high, max("end") AS "end" FROM s GROUP BY run_id) r
            ON r.run_id = s.run_id AND r.high > s.high AND r."end" > s."end" + {LEAST_S}
    ), beside AS (
        SELECT *, min(low) OVER w AS run_low, max(high) OVER w AS run_high,
               min("begin") OVER w AS run_begin, max("end") OVER w AS run_end
        FROM s WHERE run_id IN (SELECT run_id FROM worth)
        WINDOW w AS (PARTITION BY run_id ORDER BY "begin"
                     RANGE BETWEEN UNBOUNDED PRECEDING AND ("end" - "begin") / 2 FOLLOWING)
    )
    SELECT run_id, stream, tag, points, CAST(high AS BIGINT) AS last_step, "end" AS last_wall_time,
           CAST(run_high AS BIGINT) AS run_last_step, run_end AS run_last_wall_time
    FROM beside
    WHERE run_high - high > greatest({MANY} * (high - low) / (points - 1), (run_high - run_low) / {PART})
      AND run_end - "end" > greatest({MANY} * ("end" - "begin") / (points - 1),
                                     (run_end - run_begin) / {PART}, {LEAST_S})
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
