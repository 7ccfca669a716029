"""Bytes of an event file to columns: frames, damage, and the loop around every record, compiled."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .crc32c import masked_crc_at
from .decoded import (
    BAD_LENGTH,
    BAD_PAYLOAD,
    CLEAN,
    HELD,
    LOST,
    MAX_RECORD,
    MAX_VAIN,
    NUL_TAIL,
    TOO_LONG,
    TORN,
    Decoded,
)  # fmt: skip
from .load import Bytes, load_i64, load_u8, load_u32, pointer
from .scalars import (
    AT,
    MORE_POINTS,
    MORE_TAGS,
    POINTS,
    PROBLEMS,
    RECORDS,
    SLOWS,
    STATE,
    TAGS,
    Columns,
    points_in,
    read_event,
)  # fmt: skip
from .tags import ROWS, index, tags_in
from .tensor import SLOW

__all__ = [
    "BAD_LENGTH", "BAD_PAYLOAD", "CLEAN", "HELD", "LOST", "MAX_RECORD", "NUL_TAIL", "TOO_LONG",
    "TORN", "Buffers", "Decoded", "decode", "warm",
]  # fmt: skip

_MORE_NOTES = -4
_HEADER, _FRAME = 12, 16  # bytes before the payload, and around it


@njit(cache=True, nogil=True)
def _zeros_until(buf: Bytes, at: int, size: int) -> int:
    """The first byte from *at* on that is not zero, or *size*."""
    while at + 8 <= size and load_i64(buf, at) == 0:
        at += 8
    while at < size and load_u8(buf, at) == 0:
        at += 1
    return at


@njit(cache=True, nogil=True)
def _is_header(buf: Bytes, at: int) -> bool:
    return bool(load_u32(buf, at + 8) == masked_crc_at(buf, at, 8))


@njit(cache=True, nogil=True)
def _is_payload(buf: Bytes, at: int, length: int) -> bool:
    return bool(load_u32(buf, at + length) == masked_crc_at(buf, at, length))


@njit(cache=True, nogil=True)
def _search(buf: Bytes, at: int, size: int, vain: int) -> tuple[int, int]:
    """(the next whole record from *at* on or -1, payload bytes checked in vain up to now)."""
    while size - at >= _HEADER:
        length = load_i64(buf, at)
        if length == 0 and load_u32(buf, at + 8) == 0:
            # The checksum of length 0 is not 0: no header ends within zeros.
            at = _zeros_until(buf, at + _HEADER, size) - _HEADER + 1
            continue
        if 0 <= length <= MAX_RECORD and _is_header(buf, at):
            if length > size - at - _FRAME:
                return -1, vain
            if _is_payload(buf, at + _HEADER, length):
                return at, vain
            vain += length
            if vain > MAX_VAIN:
                return -1, vain
        at += 1
    return -1, vain


@njit(cache=True, nogil=True)
def _scan(
    data: Bytes,
    at_end: bool,
    state: NDArray[np.int64],
    walls: NDArray[np.float64],
    columns: Columns,
    table: NDArray[np.int64],
    slots: NDArray[np.int32],
    seed: np.uint64,
    slows: NDArray[np.int64],
    problems: NDArray[np.int64],
) -> int:
    """Records from state[AT] on; ends with a stop, or with what there must be more room for."""
    buf, size = pointer(data), data.size
    tags, points = tags_in(table, slots, seed), points_in(columns)
    counts = pointer(state)
    at, vain = state[AT], 0
    while at < size:
        state[AT] = at
        bad, slow, left = state[PROBLEMS], state[SLOWS], size - at
        if slow == slows.shape[1] or bad == problems.shape[1]:
            return _MORE_NOTES
        if left < _HEADER:
            return NUL_TAIL if _zeros_until(buf, at, size) == size else TORN
        if not _is_header(buf, at):
            if _zeros_until(buf, at, size) == size:
                return NUL_TAIL
            found, vain = _search(buf, at + 1, size, vain)
            if found < 0:
                return LOST
            problems[0, bad], problems[1, bad], problems[2, bad] = at, found - at, BAD_LENGTH
            state[PROBLEMS] += 1
            at = found
            continue
        length = load_i64(buf, at)
        if not 0 <= length <= MAX_RECORD:
            return TOO_LONG
        if length > left - _FRAME:
            return TORN
        start, after = at + _HEADER, at + _FRAME + length
        if _is_payload(buf, start, length):
            count, wall = read_event(buf, start, start + length, points, tags, counts)
            if count >= 0:
                state[POINTS] = count
                if abs(wall) < np.inf:
                    walls[0], walls[1] = min(walls[0], wall), max(walls[1], wall)
            elif count == SLOW:
                slows[0, slow], slows[1, slow], slows[2, slow] = start, length, state[RECORDS]
                state[SLOWS] += 1
            else:
                return count
        elif at_end and after == size:
            return HELD
        else:
            problems[0, bad], problems[1, bad], problems[2, bad] = at, after - at, BAD_PAYLOAD
            state[PROBLEMS] += 1
        state[RECORDS] += 1
        at = after
    state[AT] = at
    return CLEAN


def _wider(array: NDArray[Any]) -> NDArray[Any]:
    """Twice the columns, the old ones kept."""
    wide = np.empty((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., : array.shape[-1]] = array
    return wide


class Buffers:
    """Room for what `decode` finds, to be used again: fresh memory costs a fault per page.

    One thread at a time. It keeps the size of the largest piece it has seen.
    """

    def __init__(self) -> None:
        self._columns = _room(1 << 10)
        self._slows = np.empty((3, 64), np.int64)
        self._problems = np.empty((3, 64), np.int64)
        self._table = np.zeros((ROWS, 64), np.int64)
        self._seed = np.uint64(secrets.randbits(64))

    def _reserve(self, size: int) -> None:
        """Room for *size* bytes of short scalar events; what goes beyond is found on the way."""
        if self._columns.step.size < size // 30:
            self._columns = _room(size // 30)

    def _slots(self) -> NDArray[np.int32]:
        return np.zeros(1 << (2 * self._table.shape[1]).bit_length(), np.int32)

    def decode(self, buf: Bytes, at_end: bool) -> Decoded:
        """`decode` with this room; the result lives until the next call."""
        self._reserve(buf.size)
        state, walls = np.zeros(STATE, np.int64), np.array([np.inf, -np.inf])
        slots = self._slots()
        while True:
            stop = _scan(
                buf, at_end, state, walls, self._columns,
                self._table, slots, self._seed, self._slows, self._problems,
            )  # fmt: skip
            if stop == MORE_POINTS:
                self._columns = Columns._make([_wider(column) for column in self._columns])
            elif stop == MORE_TAGS:
                self._table = _wider(self._table)
                slots = self._slots()
                index(buf, self._table, slots, self._seed, state[TAGS])
            elif stop == _MORE_NOTES:
                self._slows, self._problems = _wider(self._slows), _wider(self._problems)
            else:
                return self._result(state, walls, stop)

    def _result(self, state: NDArray[np.int64], walls: NDArray[np.float64], stop: int) -> Decoded:
        first, last = walls if walls[0] <= walls[1] else (np.nan, np.nan)
        table = self._table[:, : state[TAGS]]
        found: list[Any] = [int(state[AT]), int(state[RECORDS]), stop]
        found += (column[: state[POINTS]] for column in self._columns)
        found += (table[0], table[1], table[2].astype(np.uint8), table[3], table[4])
        found += (*self._slows[:, : state[SLOWS]], *self._problems[:, : state[PROBLEMS]])
        return Decoded._make([*found, float(first), float(last)])


def _room(size: int) -> Columns:
    return Columns(
        np.empty(size, np.int64), np.empty(size), np.empty(size),
        np.empty(size, np.int32), np.empty(size, np.int64),
    )  # fmt: skip


def decode(buf: Bytes, at_end: bool, buffers: Buffers | None = None) -> Decoded:
    """Decode bytes of an event file that begin at a record's start; both CRCs are verified.

    *buf* is a contiguous array of bytes; *at_end* says that it reaches the present end of the
    file, so that a bad last record may be one still being written. With *buffers* the arrays
    are views that live until its next use. Damaged records are named in the problems, records
    that are more than plain scalars come back whole as slow ones: nothing is dropped. A scalar
    whose metadata differ from its tag's first in this buffer is slow too, so where a file is cut
    may decide which way a value goes; both ways must give the same row.
    Raises TypeError if *buf* is anything else.
    Format: tensorflow/core/lib/io/record_writer.cc (u64 length, its CRC, payload, its CRC).
    """
    if buf.dtype != np.uint8 or buf.ndim != 1 or not buf.flags.c_contiguous:
        raise TypeError(
            f"decode: got {buf.dtype} of shape {buf.shape}, want a contiguous uint8[n]; "
            "np.frombuffer(data, np.uint8) makes one"
        )
    # Read-only always: the compiled code is made for one kind of array.
    view = buf.view(np.ndarray)
    view.flags.writeable = False
    return (buffers or Buffers()).decode(view, bool(at_end))


def warm() -> None:
    """Compile, or load from the cache, everything here: seconds the first time on a machine."""
    decode(np.zeros(32, np.uint8), True)
