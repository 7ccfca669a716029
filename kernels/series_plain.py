"""The plain twin of `series`: each definition as it is written, to compare with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .series import Stats, Threaded


def group_plain(tag: NDArray[np.int32], tags: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What `group` gives, by NumPy's stable sort."""
    starts = np.searchsorted(np.sort(tag), np.arange(tags + 1))
    return np.argsort(tag, kind="stable"), starts.astype(np.int64)


def _attempts(steps: list[int], attempt: int) -> list[int]:
    attempts = []
    for before, step in zip(steps[:1] + steps, steps, strict=False):
        attempt += step < before
        attempts.append(attempt)
    return attempts


def _stats(
    live: list[tuple[int, float, float]], superseded: int, attempt: int, shift: float
) -> list[Any]:
    """One group's row of `Stats` from its live points (step, wall time, value)."""
    finite = [(step, x) for step, _, x in live if math.isfinite(x)]
    values = [x for _, x in finite]
    if math.isnan(shift) and values:
        shift = values[0]
    nans = [step for step, _, x in live if math.isnan(x)]
    infs = [step for step, _, x in live if math.isinf(x)]
    first = live[0] if live else (0, math.nan, math.nan)
    last = live[-1] if live else first
    low, high = min(values, default=math.nan), max(values, default=math.nan)
    total = squares = 0.0
    for x in values:
        total += x - shift
        squares += (x - shift) * (x - shift)
    return [
        len(live), superseded, first[0], last[0], first[1], last[1], first[2], last[2],
        low, next((step for step, x in finite if x == low), 0),
        high, next((step for step, x in finite if x == high), 0),
        shift, total, squares, len(finite),
        len(nans), nans[0] if nans else 0, len(infs), infs[0] if infs else 0, attempt,
    ]  # fmt: skip


def thread_plain(
    step: NDArray[np.int64],
    wall: NDArray[np.float64],
    value: NDArray[np.float64],
    starts: NDArray[np.int64],
    attempt0: NDArray[np.int64],
    shift0: NDArray[np.float64],
) -> Threaded:
    """What `thread` gives, with a look at every later point for every point."""
    attempts: list[int] = []
    gone: list[bool] = []
    rows = []
    for g, (start, end) in enumerate(zip(starts[:-1], starts[1:], strict=True)):
        steps = step[start:end].tolist()
        points = list(zip(steps, wall[start:end].tolist(), value[start:end].tolist(), strict=True))
        own = _attempts(steps, int(attempt0[g]))
        dead = [any(later <= s for later in steps[i + 1 :]) for i, s in enumerate(steps)]
        live = [point for point, is_dead in zip(points, dead, strict=True) if not is_dead]
        rows.append(_stats(live, sum(dead), own[-1] if own else int(attempt0[g]), float(shift0[g])))
        attempts += own
        gone += dead
    dtypes = [np.float64 if "float64" in str(t) else np.int64
              for t in Stats.__annotations__.values()]  # fmt: skip
    columns = [np.array([row[i] for row in rows], dtype=dtype) for i, dtype in enumerate(dtypes)]
    return Threaded(np.array(attempts, np.int32), np.array(gone, np.bool_), Stats._make(columns))
