"""Sample logs are real logs: TensorBoard and tbparse read them, and they show what they promise."""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tbparse import SummaryReader
from tensorboard.backend.event_processing.event_file_loader import (
    EventFileLoader,
    RawEventFileLoader,
)
from tensorboard.compat.proto import event_pb2, graph_pb2
from tensorboard.plugins.graph import keras_util
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.scalar import summary_v2 as scalar_summary
from tensorboard.plugins.text import summary_v2 as text_summary
from tensorboard.util import tensor_util

from boardlake.core.errors import UsageError
from boardlake.ingest.sample import SampleTree, append_live, forms, write_samples
from boardlake.ingest.sample.columns import Column, frame_columns, merge
from boardlake.ingest.sample.writer import EventWriter, encode_event, frame

NOW = 1_760_000_000.0
SCALE = 0.01
FORMS = [forms.simple, forms.scalar_tensor, forms.scalar_new_style]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> SampleTree:
    return write_samples(tmp_path_factory.mktemp("samples"), scale=SCALE, now=NOW)


def event_files(root: Path) -> list[Path]:
    return sorted(root.rglob("*tfevents*"))


def payloads(data: bytes) -> Iterator[bytes]:
    """The payloads of whole records, then whatever is left as the last item."""
    at = 0
    while at + 12 <= len(data):
        end = at + 16 + struct.unpack_from("<Q", data, at)[0]
        if end > len(data):
            break
        yield data[at + 12 : end - 4]
        at = end
    yield data[at:]


def events_of(path: Path) -> list[Any]:
    return [event_pb2.Event.FromString(raw) for raw in list(payloads(path.read_bytes()))[:-1]]


def content(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


# --- the writer -----------------------------------------------------------------------------


def one(write: str, *args: Any, **kwargs: Any) -> Any:
    """The events that one call of the writer makes."""
    out = io.BytesIO()
    getattr(EventWriter(out), write)(*args, **kwargs)
    raw = list(payloads(out.getvalue()))
    assert raw.pop() == b""
    return [event_pb2.Event.FromString(each) for each in raw]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1),
            st.sampled_from(FORMS),
            st.lists(st.tuples(st.integers(0, 2**63 - 1), st.floats(width=32)), max_size=8),
        ),
        max_size=4,
    )
)
@settings(deadline=None, max_examples=60)
def test_columns_are_the_bytes_of_the_writer(series: list[Any]) -> None:
    """Any steps, values, tags and forms at NumPy speed give what one event at a time gives."""
    columns, expected, clock = [], [], NOW
    for tag, form, points in series:
        steps = np.array([step for step, _ in points], np.int64)
        values = np.array([value for _, value in points], np.float64)
        times = clock + np.arange(len(points), dtype=np.float64)
        clock += len(points)
        columns.append(Column(tag, steps, times, values, form))
        for step, when, value in zip(steps, times, values, strict=True):
            out = io.BytesIO()
            EventWriter(out).values([form(tag, float(value))], int(step), float(when))
            expected.append(out.getvalue())
    records = frame_columns(columns)
    assert records.data == b"".join(expected)
    assert records.offsets.tolist() == np.cumsum([0, *map(len, expected)]).tolist()


def test_columns_refuse_negative_steps() -> None:
    """A negative step would be ten bytes that the columns do not make: it is refused by name."""
    column = Column("a", np.array([-1]), np.array([NOW]), np.array([0.0]))
    with pytest.raises(ValueError, match="'a': step -1"):
        frame_columns([column])


@given(st.lists(st.floats(0, 9), max_size=20), st.lists(st.floats(0, 9), max_size=6))
@settings(deadline=None)
def test_merge_keeps_time_order_and_every_record(points: list[float], others: list[float]) -> None:
    """Records put between points stay whole and sorted by time."""
    zeros = np.zeros(len(points))
    column = Column("a", zeros.astype(np.int64), np.array(points, np.float64), zeros)
    extra = [(when, frame(b"x" * i)) for i, when in enumerate(others)]
    merged = merge(frame_columns([column]), extra)
    assert merged.times.tolist() == sorted(points + others)
    cuts = list(zip(merged.offsets[:-1], merged.offsets[1:], strict=True))
    found = [merged.data[a:b] for a, b in cuts]
    assert sorted(found) == sorted([*(r for _, r in extra), *found_points(column)])
    assert merged.offsets[-1] == len(merged.data)


