"""One series of histograms, texts or PR curves in several runs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from . import ask, tensors
from .coarse import coarser
from .detail import run_ids

MAX_RUNS = 200
# Of all runs together: where there are many runs, each has fewer.
MAX_HISTOGRAMS = 6_000
MAX_BUCKETS = 1_500_000
MAX_CURVES = 1_500
MAX_TEXT = 2_000_000
MAX_STEPS = 100_000

# As for one run (see `tensors`), each run by itself: the keys first, then the data of some.
_PICKED = """
    WITH keys AS (
        SELECT run_id, file_id, record, step,
               row_number() OVER (
                   PARTITION BY run_id ORDER BY step, wall_time, file_id, record
               ) - 1 AS i,
               count(*) OVER (PARTITION BY run_id) AS total
        FROM tensors WHERE {where}
    ), picked AS (SELECT file_id, record FROM keys WHERE {keep})
    SELECT t.run_id, t.step, t.wall_time, {columns}
    FROM tensors t JOIN picked k USING (file_id, record)
    WHERE {where} AND {kept} ORDER BY t.run_id, t.step, t.wall_time, t.file_id, t.record
"""
_NEAREST = """true QUALIFY row_number() OVER (
    PARTITION BY run_id ORDER BY abs(CAST(step AS HUGEINT) - $step), i) = 1"""
_LAST = "i = total - 1"
_STEPS = f"""
    WITH keys AS (
        SELECT run_id, step, row_number() OVER (PARTITION BY run_id ORDER BY step) - 1 AS i,
               count(*) OVER (PARTITION BY run_id) AS total
        FROM tensors WHERE {{where}}
    )
    SELECT run_id, any_value(total) AS total,
           list(DISTINCT step ORDER BY step) FILTER ({tensors.THIN}) AS steps
    FROM keys GROUP BY run_id
"""
_OF_SERIES = (
    "run_id IN (SELECT unnest($ids::BIGINT[])) AND run_id BETWEEN $first AND $last"
    " AND stream = $stream AND tag = $tag AND NOT superseded AND "
)


@dataclass(frozen=True)
class Series:
    """What one run has of a series: how many points, all steps (evenly thinned where they are
    very many), and some of the points as rows by step."""

    run_key: str
    total: int
    steps: list[int]
    rows: pa.Table


def histograms(
    con: duckdb.DuckDBPyConnection,
    keys: Sequence[str],
    tag: str,
    stream: str,
    *,
    most: int,
    step: int | None = None,
    fine: bool = False,
) -> list[Series]:
    """At most *most* steps of each run evenly thinned, or the one nearest *step*, in the order of
    *keys*; a run without the series has none.

    Columns: step, wall_time, left, right, count. Empty buckets are left out; those that nobody
    sees on a linear axis are put together unless *fine*. Raises NoSuchRun.
    """
    steps = len(keys) * (1 if step is not None else min(most, MAX_HISTOGRAMS // max(1, len(keys))))
    columns = tensors.bucket_columns(
        min(tensors.MAX_BUCKETS, max(30, MAX_BUCKETS // max(1, steps)))
    )
    thinned = (most, MAX_HISTOGRAMS)
    found = _read(con, keys, (tag, stream, tensors.HISTOGRAMS), columns, thinned, step)
    return [replace(one, rows=coarser(one.rows, fine=fine)) for one in found]


def pr_curves(
    con: duckdb.DuckDBPyConnection,
    keys: Sequence[str],
    tag: str,
    stream: str,
    *,
    most: int,
    thresholds: int,
    step: int | None = None,
) -> list[Series]:
    """As `histograms`; columns as `tensors.pr_curves` has them. Raises NoSuchRun."""
    columns = tensors.curve_columns(thresholds)
    thinned = (most, MAX_CURVES)
    return _read(con, keys, (tag, stream, tensors.PR_CURVES), columns, thinned, step)


def texts(
    con: duckdb.DuckDBPyConnection,
    keys: Sequence[str],
    tag: str,
    stream: str,
    *,
    step: int | None = None,
) -> list[Series]:
    """The text of each run nearest *step*, or its last, in the order of *keys*.

    Columns: step, wall_time, strings, shape, cut. All texts together have MAX_TEXT characters.
    Raises NoSuchRun.
    """
    chars = min(tensors.MAX_CHARS, MAX_TEXT // max(1, len(keys)))
    columns = tensors.text_columns(chars)
    return _read(con, keys, (tag, stream, tensors.TEXTS), columns, None, step, kept="true")


def _read(
    con: duckdb.DuckDBPyConnection,
    keys: Sequence[str],
    series: tuple[str, str, str],
    columns: str,
    thinned: tuple[int, int] | None,
    step: int | None,
    *,
    kept: str = tensors.KEPT,
) -> list[Series]:
    ids = run_ids(con, keys)
    if not ids:
        return []
    tag, stream, kind = series
    where = _OF_SERIES + kind
    given: dict[str, object] = {"ids": ids, "first": min(ids), "last": max(ids)}
    given |= {"tag": tag, "stream": stream}
    keep, more = _LAST, dict[str, object]()
    if step is not None:
        keep, more = _NEAREST, {"step": step}
    elif thinned is not None:
        keep, more = tensors.THIN, {"most": max(2, min(thinned[0], thinned[1] // len(ids)))}
    sql = _PICKED.format(where=where, keep=keep, columns=columns, kept=kept)
    rows = ask.read(con, lambda: con.execute(sql, given | more).to_arrow_table())
    sql = _STEPS.format(where=where)
    share = {"most": max(2, MAX_STEPS // len(ids))}
    known = ask.read(con, lambda: con.execute(sql, given | share).fetchall())
    steps = {run_id: (int(total), list(all_steps)) for run_id, total, all_steps in known}
    at = {run_id: _slice(rows, run_id) for run_id in steps}
    return [
        Series(key, *steps.get(run_id, (0, [])), at.get(run_id, rows.slice(0, 0)))
        for key, run_id in zip(keys, ids, strict=True)
    ]


def _slice(rows: pa.Table, run_id: int) -> pa.Table:
    """The rows of a run: they stand together."""
    owners = rows["run_id"].to_numpy()
    start, end = owners.searchsorted([run_id, run_id + 1])
    return rows.slice(int(start), int(end - start))
