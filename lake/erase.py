"""Erasing what is deleted: every old file, snapshot, statistic and catalog page that still holds it."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime

import duckdb

from .catalog import CATALOG, call, compact_catalog, note
from .database import Lake
from .location import Location

LOG = "deletions.jsonl"


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


def utc_now() -> str:
    """The time for the log and for receipts."""
    return datetime.now(UTC).isoformat(timespec="seconds")
