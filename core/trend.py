"""How a target lies along one other thing: in bins of it, each with its quartiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .ranks import Codes, Floats

_MOST_BINS = 8


@dataclass(frozen=True)
class Bin:
    """The target of *runs* whose value is from *low* to *high*, or is *text*; none if both are None."""

    low: float | None
    high: float | None
    text: str | None
    runs: int
    mean: float
    q1: float
    median: float
    q3: float


def of_numbers(values: Floats, target: Floats) -> list[Bin]:
    """Bins of about as many runs each, or one for each value where these are few; NaN are the last."""
    there = ~np.isnan(values)
    own = values[there]
    distinct, counts = np.unique(own, return_counts=True)
    most = len(own) / _MOST_BINS if len(distinct) > _MOST_BINS else 1
    reached = np.cumsum(counts)
    found, start = [], 0
    while start < len(distinct):
        # A value is in one bin, however often it occurs.
        before = reached[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(reached, before + most, side="right")))
        low, high = float(distinct[start]), float(distinct[end - 1])
        found.append(_bin(target[there][(own >= low) & (own <= high)], low, high, None))
        start = end
    return [*found, *_missing(target[~there])]


def of_texts(codes: Codes, texts: tuple[str, ...], target: Floats) -> list[Bin]:
    """A bin for each of the commonest texts; missing ones (code -1) are the last."""
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    shown = [int(code) for code in np.argsort(-counts, kind="stable")[:_MOST_BINS] if counts[code]]
    found = [_bin(target[codes == code], None, None, texts[code]) for code in shown]
    return [*found, *_missing(target[codes < 0])]


def _missing(target: Floats) -> list[Bin]:
    return [_bin(target, None, None, None)] if len(target) else []


def _bin(target: Floats, low: float | None, high: float | None, text: str | None) -> Bin:
    q1, median, q3 = np.quantile(target, [0.25, 0.5, 0.75]).tolist()
    # Before they are added up: the sum of huge values would be infinite.
    mean = float((target / len(target)).sum())
    return Bin(low, high, text, len(target), mean, q1, median, q3)
