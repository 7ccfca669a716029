"""Event files that are written back from a lake give the same lake again, whatever they held."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto import event_pb2, graph_pb2, summary_pb2, tensor_pb2
from tensorboard.util import tensor_util

from boardlake.core.settings import SourceSettings
from boardlake.core.values import Job
from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter, frame
from boardlake.ingest.setup import setups
from boardlake.lake import jobs
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.lake.logdir.export import Receipt, export

from .conftest import House
from .test_properties import BOUNDED, FORMS, NAMES, encode, events

WALL = 1_700_000_000.0
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)

# All of a lake but what is of the bytes as they lay there, and of the time and place of reading.
TABLES = {
    "runs": "SELECT * EXCLUDE (run_id, size, discovered_at, state, duplicate_of) FROM runs",
    "files": "SELECT r.path AS run, f.* EXCLUDE (file_id, run_id, size, version, offset_read, head_bytes,"
    " head_hash, tail_bytes, tail_hash, content_key, grew_at, status, missing_since)"
    " FROM files f LEFT JOIN run_facts r USING (run_id)",
    "series": "SELECT r.path, s.* EXCLUDE (run_id) REPLACE (printf('%.9e', mean) AS mean,"
    " printf('%.9e', std) AS std) FROM series s JOIN run_facts r USING (run_id)",
    "hparams": "SELECT r.path, h.* EXCLUDE (run_id) FROM hparams h JOIN run_facts r USING (run_id)",
    "jobs": "SELECT r.path, j.* EXCLUDE (run_id) FROM jobs j JOIN run_facts r USING (run_id)",
    "artifacts": "SELECT r.path, a.* EXCLUDE (run_id) FROM artifacts a JOIN run_facts r USING (run_id)",
}


def tables(house: House) -> dict[str, list[str]]:
    """Everything that comes back, in one order; NaN equals NaN."""
    found = {name: sorted(map(repr, house.query(sql))) for name, sql in TABLES.items()}
    return found | {"points": house.points()}


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def again(house: House, build: Callable[[], House]) -> tuple[Receipt, House]:
    """Export a lake, and ingest that as the same source."""
    told = export(house.lake, house.root / "out", force=True)
    second = build()
    second.source = house.root / "out"
    second.cycle()
    return told, second


def assert_same(house: House, second: House) -> None:
    """Every table of both lakes is the same, and so is what the second lake exports."""
    found, wanted = tables(second), tables(house)
    for name in wanted:
        more = sorted(set(found[name]) - set(wanted[name]))
        less = sorted(set(wanted[name]) - set(found[name]))
        assert (name, more[:3], less[:3]) == (name, [], [])
        assert len(found[name]) == len(wanted[name])
    export(second.lake, second.root / "out")
    first, other = tree(house.root / "out"), tree(second.root / "out")
    # Which snapshot it was is the lake's own.
    del first["manifest.json"], other["manifest.json"]
    differ = [name for name in first | other if first.get(name) != other.get(name)]
    assert differ == []


def assert_comes_back(house: House, build: Callable[[], House]) -> Receipt:
    """All of a lake is there after a round trip."""
    told, second = again(house, build)
    with second.lake:
        assert_same(house, second)
    return told


def value(tag: str, array: Any, plugin: str | None = None, content: bytes = b"") -> Any:
    """A tensor of any kind."""
    about = None if plugin is None else forms.plugin_metadata(plugin, content)
    return forms.tensor_value(tag, array, about)


def every_form() -> Iterator[Any]:
    """Values of every kind that a summary can hold, odd ones as well."""
    yield forms.simple("loss", 0.1)
    yield forms.scalar_tensor("tf2", 2.5, description="what it is")
    yield forms.scalar_tensor("double", 0.1, "float64", description="in full")
    yield forms.scalar_new_style("new", 1 / 3, True)
    for dtype in ("float16", "int8", "uint8", "int16", "uint16", "int32", "int64", "bool"):
        yield value(f"scalar/{dtype}", np.array(1, dtype), "scalars")
        yield value(f"tensor/{dtype}", np.array([[1, 0], [1, 1]], dtype), "mine", b"\x08\x01")
        yield value(f"number/{dtype}", np.array(1, dtype))
    yield value("big", np.array([2**60, -(2**60) + 1]), "mine")
    yield value("big scalar", np.array(2**60 + 1), "scalars")
    yield value("complex", np.array([1 + 2j]))
    yield value("empty", np.zeros((0, 3), "f4"))
    yield value("signs", np.array([-0.0, 0.0, math.nan, math.inf]))
    half = tensor_pb2.TensorProto(dtype=14, half_val=[16256])
    yield summary_pb2.Summary.Value(tag="bfloat16", tensor=half)
    wide = tensor_pb2.TensorProto(dtype=1, float_val=[1.0])
    wide.tensor_shape.dim.add(size=1 << 40)
    yield summary_pb2.Summary.Value(tag="too big", tensor=wide)
    yield forms.histogram("weights", [0.5, 1.0, 2.0])
    yield summary_pb2.Summary.Value(tag="nothing", histo=summary_pb2.HistogramProto())
    yield forms.histogram_tensor("weights2", [0.5, 1.0, 2.0])
    yield value("ends", np.array([[0.0, 1.0, 0.0], [1.0, 2.0, 3.0]]), "histograms")
    yield forms.image("image", PNG, 4, 3)
    yield forms.image_tensor("images", [PNG, PNG + b"2", b""], 4, 3)
    yield forms.image_tensor("no images", [], 4, 3)
    yield forms.audio_tensor("sound", [b"RIFFaaaaWAVE", b"b"], ["one", "two"])
    yield forms.audio_tensor("quiet", [b"RIFFaaaaWAVE"], [""])
    yield forms.text("words", "a *text*")
    yield forms.text_tensor("rows", [["a", "b"], ["c", "ü\0"]])
    yield value("bytes", np.array([b"\xff\xfe", b"ok"], object), "text")
    yield forms.pr_curve("pr", [0, 1, 1], [0.1, 0.7, 0.9])
    yield from forms.mesh("mesh", np.zeros((1, 3, 3), "f4"), None, None)
    yield forms.layout({"all": {"losses": ["loss.*"]}})
    yield forms.hparams_experiment({"lr": 0.1, "opt": "adam"}, ["loss"])
    yield forms.hparams_start({"lr": 0.1, "opt": "adam", "api_key": "hunter2"})
    yield forms.hparams_end("SUCCESS")
    yield forms.keras_model('{"config": {}}', "keras")
    own = value("blobs", np.array([b"one", b"two"], object), "own")
    own.metadata.data_class = summary_pb2.DATA_CLASS_BLOB_SEQUENCE
    yield own
    yield summary_pb2.Summary.Value(tag="none", metadata=forms.plugin_metadata("text", b""))
    yield summary_pb2.Summary.Value(tag="")
    yield summary_pb2.Summary.Value(node_name="node", simple_value=3.0)
    yield forms.simple("x" * 5000, 1.0)
    # One tag for several kinds of things, told apart by their form only.
    yield forms.simple("shared", 1.5)
    yield forms.histogram("shared", [1.0, 2.0])
    yield value("shared", np.array([b"text"], object), "text")
    yield forms.scalar_new_style("shared2", 0.1, True)
    yield forms.histogram("shared2", [1.0, 3.0])


def write_everything(path: Path) -> None:
    """A file of all that an event file can hold, and of some that it should not."""
    with EventWriter(path) as writer:
        writer.file_version(WALL - 1, writer="test.writer")
        for step, wall in ((0, WALL), (-5, math.nan), (1 << 62, WALL + 2), (7, math.inf)):
            for form in every_form():
                writer.values([form], step, wall)
        writer.values(list(every_form()), 8, WALL + 3)
        writer.values([forms.simple("twice", 1.0), forms.simple("twice", 2.0)], 3, WALL + 4)
        images = [forms.image_tensor("two", [PNG + bytes([i])] * (i + 1), i, 9) for i in (1, 2)]
        writer.values(images, 3, WALL + 4)
        writer.event(event_pb2.Event(wall_time=WALL + 5))
        writer.raw(frame(b"no event at all"))
        writer.graph(graph_pb2.GraphDef(), WALL + 6)
        graph = graph_pb2.GraphDef()
        graph.node.add(name="x", op="Const")
        writer.graph(graph, WALL + 6)
        writer.event(event_pb2.Event(wall_time=WALL, meta_graph_def=b"meta"))
        writer.session_log("START", 0, WALL)
        writer.session_log("CHECKPOINT", 9, WALL + 7, checkpoint="/ckpt/model-9")
        writer.event(event_pb2.Event(log_message=event_pb2.LogMessage(message="hello")))
        tagged = event_pb2.TaggedRunMetadata(tag="step 1", run_metadata=b"\x0a\x00")
        writer.event(event_pb2.Event(wall_time=WALL, step=1, tagged_run_metadata=tagged))
        damaged = bytearray(frame(b"\x09" + bytes(8)))
        damaged[-1] ^= 1
        writer.raw(bytes(damaged))
        writer.scalar("loss", math.nan, 9, WALL + 8)
        writer.scalar("loss", -0.0, 10, WALL + 8)
        writer.scalar("loss", 3.0, 2, WALL + 9)
        writer.event(event_pb2.Event(wall_time=WALL + 10))


def test_everything_comes_back(house: House, build: Callable[[], House]) -> None:
    """All kinds of values, damage and fillers; a second file, a stream, a packed one and an empty one."""
    write_everything(house.source / "run" / NAMES[0])
    with EventWriter(house.source / "run" / NAMES[1]) as writer:
        # TF2 describes a tag once; what follows relies on the file before.
        writer.file_version(WALL + 20)
        form = forms.scalar_tensor("double", 0.7, "float64")
        form.ClearField("metadata")
        writer.values([form], 4, WALL + 21)
    with EventWriter(house.source / "run/train" / NAMES[0]) as writer:
        writer.scalar("loss", 1.0, 1, WALL)
    packed = house.source / "packed" / f"{NAMES[0]}.gz"
    packed.parent.mkdir()
    plain = house.write(f"packed/{NAMES[0]}", [("loss", step, step / 3) for step in range(50)])
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    (house.source / "run" / NAMES[2]).touch()
    house.cycle()
    assert house.one("SELECT count(DISTINCT plugin) FROM series") > 14
    assert house.one("SELECT count(*) FROM tensors WHERE dtype IN ('', 'none')") > 3
    told = assert_comes_back(house, build)
    assert (told.runs, told.files, told.left_out) == (2, 5, {})
    assert told.points == house.one("SELECT count(*) FROM scalar_points")
    assert gzip.decompress((house.root / "out/packed" / packed.name).read_bytes())


def test_the_corpus_comes_back(
    corpus_lake: Path, tmp_path: Path, build: Callable[[], House]
) -> None:
    """Real files of many writers: equal tables, and the same export again."""
    with open_lake(locate(str(corpus_lake)), read_only=True) as lake:
        house = House(tmp_path, lake)
        ((source, count),) = house.query("SELECT source, files FROM sources")
        told = export(lake, tmp_path / "out")
        assert (told.files, told.left_out) == (count, {})
        second = build()
        with second.lake:
            settings = {source: SourceSettings(uri=str(tmp_path / "out"))}
            (report,) = run(second.lake, setups(settings), Options())
            assert not report.error
            assert_same(house, second)


def test_tensorboard_reads_it(house: House) -> None:
    """TensorBoard's own loader finds every record, and in it what it found in the original."""
    path = house.source / "run" / NAMES[0]
    with EventWriter(path) as writer:
        writer.file_version(WALL, writer="test.writer")
        for step in range(30):
            writer.scalar("loss", step / 7, step, WALL + step)
            writer.scalar_new_style("double", step / 7, step, WALL + step, double=True)
        writer.histogram_tensor("weights", [1.0, 2.0, 3.0], 30, WALL + 30)
        writer.image_tensor("image", [PNG], 4, 3, 30, WALL + 30)
        writer.text_tensor("words", ["a", "b"], 30, WALL + 30)
    house.cycle()
    export(house.lake, house.root / "out")
    found = list(EventFileLoader(str(house.root / "out/run" / NAMES[0])).Load())
    wanted = list(EventFileLoader(str(path)).Load())
    assert told(found) == told(wanted)
    assert found[0].file_version == "brain.Event:2"
    assert found[0].source_metadata.writer == "test.writer"


