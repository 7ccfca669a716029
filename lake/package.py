"""An export as one file that only grows, so that it can be sent while it is written: a ZIP of tables.

(A DuckDB file is written all over until it is done.) Tables come out of DuckDB through a pipe and go
into the ZIP as they come: there is no second copy on the disk, and no more in memory than DuckDB and
a piece of the pipe have. What was written so far is told at any time, and it can be stopped.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import duckdb

from ..core.errors import BoardlakeError, SpaceError
from . import exported, targets
from .database import Lake
from .export import translate
from .exported import Choice, Form

_PIECE = 1 << 20
_WATCH_EVERY_S = 0.1
# Of the disk, which the lake may share, so much is left to others.
RESERVE = 256 << 20
# In Linux's fcntl.h; Python has the name from 3.10 on, on Linux alone.
_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)


class Stopped(BoardlakeError):
    """Someone stopped the export while it was written."""

    http_status = 410


@dataclass(frozen=True)
class Told:
    """How far an export is: the table that is being written, rows of all tables, bytes on the disk."""

    table: str = ""
    rows_done: int = 0
    rows_total: int = 0
    bytes: int = 0


@dataclass
class Packed:
    """What was written: the lake's snapshot, how many runs, and rows by table."""

    snapshot: int = 0
    runs: int = 0
    rows: dict[str, int] = field(default_factory=dict)


