"""The answer to a statement of SQL, written for a person or a program."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from ..lake import ask
from . import output as out

# A terminal shows so many rows of a table; how many more there are is not found out.
PAGE = 100


def show(con: duckdb.DuckDBPyConnection, sql: str, to: out.Target) -> list[str]:
    """Write the answer to *sql*; returns what to say of it: how many rows a terminal shows."""
    schema, batches = ask.stream(con, sql)
    if not to.page:
        out.write(schema, batches, to)
        return []
    page, more = _first(batches)
    left_out = out.write(schema, page, to)
    rows = sum(batch.num_rows for batch in page)
    said = [out.counted(rows, "row")]
    if more:
        said = [f"the first {rows} rows: a LIMIT, `| less` or --output FILE gives others"]
    return said + ([out.narrow(left_out)] if left_out else [])


def _first(batches: Iterator[pa.RecordBatch]) -> tuple[list[pa.RecordBatch], bool]:
    """The first `PAGE` rows, and whether there are more."""
    page: list[pa.RecordBatch] = []
    room = PAGE
    for batch in batches:
        page.append(batch.slice(0, room))
        if batch.num_rows > room:
            return page, True
        room -= batch.num_rows
    return page, False
