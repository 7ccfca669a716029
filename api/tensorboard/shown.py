"""What TensorBoard's plugins can show: whatever they would fail at, for all runs at once, is left out. Pure."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.plugins.audio import metadata as audio
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.histogram import metadata as histogram
from tensorboard.plugins.image import metadata as image
from tensorboard.plugins.mesh import metadata as mesh
from tensorboard.plugins.pr_curve import metadata as pr_curve
from tensorboard.plugins.scalar import metadata as scalar
from tensorboard.plugins.text import metadata as text

_READERS = {
    "scalars": scalar, "histograms": histogram, "images": image, "audio": audio, "text": text,
    "pr_curves": pr_curve, "mesh": mesh,
}  # fmt: skip

# Elements of one value: each becomes objects and text, and a page asks for dozens of values.
_MOST = {"histograms": 100_000, "pr_curves": 100_000, "text": 100_000}

# What every object of JavaScript has.
_INHERITED = frozenset((
    "__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable",
    "toLocaleString", "toString", "valueOf", "__defineGetter__", "__defineSetter__",
    "__lookupGetter__", "__lookupSetter__",
))  # fmt: skip


def listed(tag: str) -> bool:
    """Whether the pages can list a tag: they look it, and what stands before its `/`, up in plain objects.

    At what all of these have a dashboard stops, for all runs.
    """
    return tag not in _INHERITED and tag.partition("/")[0] not in _INHERITED


def content(plugin: str, written: bytes) -> bytes | None:
    """The content of a series as its plugin can read it: as written, else none, b''.

    None where the series cannot be shown without it.
    """
    return _content(plugin, written) if len(written) > _LONG else _known(plugin, written)


def _content(plugin: str, written: bytes) -> bytes | None:
    reader = _READERS.get(plugin)
    if reader is None:
        return written
    try:
        read = reader.parse_plugin_metadata(written)
    except (DecodeError, ValueError, TypeError):
        return None if plugin == "mesh" else b""
    # Of a mesh nothing is left without it.
    return None if plugin == "mesh" and not read.shape else written


# Contents are few and short, or are not kept.
_LONG = 4_096
_known = lru_cache(4_096)(_content)


def fits(plugin: str, value: np.ndarray) -> bool:
    """Whether a plugin can show *value*."""
    if plugin in _MOST and value.size > _MOST[plugin]:
        return False
    if plugin == "histograms":
        return value.dtype != object and value.ndim == 2 and value.shape[1] == 3
    if plugin == "pr_curves":
        # The first four rows are counts.
        return (
            value.dtype != object and value.ndim == 2 and value.shape[0] == 6
            and bool(np.isfinite(value[:4]).all())
        )  # fmt: skip
    if plugin == "mesh":
        return value.dtype != object and value.ndim == 3
    if plugin == "custom_scalars":
        return value.dtype == object and value.ndim == 0 and _is_layout(value.item())
    return plugin != "text" or value.dtype == object


def _is_layout(data: bytes) -> bool:
    try:
        layout_pb2.Layout.FromString(data)
    except DecodeError:
        return False
    return True
