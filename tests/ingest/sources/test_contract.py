"""The contract of a source, held by every kind over a real server on loopback."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.errors import SourceError
from boardlake.core.settings import SourceSettings
from boardlake.ingest import memory as memories
from boardlake.ingest.cycle import run
from boardlake.ingest.memory import Memory
from boardlake.ingest.report import Options
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import open_source, setups
from boardlake.ingest.sources.base import Changed, Listing, Source
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.tests.servers.base import Served

from .conftest import shown

Open = Callable[..., Source]
EVENTS = "events.out.tfevents.1700000000.host"
# Listings of these tell times in whole seconds, or minutes, and nothing else that a rewrite changes.
COARSE = ("ssh", "http", "fsspec")
# Stores that refuse to read what is not the version that was listed.
TELLING = ("s3", "gs", "az", "dav", "http")
ODD = (
    ("a space", "ünïcode", "日本", "e\u0301", "100%", "a%20b", "a%41b", "a+b", "#1", "a#b", "a&b")
    + ("a;b", "a=b", "a,b", "what?", "it's", 'a"b', "[x]", "(x)", "{x}", "a:b", "a@b", "~a", "-a")
    + (".hidden", "a*b", "a|b", "a<b>c", "$HOME", "`id`", "a!b", "a^b", "a\\b")
)


def data(size: int, seed: int = 0) -> bytes:
    """So many bytes, which tell where they are from."""
    return random.Random(seed).randbytes(size)


class Looks:
    """Walks of one source, each with what the last one remembered, as cycles do it."""

    def __init__(self, opened: Open, folder: Path, how: str) -> None:
        self.opened = opened
        self.file = folder / "memory"
        self.how = how
        self.days = 0
        self.source = opened()
        self.memory = Memory()

    def walk(self) -> Listing:
        """One more walk, by a client of its own, as the next process would do it."""
        self.source.close()
        self.source = self.opened()
        if self.how != "nothing remembered":
            rescan = 0.0 if self.how == "all is looked at" else 1e9
            self.memory = memories.load(self.file, "key", rescan)
            if self.how == "a day later" and self.memory.data:
                self.days += 1
                self.memory.now = self.memory.full_at + self.days * 86_400
        else:
            self.memory = Memory()
        listing = self.source.walk(self.memory)
        memories.save(self.memory, self.file, "key")
        assert not listing.problems
        return listing


HOWS = ("nothing remembered", "all is looked at", "a day later")


@pytest.fixture(params=HOWS)
def looks(request: pytest.FixtureRequest, opened: Open, tmp_path: Path) -> Looks:
    """Walks with no memory, with one that is too old, and with one that counts, in turn."""
    return Looks(opened, tmp_path, request.param)


def sizes(listing: Listing) -> dict[str, int]:
    """The files with their sizes."""
    return {entry.path: entry.size for entry in listing.files}


def test_all_files_are_listed(served: Served, opened: Open) -> None:
    """Event files below the root with their sizes, by relative path; others are beside them."""
    files = {f"{run}/{EVENTS}": 100 + n for n, run in enumerate(["a", "a/b/c", "z/train"])}
    files[f"top.{EVENTS}"] = 7
    for path, size in files.items():
        served.put(path, data(size))
    served.put("a/hparams.yaml", b"lr: 1\n")
    served.put("z/progress.csv", b"step,loss\n1,2\n")
    served.put("elsewhere/far/away/from/any/run.txt", b"x")
    source = opened()
    listing = source.walk(Memory())
    assert sizes(listing) == files
    assert [entry.path for entry in listing.files] == sorted(files)
    beside = {entry.path: entry.size for found in listing.beside.values() for entry in found}
    assert beside == {"a/hparams.yaml": 6, "z/progress.csv": 14}
    assert set(listing.beside) == {"a", "z"}
    assert not listing.problems
    assert listing.looked >= len(files)
    assert source.spent.lists >= 1
    now = time.time()
    for entry in listing.files:
        # A minute's precision is all that some indexes give.
        assert abs(entry.mtime_ns / 1e9 - now) < 300, entry


def test_what_was_chosen_counts(served: Served, opened: Open) -> None:
    """Patterns to include and to exclude hold for relative paths."""
    for name in ("keep/a", "keep/tmp", "keep/deep/tmp/x", "drop/a", ".git/a"):
        served.put(f"{name}/{EVENTS}", data(10))
    found = opened(include=("keep/**",), exclude=("tmp",)).walk(Memory())
    assert list(sizes(found)) == [f"keep/a/{EVENTS}"]
    found = opened().walk(Memory())
    assert list(sizes(found)) == [
        f"{name}/{EVENTS}" for name in ("drop/a", "keep/a", "keep/deep/tmp/x", "keep/tmp")
    ]


def test_ranges(served: Served, opened: Open) -> None:
    """Any range is what lies there; at the end and beyond it there is nothing, and no error."""
    whole = data(100_000)
    path = f"run/{EVENTS}"
    served.put(path, whole)
    source = opened()
    (entry,) = source.walk(Memory()).files
    before = source.spent.bytes
    for start, length in ((0, 10), (0, 1), (5, 1000), (99_990, 10), (99_990, 1000), (0, 200_000)):
        for version in (entry.version, ""):
            assert source.read(path, start, length, version) == whole[start : start + length]
    for start in (100_000, 100_001, 10**9):
        assert source.read(path, start, 100, entry.version) == b""
    assert source.spent.reads >= 12
    assert source.spent.bytes - before >= 2 * (10 + 1 + 1000 + 10 + 10 + 100_000)


def test_large_files_come_whole(served: Served, opened: Open) -> None:
    """Nothing is cut or repeated where more is read than fits into one packet or message."""
    whole = data(9_000_000)
    path = f"run/{EVENTS}"
    served.put(path, whole[:3_000_000])
    served.append(path, whole[3_000_000:6_000_000])
    served.append(path, whole[6_000_000:])
    source = opened()
    (entry,) = source.walk(Memory()).files
    assert entry.size == len(whole)
    assert source.read(path, 0, 20_000_000, entry.version) == whole
    assert source.read(path, 1, 8_000_000, entry.version) == whole[1:8_000_001]


def test_empty_files(served: Served, opened: Open) -> None:
    """A file without a byte is listed, and reading it gives nothing."""
    path = f"run/{EVENTS}"
    served.put(path, b"")
    source = opened()
    (entry,) = source.walk(Memory()).files
    assert entry.size == 0
    assert source.read(path, 0, 100, entry.version) == b""
    assert source.stat(path) == entry


def test_stat_is_what_a_walk_says(served: Served, opened: Open) -> None:
    """The entry of an unchanged file is the same; of a file that is gone there is none."""
    paths = [f"run {n}/{EVENTS}" for n in range(3)]
    for path in paths:
        served.put(path, data(50))
    source = opened()
    listed = {entry.path: entry for entry in source.walk(Memory()).files}
    assert [source.stat(path) for path in paths] == [listed[path] for path in paths]
    served.delete(paths[1])
    assert source.stat(paths[1]) is None
    assert source.stat(paths[2]) == listed[paths[2]]
    with pytest.raises(OSError) as caught:
        source.read(paths[1], 0, 10)
    assert not shown(served, caught.value)


def test_an_untouched_tree_is_listed_alike(served: Served, looks: Looks) -> None:
    """A walk over what has not changed gives the same files and what lies beside them."""
    for n in range(4):
        served.put(f"runs/{n}/{EVENTS}", data(20 + n))
        served.put(f"runs/{n}/hparams.yaml", b"lr: 1\n")
    first, again, third = looks.walk(), looks.walk(), looks.walk()
    assert again.files == first.files == third.files
    assert again.beside == first.beside == third.beside
    assert len(first.files) == 4
    assert len(first.beside) == 4


def test_growth_is_seen(served: Served, looks: Looks) -> None:
    """A file that grew has its new size and another version or time, and the new bytes are there."""
    path, other = f"run/{EVENTS}", f"other/{EVENTS}"
    served.put(path, data(1000))
    served.put(other, data(10))
    before = looks.walk()
    for more, size in ((500, 1500), (1, 1501)):
        served.append(path, data(more, 1))
        after = looks.walk()
        assert sizes(after) == {path: size, other: 10}
        (entry,) = [entry for entry in after.files if entry.path == path]
        assert entry not in before.files
        assert len(looks.source.read(path, 1000, 10_000, entry.version)) == size - 1000
        before = after


def test_a_file_of_the_same_size_is_seen(served: Served, looks: Looks) -> None:
    """A file that was replaced by one as large is another version, or of another time."""
    path, other = f"run/{EVENTS}", f"other/{EVENTS}"
    served.put(path, data(1000))
    served.put(other, data(1000))
    before = {entry.path: entry for entry in looks.walk().files}
    if served.kind in COARSE:
        time.sleep(1.1)
    served.put(path, data(1000, 1))
    after = {entry.path: entry for entry in looks.walk().files}
    assert after[other] == before[other]
    assert after[path] != before[path]
    assert after[path].size == 1000
    assert looks.source.read(path, 0, 1000, after[path].version) == data(1000, 1)


def test_what_comes_and_goes_is_seen(served: Served, looks: Looks) -> None:
    """New files in old and new directories, and files and directories that are gone."""
    old = {f"{run}/{EVENTS}": 10 for run in ("a", "b", "c/d")} | {f"a/{EVENTS}.2": 20}
    for path, size in old.items():
        served.put(path, data(size))
    assert sizes(looks.walk()) == old
    new = {f"b/{EVENTS}.2": 5, f"e/f/{EVENTS}": 6, f"c/g/{EVENTS}": 7}
    for path, size in new.items():
        served.put(path, data(size))
    served.put("c/d/hparams.yaml", b"lr: 1\n")
    listing = looks.walk()
    assert sizes(listing) == old | new
    assert [entry.path for entry in listing.beside["c/d"]] == ["c/d/hparams.yaml"]
    left = old | new
    for path in (f"a/{EVENTS}.2", f"c/d/{EVENTS}", f"e/f/{EVENTS}"):
        served.delete(path)
        del left[path]
    assert sizes(looks.walk()) == left


def test_another_version_is_not_read(served: Served, opened: Open) -> None:
    """Where the store can tell, reading what was replaced is `Changed`; else it is what lies there."""
    path = f"run/{EVENTS}"
    served.put(path, data(1000))
    source = opened()
    (entry,) = source.walk(Memory()).files
    if served.kind in COARSE:
        time.sleep(1.1)
    # A longer one may be the same that has grown, where files grow in place.
    served.put(path, data(800, 1))
    if served.kind in TELLING and entry.version:
        with pytest.raises(Changed) as caught:
            source.read(path, 500, 100, entry.version)
        assert not shown(served, caught.value)
    else:
        assert source.read(path, 500, 100, entry.version) == data(800, 1)[500:600]
    seen = source.stat(path)
    assert seen is not None and seen.size == 800
    assert source.read(path, 700, 500, seen.version) == data(800, 1)[700:]


@pytest.mark.parametrize(
    "error", [OSError(5, "broken off"), Changed(116, "is another version now")]
)
def test_what_cannot_be_read_is_read_by_the_next_cycle(
    served: Served,
    empty_lake: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
) -> None:
    """Once it can be, though it lies there as it did, and its server gives versions or none; that is told."""
    with EventWriter(tmp_path / EVENTS) as writer:
        writer.scalar("loss", 0.5, 1, 1_700_000_001.0)
    served.put(f"run/{EVENTS}", (tmp_path / EVENTS).read_bytes())
    shutil.copytree(empty_lake, tmp_path / "lake")
    found = {"logs": SourceSettings(**{**served.settings(), "machine": "here"})}

    def fail(*asked: object) -> None:
        raise error

    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as lake:
        with monkeypatch.context() as broken:
            broken.setattr(type(open_source(found["logs"])), "read", fail)
            (first,) = run(lake, setups(found), Options())
        assert (first.points, first.files_changed) == (0, 1)
        left = isinstance(error, Changed)
        assert (first.files_left, first.problems) == (int(left), int(not left))
        assert bool(first.skipped) == left
        (second,) = run(lake, setups(found), Options())
        assert (second.points, second.files_left, second.skipped) == (1, 0, "")
        assert lake.query("SELECT * FROM problems") == []


@pytest.mark.parametrize("where", ["directory", "file"])
def test_odd_names(served: Served, opened: Open, where: str) -> None:
    """Names with spaces, signs and letters of every kind are listed as they are, and read."""
    named = {
        (f"x/{odd}/{EVENTS}" if where == "directory" else f"x/{EVENTS}.{odd}"): n
        for n, odd in enumerate(ODD)
        # Nginx leaves out of its indexes what begins with a dot; a backslash is a slash to Azure.
        if not (served.kind == "http" and odd.startswith("."))
        and not (served.kind == "az" and "\\" in odd)
    }
    for path, n in named.items():
        served.put(path, data(10 + n, n))
    source = opened()
    listing = source.walk(Memory())
    assert not listing.problems
    assert sizes(listing) == {path: 10 + n for path, n in named.items()}
    for entry in listing.files:
        n = named[entry.path]
        assert source.read(entry.path, 0, 1000, entry.version) == data(10 + n, n)
        assert source.stat(entry.path) == entry


def test_a_missing_root_is_an_error(served: Served, opened: Open) -> None:
    """What is not there is told with its URI and what to do; a file that is there is no secret."""
    served.put(f"run/{EVENTS}", data(10))
    uri = str(served.settings()["uri"])
    if served.kind in ("s3", "gs", "az"):
        scheme, _, rest = uri.partition("://")
        uri = f"{scheme}://no-such-{rest}"
    else:
        uri = f"{uri}/no/such/place"
    with pytest.raises(SourceError) as caught:
        opened(uri=uri).walk(Memory())
    assert uri in str(caught.value)
    assert caught.value.hint
    assert not shown(served, caught.value, caught.value.hint)


def test_wrong_credentials_are_an_error(
    served: Served, opened: Open, monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    """They are not taken, nor shown."""
    if not served.environ or "moto" in request.node.callspec.id:
        pytest.skip("this server asks for no credentials")
    served.put(f"run/{EVENTS}", data(10))
    wrong = {name: value[:-8] + value[:-9:-1] for name, value in served.environ.items()}
    assert wrong != served.environ
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SourceError) as caught:
        opened().walk(Memory())
    assert str(served.settings()["uri"]) in str(caught.value)
    said = (str(caught.value), repr(caught.value), caught.value.hint)
    assert not [value for value in wrong.values() if any(value in str(text) for text in said)]
    assert not shown(served, *said)


def test_many_threads_read_at_once(served: Served, opened: Open) -> None:
    """Each gets what it asked for."""
    for n in range(8):
        served.put(f"run/{EVENTS}.{n}", data(50_000, n))
    source = opened()
    listed = source.walk(Memory()).files
    asked = [(n, start) for start in range(0, 50_000, 2_500) for n in range(8)]

    def read(what: tuple[int, int]) -> bool:
        n, start = what
        entry = listed[n]
        found = source.read(entry.path, start, 2_500, entry.version)
        return found == data(50_000, n)[start : start + 2_500] and source.stat(entry.path) == entry

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(read, asked))
    assert source.at_once >= 1
    assert source.spent.bytes >= 8 * 50_000
    assert source.spent.reads >= len(asked)


def test_closing_twice(served: Served) -> None:
    """A client can be closed unused, and again; it never shows a secret."""
    settings = SourceSettings(**served.settings())  # type: ignore[arg-type]
    for used in (False, True):
        source = open_source(settings)
        if used:
            served.put(f"run/{EVENTS}", data(10))
            listing = source.walk(Memory())
            assert not shown(served, repr(listing), repr(source.spent), repr(source))
        source.close()
        source.close()
    assert not shown(served, settings, settings.model_dump_json())


def test_more_than_one_page(served: Served, opened: Open, tmp_path: Path) -> None:
    """Buckets list 1,000 keys at a time: none is lost at the seam, with and without a memory."""
    if served.kind not in ("s3", "gs"):
        pytest.skip("its listings have no pages, or larger ones")
    paths = {f"runs/{n % 7}/{n:04}/{EVENTS}" for n in range(1_050)}
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(lambda path: served.put(path, b"x"), paths))
    looks = Looks(opened, tmp_path, "a day later")
    assert set(sizes(looks.walk())) == paths
    served.delete(f"runs/0/0000/{EVENTS}")
    served.put(f"runs/9/{EVENTS}", b"x")
    changed = paths - {f"runs/0/0000/{EVENTS}"} | {f"runs/9/{EVENTS}"}
    assert set(sizes(looks.walk())) == changed
