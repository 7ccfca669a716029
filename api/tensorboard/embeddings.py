"""Configs and vectors of the projector, read from opened files in bounded memory."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from google.protobuf import text_format
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

MAX_CONFIG, MAX_TENSOR, MAX_TABLE, MAX_SPRITE = 1 << 20, 256 << 20, 64 << 20, 64 << 20
_MAX_EMBEDDINGS = 1_000
_CHUNK = 1 << 20
# Numbers of a row are Python objects for a moment, which take thirty times as much.
_MAX_ROW = 2 << 20
_SNIFFED = 1 << 16
_MOST_SHAPES = 2_000
# Whoever parses has numbers as Python objects for a moment: only so many at a time.
_parsing = threading.BoundedSemaphore(2)


class Unreadable(ValueError):
    """What is wrong with a file, in words."""


def read_config(file: BinaryIO) -> Any:
    """The `ProjectorConfig` in a file, its embeddings named as TensorBoard names them.

    Raises Unreadable.
    """
    try:
        config = text_format.Parse(file.read(MAX_CONFIG).decode("utf-8"), ProjectorConfig())
    except (text_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        text = str(error).splitlines()[0][:200]
        raise Unreadable(f"the projector's config is damaged: {text}") from error
    if len(config.embeddings) > _MAX_EMBEDDINGS:
        raise Unreadable(f"the projector's config has more than {_MAX_EMBEDDINGS:,} embeddings")
    for one in config.embeddings:
        if one.tensor_path and not one.tensor_name:
            one.tensor_name = os.path.basename(one.tensor_path)
        one.tensor_name = one.tensor_name.removesuffix(":0")
    return config


def embedding(config: Any, name: str) -> Any:
    """The embedding of a tensor, None if the config has none of that name."""
    wanted = _canonical(name)
    return next((one for one in config.embeddings if _canonical(one.tensor_name) == wanted), None)


def _canonical(name: str) -> str:
    return name if ":" in name else f"{name}:0"


class Shapes:
    """How many vectors of how many numbers files of text hold; counted once for each version of a file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, ...], tuple[int, int]] = OrderedDict()

    def of(self, file: BinaryIO) -> tuple[int, int] | None:
        """Rows and columns; None where it is no text, or has no row. Raises Unreadable."""
        info = os.fstat(file.fileno())
        key = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        shape = None if is_binary(file) else _count(file)
        if shape is not None:
            with self._lock:
                self._kept[key] = shape
                while len(self._kept) > _MOST_SHAPES:
                    self._kept.popitem(last=False)
        return shape


def is_binary(file: BinaryIO) -> bool:
    """Whether vectors are stored as float32 rather than as text; the file is at its start again."""
    head = file.read(_SNIFFED)
    file.seek(0)
    try:
        # What is cut in the middle of a character is text all the same.
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start < len(head) - 4
    return b"\0" in head


def _count(file: BinaryIO) -> tuple[int, int] | None:
    rows = columns = 0
    for lines in _lines(file):
        if not rows and lines:
            columns = lines[0].count(b"\t") + 1
        rows += len(lines)
    file.seek(0)
    return (rows, columns) if rows else None


def _lines(file: BinaryIO) -> Iterator[list[bytes]]:
    """Lines that are not empty, some at a time. Raises Unreadable for one that is too long."""
    rest = b""
    while chunk := file.read(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        yield [line for line in lines if line]
        if len(rest) > _MAX_ROW:
            raise Unreadable(f"a row of the tensor has more than {_MAX_ROW / 1e6:,.0f} MB")
    if rest:
        yield [rest]


def vectors(file: BinaryIO, shape: list[int], most: int | None) -> bytes:
    """The first *most* vectors as float32, row by row; of binary files *shape* says what they hold.

    Raises Unreadable.
    """
    with _parsing:
        if is_binary(file):
            return _binary(file, shape, most)
        return _text(file, most)


def _binary(file: BinaryIO, shape: list[int], most: int | None) -> bytes:
    size = os.fstat(file.fileno()).st_size
    if len(shape) != 2 or shape[0] * shape[1] * 4 != size:
        raise Unreadable(
            f"a tensor of shape {list(shape)[:8]} is no table of {size // 4:,} numbers:"
            " tensor_shape in the projector's config says rows and columns"
        )
    rows = shape[0] if most is None else min(most, shape[0])
    values = np.frombuffer(file.read(rows * shape[1] * 4), np.float32)
    return values.tobytes()


def _text(file: BinaryIO, most: int | None) -> bytes:
    parts: list[bytes] = []
    room, done, columns = MAX_TENSOR, 0, -1
    for lines in _lines(file):
        wanted = lines if most is None else lines[: most - done]
        part = _numbers(wanted, done, columns)
        if part.size:
            columns = part.shape[1]
            parts.append(part.tobytes())
            room -= part.nbytes
        done += len(wanted)
        if room < 0:
            raise Unreadable(f"more than {MAX_TENSOR / 1e6:,.0f} MB of vectors are asked for")
        if most is not None and done >= most:
            break
    return b"".join(parts)


def _numbers(lines: list[bytes], before: int, columns: int) -> Any:
    rows = []
    for number, line in enumerate(lines, before + 1):
        try:
            row = list(map(float, line.decode("utf-8").split("\t")))
        except ValueError as error:
            raise Unreadable(
                f"row {number:,} of the tensor holds something else than numbers"
            ) from error
        columns = len(row) if columns < 0 else columns
        if len(row) != columns:
            raise Unreadable(
                f"row {number:,} of the tensor has {len(row):,} numbers, not {columns:,}"
            )
        rows.append(row)
    with np.errstate(over="ignore"):
        return np.array(rows, np.float32)


def table(file: BinaryIO, most: int | None, limit: int) -> bytes:
    """The first *most* lines of a table, and its header if it has one."""
    parts: list[bytes] = []
    header = 0
    while line := file.readline(limit):
        parts.append(line)
        if len(parts) == 1:
            header = int(b"\t" in line)
        if most and len(parts) >= most + header:
            break
    return b"".join(parts)