def test_tensorboard_reads_real_files_the_same(
    corpus: Path, corpus_lake: Path, tmp_path: Path
) -> None:
    """Of files of all kinds it finds the same series, steps and wall times, and the same scalars."""
    with open_lake(locate(str(corpus_lake)), read_only=True) as lake:
        export(lake, tmp_path / "out")
        paths = lake.query(
            "SELECT path FROM files WHERE status = 'ok' AND records > 0 ORDER BY path"
        )
    looked = 0
    for (path,) in paths[::8]:
        if (corpus / path).stat().st_size < 300_000 and not path.endswith(".gz"):
            looked += 1
            found, wanted = (
                [
                    (*one[:4], one[4] if one[2] == "scalars" else None)
                    for one in told(list(EventFileLoader(str(folder / path)).Load()))
                ]
                for folder in (tmp_path / "out", corpus)
            )
            assert sorted(map(repr, found)) == sorted(map(repr, wanted)), path
    assert looked > 50


def told(events: list[Any]) -> list[Any]:
    """What events say, whatever their encoding; the first of a tag says what it is."""
    known: dict[str, str] = {}
    return [
        (
            event.step,
            event.wall_time,
            known.setdefault(one.tag, one.metadata.plugin_data.plugin_name),
            one.tag,
            tensor_util.make_ndarray(one.tensor).tolist() if one.tensor.dtype else None,
        )
        for event in events
        for one in event.summary.value
    ]


