"""The cursors of files and the numbers of runs, as one batch changes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import duckdb
import pyarrow as pa

from ..core.errors import LakeError
from ..core.values import Cursor, FileEntry, Piece, Place

# A file's time before 2000 was put there by a packer.
_PACKED = 946_684_800.0

_TYPES: dict[str, pa.DataType] = {
    "file_id": pa.int64(),
    "run_id": pa.int64(),
    "source": pa.string(),
    "stream": pa.string(),
    "path": pa.string(),
    "size": pa.int64(),
    "mtime_ns": pa.int64(),
    "version": pa.string(),
    "offset_read": pa.int64(),
    "records": pa.int64(),
    "points": pa.int64(),
    "head_bytes": pa.int64(),
    "head_hash": pa.string(),
    "tail_bytes": pa.int64(),
    "tail_hash": pa.string(),
    "content_key": pa.string(),
    "first_wall_time": pa.float64(),
    "last_wall_time": pa.float64(),
    "last_step": pa.int64(),
    "attempts": pa.int32(),
    "created_unix": pa.int64(),
    "host": pa.string(),
    "pid": pa.int64(),
    "writer": pa.string(),
    "grew_at": pa.float64(),
    "status": pa.string(),
}
_COLUMNS = ", ".join(_TYPES)
_CHANGING = [name for name in _TYPES if name not in ("file_id", "source", "path")]


@dataclass
class FileRow:
    """A row of `files`; `known` says that the lake has it already, with the cursor `was`."""

    file_id: int
    run_id: int | None
    source: str
    stream: str
    path: str
    size: int = 0
    mtime_ns: int = 0
    version: str = ""
    offset_read: int = 0
    records: int = 0
    points: int = 0
    head_bytes: int = 0
    head_hash: str = ""
    tail_bytes: int = 0
    tail_hash: str = ""
    content_key: str | None = None
    first_wall_time: float | None = None
    last_wall_time: float | None = None
    last_step: int | None = None
    attempts: int = 0
    created_unix: int | None = None
    host: str | None = None
    pid: int | None = None
    writer: str | None = None
    grew_at: float | None = None
    status: str = ""
    known: bool = field(default=False, compare=False)
    was: Cursor | None = field(default=None, compare=False)

    @property
    def cursor(self) -> Cursor:
        """How far the file has been read."""
        return Cursor(
            self.offset_read,
            self.records,
            self.head_bytes,
            self.head_hash,
            self.tail_bytes,
            self.tail_hash,
        )

    @property
    def order(self) -> tuple[int, str]:
        """The place of this file among the files of its directory."""
        return (self.created_unix or 0, self.path)

    def same_listing(self, entry: FileEntry) -> bool:
        """Whether the listing says that nothing has changed since the file was last looked at."""
        return (
            self.size == entry.size
            and self.mtime_ns == entry.mtime_ns
            and self.version == entry.version
        )


def rows_of_source(con: duckdb.DuckDBPyConnection, source: str) -> dict[str, FileRow]:
    """Every file that the lake knows of *source*, by path relative to its root."""
    cursor = con.execute(f"SELECT {_COLUMNS} FROM files WHERE source = ?", [source])
    return {row[4]: _row(row) for row in cursor.fetchall()}


def _row(values: tuple[Any, ...]) -> FileRow:
    row = FileRow(*values)
    row.known, row.was = True, row.cursor
    return row


class Ledger:
    """Which pieces of a batch count, and what `files` and `run_facts` hold after it."""

    def __init__(self, con: duckdb.DuckDBPyConnection, pieces: list[Piece]) -> None:
        self._rows = _known_rows(con, pieces)
        self._touched: dict[tuple[str, str], FileRow] = {}
        self._runs = _known_runs(con, {piece.place.run_key for piece in pieces})
        self.old_runs = set(self._runs.values())
        self._new: dict[str, Place] = {}
        self._next_file, self._next_run = _next_ids(con)

    @property
    def new_runs(self) -> list[Place]:
        """Runs that this batch makes."""
        return list(self._new.values())

    def accept(self, piece: Piece, now: float) -> FileRow | None:
        """The row of the piece's file, moved on; None where the lake holds another cursor."""
        key = (piece.place.source, piece.entry.path)
        row = self._rows.get(key)
        if (row.cursor if row else None) != piece.before:
            return None
        if row is None:
            row = FileRow(self._next_file, None, key[0], piece.place.stream, key[1])
            self._next_file += 1
            self._rows[key] = row
        self._touched[key] = row
        self._advance(row, piece, now)
        return row

    def fresh_files(self) -> list[tuple[int, int | None, str]]:
        """Files that this batch makes known: (file_id, created_unix, path)."""
        rows = [row for row in self._touched.values() if not row.known]
        return [(row.file_id, row.created_unix, row.path) for row in rows]

    def set_attempts(self, file_id: int, attempts: int) -> None:
        """Record what a derivation says of a file of this batch."""
        for row in self._touched.values():
            if row.file_id == file_id:
                row.attempts = attempts

    def store(self, con: duckdb.DuckDBPyConnection) -> None:
        """Write rows of new runs and files, and move the cursors of known ones."""
        self._store_runs(con)
        fresh = [row for row in self._touched.values() if not row.known]
        if fresh:
            con.register("fresh", _table(fresh))
            con.execute(f"INSERT INTO files ({_COLUMNS}) SELECT {_COLUMNS} FROM fresh")
            con.unregister("fresh")
        moved = [row for row in self._touched.values() if row.known]
        if moved:
            self._move(con, moved)

    def _advance(self, row: FileRow, piece: Piece, now: float) -> None:
        if piece.replaces:
            row.records = row.points = row.attempts = 0
            row.first_wall_time = row.last_wall_time = row.last_step = row.content_key = None
        if piece.after.records and row.run_id is None:
            row.run_id = self._run(piece.place)
            row.stream = piece.place.stream
        grew = piece.after.offset > (piece.before.offset if piece.before else 0) or piece.replaces
        after, facts, entry = piece.after, piece.facts, piece.entry
        row.size, row.mtime_ns, row.version = entry.size, entry.mtime_ns, entry.version
        row.offset_read, row.records = after.offset, after.records
        row.head_bytes, row.head_hash = after.head_bytes, after.head_hash
        row.tail_bytes, row.tail_hash = after.tail_bytes, after.tail_hash
        row.points += piece.points
        row.content_key = row.content_key or facts.content_key
        row.first_wall_time = _least(row.first_wall_time, facts.first_wall_time)
        row.last_wall_time = _most(row.last_wall_time, facts.last_wall_time)
        steps = [int(b.step.max()) for b in piece.blocks if len(b.step)]
        row.last_step = (
            max(steps, default=row.last_step)
            if row.last_step is None
            else max([row.last_step, *steps])
        )
        row.created_unix, row.host, row.pid = facts.created_unix, facts.host, facts.pid
        row.writer = facts.writer or row.writer
        row.status = facts.status
        if grew:
            # A file seen for the first time may be old: its last event says when it grew. Later
            # growth is seen by our own clock, whatever the writer's says.
            first = piece.first_look or row.grew_at is None
            row.grew_at = _written_at(row, now) if first else now

    def _run(self, place: Place) -> int:
        run_id = self._runs.get(place.run_key)
        if run_id is None:
            run_id = self._runs[place.run_key] = self._next_run
            self._next_run += 1
            self._new[place.run_key] = place
        return run_id

    def _store_runs(self, con: duckdb.DuckDBPyConnection) -> None:
        if not self._new:
            return
        places = list(self._new.values())
        names = ("run_key", "source", "machine", "project", "name")
        columns: dict[str, Any] = {name: [getattr(p, name) for p in places] for name in names}
        columns["run_id"] = pa.array([self._runs[key] for key in self._new], pa.int64())
        columns["path"] = [place.run_path for place in places]
        columns["group_name"] = pa.array([place.group or None for place in places], pa.string())
        con.register("new_runs", pa.table(columns))
        con.execute(
            "INSERT INTO run_facts BY NAME"
            " SELECT *, CAST(now() AS TIMESTAMP) AS discovered_at FROM new_runs"
        )
        # What lies in the directory of a new run says more than it did while it was no run's.
        con.execute(
            "DELETE FROM directories d USING new_runs n WHERE d.source = n.source"
            " AND d.path = CASE WHEN n.path = '.' THEN '' ELSE n.path END"
        )
        con.unregister("new_runs")

    def _move(self, con: duckdb.DuckDBPyConnection, moved: list[FileRow]) -> None:
        table = _table(moved)
        was = pa.array([row.was.offset if row.was else 0 for row in moved], pa.int64())
        con.register("moved", table.append_column("was", was))
        assignments = ", ".join(f"{name} = m.{name}" for name in _CHANGING)
        changed = con.execute(
            f"UPDATE files f SET {assignments} FROM moved m"
            " WHERE f.file_id = m.file_id AND f.offset_read = m.was"
        ).fetchone()
        con.unregister("moved")
        if changed is None or changed[0] != len(moved):
            # The rows were read under the same lock, so only a foreign writer can have come between.
            raise LakeError(
                f"{changed} of {len(moved)} cursors could be moved: another program wrote to `files`",
                hint="run the command again; nothing of this batch was kept",
            )


