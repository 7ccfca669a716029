"""Events that are not plain scalars: protobuf bytes in, rows out, by TensorBoard's own migrations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard import data_compat, dataclass_compat
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.compat.tensorflow_stub import dtypes
from tensorboard.util import tensor_util

from ..core.values import Kind, SeriesMeta
from . import media

# More than this stays raw.
MAX_ELEMENTS = 1 << 22
# A tensor proto may declare any shape and hold one value to repeat: beyond so many elements each
# needs a byte of its own, or a file of some bytes would fill the memory.
_MAX_REPEATED = 256
MAX_TAG = 4096
_BLOB_PLUGINS = frozenset(
    {
        "images",
        "audio",
        "graphs",
        "graph_keras_model",
        "graph_run_metadata",
        "graph_run_metadata_graph",
        "graph_tagged_run_metadata",
    }
)
_CLASS_OF_PLUGIN = {"scalars": "SCALAR"} | dict.fromkeys(_BLOB_PLUGINS, "BLOB_SEQUENCE")
_TENSOR_PLUGINS = {"histograms", "text", "hparams", "pr_curves", "mesh", "custom_scalars"}
_CLASS_OF_PLUGIN |= dict.fromkeys(_TENSOR_PLUGINS, "TENSOR")


@dataclass
class Rows:
    """What slow records of a piece became; one entry of every list of a kind per row."""

    known: dict[str, summary_pb2.SummaryMetadata]
    meta: dict[tuple[str, Kind], SeriesMeta] = field(default_factory=dict)
    scalars: list[tuple[str, int, float, int, float]] = field(default_factory=list)
    tensors: list[tuple[str, int, float, int, dict[str, Any]]] = field(default_factory=list)
    blobs: list[tuple[str, int, float, int, list[dict[str, Any]]]] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    hparams: list[bytes] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    checkpoints: list[tuple[int, str]] = field(default_factory=list)
    writer: str = ""
    file_version: str = ""
    wall_times: list[float] = field(default_factory=list)


def decode_event(payload: bytes, record: int, rows: Rows) -> None:
    """Add what one serialized `Event` holds to *rows*; *record* is its ordinal in the file.

    Never raises for bad bytes: what cannot be read is added to `rows.faults` as
    (record, kind, message), and a value that no reader understands is stored raw.
    Format: tensorflow/core/util/event.proto and summary.proto.
    """
    try:
        event = event_pb2.Event.FromString(payload)
    except DecodeError as error:
        rows.faults.append((record, "bad event", f"not an Event message: {error}"))
        return
    if np.isfinite(event.wall_time):
        rows.wall_times.append(event.wall_time)
    if event.source_metadata.writer:
        rows.writer = event.source_metadata.writer[:256]
    what = event.WhichOneof("what")
    if what == "summary":
        _decode_summary(event, record, rows)
    elif what == "file_version":
        rows.file_version = event.file_version[:64]
    elif what in ("graph_def", "tagged_run_metadata"):
        # TensorBoard's migration hands back the event in the summary form, last.
        _decode_summary(dataclass_compat.migrate_event(event, {})[-1], record, rows)
    elif what == "meta_graph_def":
        _own_blob(rows, event, record, "meta_graph", event.meta_graph_def, media.PROTOBUF)
    elif what == "session_log":
        log = event.session_log
        if log.checkpoint_path:
            rows.checkpoints.append((event.step, log.checkpoint_path[:4096]))
        _own_blob(rows, event, record, "session_log", log.SerializeToString(), media.PROTOBUF)
    elif what == "log_message":
        message = event.log_message.SerializeToString()
        _own_blob(rows, event, record, "log_message", message, media.PROTOBUF)


def _own_blob(
    rows: Rows, event: event_pb2.Event, record: int, plugin: str, data: bytes, mime: str
) -> None:
    """Keep an event that TensorBoard never shows under a tag of its own."""
    tag = f"__{plugin}__"
    rows.meta.setdefault((tag, "blob"), SeriesMeta(plugin=plugin, data_class="BLOB_SEQUENCE"))
    blob = media.describe(data, plugin) | {"mime": mime, "plugin": plugin}
    rows.blobs.append((tag, event.step, event.wall_time, record, [blob]))


def _decode_summary(event: event_pb2.Event, record: int, rows: Rows) -> None:
    for value in event.summary.value:
        tag = value.tag or value.node_name
        if len(tag) > MAX_TAG:
            short = tag[:200]
            rows.faults.append((record, "long tag", f"tag of {len(tag)} characters: {short}..."))
            tag = media.shorten(tag, MAX_TAG)
        value.tag = tag
        try:
            _decode_value(event, value, tag, record, rows)
        except (ValueError, TypeError, OverflowError) as error:
            rows.faults.append((record, "bad value", f"tag {tag!r}: {error}"))
            row = _raw_row("", "", value.SerializeToString())
            _add_tensor(rows, event, tag, record, SeriesMeta(), row)


def _decode_value(event: event_pb2.Event, value: Any, tag: str, record: int, rows: Rows) -> None:
    which = value.WhichOneof("value")
    if which == "simple_value":
        # One that says nothing must not hide what an event before it said.
        said = value.HasField("metadata")
        meta = _meta_of(value.metadata, tag, rows, plugin="scalars") if said else None
        _add_scalar(rows, event, tag, record, meta, value.simple_value)
        return
    if which == "histo":
        meta = _meta_of(value.metadata, tag, rows, plugin="histograms")
        row = _tensor_row("histograms", "float64", histogram_rows(value.histo))
        _add_tensor(rows, event, tag, record, meta, row)
        return
    content = value.metadata.plugin_data.content
    value = data_compat.migrate_value(value)
    labels = _audio_labels(value, rows.known.get(tag, value.metadata))
    holder = event_pb2.Event(summary=summary_pb2.Summary(value=[value]))
    (holder,) = dataclass_compat.migrate_event(holder, rows.known)
    (value,) = holder.summary.value
    first = rows.known[tag]
    meta = _meta_of(first, tag, rows)
    if meta.plugin == "hparams":
        # The protos are in the metadata of every event, not in its value, and may change.
        rows.hparams.append(content)
        row = _tensor_row("hparams", "hparams", np.zeros(0)) | {"raw": content}
        _add_tensor(rows, event, tag, record, meta, row)
    elif not value.HasField("tensor"):
        row = _raw_row(meta.plugin, "none", value.SerializeToString())
        _add_tensor(rows, event, tag, record, meta, row)
    elif (
        meta.data_class == "BLOB_SEQUENCE" and value.tensor.dtype == dtypes.string.as_datatype_enum
    ):
        _add_blobs(rows, event, tag, record, meta, value.tensor, labels)
    else:
        _decode_tensor(event, value.tensor, tag, record, meta, rows)


def _decode_tensor(
    event: event_pb2.Event, tensor: Any, tag: str, record: int, meta: SeriesMeta, rows: Rows
) -> None:
    array = _array(tensor)
    dtype = _dtype_name(tensor.dtype)
    if array is None:
        row = _raw_row(meta.plugin, dtype, tensor.SerializeToString())
        row["shape"] = [dim.size for dim in tensor.tensor_shape.dim][:64]
    elif array.dtype == object:
        row = _string_row(meta.plugin, array, tensor)
        if row["strings"] is not None and len(rows.texts) < 1000:
            rows.texts.append((tag, "\n".join(row["strings"])))
    elif meta.plugin == "scalars" and array.size == 1 and _exact(array):
        _add_scalar(rows, event, tag, record, meta, float(array.ravel()[0]))
        return
    else:
        row = _tensor_row(meta.plugin, dtype, array)
        if row["data"] is None:
            row["raw"] = tensor.SerializeToString()
    _add_tensor(rows, event, tag, record, meta, row)


def histogram_rows(histo: Any) -> np.ndarray:
    """A legacy `HistogramProto` as float64 [k, 3]: left edge, right edge, count.

    As tensorboard's `data_compat._migrate_histogram_value` does (empty outer buckets dropped, the
    outer edges replaced by min and max), but in float64, so that no edge is rounded.
    """
    counts = np.array(histo.bucket, dtype=np.float64)
    limits = np.array(histo.bucket_limit, dtype=np.float64)
    full = np.flatnonzero(counts > 0)
    if len(full) == 0 or len(limits) < len(counts):
        return np.zeros((0, 3))
    start, end = int(full[0]), int(full[-1])
    inner = limits[start:end]
    left = np.concatenate([[histo.min], inner])
    right = np.concatenate([inner, [histo.max]])
    return np.stack([left, right, counts[start : end + 1]], axis=1)


def _array(tensor: Any) -> np.ndarray | None:
    """The tensor as an array; None where it is too big, repeats a value too often, or does not fit."""
    elements = 1
    most = min(max(_MAX_REPEATED, tensor.ByteSize()), MAX_ELEMENTS)
    for dim in tensor.tensor_shape.dim:
        elements *= max(dim.size, 0)
        if elements > most:
            return None
    try:
        return np.asarray(tensor_util.make_ndarray(tensor))
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError):
        return None


def _exact(array: np.ndarray) -> bool:
    """Whether float64 holds every element."""
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and array.size:
        return bool(np.all(np.abs(array.astype(np.float64)) < 2**53))
    return array.dtype.kind in "fiub" or array.dtype.name == "bfloat16"


def _tensor_row(plugin: str, dtype: str, array: np.ndarray) -> dict[str, Any]:
    data = array.astype(np.float64).ravel() if _exact(array) else None
    return _row(plugin, dtype, list(array.shape), data=data)


def _string_row(plugin: str, array: np.ndarray, tensor: Any) -> dict[str, Any]:
    strings: list[str] = []
    raw = None
    for item in array.ravel().tolist():
        try:
            strings.append(item.decode("utf-8"))
        except UnicodeDecodeError:
            strings.append(item.decode("utf-8", "backslashreplace"))
            raw = raw or tensor.SerializeToString()
    return _row(plugin, "string", list(array.shape), strings=strings, raw=raw)


def _raw_row(plugin: str, dtype: str, raw: bytes) -> dict[str, Any]:
    return _row(plugin, dtype, None, raw=raw)


def _row(plugin: str, dtype: str, shape: list[int] | None, **columns: Any) -> dict[str, Any]:
    empty = {"data": None, "strings": None, "raw": None}
    return {"plugin": plugin, "dtype": dtype, "shape": shape} | empty | columns


def _dtype_name(number: int) -> str:
    try:
        return str(dtypes.as_dtype(number).name)
    except TypeError:
        return f"dtype {number}"


def _audio_labels(value: Any, metadata: Any) -> list[str]:
    """Labels of a TF2 audio tensor [n, 2] (clip, label), which the migration would drop."""
    shape = value.tensor.tensor_shape.dim
    if metadata.plugin_data.plugin_name != "audio" or len(shape) != 2 or shape[1].size != 2:
        return []
    return [item.decode("utf-8", "backslashreplace") for item in value.tensor.string_val[1::2]]


def _meta_of(
    metadata: summary_pb2.SummaryMetadata, tag: str, rows: Rows, plugin: str = ""
) -> SeriesMeta:
    """The series' metadata; a *plugin* that the value's form implies wins over what is written."""
    name = plugin or metadata.plugin_data.plugin_name
    data_class = _CLASS_OF_PLUGIN.get(name, "")
    if not data_class and metadata.data_class:
        written = summary_pb2.DataClass.Name(metadata.data_class)
        data_class = written.removeprefix("DATA_CLASS_")
    kind = _kind(name, data_class)
    found = rows.meta.get((tag, kind))
    if found is None:
        found = SeriesMeta(
            plugin=name[:256],
            data_class=data_class,
            content=metadata.plugin_data.content,
            display_name=metadata.display_name[:MAX_TAG],
            description=metadata.summary_description[:65536],
        )
        rows.meta[tag, kind] = found
    return found


def _kind(plugin: str, data_class: str) -> Kind:
    if plugin == "scalars":
        return "scalar"
    return "blob" if data_class == "BLOB_SEQUENCE" else "tensor"


def _add_scalar(
    rows: Rows, event: event_pb2.Event, tag: str, record: int, meta: SeriesMeta | None, value: float
) -> None:
    if meta is not None:
        rows.meta.setdefault((tag, "scalar"), meta)
    rows.scalars.append((tag, event.step, event.wall_time, record, value))


def _add_tensor(
    rows: Rows,
    event: event_pb2.Event,
    tag: str,
    record: int,
    meta: SeriesMeta,
    row: dict[str, Any],
) -> None:
    rows.meta.setdefault((tag, "tensor"), meta)
    rows.tensors.append((tag, event.step, event.wall_time, record, row))


def _add_blobs(
    rows: Rows,
    event: event_pb2.Event,
    tag: str,
    record: int,
    meta: SeriesMeta,
    tensor: Any,
    labels: list[str],
) -> None:
    items = list(tensor.string_val)
    width = height = None
    if meta.plugin == "images":
        # An image tensor is [width, height, image 0, image 1, ...], all as strings.
        width, height = (media.dimension(text) for text in (*items[:2], b"", b"")[:2])
        items = items[2:]
    blobs = []
    for index, data in enumerate(items):
        blob = media.describe(data, meta.plugin) | {"plugin": meta.plugin}
        blob["width"], blob["height"] = width, height
        blob["label"] = labels[index] if index < len(labels) else None
        blobs.append(blob)
    rows.meta.setdefault((tag, "blob"), meta)
    empty = media.describe(b"", meta.plugin) | {"plugin": meta.plugin, "data": None}
    rows.blobs.append((tag, event.step, event.wall_time, record, blobs or [empty]))
