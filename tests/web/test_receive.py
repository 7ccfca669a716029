"""What the server takes from edges: their own sources, whole messages, once; all else is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

import boardlake
from boardlake.api.service import Service
from boardlake.cli.serve import bind, server_of, url
from boardlake.core import tokens
from boardlake.core.errors import UsageError
from boardlake.core.tokens import Tokens
from boardlake.core.values import FileEntry, Piece, Place
from boardlake.ingest import discover
from boardlake.ingest.reader import Limits, Work, read
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.sources.local.source import LocalSource
from boardlake.lake import lock, stock_json, wire
from boardlake.lake.database import open_lake
from boardlake.lake.facts import RunFacts
from boardlake.lake.location import locate
from boardlake.lake.sources import SourceFacts, write_source
from boardlake.state.store import open_state
from boardlake.web.app import create_app

WALL = 1_700_000_000.0
NAME = "events.out.tfevents.1700000000.host.7.0"
FACTS = SourceFacts("lab", "edge:/logs", "there", "edge", "", "keep", 1800.0, 86400.0)


class Taker:
    """A server with an empty lake, and an edge that may push `lab` and names like it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "lake"
        with open_lake(locate(str(self.root)), read_only=False, create=True) as lake:
            write_source(lake, replace(FACTS, source="lab-own", kind="local", uri="/own"))
        self.file = folder / "tokens"
        self.edge = tokens.add(self.file, "edge", "push", ("lab*",))
        self.reader = tokens.add(self.file, "reader", "read")
        self.service = Service(open_lake(locate(str(self.root))), open_state(folder))
        self.tokens = Tokens(self.file)
        self.client: FlaskClient = create_app(self.service, self.tokens).test_client()

    def push(self, body: bytes) -> TestResponse:
        """The answer to a body."""
        return self.client.post(
            "/api/v1/receive", data=body, content_type="application/x-boardlake-messages",
            headers={"Authorization": f"Bearer {self.edge}"},
        )  # fmt: skip

    def ask(self, path: str, body: Any) -> TestResponse:
        """The answer to a question of an edge."""
        shown = {"Authorization": f"Bearer {self.edge}"}
        return self.client.post(f"/api/v1/receive/{path}", json=body, headers=shown)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of its lake."""
        with open_lake(locate(str(self.root))) as lake:
            return lake.query(sql)


@pytest.fixture
def taker(tmp_path: Path) -> Iterator[Taker]:
    """A server for one test."""
    made = Taker(tmp_path)
    yield made
    made.service.close()


def pieces(folder: Path, source: str = "lab", points: int = 40) -> list[Piece]:
    """The pieces of a file of scalars."""
    with EventWriter(folder / "run" / NAME) as writer:
        writer.file_version(WALL)
        for step in range(points):
            writer.scalar_tensor("loss", step / 7, step, WALL + step)
    stat = (folder / "run" / NAME).stat()
    place = Place(source, discover.run_key(source, "run"), "run", "", "there", "p", "run")
    entry = FileEntry(f"run/{NAME}", stat.st_size, stat.st_mtime_ns, "1")
    return list(read(LocalSource(str(folder), ("**",), ()), Work(entry, place, None), Limits(2000)))


def body_of(found: list[Piece]) -> bytes:
    """A whole push."""
    report = dict.fromkeys(wire._CYCLE, 0) | {"source": "lab", "error": "", "skipped": ""}
    report |= {"started_at": WALL, "ended_at": WALL + 1, "cost": 0.0}
    told = wire.Beside("lab", {"run": "k"}, {"run": [RunFacts(git_commit="abc")]}, [])
    messages = [wire.Begun(FACTS), told, wire.Problems("lab", []), wire.Cycles([report])]
    return (
        wire.write(messages[0])
        + b"".join(wire.write_pieces(found))
        + b"".join(map(wire.write, messages[1:]))
    )


def test_a_push_that_is_sent_again_changes_nothing(taker: Taker, tmp_path: Path) -> None:
    """As when the answer to the first one was lost; nor does it look as if somebody were at odds."""
    body = body_of(pieces(tmp_path / "logs"))
    first = taker.push(body)
    assert first.status_code == 200 and first.headers["Cache-Control"] == "no-store"
    assert first.get_json() == {"points": 40, "new_runs": 1, "passed_over": []}
    assert taker.push(body).get_json() == {"points": 0, "new_runs": 0, "passed_over": []}
    assert taker.rows("SELECT count(*), count(DISTINCT step) FROM scalar_points") == [(40, 40)]
    assert taker.rows("SELECT count(*) FROM cycles") == [(1,)]
    assert taker.rows("SELECT git_commit FROM run_facts") == [("abc",)]


def test_pieces_that_do_not_go_on(taker: Taker, tmp_path: Path) -> None:
    """Without those before them they are passed over, and said to be."""
    found = pieces(tmp_path / "logs")
    assert len(found) > 1
    answer = taker.push(b"".join(wire.write_pieces(found[1:])))
    told = [{"source": "lab", "path": f"run/{NAME}"}]
    assert answer.get_json() == {"points": 0, "new_runs": 0, "passed_over": told}
    assert taker.rows("SELECT count(*) FROM files") == [(0,)]


def test_what_is_known(taker: Taker, tmp_path: Path) -> None:
    """An edge that lost its spool learns how far everything was read, and what series are."""
    taker.push(body_of(pieces(tmp_path / "logs")))
    stock = stock_json.read(taker.ask("known", {"source": "lab"}).get_json())
    assert [one.path for one in stock.files] == [f"run/{NAME}"] and stock.runs == {"run"}
    assert stock.keys == {"run": "k"}
    right = replace(stock, facts=FACTS).digest()
    digests = {"lab": right, "lab-new": "0" * 32}
    assert taker.ask("differing", {"digests": digests}).get_json() == {"sources": ["lab-new"]}
    asked = {"source": "lab", "run": "run", "stream": ""}
    (series,) = stock_json.read_series(taker.ask("series", asked).get_json())
    assert series[:3] == ("loss", "scalar", "scalars")


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (wire.Begun(replace(FACTS, source="other")), "may not push the source 'other'"),
        (wire.Begun(replace(FACTS, source="lab-own")), "the hub reads itself"),
        (wire.Problems("lab-own", []), "the hub reads itself"),
        (wire.Gone("lab-own", ["a"], [], True), "the hub reads itself"),
        (wire.Begun(replace(FACTS, kind="local")), "as if it were the hub's own"),
        (wire.Begun(replace(FACTS, uri="/etc")), "as if it were the hub's own"),
    ],
)
def test_sources_that_are_not_the_edges(message: Any, says: str, taker: Taker) -> None:
    """Neither those of others, nor those that the server reads itself; nothing is written."""
    refused = taker.push(wire.write(message))
    assert refused.status_code == 409 and says in refused.get_json()["error"]["message"]
    assert taker.rows("SELECT source, kind FROM source_facts") == [("lab-own", "local")]


@pytest.mark.parametrize("source", ["x", "lab-own"])
@pytest.mark.parametrize("path", ["known", "differing", "series"])
def test_questions_about_others(path: str, source: str, taker: Taker) -> None:
    """Are refused, too, and so are those about what the server reads itself."""
    body = {"source": source, "run": "r"} if path == "series" else {"source": source}
    body = {"digests": {source: "0"}} if path == "differing" else body
    assert taker.ask(path, body).status_code == 409


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Taker, bytes]]:
    """A server for many examples, and the body of a whole push."""
    folder = tmp_path_factory.mktemp("damaged")
    made = Taker(folder)
    yield made, body_of(pieces(folder / "logs"))
    made.service.close()


@settings(suppress_health_check=list(HealthCheck), max_examples=25, deadline=None)
@given(data=st.data())
def test_damaged_bodies(shared: tuple[Taker, bytes], data: st.DataObject) -> None:
    """Cut or flipped: 400 and a word on it, and the server goes on."""
    taker, body = shared
    spoilt = bytearray(body[: data.draw(st.integers(1, len(body)))])
    spoilt[data.draw(st.integers(0, len(spoilt) - 1))] ^= data.draw(st.integers(1, 255))
    answer = taker.push(bytes(spoilt))
    assert answer.status_code in (200, 400, 409)
    if answer.status_code == 400:
        assert answer.get_json()["error"]["kind"] == "WireError"


def test_too_large(taker: Taker) -> None:
    """A body has a limit, also one that is larger than others may be."""
    assert taker.push(b"x" * (5 << 20)).status_code == 400
    assert taker.push(b"x" * (wire.MOST_BODY + 1)).status_code == 413


def test_a_writer_at_work(taker: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ingest on the hub, or another edge: come again, and when."""
    monkeypatch.setattr("boardlake.api.service._LOCK_TIMEOUT_S", 0.1)
    monkeypatch.setattr("boardlake.api.service._TURN_TIMEOUT_S", 0.1)
    body = wire.write(wire.Begun(FACTS))
    with lock.hold(locate(str(taker.root)).lock, 5):
        busy = taker.push(body)
    assert busy.status_code == 503 and int(busy.headers["Retry-After"]) > 0
    with taker.service._writing:
        assert taker.push(body).status_code == 503
    assert taker.push(body).status_code == 200


