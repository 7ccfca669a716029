"""What cycles make of directories: runs and streams, states, copies, vanished files, side files."""

from __future__ import annotations

import os
import shutil
import time
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest import provenance
from boardlake.ingest.cycle import run
from boardlake.ingest.memory import Memory
from boardlake.ingest.report import Options
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.ingest.sources.local.source import LocalSource

WALL = 1_700_000_000.0
NAME = "events.out.tfevents.1700000000.host.7.0"
LATER = "events.out.tfevents.1700000500.host.8.0"
POINTS = [("loss", step, float(step)) for step in range(4)]


def streams(house: Any) -> list[tuple[str, str]]:
    """(run, stream) of every series."""
    return house.query(
        "SELECT DISTINCT path, stream FROM series JOIN runs USING (run_id) ORDER BY ALL"
    )


def test_train_and_validation_are_one_run(house: Any) -> None:
    """Directories named like a stream belong to the job above them."""
    for stream in ("train", "validation"):
        house.write(f"job/{stream}/{NAME}.v2", POINTS)
    house.write(f"parallel/rank0/{NAME}", POINTS)
    house.write(f"parallel/rank1/{NAME}", POINTS)
    house.cycle()
    assert streams(house) == [
        ("job", "train"),
        ("job", "validation"),
        ("parallel", "rank0"),
        ("parallel", "rank1"),
    ]


def test_sub_runs_of_pytorch_belong_to_their_parent(house: Any) -> None:
    """`add_hparams` and `add_scalars` write directories of their own, by the same process."""
    house.write(f"job/{NAME}", POINTS)
    with EventWriter(house.source / "job/1700000000.123" / NAME) as writer:
        writer.file_version(WALL)
        writer.hparams({"lr": 0.1}, ["best"], WALL)
        writer.scalar("best", 0.5, 0, WALL)
    house.write(f"job/loss_train/{NAME}", [("loss", 1, 1.0)])
    house.write(f"job/own/{LATER}", [("loss", 1, 1.0)])
    house.cycle()
    assert streams(house) == [
        ("job", ""),
        ("job", "1700000000.123"),
        ("job", "loss_train"),
        ("job/own", ""),
    ]
    assert house.query("SELECT name, number FROM hparams") == [("lr", 0.1)]


def test_a_sub_run_may_begin_with_a_header(house: Any) -> None:
    """Which run a directory is shows with its first value, in the same cycle or in a later one."""
    house.write(f"job/{NAME}", POINTS)
    file = house.write(f"job/loss_a/{NAME}", [("loss", 1, 1.0), ("loss", 2, 1.0)])
    content = file.read_bytes()
    file.write_bytes(content[:40])
    house.cycle(piece=16, batch=1)
    assert streams(house) == [("job", "")]
    file.write_bytes(content)
    house.cycle(piece=16, batch=1)
    assert streams(house) == [("job", ""), ("job", "loss_a")]
    assert house.one("SELECT count(*) FROM scalar_points WHERE stream = 'loss_a'") == 2
    assert house.cycle().files_changed == 0


def test_a_directory_with_several_files_is_one_curve(house: Any) -> None:
    """In the order of the times in their names, whatever the order in which they are seen."""
    house.write(f"job/{LATER}", [("loss", 2, 20.0), ("loss", 5, 50.0)])
    house.cycle()
    house.write(f"job/{NAME}", POINTS)
    house.cycle()
    found = house.query("SELECT step, value, attempt FROM scalars ORDER BY step")
    assert found == [(0, 0.0, 0), (1, 1.0, 0), (2, 20.0, 1), (5, 50.0, 1)]
    assert house.query("SELECT attempts, points FROM runs") == [(2, 6)]
    assert house.query("SELECT path, attempts FROM files ORDER BY path") == [
        (f"job/{NAME}", 1),
        (f"job/{LATER}", 2),
    ]


def test_run_ids_count_in_order_of_discovery(house: Any) -> None:
    """The key is the same in every lake, the number is not."""
    house.write(f"b/{NAME}", POINTS)
    house.cycle()
    house.write(f"a/{NAME}", [("loss", 1, 2.0)])
    house.cycle()
    found = house.query("SELECT path, run_id, run_key FROM runs ORDER BY run_id")
    assert [row[:2] for row in found] == [("b", 1), ("a", 2)]
    keys = [blake2b(f"src\0{path}".encode(), digest_size=6).hexdigest() for path in "ba"]
    assert [row[2] for row in found] == keys


