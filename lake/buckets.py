"""Points of many series into the buckets of grids, batch by batch, without a row for each in Python."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Numbers: TypeAlias = NDArray[Any]

# Below so many rows for each stretch of a series, rows are looked at one by one.
_LONG = 1_000
_LAST_STEP = (1 << 63) - 1


@dataclass(frozen=True)
class Grid:
    """Buckets of one width from *low* to *high*; *by_step* they hold whole steps."""

    low: float
    high: float
    count: float
    size: int
    by_step: bool

    @property
    def width(self) -> float:
        """The width of a bucket in x."""
        return self.count / self.size or 1.0

    @property
    def middles(self) -> Floats:
        """The x of each bucket; of a bucket of one step that step."""
        places = np.arange(self.size, dtype=np.float64) + 0.5
        return np.asarray(self.low + self.width * places - (0.5 if self.by_step else 0.0))

    @cached_property
    def edges(self) -> Numbers:
        """The least x of each bucket; the last one ends with *high*."""
        if not self.by_step:
            return np.asarray(self.low + self.width * np.arange(self.size))
        # Python's integers: far steps times the number of buckets overflow.
        low, count = int(self.low), int(self.count)
        steps = (low + -(-k * count // self.size) for k in range(self.size))
        return np.array([min(step, _LAST_STEP) for step in steps], np.int64)


@dataclass(frozen=True)
class Target:
    """A series whose points go into *grid*; x counts from *start*."""

    run_id: int
    stream: str
    tag: str
    grid: Grid
    start: float = 0.0


@dataclass(frozen=True)
class Part:
    """The filled buckets of one series: *b* are their numbers."""

    run_id: int
    stream: str
    tag: str
    b: Ints
    mean: Floats
    least: Floats
    most: Floats
    n: Ints


class Ends:
    """The least and the largest x of some series, and how many points they have."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._n = np.zeros(len(targets), np.int64)
        self._low, self._high = np.full(len(targets), math.inf), np.full(len(targets), -math.inf)

    def add(self, owner: Ints, x: Numbers, y: Numbers | None = None) -> None:
        """Points of the series with the numbers *owner*; -1 is nobody. In any order."""
        if not len(x):
            return
        begins = np.concatenate(([0], np.flatnonzero(owner[1:] != owner[:-1]) + 1))
        kept = owner[begins] >= 0
        into = owner[begins][kept]
        np.add.at(self._n, into, np.diff(begins, append=len(x))[kept])
        np.minimum.at(self._low, into, np.minimum.reduceat(x, begins)[kept])
        np.maximum.at(self._high, into, np.maximum.reduceat(x, begins)[kept])

    def found(self) -> Iterator[tuple[Target, float, float, int]]:
        """Each series that has points, with its ends and their number."""
        for number in np.flatnonzero(self._n).tolist():
            ends = float(self._low[number]), float(self._high[number])
            yield self._targets[number], *ends, int(self._n[number])


class Buckets:
    """Sums, extremes and counts of the buckets of some series."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._offsets = np.cumsum([0, *(one.grid.size for one in targets)])
        cells = int(self._offsets[-1])
        self._sum, self._n = np.zeros(cells), np.zeros(cells, np.int64)
        self._least, self._most = np.full(cells, math.inf), np.full(cells, -math.inf)

    def add(self, owner: Ints, x: Numbers, y: Numbers | None) -> None:
        """Points of the series with the numbers *owner*; -1 is nobody. In any order."""
        if not len(x) or y is None:
            return
        stretches = np.concatenate(([0], np.flatnonzero(owner[1:] != owner[:-1]) + 1, [len(x)]))
        found = None
        if len(x) >= _LONG * (len(stretches) - 1):
            found = self._cut(owner, x, stretches)
        begins, cells = found or self._place(owner, x, stretches)
        kept = cells >= 0
        n = np.diff(begins, append=len(x))[kept]
        into = cells[kept]
        np.add.at(self._n, into, n)
        with np.errstate(over="ignore"):
            np.add.at(self._sum, into, np.add.reduceat(y, begins)[kept])
        np.minimum.at(self._least, into, np.minimum.reduceat(y, begins)[kept])
        np.maximum.at(self._most, into, np.maximum.reduceat(y, begins)[kept])

    def parts(self) -> Iterator[Part]:
        """What each series with points in its grid has."""
        for number, one in enumerate(self._targets):
            own = slice(*self._offsets[number : number + 2])
            b = np.flatnonzero(self._n[own])
            if len(b):
                n = self._n[own][b]
                yield Part(
                    one.run_id, one.stream, one.tag, b, self._sum[own][b] / n,
                    self._least[own][b], self._most[own][b], n,
                )  # fmt: skip

    def _cut(self, owner: Ints, x: Numbers, stretches: Ints) -> tuple[Ints, Ints] | None:
        """Where each bucket begins in long stretches that are in order of x; None if one is not."""
        begins: list[Ints] = []
        cells: list[Ints] = []
        for a, z in zip(stretches[:-1].tolist(), stretches[1:].tolist(), strict=True):
            number = int(owner[a])
            if number < 0:
                begins.append(np.array([a]))
                cells.append(np.array([-1]))
                continue
            one = self._targets[number]
            at = x[a:z] - one.start if one.start else x[a:z]
            if (at[1:] < at[:-1]).any():
                return None
            ends = np.searchsorted(at, [one.grid.high], "right")
            edges = np.concatenate(([0], np.searchsorted(at, one.grid.edges), ends, [z - a]))
            filled = np.flatnonzero(edges[1:] > edges[:-1])
            # The first and the last of these are what lies outside.
            inside = (filled > 0) & (filled <= one.grid.size)
            begins.append(a + edges[filled])
            cells.append(np.where(inside, self._offsets[number] + filled - 1, -1))
        return np.concatenate(begins), np.concatenate(cells)

    def _place(self, owner: Ints, x: Numbers, stretches: Ints) -> tuple[Ints, Ints]:
        """The same for stretches of any length and order."""
        numbers, lengths = owner[stretches[:-1]], np.diff(stretches)
        cell = np.full(len(x), -1, np.int64)
        grids: dict[int, list[int]] = {}
        for place, number in enumerate(numbers.tolist()):
            if number >= 0:
                grids.setdefault(id(self._targets[number].grid), []).append(place)
        for places in grids.values():
            grid = self._targets[int(numbers[places[0]])].grid
            rows = np.concatenate([np.arange(*stretches[place : place + 2]) for place in places])
            mine = np.repeat(numbers[places], lengths[places])
            at = x[rows]
            starts = np.array([self._targets[number].start for number in numbers[places].tolist()])
            if starts.any():
                at = at - np.repeat(starts, lengths[places])
            b = np.searchsorted(grid.edges, at, "right") - 1
            inside = (b >= 0) & (at <= grid.high)
            cell[rows[inside]] = self._offsets[mine[inside]] + b[inside]
        begins = np.concatenate(([0], np.flatnonzero(cell[1:] != cell[:-1]) + 1))
        return begins, cell[begins]
