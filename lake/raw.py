"""Tensors and byte strings of a run as they are stored: what there is, and one tensor in full."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ..core.errors import UsageError
from . import ask
from .detail import run_id

MAX_SERIES = 10_000


class NoSuchTensor(UsageError):
    """The lake has no such tensor."""

    http_status = 404


@dataclass(frozen=True)
class Tensor:
    """A tensor as it is stored: numbers, or texts, or only the bytes that the writer made of it."""

    step: int
    dtype: str
    shape: list[int] | None
    numbers: list[float] | None
    strings: list[str] | None
    raw: bytes | None


_LIST = f"""
    WITH found AS (
        SELECT stream, tag, plugin, 'tensor' AS kind, dtype, shape, NULL AS mime,
               CASE WHEN data IS NOT NULL THEN 8 * len(data) ELSE 0 END
                   + coalesce(octet_length(raw), list_sum([strlen(s) for s in strings]), 0) AS nbytes, step, wall_time
        FROM tensors WHERE run_id = $run AND NOT superseded
        UNION ALL
        SELECT stream, tag, plugin, 'blob', NULL, NULL, mime, nbytes, step, wall_time
        FROM blobs WHERE run_id = $run AND NOT superseded
    )
    SELECT stream, tag, kind, coalesce(arg_max(plugin, step), '') AS plugin,
           arg_max(dtype, step) AS dtype, arg_max(shape, step) AS shape,
           arg_max(mime, step) AS mime, count(DISTINCT step) AS steps,
           min(step) AS first_step, max(step) AS last_step,
           CAST(sum(nbytes) AS BIGINT) AS nbytes, max(wall_time) AS last_wall_time
    FROM found GROUP BY stream, tag, kind ORDER BY tag, stream, kind LIMIT {MAX_SERIES}
"""
_NEAREST = """
    SELECT step, dtype, shape, data, strings, raw FROM tensors
    WHERE run_id = $run AND stream = $stream AND tag = $tag AND NOT superseded
    ORDER BY abs(CAST(step AS HUGEINT) - coalesce($step, 9223372036854775807)),
             wall_time DESC, file_id DESC, record DESC LIMIT 1
"""


def stored(con: duckdb.DuckDBPyConnection, run_key: str) -> pa.Table:
    """The series of *run_key* that are no scalars; raises NoSuchRun.

    Columns: stream, tag, kind, plugin, dtype and shape (of the last), mime, steps, first_step,
    last_step, nbytes (of all), last_wall_time.
    """
    given = {"run": run_id(con, run_key)}
    return ask.read(con, lambda: con.execute(_LIST, given).to_arrow_table())


def tensor(
    con: duckdb.DuckDBPyConnection, run_key: str, tag: str, stream: str, step: int | None
) -> Tensor:
    """The tensor nearest *step*, or the last; raises NoSuchRun and NoSuchTensor."""
    given = {"run": run_id(con, run_key), "tag": tag, "stream": stream, "step": step}
    rows = ask.read(con, lambda: con.execute(_NEAREST, given).fetchall())
    if not rows:
        hint = "/api/v1/runs/<run_key>/stored lists what the run has"
        raise NoSuchTensor(f"the run has no tensor {tag[:200]!r}", hint=hint)
    return Tensor(*rows[0])
