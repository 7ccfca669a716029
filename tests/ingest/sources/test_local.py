"""Local trees: a walk that remembers gives what a fresh one gives, and looks at what may have changed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boardlake.core.errors import SourceError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.setup import open_source
from boardlake.ingest.sources.base import Listing
from boardlake.ingest.sources.local import mounts, tree
from boardlake.ingest.sources.local.mounts import Mounts
from boardlake.ingest.sources.local.source import LocalSource

NAME = "events.out.tfevents.1700000000.host.1.0"
DAY = 86400.0
# Longer than the clock of any file system here ticks.
_TICK_S = 0.02


class Scans:
    """Walks over a root, each with what the one before remembers, as cron has them: through JSON."""

    def __init__(self, root: Path, **options: bool) -> None:
        self.root, self.options = root, options
        self.memory = Memory()
        self.start = self.now = time.time() + 10
        self.lists = self.stats = 0
        self.source = LocalSource(str(root), exclude=[".git"], **options)

    def walk(self, after: float = 10.0) -> Listing:
        """A walk *after* seconds."""
        self.now += after
        memory = Memory(json.loads(json.dumps(self.memory.data)), self.memory.full_at, self.now)
        self.source = LocalSource(str(self.root), exclude=[".git"], **self.options)
        listing = self.source.walk(memory)
        self.memory = memory
        self.lists, self.stats = self.source.spent.lists, self.source.spent.reads
        return listing

    def fresh(self) -> Listing:
        """What is really there."""
        return LocalSource(str(self.root), exclude=[".git"], **self.options).walk(Memory())


def same(one: Listing, other: Listing) -> None:
    """Two listings are equal but for how much was looked at."""
    assert one.files == other.files
    assert one.beside == other.beside
    assert list(one.beside) == list(other.beside)
    assert one.problems == other.problems


def put(path: Path, data: bytes = b"data", age: float = 0.0) -> Path:
    """A file that was last changed *age* seconds ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if age:
        os.utime(path, (time.time() - age,) * 2)
    return path


NAMES = [
    NAME.encode(), b"events.out.tfevents.2", b"hparams.yaml", b"model_1.pt", b"caf\xe9.tfevents",
    b"tab\tname", b"run1", b"run2", b"checkpoint-10", b"train", b".git",
]  # fmt: skip
OPERATIONS = [
    "write", "append", "delete", "rename", "replace", "link", "hard link", "mkdir", "rmtree", "again"
]  # fmt: skip
STEP = st.tuples(
    st.sampled_from(OPERATIONS), st.integers(0, 99), st.integers(0, 99), st.sampled_from(NAMES)
)


