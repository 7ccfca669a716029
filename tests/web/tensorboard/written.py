"""Event files of every plugin in every form that writers use, as a directory of runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto import (
    config_pb2,
    event_pb2,
    graph_pb2,
    histogram_pb2,
    meta_graph_pb2,
    node_def_pb2,
    summary_pb2,
)
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as layout_metadata
from tensorboard.plugins.graph import metadata as graph_metadata
from tensorboard.plugins.histogram import summary_v2 as histogram_v2
from tensorboard.plugins.hparams import summary_v2
from tensorboard.plugins.scalar import summary_v2 as scalar_v2
from tensorboard.plugins.text import summary_v2 as text_v2
from tensorboard.summary import Writer

from boardlake.ingest.sample import forms, pictures
from boardlake.ingest.sample.writer import PYTORCH, EventWriter

START = 1_700_000_000.0
Write = Callable[[EventWriter], None]
# What a tag may be called: paths, other scripts, what is a name in JavaScript or a regex, Markdown.
ODD_TAGS = (
    "__proto__", "constructor", "verlust/größe", "損失 値", "a b\tc", "100% (of \"all\") & 'more'",
    "[x](y) <b>", "a.*b", "x" * 400, "/leading", "trailing/", "a//b", "..", "%2F", "emoji 🧪",
)  # fmt: skip


def write(root: Path) -> None:
    """All runs below *root*; no directory is common to all of them, and none is *root* itself."""
    for path, fill in RUNS.items():
        with open_file(root / path) as log:
            fill(log)
    _summary_writer(root / "builders" / "writer")


def open_file(directory: Path, *, at: float = START, writer: str = PYTORCH) -> EventWriter:
    """A new event file of *directory*, begun at Unix time *at*."""
    log = EventWriter(directory / f"events.out.tfevents.{int(at)}.host.{len(str(directory))}.0")
    log.file_version(at, writer=writer)
    return log


def values(log: EventWriter, step: int, *found: Any) -> None:
    """Summaries, or values of one, of a step."""
    for one in found:
        each = one.value if isinstance(one, summary_pb2.Summary) else [one]
        log.values(each, step, START + step)


def picture(number: int, width: int = 4, height: int = 3) -> bytes:
    """A PNG."""
    return pictures.png(np.full((height, width, 3), number * 20, np.uint8))


def _pytorch(log: EventWriter) -> None:
    """The forms of PyTorch and tensorboardX, with values that are no numbers."""
    rng = np.random.default_rng(1)
    odd = {3: float("nan"), 4: float("inf"), 5: float("-inf")}
    for step in range(12):
        when = START + step
        log.scalar("train/loss", odd.get(step, 1 / (step + 1)), step, when)
        log.scalar("train/acc", step / 12, step, when)
        log.scalar_new_style("new/float", step / 3, step, when)
        log.histogram("weights", rng.normal(size=200), step, when)
        log.image("sample", picture(step % 10), 4, 3, step, when)
        log.text(
            "notes",
            f"# Step {step}\n* *one* <script>alert(1)</script>\n\n[a](javascript:b)",
            step,
            when,
        )
    for step in range(3):
        log.audio("voice", np.sin(np.arange(400) / (9 + step)), 8000, step, START + step)
        labels = rng.integers(0, 2, 50)
        log.pr_curve(
            "pr/class 0",
            labels,
            np.clip(labels * 0.4 + rng.random(50) * 0.6, 0, 1),
            step,
            START + step,
        )
        corners = rng.normal(size=(1, 4, 3))
        log.mesh(
            "shape", corners, step, START + step,
            faces=[[[0, 1, 2], [1, 2, 3]]], colors=[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]],
        )  # fmt: skip
    log.image("video", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", 1, 1, 0, START)
    log.histogram("one value", [2.5], 0, START)
    log.histogram("negative", [-3.0, -2.0, -1.0, -1.0], 0, START)
    log.graph(graph(), START)
    log.run_metadata("step1", run_metadata(), 1, START + 1)
    log.tensor("raw", np.arange(4.0), 0, START)
    log.tensor("unknown", np.arange(3), 0, START, plugin="nobody_knows", content=b"v1")
    log.tensor("no metadata", np.arange(3), 0, START, plugin=None)


def _odd_tags(log: EventWriter) -> None:
    for number, tag in enumerate(ODD_TAGS):
        for step in range(2):
            log.scalar(tag, number + step, step, START + step)
    for tag in ODD_TAGS[::4]:
        log.text_tensor(tag + "!", tag, 0, START)
        log.histogram(tag + "?", [0.1, 1.0], 0, START)


def _keras_train(log: EventWriter) -> None:
    """The forms of TF2 and the Keras callback."""
    rng = np.random.default_rng(2)
    for step in range(6):
        when = START + 10 + step
        log.scalar_tensor("epoch_loss", 2 / (step + 1), step, when)
        log.histogram_tensor("dense/kernel_0/histogram", rng.normal(size=300), step, when)
        log.image_tensor(
            "batch", [picture(step), picture(9 - step)][: 1 + step % 2], 4, 3, step, when
        )
        log.text_tensor("plain", f"**step** {step}", step, when)
        log.text_tensor("row", ["a", f"*{step}*"], step, when)
        log.text_tensor("table", [["a", "b"], ["c", f"`{step}`"]], step, when)
    log.text_tensor("deep", [[["a", "b"], ["c", "d"]], [["e", "f"], ["g", "h"]]], 0, START)
    clips = [forms.wav(np.sin(np.arange(300) / n), 8000) for n in (7, 9)]
    for step in range(2):
        log.audio_tensor("voices", clips, step, START + step)
    log.keras_model(pictures.keras_json(0.5), START)
    for plugin in (
        graph_metadata.PLUGIN_NAME_RUN_METADATA, graph_metadata.PLUGIN_NAME_RUN_METADATA_WITH_GRAPH
    ):  # fmt: skip
        content = np.array(run_metadata().SerializeToString(), dtype=object)
        log.tensor(f"trace {plugin}", content, 0, START, plugin=plugin, content=b"1")


def _keras_validation(log: EventWriter) -> None:
    for step in range(6):
        log.scalar_tensor("epoch_loss", 3 / (step + 1), step, START + 20 + step)
        log.scalar_tensor(
            "evaluation_loss_vs_iterations", 3 / (step + 1), step * 100, START + 20 + step,
            metadata_on_first_only=False,
        )  # fmt: skip


def _tf1(log: EventWriter) -> None:
    """The plugins' own summaries of TF1: a tag with a suffix, a display name, a description."""
    for step in range(4):
        form = forms.tensor_value(
            "loss/scalar_summary",
            np.float32(step),
            _described("scalars", "loss", "How *wrong* it is"),
        )
        values(log, step, form)
        several = [forms.image(f"input/image/{n}", picture(step + n), 4, 3) for n in range(2)]
        audio = forms.audio("tone/audio/0", np.sin(np.arange(99) / (step + 2)), 8000)
        log.values([*several, audio, forms.simple("lr", 0.1)], step, START + step)
        histo = summary_pb2.Summary.Value(tag="histo", histo=_plain_histogram(step))
        values(log, step, histo)
    log.session_log("CHECKPOINT", 3, START + 3, checkpoint="/models/model.ckpt-3")
    meta = graph_pb2.GraphDef(node=[node_def_pb2.NodeDef(name="only", op="NoOp")])
    log.graph(meta, START)


