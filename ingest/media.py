"""What a byte string of an event is: its MIME type by its first bytes, and its size."""

from __future__ import annotations

import hashlib
from typing import Any

from ..core import mime

PROTOBUF = "application/x-protobuf"
_BY_PLUGIN = {
    "graph_keras_model": "application/json",
    "graphs": PROTOBUF,
    "graph_run_metadata": PROTOBUF,
    "graph_run_metadata_graph": PROTOBUF,
    "graph_tagged_run_metadata": PROTOBUF,
}


def sniff(data: bytes, plugin: str) -> str:
    """The MIME type of *data* from its first bytes, or from the *plugin* that stores it."""
    return _BY_PLUGIN.get(plugin) or mime.sniff(data)


def describe(data: bytes, plugin: str) -> dict[str, Any]:
    """A row of `blobs` for *data*; width, height and label are for the caller to fill in."""
    return {
        "mime": sniff(data, plugin),
        "width": None,
        "height": None,
        "label": None,
        "nbytes": len(data),
        "data": data,
    }


def dimension(text: bytes) -> int | None:
    """A width or height as an image tensor writes it, in ASCII digits; None where it is not one."""
    return int(text) if text.isdigit() and len(text) <= 9 else None


def shorten(text: str, limit: int) -> str:
    """*text* cut to *limit* characters, ending in a hash of the whole so that names stay distinct."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{text[: limit - 18]}~{digest}"
