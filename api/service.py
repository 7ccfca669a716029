"""What the service works on: the readers of one lake, and what people wrote about its runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import duckdb

from ..lake.database import Lake
from ..lake.overview import totals
from ..lake.readers import Readers
from ..lake.search import Names
from ..state.store import State

_NAMES = Names(tags="run_tags", archived="archived_runs", notes="run_notes")


class Service:
    """One lake and its state database, for any number of threads."""

    def __init__(self, lake: Lake, state: State) -> None:
        self.readers = Readers(lake)
        self.state = state
        self._marking = threading.Lock()
        self._marked = -1

    @property
    def names(self) -> Names:
        """The relations that `cursor` has besides the lake's."""
        return _NAMES

    def close(self) -> None:
        """Let go of both databases."""
        self.readers.close()
        self.state.close()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection at the newest snapshot and the newest annotations."""
        self._mark()
        with self.readers.cursor() as con:
            yield con

    def totals(self) -> tuple[int, int]:
        """How many runs and points the lake holds at this very moment."""
        self.readers.look()
        with self.cursor() as con:
            return totals(con)

    def version(self) -> str:
        """What an answer depends on: it changes when the lake or an annotation does."""
        return f"{self.readers.snapshot()}.{self.state.version()}"

    def _mark(self) -> None:
        version = self.state.version()
        if version == self._marked:
            return
        with self._marking:
            if version != self._marked:
                self.readers.put_notes([asdict(one) for one in self.state.annotations()])
                self._marked = version
