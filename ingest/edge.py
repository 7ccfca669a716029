"""A cycle on a machine that the centre cannot reach: read into the outbox, sent to the hub meanwhile."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import HubAway, HubError
from ..lake.outbox import Outbox
from .cycle import run_to
from .hub import Hub, Sender
from .outbox import InOutbox, SpoolFull
from .report import Options, Progress, Report
from .setup import SourceSetup

_FULL = "what waits for the hub takes all the room it may: the next cycle goes on"


@dataclass
class Sent:
    """What a cycle came to: its reports, bytes that the hub took, messages and bytes that wait for
    it, and why."""

    reports: list[Report]
    bytes: int
    waiting: int
    waiting_bytes: int
    failure: HubError | None = None
    passed_over: tuple[str, ...] = ()


def named(found: list[SourceSetup], configured: Collection[str]) -> list[SourceSetup]:
    """Sources under names that no other machine has: those of paths with this machine's in front."""
    host = re.sub(r"[^A-Za-z0-9._-]+", "-", socket.gethostname()).strip("._-")[:64] or "edge"
    return [
        one if _is_of(one.name, configured) else _renamed(one, f"{host}.{one.name}")
        for one in found
    ]


def _is_of(name: str, configured: Collection[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in configured)


def _renamed(setup: SourceSetup, name: str) -> SourceSetup:
    rules = setup.plan.rules
    rules = replace(rules, source=name, label=rules.label or setup.name)
    return replace(
        setup,
        name=name,
        facts=replace(setup.facts, source=name),
        plan=replace(setup.plan, rules=rules),
    )


def run(outbox: Outbox, hub: Hub, setups: list[SourceSetup], options: Options, limit: int) -> Sent:
    """One cycle over all sources into the outbox, and from there to the hub.

    That the hub is away is told, not raised; it raises what `run_to` does, and HubError where the
    hub refuses.
    """
    sender = Sender(outbox, hub, options.stop)
    failure: HubError | None = None
    try:
        sender.drain()
        _compare(outbox, hub, setups)
    except HubAway as error:
        failure = error
    into = InOutbox(outbox, sender, limit, sender.told)
    for one in setups:
        # The files of this machine are not there for the hub to look into.
        if one.plan.media == "reference":
            one.plan = replace(one.plan, media="copy")
    if options.memory is None:
        options.memory = outbox.folder / "scans"
    if failure is None:
        sender.start()
    try:
        reports = _read(into, setups, options)
    finally:
        sender.finish()
    if isinstance(sender.failure, HubError):
        failure = sender.failure
    elif sender.failure is not None:
        raise sender.failure
    if failure is not None and not isinstance(failure, HubAway):
        raise failure
    return Sent(reports, sender.sent, *outbox.waiting(), failure, tuple(sorted(sender.passed_over)))


def _compare(outbox: Outbox, hub: Hub, setups: list[SourceSetup]) -> None:
    """Take from the hub what it knows otherwise: after a lost outbox, a restored backup, a deletion."""
    if outbox.waiting()[0]:
        return
    digests = {one.name: outbox.stock(one.name).digest() for one in setups}
    for source in hub.differing(digests):
        outbox.take(source, hub.stock(source))


def _read(into: InOutbox, setups: list[SourceSetup], options: Options) -> list[Report]:
    """The reports of a cycle; where the outbox is full, they say so."""
    seen = _Seen(options.progress)
    options.progress = seen
    try:
        if into.full() and not into.room():
            return [_skipped(one) for one in setups]
        return run_to(into, setups, options)
    except SpoolFull:
        for report in seen.reports:
            report.skipped = report.skipped or _FULL
        into.cycles([one.as_dict() for one in seen.reports if one.ended_at])
        return seen.reports
    finally:
        options.progress = seen.inner


def _skipped(setup: SourceSetup) -> Report:
    return Report(setup.name, setup.facts.machine, setup.facts.kind, skipped=_FULL)


class _Seen(Progress):
    """Keeps the reports that are told to *inner*."""

    def __init__(self, inner: Progress) -> None:
        self.inner = inner
        self.reports: list[Report] = []

    def begin(self, source: str, files: int, size: int) -> None:
        self.inner.begin(source, files, size)

    def advance(self, source: str, size: int, points: int) -> None:
        self.inner.advance(source, size, points)

    def end(self, report: Report) -> None:
        self.reports.append(report)
        self.inner.end(report)


def default_spool(url: str) -> Path:
    """Where what waits for the hub at *url* is kept, unless told otherwise."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    name = hashlib.blake2b(url.encode(), digest_size=8).hexdigest()
    return Path(base).expanduser() / "boardlake" / "edge" / name
