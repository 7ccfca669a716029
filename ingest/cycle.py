"""One pass over the sources, side by side: list, plan, read, commit. Reader and lake meet here."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Iterator

from ..core.errors import BoardlakeError, Interrupted, SourceError, UsageError
from ..kernels import decode as kernel
from ..kernels import series
from ..lake import known as lake_known
from ..lake.database import Lake
from ..lake.write import Written
from . import plan as planning
from .desk import Desk, Over
from .destination import Destination, InLake
from .job import Job, Turns
from .memory import Memory
from .report import Options, Report
from .setup import SourceSetup

# Sources that are listed at once: each waits for its own server most of the time.
_AT_ONCE = 32
# Remote sources that are read at once; each holds some of its bytes in memory.
_READING = 6
# A thread that waits for a silent server cannot be stopped; it is not waited for, either.
_LAST_WORD_S = 2.0


def warm() -> None:
    """Begin to load or compile the kernels, in a thread: there is a lake to open meanwhile."""
    # No daemon: a process that ends in the middle of compiling would crash rather than end.
    threading.Thread(target=_warm, name="warm").start()


def _warm() -> None:
    kernel.warm()
    series.warm()


def run(lake: Lake, setups: list[SourceSetup], options: Options) -> list[Report]:
    """One cycle over all sources into a lake on this machine; see `run_to`."""
    if options.memory is None:
        options.memory = lake.location.root / "scans"
    return run_to(InLake(lake), setups, options)


def run_to(destination: Destination, setups: list[SourceSetup], options: Options) -> list[Report]:
    """One cycle over all sources, each for itself: a source that fails is reported, not raised.

    They are listed and read side by side, so that a dead one costs its own time-out only. Raises
    what concerns all of them: `LakeBusy`, `SpaceError`, or `Interrupted` when `options.stop` was
    set, after the current commit.
    """
    cycle = _Cycle(destination, setups, options)
    try:
        cycle.run()
    finally:
        for job in cycle.jobs:
            options.progress.end(job.report)
    destination.cycles([job.report.as_dict() for job in cycle.jobs if job.report.ended_at])
    if options.stop.is_set():
        raise Interrupted("stopped after the current commit: the next cycle goes on from here")
    return [job.report for job in cycle.jobs]


def dry_run(
    lake: Lake | None, setups: list[SourceSetup]
) -> Iterator[tuple[str, planning.Plan | BoardlakeError]]:
    """What a cycle would read, source by source; or why a source cannot be listed."""
    for setup in setups:
        try:
            source = setup.open()
            try:
                listing = source.walk(Memory())
            finally:
                source.close()
        except (SourceError, UsageError) as error:
            yield setup.name, error
            continue
        known = lake_known.load(lake.con, setup.name) if lake else lake_known.Known()
        yield setup.name, planning.make(known, listing, setup.plan)


class _Cycle:
    """The jobs of a cycle, in threads of their own, around the desk in this one."""

    def __init__(
        self, destination: Destination, setups: list[SourceSetup], options: Options
    ) -> None:
        self._options = options
        self.desk = Desk(destination, options.batch_points, options.batch_bytes, self._committed)
        turns = Turns(_READING)
        self.jobs = [Job(setup, self.desk, options, turns) for setup in setups]
        self._by_name = {job.setup.name: job for job in self.jobs}
        self._todo: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._leave_at = math.inf

    def run(self) -> None:
        """All jobs to their end, or to the commit that is under way when it is stopped."""
        for job in self.jobs:
            self._todo.put(job)
        threads = [
            threading.Thread(target=self._work, name=f"source-{number}", daemon=True)
            for number in range(min(_AT_ONCE, len(self.jobs)))
        ]
        for thread in threads:
            thread.start()
        self.desk.serve(lambda: self._going(threads))
        if self._failure is not None:
            raise self._failure

    def _going(self, threads: list[threading.Thread]) -> bool:
        if self._failure is not None or not any(thread.is_alive() for thread in threads):
            return False
        if self._options.stop.is_set():
            now = time.monotonic()
            self._leave_at = min(self._leave_at, now + _LAST_WORD_S)
            return now < self._leave_at
        return True

    def _work(self) -> None:
        while not self._options.stop.is_set():
            try:
                job = self._todo.get_nowait()
            except queue.Empty:
                break
            try:
                job.run()
                if self._options.done is not None:
                    self._options.done(job.setup.name)
            except Over:
                break
            except BaseException as error:
                self._failure = error
                break
        self.desk.wake()

    def _committed(self, written: Written) -> None:
        for source, share in written.shares.items():
            self._by_name[source].report.count(share)
            self._options.progress.advance(source, share.bytes, share.points)