def found_points(column: Column) -> list[bytes]:
    records = frame_columns([column])
    return [
        records.data[a:b] for a, b in zip(records.offsets[:-1], records.offsets[1:], strict=True)
    ]


def test_forms_are_those_of_tensorboard() -> None:
    """Where TensorBoard has a maker of its own, ours gives the same summary value."""
    (text,) = text_summary.text_pb("t", "words").value
    assert forms.text_tensor("t", "words") == text
    (scalar,) = scalar_summary.scalar_pb("s", 2.5).value
    ours = forms.scalar_tensor("s", 2.5)
    assert ours.metadata == scalar.metadata
    assert tensor_util.make_ndarray(ours.tensor) == tensor_util.make_ndarray(scalar.tensor)


@pytest.mark.parametrize(
    "dtype",
    "float16 float32 float64 int8 uint8 int16 uint16 int32 int64 bool complex64 complex128".split(),
)
@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0,), (2, 0)])
def test_tensors_of_any_dtype_and_shape(dtype: str, shape: tuple[int, ...]) -> None:
    """TensorBoard reads back dtype, shape and values."""
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    (event,) = one("tensor", "t", array, 3, NOW)
    back = tensor_util.make_ndarray(event.summary.value[0].tensor)
    assert back.dtype == array.dtype and back.shape == array.shape
    assert np.array_equal(back, array)


@pytest.mark.parametrize("words", ["a", ["a", "b"], [["a"], ["b"]], [[["a"]]]])
def test_texts_of_any_rank(words: Any) -> None:
    """A string tensor keeps its shape and its bytes."""
    (event,) = one("text_tensor", "t", words, 0, NOW)
    back = tensor_util.make_ndarray(event.summary.value[0].tensor)
    expected = np.array(words, dtype=object)
    assert back.shape == expected.shape
    assert [w.decode() for w in back.ravel()] == expected.ravel().tolist()


def test_metadata_on_first_only() -> None:
    """A tag is described once per file by default, and always when asked."""
    out = io.BytesIO()
    writer = EventWriter(out)
    for step in range(2):
        writer.scalar_tensor("once", 1.0, step, NOW)
        writer.scalar_tensor("always", 1.0, step, NOW, metadata_on_first_only=False)
    raw = [event_pb2.Event.FromString(p) for p in list(payloads(out.getvalue()))[:-1]]
    described = [event.summary.value[0].HasField("metadata") for event in raw]
    assert described == [True, True, False, True]


def test_histograms_hold_every_value() -> None:
    """Both forms count all values between the least and the greatest."""
    values = np.random.default_rng(0).normal(size=500)
    (old,), (new,) = (one(w, "h", values, 0, NOW) for w in ("histogram", "histogram_tensor"))
    histo = old.summary.value[0].histo
    assert len(histo.bucket) == len(histo.bucket_limit)
    assert sum(histo.bucket) == histo.num == 500
    assert (histo.min, histo.max) == (values.min(), values.max())
    rows = tensor_util.make_ndarray(new.summary.value[0].tensor)
    assert rows.shape == (30, 3) and rows.dtype == np.float64
    assert rows[:, 2].sum() == 500
    assert (rows[0, 0], rows[-1, 1]) == (values.min(), values.max())


def test_pr_curve_counts() -> None:
    """Positives and negatives add up at every threshold; the first takes all as positive."""
    rng = np.random.default_rng(0)
    labels, scores = rng.random(300) < 0.4, rng.random(300)
    (event,) = one("pr_curve", "pr", labels, scores, 0, NOW)
    tp, fp, tn, fn, precision, recall = tensor_util.make_ndarray(event.summary.value[0].tensor)
    assert tp.shape == (127,)
    assert np.all(tp + fn == labels.sum()) and np.all(fp + tn == (~labels).sum())
    assert recall[0] == 1 and precision[0] == pytest.approx(labels.mean())


def test_hparams_as_pytorch() -> None:
    """Three records without tensors; a bool arrives as a number, success is claimed at once."""
    events = one("hparams", {"lr": 0.1, "model": "a", "aug": True}, ["acc"], NOW)
    experiment, start, end = (event.summary.value[0] for event in events)
    read = hparams_metadata
    infos = read.parse_experiment_plugin_data(experiment.metadata.plugin_data.content)
    assert [info.name for info in infos.hparam_infos] == ["lr", "model", "aug"]
    values = read.parse_session_start_info_plugin_data(start.metadata.plugin_data.content).hparams
    assert values["lr"].number_value == 0.1 and values["model"].string_value == "a"
    assert values["aug"].WhichOneof("kind") == "number_value"
    assert read.parse_session_end_info_plugin_data(end.metadata.plugin_data.content).status == 1


