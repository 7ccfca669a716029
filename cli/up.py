"""`boardlake up`: from a directory of logs to pages in a browser, in one command."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import click

from ..core.errors import SourceError, UsageError
from .context import Context
from .ingest import cycle, known_sources
from .running import configure, stop_on_signals
from .serve import (
    HOST,
    PORT,
    bind,
    bind_near,
    browse,
    open_service,
    open_tokens,
    serve,
    stopping,
    url,
)  # fmt: skip

if TYPE_CHECKING:
    from ..api.service import Service


@click.command("up")
@click.argument("paths", nargs=-1)
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535),
    help=f"Port to listen on; 0 = any free.  [default: {PORT}, or the next free one]",
)  # fmt: skip
@click.option("--open", "open_", is_flag=True, help="Open the pages in your browser.")
@click.option("--no-serve", is_flag=True, envvar="BOARDLAKE_NO_SERVE", help="One ingest, then end.")
@click.pass_obj
def command(
    context: Context,
    paths: tuple[str, ...],
    host: str,
    port: int | None,
    open_: bool,
    no_serve: bool,
) -> int:
    """Make a lake of the logs below PATHS (or of the config file's sources), and serve its pages.

    New logs are read every few seconds until Ctrl-C.
    """
    context.spare_pandas()
    given = paths or known_sources(context)
    if no_serve:
        return _once(context, given)
    _refuse_missing(paths)
    bound = bind_near(host, PORT) if port is None else bind(host, port)
    try:
        with stopping():
            _serve(context, given, url(bound), bound, open_)
    except KeyboardInterrupt:
        # Stopping is how this ends.
        pass
    finally:
        bound.close()
    return 0


def _serve(
    context: Context, paths: tuple[str, ...], at: str, bound: socket.socket, open_: bool
) -> None:
    from .behind import Behind, Heard

    tokens = open_tokens(context)
    if not context.location.exists():
        context.open(read_only=False, create=True).close()
    service = open_service(context)
    try:
        context.say(f"boardlake: {at}  (Ctrl-C stops)")
        context.say(f"lake: {context.location.root}")
        teller = _Teller(context, service, at)
        behind = Behind(context.arguments, paths, Heard(teller.cycle, teller.died))
        try:
            if open_:
                browse(at)
            serve(service, bound, tokens)
        finally:
            context.say("boardlake: stopping")
            behind.stop()
    finally:
        service.close()


class _Teller:
    """Says what the ingest behind the pages leaves unsaid: totals once, and its end."""

    def __init__(self, context: Context, service: Service, at: str) -> None:
        self._context = context
        self._service = service
        self._at = at
        self._first = True

    def cycle(self) -> None:
        """A cycle is over, and what it has to say is on the terminal already."""
        if self._first:
            self._first = False
            runs, points = self._service.totals()
            self._context.say(f"The lake holds {runs:,} runs with {points:,} points: {self._at}")

    def died(self, code: int) -> None:
        """The ingest ended by itself."""
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        self._context.say(
            f"boardlake: reading logs has ended ({how}), the pages go on;"
            " `boardlake ingest` reads what is new"
        )


def _refuse_missing(paths: tuple[str, ...]) -> None:
    for path in paths:
        if "://" not in path and not os.path.exists(path):
            raise UsageError(f"{path}: there is no such directory", hint="is it misspelt?")


def _once(context: Context, paths: tuple[str, ...]) -> int:
    """One cycle, what the lake holds then, and what to do next."""
    from ..ingest.cycle import warm
    from ..ingest.setup import setups
    from ..ingest.turn import Turns
    from ..lake.overview import totals

    found = setups(context.settings.sources, paths)
    warm()
    context.say(f"lake: {context.location.root}")
    with (
        stop_on_signals() as options,
        Turns(context.location.turns) as turns,
        context.open(read_only=False, create=True) as lake,
    ):
        configure(context, options)
        reports = cycle(context, lake, found, options, summarise="all", turns=turns)
        runs, points = totals(lake.con)
    failed = SourceError.exit_code if any(report.error for report in reports) else 0
    context.say(f"\nThe lake holds {runs:,} runs with {points:,} points.")
    if not runs:
        return failed
    context.say("Next:")
    context.say("  boardlake serve                      look at them in a browser")
    context.say("  boardlake tensorboard                TensorBoard itself on them, or on some")
    context.say("  boardlake runs                       list, filter, sort and group them")
    context.say('  boardlake sql "SELECT * FROM runs"   ask anything in SQL')
    context.say("  boardlake ingest                     read what is new (put it in cron)")
    return failed
