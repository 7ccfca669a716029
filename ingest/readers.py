"""Threads that read the changed files of one source: groups of a run each, every group in order."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from ..core.errors import BoardlakeError
from ..core.values import Piece
from ..kernels import decode as kernel
from .ahead import Ahead
from .bytestream import Ranges
from .reader import Limits, Work, failed, read
from .sources.base import Changed, Source

# A source that is waited for keeps two threads decoding at most; it is the fetches that are many.
_DECODING = 2
# Of a remote file so many bytes are asked for at a time.
PIECE = 4 << 20


class Readers:
    """Reads *groups* of files of *source*, and gives their pieces to *give*, which may wait."""

    def __init__(
        self,
        source: Source,
        groups: list[list[Work]],
        limits: Limits,
        give: Callable[[Piece], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._source, self._limits = source, limits
        self._give, self._stopped = give, stopped
        self._ahead: Ahead | None = None
        if source.at_once > 1:
            self._limits = Limits(min(limits.piece, PIECE))
            works = (work for group in groups for work in group)
            self._ahead = Ahead(source, works, self._limits.piece)
        self._groups: queue.SimpleQueue[list[Work]] = queue.SimpleQueue()
        for group in groups:
            self._groups.put(group)
        self._most = len(groups)

    def run(self, threads: int) -> None:
        """Read all, in up to *threads* threads; ends early when stopped. Raises `Over`."""
        threads = min(threads if self._ahead is None else _DECODING, self._most)
        try:
            if threads <= 1:
                self._work()
                return
            with ThreadPoolExecutor(threads, thread_name_prefix="read") as pool:
                for done in [pool.submit(self._work) for _ in range(threads)]:
                    done.result()
        finally:
            if self._ahead is not None:
                self._ahead.close()

    def _work(self) -> None:
        buffers = kernel.Buffers()
        while not self._stopped():
            try:
                group = self._groups.get_nowait()
            except queue.Empty:
                return
            for work in group:
                self._read(work, buffers)
                if self._stopped():
                    return

    def _read(self, work: Work, buffers: kernel.Buffers) -> None:
        ranges: Ranges = self._source
        try:
            if self._ahead is not None:
                ranges = self._ahead.take(work)
        except Changed:
            work.left = True
            return
        except OSError as error:
            self._give(failed(work, error))
            return
        pieces = read(ranges, work, self._limits, buffers)
        while (piece := self._next(pieces, work)) is not None:
            self._give(piece)
            if self._stopped():
                return

    def _next(self, pieces: Iterator[Piece], work: Work) -> Piece | None:
        try:
            return next(pieces, None)
        except BoardlakeError:
            raise
        except Exception as error:
            # A mistake of ours costs this file, not all others; a generator that raised has ended.
            return failed(work, OSError(f"reading it failed ({type(error).__name__})"))
