"""Single files of sources for a server: of every kind that can be asked, whole, confined and bounded."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest import fetched
from boardlake.ingest.fetched import KINDS, Fetched
from boardlake.ingest.setup import setups
from boardlake.lake.outside import OutOfReach
from boardlake.tests.servers import moto, sshd
from boardlake.tests.servers.base import Served

from .conftest import shown

DATA = random.Random(4).randbytes(9_000_000)
Make = Callable[..., Fetched]


@pytest.fixture
def reach(served: Served, tmp_path: Path) -> Iterator[Make]:
    """Makes a way to the tree of each server."""
    made: list[Fetched] = []

    def make(**settings: Any) -> Fetched:
        source = SourceSettings(**{**served.settings(), **settings})
        made.append(Fetched({"src": source}, str(tmp_path)))
        return made[-1]

    yield make
    for one in made:
        one.forget()


def uri(served: Served) -> str:
    """The root of a source as the lake has it."""
    (setup,) = setups({"src": SourceSettings(**served.settings())})
    return setup.facts.uri


def test_whole_files_come_once(
    served: Served, reach: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy serves for a while; then it is looked whether the file is still the same."""
    found = reach()
    if served.kind not in KINDS:
        assert not found.knows("src", uri(served))
        return
    assert found.knows("src", uri(served))
    assert not found.knows("src", "s3://another/root") and not found.knows("other", uri(served))
    served.put("run/a b/tensors.tsv", DATA)
    with found.open("src", "run/a b/tensors.tsv", "run", 1 << 30) as file:
        assert file.read(10) == DATA[:10] and file.tell() == 10
        assert file.read() == DATA[10:]
        assert file.seek(-4, os.SEEK_END) and file.read() == DATA[-4:]
        assert os.fstat(file.fileno()).st_size == len(DATA)
    served.put("run/a b/tensors.tsv", b"another")
    with found.open("src", "run/a b/tensors.tsv", "run", 1 << 30) as file:
        assert file.read() == DATA
    monkeypatch.setattr(fetched, "_FRESH_S", -1.0)
    with found.open("src", "run/a b/tensors.tsv", "run", 1 << 30) as file:
        assert file.read() == b"another"
    with pytest.raises(OutOfReach, match="not there"):
        found.open("src", "run/gone.tsv", "run", 1 << 30)
    # Names of copies are on no disk.
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


@pytest.fixture
def bucket(moto_server: moto.Moto, monkeypatch: pytest.MonkeyPatch) -> moto.Bucket:
    """An empty bucket."""
    made = moto_server.bucket("s3", prefix="lab")
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def over(bucket: moto.Bucket, tmp_path: Path) -> Iterator[Make]:
    """Makes a way to the bucket."""
    made: list[Fetched] = []

    def make(**settings: Any) -> Fetched:
        source = SourceSettings(**{**bucket.settings(), **settings})
        made.append(Fetched({"src": source}, str(tmp_path)))
        return made[-1]

    yield make
    for one in made:
        one.forget()


def test_what_is_too_large_is_not_fetched(
    bucket: moto.Bucket, over: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what is asked for, by what is fetched at most, and by the room on the disk."""
    found = over()
    bucket.put("run/x", DATA)
    with pytest.raises(OutOfReach, match="9 MB, at most 1 MB"):
        found.open("src", "run/x", "run", 1_000_000)
    with found.open("src", "run/x", "run", 1 << 30) as file:
        assert file.read() == DATA
    # A copy that is there is none for who may have less.
    with pytest.raises(OutOfReach, match="at most 1 MB"):
        found.open("src", "run/x", "run", 1_000_000)
    found.forget()
    monkeypatch.setattr(fetched, "_RESERVE", 1 << 62)
    with pytest.raises(OutOfReach, match="no room"):
        found.open("src", "run/x", "run", 1 << 30)
    found.most = 1_000
    with pytest.raises(OutOfReach, match="at most"):
        found.open("src", "run/x", "run", 1 << 30)


def test_copies_are_bounded(
    bucket: moto.Bucket, over: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest go, and whoever reads one reads on."""
    monkeypatch.setattr(fetched, "_MOST_FILES", 3)
    found = over()
    before = len(os.listdir("/proc/self/fd"))
    with found.open("src", put(bucket, 0), "run", 1 << 20) as first:
        for i in range(1, 10):
            found.open("src", put(bucket, i), "run", 1 << 20).close()
        assert len(found._copies) == 3
        assert first.read() == b"0" * 1_000
    found.forget()
    assert len(os.listdir("/proc/self/fd")) <= before + 2


def put(bucket: moto.Bucket, number: int) -> str:
    """The path of a new object."""
    bucket.put(f"run/{number}", str(number).encode() * 1_000)
    return f"run/{number}"


def test_many_at_once(bucket: moto.Bucket, over: Make) -> None:
    """Each reads its own place."""
    found = over()
    bucket.put("run/x", DATA)

    def read(part: int) -> bytes:
        with found.open("src", "run/x", "run", 1 << 30) as file:
            file.seek(part * 1_000)
            return file.read(1_000)

    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(read, range(64)))
    assert b"".join(parts) == DATA[:64_000]


def test_a_budget_is_kept(bucket: moto.Bucket, over: Make) -> None:
    """A source whose requests are counted is not asked for pages."""
    assert not over(requests_per_day=1_000).knows("src", uri(bucket))


def test_a_server_that_is_away_is_told(
    bucket: moto.Bucket, over: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In words, without what is secret."""
    found = over(endpoint="http://127.0.0.1:9", timeout=0.2)
    with pytest.raises(OutOfReach) as told:
        found.open("src", "run/x", "run", 1 << 20)
    assert str(told.value) and not shown(bucket, told.value)


def test_a_source_of_an_argument_needs_no_configuration(tmp_path: Path) -> None:
    """Its name follows from its URI; a pushed one, and one under another name, are out of reach."""
    (setup,) = setups({}, ("sftp://somewhere/logs",))
    found = Fetched({}, str(tmp_path))
    assert found.knows(setup.name, "sftp://somewhere/logs")
    assert not found.knows("mine", "sftp://somewhere/logs")
    for other in ("edge:/logs", "edge:sftp://somewhere/logs", "/logs", "", "nonsense://"):
        assert not found.knows(setup.name, other)
        assert not found.knows("x", other)


@pytest.mark.parametrize("kind", ["shells", "no_shells"])
def test_no_link_leads_out(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Of a host nothing is read that lies elsewhere than its path says."""
    machine: sshd.Cluster = request.getfixturevalue(kind)
    host = machine.fresh()
    secret = tmp_path / "secret"
    secret.write_bytes(b"only for those who may")
    host.put("run/real/x", b"inside")
    host.put("other/x", b"another run's")
    for name, to in (("out", secret), ("next", host.tree / "other/x"), ("within", "real/x")):
        (host.tree / "run" / name).symlink_to(to)
    (host.tree / "run" / "folder").symlink_to(tmp_path)
    found = Fetched({"src": SourceSettings(**host.settings())}, str(tmp_path))
    with found.open("src", "run/within", "run", 1 << 20) as file:
        assert file.read() == b"inside"
    for path in ("run/out", "run/next", "run/folder/secret", "other/x"):
        with pytest.raises(OutOfReach, match="leads out"):
            found.open("src", path, "run", 1 << 20)
    for path in ("run", "run/real", "run/gone", "gone"):
        with pytest.raises(OutOfReach):
            found.open("src", path, "run", 1 << 20)
    found.forget()
