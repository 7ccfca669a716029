"""Rows of a chunk as records of its files: what stands in which record, and what fills the gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...core.errors import LakeError
from ...kernels.encoded import EVENT, Form, Forms, Rows
from .chunks import Chunk, Part
from .values import (
    Blobs,
    Series,
    Tensor,
    blobs_form,
    scalar_form,
    tensor_form,
    version_form,
    writer_form,
)

# Bytes of one blob of a file: (file, tag, plugin, idx, nbytes, location); None where it is not to be had.
Fetch = Callable[[Part, str, str, int, int, str | None], bytes | None]


@dataclass
class Described:
    """What was said of a file's series already; for files that come in several chunks."""

    file_id: int = -1
    scalars: set[tuple[str, bool]] = field(default_factory=set)
    others: set[tuple[str, str]] = field(default_factory=set)

    def begin(self, part: Part) -> None:
        """A part of a file is next."""
        if part.file.file_id != self.file_id:
            self.file_id = part.file.file_id
            self.scalars, self.others = set(), set()

    def first(self, kind: str, tag: str) -> bool:
        """Whether nothing was said of this series yet; it counts as said from now on."""
        before = (kind, tag) in self.others
        self.others.add((kind, tag))
        return not before


@dataclass
class _Extra:
    """A row that is no plain scalar, and where it belongs."""

    pos: int
    record: int
    step: int
    wall_time: float
    form: Form


@dataclass
class Made:
    """The records of a chunk, `starts[i]:starts[i + 1]` those of part i, and rows by table."""

    rows: Rows
    forms: Forms
    starts: NDArray[np.int64]
    counts: Counter[str]


def make(
    chunk: Chunk,
    scalars: pa.Table,
    tensors: pa.Table | None,
    blobs: pa.Table | None,
    described: Described,
    fetch: Fetch,
) -> Made:
    """The records of all parts of *chunk*, fillers included. Raises LakeError for points without a series."""
    counts = Counter(
        scalar_points=scalars.num_rows,
        tensors=tensors.num_rows if tensors is not None else 0,
        blobs=blobs.num_rows if blobs is not None else 0,
    )
    if scalars["code"].null_count:
        raise LakeError(
            "the lake holds points of a series that it does not know",
            hint="`boardlake verify` compares it with its event files",
        )
    pos, rows = _columns(scalars)
    forms: list[Form] = []
    rows = rows._replace(form=_scalar_forms(chunk, pos, rows, described, forms))
    extras = list(_tensor_rows(chunk, tensors, described)) if tensors is not None else []
    if blobs is not None:
        extras += _blob_rows(chunk, blobs, described, fetch)
    pos, rows = _insert(pos, rows, *_given(extras, forms))
    pos, rows = _insert(pos, rows, *_fillers(chunk, pos, rows, forms))
    starts = np.searchsorted(pos, np.arange(len(chunk.parts) + 1)).astype(np.int64)
    return Made(rows, Forms.of(forms), starts, counts)


def _columns(table: pa.Table) -> tuple[NDArray[Any], Rows]:
    names = ("pos", "record", "step", "wall_time", "value", "code")
    pos, *columns = (table[name].combine_chunks().to_numpy(zero_copy_only=False) for name in names)
    return pos.astype(np.int64), Rows(*columns)


