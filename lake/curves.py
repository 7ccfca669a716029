"""Curves of many runs and tags for charts: exact points where they fit, else buckets of one grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .buckets import Part
from .curve_points import MAX_RESTARTS, MAX_SPECIAL, PointsReader, Spans, Wide, name_of
from .curve_query import CurvesQuery, Extent, SeriesRow, series_rows, widest

Floats: TypeAlias = NDArray[np.float64]


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


def curves(
    con: duckdb.DuckDBPyConnection,
    query: CurvesQuery,
    go_on: Callable[[], None] = lambda: None,
    spans: Spans | None = None,
) -> list[Chart]:
    """The charts of *query*, in the order of its tags; a tag that none of the runs has is left out.

    Relative x is seconds since the series' earliest point, wall Unix seconds. The lake's NaN and
    infinities are listed, never averaged. A run that is in several groups counts in the last.
    *go_on* is called before each larger piece of work; what it raises ends it. *spans* remembers
    from one call to the next what takes a look at every point.
    """
    by_tag: dict[str, list[SeriesRow]] = {}
    for one in series_rows(con, query):
        by_tag.setdefault(one.tag, []).append(one)
    reader = PointsReader(con, query, go_on, spans or Spans())
    if query.groups is not None:
        charts = _grouped(reader, query, by_tag)
    else:
        charts = _single(reader, query, by_tag)
    return [charts[tag] for tag in dict.fromkeys(query.tags) if tag in charts]


def _single(
    reader: PointsReader,
    query: CurvesQuery,
    by_tag: dict[str, list[SeriesRow]],
) -> dict[str, Chart]:
    narrow = {tag for tag, group in by_tag.items() if widest(group) <= query.most}
    wide = reader.measured({tag: group for tag, group in by_tag.items() if tag not in narrow})
    # What lies within the window may be few points of many.
    fits = {tag: extent for tag, extent in wide.items() if extent.widest <= query.most}
    charts = _exact(reader, query, [one for tag in narrow for one in by_tag[tag]], {})
    charts |= _exact(reader, query, [one for tag in fits for one in by_tag[tag]], fits)
    many = {
        tag: Wide(by_tag[tag], extent, reader.grid(extent))
        for tag, extent in wide.items()
        if tag not in fits and extent.widest
    }
    parts: dict[str, list[Part]] = {}
    for part in reader.buckets(list(many.values())):
        parts.setdefault(part.tag, []).append(part)
    return charts | {
        tag: _bucketed(reader, tag, one, parts[tag]) for tag, one in many.items() if tag in parts
    }


def _exact(
    reader: PointsReader, query: CurvesQuery, found: list[SeriesRow], extents: dict[str, Extent]
) -> dict[str, Chart]:
    """Charts of every point, each curve with an x of its own."""
    if not found:
        return {}
    table = reader.exact(found, extents)
    i, x, y, attempt = (_numpy(table, name) for name in ("i", "x", "value", "attempt"))
    edges = np.searchsorted(i, np.arange(len(found) + 1))
    lost = _superseded(reader, found)
    drawn: dict[str, list[Curve]] = {}
    for number, (one, a, b) in enumerate(zip(found, edges[:-1], edges[1:], strict=True)):
        at, value, turn = x[a:b], y[a:b], attempt[a:b]
        if query.x == "relative" and b > a:
            extent = extents.get(one.tag)
            at = at - (extent.starts[one.run_id, one.stream] if extent else at.min())
            at, value, turn = _cut(query.window, at, value, turn)
        curves = drawn.setdefault(one.tag, [])
        if len(at):
            odd = np.flatnonzero(~np.isfinite(value))[:MAX_SPECIAL]
            again = np.flatnonzero(np.diff(turn))[:MAX_RESTARTS] + 1
            curves.append(Curve(
                one.run_id, one.stream, len(at), at, value,
                special=[(float(at[j]), name_of(value[j])) for j in odd],
                restarts=at[again].tolist(),
            ))  # fmt: skip
        curves += lost.get(number, [])
    return {tag: Chart(tag, _span(curves), None, curves) for tag, curves in drawn.items() if curves}


def _bucketed(reader: PointsReader, tag: str, wide: Wide, parts: list[Part]) -> Chart:
    """A chart of mean, least and most in the buckets of a grid that all its curves share."""
    grid = wide.grid
    special, restarts = reader.marks(wide.group, wide.extent)
    curves = []
    for part in sorted(parts, key=_order):
        key = (part.run_id, part.stream)
        mean, least, most = (
            _spread(grid.size, part.b, one) for one in (part.mean, part.least, part.most)
        )
        count = np.zeros(grid.size, np.uint32)
        count[part.b] = part.n
        curves.append(Curve(
            part.run_id, part.stream, int(part.n.sum()), None, mean, least, most, count=count,
            special=special.get(key, []), restarts=restarts.get(key, []),
        ))  # fmt: skip
    lost = _superseded(reader, wide.group)
    curves += [curve for some in lost.values() for curve in some]
    return Chart(tag, (float(grid.low), float(grid.high)), grid.middles, curves)


def _order(part: Part) -> tuple[int, str]:
    return part.run_id, part.stream


def _grouped(
    reader: PointsReader,
    query: CurvesQuery,
    by_tag: dict[str, list[SeriesRow]],
) -> dict[str, Chart]:
    """Charts with a curve for each group and stream: mean, least, most, std, number of members.

    A member counts once in each bucket from its first point to its last. Between two of its points
    it is interpolated: else a mean would jump with whoever happens to have a point there.
    """
    extents = reader.measured(by_tag)
    wide = {
        tag: Wide(by_tag[tag], extent, reader.grid(extent))
        for tag, extent in extents.items()
        if extent.widest
    }
    owners = query.owners
    sums: dict[str, dict[tuple[int, str], _Sums]] = {}
    for part in reader.buckets(list(wide.values())):
        size, of_tag = wide[part.tag].grid.size, sums.setdefault(part.tag, {})
        member = np.interp(np.arange(size), part.b, part.mean, np.nan, np.nan)
        key = (owners[part.run_id], part.stream)
        if key not in of_tag:
            of_tag[key] = _Sums(size, float(part.mean[0]))
        of_tag[key].add(member)
    charts = {}
    for tag, found in sums.items():
        grid = wide[tag].grid
        curves = [one.curve(*key) for key, one in sorted(found.items())]
        charts[tag] = Chart(tag, (float(grid.low), float(grid.high)), grid.middles, curves)
    return charts


class _Sums:
    """Statistics over members, one after another; relative to a value of theirs, for exactness."""

    def __init__(self, size: int, shift: float) -> None:
        self._shift = shift
        self._n = np.zeros(size, np.uint32)
        self._sum, self._squares = np.zeros(size), np.zeros(size)
        self._least, self._most = np.full(size, np.nan), np.full(size, np.nan)

    def add(self, member: Floats) -> None:
        """A member's value in each bucket, NaN where it has none."""
        off = np.nan_to_num(member - self._shift)
        self._n += ~np.isnan(member)
        self._sum += off
        self._squares += off * off
        self._least = np.fmin(self._least, member)
        self._most = np.fmax(self._most, member)

    def curve(self, owner: int, stream: str) -> Curve:
        """The group's line."""
        n = np.maximum(self._n, 1)
        mean = np.where(self._n > 0, self._shift + self._sum / n, np.nan)
        spread = np.maximum(self._squares - self._sum * self._sum / n, 0) / np.maximum(n - 1, 1)
        std = np.where(self._n > 1, np.sqrt(spread), np.nan)
        most = int(self._n.max(initial=0))
        return Curve(owner, stream, most, None, mean, self._least, self._most, std, self._n)


