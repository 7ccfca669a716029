"""Exports as people wait for them: written behind the requests, looked at, stopped, kept for a while."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ..core.errors import BoardlakeError, SpaceError, UsageError
from ..lake.database import reread
from ..lake.detail import named
from ..lake.exported import Choice, Figures, Form, figures
from ..lake.package import RESERVE, Package, Packed, Stopped, Told
from ..lake.readers import Readers
from ..lake.spool import Spool

# An export reads much and may take minutes: the pages go on meanwhile.
AT_ONCE = 2
# Beyond these the oldest goes that no one is taking.
MOST_KEPT = 8
KEPT_S = 30 * 60.0
# Each holds a thread of the server for as long as its reader likes.
MOST_FOLLOWING = 8
# What became of the others is told for as long.
_MOST_TOLD = 100
_CHUNK = 1 << 20
_LOOK_AGAIN_S = 0.1
_STOPPING_S = 30.0

State = Literal["writing", "ready", "failed", "stopped"]
_MIME = {"duckdb": "application/vnd.duckdb"}
_ZIP = "application/zip"


def mime(form: Form) -> str:
    """The type of media of an export's file."""
    return _MIME.get(form, _ZIP)


class Busy(BoardlakeError):
    """As many exports as are taken at once are being written."""

    http_status = 429


class NoSuchExport(UsageError):
    """No export of that id, or no longer."""

    http_status = 404


class Gone(BoardlakeError):
    """An export that did not come to its end has no file."""

    http_status = 410


class Export:
    """One export, from its first row until its file is removed."""

    def __init__(self, form: Form, choice: Choice, expected: dict[str, int]) -> None:
        self.id = secrets.token_urlsafe(12)
        self.form = form
        self.choice = choice
        self.expected = expected
        self.runs = frozenset(choice.runs or ())
        self.state: State = "writing"
        self.error: BoardlakeError | None = None
        self.packed = Packed()
        self.file = Path()
        # Of the file that was written to its end.
        self.inode = 0
        self.began = time.monotonic()
        self.used = self.began
        self.seconds = 0.0
        self.taking = 0
        self.done = threading.Event()
        self.package: Package | None = None
        self.stem = f"boardlake-{datetime.now():%Y%m%d-%H%M%S}"

    @property
    def name(self) -> str:
        """What the file is called where it is saved."""
        return f"{self.stem}.{'duckdb' if self.form == 'duckdb' else 'zip'}"

    @property
    def mime(self) -> str:
        """Its type of media."""
        return mime(self.form)

    def told(self) -> dict[str, Any]:
        """How far it is, as JSON."""
        nothing = Told(rows_total=sum(self.expected.values()))
        told = asdict(self.package.told() if self.package else nothing)
        error = self.error
        return {
            "id": self.id,
            "state": self.state,
            "format": self.form,
            "name": self.name,
            "runs": len(self.runs),
            **told,
            "seconds": round(self.seconds or time.monotonic() - self.began, 3),
            "snapshot": self.packed.snapshot if self.state == "ready" else None,
            "rows": self.packed.rows,
            "error": error
            and {"kind": type(error).__name__, "message": error.message, "hint": error.hint},
        }


