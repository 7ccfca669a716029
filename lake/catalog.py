"""DuckLake's own catalog as upkeep needs it: its calls, its tables, its file, and the record of steps."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pyarrow as pa

from ..core.errors import LakeError
from .location import Location

CATALOG = "__ducklake_metadata_lake"
_READERS_WAIT_S = 5.0

_COMPACT = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], timeout=float(sys.argv[2]), isolation_level=None)
con.execute("VACUUM")
sys.exit(3 if con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] else 0)
"""


def compact_catalog(location: Location) -> bool:
    """Rewrite the SQLite file without its free pages, which hold deleted text; under the lock.

    False when a reader kept the write-ahead log from being emptied. Raises `LakeError`.
    """
    # In a process of its own: a second SQLite library in this one would, by closing the file, drop
    # the locks that DuckDB's holds on it (sqlite.org/howtocorrupt.html, 2.2.1).
    command = [sys.executable, "-I", "-c", _COMPACT, str(location.catalog), str(_READERS_WAIT_S)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 3):
        reason = ended.stderr.strip().splitlines()[-1:] or [f"exit code {ended.returncode}"]
        raise LakeError(
            f"{location.catalog} could not be compacted: {reason[0]}",
            hint="run `boardlake maintain --force` again when no one reads the lake",
        )
    return ended.returncode == 0


def call(con: duckdb.DuckDBPyConnection, statement: str) -> pa.Table:
    """All rows of a CALL of DuckLake, which is rolled back in silence unless all are fetched."""
    # As Arrow: times with a zone would need another package to become Python objects.
    return con.execute(f"CALL {statement}").to_arrow_table()


def times(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """When each step was last done, in Unix seconds."""
    return dict(con.execute('SELECT step, epoch("at") FROM upkeep').fetchall())


def note(con: duckdb.DuckDBPyConnection, step: str, now: float) -> None:
    """Record within a transaction that *step* is done."""
    con.execute("DELETE FROM upkeep WHERE step = ?", [step])
    con.execute("INSERT INTO upkeep VALUES (?, make_timestamp(?))", [step, int(now * 1_000_000)])
