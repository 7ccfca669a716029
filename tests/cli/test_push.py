"""`boardlake ingest --to`: its options, what it says, and how it ends."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from boardlake.api.service import Service
from boardlake.cli.main import main
from boardlake.cli.serve import bind, server_of, url
from boardlake.core import tokens
from boardlake.core.tokens import Tokens
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.turn import Turns
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.state.store import open_state

SECRET = "bl_a-secret-that-nobody-sees"


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of one run, a token in the environment, and no patience with hubs."""
    monkeypatch.setenv("BOARDLAKE_TOKEN", SECRET)
    monkeypatch.setenv("BOARDLAKE_CONFIG", "/dev/null")
    monkeypatch.setattr("boardlake.ingest.hub._FIRST_WAIT_S", 0.01)
    with EventWriter(tmp_path / "logs" / "run" / "events.out.tfevents.1700000000.h.1.0") as writer:
        writer.file_version(1.7e9)
        writer.scalar("loss", 1.0, 1, 1.7e9)
    return tmp_path / "logs"


@pytest.fixture
def nowhere() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a hub, whose token is in the environment."""
    with open_lake(locate(str(tmp_path / "hub")), read_only=False, create=True):
        pass
    service = Service(open_lake(locate(str(tmp_path / "hub"))), open_state(tmp_path))
    secret = tokens.add(tmp_path / "tokens", "edge", "push")
    bound = bind("127.0.0.1", 0)
    server = server_of(service, bound, Tokens(tmp_path / "tokens"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    (tmp_path / "token").write_text(f"{secret}\n")
    yield url(bound)
    server.close()
    bound.close()
    thread.join(10)
    service.close()


def test_what_it_tells(
    logs: Path, hub: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In JSON what was read, sent and waits; nothing at all in cron; no lake is made here."""
    pushed = ["ingest", str(logs), "--to", hub, "--spool", str(tmp_path / "spool")]
    pushed += ["--token-file", str(tmp_path / "token")]
    assert main([*pushed, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sources"][0]["points"] == 1 and told["sources"][0]["source"].startswith(
        socket.gethostname()
    )
    assert told["hub"]["sent"] > 0 and told["hub"]["waiting"] == 0 and told["hub"]["error"] == ""
    assert main(pushed) == 0
    quiet = capsys.readouterr()
    assert quiet.out == quiet.err == ""
    with open_lake(locate(str(tmp_path / "hub"))) as lake:
        assert lake.query("SELECT count(*) FROM scalar_points") == [(1,)]


def test_a_hub_that_is_away(
    logs: Path, nowhere: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code says it; cron hears nothing until the spool is full."""
    pushed = ["ingest", str(logs), "--to", nowhere, "--spool", str(tmp_path / "spool")]
    assert main(pushed) == 10
    assert capsys.readouterr().err == ""
    assert main(["--log", "plain", *pushed]) == 10
    told = capsys.readouterr().err
    assert "is away" in told and "wait" in told and SECRET not in told
    assert main([*pushed, "--spool-limit", "1"]) == 10
    assert "takes all the room" in capsys.readouterr().err


def test_one_process_empties_a_spool(
    logs: Path, nowhere: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second one leaves, as where a lake is being written."""
    with Turns(tmp_path / "spool" / "turns") as turns:
        assert not turns.take(["spool"])
        pushed = ["ingest", str(logs), "--to", nowhere, "--spool", str(tmp_path / "spool")]
        assert main(pushed) == 9


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--to", "http://hub.example"], "anybody on the way reads the token"),
        (["--to", "https://me:hidden@hub.example"], "no secrets in the address"),
        (["--to", "https://hub.example", "--dry-run"], "goes with"),
        (["--to", "https://hub.example", "--spool-limit", "much"], "--spool-limit"),
        (["--to", "https://hub.example", "--token-file", "/nowhere/token"], "cannot be read"),
        (["--token-file", "/nowhere/token"], "are for --to"),
        (["--plain-http"], "are for --to"),
    ],
)
def test_wrong_use(
    options: list[str], says: str, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told before anything is read, without a secret."""
    assert main(["ingest", str(logs), *options]) == 2
    told = capsys.readouterr().err
    assert says in told and "hidden" not in told and SECRET not in told


@pytest.mark.parametrize("token", ["", "  ", "two\nlines", "é", "x" * 1000])
def test_tokens_that_are_none(
    token: str,
    logs: Path,
    nowhere: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An empty, long or odd file is told by its name."""
    (tmp_path / "token").write_text(token)
    pushed = ["ingest", str(logs), "--to", nowhere, "--token-file", str(tmp_path / "token")]
    assert main(pushed) == 2
    told = capsys.readouterr().err
    assert str(tmp_path / "token") in told and (len(token) < 3 or token not in told)
