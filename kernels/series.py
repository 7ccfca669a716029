"""Points grouped by series: attempts, what a restart supersedes, and running figures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class Stats(NamedTuple):
    """One entry per group. All but `superseded` and `attempt` speak of live points only.

    A group without points (or finite values, or NaN) has NaN for its floats and 0 for its steps.
    """

    points: NDArray[np.int64]
    superseded: NDArray[np.int64]
    first_step: NDArray[np.int64]
    last_step: NDArray[np.int64]
    first_wall_time: NDArray[np.float64]
    last_wall_time: NDArray[np.float64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    min: NDArray[np.float64]  # of finite values; the step is the earliest on a tie
    min_step: NDArray[np.int64]
    max: NDArray[np.float64]
    max_step: NDArray[np.int64]
    shift: NDArray[np.float64]  # what is taken from every value before it is summed
    shift_sum: NDArray[np.float64]
    shift_sum2: NDArray[np.float64]
    finite: NDArray[np.int64]
    nan_count: NDArray[np.int64]
    nan_step: NDArray[np.int64]  # of the first NaN
    inf_count: NDArray[np.int64]
    inf_step: NDArray[np.int64]
    attempt: NDArray[np.int64]  # of the last point; as it came in if there is none


class Threaded(NamedTuple):
    """What `thread` finds: per point, and per group."""

    attempt: NDArray[np.int32]
    superseded: NDArray[np.bool_]
    stats: Stats


@njit(cache=True, nogil=True)
def group(tag: NDArray[np.int32], tags: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(order, starts): a stable sort by tag; group g is `order[starts[g] : starts[g + 1]]`.

    *tag* [n] holds numbers below *tags*, as `decode` gives them; starts has tags + 1 entries.
    """
    starts = np.zeros(tags + 1, np.int64)
    for number in tag:
        starts[number + 1] += 1
    for g in range(tags):
        starts[g + 1] += starts[g]
    free = starts[:-1].copy()
    order = np.empty(tag.size, np.int64)
    for point in range(tag.size):
        number = tag[point]
        order[free[number]] = point
        free[number] += 1
    return order, starts


@njit(cache=True, nogil=True)
def _mark(
    step: NDArray[np.int64], start: int, end: int, attempt: NDArray[np.int32],
    superseded: NDArray[np.bool_], number: int,
) -> int:  # fmt: skip
    """Fill attempts and what is superseded for one group; the last attempt."""
    for point in range(start, end):
        if point > start and step[point] < step[point - 1]:
            number += 1
        attempt[point] = number
    lowest = np.iinfo(np.int64).max
    for point in range(end - 1, start - 1, -1):
        # The last point is never superseded, whatever its step.
        superseded[point] = point < end - 1 and lowest <= step[point]
        lowest = min(lowest, step[point])
    return number


@njit(cache=True, nogil=True)
def _sum_up(
    step: NDArray[np.int64], wall: NDArray[np.float64], value: NDArray[np.float64],
    superseded: NDArray[np.bool_], start: int, end: int, g: int, stats: Stats,
) -> None:  # fmt: skip
    for point in range(start, end):
        if superseded[point]:
            stats.superseded[g] += 1
            continue
        x = value[point]
        if stats.points[g] == 0:
            stats.first_step[g], stats.first[g] = step[point], x
            stats.first_wall_time[g] = wall[point]
        stats.points[g] += 1
        stats.last_step[g], stats.last[g] = step[point], x
        stats.last_wall_time[g] = wall[point]
        if np.isnan(x):
            if stats.nan_count[g] == 0:
                stats.nan_step[g] = step[point]
            stats.nan_count[g] += 1
            continue
        if np.isinf(x):
            if stats.inf_count[g] == 0:
                stats.inf_step[g] = step[point]
            stats.inf_count[g] += 1
            continue
        if np.isnan(stats.shift[g]):
            stats.shift[g] = x
        if stats.finite[g] == 0 or x < stats.min[g]:
            stats.min[g], stats.min_step[g] = x, step[point]
        if stats.finite[g] == 0 or x > stats.max[g]:
            stats.max[g], stats.max_step[g] = x, step[point]
        stats.finite[g] += 1
        moved = x - stats.shift[g]
        stats.shift_sum[g] += moved
        stats.shift_sum2[g] += moved * moved


@njit(cache=True, nogil=True)
def thread(
    step: NDArray[np.int64],
    wall: NDArray[np.float64],
    value: NDArray[np.float64],
    starts: NDArray[np.int64],
    attempt0: NDArray[np.int64],
    shift0: NDArray[np.float64],
) -> Threaded:
    """Attempts, superseded points and figures of groups whose points lie together in record order.

    Group g is `[starts[g], starts[g + 1])`; its attempts count on from attempt0[g], by one
    wherever a step is smaller than the one before. A point is superseded when a later one of its
    group has the same or a smaller step (TensorBoard's data server, run.rs and reservoir.rs).
    shift0[g] is the shift of the sums; NaN = the group's first finite live value.
    """
    groups = attempt0.size
    attempt, superseded = np.empty(step.size, np.int32), np.empty(step.size, np.bool_)
    stats = Stats(
        np.zeros(groups, np.int64), np.zeros(groups, np.int64),
        np.zeros(groups, np.int64), np.zeros(groups, np.int64),
        np.full(groups, np.nan), np.full(groups, np.nan),
        np.full(groups, np.nan), np.full(groups, np.nan),
        np.full(groups, np.nan), np.zeros(groups, np.int64),
        np.full(groups, np.nan), np.zeros(groups, np.int64),
        shift0.copy(), np.zeros(groups), np.zeros(groups), np.zeros(groups, np.int64),
        np.zeros(groups, np.int64), np.zeros(groups, np.int64),
        np.zeros(groups, np.int64), np.zeros(groups, np.int64),
        attempt0.copy(),
    )  # fmt: skip
    for g in range(groups):
        start, end = starts[g], starts[g + 1]
        stats.attempt[g] = _mark(step, start, end, attempt, superseded, attempt0[g])
        _sum_up(step, wall, value, superseded, start, end, g, stats)
    return Threaded(attempt, superseded, stats)


def warm() -> None:
    """Compile, or load from the cache, everything here."""
    _, starts = group(np.zeros(1, np.int32), 1)
    ones, floats = np.zeros(1, np.int64), np.zeros(1)
    thread(ones, floats, floats, starts, ones, floats)
