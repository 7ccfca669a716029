"""What every ingest shares, into a lake or to a hub: its options, signals, and how it leaves."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..core.errors import IngestRunning
from .context import Context

if TYPE_CHECKING:
    from ..ingest.report import Options
    from ..ingest.turn import Holder


def configure(context: Context, options: Options) -> None:
    """Set *options* as the config file says."""
    wanted = context.settings.ingest
    options.threads = wanted.threads or os.cpu_count() or 1
    options.batch_points = wanted.batch_points
    options.batch_bytes = wanted.batch_bytes
    options.limits.piece = wanted.piece_bytes


@contextmanager
def stop_on_signals() -> Iterator[Options]:
    """Options whose `stop` a first SIGINT or SIGTERM sets; a second one ends the process."""
    import signal

    from ..ingest.report import Options

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


def leave(context: Context, left: dict[str, Holder], *, quiet: bool, as_json: bool) -> int:
    """End because others read all sources; in cron that happens often, and is no news."""
    if as_json:
        click.echo(json.dumps({"sources": [], "left": told_of(left)}))
    if context.log:
        for name, one in left.items():
            context.tell("info", "left", f"left to {one}", name, pid=one.pid, host=one.host)
    elif not context.interactive or quiet:
        return IngestRunning.exit_code
    holders = sorted({str(holder) for holder in left.values()})
    more = f" and {len(holders) - 1} more" if len(holders) > 1 else ""
    raise IngestRunning(
        f"all that was asked for is being read by {holders[0]}{more}",
        hint="nothing is left out; `--wait` waits until it is done",
    )


def told_of(left: dict[str, Holder]) -> list[dict[str, object]]:
    """Sources that others read, for `--json`."""
    return [
        {"source": name, "pid": one.pid, "host": one.host, "watch": one.watch}
        for name, one in left.items()
    ]