def _table(rows: Iterable[FileRow]) -> pa.Table:
    listed = list(rows)
    arrays = {
        name: pa.array([getattr(row, name) for row in listed], arrow_type, from_pandas=False)
        for name, arrow_type in _TYPES.items()
    }
    return pa.table(arrays)


def _known_rows(
    con: duckdb.DuckDBPyConnection, pieces: list[Piece]
) -> dict[tuple[str, str], FileRow]:
    keys = sorted({(piece.place.source, piece.entry.path) for piece in pieces})
    sources, paths = [key[0] for key in keys], [key[1] for key in keys]
    con.register(
        "wanted",
        pa.table({"source": pa.array(sources, pa.string()), "path": pa.array(paths, pa.string())}),
    )
    names = ", ".join(f"f.{name}" for name in _TYPES)
    found = con.execute(
        f"SELECT {names} FROM files f JOIN wanted w ON f.source = w.source AND f.path = w.path"
    ).fetchall()
    con.unregister("wanted")
    return {(row[2], row[4]): _row(row) for row in found}


def _known_runs(con: duckdb.DuckDBPyConnection, keys: set[str]) -> dict[str, int]:
    con.register("wanted", pa.table({"run_key": pa.array(sorted(keys), pa.string())}))
    found = con.execute("SELECT run_key, run_id FROM run_facts JOIN wanted USING (run_key)")
    runs = dict(found.fetchall())
    con.unregister("wanted")
    return runs


def _next_ids(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    found = con.execute(
        "SELECT (SELECT coalesce(max(file_id), 0) FROM files) + 1,"
        " (SELECT coalesce(max(run_id), 0) FROM run_facts) + 1"
    ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])


def _least(one: float | None, other: float) -> float | None:
    if other != other:
        return one
    return other if one is None else min(one, other)


def _most(one: float | None, other: float) -> float | None:
    if other != other:
        return one
    return other if one is None else max(one, other)


def _written_at(row: FileRow, now: float) -> float:
    """When a file that nobody saw grow was written, in Unix seconds, as far as its times tell."""
    seen = row.last_wall_time if row.last_wall_time is not None else now
    if seen <= now:
        return seen
    # The writer's clock was ahead. The file's own time is another machine's where it was copied.
    made = row.mtime_ns / 1e9
    return min(made, now) if made > _PACKED else now


assert [f.name for f in fields(FileRow)][: len(_TYPES)] == list(_TYPES)
