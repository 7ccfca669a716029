"""TFRecord's masked CRC32C, by the CPU's own instruction where it has one, by tables elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from .load import Bytes, load_u8, load_u64, pointer

_POLYNOMIAL = 0x82F63B78  # Castagnoli, bits reversed
_MASK_DELTA = 0xA282EAD8  # tensorflow/core/lib/hash/crc32c.h, kMaskDelta


def _tables() -> NDArray[np.uint64]:
    """Eight tables: [k, b] is what byte *b* followed by *k* zero bytes does to the register."""
    row = np.arange(256, dtype=np.uint64)
    for _ in range(8):
        row = (row >> np.uint64(1)) ^ (row & np.uint64(1)) * np.uint64(_POLYNOMIAL)
    rows = [row]
    for _ in range(7):
        rows.append((rows[-1] >> np.uint64(8)) ^ row[rows[-1] & np.uint64(255)])
    return np.stack(rows)


_TABLES = _tables()


@njit(cache=True, nogil=True)
def _step_table(crc: np.uint64, word: np.uint64) -> np.uint64:
    """The register after the eight bytes of *word*, lowest first (slicing by 8)."""
    word ^= crc
    crc = np.uint64(0)
    for byte in range(8):
        crc ^= _TABLES[7 - byte, np.int64(word & np.uint64(255))]
        word >>= np.uint64(8)
    return crc


def _instruction() -> tuple[str, int] | None:
    """LLVM's name for this CPU's CRC32C of eight bytes and the width of its register, or None."""
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("sse4.2"):
        return "llvm.x86.sse42.crc32.64.64", 64
    if llvmlite.binding.get_process_triple().startswith(("aarch64", "arm64")):
        return ("llvm.aarch64.crc32cx", 32) if features.get("crc") else None
    return None


_INSTRUCTION = _instruction()
HAS_INSTRUCTION = _INSTRUCTION is not None


def _step_instruction(typing: Any, crc: Any, word: Any) -> Any:
    """`_step_table` in one instruction, for `@intrinsic`."""
    assert _INSTRUCTION is not None
    name, bits = _INSTRUCTION

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        register, wide = ir.IntType(bits), ir.IntType(64)
        function = builder.module.declare_intrinsic(
            name, (), ir.FunctionType(register, [register, wide])
        )
        if bits == 64:
            return builder.call(function, args)
        narrow = builder.trunc(args[0], register)
        return builder.zext(builder.call(function, [narrow, args[1]]), wide)

    return types.uint64(types.uint64, types.uint64), codegen


_Step = Callable[[np.uint64, np.uint64], np.uint64]
_step: _Step = intrinsic(_step_instruction) if HAS_INSTRUCTION else _step_table  # type: ignore


@njit(cache=True, nogil=True)
def _tail(buf: Bytes, end: int, count: int) -> np.uint64:
    """The last *count* (1 to 7) bytes before *end*, as the high bytes of a word."""
    empty = np.uint64(64 - 8 * count)
    if end >= 8:
        return (load_u64(buf, end - 8) >> empty) << empty
    word = np.uint64(0)
    for at in range(end - count, end):
        word = (word >> np.uint64(8)) | (np.uint64(load_u8(buf, at)) << np.uint64(56))
    return word


# A tail of t bytes needs no steps of its own: a zero register stays zero over leading zero bytes,
# so the t bytes (with the register laid over them) are one step when they stand last in a word.
@njit(cache=True, nogil=True)
def _masked(buf: Bytes, start: int, length: int, by_table: bool) -> np.uint32:
    crc = np.uint64(0xFFFFFFFF)
    at, end = start, start + length
    while end - at >= 8:
        word = load_u64(buf, at)
        crc = _step_table(crc, word) if by_table else _step(crc, word)
        at += 8
    if at < end:
        word = _tail(buf, end, end - at) ^ (crc << np.uint64(64 - 8 * (end - at)))
        last = _step_table(np.uint64(0), word) if by_table else _step(np.uint64(0), word)
        crc = (crc >> np.uint64(8 * (end - at))) ^ last
    crc ^= np.uint64(0xFFFFFFFF)
    return np.uint32(((crc >> np.uint64(15)) | (crc << np.uint64(17))) + np.uint64(_MASK_DELTA))


@njit(cache=True, nogil=True)
def masked_crc_at(buf: Bytes, start: int, length: int) -> np.uint32:
    """`masked_crc` through a pointer, for compiled code."""
    return _masked(buf, start, length, False)


@njit(cache=True, nogil=True)
def masked_crc(buf: Bytes, start: int, length: int) -> np.uint32:
    """Masked CRC32C of `buf[start : start + length]`; the caller has checked both ends.

    Format: tensorflow/core/lib/hash/crc32c.h (`Mask`), written by lib/io/record_writer.cc.
    """
    return _masked(pointer(buf), start, length, False)


@njit(cache=True, nogil=True)
def masked_crc_by_table(buf: Bytes, start: int, length: int) -> np.uint32:
    """`masked_crc` without the CPU's instruction: what a machine that lacks it runs."""
    return _masked(pointer(buf), start, length, True)
