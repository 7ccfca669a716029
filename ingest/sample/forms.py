"""Every form in which writers put a value into a summary, as the `Summary.Value` they write."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tensorboard.compat.proto import (
    histogram_pb2,
    summary_pb2,
    tensor_pb2,
    tensor_shape_pb2,
    types_pb2,
)
from tensorboard.plugins.audio import metadata as audio_metadata
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as layout_metadata
from tensorboard.plugins.graph import metadata as graph_metadata
from tensorboard.plugins.histogram import metadata as histogram_metadata
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.mesh import metadata as mesh_metadata
from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData
from tensorboard.plugins.pr_curve import metadata as pr_curve_metadata
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.util.tensor_util import make_tensor_proto

# TensorBoard ships its protos without types.
Value = Any
Metadata = Any
Scalar = Callable[[str, float], Value]
HParams = Mapping[str, bool | int | float | str]

# The bins of PyTorch's `add_histogram(bins="tensorflow")`, which are those of TF1.
_HALF_BINS = 1e-12 * 1.1 ** np.arange(774)
DEFAULT_BINS = np.concatenate([-_HALF_BINS[::-1], [0.0], _HALF_BINS])


def plugin_metadata(plugin: str, content: bytes = b"") -> Metadata:
    """Metadata that names a *plugin*, known or not, with its *content*."""
    data = summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    return summary_pb2.SummaryMetadata(plugin_data=data)


def tensor_value(tag: str, array: ArrayLike, metadata: Metadata | None = None) -> Value:
    """A tensor of any shape and dtype as TF2 writes it: numbers packed, strings one by one."""
    values = np.asarray(array)
    if values.dtype.kind in "SUO":
        tensor = make_tensor_proto(values.tolist(), dtype=np.object_, shape=values.shape)
    else:
        dtype = make_tensor_proto(values.ravel()[:0], shape=[0]).dtype
        dims = [tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in values.shape]
        tensor = tensor_pb2.TensorProto(
            dtype=dtype,
            tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=dims),
            tensor_content=np.ascontiguousarray(values).tobytes(),
        )
    return summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)


def simple(tag: str, value: float) -> Value:
    """A scalar of TF1, PyTorch and tensorboardX."""
    return summary_pb2.Summary.Value(tag=tag, simple_value=value)


def scalar_tensor(tag: str, value: float, dtype: str = "float32", description: str = "") -> Value:
    """A scalar of TF2 and Keras: a rank-0 tensor."""
    metadata = scalar_metadata.create_summary_metadata(None, description)
    return tensor_value(tag, np.asarray(value, dtype=dtype), metadata)


def scalar_new_style(tag: str, value: float, double: bool = False) -> Value:
    """A scalar of PyTorch's `new_style=True`: a typed value, no shape, empty plugin content."""
    tensor = (
        tensor_pb2.TensorProto(dtype=types_pb2.DT_DOUBLE, double_val=[value])
        if double
        else tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[value])
    )
    return summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=plugin_metadata("scalars"))


def histogram(tag: str, values: ArrayLike, bins: ArrayLike = DEFAULT_BINS) -> Value:
    """A legacy histogram: the filled stretch of *bins*, after an empty bucket, as PyTorch does.

    Source: `make_histogram` in torch/utils/tensorboard/summary.py.
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    counts, limits = np.histogram(flat, bins=np.asarray(bins))
    filled = np.flatnonzero(counts)
    if not filled.size:
        raise ValueError(f"histogram {tag!r}: no value falls into the bins")
    first, end = int(filled[0]), int(filled[-1]) + 1
    histo = histogram_pb2.HistogramProto(
        min=flat.min(),
        max=flat.max(),
        num=flat.size,
        sum=flat.sum(),
        sum_squares=flat @ flat,
        bucket_limit=limits[first : end + 1].tolist(),
        bucket=[0.0, *counts[first:end].tolist()],
    )
    return summary_pb2.Summary.Value(tag=tag, histo=histo)


def histogram_tensor(tag: str, values: ArrayLike, buckets: int = 30) -> Value:
    """A TF2 histogram: float64 `[buckets, 3]` rows of left edge, right edge, count."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    counts, edges = np.histogram(flat, bins=buckets)
    rows = np.stack([edges[:-1], edges[1:], counts.astype(np.float64)], axis=1)
    return tensor_value(tag, rows, histogram_metadata.create_summary_metadata(None, None))


