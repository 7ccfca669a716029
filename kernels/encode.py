"""Columns to records of an event file: Events with both checksums, in one compiled loop.

Formats: tensorflow/core/lib/io/record_writer.cc, util/event.proto, framework/summary.proto.
The twin that says the rules simply is `encode_plain`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .crc32c import masked_crc_at
from .encoded import DOUBLE, EVENT, FLOAT, FRAME, SLACK, Forms, Rows
from .load import Bytes, pointer
from .store import (
    copy,
    store_f32,
    store_f64,
    store_i64,
    store_u8,
    store_u32,
    store_varint,
    varint_size,
)

__all__ = ["encode", "warm"]

_HEADER = 12


@njit(cache=True, nogil=True)
def _summary_size(form: NDArray[np.int32], size: NDArray[np.int64], first: int, last: int) -> int:
    """Bytes of the values [first, last) with their keys and lengths; 0 where there is no summary."""
    total = 0
    for row in range(first, last):
        inner = size[form[row]]
        if inner >= 0:
            total += 1 + varint_size(inner) + inner
    return total


@njit(cache=True, nogil=True)
def _write(
    record: NDArray[np.int64],
    step: NDArray[np.int64],
    wall_time: NDArray[np.float64],
    value: NDArray[np.float64],
    form: NDArray[np.int32],
    data: Bytes,
    start: NDArray[np.int64],
    middle: NDArray[np.int64],
    end: NDArray[np.int64],
    width: NDArray[np.int8],
    out: Bytes,
) -> int:
    buf, parts = pointer(out), pointer(data)
    size = np.empty(width.size, np.int64)
    for one in range(width.size):
        size[one] = end[one] - start[one] + width[one] if width[one] != EVENT else -1
    bits = wall_time.view(np.int64)
    at, first, rows = 0, 0, record.size
    while first < rows:
        last = first + 1
        while last < rows and record[last] == record[first]:
            last += 1
        begin = at + _HEADER
        at = begin
        if bits[first] != 0:
            store_u8(buf, at, 0x09)
            store_i64(buf, at + 1, bits[first])
            at += 9
        if step[first] != 0:
            store_u8(buf, at, 0x10)
            at = store_varint(buf, at + 1, step[first])
        total = _summary_size(form, size, first, last)
        if total:
            store_u8(buf, at, 0x2A)
            at = store_varint(buf, at + 1, total)
        others = 0
        for row in range(first, last):
            one = form[row]
            if size[one] < 0:
                others += 1
                continue
            store_u8(buf, at, 0x0A)
            at = store_varint(buf, at + 1, size[one])
            at = copy(parts, start[one], middle[one] - start[one], buf, at)
            if width[one] == FLOAT:
                store_f32(buf, at, np.float32(value[row]))
                at += 4
            elif width[one] == DOUBLE:
                store_f64(buf, at, value[row])
                at += 8
            at = copy(parts, middle[one], end[one] - middle[one], buf, at)
        for row in range(first, last if others else first):
            one = form[row]
            if size[one] < 0:
                at = copy(parts, start[one], end[one] - start[one], buf, at)
        store_i64(buf, begin - _HEADER, at - begin)
        store_u32(buf, begin - 4, masked_crc_at(buf, begin - _HEADER, 8))
        store_u32(buf, at, masked_crc_at(buf, begin, at - begin))
        at += FRAME - _HEADER
        first = last
    return at


def encode(rows: Rows, forms: Forms, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """The records of *rows* in order, framed: one Event for each run of equal `record`.

    An Event has the step and wall time of its first row, and leaves out those that are 0. *out* is
    used if it is large enough; the result is a view into it. Raises ValueError for columns that do
    not fit together and for forms that do not exist.
    """
    count = rows.record.size
    if any(column.size != count for column in rows):
        raise ValueError(f"encode: columns of {[column.size for column in rows]} rows")
    if count and not 0 <= rows.form.min() <= rows.form.max() < forms.width.size:
        raise ValueError(f"encode: a form beyond the {forms.width.size} that there are")
    room = int(forms.room(rows.form).sum()) + SLACK
    if out is None or out.size < room:
        out = np.empty(room, np.uint8)
    record, step, wall_time, value, form = (_fixed(column) for column in rows)
    size = _write(
        record, step, wall_time, value, form, _fixed(forms.data),
        forms.start, forms.middle, forms.end, forms.width, out,
    )  # fmt: skip
    return out[:size]


def _fixed(column: NDArray[Any]) -> NDArray[Any]:
    # Read-only always: the compiled code is made for one kind of array.
    view = np.ascontiguousarray(column).view()
    view.flags.writeable = False
    return view


def warm() -> None:
    """Compile, or load from the cache, everything here: seconds the first time on a machine."""
    none = np.zeros(0, np.int64)
    encode(Rows(none, none, np.zeros(0), np.zeros(0), none.astype(np.int32)), Forms.of([]))
