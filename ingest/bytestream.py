"""The bytes of an event file, plain or gzipped, by offset into what the writer wrote."""

from __future__ import annotations

import zlib
from typing import Protocol

from ..core.values import FileEntry

_CHUNK = 1 << 20


class Ranges(Protocol):
    """What is read from: a source, or one with some bytes at hand."""

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """At most *length* bytes of a file from *start*."""
        ...


class Primed:
    """A source of which some bytes of one file are here already."""

    def __init__(self, source: Ranges, path: str, start: int, data: bytearray) -> None:
        self._source, self._path = source, path
        self._start, self._data = start, data

    def has(self, start: int, length: int) -> bool:
        """Whether these bytes are here."""
        return self._start <= start and start + length <= self._start + len(self._data)

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """As the source's."""
        if path == self._path and self.has(start, length):
            at = start - self._start
            return self._data[at : at + length]
        return self._source.read(path, start, length, version)


class ByteStream(Protocol):
    """Random access for plain files; forward only for compressed ones.

    `damage` says why a compressed file cannot be unpacked further, '' while it can.
    """

    compressed: bool
    damage: str

    def read(self, start: int, length: int) -> bytearray:
        """At most *length* bytes from *start*; fewer only at the end."""
        ...

    def at_end(self, offset: int) -> bool:
        """Whether *offset* is the end of the file as it was listed."""
        ...

    def at_hand(self, start: int, length: int) -> bool:
        """Whether these bytes can be had without asking a server for them."""
        ...


def open_stream(source: Ranges, entry: FileEntry) -> ByteStream:
    """The bytes of a listed file."""
    return (Gzipped if entry.path.endswith(".gz") else Plain)(source, entry)


class Plain:
    """A file as it lies there."""

    compressed = False
    damage = ""

    def __init__(self, source: Ranges, entry: FileEntry) -> None:
        self._source, self._entry = source, entry

    def read(self, start: int, length: int) -> bytearray:
        """At most *length* bytes from *start*."""
        if length <= 0:
            return bytearray()
        return self._source.read(self._entry.path, start, length, self._entry.version)

    def at_end(self, offset: int) -> bool:
        """Whether *offset* is the end of the file as it was listed."""
        return offset >= self._entry.size

    def at_hand(self, start: int, length: int) -> bool:
        """Whether no server need be asked."""
        return not isinstance(self._source, Primed) or self._source.has(start, length)


class Gzipped:
    """A gzip file, unpacked from its begin as far as needed; going back starts over."""

    compressed = True

    def __init__(self, source: Ranges, entry: FileEntry) -> None:
        self._source, self._entry = source, entry
        self.damage = ""
        self._restart()

    def _restart(self) -> None:
        self._packed = 0
        self._unpacked = 0
        self._kept = bytearray()
        self._inflate = zlib.decompressobj(wbits=31)
        self._ended = False

    def read(self, start: int, length: int) -> bytearray:
        """At most *length* unpacked bytes from *start*; fewer where the data ends or is damaged."""
        begin = self._unpacked - len(self._kept)
        if start < begin:
            self._restart()
            begin = 0
        while self._unpacked < start + length and not self._ended:
            self._more(start)
            begin = self._unpacked - len(self._kept)
        offset = start - begin
        return self._kept[offset : offset + length]

    def at_end(self, offset: int) -> bool:
        """Whether nothing more can be unpacked behind *offset*."""
        if not self._ended and offset >= self._unpacked:
            self._more(offset)
        return self._ended and offset >= self._unpacked

    def at_hand(self, start: int, length: int) -> bool:
        """All is read from the begin on anyway."""
        return True

    def _more(self, keep_from: int) -> None:
        """Unpack a little more, forgetting what lies before *keep_from*."""
        room = min(self._entry.size - self._packed, _CHUNK)
        packed = bytes(self._inflate.unconsumed_tail)
        if not packed and room > 0:
            packed = bytes(
                self._source.read(self._entry.path, self._packed, room, self._entry.version)
            )
            self._packed += len(packed)
        if not packed:
            self._ended = True
            return
        data = self._unpack(packed)
        if self._inflate.eof:
            # Another member may follow: `cat a.gz b.gz` is a valid gzip file.
            self._packed -= len(self._inflate.unused_data)
            self._inflate = zlib.decompressobj(wbits=31)
        drop = min(max(0, keep_from - (self._unpacked - len(self._kept))), len(self._kept))
        del self._kept[:drop]
        self._kept += data
        self._unpacked += len(data)

    def _unpack(self, packed: bytes) -> bytes:
        """At most a chunk of what *packed* holds; up to the damage where there is some."""
        spare = self._inflate.copy()
        try:
            return self._inflate.decompress(packed, _CHUNK)
        except zlib.error as error:
            self._ended = True
            self.damage = f"gzip data is damaged: {error}"
        # What that call had unpacked is lost with it: go there again, byte by byte.
        data = bytearray()
        try:
            for at in range(len(packed)):
                data += spare.decompress(packed[at : at + 1])
        except zlib.error:
            pass
        return bytes(data)