def test_references_into_the_hubs_own_files(taker: Taker, tmp_path: Path) -> None:
    """A pushed image never names a place in a file: the server would look among its own."""
    from boardlake.ingest.sample import forms

    with EventWriter(tmp_path / "logs" / "run" / NAME) as writer:
        writer.file_version(WALL)
        writer.values([forms.image_tensor("images", [b"\x89PNG"], 4, 3)], 0, WALL)
    place = Place("lab", discover.run_key("lab", "run"), "run", "", "there", "p", "run")
    entry = FileEntry(f"run/{NAME}", (tmp_path / "logs" / "run" / NAME).stat().st_size, 1, "1")
    source = LocalSource(str(tmp_path / "logs"), ("**",), ())
    found = list(read(source, Work(entry, place, None, media="reference"), Limits()))
    assert found[0].blocks[-1].payload["location"] != [None]
    taker.push(wire.write(wire.Begun(FACTS)) + b"".join(wire.write_pieces(found)))
    assert taker.rows("SELECT location FROM blobs") == [(None,)]


@pytest.fixture
def served(taker: Taker) -> Iterator[str]:
    """The address of the server."""
    bound = bind("127.0.0.1", 0)
    server = server_of(taker.service, bound, taker.tokens)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield url(bound)
    server.close()
    bound.close()
    thread.join(10)


def test_the_python_api(taker: Taker, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows the token it is given, or that of the environment, and says where one is needed."""
    monkeypatch.delenv("BOARDLAKE_TOKEN", raising=False)
    with boardlake.open(served) as lake, pytest.raises(UsageError, match="asks for a token"):
        lake.runs()
    with boardlake.open(served, token="bl_no") as lake, pytest.raises(UsageError) as failure:
        lake.runs()
    assert "bl_no" not in str(failure.value)
    with boardlake.open(served, token=taker.reader) as lake:
        assert len(lake.runs()) == 0 and len(lake.sql("SELECT 1 AS one")) == 1
    monkeypatch.setenv("BOARDLAKE_TOKEN", taker.reader)
    with boardlake.open(served) as lake:
        assert len(lake.runs()) == 0
    with pytest.raises(UsageError, match="no secrets in the address") as failure:
        boardlake.open("http://me:hidden@127.0.0.1:1")
    assert "hidden" not in str(failure.value)
    with pytest.raises(UsageError, match="only a server"):
        boardlake.open(str(taker.root), token="x")
