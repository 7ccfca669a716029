"""When sources are scanned again: live ones soon, quiet ones ever more rarely, and at once on a hint."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.core.settings import SourceSettings
from boardlake.ingest import watch as watching
from boardlake.ingest.cycle import run
from boardlake.ingest.inotify import Inotify
from boardlake.ingest.report import Options, Report
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.ingest.sources.local.mounts import Mounts, is_disk
from boardlake.ingest.watch import Pace, Watch

NAME = "events.out.tfevents.1700000000.host.1.0"
POINTS = [("loss", step, float(step)) for step in range(4)]
# Without the hint that a test is about, nothing would happen before.
_FAR_S = 3000.0
_PATIENCE_S = 60.0

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux'")
disk = pytest.mark.skipif(
    not is_disk(Mounts().kind(b"/tmp")), reason="the temporary directory is on no disk"
)


def changed(**more: Any) -> Report:
    """A scan that found something."""
    return Report("lab", files_changed=1, **more)


# Paces


def test_a_live_source_is_scanned_at_the_interval() -> None:
    """From one begin to the next, however long a scan takes."""
    pace = Pace(5, 60)
    assert pace.is_due(100, 100)
    pace.begin(100)
    pace.end(102, changed())
    assert (pace.due_at, pace.may_be_hastened) == (105, False)
    pace.begin(105)
    pace.end(115, changed())
    assert pace.due_at == 115


def test_a_quiet_source_is_scanned_ever_more_rarely() -> None:
    """After a twenty-fourth of the time for which it was quiet, up to a bound."""
    pace = Pace(5, 600)
    now, gaps = 1000.0, []
    while now < 200_000:
        pace.begin(now)
        pace.end(now, Report("lab"))
        gaps.append(round(pace.due_at - now, 3))
        now = pace.due_at
    assert gaps[:5] == [5] * 5
    assert gaps == sorted(gaps)
    assert gaps[-1] == 600
    assert len(gaps) < 450
    pace.begin(now)
    pace.end(now, Report("lab", bytes_read=10))
    assert pace.due_at == now + 5


def test_what_fails_is_tried_ever_more_rarely() -> None:
    """Twice as long each time, and at the interval again when it works."""
    pace = Pace(5, 60)
    waits = []
    for number in range(30):
        now = number * 1000.0
        pace.begin(now)
        pace.end(now, Report("lab", error="away"))
        waits.append(pace.due_at - now)
    assert waits[:6] == [10, 20, 40, 80, 160, 300]
    assert waits[-1] == 300
    pace.begin(90_000)
    pace.end(90_000, changed())
    assert pace.due_at == 90_005


def test_a_long_scan_that_finds_nothing_rests() -> None:
    """So that an idle tree of millions of files does not keep a processor busy."""
    pace = Pace(5, 600)
    pace.begin(0)
    pace.end(30, Report("lab", started_at=1e9, ended_at=1e9 + 30))
    assert pace.due_at == 120


def test_a_hint_makes_due_as_soon_as_the_interval_allows() -> None:
    """Never later than it was."""
    pace = Pace(5, 600)
    pace.begin(0)
    pace.end(0, Report("lab"))
    pace.hint(1)
    assert pace.due_at == 5
    pace.due_at = 300
    assert pace.may_be_hastened
    pace.hint(2)
    assert pace.due_at == 5
    pace.due_at = 300
    pace.hint(100)
    assert pace.due_at == 100
    pace.hint(200)
    assert pace.due_at == 100


@given(
    st.floats(0.1, 100),
    st.floats(0.1, 10_000),
    st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 50), st.sampled_from("cqeh"))),
)
def test_the_interval_is_the_shortest(
    shortest: float, longest: float, steps: list[tuple[float, float, str]]
) -> None:
    """Whatever happens, two scans begin at least so far apart, and each comes within the bound."""
    pace = Pace(shortest, max(shortest, longest))
    now = begun = 0.0
    pace.begin(now)
    for wait, took, what in steps:
        reports = {"c": changed(), "q": Report("lab"), "e": Report("lab", error="e")}
        now += took
        if what in reports:
            pace.end(now, reports[what])
        else:
            pace.hint(now)
        most = max(longest, shortest, 300)
        assert begun + shortest <= max(pace.due_at, now) and pace.due_at <= max(now, begun + most)
        now = max(now + wait, pace.due_at)
        assert pace.is_due(now, now)
        assert not pace.is_due(begun + shortest * 0.9, begun + shortest * 2) or shortest < 1e-3
        pace.begin(now)
        begun = now


# Watches on directories


@linux
def test_inotify_tells_which_directory(tmp_path: Path) -> None:
    """New, grown, renamed and deleted files; and the end of a directory."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    inotify = Inotify()
    try:
        first, second = (inotify.watch(os.fsencode(path)) for path in (one, two))
        assert inotify.watch(os.fsencode(one)) == first != second
        assert inotify.wait(0) == (set(), set(), False)

        def told() -> set[int]:
            return inotify.wait(_PATIENCE_S)[0]

        file = one / NAME
        file.write_bytes(b"1")
        assert told() == {first}
        with file.open("ab") as growing:
            growing.write(b"2")
            growing.flush()
            assert told() == {first}
        inotify.wait(0)
        file.rename(two / NAME)
        assert told() == {first, second}
        (two / NAME).unlink()
        assert told() == {second}
        shutil.rmtree(two)
        assert inotify.wait(_PATIENCE_S)[1] == {second}
        inotify.unwatch(second)
        inotify.unwatch(first)
        (one / "quiet").write_bytes(b"")
        assert inotify.wait(0.05)[0] == set()
        with pytest.raises(OSError, match="No such file"):
            inotify.watch(os.fsencode(two))
        with pytest.raises(OSError, match="Not a directory"):
            inotify.watch(os.fsencode(one / "quiet"))
    finally:
        inotify.close()
        inotify.close()