def operate(root: bytes, operation: str, one: int, two: int, name: bytes) -> None:
    """Do something to a tree; what is not possible there is not done."""
    folders, files = [root], list[bytes]()
    for folder, below, found in os.walk(root):
        below.sort()
        folders += [os.path.join(folder, n) for n in below]
        files += [os.path.join(folder, n) for n in sorted(found)]
    folder = folders[one % len(folders)]
    path = os.path.join(folder, name)
    some = (files or [path])[two % max(1, len(files))]
    every = folders + files
    try:
        if operation == "write":
            with open(path, "wb") as file:
                file.write(b"x" * two)
        elif operation == "append":
            with open(some, "ab") as file:
                file.write(b"more")
        elif operation == "again":
            size = os.path.getsize(some)
            with open(some, "wb") as file:
                file.write(b"y" * size)
        elif operation == "delete":
            os.unlink(some)
        elif operation == "rename":
            os.rename((every[1:] or [path])[two % max(1, len(every) - 1)], path)
        elif operation == "replace":
            with open(root + b".new", "wb") as file:
                file.write(b"z" * two)
            os.replace(root + b".new", some)
        elif operation == "link":
            os.symlink(every[two % len(every)] if two % 7 else b"nowhere", path)
        elif operation == "hard link":
            os.link(some, path)
        elif operation == "mkdir":
            os.mkdir(path)
        elif folder != root:
            shutil.rmtree(folder)
    except OSError:
        pass


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(STEP, min_size=1, max_size=8), min_size=1, max_size=5))
def test_a_walk_that_remembers_is_a_walk(rounds: list[list[tuple[str, int, int, bytes]]]) -> None:
    """Whatever was done to a tree in between, it gives what a walk without a memory gives."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        put(root / "run1" / NAME)
        scans = Scans(root)
        same(scans.walk(), scans.fresh())
        for steps in rounds:
            time.sleep(_TICK_S)
            for step in steps:
                operate(os.fsencode(root), *step)
            time.sleep(_TICK_S)
            same(scans.walk(), scans.fresh())
        same(scans.walk(), scans.fresh())


def test_nothing_is_scanned_where_nothing_changed(tmp_path: Path) -> None:
    """A second walk looks at the directories, and at no file that was quiet for long."""
    for number in range(30):
        put(tmp_path / f"p/run{number}" / NAME, age=30 * DAY)
        put(tmp_path / f"p/run{number}/model.pt", age=30 * DAY)
    scans = Scans(tmp_path)
    first = scans.walk()
    assert (scans.lists, scans.stats, first.looked) == (32, 32 + 60, 60)
    second = scans.walk()
    assert (scans.lists, scans.stats, second.looked) == (0, 32, 0)
    same(second, first)
    time.sleep(_TICK_S)
    put(tmp_path / "p/run7/events.out.tfevents.2")
    third = scans.walk()
    assert (scans.lists, scans.stats) == (1, 32 + 3)
    assert len(third.files) == 31


def test_live_files_are_looked_at_each_time_and_old_ones_rarely(tmp_path: Path) -> None:
    """After a twenty-fourth of their age; all of them when everything is."""
    live = put(tmp_path / "live" / NAME)
    old = put(tmp_path / "old" / NAME, age=DAY / 2)
    scans = Scans(tmp_path)
    scans.walk()

    def grow(path: Path) -> None:
        info = path.stat()
        with path.open("ab") as file:
            file.write(b"more")
        # As of a machine whose clock is behind.
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))

    def sizes() -> list[int]:
        return [entry.size for entry in scans.walk().files]

    grow(live)
    grow(old)
    assert sizes() == [8, 4]
    assert scans.walk(DAY / 2 / 24).looked == 2
    assert sizes() == [8, 8]
    grow(old)
    # It was seen to change, whatever its own time says.
    assert sizes() == [8, 12]
    put(old, b"n", age=100 * DAY)
    assert scans.walk(3600.0).files == scans.fresh().files


def test_a_full_walk_at_the_interval(tmp_path: Path) -> None:
    """Everything is looked at then, and so it is when the clock has jumped back."""
    for number in range(5):
        put(tmp_path / f"run{number}" / NAME, age=30 * DAY)
    scans = Scans(tmp_path)
    scans.walk()
    assert scans.walk().looked == 0
    assert scans.walk(3600).looked == 5
    assert (scans.lists, scans.memory.full_at) == (6, scans.now)
    assert scans.walk().looked == 0
    assert scans.walk(-7200).looked == 5
    # What is of the future is of now.
    assert scans.walk(5).looked == 5
    assert scans.walk(5).looked == 0


def test_what_changed_while_it_was_scanned_is_scanned_again(tmp_path: Path) -> None:
    """A directory that changed within two seconds of its scan may have changed once more since."""
    put(tmp_path / "run" / NAME)
    scans = Scans(tmp_path)
    scans.now = time.time()
    scans.walk(0)
    stamp = (tmp_path / "run").stat().st_mtime_ns
    scans.walk(1)
    assert scans.lists == 2
    scans.walk(3)
    assert scans.lists == 2
    scans.walk(1)
    assert scans.lists == 0
    # What a server with a clock of its own says of a change is not what we compare.
    time.sleep(_TICK_S)
    put(tmp_path / "run/two.tfevents")
    os.utime(tmp_path / "run", ns=(stamp, stamp - 5 * 10**9))
    for lists, after in ((1, 10), (1, 1), (1, 2), (0, 5)):
        scans.walk(after)
        assert scans.lists == lists


def test_what_vanishes_and_moves(tmp_path: Path) -> None:
    """A tree under another name, another tree under its name, and one that is gone."""
    for name in "abc":
        put(tmp_path / name / "run" / NAME, name.encode(), age=30 * DAY)
    scans = Scans(tmp_path)
    scans.walk()
    time.sleep(_TICK_S)
    (tmp_path / "a").rename(tmp_path / "x")
    (tmp_path / "b").rename(tmp_path / "a")
    shutil.rmtree(tmp_path / "c")
    found = scans.walk()
    assert [entry.path for entry in found.files] == [f"a/run/{NAME}", f"x/run/{NAME}"]
    same(found, scans.fresh())
    time.sleep(_TICK_S)
    moved = tmp_path / "moved"
    tmp_path.joinpath("x").rename(moved)
    same(scans.walk(), scans.fresh())


def test_nothing_counts_twice_across_what_is_remembered(tmp_path: Path) -> None:
    """New names of remembered files, and new ones whose other names are remembered."""
    root = tmp_path / "root"
    file = put(root / "m/run" / NAME, age=30 * DAY)
    outside = put(tmp_path / "outside/run" / NAME, age=30 * DAY)
    (root / "out").symlink_to(tmp_path / "outside")
    scans = Scans(root)
    expected = [f"m/run/{NAME}", f"out/run/{NAME}"]
    assert [entry.path for entry in scans.walk().files] == expected
    time.sleep(_TICK_S)
    (root / "a").mkdir()
    (root / "a/link.tfevents").symlink_to(file)
    (root / "a/loop").symlink_to(root)
    (root / "a/other").symlink_to(tmp_path / "outside/run")
    (root / "z").symlink_to(root / "m")
    os.link(file, root / "z.tfevents")
    os.link(outside, tmp_path / "outside/run/z.tfevents")
    found = scans.walk()
    # A link that lies higher goes first.
    expected = ["m/run/" + NAME, "out/run/" + NAME]
    assert [entry.path for entry in found.files] == expected
    same(scans.walk(), found)
    same(found, scans.fresh())
    file.unlink()
    (root / "out").unlink()
    expected = ["a/other/" + NAME, "z.tfevents"]
    assert [entry.path for entry in scans.walk().files] == expected


def test_a_link_that_leads_elsewhere_now(tmp_path: Path) -> None:
    """Nothing of the directory changes when what its link leads to is another thing."""
    root = tmp_path / "root"
    put(root / "run" / NAME, age=30 * DAY)
    put(tmp_path / "one" / NAME, b"1", age=30 * DAY)
    put(tmp_path / "two" / "events.out.tfevents.2", b"22", age=30 * DAY)
    current = tmp_path / "current"
    current.symlink_to("nowhere")
    (root / "late.tfevents").symlink_to(current / NAME)
    (root / "linked").symlink_to(current)
    scans = Scans(root)
    assert [problem.path for problem in scans.walk().problems] == ["late.tfevents"]
    for target in ("one", "two", "one", f"one/{NAME}", "nowhere", "root"):
        current.unlink()
        current.symlink_to(target)
        same(scans.walk(), scans.fresh())


@pytest.fixture
def nobody() -> Iterator[None]:
    """Permissions count for everybody but root."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_unreadable_directory_hides_nothing_else(tmp_path: Path, nobody: None) -> None:
    """It is a problem as long as it is one, also where nothing else is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        put(root / "open" / NAME, age=30 * DAY)
        put(root / "shut" / NAME, age=30 * DAY)
        scans = Scans(root)
        assert len(scans.walk().files) == 2
        for mode, files in ((0o000, 1), (0o000, 1), (0o700, 2), (0o444, 1), (0o700, 2)):
            (root / "shut").chmod(mode)
            found = scans.walk()
            assert len(found.files) == files
            assert [problem.kind for problem in found.problems] == ["unreadable"] * (2 - files)
            same(found, scans.fresh())


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_what_cannot_be_looked_at_is_told_and_not_gone(nobody: None, mode: int) -> None:
    """Below a directory that cannot be listed or entered, and behind links into it."""
    with tempfile.TemporaryDirectory() as folder:
        root, shut = Path(folder) / "root", Path(folder) / "shut"
        put(root / "a/b/run" / NAME, age=30 * DAY)
        put(root / "a/b" / NAME, age=30 * DAY)
        put(shut / "run" / NAME, age=30 * DAY)
        (root / "link").symlink_to(shut / "run")
        (root / "link.tfevents").symlink_to(put(shut / "one.tfevents"))
        scans = Scans(root)
        paths = {entry.path for entry in scans.walk().files}
        assert len(paths) == 4
        for place in (root / "a/b", shut):
            place.chmod(mode)
        for _ in range(2):
            found = scans.walk()
            gone = paths - {entry.path for entry in found.files}
            hidden = {problem.path for problem in found.problems}
            assert all(hidden & {path, *map(str, Path(path).parents)} for path in gone)
            assert bool(hidden) == bool(gone)
            same(found, scans.fresh())
        for place in (root / "a/b", shut):
            place.chmod(0o700)
        assert {entry.path for entry in scans.walk().files} == paths


def test_an_unreadable_root_is_the_source_that_fails(tmp_path: Path) -> None:
    """A root that is gone is no empty one, whatever is remembered of it."""
    put(tmp_path / "root" / NAME)
    scans = Scans(tmp_path / "root")
    scans.walk()
    (tmp_path / "root").rename(tmp_path / "away")
    with pytest.raises(SourceError, match="root: No such file or directory"):
        scans.walk()


@pytest.mark.parametrize(
    "name",
    [
        b"caf\xe9.tfevents",
        b"tab\t.tfevents",
        b"new\nline.tfevents",
        b"\x7f\xff.tfevents",
        b"\\x09.tfevents",
    ],
)
def test_odd_names_can_be_read(tmp_path: Path, name: bytes) -> None:
    """They are shown as text without control characters, in one way, and found again by it."""
    path = os.path.join(os.fsencode(tmp_path), name)
    with open(path, "wb") as file:
        file.write(b"data")
    scans = Scans(tmp_path)
    for _ in range(2):
        (entry,) = scans.walk().files
        assert entry.path.isprintable()
        assert scans.source.read(entry.path, 1, 9) == b"ata"
        assert scans.source.stat(entry.path) == entry


def test_names_that_look_the_same(tmp_path: Path) -> None:
    """One is listed and the other told: a path in the lake is one file."""
    put(tmp_path / "\\x09.tfevents", b"1")
    put(tmp_path / "\t.tfevents", b"22")
    found = Scans(tmp_path).walk()
    assert [entry.path for entry in found.files] == ["\\x09.tfevents"]
    assert [problem.kind for problem in found.problems] == ["unreadable"]


def test_checkpoints_are_not_looked_at_one_by_one(tmp_path: Path) -> None:
    """Deep down nothing is, and directories of old ones rest, until everything is looked at."""
    put(tmp_path / "run" / NAME, age=30 * DAY)
    for number in range(3):
        step = tmp_path / f"run/checkpoints/{number}00"
        put(step / "weights.bin", age=30 * DAY)
        for part in range(20):
            put(step / f"d/{part}/chunk", age=30 * DAY)
    scans = Scans(tmp_path)
    scans.walk()
    # root, run, checkpoints; of what lies in them one event file and three files of weights
    assert (scans.lists, scans.stats) == (3 + 3 * 22, 3 + 3 * 22 + 4)
    scans.walk(DAY / 25)
    scans.walk()
    assert (scans.lists, scans.stats) == (0, 3)
    time.sleep(_TICK_S)
    put(tmp_path / "run/checkpoints/300/weights.bin")
    assert "run/checkpoints/300" in scans.walk().beside


def test_a_run_in_a_directory_named_like_a_checkpoint(tmp_path: Path) -> None:
    """What holds event files is a run, whatever its name."""
    put(tmp_path / "ckpts/100" / NAME, age=30 * DAY)
    scans = Scans(tmp_path)
    scans.walk()
    scans.walk(DAY / 25)
    time.sleep(_TICK_S)
    put(tmp_path / "ckpts/100/events.out.tfevents.2")
    assert len(scans.walk().files) == 2


def test_many_files_beside_are_not_looked_at_for_one_more(tmp_path: Path) -> None:
    """A directory of hundreds of checkpoints gets another: that one is looked at."""
    put(tmp_path / NAME, age=30 * DAY)
    for number in range(300):
        put(tmp_path / f"model_{number}.pt", age=30 * DAY)
    scans = Scans(tmp_path)
    scans.walk()
    time.sleep(_TICK_S)
    put(tmp_path / "model_300.pt")
    os.replace(put(tmp_path / "new", b"other"), tmp_path / "model_7.pt")
    found = scans.walk()
    # the root, its event file, and two
    assert (scans.lists, scans.stats) == (1, 4)
    same(found, scans.fresh())


def test_beside_no_event_file_nothing_is_remembered(tmp_path: Path) -> None:
    """Data sets cost their directories; when a run appears beside, they are looked at."""
    put(tmp_path / "run" / NAME, age=30 * DAY)
    for number in range(50):
        put(tmp_path / f"data/a/b/{number}.png", age=30 * DAY)
    scans = Scans(tmp_path)
    scans.walk()
    assert "png" not in json.dumps(scans.memory.data)
    time.sleep(_TICK_S)
    put(tmp_path / "data/a/b/c" / NAME)
    same(scans.walk(), scans.fresh())
    same(scans.walk(), scans.fresh())
    shutil.rmtree(tmp_path / "data/a/b/c")
    same(scans.walk(), scans.fresh())


def test_a_single_file_is_not_a_reason_to_walk_all_below(tmp_path: Path) -> None:
    """Its side files count; trees beside it do not."""
    file = put(tmp_path / NAME)
    put(tmp_path / "events.out.tfevents.2")
    put(tmp_path / "a/b/c/d" / NAME)
    put(tmp_path / "a/args.json")
    source = LocalSource(str(file))
    found = source.walk(Memory())
    assert [entry.path for entry in found.files] == [NAME]
    assert list(found.beside) == ["", "a"]
    assert source.spent.lists == 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: {"form": 1},
        lambda data: {"form": 1, "folders": []},
        lambda data: {"form": 0, "folders": {}},
        lambda data: {"pages": [1]},
        lambda data: {"form": 1, "folders": {"": [1, 2, 3]}},
        lambda data: {"form": 1, "folders": {k: v[:-1] for k, v in data["folders"].items()}},
        lambda data: json.loads(json.dumps(data).replace(NAME, "gone").replace('"gone", 4', '"gone", "4"')),
    ],
)  # fmt: skip
def test_a_foreign_memory_is_none(tmp_path: Path, spoil: Callable[[dict], dict]) -> None:  # type: ignore[type-arg]
    """What another program left there costs a full walk."""
    put(tmp_path / "run" / NAME)
    scans = Scans(tmp_path)
    scans.walk()
    scans.memory.data = spoil(scans.memory.data)
    found = scans.walk()
    assert scans.lists == 2
    same(found, scans.fresh())
    assert scans.memory.full_at == scans.now
    scans.walk()
    assert scans.lists == 0


# Mounts: a table of the test's own, over directories that are on one disk.

TABLE = """\
21 1 0:20 / / rw - ext4 /dev/vda rw
22 21 0:21 / {root}/nfs rw,relatime shared:1 - nfs4 server:/x rw
23 21 0:22 / {root}/disk\\040two rw - xfs /dev/vdb rw
24 21 0:23 / {root}/bucket rw - fuse.gcsfuse bucket rw
25 22 0:24 / {root}/nfs/inner rw - nfs4 server:/y rw
"""


def test_the_mount_table_says_what_lies_where(tmp_path: Path) -> None:
    """By the nearest mount point above, links resolved, and nothing where there is no table."""
    for name in ("nfs/inner", "disk two", "bucket", "plain"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "plain/link").symlink_to(tmp_path / "nfs")
    found = Mounts(TABLE.format(root=tmp_path).encode())
    kinds = {
        name: found.kind(os.fsencode(tmp_path / name))
        for name in ("plain", "nfs", "nfs/inner/x", "disk two/run", "bucket", "plain/link/inner")
    }
    assert list(kinds.values()) == ["ext4", "nfs4", "nfs4", "xfs", "fuse.gcsfuse", "nfs4"]
    assert Mounts(b"").kind(b"/") == ""
    assert Mounts(b"\n\x00 - - \nx y\n - ext4").kind(b"/") == ""
    assert mounts.is_disk(Mounts().kind(os.fsencode(tmp_path))) or Mounts().kind(b"/") == ""
    assert [mounts.is_network(kind) for kind in ("", "ext4", "proc", "nfs", "fuse.s3fs")] == [
        False, False, False, True, True,
    ]  # fmt: skip
    assert mounts.may_enter("nfs4", "nfs4") and mounts.may_enter("xfs", "nfs")
    assert not mounts.may_enter("nfs4", "ext4") and not mounts.may_enter("proc", "ext4")


def test_a_directory_whose_time_tells_nothing_is_scanned_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mounted bucket makes its directories up; old files in it are still not looked at."""
    table = f"21 1 0:20 / {tmp_path} rw - fuse.gcsfuse bucket rw\n".encode()
    monkeypatch.setattr(tree, "Mounts", lambda: Mounts(table))
    put(tmp_path / "run" / NAME, age=30 * DAY)
    put(tmp_path / "run/model.pt", age=30 * DAY)
    scans = Scans(tmp_path)
    scans.walk()
    scans.walk()
    assert (scans.lists, scans.stats) == (2, 2)
    stamp = (tmp_path / "run").stat().st_mtime_ns
    put(tmp_path / "run/two.tfevents")
    os.utime(tmp_path / "run", ns=(stamp, stamp))
    assert len(scans.walk().files) == 2
    assert (scans.lists, scans.stats) == (2, 3)