def test_session_log_and_unknown_plugin() -> None:
    """What TensorBoard does not show is written as well."""
    (log,) = one("session_log", "CHECKPOINT", 7, NOW, checkpoint="model.ckpt-7")
    assert (log.step, log.session_log.checkpoint_path) == (7, "model.ckpt-7")
    (event,) = one("tensor", "t", [1, 2], 0, NOW, plugin="ours", content=b"x")
    assert event.summary.value[0].metadata.plugin_data.plugin_name == "ours"
    (bare,) = one("tensor", "t", [1, 2], 0, NOW, plugin=None)
    assert not bare.summary.value[0].HasField("metadata")


def test_writer_makes_folders_and_appends(tmp_path: Path) -> None:
    """A path is made with its folders; appending keeps what was there."""
    path = tmp_path / "a" / "b" / "events.out.tfevents.1.h"
    with EventWriter(path) as writer:
        writer.file_version(NOW)
    with EventWriter(path, append=True) as writer:
        writer.scalar("a", 1.5, 2, NOW)
        writer.raw(b"torn")
    *records, left = payloads(path.read_bytes())
    events = [event_pb2.Event.FromString(record) for record in records]
    assert events[0].file_version == "brain.Event:2"
    assert events[1].summary.value[0].simple_value == 1.5
    assert left == b"torn"
    assert encode_event(events[0]) == path.read_bytes()[: len(encode_event(events[0]))]


# --- the tree -------------------------------------------------------------------------------


def test_tensorboard_reads_every_file_to_its_end(tree: SampleTree) -> None:
    """TensorBoard's loader, which checks both CRCs, returns every whole record of every file."""
    torn = []
    for path in event_files(tree.root):
        *records, left = payloads(path.read_bytes())
        assert list(RawEventFileLoader(str(path)).Load()) == records, path
        # Its migrations may make two events of one.
        loaded = list(EventFileLoader(str(path)).Load())
        assert len(loaded) >= len(records), path
        assert loaded[0].file_version == "brain.Event:2"
        if left:
            torn.append(path.parent.relative_to(tree.root).as_posix())
    assert torn == [tree.cases["torn"]]


def test_every_plugin_and_form_appears(tree: SampleTree) -> None:
    """All that TensorBoard shows is in the samples, and old and new forms of it."""
    plugins, kinds, whats, tensors = set(), set(), set(), set()
    for path in event_files(tree.root):
        for event in events_of(path):
            whats.add(event.WhichOneof("what"))
            for value in event.summary.value:
                plugins.add(value.metadata.plugin_data.plugin_name)
                kinds.add(value.WhichOneof("value"))
                if value.tensor.dtype:
                    tensors.add(value.metadata.plugin_data.plugin_name)
    assert plugins >= {"scalars", "histograms", "images", "audio", "text", "pr_curves", "mesh"}
    assert plugins >= {"hparams", "custom_scalars", "graph_keras_model", "tensor", "lab_report"}
    assert tensors >= {"scalars", "histograms", "images", "audio", "text"}
    assert kinds >= {"simple_value", "histo", "image", "audio", "tensor"}
    assert whats >= {"file_version", "summary", "graph_def", "tagged_run_metadata", "session_log"}