def _described(plugin: str, display_name: str, description: str) -> Any:
    metadata = forms.plugin_metadata(plugin)
    metadata.display_name, metadata.summary_description = display_name, description
    return metadata


def _plain_histogram(step: int) -> Any:
    """As TF1 writes it: no empty bucket before the first, the last at the greatest double."""
    return histogram_pb2.HistogramProto(
        min=-1.0, max=2.0 + step, num=6, sum=3, sum_squares=9,
        bucket_limit=[-0.5, 0.0, 0.5, 1.7976931348623157e308], bucket=[2, 0, 1, 3],
    )  # fmt: skip


def _builders(log: EventWriter) -> None:
    """What TensorBoard's own builders of summaries make."""
    for step in range(3):
        values(
            log, step,
            scalar_v2.scalar_pb("scalar", step / 7, "a *scalar*"),
            histogram_v2.histogram_pb("histogram", np.arange(50.0) * step, 10, "a *histogram*"),
            histogram_v2.histogram_pb("constant", np.ones(5)),
            histogram_v2.histogram_pb("empty", np.array([])),
            text_v2.text_pb("text", f"words {step}", "a *text*"),
            *forms.mesh("mesh", np.ones((2, 3, 3)) * step, config='{"camera": {"fov": 75}}'),
        )  # fmt: skip


def _mesh_parts(log: EventWriter) -> None:
    """A mesh of vertices alone, and several samples in a step."""
    for step in (0, 7):
        log.mesh("points", np.full((2, 5, 3), step + 0.25), step, START + step)


def _layout(log: EventWriter) -> None:
    """A custom layout of all kinds of charts; scalars that it names, and some that it does not."""
    margin = layout_pb2.MarginChartContent.Series(value="m/mean", lower="m/low", upper="m/high")
    charts = [
        layout_pb2.Chart(
            title="lines", multiline=layout_pb2.MultilineChartContent(tag=[r"m/.*", "loss"])
        ),
        layout_pb2.Chart(title="band", margin=layout_pb2.MarginChartContent(series=[margin])),
    ]
    category = layout_pb2.Category(title="all", chart=charts, closed=True)
    content = np.array(layout_pb2.Layout(category=[category]).SerializeToString(), dtype=object)
    tag = layout_metadata.CONFIG_SUMMARY_TAG
    values(log, 0, forms.tensor_value(tag, content, layout_metadata.create_summary_metadata()))
    for step in range(5):
        for n, name in enumerate(("m/mean", "m/low", "m/high", "loss", "other")):
            log.scalar(name, n + step / 10, step, START + step)


