"""`boardlake maintain`: the upkeep of the lake, by hand or from cron."""

from __future__ import annotations

import json

import click

from .context import Context


@click.command("maintain")
@click.option("--force", is_flag=True, help="Every step, also what is not due yet.")
@click.option("--json", "as_json", is_flag=True, help="What was done as one JSON object on stdout.")
@click.pass_obj
def command(context: Context, force: bool, as_json: bool) -> None:
    """Merge small files, expire old snapshots, and delete files that nothing refers to.

    `ingest` does what is due after each cycle, so this is for lakes where `ingest.maintain` is off.
    Readers and writers may go on meanwhile.
    """
    from ..lake.maintain import maintain

    with context.open(read_only=False) as lake:
        done = maintain(lake, force=force, progress=None if as_json else context.say)
    if as_json:
        click.echo(json.dumps(done.as_dict()))
        return
    context.say(
        f"{sum(done.merged.values()):,} files merged, {sum(done.rewritten.values()):,} rewritten,"
        f" {done.folded:,} rows folded, {done.expired:,} snapshots expired,"
        f" {done.removed:,} files removed in {done.seconds:.1f} s"
    )
