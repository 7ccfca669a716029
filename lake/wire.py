"""What an edge tells its hub, as bytes: versioned messages that are read without trust.

A message is `BLW1`, the length of what follows, the length of that unpacked (both 8 bytes, little
endian), and zstd of: the length of a JSON text, the text, and the arrays that it speaks of.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ..core.values import Job, Piece, Problem
from . import wire_fields as f
from . import wire_pieces as pieces
from .facts import RunFacts
from .sources import SourceFacts
from .wire_fields import Reader, WireError, Writer

VERSION = 1
MOST_BODY = 56 << 20
_MAGIC = b"BLW1"
_HEAD = struct.Struct("<4sQQ")
_MOST_UNPACKED = 80 << 20
# A message is a transaction of the hub: large enough to make few files, small enough to hold.
_FULL = 24 << 20

_SOURCE = f.text(255, 1)
_SIZE = f.whole(0, 1 << 62)
_FACTS = {
    "source": _SOURCE, "uri": f.text(4096), "machine": f.text(1024), "kind": f.text(32),
    "project": f.text(4096), "policy": f.one_of("keep", "mirror"),
    "stalled_after_s": f.finite, "finished_after_s": f.finite,
}  # fmt: skip
_CYCLE = {
    "source": _SOURCE, "started_at": f.moment, "ended_at": f.moment,
    **dict.fromkeys(
        ("files_listed", "files_changed", "bytes_read", "points", "requests", "problems",
         "list_requests", "read_requests", "bytes_received", "files_looked"), _SIZE,
    ),
    "cost": f.finite, "error": f.text(20_000), "skipped": f.text(20_000),
    "requests_per_day": _SIZE, "rescan_s": f.finite,
}  # fmt: skip
_TIME = f.maybe(f.finite)
_JOB = {
    **dict.fromkeys(
        ("job_id", "number", "name", "user", "state", "nodes", "partition", "exit_code", "reason"),
        f.text(20_000),
    ),
    **dict.fromkeys(("submitted_at", "since", "started_at", "ended_at"), _TIME),
}  # fmt: skip
_MANY = 2_000_000
_MOST_ROOTS = 1_000


@dataclass
class Begun:
    """A source is what its settings say."""

    facts: SourceFacts


@dataclass
class Pieces:
    """Pieces of files, in order."""

    pieces: list[Piece]


@dataclass
class Beside:
    """What lies beside event files: facts by the path of a run, keys by directory."""

    source: str
    keys: dict[str, str]
    found: dict[str, list[RunFacts]]
    problems: list[Problem]


@dataclass
class Gone:
    """Files that are no longer there, and such that are back; a mirror drops the former."""

    source: str
    gone: list[str]
    back: list[str]
    mirror: bool


@dataclass
class Problems:
    """What a listing could not see, in place of what the last one could not."""

    source: str
    problems: list[Problem]


@dataclass
class Jobs:
    """The jobs of a cluster, as they are now."""

    source: str
    jobs: list[Job]


@dataclass
class Cycles:
    """Rows of `cycles`."""

    reports: list[dict[str, Any]] = field(default_factory=list)


Message = Begun | Pieces | Beside | Gone | Problems | Jobs | Cycles


def write(message: Message) -> bytes:
    """The bytes of one message."""
    out = Writer()
    text = json.dumps(_plain(message, out)).encode()
    return _pack([struct.pack("<Q", len(text)), text, *out.parts])


def write_pieces(found: Sequence[Piece]) -> Iterator[bytes]:
    """*found* as messages, none of them too large."""
    batch: list[Piece] = []
    held = 0
    for piece in map(pieces.fit, found):
        size = piece.weight
        if batch and held + size > _FULL:
            yield write(Pieces(batch))
            batch, held = [], 0
        batch.append(piece)
        held += size
    if batch:
        yield write(Pieces(batch))


def _pack(parts: list[bytes | memoryview]) -> bytes:
    whole = b"".join(parts)
    packed: bytes = pa.compress(whole, codec="zstd", asbytes=True)
    return _HEAD.pack(_MAGIC, len(packed), len(whole)) + packed


def _plain(message: Message, out: Writer) -> dict[str, Any]:
    match message:
        case Begun(facts):
            return {"is": "source"} | f.given(facts, _FACTS)
        case Pieces(found):
            return {"is": "pieces", "pieces": [pieces.write_piece(one, out) for one in found]}
        case Beside(source, keys, facts, problems):
            by_run = [
                [path, [pieces.write_facts(one) for one in many]] for path, many in facts.items()
            ]
            return {
                "is": "beside", "source": source, "keys": list(map(list, keys.items())),
                "found": by_run, "problems": [pieces.write_problem(one) for one in problems],
            }  # fmt: skip
        case Gone(source, gone, back, mirror):
            return {"is": "gone", "source": source, "gone": gone, "back": back, "mirror": mirror}
        case Problems(source, problems):
            told = [pieces.write_problem(one) for one in problems]
            return {"is": "problems", "source": source, "problems": told}
        case Jobs(source, jobs):
            told = [
                f.given(one, _JOB) | {"roots": list(filter(f.is_path, one.roots))[:_MOST_ROOTS]}
                for one in jobs
            ]
            return {"is": "jobs", "source": source, "jobs": told}
        case Cycles(reports):
            return {"is": "cycles", "reports": list(map(_cycle, reports))}


def _cycle(report: dict[str, Any]) -> dict[str, Any]:
    return {name: f.taken(report[name], check) for name, check in _CYCLE.items()}


def read(body: bytes | memoryview) -> Iterator[Message]:
    """The messages of *body*, one after the other; raises WireError."""
    view = memoryview(body)
    while len(view):
        if len(view) < _HEAD.size:
            raise WireError(f"ends after {len(view)} of {_HEAD.size} bytes of a message's head")
        magic, packed, whole = _HEAD.unpack(view[: _HEAD.size])
        if magic != _MAGIC:
            hint = "boardlake is to be of the same version on both sides"
            raise WireError("is no message that this version knows", hint=hint)
        if whole > _MOST_UNPACKED:
            raise WireError(f"a message of {whole} bytes, at most {_MOST_UNPACKED} are taken")
        if packed > len(view) - _HEAD.size:
            raise WireError(f"ends within a message of {packed} bytes")
        yield _read(_unpack(view[_HEAD.size : _HEAD.size + packed], whole))
        view = view[_HEAD.size + packed :]


def _unpack(packed: memoryview, whole: int) -> memoryview:
    try:
        found = memoryview(pa.decompress(pa.py_buffer(packed), whole, codec="zstd", asbytes=True))
    except (pa.ArrowException, OSError) as error:
        raise WireError("a message cannot be unpacked: is it zstd?") from error
    if len(found) != whole:
        raise WireError(f"a message has {len(found)} bytes, {whole} were announced")
    return found


def _read(data: memoryview) -> Message:
    if len(data) < 8:
        raise WireError("a message is too short")
    (length,) = struct.unpack_from("<Q", data)
    if length > len(data) - 8:
        raise WireError("a message ends within its JSON")
    try:
        told = json.loads(bytes(data[8 : 8 + length]))
    except (ValueError, RecursionError):
        raise WireError("a message holds no JSON") from None
    if not isinstance(told, dict):
        raise WireError("a message is no object")
    arrays = Reader(data[8 + length :])
    kind = told.pop("is", None)
    make = _KINDS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise WireError(f"is: got {str(kind)[:40]!r}, expected one of {', '.join(_KINDS)}")
    message: Message = make(told, arrays)
    arrays.end()
    return message


def _pairs(check: f.Check) -> f.Check:
    def checked(value: Any, name: str) -> dict[str, Any]:
        rows = f.many(f.many(lambda v, _: v, 2), _MANY)(value, name)
        if any(len(row) != 2 for row in rows):
            raise WireError(f"{name}: expected pairs")
        return {f.path(key, name): check(one, name) for key, one in rows}

    return checked


def _job(value: Any, name: str) -> Job:
    found = f.record(value, name, _JOB | {"roots": f.many(f.path, _MOST_ROOTS)})
    return Job(**found | {"roots": tuple(found["roots"])})


def _begun(told: Any, _: Reader) -> Message:
    return Begun(SourceFacts(**f.record(told, "source", _FACTS)))


def _pieces(told: Any, data: Reader) -> Message:
    fields = {"pieces": f.many(lambda value, _: pieces.read_piece(value, data), 1_000_000)}
    return Pieces(**f.record(told, "pieces", fields))


def _beside(told: Any, _: Reader) -> Message:
    fields = {
        "source": _SOURCE, "keys": _pairs(f.text(64)),
        "found": _pairs(f.many(pieces.read_facts, 1000)),
        "problems": f.many(pieces.read_problem, _MANY),
    }  # fmt: skip
    return Beside(**f.record(told, "beside", fields))


def _gone(told: Any, _: Reader) -> Message:
    paths = f.many(f.path, _MANY)
    fields = {"source": _SOURCE, "gone": paths, "back": paths, "mirror": f.flag}
    return Gone(**f.record(told, "gone", fields))


def _problems(told: Any, _: Reader) -> Message:
    fields = {"source": _SOURCE, "problems": f.many(pieces.read_problem, _MANY)}
    return Problems(**f.record(told, "problems", fields))


def _jobs(told: Any, _: Reader) -> Message:
    return Jobs(**f.record(told, "jobs", {"source": _SOURCE, "jobs": f.many(_job, _MANY)}))


def _cycles(told: Any, _: Reader) -> Message:
    one = lambda value, name: f.record(value, name, _CYCLE)  # noqa: E731
    return Cycles(**f.record(told, "cycles", {"reports": f.many(one, 100_000)}))


_KINDS = {
    "source": _begun, "pieces": _pieces, "beside": _beside, "gone": _gone, "problems": _problems,
    "jobs": _jobs, "cycles": _cycles,
}  # fmt: skip
