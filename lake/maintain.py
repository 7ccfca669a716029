"""Upkeep of a lake that grows by small commits: merge, rewrite, fold, expire, clean up, compact."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ..core.errors import LakeBusy
from . import fold
from .catalog import CATALOG, call, compact_catalog, note, times
from .database import Lake
from .erase import erase

_HOUR, _DAY = 3600.0, 86400.0

# Files below a size become one once there are so many of them: an open costs 0.1-0.3 ms, and every
# byte is written a few times in its life at most.
_TIERS = ((2 << 20, 16), (64 << 20, 12))
# A vector of images fills the memory that a writer may use: only small files of them are merged.
_LARGE_ROWS = {"blobs"}
# Deleted rows make a file be rewritten when they are this part of it, and many in the table.
_DELETED_PART, _DELETED_ROWS = 0.2, 10_000
# Files with deleted rows cannot be merged, so not many small ones may gather.
_MOST_SMALL_WITH_DELETES = 8
# On a SQLite catalog times compare by whole days only: two days are one to two in effect.
_KEEP_SNAPSHOTS, _KEEP_FILES = 2 * _DAY, 3 * _DAY
_EVERY = {"fold": _HOUR, "tidy": _DAY, "compact": 7 * _DAY}
_MOST_SNAPSHOTS = 5_000


@dataclass
class Upkeep:
    """What was done: data files merged and rewritten by table, rows of `series_parts` folded away,
    snapshots expired, files removed from the disk, and whether the catalog was compacted."""

    merged: dict[str, int] = field(default_factory=dict)
    rewritten: dict[str, int] = field(default_factory=dict)
    folded: int = 0
    expired: int = 0
    removed: int = 0
    compacted: bool = False
    erased: bool = False
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class _Table:
    """A table's live data files: per tier those that can be merged, and what is deleted in them."""

    name: str
    mergeable: tuple[int, ...]
    small_with_deletes: int
    least_part: float
    deleted_rows: int

    def rewrite_from(self, force: bool) -> float | None:
        """The deleted part from which files are worth rewriting; None if none are."""
        if force:
            return 0.0 if self.least_part else None
        if self.small_with_deletes >= _MOST_SMALL_WITH_DELETES:
            return min(_DELETED_PART, self.least_part * 0.99)
        return _DELETED_PART if self.deleted_rows >= _DELETED_ROWS else None


@dataclass
class _Turn:
    """One round of upkeep: `force` does what is not due yet, `until` (monotonic) ends it early."""

    lake: Lake
    now: float
    force: bool
    until: float
    progress: Callable[[str], None]
    done: Upkeep = field(default_factory=Upkeep)

    def call(self, statement: str) -> pa.Table:
        """One CALL of DuckLake in a lock hold of its own; it commits by itself."""
        with self.lake.exclusive() as con:
            return call(con, statement)


