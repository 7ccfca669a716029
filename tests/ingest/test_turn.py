"""Turns at a source: one process at a time, nothing left of a dead one, nobody waiting for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from boardlake.core.errors import LakeError
from boardlake.core.settings import parse
from boardlake.ingest.setup import setups
from boardlake.ingest.turn import Holder, Turns, names_of

_HOLD = """
import subprocess, sys, time
from pathlib import Path
from boardlake.ingest.turn import Turns
turns = Turns(Path(sys.argv[1]), watch=True)
assert not turns.take(sys.argv[2:])
# What it starts may live on, and has inherited whatever can be.
child = subprocess.Popen(["sleep", "600"], close_fds=False, stdout=subprocess.DEVNULL)
print("held", child.pid, flush=True)
time.sleep(600)
"""


@contextmanager
def holder(folder: Path, *names: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds *names* until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder), *names], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        held, child = process.stdout.readline().split()
        assert held == "held"
        try:
            yield process
        finally:
            process.kill()
            os.kill(int(child), signal.SIGKILL)


def test_a_source_is_read_by_one_process(tmp_path: Path) -> None:
    """The second is told who has it, and gets what is free."""
    with Turns(tmp_path / "turns", watch=True) as first, Turns(tmp_path / "turns") as second:
        assert first.take(["lab", "bucket"]) == {}
        left = second.take(["lab", "cloud"])
        assert list(left) == ["lab"]
        assert left["lab"].pid == os.getpid() and left["lab"].watch and left["lab"].host
        assert str(os.getpid()) in str(left["lab"]) and "--watch" in str(left["lab"])
        assert list(first.take(["cloud"])) == ["cloud"]
        # What one has, it keeps.
        assert first.take(["lab", "bucket"]) == {}


def test_given_back_it_is_free(tmp_path: Path) -> None:
    """The end of one is the begin of the other, and nothing is told of who is gone."""
    with Turns(tmp_path) as first:
        first.take(["lab"])
    with Turns(tmp_path) as second:
        assert second.take(["lab"]) == {}
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b""]


def test_one_of_several_is_given_back(tmp_path: Path) -> None:
    """As when its source is done and another one hangs; twice, or without having it, is as well."""
    with Turns(tmp_path / "turns") as first, Turns(tmp_path / "turns") as second:
        first.take(["lab", "hung"])
        first.release("lab")
        first.release("lab")
        second.release("hung")
        assert list(second.take(["lab", "hung"])) == ["hung"]


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    """`kill -9` frees the source at once, whatever its file says and its children still do."""
    with holder(tmp_path, "lab") as process, Turns(tmp_path) as turns:
        assert turns.take(["lab"])["lab"].pid == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert turns.take(["lab"]) == {}


def test_it_waits_until_the_other_is_done(tmp_path: Path) -> None:
    """With time to wait the turn comes; without, what is left is told at once."""
    stop = threading.Event()
    with holder(tmp_path, "b") as process, Turns(tmp_path) as turns:
        assert list(turns.wait(["a", "b", "c"], 0, stop)) == ["b"]
        threading.Timer(0.3, process.kill).start()
        assert turns.wait(["a", "b", "c"], 60, stop) == {}


def test_waiting_stops_when_asked(tmp_path: Path) -> None:
    """A signal ends it."""
    stop = threading.Event()
    stop.set()
    with holder(tmp_path, "lab"), Turns(tmp_path) as turns:
        assert list(turns.wait(["lab"], float("inf"), stop)) == ["lab"]


def test_two_that_wait_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """Whatever order they are asked in, turns are taken in one."""
    gone = threading.Event()
    blocker = Turns(tmp_path)
    blocker.take(["a"])
    done: list[dict[str, Holder]] = []

    def other() -> None:
        with Turns(tmp_path) as turns:
            done.append(turns.wait(["b", "a"], 60, gone))

    threads = [threading.Thread(target=other) for _ in range(3)]
    for thread in threads:
        thread.start()
    with Turns(tmp_path) as passing:
        # Who waits for a, holds no b.
        assert passing.take(["b"]) == {}
    blocker.close()
    for thread in threads:
        thread.join(60)
    assert done == [{}, {}, {}]


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "lab.gpu[01]", "ünï", "x" * 400, "."])
def test_any_name_has_a_file_of_its_own(name: str, tmp_path: Path) -> None:
    """Names come from ssh configurations: no file is written outside."""
    folder = tmp_path / "inner" / "turns"
    with Turns(folder) as turns:
        assert turns.take([name]) == {}
        assert len(list(folder.iterdir())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"[]", b'{"pid": "x"}', b"9" * 5_000])
def test_what_the_file_says_is_only_for_messages(text: bytes, tmp_path: Path) -> None:
    """Whatever stands in it, the lock is what counts."""
    with Turns(tmp_path) as first, Turns(tmp_path) as second:
        first.take(["lab"])
        (tmp_path / "lab.lock").write_bytes(text)
        assert str(second.take(["lab"])["lab"]) == "another process"


def test_many_hosts_are_not_too_many_files(tmp_path: Path) -> None:
    """A thousand and more locks are held under the usual limit of open files."""
    code = (
        "import resource, sys; from pathlib import Path; from boardlake.ingest.turn import Turns\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))\n"
        "assert Turns(Path(sys.argv[1])).take(f'lab.{i}' for i in range(1200)) == {}\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The error says where, and what is needed."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LakeError, match="file") as caught, Turns(tmp_path / "file" / "t") as turns:
        turns.take(["lab"])
    assert "permission" in caught.value.hint


def test_names_are_those_of_the_sources_of_a_cycle() -> None:
    """Turns are taken before sources are set up: both go by the same names."""
    text = (
        '[sources.lab]\nuri = "/x"\n[sources.gpu]\nuri = "ssh:///runs"\nhosts = ["g[01-03]", "h"]\n'
        '[sources.jobs]\nuri = "slurm:"\n'
    )
    configured = parse(text, "x").sources
    names = names_of(configured)
    assert names == [one.name for one in setups(configured)]
    assert names == ["lab", "gpu.g01", "gpu.g02", "gpu.g03", "gpu.h", "jobs"]


def test_whoever_leaves_imports_little(tmp_path: Path) -> None:
    """Every minute in cron beside a watch: neither kernels nor Arrow."""
    (tmp_path / "boardlake.toml").write_text('lake.path = "lake"\n[sources.lab]\nuri = "logs"\n')
    code = (
        "import sys; from boardlake.cli.main import main; code = main(['ingest']);"
        "print(code, [n for n in ('numba', 'pyarrow', 'pandas') if n in sys.modules])"
    )
    with holder(tmp_path / "lake" / "turns", "lab"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
        )
    assert done.stdout == "9 []\n"
