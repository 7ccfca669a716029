"""The plain twin of `encode`: the same records by protobuf's rules said simply, to compare with."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from .decode_plain import masked_crc
from .encoded import EVENT, Form, Rows

_NUMBERS = {0: "", 4: "<f", 8: "<d"}


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = bytearray()
    while value >= 128:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _value(form: Form, value: float) -> bytes:
    number = b""
    if form.width > 0:
        with np.errstate(over="ignore"):
            number = np.array(value, _NUMBERS[form.width]).tobytes()
    inner = form.before + number + form.after
    return b"\x0a" + _varint(len(inner)) + inner


def encode_plain(rows: Rows, forms: Sequence[Form]) -> NDArray[np.uint8]:
    """What `encode` gives, byte for byte, a thousand times slower."""
    out = b""
    every = zip(*(column.tolist() for column in rows), strict=True)
    for _, found in groupby(every, key=lambda row: row[0]):
        group = list(found)
        _, step, wall, _, _ = group[0]
        wall_time = struct.pack("<d", wall)
        event = b"\x09" + wall_time if any(wall_time) else b""
        event += b"\x10" + _varint(step) if step else b""
        chosen = [(forms[form], value) for _, _, _, value, form in group]
        values = [_value(form, value) for form, value in chosen if form.width != EVENT]
        others = [form.before + form.after for form, _ in chosen if form.width == EVENT]
        summary = b"".join(values)
        event += b"\x2a" + _varint(len(summary)) + summary if summary else b""
        event += b"".join(others)
        head = struct.pack("<Q", len(event))
        out += head + struct.pack("<I", masked_crc(head))
        out += event + struct.pack("<I", masked_crc(event))
    return np.frombuffer(out, np.uint8)