def maintain(
    lake: Lake,
    *,
    force: bool = False,
    now: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Upkeep:
    """Do the upkeep that is due, or with *force* all of it, in short holds of the writers' lock.

    *now* is Unix seconds; *progress* is told each step's name. Readers are not disturbed: what they
    may still read stays for two days. Raises `LakeBusy`, `SpaceError`.
    """
    return _run(_turn(lake, force, now, float("inf"), progress))


def maintain_due(lake: Lake, *, now: float | None = None, budget_s: float = 10.0) -> Upkeep:
    """After a cycle: do what is due, ending after the step in which *budget_s* seconds are over.

    Does nothing while another writer is at work: there will be a next cycle.
    """
    turn = _turn(lake, False, now, time.monotonic() + budget_s, None)
    try:
        return _run(turn)
    except LakeBusy:
        return turn.done


def due(lake: Lake, *, now: float | None = None) -> list[str]:
    """The steps that are due, found in about 10 ms without a look at points."""
    return [name for name, _ in _steps(_turn(lake, False, now, float("inf"), None))]


Step = tuple[str, Callable[[_Turn], None]]


def _turn(
    lake: Lake,
    force: bool,
    now: float | None,
    until: float,
    progress: Callable[[str], None] | None,
) -> _Turn:
    return _Turn(
        lake, time.time() if now is None else now, force, until, progress or (lambda _: None)
    )


def _run(turn: _Turn) -> Upkeep:
    begin = time.monotonic()
    for name, step in _steps(turn):
        if time.monotonic() >= turn.until:
            break
        turn.progress(name)
        step(turn)
    turn.done.seconds = round(time.monotonic() - begin, 3)
    return turn.done


def _steps(turn: _Turn) -> Iterator[Step]:
    """What is due, one after the other; files are counted anew after what changes them."""
    con = turn.lake.con
    # A time in the future is of a clock that was ahead: what was done then is due.
    last = {step: at if at <= turn.now else 0.0 for step, at in times(con).items()}
    if not turn.force and not last.keys() & _EVERY.keys():
        # A new lake: its clocks start now.
        yield "begin", _begin
        last |= dict.fromkeys(_EVERY, turn.now)
    if "erase" in last:
        yield "erase", _erase
    if turn.force:
        yield "flush", _flush
    if turn.force or _fold_is_due(turn, last):
        yield "fold", lambda turn: _fold(turn, last.get("fold", 0.0))
    changed = False
    for table in (tables := _tables(con)):
        part = table.rewrite_from(turn.force)
        if part is not None:
            changed = True
            yield f"rewrite {table.name}", _rewriting(table.name, part)
    for table in _tables(con) if changed else tables:
        tried = turn.now - last.get(f"merge {table.name}", 0.0) < _DAY
        if size := _mergeable(table, turn.force, tried):
            yield f"merge {table.name}", _merging(table.name, size)
    for name, step in (("tidy", _tidy), ("compact", _compact)):
        if turn.force or turn.now - last.get(name, turn.now) >= _EVERY[name]:
            yield name, step


def _mergeable(table: _Table, force: bool, tried: bool) -> int:
    """The size below which files of *table* are to be merged; 0 where none are."""
    if table.name in _LARGE_ROWS:
        small, most = _TIERS[0]
        due = table.mergeable[0] >= (2 if force else most)
        return small if due and (force or not tried) else 0
    if force:
        return 1 << 62 if sum(table.mergeable) > 1 else 0
    full = [size for (size, most), n in zip(_TIERS, table.mergeable, strict=False) if n >= most]
    return 0 if tried else max(full, default=0)


def _tables(con: duckdb.DuckDBPyConnection) -> list[_Table]:
    (low, _), (high, _) = _TIERS
    sql = f"""
        SELECT t.table_name,
               count(*) FILTER (d.gone IS NULL AND f.file_size_bytes < {low}),
               count(*) FILTER (d.gone IS NULL AND f.file_size_bytes BETWEEN {low} AND {high - 1}),
               count(*) FILTER (d.gone IS NULL AND f.file_size_bytes >= {high}),
               count(*) FILTER (d.gone > 0 AND f.file_size_bytes < {high}),
               coalesce(min(d.gone / f.record_count) FILTER (d.gone > 0), 0),
               coalesce(sum(d.gone) FILTER (d.gone >= {_DELETED_PART} * f.record_count), 0)
        FROM {CATALOG}.ducklake_data_file f
        JOIN {CATALOG}.ducklake_table t ON t.table_id = f.table_id AND t.end_snapshot IS NULL
        LEFT JOIN (SELECT data_file_id, sum(delete_count) AS gone
                   FROM {CATALOG}.ducklake_delete_file WHERE end_snapshot IS NULL
                   GROUP BY data_file_id) d ON d.data_file_id = f.data_file_id
        WHERE f.end_snapshot IS NULL GROUP BY t.table_name ORDER BY t.table_name
    """
    return [
        _Table(name, tuple(counts[:3]), counts[3], float(counts[4]), int(counts[5]))
        for name, *counts in con.execute(sql).fetchall()
    ]


def _begin(turn: _Turn) -> None:
    with turn.lake.transaction() as con:
        for step in _EVERY:
            note(con, step, turn.now)


def _erase(turn: _Turn) -> None:
    """Finish a deletion that was stopped halfway."""
    erase(turn.lake)
    turn.done.erased = True


def _flush(turn: _Turn) -> None:
    turn.call("ducklake_flush_inlined_data('lake')")


def _fold_is_due(turn: _Turn, last: dict[str, float]) -> bool:
    at = last.get("fold", turn.now)
    return turn.now - at >= _EVERY["fold"] and fold.any_grown(turn.lake.con, at)


def _fold(turn: _Turn, last: float) -> None:
    for runs in fold.chunks(turn.lake.con, 0.0 if turn.force else last):
        with turn.lake.transaction() as con:
            turn.done.folded += fold.fold(con, runs, least=1 if turn.force else fold.MANY)
    with turn.lake.transaction() as con:
        note(con, "fold", turn.now)


def _rewriting(table: str, part: float) -> Callable[[_Turn], None]:
    def step(turn: _Turn) -> None:
        found = turn.call(
            f"ducklake_rewrite_data_files('lake', '{table}', delete_threshold => {part!r})"
        )
        turn.done.rewritten[table] = _processed(found)

    return step


def _merging(table: str, below: int) -> Callable[[_Turn], None]:
    size = f", max_file_size => {below}" if below < 1 << 62 else ""
    statement = f"ducklake_merge_adjacent_files('lake', '{table}', max_compacted_files => 1{size})"

    def step(turn: _Turn) -> None:
        merged = 0
        while time.monotonic() < turn.until or not merged:
            found = turn.call(statement)
            if not found.num_rows:
                break
            merged += _processed(found)
        if merged:
            turn.done.merged[table] = merged
        elif not turn.force:
            # Files of different schema versions stay apart; there is no use in trying every minute.
            with turn.lake.transaction() as con:
                note(con, f"merge {table}", turn.now)

    return step


def _tidy(turn: _Turn) -> None:
    """Expire snapshots, by id since times compare badly on SQLite; then the files of no one."""
    old = [
        number
        for (number,) in turn.lake.query(
            "SELECT snapshot_id FROM ducklake_snapshots('lake')"
            " WHERE snapshot_time < to_timestamp(?)"
            " AND snapshot_id < (SELECT max(snapshot_id) FROM ducklake_snapshots('lake'))"
            " ORDER BY snapshot_id",
            [turn.now - _KEEP_SNAPSHOTS],
        )
    ]
    for at in range(0, len(old), _MOST_SNAPSHOTS):
        some = old[at : at + _MOST_SNAPSHOTS]
        turn.call(f"ducklake_expire_snapshots('lake', versions => {some})")
        turn.done.expired += len(some)
    before = datetime.fromtimestamp(turn.now - _KEEP_FILES, UTC).strftime("%Y-%m-%d %H:%M:%S+00")
    for name in ("cleanup_old_files", "delete_orphaned_files"):
        found = turn.call(f"ducklake_{name}('lake', older_than => TIMESTAMPTZ '{before}')")
        turn.done.removed += found.num_rows
    with turn.lake.transaction() as con:
        note(con, "tidy", turn.now)


def _compact(turn: _Turn) -> None:
    with turn.lake.transaction() as con:
        note(con, "compact", turn.now)
    with turn.lake.exclusive():
        turn.done.compacted = compact_catalog(turn.lake.location)


def _processed(found: pa.Table) -> int:
    return int(pc.sum(found["files_processed"]).as_py() or 0)
