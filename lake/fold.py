"""Folding `series_parts`: the many parts that a growing file adds to a series become one."""

from __future__ import annotations

import duckdb
import pyarrow as pa

MANY = 4  # parts of a series, on average over a run
_PARTS_AT_ONCE = 2_000_000
# Runs lie in files by run_id: far ones together would have everything between them read.
_NEAR = 1_000
# The clocks of a cycle and of the commit that ends it differ a little.
_MARGIN_S = 600.0

_MANY = """
CREATE OR REPLACE TEMP TABLE folding AS
SELECT run_id FROM series_parts
WHERE run_id BETWEEN ? AND ? AND run_id IN (SELECT run_id FROM chosen) GROUP BY run_id
HAVING count(*) > ? * count(DISTINCT (stream, tag, kind, file_id))
"""

# Each column as the view `series` adds it up, so that the view of the result is the view as it was.
# Steps of the parts of a series do not overlap, so that first and last are never a matter of order.
_FOLD = """
CREATE OR REPLACE TEMP TABLE folded AS
SELECT run_id, stream, tag, kind, file_id,
       any_value(plugin) AS plugin, any_value(data_class) AS data_class,
       any_value(content) AS content, any_value(description) AS description,
       any_value(display_name) AS display_name,
       CAST(sum(points) AS BIGINT) AS points, CAST(sum(superseded) AS BIGINT) AS superseded,
       min(first_step) AS first_step, max(last_step) AS last_step,
       arg_min(first_wall_time, first_step) AS first_wall_time,
       arg_max(last_wall_time, last_step) AS last_wall_time,
       arg_min("first", first_step) AS "first", arg_max("last", last_step) AS "last",
       min("min") AS "min", arg_min(min_step, ("min", min_step)) AS min_step,
       max("max") AS "max", arg_min(max_step, (-"max", max_step)) AS max_step,
       any_value(shift) AS shift, sum(shift_sum) AS shift_sum, sum(shift_sum2) AS shift_sum2,
       CAST(sum(finite) AS BIGINT) AS finite, CAST(sum(nan_count) AS BIGINT) AS nan_count,
       CAST(sum(inf_count) AS BIGINT) AS inf_count,
       min(nan_step) AS nan_step, min(inf_step) AS inf_step, max(attempt) AS attempt
FROM series_parts WHERE run_id BETWEEN ? AND ? AND run_id IN (SELECT run_id FROM folding)
GROUP BY run_id, stream, tag, kind, file_id
"""


def any_grown(con: duckdb.DuckDBPyConnection, since: float) -> bool:
    """Whether any file has grown since *since*, in Unix seconds."""
    grown = "SELECT 1 FROM files WHERE grew_at >= ? AND run_id IS NOT NULL LIMIT 1"
    return con.execute(grown, [since - _MARGIN_S]).fetchone() is not None


def chunks(con: duckdb.DuckDBPyConnection, since: float) -> list[list[int]]:
    """Runs by run_id, those together that lie near each other and can be folded at once.

    They are the runs of which a file has grown since *since* (Unix seconds), and all runs for 0.
    """
    grown, parameters = "", []
    if since:
        grown = "WHERE run_id IN (SELECT run_id FROM files WHERE grew_at >= ?)"
        parameters = [since - _MARGIN_S]
    counts = con.execute(
        f"SELECT run_id, count(*) FROM series_parts {grown} GROUP BY run_id ORDER BY run_id",
        parameters,
    ).fetchall()
    found: list[list[int]] = []
    parts = 0
    for run_id, count in counts:
        if found and parts + count <= _PARTS_AT_ONCE and run_id - found[-1][-1] <= _NEAR:
            found[-1].append(run_id)
            parts += count
        else:
            found.append([run_id])
            parts = count
    return found


def fold(con: duckdb.DuckDBPyConnection, runs: list[int], *, least: int = MANY) -> int:
    """Fold, within a transaction, those of *runs* whose series have more than *least* parts.

    A part stays for each file, since a file can be replaced. Returns how many rows that saves.
    """
    con.register("chosen", pa.table({"run_id": pa.array(runs, pa.int64())}))
    con.execute(_MANY, [runs[0], runs[-1], least])
    con.unregister("chosen")
    low, high = con.execute("SELECT min(run_id), max(run_id) FROM folding").fetchall()[0]
    if low is None:
        return 0
    con.execute(_FOLD, [low, high])
    gone = con.execute(
        "DELETE FROM series_parts"
        " WHERE run_id BETWEEN ? AND ? AND run_id IN (SELECT run_id FROM folding)",
        [low, high],
    ).fetchone()
    kept = con.execute(
        "INSERT INTO series_parts BY NAME SELECT * FROM folded ORDER BY run_id, stream, tag"
    ).fetchone()
    con.execute("DROP TABLE folded")
    return int(gone[0] if gone else 0) - int(kept[0] if kept else 0)