def _second_layout(log: EventWriter) -> None:
    log.custom_scalars({"all": {"more": ["loss"]}, "own": {"one": ["train.*"]}}, START)
    log.scalar("loss", 1.0, 0, START)


def _session(log: EventWriter, lr: float, optimizer: str, loss: float) -> None:
    """A run with its hyperparameters in it, as TF2's and TensorBoard's builders write them."""
    pb = summary_v2.hparams_pb(
        {"lr": lr, "optimizer": optimizer, "shuffle": lr > 0.01}, start_time_secs=START
    )
    values(log, 0, pb)
    for step in range(3):
        log.scalar("loss", loss / (step + 1), step, START + step)
        log.scalar("acc", 1 - loss / (step + 1), step, START + step)
    values(log, 3, forms.hparams_end("FAILURE" if lr > 0.05 else "SUCCESS", START + 3))


def _experiment(log: EventWriter) -> None:
    """The record above sessions that says what their columns are."""
    pb = summary_v2.hparams_config_pb(
        [summary_v2.HParam("lr", summary_v2.RealInterval(0.0, 1.0), display_name="rate")],
        [summary_v2.Metric("loss", display_name="the loss")],
        time_created_secs=START,
    )
    values(log, 0, pb)


def _add_hparams(log: EventWriter) -> None:
    """The sub-run of PyTorch's `add_hparams`: three records, and the metrics at the end."""
    log.hparams({"lr": 0.5, "depth": 3, "name": "ä", "on": True}, ["hparam/acc"], START + 30)
    log.scalar("hparam/acc", 0.75, 0, START + 30)


def _late(log: EventWriter) -> None:
    log.scalar("train/loss", 1.0, -5, START - 1000)
    log.scalar("train/loss", 2.0, 3_000_000_000, START - 999)


def _summary_writer(directory: Path) -> None:
    """TensorBoard's own writer of TF2 scalars."""
    writer = Writer(str(directory))
    for step in range(3):
        writer.add_scalar(
            "scalar", step / 3, step, wall_time=START + step, description="by `Writer`"
        )
    writer.close()


def graph() -> Any:
    """A graph with attributes, one of them long."""
    nodes = [
        node_def_pb2.NodeDef(name="input", op="Placeholder"),
        node_def_pb2.NodeDef(name="net/weights", op="Const"),
        node_def_pb2.NodeDef(name="net/out", op="MatMul", input=["input", "net/weights"]),
    ]
    nodes[1].attr["value"].s = b"w" * 5000
    nodes[2].attr["transpose"].b = True
    return graph_pb2.GraphDef(node=nodes)


def run_metadata() -> Any:
    """What a step cost, and the graph of a function."""
    found = config_pb2.RunMetadata()
    device = found.step_stats.dev_stats.add(device="/device:CPU:0")
    device.node_stats.add(node_name="net/out", all_start_micros=5, all_end_rel_micros=9)
    found.function_graphs.add().pre_optimization_graph.CopyFrom(graph())
    return found


def _meta_graph(log: EventWriter) -> None:
    """A graph within a MetaGraphDef only, which Estimators write beside a graph."""
    content = meta_graph_pb2.MetaGraphDef(graph_def=graph()).SerializeToString()
    log.event(event_pb2.Event(wall_time=START, meta_graph_def=content))
    log.scalar("global_step/sec", 7.5, 100, START + 100)


def _newer(log: EventWriter) -> None:
    """Series of a version that this TensorBoard does not know: their dashboards hide them."""
    for plugin in ("scalars", "histograms", "images", "audio", "text", "pr_curves"):
        value = np.float32(1) if plugin == "scalars" else np.array([b"4", b"3", picture(1)], object)
        log.tensor(f"newer {plugin}", value, 0, START, plugin=plugin, content=b"\x08\x01")
    log.scalar("known", 1.0, 0, START)


RUNS: dict[str, Write] = {
    "pytorch": _pytorch,
    "odd": _odd_tags,
    "keras/train": _keras_train,
    "keras/validation": _keras_validation,
    "tf1/model": _tf1,
    "tf1/model/eval": lambda log: log.scalar("lr", 0.3, 1, START + 50),
    "tf1/estimator": _meta_graph,
    "newer": _newer,
    "builders/all": _builders,
    "deep/er/nested/run one": _mesh_parts,
    "deep/er/Läufe/ラン": _late,
    "layouts/a": _layout,
    "layouts/b": _second_layout,
    "sweep/1": lambda log: _session(log, 0.1, "adam", 2.0),
    "sweep/2": lambda log: _session(log, 0.001, "sgd", 1.0),
    "torch hparams": lambda log: log.scalar("loss", 0.5, 0, START + 30),
    "torch hparams/1700000000.5": _add_hparams,
}
