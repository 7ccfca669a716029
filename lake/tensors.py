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
PR_ROWS = ("tp", "fp", "tn", "fn", "precision", "recall")

# Which rows of `tensors` can be drawn as what they are: told without reading what they hold, which
# is the most of them. The few whose numbers were not kept are passed over when it is read.
HISTOGRAMS = "plugin = 'histograms' AND len(shape) = 2 AND shape[2] = 3"
TEXTS = "plugin = 'text' AND strings IS NOT NULL"
PR_CURVES = "plugin = 'pr_curves' AND len(shape) = 2 AND shape[1] = 6 AND shape[2] > 0"
# Only where numbers are read: beside texts they would be read for nothing.
KEPT = "data IS NOT NULL"

# The keys alone are numbered: which rows are wanted is known before their data is touched. Of
# *total* steps row i is kept where it is the first of its share, which keeps first and last.
_PICKED = """
    WITH keys AS (
        SELECT file_id, record, step,
               row_number() OVER (ORDER BY step, wall_time, file_id, record) - 1 AS i
        FROM tensors WHERE {where}
    ), counted AS (SELECT *, (SELECT count(*) FROM keys) AS total FROM keys
    ), picked AS (SELECT file_id, record, total FROM counted WHERE {keep})
    SELECT k.total, t.step, t.wall_time, {columns}
    FROM tensors t JOIN picked k USING (file_id, record)
    WHERE {where} AND {kept} ORDER BY t.step, t.wall_time, t.file_id, t.record
"""
THIN = """total <= $most OR i = 0
    OR i * ($most - 1) // (total - 1) > (i - 1) * ($most - 1) // (total - 1)"""
_LAST = "i >= total - $most"
# HUGEINT: steps may be as far apart as a 64-bit number can say.
_NEAREST = """i = (SELECT arg_min(i, (abs(CAST(step AS HUGEINT) - $step), i)) FROM keys)"""

_OF_SERIES = "run_id = $run AND stream = $stream AND tag = $tag AND NOT superseded AND"


def bucket_columns(most: int) -> str:
    """`left`, `right` and `count` of a histogram as lists of at most *most* numbers.

    Beyond so many, neighbours become one: from the first's left to the last's right edge.
    """
    size = f"CAST(ceil(len(data) / 3 / {most}) AS BIGINT)"
    end = f"least(x + {size}, len(data) // 3)"

    def buckets(plain: int, merged: str) -> str:
        few = f"len(data) <= {3 * most}"
        many = f"[{merged} for x in range(0, len(data) // 3, {size})]"
        return f"CASE WHEN {few} THEN data[{plain}:len(data):3] ELSE {many} END"

    return f"""
        {buckets(1, "data[3 * x + 1]")} AS "left",
        {buckets(2, f"data[3 * {end} - 1]")} AS "right",
        {buckets(3, f"list_sum(data[3 * x + 3 : 3 * {end} : 3])")} AS "count"
    """


def kept_strings(chars: int) -> str:
    """The strings of a text, cut in the database: whatever a writer stored, so much leaves it."""
    return f"[left(s, {_room(chars)}) for s in strings[:{MAX_CELLS}]]"


def _room(chars: int) -> str:
    return f"{chars} // greatest(least(len(strings), {MAX_CELLS}), 1)"


def is_cut(chars: int) -> str:
    """Whether `kept_strings` leaves something out."""
    return (
        f"(len(strings) > {MAX_CELLS}"
        f" OR len([s for s in strings if length(s) > {_room(chars)}]) > 0)"
    )


def text_columns(chars: int) -> str:
    """`strings` of at most *chars* characters together, `shape`, and `cut`."""
    return f"{kept_strings(chars)} AS strings, shape, {is_cut(chars)} AS cut"


def curve_columns(most: int) -> str:
    """A PR curve: `n`, the indices `chosen` of at most *most* thresholds, and six lists of them."""
    # First and last are among the chosen.
    few = f"least(shape[2], {most})"
    chosen = f"[1 + i * (shape[2] - 1) // greatest({few} - 1, 1) for i in range({few})]"
    rows = [
        f"list_select(data[{row} * shape[2] + 1 : {row + 1} * shape[2]], {chosen}) AS {name}"
        for row, name in enumerate(PR_ROWS)
    ]
    return ", ".join([f"shape[2] AS n, {chosen} AS chosen", *rows])


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
    where = f"{_OF_SERIES} {HISTOGRAMS}"
    keep = THIN if step is None else _NEAREST
    given = {"most": most} if step is None else {"step": step}
    return _read(con, run_key, tag, stream, where, keep, bucket_columns(MAX_BUCKETS), given)


def pr_curves(
    con: duckdb.DuckDBPyConnection, run_key: str, tag: str, stream: str, *, most: int
) -> tuple[int, pa.Table]:
    """How many steps there are, and at most *most* of them evenly thinned.

    Columns: step, wall_time, n (thresholds as written), chosen (1-based indices of those given, at
    most MAX_THRESHOLDS), tp, fp, tn, fn, precision, recall. Raises NoSuchRun.
    """
    where = f"{_OF_SERIES} {PR_CURVES}"
    return _read(
        con, run_key, tag, stream, where, THIN, curve_columns(MAX_THRESHOLDS), {"most": most}
    )


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
    where = f"{_OF_SERIES} {TEXTS}"
    keep = _LAST if step is None else _NEAREST
    given = {"most": most} if step is None else {"step": step}
    columns = text_columns(MAX_CHARS)
    _, table = _read(con, run_key, tag, stream, where, keep, columns, given, kept="true")
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
    *,
    kept: str = KEPT,
) -> tuple[int, pa.Table]:
    key = {"run": run_id(con, run_key), "stream": stream, "tag": tag}
    sql = _PICKED.format(where=where, keep=keep, columns=columns, kept=kept)
    table = ask.read(con, lambda: con.execute(sql, key | given).to_arrow_table())
    total = int(table["total"][0].as_py()) if table.num_rows else 0
    return total, table.drop_columns("total")
