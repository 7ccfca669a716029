"""`boardlake ingest`: one cycle over the sources, or one after the other for ever."""

from __future__ import annotations

import gc
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ..core.errors import BoardlakeError, Interrupted, SourceError, UsageError
from . import push
from .behind import follow
from .context import Context
from .running import configure, leave, stop_on_signals, told_of

if TYPE_CHECKING:
    from ..ingest.report import Options, Report
    from ..ingest.setup import SourceSetup
    from ..ingest.turn import Holder, Turns
    from ..lake.database import Lake


@click.command("ingest")
@click.argument("paths", nargs=-1)
@click.option(
    "--watch", type=click.FloatRange(min=0.1), metavar="SECONDS",
    help="Again and again: after so long where files grow, ever more rarely elsewhere.",
)  # fmt: skip
@click.option(
    "--wait", type=click.FloatRange(min=0), is_flag=False, flag_value=math.inf, metavar="[SECONDS]",
    help="While another ingest reads the same, wait so long (without a number: until it is done).",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="List what would be read, and how many bytes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per cycle on stdout.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
@click.option(
    "--log", type=click.Choice(["plain", "json"]), callback=lambda ctx, _, kind: ctx.obj.log_as(kind),
    expose_value=False, help="Say on stderr what is done, in lines for a log: plain, or JSON.",
)  # fmt: skip
@click.option(
    "--metrics-file", type=click.Path(path_type=Path), metavar="PATH",
    help="After each cycle write metrics for node_exporter's textfile collector.",
)  # fmt: skip
@click.option(
    "--to", metavar="URL", help="Push to the server there, which cannot reach this machine."
)
@click.option(
    "--token-file", type=click.Path(path_type=Path), metavar="PATH",
    help="File with the token for --to; without it BOARDLAKE_TOKEN is taken.",
)  # fmt: skip
@click.option(
    "--spool", type=click.Path(path_type=Path), metavar="DIR",
    help="Where what is to be pushed waits, and what was read is known.",
)  # fmt: skip
@click.option(
    "--spool-limit", default="1GB", show_default=True, metavar="SIZE", callback=push.size,
    help="Read no more while so much waits.",
)  # fmt: skip
@click.option("--plain-http", is_flag=True, help="Push over http:// though others may listen.")
@click.option("--behind", is_flag=True, hidden=True, help="As the child of `boardlake up`.")
@click.pass_obj
def command(
    context: Context,
    paths: tuple[str, ...],
    watch: float | None,
    wait: float | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    metrics_file: Path | None,
    to: str | None,
    token_file: Path | None,
    spool: Path | None,
    spool_limit: int,
    plain_http: bool,
    behind: bool,
) -> int:
    """Read what is new in the sources of the config file, or in PATHS, into the lake.

    Safe to run as often as you like, and any number at once: what has been read is not read again,
    and a source that another ingest is reading is left to it.
    """
    context.spare_pandas()
    if context.log:
        context.log.quiet = quiet
    if to is not None:
        if dry_run or metrics_file or behind:
            raise UsageError("--to: goes with --watch, --wait, --json and --quiet only")
        how = push.Push(to, token_file, spool, spool_limit, plain_http)
        return push.run(context, paths, how, watch=watch, wait=wait, quiet=quiet, as_json=as_json)
    if token_file or spool or plain_http:
        raise UsageError("--token-file, --spool and --plain-http are for --to URL")
    from ..ingest.turn import Turns
    from . import textfile

    if metrics_file:
        textfile.check(metrics_file)
        context.metrics_file = metrics_file
    with Turns(context.location.turns, watch=watch is not None) as turns:
        return _ingest(
            context, paths, turns,
            watch=watch, wait=wait, dry_run=dry_run, as_json=as_json, quiet=quiet, behind=behind,
        )  # fmt: skip


def _ingest(
    context: Context,
    paths: tuple[str, ...],
    turns: Turns,
    *,
    watch: float | None,
    wait: float | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    behind: bool,
) -> int:
    from ..ingest.turn import names_of

    def in_vain(names: list[str], left: dict[str, Holder]) -> bool:
        # A watch takes over from one that ends by itself, and the one behind pages from any.
        passing = watch is not None and not all(one.watch for one in left.values())
        return len(left) == len(names) and not behind and not passing

    # Whoever leaves, every minute in cron, has no use for what is imported below.
    names = [] if paths or dry_run or wait is not None else names_of(context.settings.sources)
    if names and in_vain(names, left := turns.take(names)):
        return leave(context, left, quiet=quiet, as_json=as_json)
    from ..ingest.setup import setups

    found = setups(context.settings.sources, paths or known_sources(context))
    if dry_run:
        return _show_plan(context, found, as_json)
    with stop_on_signals() as options:
        names = [one.name for one in found]
        left = turns.take(names) if wait is None else turns.wait(names, wait, options.stop)
        if options.stop.is_set():
            raise Interrupted("stopped while another ingest was reading")
        if in_vain(names, left):
            return leave(context, left, quiet=quiet, as_json=as_json)
        from ..ingest.cycle import warm

        warm()
        # Listings and cursors are many objects and hold no cycles: looking for some again and again
        # took a third of a scan.
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)
        with context.open(read_only=False, create=True) as lake:
            configure(context, options)
            if watch is None:
                # A server that hangs keeps only its own source from the next one in cron.
                options.done = turns.release
                reports = cycle(
                    context, lake, found, options, quiet=quiet, as_json=as_json, turns=turns
                )
                return SourceError.exit_code if any(report.error for report in reports) else 0
            if behind:
                os.nice(5)
                follow(options.stop)
            _watch(
                context, lake, found, options, watch,
                quiet=quiet, as_json=as_json, behind=behind, turns=turns,
            )  # fmt: skip
            return 0


