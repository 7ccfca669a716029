"""Histograms with no more buckets than a picture shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

# So many buckets of equal width the middle 99 % of a histogram may have; wider ones stay.
_CELLS = 200
_OUTSIDE = 0.005
_ENDLESS = 1e300

_Array = npt.NDArray[Any]


def coarser(table: pa.Table, *, fine: bool = False) -> pa.Table:
    """*table* without empty buckets and, unless *fine*, with neighbours put together that are too
    narrow to be told apart on a linear axis.

    Writers that make buckets by powers have hundreds of them around zero. Columns left, right and
    count hold lists of float64 by value; the others stay.
    """
    if not table.num_rows:
        return table
    lists = {name: table[name].combine_chunks() for name in ("left", "right", "count")}
    sizes = np.asarray(lists["count"].value_lengths())
    left, right, count = (np.asarray(one.flatten(), np.float64) for one in lists.values())
    rows = np.repeat(np.arange(table.num_rows), sizes)
    full = np.isfinite(count) & (count > 0)
    left, right, count, rows = left[full], right[full], count[full], rows[full]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        width = _narrow(left, right, count, rows, table.num_rows)[rows]
        cell = np.floor((left + right) / 2 / width)
        narrow = (right - left < width) & np.isfinite(cell) & (not fine)
    joined = narrow[1:] & narrow[:-1] & (cell[1:] == cell[:-1]) & (rows[1:] == rows[:-1])
    first = np.flatnonzero(np.concatenate([[True], ~joined])[: len(rows)])
    last = np.concatenate([first[1:] - 1, [len(rows) - 1]])[: len(first)]
    offsets = np.searchsorted(rows[first], np.arange(table.num_rows + 1))
    merged = {
        "left": left[first], "right": right[last],
        "count": np.add.reduceat(count, first) if len(first) else count,
    }  # fmt: skip
    for name, values in merged.items():
        column = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values))
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _narrow(left: _Array, right: _Array, count: _Array, rows: _Array, n: int) -> _Array:
    """For each of *n* rows the width below which buckets are too narrow."""
    # Writers close a histogram with the largest numbers there are: such an end is none.
    low_end = np.where(np.abs(left) < _ENDLESS, left, right)
    high_end = np.where(np.abs(right) < _ENDLESS, right, left)
    ends = np.searchsorted(rows, np.arange(n + 1))
    sums = np.concatenate([[0.0], np.cumsum(count)])
    begin, whole = sums[ends[:-1]], sums[ends[1:]] - sums[ends[:-1]]
    low = np.searchsorted(sums, begin + _OUTSIDE * whole, "right") - 1
    high = np.searchsorted(sums, begin + (1 - _OUTSIDE) * whole, "left") - 1
    some = ends[1:] > ends[:-1]
    last = np.maximum(ends[1:] - 1, 0)
    width = np.full(n, np.nan)
    low, high = np.clip(low, ends[:-1], last), np.clip(high, ends[:-1], last)
    width[some] = (high_end[high[some]] - low_end[low[some]]) / _CELLS
    return np.where(np.isfinite(width), width, np.nan)
