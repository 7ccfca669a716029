"""Logs: every line that an unattended ingest says can be read by a machine, and none holds a secret."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from boardlake.cli.log import Log
from boardlake.ingest.sample.writer import EventWriter

_SECRET = "hunter2-hunter2"


def call(cwd: Path, *arguments: str, **environ: str) -> tuple[int, list[str]]:
    """Exit code of boardlake in a process of its own, and the lines of its stderr."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("BOARDLAKE_")}
    done = subprocess.run(
        [sys.executable, "-m", "boardlake", *arguments],
        cwd=cwd, env=env | {"HOME": str(cwd)} | environ,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.splitlines()


def objects(lines: list[str]) -> list[dict[str, Any]]:
    """Each line as an object that has what every one has."""
    found = [json.loads(line) for line in lines]
    for one in found:
        assert {"time", "level", "event", "message"} <= set(one)
        assert one["time"].endswith("Z") and one["level"] in ("info", "warning", "error")
    return found


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A source with a run, and one that is not there."""
    folder = tmp_path / "logs" / "run"
    folder.mkdir(parents=True)
    with EventWriter(folder / "events.out.tfevents.1700000000.host.1.0") as writer:
        writer.file_version(1.7e9)
        for step in range(10):
            writer.scalar("loss", 1 / (step + 1), step, 1.7e9 + step)
    (tmp_path / "boardlake.toml").write_text(
        'lake.path = "lake"\n[sources.lab]\nuri = "logs"\n[sources.gone]\nuri = "nowhere"\n'
    )
    return tmp_path


def test_an_ingest_in_json(house: Path) -> None:
    """What was read and what failed: one object each, with figures, and nothing else on stderr."""
    code, lines = call(house, "ingest", "--log", "json")
    found = {(one["event"], one.get("source")): one for one in objects(lines)}
    assert code == 6
    assert found["cycle", "lab"]["points"] == 10 and found["cycle", "lab"]["level"] == "info"
    assert found["source", "gone"]["level"] == "error"
    assert "nowhere" in found["source", "gone"]["message"]
    assert len(found) == len(lines) == 2


def test_quiet_leaves_errors(house: Path) -> None:
    """`--quiet` and a variable of the environment instead of an option."""
    _, lines = call(house, "ingest", "--quiet", BOARDLAKE_LOG="json")
    assert [one["event"] for one in objects(lines)] == ["source"]


def test_plain_lines_have_a_time_and_a_level(house: Path) -> None:
    """One line for each, whatever the message holds."""
    _, lines = call(house, "--log", "plain", "ingest")
    assert len(lines) == 2
    assert any(" info    lab: 10 points" in line for line in lines)
    assert any(" error   gone: " in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "code", "event"),
    [
        (["ingest", "--watch", "never"], 2, "usage"),
        (["ingest", "--config", "x"], 2, "usage"),
        (["--lake", "/proc/none", "ingest", "logs"], 4, "error"),
        (["--config", "none.toml", "ingest"], 3, "error"),
    ],
)
def test_errors_are_objects_too(arguments: list[str], code: int, event: str, house: Path) -> None:
    """With the exit code, and with the hint on its own."""
    ended, lines = call(house, "--log", "json", *arguments)
    (one,) = objects(lines)
    assert (ended, one["exit_code"], one["event"]) == (code, code, event)
    if event == "error":
        assert one["hint"] and "hint" not in one["message"]


def test_a_left_source_is_told(house: Path) -> None:
    """Who reads it, as fields."""
    from boardlake.ingest.turn import Turns

    with Turns(house / "lake" / "turns") as turns:
        turns.take(["lab", "gone"])
        code, lines = call(house, "ingest", "--log", "json")
    found = objects(lines)
    assert code == 9 and [one["event"] for one in found] == ["left", "left", "error"]
    assert {one["pid"] for one in found[:2]} == {os.getpid()}


def said(kind: Any, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Log, Any]:
    """A log and what it writes to."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    return Log(kind, environ), out


@pytest.mark.parametrize("kind", ["plain", "json"])
def test_secrets_of_the_environment_never_come_out(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a message, a field, a list within, a name or a URL."""
    environ = {"LAB_AWS_SECRET_ACCESS_KEY": _SECRET, "AZURE_STORAGE_SAS": "sig=abc/+%2Bdef"}
    log, out = said(kind, environ, monkeypatch)
    log.write("error", "x", f"refused {_SECRET}!", f"s-{_SECRET}", hint=f"at {_SECRET}")
    log.write("error", "x", "y", deep=[{"a": (_SECRET, 1)}], **{_SECRET: 1})
    log.write("error", "x", "get https://user:pass-word@host/p?sig=abc/+%2Bdef")
    text = out.getvalue()
    assert len(text.splitlines()) == 3
    assert _SECRET not in text and "pass-word" not in text and "sig=abc" not in text


@pytest.mark.parametrize("kind", ["plain", "json"])
def test_a_line_stays_a_line(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of files hold what they like: breaks, escapes, halves of characters, a megabyte."""
    log, out = said(kind, {}, monkeypatch)
    for text in ("a\nb", "\x1b[31mred", "\udcff", "\u2028", "x" * 1_000_000, "\x00"):
        log.write("info", "x", text, value=text, time="no", level="no")
    lines = out.getvalue().splitlines()
    assert len(lines) == 6 and all(len(line) < 100_000 for line in lines)
    assert "\x1b" not in out.getvalue()
    out.getvalue().encode("utf-8")


def test_numbers_that_json_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN and infinities are null: a line that no parser takes is lost."""
    log, out = said("json", {}, monkeypatch)
    log.write("info", "x", "y", a=float("nan"), b=float("inf"), c=1.5, d=None, e=True)
    found = json.loads(out.getvalue())
    assert [found[name] for name in "abcde"] == [None, None, 1.5, None, True]


def test_libraries_and_crashes_are_lines(house: Path) -> None:
    """Their warnings, and the traceback of a mistake of ours, in this thread and in others."""
    code = (
        "import logging, threading, warnings\n"
        "from boardlake.cli.log import Log\n"
        "Log('json').install()\n"
        "logging.getLogger('lib').warning('slow %s', 'server')\n"
        "logging.getLogger('lib').info('chatter')\n"
        "warnings.warn('old')\n"
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()\n"
        "raise KeyError('oops')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=house, capture_output=True, text=True, check=False
    )
    found = objects(done.stderr.splitlines())
    assert [one["event"] for one in found] == ["library", "library", "crash", "crash"]
    assert found[0]["message"] == "slow server" and found[0]["logger"] == "lib"
    assert "ZeroDivisionError" in found[2]["message"] and "Traceback" in found[3]["trace"]
