"""Chosen runs read again through independent readers, and compared with the lake row by row."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

from tensorboard.compat.proto import summary_pb2

from ..core.errors import BoardlakeError, SourceError, UsageError
from ..core.settings import SourceSettings
from ..core.values import FileEntry
from ..lake import compare, history, runs_of, search
from ..lake.compare import FileRead, StoredFile
from ..lake.database import Lake
from .bytestream import open_stream
from .memory import Memory
from .oracle import Copy, Result, Task, read_stream
from .setup import setups
from .sources.base import Source

GONE = "kept: the file is no longer in its source"
OTHER = "it is not the file any more that was read: run `boardlake ingest` first"
_CHUNK = 1 << 20
_BATCH_POINTS = 1_000_000
_BATCH_TASKS = 64
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Difference:
    """Where lake and reader differ in `rows` rows of a series of a file; the first one is shown."""

    run: str
    file: str
    stream: str
    tag: str
    kind: str
    what: str
    lake: str
    reader: str
    rows: int = 1


@dataclass
class VerifyReport:
    """What was compared; *skipped* are files that were not, with the reason.

    *by_tbparse* files were read by tbparse too; all of them were read by tensorboard's loader.
    """

    runs: int = 0
    files: int = 0
    series: int = 0
    points: int = 0
    by_tbparse: int = 0
    differences: list[Difference] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def choose(lake: Lake, expression: str = "", sample: int | None = None, seed: int = 0) -> list[int]:
    """The run_ids that a filter finds, or *sample* random ones of them.

    Raises `FilterError`.
    """
    query = search.Query(expression, ("run_id",), sort=("run_id",), duplicates=True)
    found = [int(run_id) for run_id in history.find(lake.con, query).column(0).to_pylist()]
    if sample is None or sample >= len(found):
        return found
    return sorted(random.Random(seed).sample(found, sample))


def verify(
    lake: Lake,
    run_ids: Sequence[int],
    configured: Mapping[str, SourceSettings] | None = None,
    *,
    processes: int = 2,
    progress: Progress | None = None,
) -> VerifyReport:
    """Read the files of runs again and compare; *progress* is told files done and files in all.

    With *processes* 0 everything happens in this one. Raises `BoardlakeError` when one of them is
    killed; differences are not raised.
    """
    files = compare.files_of(lake.con, run_ids)
    report = VerifyReport(runs=len(run_ids))
    for run, stream, tag, rows in compare.strays(lake.con, run_ids):
        report.differences.append(
            Difference(run, "", stream, tag, "", "extra", "rows of no file", "", rows)
        )
    with tempfile.TemporaryDirectory(prefix="boardlake-verify-") as folder:
        tasks = _Tasks(lake, _Sources(lake, configured or {}), Path(folder), report)
        batch = _Batch(lake, report, len(files), progress)
        with closing(_results(tasks.make(files), processes)) as results:
            for stored, result in results:
                batch.add(stored, result)
        batch.compare()
    report.differences.sort(key=lambda d: (d.run, d.file, d.stream, d.tag, d.what))
    return report


class _Sources:
    """The sources of files, each listed once when the first of its files is asked for."""

    def __init__(self, lake: Lake, configured: Mapping[str, SourceSettings]) -> None:
        self._lake = lake
        self._setups = {one.name: one for one in setups(configured)} if configured else {}
        self._uris = compare.uris(lake.con)
        self._listed: dict[str, tuple[Source, dict[str, FileEntry]] | str] = {}
        self._gaps: dict[str, dict[str, list[compare.Gap]]] = {}

    def find(self, file: StoredFile) -> tuple[Source, FileEntry] | str:
        """The source of *file* and its line in the listing, or why there is none."""
        if file.source not in self._listed:
            self._listed[file.source] = self._list(file.source)
        listed = self._listed[file.source]
        if isinstance(listed, str):
            return listed
        entry = listed[1].get(file.path)
        return (listed[0], entry) if entry else GONE

    def gaps(self, file: StoredFile) -> list[compare.Gap]:
        """What `problems` says was skipped in *file*."""
        if file.source not in self._gaps:
            self._gaps[file.source] = compare.gaps(self._lake.con, file.source)
        return self._gaps[file.source].get(file.path, [])

    def _list(self, name: str) -> tuple[Source, dict[str, FileEntry]] | str:
        try:
            setup = self._setups.get(name)
            if setup is None:
                (setup,) = setups({}, (self._uris.get(name, ""),))
            source = setup.open()
            return source, {entry.path: entry for entry in source.walk(Memory()).files}
        except (SourceError, UsageError) as error:
            return f"its source cannot be read: {error.message}"


class _Tasks:
    """Copies of what the lake has read, a stream at a time."""

    def __init__(self, lake: Lake, sources: _Sources, folder: Path, report: VerifyReport) -> None:
        self._lake, self._sources, self._folder, self._report = lake, sources, folder, report
        self._made = 0

    def make(self, files: list[StoredFile]) -> Iterator[tuple[list[StoredFile], Task | None]]:
        """Files with the task that reads them; those that cannot be read come without one."""
        for (run_id, stream), group in groupby(files, lambda file: (file.run_id, file.stream)):
            stored, copies, whole = [], [], True
            members = list(group)
            for file in members:
                copy = self._copy(file)
                if isinstance(copy, Copy):
                    stored.append(file)
                    copies.append(copy)
                else:
                    whole = False
                    self._report.skipped.append((f"{file.source}:{file.path}", copy))
                    yield [file], None
            if copies:
                known = {} if whole else self._known(run_id, stream)
                out = str(self._folder / f"{self._made}.parquet")
                yield stored, Task(tuple(copies), out, known)

    def _copy(self, file: StoredFile) -> Copy | str:
        found = self._sources.find(file)
        if isinstance(found, str):
            return found
        gaps = [gap for gap in self._sources.gaps(file) if gap.offset < file.cursor.offset]
        if any(gap.kind == "too long" for gap in gaps):
            return "it has a record that is too long to hold: not compared"
        self._made += 1
        path = self._folder / f"{self._made}.tfevents"
        try:
            same = _copy_read(*found, file, path)
        except OSError as error:
            return f"cannot be read: {error.strerror or error}"
        if not same:
            path.unlink(missing_ok=True)
            return OTHER
        by_offset = {gap.offset: (gap.bytes, gap.records) for gap in gaps}
        return Copy(file.file_id, str(path), file.cursor.offset, by_offset)

    def _known(self, run_id: int, stream: str) -> dict[str, bytes]:
        """What files that are gone said of tags, which writers say once: only the lake has it."""
        known = {}
        for tag, plugin, content, _, _ in runs_of.metadata(self._lake.con, run_id, stream):
            metadata = summary_pb2.SummaryMetadata()
            metadata.plugin_data.plugin_name = plugin
            metadata.plugin_data.content = content
            known[tag] = metadata.SerializeToString()
        return known


def _copy_read(source: Source, entry: FileEntry, file: StoredFile, path: Path) -> bool:
    """Copy the bytes before the cursor; False if they are not those that the cursor is of."""
    cursor = file.cursor
    stream = open_stream(source, entry)
    head, tail, offset = bytearray(), bytearray(), 0
    with path.open("wb") as target:
        while offset < cursor.offset:
            chunk = stream.read(offset, min(_CHUNK, cursor.offset - offset))
            if not chunk:
                return False
            target.write(chunk)
            head += chunk[: max(0, cursor.head_bytes - offset)]
            tail = (tail + chunk)[-max(cursor.tail_bytes, 1) :]
            offset += len(chunk)
    ends = (bytes(head), bytes(tail[len(tail) - cursor.tail_bytes :]))
    hashes = (cursor.head_hash, cursor.tail_hash)
    return offset == 0 or all(
        hashlib.blake2b(end, digest_size=12).hexdigest() == wanted
        for end, wanted in zip(ends, hashes, strict=True)
    )


Made = tuple[list[StoredFile], Task | None]
Waiting = tuple[list[StoredFile], Task | None, Future[Result] | None]
Done = tuple[list[StoredFile], Result | None]


def _results(tasks: Iterator[Made], processes: int) -> Generator[Done, None, None]:
    """The results of tasks in order; only a few are under way, so that few copies are on disk."""
    if processes < 1:
        for stored, task in tasks:
            yield stored, read_stream(task) if task else None
            _forget(task)
        return
    # A forked child would inherit the lake's threads and locks.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=spawn, initializer=_leave_interrupts)
    waiting: deque[Waiting] = deque()
    try:
        for stored, task in tasks:
            waiting.append((stored, task, pool.submit(read_stream, task) if task else None))
            if len(waiting) > 2 * processes:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    except BrokenProcessPool as error:
        raise BoardlakeError(
            "a reading process was ended from outside, perhaps for want of memory",
            hint="verify fewer runs at once, or name them in a FILTER",
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal; the one that waits for the others answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _next(waiting: deque[Waiting]) -> Done:
    stored, task, future = waiting.popleft()
    result = future.result() if future else None
    _forget(task)
    return stored, result


def _forget(task: Task | None) -> None:
    for copy in task.copies if task else ():
        Path(copy.path).unlink(missing_ok=True)


class _Batch:
    """Results that are compared together, since a question to the lake has its price."""

    def __init__(
        self, lake: Lake, report: VerifyReport, files: int, progress: Progress | None
    ) -> None:
        self._lake, self._report = lake, report
        self._files, self._done, self._progress = files, 0, progress
        self._reads: dict[StoredFile, FileRead] = {}
        self._tables: list[str] = []
        self._points = 0

    def add(self, stored: list[StoredFile], result: Result | None) -> None:
        """Take what became of *stored*; compares when enough has come together."""
        self._done += len(stored)
        if self._progress:
            self._progress(self._done, self._files)
        if result is None:
            return
        self._report.series += result.series
        for file, seen in zip(stored, result.files, strict=True):
            self._reads[file] = seen.read
            self._report.files += 1
            self._report.points += seen.points
            self._report.by_tbparse += seen.by_tbparse
            self._points += seen.points
            if seen.torn:
                why = f"damaged in too many places: compared up to byte {seen.stop}"
                self._report.skipped.append((f"{file.source}:{file.path}", why))
            else:
                self._check_end(file, seen.stop, seen.read)
        self._tables.append(result.out)
        if self._points >= _BATCH_POINTS or len(self._tables) >= _BATCH_TASKS:
            self.compare()

    def compare(self) -> None:
        """Compare what has come together, and forget it."""
        if not self._reads:
            return
        found, changed = compare.differences(self._lake.con, self._reads, self._tables)
        files = {file.file_id: file for file in self._reads}
        for one in found:
            file = files[one.file_id]
            self._differ(file, one.tag, one.kind, one.what, one.lake, one.reader, one.rows)
        gone = {f"{file.source}:{file.path}" for file in changed}
        self._report.skipped += [(path, OTHER) for path in sorted(gone)]
        self._report.files -= len(changed)
        for table in self._tables:
            Path(table).unlink()
        self._reads, self._tables, self._points = {}, [], 0

    def _check_end(self, file: StoredFile, stop: int, read: FileRead) -> None:
        cursor = file.cursor
        if stop < cursor.offset:
            lake = f"read on to byte {cursor.offset}, no problem is listed there"
            self._differ(file, "", "", "end", lake, f"stops at byte {stop}", 1)
        elif read.records != cursor.records:
            lake, reader = f"{cursor.records} records", f"{read.records} records"
            self._differ(file, "", "", "records", lake, reader, 1)

    def _differ(self, file: StoredFile, *what: str | int) -> None:
        tag, kind, name, lake, reader, rows = what
        self._report.differences.append(
            Difference(
                file.run,
                f"{file.source}:{file.path}",
                file.stream,
                str(tag),
                str(kind),
                str(name),
                str(lake),
                str(reader),
                int(rows),
            )  # fmt: skip
        )
