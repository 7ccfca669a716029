"""One pass over the sources: list, plan, read, commit. The one place where reader and lake meet."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

from ..core.errors import Interrupted, SourceError
from ..core.values import Piece
from ..kernels import decode as kernel
from ..kernels import series
from ..lake import sources as lake_sources
from ..lake.database import Lake
from ..lake.write import Written, write
from . import plan as planning
from .memory import Memory
from .reader import Limits, Work, read
from .setup import SourceSetup
from .sources.base import Source

# Pieces decoded ahead of the commit: enough to keep the readers busy while it runs, few enough to hold.
_QUEUE = 4


@dataclass
class Report:
    """What a cycle over one source did; a row of `cycles`."""

    source: str
    started_at: float = 0.0
    ended_at: float = 0.0
    files_listed: int = 0
    files_changed: int = 0
    bytes_to_read: int = 0
    bytes_read: int = 0
    points: int = 0
    new_runs: int = 0
    requests: int = 0
    problems: int = 0
    passed_over: int = 0
    error: str = ""

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


class Progress:
    """What a cycle tells while it runs; every method may be called from the cycle's thread only."""

    def begin(self, source: str, files: int, size: int) -> None:
        """The plan for *source* is made: *size* bytes in *files* are to be read."""

    def advance(self, size: int, points: int) -> None:
        """So much more has been committed."""

    def end(self, report: Report) -> None:
        """A source is done."""


@dataclass
class Options:
    """How to run a cycle."""

    threads: int = 2
    batch_points: int = 2_000_000
    batch_bytes: int = 96 << 20
    limits: Limits = field(default_factory=Limits)
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress = field(default_factory=Progress)


def warm() -> None:
    """Begin to load or compile the kernels, in a thread: there is a lake to open meanwhile."""
    # No daemon: a process that ends in the middle of compiling would crash rather than end.
    threading.Thread(target=_warm, name="warm").start()


def _warm() -> None:
    kernel.warm()
    series.warm()


def run(lake: Lake, setups: list[SourceSetup], options: Options) -> list[Report]:
    """One cycle over all sources, each for itself: a source that fails is reported, not raised.

    Raises what concerns all of them: `LakeBusy`, `SpaceError`, or `Interrupted` when `options.stop`
    was set, after the current commit.
    """
    reports = []
    for setup in setups:
        report = Report(setup.facts.source, started_at=time.time())
        reports.append(report)
        try:
            _run_source(lake, setup, options, report)
        except SourceError as error:
            report.error = error.message
            report.problems += 1
            lake_sources.write_error(lake, report.source, error.message)
        report.ended_at = time.time()
        lake_sources.write_cycle(lake, asdict(report))
        options.progress.end(report)
        if options.stop.is_set():
            raise Interrupted("stopped after the current commit: the next cycle goes on from here")
    return reports


def dry_run(lake: Lake | None, setups: list[SourceSetup]) -> Iterator[tuple[str, planning.Plan]]:
    """What a cycle would read, source by source."""
    for setup in setups:
        listing = setup.open().walk(Memory())
        yield setup.facts.source, planning.make(lake, listing, setup.facts, setup.plan)


def _run_source(lake: Lake, setup: SourceSetup, options: Options, report: Report) -> None:
    lake_sources.write_source(lake, setup.facts)
    source = setup.open()
    listing = source.walk(Memory())
    plan = planning.make(lake, listing, setup.facts, setup.plan)
    report.files_listed = len(listing.files)
    report.files_changed = plan.files
    report.bytes_to_read = plan.bytes
    report.problems += len(listing.problems)
    lake_sources.write_problems(lake, report.source, listing.problems)
    options.progress.begin(report.source, plan.files, plan.bytes)
    _read_and_commit(lake, source, setup, plan, options, report)
    report.bytes_read += planning.settle(lake, source, listing, plan, setup.facts, setup.plan)
    report.requests = source.spent.lists + source.spent.reads


def _read_and_commit(
    lake: Lake,
    source: Source,
    setup: SourceSetup,
    plan: planning.Plan,
    options: Options,
    report: Report,
) -> None:
    batch: list[Piece] = []
    points = weight = 0

    def commit() -> None:
        nonlocal points, weight
        if not batch:
            return
        result = write(lake, batch)
        _count(report, result)
        options.progress.advance(result.bytes, result.points)
        batch.clear()
        points = weight = 0

    with _Readers(source, plan.groups, options) as pieces:
        for piece in pieces:
            batch.append(planning.refine(piece, plan, setup.plan))
            points += piece.points
            weight += piece.weight
            if points >= options.batch_points or weight >= options.batch_bytes:
                commit()
                if options.stop.is_set():
                    break
        commit()


def _count(report: Report, result: Written) -> None:
    report.bytes_read += result.bytes
    report.points += result.points
    report.new_runs += result.new_runs
    report.problems += result.problems
    report.passed_over += len(result.passed_over)


class _Readers:
    """Threads that read groups of files, each group in order, a few pieces ahead of the commit."""

    def __init__(self, source: Source, groups: list[list[Work]], options: Options) -> None:
        self._source, self._options = source, options
        self._groups: queue.SimpleQueue[list[Work]] = queue.SimpleQueue()
        for group in groups:
            self._groups.put(group)
        self._threads = max(1, min(options.threads, len(groups)))
        self._pieces: queue.Queue[Piece | BaseException | None] = queue.Queue(_QUEUE)
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="read")

    def __enter__(self) -> Iterator[Piece]:
        for _ in range(self._threads):
            self._pool.submit(self._work)
        return self._receive()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        while True:
            try:
                self._pieces.get_nowait()
            except queue.Empty:
                break
        self._pool.shutdown(wait=True)

    def _receive(self) -> Iterator[Piece]:
        running = self._threads
        while running:
            found = self._pieces.get()
            if found is None:
                running -= 1
            elif isinstance(found, BaseException):
                raise found
            else:
                yield found

    def _work(self) -> None:
        buffers = kernel.Buffers()
        try:
            while not self._stopped():
                try:
                    group = self._groups.get_nowait()
                except queue.Empty:
                    break
                for work in group:
                    for piece in read(self._source, work, self._options.limits, buffers):
                        if not self._give(piece):
                            return
            self._give(None)
        except BaseException as error:
            self._give(error)

    def _stopped(self) -> bool:
        return self._over.is_set() or self._options.stop.is_set()

    def _give(self, found: Piece | BaseException | None) -> bool:
        while not self._over.is_set():
            try:
                self._pieces.put(found, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False
