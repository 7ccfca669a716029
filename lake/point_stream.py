"""Points of many series as they are read: in batches, by several threads, never all in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from . import ask
from .buckets import Ints, Numbers, Target
from .curve_query import SeriesRow, listed
from .history import among

Job = tuple[SeriesRow, Target]
_F = TypeVar("_F", bound="Fold")

# Rows of a batch of points, and buckets that are filled at a time (36 bytes each).
_BATCH = 1 << 16
_CELLS = 1 << 20
# A series of a tag and stream with more points in all has statements of its own, without a join.
_MANY = 1 << 19
# One statement streams on one core.
_CORES = os.cpu_count() or 1


class Fold(Protocol):
    """What points are put into: their series by number (-1: another one), x, and value if asked."""

    def add(self, owner: Ints, x: Numbers, y: Numbers | None) -> None:
        """Take a batch."""


@dataclass(frozen=True)
class Columns:
    """What is read of a point that *known* holds for; of finite values only where *values* are."""

    x: str
    known: str
    values: bool
    window: Callable[[Sequence[Target]], str]


def stream(
    con: duckdb.DuckDBPyConnection,
    jobs: Sequence[Job],
    columns: Columns,
    fold: Callable[[Sequence[Target]], _F],
    go_on: Callable[[], None],
) -> Iterator[_F]:
    """Put the points on the curve of all *jobs* into folds, each for some of their targets.

    *go_on* is called before each; what it raises ends the reading.
    """
    parts = _parted(jobs)
    if len(parts) == 1 or sum(row.points for row, _ in jobs) <= _MANY:
        for part in parts:
            go_on()
            yield _read(con, part, columns, fold)
        return
    with ThreadPoolExecutor(_CORES, thread_name_prefix="points") as pool:
        pending: deque[Future[_F]] = deque()
        try:
            for part in parts:
                go_on()
                pending.append(pool.submit(_read_apart, con.cursor(), part, columns, fold))
                if len(pending) > _CORES:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for one in pending:
                one.cancel()


def _read_apart(
    con: duckdb.DuckDBPyConnection,
    part: list[Job],
    columns: Columns,
    fold: Callable[[Sequence[Target]], _F],
) -> _F:
    try:
        return _read(con, part, columns, fold)
    finally:
        con.close()


def _read(
    con: duckdb.DuckDBPyConnection,
    part: list[Job],
    columns: Columns,
    fold: Callable[[Sequence[Target]], _F],
) -> _F:
    group, targets = [row for row, _ in part], [target for _, target in part]
    alone = len({(row.tag, row.stream) for row in group}) == 1
    params: dict[str, object] = {}
    where = [
        among(sorted({row.run_id for row in group}), "p.run_id", params),
        listed(sorted({row.tag for row in group}), "p.tag", params),
        listed(sorted({row.stream for row in group}), "p.stream", params),
        columns.known,
        # Of most series neither is there to look for.
        "NOT p.superseded" if any(row.lost for row in group) else "true",
        "isfinite(p.value)" if columns.values and any(row.odd for row in group) else "true",
    ]
    sql = f"""
        SELECT {"p.run_id" if alone else "k.i"} AS owner, {columns.x} AS x
               {", p.value AS y" if columns.values else ""}
        FROM lake.main.scalar_points p {"" if alone else "JOIN keys k USING (run_id, stream, tag)"}
        WHERE {" AND ".join(where)} {columns.window(targets)}
    """
    numbers = {target.run_id: number for number, target in enumerate(targets)}

    def take() -> _F:
        found = fold(targets)
        for batch in con.execute(sql, params).to_arrow_reader(_BATCH):
            owner, x, *y = (column.to_numpy() for column in batch.columns)
            found.add(_numbered(owner, numbers) if alone else owner, x, y[0] if y else None)
        return found

    if alone:
        return ask.read(con, take)
    con.register("keys", keys(group))
    try:
        return ask.read(con, take)
    finally:
        con.unregister("keys")


def _parted(jobs: Sequence[Job]) -> list[list[Job]]:
    """Series that are read together: runs that lie together, and not more buckets than fit."""
    many: dict[tuple[str, str], list[Job]] = {}
    for row, target in jobs:
        many.setdefault((row.tag, row.stream), []).append((row, target))
    few: list[Job] = []
    parts: list[list[Job]] = []
    for some in many.values():
        if sum(row.points for row, _ in some) > _MANY:
            parts += _by_runs(some)
        else:
            few += some
    return parts + _by_runs(few)


def _by_runs(some: list[Job]) -> list[list[Job]]:
    parts: list[list[Job]] = []
    most = max(_MANY, sum(row.points for row, _ in some) / _CORES)
    cells = points = 0
    for row, target in sorted(some, key=lambda one: (one[0].run_id, one[0].tag, one[0].stream)):
        cells, points = cells + target.grid.size, points + row.points
        if not parts or cells > _CELLS or points > most:
            parts.append([])
            cells, points = target.grid.size, row.points
        parts[-1].append((row, target))
    return parts


def _numbered(run_id: Ints, numbers: dict[int, int]) -> Ints:
    """The number of each row's run, -1 for others; rows of a run mostly follow one another."""
    if not len(run_id):
        return run_id
    moved = np.concatenate(([0], np.flatnonzero(run_id[1:] != run_id[:-1]) + 1))
    of: NDArray[np.int64] = np.array([numbers.get(one, -1) for one in run_id[moved].tolist()])
    return np.repeat(of, np.diff(moved, append=len(run_id)))


def keys(group: Sequence[SeriesRow]) -> pa.Table:
    """The series of *group* with their places in it: i, run_id, stream, tag."""
    return pa.table({
        "i": pa.array(range(len(group)), pa.int32()),
        "run_id": pa.array([one.run_id for one in group], pa.int64()),
        "stream": pa.array([one.stream for one in group], pa.string()),
        "tag": pa.array([one.tag for one in group], pa.string()),
    })  # fmt: skip
