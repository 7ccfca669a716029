"""`boardlake ingest`: one cycle over the sources, or one after the other for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..core.errors import BoardlakeError, Interrupted, SourceError
from .context import Context
from .progress import progress, summary

if TYPE_CHECKING:
    from ..ingest.cycle import Options, Report, SourceSetup
    from ..lake.database import Lake


@click.command("ingest")
@click.argument("paths", nargs=-1)
@click.option(
    "--watch", type=click.FloatRange(min=0.1), metavar="SECONDS", help="Again every so often."
)
@click.option("--dry-run", is_flag=True, help="List what would be read, and how many bytes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per cycle on stdout.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
@click.pass_obj
def command(
    context: Context,
    paths: tuple[str, ...],
    watch: float | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Read what is new in the sources of the config file, or in PATHS, into the lake.

    Safe to run as often as you like, and any number at once: what has been read is not read again.
    """
    context.spare_pandas()
    from ..ingest.cycle import warm
    from ..ingest.setup import setups

    found = setups(context.settings.sources, paths or known_sources(context))
    if dry_run:
        _show_plan(context, found, as_json)
        return 0
    warm()
    with stop_on_signals() as options, context.open(read_only=False, create=True) as lake:
        configure(context, options)
        if watch is None:
            reports = cycle(context, lake, found, options, quiet=quiet, as_json=as_json)
            return SourceError.exit_code if any(report.error for report in reports) else 0
        while not options.stop.is_set():
            try:
                cycle(context, lake, found, options, quiet=quiet, as_json=as_json)
            except Interrupted:
                break
            except BoardlakeError as error:
                # What stops one cycle (a full disk, a busy lake) may be over by the next.
                context.say(f"boardlake: {error}")
            options.stop.wait(watch)
        return 0


def known_sources(context: Context) -> tuple[str, ...]:
    """Without any source in the config: those that the lake has been given before."""
    from ..lake import sources

    if context.settings.sources or not context.location.exists():
        return ()
    with context.open() as lake:
        return tuple(sources.uris(lake))


def configure(context: Context, options: Options) -> None:
    """Set *options* as the config file says."""
    import os

    wanted = context.settings.ingest
    options.threads = wanted.threads or os.cpu_count() or 1
    options.batch_points = wanted.batch_points
    options.batch_bytes = wanted.batch_bytes
    options.limits.piece = wanted.piece_bytes


def cycle(
    context: Context,
    lake: Lake,
    found: list[SourceSetup],
    options: Options,
    *,
    quiet: bool = False,
    as_json: bool = False,
    summarise: bool = False,
) -> list[Report]:
    """One cycle with its progress bar, its summary, and the upkeep that is due.

    In cron there is nothing to read unless something went wrong, or *summarise* asks for it.
    """
    from ..ingest.cycle import run
    from ..lake.maintain import maintain_due

    with progress(quiet) as options.progress:
        reports = run(lake, found, options)
    if context.settings.ingest.maintain:
        maintain_due(lake)
    if as_json:
        click.echo(json.dumps({"sources": [report.as_dict() for report in reports]}))
    for report in reports:
        if report.error:
            context.say(f"boardlake: source {report.source}: {report.error}")
        elif summarise and not report.files_listed:
            context.say(f"{report.source}: no event files (*tfevents*) were found there")
        elif summarise or (context.interactive and not quiet and not as_json):
            context.say(summary(report))
    return reports


@contextmanager
def stop_on_signals() -> Iterator[Options]:
    """Options whose `stop` a first SIGINT or SIGTERM sets; a second one ends the process."""
    import signal

    from ..ingest.cycle import Options

    options = Options()

    def stop(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        options.stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield options
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show_plan(context: Context, found: list[SourceSetup], as_json: bool) -> None:
    from ..ingest.cycle import dry_run

    lake = context.open() if context.location.exists() else None
    files = size = 0
    for source, plan in dry_run(lake, found):
        for work in plan.works:
            behind = work.before.offset if work.before else 0
            left = max(0, work.entry.size - behind)
            files, size = files + 1, size + left
            if as_json:
                row = {"source": source, "path": work.entry.path, "offset": behind, "bytes": left}
                click.echo(json.dumps(row))
            else:
                click.echo(f"{left:>12,}  {source}:{work.entry.path}")
    context.say(f"would read {size:,} bytes of {files:,} files")
