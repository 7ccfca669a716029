"""Ingests that overlap: the second sees the first, leaves or waits, and nothing is read twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.turn import Turns

_PATIENCE_S = 60.0
_RUNNING = 9


def start(cwd: Path, *arguments: str) -> subprocess.Popen[str]:
    """boardlake in a process of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("BOARDLAKE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "boardlake", *arguments],
        cwd=cwd, env=env | {"HOME": str(cwd)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def call(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of boardlake."""
    with start(cwd, *arguments) as process:
        out, err = process.communicate(timeout=_PATIENCE_S)
    return process.returncode, out, err


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A config of two sources with one run each."""
    for name in ("lab", "bucket"):
        folder = tmp_path / name / "run"
        folder.mkdir(parents=True)
        with EventWriter(folder / "events.out.tfevents.1700000000.host.1.0") as writer:
            writer.file_version(1.7e9)
            for step in range(10):
                writer.scalar("loss", 1 / (step + 1), step, 1.7e9 + step)
    (tmp_path / "boardlake.toml").write_text(
        'lake.path = "lake"\n[sources.lab]\nuri = "lab"\n[sources.bucket]\nuri = "bucket"\n'
    )
    return tmp_path


@pytest.fixture
def watching(house: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`watching(*args)` starts a watch, which has done a cycle; it is stopped at the end."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = start(house, "ingest", "--json", "--watch", *arguments)
        running.append(process)
        assert process.stdout and process.stdout.readline()
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def points(house: Path) -> int:
    """How many points the lake holds."""
    _, out, _ = call(house, "sql", "SELECT count(*) AS n FROM scalar_points", "--format", "json")
    found: int = json.loads(out)[0]["n"]
    return found


def test_cron_beside_a_watch_leaves_quietly(
    house: Path, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    """It has an exit code of its own, no mail, and names who reads where it is asked for JSON."""
    watch = watching("1")
    assert call(house, "ingest") == (_RUNNING, "", "")
    code, out, err = call(house, "ingest", "--json")
    assert (code, err) == (_RUNNING, "")
    assert {(one["source"], one["pid"], one["watch"]) for one in json.loads(out)["left"]} == {
        ("lab", watch.pid, True),
        ("bucket", watch.pid, True),
    }
    assert call(house, "ingest", "--watch", "1")[0] == _RUNNING
    assert points(house) == 20


def test_what_is_free_is_read(house: Path) -> None:
    """Only what another process reads is left to it, and that is no failure."""
    with Turns(house / "lake" / "turns") as turns:
        turns.take(["lab"])
        code, out, _ = call(house, "ingest", "--json")
    told = json.loads(out)
    assert code == 0
    assert [one["source"] for one in told["sources"]] == ["bucket"]
    assert [one["source"] for one in told["left"]] == ["lab"]
    assert points(house) == 10
    assert call(house, "ingest")[0] == 0
    assert points(house) == 20


def test_it_waits_where_it_may(house: Path) -> None:
    """`--wait` goes on as soon as the other is done, and leaves when its time is up."""
    with Turns(house / "lake" / "turns") as turns:
        turns.take(["lab", "bucket"])
        assert call(house, "ingest", "--wait", "0.1")[0] == _RUNNING
        waiting = start(house, "ingest", "--json", "--wait")
        time.sleep(1.0)
        assert waiting.poll() is None
    out, _ = waiting.communicate(timeout=_PATIENCE_S)
    assert [one["points"] for one in json.loads(out)["sources"]] == [10, 10]


def test_a_watch_takes_over_from_a_single_ingest(
    house: Path, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    """A tick of cron that happens to run when a watch begins does not end it."""
    with Turns(house / "lake" / "turns") as turns:
        turns.take(["lab", "bucket"])
        watch = watching("0.1")
        assert watch.poll() is None
    assert watch.stdout
    for line in watch.stdout:
        if not json.loads(line).get("left"):
            break
    assert points(house) == 20


def test_a_killed_watch_is_no_obstacle(
    house: Path, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    """After kill -9 the next tick of cron reads on."""
    watch = watching("1")
    watch.kill()
    watch.wait()
    assert call(house, "ingest")[0] == 0


def test_what_reads_behind_pages_stands_by(house: Path) -> None:
    """`boardlake up` beside a watch of somebody else goes on, and reads when that ends."""
    with Turns(house / "lake" / "turns", watch=True) as turns:
        turns.take(["lab", "bucket"])
        env = {k: v for k, v in os.environ.items() if not k.startswith("BOARDLAKE_")}
        behind = subprocess.Popen(
            [sys.executable, "-m", "boardlake", "ingest", "--watch", "0.1", "--behind", "--json"],
            cwd=house, env=env | {"HOME": str(house)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with behind:
            assert behind.stdin and behind.stdout
            first = json.loads(behind.stdout.readline())
            assert first["sources"] == [] and len(first["left"]) == 2
            turns.close()
            read = 0
            while read < 20:
                read += sum(
                    one["points"] for one in json.loads(behind.stdout.readline())["sources"]
                )
            # It ends with the server, which holds the other end of its stdin.
            behind.stdin.close()
            behind.stdout.read()
            assert behind.wait(_PATIENCE_S) == 0
    assert points(house) == 20


def test_what_fails_keeps_no_turn(house: Path) -> None:
    """Whatever ends an ingest, its sources are free for the next in the same process."""
    config = str(house / "boardlake.toml")
    (house / "lake").mkdir()
    (house / "lake" / "catalog.sqlite").write_bytes(b"no catalog" * 100)
    assert main(["--config", config, "ingest"]) == 4
    (house / "lake" / "catalog.sqlite").unlink()
    assert main(["--config", config, "ingest"]) == 0