@linux
def test_more_events_than_the_system_keeps(tmp_path: Path) -> None:
    """Some are lost then, which is told."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 50_000:
        pytest.skip("the system keeps too many")
    inotify = Inotify()
    try:
        inotify.watch(os.fsencode(tmp_path))
        # Of the same event twice in a row it keeps one.
        with (tmp_path / "1").open("wb", 0) as one, (tmp_path / "2").open("wb", 0) as two:
            for _ in range(most):
                os.pwrite(one.fileno(), b"x", 0)
                os.pwrite(two.fileno(), b"x", 0)
        lost = False
        for _ in range(1000):
            happened, _, lost = inotify.wait(0)
            if lost or not happened:
                break
        assert lost
    finally:
        inotify.close()


# Watches over sources


class Watched:
    """A watch over the sources of a house, whose cycles are real."""

    def __init__(self, house: Any, roots: dict[str, Path], **settings: Any) -> None:
        self.house = house
        found = {
            name: SourceSettings(uri=str(root), machine="here", **settings)
            for name, root in roots.items()
        }
        self.told: list[str] = []
        self.setups = setups(found)
        self.watch = Watch(self.setups, 0.1, self.told.append)
        self.stop = threading.Event()

    def cycle(self) -> list[str]:
        """Scan what is due; returns the names of the sources."""
        due = self.watch.begin()
        self.watch.end(run(self.house.lake, due, Options()))
        return [one.name for one in due]

    def calm(self) -> None:
        """As if nothing had happened for long: without a hint nothing is due."""
        watches = self.watch._watches
        # What the last step did may be told late.
        while watches is not None and watches.inotify.wait(0.3)[0]:
            continue
        for pace in self.watch._paces.values():
            pace.due_at = time.monotonic() + _FAR_S

    def waits_for(self, act: Callable[[], object]) -> list[str]:
        """Wait while *act* is done by another thread; returns what is due then."""
        late = threading.Timer(_PATIENCE_S, self.stop.set)
        threading.Timer(0.3, act).start()
        late.start()
        self.watch.wait(self.stop)
        late.cancel()
        assert not self.stop.is_set(), "nothing became due"
        return self.cycle()


@linux
@disk
def test_what_happens_on_a_disk_is_a_hint(house: Any) -> None:
    """A file that grows in a live run, and a new directory at the root, make their source due at once."""
    other = house.root / "other"
    other.mkdir()
    house.write(f"lab/run/{NAME}", POINTS)
    house.write(f"../other/run/{NAME}", POINTS)
    watched = Watched(house, {"src": house.source, "other": other})
    with watched.watch:
        assert watched.cycle() == ["src", "other"]
        watched.calm()
        grow = [("loss", 9, 9.0)]
        assert watched.waits_for(lambda: house.write(f"lab/run/{NAME}", grow, append=True)) == [
            "src"
        ]
        assert house.one("SELECT count(*) FROM scalars") == 9
        watched.calm()
        assert watched.waits_for(lambda: (other / "new").mkdir()) == ["other"]
        watched.calm()
        # A run beside a live one
        assert watched.waits_for(lambda: (house.source / "lab/next").mkdir()) == ["src"]
        watched.calm()
        assert watched.waits_for(lambda: shutil.rmtree(other / "run")) == ["other"]
    assert watched.told == []


@linux
@disk
def test_a_source_that_is_one_file_is_watched(house: Any) -> None:
    """By its directory."""
    file = house.write(f"run/{NAME}", POINTS)
    watched = Watched(house, {"src": file})
    with watched.watch:
        watched.cycle()
        watched.calm()
        grow = [("loss", 9, 9.0)]
        assert watched.waits_for(lambda: house.write(f"run/{NAME}", grow, append=True)) == ["src"]
        assert house.one("SELECT count(*) FROM scalars") == 5


@linux
@disk
def test_only_live_runs_are_watched(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the root and what lies above them, and never more than a bound."""
    for number in range(5):
        os.utime(house.write(f"old/run{number}/{NAME}", POINTS), (1e9, 1e9))
        house.write(f"new/run{number}/{NAME}", POINTS)
    watched = Watched(house, {"src": house.source})
    with watched.watch:
        watched.cycle()
        assert watched.watch._watches is not None
        seen = [
            os.path.relpath(os.fsdecode(d), house.source) for d in watched.watch._watches.numbers
        ]
        assert sorted(seen) == [".", "new", *(f"new/run{number}" for number in range(5))]
        monkeypatch.setattr(watching, "MOST_WATCHES", 3)
        watched.watch.end([])
        assert len(watched.watch._watches.numbers) == 3
        inotify = watched.watch._watches.inotify
        (house.source / "new/run0/x").write_bytes(b"")
        (house.source / "new/run1/x").write_bytes(b"")
        assert len(inotify.wait(0.2)[0]) <= 1
    with Watched(house, {"src": house.source}).watch as unused:
        assert unused._watches is not None


