"""How much a random forest needs each of some features to tell a target it has not seen."""

from __future__ import annotations

import importlib.util
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ranks import Codes, Floats, ranks

# Fewer runs than this are told apart by chance.
LEAST = 10
# A forest looks at no more of them, chosen by chance but always the same.
MOST_ROWS = 2_000

_FOLDS = 5
_TREES = 48
_SHUFFLES = 3
_ROUNDS = (2, 5)
# Rows by columns: of all rounds together, and of one. What is left out is left out by chance.
_CELLS, _MOST_CELLS = 25_000, 30_000
_LEAST_ROWS = 500
# Columns of one category, and of all features about.
_CATEGORIES, _COLUMNS = 20, 200
_SEED = 20_250_101
# Forests are grown one at a time; who waits longer does without.
_WAIT_S = 20.0

_growing = threading.Lock()


@dataclass(frozen=True)
class Feature:
    """*values* are numbers, NaN where there is none, or codes of *categories*, -1 for none."""

    values: Floats | Codes
    categories: int = 0


@dataclass(frozen=True)
class Weighed:
    """What of the variance of the target's ranks each feature tells, and all together, of *rows*.

    *score* is R squared on rows that a forest has not seen. *importance* is half of what R squared
    loses when a feature is shuffled: where features are independent, that is the part of the variance
    in which the feature has a hand (Gregorutti, Michel and Saint-Pierre, 2017: Correlation and
    variable importance in random forests, Statistics and Computing 27, 659-678); *std* is its
    deviation over shuffles.
    """

    importance: list[float]
    std: list[float]
    score: float
    rows: int


class Busy(Exception):
    """Another forest is being grown."""


def there() -> bool:
    """Whether scikit-learn is installed."""
    return importlib.util.find_spec("sklearn") is not None


def weigh(
    features: Sequence[Feature], target: Floats, check: Callable[[], None] = lambda: None
) -> Weighed:
    """Permutation importance, out of fold: the same for the same rows in the same order.

    The rows are parted into folds; a forest that has seen the others tells each of them, as they are
    and with one feature shuffled among them. Ranks of the target are told, so that its scale and runs
    that went astray do not matter. Values that are missing are seen as such. *check* may raise
    between forests; raises Busy where another forest takes its time.
    """
    rng = np.random.default_rng(_SEED)
    rows = np.arange(len(target))
    categories = max(2, min(_CATEGORIES, _COLUMNS // len(features)))
    wide = sum(min(one.categories, categories) or 1 for one in features)
    most = min(MOST_ROWS, max(_LEAST_ROWS, _MOST_CELLS // wide))
    if len(rows) > most:
        rows = np.sort(rng.permutation(rows)[:most])
    y = ranks(target[rows])
    spread = float(((y - y.mean()) ** 2).sum())
    if not spread:
        # Whoever is chosen by chance may have the one value that nearly all have.
        nothing = [0.0] * len(features)
        return Weighed(nothing, nothing, 0.0, len(rows))
    blocks = [_encoded(one, rows, categories) for one in features]
    whole = np.concatenate(blocks, axis=1)
    ends = np.cumsum([block.shape[1] for block in blocks])
    places = [slice(end - block.shape[1], end) for block, end in zip(blocks, ends, strict=True)]
    rounds = int(np.clip(_CELLS // whole.size, *_ROUNDS))
    lost, scores = np.empty((rounds, _SHUFFLES, len(features))), np.empty(rounds)
    with _alone() as forest:
        for i in range(rounds):
            wrong, shuffled = 0.0, np.zeros((_SHUFFLES, len(features)))
            for train, test in _folds(len(rows), rng):
                check()
                model = forest(rng, len(rows)).fit(whole[train], y[train])
                wrong += float(((model.predict(whole[test]) - y[test]) ** 2).sum())
                for j, place in enumerate(places):
                    told = model.predict(_shuffled(whole[test], place, rng))
                    miss = (told.reshape(_SHUFFLES, -1) - y[test]) ** 2
                    shuffled[:, j] += miss.sum(axis=1)
            lost[i] = (shuffled - wrong) / spread / 2
            scores[i] = 1 - wrong / spread
    every = lost.reshape(-1, len(features))
    return Weighed(
        every.mean(axis=0).tolist(), every.std(axis=0, ddof=1).tolist(), float(scores.mean()),
        len(rows),
    )  # fmt: skip


@contextmanager
def _alone() -> Iterator[Callable[[np.random.Generator, int], Any]]:
    """A maker of forests for one thread at a time, without their warnings."""
    if not _growing.acquire(timeout=_WAIT_S):
        raise Busy
    try:
        # What is silenced is silenced for all threads: one at a time puts it back.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from sklearn.ensemble import RandomForestRegressor

            yield lambda rng, rows: RandomForestRegressor(
                n_estimators=_TREES, min_samples_leaf=1 if rows < 200 else 3,
                random_state=int(rng.integers(1 << 31)), n_jobs=1,
            )  # fmt: skip
    finally:
        _growing.release()


def _encoded(feature: Feature, rows: NDArray[np.int64], most: int) -> NDArray[np.float32]:
    """Columns for a forest: a number as its rank, a category as one for each of *most* common values.

    Trees only ask what is greater: ranks keep that, and every value that a number may have.
    """
    values = feature.values[rows]
    if not feature.categories:
        there = ~np.isnan(values)
        column = np.full((len(rows), 1), np.nan, np.float32)
        column[there, 0] = np.unique(values[there], return_inverse=True)[1]
        return column
    codes = np.asarray(values, np.int64)
    counts = np.bincount(codes + 1, minlength=feature.categories + 1)
    shown = [code - 1 for code in np.argsort(-counts, kind="stable")[:most] if counts[code]]
    return np.stack([codes == code for code in shown], axis=1).astype(np.float32)


def _shuffled(
    rows: NDArray[np.float32], place: slice, rng: np.random.Generator
) -> NDArray[np.float32]:
    """*rows* several times, each with the columns at *place* shuffled together."""
    several = np.tile(rows, (_SHUFFLES, 1))
    count = len(rows)
    for i in range(_SHUFFLES):
        several[i * count : (i + 1) * count, place] = rows[rng.permutation(count), place]
    return several


def _folds(
    count: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    fold = rng.permutation(np.arange(count) % _FOLDS)
    for i in range(_FOLDS):
        yield np.flatnonzero(fold != i), np.flatnonzero(fold == i)
