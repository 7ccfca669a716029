"""Which series the runs of a selection have: one statement over their parts, which are never points."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from .. import ask
from ..history import among

_RUNS = """
    SELECT r.run_id, r.run_key, r.source, r.machine, r.path, r.name, r.state, r.group_name,
           epoch(r.created_at) AS started, epoch(r.last_event_at) AS ended, coalesce(s.uri, '') AS uri
    FROM runs r LEFT JOIN source_facts s USING (source)
    WHERE {where} ORDER BY r.created_at, r.source, r.path
"""
# Also directories whose files hold nothing to show: a run is listed where it has begun.
_DIRECTORIES = """
    SELECT run_id, stream, min(first_wall_time) AS started FROM files
    WHERE {where} AND records > 0 GROUP BY run_id, stream ORDER BY run_id, stream
"""
# As the view `series` puts it together, without the aggregates that no dashboard asks for.
_SERIES = """
    SELECT run_id, stream, tag, kind,
           coalesce(any_value(plugin), '') AS plugin,
           coalesce(any_value(content), ''::BLOB) AS content,
           coalesce(any_value(description), '') AS description,
           coalesce(any_value(display_name), '') AS display_name,
           CAST(sum(points) AS BIGINT) AS points,
           max(last_step) AS last_step, arg_max(last_wall_time, last_step) AS last_wall_time,
           arg_max("last", last_step) AS "last"
    FROM series_parts WHERE {where}
    GROUP BY run_id, stream, tag, kind HAVING sum(points) > 0
    ORDER BY run_id, stream, tag, kind LIMIT {most}
"""
_LENGTHS = """
    SELECT run_id, stream, tag, max(idx) + 1 AS length
    FROM blobs WHERE {where} AND NOT superseded AND (nbytes > 0 OR plugin NOT IN ('images', 'audio'))
    GROUP BY run_id, stream, tag
"""


def known(con: duckdb.DuckDBPyConnection, run_keys: Sequence[str]) -> list[int]:
    """The run_ids of *run_keys*; those that the lake has not (any more) are left out."""
    sql = "SELECT run_id FROM run_facts WHERE run_key IN (SELECT unnest($keys::VARCHAR[]))"
    given = {"keys": list(run_keys)}
    return [run for (run,) in ask.read(con, lambda: con.execute(sql, given).fetchall())]


def runs(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> pa.Table:
    """The runs, by time: run_id, run_key, source, machine, path, name, state, group_name, started,
    ended (Unix seconds), uri of the source."""
    return _fetch(con, _RUNS, run_ids, "r.run_id")


def series(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int], most: int) -> pa.Table:
    """The series that have points on their curve, with what describes them, last step and value.

    No more than the first *most*, by run, stream and tag.
    """
    return _fetch(con, _SERIES.replace("{most}", str(int(most))), run_ids, "run_id")


def directories(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> pa.Table:
    """Where the runs have event files: run_id, stream, started (Unix seconds of the first event)."""
    return _fetch(con, _DIRECTORIES, run_ids, "run_id")


def lengths(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> pa.Table:
    """How many byte strings the longest step of each series has: run_id, stream, tag, length."""
    return _fetch(con, _LENGTHS, run_ids, "run_id")


def _fetch(
    con: duckdb.DuckDBPyConnection, sql: str, run_ids: Sequence[int], column: str
) -> pa.Table:
    params: dict[str, object] = {}
    text = sql.format(where=among(run_ids, column, params))
    return ask.read(con, lambda: con.execute(text, params or None).to_arrow_table())
