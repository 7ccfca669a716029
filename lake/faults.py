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

# A tag has stopped when the run went on without it, both by steps and by wall time: for more than
# ten times the mean distance of its points, and for more than a tenth of the whole run. Of time the
# distance is since the run's begin, which the parts of a series do not say of themselves.
MANY, PART, LEAST_POINTS = 10, 10, 3
STOPPED = f"""
    SELECT s.run_id, s.stream, s.tag, s.points, s.last_step, s.last_wall_time,
           e.last_step AS run_last_step, e.last_wall_time AS run_last_wall_time
    FROM (SELECT run_id, stream, tag, sum(points) AS points, min(first_step) AS first_step,
                 max(last_step) AS last_step, arg_max(last_wall_time, last_step) AS last_wall_time
          FROM series_parts WHERE kind = 'scalar'{{test}} GROUP BY run_id, stream, tag
          HAVING sum(points) >= {LEAST_POINTS}) s
    JOIN (SELECT run_id, min(first_step) AS first_step, max(last_step) AS last_step,
                 max(last_wall_time) FILTER (isfinite(last_wall_time)) AS last_wall_time
          FROM series_parts WHERE kind = 'scalar'{{test}} GROUP BY run_id) e ON e.run_id = s.run_id
    JOIN runs b ON b.run_id = s.run_id
    WHERE isfinite(s.last_wall_time) AND b.created_at IS NOT NULL
      AND CAST(e.last_step AS DOUBLE) - s.last_step
          > greatest({MANY} * (CAST(s.last_step AS DOUBLE) - s.first_step) / (s.points - 1),
                     (CAST(e.last_step AS DOUBLE) - e.first_step) / {PART})
      AND e.last_wall_time - s.last_wall_time
          > greatest({MANY} * (s.last_wall_time - epoch(b.created_at)) / (s.points - 1),
                     (e.last_wall_time - epoch(b.created_at)) / {PART})
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
