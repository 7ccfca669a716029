"""What a decoded piece of an event file is: its columns, its end, and the formats' numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_RECORD = 256 << 20  # bytes of payload; a longer record is never held in memory
MAX_TAG = 4096  # bytes; a longer tag leaves the fast path
MAX_EXACT = 1 << 53  # integers beyond it are no longer exact as float64
# A search for the next record may check this much payload in vain; hostile bytes nest lengths
# so that every offset looks like a record of half the file.
MAX_VAIN = 1 << 30

# How a piece ended: `Decoded.stop`.
CLEAN = 0  # on a record's end
TORN = 1  # the last record is incomplete: not yet
NUL_TAIL = 2  # nothing but zero bytes from `consumed` to the end of the buffer
LOST = 3  # a bad length CRC and no whole record found after it: not yet, or never
HELD = 4  # the file's last record has a wrong payload CRC: it may still be being written
TOO_LONG = 5  # a proven length above MAX_RECORD: the caller skips 16 + length bytes

# What was skipped: `Decoded.problem_kind`.
BAD_PAYLOAD = 1  # the payload's CRC is wrong; its length was right
BAD_LENGTH = 2  # the length's CRC is wrong; bytes up to the next whole record were skipped


class Number(NamedTuple):
    """How one DataType (tensorflow/core/framework/types.proto) stands in a TensorProto."""

    field: int  # of the typed values
    size: int  # bytes in tensor_content
    low: int  # of what is taken; outside the record goes the slow way
    high: int


FLOAT, DOUBLE, BFLOAT16, HALF = 1, 2, 14, 19
NUMBERS = {
    FLOAT: Number(5, 4, 0, 0),
    DOUBLE: Number(6, 8, 0, 0),
    3: Number(7, 4, -(1 << 31), (1 << 31) - 1),  # DT_INT32
    4: Number(7, 1, 0, 255),  # DT_UINT8
    5: Number(7, 2, -(1 << 15), (1 << 15) - 1),  # DT_INT16
    6: Number(7, 1, -128, 127),  # DT_INT8
    9: Number(10, 8, -MAX_EXACT, MAX_EXACT),  # DT_INT64
    10: Number(11, 1, 0, 1),  # DT_BOOL
    BFLOAT16: Number(13, 2, 0, 65535),
    17: Number(7, 2, 0, 65535),  # DT_UINT16
    HALF: Number(13, 2, 0, 65535),
    22: Number(16, 4, 0, (1 << 32) - 1),  # DT_UINT32
    23: Number(17, 8, 0, MAX_EXACT),  # DT_UINT64
}


class Decoded(NamedTuple):
    """One buffer of an event file as columns; offsets are bytes from the buffer's start.

    A record's ordinal counts framed records (good and bad-CRC ones) from 0 in this buffer.
    The arrays may be views into the `Buffers` they were made with, until its next use.
    """

    consumed: int  # everything before it is dealt with
    records: int  # framed records passed
    stop: int  # CLEAN ... TOO_LONG
    # Points of scalars, in record order.
    step: NDArray[np.int64]
    wall_time: NDArray[np.float64]  # Unix seconds, as written: may be NaN
    value: NDArray[np.float64]
    tag: NDArray[np.int32]  # index into the tag table
    record: NDArray[np.int64]
    # The tag table: one entry per (tag, form), in order of first appearance.
    tag_offset: NDArray[np.int64]
    tag_length: NDArray[np.int64]  # of its UTF-8 bytes
    tag_form: NDArray[np.uint8]  # 0 = simple_value, else the tensor's DataType
    tag_meta_offset: NDArray[np.int64]
    tag_meta_length: NDArray[np.int64]  # SummaryMetadata of its first value; 0 = none
    # Records for the slow path, whole: none of their values are among the points.
    slow_offset: NDArray[np.int64]  # of the payload
    slow_length: NDArray[np.int64]
    slow_record: NDArray[np.int64]
    problem_offset: NDArray[np.int64]  # of the record
    problem_bytes: NDArray[np.int64]  # that were skipped
    problem_kind: NDArray[np.int64]
    first_wall_time: float  # smallest finite one of the fast records; NaN if none
    last_wall_time: float  # largest finite one

    def copy(self) -> Decoded:
        """The same with arrays of its own."""
        return Decoded._make(x.copy() if isinstance(x, np.ndarray) else x for x in self)
