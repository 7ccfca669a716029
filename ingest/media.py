"""What a byte string of an event is: its MIME type by its first bytes, and its size."""

from __future__ import annotations

import hashlib
from typing import Any

PROTOBUF = "application/x-protobuf"
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
)
_BY_PLUGIN = {
    "graph_keras_model": "application/json",
    "graphs": PROTOBUF,
    "graph_run_metadata": PROTOBUF,
    "graph_run_metadata_graph": PROTOBUF,
    "graph_tagged_run_metadata": PROTOBUF,
}


def sniff(data: bytes, plugin: str) -> str:
    """The MIME type of *data* from its first bytes, or from the *plugin* that stores it."""
    if plugin in _BY_PLUGIN:
        return _BY_PLUGIN[plugin]
    for magic, mime in _MAGIC:
        if data.startswith(magic):
            return mime
    if data[:4] == b"RIFF" and data[8:12] in (b"WAVE", b"WEBP"):
        return "audio/wav" if data[8:12] == b"WAVE" else "image/webp"
    return "application/octet-stream"


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
