"""Histograms of many runs on one axis, and areas under PR curves, run where they run: in the browser."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def maths(browser: Browser, server_url: str) -> Iterator[Call]:
    """Runs a script with the modules of the panels at hand as `m`."""
    page = browser.new_context().new_page()
    page.goto(f"{server_url}/api")
    page.evaluate("""async () => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        window.m = {};
        const own = ['shared-bins', 'text-search', 'curves-plot', 'curves', 'tensor-panel'];
        const names = ['run/bins', 'run/areas', ...own.map((name) => `media/${name}`)];
        for (const name of names) Object.assign(window.m, await import(`${base}${name}.js`));
    }""")
    yield lambda script, argument=None: page.evaluate(script, argument)
    page.context.close()


_BINNED = """([steps, options]) => {
    const axis = m.axisOf(steps, options);
    if (!axis) return null;
    const { counts, shares, lost } = m.binned(steps, axis);
    const lists = (columns) => columns.map((one) => [...one]);
    return { edges: [...axis.edges], counts: lists(counts), shares: lists(shares), lost };
}"""


def test_runs_with_other_numbers_of_values_compare(maths: Call) -> None:
    """The same distribution of ten times as many values has the same shares, not the same counts."""
    few = [[0, 1, 2], [1, 2, 6], [2, 4, 2]]
    many = [[a, b, 10 * n] for a, b, n in few]
    got = maths(_BINNED, [[few, many], {"n": 8}])
    assert got["edges"] == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert got["counts"][0] == pytest.approx([1, 1, 3, 3, 0.5, 0.5, 0.5, 0.5])
    assert got["counts"][1] == pytest.approx([10 * one for one in got["counts"][0]])
    assert got["shares"][0] == pytest.approx([0.1, 0.1, 0.3, 0.3, 0.05, 0.05, 0.05, 0.05])
    assert got["shares"][1] == pytest.approx(got["shares"][0])
    assert got["lost"] == pytest.approx([0, 0], abs=1e-12)


def test_all_runs_are_on_one_axis(maths: Call) -> None:
    """It reaches from the smallest to the largest value of any; what is cut off is told."""
    got = maths(_BINNED, [[[[0, 1, 5]], [[-3, -2, 5]], [[1, 9, 1]]], {"n": 12}])
    assert (got["edges"][0], got["edges"][-1]) == (-3, 9)
    far = [[0, 1, 97], [1000, 1001, 3]]
    got = maths(_BINNED, [[far, far], {"n": 10, "outside": 0.1}])
    assert got["edges"][-1] < 2 and got["lost"] == pytest.approx([0.03, 0.03])
    assert sum(got["shares"][0]) == pytest.approx(0.97)
    assert maths(_BINNED, [[[], []], {}]) is None


_BUCKETS = st.lists(
    st.tuples(
        st.floats(-100, 100), st.floats(0, 50), st.integers(1, 1000),
    ).map(lambda one: [one[0], one[0] + one[1], one[2]]),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=40)
@given(
    steps=st.lists(_BUCKETS, min_size=1, max_size=3), scale=st.sampled_from(["linear", "symlog"])
)
def test_no_weight_is_lost(maths: Call, steps: Any, scale: str) -> None:
    """On a linear or symlog axis that holds all values, the shares of a step are one together."""
    steps = [sorted(step) for step in steps]
    got = maths(_BINNED, [steps, {"n": 30, "scale": scale}])
    edges = got["edges"]
    assert all(a < b for a, b in zip(edges, edges[1:], strict=False))
    for step, counts, shares in zip(steps, got["counts"], got["shares"], strict=True):
        whole = sum(n for _, _, n in step)
        assert sum(counts) == pytest.approx(whole, rel=1e-6)
        assert sum(shares) == pytest.approx(1, rel=1e-6)


def test_a_logarithmic_axis(maths: Call) -> None:
    """Each bin spans the same ratio; a bucket is spread by values; what is not above zero is lost."""
    got = maths(
        _BINNED, [[[[-1, 0, 25], [0.001, 0.01, 25], [0.01, 1000, 50]]], {"n": 6, "scale": "log"}]
    )
    assert got["edges"] == pytest.approx([10.0**p for p in range(-3, 4)])
    below = [(10.0 ** (p + 1) - 10.0**p) / 999.99 * 0.5 for p in range(-2, 3)]
    assert got["shares"][0] == pytest.approx([0.25, *below])
    assert got["lost"] == pytest.approx([0.25])
    assert maths(_BINNED, [[[[-2, -1, 5]]], {"scale": "log"}]) is None
    single = maths(_BINNED, [[[[2, 2, 5]]], {"n": 5, "scale": "log"}])
    assert sum(single["counts"][0]) == 5 and single["edges"][0] < 2 < single["edges"][-1]


def test_percentiles(maths: Call) -> None:
    """By straight lines within buckets, as they would be of values spread evenly."""
    got = maths("(step) => m.percentiles(step, [0, 10, 50, 90, 100])", [[0, 10, 50], [10, 30, 50]])
    assert got == pytest.approx([0, 2, 10, 26, 30])
    assert maths("() => m.percentiles([[3, 3, 9]], [0, 50, 100])") == [3, 3, 3]
    assert all(math.isnan(one) for one in maths("() => m.percentiles([], [0, 50])"))
    values = np.random.default_rng(5).normal(size=4000)
    counts, edges = np.histogram(values, 400)
    step = [[a, b, int(n)] for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True) if n]
    got = maths("(step) => m.percentiles(step, [5, 25, 50, 75, 95])", step)
    assert got == pytest.approx(np.percentile(values, [5, 25, 50, 75, 95]), abs=0.03)


def test_areas_under_a_curve(maths: Call) -> None:
    """Worked out by hand for four thresholds; where nothing is a number, nothing is added."""
    given = {"p": [0.5, 0.6, 1.0, 1.0], "r": [1.0, 0.75, 0.5, 0.25]}
    got = maths("({ p, r }) => [m.average(p, r), m.area(p, r), m.best(p, r)]", given)
    # 0.5 * 0.25 + 0.6 * 0.25 + 1 * 0.25 + 1 * 0.25
    assert got[0] == pytest.approx(0.775)
    # 0.25 * (0.55 + 0.8 + 1 + 1)
    assert got[1] == pytest.approx(0.8375)
    assert got[2]["f1"] == pytest.approx(2 / 3)
    perfect = maths("() => [m.average([1, 1], [1, 0]), m.area([1, 1], [1, 0])]")
    assert perfect == [1, 1]
    none = maths(
        "() => [m.average([], []), m.area([], []), m.best([], []).at, m.best([0], [0]).at]"
    )
    assert none == [0, 0, -1, -1]
    assert maths("() => m.average([NaN, 1], [1, 0.5])") == 0.5


@given(
    f1=st.floats(0.05, 0.99),
    recall=st.floats(0.01, 1),
)
@settings(max_examples=40)
def test_lines_of_equal_f1(maths: Call, f1: float, recall: float) -> None:
    """A point on the line has that F1; where precision would be more than 1 there is none."""
    precision = maths("([f1, recall]) => m.atF1(f1, recall)", [f1, recall])
    if precision is None:
        assert 2 * recall <= f1 or f1 * recall / (2 * recall - f1) > 1
    else:
        assert 2 * precision * recall / (precision + recall) == pytest.approx(f1)
        assert 0 < precision <= 1


def test_axes_that_fit(maths: Call) -> None:
    """They hold every point and end at 1."""
    lines = [{"curve": {"recall": [1, 0.83], "precision": [0.72, 0.9]}}]
    got = maths("(lines) => m.fitted(lines)", lines)
    assert got == {"x": [pytest.approx(0.8), 1], "y": [pytest.approx(0.7), 1]}
    assert maths("() => m.fitted([])") == {"x": [0.95, 1], "y": [0.95, 1]}


def test_marks_of_a_hit(maths: Call) -> None:
    """The server counts characters, of which some are two places of a text here."""
    hit = {"snippet": "🎉 über 🎉 x", "matches": [[2, 6], [9, 10]]}
    assert maths("(hit) => m.marked(hit)", hit) == ["über", "x"]
    pieces = [["🎉 ", False], ["über", True], [" 🎉 ", False], ["x", True]]
    assert maths("(hit) => m.pieces(hit)", hit) == pieces


def test_signs_of_differences(maths: Call) -> None:
    """A difference too small to be shown has none."""
    got = maths("() => [0.0123, -0.5, 0, 0.00001, NaN].map((one) => m.signed(one))")
    assert got == ["+0.0123", "−0.5", "0", "0", ""]


def test_steps_take_their_places(maths: Call) -> None:
    """Among those that are known, once, with what belongs to them."""
    script = """() => {
        const one = { steps: [1, 5], names: ["a", "b"] };
        m.among(one, { steps: [3, 5], names: ["c", "x"] }, ["names"]);
        m.among(one, { steps: [9, 0], names: ["d", "e"] }, ["names"]);
        return [one.steps, one.names];
    }"""
    assert maths(script) == [[0, 1, 3, 5, 9], ["e", "a", "c", "b", "d"]]
