"""The table that numbers (tag, form) pairs in compiled code: guess the next one, hash on a miss."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .load import Bytes, load_u64, pointer
from .wire import same

ROWS = 9  # of the table behind `Tags`
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Tags(NamedTuple):
    """Pointers to room for tags; how many there are is the caller's count."""

    offset: NDArray[np.int64]
    size: NDArray[np.int64]
    form: NDArray[np.int64]
    meta: NDArray[np.int64]
    meta_size: NDArray[np.int64]
    next: NDArray[np.int64]  # the tag that followed last time
    like: NDArray[np.int64]  # where an event of the tag has its summary, as the event's last field
    like_size: NDArray[np.int64]  # bytes of that summary field; -1 = there is none
    like_value: NDArray[np.int64]  # where in it the value lies, four bytes
    capacity: int
    slots: NDArray[np.int32]  # tag + 1, 0 = free; over twice as many as the capacity
    mask: int  # slots - 1; a power of two, less one
    seed: np.uint64  # secret of this process: chosen tags must not collide


@njit(cache=True, nogil=True)
def tags_in(table: NDArray[np.int64], slots: NDArray[np.int32], seed: np.uint64) -> Tags:
    """The room in *table* [ROWS, capacity] and *slots*."""
    return Tags(
        pointer(table[0]), pointer(table[1]), pointer(table[2]),
        pointer(table[3]), pointer(table[4]), pointer(table[5]),
        pointer(table[6]), pointer(table[7]), pointer(table[8]),
        table.shape[1], pointer(slots), slots.size - 1, seed,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def is_tag(buf: Bytes, tags: Tags, tag: int, at: int, size: int, form: int) -> bool:
    """Whether entry *tag* is these bytes in this form."""
    if tags.size[tag] != size or tags.form[tag] != form:
        return False
    return same(buf, tags.offset[tag], at, size)


@njit(cache=True, nogil=True)
def _hash(buf: Bytes, at: int, size: int, form: int, seed: np.uint64) -> np.uint64:
    value = seed ^ np.uint64(size * 256 + form)
    while size > 0:
        word = load_u64(buf, at + size - 8)
        if size < 8:
            word >>= np.uint64(64 - 8 * size)
        value = (value ^ word) * _FACTOR
        value ^= value >> np.uint64(29)
        size -= 8
    return value


@njit(cache=True, nogil=True)
def find(buf: Bytes, tags: Tags, at: int, size: int, form: int) -> int:
    """The slot that holds the tag, or the free one where it belongs."""
    slot: Any = np.int64(_hash(buf, at, size, form, tags.seed) >> np.uint64(1)) & tags.mask
    while tags.slots[slot] != 0:
        if is_tag(buf, tags, tags.slots[slot] - 1, at, size, form):
            break
        slot = (slot + 1) & tags.mask
    return int(slot)


@njit(cache=True, nogil=True)
def forget(buf: Bytes, tags: Tags, keep: int, count: int) -> None:
    """Take out the newest entries, down to *keep*: nothing newer probed past them."""
    for tag in range(count - 1, keep - 1, -1):
        tags.slots[find(buf, tags, tags.offset[tag], tags.size[tag], tags.form[tag])] = 0


@njit(cache=True, nogil=True)
def index(
    buf: Bytes,
    table: NDArray[np.int64],
    slots: NDArray[np.int32],
    seed: np.uint64,
    count: int,
) -> None:
    """Fill empty slots for *count* entries in order, as if each had just come."""
    tags = tags_in(table, slots, seed)
    for tag in range(count):
        slot = find(pointer(buf), tags, tags.offset[tag], tags.size[tag], tags.form[tag])
        slots[slot] = tag + 1
