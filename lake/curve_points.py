"""The statements that read points for charts."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from . import ask
from .buckets import Buckets, Ends, Grid, Part, Target
from .curve_query import LAST_STEP, CurvesQuery, Extent, SeriesRow, listed, widest
from .history import among
from .point_stream import Columns, Job, keys, stream

MAX_SPECIAL = 200
MAX_RESTARTS = 100
_MAX_SUPERSEDED = 100_000
_NO_GRID = Grid(0, 0, 1, 1, True)


@dataclass(frozen=True)
class Wide:
    """A tag whose series go into the buckets of one grid."""

    group: list[SeriesRow]
    extent: Extent
    grid: Grid


class Span(NamedTuple):
    """When the first and the last point of a series were logged, and how many have such a time."""

    low: float
    high: float
    n: int


class Spans:
    """The spans of series that were read lately: they need every point of a series."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[SeriesRow, Span] = OrderedDict()

    def get(self, row: SeriesRow) -> Span | None:
        """The span of the series, if it is known and has not grown."""
        with self._lock:
            return self._known.get(row)

    def put(self, found: Mapping[SeriesRow, Span]) -> None:
        """Keep the spans; those that came first go where there are too many."""
        with self._lock:
            self._known |= found
            while len(self._known) > self._most:
                self._known.popitem(last=False)


