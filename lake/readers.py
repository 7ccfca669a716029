"""One open lake read by many threads at once, with the run table kept at hand for each snapshot."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue

import duckdb
import pyarrow as pa

from .database import Lake, reread

# So often it is looked whether the lake has a new snapshot: asking costs 2 ms.
_LOOK_EVERY_S = 0.25
# States such as `running` change with the clock alone.
_STATES_LAST_S = 20.0


class Readers:
    """Cursors on a read-only lake for any number of threads.

    The view `runs` puts a run together from all its files; here it is a table in memory, made anew
    for each snapshot of the lake, which unqualified SQL finds first.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._idle: LifoQueue[duckdb.DuckDBPyConnection] = LifoQueue()
        self._making = threading.Lock()
        self._looked = 0.0
        self._made = 0.0
        self._snapshot = -1

    def close(self) -> None:
        """Let go of the lake and every cursor."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                break
        self.lake.close()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of this thread's own until the block ends, at the newest snapshot."""
        self.snapshot()
        try:
            con = self._idle.get_nowait()
        except Empty:
            con = self.lake.con.cursor()
            con.execute("SET search_path = 'memory.main,lake.main'")
        try:
            yield con
        finally:
            self._idle.put(con)

    def snapshot(self) -> int:
        """The number of the lake's newest snapshot, as of a moment ago."""
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S and self._snapshot >= 0:
            return self._snapshot
        # One thread looks; those that come meanwhile go on with what there is.
        if not self._making.acquire(blocking=self._snapshot < 0):
            return self._snapshot
        try:
            self._look()
        finally:
            self._making.release()
        return self._snapshot

    def look(self) -> None:
        """Have the newest snapshot at this very moment."""
        with self._making:
            self._looked = -math.inf
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S and self._snapshot >= 0:
            return
        con = self.lake.con
        row = con.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
        assert row is not None
        if row[0] != self._snapshot or now - self._made > _STATES_LAST_S:
            table = "CREATE OR REPLACE TABLE memory.main.runs AS SELECT * FROM lake.main.runs"
            reread(lambda: con.execute(table))
            self._made = now
        self._snapshot = int(row[0])
        self._looked = time.monotonic()

    def put_tags(self, tags: list[tuple[str, str]], archived: list[str]) -> None:
        """Make the relations `run_tags` (run_id, tag) and `archived_runs` (run_id) from run_keys."""
        con = self.lake.con.cursor()
        try:
            con.execute("SET search_path = 'memory.main,lake.main'")
            keys, names = [key for key, _ in tags], [tag for _, tag in tags]
            con.register("given_tags", pa.table({"run_key": _texts(keys), "tag": _texts(names)}))
            con.register("given_archived", pa.table({"run_key": _texts(archived)}))
            for table, columns in (("tags", "run_key, tag"), ("archived", "run_key")):
                con.execute(
                    f"CREATE OR REPLACE TABLE memory.main.state_{table} AS"
                    f" SELECT {columns} FROM given_{table}"
                )
            con.execute(
                "CREATE OR REPLACE VIEW memory.main.run_tags AS SELECT r.run_id, t.tag"
                " FROM memory.main.state_tags t JOIN lake.main.run_facts r USING (run_key)"
            )
            con.execute(
                "CREATE OR REPLACE VIEW memory.main.archived_runs AS SELECT r.run_id"
                " FROM memory.main.state_archived t JOIN lake.main.run_facts r USING (run_key)"
            )
        finally:
            con.close()


def _texts(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string())
