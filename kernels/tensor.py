"""The one number of a TensorProto in compiled code, as float64.

Format: tensorflow/core/framework/tensor.proto, types.proto.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from .decoded import BFLOAT16, DOUBLE, FLOAT, HALF, NUMBERS, Number
from .load import Bytes, load_f32, load_f64, load_i64, load_u8, load_u16, load_u32
from .wire import FIXED32, FIXED64, LENGTH, VARINT, short, skip, span, varint

SLOW = -1  # instead of a form: more than one plain number, or malformed
_NO_KEY = -1

_KNOWN = np.array([NUMBERS.get(form, Number(0, 0, 0, 0)) for form in range(max(NUMBERS) + 1)])


@njit(cache=True, nogil=True)
def _small_float(bits: int, mantissa_bits: int) -> float:
    """A 16-bit float: IEEE half has 10 bits of mantissa, bfloat16 has 7."""
    sign = -1.0 if bits & 0x8000 else 1.0
    top = (1 << (15 - mantissa_bits)) - 1
    exponent = (bits >> mantissa_bits) & top
    mantissa = bits & ((1 << mantissa_bits) - 1)
    if exponent == top:
        return sign * math.inf if mantissa == 0 else math.nan
    if exponent == 0:
        exponent = 1
    else:
        mantissa |= 1 << mantissa_bits
    return sign * math.ldexp(float(mantissa), exponent - (top >> 1) - mantissa_bits)


@njit(cache=True, nogil=True)
def _little(buf: Bytes, at: int, size: int, signed: bool) -> int:
    """An integer of 1, 2, 4 or 8 bytes."""
    if size == 8:
        return load_i64(buf, at)
    if size == 4:
        value = load_u32(buf, at)
    else:
        value = load_u16(buf, at) if size == 2 else load_u8(buf, at)
    empty = 64 - 8 * size
    return (value << empty) >> empty if signed else value


@njit(cache=True, nogil=True)
def _number(buf: Bytes, form: int, key: int, at: int, end: int) -> tuple[int, float]:
    """(form, value) of the one number of a tensor; SLOW as the form if it is not just that."""
    if not 0 < form < len(_KNOWN) or _KNOWN[form, 0] == 0:
        return SLOW, 0.0
    field, wire = key >> 3, key & 7
    packed = field == 4
    size = _KNOWN[form, 1]
    if field != _KNOWN[form, 0] and not (packed and wire == LENGTH):
        return SLOW, 0.0
    if form == FLOAT or form == DOUBLE:
        natural = FIXED32 if form == FLOAT else FIXED64
        if end - at != size or (wire != LENGTH and wire != natural):
            return SLOW, 0.0
        return form, (np.float64(load_f32(buf, at)) if form == FLOAT else load_f64(buf, at))
    if packed:
        if end - at != size:
            return SLOW, 0.0
        whole = _little(buf, at, size, _KNOWN[form, 2] < 0)
    else:
        whole, after = varint(buf, at, end)
        if after != end or (wire != LENGTH and wire != VARINT):
            return SLOW, 0.0
    if not _KNOWN[form, 2] <= whole <= _KNOWN[form, 3]:
        return SLOW, 0.0
    if form == HALF or form == BFLOAT16:
        return form, _small_float(whole, 10 if form == HALF else 7)
    return form, np.float64(whole)


@njit(cache=True, nogil=True)
def tensor(buf: Bytes, at: int, end: int) -> tuple[int, float, int]:
    """(form, value, its place) of a TensorProto of rank 0 holding one number; SLOW as the form."""
    form, number_key, number_at, number_end = 0, _NO_KEY, 0, 0
    while at < end:
        key, at = short(buf, at, end)
        if at < 0:
            return SLOW, 0.0, 0
        if key == 0x08:  # dtype
            form, at = varint(buf, at, end)
        elif key == 0x12:  # tensor_shape: any content is a dimension or an unknown rank
            start, at = span(buf, at, end)
            if at != start:
                return SLOW, 0.0, 0
        elif key == 0x18 or key >> 3 > 18:  # version_number, or what we do not know
            at = skip(buf, key & 7, at, end)
        else:
            if number_key != _NO_KEY:
                return SLOW, 0.0, 0
            number_key = key
            if key & 7 == LENGTH:
                number_at, at = span(buf, at, end)
            else:
                number_at, at = at, skip(buf, key & 7, at, end)
            number_end = at
        if at < 0:
            return SLOW, 0.0, 0
    form, value = _number(buf, form, number_key, number_at, number_end)
    return form, value, number_at
