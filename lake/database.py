"""An open lake: one DuckDB connection for reading, or the one writer with its transactions."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import duckdb

from ..core.errors import LakeBusy, LakeError, LakeMissing, SpaceError
from . import lock, migrate
from .location import Location, load_sql

_T = TypeVar("_T")

# Every new Parquet file of the lake; inlining rows into the catalog saves nothing and has open bugs.
_OPTIONS = {
    "data_inlining_row_limit": "0",
    "parquet_compression": "zstd",
    "parquet_version": "2",
    "target_file_size": "128MB",
    # Rows come sorted from the ingester; sorting again on insert would only cost memory.
    "sort_on_insert": "false",
}
# One blob is read by reading its row group, so groups of blobs are small.
_BLOB_ROW_GROUP = "2048"
_MIN_FREE_BYTES = 64 << 20


class Lake:
    """A lake attached as `lake` to a DuckDB connection of its own, with `lake` in use."""

    def __init__(self, location: Location, con: duckdb.DuckDBPyConnection, *, read_only: bool):
        self.location = location
        self.con = con
        self.read_only = read_only
        self.lock_timeout_s = 60.0

    def close(self) -> None:
        """Let go of the catalog."""
        self.con.close()

    def __enter__(self) -> Lake:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """BEGIN..COMMIT under the writers' lock; data files reach the disk before the commit.

        Raises `LakeBusy` when the lock cannot be had, `SpaceError` when a disk is full; nothing of
        the transaction is kept then.
        """
        self._check_space()
        with lock.hold(self.location.lock, self.lock_timeout_s):
            self.con.execute("BEGIN")
            try:
                yield self.con
                self.location.sync()
                self.con.execute("COMMIT")
            except BaseException as error:
                self._rollback()
                raise translate(error, self.location) from error

    @contextmanager
    def exclusive(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The writers' lock without a transaction, for maintenance calls that commit themselves."""
        with lock.hold(self.location.lock, self.lock_timeout_s):
            try:
                yield self.con
            except duckdb.Error as error:
                raise translate(error, self.location) from error
            finally:
                self.location.sync()

    def query(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """All rows of a statement of ours."""
        return reread(lambda: self.con.execute(sql, parameters).fetchall())

    def _rollback(self) -> None:
        try:
            self.con.execute("ROLLBACK")
        except duckdb.Error:
            # A failed COMMIT has already ended the transaction.
            pass

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.location.root).free
        if free < _MIN_FREE_BYTES:
            raise SpaceError(
                f"{self.location.root}: only {free >> 20} MB free, nothing was written",
                hint="free some space and run the command again",
            )


def reread(read: Callable[[], _T]) -> _T:
    """What *read* returns; it is called once more where a deletion took a file from under it.

    Within a transaction that does not help: its snapshot names the same files again.
    """
    try:
        return read()
    except duckdb.IOException as error:
        if "Cannot open file" not in str(error):
            raise
        return read()


def translate(error: BaseException, location: Location) -> BaseException:
    """The error to show for one that came up while writing to the lake."""
    text = str(error)
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    if isinstance(error, duckdb.Error):
        full = "No space left" in text or "disk is full" in text or "disk I/O error" in text
    if full:
        return SpaceError(
            f"{location.root}: the disk is full, nothing of this commit was kept",
            hint="free some space and run the command again",
        )
    if isinstance(error, duckdb.Error):
        if "no transaction is active" in text and "rollback" in text:
            # SQLite ends the transaction by itself when the catalog's disk is full.
            return SpaceError(
                f"{location.catalog}: the catalog could not be written, its disk may be full",
                hint="free some space and run the command again",
            )
        if "database is locked" in text:
            return LakeBusy(
                f"{location.catalog} is locked by another program",
                hint="close other writers of the catalog and try again",
            )
    return error


def open_lake(
    location: Location,
    *,
    read_only: bool = True,
    create: bool = False,
    memory_limit: str = "",
    threads: int = 0,
    migrating: bool = False,
) -> Lake:
    """Open the lake at *location*; with *create* make it where there is none.

    Raises `LakeMissing`, `LakeVersionError` when its schema is of another version (unless
    *migrating*), or `LakeError` when the catalog cannot be read.
    """
    if not location.exists() and not create:
        raise LakeMissing(
            f"there is no lake at {location.root}",
            hint="`boardlake up PATH` makes one, `--lake DIR` names another place",
        )
    if create:
        try:
            location.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LakeError(
                f"no lake can be made at {location.root}: {error.strerror}",
                hint="name another directory with --lake or lake.path",
            ) from error
    con = _connect(memory_limit, threads)
    try:
        _attach(con, location, read_only=read_only and not create)
        con.execute("SET ducklake_max_retry_count = 100")
        if create and not _is_set_up(con):
            with lock.hold(location.lock, 60.0):
                _set_up(con)
        if not migrating:
            migrate.require_current(con, location)
    except BaseException:
        con.close()
        raise
    return Lake(location, con, read_only=read_only)


def _connect(memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
        # Checked, the extensions of the installed wheels would be hashed: a quarter of a second each time.
        "allow_unsigned_extensions": True,
    }
    if memory_limit:
        config["memory_limit"] = memory_limit
    if threads:
        config["threads"] = threads
    con = duckdb.connect(config=config)
    for statement in load_sql():
        con.execute(statement)
    # DuckDB allows this once: from here on no others can be loaded.
    con.execute("SET GLOBAL allow_unsigned_extensions = false")
    # Times in the lake are UTC without a zone; comparing them with now() must not depend on the host.
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    return con


def _attach(con: duckdb.DuckDBPyConnection, location: Location, *, read_only: bool) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            con.execute(location.attach_sql(read_only=read_only))
            con.execute("USE lake")
            return
        except duckdb.Error as error:
            if "database is locked" in str(error) and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            hint = "run `boardlake check` to see what is wrong"
            if "readonly database" in str(error):
                hint = f"you need write permission on {location.root} (SQLite keeps its WAL there)"
            raise LakeError(f"{location.catalog}: {error}", hint=hint) from error


def _is_set_up(con: duckdb.DuckDBPyConnection) -> bool:
    found = con.execute(
        "SELECT count(*) FROM ducklake_options('lake') WHERE option_name = 'parquet_row_group_size'"
    ).fetchone()
    return found is not None and found[0] > 0


def _set_up(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of a new lake; killed at any moment, the next opening goes on."""
    if migrate.version(con) == 0:
        con.execute("BEGIN")
        for name, value in _OPTIONS.items():
            con.execute(f"CALL lake.set_option('{name}', '{value}')")
        migrate.apply_all(con)
        con.execute("COMMIT")
    _prime(con)
    # A table's own options can be set only once the table is committed.
    con.execute(
        f"CALL lake.set_option('parquet_row_group_size', '{_BLOB_ROW_GROUP}', table_name => 'blobs')"
    )


def _prime(con: duckdb.DuckDBPyConnection) -> None:
    """Write a row to every table and take it away again.

    DuckLake 1.5.5 has statistics of a table only once it was written to; without them every query
    of it costs some 2.5 ms per column, and some tables stay empty for long.
    """
    tables = con.execute(
        "SELECT table_name FROM duckdb_tables()"
        " WHERE database_name = 'lake' AND table_name <> 'migrations'"
    ).fetchall()
    for statement in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}"):
        con.execute("BEGIN")
        for (table,) in tables:
            con.execute(statement.format(table))
        con.execute("COMMIT")
