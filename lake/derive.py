"""What attempts and superseded points are: the definition, in SQL, for series whose order changed.

The ingester counts attempts while it reads. That is right as long as a batch only goes on where a
series ended. Where steps went back over batches, an earlier file grew late, or a file was replaced,
the whole series is derived anew here; both ways give the same rows (a property test holds them to it).
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from ..core.values import Kind

_TABLE: dict[Kind, str] = {"scalar": "scalar_points", "tensor": "tensors", "blob": "blobs"}
SeriesKey = tuple[int, str, str, Kind]

# Order of points: files by the time in their name, then path; records as written. A blob point may
# have several rows (idx 0, 1, ...), which stand or fall together (GROUPS); elsewhere rows are points.
_DERIVE = """
CREATE OR REPLACE TEMP TABLE derived AS
SELECT run_id, stream, tag, file_id, record, rid, point, step, wall_time, {value} AS value,
       was_attempt, was_superseded, seq,
       CAST(coalesce(sum(back) OVER (PARTITION BY run_id, stream, tag ORDER BY seq), 0) AS INTEGER) AS attempt,
       coalesce(min(step) OVER (PARTITION BY run_id, stream, tag ORDER BY point
                {frame} BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) <= step, false) AS superseded
FROM (
    SELECT p.run_id, p.stream, p.tag, p.file_id, p.record, p.rid, p.step, p.wall_time, {value}, p.seq, p.point,
           p.was_attempt, p.was_superseded,
           CASE WHEN p.step < lag(p.step) OVER (PARTITION BY p.run_id, p.stream, p.tag ORDER BY p.seq)
                THEN 1 ELSE 0 END AS back
    FROM (
        SELECT t.run_id, t.stream, t.tag, t.file_id, t.record, t.rowid AS rid, t.step, t.wall_time, {column}
               t.attempt AS was_attempt, t.superseded AS was_superseded,
               row_number() OVER (PARTITION BY t.run_id, t.stream, t.tag
                   ORDER BY coalesce(f.created_unix, 0), f.path, t.record, t.rowid) AS seq,
               {point} OVER (PARTITION BY t.run_id, t.stream, t.tag
                   ORDER BY coalesce(f.created_unix, 0), f.path, t.record, t.rowid) AS point
        FROM {table} t
        JOIN disturbed d ON d.run_id = t.run_id AND d.stream = t.stream AND d.tag = t.tag
        JOIN file_order f ON f.file_id = t.file_id
        WHERE t.run_id IN (SELECT run_id FROM disturbed)
    ) p
)
"""

# DuckLake stores the passing rowid of a row that is updated in the transaction which inserted it, so
# that rows of several transactions may have the same: only within a record does it tell rows apart.
_UPDATE = """
UPDATE {table} t SET attempt = d.attempt, superseded = d.superseded
FROM (SELECT * FROM derived WHERE attempt <> was_attempt OR superseded <> was_superseded) d
WHERE t.run_id = d.run_id AND t.file_id = d.file_id AND t.record = d.record AND t.rowid = d.rid
"""

_META = """
CREATE OR REPLACE TEMP TABLE kept_meta AS
SELECT s.run_id, s.stream, s.tag, any_value(plugin) AS plugin, any_value(data_class) AS data_class,
       any_value(content) AS content, any_value(description) AS description,
       any_value(display_name) AS display_name
