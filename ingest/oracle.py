"""Event files as independent readers see them: tensorboard's own loader, and tbparse."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf.message import DecodeError
from tensorboard import data_compat, dataclass_compat
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.util import tensor_util

from ..lake.compare import READ, FileRead
from . import media

# tbparse holds a file as Python objects, some ten times its size; longer ones are not for it.
TBPARSE_BYTES = 32 << 20
MAX_GAPS = 64
MAX_ELEMENTS = 1 << 22
_MAX_TAG = 4096
_FRAME = 16
_FLUSH_ROWS = 100_000
_FLUSH_BYTES = 16 << 20
_EXACT_INT = 2**53


@dataclass(frozen=True)
class Copy:
    """A copy of what the lake has read of a file; `gaps` are stretches by offset: bytes, records."""

    file_id: int
    path: str
    size: int
    gaps: Mapping[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """The files of one stream in order; `known` are serialized SummaryMetadata of earlier files."""

    copies: tuple[Copy, ...]
    out: str
    known: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class Seen:
    """What became of a file: `stop` is where the reader gave up, the file's size if it did not.

    *torn* says that there is more damage than is worth passing over: what follows was not read.
    """

    file_id: int
    read: FileRead
    stop: int
    points: int
    by_tbparse: bool
    torn: bool


@dataclass
class Result:
    """What became of a task: its rows are in the Parquet file `out`, of so many series."""

    files: list[Seen]
    out: str
    series: int


def read_stream(task: Task) -> Result:
    """Read every file of *task* through both readers and write their rows to a Parquet file."""
    known = {tag: summary_pb2.SummaryMetadata.FromString(m) for tag, m in task.known.items()}
    with _silence(), _Rows(task.out) as rows:
        seen = []
        for copy in task.copies:
            rows.file_id = copy.file_id
            before = rows.count
            reading = _Reading(copy, rows, known)
            reading.read()
            points = rows.count - before
            by_tbparse = _read_tbparse(copy, rows)
            whole = by_tbparse == _ALL and reading.plain
            read = FileRead(reading.record, tuple(reading.unread), whole)
            seen.append(
                Seen(copy.file_id, read, reading.offset, points, bool(by_tbparse), reading.torn)
            )
    return Result(seen, task.out, len(rows.series))


@contextmanager
def _silence() -> Iterator[None]:
    """No warnings of other programs about files that only they find odd.

    tbparse assigns into frames in ways that pandas is about to take away; tensorboard's accumulator
    tells of every second graph.
    """
    logger = logging.getLogger("tensorboard")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


class _Rows:
    """Rows of `READ` on their way to a Parquet file, a bounded number of them at a time."""

    def __init__(self, path: str) -> None:
        self._writer = pq.ParquetWriter(path, READ)
        self._columns: dict[str, list[Any]] = {name: [] for name in READ.names}
        self._bytes = 0
        self.file_id = 0
        self.count = 0
        self.series: set[tuple[str, str]] = set()

    def __enter__(self) -> _Rows:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._writer.close()

    def add(self, reader: str, **row: Any) -> None:
        """One row; what is not given is NULL, which means that the reader cannot say."""
        row |= {"file_id": self.file_id, "reader": reader}
        for name, column in self._columns.items():
            column.append(row.get(name))
        self.count += 1
        self._bytes += 8 * len(row.get("data", ())) + sum(map(len, row.get("strings") or ()))
        if reader == "tensorboard":
            self.series.add((row["kind"], row["tag"]))
        if len(self._columns["tag"]) >= _FLUSH_ROWS or self._bytes >= _FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        # from_pandas=False: NaN is a value here, never NULL.
        arrays = [pa.array(self._columns[one.name], one.type, from_pandas=False) for one in READ]
        self._writer.write_table(pa.table(arrays, schema=READ))
        for column in self._columns.values():
            column.clear()
        self._bytes = 0


class _Reading:
    """One file through tensorboard's loader, record by record; damage that is known is passed over."""

    def __init__(self, copy: Copy, rows: _Rows, known: dict[str, Any]) -> None:
        self.copy, self.rows, self.known = copy, rows, known
        self.offset = self.record = 0
        self.unread: list[int] = []
        # Whether tensorboard's accumulator, which tbparse uses, keeps every point of the file.
        self.plain = True
        self.torn = False
        self._version2 = False
        self._last_step = -(2**63)

    def read(self) -> None:
        """Add all rows of the file; ends early where damage is not known to the lake."""
        for _ in range(MAX_GAPS):
            self._read_on()
            gap = self.copy.gaps.get(self.offset)
            if gap is None or self.offset >= self.copy.size:
                return
            self.plain = False
            self.offset += gap[0]
            self.record += gap[1]
        self.torn = self.offset < self.copy.size

    def _read_on(self) -> None:
        """Read from `offset` to the end, or to where the loader gives up."""
        with tempfile.TemporaryDirectory() as folder:
            path = self.copy.path
            if self.offset:
                path = f"{folder}/rest"
                _copy_rest(self.copy.path, self.offset, path)
            for payload in RawEventFileLoader(path).Load():
                try:
                    event = event_pb2.Event.FromString(payload)
                except DecodeError:
                    self.unread.append(self.record)
                    self.plain = False
                else:
                    self._event(event)
                self.record += 1
                self.offset += _FRAME + len(payload)

    def _event(self, event: Any) -> None:
        what = event.WhichOneof("what")
        if what == "summary":
            self._is_plain(event.step >= self._last_step)
            self._last_step = max(self._last_step, event.step)
            for value in event.summary.value:
                self._value(event, value)
        elif what in ("graph_def", "tagged_run_metadata"):
            for value in dataclass_compat.migrate_event(event, {})[-1].summary.value:
                self._value(event, value)
        elif what == "file_version":
            self._version2 = event.file_version == "brain.Event:2"
        elif what == "meta_graph_def":
            self._blob(event, "__meta_graph__", 0, event.meta_graph_def)
        elif what in ("session_log", "log_message"):
            self.plain &= what != "session_log" or event.session_log.status != 1
            self._blob(event, f"__{what}__", 0, getattr(event, what).SerializeToString())

    def _is_plain(self, ascends: bool) -> None:
        # Without version 2 the accumulator drops points when a step goes back, and with it when a
        # session is logged as started.
        self.plain &= ascends or self._version2

    def _value(self, event: Any, value: Any) -> None:
        tag = value.tag or value.node_name
        value.tag = tag = media.shorten(tag, _MAX_TAG) if len(tag) > _MAX_TAG else tag
        form = value.WhichOneof("value")
        try:
            if form == "simple_value":
                self._row(event, "scalar", tag, value=value.simple_value)
            elif form == "histo":
                self._row(event, "tensor", tag, **_histogram(value))
            else:
                self._migrated(event, value, tag)
        except (ValueError, TypeError, OverflowError):
            # The loader cannot make anything of it; that there is something it can tell.
            self._row(event, "tensor", tag)

    def _migrated(self, event: Any, value: Any, tag: str) -> None:
        content = value.metadata.plugin_data.content
        holder = event_pb2.Event(
            summary=summary_pb2.Summary(value=[data_compat.migrate_value(value)])
        )
        ((value,),) = (e.summary.value for e in dataclass_compat.migrate_event(holder, self.known))
        metadata = self.known[tag]
        plugin = metadata.plugin_data.plugin_name
        classes = (metadata.data_class, value.metadata.data_class)
        if plugin == "hparams":
            self._row(event, "tensor", tag, digest=_md5(content))
        elif not value.HasField("tensor"):
            self._row(event, "tensor", tag)
        elif summary_pb2.DATA_CLASS_BLOB_SEQUENCE in classes and value.tensor.dtype == 7:
            self._blobs(event, tag, plugin, value.tensor)
        else:
            self._tensor(event, tag, plugin, value.tensor)

    def _blobs(self, event: Any, tag: str, plugin: str, tensor: Any) -> None:
        array = _array(tensor)
        items = list(tensor.string_val) if array is None else array.ravel().tolist()
        # An image tensor begins with width and height.
        items = items[2:] if plugin == "images" else items
        for index, item in enumerate(items):
            self._blob(event, tag, index, item)
        if not items:
            self._row(event, "blob", tag, nbytes=0)

    def _tensor(self, event: Any, tag: str, plugin: str, tensor: Any) -> None:
        array = _array(tensor)
        unsigned = [*tensor.uint32_val, *tensor.uint64_val]
        if array is None and len(unsigned) == 1 and not tensor.tensor_shape.dim:
            # tensorboard reads no such type; what number it is, the message itself says.
            if plugin == "scalars" and unsigned[0] < _EXACT_INT:
                self._row(event, "scalar", tag, value=float(unsigned[0]))
            else:
                self._row(event, "tensor", tag)
        elif array is None or not (array.dtype == object or _is_exact(array)):
            self._row(event, "tensor", tag, digest=_md5(tensor.SerializeToString()))
        elif array.dtype == object:
            strings = [item.decode("utf-8", "backslashreplace") for item in array.ravel().tolist()]
            self._row(event, "tensor", tag, shape=array.shape, strings=strings)
        elif plugin == "scalars" and array.size == 1:
            self._row(event, "scalar", tag, value=float(array.ravel()[0]))
        else:
            data = array.astype(np.float64).ravel()
            self._row(event, "tensor", tag, shape=array.shape, data=data)

    def _blob(self, event: Any, tag: str, index: int, data: bytes) -> None:
        self._row(event, "blob", tag, idx=index, digest=_md5(data), nbytes=len(data))

    def _row(self, event: Any, kind: str, tag: str, **columns: Any) -> None:
        where = {"idx": 0, "step": event.step, "wall_time": event.wall_time}
        self.rows.add("tensorboard", kind=kind, tag=tag, record=self.record, **(where | columns))


