"""Histograms on common bins and steps on a slider, run where they run: in the browser."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def bins(browser: Browser, server_url: str) -> Iterator[Callable[[str, Any], Any]]:
    """Runs a script with bins.js and steps.js at hand as `m`."""
    page = browser.new_context().new_page()
    page.goto(f"{server_url}/api")
    page.evaluate("""async () => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        window.m = { ...await import(`${base}run/bins.js`), ...await import(`${base}run/steps.js`) };
    }""")
    yield lambda script, argument=None: page.evaluate(script, argument)
    page.context.close()


def resampled(edges: list[float], buckets: list[tuple[float, float, float]]) -> list[float]:
    """The same in Python, bucket by bucket, with exact overlaps."""
    out = [0.0] * (len(edges) - 1)
    width = (edges[-1] - edges[0]) / len(out)
    for left, right, count in buckets:
        if right < edges[0] or left > edges[-1]:
            continue
        if right <= left:
            out[min(len(out) - 1, max(0, int((left - edges[0]) / width)))] += count
            continue
        for i in range(len(out)):
            shared = min(right, edges[i + 1]) - max(left, edges[i])
            out[i] += count * max(0.0, shared) / (right - left)
    return out


def test_buckets_on_common_bins(bins: Callable[..., Any]) -> None:
    """Whatever the buckets, their weight is kept and lies where it lay."""
    rng = np.random.default_rng(7)
    for _ in range(50):
        ends = np.sort(rng.normal(size=(12, 2)), axis=1)
        buckets = [[a, b, float(rng.integers(1, 90))] for a, b in ends.tolist()]
        buckets.append([0.25, 0.25, 5.0])
        got = bins(
            """(buckets) => {
                const sorted = m.buckets(buckets.map((b) => b[0]), buckets.map((b) => b[1]), buckets.map((b) => b[2]));
                const on = m.edges(...m.extent([sorted]), 37);
                return [[...on], [...m.resample(sorted, on)]];
            }""",
            buckets,
        )
        assert np.allclose(got[1], resampled(got[0], buckets))
        assert math.isclose(sum(got[1]), sum(count for _, _, count in buckets), rel_tol=1e-9)


def test_buckets_that_writers_leave_open(bins: Callable[..., Any]) -> None:
    """Ends without limit, empty, turned round and damaged buckets do not stretch the picture."""
    got = bins("""() => {
        const big = 1.7976931348623157e308;
        const step = m.buckets([-big, 0, 3, 2, NaN, 5], [-1, 1, 2, 2, 1, 9], [4, 2, 6, NaN, 1, 0]);
        const common = m.common({ left: [[1]], right: [[2]], count: [[0]] });
        return { step, extent: m.extent([step]), none: m.extent([[]]), common };
    }""")
    assert got["step"] == [[-1, -1, 4], [0, 1, 2], [1, 1, 1], [2, 3, 6]]
    assert got["extent"] == [-1, 3] and got["none"] is None and got["common"] is None


def test_outliers_can_be_cut(bins: Callable[..., Any]) -> None:
    """One value in ten thousand far outside is cut; without the wish it is not."""
    given = {"left": [[0, 1000]], "right": [[1, 1001]], "count": [[9999, 1]]}
    script = "(given) => [0, 0.01].map((outside) => [...m.common(given, { n: 10, outside }).edges])"
    whole, core = bins(script, given)
    assert whole[-1] == 1001 and core[-1] < 2 and core[0] == 0


def test_a_single_value_has_room(bins: Callable[..., Any]) -> None:
    """Histograms of one value, small or huge, get bins around it that hold all of its weight."""
    for value in (0.0, 3.0, -1e-30, 1e30):
        script = """(v) => {
            const { edges, counts, most } = m.common({ left: [[v]], right: [[v]], count: [[7]] });
            return [edges[0], edges[edges.length - 1], counts[0].reduce((a, b) => a + b), most];
        }"""
        low, high, whole, most = bins(script, value)
        assert low < value < high and whole == 7 and most == 1


def test_columns_meet_halfway(bins: Callable[..., Any]) -> None:
    """Columns of a heat map share the room between their steps."""
    assert bins("() => m.borders([0, 10, 40])") == [-5, 5, 25, 55]
    assert bins("() => m.borders([7])") == [6.5, 7.5]


def test_the_nearest_step(bins: Callable[..., Any]) -> None:
    """The nearest step is found, the lower of two equally near; none is the last."""
    steps = [0, 10, 20, 1000]
    for wanted, at in [(-5, 0), (4, 0), (5, 0), (6, 1), (15, 1), (600, 3), (5000, 3), (None, 3)]:
        assert bins("([steps, wanted]) => m.nearest(steps, wanted)", [steps, wanted]) == at
    assert bins("() => m.nearest([], null)") == -1
