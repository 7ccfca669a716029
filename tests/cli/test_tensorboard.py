"""`boardlake tensorboard` as people use it: a real process on some runs, and what it refuses before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.location import locate
from boardlake.state.store import open_state

from .conftest import Ran

_PATIENCE_S = 120.0
_NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs with a curve each."""
    root = tmp_path_factory.mktemp("tensorboard")
    for number, name in enumerate(_NAMES):
        with EventWriter(root / "logs" / name / "events.out.tfevents.1700000000.h.1.0") as writer:
            writer.file_version(1.7e9 + number)
            for step in range(3):
                writer.scalar("loss", step, step, 1.7e9 + number + step)
    assert main(["--lake", str(root / "lake"), "ingest", str(root / "logs")]) == 0
    return root / "lake"


@pytest.fixture
def start(lake: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command; what is left of it is killed at the end."""
    running: list[subprocess.Popen[str]] = []
    env = {k: v for k, v in os.environ.items() if not k.startswith("BOARDLAKE_")}

    def begin(*arguments: str) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "boardlake", "--lake", str(lake), "tensorboard", *arguments],
                env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What it prints for programs, once it is there; the line for people says the same."""
    assert process.stdout and process.stderr
    found: dict[str, Any] = json.loads(process.stdout.readline() or "{}")
    assert found, process.stderr.read()
    s = "" if found["runs"] == 1 else "s"
    assert process.stderr.readline() == f"TensorBoard on {found['runs']} run{s}: {found['url']}\n"
    return found


def read(url: str) -> Any:
    """What a GET answers."""
    with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:
        body = answer.read().decode()
        return json.loads(body) if "json" in answer.headers["Content-Type"] else body


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_stopped(
    start: Callable[..., subprocess.Popen[str]], number: signal.Signals
) -> None:
    """TensorBoard on the runs of the filter, and our own pages at the same address."""
    process = start("--port", "0", "--json", "name <> 'b'")
    found = told(process)
    assert found == {"url": found["url"], "id": found["id"], "runs": 2}
    assert found["url"].endswith(f"/tb/{found['id']}/")
    assert "<title>TensorBoard</title>" in read(found["url"])
    assert read(found["url"] + "data/runs") == ["a", "c"]
    home = found["url"].removesuffix(f"tb/{found['id']}/")
    assert "boardlake" in read(home) and read(home + "api/v1/info")["runs"] == 3
    process.send_signal(number)
    assert process.wait(_PATIENCE_S) == 0


def test_named_runs_and_a_second_one_beside(start: Callable[..., subprocess.Popen[str]]) -> None:
    """Two on one lake: the second takes the next free port, and the same runs have the same id."""
    first = told(start("--json", "--run", "a", "--run", "c"))
    second = told(start("--json", "--run", "c", "--run", "a"))
    ports = [int(one["url"].split(":")[2].split("/")[0]) for one in (first, second)]
    assert 6006 <= ports[0] != ports[1] and second["runs"] == 2
    assert read(first["url"] + "data/runs") == read(second["url"] + "data/runs") == ["a", "c"]
    assert second["id"] == first["id"]
    third = told(start("--json", "--port", "0", "--view", first["id"]))
    assert (third["id"], third["runs"]) == (first["id"], 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["project = 'none'"], ["no run matches project = 'none'", "boardlake runs \"project = 'none'\""]),
        (["name ~ '$x'"], ["boardlake runs 'name ~ '"]),
        (["hp.lrr > 1"], ["no run has the hyperparameter lrr", "\n  hp.lrr > 1\n  ^\n", "hp.lr?"]),
        (["points >"], ["\n  points >\n         ^"]),
        (["--run", "nobody"], ["no run is called 'nobody'"]),
        (["--view", "nosuch"], ["there is no view 'nosuch'"]),
        (["--view", "x", "--run", "y"], ["--run and --view cannot both hold"]),
        (["seed1", "--view", "x"], ["FILTER and --view cannot both hold"]),
        (["--host", "0.0.0.0"], ["without authentication only this machine is served", "boardlake token"]),
    ],
)  # fmt: skip
def test_what_is_refused_before_anything_starts(
    ran: Callable[..., Ran], arguments: list[str], words: list[str]
) -> None:
    """By name, with what to do; nothing is printed for programs."""
    found = ran("tensorboard", "--json", *arguments)
    assert (found.code, found.out) == (2, "")
    for word in words:
        assert word in found.err


def test_an_empty_lake_is_told(ran: Callable[..., Ran], tmp_path: Path) -> None:
    """Rather than an empty TensorBoard."""
    (tmp_path / "logs").mkdir()
    assert ran("ingest", str(tmp_path / "logs"), lake=tmp_path / "lake").code == 0
    found = ran("tensorboard", lake=tmp_path / "lake")
    assert found.code == 2 and "no runs in the lake yet" in found.err
    assert "boardlake ingest PATH" in found.err
    missing = ran("tensorboard", lake=tmp_path / "none")
    assert missing.code == 4 and "there is no lake" in missing.err


def test_copies_are_told_of(ran: Callable[..., Ran], small_lake: Path) -> None:
    """A filter that finds but copies says how to have them; nothing is kept of what is refused."""
    found = ran("tensorboard", "run_key = 'key0'")
    assert found.code == 2 and "--duplicates" in found.err
    state = open_state(locate(str(small_lake)).root)
    assert state.version() == 0
    state.close()


def test_a_taken_port_is_told(ran: Callable[..., Ran]) -> None:
    """Where it was named, no other is taken."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = ran("tensorboard", "--port", str(port))
    assert found.code == 2 and f"127.0.0.1:{port} cannot be had" in found.err
    assert f"--port {port + 1}" in found.err
