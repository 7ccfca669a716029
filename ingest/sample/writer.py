"""Writes small event files exactly as the real writers do: for samples, tests and benchmarks."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

from . import forms
from .forms import HParams, Metadata, Value

Event = Any
PYTORCH = "tensorboard.summary.writer.event_file_writer"
TENSORFLOW = "tensorflow.core.util.events_writer"


def frame(payload: bytes) -> bytes:
    """*payload* as a TFRecord: length, its masked CRC32C, payload, its masked CRC32C.

    TensorBoard's own CRC is used, so that tests of our kernels compare two implementations.
    """
    head = struct.pack("<Q", len(payload))
    crcs = struct.pack("<I", masked_crc32c(head)), struct.pack("<I", masked_crc32c(payload))
    return head + crcs[0] + payload + crcs[1]


def encode_event(event: Event) -> bytes:
    """An `Event` proto as one whole record."""
    return frame(event.SerializeToString())


class EventWriter:
    """One event file, a path (made with its folder, or appended to) or an open binary file.

    Every method writes one record; *step* and *wall_time* (Unix seconds) are those of the event.
    The `*_tensor` methods write what TF2 writes, their namesakes what PyTorch and TF1 write.
    """

    def __init__(self, target: Path | BinaryIO, *, append: bool = False) -> None:
        if isinstance(target, Path):
            target.parent.mkdir(parents=True, exist_ok=True)
            target = target.open("ab" if append else "wb")
        self._file = target
        self._described: set[str] = set()

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()

    def raw(self, record: bytes) -> None:
        """Any bytes, unframed: torn and damaged records, or ready frames."""
        self._file.write(record)

    def event(self, event: Event) -> None:
        """Any `Event` proto."""
        self.raw(encode_event(event))

    def values(self, values: Iterable[Value], step: int, wall_time: float) -> None:
        """One event with any number of summary values, as TF1's merged summaries."""
        summary = summary_pb2.Summary(value=values)
        self.event(event_pb2.Event(wall_time=wall_time, step=step, summary=summary))

    def file_version(
        self, wall_time: float, *, version: str = "brain.Event:2", writer: str = ""
    ) -> None:
        """The first record of a file; *writer* is the fingerprint that newer writers leave."""
        event = event_pb2.Event(wall_time=wall_time, file_version=version)
        if writer:
            event.source_metadata.writer = writer
        self.event(event)

    def scalar(self, tag: str, value: float, step: int, wall_time: float) -> None:
        """A `simple_value` of TF1, PyTorch and tensorboardX."""
        self.values([forms.simple(tag, value)], step, wall_time)

    def scalar_tensor(
        self,
        tag: str,
        value: float,
        step: int,
        wall_time: float,
        *,
        dtype: str = "float32",
        metadata_on_first_only: bool = True,
    ) -> None:
        """A rank-0 tensor of TF2; some writers describe a tag in its first event only."""
        form = forms.scalar_tensor(tag, value, dtype)
        if metadata_on_first_only and tag in self._described:
            form.ClearField("metadata")
        self._described.add(tag)
        self.values([form], step, wall_time)

    def scalar_new_style(
        self, tag: str, value: float, step: int, wall_time: float, *, double: bool = False
    ) -> None:
        """PyTorch's `add_scalar(new_style=True, double_precision=double)`."""
        self.values([forms.scalar_new_style(tag, value, double)], step, wall_time)

    def histogram(self, tag: str, values: ArrayLike, step: int, wall_time: float) -> None:
        """A legacy histogram proto of *values*."""
        self.values([forms.histogram(tag, values)], step, wall_time)

    def histogram_tensor(self, tag: str, values: ArrayLike, step: int, wall_time: float) -> None:
        """A float64 `[30, 3]` tensor of *values*."""
        self.values([forms.histogram_tensor(tag, values)], step, wall_time)

    def image(
        self, tag: str, encoded: bytes, width: int, height: int, step: int, wall_time: float
    ) -> None:
        """A legacy image from its encoded bytes."""
        self.values([forms.image(tag, encoded, width, height)], step, wall_time)

    def image_tensor(
        self,
        tag: str,
        encoded: Sequence[bytes],
        width: int,
        height: int,
        step: int,
        wall_time: float,
    ) -> None:
        """A string `[2 + n]` tensor of *n* encoded images of one size."""
        self.values([forms.image_tensor(tag, encoded, width, height)], step, wall_time)

    def audio(
        self,
        tag: str,
        samples: NDArray[np.floating[Any]],
        rate: int,
        step: int,
        wall_time: float,
    ) -> None:
        """A legacy audio clip of mono *samples* in -1..1 at *rate* Hz."""
        self.values([forms.audio(tag, samples, rate)], step, wall_time)

    def audio_tensor(self, tag: str, clips: Sequence[bytes], step: int, wall_time: float) -> None:
        """A string `[n, 2]` tensor of WAV *clips*."""
        self.values([forms.audio_tensor(tag, clips)], step, wall_time)

    def text(self, tag: str, words: str, step: int, wall_time: float) -> None:
        """PyTorch's `add_text`: the tag gets the suffix `/text_summary`."""
        self.values([forms.text(tag, words)], step, wall_time)

    def text_tensor(
        self, tag: str, words: str | Sequence[Any], step: int, wall_time: float
    ) -> None:
        """A TF2 text of any rank."""
        self.values([forms.text_tensor(tag, words)], step, wall_time)

    def pr_curve(
        self, tag: str, labels: ArrayLike, scores: ArrayLike, step: int, wall_time: float
    ) -> None:
        """A float `[6, 127]` PR curve of 0/1 *labels* and *scores* in 0..1."""
        self.values([forms.pr_curve(tag, labels, scores)], step, wall_time)

    def mesh(
        self,
        tag: str,
        vertices: ArrayLike,
        step: int,
        wall_time: float,
        *,
        faces: ArrayLike | None = None,
        colors: ArrayLike | None = None,
    ) -> None:
        """A mesh `[batch, n, 3]`: series `<tag>_VERTEX`, `<tag>_FACE`, `<tag>_COLOR`."""
        self.values(forms.mesh(tag, vertices, faces, colors), step, wall_time)

    def hparams(self, hparams: HParams, metrics: Sequence[str], wall_time: float) -> None:
        """The three records of PyTorch's `add_hparams`, which claims success at once.

        As there, a bool becomes a number, and no times or group are given.
        """
        plain = {k: float(v) if isinstance(v, bool) else v for k, v in hparams.items()}
        self.values([forms.hparams_experiment(hparams, metrics)], 0, wall_time)
        self.values([forms.hparams_start(plain)], 0, wall_time)
        self.values([forms.hparams_end("SUCCESS")], 0, wall_time)

    def custom_scalars(
        self, charts: Mapping[str, Mapping[str, Sequence[str]]], wall_time: float
    ) -> None:
        """A layout: category -> chart -> regexes of tags."""
        self.values([forms.layout(charts)], 0, wall_time)

    def graph(self, graph_def: Any, wall_time: float) -> None:
        """A `GraphDef` proto in the event itself, as PyTorch and TF1 write it."""
        content = graph_def.SerializeToString()
        self.event(event_pb2.Event(wall_time=wall_time, graph_def=content))

    def run_metadata(self, tag: str, run_metadata: Any, step: int, wall_time: float) -> None:
        """A tagged `RunMetadata` proto in the event itself."""
        tagged = event_pb2.TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self.event(event_pb2.Event(wall_time=wall_time, step=step, tagged_run_metadata=tagged))

    def keras_model(self, model_json: str, wall_time: float, *, tag: str = "keras") -> None:
        """The model graph of the Keras callback."""
        self.values([forms.keras_model(model_json, tag)], 0, wall_time)

    def session_log(
        self, status: str, step: int, wall_time: float, *, checkpoint: str = ""
    ) -> None:
        """TF1's session log: *status* is START, STOP or CHECKPOINT (with the path)."""
        log = event_pb2.SessionLog(
            status=event_pb2.SessionLog.SessionStatus.Value(status), checkpoint_path=checkpoint
        )
        self.event(event_pb2.Event(wall_time=wall_time, step=step, session_log=log))

    def tensor(
        self,
        tag: str,
        array: ArrayLike,
        step: int,
        wall_time: float,
        *,
        plugin: str | None = "tensor",
        content: bytes = b"",
    ) -> None:
        """A tensor of any shape and dtype, under any *plugin*; None leaves out the metadata."""
        metadata: Metadata | None = None
        if plugin is not None:
            metadata = forms.plugin_metadata(plugin, content)
        self.values([forms.tensor_value(tag, array, metadata)], step, wall_time)
