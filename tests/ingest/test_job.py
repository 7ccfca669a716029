"""One source's part of a cycle: what goes wrong in it stays in it, and what it may ask for is bounded."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.core.values import FileEntry, Place
from boardlake.ingest import plan as planning
from boardlake.ingest import reader
from boardlake.ingest.cycle import run
from boardlake.ingest.job import _some
from boardlake.ingest.report import Options
from boardlake.ingest.setup import setups
from boardlake.ingest.sources.local.source import LocalSource

NAME = "events.out.tfevents.1700000000.host.7.0"
PLACE = Place("src", "0" * 12, "a", "", "here", "p", "a")


def test_a_mistake_of_ours_in_one_source_stops_no_other(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was remembered may have led to it: it is forgotten."""
    house.write(f"one/{NAME}", [("loss", 1, 1.0)])
    house.write(f"two/{NAME}", [("loss", 1, 1.0)])
    found = {
        name: SourceSettings(uri=str(house.source / name), machine="here")
        for name in ("one", "two")
    }
    run(house.lake, setups(found), Options())
    memory: Path = house.lake.location.root / "scans" / "one.json.z"
    assert memory.exists()
    walk = LocalSource.walk

    def fail(self: LocalSource, memory: Any) -> Any:
        if self.root.endswith(b"one"):
            raise KeyError("secret")
        return walk(self, memory)

    monkeypatch.setattr(LocalSource, "walk", fail)
    house.write(f"two/{NAME}", [("loss", 2, 1.0)], append=True)
    one, two = run(house.lake, setups(found), Options())
    assert "listing it failed (KeyError)" in one.error and "secret" not in one.error
    assert (two.error, two.points) == ("", 1)
    assert not memory.exists()


def test_a_mistake_of_ours_with_one_file_stops_no_other(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and read again by the next cycle."""
    house.write(f"one/{NAME}", [("loss", 1, 1.0)])
    house.write(f"two/{NAME}", [("loss", 1, 1.0)])
    following = reader._Reader._next

    def fail(self: Any, before: Any) -> Any:
        if self.entry.path.startswith("one"):
            raise ValueError("a mistake")
        return following(self, before)

    monkeypatch.setattr(reader._Reader, "_next", fail)
    assert house.cycle().points == 1
    assert house.kinds() == [(f"one/{NAME}", "unreadable")]
    monkeypatch.undo()
    assert house.cycle().points == 1
    assert house.kinds() == []


def test_a_source_is_done_while_another_one_hangs(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are in the lake by then, so that the next process may have its turn."""
    house.write(f"one/{NAME}", [("loss", 1, 1.0)])
    house.write(f"two/{NAME}", [("loss", 1, 1.0)])
    found = {
        name: SourceSettings(uri=str(house.source / name), machine="here")
        for name in ("one", "two")
    }
    done = threading.Event()
    told: list[str] = []

    def tell(name: str) -> None:
        told.append(name)
        done.set()

    walk = LocalSource.walk

    def hang(self: LocalSource, memory: Any) -> Any:
        if self.root.endswith(b"two"):
            assert done.wait(60)
        return walk(self, memory)

    monkeypatch.setattr(LocalSource, "walk", hang)
    run(house.lake, setups(found), Options(done=tell))
    assert told == ["one", "two"]
    assert house.one("SELECT count(*) FROM scalar_points") == 2


def work(name: str, size: int) -> reader.Work:
    """A file of which nothing was read."""
    return reader.Work(FileEntry(name, size, 0, ""), PLACE, None)


@pytest.mark.parametrize(
    ("most", "left"),
    [(0, 5), (-3, 5), (1, 4), (2, 3), (3, 3), (11, 3), (12, 2), (13, 1), (14, 0), (99, 0)],
)
def test_large_files_take_more_of_a_budget(most: int, left: int) -> None:
    """One request a piece; the order of a run's files stays, and one that is too large is begun."""
    groups = [[work("a", 5), work("b", 95), work("c", 0)], [work("d", 10), work("e", 1)]]
    plan = planning.Plan(groups, {}, [])
    # Of a 1, of b 10, and 1 of each of the others.
    assert plan.cut(most, 10) == left
    assert [one.entry.path for one in plan.works] == list("abcde")[: 5 - left]


def test_files_that_wait_are_not_all_looked_at() -> None:
    """Else a source whose files wait would ask for them each time, and never read one."""
    asked: list[str] = []

    def stat(path: str) -> FileEntry:
        asked.append(path)
        return FileEntry(path, 1, 0, "new")

    some = _some(stat, 2)
    entries = [FileEntry(name, 1, 0, "old") for name in "abcd"]
    found = planning._as_they_are(entries, {}, set("abcd"), some)
    assert [one.version for one in found] == ["new", "new", "old", "old"]
    assert asked == ["a", "b"]
