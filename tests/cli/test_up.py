"""`boardlake up` as people use it: a real process, its pages over HTTP, and its end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boardlake.ingest.sample.writer import EventWriter

_PATIENCE_S = 60.0
_URL = re.compile(r"http://127\.0\.0\.1:(\d+)/")
_FILE = "events.out.tfevents.1700000000.host.1.0"


class Up:
    """A running `boardlake up`; *said* are the lines of its stderr so far."""

    def __init__(self, cwd: Path, *arguments: str) -> None:
        env = {k: v for k, v in os.environ.items() if not k.startswith("BOARDLAKE_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "boardlake", "--lake", "lake", "up", *arguments],
            cwd=cwd, env=env | {"HOME": str(cwd)}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.said: list[str] = []
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stderr
        self.said.extend(iter(self.process.stderr.readline, ""))

    def line(self, text: str) -> str:
        """The first line that holds *text*."""
        return until(lambda: next((one for one in [*self.said] if text in one), None), self)

    @property
    def url(self) -> str:
        """What it says to open."""
        found = _URL.search(self.line("http://"))
        assert found
        return found[0]

    def info(self) -> dict[str, Any]:
        """What the API says of the lake."""
        with urllib.request.urlopen(self.url + "api/v1/info", timeout=_PATIENCE_S) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def children(self) -> list[int]:
        """The processes it has started that are still there."""
        pid = self.process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(one) for one in listed.split()]

    def stop(self, number: int) -> int:
        """End it with a signal; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE_S)


def until(found: Callable[[], Any], up: Up | None = None) -> Any:
    """What *found* returns once that is something."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        ended = up is not None and up.process.poll() is not None
        if up is not None and ended:
            up.listener.join(_PATIENCE_S)
        answer = found()
        if answer:
            return answer
        assert up is None or not ended, "".join(up.said)
        time.sleep(0.05)
    raise AssertionError("".join(up.said) if up else "nothing came")


def write(folder: Path, first: int, last: int) -> None:
    """Append points of one tag to the run in *folder*."""
    with EventWriter(folder / _FILE, append=True) as writer:
        if not first:
            writer.file_version(1.7e9)
        for step in range(first, last):
            writer.scalar("loss", 1 / (step + 1), step, 1.7e9 + step)


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie that nobody waits for has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with one run, in a path with a space."""
    folder = tmp_path / "my logs"
    write(folder / "run", 0, 10)
    return folder


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """`started(*args)` starts `boardlake up`; what is left of it is killed at the end."""
    running: list[Up] = []

    def start(*arguments: str) -> Up:
        running.append(Up(tmp_path, *arguments))
        return running[-1]

    yield start
    for up in running:
        if up.process.poll() is None:
            up.process.kill()
            up.process.wait()
        assert up.process.stderr
        up.process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_serves_and_reads_until_stopped(
    logs: Path, started: Callable[..., Up], number: int
) -> None:
    """Pages answer at once, points that are written later come by themselves, no child is left."""
    up = started("--port", "0", str(logs))
    with urllib.request.urlopen(up.url, timeout=_PATIENCE_S) as page:
        assert page.status == 200 and b"<html" in page.read()
    assert "1 runs with 10 points" in up.line("The lake holds")
    write(logs / "run", 10, 25)
    until(lambda: up.info()["points"] == 25, up)
    children = up.children()
    assert len(children) == 1
    assert up.stop(number) == 0
    assert all(map(gone, children))
    assert "Traceback" not in "".join(up.said)


def test_a_lake_that_is_empty_is_served(tmp_path: Path, started: Callable[..., Up]) -> None:
    """Every page and question works before there is a run, and nothing to read is said."""
    (tmp_path / "empty").mkdir()
    up = started("--port", "0", "empty")
    for path in ("", "api/v1/runs", "api/v1/facets", "api/v1/fields", "api/v1/tags", "api"):
        with urllib.request.urlopen(up.url + path, timeout=_PATIENCE_S) as answer:
            assert answer.status == 200, path
    up.line("no event files")
    assert up.info()["runs"] == 0
    assert up.stop(signal.SIGINT) == 0


def test_two_at_once_take_two_ports_and_read_once(logs: Path, started: Callable[..., Up]) -> None:
    """A second `up` on the same lake is harmless."""
    first = started(str(logs))
    first.line("The lake holds")
    second = started(str(logs))
    assert "1 runs with 10 points" in second.line("The lake holds")
    assert first.url != second.url
    assert first.info()["points"] == second.info()["points"] == 10
    assert first.stop(signal.SIGTERM) == second.stop(signal.SIGTERM) == 0


def test_the_reader_dies_and_the_pages_go_on(logs: Path, started: Callable[..., Up]) -> None:
    """It is said what happened."""
    up = started("--port", "0", str(logs))
    up.line("The lake holds")
    os.kill(up.children()[0], signal.SIGKILL)
    assert "signal 9" in up.line("reading logs has ended")
    assert up.info()["points"] == 10
    assert up.stop(signal.SIGINT) == 0


def test_the_reader_does_not_outlive_a_killed_server(
    logs: Path, started: Callable[..., Up]
) -> None:
    """Even where the server cannot say goodbye."""
    up = started("--port", "0", str(logs))
    up.line("The lake holds")
    (child,) = up.children()
    up.process.kill()
    up.process.wait()
    until(lambda: gone(child))


def test_a_port_that_was_asked_for_is_had_or_refused(
    logs: Path, started: Callable[..., Up]
) -> None:
    """Nobody is sent to another server than the one that was named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        up = started("--port", str(taken.getsockname()[1]), str(logs))
        assert up.process.wait(_PATIENCE_S) == 2
    assert "cannot be had" in up.line("cannot be had")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["my logs", "--no-serve"], 0, "1 runs with 10 points"),
        (["no such place"], 2, "there is no such directory"),
        ([], 2, "nothing to scan"),
        (["my logs", "--host", "0.0.0.0"], 2, "only this machine"),
    ],
)
def test_up_that_does_not_serve(
    logs: Path,
    tmp_path: Path,
    started: Callable[..., Up],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    """One ingest and out, or what is wrong; a refusal leaves no lake behind."""
    up = started(*arguments)
    assert up.process.wait(_PATIENCE_S) == code
    until(lambda: said in "".join(up.said))
    assert (tmp_path / "lake").exists() == (code == 0)


def test_a_demo_that_lives_grows_until_its_parent_ends(tmp_path: Path) -> None:
    """The sample runs that still go log on; the end of stdin stops that."""
    command = [sys.executable, "-m", "boardlake", "demo", "demo", "--scale", "0.05"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    logs = tmp_path / "demo" / "logs"
    sizes = {path: path.stat().st_size for path in logs.rglob("*tfevents*")}
    with subprocess.Popen(
        [*command, "--live", "--behind"], cwd=tmp_path, stdin=subprocess.PIPE
    ) as live:
        until(lambda: any(path.stat().st_size > size for path, size in sizes.items()))
        assert live.stdin
        live.stdin.close()
        assert live.wait(_PATIENCE_S) == 0