def _scalar_forms(
    chunk: Chunk, pos: NDArray[Any], rows: Rows, described: Described, forms: list[Form]
) -> NDArray[np.int32]:
    """The form of each scalar: float32 where that is exact; the first of a file describes its series."""
    code, value = rows.form, rows.value
    with np.errstate(over="ignore", invalid="ignore"):
        double = (value.astype(np.float32).astype(np.float64) != value) & ~np.isnan(value)
    said = np.array(
        [bool(one.content or one.display_name or one.description) for _, one in chunk.tags],
        np.bool_,
    )
    telling = np.flatnonzero(double | said[code]) if len(code) else np.zeros(0, np.int64)
    key = (pos[telling] * len(chunk.tags) + code[telling]) * 2 + double[telling]
    _, first = np.unique(key, return_index=True)
    found = telling[first]
    if len(chunk.parts) == 1:
        described.begin(chunk.parts[0])
        keys = [(chunk.tags[code[at]][0], bool(double[at])) for at in found]
        found = np.array(
            [at for at, one in zip(found, keys, strict=True) if one not in described.scalars],
            np.int64,
        )
        described.scalars.update(keys)
    # Four forms of a series: simple or double, plain or the one that describes.
    wanted = code.astype(np.int64) * 4 + double * 2
    wanted[found] += 1
    used = np.zeros(len(chunk.tags) * 4, np.bool_)
    used[wanted] = True
    number = np.cumsum(used, dtype=np.int64) - 1 + len(forms)
    for one in np.flatnonzero(used).tolist():
        tag, series = chunk.tags[one // 4]
        about = series if one % 2 else None
        forms.append(scalar_form(tag, double=one % 4 >= 2, described=about))
    return np.asarray(number[wanted], np.int32)


def _tensor_rows(chunk: Chunk, table: pa.Table, described: Described) -> Iterator[_Extra]:
    last = -1
    for row in _dicts(table):
        part = chunk.parts[row["pos"]]
        if row["pos"] != last:
            described.begin(part)
            last = row["pos"]
        tag, plugin = row["tag"], row["plugin"] or ""
        series = chunk.series.get(
            (part.file.run_id or 0, part.file.stream, tag, "tensor"), Series()
        )
        legacy = (part.file.run_id, part.file.stream, tag) in chunk.shared
        tensor = Tensor(
            tag, plugin, row["dtype"] or "", row["shape"], row["data"], row["strings"], row["raw"]
        )
        about = None
        if plugin == "hparams" or described.first("tensor", f"{plugin}\0{tag}"):
            about = series.of(plugin)
        form = tensor_form(tensor, about, legacy=legacy)
        yield _Extra(row["pos"], row["record"], row["step"], row["wall_time"], form)


def _dicts(table: pa.Table) -> Iterator[dict[str, Any]]:
    """The rows, of which the numbers of a list stay an array."""
    for batch in table.to_batches(1_000):
        if not pa.types.is_list(batch["data"].type):
            yield from batch.to_pylist()
            continue
        for row, found in zip(batch.drop_columns(["data"]).to_pylist(), batch["data"], strict=True):
            numbers = found.values
            data = None if numbers is None else numbers.to_numpy(zero_copy_only=False)
            yield row | {"data": data}


def _blob_rows(
    chunk: Chunk, table: pa.Table, described: Described, fetch: Fetch
) -> Iterator[_Extra]:
    last = -1
    names = ("pos", "record", "tag", "plugin", "superseded", "width", "height")
    for key, found in groupby(_dicts(table), key=lambda row: tuple(row[n] for n in names)):
        at, record, tag, plugin, _, width, height = key
        part = chunk.parts[at]
        if at != last:
            described.begin(part)
            last = at
        series = chunk.series.get((part.file.run_id or 0, part.file.stream, tag, "blob"), Series())
        series = series.of(plugin or "")
        for value in _values(list(found)):
            items = [_bytes(part, row, fetch) for row in value]
            if items and all(item is None for item in items):
                continue
            empty = len(value) == 1 and not value[0]["nbytes"] and value[0]["data"] is None
            blobs = Blobs(
                tag, plugin or "", [] if empty else [item or b"" for item in items],
                [] if empty else [row["label"] for row in value], width, height,
            )  # fmt: skip
            form = blobs_form(blobs, series, first=described.first("blob", tag))
            yield _Extra(at, record, value[0]["step"], value[0]["wall_time"], form)


def _values(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows by index as the values they were: mostly one, but a record may name a tag twice."""
    values: list[list[dict[str, Any]]] = []
    seen: Counter[int] = Counter()
    for row in rows:
        number = seen[row["idx"]]
        seen[row["idx"]] += 1
        if number == len(values):
            values.append([])
        values[number].append(row)
    return values


def _bytes(part: Part, row: dict[str, Any], fetch: Fetch) -> bytes | None:
    if row["data"] is not None:
        return bytes(row["data"])
    if not row["nbytes"]:
        return b""
    return fetch(part, row["tag"], row["plugin"] or "", row["idx"], row["nbytes"], row["location"])


def _given(extras: list[_Extra], forms: list[Form]) -> tuple[NDArray[Any], Rows]:
    """Rows of *extras*, in order of records; equal forms are one."""
    extras.sort(key=lambda one: (one.pos, one.record))
    numbers: dict[Form, int] = {}
    for one in extras:
        numbers.setdefault(one.form, len(forms) + len(numbers))
    forms.extend(numbers)
    return np.array([one.pos for one in extras], np.int64), Rows(
        np.array([one.record for one in extras], np.int64),
        np.array([one.step for one in extras], np.int64),
        np.array([one.wall_time for one in extras], np.float64),
        np.zeros(len(extras)),
        np.array([numbers[one.form] for one in extras], np.int32),
    )


def _insert(
    pos: NDArray[Any], rows: Rows, new_pos: NDArray[Any], new: Rows
) -> tuple[NDArray[Any], Rows]:
    """Put new rows, in order, behind the rows of their records."""
    if not len(new_pos):
        return pos, rows
    stride = int(max(rows.record.max(initial=0), new.record.max())) + 1
    place = np.searchsorted(pos * stride + rows.record, new_pos * stride + new.record, "right")
    pairs: Iterator[tuple[NDArray[Any], NDArray[Any]]] = zip(rows, new, strict=True)
    joined = [np.insert(old, place, more) for old, more in pairs]
    return np.insert(pos, place, new_pos), Rows._make(joined)


def _fillers(
    chunk: Chunk, pos: NDArray[Any], rows: Rows, forms: list[Form]
) -> tuple[NDArray[Any], Rows]:
    """A record for every one of which the lake has no row, so that the others keep their numbers.

    The first of a file says its version, as it mostly did. Their wall times are those of their
    neighbours, but what only they can tell of the file's first and last moment.
    """
    parts = chunk.parts
    sizes = np.array([part.end - part.first for part in parts], np.int64)
    begins = np.array([part.first for part in parts], np.int64)
    offset = np.cumsum(sizes) - sizes
    there = np.zeros(int(sizes.sum()), np.bool_)
    there[offset[pos] + rows.record - begins[pos]] = True
    missing = np.flatnonzero(~there)
    # Parts without a record share their offset with the next.
    owner = np.searchsorted(offset, missing, "right") - 1
    record = missing - offset[owner] + begins[owner]
    walls = np.array([_or_nan(part.file.first_wall_time) for part in parts])[owner]
    if len(pos):
        place = offset[pos] + rows.record - begins[pos]
        before = np.searchsorted(place, missing) - 1
        near = (before >= 0) & (pos[before] == owner) & np.isfinite(rows.wall_time[before])
        walls = np.where(near, rows.wall_time[before], walls)
    empty = len(forms)
    forms.append(Form(b"", b"", EVENT))
    number = np.full(len(missing), empty, np.int32)
    writers: list[_Extra] = []
    bounds = np.searchsorted(pos, np.arange(len(parts) + 1))
    places = np.searchsorted(owner, np.arange(len(parts) + 1))
    versions: dict[str | None, int] = {}
    for at, part in enumerate(parts):
        gaps = slice(int(places[at]), int(places[at + 1]))
        own = rows.wall_time[bounds[at] : bounds[at + 1]]
        if gaps.start < gaps.stop:
            _bound(part, walls[gaps], own)
        if part.first > 0 or part.end == 0:
            continue
        writer = part.file.writer
        if gaps.start < gaps.stop and record[gaps.start] == 0:
            if writer not in versions:
                versions[writer] = len(forms)
                forms.append(version_form(writer))
            number[gaps.start] = versions[writer]
        elif writer:
            writers.append(_Extra(at, 0, 0, 0.0, writer_form(writer)))
    new = Rows(record, np.zeros_like(record), walls, np.zeros(len(record)), number)
    return _insert(owner, new, *_given(writers, forms))


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _bound(part: Part, walls: NDArray[Any], own: NDArray[Any]) -> None:
    """Let fillers tell the file's first and last wall time where its rows do not."""
    known = own[np.isfinite(own)]
    first, last = part.file.first_wall_time, part.file.last_wall_time
    if part.last and last is not None and not known.max(initial=-np.inf) >= last:
        walls[-1] = last
    if part.first == 0 and first is not None and not known.min(initial=np.inf) <= first:
        walls[0] = first