def test_plain_files_come_back_byte_for_byte(house: House) -> None:
    """What PyTorch and TF1 write of scalars is written the same way again."""
    points = [(tag, step, step / 8) for step in range(300) for tag in ("loss", "acc/top")]
    path = house.write(f"run/{NAMES[0]}", points)
    house.cycle()
    export(house.lake, house.root / "out")
    assert (house.root / "out/run" / NAMES[0]).read_bytes() == path.read_bytes()


@given(st.lists(st.lists(events, max_size=14), min_size=1, max_size=4), st.data())
@settings(BOUNDED, max_examples=6)
def test_any_files_come_back(build: Callable[[], House], found: list[Any], data: Any) -> None:
    """Whatever events files hold, and however small the portions of an export are."""
    house = build()
    with house.lake, pytest.MonkeyPatch.context() as patch:
        for name, one in zip(NAMES, found, strict=False):
            path = house.source / "run" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(encode(one))
        house.cycle()
        portion = data.draw(st.sampled_from([1 << 26, 500, 100]))
        patch.setattr("boardlake.lake.logdir.chunks.CHUNK_BYTES", portion)
        patch.setattr("boardlake.lake.logdir.chunks._BIN", 3)
        patch.setattr("boardlake.lake.logdir.export._WRITE_BYTES", portion)
        assert_comes_back(house, build)


