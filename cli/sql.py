"""`boardlake sql`: a question to the lake in SQL, or a prompt for many."""

from __future__ import annotations

import sys

import click

from ..core.errors import LakeMissing, UsageError
from ..lake.location import open_statements
from . import output as out
from .answer import show
from .context import Context

_MAX_QUERY = 1_000_000
_EXAMPLES = """
\b
  boardlake sql "SELECT step, value FROM scalars WHERE tag = 'train/loss' LIMIT 10"
  boardlake sql "SUMMARIZE runs"
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
