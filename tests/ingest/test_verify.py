"""What `boardlake verify` must find, and what it must not."""

from __future__ import annotations

import gzip
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.util import tensor_util

from boardlake.cli.main import main
from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options
from boardlake.ingest.sample import write_samples
from boardlake.ingest.sample.writer import encode_event, frame
from boardlake.ingest.setup import setups
from boardlake.ingest.verify import GONE, OTHER, VerifyReport, choose, verify
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate

NOW = 1_760_000_000.0
POINTS = 6 * 13 + 3 + 2  # of events()
Event, Value = event_pb2.Event, summary_pb2.Summary.Value


def ingest(lake: Lake, root: Path) -> None:
    """One cycle over *root*."""
    (report,) = run(lake, setups({}, (str(root),)), Options())
    assert not report.error


def opened(place: Path) -> Lake:
    """A lake for writing, made if need be."""
    return open_lake(locate(str(place)), read_only=False, create=True)


def verified(lake: Lake, expression: str = "", processes: int = 0) -> VerifyReport:
    """A verification of all runs that a filter finds."""
    return verify(lake, choose(lake, expression), processes=processes)


def tensor(tag: str, data: object, plugin: str = "", content: bytes = b"") -> Value:
    """A summary value of the form that TF2 writes."""
    value = Value(tag=tag, tensor=tensor_util.make_tensor_proto(data))
    value.metadata.plugin_data.plugin_name = plugin
    value.metadata.plugin_data.content = content
    return value


def events() -> list[event_pb2.Event]:
    """A log with a value of every form."""
    histo = summary_pb2.HistogramProto(
        min=0.1, max=3.3, num=6, sum=9, sum_squares=20,
        bucket_limit=[0, 1 / 3, 2, 1e308], bucket=[0, 1, 2, 3],
    )  # fmt: skip
    image = summary_pb2.Summary.Image(height=2, width=3, encoded_image_string=b"\x89PNG one")
    audio = summary_pb2.Summary.Audio(encoded_audio_string=b"RIFF....WAVE", sample_rate=8000)
    found = [Event(wall_time=NOW, file_version="brain.Event:2")]
    for step in range(6):
        values = [
            Value(tag="loss", simple_value=1 / (step + 1)),
            tensor("tf2/loss", 0.1 * step, "scalars"),
            Value(tag="weights", histo=histo),
            tensor("note", [f"step {step}".encode()], "text"),
            Value(tag="picture", image=image),
            Value(tag="sound", audio=audio),
            tensor("gallery", [b"4", b"5", b"first", b"second %d" % step], "images"),
            tensor("curve", [[0.5, step], [1.5, 2.5]], "pr_curves"),
            tensor("own", [1, 2, step], "some_plugin"),
            tensor("plain", 3.5 * step),
            tensor("_hparams_/session_start_info", 0.0, "hparams", b"\x12\x00"),
            Value(tag="nothing"),
        ]
        found.append(Event(wall_time=NOW + step / 3, step=step, summary={"value": values}))
    special = [math.nan, math.inf, -math.inf]
    for step, number in enumerate(special):
        value = Value(tag="special", simple_value=number)
        found.append(Event(wall_time=NOW + 9, step=-step, summary={"value": [value]}))
    found.append(Event(wall_time=NOW + 10, graph_def=b"a graph"))
    found.append(Event(wall_time=NOW + 11, step=6, session_log={"status": 3, "msg": "saved"}))
    return found


def tables() -> list[event_pb2.Event]:
    """A log of texts that are tables, at which tbparse gives up."""
    values = [tensor("table", [["a", "b"], ["c", f"{step}"]], "text") for step in range(6)]
    return [
        Event(wall_time=NOW, step=step, summary={"value": [value]})
        for step, value in enumerate(values)
    ]


def write(path: Path, found: list[event_pb2.Event]) -> Path:
    """An event file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(encode_event(event) for event in found))
    return path


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with logs and a lake of them."""
    folder = tmp_path_factory.mktemp("verify")
    write(folder / "logs/a/events.out.tfevents.1760000000.host", events())
    write(folder / "logs/b/events.out.tfevents.1760000001.host", tables())
    with opened(folder / "lake") as lake:
        ingest(lake, folder / "logs")
    return folder


@pytest.fixture
def lake(pristine: Path, tmp_path: Path) -> Iterator[Lake]:
    """A copy of that lake to tamper with."""
    shutil.copytree(pristine / "lake", tmp_path / "lake")
    with opened(tmp_path / "lake") as copy:
        yield copy


