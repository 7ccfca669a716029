"""Rank statistics: worked examples by hand, and scipy's word for any numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from boardlake.core import ranks, trend

# Few different values: ties are what goes wrong.
_SOME = st.floats(-3, 3).map(lambda value: round(value, 1)) | st.floats(allow_nan=False)
_PAIRS = st.lists(st.tuples(_SOME, _SOME), min_size=3, max_size=40)


@pytest.fixture(scope="module")
def stats() -> Any:
    """scipy, which comes with scikit-learn."""
    return pytest.importorskip("scipy.stats")


def test_ranks_share_their_places() -> None:
    """Equal values have the mean of their places."""
    values = np.array([3.0, 1.0, 3.0, -math.inf, 3.0, 2.0])
    assert ranks.ranks(values).tolist() == [5.0, 2.0, 5.0, 1.0, 5.0, 3.0]


def test_correlation_by_hand() -> None:
    """Without ties 1 - 6 sum(d^2) / (n (n^2 - 1)): here d is 0, 1, -1, 1, -1."""
    x = np.array([1.0, 2, 3, 4, 5])
    y = np.array([10.0, 30, 20, 1e300, 40])
    found = ranks.correlation(x, y)
    assert found
    assert found.strength == pytest.approx(1 - 6 * 4 / (5 * 24))
    # With 3 degrees of freedom: t = 0.8 * sqrt(3 / 0.36) = 2.309, p = 0.104.
    assert found.p == pytest.approx(0.1041, abs=5e-5)
    assert ranks.correlation(x, -x) == (-1.0, 0.0)


def test_correlation_with_ties_by_hand() -> None:
    """Pearson's of ranks [1.5, 1.5, 3, 4] and [1, 2, 3.5, 3.5]."""
    found = ranks.correlation(np.array([7.0, 7, 8, 9]), np.array([0.0, 1, 2, 2]))
    assert found
    assert found.strength == pytest.approx(4.0 / math.sqrt(4.5 * 4.5))


@pytest.mark.parametrize(
    ("x", "y"), [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [2, 2, 2]), ([1, 2], [1, 2]), ([], [])]
)
def test_what_has_no_correlation(x: list[float], y: list[float]) -> None:
    """One value, or too few runs."""
    assert ranks.correlation(np.array(x, float), np.array(y, float)) is None


def test_separation_by_hand() -> None:
    """Three groups of two with ranks 1 2, 3 4, 5 6: H = 12/42 (9/2 + 49/2 + 121/2) - 21 = 32/7,
    eta squared = (H - 2) / 3, and p with two degrees of freedom is exp(-H / 2)."""
    groups = np.array([4, 4, 0, 0, 9, 9])
    found = ranks.separation(groups, np.array([1.0, 2, 3, 4, 50, 60]))
    assert found
    assert found.strength == pytest.approx(math.sqrt((32 / 7 - 2) / 3))
    assert found.p == pytest.approx(math.exp(-16 / 7))


@pytest.mark.parametrize(
    ("groups", "y"),
    [([0, 0, 0], [1, 2, 3]), ([0, 1, 2], [1, 2, 3]), ([0, 1, 0, 1], [5, 5, 5, 5]), ([], [])],
)
def test_what_is_not_separated(groups: list[int], y: list[float]) -> None:
    """One group, a group for each, or one value."""
    assert ranks.separation(np.array(groups, np.int64), np.array(y, float)) is None


def test_groups_by_chance_are_not_separated() -> None:
    """As many groups as there may be say nothing: more of them do not look like more."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=200)
    found = [ranks.separation(rng.integers(0, k, 200), y) for k in (2, 20, 100)]
    assert all(one and one.strength < 0.35 for one in found)


@given(pairs=_PAIRS)
def test_correlation_is_scipys(stats: Any, pairs: list[tuple[float, float]]) -> None:
    """For any numbers, ties and infinities."""
    x, y = np.array(pairs).T
    found = ranks.correlation(x, y)
    assert (found is None) == (len({*x}) == 1 or len({*y}) == 1)
    assume(found is not None)
    assert found
    truth = stats.spearmanr(stats.rankdata(x), stats.rankdata(y))
    assert found.strength == pytest.approx(truth.statistic, abs=1e-9)
    if abs(found.strength) < 1 - 1e-9:
        assert found.p == pytest.approx(truth.pvalue, rel=1e-6, abs=1e-12)


@given(pairs=st.lists(st.tuples(st.integers(0, 4), _SOME), min_size=3, max_size=40))
def test_separation_is_scipys(stats: Any, pairs: list[tuple[int, float]]) -> None:
    """H and its p are Kruskal's and Wallis's."""
    groups, y = np.array([g for g, _ in pairs]), np.array([v for _, v in pairs])
    kinds = len({*groups.tolist()})
    found = ranks.separation(groups, y)
    assert (found is None) == (kinds < 2 or kinds == len(y) or len({*y.tolist()}) == 1)
    assume(found is not None)
    assert found
    placed = stats.rankdata(y)
    truth = stats.kruskal(*(placed[groups == one] for one in np.unique(groups)))
    eta = (truth.statistic - kinds + 1) / (len(y) - kinds)
    assert found.strength**2 == pytest.approx(min(1, max(0, eta)), abs=1e-9)
    assert found.p == pytest.approx(truth.pvalue, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 3, 10, 57, 1_000])
@pytest.mark.parametrize("x", [0.0, 1e-6, 0.5, 3.0, 40.0, 900.0])
def test_tails_are_scipys(stats: Any, freedom: int, x: float) -> None:
    """Far out as well."""
    assert ranks.student(x, freedom) == pytest.approx(2 * stats.t.sf(x, freedom), rel=1e-9)
    assert ranks.chi_squared(x, freedom) == pytest.approx(
        stats.chi2.sf(x, freedom), rel=1e-9, abs=1e-300
    )


def test_bins_hold_every_run() -> None:
    """A bin for each of few values, else about as many runs in each; missing ones come last."""
    values = np.array([0.1, 0.1, 0.01, math.nan, 0.01, 0.01])
    few = trend.of_numbers(values, np.array([1.0, 3, 5, 7, 5, 8]))
    assert [(one.low, one.high, one.runs, one.median) for one in few] == [
        (0.01, 0.01, 3, 5.0), (0.1, 0.1, 2, 2.0), (None, None, 1, 7.0)
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    values, target = rng.normal(size=800), rng.normal(size=800)
    many = trend.of_numbers(values, target)
    assert [one.runs for one in many] == [100] * 8
    for one in many:
        own = target[(values >= (one.low or 0)) & (values <= (one.high or 0))]
        assert [one.q1, one.median, one.q3] == np.quantile(own, [0.25, 0.5, 0.75]).tolist()
        assert one.mean == pytest.approx(own.mean())
    # Nearly all have one value: it is in one bin.
    odd = trend.of_numbers(np.array([1.0] * 90 + list(range(10, 20))), np.arange(100.0))
    assert sum(one.runs for one in odd) == 100
    assert [one.runs for one in odd if one.low == 1.0] == [90]


def test_bins_of_texts() -> None:
    """The commonest texts, and the missing; huge values have a mean."""
    codes = np.array([1, 1, 0, -1, 2])
    found = trend.of_texts(codes, ("a", "b", "c"), np.array([1e308, 1.7e308, 3, 4, 5]))
    assert [(one.text, one.runs) for one in found] == [("b", 2), ("a", 1), ("c", 1), (None, 1)]
    assert found[0].mean == pytest.approx(1.35e308)
