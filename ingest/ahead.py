"""The first bytes of changed files, fetched ahead of their decoding: many at once, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from ..core.values import FileEntry
from .bytestream import Primed
from .reader import TAIL, Work
from .sources.base import Changed, Source

# A file of that size is read whole: its head then needs no request of its own.
WHOLE = 64 << 10
_HELD = 24 << 20
_TRIES = 3


class Ahead:
    """Fetches for *works* in order; `take` gives each its source with the first bytes at hand."""

    def __init__(self, source: Source, works: Iterable[Work], piece: int) -> None:
        self._source, self._piece = source, piece
        self._waiting = list(works)[::-1]
        self._fetched: dict[int, Future[Primed]] = {}
        # Of those that wait the ones that were begun out of turn.
        self._early: set[int] = set()
        self._held = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(source.at_once, thread_name_prefix="fetch")

    def take(self, work: Work) -> Primed:
        """The source to read *work* from; raises what the fetch raised."""
        with self._lock:
            if id(work) not in self._fetched:
                # It stays where it is: of a hundred thousand none is looked for.
                self._early.add(id(work))
                self._begin(work)
            self._fill()
            future = self._fetched.pop(id(work))
        try:
            return future.result()
        finally:
            with self._lock:
                self._held -= self._window(work)[1]
                self._fill()

    def close(self) -> None:
        """Fetch no more; what is under way is left to itself."""
        with self._lock:
            self._waiting = []
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fill(self) -> None:
        while self._waiting:
            if id(self._waiting[-1]) in self._early:
                self._early.remove(id(self._waiting.pop()))
                continue
            length = self._window(self._waiting[-1])[1]
            if self._fetched and self._held + length > _HELD:
                return
            self._begin(self._waiting.pop())

    def _begin(self, work: Work) -> None:
        self._held += self._window(work)[1]
        self._fetched[id(work)] = self._pool.submit(self._fetch, work)

    def _window(self, work: Work) -> tuple[int, int]:
        """From where and how many bytes: with the last ones that were read, which prove the file."""
        size = work.listed.size
        before = work.before
        start = 0
        if before and before.offset and size > WHOLE:
            start = max(0, before.offset - max(TAIL, before.tail_bytes))
        return start, max(0, min(size - start, self._piece))

    def _fetch(self, work: Work) -> Primed:
        start, length = self._window(work)
        entry = work.entry
        for _ in range(_TRIES):
            try:
                length = max(0, min(length, entry.size - start))
                data = bytearray()
                if length:
                    data = self._source.read(entry.path, start, length, entry.version)
                work.entry = entry
                return Primed(self._source, entry.path, start, data)
            except Changed:
                entry = self._again(entry)
        raise Changed("it changes faster than it can be read: the next cycle tries again")

    def _again(self, entry: FileEntry) -> FileEntry:
        found = self._source.stat(entry.path)
        if found is None:
            raise FileNotFoundError(2, "it is gone since it was listed")
        return found
