"""One open lake read by many threads at once, with the run table kept at hand for each snapshot."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import NamedTuple

import duckdb
import pyarrow as pa

from . import history
from .database import Lake, open_lake, reread
from .kept_columns import KeptColumns

# So often it is looked whether the lake has a new snapshot: asking costs 2 ms.
_LOOK_EVERY_S = 0.25
# States such as `running` change with the clock alone.
_STATES_LAST_S = 20.0
# Where the run table took longer, those who ask go on with the old one while it is made anew.
_WAITED_FOR_S = 0.1


class Known(NamedTuple):
    """Names that exist in the lake."""

    hparams: tuple[str, ...]
    series: tuple[str, ...]


class Readers:
    """Cursors on a read-only lake for any number of threads.

    The view `runs` puts a run together from all its files; here it is a table in memory, made anew
    for each snapshot of the lake, which unqualified SQL finds first.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.lives = 0
        """How often the lake was opened anew: what `put_notes` made is gone then."""
        limit = lake.con.cursor().execute("SELECT current_setting('memory_limit')").fetchone()
        self._memory_limit = str(limit[0]) if limit else ""
        self._idle: LifoQueue[duckdb.DuckDBPyConnection] = LifoQueue()
        self._making = threading.Lock()
        self._looked = 0.0
        self._made = 0.0
        self._took = 0.0
        self._snapshot = -1
        self._states = 0
        self.kept = KeptColumns(self._connect)
        self._naming = threading.Lock()
        self._named: tuple[int, Known] = (-1, Known((), ()))

    def close(self) -> None:
        """Let go of the lake and every cursor."""
        self.kept.close()
        with self._making:
            while True:
                try:
                    self._idle.get_nowait().close()
                except Empty:
                    break
            self.lake.close()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of this thread's own until the block ends, at the newest snapshot."""
        lake = self.lake
        try:
            self.snapshot()
            try:
                con = self._idle.get_nowait()
            except Empty:
                con = self._connect()
            try:
                yield con
            finally:
                if self.lake is lake:
                    self._idle.put(con)
        except Exception as error:
            if _is_fatal(error):
                self._revive(lake)
            raise

    def _revive(self, dead: Lake) -> None:
        """Open the lake anew: after a fault of its own DuckDB refuses every statement.

        Connections to the old one are left to those who hold them.
        """
        with self._making:
            if self.lake is not dead:
                return
            self.lake = open_lake(dead.location, read_only=True, memory_limit=self._memory_limit)
            self._idle = LifoQueue()
            self.kept = KeptColumns(self._connect)
            self._snapshot, self._looked, self._named = -1, 0.0, (-1, Known((), ()))
            self.lives += 1

    def _connect(self) -> duckdb.DuckDBPyConnection:
        con = self.lake.con.cursor()
        con.execute("SET search_path = 'memory.main,lake.main'")
        return con

    @contextmanager
    def apart(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one purpose: what is left open on it is gone when the block ends."""
        con = self.lake.con.cursor()
        try:
            con.execute("USE lake")
            yield con
        finally:
            con.close()

    def again(self, *, read_only: bool, memory_limit: str = "") -> Lake:
        """The same lake opened once more, for what needs all of it; the caller closes it.

        It may use as much memory as this one, unless a *memory_limit* is given.
        """
        limit = memory_limit or self._memory_limit
        return open_lake(self.lake.location, read_only=read_only, memory_limit=limit)

    def snapshot(self) -> int:
        """The number of the lake's newest snapshot, as of a moment ago."""
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S and self._snapshot >= 0:
            return self._snapshot
        # One thread looks; those that come meanwhile go on with what there is.
        if not self._making.acquire(blocking=self._snapshot < 0):
            return self._snapshot
        behind = False
        try:
            newest = self._news()
            behind = newest is not None and self._took > _WAITED_FOR_S
            if newest is not None and not behind:
                self._make(newest)
        finally:
            if not behind:
                self._making.release()
        if newest is not None and behind:
            threading.Thread(target=self._make_behind, args=(newest,), name="readers").start()
        return self._snapshot

    def look(self) -> None:
        """Have the newest snapshot at this very moment."""
        with self._making:
            self._looked = -math.inf
            newest = self._news()
            if newest is not None:
                self._make(newest)

    @property
    def version(self) -> str:
        """What answers depend on: the snapshot, and the states that the clock has changed since."""
        return f"{self.snapshot()}.{self._states:x}"

    def known(self) -> Known:
        """The names of hyperparameters and scalar tags that there are."""
        snapshot = self.snapshot()
        with self._naming:
            if self._named[0] != snapshot:
                with self.cursor() as con:
                    found = Known(history.hparam_names(con), history.series_names(con))
                self._named = (snapshot, found)
            return self._named[1]

    def _news(self) -> int | None:
        """The newest snapshot, if the run table is to be made anew."""
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S and self._snapshot >= 0:
            return None
        # All rows: an answer that is not read to its end holds the catalog's old pages.
        newest = "SELECT id FROM ducklake_current_snapshot('lake')"
        ((snapshot,),) = self.lake.con.execute(newest).fetchall()
        self._looked = time.monotonic()
        stale = snapshot != self._snapshot or now - self._made > _STATES_LAST_S
        return int(snapshot) if stale else None

    def _make(self, newest: int) -> None:
        con, start = self.lake.con, time.monotonic()
        table = "CREATE OR REPLACE TABLE memory.main.runs AS SELECT * FROM lake.main.runs"
        reread(lambda: con.execute(table))
        states = "SELECT bit_xor(hash(run_id, state)), count(*) FROM memory.main.runs"
        ((together, runs),) = con.execute(states).fetchall()
        self._states = int(together or 0)
        if newest != self._snapshot:
            self.kept.reset(con, runs)
        self._snapshot = newest
        self._made = time.monotonic()
        self._took = self._made - start

    def _make_behind(self, newest: int) -> None:
        try:
            self._make(newest)
        except duckdb.Error:
            # The next one who asks makes it, and is told what is wrong.
            self._took = 0.0
        finally:
            self._making.release()

    def put_notes(self, notes: Sequence[Mapping[str, object]]) -> None:
        """Make relations of what people wrote about runs, each with its run_key.

        `run_notes` (run_id, name, notes, colour, archived, tags) has it all, `run_tags` (run_id,
        tag) and `archived_runs` (run_id) are parts of it. Runs that the lake has not are left out.
        """
        self.snapshot()
        con = self._connect()
        try:
            con.register("given", pa.Table.from_pylist(list(notes), _NOTES))
            con.execute("CREATE OR REPLACE TABLE memory.main.state_notes AS SELECT * FROM given")
            con.execute(
                "CREATE OR REPLACE VIEW memory.main.run_notes AS SELECT r.run_id, n.* EXCLUDE run_key"
                " FROM memory.main.state_notes n JOIN memory.main.runs r USING (run_key)"
            )
            for view, query in _PARTS.items():
                con.execute(f"CREATE OR REPLACE VIEW memory.main.{view} AS {query}")
        finally:
            con.close()


def _is_fatal(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, duckdb.FatalException | duckdb.InternalException):
            return True
        error = error.__cause__
    return False


_NOTES = pa.schema({
    "run_key": pa.string(), "name": pa.string(), "notes": pa.string(), "colour": pa.string(),
    "archived": pa.bool_(), "tags": pa.list_(pa.string()),
})  # fmt: skip
_PARTS = {
    "run_tags": "SELECT run_id, unnest(tags) AS tag FROM memory.main.run_notes",
    "archived_runs": "SELECT run_id FROM memory.main.run_notes WHERE archived",
}
