"""Exports as streams of bytes: what is read from disk a little at a time, and cleared away after."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

_CHUNK = 1 << 20


class _Sink:
    """What was written and not yet taken; a ZIP file or an Arrow stream writes into it."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        if pieces:
            yield b"".join(pieces)


def file(path: Path) -> Iterator[bytes]:
    """The bytes of a file."""
    with path.open("rb") as opened:
        while data := opened.read(_CHUNK):
            yield data


def zipped(folder: Path, *, compress: bool) -> Iterator[bytes]:
    """The files of *folder* as a ZIP file, which is made while it is read."""
    sink = _Sink()
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    # A stream cannot go back: sizes stand behind each file.
    with zipfile.ZipFile(sink, "w", method, compresslevel=1) as packed:  # type: ignore[call-overload]
        for path in sorted(folder.iterdir()):
            about = zipfile.ZipInfo(f"{folder.name}/{path.name}", time.localtime()[:6])
            about.compress_type = method
            about.external_attr = 0o644 << 16
            with packed.open(about, "w", force_zip64=True) as entry:
                for data in file(path):
                    entry.write(data)
                    yield from sink.take()
            yield from sink.take()
    yield from sink.take()


def arrow(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """*batches* as an Arrow IPC stream."""
    sink = _Sink()
    with pa.ipc.new_stream(pa.PythonFile(sink, "w"), schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield from sink.take()
    yield from sink.take()