def _superseded(reader: PointsReader, found: list[SeriesRow]) -> dict[int, list[Curve]]:
    """By number of the series, the stretches that a restart took back, if they are wanted."""
    table = reader.superseded(found)
    if table is None:
        return {}
    i, attempt, x, y = (_numpy(table, name) for name in ("i", "attempt", "x", "value"))
    moved = (np.diff(i, prepend=-1) != 0) | (np.diff(attempt, prepend=-1) != 0)
    curves: dict[int, list[Curve]] = {}
    for a, b in _stretches(moved):
        one = found[int(i[a])]
        curve = Curve(one.run_id, one.stream, int(b - a), x[a:b], y[a:b], superseded=True)
        curves.setdefault(int(i[a]), []).append(curve)
    return curves


def _stretches(moved: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """From where to where rows belong together, by whether each begins anew; the first always does."""
    edges = [*np.flatnonzero(moved).tolist(), len(moved)]
    return list(zip(edges[:-1], edges[1:], strict=True))


def _cut(window: tuple[float, float] | None, x: Floats, *others: Floats) -> tuple[Floats, ...]:
    if window is None:
        return x, *others
    inside = (x >= window[0]) & (x <= window[1])
    return tuple(one[inside] for one in (x, *others))


def _spread(size: int, at: NDArray[np.int64], values: Floats) -> Floats:
    row = np.full(size, np.nan)
    row[at] = values
    return row


def _numpy(table: pa.Table, name: str) -> NDArray[np.float64]:
    array: NDArray[np.float64] = table[name].to_numpy()
    return array


def _span(curves: list[Curve]) -> tuple[float, float]:
    ends = [(curve.x.min(), curve.x.max()) for curve in curves if curve.x is not None]
    return float(min(low for low, _ in ends)), float(max(high for _, high in ends))
