"""All points of many runs as batches, of which only a few are in memory at any time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa

from . import ask
from .history import among, matching

# So many points are sorted at once, or those of one run where it has more.
_PORTION = 4_000_000
_BATCH_ROWS = 100_000

_TIME = """CASE WHEN p.wall_time BETWEEN -62135596800 AND 253402300799
    THEN make_timestamp(CAST(round(p.wall_time * 1000000) AS BIGINT)) END"""
SCHEMA = pa.schema({
    "run_id": pa.int64(), "run_key": pa.string(), "run": pa.string(), "stream": pa.string(),
    "tag": pa.string(), "step": pa.int64(), "time": pa.timestamp("us"), "wall_time": pa.float64(),
    "value": pa.float64(), "attempt": pa.int32(), "superseded": pa.bool_(),
})  # fmt: skip


def points(
    con: duckdb.DuckDBPyConnection, run_ids: Sequence[int], tags: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Every scalar point of *run_ids*, superseded ones too, by run_id, stream, tag and attempt.

    With *tags* only theirs; `*` stands for any characters. *con* is busy until the last batch, and
    each portion of runs is of one snapshot. Raises UsageError for tags that no run has.
    """
    given: dict[str, object] = {}
    which = ""
    if tags is not None:
        found = ask.read(con, lambda: matching(con, tags))
        given["tags"] = found["tag"].to_pylist()
        which = " AND p.tag IN (SELECT unnest($tags::VARCHAR[]))"
    return _batches(con, run_ids, which, given)


def _batches(
    con: duckdb.DuckDBPyConnection, run_ids: Sequence[int], which: str, given: dict[str, object]
) -> Iterator[pa.RecordBatch]:
    for portion in _portions(con, run_ids):
        params = dict(given)
        sql = f"""
            SELECT p.run_id, r.run_key, r.name AS run, p.stream, p.tag, p.step, {_TIME} AS time,
                   p.wall_time, p.value, p.attempt, p.superseded
            FROM scalar_points p JOIN run_facts r ON r.run_id = p.run_id
            WHERE {among(portion, "p.run_id", params)}{which}
            ORDER BY p.run_id, p.stream, p.tag, p.attempt, p.step, p.record
        """
        reader, batch = ask.read(con, lambda: _begin(con, sql, params))  # noqa: B023
        while batch is not None:
            yield batch.cast(SCHEMA)
            batch = next(reader, None)


def _begin(
    con: duckdb.DuckDBPyConnection, sql: str, params: dict[str, object]
) -> tuple[pa.RecordBatchReader, pa.RecordBatch | None]:
    reader = con.execute(sql, params).to_arrow_reader(_BATCH_ROWS)
    return reader, next(reader, None)


def _portions(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> Iterator[list[int]]:
    """The runs in order, as many at a time as have few points together."""
    params: dict[str, object] = {}
    sql = f"""
        SELECT run_id, CAST(sum(points + superseded) AS BIGINT) FROM series_parts
        WHERE kind = 'scalar' AND {among(run_ids, "run_id", params)} GROUP BY run_id
    """
    sizes = dict(ask.read(con, lambda: con.execute(sql, params or None).fetchall()))
    portion: list[int] = []
    size = 0
    for run_id in sorted(set(run_ids) & set(sizes)):
        if portion and size + sizes[run_id] > _PORTION:
            yield portion
            portion, size = [], 0
        portion.append(run_id)
        size += sizes[run_id]
    if portion:
        yield portion