def _array(tensor: Any) -> Any:
    """What tensorboard makes of a tensor; None where that is nothing or far more than its bytes."""
    elements = 1
    for dim in tensor.tensor_shape.dim:
        elements *= max(dim.size, 0)
        if elements > min(MAX_ELEMENTS, max(256, tensor.ByteSize())):
            return None
    try:
        return np.asarray(tensor_util.make_ndarray(tensor))
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError):
        return None


def _is_exact(array: Any) -> bool:
    """Whether the lake's doubles can hold every number."""
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        return all(abs(number) < _EXACT_INT for number in array.ravel().tolist())
    return array.dtype.kind in "biuf" or array.dtype.name == "bfloat16"


def _histogram(value: Any) -> dict[str, Any]:
    """A legacy histogram as tensorboard shows it, but in double precision.

    If its own rows, which it rounds to single precision, are not these, they are returned.
    """
    histo = value.histo
    rows = _buckets(histo.bucket, histo.bucket_limit, histo.min, histo.max)
    theirs = tensor_util.make_ndarray(data_compat.migrate_value(value).tensor)
    with np.errstate(over="ignore"):
        same = np.array_equal(rows.astype(np.float32), theirs, equal_nan=True)
    rows = rows if same else theirs.astype(np.float64)
    return {"shape": rows.shape, "data": rows.ravel()}


