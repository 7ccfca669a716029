"""What a hub knows of a source, as JSON for its edge, and the strict way back."""

from __future__ import annotations

import base64
import binascii
from dataclasses import astuple
from typing import Any

from . import wire_fields as f
from .outbox import SeenFile, Stock
from .wire_fields import WireError

_SIZE = f.whole(0, 1 << 62)
_MANY = 10_000_000
_FILE = (
    f.path, f.path, _SIZE, f.whole(-(1 << 63)), f.text(1024), _SIZE, _SIZE, _SIZE, f.text(64), _SIZE,
    f.text(64), f.maybe(f.text(64)), f.maybe(f.path), f.flag,
)  # fmt: skip


def write(stock: Stock) -> dict[str, Any]:
    """*stock* for JSON; what the source is, the edge knows itself."""
    return {
        "files": [list(astuple(one)) for one in stock.files],
        "keys": [list(pair) for pair in stock.keys.items()],
        "deleted": sorted(stock.deleted),
        "runs": sorted(stock.runs),
    }


def read(value: Any) -> Stock:
    """The stock that was written; raises WireError."""
    found = f.record(
        value, "known",
        {
            "files": f.many(_file, _MANY), "keys": f.many(_pair, _MANY),
            "deleted": f.many(f.text(64), _MANY), "runs": f.many(f.path, _MANY),
        },
    )  # fmt: skip
    return Stock(
        None, found["files"], dict(found["keys"]), set(found["deleted"]), set(found["runs"])
    )


def _file(value: Any, name: str) -> SeenFile:
    if not isinstance(value, list) or len(value) != len(_FILE):
        raise WireError(f"{name}: expected {len(_FILE)} values")
    return SeenFile(*(check(one, name) for check, one in zip(_FILE, value, strict=True)))


def _pair(value: Any, name: str) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise WireError(f"{name}: expected pairs")
    return f.path(value[0], name), f.text(64)(value[1], name)


def write_series(found: list[tuple[str, str, str, bytes, str, str]]) -> dict[str, Any]:
    """Series of a stream for JSON."""
    return {
        "series": [
            [tag, kind, plugin, base64.b64encode(content).decode(), name, text]
            for tag, kind, plugin, content, name, text in found
        ]
    }


def read_series(value: Any) -> list[tuple[str, str, str, bytes, str, str]]:
    """The series that were written; raises WireError."""
    found = f.record(value, "series", {"series": f.many(_series, _MANY)})
    return list(found["series"])


def _series(value: Any, name: str) -> tuple[str, str, str, bytes, str, str]:
    text = f.text(1 << 26)
    if not isinstance(value, list) or len(value) != 6:
        raise WireError(f"{name}: expected six values")
    tag, kind, plugin, content, shown, description = (text(one, name) for one in value)
    try:
        return tag, kind, plugin, base64.b64decode(content, validate=True), shown, description
    except binascii.Error:
        raise WireError(f"{name}: expected base64") from None