def _watch(
    context: Context,
    lake: Lake,
    found: list[SourceSetup],
    options: Options,
    seconds: float,
    *,
    quiet: bool,
    as_json: bool,
    behind: bool,
    turns: Turns,
) -> None:
    """Cycle after cycle over what is due, until stopped; an error that stays the same is said once."""
    from ..ingest.watch import Watch

    def tell(text: str) -> None:
        if not quiet:
            context.tell("info", "watch", text)

    said: dict[str, str] = {}
    summarise: Literal["all", "new"] | None = "all" if behind else None
    with Watch(found, seconds, tell) as watch:
        while not options.stop.is_set():
            try:
                reports = cycle(
                    context, lake, watch.begin(), options,
                    quiet=quiet, as_json=as_json, summarise=summarise, said=said, turns=turns,
                )  # fmt: skip
                watch.end(reports)
                summarise = "new" if behind else None
            except Interrupted:
                break
            except BoardlakeError as error:
                # What stops one cycle (a full disk, a busy lake) may be over by the next.
                _say_once(context, said, "", str(error))
            watch.wait(options.stop)


def known_sources(context: Context) -> tuple[str, ...]:
    """Without any source in the config: those that the lake has been given before.

    Raises UsageError where there are none either.
    """
    from ..lake import sources

    if context.settings.sources:
        return ()
    known: tuple[str, ...] = ()
    if context.location.exists():
        with context.open() as lake:
            known = tuple(sources.uris(lake))
    if not known:
        raise UsageError(
            "there is nothing to scan: no source is configured and no path given",
            hint="name a directory: `boardlake up PATH`, or [sources.NAME] in the config file",
        )
    return known


def cycle(
    context: Context,
    lake: Lake,
    found: list[SourceSetup],
    options: Options,
    *,
    quiet: bool = False,
    as_json: bool = False,
    summarise: Literal["all", "new"] | None = None,
    said: dict[str, str] | None = None,
    turns: Turns | None = None,
) -> list[Report]:
    """One cycle with its progress bar, its summary, and the upkeep that is due.

    With *turns*, what another process reads is left to it.

    In cron there is nothing to read unless something went wrong, or *summarise* asks for it, of
    all sources or of those with new runs. *said* are the errors of the cycle before.
    """
    # What it brings along is not for a server, which imports this module.
    from ..ingest.cycle import run
    from ..lake.maintain import maintain_due
    from .progress import progress, summary

    left = turns.take(one.name for one in found) if turns else {}
    mine = [one for one in found if one.name not in left]
    with progress(quiet or summarise == "new" or context.log is not None) as options.progress:
        reports = run(lake, mine, options)
    if context.settings.ingest.maintain:
        maintain_due(lake)
    _measure(context, lake)
    talkative = (context.interactive and not as_json or context.log is not None) and not quiet
    for report in reports:
        error = report.error if context.log else report.told
        _say_once(context, {} if said is None else said, report.source, error)
        if report.error:
            continue
        if summarise == "all" and not report.files_listed:
            context.tell(
                "info", "empty", "no event files (*tfevents*) were found there", report.source
            )
        elif summarise == "all" or (report.new_runs > 0 if summarise else talkative):
            fields = report.as_dict() if context.log else {}
            text = summary(report).removeprefix(f"{report.source}: ")
            context.tell("info", "cycle", text, report.source, **fields)
    if talkative:
        for name, holder in left.items():
            told = f"left to {holder}, which is reading it"
            context.tell("info", "left", told, name, pid=holder.pid, host=holder.host)
    if as_json:
        answer: dict[str, object] = {"sources": [report.as_dict() for report in reports]}
        click.echo(json.dumps(answer | ({"left": told_of(left)} if left else {})))
    return reports


def _measure(context: Context, lake: Lake) -> None:
    if context.metrics_file is None:
        return
    from . import textfile

    try:
        textfile.write(lake, context.metrics_file)
    except OSError as error:
        place = context.metrics_file
        context.tell("error", "metrics", f"{place}: cannot be written: {error.strerror}")


def _say_once(context: Context, said: dict[str, str], source: str, error: str) -> None:
    if error and error != said.get(source):
        context.tell("error", "source" if source else "cycle", error, source)
    said[source] = error


def _show_plan(context: Context, found: list[SourceSetup], as_json: bool) -> int:
    from ..ingest.cycle import dry_run

    lake = context.open() if context.location.exists() else None
    files = size = code = 0
    for source, plan in dry_run(lake, found):
        if isinstance(plan, BoardlakeError):
            code = SourceError.exit_code
            context.tell("error", "source", str(plan), source)
            continue
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
    return code
