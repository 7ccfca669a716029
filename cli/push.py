"""`boardlake ingest --to`: cycles on a machine that the centre cannot reach, pushed to its server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..core.errors import BoardlakeError, HubError, Interrupted, SourceError, UsageError
from .context import Context

if TYPE_CHECKING:
    from ..ingest.edge import Sent
    from ..ingest.hub import Hub
    from ..ingest.report import Options
    from ..ingest.setup import SourceSetup
    from ..lake.outbox import Outbox

TOKEN = "BOARDLAKE_TOKEN"
_MOST_TOKEN = 512
_MOST_PIECE = 8 << 20


@dataclass
class Push:
    """How to push, as the options of the command say."""

    to: str
    token_file: Path | None
    spool: Path | None
    spool_limit: int
    plain_http: bool


def size(context: click.Context, option: click.Parameter, value: str) -> int:
    """The bytes that an option names; raises UsageError."""
    from pydantic import TypeAdapter, ValidationError

    from ..core.kinds import Size

    try:
        found: int = TypeAdapter(Size).validate_python(int(value) if value.isdecimal() else value)
    except ValidationError as error:
        raise UsageError(
            f"--spool-limit: {error.errors()[0]['msg'].removeprefix('Value error, ')}"
        ) from None
    return found


def token(file: Path | None) -> str:
    """The token, from the environment or a file; raises UsageError, which never shows it."""
    if file is None:
        secret = os.environ.get(TOKEN, "")
    else:
        try:
            with file.open("rb") as opened:
                secret = opened.read(10_000).decode("utf-8", "replace")
        except OSError as error:
            raise UsageError(f"--token-file {file}: cannot be read: {error.strerror}") from error
    secret = secret.strip()
    if not secret:
        where = f"{file} is empty" if file else f"{TOKEN} is not set"
        raise UsageError(
            f"there is no token for the hub: {where}",
            hint=f"set {TOKEN}, or name a file with --token-file; `boardlake token` at the hub makes one",
        )
    if len(secret) > _MOST_TOKEN or not secret.isascii() or not secret.isprintable():
        where = str(file) if file else TOKEN
        raise UsageError(f"{where}: expected one token of at most {_MOST_TOKEN} ASCII characters")
    return secret


def run(
    context: Context,
    paths: tuple[str, ...],
    push: Push,
    *,
    watch: float | None,
    wait: float | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Read what is new and push it; returns the exit code. Raises what concerns all sources."""
    from ..ingest import edge
    from ..ingest.cycle import warm
    from ..ingest.hub import check_url
    from ..ingest.setup import setups
    from ..ingest.turn import Turns
    from .running import configure, leave, stop_on_signals

    url = check_url(push.to, plain=push.plain_http)
    secret = token(push.token_file)
    configured = context.settings.sources
    found = edge.named(setups(configured, paths), configured)
    folder = push.spool or edge.default_spool(url)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (
        stop_on_signals() as options,
        Turns(folder / "turns", watch=watch is not None) as turns,
    ):
        # Messages are sent in order: one process at a time empties a spool.
        names = ["spool"]
        left = turns.take(names) if wait is None else turns.wait(names, wait, options.stop)
        if options.stop.is_set():
            raise Interrupted("stopped while another ingest was reading")
        if left:
            return leave(context, left, quiet=quiet, as_json=as_json)
        warm()
        configure(context, options)
        # What waits to be encoded and stored is in memory twice.
        options.batch_bytes = min(options.batch_bytes, 48 << 20)
        # The hub takes messages of a certain size only, of one piece at least.
        options.limits.piece = min(options.limits.piece, _MOST_PIECE)
        with _opened(url, secret, folder, options) as (outbox, hub):
            one = _Cycle(context, outbox, hub, push.spool_limit, quiet=quiet, as_json=as_json)
            if watch is None:
                sent = one.run(found, options)
                if any(report.error for report in sent.reports):
                    return SourceError.exit_code
                return HubError.exit_code if sent.failure and not sent.bytes else 0
            _watch(one, found, options, watch)
    return 0


@contextmanager
def _opened(url: str, secret: str, folder: Path, options: Options) -> Iterator[tuple[Outbox, Hub]]:
    from ..ingest.hub import Hub
    from ..lake.outbox import Outbox

    hub = Hub(url, secret, os.environ, options.stop)
    outbox = Outbox(folder)
    try:
        yield outbox, hub
    finally:
        outbox.close()
        hub.close()


def _watch(one: _Cycle, found: list[SourceSetup], options: Options, seconds: float) -> None:
    from ..ingest.watch import Watch

    with Watch(found, seconds, one.tell) as watch:
        while not options.stop.is_set():
            try:
                watch.end(one.run(watch.begin(), options).reports)
            except Interrupted:
                break
            except BoardlakeError as error:
                one.say_once("cycle", str(error))
            watch.wait(options.stop)


class _Cycle:
    """Runs cycles and says what they did; what stays the same is said once."""

    def __init__(
        self, context: Context, outbox: Outbox, hub: Hub, limit: int, *, quiet: bool, as_json: bool
    ) -> None:
        self._context, self._outbox, self._hub, self._limit = context, outbox, hub, limit
        self._quiet, self._as_json = quiet, as_json
        self._said: dict[str, str] = {}

    def tell(self, text: str) -> None:
        """Something about the watch."""
        if not self._quiet:
            self._context.tell("info", "watch", text)

    def say_once(self, about: str, text: str, source: str = "") -> None:
        """An error, unless it is what was said last."""
        if text and text != self._said.get(f"{about} {source}"):
            self._context.tell("error", about, text, source)
        self._said[f"{about} {source}"] = text

    def run(self, found: list[SourceSetup], options: Options) -> Sent:
        """One cycle."""
        from ..ingest import edge
        from .progress import progress, summary

        context = self._context
        with progress(self._quiet or context.log is not None) as options.progress:
            sent = edge.run(self._outbox, self._hub, found, options, self._limit)
        talkative = (context.interactive and not self._as_json or context.log is not None) and (
            not self._quiet
        )
        for report in sent.reports:
            error = report.error if context.log else report.told
            self.say_once("source", error, report.source)
            if not report.error and talkative:
                fields = report.as_dict() if context.log else {}
                text = summary(report).removeprefix(f"{report.source}: ")
                context.tell("info", "cycle", text, report.source, **fields)
        self._tell_of_hub(sent, talkative)
        if self._as_json:
            hub = {
                "sent": sent.bytes, "waiting": sent.waiting, "waiting_bytes": sent.waiting_bytes,
                "error": sent.failure.message if sent.failure else "",
            }  # fmt: skip
            told = {"sources": [report.as_dict() for report in sent.reports], "hub": hub}
            click.echo(json.dumps(told))
        return sent

    def _tell_of_hub(self, sent: Sent, talkative: bool) -> None:
        """In cron it is no news that the hub is away, until reading stops because of it."""
        full = next((report.skipped for report in sent.reports if report.skipped), "")
        if sent.failure and (talkative or full):
            self.say_once("hub", f"{sent.failure.message}{f': {full}' if full else ''}")
        elif not sent.failure:
            self.say_once("hub", "")
        if talkative:
            waits = f"{sent.waiting:,} messages ({sent.waiting_bytes / 1e6:,.1f} MB) wait"
            rest = f", {waits}" if sent.waiting else ""
            text = f"hub: {sent.bytes / 1e6:,.1f} MB sent{rest}"
            fields = {"sent": sent.bytes, "waiting_bytes": sent.waiting_bytes}
            self._context.tell("info", "hub", text, **(fields if self._context.log else {}))