FROM series_parts s JOIN disturbed d ON d.run_id = s.run_id AND d.stream = s.stream AND d.tag = s.tag
WHERE s.kind = ? GROUP BY ALL
"""

_FORGET = """
DELETE FROM series_parts s USING disturbed d
WHERE s.run_id = d.run_id AND s.stream = d.stream AND s.tag = d.tag AND s.kind = ?
"""

# Sums are of the distance to the series' first finite value, as in the ingester's own parts.
_STATS = """
INSERT INTO series_parts BY NAME
WITH live AS (
    SELECT *, isfinite(value) AS finite,
           first_value(CASE WHEN isfinite(value) THEN value END IGNORE NULLS) OVER (
               PARTITION BY run_id, stream, tag ORDER BY seq
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS shift
    FROM derived WHERE NOT superseded
), parts AS (
    SELECT run_id, stream, tag, file_id, count(DISTINCT point) AS points,
           min(step) AS first_step, max(step) AS last_step,
           arg_min(wall_time, seq) AS first_wall_time, arg_max(wall_time, seq) AS last_wall_time,
           arg_min(value, seq) AS "first", arg_max(value, seq) AS "last",
           min(value) FILTER (finite) AS "min", max(value) FILTER (finite) AS "max",
           arg_min(step, (value, step)) FILTER (finite) AS min_step,
           arg_min(step, (-value, step)) FILTER (finite) AS max_step,
           any_value(shift) AS shift, sum(value - shift) FILTER (finite) AS shift_sum,
           sum((value - shift) * (value - shift)) FILTER (finite) AS shift_sum2,
           count(*) FILTER (finite) AS finite, count(*) FILTER (isnan(value)) AS nan_count,
           count(*) FILTER (isinf(value)) AS inf_count,
           min(step) FILTER (isnan(value)) AS nan_step, min(step) FILTER (isinf(value)) AS inf_step
    FROM live GROUP BY ALL
), gone AS (
    SELECT run_id, stream, tag, file_id, count(DISTINCT point) FILTER (superseded) AS superseded,
           max(attempt) AS attempt
    FROM derived GROUP BY ALL
)
SELECT g.run_id, g.stream, g.tag, ? AS kind, g.file_id, m.plugin, m.data_class, m.content, m.description,
       m.display_name, coalesce(p.points, 0) AS points, g.superseded, g.attempt,
       p.* EXCLUDE (run_id, stream, tag, file_id, points)
FROM gone g
LEFT JOIN parts p ON (p.run_id, p.stream, p.tag, p.file_id) = (g.run_id, g.stream, g.tag, g.file_id)
LEFT JOIN kept_meta m ON (m.run_id, m.stream, m.tag) = (g.run_id, g.stream, g.tag)
"""


def derive(
    con: duckdb.DuckDBPyConnection,
    series: Iterable[SeriesKey],
    fresh: Iterable[tuple[int, int | None, str]] = (),
) -> dict[int, int]:
    """Derive attempts, superseded points and aggregates of *series* anew, within a transaction.

    *fresh* are files that `files` does not hold yet: (file_id, created_unix, path). Returns the
    number of attempts seen in each file of the runs concerned, by file_id.
    """
    fresh = list(fresh)
    by_kind: dict[Kind, list[tuple[int, str, str]]] = {}
    for run_id, stream, tag, kind in series:
        by_kind.setdefault(kind, []).append((run_id, stream, tag))
    for kind, keys in by_kind.items():
        _stage(con, keys)
        _stage_files(con, fresh)
        scalar, blob = kind == "scalar", kind == "blob"
        con.execute(
            _DERIVE.format(
                table=_TABLE[kind],
                value="value" if scalar else "CAST(NULL AS DOUBLE)",
                column="t.value," if scalar else "",
                frame="GROUPS" if blob else "ROWS",
                point="sum(CAST(idx = 0 AS BIGINT))" if blob else "row_number()",
            )
        )
        con.execute(_UPDATE.format(table=_TABLE[kind]))
        con.execute(_META, [kind])
        con.execute(_FORGET, [kind])
        con.execute(_STATS, [kind])
    return _recount(con, {run_id for keys in by_kind.values() for run_id, _, _ in keys})


def _recount(con: duckdb.DuckDBPyConnection, runs: set[int]) -> dict[int, int]:
    """Bring `files.attempts` in line with the series of *runs*; the counts by file_id."""
    con.register("recounted", pa.table({"run_id": pa.array(sorted(runs), pa.int64())}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE counted AS SELECT file_id, max(attempt) + 1 AS attempts"
        " FROM series_parts WHERE run_id IN (SELECT run_id FROM recounted) GROUP BY file_id"
    )
    con.unregister("recounted")
    con.execute(
        "UPDATE files f SET attempts = c.attempts FROM counted c"
        " WHERE f.file_id = c.file_id AND f.attempts IS DISTINCT FROM c.attempts"
    )
    return dict(con.execute("SELECT file_id, attempts FROM counted").fetchall())


def _stage(con: duckdb.DuckDBPyConnection, keys: list[tuple[int, str, str]]) -> None:
    runs, streams, tags = zip(*dict.fromkeys(keys), strict=True)
    table = pa.table({"run_id": pa.array(runs, pa.int64()), "stream": streams, "tag": tags})
    con.register("staged", table)
    con.execute("CREATE OR REPLACE TEMP TABLE disturbed AS SELECT * FROM staged")
    con.unregister("staged")


def _stage_files(con: duckdb.DuckDBPyConnection, fresh: list[tuple[int, int | None, str]]) -> None:
    table = pa.table(
        {
            "file_id": pa.array([row[0] for row in fresh], pa.int64()),
            "created_unix": pa.array([row[1] for row in fresh], pa.int64()),
            "path": pa.array([row[2] for row in fresh], pa.string()),
        }
    )
    con.register("staged", table)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE file_order AS SELECT * FROM staged UNION ALL"
        " SELECT file_id, created_unix, path FROM files"
        " WHERE run_id IN (SELECT run_id FROM disturbed)"
    )
    con.unregister("staged")
