"""`boardlake check` over sources on servers: each is listed as an ingest would, and nothing is stored."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter

_SECRET = "a-secret-of-the-test"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server whose index has one event file."""
    with EventWriter(tmp_path / "web" / "run" / "events.out.tfevents.1.h") as writer:
        writer.scalar("loss", 1.0, 1, 1.7e9)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path / "web"))
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()
    thread.join()


def test_sources_on_servers_are_listed(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers is ok with what it has, what does not is a problem with a hint, without secrets."""
    monkeypatch.setenv("BOARDLAKE_HTTP_TOKEN", _SECRET)
    config = tmp_path / "boardlake.toml"
    config.write_text(
        f'lake.path = "lake"\n[sources.web]\nuri = "{server}"\n'
        f'[sources.gone]\nuri = "{server}/nowhere/"\n[sources.odd]\nuri = "nosuch://host/x"\n'
    )
    assert main(["--config", str(config), "check", "--json"]) == 1
    out = capsys.readouterr().out
    found = {one["what"]: one for one in json.loads(out)}
    # This server knows no ranges, which is told as well.
    assert "1 event file, 4 requests; 1 problem: the server" in found["source web"]["message"]
    assert not found["source gone"]["ok"] and "404" in found["source gone"]["message"]
    assert not found["source odd"]["ok"] and found["source odd"]["hint"]
    assert _SECRET not in out
    assert not (tmp_path / "lake").exists()