@linux
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
def test_without_watches_it_is_polled(
    house: Any, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """That the system has none left is told once, and costs nothing but time."""

    def none(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Inotify, "watch" if number == errno.ENOSPC else "__init__", none)
    house.write(f"run/{NAME}", POINTS)
    watched = Watched(house, {"src": house.source})
    with watched.watch:
        for _ in range(3):
            watched.watch._paces["src"].due_at = 0.0
            assert watched.cycle() == ["src"]
        watched.watch.wait(watched.stop)
    (said,) = watched.told
    assert "fs.inotify.max_user_" in said and os.strerror(number) in said
    assert house.one("SELECT count(*) FROM scalars") == 4


def test_what_others_may_change_is_not_watched(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mount of a file server has no watches, and is scanned less often when it is quiet."""
    table = f"21 1 0:20 / {house.source} rw - nfs4 server:/x rw\n".encode()
    monkeypatch.setattr(watching, "Mounts", lambda: Mounts(table))
    watched = Watched(house, {"src": house.source})
    assert watched.watch._watches is None
    assert watched.watch._paces["src"].longest == 300
    assert Watched(house, {"src": house.source}, rescan=60).watch._paces["src"].longest == 60
    remote = SourceSettings(uri="s3://bucket/runs")
    assert Watch(setups({"far": remote}), 5, print)._paces["far"].longest == 3600


def test_each_source_has_its_own_time(house: Any) -> None:
    """Only what is due is scanned; one that another process reads is asked after the interval."""
    (house.root / "two").mkdir()
    house.write(f"run/{NAME}", POINTS)
    watched = Watched(house, {"src": house.source, "two": house.root / "two"})
    with watched.watch as watch:
        assert watched.cycle() == ["src", "two"]
        watch._paces["two"].due_at = time.monotonic() + _FAR_S
        watch.wait(watched.stop)
        assert watched.cycle() == ["src"]
        watch._paces["two"].due_at = 0.0
        (one,) = (setup.name for setup in watch.begin() if setup.name == "two")
        watch.end([])
        assert watch._paces[one].due_at <= time.monotonic() + 0.1


def test_stopping_ends_the_wait(house: Any) -> None:
    """Whoever asks for it, and with watches or without."""
    for settings in ({}, {"follow_symlinks": False}):
        watched = Watched(house, {"src": house.source}, **settings)
        with watched.watch:
            watched.cycle()
            watched.calm()
            if settings:
                watched.watch._watches = None
            threading.Timer(0.1, watched.stop.set).start()
            watched.watch.wait(watched.stop)
            assert watched.stop.is_set()


# The command


def test_a_watch_follows_what_is_written(tmp_path: Path) -> None:
    """A real process: a file that grows and a run that appears are in the lake; SIGTERM ends it."""
    folder = tmp_path / "runs/one"
    folder.mkdir(parents=True)

    def write(file: Path, steps: range, *, append: bool = False) -> None:
        with EventWriter(file, append=append) as writer:
            for step in steps:
                writer.scalar("loss", 1.0, step, 1.7e9 + step)

    write(folder / NAME, range(3))
    env = {k: v for k, v in os.environ.items() if not k.startswith("BOARDLAKE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "boardlake", "--lake", "lake"]
        + ["ingest", "--json", "--watch", "0.2", "runs"],
        cwd=tmp_path, env=env | {"HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    killer = threading.Timer(_PATIENCE_S, process.kill)
    killer.start()
    try:
        assert process.stdout is not None

        def points() -> int:
            assert process.stdout is not None
            while found := process.stdout.readline():
                new: int = json.loads(found)["sources"][0]["points"]
                if new:
                    return new
            raise AssertionError("the watch ended")

        assert points() == 3
        write(folder / NAME, range(3, 8), append=True)
        assert points() == 5
        (tmp_path / "runs/two").mkdir()
        write(tmp_path / "runs/two" / NAME, range(7))
        assert points() == 7
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=_PATIENCE_S)
        assert (process.returncode, errors) == (0, "")
    finally:
        killer.cancel()
        process.kill()
        process.wait()
