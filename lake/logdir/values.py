"""Rows of tensors and blobs as the protobuf messages of an event file that give the same rows again.

The other direction of `ingest/events.py`. Formats: tensorflow/core/framework/summary.proto,
tensor.proto and util/event.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.compat.tensorflow_stub import dtypes

from ...kernels.encoded import DOUBLE, EVENT, FLOAT, Form

_STRING = dtypes.string.as_datatype_enum
# TensorBoard knows what class of data these are; to say it again would switch its migration off.
_KNOWN_CLASS = frozenset(
    ("scalars", "histograms", "images", "audio", "text", "hparams", "pr_curves", "mesh")
    + ("custom_scalars", "graph_run_metadata", "graph_run_metadata_graph", "graph_keras_model")
)
# Their one value stands alone, not in a list.
_SINGLE = frozenset(("graph_run_metadata", "graph_run_metadata_graph", "graph_keras_model"))


@dataclass(frozen=True)
class Series:
    """What the lake knows of a series besides its points."""

    plugin: str = ""
    data_class: str = ""
    content: bytes = b""
    display_name: str = ""
    description: str = ""

    def of(self, plugin: str) -> Series:
        """The same for values of *plugin*, of which it may know nothing."""
        return self if plugin == self.plugin else Series(plugin)


@dataclass(frozen=True)
class Tensor:
    """A row of `tensors`."""

    tag: str
    plugin: str
    dtype: str
    shape: Sequence[int] | None
    data: Any
    strings: Sequence[str] | None
    raw: bytes | None


@dataclass(frozen=True)
class Blobs:
    """The rows of `blobs` that were one value: their bytes and labels by index."""

    tag: str
    plugin: str
    items: Sequence[bytes]
    labels: Sequence[str | None]
    width: int | None
    height: int | None


def scalar_form(tag: str, *, double: bool, described: Series | None) -> Form:
    """The form of a scalar's values: a simple value, or a tensor of rank 0 in double precision.

    *described* is for the first in a file. That of a tensor says its plugin; a simple value needs
    none, unless there is more to say.
    """
    value = summary_pb2.Summary.Value(tag=tag)
    before = value.SerializeToString()
    after = b""
    if described is not None:
        plain = not (described.content or described.display_name or described.description)
        if double or not plain:
            value = summary_pb2.Summary.Value(metadata=metadata(described))
            after = value.SerializeToString()
    if not double:
        return Form(before + b"\x15", after, FLOAT)
    # dtype DT_DOUBLE, an empty shape, one packed double_val.
    return Form(before + b"\x42\x0e\x08\x02\x12\x00\x32\x08", after, DOUBLE)


def metadata(series: Series, *, whole_class: bool = False) -> summary_pb2.SummaryMetadata:
    """The SummaryMetadata of a series; *whole_class* says its class of data in any case."""
    found = summary_pb2.SummaryMetadata(
        display_name=series.display_name, summary_description=series.description
    )
    if series.plugin or series.content:
        found.plugin_data.plugin_name = series.plugin
        found.plugin_data.content = series.content
    if series.data_class and (whole_class or series.plugin not in _KNOWN_CLASS):
        name = f"DATA_CLASS_{series.data_class}"
        if name in summary_pb2.DataClass.keys():
            found.data_class = summary_pb2.DataClass.Value(name)
    return found


def tensor_form(row: Tensor, described: Series | None, *, legacy: bool = False) -> Form:
    """A row of `tensors` as a whole value, with metadata where it is *described*.

    With *legacy* a histogram is written in its older form where that says the same, since that
    leaves it open what else the tag is used for.
    """
    value = summary_pb2.Summary.Value(tag=row.tag)
    if row.dtype == "hparams":
        series = described or Series("hparams")
        value.metadata.CopyFrom(metadata(series))
        value.metadata.plugin_data.plugin_name = "hparams"
        value.metadata.plugin_data.content = row.raw or b""
        return Form(value.SerializeToString())
    if row.raw is not None and row.dtype in ("", "none"):
        return _stored(row)
    if legacy and (histogram := _histogram(row)) is not None:
        value.histo.CopyFrom(histogram)
        return Form(value.SerializeToString())
    if described is not None:
        about = metadata(described)
        if about.ByteSize():
            value.metadata.CopyFrom(about)
    if row.raw is not None:
        value.tensor.MergeFromString(row.raw)
    elif row.strings is not None:
        value.tensor.dtype = _STRING
        value.tensor.string_val.extend(text.encode() for text in row.strings)
        _shape(value.tensor, row.shape or ())
    else:
        _numbers(value.tensor, row)
    return Form(value.SerializeToString())


def _stored(row: Tensor) -> Form:
    """A value that was stored as it came, for it holds no tensor or one that no reader takes."""
    raw = row.raw or b""
    if row.dtype == "":
        return Form(raw)
    try:
        value = summary_pb2.Summary.Value.FromString(raw)
    except DecodeError:
        return Form(raw)
    if value.metadata.plugin_data.plugin_name in _KNOWN_CLASS:
        value.metadata.ClearField("data_class")
    return Form(value.SerializeToString())


def _shape(tensor: tensor_pb2.TensorProto, shape: Sequence[int]) -> None:
    tensor.tensor_shape.SetInParent()
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)


def _numbers(tensor: tensor_pb2.TensorProto, row: Tensor) -> None:
    kind = dtypes.as_dtype(row.dtype)
    tensor.dtype = kind.as_datatype_enum
    _shape(tensor, row.shape or ())
    data = np.asarray(row.data if row.data is not None else (), np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        if row.dtype == "bfloat16":
            # The upper half of a float32.
            bits = data.astype(np.float32).view(np.uint32) >> np.uint32(16)
            tensor.half_val.extend(bits.tolist())
        else:
            tensor.tensor_content = data.astype(kind.as_numpy_dtype).tobytes()


def _histogram(row: Tensor) -> summary_pb2.HistogramProto | None:
    """Rows of left edge, right edge and count as a HistogramProto, if that gives them again."""
    if row.plugin != "histograms" or row.dtype != "float64" or row.data is None:
        return None
    shape = list(row.shape or ())
    if len(shape) != 2 or shape[1] != 3:
        return None
    left, right, count = np.asarray(row.data, np.float64).reshape(shape).T
    found = summary_pb2.HistogramProto()
    if len(left) == 0:
        return found
    if not (count[0] > 0 and count[-1] > 0 and np.array_equal(left[1:], right[:-1])):
        return None
    found.min, found.max = left[0], right[-1]
    found.bucket_limit.extend(right.tolist())
    found.bucket.extend(count.tolist())
    return found


def blobs_form(row: Blobs, series: Series, *, first: bool) -> Form:
    """A value of `blobs`: an event of its own kind, or a tensor of byte strings.

    The *first* of a file says what is known of the series.
    """
    event = _event(row) if series == Series(row.plugin, series.data_class) else None
    if event is not None:
        return Form(event.SerializeToString(), b"", EVENT)
    value = summary_pb2.Summary.Value(tag=row.tag)
    tensor = value.tensor
    tensor.dtype = _STRING
    halves = sum(label is not None for label in row.labels) * 2 == len(row.items) > 0
    if first:
        about = metadata(series, whole_class=row.plugin == "audio" and halves)
        if about.ByteSize():
            value.metadata.CopyFrom(about)
    if row.plugin == "images":
        sizes = ("" if size is None else str(size) for size in (row.width, row.height))
        items = [*(size.encode() for size in sizes), *row.items]
        shape = [len(items)]
    elif row.plugin == "audio" and halves:
        # Its metadata forbids to take the labels out, so that they are among the items.
        items, shape = list(row.items), [len(row.items) // 2, 2]
    elif row.plugin == "audio" and any(label is not None for label in row.labels):
        labels = ((label or "").encode() for label in row.labels)
        items = [part for pair in zip(row.items, labels, strict=True) for part in pair]
        shape = [len(row.items), 2]
    else:
        items, shape = list(row.items), [len(row.items)]
        if row.plugin in _SINGLE and len(items) == 1:
            shape = []
    tensor.string_val.extend(items)
    _shape(tensor, shape)
    return Form(value.SerializeToString())


def _event(row: Blobs) -> event_pb2.Event | None:
    """The Event for what stands beside the summaries of a file, or None for a summary's value."""
    if len(row.items) != 1:
        return None
    (data,) = row.items
    if row.plugin == "graphs" and row.tag == "__run_graph__":
        return event_pb2.Event(graph_def=data)
    if row.plugin == "graph_tagged_run_metadata":
        tagged = event_pb2.TaggedRunMetadata(tag=row.tag, run_metadata=data)
        return event_pb2.Event(tagged_run_metadata=tagged)
    if row.tag != f"__{row.plugin}__":
        return None
    if row.plugin == "meta_graph":
        return event_pb2.Event(meta_graph_def=data)
    event = event_pb2.Event()
    try:
        if row.plugin == "session_log":
            event.session_log.MergeFromString(data)
        elif row.plugin == "log_message":
            event.log_message.MergeFromString(data)
        else:
            return None
    except DecodeError:
        return None
    # An empty one is one, too.
    (event.session_log if row.plugin == "session_log" else event.log_message).SetInParent()
    return event


def version_form(writer: str | None) -> Form:
    """The first record of a file: its version, and the program that wrote it."""
    return Form(
        event_pb2.Event(file_version="brain.Event:2").SerializeToString(),
        writer_form(writer).before if writer else b"",
        EVENT,
    )


def writer_form(writer: str) -> Form:
    """Which program wrote the file, for any event of it."""
    event = event_pb2.Event()
    event.source_metadata.writer = writer
    return Form(event.SerializeToString(), b"", EVENT)