def test_every_form_of_value_is_compared(lake: Lake) -> None:
    """A faithful lake differs in nothing, and every row of it was compared."""
    report = verified(lake)
    assert report.differences == [] and report.skipped == []
    rows = sum(
        lake.query(f"SELECT count(*) FROM {table}")[0][0]
        for table in ("scalar_points", "tensors", "blobs")
    )
    assert (report.runs, report.files, report.by_tbparse) == (2, 2, 2)
    assert report.points == rows == POINTS + 6
    assert report.series == lake.query("SELECT count(*) FROM series")[0][0]


TAMPERED = {
    "a value": ("UPDATE scalar_points SET value = 0.25 WHERE tag = 'loss' AND step = 2", "loss", "value"),
    "a wall time by one ulp": (
        "UPDATE scalar_points SET wall_time = ? WHERE tag = 'loss' AND step = 2", "loss", "wall_time",
    ),
    "a step": ("UPDATE scalar_points SET step = 7 WHERE tag = 'loss' AND step = 2", "loss", "step"),
    "a NaN that became NULL": (
        "UPDATE scalar_points SET value = NULL WHERE isnan(value)", "special", "value",
    ),
    "a point lost": ("DELETE FROM scalar_points WHERE tag = 'tf2/loss' AND step = 3", "tf2/loss", "missing"),
    "a series lost": ("DELETE FROM scalar_points WHERE tag = 'loss'", "loss", "missing"),
    "a point twice": (
        "INSERT INTO scalar_points SELECT * FROM scalar_points WHERE tag = 'loss' AND step = 1",
        "loss", "extra",
    ),
    "a point of no record": (
        "INSERT INTO scalar_points SELECT * REPLACE (10000 AS record) FROM scalar_points"
        " WHERE tag = 'loss' AND step = 1", "loss", "extra",
    ),
    "a point of no file": (
        "INSERT INTO scalar_points SELECT * REPLACE (77 AS file_id) FROM scalar_points"
        " WHERE tag = 'loss' AND step = 1", "loss", "extra",
    ),
    "a text": ("UPDATE tensors SET strings = ['step 9'] WHERE tag = 'note' AND step = 4", "note", "strings"),
    "a cell of a table": (
        "UPDATE tensors SET strings = ['a', 'b', 'c', 'x'] WHERE tag = 'table' AND step = 4",
        "table", "strings",
    ),
    "a shape": ("UPDATE tensors SET shape = [4] WHERE tag = 'table' AND step = 4", "table", "shape"),
    "a bucket": (
        "UPDATE tensors SET data = list_concat([0.100000001], data[2:]) WHERE tag = 'weights' AND step = 0",
        "weights", "data",
    ),
    "a curve": ("UPDATE tensors SET data = NULL WHERE tag = 'curve' AND step = 0", "curve", "data"),
    "hparams": ("UPDATE tensors SET raw = 'x'::BLOB WHERE plugin = 'hparams' AND step = 0",
        "_hparams_/session_start_info", "digest"),
    "a value of no plugin": ("DELETE FROM tensors WHERE tag = 'plain' AND step = 5", "plain", "missing"),
    "a picture": ("UPDATE blobs SET data = 'x'::BLOB WHERE tag = 'gallery' AND idx = 1 AND step = 0",
        "gallery", "digest"),
    "the second of two pictures": (
        "DELETE FROM blobs WHERE tag = 'gallery' AND idx = 1 AND step = 0", "gallery", "missing"),
    "a sound's size": ("UPDATE blobs SET nbytes = 3 WHERE tag = 'sound' AND step = 0", "sound", "nbytes"),
    "the graph": ("DELETE FROM blobs WHERE tag = '__run_graph__'", "__run_graph__", "missing"),
    "a record not counted": ("UPDATE files SET records = records - 1 WHERE path LIKE 'a/%'", "", "records"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_tampered_with_is_found_and_named(lake: Lake, name: str) -> None:
    """Whatever is changed in the lake is found, with its run, file, tag and what is wrong."""
    sql, tag, what = TAMPERED[name]
    ulp = math.nextafter(NOW + 2 / 3, math.inf)
    with lake.transaction() as con:
        con.execute(sql, [ulp] if "?" in sql else None)
    report = verified(lake)
    assert {d.tag for d in report.differences} == {tag}, report.differences
    (named,) = [d for d in report.differences if d.what == what and "tbparse" not in d.reader]
    assert named.run == ("b" if tag == "table" else "a") and named.rows == (
        6 if name == "a series lost" else 1
    )
    if name != "a point of no file":
        assert f":{named.run}/events.out.tfevents.176000000" in named.file


@pytest.mark.parametrize("tag", ["loss", "tf2/loss", "weights", "note", "curve", "own", "plain"])
def test_tbparse_is_a_second_witness(lake: Lake, tag: str) -> None:
    """What tbparse can see, it misses by itself where the lake has it not."""
    table = "scalar_points" if tag.endswith("loss") else "tensors"
    with lake.transaction() as con:
        con.execute(f"DELETE FROM {table} WHERE tag = ? AND step = 1", [tag])
    found = {(d.tag, d.what) for d in verified(lake).differences if "tbparse" in d.reader}
    assert found == {(tag, "missing"), (tag, "count")}


def test_bytes_that_stay_outside_are_compared_by_size(lake: Lake) -> None:
    """A lake that does not keep pictures is no different from the files."""
    with lake.transaction() as con:
        con.execute("UPDATE blobs SET data = NULL, location = 'elsewhere'")
    assert verified(lake).differences == []
    with lake.transaction() as con:
        con.execute("UPDATE blobs SET nbytes = nbytes + 1 WHERE tag = 'picture'")
    assert {(d.tag, d.what, d.rows) for d in verified(lake).differences} == {
        ("picture", "nbytes", 6)
    }


def test_a_file_that_goes_on_is_compared_up_to_the_cursor(tmp_path: Path) -> None:
    """What a file got since it was read does not count, nor does a torn last record."""
    path = write(tmp_path / "logs/a/events.out.tfevents.1760000000.host", events())
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        with path.open("ab") as file:
            file.write(encode_event(events()[1]) + encode_event(events()[2])[:-9])
        report = verified(lake)
        assert (report.differences, report.skipped, report.files) == ([], [], 1)
        ingest(lake, tmp_path / "logs")
        report = verified(lake)
        assert (report.differences, report.skipped, report.files) == ([], [], 1)


def test_gzipped_files_are_compared(tmp_path: Path) -> None:
    """A compressed file is unpacked for the readers."""
    path = tmp_path / "logs/a/events.out.tfevents.1760000000.host.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(b"".join(encode_event(event) for event in events())))
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        report = verified(lake)
        assert (report.differences, report.skipped, report.files) == ([], [], 1)
        assert report.points > 80


def test_files_that_are_gone_or_others_are_skipped(tmp_path: Path) -> None:
    """A file that is no longer there, or was replaced, is named with the reason, and no difference."""
    write(tmp_path / "logs/a/events.out.tfevents.1760000000.host", events())
    gone = write(tmp_path / "logs/b/events.out.tfevents.1760000001.host", events())
    other = write(tmp_path / "logs/c/events.out.tfevents.1760000002.host", events())
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        gone.unlink()
        write(other, events()[::-1])
        report = verified(lake)
        assert report.differences == [] and report.files == 1
        reasons = {path.partition(":")[2]: why for path, why in report.skipped}
        names = [str(path.relative_to(tmp_path / "logs")) for path in (gone, other)]
        assert reasons == dict(zip(names, (GONE, OTHER), strict=True))
        shutil.rmtree(tmp_path / "logs")
        reasons = {why for _, why in verified(lake).skipped}
        assert all("cannot be read" in why for why in reasons) and len(reasons) == 1


def test_metadata_of_a_file_that_is_gone_still_counts(tmp_path: Path) -> None:
    """A writer says once that a tag holds scalars; the file that said it may be gone."""
    first = tensor("late", 1.0, "scalars")
    bare = tensor("late", 2.0)
    bare.ClearField("metadata")
    paths = []
    for number, value in enumerate((first, bare)):
        event = Event(wall_time=NOW, step=number, summary={"value": [value]})
        paths.append(write(tmp_path / f"logs/a/events.out.tfevents.176000000{number}.h", [event]))
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        assert verified(lake).differences == []
        paths[0].unlink()
        report = verified(lake)
        assert report.differences == [] and len(report.skipped) == 1


@pytest.mark.parametrize("where", ["payload", "length", "both"])
def test_damage_is_compared_around(tmp_path: Path, where: str) -> None:
    """What lies behind damage is compared too, and damage that the lake does not list is found."""
    records = [encode_event(event) for event in events()]
    data = bytearray(b"".join(records))
    third, fifth = (sum(map(len, records[:n])) for n in (2, 4))
    if where != "length":
        data[third + 40] ^= 1
    if where != "payload":
        data[fifth + 9] ^= 1
    path = tmp_path / "logs/a/events.out.tfevents.1760000000.host"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        report = verified(lake)
        assert report.differences == []
        assert report.points == POINTS - (26 if where == "both" else 13)
        with lake.transaction() as con:
            con.execute("UPDATE scalar_points SET value = 8 WHERE isnan(value)")
        assert {(d.tag, d.what) for d in verified(lake).differences} == {("special", "value")}
        with lake.transaction() as con:
            con.execute("DELETE FROM problems")
        ends = [d for d in verified(lake).differences if d.what == "end"]
        first = fifth if where == "length" else third
        assert [d.reader for d in ends] == [f"stops at byte {first}"]


def test_too_much_damage_is_said(tmp_path: Path) -> None:
    """Of a file that is damaged all over the begin is compared, and that is said."""
    values = [Value(tag="x", simple_value=step) for step in range(200)]
    found = [Event(wall_time=NOW, step=1, summary={"value": [value]}) for value in values]
    records = [bytearray(encode_event(event)) for event in found]
    for record in records[1::2]:
        record[-1] ^= 1
    path = tmp_path / "logs/a/events.out.tfevents.1760000000.host"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(records))
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        report = verified(lake)
        assert lake.query("SELECT count(*) FROM scalar_points") == [(100,)]
    assert report.differences == [] and 0 < report.points < 100
    ((_, why),) = report.skipped
    assert "damaged in too many places" in why


def test_a_sound_record_that_was_skipped_is_found(tmp_path: Path) -> None:
    """A problem listed where there is none excuses nothing."""
    write(tmp_path / "logs/a/events.out.tfevents.1760000000.host", events())
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        size = len(encode_event(events()[0]))
        with lake.transaction() as con:
            con.execute("DELETE FROM scalar_points WHERE record = 1")
            con.execute(
                "INSERT INTO problems SELECT now(), source, path, ?, ?, 'bad payload', '' FROM files",
                [size, len(encode_event(events()[1]))],
            )
        found = {d.tag for d in verified(lake).differences if d.what == "missing"}
        assert found == {"loss", "tf2/loss"}


def test_restarts_are_no_difference(tmp_path: Path) -> None:
    """tbparse drops what a restart overwrote; the lake keeps it, and that is right."""
    found = []
    for step in (0, 1, 2, 3, 1, 2):
        value = Value(tag="x", simple_value=step)
        found.append(Event(wall_time=NOW + len(found), step=step, summary={"value": [value]}))
    write(tmp_path / "logs/old/events.out.tfevents.1760000000.host", found)
    start = Event(wall_time=NOW, step=2, session_log={"status": 1})
    version = Event(wall_time=NOW, file_version="brain.Event:2")
    again = [version, *found[:4], start, *found[2:4]]
    write(tmp_path / "logs/new/events.out.tfevents.1760000000.host", again)
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        report = verified(lake)
        assert report.differences == [] and report.points == 6 + 6 + 1


def test_old_and_odd_records_are_read(tmp_path: Path) -> None:
    """Tags in the old place, tags beyond measure, events that are none: no reader stumbles."""
    old = Value(node_name="from/node", tensor=tensor_util.make_tensor_proto(1.5))
    long = Value(tag="t" * 5000, simple_value=1.0)
    big = tensor("big", 2**60 + 1, "scalars")
    wrong = tensor("wrong", [1.0, 2.0])
    wrong.tensor.tensor_shape.dim[0].size = 1 << 40
    bad = tensor("bytes", [b"\xff\xfe", b"ok"], "text")
    values = [old, long, big, wrong, bad]
    found = [Event(wall_time=NOW, step=1, summary={"value": [value]}) for value in values]
    payload = b"\x0a\xff\xff"
    path = write(tmp_path / "logs/a/events.out.tfevents.1760000000.host", found)
    path.write_bytes(path.read_bytes() + frame(payload) + encode_event(events()[1]))
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        report = verified(lake)
        assert report.differences == [] and report.points == 5 + 13


NUMBERS = (
    "half",
    "float32",
    "float64",
    "int8",
    "uint8",
    "int32",
    "int64",
    "uint32",
    "uint64",
    "bool",
)


@pytest.mark.parametrize("plugin", ["scalars", "", "mesh"])
def test_numbers_of_every_type_and_shape_are_compared(tmp_path: Path, plugin: str) -> None:
    """Both readers and the lake agree on every type of number, and on none at all."""
    values = []
    for name in NUMBERS:
        for shape in ((), (1,), (2, 3), (0,)):
            data = np.full(shape, 1, np.float16 if name == "half" else name)
            values.append(tensor(f"{name}/{len(shape)}/{data.size}", data, plugin))
    values.append(tensor("complex", np.array([1 + 2j]), plugin))
    values.append(tensor("big", np.array([2**53 + 1, 1]), plugin))
    found = [Event(wall_time=NOW, file_version="brain.Event:2")]
    found += [Event(wall_time=NOW, step=1, summary={"value": [value]}) for value in values]
    write(tmp_path / "logs/a/events.out.tfevents.1760000000.host", found)
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        report = verified(lake)
    assert report.differences == [] and report.points == len(values) == 4 * len(NUMBERS) + 2


def test_histograms_that_are_none_are_no_difference(tmp_path: Path) -> None:
    """Too few edges, no counts, NaN and infinite edges: neither reader nor verify stumbles."""
    kinds = [
        {"bucket": [1, 2, 3], "bucket_limit": [1]},
        {"bucket": [], "bucket_limit": []},
        {"bucket": [0, 0], "bucket_limit": [1, 2]},
        {"bucket": [1, math.nan, 1], "bucket_limit": [math.nan, math.inf, 1e308], "min": -math.inf},
    ]
    found = [Event(wall_time=NOW, file_version="brain.Event:2")]
    for step, histo in enumerate(kinds):
        value = Value(tag="h", histo=summary_pb2.HistogramProto(**histo))
        found.append(Event(wall_time=NOW, step=step, summary={"value": [value]}))
    write(tmp_path / "logs/a/events.out.tfevents.1760000000.host", found)
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
        report = verified(lake)
    assert report.differences == [] and report.points == len(kinds)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's logs and a lake of them."""
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder / "logs", scale=0.01, now=NOW)
    with opened(folder / "lake") as lake:
        ingest(lake, folder / "logs")
    return folder


