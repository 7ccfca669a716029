"""`boardlake runs`: search, sort and group runs."""

from __future__ import annotations

from dataclasses import replace

import click

from ..lake import history
from ..lake.database import Lake
from ..lake.grammar import split
from ..lake.search import Query
from . import output as out
from .context import Context

_PAGE = 50
# The most telling first: a narrow terminal leaves out the last.
_PAGE_COLUMNS = (
    "name", "project", "state", "last_event_at", "last_step", "points", "machine", "source",
    "duration_s", "created_at", "path", "run_key",
)  # fmt: skip
_EXAMPLES = """
\b
  boardlake runs resnet
  boardlake runs "hp.lr > 0.01 and state <> 'failed'" --sort -points
  boardlake runs --columns 'name, min("val/loss") as best' --sort best
  boardlake runs --group-by hp.model --columns 'min("val/loss")'
"""


@click.command("runs", epilog=_EXAMPLES)
@click.argument("words", metavar="[FILTER]", nargs=-1)
@click.option("--columns", multiple=True, metavar="LIST", help="What to show of each run.")
@click.option("--sort", multiple=True, metavar="LIST", help="Keys; `-key` begins at the largest.")
@click.option("--group-by", multiple=True, metavar="LIST", help="One row for each group of runs.")
@click.option("--limit", type=click.IntRange(0), help=f"Rows.  [default: {_PAGE} on a terminal]")
@click.option("--duplicates", is_flag=True, help="Show copies of other runs, too.")
@out.options
@click.pass_obj
def command(
    context: Context,
    words: tuple[str, ...],
    columns: tuple[str, ...],
    sort: tuple[str, ...],
    group_by: tuple[str, ...],
    limit: int | None,
    duplicates: bool,
    format_: str | None,
    as_json: bool,
    output: str | None,
) -> None:
    """List the runs that match FILTER, or all of them.

    FILTER is a condition, or words to search for. The items of a LIST are parted by commas.
    """
    to = out.target(format_, as_json, output)
    query = Query(
        filter=" ".join(words),
        columns=_items(columns) or None,
        sort=_items(sort),
        group_by=_items(group_by),
        limit=_PAGE if limit is None and to.page else limit,
        duplicates=duplicates,
    )
    if to.format == "table" and not query.columns and not query.group_by:
        query = replace(query, columns=_PAGE_COLUMNS)
    with context.open() as lake:
        found = history.find(lake.con, query)
        left_out = out.write(found.schema, found.to_batches(), to)
        if not found.num_rows:
            context.say(_why_empty(lake, query))
        elif to.page:
            context.say(_footer(lake, query, found.num_rows))
    if left_out:
        context.say(out.narrow(left_out))


def _items(lists: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(item for text in lists for item in split(text))


def _footer(lake: Lake, query: Query, shown: int) -> str:
    what = "group" if query.group_by else "run"
    every = history.total(lake.con, query) if shown == query.limit else shown
    if every == shown:
        return out.counted(shown, what)
    return f"showing {shown:,} of {out.counted(every, what)}: --limit {every} shows all"


def _why_empty(lake: Lake, query: Query) -> str:
    """Why there is nothing to see, and what to do about it."""
    every = history.total(lake.con, Query(duplicates=True))
    if not every:
        return f"no runs yet in {lake.location.root}: `boardlake ingest PATH` reads logs into it"
    if query.limit == 0:
        return f"--limit 0 shows none of {out.counted(every, 'run')}"
    copies = history.total(lake.con, Query(filter=query.filter, duplicates=True))
    if copies:
        matching = out.counted(copies, "run")
        return f"what matches is {matching} that are copies of others: --duplicates shows them"
    return f"none of {out.counted(every, 'run')} matches {query.filter}"