def test_same_arguments_same_bytes(tmp_path: Path) -> None:
    """Seed, scale and now decide every byte and name; another seed gives other logs."""
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_samples(tmp_path / name, seed=seed, scale=0.001, now=NOW)
    a, b, c = (content(tmp_path / name) for name in "abc")
    assert a == b
    assert a.keys() == c.keys() and a != c


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    """Nothing is mixed into a folder that holds something, nor a tree of no size written."""
    (tmp_path / "mine").write_text("")
    with pytest.raises(UsageError, match="empty or a new folder"):
        write_samples(tmp_path, now=NOW)
    with pytest.raises(UsageError, match="scale 0"):
        write_samples(tmp_path / "new", scale=0, now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_tree_tells_the_truth(tree: SampleTree) -> None:
    """Runs, sizes and times named in the result are those on disk."""
    assert len(tree.runs) == len(set(tree.runs)) >= 55
    for run in tree.runs:
        assert event_files(tree.root / run), run
    for case in tree.cases.values():
        assert case in tree.runs
    for path in event_files(tree.root):
        last = events_of(path)[-1].wall_time
        assert last <= NOW
        assert os.stat(path).st_mtime == pytest.approx(last, abs=1e-3)


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    """Progress is told once per run written, and ends complete."""
    told: list[tuple[int, int]] = []
    write_samples(tmp_path, scale=0.001, now=NOW, progress=lambda i, n: told.append((i, n)))
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert {total for _, total in told} == {len(told)}


def scalars(run: Path, tag: str) -> list[list[tuple[int, float]]]:
    """(step, value) of *tag* for each event file of a run directory, in the order of names."""
    return [
        [(e.step, v.simple_value) for e in events_of(path) for v in e.summary.value if v.tag == tag]
        for path in sorted(run.glob("*tfevents*"))
    ]


def test_special_cases(tree: SampleTree) -> None:
    """The runs named as cases show them."""
    case = {name: tree.root / run for name, run in tree.cases.items()}
    (loss,) = scalars(case["diverged"], "train/loss")
    assert np.isnan(loss[-1][1]) and np.isfinite(loss[0][1])
    first, second = scalars(case["restarted"], "lm_loss")
    assert first[-1][0] > second[0][0] > first[0][0] and second[-1][0] > first[-1][0]
    assert len(list(case["ranks"].glob("rank*/*tfevents*"))) == 4
    (stalled,) = case["stalled"].glob("*tfevents*")
    assert 2 * 3600 < NOW - os.stat(stalled).st_mtime < 12 * 3600
    assert content(case["copied"]) == content(case["original"])


def test_hyperparameters_matter(tree: SampleTree) -> None:
    """The bigger model and the fitting rate end better, whatever the seed: a sweep can tell."""

    def best(name: str) -> float:
        run = tree.root / "lab-cluster/vision/imagenet-sweep" / name
        return max(value for _, value in scalars(run, "val/acc1")[0])

    assert best("resnet50_lr0.1_bs256_s0") > best("resnet18_lr0.1_bs256_s0")
    assert best("resnet18_lr0.1_bs256_s0") > best("resnet18_lr0.03_bs256_s0")


def test_media_can_be_opened(tree: SampleTree) -> None:
    """Pictures are pictures, and the graphs are graphs for TensorBoard's own converter."""
    pictures, graphs = 0, 0
    for path in event_files(tree.root):
        for event in events_of(path):
            if event.graph_def:
                assert graph_pb2.GraphDef.FromString(event.graph_def).node
                graphs += 1
            for value in event.summary.value:
                if value.HasField("image"):
                    with Image.open(io.BytesIO(value.image.encoded_image_string)) as picture:
                        assert picture.size == (value.image.width, value.image.height)
                    pictures += 1
                if value.metadata.plugin_data.plugin_name == "graph_keras_model":
                    model = json.loads(value.tensor.string_val[0])
                    assert keras_util.keras_model_to_graph_def(model).node
                    graphs += 1
    assert pictures and graphs >= 5


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # tbparse 0.0.9 on pandas 3.1
def test_tbparse_reads_a_run(tree: SampleTree) -> None:
    """The second reader finds the same points."""
    run = tree.root / tree.cases["original"]
    (path,) = run.glob("*tfevents*")
    table = SummaryReader(str(path)).scalars
    (points,) = scalars(run, "val/loss")
    found = table[table["tag"] == "val/loss"]
    assert list(zip(found["step"], found["value"], strict=True)) == points


def test_live_runs_grow(tmp_path: Path) -> None:
    """Live runs log on from where they were; nothing is written twice, other files rest."""
    tree = write_samples(tmp_path, scale=SCALE, now=NOW)
    before = content(tmp_path)
    added = append_live(tree, NOW + 6 * 3600)
    after = content(tmp_path)
    grown = {name for name in before if after[name] != before[name]}
    assert added > 0 and grown
    assert grown <= {str(file.path.relative_to(tmp_path)) for file in tree.live}
    for name in grown:
        assert after[name].startswith(before[name])
        events = events_of(tmp_path / name)
        times = [event.wall_time for event in events]
        assert times == sorted(times) and NOW < times[-1] <= NOW + 6 * 3600
        assert len(list(RawEventFileLoader(str(tmp_path / name)).Load())) == len(events)
    assert append_live(tree, NOW + 6 * 3600) == 0