class PointsReader:
    """Reads the points of one query; *go_on* as in `curves`."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        query: CurvesQuery,
        go_on: Callable[[], None],
        spans: Spans,
    ) -> None:
        self._con = con
        self._query = query
        self._go_on = go_on
        self._spans = spans
        self._x = "p.step" if query.x == "step" else "p.wall_time"
        # A clock may be NaN, a step cannot.
        self._known = "true" if query.x == "step" else "isfinite(p.wall_time)"

    def measured(self, by_tag: Mapping[str, list[SeriesRow]]) -> dict[str, Extent]:
        """The extent of each tag's points within the window."""
        query = self._query
        if query.x == "step" and query.window is None:
            return {
                tag: Extent(
                    float(min(one.first_step for one in group)),
                    float(max(one.last_step for one in group)), widest(group),
                ) for tag, group in by_tag.items()
            }  # fmt: skip
        rows = [row for group in by_tag.values() for row in group]
        if query.x != "step" and (query.window is None or query.x == "relative"):
            # Relative x starts where the series does, which the window must not move.
            known = {row: span for row in rows if (span := self._spans.get(row))}
            new = self._measure([row for row in rows if row not in known], "")
            self._spans.put(new)
            found = known | new
        else:
            found = self._measure(rows, self._window())
        return {
            tag: self._extent({row: found[row] for row in group if row in found})
            for tag, group in by_tag.items()
        }

    def _measure(self, rows: list[SeriesRow], window: str) -> dict[SeriesRow, Span]:
        jobs = [(row, Target(row.run_id, row.stream, row.tag, _NO_GRID)) for row in rows]
        if not jobs:
            return {}
        columns = Columns(self._x, self._known, False, lambda _: window)
        by_key = {(row.run_id, row.stream, row.tag): row for row in rows}
        found = {}
        for ends in stream(self._con, jobs, columns, Ends, self._go_on):
            for target, low, high, n in ends.found():
                found[by_key[target.run_id, target.stream, target.tag]] = Span(low, high, n)
        return found

    def _extent(self, spans: dict[SeriesRow, Span]) -> Extent:
        if not spans:
            return Extent(0.0, 0.0, 0)
        most = max(one.n for one in spans.values())
        window = self._query.window
        if self._query.x != "relative":
            low = min(one.low for one in spans.values())
            return Extent(*(window or (low, max(one.high for one in spans.values()))), most)
        longest = max(one.high - one.low for one in spans.values())
        low, high = window or (0.0, longest)
        if window and longest > 0:
            # Points lie about evenly in time: good enough to choose between points and buckets.
            most = int(most * min(1.0, max(0.0, high - low) / longest)) or 1
        starts = {(row.run_id, row.stream): one.low for row, one in spans.items()}
        return Extent(low, high, most, starts)

    def exact(self, found: list[SeriesRow], starts: dict[str, Extent]) -> pa.Table:
        """Every point of *found*: i (its place there), x, value, attempt; by i and x.

        *starts* has the extents of those tags that were measured.
        """
        known = len(starts) == len({one.tag for one in found})
        every = [start for one in starts.values() for start in one.starts.values()]
        window = self._window(every if known else ())
        sql = f"""
            SELECT k.i, {self._x} AS x, p.value, p.attempt
            FROM scalar_points p JOIN keys k USING (run_id, stream, tag)
            WHERE {{where}} AND NOT p.superseded AND {self._known} {{window}}
            ORDER BY k.i, x, p.record
        """
        return self._ask(sql, found, window=window)

    def grid(self, extent: Extent) -> Grid:
        """The buckets for what lies within *extent*."""
        low, high = extent.low, extent.high
        if self._query.x != "step":
            return Grid(low, high, high - low, self._query.buckets, False)
        low, high = math.ceil(low), min(math.floor(high), LAST_STEP)
        count = high - low + 1
        return Grid(low, high, count, max(1, int(min(count, self._query.buckets))), True)

    def buckets(self, wide: Sequence[Wide]) -> Iterator[Part]:
        """The filled buckets of all series of *wide*, of finite values."""
        jobs: list[Job] = []
        for one in wide:
            for row in one.group:
                start = one.extent.starts.get((row.run_id, row.stream), 0.0)
                jobs.append((row, Target(row.run_id, row.stream, row.tag, one.grid, start)))
        columns = Columns(self._x, self._known, True, self._window_of)
        for found in stream(self._con, jobs, columns, Buckets, self._go_on):
            yield from found.parts()

    def _window_of(self, targets: Sequence[Target]) -> str:
        return self._window([target.start for target in targets])

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
                                            ORDER BY x) <= {MAX_SPECIAL})
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
        return self._ask(sql, found, window=window, relative=relative)

    def _window(self, starts: Sequence[float] = ()) -> str:
        """The window as a condition: exact, but for relative x only as near as the starts allow."""
        if self._query.window is None:
            return ""
        low, high = self._query.window
        if self._query.x == "step":
            return f"AND p.step BETWEEN {_step(math.ceil(low))} AND {_step(math.floor(high))}"
        if self._query.x == "relative":
            if not starts:
                return ""
            low, high = low + min(starts), high + max(starts)
        return f"AND p.wall_time BETWEEN {low!r}::DOUBLE AND {high!r}::DOUBLE"

    def _ask(
        self,
        sql: str,
        group: list[SeriesRow],
        window: str = "",
        **given: object,
    ) -> pa.Table:
        """The answer to *sql*, in which `keys` (i, run_id, stream, tag) is *group*."""
        params: dict[str, object] = dict(given)
        where = " AND ".join([
            among(sorted({one.run_id for one in group}), "p.run_id", params),
            listed(sorted({one.tag for one in group}), "p.tag", params),
            listed(sorted({one.stream for one in group}), "p.stream", params),
        ])  # fmt: skip
        sql = sql.replace("{where}", where).replace("{window}", window)
        used = {name: value for name, value in params.items() if f"${name}" in sql}
        if "keys" not in sql:
            return ask.read(self._con, lambda: self._con.execute(sql, used).to_arrow_table())
        self._con.register("keys", keys(group))
        try:
            return ask.read(self._con, lambda: self._con.execute(sql, used).to_arrow_table())
        finally:
            self._con.unregister("keys")


def name_of(value: float) -> str:
    """How a value that is not finite is called."""
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _step(value: int) -> int:
    return max(-LAST_STEP, min(value, LAST_STEP))
