"""The statements that read points for charts, and what charts ask."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from . import ask
from .buckets import Buckets, Grid, Part, Target
from .history import among

T = TypeVar("T")
Axis = Literal["step", "relative", "wall"]

# Up to so many points for each pixel every point is given.
_POINTS_PER_PIXEL = 1.5
_MAX_SPECIAL = 200
# Rows of a batch of points, and buckets that are filled at a time (36 bytes each).
_BATCH = 1 << 16
_CELLS = 1 << 20
# A series of a tag and stream with more points in all has statements of its own, without a join.
_MANY = 1 << 19
_SAFE_STEP = (1 << 63) - 1
MAX_RESTARTS = 100
_MAX_SUPERSEDED = 100_000


@dataclass(frozen=True)
class CurvesQuery:
    """What charts ask: one chart for each tag, of every run and stream that has it.

    With *groups* (lists of run_ids) a chart has one curve for each group instead. *window* leaves
    out points beyond it, *px* is the width of the charts; with *every* no point is left out.
    """

    run_ids: Sequence[int]
    tags: Sequence[str]
    streams: Sequence[str] | None = None
    x: Axis = "step"
    window: tuple[float, float] | None = None
    px: int = 600
    superseded: bool = False
    groups: Sequence[Sequence[int]] | None = None
    every: bool = False

    @property
    def buckets(self) -> int:
        """How many buckets a grid has: the width is rounded so that a resize changes few grids."""
        return int((self.px + 63) // 64 * 64 / _POINTS_PER_PIXEL)

    @property
    def most(self) -> float:
        """Up to so many points a curve is given exactly."""
        return math.inf if self.every else _POINTS_PER_PIXEL * self.px

    @property
    def owners(self) -> dict[int, int]:
        """By run_id the number of its group, or itself where there are none."""
        if self.groups is None:
            return {run_id: run_id for run_id in self.run_ids}
        return {run_id: i for i, group in enumerate(self.groups) for run_id in group}


@dataclass(frozen=True)
class SeriesRow:
    """A row of `series`; *odd* counts values that are not finite, *lost* superseded points."""

    run_id: int
    stream: str
    tag: str
    points: int
    first_step: int
    last_step: int
    odd: int
    lost: int
    attempts: int


@dataclass(frozen=True)
class Extent:
    """Where the x of a tag's points lie, how many the longest series has, where each starts."""

    low: float
    high: float
    widest: int
    starts: dict[tuple[int, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Wide:
    """A tag whose series go into the buckets of one grid."""

    group: list[SeriesRow]
    extent: Extent
    grid: Grid


class PointsReader:
    """Reads the points of one query."""

    def __init__(self, con: duckdb.DuckDBPyConnection, query: CurvesQuery) -> None:
        self._con = con
        self._query = query
        self._x = "p.step" if query.x == "step" else "p.wall_time"
        # A clock may be NaN, a step cannot.
        self._known = "true" if query.x == "step" else "isfinite(p.wall_time)"

    def measured(self, group: list[SeriesRow]) -> Extent:
        """The extent of a tag's points within the window."""
        query = self._query
        low: float
        high: float
        if query.x == "step" and query.window is None:
            low, high = min(one.first_step for one in group), max(one.last_step for one in group)
            return Extent(float(low), float(high), widest(group))
        sql = f"""
            SELECT run_id, stream, min({self._x}) AS low, max({self._x}) AS high, count(*) AS n
            FROM scalar_points p WHERE {{where}} AND NOT superseded AND {self._known} {{window}}
            GROUP BY run_id, stream
        """
        # Relative x starts where the series does, which the window must not move.
        window = "" if query.x == "relative" else self._window()
        table = self._ask(sql, group, _table, window=window).to_pydict()
        if not table["n"]:
            return Extent(0.0, 0.0, 0)
        longest_series = max(table["n"])
        if query.x != "relative":
            low, high = query.window or (min(table["low"]), max(table["high"]))
            return Extent(low, high, longest_series)
        keys = zip(table["run_id"], table["stream"], strict=True)
        longest = max(b - a for a, b in zip(table["low"], table["high"], strict=True))
        low, high = query.window or (0.0, longest)
        if query.window and longest > 0:
            # Points lie about evenly in time: good enough to choose between points and buckets.
            longest_series = int(longest_series * min(1.0, max(0.0, high - low) / longest)) or 1
        return Extent(low, high, longest_series, dict(zip(keys, table["low"], strict=True)))

    def exact(self, found: list[SeriesRow], starts: dict[str, Extent]) -> pa.Table:
        """Every point of *found*: i (its place there), x, value, attempt; by i and x.

        *starts* has the extents of those tags that were measured.
        """
        window = self._window(starts if len(starts) == len({one.tag for one in found}) else {})
        sql = f"""
            SELECT k.i, {self._x} AS x, p.value, p.attempt
            FROM scalar_points p JOIN keys k USING (run_id, stream, tag)
            WHERE {{where}} AND NOT p.superseded AND {self._known} {{window}}
            ORDER BY k.i, x, p.record
        """
        return self._ask(sql, found, _table, window=window)

    def grid(self, extent: Extent) -> Grid:
        """The buckets for what lies within *extent*."""
        low, high = extent.low, extent.high
        if self._query.x != "step":
            return Grid(low, high, high - low, self._query.buckets, False)
        low, high = math.ceil(low), min(math.floor(high), _SAFE_STEP)
        count = high - low + 1
        return Grid(low, high, count, max(1, int(min(count, self._query.buckets))), True)

    def buckets(self, wide: Sequence[Wide], go_on: Callable[[], None]) -> Iterator[Part]:
        """The filled buckets of all series of *wide*, of finite values; *go_on* as in `curves`."""
        for some in _statements(wide):
            go_on()
            yield from self._stream(some)

    def _stream(self, some: list[tuple[SeriesRow, Target]]) -> list[Part]:
        """The buckets of a few series, from points as they are read: never all in memory."""
        group, targets = [row for row, _ in some], [target for _, target in some]
        alone = len({(row.tag, row.stream) for row in group}) == 1
        finite = "isfinite(p.value)" if any(row.odd for row in group) else "true"
        extents: dict[str, Extent] = {}
        for target in targets if self._query.x == "relative" else ():
            known = extents.setdefault(target.tag, Extent(0.0, 0.0, 0))
            known.starts[target.run_id, target.stream] = target.start
        window = self._window(extents)
        # Points that a restart took back are few and far between: mostly there are none to look for.
        kept = "NOT p.superseded" if any(row.lost for row in group) else "true"
        sql = f"""
            SELECT {"p.run_id" if alone else "k.i"} AS owner, {self._x} AS x, p.value AS y
            FROM scalar_points p {"" if alone else "JOIN keys k USING (run_id, stream, tag)"}
            WHERE {{where}} AND {kept} AND {self._known} AND {finite} {{window}}
        """
        numbers = {target.run_id: number for number, target in enumerate(targets)}

        def read(batches: pa.RecordBatchReader) -> list[Part]:
            found = Buckets(targets)
            for batch in batches:
                owner, x, y = (column.to_numpy() for column in batch.columns)
                if alone:
                    owner = _numbered(owner, numbers)
                found.add(owner, x, y)
            return list(found.parts())

        return self._ask(sql, group, lambda con: read(con.to_arrow_reader(_BATCH)), window=window)

    def marks(
        self, group: list[SeriesRow], extent: Extent
    ) -> tuple[dict[tuple[int, str], list[tuple[float, str]]], dict[tuple[int, str], list[float]]]:
        """Values that are not finite, and where attempts begin, by run and stream."""
        special: dict[tuple[int, str], list[tuple[float, str]]] = {}
        restarts: dict[tuple[int, str], list[float]] = {}
        marked = [one for one in group if one.odd or one.attempts > 1]
        if not marked:
            return special, restarts
        sql = f"""
            SELECT run_id, stream, {self._x} AS x, value, attempt FROM scalar_points p
            WHERE {{where}} AND NOT superseded AND {self._known}
            QUALIFY (NOT isfinite(value)
                     AND row_number() OVER (PARTITION BY run_id, stream, isfinite(value)
                                            ORDER BY x) <= {_MAX_SPECIAL})
                 OR (attempt > 0 AND row_number() OVER (PARTITION BY run_id, stream, attempt
                                                        ORDER BY x) = 1)
            ORDER BY run_id, stream, x
        """
        for row in self._ask(sql, marked, _table).to_pylist():
            key = (row["run_id"], row["stream"])
            x = row["x"] - extent.starts.get(key, 0.0)
            if not extent.low <= x <= extent.high:
                continue
            if not np.isfinite(row["value"]):
                special.setdefault(key, []).append((x, name_of(row["value"])))
            elif len(restarts.setdefault(key, [])) < MAX_RESTARTS:
                restarts[key].append(x)
        return special, restarts

    def superseded(self, found: list[SeriesRow]) -> pa.Table | None:
        """The points that a restart took back: i, attempt, x, value; None if they are not wanted."""
        if not self._query.superseded or not any(one.lost for one in found):
            return None
        sql = f"""
            SELECT k.i, p.attempt, {self._x} - (
                       SELECT min({self._x}) FROM scalar_points p
                       WHERE {{where}} AND p.run_id = k.run_id AND p.stream = k.stream
                         AND p.tag = k.tag AND NOT p.superseded) * $relative AS x,
                   p.value
            FROM scalar_points p JOIN keys k USING (run_id, stream, tag)
            WHERE {{where}} AND p.superseded AND {self._known} {{window}}
            ORDER BY k.i, p.attempt, x, p.record LIMIT {_MAX_SUPERSEDED}
        """
        relative = float(self._query.x == "relative")
        window = "" if relative else self._window()
        return self._ask(sql, found, _table, window=window, relative=relative)

    def _window(self, starts: dict[str, Extent] | None = None) -> str:
        """The window as a condition: exact, but for relative x only as near as the starts allow."""
        if self._query.window is None:
            return ""
        low, high = self._query.window
        if self._query.x == "step":
            return f"AND p.step BETWEEN {_step(math.ceil(low))} AND {_step(math.floor(high))}"
        if self._query.x == "relative":
            known = [start for one in (starts or {}).values() for start in one.starts.values()]
            if not known:
                return ""
            low, high = low + min(known), high + max(known)
        return f"AND p.wall_time BETWEEN {low!r}::DOUBLE AND {high!r}::DOUBLE"

    def _ask(
        self,
        sql: str,
        group: list[SeriesRow],
        take: Callable[[duckdb.DuckDBPyConnection], T],
        window: str = "",
        **given: object,
    ) -> T:
        """What *take* takes of the answer to *sql*, in which `keys` (i, run_id, stream, tag) is *group*."""
        params: dict[str, object] = dict(given)
        where = " AND ".join([
            among(sorted({one.run_id for one in group}), "p.run_id", params),
            _listed(sorted({one.tag for one in group}), "p.tag", params),
            _listed(sorted({one.stream for one in group}), "p.stream", params),
        ])  # fmt: skip
        sql = sql.replace("{where}", where).replace("{window}", window)
        used = {name: value for name, value in params.items() if f"${name}" in sql}
        if "keys" not in sql:
            return ask.read(self._con, lambda: take(self._con.execute(sql, used)))
        self._con.register("keys", _keys(group))
        try:
            return ask.read(self._con, lambda: take(self._con.execute(sql, used)))
        finally:
            self._con.unregister("keys")


def _statements(wide: Sequence[Wide]) -> Iterator[list[tuple[SeriesRow, Target]]]:
    """Series that are read together: runs that lie together, and not more buckets than fit."""
    many: dict[tuple[str, str], list[tuple[SeriesRow, Target]]] = {}
    for one in wide:
        for row in one.group:
            start = one.extent.starts.get((row.run_id, row.stream), 0.0)
            target = Target(row.run_id, row.stream, row.tag, one.grid, start)
            many.setdefault((row.tag, row.stream), []).append((row, target))
    few: list[tuple[SeriesRow, Target]] = []
    for some in many.values():
        if sum(row.points for row, _ in some) > _MANY:
            yield from _runs_of(some)
        else:
            few += some
    yield from _runs_of(few)


def _runs_of(some: list[tuple[SeriesRow, Target]]) -> Iterator[list[tuple[SeriesRow, Target]]]:
    part: list[tuple[SeriesRow, Target]] = []
    cells = 0
    for row, target in sorted(some, key=lambda one: (one[0].run_id, one[0].tag, one[0].stream)):
        if part and cells + target.grid.size > _CELLS:
            yield part
            part, cells = [], 0
        part.append((row, target))
        cells += target.grid.size
    if part:
        yield part


def _numbered(run_id: NDArray[np.int64], numbers: dict[int, int]) -> NDArray[np.int64]:
    """The number of each row's run, -1 for others; rows of a run mostly follow one another."""
    moved = np.concatenate(([0], np.flatnonzero(run_id[1:] != run_id[:-1]) + 1))
    of = np.array([numbers.get(one, -1) for one in run_id[moved].tolist()], np.int64)
    return np.repeat(of, np.diff(moved, append=len(run_id)))


def _table(con: duckdb.DuckDBPyConnection) -> pa.Table:
    return con.to_arrow_table()


def series_rows(con: duckdb.DuckDBPyConnection, query: CurvesQuery) -> list[SeriesRow]:
    """The scalar series that *query* means."""
    params: dict[str, object] = {}
    where = [
        among(sorted(query.owners), "run_id", params),
        _listed(list(query.tags), "tag", params),
    ]
    if query.streams is not None:
        where.append(_listed(list(query.streams), "stream", params))
    sql = f"""
        SELECT run_id, stream, tag, points, first_step, last_step,
               nan_count + inf_count AS odd, superseded AS lost, attempts
        FROM series WHERE kind = 'scalar' AND points > 0 AND {" AND ".join(where)}
        ORDER BY tag, run_id, stream
    """
    table = ask.read(con, lambda: con.execute(sql, params).to_arrow_table())
    return [SeriesRow(**row) for row in table.to_pylist()]


def widest(group: list[SeriesRow]) -> int:
    """The points of the longest series."""
    return max(one.points for one in group)


def name_of(value: float) -> str:
    """How a value that is not finite is called."""
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _keys(group: list[SeriesRow]) -> pa.Table:
    return pa.table({
        "i": pa.array(range(len(group)), pa.int32()),
        "run_id": pa.array([one.run_id for one in group], pa.int64()),
        "stream": pa.array([one.stream for one in group], pa.string()),
        "tag": pa.array([one.tag for one in group], pa.string()),
    })  # fmt: skip


def _listed(values: list[str], column: str, params: dict[str, object]) -> str:
    names = [f"v{len(params) + i}" for i in range(len(values))]
    params.update(zip(names, values, strict=True))
    return f"{column} IN ({', '.join(f'${name}' for name in names)})" if names else "false"


def _step(value: int) -> int:
    return max(-_SAFE_STEP, min(value, _SAFE_STEP))
