"""Lets running sample runs go on from their files alone: a point a tick, as the last ones were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...kernels.decode import CLEAN, Buffers, Decoded, decode
from .writer import EventWriter

# Files that grew within so many seconds of the newest one belong to runs that still go.
_TOGETHER_S = 900.0
# A series goes on as its last points suggest, and its trend fades within as many more. What
# explains less than half of how they vary is a wobble and no trend.
_FIT = 50
_TREND = 0.5
_MAX_BYTES = 64 << 20


@dataclass
class _Series:
    """A tag: its next step, steps between points, the end of its trend, and its noise."""

    tag: str
    step: int
    stride: int
    level: float
    slope: float
    noise: float
    fade: float
    more: int = 0

    def value(self, rng: np.random.Generator) -> float:
        """The next value."""
        gone = self.slope * self.fade * (1 - math.exp(-self.more / self.fade))
        return self.level + gone + float(rng.normal()) * self.noise


class Live:
    """An event file that goes on: each tick is a step of the tag that is logged most often."""

    def __init__(self, path: Path, series: list[_Series]) -> None:
        self.path = path
        self._series = series
        self._stride = min(one.stride for one in series)
        self._step = min(one.step for one in series) - self._stride
        self._rng = np.random.default_rng(len(path.name))

    def tick(self, now: float) -> int:
        """Append what is due at the next step, at the time *now* (Unix seconds); how many points."""
        self._step += self._stride
        due = [one for one in self._series if one.step <= self._step]
        with EventWriter(self.path, append=True) as writer:
            for order, one in enumerate(due):
                one.more += 1
                writer.scalar(one.tag, one.value(self._rng), one.step, now + 1e-4 * order)
                one.step += one.stride
        return len(due)


def still_going(root: Path) -> list[Live]:
    """The event files below *root* that grew last and end with a whole record, ready to go on."""
    times = {path: path.stat().st_mtime for path in sorted(root.rglob("*tfevents*"))}
    newest = max(times.values(), default=0.0)
    found = []
    for path, changed in times.items():
        if newest - changed > _TOGETHER_S or path.stat().st_size > _MAX_BYTES:
            continue
        data = np.fromfile(path, np.uint8)
        decoded = decode(data, True, Buffers())
        series = _series(data.tobytes(), decoded)
        if decoded.stop == CLEAN and series:
            found.append(Live(path, series))
    return found


def _series(data: bytes, decoded: Decoded) -> list[_Series]:
    """The scalar tags with enough points to say how they go on."""
    found = []
    for number, (start, size) in enumerate(
        zip(decoded.tag_offset, decoded.tag_length, strict=True)
    ):
        rows = np.flatnonzero(decoded.tag == number)[-_FIT:]
        steps, values = decoded.step[rows], decoded.value[rows]
        if len(rows) < 3 or not np.isfinite(values).all() or not (np.diff(steps) > 0).all():
            continue
        stride = max(1, int(np.median(np.diff(steps))))
        order = np.arange(len(rows)) - len(rows) + 1
        slope, level = np.polyfit(order, values, 1)
        noise = float(np.std(values - (level + slope * order)))
        if (slope * np.std(order)) ** 2 < _TREND * np.var(values):
            slope, level, noise = 0.0, float(values.mean()), float(np.std(values))
        tag = data[start : start + size].decode()
        found.append(_Series(tag, int(steps[-1]) + stride, stride, level, slope, noise, len(rows)))
    return found