def image(tag: str, encoded: bytes, width: int, height: int, colorspace: int = 3) -> Value:
    """A legacy image: *encoded* as PNG, JPEG or GIF; 1 = grey, 3 = RGB, 4 = RGBA."""
    proto = summary_pb2.Summary.Image(
        width=width, height=height, colorspace=colorspace, encoded_image_string=encoded
    )
    return summary_pb2.Summary.Value(tag=tag, image=proto)


def image_tensor(tag: str, encoded: Sequence[bytes], width: int, height: int) -> Value:
    """A TF2 image: strings `[2 + n]` of width, height and *n* encoded images."""
    strings = np.array([b"%d" % width, b"%d" % height, *encoded], dtype=object)
    return tensor_value(tag, strings, image_metadata.create_summary_metadata(None, None))


def wav(samples: NDArray[np.floating[Any]], rate: int) -> bytes:
    """Mono 16-bit WAV of *samples* in -1..1 at *rate* Hz."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


def audio(tag: str, samples: NDArray[np.floating[Any]], rate: int) -> Value:
    """A legacy audio clip of mono *samples* in -1..1 at *rate* Hz."""
    proto = summary_pb2.Summary.Audio(
        sample_rate=rate,
        num_channels=1,
        length_frames=len(samples),
        encoded_audio_string=wav(samples, rate),
        content_type="audio/wav",
    )
    return summary_pb2.Summary.Value(tag=tag, audio=proto)


def audio_tensor(tag: str, clips: Sequence[bytes], labels: Sequence[str] | None = None) -> Value:
    """A TF2 audio summary: strings `[n, 2]` of WAV clip and (deprecated) label."""
    names = labels or [""] * len(clips)
    rows = [[clip, name.encode()] for clip, name in zip(clips, names, strict=True)]
    metadata = audio_metadata.create_summary_metadata(None, None, audio_metadata.Encoding.WAV)
    return tensor_value(tag, np.array(rows, dtype=object).reshape(-1, 2), metadata)


def text(tag: str, words: str) -> Value:
    """A text of PyTorch: string `[1]` under `<tag>/text_summary`."""
    return text_tensor(f"{tag}/text_summary", [words])


def text_tensor(tag: str, words: str | Sequence[Any]) -> Value:
    """A TF2 text: a string tensor of any rank; rank 1 and 2 are shown as tables."""
    encode = np.vectorize(lambda word: str(word).encode(), otypes=[object])
    metadata = text_metadata.create_summary_metadata(None, None)
    return tensor_value(tag, encode(np.array(words, dtype=object)), metadata)


def pr_curve(tag: str, labels: ArrayLike, scores: ArrayLike, thresholds: int = 127) -> Value:
    """A PR curve of 0/1 *labels* and *scores* in 0..1: float `[6, thresholds]`.

    Rows: true and false positives, true and false negatives, precision, recall.
    """
    truth = np.asarray(labels, dtype=np.float64).ravel()
    bucket = np.floor(np.asarray(scores).ravel() * (thresholds - 1)).astype(np.int64)
    found = np.bincount(bucket, weights=truth, minlength=thresholds)
    wrong = np.bincount(bucket, weights=1 - truth, minlength=thresholds)
    tp, fp = found[::-1].cumsum()[::-1], wrong[::-1].cumsum()[::-1]
    tn, fn = fp[0] - fp, tp[0] - tp
    precision, recall = tp / np.maximum(1e-7, tp + fp), tp / np.maximum(1e-7, tp + fn)
    rows = np.stack([tp, fp, tn, fn, precision, recall]).astype(np.float32)
    metadata = pr_curve_metadata.create_summary_metadata(tag, "", thresholds)
    return tensor_value(tag, rows, metadata)


def mesh(
    tag: str,
    vertices: ArrayLike,
    faces: ArrayLike | None = None,
    colors: ArrayLike | None = None,
    config: str = "{}",
) -> list[Value]:
    """A mesh: one tensor `[batch, n, 3]` each for vertices, faces and colours that are given."""
    given = [
        (MeshPluginData.VERTEX, vertices, np.float32),
        (MeshPluginData.FACE, faces, np.int32),
        (MeshPluginData.COLOR, colors, np.uint8),
    ]
    parts = [(kind, np.asarray(data, dtype)) for kind, data, dtype in given if data is not None]
    bits = mesh_metadata.get_components_bitmask([kind for kind, _ in parts])
    return [
        tensor_value(
            mesh_metadata.get_instance_name(tag, kind),
            data,
            mesh_metadata.create_summary_metadata(
                tag, None, kind, bits, data.shape, json_config=config
            ),
        )
        for kind, data in parts
    ]


def layout(charts: Mapping[str, Mapping[str, Sequence[str]]]) -> Value:
    """A custom scalars layout: category -> chart -> regexes of tags drawn together."""
    categories = [
        layout_pb2.Category(
            title=category,
            chart=[
                layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=tags))
                for title, tags in named.items()
            ],
        )
        for category, named in charts.items()
    ]
    content = layout_pb2.Layout(category=categories).SerializeToString()
    metadata = layout_metadata.create_summary_metadata()
    return tensor_value(
        layout_metadata.CONFIG_SUMMARY_TAG, np.array(content, dtype=object), metadata
    )


def keras_model(model_json: str, tag: str = "keras") -> Value:
    """The Keras callback's model graph: its JSON as a string of rank 0."""
    metadata = plugin_metadata(graph_metadata.PLUGIN_NAME_KERAS_MODEL, b"1")
    return tensor_value(tag, np.array(model_json.encode(), dtype=object), metadata)


