"""One open lake read by many threads at once, with the run table kept at hand for each snapshot."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Empty, LifoQueue

import duckdb
import pyarrow as pa

from .database import Lake, open_lake, reread

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

    @contextmanager
    def apart(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one purpose: what is left open on it is gone when the block ends."""
        con = self.lake.con.cursor()
        try:
            con.execute("USE lake")
            yield con
        finally:
            con.close()

    def again(self, *, read_only: bool) -> Lake:
        """The same lake opened once more, for what needs all of it; the caller closes it."""
        row = self.lake.con.cursor().execute("SELECT current_setting('memory_limit')").fetchone()
        limit = str(row[0]) if row else ""
        return open_lake(self.lake.location, read_only=read_only, memory_limit=limit)

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

    def put_notes(self, notes: Sequence[Mapping[str, object]]) -> None:
        """Make relations of what people wrote about runs, each with its run_key.

        `run_notes` (run_id, name, notes, colour, archived, tags) has it all, `run_tags` (run_id,
        tag) and `archived_runs` (run_id) are parts of it. Runs that the lake has not are left out.
        """
        con = self.lake.con.cursor()
        try:
            con.execute("SET search_path = 'memory.main,lake.main'")
            con.register("given", pa.Table.from_pylist(list(notes), _NOTES))
            con.execute("CREATE OR REPLACE TABLE memory.main.state_notes AS SELECT * FROM given")
            con.execute(
                "CREATE OR REPLACE VIEW memory.main.run_notes AS SELECT r.run_id, n.* EXCLUDE run_key"
                " FROM memory.main.state_notes n JOIN lake.main.run_facts r USING (run_key)"
            )
            for view, query in _PARTS.items():
                con.execute(f"CREATE OR REPLACE VIEW memory.main.{view} AS {query}")
        finally:
            con.close()


_NOTES = pa.schema({
    "run_key": pa.string(), "name": pa.string(), "notes": pa.string(), "colour": pa.string(),
    "archived": pa.bool_(), "tags": pa.list_(pa.string()),
})  # fmt: skip
_PARTS = {
    "run_tags": "SELECT run_id, unnest(tags) AS tag FROM memory.main.run_notes",
    "archived_runs": "SELECT run_id FROM memory.main.run_notes WHERE archived",
}
