"""Pointers for compiled code, and little-endian loads at any byte, aligned or not.

Compiled functions that call each other with arrays count references at every call, which costs
several times the work itself; a pointer has nothing to count. Whoever takes one keeps the array
alive and checks the bounds: nothing here does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

if sys.byteorder != "little":
    raise ImportError("boardlake decodes event files on little-endian machines only")

Bytes: TypeAlias = NDArray[np.uint8]


Array = TypeVar("Array", bound=NDArray[Any])


def _address(typing: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen  # type: ignore[no-untyped-call]


# To the type checker a pointer is its array: compiled code may only index it.
pointer: Callable[[Array], Array] = intrinsic(_address)  # type: ignore[assignment]


def _loader(stored: ir.Type, result: types.Type) -> Any:
    """A function of (pointer, offset): *stored* as it lies there, as *result*."""

    @intrinsic
    def load(typing: Any, buf: Any, at: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = builder.bitcast(builder.gep(args[0], [args[1]]), stored.as_pointer())
            value = builder.load(place, align=1)
            whole = context.get_value_type(result)
            return value if whole == stored else builder.zext(value, whole)

        return result(buf, types.int64), codegen

    return load


load_u8: Callable[[Bytes, int], int] = _loader(ir.IntType(8), types.int64)
load_u16: Callable[[Bytes, int], int] = _loader(ir.IntType(16), types.int64)
load_u32: Callable[[Bytes, int], int] = _loader(ir.IntType(32), types.int64)
load_u64: Callable[[Bytes, int], np.uint64] = _loader(ir.IntType(64), types.uint64)
load_i64: Callable[[Bytes, int], int] = _loader(ir.IntType(64), types.int64)
load_f32: Callable[[Bytes, int], float] = _loader(ir.FloatType(), types.float32)
load_f64: Callable[[Bytes, int], float] = _loader(ir.DoubleType(), types.float64)
