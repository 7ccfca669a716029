"""`boardlake sql`: a question to the lake in SQL, or a prompt for many."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
import duckdb
import pyarrow as pa

from ..core.errors import LakeMissing, UsageError
from ..lake import ask
from ..lake.location import open_statements
from . import output as out
from .context import Context

# A terminal shows so many rows of a table; how many more there are is not found out.
PAGE = 100
_MAX_QUERY = 1_000_000
_EXAMPLES = """
\b
  boardlake sql "SELECT step, value FROM scalars WHERE tag = 'train/loss' LIMIT 10"
  boardlake sql "SUMMARIZE series"
  boardlake sql - --output points.parquet < query.sql
"""


@click.command("sql", epilog=_EXAMPLES)
@click.argument("query", required=False)
@out.options
@click.option("--attach", is_flag=True, help="Print how any DuckDB client opens the lake.")
@click.pass_obj
def command(
    context: Context,
    query: str | None,
    format_: str | None,
    as_json: bool,
    output: str | None,
    attach: bool,
) -> None:
    """Answer one reading statement (`-`: from stdin); without QUERY, open a prompt."""
    if attach:
        click.echo(_attach(context))
        return
    to = out.target(format_, as_json, output)
    if query is None and sys.stdin.isatty():
        from . import prompt

        if to.path is not None or to.format == "parquet":
            raise UsageError("the prompt writes to the terminal", hint="give QUERY with --output")
        with context.open() as lake:
            prompt.run(lake.con, to, context.say)
        return
    sql = _stdin() if query in (None, "-") else str(query)
    with context.open() as lake:
        for line in show(lake.con, sql, to):
            context.say(line)


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


def _stdin() -> str:
    text = sys.stdin.read(_MAX_QUERY + 1)
    if len(text) > _MAX_QUERY:
        raise UsageError(f"stdin: expected a statement of at most {_MAX_QUERY:,} characters")
    return text


def _attach(context: Context) -> str:
    location = context.location
    if not location.exists():
        raise LakeMissing(f"there is no lake at {location.root}", hint="name it with --lake")
    return open_statements(location)
