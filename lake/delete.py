"""Deleting runs for good: rows gone in one commit, then every file and catalog page that held them.

What stays of a run is its `run_key` in the log of deletions, and hashes of its paths, so that files
that still lie in the source are not read again.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from ..core.errors import UsageError
from .catalog import note
from .database import Lake
from .erase import erase, log
from .location import Location


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
    log(lake.location, {"at": at, "deleted": keys, "rows": going.rows})
    receipt.files_removed, receipt.erased = erase(lake)
    receipt.bytes_after = _size(lake.location)
    receipt.seconds = round(time.monotonic() - begin, 3)
    return receipt


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