class Package:
    """One export on its way to *file*; *name* is that of the folder within the ZIP.

    *lake* is its own until `write` has returned. *expected* rows by table, as `count` gives them, are
    what is told until a table is written.
    """

    def __init__(
        self,
        lake: Lake,
        file: Path,
        form: Form,
        choice: Choice,
        *,
        name: str,
        expected: Mapping[str, int] | None = None,
        reserve: int = RESERVE,
    ) -> None:
        self._lake = lake
        self._file = file
        self._form = form
        self._choice = choice
        self._name = name
        self._reserve = reserve
        self._cause: BoardlakeError | None = None
        self._expected = dict(expected or {})
        self._rows: dict[str, int] = {}
        self._table = ""
        self._now = 0
        self._size = 0

    def told(self) -> Told:
        """How far it is."""
        done = sum(self._rows.values())
        total = done + sum(
            number for name, number in self._expected.items() if name not in self._rows
        )
        now = min(self._now, self._expected.get(self._table, 0))
        return Told(self._table, min(done + now, total), total, self._size)

    def stop(self, cause: BoardlakeError | None = None) -> None:
        """Have `write` end with *cause*, or as stopped, within a moment."""
        self._cause = self._cause or cause or Stopped("the export was stopped")

    def write(self) -> Packed:
        """Write the file. Raises UsageError for tags that no run has, Stopped, SpaceError, LakeError,
        and as `reread` knows it, that a deletion took a file of the lake; nothing is left of it then."""
        try:
            with self._watched():
                packed = self._database() if self._form == "duckdb" else self._zip()
        except BaseException as error:
            for path in (self._file, self._file.with_name(f"{self._file.name}.wal")):
                path.unlink(missing_ok=True)
            if self._cause is not None:
                raise self._cause from error
            if isinstance(error, OSError | duckdb.Error) and "Cannot open file" in str(error):
                raise duckdb.IOException(str(error)) from error
            if isinstance(error, OSError | duckdb.Error):
                raise translate(error, self._file) from error
            raise
        self._size = self._file.stat().st_size
        return packed

    # The forms

    def _database(self) -> Packed:
        con = self._lake.con
        with exported.snapshot(con, self._choice, self._file) as (snapshot, runs):
            for name, query in self._queries():
                copied = con.execute(f"CREATE TABLE exporting.main.{name} AS {query}").fetchone()
                self._rows[name] = int(copied[0]) if copied else 0
            exported.views(con)
        return Packed(snapshot, runs, dict(self._rows))

    def _zip(self) -> Packed:
        sizes = {}
        method = zipfile.ZIP_DEFLATED if self._form == "csv" else zipfile.ZIP_STORED
        with (
            self._file.open("xb", buffering=0) as opened,
            exported.snapshot(self._lake.con, self._choice) as (snapshot, runs),
        ):
            # What cannot go back needs sizes behind each file: what is there already may be sent.
            sink = cast(IO[bytes], _Grows(opened))
            with zipfile.ZipFile(sink, "w", method) as packed:
                for name, query in self._queries():
                    about = self._entry(f"{name}.{self._form}", method)
                    with packed.open(about, "w", force_zip64=True) as entry:
                        counted = _Counted(entry)
                        self._rows[name] = self._copy(name, query, counted)
                        sizes[name] = counted.size
                told = exported.manifest(
                    self._form, self._choice, (snapshot, runs), self._rows, sizes
                )
                page = exported.readme(self._form, self._choice, runs, self._rows)
                packed.writestr(self._entry(targets.MANIFEST, method), told)
                packed.writestr(self._entry("README.md", method), page)
        return Packed(snapshot, runs, dict(self._rows))

    def _entry(self, name: str, method: int) -> zipfile.ZipInfo:
        about = zipfile.ZipInfo(f"{self._name}/{name}", time.localtime()[:6])
        about.compress_type = method
        # The level that a ZipFile is given is not that of entries which are described by hand.
        about._compresslevel = 1  # type: ignore[attr-defined]
        about.external_attr = 0o644 << 16
        return about

    def _queries(self) -> Iterator[tuple[str, str]]:
        """The name of each table and its query, once those before it are written."""
        con = self._lake.con
        self._rows = {}
        if not self._expected:
            self._expected = exported.count(con, self._form, self._choice)
        for name in exported.tables(self._form):
            self._check()
            self._table, self._now = name, 0
            yield name, exported.query(con, name, self._form, self._choice)
        self._table = ""
        self._check()

    def _copy(self, name: str, query: str, sink: _Counted) -> int:
        """Write a table into the ZIP; returns its rows."""
        con = self._lake.con
        if self._form == "arrow":
            for batch in exported.arrow(con, name, query, cast(IO[bytes], sink)):
                self._now += batch.num_rows
                self._check()
            return self._now
        options = exported.copy_options(name, self._form)
        with self._pipe(sink) as path:
            row = con.execute(f"COPY ({query}) TO {exported.quote(path)} {options}").fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _pipe(self, sink: _Counted) -> Iterator[str]:
        """A path of which all that is written there goes to *sink*, which has it when the block ends."""
        out, into = os.pipe()
        failed: list[BaseException] = []

        def pump() -> None:
            try:
                while piece := os.read(out, _PIECE):
                    sink.write(piece)
                    if self._form == "csv":
                        # Line breaks within texts are few; no more than what is expected is told.
                        self._now += piece.count(b"\n")
            except BaseException as error:
                failed.append(error)
            finally:
                # Whoever writes on is told that no one reads.
                os.close(out)

        if _SET_PIPE_SIZE is not None:
            try:
                fcntl.fcntl(out, _SET_PIPE_SIZE, _PIECE)
            except OSError:
                # As many large pipes as a user may have are in use: a small one is slower.
                pass
        thread = threading.Thread(target=pump, name="export-pipe", daemon=True)
        thread.start()
        try:
            yield f"/dev/fd/{into}"
        except duckdb.Error as error:
            if failed:
                raise failed[0] from error
            raise
        finally:
            os.close(into)
            thread.join()
        if failed:
            raise failed[0]

    # What goes on beside it

    def _check(self) -> None:
        if self._cause is not None:
            raise self._cause

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Within it progress is read, the disk is looked at, and a cause ends what DuckDB is doing."""
        con, done = self._lake.con, threading.Event()
        for statement in _PROGRESS:
            con.execute(statement)

        def watch() -> None:
            while not done.wait(_WATCH_EVERY_S):
                # Whatever it is that cannot be looked at: whoever stops the export is heard.
                with suppress(Exception):
                    self._look()
                if self._cause is not None:
                    con.interrupt()

        self._look()
        thread = threading.Thread(target=watch, name="export-watch", daemon=True)
        thread.start()
        try:
            self._check()
            yield
            self._check()
        finally:
            done.set()
            thread.join()

    def _look(self) -> None:
        try:
            self._size = self._file.stat().st_size
            if self._form == "duckdb":
                self._size += _size(self._file.with_name(f"{self._file.name}.wal"))
        except FileNotFoundError:
            pass
        if self._form in ("parquet", "duckdb"):
            # No one counts these rows; DuckDB knows the part that it has read.
            part = self._lake.con.query_progress()
            expected = self._expected.get(self._table, 0)
            self._now = max(self._now, int(expected * max(0.0, part) / 100))
        free = shutil.disk_usage(self._file.parent).free
        if free < self._reserve:
            message = f"{self._file.parent}: only {free >> 20} MB of its disk are free"
            self.stop(SpaceError(message, hint="free some space, or export fewer runs or tags"))


# In this order: with progress on, but not told to be silent, DuckDB draws a bar on stdout.
_PROGRESS = (
    "SET enable_progress_bar_print = false",
    "SET progress_bar_time = 0",
    "SET enable_progress_bar = true",
)


class _Grows:
    """A file without a way back: `zipfile` then writes in order."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


class _Counted:
    """What is written goes on, and is counted."""

    closed = False

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self._sink.write(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
