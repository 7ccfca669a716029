"""Pieces of files as Arrow tables: one table for each table of the lake that a batch goes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ..core.values import Block, Kind, Piece, SeriesMeta

_PARTS_INT = (
    "points", "superseded", "first_step", "last_step", "min_step", "max_step",
    "finite", "nan_count", "inf_count", "nan_step", "inf_step", "attempt",
)  # fmt: skip
_PARTS_FLOAT = (
    "first_wall_time", "last_wall_time", "first", "last", "min", "max",
    "shift", "shift_sum", "shift_sum2",
)  # fmt: skip
_LIVE_ONLY = frozenset(
    {"first_step", "last_step", "first_wall_time", "last_wall_time", "first", "last"}
)
# Steps of what may not be there, by the column that counts it.
_COUNTED = {"nan_step": "nan_count", "inf_step": "inf_count"}
_FINITE_ONLY = frozenset({"min", "max", "min_step", "max_step", "shift", "shift_sum", "shift_sum2"})

_PAYLOAD: dict[Kind, dict[str, pa.DataType]] = {
    "scalar": {},
    "tensor": {
        "plugin": pa.string(),
        "dtype": pa.string(),
        "shape": pa.list_(pa.int64()),
        "data": pa.list_(pa.float64()),
        "strings": pa.list_(pa.string()),
        "raw": pa.binary(),
    },
    "blob": {
        "plugin": pa.string(),
        "idx": pa.int32(),
        "mime": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "label": pa.string(),
        "nbytes": pa.int64(),
        "data": pa.binary(),
        "location": pa.string(),
    },
}


@dataclass(frozen=True)
class Filed:
    """A piece and the numbers that the lake gave its run and file."""

    piece: Piece
    run_id: int
    file_id: int


def points_table(filed: list[Filed], kind: Kind) -> pa.Table | None:
    """Rows of one *kind* of all pieces, for `scalar_points`, `tensors` or `blobs`; None if none."""
    blocks = [(one, block) for one in filed for block in one.piece.blocks if block.kind == kind]
    if not blocks:
        return None
    columns = {
        "run_id": _spread(blocks, lambda one, _: one.run_id),
        "stream": _labels(blocks, lambda one, _: [one.piece.place.stream], lambda b: [_rows(b)]),
        "tag": _labels(blocks, lambda _, block: block.tags, _rows_by_tag),
        "step": _gather(blocks, "step"),
        "wall_time": _gather(blocks, "wall_time"),
        "attempt": _gather(blocks, "attempt"),
        "superseded": _gather(blocks, "superseded"),
        "file_id": _spread(blocks, lambda one, _: one.file_id),
        "record": _gather(blocks, "record"),
    }
    if kind == "scalar":
        columns["value"] = _gather(blocks, "value")
    for name, arrow_type in _PAYLOAD[kind].items():
        rows: list[Any] = []
        for _, block in blocks:
            rows.extend(block.payload[name])
        columns[name] = pa.array(rows, arrow_type)
    return pa.table(columns)


def parts_table(filed: list[Filed]) -> pa.Table | None:
    """What the pieces add to each series, for `series_parts`; None if nothing."""
    blocks = [(one, block) for one in filed for block in one.piece.blocks]
    if not blocks:
        return None
    counts = [len(block.tags) for _, block in blocks]
    columns: dict[str, Any] = {
        "run_id": np.repeat(np.array([one.run_id for one, _ in blocks], np.int64), counts),
        "file_id": np.repeat(np.array([one.file_id for one, _ in blocks], np.int64), counts),
        "stream": pa.array(
            [one.piece.place.stream for one, block in blocks for _ in block.tags], pa.string()
        ),
        "tag": pa.array([tag for _, block in blocks for tag in block.tags], pa.string()),
        "kind": pa.array([block.kind for _, block in blocks for _ in block.tags], pa.string()),
    }
    live = np.concatenate([block.stats["points"] for _, block in blocks]) > 0
    scalar = np.repeat([block.kind == "scalar" for _, block in blocks], counts)
    finite = np.concatenate([block.stats["finite"] for _, block in blocks]) > 0
    for name in _PARTS_INT + _PARTS_FLOAT:
        values = np.concatenate([block.stats[name] for _, block in blocks])
        arrow_type = pa.int64() if name in _PARTS_INT else pa.float64()
        if name in _FINITE_ONLY:
            columns[name] = pa.array(values, arrow_type, mask=~finite, from_pandas=False)
        elif name in _COUNTED:
            found = np.concatenate([block.stats[_COUNTED[name]] for _, block in blocks])
            columns[name] = pa.array(values, arrow_type, mask=found == 0)
        elif name in _LIVE_ONLY:
            shown = live & scalar if name in ("first", "last") else live
            columns[name] = pa.array(values, arrow_type, mask=~shown, from_pandas=False)
        else:
            columns[name] = pa.array(values, arrow_type, from_pandas=False)
    metas = [_meta(one.piece, tag, block) for one, block in blocks for tag in block.tags]
    for name in ("plugin", "data_class", "display_name", "description"):
        # Only the piece with a tag's first event knows more than nothing; '' must not hide it.
        texts = [(getattr(m, name) or None) if m else None for m in metas]
        columns[name] = pa.array(texts, pa.string())
    columns["content"] = pa.array([(m.content or None) if m else None for m in metas], pa.binary())
    return pa.table(columns)


_PLAIN_SCALAR = SeriesMeta(plugin="scalars", data_class="SCALAR")


def _meta(piece: Piece, tag: str, block: Block) -> SeriesMeta | None:
    found = piece.meta.get((tag, block.kind))
    if found is None and block.kind == "scalar":
        return _PLAIN_SCALAR
    return found


Filling = tuple[Filed, Block]


def _rows(block: Block) -> int:
    return len(block.step) if block.row_point is None else len(block.row_point)


def _rows_by_tag(block: Block) -> Any:
    if block.row_point is None:
        return np.diff(block.starts)
    return np.diff(np.searchsorted(block.row_point, block.starts))


def _spread(blocks: list[Filling], number: Callable[[Filed, Block], int]) -> pa.ChunkedArray:
    chunks = [pa.array(np.full(_rows(b), number(one, b), np.int64)) for one, b in blocks]
    return pa.chunked_array(chunks)


def _gather(blocks: list[Filling], name: str) -> pa.ChunkedArray:
    """A column as one chunk per block, which shares the block's memory."""
    chunks = []
    for _, block in blocks:
        values = getattr(block, name)
        values = values if block.row_point is None else values[block.row_point]
        # from_pandas=False: NaN is a value here, never NULL.
        chunks.append(pa.array(values, from_pandas=False))
    return pa.chunked_array(chunks)


def _labels(
    blocks: list[Filling],
    labels: Callable[[Filed, Block], list[str]],
    counts: Callable[[Block], Any],
) -> pa.ChunkedArray:
    """A text column as indices into the distinct labels, so that no string is repeated."""
    numbers: dict[str, int] = {}
    codes = [
        np.repeat(
            np.array(
                [numbers.setdefault(label, len(numbers)) for label in labels(one, block)], np.int32
            ),
            counts(block),
        )
        for one, block in blocks
    ]
    names = pa.array(list(numbers), pa.string())
    return pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array(c), names) for c in codes])
