"""Curves of many runs and tags for charts: exact points where they fit, else buckets of one grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from . import ask
from .history import among

Floats: TypeAlias = NDArray[np.float64]
Axis = Literal["step", "relative", "wall"]

# Up to so many points for each pixel every point is given.
_POINTS_PER_PIXEL = 1.5
_MAX_SPECIAL = 200
# Steps so far apart would overflow when multiplied by the number of buckets.
_SAFE = 1 << 48
_SAFE_STEP = (1 << 63) - 1
_MAX_RESTARTS = 100
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
class Curve:
    """One line: of a run and stream, or of a group; *x* is None where the chart's grid holds.

    *y* is the value or mean; *least*, *most* and *count* are of each bucket, and *std* is that of
    the members of a group. *special* lists (x, name) of values that are not finite.
    """

    owner: int
    stream: str
    n: int
    x: Floats | None
    y: Floats
    least: Floats | None = None
    most: Floats | None = None
    std: Floats | None = None
    count: NDArray[np.uint32] | None = None
    special: list[tuple[float, str]] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    superseded: bool = False


@dataclass(frozen=True)
class Chart:
    """The curves of one tag; *grid* holds the middles of its buckets, None if points are exact."""

    tag: str
    span: tuple[float, float]
    grid: Floats | None
    curves: list[Curve]


def curves(con: duckdb.DuckDBPyConnection, query: CurvesQuery) -> list[Chart]:
    """The charts of *query*, in the order of its tags; a tag that none of the runs has is left out.

    Relative x is seconds since the series' earliest point, wall Unix seconds. A run that is in
    several groups counts in the last. The lake's NaN and infinities are listed, never averaged.
    """
    found = _series(con, query)
    by_tag: dict[str, list[_Series]] = {}
    for one in found:
        by_tag.setdefault(one.tag, []).append(one)
    reader = _Reader(con, query)
    narrow = [tag for tag, group in by_tag.items() if _widest(group) <= query.most]
    wide = {tag: reader.measured(group) for tag, group in by_tag.items() if tag not in narrow}
    if query.groups is None:
        # What lies within the window may be few points of many.
        fits = {tag: extent for tag, extent in wide.items() if extent.widest <= query.most}
        wide = {tag: extent for tag, extent in wide.items() if tag not in fits}
    else:
        fits = {}
        wide |= {tag: reader.measured(by_tag[tag]) for tag in narrow}
        narrow = []
    charts = reader.exact([one for tag in narrow for one in by_tag[tag]], {})
    charts |= reader.exact([one for tag in fits for one in by_tag[tag]], fits)
    for tag, extent in wide.items():
        if extent.widest:
            charts[tag] = reader.bucketed(tag, by_tag[tag], extent)
    return [charts[tag] for tag in dict.fromkeys(query.tags) if tag in charts]


@dataclass(frozen=True)
class _Series:
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
class _Extent:
    """Where the x of a tag's points lie, how many the longest series has, where each starts."""

    low: float
    high: float
    widest: int
    starts: dict[tuple[int, str], float] = field(default_factory=dict)


