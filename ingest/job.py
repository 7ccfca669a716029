"""One source's part of a cycle, in a thread of its own: list, plan, read, and what lies beside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..core.errors import BoardlakeError, SourceError, UsageError
from ..core.values import FileEntry, Piece, Problem
from ..lake import delete
from ..lake.known import Known
from . import memory as memories
from . import plan as planning
from .beside import look_beside
from .desk import Desk, Over
from .readers import PIECE, Readers
from .report import Options, Report
from .setup import SourceSetup
from .sources.base import Listing, Source

_POLL_S = 0.1
_Stat = Callable[[str], FileEntry | None]


class Turns:
    """Who may read when: sources that need the processor one by one, those that wait a few at once."""

    def __init__(self, waiting: int) -> None:
        self._busy = threading.BoundedSemaphore(1)
        self._waiting = threading.BoundedSemaphore(waiting)

    def of(self, source: Source) -> threading.BoundedSemaphore:
        """What to hold while *source* is read."""
        return self._busy if source.at_once == 1 else self._waiting


class Job:
    """What a cycle does with one source; the report is filled as it goes."""

    def __init__(self, setup: SourceSetup, desk: Desk, options: Options, turns: Turns) -> None:
        self.setup = setup
        self.report = Report(
            setup.name, setup.facts.machine, setup.facts.kind,
            requests_per_day=setup.settings.requests_per_day, rescan_s=setup.settings.rescan,
        )  # fmt: skip
        self._desk, self._options, self._turns = desk, options, turns
        self._to = desk.destination
        self._plan = planning.Plan([], {}, [])

    def run(self) -> None:
        """Do it; what is wrong with the source is in the report. Raises `Over`, and what the
        destination raises."""
        self.report.started_at = time.time()
        try:
            self._run()
        except (SourceError, UsageError) as error:
            self.report.error, self.report.hint = error.message, error.hint
            self.report.problems += 1
            # Who reads it on a page asks what to do, as the one at the terminal does.
            told = f"{error.message} (hint: {error.hint})" if error.hint else error.message
            problem = Problem("", 0, 0, "source", told)
            self._desk.ask(lambda: self._to.problems(self.setup.name, [problem]))
        finally:
            self.report.ended_at = time.time()

    def refine(self, piece: Piece) -> Piece:
        """The piece with its run, as all pieces before it say."""
        return planning.refine(piece, self._plan, self.setup.plan)

    def _run(self) -> None:
        known = self._desk.ask(lambda: self._to.begin(self.setup.facts))
        most = self.setup.settings.requests_per_day
        if most and known.requests >= most:
            self.report.skipped = (
                f"{known.requests:,} requests within 24 hours, {most:,} are allowed"
            )
            return
        source = self.setup.open()
        try:
            self._scan(source, known)
        finally:
            self.report.charge(source.spent, self.setup.settings, known)
            source.close()

    def _scan(self, source: Source, known: Known) -> None:
        name, folder = self.setup.name, self._options.memory
        file = folder / f"{name}.json.z" if folder else None
        rescan_s = self.setup.settings.rescan
        memory = (
            memories.load(file, self.setup.key, rescan_s)
            if file
            else memories.Memory(rescan_s=rescan_s)
        )
        try:
            listing = self._walk(source, memory)
        except BoardlakeError:
            raise
        except Exception as error:
            # A mistake of ours stops no other source; what was remembered may have led to it.
            if file:
                memories.forget(file)
            message = f"{self.setup.settings.uri}: listing it failed ({type(error).__name__})"
            hint = "please report it; the next cycle looks at everything"
            raise SourceError(message, hint=hint) from error
        self._make_plan(source, listing, known)
        self._desk.ask(lambda: self._begin(listing))
        self._read(source)
        self._count_left()
        self._desk.ask(self._desk.commit)
        if self._stopped():
            return
        self._settle(source, listing, known)
        if file:
            memories.save(memory, file, self.setup.key)

    def _walk(self, source: Source, memory: memories.Memory) -> Listing:
        try:
            return source.walk(memory)
        except OSError as error:
            message = f"{self.setup.settings.uri}: cannot be listed: {error.strerror or error}"
            raise SourceError(message, hint="the next cycle tries again") from error

    def _make_plan(self, source: Source, listing: Listing, known: Known) -> None:
        report, most = self.report, self.setup.settings.requests_per_day
        stat: _Stat = source.stat
        if most:
            # The other half is for reading: otherwise looking at what waits might take all of it.
            stat = _some(stat, (most - known.requests - source.spent.total) // 2)
        self._plan = planning.make(known, listing, self.setup.plan, self._to.metadata, stat)
        if most:
            piece = min(PIECE, self._options.limits.piece)
            left = self._plan.cut(most - known.requests - source.spent.total, piece)
            if left:
                report.skipped = f"{left:,} changed files wait: {most:,} requests a day are allowed"
        report.files_listed, report.files_looked = len(listing.files), listing.looked
        report.files_changed, report.bytes_to_read = self._plan.files, self._plan.bytes
        report.problems += len(listing.problems)

    def _begin(self, listing: Listing) -> None:
        self._to.problems(self.setup.name, listing.problems)
        self._options.progress.begin(self.setup.name, self._plan.files, self._plan.bytes)

    def _read(self, source: Source) -> None:
        if not self._plan.groups:
            return
        turn = self._turns.of(source)
        while not turn.acquire(timeout=_POLL_S):
            if self._stopped():
                return
        try:
            give = self._give
            readers = Readers(source, self._plan.groups, self._options.limits, give, self._stopped)
            readers.run(self._options.threads)
        finally:
            turn.release()

    def _count_left(self) -> None:
        left = self.report.files_left = sum(work.left for work in self._plan.works)
        if left:
            told = f"{left:,} changed files wait: they changed again while they were read"
            self.report.skipped = ", ".join(filter(None, (self.report.skipped, told)))

    def _give(self, piece: Piece) -> None:
        self._desk.give(self, piece)

    def _stopped(self) -> bool:
        if self._desk.over.is_set():
            raise Over
        return self._options.stop.is_set()

    def _settle(self, source: Source, listing: Listing, known: Known) -> None:
        """After the files: which are gone, and what lies beside the others."""
        name, plan = self.setup.name, self._plan
        # Where there is nothing at all, a disk is rather not mounted: what was there is labelled only.
        mirror = self.setup.plan.mirror and bool(listing.files)
        self._desk.ask(lambda: self._to.gone(name, plan.rows, plan.gone, mirror=mirror))
        runs, looked = self._desk.ask(lambda: self._to.directories(name))
        found = look_beside(
            source, listing, runs, looked,
            lambda d: bool(known.deleted) and delete.path_key(name, d) in known.deleted,
            [one for one in ("machine", "project") if getattr(self.setup.settings, one)],
        )  # fmt: skip
        if found.keys:
            self._desk.ask(lambda: self._to.beside(name, found.keys, found.facts, found.problems))
        self.report.bytes_read += found.bytes_read
        if listing.jobs:
            self._desk.ask(lambda: self._to.jobs(name, listing.jobs))


def _some(stat: _Stat, most: int) -> _Stat:
    """*stat* for the first *most* files; of others it is not known how they are."""
    left = iter(range(most))

    def some(path: str) -> FileEntry | None:
        if next(left, None) is None:
            raise OSError("no more requests are allowed")
        return stat(path)

    return some
