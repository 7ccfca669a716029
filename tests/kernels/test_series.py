"""Grouping, attempts, superseded points and figures: compiled against plain, and by hand."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from boardlake.kernels.series import Stats, group, thread, warm
from boardlake.kernels.series_plain import group_plain, thread_plain

STEPS = st.one_of(st.integers(0, 6), st.sampled_from([-(1 << 63), (1 << 63) - 1]))
FLOATS = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324]))
POINTS = st.lists(st.tuples(STEPS, FLOATS, FLOATS), max_size=12)
GROUPS = st.lists(st.tuples(POINTS, st.integers(0, 5), FLOATS), max_size=5)


def columns(groups):
    """The arguments of `thread` for groups of (points, attempt0, shift0)."""
    points = [point for part, _, _ in groups for point in part]
    starts = np.cumsum([0] + [len(part) for part, _, _ in groups])
    dtypes = (np.int64, np.float64, np.float64)
    return (
        *(np.array([p[i] for p in points], dtype) for i, dtype in enumerate(dtypes)),
        starts.astype(np.int64),
        np.array([attempt for _, attempt, _ in groups], np.int64),
        np.array([shift for *_, shift in groups], np.float64),
    )


@given(st.lists(st.integers(0, 7), max_size=60), st.integers(8, 10))
def test_group_is_a_stable_sort(tags, count):
    """Order and starts are those of NumPy's stable sort, tags without points included."""
    tag = np.array(tags, np.int32)
    for actual, expected in zip(group(tag, count), group_plain(tag, count), strict=True):
        np.testing.assert_array_equal(actual, expected)
        assert actual.dtype == expected.dtype


@given(GROUPS)
def test_thread_agrees_with_its_plain_twin(groups):
    """Every field is equal to the bit, whatever the steps and values, huge ones included."""
    arguments = columns(groups)
    actual, expected = thread(*arguments), thread_plain(*arguments)
    np.testing.assert_array_equal(actual.attempt, expected.attempt)
    np.testing.assert_array_equal(actual.superseded, expected.superseded)
    for name, got, want in zip(Stats._fields, actual.stats, expected.stats, strict=True):
        np.testing.assert_array_equal(got, want, err_msg=name)
        assert got.dtype == want.dtype, name


def test_a_restart_supersedes_what_it_repeats():
    """After 0 1 2 3 a restart at 2 drops the old 2 and 3, and the second attempt counts on."""
    points = [(0, 10.0, 5.0), (1, 11.0, 9.0), (2, 12.0, 1.0), (3, 13.0, 1.0),
              (2, 20.0, 3.0), (3, 21.0, math.inf), (4, 22.0, math.nan)]  # fmt: skip
    found = thread(*columns([(points, 4, math.nan)]))
    assert found.attempt.tolist() == [4, 4, 4, 4, 5, 5, 5]
    assert np.flatnonzero(found.superseded).tolist() == [2, 3]
    stats = {name: column[0] for name, column in zip(Stats._fields, found.stats, strict=True)}
    assert math.isnan(stats.pop("last"))
    assert stats == {
        "points": 5, "superseded": 2, "first_step": 0, "last_step": 4,
        "first_wall_time": 10.0, "last_wall_time": 22.0,
        "first": 5.0, "min": 3.0, "min_step": 2, "max": 9.0, "max_step": 1,
        "shift": 5.0, "shift_sum": 2.0, "shift_sum2": 20.0,
        "finite": 3, "nan_count": 1, "nan_step": 4, "inf_count": 1, "inf_step": 3, "attempt": 5,
    }  # fmt: skip


def test_duplicate_steps_keep_the_last():
    """Of points with one step the last stays, and no new attempt begins."""
    found = thread(*columns([([(2, 0.0, 1.0), (2, 0.0, 2.0), (2, 0.0, 3.0)], 0, 0.0)]))
    assert found.superseded.tolist() == [True, True, False]
    assert found.attempt.tolist() == [0, 0, 0]
    assert found.stats.first.tolist() == [3.0]


def test_an_empty_group_has_no_figures():
    """A group without points keeps its attempt and shift and counts nothing."""
    stats = thread(*columns([([], 3, 7.0)])).stats
    assert (stats.points[0], stats.attempt[0], stats.shift[0]) == (0, 3, 7.0)
    assert math.isnan(stats.min[0]) and math.isnan(stats.first[0])


def test_warm_compiles_what_runs():
    """After `warm` the calls of an ingester find their code made."""
    warm()
    before = (len(group.signatures), len(thread.signatures))
    order, starts = group(np.array([1, 0], np.int32), 2)
    thread(order, np.ones(2), np.ones(2), starts, np.zeros(2, np.int64), np.zeros(2))
    assert (len(group.signatures), len(thread.signatures)) == before