def test_groups_of_the_run_pattern_are_hyperparameters(house: Any) -> None:
    """`project` and `group` are what they say; all other named groups are typed hyperparameters."""
    house.write(f"vision/lr=0.1_seed=3/{NAME}", POINTS)
    pattern = r"(?P<project>[^/]+)/lr=(?P<lr>[^_]+)_seed=(?P<seed>\d+)"
    house.cycle(run_pattern=pattern)
    assert house.query("SELECT project FROM runs") == [("vision",)]
    assert house.query("SELECT name, number FROM hparams ORDER BY name") == [
        ("lr", 0.1),
        ("seed", 3),
    ]


def test_a_copy_is_recognised_and_a_fork_is_not(house: Any) -> None:
    """The same files elsewhere are a duplicate; copied and continued with a new file is a new run."""
    house.write(f"job/{NAME}", POINTS)
    shutil.copytree(house.source / "job", house.source / "copy")
    shutil.copytree(house.source / "job", house.source / "fork")
    house.write(f"fork/{LATER}", [("loss", 9, 9.0)])
    house.cycle()
    found = dict(
        house.query(
            "SELECT r.path, d.path FROM runs r LEFT JOIN runs d ON d.run_id = r.duplicate_of"
        )
    )
    # Which of two copies that are equally full is shown is the lake's to say.
    assert found in (
        {"copy": None, "fork": None, "job": "copy"}, {"copy": "job", "fork": None, "job": None},
    )  # fmt: skip


def test_states_follow_growth_and_evidence(house: Any) -> None:
    """Silent for a while is stalled, for long finished; failed needs a word for it."""
    now = time.time()
    for name, age in (("now", 10), ("quiet", 3600 * 2), ("old", 3600 * 50), ("broken", 10)):
        with EventWriter(house.source / name / NAME) as writer:
            writer.scalar("loss", 1.0, 1, now - age)
    house.cycle()
    (house.source / "broken" / "error.txt").write_text("Traceback\nValueError: no\n")
    house.cycle()
    found = dict(house.query("SELECT path, state FROM runs"))
    assert found == {"now": "running", "quiet": "stalled", "old": "finished", "broken": "failed"}
    house.write(f"quiet/{NAME}", [("loss", 2, 1.0)], append=True)
    house.cycle()
    assert house.one("SELECT state FROM runs WHERE path = 'quiet'") == "running"


