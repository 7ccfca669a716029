"""Event files of scalars for benches, made column by column: half PyTorch-like, half TF2-like."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_NAMES = "train/loss train/accuracy val/loss val/accuracy lr grad/norm time/step gpu/memory f1 auc"
_START = 1_700_000_000
# SummaryMetadata{plugin_data{plugin_name: "scalars"}, data_class: SCALAR}
_METADATA = b"\x4a\x0d\x0a\x09\x0a\x07scalars\x20\x01"


def _table() -> NDArray[np.uint32]:
    row = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        row = (row >> 1) ^ (row & 1) * np.uint32(0x82F63B78)
    return row


_TABLE = _table()


def _masked_crcs(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The masked CRC32C of every row, as [rows, 4] bytes."""
    crc = np.full(len(rows), 0xFFFFFFFF, np.uint32)
    for column in rows.T:
        crc = (crc >> 8) ^ _TABLE[(crc ^ column) & 0xFF]
    crc = ~crc
    masked = ((crc >> 15) | (crc << 17)) + np.uint32(0xA282EAD8)
    return masked.astype("<u4").view(np.uint8).reshape(-1, 4)


def _framed(payloads: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Payloads [n, size] as TFRecords [n, size + 16]."""
    size = np.frombuffer(struct.pack("<Q", payloads.shape[1]), np.uint8)[None]
    head = np.concatenate([size, _masked_crcs(size)], axis=1).repeat(len(payloads), axis=0)
    return np.concatenate([head, payloads, _masked_crcs(payloads)], axis=1)


def _varints(numbers: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Numbers that all take *width* bytes, as [n, width]."""
    shifts = 7 * np.arange(width)
    groups = (numbers[:, None] >> shifts) & 127
    groups[:, :-1] |= 128
    return groups.astype(np.uint8)


def _field(key: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([key, len(content)]) + content


def _payloads(
    tag: bytes,
    walls: NDArray[np.float64],
    steps: NDArray[np.int64],
    values: NDArray[np.float64],
    tf2: bool,
) -> NDArray[np.uint8]:
    """Events [n, size] of one tag, for steps of one varint width; TF2's first has metadata."""
    n = len(steps)
    width = max(1, (int(steps[0]).bit_length() + 6) // 7)
    metadata = _METADATA if tf2 and steps[0] == 0 else b""
    value = b"\x00" * 4
    body = _field(0x42, b"\x08\x01\x12\x00\x22\x04" + value) if tf2 else b"\x15" + value
    content = _field(0x0A, tag) + metadata + body
    summary = np.frombuffer(_field(0x2A, _field(0x0A, content)), np.uint8)[None].repeat(n, axis=0)
    summary[:, -4:] = values.astype("<f4").view(np.uint8).reshape(n, 4)
    times = walls.astype("<f8").view(np.uint8).reshape(n, 8)
    keys = np.full((2, n, 1), [[[0x09]], [[0x10]]], np.uint8)
    return np.concatenate([keys[0], times, keys[1], _varints(steps, width), summary], axis=1)


def _sections(steps: int) -> list[NDArray[np.int64]]:
    """Steps cut where their varint grows, and after the first, whose TF2 events differ."""
    every = np.arange(steps, dtype=np.int64)
    return [part for part in np.split(every, [1, 1 << 7, 1 << 14, 1 << 21]) if len(part)]


def event_file(events: int, tags: int, tf2: bool, seed: int) -> bytes:
    """An event file: *tags* noisy series, one event each per step, *events* in all (rounded)."""
    rng = np.random.default_rng(seed)
    names = [*_NAMES.split(), *(f"metric/{i}" for i in range(10, tags))][:tags]
    steps = max(1, events // tags)
    pauses = rng.gamma(4.0, 0.05 / 4.0, (steps, tags))
    walls = _START + 1 + np.cumsum(pauses).reshape(steps, tags)
    curve = np.exp(-np.arange(steps) / (0.3 * steps))[:, None] * rng.uniform(0.5, 3.0, tags)
    values = curve + rng.normal(0.0, 0.05, (steps, tags))
    header = struct.pack("<Bd", 0x09, _START) + _field(0x1A, b"brain.Event:2")
    pieces = [_framed(np.frombuffer(header, np.uint8)[None]).tobytes()]
    for part in _sections(steps):
        columns = [
            _framed(_payloads(name.encode(), walls[part, i], part, values[part, i], tf2))
            for i, name in enumerate(names)
        ]
        pieces.append(np.concatenate(columns, axis=1).tobytes())
    return b"".join(pieces)


def write_logs(
    directory: Path,
    files: int,
    events_per_file: int,
    tags: int = 10,
    runs: Sequence[str] | None = None,
) -> list[Path]:
    """Write *files* event files, each in its own run directory; every second one is TF2-like.

    *runs* names the run directories (relative), `run_0000` and so on by default. About 50
    bytes an event. Returns the paths.
    """
    paths = []
    for number in range(files):
        run = directory / (runs[number] if runs else f"run_{number:04d}")
        run.mkdir(parents=True, exist_ok=True)
        path = run / f"events.out.tfevents.{_START}.host.123.0"
        path.write_bytes(event_file(events_per_file, tags, number % 2 == 1, number))
        paths.append(path)
    return paths
