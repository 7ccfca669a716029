"""Little-endian stores at any byte for compiled code: the other half of `load`.

As there, whoever takes a pointer keeps the array alive and has checked that there is room.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from .load import Bytes, load_i64


def _storer(stored: ir.Type, given: types.Type) -> Any:
    """A function of (pointer, offset, value): *value* of type *given* put there as *stored*."""

    @intrinsic
    def store(typing: Any, buf: Any, at: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = builder.bitcast(builder.gep(args[0], [args[1]]), stored.as_pointer())
            whole = args[2]
            if whole.type != stored:
                whole = builder.trunc(whole, stored)
            builder.store(whole, place, align=1)
            return context.get_dummy_value()

        return types.void(buf, types.int64, given), codegen

    return store


store_u8: Callable[[Bytes, int, int], None] = _storer(ir.IntType(8), types.int64)
store_u32: Callable[[Bytes, int, np.uint32], None] = _storer(ir.IntType(32), types.uint32)
store_i64: Callable[[Bytes, int, int], None] = _storer(ir.IntType(64), types.int64)
store_f32: Callable[[Bytes, int, np.float32], None] = _storer(ir.FloatType(), types.float32)
store_f64: Callable[[Bytes, int, float], None] = _storer(ir.DoubleType(), types.float64)


@njit(cache=True, nogil=True)
def store_varint(buf: Bytes, at: int, value: int) -> int:
    """Write the 64 bits of *value* as protobuf has them, ten bytes at most; the next position."""
    rest = np.uint64(value)
    while rest >= np.uint64(128):
        store_u8(buf, at, int((rest & np.uint64(127)) | np.uint64(128)))
        rest >>= np.uint64(7)
        at += 1
    store_u8(buf, at, int(rest))
    return at + 1


@njit(cache=True, nogil=True)
def varint_size(value: int) -> int:
    """How many bytes `store_varint` takes."""
    rest, size = np.uint64(value) >> np.uint64(7), 1
    while rest:
        rest >>= np.uint64(7)
        size += 1
    return size


@njit(cache=True, nogil=True)
def copy(source: Bytes, start: int, size: int, buf: Bytes, at: int) -> int:
    """Copy *size* bytes by words; up to seven more are read and written behind them."""
    for step in range(0, size, 8):
        store_i64(buf, at + step, load_i64(source, start + step))
    return at + size
