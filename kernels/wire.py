"""Protobuf's wire format in compiled code: numbers, keys and lengths, every bound checked.

Positions are int64 offsets into the buffer; a function that finds the bytes malformed returns
-1 as the next position. Format: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .load import Bytes, load_i64, load_u8, load_u64

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


@njit(cache=True, nogil=True)
def _long_varint(buf: Bytes, at: int, end: int, limit: int) -> tuple[int, int]:
    value = 0
    for count in range(min(limit, end - at)):
        byte = load_u8(buf, at + count)
        value |= (byte & 127) << (7 * count)
        if byte < 128:
            # The tenth byte holds the 64th bit and nothing else.
            return (value, at + count + 1) if count < 9 or byte <= 1 else (0, -1)
    return 0, -1


@njit(cache=True, nogil=True)
def varint(buf: Bytes, at: int, end: int) -> tuple[int, int]:
    """(the 64 bits as int64, next position) of a varint of at most ten bytes."""
    if at < end:
        byte = load_u8(buf, at)
        if byte < 128:
            return byte, at + 1
    return _long_varint(buf, at, end, 10)


@njit(cache=True, nogil=True)
def short(buf: Bytes, at: int, end: int) -> tuple[int, int]:
    """(value, next position) of a key or a length: at most five bytes, as protobuf has it."""
    if at < end:
        byte = load_u8(buf, at)
        if byte < 128:
            return byte, at + 1
    value, at = _long_varint(buf, at, end, 5)
    return (value, at) if value < 1 << 32 else (0, -1)


@njit(cache=True, nogil=True)
def span(buf: Bytes, at: int, end: int) -> tuple[int, int]:
    """(start, end) of length-prefixed bytes; the end is -1 where they pass *end*."""
    size, start = short(buf, at, end)
    if start < 0 or size > end - start:
        return 0, -1
    return start, start + size


@njit(cache=True, nogil=True)
def skip(buf: Bytes, wire: int, at: int, end: int) -> int:
    """The position after a field's content; groups (wire types 3 and 4) are malformed to us."""
    if wire == VARINT:
        return varint(buf, at, end)[1]
    if wire == LENGTH:
        return span(buf, at, end)[1]
    if wire == FIXED64:
        return at + 8 if end - at >= 8 else -1
    if wire == FIXED32:
        return at + 4 if end - at >= 4 else -1
    return -1


@njit(cache=True, nogil=True)
def same(buf: Bytes, a: int, b: int, length: int) -> bool:
    """Whether *length* bytes at *a* and *b* are equal; both lie after a record's header."""
    while length >= 8:
        if load_i64(buf, a) != load_i64(buf, b):
            return False
        a, b, length = a + 8, b + 8, length - 8
    if length == 0:
        return True
    # The word that ends where the bytes end: at least a header of 12 bytes precedes them.
    word = load_u64(buf, a + length - 8) ^ load_u64(buf, b + length - 8)
    return bool((word >> np.uint64(64 - 8 * length)) == 0)


@njit(cache=True, nogil=True)
def is_utf8(buf: Bytes, at: int, end: int) -> bool:
    """Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7), as proto3 strings must."""
    while at < end:
        first = load_u8(buf, at)
        at += 1
        if first < 0x80:
            continue
        if first < 0xC2 or first > 0xF4:
            return False
        more = 1 + (first >= 0xE0) + (first >= 0xF0)
        if end - at < more:
            return False
        low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
        high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
        for follower in range(at, at + more):
            if not low <= load_u8(buf, follower) <= high:
                return False
            low, high = 0x80, 0xBF
        at += more
    return True
