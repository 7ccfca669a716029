"""Decoded points of one piece of a file as blocks: grouped by tag, threaded, and added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from tensorboard.compat.proto import summary_pb2
from tensorboard.compat.tensorflow_stub import dtypes

from ..core.values import Block, Kind, SeriesMeta
from ..kernels import series as kernel
from ..kernels.decode import Decoded
from .events import Rows


@dataclass(frozen=True)
class Entry:
    """A line of the decoder's tag table: a tag in one form, and what its first value said of it.

    `first` is the record of its first point, counted in the buffer.
    """

    tag: str
    tensor: bool
    metadata: Any
    first: int


def entries(buffer: NDArray[np.uint8], decoded: Decoded, rows: Rows) -> list[Entry]:
    """The tag table of *buffer*'s plain scalars, in order of first appearance."""
    count = len(decoded.tag_offset)
    first = np.zeros(count, np.int64)
    # Of several writes to one place the last one stays, so backwards it is the first point's.
    first[decoded.tag[::-1]] = decoded.record[::-1]
    found = []
    for entry in range(count):
        tag = _tag(buffer, decoded, entry, rows)
        metadata = _metadata(buffer, decoded, entry, tag, rows)
        found.append(Entry(tag, decoded.tag_form[entry] != 0, metadata, int(first[entry])))
    return found


def introduce(entry: Entry, rows: Rows) -> None:
    """Let what a tag's first tensor says hold for all: TF writers describe a tag only once."""
    if entry.tensor:
        rows.known.setdefault(entry.tag, entry.metadata or summary_pb2.SummaryMetadata())


def build(decoded: Decoded, table: list[Entry], rows: Rows, base: int) -> list[Block]:
    """All points of a piece, as at most one block of each kind.

    *decoded* are the plain scalars and *table* their tags, *rows* what the slow records held, *base*
    the number of records before the piece. Adds to `rows.meta` what the first event of a tag said,
    and to `rows.tensors` the numbers that turn out not to be scalars.
    """
    names = [entry.tag for entry in table]
    scalar = np.array([_is_scalar(entry, rows) for entry in table], dtype=np.bool_)
    blocks = [_scalars(decoded, rows, names, scalar, base)]
    blocks.append(_tensors(rows))
    blocks.append(_blobs(rows))
    return [block for block in blocks if block is not None]


def _tag(buffer: NDArray[np.uint8], decoded: Decoded, entry: int, rows: Rows) -> str:
    start, length = int(decoded.tag_offset[entry]), int(decoded.tag_length[entry])
    raw = buffer[start : start + length].tobytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        name = raw.decode("utf-8", "backslashreplace")
        rows.faults.append((-1, "bad tag", f"tag {name!r} is not UTF-8, stored in this form"))
        return name


def _metadata(buffer: NDArray[np.uint8], decoded: Decoded, entry: int, tag: str, rows: Rows) -> Any:
    start, length = int(decoded.tag_meta_offset[entry]), int(decoded.tag_meta_length[entry])
    if not length:
        return None
    try:
        return summary_pb2.SummaryMetadata.FromString(buffer[start : start + length].tobytes())
    except DecodeError:
        rows.faults.append((-1, "bad metadata", f"tag {tag!r}: not a SummaryMetadata message"))
        return None


def _is_scalar(entry: Entry, rows: Rows) -> bool:
    """Whether points of a tag entry are scalars: simple values are, tensors if their plugin says so."""
    introduce(entry, rows)
    if entry.tensor and rows.known[entry.tag].plugin_data.plugin_name != "scalars":
        return False
    if entry.metadata is not None:
        rows.meta.setdefault(
            (entry.tag, "scalar"),
            SeriesMeta(
                plugin="scalars",
                data_class="SCALAR",
                content=entry.metadata.plugin_data.content,
                display_name=entry.metadata.display_name[:4096],
                description=entry.metadata.summary_description[:65536],
            ),
        )
    return True


def _scalars(
    decoded: Decoded, rows: Rows, names: list[str], scalar: NDArray[np.bool_], base: int
) -> Block | None:
    entry, step, wall_time = decoded.tag, decoded.step, decoded.wall_time
    value, record = decoded.value, decoded.record + base
    if not scalar.all():
        _untyped(decoded, rows, names, scalar, base)
        keep = scalar[entry]
        entry, step, wall_time = entry[keep], step[keep], wall_time[keep]
        value, record = value[keep], record[keep]
    plain = {name for name, yes in zip(names, scalar, strict=True) if yes}
    tags = sorted(plain.union(row[0] for row in rows.scalars))
    number = {tag: index for index, tag in enumerate(tags)}
    remap = np.array([number.get(name, -1) for name in names], np.int32)
    codes = remap[entry]
    if rows.scalars:
        codes, step, wall_time, value, record = _merge(
            (codes, step, wall_time, value, record), rows.scalars, number
        )
    if len(codes) == 0:
        return None
    order, starts = kernel.group(codes, len(tags))
    return _block(
        "scalar", tags, starts, step[order], wall_time[order], record[order], value[order]
    )


