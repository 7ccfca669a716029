"""Downloads of runs: every point of those that were chosen, in each format, and nothing left behind."""

from __future__ import annotations

import io
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.cli.serve import bind, url
from boardlake.lake import outflow
from boardlake.web.app import create_app

FORMS = ("parquet", "csv", "arrow", "duckdb", "points")


def left(service: Service) -> list[Path]:
    """What exports of this server, not of others over the same lake, have on the disk."""
    folder = service.exports._spool._folder
    found = folder.rglob("*") if folder else ()
    return [path for path in found if path.is_file() and path.name != "lock"]


def read(data: bytes, form: str, folder: Path) -> pd.DataFrame:
    """The scalar points of a download."""
    if form == "points":
        return pa.ipc.open_stream(data).read_all().to_pandas()
    if form == "duckdb":
        file = folder / "read.duckdb"
        file.write_bytes(data)
        with duckdb.connect(str(file), read_only=True) as con:
            return con.execute("SELECT * FROM scalar_points").df()
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        (name,) = (one for one in packed.namelist() if one.endswith(f"scalar_points.{form}"))
        assert any(one.endswith("manifest.json") for one in packed.namelist())
        content = io.BytesIO(packed.read(name))
    if form == "csv":
        return pyarrow.csv.read_csv(content).to_pandas()
    if form == "arrow":
        return pa.ipc.open_file(content).read_all().to_pandas()
    return pyarrow.parquet.read_table(content).to_pandas()


def same(found: pd.DataFrame, truth: pd.DataFrame) -> None:
    columns = ["run_id", "stream", "tag", "step", "wall_time", "value", "attempt", "superseded"]
    order = ["run_id", "stream", "tag", "attempt", "step", "wall_time", "value"]
    frames = [
        frame[columns].fillna({"stream": ""}).sort_values(order).reset_index(drop=True)
        for frame in (found, truth)
    ]
    pd.testing.assert_frame_equal(*frames, check_dtype=False, check_exact=True)


def points(service: Service, where: str) -> pd.DataFrame:
    with service.cursor() as con:
        return con.execute(f"SELECT * FROM scalar_points WHERE {where}").df()


@pytest.mark.parametrize("form", FORMS)
def test_every_point_comes_along(
    client: FlaskClient, service: Service, form: str, tmp_path: Path
) -> None:
    """Those of the runs that match, superseded ones too; nothing of others, nothing left behind."""
    answer = client.get(f"/api/v1/export?filter=points > 50&format={form}")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["Content-Disposition"]
    runs = client.get("/api/v1/runs?filter=points > 50&limit=10000").get_json()["rows"]
    ids = ", ".join(str(row[0]) for row in runs)
    found = read(answer.data, form, tmp_path)
    answer.close()
    truth = points(service, f"run_id IN ({ids})")
    assert 1_000 < len(truth) < len(points(service, "true")) and truth["superseded"].any()
    same(found, truth)
    assert not left(service)


@pytest.mark.parametrize("form", FORMS)
def test_only_the_tags_asked_for(
    client: FlaskClient, service: Service, form: str, tmp_path: Path
) -> None:
    """Patterns as everywhere; runs by number."""
    truth = points(service, "tag LIKE '%loss%' OR tag = 'train/lr'")
    ids = truth["run_id"].unique()[:5].tolist()
    answer = client.get(
        "/api/v1/export",
        query_string={"runs": ",".join(map(str, ids)), "tags": "*loss*,train/lr", "format": form},
    )
    assert answer.status_code == 200, answer.text
    same(read(answer.data, form, tmp_path), truth[truth["run_id"].isin(ids)])
    answer.close()


@pytest.mark.parametrize("form", ["duckdb", "points"])
@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("filter=name = 'nothing like it'", "no run matches"),
        ("filter=pints > 3", "pints is no field"),
        ("tags=no such tag", "no run has the tag"),
        ("tags=no*such*tag", "no run has such a tag"),
        ("form=parquet", "form"),
    ],
)
def test_nothing_to_export(
    client: FlaskClient, service: Service, form: str, query: str, text: str
) -> None:
    """It is said at once, with nothing written."""
    answer = client.get(f"/api/v1/export?{query}&format={form}")
    assert answer.status_code == 400 and text in answer.get_json()["error"]["message"]
    assert not left(service)


def test_points_flow_in_portions(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the runs are parted, the same points come in the same order."""

    def get() -> bytes:
        with client.get("/api/v1/export?format=points") as answer:
            return answer.data

    whole = get()
    monkeypatch.setattr(outflow, "_PORTION", 1_000)
    monkeypatch.setattr(outflow, "_BATCH_ROWS", 2_048)
    parted = get()
    first, second = (pa.ipc.open_stream(data).read_all() for data in (whole, parted))
    pd.testing.assert_frame_equal(first.to_pandas(), second.to_pandas())
    assert first.num_rows > 10_000
    assert first.schema == outflow.SCHEMA
    with pa.ipc.open_stream(parted) as reader:
        assert sum(1 for _ in reader) > 5


def test_only_some_at_once(client: FlaskClient, service: Service) -> None:
    """One more is refused, until another is done or given up."""
    app = client.application
    held = [app.test_client().get("/api/v1/export?format=points") for _ in range(2)]
    refused = client.get("/api/v1/export?format=points")
    assert (refused.status_code, refused.get_json()["error"]["kind"]) == (429, "Busy")
    assert client.head("/api/v1/export?format=points").status_code == 200
    held[0].close()
    with client.get("/api/v1/export?format=points") as answer:
        assert answer.status_code == 200
    held[1].close()


@pytest.fixture
def server(service: Service) -> Iterator[str]:
    """The address of a running server."""
    from waitress import wasyncore
    from waitress.server import create_server

    bound = bind("127.0.0.1", 0)
    running = create_server(create_app(service), sockets=[bound], threads=4)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield url(bound)
    # Closed by its own loop: a thread may be about to wake it.
    running.task_dispatcher.shutdown()
    running.trigger.pull_trigger(lambda: wasyncore.close_all(running._map, ignore_all=True))
    thread.join(10)
    bound.close()


@pytest.mark.parametrize("form", ["csv", "points"])
def test_a_client_that_goes_away(
    server: str, service: Service, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files go too, and its place is free for others."""
    monkeypatch.setattr(outflow, "_PORTION", 1_000)
    parts: Any = urlsplit(server)
    for _ in range(4):
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            head = f"GET /api/v1/export?format={form} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
            connection.sendall(head.encode())
            assert b"200 OK" in connection.recv(200)
        deadline = time.monotonic() + 60
        while left(service) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left(service)
