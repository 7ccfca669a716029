"""What records of an event file are made of: forms of values, and the rows that take one each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# How a form's number is written between its two parts.
WHOLE = 0  # there is none: the first part is the whole `Summary.Value`
FLOAT = 4  # float32
DOUBLE = 8  # float64
EVENT = -1  # the first part is fields of the Event itself, which has no summary
# Around a payload, and before it at most: length and its CRC, wall time, step, the summary's head.
FRAME = 16
HEAD = 9 + 11 + 6
SLACK = 8  # bytes behind every buffer that copies may touch


class Form(NamedTuple):
    """The bytes of a `Summary.Value` before and behind its number, and how that is written."""

    before: bytes
    after: bytes = b""
    width: int = WHOLE


class Rows(NamedTuple):
    """Columns of one length; rows of one record lie together and share step and wall time."""

    record: NDArray[np.int64]
    step: NDArray[np.int64]
    wall_time: NDArray[np.float64]
    value: NDArray[np.float64]
    form: NDArray[np.int32]

    def slice(self, start: int, end: int) -> Rows:
        """Rows [start, end)."""
        return Rows._make(column[start:end] for column in self)


@dataclass(frozen=True)
class Forms:
    """Forms laid out for compiled code: their bytes one behind the other."""

    data: NDArray[np.uint8]
    start: NDArray[np.int64]
    middle: NDArray[np.int64]
    end: NDArray[np.int64]
    width: NDArray[np.int8]

    @classmethod
    def of(cls, forms: Sequence[Form]) -> Forms:
        """The forms by number."""
        before = np.array([len(one.before) for one in forms], np.int64)
        after = np.array([len(one.after) for one in forms], np.int64)
        end = np.cumsum(before + after)
        start = end - before - after
        joined = b"".join(part for one in forms for part in (one.before, one.after))
        data = np.frombuffer(joined + bytes(SLACK), np.uint8)
        width = np.array([one.width for one in forms], np.int8)
        return cls(data, start, start + before, end, width)

    def room(self, form: NDArray[np.int32]) -> NDArray[np.int64]:
        """Bytes that a row of each of *form* takes at most, if it is a record of its own."""
        size = self.end - self.start + np.maximum(self.width, 0) + 6 + HEAD + FRAME
        return np.asarray(size[form], np.int64)
