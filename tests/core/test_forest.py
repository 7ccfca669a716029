"""A forest's importance: it finds what matters, says how sure it is, and says the same twice."""

from __future__ import annotations

import math
import threading
import warnings

import numpy as np
import pytest

from boardlake.core import forest
from boardlake.core.forest import Feature, weigh

pytest.importorskip("sklearn")


def made(count: int = 160, noise: float = 0.05) -> tuple[list[Feature], np.ndarray]:
    """A number, a category and a missing value that matter, in this order, and two that do not."""
    rng = np.random.default_rng(7)
    rate = rng.choice([0.1, 0.2, 0.4, 0.8], count)
    model = rng.integers(0, 3, count)
    dropout = rng.choice([math.nan, 0.5, 0.6], count)
    rest = [rng.normal(size=count), rng.integers(0, 2, count).astype(float)]
    target = 4 * rate + 0.8 * (model == 1) + 0.4 * np.isnan(dropout)
    target += rng.normal(scale=noise, size=count)
    features = [Feature(rate), Feature(model, 3), Feature(dropout), *map(Feature, rest)]
    return features, target


def test_what_matters_is_found() -> None:
    """In its order; what does not matter is within its deviation of nothing."""
    features, target = made()
    found = weigh(features, target)
    rate, model, dropout, *rest = found.importance
    assert rate > model > dropout > 0.01
    assert 0.5 < rate < 1
    assert all(abs(one) < 0.02 for one in rest)
    assert found.score > 0.9 and found.rows == 160
    assert all(0 <= one < 0.1 for one in found.std)


def test_the_same_question_has_the_same_answer() -> None:
    """To the last bit."""
    assert weigh(*made(60)) == weigh(*made(60))


def test_the_columns_of_a_target_do_not_know_it() -> None:
    """Where nothing matters the forest explains nothing on rows that it has not seen."""
    features, target = made()
    shuffled = np.random.default_rng(3).permutation(target)
    found = weigh(features, shuffled)
    assert found.score < 0.1
    assert all(abs(one) < 0.1 for one in found.importance)


@pytest.mark.parametrize("huge", [1.0, 1e300, 1e-300])
def test_scale_and_runs_that_went_astray_do_not_matter(huge: float) -> None:
    """Ranks are told: a target in other units has the same importances."""
    features, target = made(80)
    assert weigh(features, np.exp(target) * huge) == weigh(features, target)


def test_values_of_any_size_and_none() -> None:
    """Infinities and what 32 bits do not hold are values like others; a feature may be all but missing."""
    rng = np.random.default_rng(2)
    rate = rng.choice([1e-300, 1e300, math.inf, -math.inf, 5.0], 60)
    hardly = np.full(60, math.nan)
    hardly[:2] = 1.0, 2.0
    target = rate.clip(-2, 2) + rng.normal(scale=0.1, size=60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = weigh([Feature(rate), Feature(hardly), Feature(np.full(60, -1), 2)], target)
    assert found.importance[0] > 0.3
    assert found.importance[2] == 0


def test_large_tables_are_bounded() -> None:
    """Only some rows are seen, always the same ones."""
    rng = np.random.default_rng(2)
    features = [Feature(rng.normal(size=9_000)) for _ in range(40)]
    target = features[3].values + rng.normal(size=9_000)
    seen = []
    found = weigh(features, target, lambda: seen.append(1))
    assert found.rows == 750 and len(seen) == 10
    assert int(np.argmax(found.importance)) == 3


def test_whoever_waits_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One forest at a time; and whoever has hung up stops it."""
    monkeypatch.setattr(forest, "_WAIT_S", 0.05)
    inside, go = threading.Event(), threading.Event()

    class Enough(Exception):
        pass

    def wait() -> None:
        inside.set()
        go.wait(30)
        raise Enough

    def first() -> None:
        with pytest.raises(Enough):
            weigh(*made(40), wait)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(30)
    with pytest.raises(forest.Busy):
        weigh(*made(40))
    go.set()
    thread.join()
    assert weigh(*made(40)).rows == 40


def test_a_target_that_those_seen_share_tells_nothing() -> None:
    """One run in ten thousand is another: whoever is chosen by chance may not have it."""
    target = np.zeros(10_000)
    target[4_321] = 1
    found = weigh([Feature(np.arange(10_000.0))], target)
    assert found.importance == found.std == [0.0] and found.score == 0


def test_many_categories_are_bounded() -> None:
    """A hundred texts of many values: a forest sees the commonest of each."""
    rng = np.random.default_rng(5)
    features = [Feature(rng.integers(0, 30, 60), 30) for _ in range(100)]
    found = weigh(features, rng.normal(size=60))
    assert len(found.importance) == 100 and found.rows == 60
