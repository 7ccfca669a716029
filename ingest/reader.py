"""One event file from where it was left: ranges of bytes in, pieces for the lake out."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.values import Block, Cursor, FileEntry, FileFacts, Piece, Place, Problem
from ..kernels import decode as kernel
from . import blocks
from .bytestream import ByteStream, Ranges, open_stream
from .events import Rows, decode_event
from .gather import from_rows
from .names import parse_event_file_name
from .sources.base import Changed

HEAD = 1024
TAIL = 256
# No listing gives such a version, while many give none at all.
_UNSETTLED = "unsettled"
_FRAME = 16
_STATUS = {
    kernel.CLEAN: "ok",
    kernel.TORN: "torn",
    kernel.NUL_TAIL: "nul tail",
    kernel.LOST: "lost",
    kernel.HELD: "held",
    kernel.TOO_LONG: "ok",
}
_PROBLEMS = {
    kernel.BAD_PAYLOAD: (
        "bad payload",
        "the record's checksum is wrong: it was skipped, reading went on behind it",
    ),
    kernel.BAD_LENGTH: (
        "bad length",
        "the record header's checksum is wrong: skipped to the next whole record",
    ),
}
_ENDINGS = {
    kernel.NUL_TAIL: (
        "nul tail",
        "zeros to the end, as a crash leaves them: read again when the file changes",
    ),
    kernel.LOST: (
        "lost",
        "a record header's checksum is wrong and no whole record follows yet",
    ),
    kernel.HELD: ("held", "the last record's checksum is wrong: read again when the file grows"),
}


@dataclass
class Work:
    """A file that changed: what the listing says, and what the lake has of it.

    `known` are the SummaryMetadata of tags that earlier parts of the run brought, for writers that
    give them once; it grows while files of the run are read, in order. `media` says what becomes of
    the bytes of blobs: `copy`, `reference` (only where they are) or `skip`. `left`: it changed while
    it was read, and the next cycle goes on.
    """

    entry: FileEntry
    place: Place
    before: Cursor | None
    content_key: str | None = None
    known: dict[str, Any] = field(default_factory=dict)
    media: str = "copy"
    left: bool = False

    def __post_init__(self) -> None:
        # `entry` moves on where the file changed between the listing and the reading.
        self.listed = self.entry

    @property
    def behind(self) -> int:
        """How many bytes lie behind the cursor."""
        return max(0, self.entry.size - (self.before.offset if self.before else 0))


@dataclass
class Limits:
    """Bounds of reading; `piece` bytes are decoded at once unless a single record is longer."""

    piece: int = 8 << 20


def read(
    source: Ranges, work: Work, limits: Limits, buffers: kernel.Buffers | None = None
) -> Iterator[Piece]:
    """The pieces of one file behind its cursor, in order; one at least moves the listing on.

    Never raises for what a file holds or for a file that cannot be read: that comes as a problem in
    a piece, and a later cycle tries again. A file that becomes another while it is read ends early,
    and `work` says so.
    """
    try:
        yield from _Reader(source, work, limits, buffers).pieces()
    except Changed:
        # Nothing tells the lake that this version was read, so the next cycle goes on.
        work.left = True
    except OSError as error:
        yield failed(work, error)


def failed(work: Work, error: OSError) -> Piece:
    """The piece that says why a file cannot be read."""
    return _failed(work, "unreadable", f"cannot be read: {error.strerror or error}")


def _failed(work: Work, status: str, message: str) -> Piece:
    entry = work.entry
    cursor = work.before or Cursor()
    facts = _file_facts(entry.path, status, work.content_key, "", [])
    problem = Problem(entry.path, cursor.offset, 0, status, message)
    return Piece(work.place, _unsettled(entry), work.before, cursor, facts, problems=[problem])


def _unsettled(entry: FileEntry) -> FileEntry:
    """The entry as no listing says it, so that the next cycle reads on."""
    return FileEntry(entry.path, entry.size, entry.mtime_ns, _UNSETTLED)


class _Reader:
    """The state of reading one file: where it stands, and the bytes that prove its identity."""

    def __init__(
        self, source: Ranges, work: Work, limits: Limits, buffers: kernel.Buffers | None
    ) -> None:
        self.work = work
        self.entry = work.entry
        self.buffers = buffers
        self.stream: ByteStream = open_stream(source, work.entry)
        self.cursor = work.before or Cursor()
        self.replaces = False
        self.tail = b""
        self.content_key = work.content_key
        self.bytes_read = 0
        self.window = limits.piece

    def pieces(self) -> Iterator[Piece]:
        """All pieces up to the end of the file as it was listed."""
        if self.cursor.offset and not self._same_file():
            self.replaces, self.cursor, self.content_key = True, Cursor(), None
        before, first = self.work.before, True
        while True:
            piece, more = self._next(before)
            piece.replaces = self.replaces and first
            piece.first_look = self.work.before is None or self.work.before.offset == 0
            if more:
                # Were it the last one to be committed, the rest would still have to be read.
                piece.entry = _unsettled(self.entry)
            yield piece
            before, first = piece.after, False
            if not more:
                return

    def _same_file(self) -> bool:
        """Whether what was read before is still there: long enough, same head, same last bytes."""
        cursor = self.cursor
        if not self.stream.compressed and self.entry.size < cursor.offset:
            return False
        tail = self._fetch(cursor.offset - cursor.tail_bytes, cursor.tail_bytes)
        self.tail = bytes(tail)
        if _hash(tail) != cursor.tail_hash:
            return False
        # Where the head costs a request of its own, the last bytes that were read have to do: they
        # hold wall times, which no other file has.
        if not self.stream.at_hand(0, cursor.head_bytes):
            return True
        return _hash(self._fetch(0, cursor.head_bytes)) == cursor.head_hash

    def _fetch(self, start: int, length: int) -> bytearray:
        data = self.stream.read(start, length)
        self.bytes_read += len(data)
        return data

    def _next(self, before: Cursor | None) -> tuple[Piece, bool]:
        """Decode the next stretch; also says whether there is more of the file to read."""
        start, status, problems = self.cursor.offset, "ok", list[Problem]()
        rows = Rows(known=self.work.known)
        built: list[Any] = []
        more = False
        walls: list[float] = []
        self.bytes_read, spent = 0, self.bytes_read
        data, cut = self._stretch(start)
        # A file may have shrunk since it was listed.
        at_end = cut or self.stream.at_end(start + len(data))
        damage = self.stream.damage
        if damage:
            status = "bad gzip"
            problems.append(Problem(self.entry.path, start, 0, status, damage))
        if len(data):
            buffer = np.frombuffer(data, np.uint8)
            found = kernel.decode(buffer, at_end, self.buffers)
            status = status if damage else _STATUS[found.stop]
            more = not at_end and self._widen(found)
            walls = [found.first_wall_time, found.last_wall_time]
            table = blocks.entries(buffer, found, rows)
            self._decode_slow(buffer, found, table, rows)
            built = blocks.build(found, table, rows, self.cursor.records)
            spans = self._spans(found, start)
            if self.work.media != "copy":
                self._leave_bytes(built, spans)
            problems += self._problems(found, rows, spans, start)
            if not more:
                problems += self._ending(found, start, len(buffer))
            if start == 0 or self.content_key is None:
                self._learn_content(data, start)
            self._advance(data, found.consumed, found.records)
            if damage:
                # What was unpacked may be wrong: all is read again once the file is another.
                self.cursor = replace(self.cursor, tail_hash="damaged")
            if found.stop == kernel.TOO_LONG:
                more = self._skip_long(data, found.consumed, problems)
        elif start == 0:
            status = status if damage else "empty"
        facts = _file_facts(
            self.entry.path, status, self.content_key, rows.writer, [*walls, *rows.wall_times]
        )
        piece = Piece(self.work.place, self.entry, before, self.cursor, facts)
        piece.blocks, piece.meta, piece.problems = built, rows.meta, problems
        piece.facts_of_run = from_rows(rows)
        piece.bytes_read = self.bytes_read + spent
        self.bytes_read = 0
        return piece, more

    def _stretch(self, start: int) -> tuple[bytearray, bool]:
        """Bytes from *start* that hold at least one whole record, if there is one; and whether
        fewer came than were asked for."""
        want = self._clip(start, self.window)
        data = self._fetch(start, want)
        if len(data) >= 12:
            (length,) = struct.unpack_from("<Q", data)
            if self.window < length + _FRAME <= kernel.MAX_RECORD + _FRAME:
                want = self._clip(start, length + _FRAME)
                data = self._fetch(start, want)
        return data, len(data) < want

    def _widen(self, found: kernel.Decoded) -> bool:
        """Whether to read on; behind damage the next whole record may be farther than a stretch."""
        if found.stop not in (kernel.LOST, kernel.NUL_TAIL):
            return True
        self.window *= 2
        return self.window <= kernel.MAX_RECORD

    def _clip(self, start: int, length: int) -> int:
        """Never read past the listed size: what is behind it belongs to the next cycle."""
        if self.stream.compressed:
            return length
        return max(0, min(length, self.entry.size - start))

    def _decode_slow(
        self,
        buffer: NDArray[np.uint8],
        found: kernel.Decoded,
        table: list[blocks.Entry],
        rows: Rows,
    ) -> None:
        told = 0
        base = self.cursor.records
        for offset, length, record in zip(
            found.slow_offset.tolist(),
            found.slow_length.tolist(),
            found.slow_record.tolist(),
            strict=True,
        ):
            while told < len(table) and table[told].first < record:
                blocks.introduce(table[told], rows)
                told += 1
            payload = buffer[offset : offset + length].tobytes()
            decode_event(payload, base + record, rows)

    def _spans(self, found: kernel.Decoded, start: int) -> dict[int, tuple[int, int]]:
        """Where each slow record is in the file, its header and checksums included."""
        return {
            int(record) + self.cursor.records: (start + int(offset) - 12, int(length) + _FRAME)
            for record, offset, length in zip(
                found.slow_record, found.slow_offset, found.slow_length, strict=True
            )
        }

    def _leave_bytes(self, built: list[Block], spans: dict[int, tuple[int, int]]) -> None:
        """Take the bytes out of blobs; a reference says in which record of the file they are."""
        for block in built:
            if block.kind != "blob" or block.row_point is None:
                continue
            block.payload["data"] = [None] * len(block.row_point)
            if self.work.media == "reference":
                records = block.record[block.row_point].tolist()
                block.payload["location"] = [
                    f"{self.entry.path}#{spans[record][0]}+{spans[record][1]}" for record in records
                ]

    def _problems(
        self, found: kernel.Decoded, rows: Rows, spans: dict[int, tuple[int, int]], start: int
    ) -> list[Problem]:
        path = self.entry.path
        problems = [
            Problem(path, start + int(offset), int(length), *_PROBLEMS[int(kind)])
            for offset, length, kind in zip(
                found.problem_offset, found.problem_bytes, found.problem_kind, strict=True
            )
        ]
        for record, kind, message in rows.faults:
            problems.append(Problem(path, *spans.get(record, (start, 0)), kind, message))
        return problems

    def _ending(self, found: kernel.Decoded, start: int, length: int) -> list[Problem]:
        """What is wrong with the bytes that were left for a later cycle."""
        if found.stop not in _ENDINGS:
            return []
        kind, message = _ENDINGS[found.stop]
        offset = start + found.consumed
        return [Problem(self.entry.path, offset, length - found.consumed, kind, message)]

    def _learn_content(self, data: bytearray, start: int) -> None:
        name = self.entry.path.rpartition("/")[2].removesuffix(".gz")
        beginning = data if start == 0 else self._fetch(0, self._clip(0, 1 << 16))
        self.content_key = content_key(name, beginning)

    def _advance(self, data: bytearray, consumed: int, records: int) -> None:
        cursor = self.cursor
        head_bytes, head_hash = cursor.head_bytes, cursor.head_hash
        with memoryview(data) as view:
            if cursor.offset == 0:
                head_bytes = min(HEAD, consumed)
                head_hash = _hash(view[:head_bytes])
            self.tail = (self.tail + bytes(view[max(0, consumed - TAIL) : consumed]))[-TAIL:]
        self.cursor = Cursor(
            cursor.offset + consumed,
            cursor.records + records,
            head_bytes,
            head_hash,
            len(self.tail),
            _hash(self.tail),
        )

    def _skip_long(self, data: bytearray, consumed: int, problems: list[Problem]) -> bool:
        """Pass over a record that is too long to hold, once the file has all of it."""
        (length,) = struct.unpack_from("<Q", data, consumed)
        whole = length + _FRAME
        start = self.cursor.offset
        if self.stream.compressed or start + whole > self.entry.size:
            return False
        message = f"a record of {length} bytes is longer than {kernel.MAX_RECORD}: skipped"
        problems.append(Problem(self.entry.path, start, whole, "too long", message))
        self.tail = bytes(self._fetch(start + whole - TAIL, TAIL))
        self.cursor = Cursor(
            start + whole,
            self.cursor.records + 1,
            self.cursor.head_bytes,
            self.cursor.head_hash,
            len(self.tail),
            _hash(self.tail),
        )
        return self.cursor.offset < self.entry.size


def content_key(name: str, beginning: bytes | bytearray) -> str | None:
    """What tells a file from every other: its name and its first two records, or None if shorter.

    A record counts with its header and at most its first 4096 bytes.
    """
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12)
    position = 0
    for _ in range(2):
        if len(beginning) < position + 12:
            return None
        (length,) = struct.unpack_from("<Q", beginning, position)
        used = 12 + min(length, 4096)
        if len(beginning) < position + used:
            return None
        digest.update(beginning[position : position + used])
        position += length + _FRAME
    return digest.hexdigest()


def _hash(data: bytes | bytearray | memoryview) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def _file_facts(
    path: str, status: str, key: str | None, writer: str, walls: list[float]
) -> FileFacts:
    name = parse_event_file_name(path.rpartition("/")[2])
    finite = [wall for wall in walls if math.isfinite(wall)]
    return FileFacts(
        status=status,
        content_key=key,
        created_unix=name.created_unix,
        host=name.host,
        pid=name.pid,
        writer=writer,
        first_wall_time=min(finite, default=math.nan),
        last_wall_time=max(finite, default=math.nan),
    )
