"""What is remembered between scans is a cache: whatever happens to it, scans go on and the lake is right."""

from __future__ import annotations

import json
import os
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest

from boardlake.ingest import memory as memories
from boardlake.ingest.memory import Memory, load, save
from boardlake.ingest.sources.local import remembered

NAME = "events.out.tfevents.1700000000.host.1.0"
KEY = "key"
POINTS = [("loss", step, float(step)) for step in range(4)]


def kept(tmp_path: Path, data: dict[str, Any] | None = None) -> Path:
    """A memory on disk."""
    path = tmp_path / "scans" / "lab.json.z"
    save(Memory(data or {"some": ["thing"]}, now=100_000.0), path, KEY)
    return path


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """Data and the time of the last full walk, names that are no UTF-8 as well."""
    data = {"a": [1, 2**62, -0.5, None, True], "caf\udce9": {"größe": "\x00\t"}}
    path = kept(tmp_path, data)
    memory = load(path, KEY, 60.0)
    assert (memory.data, memory.full_at, memory.rescan_s) == (data, 100_000.0, 60.0)
    assert os.listdir(path.parent) == [path.name]
    memory.now = 100_030.0
    save(memory, path, KEY)
    assert load(path, KEY, 60.0).full_at == 100_000.0
    memory.now = 100_060.0
    save(memory, path, KEY)
    assert load(path, KEY, 60.0).full_at == 100_060.0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zlib",
        zlib.compress(b"no JSON"),
        zlib.compress(b"[]"),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b'{"key": "key"}'),
        zlib.compress(b'{"key": "key", "data": [], "full_at": 1}'),
        zlib.compress(b'{"key": "key", "data": {"a": 1}, "full_at": "soon"}'),
        zlib.compress(b'{"key": "key", "data": {"a": 1}, "full_at": null}'),
        zlib.compress(b'{"key": "other", "data": {"a": 1}, "full_at": 1}'),
        zlib.compress(b'\xff{"key"'),
    ],
)
def test_what_is_damaged_or_foreign_is_nothing(tmp_path: Path, content: bytes) -> None:
    """Neither an error nor half of it."""
    path = kept(tmp_path)
    path.write_bytes(content)
    memory = load(path, KEY, 60.0)
    assert (memory.data, memory.full) == ({}, True)


