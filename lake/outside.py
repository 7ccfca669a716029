"""Bytes that stayed in their event file: found by `path#offset+length`, proven, and cut out."""

from __future__ import annotations

import gzip
import os
import re
import stat
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..kernels.decoded import MAX_RECORD

_LOCATION = re.compile(r"(?P<path>.+)#(?P<offset>\d{1,18})\+(?P<length>\d{1,18})", re.DOTALL)
_HEAD, _FRAME = 12, 16


class OutOfReach(Exception):
    """Why the bytes cannot be had."""


@dataclass(frozen=True)
class Blob:
    """Which bytes of a record are meant: a row of `blobs`."""

    tag: str
    plugin: str
    idx: int
    nbytes: int


def read(uri: str, location: str, blob: Blob) -> bytes:
    """The bytes of *blob* from the event file below the root *uri* of its source.

    Raises OutOfReach where the file is not there, lies outside the root, or holds something else.
    """
    found = _LOCATION.fullmatch(location)
    if found is None:
        raise OutOfReach("it is not said where they lie")
    offset, length = int(found["offset"]), int(found["length"])
    if not _FRAME < length <= MAX_RECORD + _FRAME:
        raise OutOfReach("the record is too long")
    path = within(uri, found["path"])
    try:
        record = _fetch(path, offset, length)
    except (OSError, EOFError) as error:
        raise OutOfReach(getattr(error, "strerror", None) or "the file cannot be read") from error
    for item in _items(_payload(record, length), blob):
        if len(item) == blob.nbytes:
            return item
    raise OutOfReach("the record holds something else now")


def within(uri: str, path: str) -> str:
    """The file or directory itself, behind all links, which must lie below the root; raises OutOfReach."""
    root = os.path.realpath(os.path.dirname(uri) if os.path.isfile(uri) else uri)
    if not uri or not os.path.isabs(uri) or not os.path.isdir(root):
        raise OutOfReach("its directory is not on this machine")
    if "\0" in path or os.path.isabs(path) or ".." in path.split("/"):
        raise OutOfReach("the path leads out of the source")
    real = os.path.realpath(os.path.join(root, path))
    if os.path.commonpath([root, real]) != root:
        raise OutOfReach("the path leads out of the source")
    return real


def opened(path: str) -> BinaryIO:
    """An ordinary file, open for reading; raises OutOfReach for a pipe or a directory, and OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OutOfReach("it is no file")
    return os.fdopen(handle, "rb")


def _fetch(path: str, offset: int, length: int) -> bytes:
    with opened(path) as file:
        if path.endswith(".gz"):
            # Offsets count what the writer wrote: it is unpacked up to there.
            with gzip.open(file) as unpacked:
                unpacked.seek(offset)
                return unpacked.read(length)
        return os.pread(file.fileno(), length, offset)


def _payload(record: bytes, length: int) -> bytes:
    """The payload of a TFRecord frame whose length and both checksums are right."""
    # Compiled code is loaded only where bytes were left outside.
    import numpy as np

    from ..kernels.crc32c import masked_crc

    if len(record) != length or struct.unpack_from("<Q", record) != (length - _FRAME,):
        raise OutOfReach("the file is another one now")
    buffer = np.frombuffer(record, np.uint8)
    (head,), (tail,) = struct.unpack_from("<I", record, 8), struct.unpack_from("<I", record[-4:])
    body = length - _FRAME
    if masked_crc(buffer, 0, 8) != head or masked_crc(buffer, _HEAD, body) != tail:
        raise OutOfReach("the record's checksum is wrong")
    return record[_HEAD:-4]


def _items(payload: bytes, blob: Blob) -> list[bytes]:
    """What stands at the index of *blob* in each value of its tag; mostly that is one."""
    from google.protobuf.message import DecodeError
    from tensorboard import dataclass_compat
    from tensorboard.compat.proto import event_pb2

    try:
        event = event_pb2.Event.FromString(payload)
    except DecodeError as error:
        raise OutOfReach("the record is no event") from error
    what = event.WhichOneof("what")
    if what == "meta_graph_def":
        lists = [[event.meta_graph_def]]
    elif what in ("session_log", "log_message"):
        lists = [[getattr(event, what).SerializeToString()]]
    else:
        if what in ("graph_def", "tagged_run_metadata"):
            event = dataclass_compat.migrate_event(event, {})[-1]
        values = event.summary.value
        lists = [_of(one, blob.plugin) for one in values if blob.tag in (one.tag, one.node_name)]
    return [items[blob.idx] for items in lists if 0 <= blob.idx < len(items)]


def _of(value: Any, plugin: str) -> list[bytes]:
    """The byte strings of a summary value, as the ingester numbers them."""
    which = value.WhichOneof("value")
    if which == "image":
        return [value.image.encoded_image_string]
    if which == "audio":
        return [value.audio.encoded_audio_string]
    items = list(value.tensor.string_val)
    if plugin == "images":
        return items[2:]
    shape = value.tensor.tensor_shape.dim
    labelled = plugin == "audio" and len(shape) == 2 and shape[1].size == 2
    return items[::2] if labelled else items
