"""Erasing what is deleted: every old file, snapshot, statistic and catalog page that still holds it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from .catalog import CATALOG, call, compact_catalog, note
from .database import Lake
from .location import Location

LOG = "deletions.jsonl"
# So many runs of a deletion are told by their keys.
MOST_KEYS = 1_000


@dataclass
class Gone:
    """A deletion as the log has it: when, how many runs, the first of their keys, rows by table.

    `erased_at` is None until no old file and no page of the catalog held them any more.
    """

    at: str
    runs: int
    run_keys: tuple[str, ...]
    rows: dict[str, int]
    files_removed: int = 0
    erased_at: str | None = None


def erase(lake: Lake) -> tuple[int, bool]:
    """Take what is deleted from the disk: all old files, all snapshots but the newest, free pages.

    Returns how many files went, and whether nothing is left: a reader can hold on to the catalog's
    old pages, and then an erase stays due.
    """
    with lake.exclusive() as con:
        call(con, "ducklake_flush_inlined_data('lake')")
        for table in _tables_with_deletes(con):
            call(con, f"ducklake_rewrite_data_files('lake', '{table}', delete_threshold => 0)")
        _renew_statistics(con)
    # A commit that adds a file makes every process let go of the statistics that it had cached.
    with lake.transaction() as con:
        note(con, "erase", time.time())
    with lake.exclusive() as con:
        old = con.execute(
            "SELECT snapshot_id FROM ducklake_snapshots('lake')"
            " WHERE snapshot_id < (SELECT max(snapshot_id) FROM ducklake_snapshots('lake'))"
        ).fetchall()
        if old:
            versions = [number for (number,) in old]
            call(con, f"ducklake_expire_snapshots('lake', versions => {versions})")
        # Safe only since no one else can write while the lock is held.
        removed = call(con, "ducklake_cleanup_old_files('lake', cleanup_all => true)").num_rows
        removed += call(con, "ducklake_delete_orphaned_files('lake', cleanup_all => true)").num_rows
        clean = compact_catalog(lake.location)
    log(lake.location, {"at": utc_now(), "erased": clean, "files_removed": removed})
    if clean:
        with lake.transaction() as con:
            con.execute("DELETE FROM upkeep WHERE step = 'erase'")
    return removed, clean


def _tables_with_deletes(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = con.execute(
        f"SELECT DISTINCT t.table_name FROM {CATALOG}.ducklake_table t"
        f" JOIN {CATALOG}.ducklake_delete_file d USING (table_id)"
        " WHERE t.end_snapshot IS NULL AND d.end_snapshot IS NULL"
    )
    return [name for (name,) in found.fetchall()]


def _renew_statistics(con: duckdb.DuckDBPyConnection) -> None:
    """Let least and greatest texts of tables be those of the files that are left: DuckLake only ever
    widens them, so that they would go on naming a deleted run."""
    con.execute(
        f"""
        UPDATE {CATALOG}.ducklake_table_column_stats s
        SET min_value = k.least, max_value = k.greatest
        FROM (
            SELECT c.table_id, c.column_id, min(v.min_value) AS least, max(v.max_value) AS greatest
            FROM {CATALOG}.ducklake_column c
            LEFT JOIN {CATALOG}.ducklake_data_file f
                ON f.table_id = c.table_id AND f.end_snapshot IS NULL
            LEFT JOIN {CATALOG}.ducklake_file_column_stats v
                ON v.data_file_id = f.data_file_id AND v.column_id = c.column_id
            WHERE c.end_snapshot IS NULL AND c.column_type IN ('varchar', 'blob')
            GROUP BY c.table_id, c.column_id
        ) k
        WHERE s.table_id = k.table_id AND s.column_id = k.column_id
        """
    )


def log(location: Location, line: dict[str, object]) -> None:
    """Append to the log of deletions, which names runs by `run_key` only."""
    handle = os.open(location.root / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o664)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def receipts(location: Location, limit: int, offset: int = 0) -> tuple[int, list[Gone]]:
    """How many deletions the log has, and *limit* of them, the newest first."""
    found: list[Gone] = []
    due: list[Gone] = []
    try:
        log = open(location.root / LOG, encoding="utf-8")
    except FileNotFoundError:
        return 0, []
    with log:
        for text in log:
            line = _parsed(text)
            if "deleted" in line:
                keys = tuple(line["deleted"])
                found.append(Gone(line["at"], len(keys), keys[:MOST_KEYS], line.get("rows", {})))
                due.append(found[-1])
            elif "erased" in line:
                for gone in due:
                    gone.files_removed += line.get("files_removed", 0)
                    gone.erased_at = line["at"] if line["erased"] else None
                # What is erased takes all with it that was deleted before.
                due = [] if line["erased"] else due
    newest = found[::-1]
    return len(found), newest[offset : offset + limit]


def _parsed(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        # The last line of a machine that went down while it was written.
        return {}
    return line if isinstance(line, dict) else {}


def utc_now() -> str:
    """The time for the log and for receipts."""
    return datetime.now(UTC).isoformat(timespec="seconds")
