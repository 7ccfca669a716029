"""How a cycle is to run, what it did and what that cost, and who is told of it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..core.settings import SourceSettings
from ..lake import spending
from ..lake.known import Known
from ..lake.write import Share
from .reader import Limits
from .sources.base import Spent


@dataclass
class Report:
    """What a cycle over one source did; a row of `cycles`. Times in Unix seconds, cost in the
    currency of the config's prices.

    `files_looked` of the files listed were looked at, the others remembered. `requests` are those
    that list and those that read. `cost_per_day` is None until there is something to go by.
    `skipped` says why the source, or a part of what changed, was left to a later cycle; of the latter
    `files_left` counts the files that changed while they were read.
    `requests_per_day` and `rescan_s` are the source's settings.
    """

    source: str
    machine: str = ""
    kind: str = ""
    started_at: float = 0.0
    ended_at: float = 0.0
    files_listed: int = 0
    files_looked: int = 0
    files_changed: int = 0
    files_left: int = 0
    bytes_to_read: int = 0
    bytes_read: int = 0
    bytes_received: int = 0
    points: int = 0
    new_runs: int = 0
    requests: int = 0
    list_requests: int = 0
    read_requests: int = 0
    cost: float = 0.0
    cost_per_day: float | None = None
    problems: int = 0
    passed_over: int = 0
    skipped: str = ""
    error: str = ""
    hint: str = ""
    requests_per_day: int = 0
    rescan_s: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)

    @property
    def told(self) -> str:
        """What a person reads of an error: what is wrong, and what to do."""
        return f"{self.error}\n  hint: {self.hint}" if self.error and self.hint else self.error

    def count(self, share: Share) -> None:
        """Add what a commit stored."""
        self.bytes_read += share.bytes
        self.points += share.points
        self.new_runs += share.new_runs
        self.problems += share.problems
        self.passed_over += len(share.passed_over)

    def charge(self, spent: Spent, settings: SourceSettings, known: Known) -> None:
        """Set what was asked of the server, and its price."""
        self.list_requests, self.read_requests = spent.lists, spent.reads
        self.requests = spent.lists + spent.reads
        self.bytes_received = spent.bytes
        if self.kind not in spending.PRICED:
            return
        self.cost = (
            spent.lists * settings.list_price / 1000
            + spent.reads * settings.read_price / 1000
            + spent.bytes * settings.traffic_price / 1e9
        )
        if known.since is not None:
            span_s = self.started_at - known.since
            self.cost_per_day = spending.per_day(self.kind, known.cost, span_s)


class Progress:
    """What a cycle tells while it runs; every method is called from the cycle's own thread only."""

    def begin(self, source: str, files: int, size: int) -> None:
        """The plan for *source* is made: *size* bytes in *files* are to be read."""

    def advance(self, source: str, size: int, points: int) -> None:
        """So much more has been committed."""

    def end(self, report: Report) -> None:
        """A source is done."""


@dataclass
class Options:
    """How to run a cycle. `memory` is the folder of what is remembered between scans, if any.

    `done` is told of each source whose part is over, from any thread.
    """

    threads: int = 2
    batch_points: int = 2_000_000
    batch_bytes: int = 96 << 20
    limits: Limits = field(default_factory=Limits)
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress = field(default_factory=Progress)
    memory: Path | None = None
    done: Callable[[str], None] | None = None