def test_the_demo_is_verified(samples: Path) -> None:
    """The lake of the sample logs is no different from them, read by processes of their own."""
    with opened(samples / "lake") as lake:
        report = verified(lake, processes=2)
    assert report.differences == [] and report.skipped == []
    assert report.runs > 50 and report.points > 10_000


def test_the_command_ends_with_7(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Differences are listed on stdout and the command ends with 7; without any it ends with 0."""
    write(tmp_path / "logs/a/events.out.tfevents.1760000000.host", events())
    write(tmp_path / "logs/b/events.out.tfevents.1760000001.host", tables())
    with opened(tmp_path / "lake") as lake:
        ingest(lake, tmp_path / "logs")
    arguments = ["--lake", str(tmp_path / "lake"), "verify"]
    assert main([*arguments, "--sample", "5", "--seed", "3", "--json"]) == 0
    captured = capsys.readouterr()
    assert "--seed 3" in captured.err
    found = json.loads(captured.out)
    assert (found["files"], found["differences"], found["seed"]) == (2, [], 3)
    with opened(tmp_path / "lake") as lake, lake.transaction() as con:
        con.execute("UPDATE scalar_points SET value = 2 WHERE tag = 'loss' AND step = 2")
    assert main([*arguments, "name = 'a'"]) == 7
    captured = capsys.readouterr()
    assert "'loss'" in captured.out and "value 2" in captured.out
    assert "differences" in captured.err
    assert main([*arguments, "name = 'b'"]) == 0


def test_a_sample_is_the_same_for_the_same_seed(samples: Path) -> None:
    """So many runs are chosen among those that match, by the seed alone."""
    with opened(samples / "lake") as lake:
        every = choose(lake)
        first, again, other = (choose(lake, "", 10, seed) for seed in (1, 1, 2))
        assert first == again != other and len(first) == 10
        assert set(first) < set(every) and choose(lake, "", 10_000, 1) == every


def test_a_configured_source_is_read_by_its_settings(pristine: Path, tmp_path: Path) -> None:
    """Where the config says where a source lies, that counts, not what the lake remembers."""
    shutil.copytree(pristine / "lake", tmp_path / "lake")
    shutil.copytree(pristine / "logs", tmp_path / "moved")
    with opened(tmp_path / "lake") as lake:
        (name,) = (row[0] for row in lake.query("SELECT source FROM source_facts"))
        settings = {name: SourceSettings(uri=str(tmp_path / "moved"))}
        assert verify(lake, choose(lake), settings, processes=0).files == 2
        shutil.rmtree(tmp_path / "moved")
        assert verify(lake, choose(lake), settings, processes=0).files == 0


def test_the_corpus_is_verified(corpus: Path, tmp_path: Path) -> None:
    """A lake of real logs of 53 projects differs in nothing from what both readers find in them."""
    with opened(tmp_path / "lake") as lake:
        ingest(lake, corpus)
        report = verified(lake, processes=2)
    assert report.differences == [] and report.skipped == []
    assert (report.files, report.by_tbparse) == (652, 652)
    assert report.points > 180_000 and report.series > 3_000
