"""Where and when the sample runs happen: a folder, a present, a seed, and the logs in them."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from . import forms
from .columns import Column, Records, frame_columns, merge
from .writer import PYTORCH, Event, EventWriter, encode_event

HOUR = 3600.0
DAY = 24 * HOUR
Job = Callable[[], None]


@dataclass
class LogFile:
    """An event file of which the first *written* records are on disk."""

    path: Path
    records: Records
    written: int = 0

    def advance(self, until: float) -> int:
        """Append the records up to the time *until* (Unix seconds); how many they were."""
        end = int(np.searchsorted(self.records.times, until, side="right"))
        count = max(0, end - self.written)
        if count:
            first, last = self.records.offsets[self.written], self.records.offsets[end]
            self._append(self.records.data[first:last], float(self.records.times[end - 1]))
            self.written = end
        return count

    def tear(self) -> None:
        """Append the first half of the next record, as a writer that was cut off."""
        first, last = self.records.offsets[self.written : self.written + 2]
        half = self.records.data[first : (first + last) // 2]
        self._append(half, float(self.records.times[self.written - 1]))

    def _append(self, data: bytes, changed: float) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab" if self.written else "wb") as file:
            file.write(data)
        os.utime(self.path, (changed, changed))


@dataclass
class SampleTree:
    """What `write_samples` wrote: *runs* are directories below *root*, *cases* names special ones.

    *live* are the files of runs that are still going: `append_live` lets them grow.
    """

    root: Path
    now: float
    runs: list[str] = field(default_factory=list)
    points: int = 0
    size: int = 0
    cases: dict[str, str] = field(default_factory=dict)
    live: list[LogFile] = field(default_factory=list)


class RunLog(EventWriter):
    """What one process logs into one directory; nothing is on disk before `Scene.close`."""

    def __init__(self, path: Path, start: float, writer: str = PYTORCH) -> None:
        super().__init__(io.BytesIO())
        self.path = path
        self.columns: list[Column] = []
        self.others: list[tuple[float, bytes]] = []
        self.file_version(start, writer=writer)

    def event(self, event: Event) -> None:
        """Keep the event for its time."""
        self.others.append((event.wall_time, encode_event(event)))

    def scalars(
        self,
        tag: str,
        steps: ArrayLike,
        times: ArrayLike,
        values: ArrayLike,
        form: forms.Scalar = forms.simple,
    ) -> None:
        """A whole series; each tag is a fraction of a millisecond later than the one before."""
        when = np.asarray(times, np.float64) + 2e-4 * len(self.columns)
        whole, real = np.asarray(steps, np.int64), np.asarray(values, np.float64)
        self.columns.append(Column(tag, whole, when, real, form))


@dataclass
class Scene:
    """One call of `write_samples`; *scale* multiplies how often the runs log."""

    root: Path
    now: float
    seed: int
    scale: float
    tree: SampleTree

    def count(self, n: int, least: int = 20) -> int:
        """How many points a series of *n* has at this scale."""
        return max(least, int(n * self.scale))

    def rng(self, name: str) -> np.random.Generator:
        """The generator of one run: other runs do not change what it gives."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def open(
        self,
        directory: str,
        start: float,
        host: str,
        *,
        stream: str = "",
        suffix: str = "",
        writer: str = PYTORCH,
    ) -> RunLog:
        """A new log in *stream* of the run *directory*, by a process that began at *start*."""
        if directory not in self.tree.runs:
            self.tree.runs.append(directory)
        pid = 1000 + zlib.crc32(f"{directory}@{start:.0f}".encode()) % 60000
        name = f"events.out.tfevents.{int(start)}.{host}.{pid}.0{suffix}"
        return RunLog(self.root / directory / stream / name, start, writer)

    def close(
        self, log: RunLog, *, until: float | None = None, torn: bool = False, live: bool = False
    ) -> None:
        """Write what had been logged by *until* (default: now), cut off or still going."""
        records = merge(frame_columns(log.columns), log.others)
        file = LogFile(log.path, records)
        end = self.now if until is None else min(until, self.now)
        file.advance(end)
        if torn:
            file.tear()
        elif live:
            self.tree.live.append(file)
        self.tree.points += sum(int((column.times <= end).sum()) for column in log.columns)
        self.tree.size += log.path.stat().st_size

    def side_file(self, path: str, content: str | bytes, when: float) -> None:
        """A file beside the logs, last changed at *when*; nothing if that is still to come."""
        if when > self.now:
            return
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(target, (when, when))

    def name_case(self, case: str, directory: str) -> None:
        """Remember which run shows a special case."""
        self.tree.cases[case] = directory