def test_long_files_come_back(
    house: House, build: Callable[[], House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is taken apart by its records: the same bytes as at once, and series described once."""
    with EventWriter(house.source / "run" / NAMES[0]) as writer:
        writer.file_version(WALL)
        for step in range(400):
            for name in ("loss", "tf2", "double", "weights", "image"):
                writer.values([FORMS[name](step / 3)], step, WALL + step)
    house.cycle()
    export(house.lake, house.root / "whole")
    monkeypatch.setattr("boardlake.lake.logdir.chunks.CHUNK_BYTES", 10_000)
    monkeypatch.setattr("boardlake.lake.logdir.chunks._BIN", 50)
    assert_comes_back(house, build)
    assert tree(house.root / "whole/run") == tree(house.root / "out/run")


def test_what_lies_beside_comes_back(house: House, build: Callable[[], House]) -> None:
    """Settings, commit, command, end, artifacts and what the source's settings made of the path."""
    house.write(f"exp/lr=0.1/{NAMES[0]}", [("loss", 1, 1.0)])
    beside = house.source / "exp/lr=0.1"
    (beside / "hparams.yaml").write_text(
        "model: {depth: 3}\napi_key: hunter2\nnan: .nan\nname: '1'\n"
    )
    (beside / "args.json").write_text('{"epochs": 3, "flag": true, "none": null, "list": [1, "a"]}')
    (beside / "git-info.log").write_text("commit hash: 0123456789abcdef0123456789abcdef01234567\n")
    (beside / "cmd-args.log").write_text("train.py --lr 0.1 --password geheim\n")
    (beside / "error.txt").write_text("Traceback\nValueError: no\n")
    (beside / "checkpoint-12.pt").write_bytes(b"weights")
    house.cycle(run_pattern="(?P<project>[^/]+)/lr=(?P<lr>[^/]+)")
    assert house.one("SELECT count(DISTINCT origin) FROM hparams") == 3
    assert house.one("SELECT command FROM runs") == "train.py --lr 0.1 --password ***"
    ((path,),) = house.query("SELECT path FROM run_facts")
    job = Job("12_3", "12", "sweep", "me", "FAILED", "host,gpu[01-04]", "gpu", WALL - 20, WALL - 10)
    jobs.settle(
        house.lake, "src", [replace(job, ended_at=1.7e9 + 9.5, exit_code="1:0", roots=(path,))]
    )
    assert house.one("SELECT job_id FROM runs") == "12_3"
    told = assert_comes_back(house, build)
    _, second = again(house, build)
    with second.lake:
        assert second.one("SELECT end_state FROM run_facts") == "failed"
        assert second.query("SELECT end_at FROM run_facts") == house.query(
            "SELECT end_at FROM run_facts"
        )
    assert told.left_out == {}
    assert b"hunter2" not in (house.root / "out/exp/lr=0.1/boardlake.json").read_bytes()


def test_bytes_that_stayed_at_the_source(house: House, build: Callable[[], House]) -> None:
    """They are fetched; where they cannot be had the rest is written, and it is told how many and why."""
    with EventWriter(house.source / "run" / NAMES[0]) as writer:
        writer.file_version(WALL)
        writer.image_tensor("images", [PNG, PNG + b"2"], 4, 3, 1, WALL)
        writer.scalar("loss", 1.0, 1, WALL)
    house.cycle(media="reference")
    told, second = again(house, build)
    with second.lake:
        images = second.query("SELECT idx, width, height, data FROM blobs ORDER BY idx")
    assert images == [(0, 4, 3, PNG), (1, 4, 3, PNG + b"2")]
    assert told.left_out == {}
    (house.source / "run" / NAMES[0]).unlink()
    told = export(house.lake, house.root / "out", force=True)
    ((reason, count),) = told.left_out.items()
    assert "left at the source" in reason
    assert (count, told.points) == (2, 1)
    third = build()
    with third.lake:
        third.source = house.root / "out"
        third.cycle()
        assert third.query("SELECT tag, record FROM scalar_points") == [("loss", 2)]
        assert third.one("SELECT records FROM files") == 3