def _merge(
    fast: tuple[NDArray[Any], ...],
    slow: list[tuple[str, int, float, int, float]],
    number: dict[str, int],
) -> list[NDArray[Any]]:
    """Scalars of slow records among the fast ones, in record order."""
    extra: tuple[NDArray[Any], ...] = (
        np.array([number[row[0]] for row in slow], np.int32),
        np.array([row[1] for row in slow], np.int64),
        np.array([row[2] for row in slow], np.float64),
        np.array([row[4] for row in slow], np.float64),
        np.array([row[3] for row in slow], np.int64),
    )
    columns = [np.concatenate(pair) for pair in zip(fast, extra, strict=True)]
    order = np.argsort(columns[4], kind="stable")
    return [column[order] for column in columns]


def _untyped(
    decoded: Decoded, rows: Rows, names: list[str], scalar: NDArray[np.bool_], base: int
) -> None:
    """Numbers of a plugin other than scalars, or of none, are tensors of rank 0."""
    for point in np.flatnonzero(~scalar[decoded.tag]):
        entry = decoded.tag[point]
        tag = names[entry]
        known = rows.known[tag]
        plugin = known.plugin_data.plugin_name[:256]
        meta = SeriesMeta(plugin=plugin, content=known.plugin_data.content)
        rows.meta.setdefault((tag, "tensor"), meta)
        row = {
            "plugin": plugin,
            "dtype": str(dtypes.as_dtype(int(decoded.tag_form[entry])).name),
            "shape": [],
            "data": np.array([decoded.value[point]]),
            "strings": None,
            "raw": None,
        }
        step, wall_time = int(decoded.step[point]), float(decoded.wall_time[point])
        rows.tensors.append((tag, step, wall_time, int(decoded.record[point]) + base, row))


def _tensors(rows: Rows) -> Block | None:
    if not rows.tensors:
        return None
    found = sorted(rows.tensors, key=lambda row: (row[0], row[3]))
    block = _rows_block("tensor", found)
    names = ("plugin", "dtype", "shape", "data", "strings", "raw")
    block.payload = {name: [row[4][name] for row in found] for name in names}
    return block


def _blobs(rows: Rows) -> Block | None:
    if not rows.blobs:
        return None
    found = sorted(rows.blobs, key=lambda row: (row[0], row[3]))
    block = _rows_block("blob", found)
    blobs = [blob | {"idx": index} for row in found for index, blob in enumerate(row[4])]
    names = ("plugin", "idx", "mime", "width", "height", "label", "nbytes", "data", "location")
    block.payload = {name: [blob.get(name) for blob in blobs] for name in names}
    counts = [len(row[4]) for row in found]
    block.row_point = np.repeat(np.arange(len(found), dtype=np.int64), counts)
    return block


def _rows_block(kind: Kind, found: list[tuple[str, int, float, int, Any]]) -> Block:
    tags = sorted({row[0] for row in found})
    number = {tag: index for index, tag in enumerate(tags)}
    codes = np.array([number[row[0]] for row in found])
    starts = np.searchsorted(codes, np.arange(len(tags) + 1)).astype(np.int64)
    step = np.array([row[1] for row in found], np.int64)
    wall_time = np.array([row[2] for row in found], np.float64)
    record = np.array([row[3] for row in found], np.int64)
    return _block(kind, tags, starts, step, wall_time, record, None)


def _block(
    kind: Kind,
    tags: list[str],
    starts: NDArray[np.int64],
    step: NDArray[np.int64],
    wall_time: NDArray[np.float64],
    record: NDArray[np.int64],
    value: NDArray[np.float64] | None,
) -> Block:
    groups = len(tags)
    measured = np.zeros(len(step)) if value is None else value
    threaded = kernel.thread(
        step, wall_time, measured, starts, np.zeros(groups, np.int64), np.full(groups, np.nan)
    )
    stats: dict[str, NDArray[Any]] = threaded.stats._asdict()
    if value is None:
        stats["finite"] = stats["nan_count"] = stats["inf_count"] = np.zeros(groups, np.int64)
        stats["nan_step"] = stats["inf_step"] = np.zeros(groups, np.int64)
        for name in ("first", "last"):
            stats[name] = np.full(groups, np.nan)
    return Block(
        kind=kind,
        tags=tags,
        starts=starts,
        step=step,
        wall_time=wall_time,
        record=record,
        attempt=threaded.attempt,
        superseded=threaded.superseded,
        stats=stats,
        value=value,
    )