@pytest.mark.parametrize(("kind", "numbered"), [("fuse.sshfs", False), ("fuse.glusterfs", True)])
def test_inode_numbers_that_nobody_keeps_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, numbered: bool
) -> None:
    """Mounted anew, each file of such a file system has another one, and is the same."""
    table = f"21 1 0:20 / {tmp_path} rw - {kind} x rw\n".encode()
    monkeypatch.setattr(tree, "Mounts", lambda: Mounts(table))
    put(tmp_path / "run" / NAME)
    put(tmp_path / "run/args.json")
    scans = Scans(tmp_path)
    found = scans.walk()
    entries = [*found.files, *found.beside["run"], scans.source.stat(f"run/{NAME}")]
    assert {bool(entry and entry.version) for entry in entries} == {numbered}


def test_waiting_for_a_server_is_done_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through threads, with the same listing."""
    for number in range(100):
        put(tmp_path / f"p{number % 3}/run{number}" / NAME)
        put(tmp_path / f"p{number % 3}/run{number}/model.pt")
    expected = Scans(tmp_path).walk()
    table = f"21 1 0:20 / {tmp_path} rw - nfs4 server:/x rw\n".encode()
    monkeypatch.setattr(tree, "Mounts", lambda: Mounts(table))
    scans = Scans(tmp_path)
    same(scans.walk(), expected)
    same(scans.walk(), expected)
    assert scans.lists == 0


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="no second file system here")
@pytest.mark.parametrize("kind", ["tmpfs", "nfs4"])
def test_mounts_are_entered_where_they_are_disks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Others only when asked, and through links; what is left out is told."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        put(Path(elsewhere) / "run" / NAME)
        table = f"21 1 0:20 / / rw - ext4 x rw\n22 21 0:21 / /dev/shm rw - {kind} x rw\n"
        monkeypatch.setattr(tree, "Mounts", lambda: Mounts(table.encode()))
        others = {*os.listdir("/dev"), *os.listdir("/dev/shm")} - {"shm", Path(elsewhere).name}
        for cross in (False, True):
            found = LocalSource("/dev", exclude=[*others], cross_mounts=cross).walk(Memory())
            entered = cross or kind == "tmpfs"
            assert len(found.files) == entered
            assert [(problem.path, problem.kind) for problem in found.problems] == (
                [] if entered else [("shm", "mount")]
            )
        (tmp_path / "link").symlink_to(elsewhere)
        same_tree = Scans(tmp_path).walk()
        assert [entry.path for entry in same_tree.files] == [f"link/run/{NAME}"]
        assert same_tree.problems == []


def test_settings_reach_the_source(tmp_path: Path) -> None:
    """cross_mounts is one of them."""
    for asked in (False, True):
        source = open_source(SourceSettings(uri=str(tmp_path), cross_mounts=asked))
        assert isinstance(source, LocalSource)
        assert source._rules.cross == asked
