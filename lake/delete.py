"""Deleting runs for good: rows gone in one commit, then every file and catalog page that held them.

What stays of a run is its `run_key` in the log of deletions, and hashes of its paths, so that files
that still lie in the source are not read again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from ..core.errors import UsageError
from .database import Lake
from .location import Location
from .maintain import CATALOG, call, compact_catalog, note

LOG = "deletions.jsonl"


@dataclass
class Receipt:
    """What a deletion removed, or with `dry_run` would remove; sizes in bytes, `at` in UTC.

    `erased` is False where a reader kept old pages of the catalog: the next upkeep erases them.
    """

    at: str
    dry_run: bool
    runs: list[dict[str, str]]
    rows: dict[str, int]
    files_removed: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    erased: bool = False
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """For `--json`; with the names of the runs, unlike the log."""
        return asdict(self)


@dataclass
class _Going:
    """What goes: runs, and what lies in their directories, as (source, path)."""

    runs: list[dict[str, str]]
    files: list[tuple[str, str]]
    problems: list[tuple[str, str]]
    directories: list[tuple[str, str]]
    rows: dict[str, int] = field(default_factory=dict)


def path_key(source: str, path: str) -> str:
    """The hash by which a path of a deleted run is known."""
    return hashlib.blake2b(f"{source}\0{path}".encode(), digest_size=16).hexdigest()


def deleted_keys(con: duckdb.DuckDBPyConnection, source: str) -> set[str]:
    """The `path_key` of every event file and directory of *source* that deletions took."""
    found = con.execute("SELECT path_key FROM deleted_paths WHERE source = ?", [source])
    return {key for (key,) in found.fetchall()}


def delete_runs(lake: Lake, run_ids: list[int], *, dry_run: bool = False) -> Receipt:
    """Delete runs from every table at once, then from the disk; *dry_run* only counts.

    Readers that are at work may have to repeat a query. Raises `UsageError` for a run that is not
    there, `LakeBusy`, `SpaceError`; where it ends after the commit, the next upkeep goes on.
    """
    begin = time.monotonic()
    at = datetime.now(UTC).isoformat(timespec="seconds")
    if not run_ids:
        return Receipt(at, dry_run, [], {})
    if dry_run:
        going = _find(lake.con, run_ids)
        _count(lake.con, going)
        size = _size(lake.location)
        return Receipt(at, True, going.runs, going.rows, 0, size, size)
    size = _size(lake.location)
    with lake.transaction() as con:
        going = _find(con, run_ids)
        _delete(con, going)
        note(con, "erase", time.time())
    receipt = Receipt(at, False, going.runs, going.rows, bytes_before=size)
    keys = [run["run_key"] for run in going.runs]
    _log(lake.location, {"at": at, "deleted": keys, "rows": going.rows})
    receipt.files_removed, receipt.erased = erase(lake)
    receipt.bytes_after = _size(lake.location)
    receipt.seconds = round(time.monotonic() - begin, 3)
    return receipt


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
    _log(lake.location, {"at": _now(), "erased": clean, "files_removed": removed})
    if clean:
        with lake.transaction() as con:
            con.execute("DELETE FROM upkeep WHERE step = 'erase'")
    return removed, clean


def _find(con: duckdb.DuckDBPyConnection, run_ids: list[int]) -> _Going:
    """What goes with the runs; the table `going` on *con* then holds their numbers."""
    con.register("chosen", pa.table({"run_id": pa.array(sorted(set(run_ids)), pa.int64())}))
    con.execute("CREATE OR REPLACE TEMP TABLE going AS SELECT run_id FROM chosen")
    con.unregister("chosen")
    runs = con.execute(
        "SELECT run_id, run_key, name, source, path FROM run_facts JOIN going USING (run_id)"
        " ORDER BY run_id"
    ).fetchall()
    missing = set(run_ids) - {run[0] for run in runs}
    if missing:
        raise UsageError(
            f"there is no run with run_id {min(missing)}",
            hint="`boardlake runs` lists what there is",
        )
    named = [
        {"run_key": key, "name": name, "source": source, "path": path}
        for _, key, name, source, path in runs
    ]
    files = con.execute("SELECT source, path FROM files JOIN going USING (run_id)").fetchall()
    return _Going(named, files, *_find_paths(con, {run[0] for run in runs}, set(files)))


Paths = list[tuple[str, str]]


def _find_paths(
    con: duckdb.DuckDBPyConnection, gone: set[int], files: set[tuple[str, str]]
) -> tuple[Paths, Paths]:
    """Paths in `problems` and `directories` of which the nearest run above goes."""
    found = con.execute(
        "SELECT source, path, run_id FROM run_facts"
        " WHERE source IN (SELECT source FROM run_facts JOIN going USING (run_id))"
    ).fetchall()
    runs = {(source, "" if path == "." else path): run_id for source, path, run_id in found}
    problems = con.execute("SELECT DISTINCT source, path FROM problems WHERE path <> ''").fetchall()
    directories = con.execute("SELECT DISTINCT source, path FROM directories").fetchall()
    return (
        [place for place in problems if place in files or _nearest(place, runs) in gone],
        [place for place in directories if _nearest(place, runs) in gone],
    )


def _nearest(place: tuple[str, str], runs: dict[tuple[str, str], int]) -> int | None:
    source, path = place
    while path and (source, path) not in runs:
        path = path.rpartition("/")[0]
    return runs.get((source, path))


def _run_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables whose rows belong to a run."""
    found = con.execute(
        "SELECT table_name FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, table_name)"
        " WHERE database_name = 'lake' AND column_name = 'run_id' ORDER BY table_name"
    )
    return [name for (name,) in found.fetchall()]


