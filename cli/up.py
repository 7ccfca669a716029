"""`boardlake up`: a lake of a directory in one command."""

from __future__ import annotations

import click

from ..core.errors import SourceError
from .context import Context
from .ingest import configure, cycle, known_sources, stop_on_signals


@click.command("up")
@click.argument("paths", nargs=-1)
@click.pass_obj
def command(context: Context, paths: tuple[str, ...]) -> int:
    """Make a lake of the logs below PATHS (or of the config file's sources): the five-minute start."""
    context.spare_pandas()
    from ..ingest.cycle import warm
    from ..ingest.setup import setups
    from ..lake.overview import totals

    found = setups(context.settings.sources, paths or known_sources(context))
    warm()
    context.say(f"lake: {context.location.root}")
    with stop_on_signals() as options, context.open(read_only=False, create=True) as lake:
        configure(context, options)
        reports = cycle(context, lake, found, options, summarise=True)
        runs, points = totals(lake.con)
    failed = SourceError.exit_code if any(report.error for report in reports) else 0
    context.say(f"\nThe lake holds {runs:,} runs with {points:,} points.")
    if not runs:
        return failed
    context.say("Next:")
    context.say("  boardlake runs                       list, filter, sort and group them")
    context.say('  boardlake sql "SELECT * FROM runs"   ask anything in SQL')
    context.say("  boardlake ingest                     read what is new (put it in cron)")
    return failed
