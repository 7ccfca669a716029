"""`boardlake delete`: runs for good, and their bytes with them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from ..core.errors import UsageError
from .context import Context

if TYPE_CHECKING:
    from ..lake.delete import Receipt

_SHOWN = 20


@click.command("delete")
@click.argument("filter")
@click.option("--dry-run", is_flag=True, help="Show what would go.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="The receipt as one JSON object on stdout.")
@click.pass_obj
def command(context: Context, filter: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete the runs that FILTER finds, copies in other places included, from tables and disk.

    Event files in the sources stay; those of deleted runs are not read again.
    """
    from ..lake.delete import delete_runs
    from ..lake.history import find
    from ..lake.search import Query

    if not filter.strip():
        raise UsageError("an empty filter would delete every run", hint="say so: 'run_id > 0'")
    with context.open(read_only=dry_run) as lake:
        query = Query(filter, ("run_id",), sort=("run_id",), duplicates=True)
        found = find(lake.con, query)["run_id"].to_pylist()
        if not dry_run and not yes and found:
            _ask(context, delete_runs(lake, found, dry_run=True))
        receipt = delete_runs(lake, found, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(receipt.as_dict()))
    elif not found:
        context.say("no run matches: nothing to delete")
    elif dry_run:
        _show(context, receipt)
    else:
        _tell(context, receipt)


def _ask(context: Context, planned: Receipt) -> None:
    _show(context, planned)
    if not sys.stdin.isatty():
        raise UsageError(
            f"{len(planned.runs):,} runs would be deleted and no one is there to confirm it",
            hint="add --yes, or look first with --dry-run",
        )
    click.confirm("Delete them for good?", abort=True, err=True)


def _show(context: Context, planned: Receipt) -> None:
    for run in planned.runs[:_SHOWN]:
        context.say(f"  {run['source']}:{run['path']}  {run['name']}")
    if len(planned.runs) > _SHOWN:
        context.say(f"  ... and {len(planned.runs) - _SHOWN:,} more")
    rows = sum(planned.rows.values())
    context.say(f"{len(planned.runs):,} runs with {rows:,} rows would go")


def _tell(context: Context, receipt: Receipt) -> None:
    rows, less = sum(receipt.rows.values()), receipt.bytes_before - receipt.bytes_after
    context.say(
        f"{len(receipt.runs):,} runs deleted: {rows:,} rows, {receipt.files_removed:,} files,"
        f" {less / 1e6:,.1f} MB less in {receipt.seconds:.1f} s"
    )
    if not receipt.erased:
        context.say(
            "a reader holds old pages of the catalog: they go with the next `boardlake maintain`"
        )
