"""Histograms with fewer buckets: nothing of their weight is lost or moved further than is seen."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from boardlake.lake.coarse import coarser


def table(*histograms: tuple[list[float], list[float], list[float]]) -> pa.Table:
    names = ("left", "right", "count")
    kind = pa.list_(pa.float64())
    lists = {name: pa.array([one[i] for one in histograms], kind) for i, name in enumerate(names)}
    return pa.table({"step": list(range(len(histograms))), **lists})


def by_powers() -> tuple[list[float], list[float], list[float]]:
    """Normal values in the buckets that PyTorch makes."""
    positive = 1e-12 * 1.1 ** np.arange(300)
    edges = np.concatenate([-positive[::-1], [0.0], positive])
    count, _ = np.histogram(np.random.default_rng(3).normal(0, 0.02, 50_000), edges)
    return edges[:-1].tolist(), edges[1:].tolist(), count.astype(float).tolist()


def test_narrow_buckets_become_one() -> None:
    """Far fewer, whose weight lies within a two-hundredth of the range of where it lay."""
    before = by_powers()
    after = coarser(table(before, before))
    left, right, count = (after[name].to_pylist() for name in ("left", "right", "count"))
    assert left[0] == left[1] and after["step"].to_pylist() == [0, 1]
    assert len(left[0]) < 100 < sum(one > 0 for one in before[2])
    assert sum(count[0]) == 50_000
    assert all(a < b for a, b in zip(left[0], right[0], strict=True))
    assert all(b <= a for a, b in zip(left[0][1:], right[0], strict=False))
    width = 0.12 / 200
    for value in np.linspace(-0.05, 0.05, 41):
        own = sum(n for b, n in zip(before[1], before[2], strict=True) if b <= value - width)
        theirs = sum(n for b, n in zip(right[0], count[0], strict=True) if b <= value + width)
        assert own <= theirs


def test_wide_buckets_stay() -> None:
    """Thirty of equal width, as TensorFlow writes them, lose only the empty ones."""
    edges = [float(one) for one in range(31)]
    count = [float(one % 7) for one in range(30)]
    after = coarser(table((edges[:-1], edges[1:], count)))
    full = [i for i, one in enumerate(count) if one]
    assert after["left"].to_pylist() == [[edges[i] for i in full]]
    assert after["right"].to_pylist() == [[edges[i + 1] for i in full]]
    assert after["count"].to_pylist() == [[count[i] for i in full]]


def test_fine_ones_only_lose_what_is_empty() -> None:
    """A logarithmic axis shows what lies around zero."""
    before = by_powers()
    after = coarser(table(before), fine=True)
    full = [i for i, one in enumerate(before[2]) if one]
    for name, values in zip(("left", "right", "count"), before, strict=True):
        assert after[name].to_pylist() == [[values[i] for i in full]]


def test_odd_histograms() -> None:
    """Empty ones, single values, ends without limit and values that are no numbers go through."""
    big, nan, inf = 1.7976931348623157e308, float("nan"), float("inf")
    after = coarser(
        table(
            ([], [], []),
            ([0.0, 1.0], [1.0, 2.0], [0.0, nan]),
            ([5.0], [5.0], [9.0]),
            ([-big, 0.0, 1.0], [0.0, 1.0, big], [1.0, 98.0, 1.0]),
            ([-inf, 0.0], [0.0, nan], [1.0, 2.0]),
        )
    )
    assert after["count"].to_pylist() == [[], [], [9.0], [1.0, 98.0, 1.0], [1.0, 2.0]]
    assert after["left"].to_pylist()[3] == [-big, 0.0, 1.0]
    empty = coarser(table(([], [], []), ([], [], [])))
    assert empty["count"].to_pylist() == [[], []]
    assert coarser(table().slice(0, 0)).num_rows == 0
