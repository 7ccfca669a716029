"""The shapes of training curves: falling losses, schedules, noise, all from a generator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rng = np.random.Generator


def noise(rng: Rng, n: int, scale: float, memory: float = 0.0) -> Floats:
    """*n* values around 0 with standard deviation *scale*; *memory* in 0..1 ties neighbours."""
    white = rng.normal(size=n + 60)
    kernel = memory ** np.arange(60) * np.sqrt(1 - memory**2)
    return scale * np.convolve(white, kernel, mode="full")[60 : n + 60]


def warmup_cosine(n: int, peak: float, warmup: float = 0.05) -> Floats:
    """A rate that rises linearly for the *warmup* share and then falls as a cosine to 0."""
    share = np.linspace(0, 1, n)
    fall = 0.5 * (1 + np.cos(np.pi * np.clip((share - warmup) / (1 - warmup), 0, 1)))
    return peak * np.minimum(share / warmup, 1) * fall


def staircase(n: int, peak: float, drops: tuple[float, ...] = (0.33, 0.67, 0.89)) -> Floats:
    """A rate divided by ten at each share in *drops*."""
    share = np.linspace(0, 1, n)
    falls = (share[:, None] >= np.array(drops)).sum(axis=1)
    return np.asarray(peak * 0.1**falls)


def descend(rate: Floats, start: float, floor: float, speed: float, ball: float) -> Floats:
    """A loss that falls with the summed *rate* towards *floor*, held up by *ball* times the rate.

    The last term is what makes a loss step down when the rate drops.
    """
    peak = max(float(rate.max()), 1e-12)
    progress = speed * np.cumsum(rate / peak) / rate.size
    hum = ball * rate / peak * (1 - np.exp(-progress))
    return np.asarray(floor + (start - floor) * (1 + progress) ** -1.1 + hum)


def overfit(n: int, onset: float, strength: float) -> Floats:
    """What a validation loss gains over the training loss after the share *onset*."""
    return np.asarray(strength * np.clip(np.linspace(0, 1, n) - onset, 0, None) ** 1.5)


def climb(share: Floats, top: float, middle: float, width: float) -> Floats:
    """A reward or score that rises as a sigmoid around the share *middle*."""
    low = 1 / (1 + np.exp(middle / width))
    rise = 1 / (1 + np.exp((middle - share) / width))
    return np.asarray(top * (rise - low) / (1 - low))
