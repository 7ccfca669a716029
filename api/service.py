"""What the service works on: the readers of one lake, and what people wrote about its runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import duckdb

from ..core.errors import LakeBusy
from ..lake.database import Lake
from ..lake.delete import Receipt, delete_runs
from ..lake.detail import named, run_ids
from ..lake.overview import totals
from ..lake.readers import Readers
from ..lake.sandbox.pool import Answer, Sandbox
from ..lake.search import Names
from ..state.store import State
from .exports import Exports
from .reach import Reach

_NAMES = Names(tags="run_tags", archived="archived_runs", notes="run_notes")
# Someone waits for the answer: an ingester that commits for longer is told of instead.
_LOCK_TIMEOUT_S = 20.0
# Those who push can come again: no thread waits for its turn for long.
_TURN_TIMEOUT_S = 5.0
# As much as an ingester has: what is pushed comes in small messages, and upkeep follows.
_WRITER_MEMORY = "256MB"


class Service:
    """One lake and its state database, for any number of threads."""

    def __init__(self, lake: Lake, state: State, reach: Reach | None = None) -> None:
        self.reach = reach
        self.readers = Readers(lake)
        self.state = state
        self.sandbox = Sandbox(self.readers)
        self.exports = Exports(self.readers)
        self._marking = threading.Lock()
        self._marked = (-1, -1)
        self._writing = threading.Lock()

    @property
    def names(self) -> Names:
        """The relations that `cursor` has besides the lake's, and the names that there are."""
        known = self.readers.known()
        return replace(
            _NAMES, hparams=known.hparams, series=known.series, kept=self.readers.kept,
            selected=self.state.selected,
        )  # fmt: skip

    def close(self) -> None:
        """Let go of both databases, of fetched files, and of the processes that run SQL."""
        if self.reach is not None:
            self.reach.forget()
        self.exports.close()
        self.sandbox.close()
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

    def sql(
        self,
        query: str,
        parameters: Any = None,
        rows: int = 10_000,
        gone: Callable[[], bool] = lambda: False,
    ) -> Answer:
        """The first *rows* rows of the answer to someone's SQL; see `Sandbox.ask`."""
        return self.sandbox.ask(query, parameters, rows, gone)

    def delete(self, run_keys: Sequence[str], *, dry_run: bool = False) -> Receipt:
        """Delete runs from the lake for good, and what people wrote about them.

        The lake is open for writing for that long. Raises NoSuchRun, LakeBusy, SpaceError.
        """
        with self.readers.apart() as con:
            ids = run_ids(con, run_keys)
            if dry_run:
                here = Lake(self.readers.lake.location, con, read_only=True)
                return delete_runs(here, ids, dry_run=True)
        try:
            with self._writing, self.readers.again(read_only=False) as lake:
                lake.lock_timeout_s = _LOCK_TIMEOUT_S
                return delete_runs(lake, ids)
        finally:
            # Where it fails after the commit the runs are gone all the same.
            self._forget(dict(zip(ids, run_keys, strict=True)))

    @contextmanager
    def writer(self) -> Iterator[Lake]:
        """The lake open for writing, for one at a time; raises LakeBusy where another one writes."""
        if not self._writing.acquire(timeout=_TURN_TIMEOUT_S):
            raise LakeBusy("the server is storing something else", hint="try again in a moment")
        try:
            with self.readers.again(read_only=False, memory_limit=_WRITER_MEMORY) as lake:
                lake.lock_timeout_s = _LOCK_TIMEOUT_S
                yield lake
        finally:
            self._writing.release()

    def _forget(self, runs: Mapping[int, str]) -> None:
        """Let go of all that is kept of those *runs*, keys by run_id, that the lake has no more."""
        with self.readers.apart() as con:
            there = named(con, list(runs))
        gone = {id: key for id, key in runs.items() if id not in there}
        if gone:
            self.exports.forget(list(gone))
            self.state.forget(list(gone.values()))
            self.readers.look()
            self.sandbox.forget()
            if self.reach is not None:
                self.reach.forget()

    def version(self) -> str:
        """What an answer depends on: it changes when the lake or an annotation does."""
        return f"{self.readers.version}.{self.state.version()}"

    def _mark(self) -> None:
        state = self.readers.lives, self.state.version()
        if state == self._marked:
            return
        with self._marking:
            if state != self._marked:
                self.readers.put_notes([asdict(one) for one in self.state.annotations()])
                self._marked = state
