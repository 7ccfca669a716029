"""Buckets hold the points that lie in them, however the points arrive."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.lake import buckets
from boardlake.lake.buckets import Buckets, Grid, Target

_steps = st.integers(-(1 << 62), 1 << 62) | st.integers(-50, 50)


@st.composite
def grids(draw: st.DrawFn, by_step: bool) -> Grid:
    """A grid as charts make them: no more buckets than steps."""
    if by_step:
        low, high = sorted((draw(_steps), draw(_steps)))
        return Grid(low, high, high - low + 1, min(high - low + 1, draw(st.integers(1, 40))), True)
    low = draw(st.floats(-1e6, 1e6))
    length = draw(st.just(0.0) | st.floats(1e-3, 1e6))
    return Grid(low, low + length, length, draw(st.integers(1, 40)), False)


@given(st.data(), st.booleans(), st.integers(0, 60), st.sampled_from([1, 1_000]))
def test_each_point_counts_once_in_its_bucket(
    data: st.DataObject, by_step: bool, points: int, long: int
) -> None:
    """As many as there are points in its stretch of the grid, with their mean and extremes."""
    shared = data.draw(grids(by_step))
    series = [
        Target(run, "", "loss", shared, 0.0 if by_step else data.draw(st.sampled_from([0.0, 2.5])))
        for run in range(3)
    ] + [Target(9, "eval", "other", data.draw(grids(by_step)))]
    owner = np.array(data.draw(st.lists(st.integers(-1, 3), min_size=points, max_size=points)))
    owner = owner.astype(np.int64)
    if data.draw(st.booleans()):
        owner = np.sort(owner)
    x = np.array(
        [_near(data, series[max(number, 0)], by_step) for number in owner.tolist()],
        np.int64 if by_step else np.float64,
    )
    if data.draw(st.booleans()):
        order = np.lexsort((x, owner))
        owner, x = owner[order], x[order]
    y = np.array(data.draw(st.lists(st.floats(-10, 10), min_size=points, max_size=points)), float)
    found = Buckets(series)
    cut = data.draw(st.integers(0, points))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "_LONG", long)
        found.add(owner[:cut], x[:cut], y[:cut])
        found.add(owner[cut:], x[cut:], y[cut:])
    parts = {one.run_id: one for one in found.parts()}
    for number, one in enumerate(series):
        mine = owner == number
        want = _by_definition(one, x[mine], y[mine])
        part = parts.get(one.run_id)
        assert set(want) == set(part.b.tolist() if part else ())
        for place, b in enumerate(part.b.tolist() if part else ()):
            assert part is not None and part.n[place] == len(want[b])
            assert (part.least[place], part.most[place]) == (min(want[b]), max(want[b]))
            assert math.isclose(part.mean[place], sum(want[b]) / len(want[b]), abs_tol=1e-9)


def _near(data: st.DataObject, target: Target, by_step: bool) -> float:
    grid = target.grid
    if by_step:
        low, high = int(grid.low), int(grid.high)
        return data.draw(st.integers(low - 3, high + 3) | st.sampled_from([low, high]))
    inside = grid.low + grid.count * data.draw(st.floats(-0.2, 1.2))
    return target.start + data.draw(st.sampled_from([inside, grid.low, grid.high]))


def _by_definition(target: Target, x: np.ndarray, y: np.ndarray) -> dict[int, list[float]]:
    grid, found = target.grid, {}
    for at, value in zip(
        (x - target.start if target.start else x).tolist(), y.tolist(), strict=True
    ):
        if not grid.low <= at <= grid.high:
            continue
        if grid.by_step:
            b = (at - int(grid.low)) * grid.size // int(grid.count)
        else:
            b = int(np.searchsorted(grid.low + grid.width * np.arange(grid.size), at, "right")) - 1
        found.setdefault(b, []).append(value)
    return found
