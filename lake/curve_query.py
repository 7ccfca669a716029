"""What charts ask, and what is known of the series that they mean before a point is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import duckdb

from . import ask
from .history import among

Axis = Literal["step", "relative", "wall"]

# Up to so many points for each pixel every point is given.
_POINTS_PER_PIXEL = 1.5
LAST_STEP = (1 << 63) - 1


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
    """A row of `series`; *odd* counts values that are not finite, *lost* superseded points.

    While it is the same, so are the points.
    """

    run_id: int
    stream: str
    tag: str
    points: int
    first_step: int
    last_step: int
    last_wall_time: float | None
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


def series_rows(con: duckdb.DuckDBPyConnection, query: CurvesQuery) -> list[SeriesRow]:
    """The scalar series that *query* means."""
    params: dict[str, object] = {}
    where = [
        among(sorted(query.owners), "run_id", params),
        listed(list(query.tags), "tag", params),
    ]
    if query.streams is not None:
        where.append(listed(list(query.streams), "stream", params))
    sql = f"""
        SELECT run_id, stream, tag, points, first_step, last_step,
               last_wall_time, nan_count + inf_count AS odd, superseded AS lost, attempts
        FROM series WHERE kind = 'scalar' AND points > 0 AND {" AND ".join(where)}
        ORDER BY tag, run_id, stream
    """
    table = ask.read(con, lambda: con.execute(sql, params).to_arrow_table())
    return [SeriesRow(**row) for row in table.to_pylist()]


def widest(group: list[SeriesRow]) -> int:
    """The points of the longest series."""
    return max(one.points for one in group)


def listed(values: list[str], column: str, params: dict[str, object]) -> str:
    """A condition that *column* is one of *values*, which are put in *params*."""
    names = [f"v{len(params) + i}" for i in range(len(values))]
    params.update(zip(names, values, strict=True))
    return f"{column} IN ({', '.join(f'${name}' for name in names)})" if names else "false"