def test_a_side_file_that_cannot_be_read_now_is_read_later(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server's bad moment: what was known stays, and an hour later it is tried again."""
    house.write(f"job/{NAME}", POINTS)
    house.write(f"job/sub/deep/{NAME}", POINTS)
    side = house.source / "job" / "hparams.yaml"
    side.write_text("lr: 0.1\n")
    house.cycle()
    read = LocalSource.read
    asked: list[str] = []

    def fail(self: LocalSource, path: str, *rest: Any) -> bytearray:
        if not path.endswith("yaml"):
            return read(self, path, *rest)
        asked.append(path)
        raise OSError("the server is silent")

    monkeypatch.setattr("boardlake.ingest.beside._AGAIN_S", 1e12)
    monkeypatch.setattr(LocalSource, "read", fail)
    side.write_text("lr: 0.25\n")
    for _ in range(3):
        house.cycle()
    assert asked == ["job/hparams.yaml"]
    assert set(house.query("SELECT value FROM hparams")) == {("0.1",)}
    monkeypatch.setattr(LocalSource, "read", read)
    monkeypatch.setattr("boardlake.ingest.beside._AGAIN_S", 1.0)
    house.cycle()
    # Each run names the file as it sees it, so that its next version replaces this one.
    assert sorted(house.query("SELECT value, origin FROM hparams")) == [
        ("0.25", "../../hparams.yaml"), ("0.25", "hparams.yaml"),
    ]  # fmt: skip


def test_side_files_are_read_again_only_when_they_change(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hyperparameters beside the logs follow their file."""
    read: list[str] = []
    real = provenance.read_side_file

    def count(kind: Any, name: str, data: bytes) -> Any:
        read.append(name)
        return real(kind, name, data)

    monkeypatch.setattr(provenance, "read_side_file", count)
    house.write(f"job/{NAME}", POINTS)
    side = house.source / "job" / "hparams.yaml"
    side.write_text("lr: 0.1\nmodel: vit\n")
    house.cycle()
    assert house.query("SELECT name, value FROM hparams ORDER BY name") == [
        ("lr", "0.1"),
        ("model", "vit"),
    ]
    house.write(f"job/{NAME}", [("loss", 9, 9.0)], append=True)
    house.cycle()
    assert read == ["hparams.yaml"]
    side.write_text("lr: 0.25\n")
    house.cycle()
    assert house.query("SELECT name, value FROM hparams") == [("lr", "0.25")]
    assert len(read) == 2


def test_a_directory_that_becomes_a_run_gets_its_side_files(house: Any) -> None:
    """Also when they were there, and looked at, before its first event file."""
    house.write(f"job/own/{NAME}", POINTS)
    (house.source / "job" / "hparams.yaml").write_text("lr: 0.1\n")
    house.cycle()
    house.write(f"job/{LATER}", POINTS)
    house.cycle()
    found = house.query("SELECT r.path, h.name FROM hparams h JOIN runs r USING (run_id)")
    assert ("job", "lr") in found


def test_kept_results_outlive_their_files(house: Any) -> None:
    """Rows stay and are labelled; the label goes when the file is back."""
    file = house.write(f"job/{NAME}", POINTS)
    house.write(f"other/{NAME}", POINTS)
    house.cycle()
    content, mtime = file.read_bytes(), file.stat().st_mtime_ns
    file.unlink()
    house.cycle()
    missing = "SELECT path FROM files WHERE missing_since IS NOT NULL"
    assert house.query(missing) == [(f"job/{NAME}",)]
    assert house.one("SELECT count(*) FROM scalars") == 8
    file.write_bytes(content)
    os.utime(file, ns=(mtime, mtime))
    house.cycle()
    assert house.query(missing) == []
    assert house.one("SELECT count(*) FROM scalars") == 8


def test_a_label_concerns_its_own_source(house: Any) -> None:
    """Files of one name in two sources vanish each for itself."""
    found = {}
    for name in ("one", "two"):
        house.write(f"{name}/job/{NAME}", POINTS)
        found[name] = SourceSettings(uri=str(house.source / name), machine="here")
    missing = "SELECT source FROM files WHERE missing_since IS NOT NULL ORDER BY source"
    run(house.lake, setups(found), Options())
    (house.source / "one/job" / NAME).unlink()
    run(house.lake, setups(found), Options())
    assert house.query(missing) == [("one",)]
    (house.source / "two/job" / NAME).unlink()
    run(house.lake, setups(found), Options())
    assert house.query(missing) == [("one",), ("two",)]


def test_a_mirror_follows_its_source(house: Any) -> None:
    """What vanishes goes, with what it hid; what comes back is read again, side files and all."""
    house.write(f"job/{NAME}", POINTS)
    later = house.write(f"job/{LATER}", [("loss", 2, 20.0)])
    other = house.write(f"gone/{NAME}", POINTS)
    (house.source / "gone/hparams.yaml").write_text("lr: 0.1\n")
    house.cycle(policy="mirror")
    assert house.one("SELECT count(*) FROM scalars") == 3 + 4
    shutil.move(house.source / "gone", house.root / "away")
    later.unlink()
    house.cycle(policy="mirror")
    assert house.query("SELECT path, attempts FROM runs") == [("job", 1)]
    assert house.query("SELECT step FROM scalars ORDER BY step") == [(0,), (1,), (2,), (3,)]
    assert house.query("SELECT points, superseded FROM series") == [(4, 0)]
    assert house.one("SELECT count(*) FROM hparams") == 0
    shutil.move(house.root / "away", house.source / "gone")
    house.cycle(policy="mirror")
    assert other.exists()
    assert house.query("SELECT path FROM runs ORDER BY path") == [("gone",), ("job",)]
    assert house.query("SELECT name FROM hparams") == [("lr",)]


def test_a_mirror_of_nothing_drops_nothing(house: Any) -> None:
    """A mount point without its mount is an empty directory: what was there is labelled, and back later."""
    house.write(f"job/{NAME}", POINTS)
    house.cycle(policy="mirror")
    shutil.move(house.source / "job", house.root / "away")
    house.cycle(policy="mirror")
    missing = "SELECT count(*) FROM files WHERE missing_since IS NOT NULL"
    assert (house.one("SELECT count(*) FROM scalars"), house.one(missing)) == (4, 1)
    shutil.move(house.root / "away", house.source / "job")
    assert house.cycle(policy="mirror").points == 0
    assert house.one(missing) == 0


def test_a_missing_source_does_not_stop_the_others(house: Any) -> None:
    """Its report and `problems` say what is wrong; nothing of it counts as deleted."""
    house.write(f"job/{NAME}", POINTS)
    found = {
        "away": SourceSettings(uri=str(house.root / "nowhere"), machine="here", policy="mirror"),
        "here": SourceSettings(uri=str(house.source), machine="here"),
    }
    away, here = run(house.lake, setups(found), Options())
    assert "nowhere: No such file or directory" in away.error
    assert (here.error, here.points) == ("", 4)
    assert house.query("SELECT source, kind FROM problems") == [("away", "source")]
    house.source.rename(house.root / "nowhere")
    away, here = run(house.lake, setups(found), Options())
    assert (away.points, bool(here.error)) == (4, True)
    assert house.one("SELECT count(*) FROM files WHERE missing_since IS NOT NULL") == 0


@pytest.mark.parametrize(
    "directory",
    [
        b"caf\xe9",
        "größe/✓".encode(),
        b"with space",
        b"n" * 255,
        b"/".join([b"deep"] * 60),
        b"new\nline",
        b"quote'\"",
    ],
)
def test_odd_names_are_names(house: Any, directory: bytes) -> None:
    """Bytes that are no UTF-8, blanks, long and deep ones: read once, and once more nothing."""
    folder = os.path.join(os.fsencode(house.source), directory)
    os.makedirs(folder)
    plain = house.write(NAME, POINTS)
    os.replace(plain, os.path.join(os.fsdecode(folder), NAME))
    assert house.cycle().points == 4
    shown = directory.decode("utf-8", "backslashreplace").replace("\n", "\\x0a")
    assert house.query("SELECT path FROM runs") == [(shown,)]
    assert house.cycle().files_changed == 0


def test_a_name_needs_only_tfevents(house: Any) -> None:
    """No time, no host; but no partial copies."""
    for name in ("events.out.tfevents.ResNet", "end_to_end.tfevents"):
        house.write(f"{name}.d/{name}", POINTS)
    house.write(f"half/.{NAME}.aB3xYz", POINTS)
    assert house.cycle().files_listed == 2


def listed(root: Path, **settings: Any) -> list[str]:
    """What a walk finds."""
    return [entry.path for entry in LocalSource(str(root), **settings).walk(Memory()).files]


def test_a_link_never_renames_what_it_points_at(house: Any) -> None:
    """The same file under several names counts once, under the name that is its own."""
    file = house.write(f"m/job/{NAME}", POINTS)
    (house.source / "a").symlink_to(house.source / "m")
    (house.source / "z").symlink_to(house.source / "m")
    (house.source / "m" / "loop").symlink_to(house.source)
    (house.source / "b").mkdir()
    (house.source / "b" / NAME).symlink_to(file)
    (house.source / "broken.tfevents").symlink_to(house.root / "nowhere")
    (house.source / "self.tfevents").symlink_to("self.tfevents")
    assert listed(house.source) == [f"m/job/{NAME}"]
    house.cycle()
    assert house.kinds() == [("broken.tfevents", "unreadable"), ("self.tfevents", "unreadable")]


def test_links_into_another_tree_are_followed_once(house: Any) -> None:
    """Directories and files; directories only where the settings say so."""
    outside = house.root / "outside"
    file = house.write(f"../outside/job/{NAME}", POINTS)
    (house.source / "linked").symlink_to(outside)
    (house.source / "one.tfevents").symlink_to(file)
    assert listed(house.source) == [f"linked/job/{NAME}"]
    assert listed(house.source, follow_symlinks=False) == ["one.tfevents"]


def test_a_hard_link_counts_once(house: Any) -> None:
    """Under its first name, so that a younger copy does not rename it."""
    file = house.write(f"b/{NAME}", POINTS)
    (house.source / "c").mkdir()
    os.link(file, house.source / "c" / NAME)
    assert listed(house.source) == [f"b/{NAME}"]


def test_what_is_too_deep_is_told(house: Any) -> None:
    """A tree without end ends, and says where."""
    house.write(f"{'/'.join(['d'] * 70)}/{NAME}", POINTS)
    listing = LocalSource(str(house.source)).walk(Memory())
    assert listing.files == []
    assert [problem.kind for problem in listing.problems] == ["too deep"]
