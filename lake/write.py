"""A batch of pieces into the lake: rows and cursors in one transaction, exactly once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from ..core.values import Block, Kind, Piece
from . import facts, parquet
from .columns import Filed, parts_table, points_table
from .database import Lake
from .derive import SeriesKey, derive
from .ledger import FileRow, Ledger
from .location import Location

_INSERT_BYTES = 24 << 20
# Measured: lists of numbers take five times their size, byte strings four.
_TIMES, _LEAST_BYTES = 6, 128 << 20
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_TABLES: dict[Kind, str] = {"scalar": "scalar_points", "tensor": "tensors", "blob": "blobs"}
_RETRIES = 100


@dataclass
class Share:
    """What one source had in a batch. `passed_over` are files of which another ingester was faster."""

    points: int = 0
    bytes: int = 0
    new_runs: int = 0
    problems: int = 0
    passed_over: list[str] = field(default_factory=list)


@dataclass
class Written:
    """What a batch came to, and what of it each source did; see `Share`."""

    shares: dict[str, Share] = field(default_factory=dict)

    def of(self, source: str) -> Share:
        """The share of *source*, which may be counted up."""
        return self.shares.setdefault(source, Share())

    @property
    def points(self) -> int:
        """Scalar points stored."""
        return sum(share.points for share in self.shares.values())

    @property
    def new_runs(self) -> int:
        """Runs that were not known before."""
        return sum(share.new_runs for share in self.shares.values())

    @property
    def passed_over(self) -> list[str]:
        """Files of which another ingester was faster."""
        return [path for share in self.shares.values() for path in share.passed_over]


def write(lake: Lake, pieces: list[Piece], *, now: float | None = None) -> Written:
    """Store *pieces* and their cursors in one transaction; *now* is Unix seconds.

    A piece counts only where the lake still holds the cursor that it was read from, so that bytes
    which another ingester has stored meanwhile are passed over. Raises `LakeBusy`, `SpaceError`.
    """
    at = time.time() if now is None else now
    for attempt in range(_RETRIES):
        try:
            with lake.transaction() as con:
                return _write(con, lake.location, pieces, at)
        except duckdb.TransactionException as error:
            # Another program changed the same rows without our lock; read again and go on.
            if attempt + 1 == _RETRIES or "onflict" not in str(error):
                raise
            time.sleep(0.01 * (attempt + 1))
    raise AssertionError("unreachable")


def _write(
    con: duckdb.DuckDBPyConnection, location: Location, pieces: list[Piece], now: float
) -> Written:
    ledger = Ledger(con, pieces)
    result = Written()
    valid: list[tuple[Piece, FileRow]] = []
    # What a block goes on from may differ when the transaction is tried again.
    for piece in map(_copy, pieces):
        row = ledger.accept(piece, now)
        if row is None:
            result.of(piece.place.source).passed_over.append(piece.entry.path)
        else:
            valid.append((piece, row))
    valid.sort(key=lambda pair: (pair[1].run_id or 0, pair[1].stream))
    filed = [
        Filed(piece, row.run_id, row.file_id) for piece, row in valid if row.run_id is not None
    ]
    disturbed = forget_points(con, [row for piece, row in valid if piece.replaces])
    disturbed |= _continue_series(con, ledger, valid)
    points = points_table(filed, "scalar")
    if points is not None:
        parquet.add_points(con, location, points)
    for kind in ("tensor", "blob"):
        _insert(con, _TABLES[kind], points_table(filed, kind))
    _insert(con, "series_parts", parts_table(filed))
    if disturbed:
        for file_id, attempts in derive(con, disturbed, ledger.fresh_files()).items():
            ledger.set_attempts(file_id, attempts)
    ledger.store(con)
    facts.forget_passing(con, [(piece.place.source, piece.entry.path) for piece, _ in valid])
    facts.write_problems(con, [(piece.place.source, piece.problems) for piece, _ in valid], now)
    facts.write_run_facts(con, [(one.run_id, one.piece.facts_of_run) for one in filed])
    for place in ledger.new_runs:
        result.of(place.source).new_runs += 1
    for piece, _ in valid:
        share = result.of(piece.place.source)
        share.points += piece.points
        share.bytes += piece.bytes_read
        share.problems += len(piece.problems)
    return result


def _copy(piece: Piece) -> Piece:
    """The piece with figures of its own; the points stay shared."""
    blocks = [
        replace(block, stats={name: figures.copy() for name, figures in block.stats.items()})
        for block in piece.blocks
    ]
    return replace(piece, blocks=blocks)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table | None) -> None:
    if rows is None or rows.num_rows == 0:
        return
    # DuckDB holds what it writes several times over: images are given to it a part at a time.
    most = max(1, rows.num_rows * _INSERT_BYTES // max(rows.nbytes, 1))
    for start in range(0, rows.num_rows, most):
        part = rows.slice(start, most)
        con.register("batch", part)
        with _room(con, part.nbytes):
            con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")
        con.unregister("batch")


@contextmanager
def _room(con: duckdb.DuckDBPyConnection, nbytes: int) -> Iterator[None]:
    """Within it a statement may take what rows of *nbytes* need: one value may be of 256 MB."""
    if nbytes <= _INSERT_BYTES:
        yield
        return
    ((before,),) = con.execute("SELECT current_setting('memory_limit')").fetchall()
    number, unit = str(before).split()
    need = _LEAST_BYTES + _TIMES * nbytes
    if float(number) * _UNITS[unit] < need:
        con.execute(f"SET memory_limit = '{need}B'")
    try:
        yield
    finally:
        # What it still holds on to it gives back later.
        with suppress(duckdb.OutOfMemoryException):
            con.execute(f"SET memory_limit = '{before}'")


def forget_points(con: duckdb.DuckDBPyConnection, rows: list[FileRow]) -> set[SeriesKey]:
    """Delete the points and problems of files; returns the series of other files, to be derived."""
    rows = [row for row in rows if row.known]
    if not rows:
        return set()
    con.register(
        "replaced",
        pa.table(
            {
                "file_id": pa.array([row.file_id for row in rows], pa.int64()),
                "run_id": pa.array([row.run_id for row in rows], pa.int64()),
                "source": pa.array([row.source for row in rows], pa.string()),
                "path": pa.array([row.path for row in rows], pa.string()),
            }
        ),
    )
    touched = con.execute(
        "SELECT DISTINCT o.run_id, o.stream, o.tag, o.kind FROM series_parts s"
        " JOIN replaced r ON r.file_id = s.file_id AND r.run_id = s.run_id"
        " JOIN series_parts o ON (o.run_id, o.stream, o.tag, o.kind) = (s.run_id, s.stream, s.tag, s.kind)"
        " WHERE o.file_id NOT IN (SELECT file_id FROM replaced)"
    ).fetchall()
    for table in (*_TABLES.values(), "series_parts"):
        con.execute(
            f"DELETE FROM {table} t USING replaced r"
            " WHERE t.run_id = r.run_id AND t.file_id = r.file_id"
        )
    con.execute(
        "DELETE FROM problems p USING replaced r WHERE p.source = r.source AND p.path = r.path"
    )
    con.unregister("replaced")
    return {(run_id, stream, tag, kind) for run_id, stream, tag, kind in touched}


@dataclass
class _Tail:
    """Where a series ends: its last file in order, last step, attempt, and the shift of its sums."""

    order: tuple[int, str]
    step: int
    attempt: int
    shift: float | None


_Tails = dict[str, _Tail]


def _continue_series(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, valid: Iterable[tuple[Piece, FileRow]]
) -> set[SeriesKey]:
    """Let every block go on where its series ends in the lake; returns the series that do not.

    Attempts and sums of a piece count from nothing, since it was decoded without a look at the lake.
    """
    tails = _load_tails(con, ledger)
    disturbed: set[SeriesKey] = set()
    for piece, row in valid:
        if row.run_id is None:
            continue
        for block in piece.blocks:
            key = (row.run_id, row.stream, block.kind)
            known = tails.get(key)
            if known is not None:
                broken = _continue_block(block, known, row.order)
                disturbed.update((row.run_id, row.stream, tag, block.kind) for tag in broken)
            _remember(tails.setdefault(key, {}), block, row.order)
            row.attempts = max(row.attempts, int(block.stats["attempt"].max(initial=0)) + 1)
    return disturbed


def _continue_block(block: Block, known: _Tails, order: tuple[int, str]) -> list[str]:
    broken = []
    stats = block.stats
    before = np.zeros(len(block.tags), np.int32)
    for group, tag in enumerate(block.tags):
        tail = known.get(tag)
        if tail is None:
            continue
        if order < tail.order or stats["first_step"][group] <= tail.step:
            broken.append(tag)
        before[group] = tail.attempt
        if tail.shift is not None and stats["finite"][group]:
            _rebase(stats, group, tail.shift)
    if before.any():
        block.attempt = block.attempt + np.repeat(before, np.diff(block.starts))
        stats["attempt"] += before
    return broken


def _rebase(stats: dict[str, Any], group: int, shift: float) -> None:
    """Sums of (v - a) and (v - a)^2 as sums of (v - shift) and (v - shift)^2, over n values."""
    n, gap = int(stats["finite"][group]), float(stats["shift"][group]) - shift
    total = float(stats["shift_sum"][group])
    with np.errstate(over="ignore", invalid="ignore"):
        stats["shift_sum2"][group] += 2 * gap * total + n * gap * gap
        stats["shift_sum"][group] = total + n * gap
    stats["shift"][group] = shift


def _remember(known: _Tails, block: Block, order: tuple[int, str]) -> None:
    stats = block.stats
    for group, tag in enumerate(block.tags):
        shift = float(stats["shift"][group]) if stats["finite"][group] else None
        tail = known.get(tag)
        if tail is None:
            step, attempt = int(stats["last_step"][group]), int(stats["attempt"][group])
            known[tag] = _Tail(order, step, attempt, shift)
            continue
        tail.order = max(order, tail.order)
        tail.step = max(tail.step, int(stats["last_step"][group]))
        tail.attempt = int(stats["attempt"][group])
        tail.shift = shift if tail.shift is None else tail.shift


def _load_tails(
    con: duckdb.DuckDBPyConnection, ledger: Ledger
) -> dict[tuple[int, str, Kind], _Tails]:
    runs = sorted(ledger.old_runs)
    tails: dict[tuple[int, str, Kind], _Tails] = {}
    if not runs:
        return tails
    con.register("old_runs", pa.table({"run_id": pa.array(runs, pa.int64())}))
    orders = {
        file_id: (created or 0, path)
        for file_id, created, path in con.execute(
            "SELECT file_id, created_unix, path FROM files JOIN old_runs USING (run_id)"
        ).fetchall()
    }
    found = con.execute(
        "SELECT run_id, stream, kind, tag, max(last_step), max(attempt), any_value(shift),"
        " list(DISTINCT file_id) FROM series_parts JOIN old_runs USING (run_id) GROUP BY ALL"
    ).fetchall()
    con.unregister("old_runs")
    for run_id, stream, kind, tag, step, attempt, shift, file_ids in found:
        order = max(orders.get(file_id, (0, "")) for file_id in file_ids)
        known = tails.setdefault((run_id, stream, kind), {})
        known[tag] = _Tail(order, -(2**63) if step is None else step, attempt, shift)
    return tails