def _count(con: duckdb.DuckDBPyConnection, going: _Going) -> None:
    for table in _run_tables(con):
        counted = con.execute(f"SELECT count(*) FROM {table} JOIN going USING (run_id)").fetchone()
        going.rows[table] = counted[0] if counted else 0
    for table, places in (("problems", going.problems), ("directories", going.directories)):
        _stage(con, places)
        counted = con.execute(
            f"SELECT count(*) FROM {table} JOIN places USING (source, path)"
        ).fetchone()
        going.rows[table] = counted[0] if counted else 0
        con.unregister("places")


def _delete(con: duckdb.DuckDBPyConnection, going: _Going) -> None:
    low, high = con.execute("SELECT min(run_id), max(run_id) FROM going").fetchall()[0]
    for table in _run_tables(con):
        gone = con.execute(
            f"DELETE FROM {table} WHERE run_id BETWEEN ? AND ?"
            " AND run_id IN (SELECT run_id FROM going)",
            [low, high],
        ).fetchone()
        going.rows[table] = gone[0] if gone else 0
    for table, places in (("problems", going.problems), ("directories", going.directories)):
        _stage(con, places)
        gone = con.execute(
            f"DELETE FROM {table} t USING places p WHERE t.source = p.source AND t.path = p.path"
        ).fetchone()
        going.rows[table] = gone[0] if gone else 0
        con.unregister("places")
    _remember(con, going.files + going.directories)


def _remember(con: duckdb.DuckDBPyConnection, places: Paths) -> None:
    keys = [path_key(source, path) for source, path in places]
    con.register(
        "gone_keys",
        pa.table(
            {
                "source": pa.array([source for source, _ in places], pa.string()),
                "path_key": pa.array(keys, pa.string()),
            }
        ),
    )
    con.execute(
        "INSERT INTO deleted_paths SELECT source, path_key FROM gone_keys"
        " EXCEPT SELECT source, path_key FROM deleted_paths"
    )
    con.unregister("gone_keys")


def _stage(con: duckdb.DuckDBPyConnection, places: Paths) -> None:
    sources = pa.array([source for source, _ in places], pa.string())
    paths = pa.array([path for _, path in places], pa.string())
    con.register("places", pa.table({"source": sources, "path": paths}))


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


def _size(location: Location) -> int:
    """Bytes of the lake on the disk."""
    total = 0
    for folder, _, names in os.walk(location.root):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue
    return total


def _log(location: Location, line: dict[str, object]) -> None:
    """Append to the log of deletions, which names runs by `run_key` only."""
    handle = os.open(location.root / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o664)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
