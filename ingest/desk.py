"""The thread that owns the destination: it commits pieces of all sources, and works for other threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Protocol, TypeVar

from ..core.values import Piece
from ..lake.write import Written
from .destination import Destination

T = TypeVar("T")
# Pieces that wait for a commit: enough to keep the readers busy while it runs, few enough to hold.
_WAITING = 4
_POLL_S = 0.1


class Over(Exception):
    """The cycle ends: nothing more is taken."""


class Author(Protocol):
    """Whose pieces they are."""

    def refine(self, piece: Piece) -> Piece:
        """The piece as it is to be stored; in the desk's thread, in the order of the pieces."""
        ...


class Desk:
    """What other threads hand in is done by the one that calls `serve`, in order.

    A batch is committed when it holds *batch_points* or *batch_bytes*, or when `commit` is asked for.
    """

    def __init__(
        self,
        destination: Destination,
        batch_points: int,
        batch_bytes: int,
        committed: Callable[[Written], None],
    ) -> None:
        self.destination = destination
        self.over = threading.Event()
        self._most = (batch_points, batch_bytes)
        self._committed = committed
        self._inbox: queue.Queue[Callable[[], None]] = queue.Queue(_WAITING)
        self._batch: list[Piece] = []
        self._held = (0, 0)

    def ask(self, work: Callable[[], T]) -> T:
        """Have *work* done in the desk's thread; returns or raises what it does. Raises `Over`."""
        future: Future[T] = Future()

        def answer() -> None:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        self._send(answer)
        # What *work* raises may be a TimeoutError as well, as that of a file server.
        while not wait([future], _POLL_S).done:
            if self.over.is_set() and not future.done():
                raise Over
        return future.result()

    def give(self, author: Author, piece: Piece) -> None:
        """Hand in a piece; waits while too many wait. Raises `Over`."""
        self._send(lambda: self._take(author, piece))

    def commit(self) -> None:
        """Store all that was handed in; only in the desk's thread."""
        batch, self._batch, self._held = self._batch, [], (0, 0)
        if batch:
            self._committed(self.destination.write(batch))

    def serve(self, more: Callable[[], bool]) -> None:
        """Work until *more* says that nobody has anything to hand in; raises what a commit raises."""
        try:
            while more() or not self._inbox.empty():
                try:
                    todo = self._inbox.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                todo()
            self.commit()
        finally:
            self.over.set()

    def wake(self) -> None:
        """Let `serve` look again whether there is more."""
        try:
            self._inbox.put_nowait(lambda: None)
        except queue.Full:
            pass

    def _send(self, todo: Callable[[], Any]) -> None:
        while not self.over.is_set():
            try:
                self._inbox.put(todo, timeout=_POLL_S)
                return
            except queue.Full:
                continue
        raise Over

    def _take(self, author: Author, piece: Piece) -> None:
        self._batch.append(author.refine(piece))
        points, weight = self._held[0] + piece.points, self._held[1] + piece.weight
        self._held = points, weight
        if points >= self._most[0] or weight >= self._most[1]:
            self.commit()