class Exports:
    """The exports of one server."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._spool = Spool(readers.lake.location.root / "exports")
        self._lock = threading.Lock()
        self._all: dict[str, Export] = {}
        self._threads: set[threading.Thread] = set()
        self._timer: threading.Timer | None = None
        self._closed = False
        self._following = 0
        self._swept = -1

    def figures(self, form: Form, choice: Choice) -> Figures:
        """What an export will hold, and about how large it will be; raises UsageError for tags."""
        with self._readers.apart() as con:
            return figures(con, form, choice)

    def free(self) -> int:
        """Bytes of the disk that exports may take."""
        return max(0, shutil.disk_usage(self._readers.lake.location.root).free - RESERVE)

    def begin(self, form: Form, choice: Choice) -> Export:
        """Start to write an export; raises Busy, SpaceError, LakeError, UsageError for tags."""
        expected, free = self.figures(form, choice), self.free()
        if expected.bytes > free:
            place, size = self._readers.lake.location.root, expected.bytes >> 20
            message = f"{place}: the export takes about {size} MB, {free >> 20} MB are free"
            raise SpaceError(message, hint="free some space, or export fewer runs or tags")
        export = Export(form, choice, expected.rows)
        with self._lock:
            writing = sum(one.state == "writing" for one in self._all.values())
            if writing >= AT_ONCE or self._closed:
                hint = "wait until one is done, or stop it; `boardlake export` has no such limit"
                raise Busy(f"{writing} exports are being written already", hint=hint)
            export.file = self._spool.folder() / f"{export.id}.{form}"
            self._all[export.id] = export
            self._make_room()
            thread = threading.Thread(
                target=self._write, args=(export,), name="export", daemon=True
            )
            self._threads.add(thread)
        thread.start()
        return export

    def find(self, id: str) -> Export:
        """The export of that id; raises NoSuchExport."""
        self._sweep()
        with self._lock:
            export = self._all.get(id)
            if export is None:
                hint = f"exports are kept for {KEPT_S / 60:.0f} minutes; start another"
                raise NoSuchExport(f"there is no export {id[:64]!r}", hint=hint)
            export.used = time.monotonic()
            return export

    def drop(self, id: str) -> None:
        """Stop an export that is being written; forget one that is done. Raises NoSuchExport."""
        export = self.find(id)
        self._stop(export, Stopped("the export was stopped"))
        export.done.wait(_STOPPING_S)

    def discard(self, export: Export) -> None:
        """Leave nothing of an export that no one else knows of."""
        self._stop(export, Stopped("the export was stopped"))
        export.done.wait(_STOPPING_S)

    def forget(self, run_ids: Sequence[int]) -> None:
        """Have no export of runs that were deleted; returns when none is left on the disk."""
        gone = set(run_ids)
        hint = "start another without them"
        for export in self._list():
            if not gone.isdisjoint(export.runs):
                self._stop(export, Gone("some of its runs were deleted meanwhile", hint=hint))
                export.done.wait(_STOPPING_S)

    def close(self) -> None:
        """Stop all, and remove all that was written."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            threads = list(self._threads)
        for export in self._list():
            self._stop(export, Stopped("the server was stopped"))
        for thread in threads:
            thread.join(_STOPPING_S)
        self._spool.close()

    @contextmanager
    def taken(self, export: Export) -> Iterator[None]:
        """Within it someone waits for an export, or reads it as it grows.

        Raises Busy where many do already.
        """
        with self._lock:
            if self._following >= MOST_FOLLOWING:
                hint = "wait until the export is ready, or one of them is done"
                raise Busy(f"{MOST_FOLLOWING} exports are being read as they grow", hint=hint)
            self._following += 1
            export.taking += 1
        try:
            yield
        finally:
            with self._lock:
                self._following -= 1
                export.taking -= 1
                export.used = time.monotonic()

    def follow(self, export: Export, gone: Callable[[], bool]) -> Iterator[bytes]:
        """The bytes of an export as they are written, to its end; they raise what went wrong with it.

        Whoever has begun to read such a file has all of it or an error: never a short one, unless
        it is *gone*. Within `taken`.
        """
        # A DuckDB file is written all over until it is done.
        while export.form == "duckdb" and not export.done.wait(_LOOK_AGAIN_S):
            if gone():
                return
        opened = None
        while opened is None:
            done = export.done.is_set()
            try:
                opened = export.file.open("rb")
            except FileNotFoundError:
                if done:
                    raise export.error or Gone("the export was removed") from None
                if gone():
                    return
                export.done.wait(_LOOK_AGAIN_S)
        with opened:
            while True:
                done = export.done.is_set()
                if data := opened.read(_CHUNK):
                    yield data
                elif not done:
                    if gone():
                        return
                    export.done.wait(_LOOK_AGAIN_S)
                elif os.fstat(opened.fileno()).st_ino != export.inode:
                    # Failed, or begun anew: the bytes that were sent are not of what there is now.
                    raise export.error or Gone("the export had to be written anew")
                else:
                    return

    # Writing

    def _write(self, export: Export) -> None:
        try:
            # A deletion may take a file of the lake from under it: those who follow are told.
            reread(lambda: self._once(export))
            with self._lock:
                if export.error is not None:
                    raise export.error
                export.inode = export.file.stat().st_ino
                export.state = "ready"
        except BoardlakeError as error:
            self._failed(export, error)
        except Exception as error:
            self._failed(export, Gone(f"the export failed: {error}"[:500]))
        finally:
            export.seconds = time.monotonic() - export.began
            export.used = time.monotonic()
            if export.state != "ready":
                export.file.unlink(missing_ok=True)
            export.done.set()
            with self._lock:
                self._threads.discard(threading.current_thread())
                self._schedule()

    def _once(self, export: Export) -> None:
        with self._readers.again(read_only=True) as lake:
            package = Package(
                lake, export.file, export.form, export.choice,
                name=export.stem, expected=export.expected,
            )  # fmt: skip
            with self._lock:
                export.package = package
                if export.error is not None:
                    raise export.error
            export.packed = package.write()

    def _failed(self, export: Export, error: BoardlakeError) -> None:
        with self._lock:
            export.error = export.error or error
            export.state = "stopped" if isinstance(export.error, Stopped) else "failed"

    def _stop(self, export: Export, cause: BoardlakeError) -> None:
        with self._lock:
            if export.state == "writing":
                export.error = cause
                if export.package is not None:
                    export.package.stop(cause)
            else:
                self._remove(export)

    # Keeping

    def _list(self) -> list[Export]:
        with self._lock:
            return list(self._all.values())

    def _remove(self, export: Export) -> None:
        # Those who are reading it read on: the system keeps the bytes until they are done.
        export.file.unlink(missing_ok=True)
        self._all.pop(export.id, None)

    def _make_room(self) -> None:
        """Let go of what was used longest ago, beyond what is kept."""
        by_age = sorted(self._all.values(), key=lambda one: one.used)
        ready = [one for one in by_age if one.state == "ready" and not one.taking]
        for export in ready[: max(0, len(ready) - MOST_KEPT + 1)]:
            self._remove(export)
        over = [one for one in by_age if one.state in ("failed", "stopped")]
        for export in over[: max(0, len(over) - _MOST_TOLD)]:
            self._remove(export)

    def _schedule(self) -> None:
        """Look again when the next one has been kept long enough."""
        if self._closed or self._timer is not None or not self._all:
            return
        self._timer = threading.Timer(KEPT_S / 10, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._timer = None
            for export in list(self._all.values()):
                if export.state != "writing" and not export.taking and now - export.used > KEPT_S:
                    self._remove(export)
            self._schedule()
            closed = self._closed
        if not closed:
            self._sweep()

    def _sweep(self) -> None:
        """Have no export of runs that another process deleted from the lake."""
        snapshot = self._readers.snapshot()
        if snapshot == self._swept:
            return
        held = set[int]().union(*(export.runs for export in self._list()))
        if held:
            with self._readers.apart() as con:
                there = named(con, list(held))
            self.forget(list(held.difference(there)))
        self._swept = snapshot
