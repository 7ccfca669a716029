"""Single files of sources for who serves the lake: fetched when asked for, checked, and kept for a while."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from ..core.errors import BoardlakeError
from ..core.settings import SourceSettings
from ..core.values import FileEntry
from ..lake.outside import OutOfReach

if TYPE_CHECKING:
    from .setup import SourceSetup
    from .sources.base import Source

# Where links, if there are any, can be looked through.
KINDS = ("s3", "gs", "az", "http", "dav", "ssh")
_CHUNK = 4 << 20
_TIME_S = 60.0
# How long a file is taken for unchanged.
_FRESH_S = 60.0
_MOST_FILES, _MOST_BYTES, _MOST_FILE = 200, 1 << 30, 512 << 20
_MOST_SOURCES = 10_000
# What stays free of the disk.
_RESERVE = 256 << 20
_AT_ONCE = 4
_TURN_S = 5.0


@dataclass
class _Copy:
    """A file that no directory names any more, so that it ends with the process; when it was checked."""

    file: Any
    entry: FileEntry
    looked: float


class Fetched:
    """Files of *configured* sources, or of those that a URI says all of; copies lie on *folder*'s disk."""

    def __init__(self, configured: Mapping[str, SourceSettings], folder: str) -> None:
        self.most = _MOST_FILE
        self._configured, self._folder = configured, folder
        self._lock = threading.Lock()
        self._known: dict[str, SourceSetup] | None = None
        self._copies: OrderedDict[tuple[str, str, str], _Copy] = OrderedDict()
        self._fetching: dict[tuple[str, str, str], threading.Lock] = {}
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)

    def knows(self, source: str, uri: str) -> bool:
        """Whether *source* is the one that is configured here, or needs no configuration.

        One with a budget of requests is not asked: what is fetched for a page stands in no cycle.
        """
        found = self._setup(source, uri)
        return (
            found is not None
            and found.facts.uri == uri
            and found.facts.kind in KINDS
            and not found.settings.requests_per_day
        )

    def open(self, source: str, path: str, directory: str, most: int) -> BinaryIO:
        """A copy of a file below *directory*; see `Reach.open`."""
        key, most = (source, path, directory), min(most, self.most)
        with self._lock:
            turn = self._fetching.setdefault(key, threading.Lock())
        with turn:
            if (copy := self._fresh(key, most)) is not None:
                return copy
            try:
                return self._in_turn(key, most)
            finally:
                with self._lock:
                    self._fetching.pop(key, None)

    def _in_turn(self, key: tuple[str, str, str], most: int) -> BinaryIO:
        # Slow sources shall not hold all threads of the server.
        if not self._at_once.acquire(timeout=_TURN_S):
            raise OutOfReach("other files are being fetched: try again in a moment")
        try:
            return self._fetch(key, most)
        finally:
            self._at_once.release()

    def forget(self) -> None:
        """Let go of all copies."""
        with self._lock:
            for copy in self._copies.values():
                copy.file.close()
            self._copies.clear()

    def _setup(self, source: str, uri: str = "") -> SourceSetup | None:
        # A server that nobody asks for files does without all that reads them.
        from .setup import setups

        with self._lock:
            if self._known is None:
                self._known = {}
                if self._configured:
                    with suppress(BoardlakeError):
                        self._known = {one.name: one for one in setups(self._configured)}
            if source not in self._known and uri and len(self._known) < _MOST_SOURCES:
                # It was given as an argument: its name follows from its URI.
                with suppress(BoardlakeError, ValueError):
                    found = {one.name: one for one in setups({}, (uri,))}
                    self._known |= {name: one for name, one in found.items() if name == source}
            return self._known.get(source)

    def _fresh(self, key: tuple[str, str, str], most: int) -> BinaryIO | None:
        with self._lock:
            copy = self._copies.get(key)
            if copy is None or time.monotonic() - copy.looked > _FRESH_S or copy.entry.size > most:
                return None
            self._copies.move_to_end(key)
            return _opened(copy)

    def _fetch(self, key: tuple[str, str, str], most: int) -> BinaryIO:
        name, path, directory = key
        setup = self._setup(name)
        if setup is None:
            raise OutOfReach("its source is not configured here")
        try:
            source = setup.open()
        except BoardlakeError as error:
            raise OutOfReach(error.message) from error
        try:
            entry = source.stat(path)
            if entry is None:
                raise OutOfReach("it is not there any more")
            # Only where there are links can a file lie elsewhere than its path says.
            within = getattr(source, "lies_within", None)
            if within is not None and not within(path, directory):
                raise OutOfReach("the path leads out of its directory")
            return self._keep(key, source, entry, most)
        except (BoardlakeError, OSError) as error:
            words = getattr(error, "message", "") or getattr(error, "strerror", "") or str(error)
            raise OutOfReach(words) from error
        finally:
            source.close()

    def _keep(
        self, key: tuple[str, str, str], source: Source, entry: FileEntry, most: int
    ) -> BinaryIO:
        if entry.size > most:
            raise OutOfReach(
                f"it has {entry.size / 1e6:,.0f} MB, at most {most / 1e6:,.0f} MB are fetched"
            )
        now = time.monotonic()
        with self._lock:
            known = self._copies.get(key)
            if known is not None and known.entry == entry and entry.mtime_ns:
                known.looked = now
                return _opened(known)
        if shutil.disk_usage(self._folder).free - entry.size < _RESERVE:
            raise OutOfReach("this server's disk has no room for a copy")
        file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        try:
            _copy(source, entry, file, now + _TIME_S)
        except BaseException:
            file.close()
            raise
        copy = _Copy(file, entry, now)
        with self._lock:
            old = self._copies.pop(key, None)
            if old is not None:
                old.file.close()
            self._copies[key] = copy
            opened = _opened(copy)
            self._shrink()
        return opened

    def _shrink(self) -> None:
        while len(self._copies) > 1 and (
            len(self._copies) > _MOST_FILES
            or sum(copy.entry.size for copy in self._copies.values()) > _MOST_BYTES
        ):
            self._copies.popitem(last=False)[1].file.close()


def _copy(source: Source, entry: FileEntry, into: Any, until: float) -> None:
    done = 0
    while done < entry.size:
        if time.monotonic() > until:
            raise OutOfReach(f"it did not come within {_TIME_S:g} s")
        data = source.read(entry.path, done, min(_CHUNK, entry.size - done), entry.version)
        if not data:
            raise OutOfReach("it became shorter while it was read")
        into.write(data)
        done += len(data)
    into.flush()


def _opened(copy: _Copy) -> BinaryIO:
    """A reader of its own place in the file, which the copy's end does not close."""
    reader: Any = io.BufferedReader(_Own(os.dup(copy.file.fileno())), 1 << 16)
    return reader  # type: ignore[no-any-return]


class _Own(io.RawIOBase):
    """Reads a descriptor, which is given up to it, from a place of its own."""

    def __init__(self, handle: int) -> None:
        self._handle, self._at = handle, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._handle

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {
            os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: os.fstat(self._handle).st_size,
        }[whence]  # fmt: skip
        self._at = begin + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._handle, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            os.close(self._handle)
        super().close()
