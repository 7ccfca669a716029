"""Scalar series to framed records at NumPy speed: the same bytes as the writer, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto import event_pb2, summary_pb2

from . import forms

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# A float32 whose bytes occur nowhere else in a summary: it marks where the value goes.
_MARK = b"\x01\x02\x03\x04"
_HEAD = 12  # u64 length and the u32 CRC of it
_FOOT = 4


class Column(NamedTuple):
    """A scalar series as a writer logs it; the three arrays have one length, steps are >= 0."""

    tag: str
    steps: Ints
    times: Floats
    values: Floats
    form: forms.Scalar = forms.simple


class Records(NamedTuple):
    """Framed records one after the other: record i is `data[offsets[i]:offsets[i + 1]]`."""

    times: Floats
    offsets: Ints
    data: bytes


def _crc_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0x82F63B78), table >> 1)
    return table


_TABLE = _crc_table()


def masked_crcs(rows: Bytes, lengths: Ints) -> NDArray[np.uint32]:
    """The masked CRC32C of each row's first *lengths* bytes, for all rows at once.

    A byte of all rows is one NumPy operation: longest rows first, so that the rest drop out.
    """
    order = np.argsort(-lengths, kind="stable")
    by_byte = np.ascontiguousarray(rows[order].T)
    alive = len(rows) - np.searchsorted(np.sort(lengths), np.arange(rows.shape[1]), side="right")
    crc = np.full(len(rows), 0xFFFFFFFF, dtype=np.uint32)
    for column, count in zip(by_byte, alive, strict=True):
        part = crc[:count]
        part[:] = _TABLE[(part ^ column[:count]) & np.uint32(0xFF)] ^ (part >> np.uint32(8))
    crc ^= np.uint32(0xFFFFFFFF)
    masked = np.empty_like(crc)
    masked[order] = ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)
    return masked


def _template(column: Column) -> tuple[Bytes, int]:
    """The event's summary field around the value, and where the value goes in it."""
    value = column.form(column.tag, float(np.frombuffer(_MARK, "<f4")[0]))
    body = event_pb2.Event(summary=summary_pb2.Summary(value=[value])).SerializeToString()
    return np.frombuffer(body, np.uint8), body.index(_MARK)


def _varint_widths(steps: Ints) -> Ints:
    """Bytes of each step as a varint; 0 for step 0, which proto3 leaves out."""
    limits = np.array([1 << (7 * k) for k in range(9)], dtype=np.int64)
    return np.searchsorted(limits, steps, side="right").astype(np.int64)


def _fill(rows: Bytes, column: Column, index: Ints, width: int) -> int:
    """Write the events of *index*, whose steps take *width* bytes, into *rows*; their length."""
    body, mark = _template(column)
    rows[:, 0] = 0x09
    rows[:, 1:9] = column.times[index].astype("<f8").view(np.uint8).reshape(-1, 8)
    at = 9
    if width:
        rows[:, at] = 0x10
        for k in range(width):
            low = (column.steps[index] >> (7 * k)) & 0x7F
            rows[:, at + 1 + k] = low | (0x80 if k < width - 1 else 0)
        at += 1 + width
    rows[:, at : at + body.size] = body
    values = column.values[index].astype("<f4").view(np.uint8).reshape(-1, 4)
    rows[:, at + mark : at + mark + 4] = values
    return at + body.size


def _payloads(columns: Sequence[Column]) -> tuple[Bytes, Ints, Floats]:
    """All events as rows padded to one width, their lengths and their times."""
    total = sum(len(column.steps) for column in columns)
    longest = max((_template(column)[0].size for column in columns), default=0) + 19
    rows = np.zeros((total, longest), dtype=np.uint8)
    lengths, times, start = np.zeros(total, np.int64), np.zeros(total), 0
    for column in columns:
        if column.steps.size and column.steps.min() < 0:
            raise ValueError(f"column {column.tag!r}: step {column.steps.min()}, expected >= 0")
        widths = _varint_widths(column.steps)
        for width in np.unique(widths):
            index = np.flatnonzero(widths == width)
            end = start + index.size
            lengths[start:end] = _fill(rows[start:end], column, index, int(width))
            times[start:end] = column.times[index]
            start = end
    return rows, lengths, times


def frame_columns(columns: Sequence[Column]) -> Records:
    """All points of *columns*, one record each, in the order of their times."""
    rows, lengths, times = _payloads(columns)
    order = np.argsort(times, kind="stable")
    rows, lengths, times = rows[order], lengths[order], times[order]
    out = np.zeros((len(rows), rows.shape[1] + _HEAD + _FOOT), dtype=np.uint8)
    head = lengths.astype("<u8").view(np.uint8).reshape(-1, 8)
    out[:, :8] = head
    head_crcs = masked_crcs(head, np.full(len(rows), 8, np.int64))
    out[:, 8:_HEAD] = head_crcs.astype("<u4").view(np.uint8).reshape(-1, 4)
    out[:, _HEAD : _HEAD + rows.shape[1]] = rows
    foot = masked_crcs(rows, lengths).astype("<u4").view(np.uint8).reshape(-1, 4)
    at = np.arange(len(rows))[:, None], (_HEAD + lengths)[:, None] + np.arange(_FOOT)
    out[at] = foot
    sizes = lengths + _HEAD + _FOOT
    data = out[np.arange(out.shape[1]) < sizes[:, None]].tobytes()
    return Records(times, np.concatenate([[0], sizes.cumsum()]).astype(np.int64), data)


def merge(points: Records, others: Sequence[tuple[float, bytes]]) -> Records:
    """*points* with other (time, record) pairs put in where their times belong."""
    ordered = sorted(others, key=lambda pair: pair[0])
    times = np.array([time for time, _ in ordered], dtype=np.float64)
    places = np.searchsorted(points.times, times, side="left")
    pieces, done = [], 0
    for place, (_, record) in zip(places, ordered, strict=True):
        pieces += [points.data[done : points.offsets[place]], record]
        done = int(points.offsets[place])
    sizes = np.array([len(record) for _, record in ordered], dtype=np.int64)
    sizes = np.insert(np.diff(points.offsets), places, sizes)
    return Records(
        np.insert(points.times, places, times),
        np.concatenate([[0], sizes.cumsum()]).astype(np.int64),
        b"".join([*pieces, points.data[done:]]),
    )
