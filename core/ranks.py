"""Rank statistics: how one thing goes with another, whatever the shape of their relation."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class Relation(NamedTuple):
    """How strong a relation is, and how likely so strong a one is where there is none."""

    strength: float
    p: float


def ranks(values: Floats) -> Floats:
    """Ranks from 1 on of values without NaN; equal ones share the mean of theirs."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Floats = (last - (counts - 1) / 2)[at]
    return shared


def correlation(x: Floats, y: Floats) -> Relation | None:
    """Spearman's rank correlation from -1 to 1, with Student's t for its p; ties share their ranks.

    None where there are fewer than three pairs, or one side has one value only.
    """
    count = len(x)
    if count < 3:
        return None
    a, b = (side - side.mean() for side in (ranks(x), ranks(y)))
    scale = math.sqrt(float(a @ a) * float(b @ b))
    if not scale:
        return None
    r = max(-1.0, min(1.0, float(a @ b) / scale))
    freedom = count - 2
    if 1 - r * r < 1e-15:
        return Relation(r, 0.0)
    return Relation(r, student(r * math.sqrt(freedom / (1 - r * r)), freedom))


def separation(groups: Codes, y: Floats) -> Relation | None:
    """How far the ranks of *y* lie apart by *groups* (numbers from 0), from 0 to 1.

    It is the square root of eta squared of the Kruskal-Wallis statistic H, (H - k + 1) / (n - k),
    which many groups do not make greater (Tomczak and Tomczak, 2014: The need to report effect size
    estimates revisited, Trends in Sport Sciences 21, 19-25); so that it stands beside a correlation.
    H is corrected for ties, its p is chi-squared's. None for less than two groups or differing
    values, or where every group has one member.
    """
    count = len(y)
    _, at, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    kinds = len(sizes)
    if kinds < 2 or kinds >= count:
        return None
    apart = ranks(y) - (count + 1) / 2
    total = float(apart @ apart)
    if not total:
        return None
    sums = np.bincount(at, weights=apart)
    h = (count - 1) * float((sums * sums / sizes).sum()) / total
    eta = (h - kinds + 1) / (count - kinds)
    return Relation(math.sqrt(min(1.0, max(0.0, eta))), chi_squared(h, kinds - 1))


def student(t: float, freedom: int) -> float:
    """The probability that Student's t is at least so far from 0."""
    return beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def chi_squared(x: float, freedom: int) -> float:
    """The probability that chi-squared is at least *x*: a finite sum (DLMF 8.4.10, 8.4.11)."""
    half = x / 2
    if half <= 0:
        return 1.0
    odd = freedom % 2
    found = math.erfc(math.sqrt(half)) if odd else 0.0
    for i in range(freedom // 2):
        power = i + odd / 2
        found += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, found)


def beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if not 0 < x < 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x)
    # Lentz's method.
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = value
        for step in (even, odd):
            d = 1 / (1 + step * d)
            c = 1 + step / c
            value *= c * d
        if abs(value - before) <= 1e-14 * abs(value):
            break
    return math.exp(front) * value / a