def _buckets(counts: Any, limits: Any, low: float, high: float) -> Any:
    full = [index for index, count in enumerate(counts) if count > 0]
    if not full:
        return np.zeros((0, 3))
    inner = list(limits)[full[0] : full[-1]]
    rows = zip([low, *inner], [*inner, high], list(counts)[full[0] : full[-1] + 1], strict=True)
    return np.array(list(rows), np.float64)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _copy_rest(source: str, offset: int, target: str) -> None:
    with Path(source).open("rb") as read, Path(target).open("wb") as write:
        read.seek(offset)
        while chunk := read.read(1 << 20):
            write.write(chunk)


_ALL = frozenset({"scalars", "tensors", "histograms", "text"})
_SCALARS = frozenset({"scalars"})


def _read_tbparse(copy: Copy, rows: _Rows) -> frozenset[str]:
    """Add what tbparse sees in a file; returns the kinds that it could be made to read."""
    from tbparse import SummaryReader

    if copy.size > TBPARSE_BYTES:
        return frozenset()
    for kinds in (_ALL, _ALL - {"text"}, _SCALARS):
        try:
            reader = SummaryReader(
                copy.path, extra_columns={"wall_time", "min", "max"}, event_types=set(kinds)
            )
            frames = {kind: getattr(reader, kind) for kind in kinds}
        except Exception:
            # It asserts that a text is one, and fails in many ways where a file is unusual.
            continue
        told = [
            _add_tbparse(rows, kind, row)
            for kind, frame in frames.items()
            for row in frame.to_dict("records")
        ]
        # Of two texts whose tags differ by the suffix that it cuts off, it keeps one.
        tags = [tag.removesuffix("/text_summary") for tag in reader.get_tags("text")]
        return kinds if all(told) and len(set(tags)) == len(tags) else _SCALARS
    return frozenset()


def _add_tbparse(rows: _Rows, kind: str, row: dict[str, Any]) -> bool:
    """Add a row of tbparse's, if it is of what the lake holds as numbers; False for a bad one."""
    columns: dict[str, Any]
    if kind == "text":
        columns = {"strings": [row["value"]]}
    else:
        try:
            array = _numbers(kind, row)
        except ValueError:
            return False
        if not _is_exact(array):
            return True
        data = array.astype(np.float64).ravel()
        columns = {"value": float(data[0])} if data.size == 1 else {"data": data}
    rows.add("tbparse", tag=row["tag"], step=row["step"], wall_time=row["wall_time"], **columns)
    return True


def _numbers(kind: str, row: dict[str, Any]) -> Any:
    if kind == "histograms":
        return _buckets(row["counts"], row["limits"], row["min"], row["max"])
    return np.asarray(row["value"])
