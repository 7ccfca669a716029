"""The plain twin of `decode`: the same rules said as simply as possible, to compare with."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .decoded import (
    BAD_LENGTH,
    BAD_PAYLOAD,
    BFLOAT16,
    CLEAN,
    DOUBLE,
    FLOAT,
    HALF,
    HELD,
    LOST,
    MAX_RECORD,
    MAX_TAG,
    MAX_VAIN,
    NUL_TAIL,
    NUMBERS,
    TOO_LONG,
    TORN,
    Decoded,
)  # fmt: skip


class _Slow(Exception):
    """This record is not purely scalars, or is malformed."""


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC_TABLE = _crc_table()


def masked_crc(data: bytes) -> int:
    """TFRecord's masked CRC32C of *data*, a byte at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """(value, next position); *limit* is how many bytes it may have."""
    value = 0
    for count, byte in enumerate(data[at : at + limit]):
        value |= (byte & 127) << (7 * count)
        if byte < 128:
            if value >= 1 << (64 if limit == 10 else 32):
                raise _Slow
            return value, at + count + 1
    raise _Slow


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _fields(data: bytes, base: int = 0) -> Iterator[tuple[int, int, Any, int]]:
    """(field, wire type, content, where it starts) of each field; *base* is where *data* lies."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at, 5)
        wire = key & 7
        if wire == 0:
            start, (value, at) = at, _varint(data, at, 10)
            yield key >> 3, wire, value, base + start
            continue
        if wire == 2:
            size, at = _varint(data, at, 5)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise _Slow
        if size > len(data) - at:
            raise _Slow
        yield key >> 3, wire, data[at : at + size], base + at
        at += size


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _known(number: int, wire: int, wanted: dict[int, int], last: int) -> bool:
    """Whether a field is one of *wanted* (number: wire type); unknown ones lie past *last*."""
    if wanted.get(number) == wire:
        return True
    if number <= last:
        raise _Slow
    return False


def _check_metadata(data: bytes) -> None:
    plugins = names = 0
    for number, wire, content, _ in _fields(data):
        if not _known(number, wire, {1: 2, 2: 2, 3: 2, 4: 0}, 4):
            continue
        if number in (2, 3) and not _is_text(content):
            raise _Slow
        if number == 1:
            plugins += 1
            for inner, inner_wire, name, _ in _fields(content):
                if _known(inner, inner_wire, {1: 2, 2: 2}, 2) and inner == 1:
                    names += 1
                    if name != b"scalars":
                        raise _Slow
    if plugins != 1 or names != 1:
        raise _Slow


def _number(form: int, number: int, wire: int, content: Any) -> float:
    """The one number a tensor holds in field *number*."""
    kind = NUMBERS.get(form)
    if kind is None or (number != 4 and number != kind.field) or (number == 4 and wire != 2):
        raise _Slow
    if form in (FLOAT, DOUBLE):
        if wire not in (2, 5 if form == FLOAT else 1) or len(content) != kind.size:
            raise _Slow
        return float(struct.unpack("<f" if form == FLOAT else "<d", content)[0])
    if number == 4:
        if len(content) != kind.size:
            raise _Slow
        whole = int.from_bytes(content, "little", signed=kind.low < 0)
    elif wire == 0:
        whole = _signed(content)
    elif wire == 2:
        whole, after = _varint(content, 0, 10)
        whole = _signed(whole)
        if after != len(content):
            raise _Slow
    else:
        raise _Slow
    if not kind.low <= whole <= kind.high:
        raise _Slow
    if form == HALF:
        return float(struct.unpack("<e", struct.pack("<H", whole))[0])
    if form == BFLOAT16:
        return float(struct.unpack("<f", struct.pack("<I", whole << 16))[0])
    return float(whole)


def _tensor(data: bytes) -> tuple[int, float]:
    form, numbers = 0, []
    for number, wire, content, _ in _fields(data):
        if number == 1 and wire == 0:
            form = _signed(content)
        elif number == 2 and wire == 2:
            if content:
                raise _Slow
        elif (number == 3 and wire == 0) or number > 18:
            continue
        else:
            numbers.append((number, wire, content))
    if len(numbers) != 1:
        raise _Slow
    return form, _number(form, *numbers[0])


@dataclass
class _Entry:
    key: tuple[bytes, int]
    offset: int
    meta: bytes | None
    meta_offset: int


@dataclass
class _State:
    """All that is found, as it grows."""

    tags: dict[tuple[bytes, int], int] = field(default_factory=dict)
    entries: list[_Entry] = field(default_factory=list)
    points: list[tuple[int, float, float, int, int]] = field(default_factory=list)
    slows: list[tuple[int, int, int]] = field(default_factory=list)
    problems: list[tuple[int, int, int]] = field(default_factory=list)
    walls: list[float] = field(default_factory=list)
    records: int = 0


def _value(data: bytes, base: int, state: _State) -> tuple[float, int]:
    """(value, number of its tag) of a Summary.Value."""
    tag, tag_at, meta, meta_at = b"", 0, None, 0
    form, value = -1, 0.0
    wanted = {1: 2, 2: 5, 8: 2, 9: 2}
    for number, wire, content, at in _fields(data, base):
        if not _known(number, wire, wanted, 9):
            continue
        if number == 1:
            tag, tag_at = content, at
        elif number == 2 and form <= 0:
            form, value = 0, float(struct.unpack("<f", content)[0])
        elif number == 8 and form == -1:
            form, value = _tensor(content)
        elif number == 9 and meta is None:
            meta, meta_at = content, at
        else:
            raise _Slow
    if form < 0 or not tag:
        raise _Slow
    key = (tag, form)
    if key not in state.tags:
        if len(tag) > MAX_TAG or not _is_text(tag):
            raise _Slow
        if meta is not None:
            _check_metadata(meta)
        state.tags[key] = len(state.entries)
        state.entries.append(_Entry(key, tag_at, meta, meta_at))
    elif meta is not None and meta != state.entries[state.tags[key]].meta:
        raise _Slow
    return value, state.tags[key]


def _event(data: bytes, base: int, state: _State) -> None:
    step, wall = 0, 0.0
    values: list[tuple[float, int]] = []
    for number, wire, content, at in _fields(data, base):
        if not _known(number, wire, {1: 1, 2: 0, 5: 2}, 10):
            continue
        if number == 1:
            wall = struct.unpack("<d", content)[0]
        elif number == 2:
            step = _signed(content)
        else:
            for inner, inner_wire, value, value_at in _fields(content, at):
                if _known(inner, inner_wire, {1: 2}, 1):
                    values.append(_value(value, value_at, state))
    if not values:
        raise _Slow
    state.points += [(step, wall, value, tag, state.records) for value, tag in values]
    if math.isfinite(wall):
        state.walls.append(wall)


def _read_event(data: bytes, base: int, state: _State) -> None:
    before = len(state.entries)
    try:
        _event(data, base, state)
    except _Slow:
        for entry in state.entries[before:]:
            del state.tags[entry.key]
        del state.entries[before:]
        state.slows.append((base, len(data), state.records))


def _header(data: bytes, at: int) -> int | None:
    """The length a header at *at* gives, or None where its CRC is wrong."""
    length, crc = struct.unpack_from("<QI", data, at)
    return length if crc == masked_crc(data[at : at + 8]) else None


def _has_good_payload(data: bytes, at: int, length: int) -> bool:
    crc = struct.unpack_from("<I", data, at + 12 + length)[0]
    return bool(crc == masked_crc(data[at + 12 : at + 12 + length]))


def _search(data: bytes, at: int) -> int | None:
    """The next whole record after *at*."""
    vain = 0
    for start in range(at + 1, len(data) - 11):
        if struct.unpack_from("<Q", data, start)[0] > MAX_RECORD:
            continue
        length = _header(data, start)
        if length is None:
            continue
        if start + 16 + length > len(data):
            return None
        if _has_good_payload(data, start, length):
            return start
        vain += length
        if vain > MAX_VAIN:
            return None
    return None


def _frames(data: bytes, at_end: bool, state: _State) -> tuple[int, int]:
    """(consumed, stop)."""
    at = 0
    while at < len(data):
        length = _header(data, at) if len(data) - at >= 12 else None
        if length is None:
            if not any(data[at:]):
                return at, NUL_TAIL
            if len(data) - at < 12:
                return at, TORN
            found = _search(data, at)
            if found is None:
                return at, LOST
            state.problems.append((at, found - at, BAD_LENGTH))
            at = found
            continue
        if length > MAX_RECORD:
            return at, TOO_LONG
        after = at + 16 + length
        if after > len(data):
            return at, TORN
        if _has_good_payload(data, at, length):
            _read_event(data[at + 12 : after - 4], at + 12, state)
        elif at_end and after == len(data):
            return at, HELD
        else:
            state.problems.append((at, after - at, BAD_PAYLOAD))
        state.records += 1
        at = after
    return at, CLEAN


def _columns(rows: list[Any], *dtypes: Any) -> list[NDArray[Any]]:
    return [np.array([row[i] for row in rows], dtype) for i, dtype in enumerate(dtypes)]


def decode_plain(buf: NDArray[np.uint8], at_end: bool) -> Decoded:
    """What `decode` gives, field by field, thousands of times slower."""
    state = _State()
    consumed, stop = _frames(buf.tobytes(), at_end, state)
    i8, f8 = np.int64, np.float64
    table = [
        (e.offset, len(e.key[0]), e.key[1], e.meta_offset, len(e.meta or b""))
        for e in state.entries
    ]
    return Decoded._make([
        consumed, state.records, stop,
        *_columns(state.points, i8, f8, f8, np.int32, i8),
        *_columns(table, i8, i8, np.uint8, i8, i8),
        *_columns(state.slows, i8, i8, i8),
        *_columns(state.problems, i8, i8, i8),
        min(state.walls, default=math.nan), max(state.walls, default=math.nan),
    ])  # fmt: skip