def _hparams_value(tag: str, **content: Any) -> Value:
    # The values are a map: only the deterministic form has the same bytes in every process.
    data = plugin_data_pb2.HParamsPluginData(
        version=hparams_metadata.PLUGIN_DATA_VERSION, **content
    )
    packed = data.SerializeToString(deterministic=True)
    metadata = plugin_metadata(hparams_metadata.PLUGIN_NAME, packed)
    return summary_pb2.Summary.Value(tag=tag, metadata=metadata)


def hparams_experiment(hparams: HParams, metrics: Sequence[str]) -> Value:
    """The experiment record: which hyperparameters and metrics there are."""
    kinds = {bool: api_pb2.DATA_TYPE_BOOL, str: api_pb2.DATA_TYPE_STRING}
    infos = [
        api_pb2.HParamInfo(name=name, type=kinds.get(type(value), api_pb2.DATA_TYPE_FLOAT64))
        for name, value in hparams.items()
    ]
    names = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=metric)) for metric in metrics]
    experiment = api_pb2.Experiment(hparam_infos=infos, metric_infos=names)
    return _hparams_value(hparams_metadata.EXPERIMENT_TAG, experiment=experiment)


def hparams_start(
    hparams: HParams, *, group_name: str = "", start_time: float | None = None
) -> Value:
    """The session start record: the values, in *group_name* of equal ones, at Unix *start_time*."""
    info = plugin_data_pb2.SessionStartInfo(group_name=group_name, start_time_secs=start_time)
    for name, value in hparams.items():
        if isinstance(value, bool):
            info.hparams[name].bool_value = value
        elif isinstance(value, str):
            info.hparams[name].string_value = value
        else:
            info.hparams[name].number_value = value
    return _hparams_value(hparams_metadata.SESSION_START_INFO_TAG, session_start_info=info)


def hparams_end(status: str = "SUCCESS", end_time: float | None = None) -> Value:
    """The session end record: *status* is SUCCESS, FAILURE, RUNNING or UNKNOWN."""
    info = plugin_data_pb2.SessionEndInfo(
        status=api_pb2.Status.Value(f"STATUS_{status}"), end_time_secs=end_time
    )
    return _hparams_value(hparams_metadata.SESSION_END_INFO_TAG, session_end_info=info)