class _Reader:
    """The statements that read points for one query."""

    def __init__(self, con: duckdb.DuckDBPyConnection, query: CurvesQuery) -> None:
        self._con = con
        self._query = query
        self._x = "p.step" if query.x == "step" else "p.wall_time"
        # A clock may be NaN, a step cannot.
        self._known = "true" if query.x == "step" else "isfinite(p.wall_time)"

    def measured(self, group: list[_Series]) -> _Extent:
        """The extent of a tag's points within the window."""
        query = self._query
        low: float
        high: float
        if query.x == "step" and query.window is None:
            low, high = min(one.first_step for one in group), max(one.last_step for one in group)
            return _Extent(float(low), float(high), _widest(group))
        sql = f"""
            SELECT run_id, stream, min({self._x}) AS low, max({self._x}) AS high, count(*) AS n
            FROM scalar_points p WHERE {{where}} AND NOT superseded AND {self._known} {{window}}
            GROUP BY run_id, stream
        """
        # Relative x starts where the series does, which the window must not move.
        window = "" if query.x == "relative" else self._window()
        table = self._ask(sql, group, window=window).to_pydict()
        if not table["n"]:
            return _Extent(0.0, 0.0, 0)
        widest = max(table["n"])
        if query.x != "relative":
            low, high = query.window or (min(table["low"]), max(table["high"]))
            return _Extent(low, high, widest)
        keys = zip(table["run_id"], table["stream"], strict=True)
        longest = max(b - a for a, b in zip(table["low"], table["high"], strict=True))
        low, high = query.window or (0.0, longest)
        if query.window and longest > 0:
            # Points lie about evenly in time: good enough to choose between points and buckets.
            widest = int(widest * min(1.0, max(0.0, high - low) / longest)) or 1
        return _Extent(low, high, widest, dict(zip(keys, table["low"], strict=True)))

    def exact(self, found: list[_Series], starts: dict[str, _Extent]) -> dict[str, Chart]:
        """Charts of every point, each curve with an x of its own.

        *starts* has the extents of those tags that were measured.
        """
        if not found:
            return {}
        window = self._window(starts if len(starts) == len({one.tag for one in found}) else {})
        sql = f"""
            SELECT k.i, {self._x} AS x, p.value, p.attempt
            FROM scalar_points p JOIN keys k USING (run_id, stream, tag)
            WHERE {{where}} AND NOT p.superseded AND {self._known} {{window}}
            ORDER BY k.i, x, p.record
        """
        table = self._ask(sql, found, window=window)
        i, x, y, attempt = (_numpy(table, name) for name in ("i", "x", "value", "attempt"))
        edges = np.searchsorted(i, np.arange(len(found) + 1))
        lost = self._superseded(found, {})
        drawn: dict[str, list[Curve]] = {}
        for one, a, b in zip(range(len(found)), edges[:-1], edges[1:], strict=True):
            at, value, turn = x[a:b], y[a:b], attempt[a:b]
            if self._query.x == "relative" and b > a:
                extent, key = starts.get(found[one].tag), (found[one].run_id, found[one].stream)
                at = at - (extent.starts[key] if extent else at.min())
                at, value, turn = self._cut(at, value, turn)
            curves = drawn.setdefault(found[one].tag, [])
            if len(at):
                odd = np.flatnonzero(~np.isfinite(value))[:_MAX_SPECIAL]
                again = np.flatnonzero(np.diff(turn))[:_MAX_RESTARTS] + 1
                curves.append(Curve(
                    found[one].run_id, found[one].stream, len(at), at, value,
                    special=[(float(at[j]), _name(value[j])) for j in odd],
                    restarts=at[again].tolist(),
                ))  # fmt: skip
            curves += lost.get(one, [])
        return {
            tag: Chart(tag, _span(curves), None, curves) for tag, curves in drawn.items() if curves
        }

    def bucketed(self, tag: str, group: list[_Series], extent: _Extent) -> Chart:
        """A chart of mean, least and most in the buckets of a grid that all its curves share."""
        low: float = extent.low
        high: float = extent.high
        count: float
        x, join = self._x, ""
        if self._query.x == "relative":
            x, join = f"({x} - k.start)", "JOIN keys k USING (run_id, stream, tag)"
        by_step = self._query.x == "step"
        if by_step:
            # Whole numbers: an eighth of the time that doubles take, and files outside are left out.
            low, high = math.ceil(low), math.floor(high)
        count = high - low + 1 if by_step else high - low
        size = int(min(count, self._query.buckets)) if by_step else self._query.buckets
        width = count / size or 1.0
        bucket = f"({x} - $low) * $size // $count" if by_step and count < _SAFE else (
            f"greatest(least(floor(({x} - $low) / $width), $size - 1), 0)"
        )  # fmt: skip
        finite = "isfinite(value)" if any(one.odd for one in group) else "true"
        whole = by_step and self._query.window is None
        grouped = self._query.groups is not None
        sql = (_GROUPED if grouped else _SINGLE).format(
            buckets=f"""
                SELECT run_id, stream, CAST({bucket} AS USMALLINT) AS b,
                       avg(value) AS mean, min(value) AS least, max(value) AS most, count(*) AS n
                FROM scalar_points p {join}
                WHERE {{where}} AND NOT superseded AND {self._known} AND {finite}
                  AND {"true" if whole else f"{x} BETWEEN $low AND $high"}
                GROUP BY run_id, stream, b
            """
        )
        table = self._ask(
            sql, group, starts=extent.starts,
            low=low, high=high, count=count, size=size, width=width,
        )  # fmt: skip
        curves = _from_buckets(table, size, grouped)
        if not grouped:
            special, restarts = self._marks(group, extent)
            lost = self._superseded(group, extent.starts)
            for curve in curves:
                key = (curve.owner, curve.stream)
                curve.special.extend(special.get(key, []))
                curve.restarts.extend(restarts.get(key, []))
            curves += [curve for group_lost in lost.values() for curve in group_lost]
        middles = np.arange(size, dtype=np.float64) + 0.5
        grid: Floats = np.asarray(low + width * middles - (0.5 if by_step else 0.0), np.float64)
        return Chart(tag, (float(low), float(high)), grid, curves)

    def _marks(
        self, group: list[_Series], extent: _Extent
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
        for row in self._ask(sql, marked).to_pylist():
            key = (row["run_id"], row["stream"])
            x = row["x"] - extent.starts.get(key, 0.0)
            if not extent.low <= x <= extent.high:
                continue
            if not np.isfinite(row["value"]):
                special.setdefault(key, []).append((x, _name(row["value"])))
            elif len(restarts.setdefault(key, [])) < _MAX_RESTARTS:
                restarts[key].append(x)
        return special, restarts

    def _superseded(
        self, found: list[_Series], starts: dict[tuple[int, str], float]
    ) -> dict[int, list[Curve]]:
        """By number of the series, the stretches that a restart took back, if they are wanted."""
        lost = [one for one in found if one.lost]
        if not self._query.superseded or not lost:
            return {}
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
        table = self._ask(sql, found, window="" if relative else self._window(), relative=relative)
        i, attempt, x, y = (_numpy(table, name) for name in ("i", "attempt", "x", "value"))
        turns = np.flatnonzero((np.diff(i, prepend=-1) != 0) | (np.diff(attempt, prepend=-1) != 0))
        curves: dict[int, list[Curve]] = {}
        for a, b in zip(turns, [*turns[1:], len(i)], strict=True):
            one = found[int(i[a])]
            curve = Curve(one.run_id, one.stream, int(b - a), x[a:b], y[a:b], superseded=True)
            curves.setdefault(int(i[a]), []).append(curve)
        return curves

    def _window(self, starts: dict[str, _Extent] | None = None) -> str:
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

    def _cut(self, x: Floats, *others: Floats) -> tuple[Floats, ...]:
        if self._query.window is None:
            return x, *others
        low, high = self._query.window
        inside = (x >= low) & (x <= high)
        return tuple(one[inside] for one in (x, *others))

    def _ask(
        self,
        sql: str,
        group: list[_Series],
        starts: dict[tuple[int, str], float] | None = None,
        window: str = "",
        **given: object,
    ) -> pa.Table:
        """The answer to *sql*, in which `keys` (i, run_id, stream, tag, start, owner) is *group*."""
        params: dict[str, object] = dict(given)
        where = " AND ".join([
            among(sorted({one.run_id for one in group}), "p.run_id", params),
            _listed(sorted({one.tag for one in group}), "p.tag", params),
            _listed(sorted({one.stream for one in group}), "p.stream", params),
        ])  # fmt: skip
        sql = sql.replace("{where}", where).replace("{window}", window)
        used = {name: value for name, value in params.items() if f"${name}" in sql}
        if "keys" not in sql:
            return ask.read(self._con, lambda: self._con.execute(sql, used).to_arrow_table())
        self._con.register("keys", _keys(group, starts or {}, self._query.owners))
        try:
            return ask.read(self._con, lambda: self._con.execute(sql, used).to_arrow_table())
        finally:
            self._con.unregister("keys")


_SINGLE = """
    SELECT run_id AS owner, stream, b, mean, least, most, CAST(NULL AS DOUBLE) AS std, n
    FROM ({buckets}) ORDER BY owner, stream, b
"""
# Each member counts once in a bucket, however many points it has there.
_GROUPED = """
    SELECT owner, stream, b, avg(mean) AS mean, min(mean) AS least, max(mean) AS most,
           stddev_samp(mean) AS std, count(*) AS n
    FROM ({buckets}) JOIN (SELECT DISTINCT run_id, owner FROM keys) USING (run_id)
    GROUP BY owner, stream, b ORDER BY owner, stream, b
"""


def _series(con: duckdb.DuckDBPyConnection, query: CurvesQuery) -> list[_Series]:
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
    return [_Series(**row) for row in table.to_pylist()]


def _keys(
    group: list[_Series], starts: dict[tuple[int, str], float], owners: dict[int, int]
) -> pa.Table:
    return pa.table({
        "i": pa.array(range(len(group)), pa.int32()),
        "run_id": pa.array([one.run_id for one in group], pa.int64()),
        "stream": pa.array([one.stream for one in group], pa.string()),
        "tag": pa.array([one.tag for one in group], pa.string()),
        "start": pa.array([starts.get((one.run_id, one.stream)) for one in group], pa.float64()),
        "owner": pa.array([owners[one.run_id] for one in group], pa.int64()),
    })  # fmt: skip


def _from_buckets(table: pa.Table, size: int, grouped: bool) -> list[Curve]:
    """Curves of rows that are ordered by owner, stream and bucket."""
    owner, b = _numpy(table, "owner"), _numpy(table, "b").astype(np.int64)
    streams: list[str] = table["stream"].to_pylist()
    names = ("mean", "least", "most", "std", "n")
    columns = {name: _numpy(table, name).astype(np.float64) for name in names}
    turns = [
        row for row in range(len(b))
        if not row or owner[row] != owner[row - 1] or streams[row] != streams[row - 1]
    ]  # fmt: skip
    curves = []
    for a, z in zip(turns, [*turns[1:], len(b)], strict=True):
        put = {name: _spread(size, b[a:z], column[a:z]) for name, column in columns.items()}
        count = np.nan_to_num(put["n"])
        curves.append(Curve(
            int(owner[a]), streams[a], int(count.max() if grouped else count.sum()), None,
            put["mean"], put["least"], put["most"], put["std"] if grouped else None,
            count.astype(np.uint32),
        ))  # fmt: skip
    return curves


def _spread(size: int, at: NDArray[np.int64], values: Floats) -> Floats:
    row = np.full(size, np.nan)
    row[at] = values
    return row


def _listed(values: list[str], column: str, params: dict[str, object]) -> str:
    names = [f"v{len(params) + i}" for i in range(len(values))]
    params.update(zip(names, values, strict=True))
    return f"{column} IN ({', '.join(f'${name}' for name in names)})" if names else "false"


def _numpy(table: pa.Table, name: str) -> NDArray[np.float64]:
    array: NDArray[np.float64] = table[name].to_numpy()
    return array


def _widest(group: list[_Series]) -> int:
    return max(one.points for one in group)


def _span(curves: list[Curve]) -> tuple[float, float]:
    ends = [(curve.x.min(), curve.x.max()) for curve in curves if curve.x is not None]
    return float(min(low for low, _ in ends)), float(max(high for _, high in ends))


def _step(value: int) -> int:
    return max(-_SAFE_STEP, min(value, _SAFE_STEP))


def _name(value: float) -> str:
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
