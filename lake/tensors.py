"""Tensors of one series by step: histograms, texts and PR curves, thinned before any data is read."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from . import ask
from .detail import run_id

MAX_BUCKETS = 1_000
MAX_THRESHOLDS = 1_000
MAX_CELLS = 2_000
MAX_CHARS = 200_000

# The keys alone are numbered: which rows are wanted is known before their data is touched. Of
# *total* steps row i is kept where it is the first of its share, which keeps first and last.
_PICKED = """
    WITH keys AS (
        SELECT file_id, record, step,
               row_number() OVER (ORDER BY step, wall_time, file_id, record) - 1 AS i,
               count(*) OVER () AS total
        FROM tensors WHERE {where}
    ), picked AS (SELECT file_id, record, total FROM keys WHERE {keep})
    SELECT k.total, t.step, t.wall_time, {columns}
    FROM tensors t JOIN picked k USING (file_id, record)
    WHERE {where} ORDER BY t.step, t.wall_time, t.file_id, t.record
"""
_THIN = """total <= $most OR i = 0
    OR i * ($most - 1) // (total - 1) > (i - 1) * ($most - 1) // (total - 1)"""
_LAST = "i >= total - $most"
# HUGEINT: steps may be as far apart as a 64-bit number can say.
_NEAREST = """i = (SELECT arg_min(i, (abs(CAST(step AS HUGEINT) - $step), i)) FROM keys)"""

_OF_SERIES = "run_id = $run AND stream = $stream AND tag = $tag AND NOT superseded AND plugin = "

# Beyond so many buckets neighbours become one: from the first's left to the last's right edge.
_SIZE = f"CAST(ceil(len(data) / 3 / {MAX_BUCKETS}) AS BIGINT)"
_END = f"least(x + {_SIZE}, len(data) // 3)"


def _buckets(plain: int, merged: str) -> str:
    few = f"len(data) <= {3 * MAX_BUCKETS}"
    many = f"[{merged} for x in range(0, len(data) // 3, {_SIZE})]"
    return f"CASE WHEN {few} THEN data[{plain}:len(data):3] ELSE {many} END"


_HISTOGRAM = f"""
    {_buckets(1, "data[3 * x + 1]")} AS "left",
    {_buckets(2, f"data[3 * {_END} - 1]")} AS "right",
    {_buckets(3, f"list_sum(data[3 * x + 3 : 3 * {_END} : 3])")} AS "count"
"""
# A text is cut in the database: whatever a writer stored, so much of it leaves the lake.
_ROOM = f"{MAX_CHARS} // greatest(least(len(strings), {MAX_CELLS}), 1)"
_TEXT = f"""
    [left(s, {_ROOM}) for s in strings[:{MAX_CELLS}]] AS strings, shape,
    len(strings) > {MAX_CELLS} OR len([s for s in strings if length(s) > {_ROOM}]) > 0 AS cut
"""
_PR_ROWS = ("tp", "fp", "tn", "fn", "precision", "recall")
# The indices of at most MAX_THRESHOLDS of shape[2] thresholds, first and last among them.
_CHOSEN = f"""[1 + i * (shape[2] - 1) // greatest(least(shape[2], {MAX_THRESHOLDS}) - 1, 1)
    for i in range(least(shape[2], {MAX_THRESHOLDS}))]"""
_PR = ", ".join(
    [f"shape[2] AS n, {_CHOSEN} AS chosen"]
    + [
        f"list_select(data[{row} * shape[2] + 1 : {row + 1} * shape[2]], {_CHOSEN}) AS {name}"
        for row, name in enumerate(_PR_ROWS)
    ]
)


def histograms(
    con: duckdb.DuckDBPyConnection,
    run_key: str,
    tag: str,
    stream: str,
    *,
    most: int,
    step: int | None = None,
) -> tuple[int, pa.Table]:
    """How many steps there are, and at most *most* of them evenly thinned, or that nearest *step*.

    Columns: step, wall_time, left, right, count (lists of equal length, at most MAX_BUCKETS).
    Raises NoSuchRun.
    """
    where = f"{_OF_SERIES} 'histograms' AND data IS NOT NULL AND len(data) % 3 = 0"
    keep = _THIN if step is None else _NEAREST
    given = {"most": most} if step is None else {"step": step}
    return _read(con, run_key, tag, stream, where, keep, _HISTOGRAM, given)


def pr_curves(
    con: duckdb.DuckDBPyConnection, run_key: str, tag: str, stream: str, *, most: int
) -> tuple[int, pa.Table]:
    """How many steps there are, and at most *most* of them evenly thinned.

    Columns: step, wall_time, n (thresholds as written), chosen (1-based indices of those given, at
    most MAX_THRESHOLDS), tp, fp, tn, fn, precision, recall. Raises NoSuchRun.
    """
    where = (
        f"{_OF_SERIES} 'pr_curves' AND data IS NOT NULL AND len(shape) = 2 AND shape[1] = 6"
        " AND shape[2] > 0 AND len(data) = 6 * shape[2]"
    )
    return _read(con, run_key, tag, stream, where, _THIN, _PR, {"most": most})


def texts(
    con: duckdb.DuckDBPyConnection,
    run_key: str,
    tag: str,
    stream: str,
    *,
    most: int,
    step: int | None = None,
) -> tuple[list[int], pa.Table]:
    """All steps, and the texts of the last *most* of them, or of that nearest *step*.

    Columns: step, wall_time, strings (at most MAX_CELLS that have MAX_CHARS characters together),
    shape, cut (whether there was more). Raises NoSuchRun.
    """
    where = f"{_OF_SERIES} 'text' AND strings IS NOT NULL"
    keep = _LAST if step is None else _NEAREST
    given = {"most": most} if step is None else {"step": step}
    _, table = _read(con, run_key, tag, stream, where, keep, _TEXT, given)
    sql = f"SELECT step FROM tensors WHERE {where} ORDER BY step, wall_time, file_id, record"
    key = {"run": run_id(con, run_key), "stream": stream, "tag": tag}
    steps = ask.read(con, lambda: con.execute(sql, key).to_arrow_table())
    return steps["step"].to_pylist(), table


def _read(
    con: duckdb.DuckDBPyConnection,
    run_key: str,
    tag: str,
    stream: str,
    where: str,
    keep: str,
    columns: str,
    given: dict[str, int],
) -> tuple[int, pa.Table]:
    key = {"run": run_id(con, run_key), "stream": stream, "tag": tag}
    sql = _PICKED.format(where=where, keep=keep, columns=columns)
    table = ask.read(con, lambda: con.execute(sql, key | given).to_arrow_table())
    total = int(table["total"][0].as_py()) if table.num_rows else 0
    return total, table.drop_columns("total")
