"""Pieces of files as bytes and back: the records as JSON, the points as arrays behind them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.values import (
    KINDS,
    Block,
    Cursor,
    FileEntry,
    FileFacts,
    Hparam,
    Kind,
    Piece,
    Place,
    Problem,
    SeriesMeta,
)
from ..kernels.series import Stats
from . import wire_fields as f
from .facts import ArtifactRow, RunFacts
from .wire_fields import Reader, WireError, Writer

MOST_PIECE = 56 << 20
# For what a message holds besides: a piece that does not fit would be refused again and again.
_SPARE = 2 << 20
_ORIGIN = 4096
_SIZE = f.whole(0, 1 << 62)
_SOURCE = f.text(255, 1)
_PLACE = {
    "source": _SOURCE, "run_key": f.text(12, 12), "run_path": f.path, "stream": f.path,
    "machine": f.text(1024), "project": f.text(4096), "name": f.text(4096), "group": f.text(4096),
}  # fmt: skip
ENTRY = {"path": f.path, "size": _SIZE, "mtime_ns": f.whole(-(1 << 63)), "version": f.text(1024)}
CURSOR = {
    "offset": _SIZE, "records": _SIZE, "head_bytes": f.whole(0, 1 << 20), "head_hash": f.text(64),
    "tail_bytes": f.whole(0, 1 << 20), "tail_hash": f.text(64),
}  # fmt: skip
_FACTS = {
    "status": f.text(32), "content_key": f.maybe(f.text(64)),
    "created_unix": f.maybe(f.whole(-(1 << 62), 1 << 62)), "host": f.maybe(f.text(1024)),
    "pid": f.maybe(f.whole(-(1 << 62), 1 << 62)), "writer": f.maybe(f.text(1024)),
    "first_wall_time": f.real, "last_wall_time": f.real,
}  # fmt: skip
_PROBLEM = {
    "path": f.path, "offset": _SIZE, "bytes": _SIZE, "kind": f.text(64), "message": f.text(20_000),
}  # fmt: skip
_HPARAM = {
    "name": f.text(1024), "type": f.one_of("float", "int", "bool", "string", "null", "list"),
    "value": f.text(20_000), "number": f.maybe(f.real), "origin": f.text(_ORIGIN),
    "rank": f.whole(-(1 << 31), (1 << 31) - 1),
}  # fmt: skip
_ARTIFACT = {
    "kind": f.text(64), "path": f.text(4096), "size": f.maybe(_SIZE), "mtime": f.maybe(f.real),
    "step": f.maybe(f.whole(-(1 << 63))),
}  # fmt: skip
_TEXT = f.maybe(f.text(40_000))
_RUN = {
    "git_commit": _TEXT, "command": _TEXT, "group_name": _TEXT, "end_state": _TEXT,
    "end_reason": _TEXT, "end_at": f.maybe(f.real),
}  # fmt: skip
_META_TEXTS = {"plugin": 1024, "data_class": 1024, "display_name": 20_000, "description": 300_000}
# The dtype of every aggregate, in the order in which they are sent.
_STATS = {
    name: "<f8" if "float64" in str(kind) else "<i8" for name, kind in Stats.__annotations__.items()
}
_COUNTS = ("points", "superseded", "finite", "nan_count", "inf_count", "attempt")
_POINTS = {
    "step": "<i8", "wall_time": "<f8", "record": "<i8", "attempt": "<i4", "superseded": "u1",
}  # fmt: skip
_MOST_TAG = 200_000


def run_key(source: str, path: str) -> str:
    """The identity of a run, as `ingest.discover` makes it."""
    return hashlib.blake2b(f"{source}\0{path}".encode(), digest_size=6).hexdigest()


def write_problem(found: Problem) -> dict[str, Any]:
    """A problem for JSON."""
    return f.given(found, _PROBLEM)


def read_problem(value: Any, name: str) -> Problem:
    """A problem as it was sent."""
    return Problem(**f.record(value, name, _PROBLEM))


def write_facts(found: RunFacts) -> dict[str, Any]:
    """Facts of a run for JSON."""
    return {
        "origins": sorted(f.clipped(one, _ORIGIN) for one in found.origins),
        "hparams": [f.given(one, _HPARAM) for one in found.hparams],
        "artifacts": [f.given(one, _ARTIFACT) for one in found.artifacts],
        **f.given(found, _RUN),
    }


def read_facts(value: Any, name: str) -> RunFacts:
    """Facts of a run as they were sent."""
    found = f.record(
        value, name,
        {
            "origins": f.many(f.text(_ORIGIN), 10_000),
            "hparams": f.many(lambda v, n: Hparam(**f.record(v, n, _HPARAM)), 100_000),
            "artifacts": f.many(lambda v, n: ArtifactRow(**f.record(v, n, _ARTIFACT)), 1_000_000),
            **_RUN,
        },
    )  # fmt: skip
    return RunFacts(**found | {"origins": set(found["origins"])})


def fit(piece: Piece) -> Piece:
    """The piece as it can be sent: what is too long of one is left out and told as a problem."""
    over = piece.weight - MOST_PIECE + _SPARE
    if over <= 0:
        return piece
    blocks = [
        replace(block, payload={name: list(rows) for name, rows in block.payload.items()})
        for block in piece.blocks
    ]
    found = [
        (_bytes(value), at, name, row)
        for at, block in enumerate(blocks)
        for name in ("data", "raw", "strings")
        for row, value in enumerate(block.payload.get(name, ()))
        if value is not None
    ]
    left = 0
    # The largest first, so that as few as possible are missing.
    for size, at, name, row in sorted(found, reverse=True):
        if over <= 0:
            break
        blocks[at].payload[name][row] = None
        over -= size
        left += 1
    message = f"{left} images, texts or tensors of one stretch of the file are too long to be sent"
    problem = Problem(piece.entry.path, piece.after.offset, 0, "too long", message)
    return replace(piece, blocks=blocks, problems=[*piece.problems, problem])


def _bytes(value: Any) -> int:
    if isinstance(value, list):
        return sum(len(one) for one in value) + 8 * len(value)
    return int(value.nbytes) if isinstance(value, np.ndarray) else len(value)


def write_piece(piece: Piece, out: Writer) -> dict[str, Any]:
    """The piece for JSON; its arrays go to *out*."""
    metas = list(piece.meta.items())
    out.strings([tag for (tag, _), _ in metas])
    out.strings([meta.content for _, meta in metas])
    for name in _META_TEXTS:
        out.strings([getattr(meta, name) for _, meta in metas])
    return {
        "place": f.given(piece.place, _PLACE),
        "entry": f.given(piece.entry, ENTRY),
        "before": f.given(piece.before, CURSOR) if piece.before else None,
        "after": f.given(piece.after, CURSOR),
        "facts": f.given(piece.facts, _FACTS),
        "replaces": piece.replaces,
        "first_look": piece.first_look,
        "meta": [kind for (_, kind), _ in metas],
        "problems": [write_problem(one) for one in piece.problems],
        "facts_of_run": [write_facts(one) for one in piece.facts_of_run],
        "bytes_read": piece.bytes_read,
        "blocks": [_write_block(block, out) for block in piece.blocks],
    }


def _write_block(block: Block, out: Writer) -> dict[str, Any]:
    out.strings(block.tags)
    out.array(block.starts, "<i8")
    for name, dtype in _POINTS.items():
        out.array(getattr(block, name), dtype)
    for name, dtype in _STATS.items():
        out.array(block.stats[name], dtype)
    rows = len(block.step) if block.row_point is None else len(block.row_point)
    if block.kind == "scalar":
        out.array(block.value, "<f8")
    elif block.kind == "tensor":
        _write_tensors(block.payload, out)
    else:
        out.array(block.row_point, "<i8")
        for name in ("plugin", "mime", "label", "data"):
            out.strings(block.payload[name])
        for name in ("idx", "width", "height", "nbytes"):
            out.numbers(block.payload[name])
    return {"kind": block.kind, "tags": len(block.tags), "points": len(block.step), "rows": rows}


def _write_tensors(payload: dict[str, list[Any]], out: Writer) -> None:
    for name in ("plugin", "dtype", "raw"):
        out.strings(payload[name])
    out.lists(payload["shape"], "<i8")
    out.lists(payload["data"], "<f8")
    texts = payload["strings"]
    out.array([-1 if one is None else len(one) for one in texts], "<i8")
    out.strings([text for one in texts if one is not None for text in one])


def read_piece(value: Any, data: Reader) -> Piece:
    """The piece that *value* and the arrays of *data* are; raises WireError."""
    plain = {
        "place": _of(Place, _PLACE), "entry": _of(FileEntry, ENTRY),
        "before": f.maybe(_of(Cursor, CURSOR)), "after": _of(Cursor, CURSOR),
        "facts": _of(FileFacts, _FACTS), "replaces": f.flag, "first_look": f.flag,
        "meta": f.many(f.one_of(*KINDS), 1_000_000), "problems": f.many(read_problem, 1_000_000),
        "facts_of_run": f.many(read_facts, 100_000), "bytes_read": _SIZE,
        "blocks": f.many(_block_head, 3),
    }  # fmt: skip
    found = f.record(value, "piece", plain)
    place: Place = found["place"]
    if place.run_key != run_key(place.source, place.run_path):
        raise WireError("piece.place.run_key: is not that of its source and path")
    kinds: list[Kind] = found.pop("meta")
    found["meta"] = _read_meta(kinds, data)
    found["blocks"] = [_read_block(head, data) for head in found["blocks"]]
    return Piece(**found)


def _of(kind: Any, fields: dict[str, f.Check]) -> f.Check:
    return lambda value, name: kind(**f.record(value, name, fields))


def _read_meta(kinds: list[Kind], data: Reader) -> dict[tuple[str, Kind], SeriesMeta]:
    count = len(kinds)
    tags = _there(data.texts(count, _MOST_TAG, "tag"), "tag")
    contents = _there(data.strings(count), "content")
    texts = {
        name: _there(data.texts(count, most, name), name) for name, most in _META_TEXTS.items()
    }
    return {
        (tag, kind): SeriesMeta(content=contents[at], **{n: texts[n][at] for n in texts})
        for at, (tag, kind) in enumerate(zip(tags, kinds, strict=True))
    }


def _there(values: Any, name: str) -> list[Any]:
    if any(one is None for one in values):
        raise WireError(f"{name}: expected a value")
    return list(values)


def _block_head(value: Any, name: str) -> dict[str, Any]:
    most = f.whole(0, MOST_PIECE)
    return f.record(
        value, name, {"kind": f.one_of(*KINDS), "tags": most, "points": most, "rows": most}
    )


def _read_block(head: dict[str, Any], data: Reader) -> Block:
    kind, groups, points, rows = head["kind"], head["tags"], head["points"], head["rows"]
    tags = _there(data.texts(groups, _MOST_TAG, "tag"), "tag")
    if any(one >= other for one, other in zip(tags, tags[1:], strict=False)):
        raise WireError("block.tags: expected them in order")
    starts = data.array(groups + 1, "<i8")
    if starts[0] != 0 or starts[-1] != points or (np.diff(starts) < 0).any():
        raise WireError("block.starts: expected them to ascend from 0 to the number of points")
    columns: dict[str, Any] = {name: data.array(points, dtype) for name, dtype in _POINTS.items()}
    if (columns["superseded"] > 1).any() or (columns["attempt"] < 0).any():
        raise WireError("block: expected attempts from 0, and superseded to be 0 or 1")
    if (columns["record"] < 0).any():
        raise WireError("block.record: expected records from 0")
    columns["superseded"] = columns["superseded"].astype(np.bool_)
    stats = {name: data.array(groups, dtype) for name, dtype in _STATS.items()}
    for name in _COUNTS:
        if ((stats[name] < 0) | (stats[name] > max(points, 1))).any():
            raise WireError(f"block.stats.{name}: expected 0 to the number of points")
    block = Block(kind, tags, starts, stats=stats, **columns)
    if kind != "blob" and rows != points:
        raise WireError("block.rows: expected one for each point")
    if kind == "scalar":
        block.value = data.array(points, "<f8")
    elif kind == "tensor":
        block.payload = _read_tensors(points, data)
    else:
        block.row_point = data.array(rows, "<i8")
        ordered = (np.diff(block.row_point) >= 0).all()
        if not ordered or (block.row_point < 0).any() or (block.row_point >= points).any():
            raise WireError("block.row_point: expected points in order")
        block.payload = {
            name: data.texts(rows, MOST_PIECE, name) for name in ("plugin", "mime", "label")
        }
        block.payload["data"] = data.strings(rows)
        for name in ("idx", "width", "height", "nbytes"):
            block.payload[name] = data.numbers(rows, name, 64 if name == "nbytes" else 32)
        # Files of another machine are not here to look into.
        block.payload["location"] = [None] * rows
    return block


def _read_tensors(points: int, data: Reader) -> dict[str, list[Any]]:
    payload: dict[str, list[Any]] = {
        name: data.texts(points, _MOST_TAG, name) for name in ("plugin", "dtype")
    }
    payload["raw"] = data.strings(points)
    shapes = data.lists(points, "<i8")
    payload["shape"] = [None if one is None else one.tolist() for one in shapes]
    payload["data"] = data.lists(points, "<f8")
    counts: list[int] = data.array(points, "<i8").tolist()
    if any(not -1 <= n <= MOST_PIECE for n in counts):
        raise WireError("strings: a length is negative or too large")
    texts = _there(data.texts(sum(max(n, 0) for n in counts), MOST_PIECE, "strings"), "strings")
    at, payload["strings"] = 0, []
    for n in counts:
        payload["strings"].append(None if n < 0 else texts[at : at + n])
        at += max(n, 0)
    return payload