def test_a_torn_file_is_nothing(tmp_path: Path) -> None:
    """Wherever it ends, and whatever byte of it has changed."""
    path = kept(tmp_path)
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert load(path, KEY, 60.0).full
    for at in range(2, len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        assert load(path, KEY, 60.0).full
    path.write_bytes(whole)
    assert load(path, KEY, 60.0).data


def test_other_settings_begin_anew(tmp_path: Path) -> None:
    """What was left out before may count now."""
    path = kept(tmp_path)
    assert load(path, "another", 60.0).full
    assert load(tmp_path / "nowhere", KEY, 60.0).full
    assert load(tmp_path, KEY, 60.0).full


def test_its_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger is not kept, nor is what was kept before; a bomb is not unpacked."""
    path = kept(tmp_path)
    monkeypatch.setattr(memories, "MAX_JSON", 1000)
    save(Memory({"names": ["n" * 1000]}), path, KEY)
    assert not path.exists()
    path.write_bytes(
        zlib.compress(json.dumps({"key": KEY, "data": {"a": "b" * 9000}, "full_at": 1}).encode())
    )
    assert path.stat().st_size < 1000
    assert load(path, KEY, 60.0).full


@pytest.mark.parametrize(
    ("now", "full"), [(1000.0, False), (1059.9, False), (1060.0, True), (999.0, True), (-5.0, True)]
)
def test_everything_is_looked_at_at_the_interval(now: float, full: bool) -> None:
    """And when the clock has jumped back."""
    assert Memory({"a": 1}, 1000.0, now, 60.0).full == full


def test_an_interval_of_nothing_is_a_full_walk_each_time() -> None:
    """`rescan = 0` remembers nothing."""
    assert Memory({"a": 1}, 1000.0, 1000.0, 0.0).full


def test_when_things_are_due() -> None:
    """After a twenty-fourth of the time for which they had been quiet."""
    memory = Memory({"a": 1}, 9000.0, 10_000.0, 1e9)
    assert memory.due(10_000, 10_000)
    assert memory.due(9_900, 7_600) and memory.due(9_900, 7_500)
    assert not memory.due(9_900, 7_400)
    assert memory.due(9_900, 99_999) and memory.due(99_999, 0)
    memory.full_at = 0.0
    memory.rescan_s = 1.0
    assert memory.due(10_000, 0)


def test_where_it_cannot_be_kept_there_is_none(tmp_path: Path) -> None:
    """A folder that is a file, and one that is gone with all above it."""
    (tmp_path / "scans").write_text("")
    save(Memory({"a": 1}), tmp_path / "scans/lab.json.z", KEY)
    save(Memory({"a": 1}), tmp_path / "no/where/lab.json.z", KEY)
    assert os.listdir(tmp_path) == ["scans"]


def test_a_full_disk_leaves_none(tmp_path: Path) -> None:
    """Rather than an older one, or half of it."""
    if os.geteuid() or not os.path.exists("/dev/full"):
        pytest.skip("needs root and /dev/full")
    path = kept(tmp_path)
    (path.parent / f".{path.name}.{os.getpid()}").symlink_to("/dev/full")
    save(Memory({"a": 2}), path, KEY)
    assert os.listdir(path.parent) == []


def test_what_a_killed_process_left_is_tidied(tmp_path: Path) -> None:
    """After an hour: it may be another one's that is being written."""
    path = kept(tmp_path)
    old, young, other = (path.with_name(n) for n in (f".{path.name}.1", f".{path.name}.2", ".x.1"))
    for left in (old, young, other):
        left.write_bytes(b"half")
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    save(Memory({"a": 1}), path, KEY)
    assert sorted(os.listdir(path.parent)) == sorted([path.name, young.name, other.name])


def test_readers_see_one_or_the_other(tmp_path: Path) -> None:
    """While it is written again and again, it is always whole."""
    path = kept(tmp_path, {"n": "0" * 50_000})
    over = threading.Event()

    def write() -> None:
        for number in range(1, 300):
            save(Memory({"n": str(number % 10) * 50_000}), path, KEY)
        over.set()

    thread = threading.Thread(target=write)
    thread.start()
    reads = 0
    while not over.is_set() or not reads:
        assert len(set(load(path, KEY, 60.0).data["n"])) == 1
        reads += 1
    thread.join()


# Cycles over a lake


def test_a_cycle_keeps_and_uses_it(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old files are not looked at again, and the lake is as before."""
    # What the test has just made would be scanned again for two seconds.
    monkeypatch.setattr(remembered, "RACY_S", -1)
    for number in range(5):
        os.utime(house.write(f"run{number}/{NAME}", POINTS), (1e9, 1e9))
    first, second = house.cycle(), house.cycle()
    assert (first.files_listed, first.files_looked, first.points) == (5, 5, 20)
    assert (second.files_listed, second.files_looked, second.files_changed) == (5, 0, 0)
    assert house.one("SELECT count(*) FROM files WHERE missing_since IS NULL") == 5
    (path,) = (house.lake.location.root / "scans").iterdir()
    kept_as = path.stat()
    assert house.cycle().files_looked == 0
    assert path.stat() == kept_as
    path.unlink()
    assert (house.cycle().files_looked, house.cycle().files_looked) == (5, 0)


def test_a_lake_that_knows_more_than_is_remembered(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan that remembers an older state of a file than another one has read takes nothing back."""
    monkeypatch.setattr(remembered, "RACY_S", -1)
    file = house.write(f"run/{NAME}", POINTS)
    os.utime(file, (1e9, 1e9))
    house.cycle()
    (path,) = (house.lake.location.root / "scans").iterdir()
    older = path.read_bytes()
    house.write(f"run/{NAME}", [("loss", 9, 9.0)], append=True)
    os.utime(file, (1e9 + 1, 1e9 + 1))
    assert house.cycle(rescan=0).points == 1
    path.write_bytes(older)
    after = house.cycle()
    assert (after.files_changed, after.points, after.files_looked) == (0, 0, 0)
    assert house.one("SELECT count(*) FROM scalars") == 5
    file.unlink()
    path.write_bytes(older)
    assert house.cycle().files_changed == 0
    assert house.one("SELECT count(*) FROM files WHERE missing_since IS NOT NULL") == 1


def test_it_is_kept_only_after_the_commit(house: Any) -> None:
    """What a cycle has seen but not stored is seen again."""
    house.write(f"run/{NAME}", POINTS)
    house.cycle()
    (path,) = (house.lake.location.root / "scans").iterdir()
    before = path.read_bytes()
    house.write("other/events.out.tfevents.2", POINTS)
    house.lake.location.data.rename(house.root / "away")
    (house.lake.location.data).write_text("")
    with pytest.raises(Exception):  # noqa: B017 - whatever it is, it is raised
        house.cycle()
    assert path.read_bytes() == before
    house.lake.location.data.unlink()
    (house.root / "away").rename(house.lake.location.data)
    assert house.cycle().points == 4
