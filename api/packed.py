"""Many items in one answer: columns in which what repeats is said once, and bytes in a frame."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from typing import Any

from ..core import mime
from ..lake.media import NoSuchMedia
from ..lake.media_series import Steps

MIME = "application/x-boardlake-bytes"

_NAMES = {"file_id": "file", "record": "record"}


def column(values: Sequence[Any]) -> Any:
    """A column as one value where all are equal, as its first value and difference where it is an
    even progression of whole numbers, else as the list that it is.
    """
    if not values:
        return []
    first = values[0]
    if all(value == first for value in values):
        return first
    if len(values) > 2 and all(isinstance(value, int) for value in values):
        by = values[1] - first
        if all(b - a == by for a, b in zip(values, values[1:], strict=False)):
            return {"first": first, "by": by}
    return list(values)


def series(one: Steps) -> dict[str, Any]:
    """A series of images or sounds; wall times are the first, and milliseconds after it."""
    walls = [value if _is_time(value) else None for value in one.wall_time]
    start = next((value for value in walls if value is not None), None)
    after = [None if value is None else round((value - (start or 0)) * 1000) for value in walls]
    columns = {_NAMES.get(name, name): column(values) for name, values in one.columns.items()}
    return {
        "run": one.run_key, "tag": one.tag, "stream": one.stream, "items": len(one.step),
        "steps": one.steps, "truncated": one.truncated, "step": column(one.step),
        "wall_time": start, "after_ms": column(after), **columns,
    }  # fmt: skip


def frame(found: Sequence[bytes | NoSuchMedia | None]) -> bytes:
    """Byte strings as one: u32 little-endian length of a JSON list, the list, then the bytes.

    For each the list has `size` and `mime`, or the `error`, or `later` where there was no room.
    """
    header: list[dict[str, Any]] = []
    bodies: list[bytes] = []
    for one in found:
        if one is None:
            header.append({"later": True})
        elif isinstance(one, bytes):
            header.append({"size": len(one), "mime": mime.sniff(one)})
            bodies.append(one)
        else:
            header.append({"error": {"message": one.message, "hint": one.hint}})
    text = json.dumps(header).encode()
    return b"".join([struct.pack("<I", len(text)), text, *bodies])


def _is_time(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and abs(value) < 1e15
