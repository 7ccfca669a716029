"""Exports that are waited for: the lake row by row in every form, with progress, stopped, cleared away."""

from __future__ import annotations

import base64
import http.client
import io
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient

from boardlake.api.exports import AT_ONCE, Exports
from boardlake.api.service import Service
from boardlake.cli.serve import bind, server_of, url
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake import package, spool
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.exported import Choice, tables
from boardlake.lake.location import locate
from boardlake.lake.package import Package

ZIPS = ("parquet", "csv", "arrow")
FORMS = (*ZIPS, "duckdb")
_PATIENCE_S = 60
Filled = Callable[..., tuple[FlaskClient, Service]]


@pytest.fixture(scope="module")
def samples(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: what other servers export of the samples is not seen here."""
    return shutil.copytree(samples, tmp_path_factory.mktemp("exports") / "lake")


def begin(client: FlaskClient, **body: object) -> dict[str, Any]:
    answer = client.post("/api/v1/exports", json=body)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.get_json()
    assert answer.headers["Location"] == f"/api/v1/exports/{told['id']}"
    return told


def done(client: FlaskClient, id: str) -> dict[str, Any]:
    """What is told of an export once it is no longer written."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        told: dict[str, Any] = client.get(f"/api/v1/exports/{id}").get_json()
        if told["state"] != "writing":
            return told
        time.sleep(0.02)
    raise AssertionError("it is still being written")


def drop(client: FlaskClient, id: str) -> int:
    return client.delete(f"/api/v1/exports/{id}", json={}).status_code


def take(client: FlaskClient, **body: object) -> tuple[dict[str, Any], bytes]:
    """An export, and its file."""
    told = done(client, begin(client, **body)["id"])
    assert told["state"] == "ready", told
    with client.get(f"/api/v1/exports/{told['id']}/file") as answer:
        assert answer.status_code == 200, answer.text
        assert answer.content_length == told["bytes"] == len(answer.data)
        assert f"filename={told['name']}" in answer.headers["Content-Disposition"]
        return told, answer.data


def left(service: Service) -> list[str]:
    """What exports have on the disk."""
    folder = service.readers.lake.location.root / "exports"
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


def plain(value: object) -> object:
    """*value* so that NaN equals NaN and one list type another."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def rows(found: list[tuple[Any, ...]]) -> list[str]:
    return sorted(repr(plain(list(row))) for row in found)


def read(data: bytes, form: str, folder: Path) -> dict[str, list[str]]:
    """The rows of every table of a file, as texts."""
    if form == "duckdb":
        file = folder / "read.duckdb"
        file.write_bytes(data)
        with duckdb.connect(str(file), read_only=True) as con:
            return {name: rows(con.execute(f"FROM {name}").fetchall()) for name in tables("duckdb")}
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        packed.extractall(folder)
        (top,) = {name.partition("/")[0] for name in packed.namelist()}
    manifest = json.loads((folder / top / "manifest.json").read_text())
    assert (folder / top / "README.md").stat().st_size > 200
    found = {}
    for name, told in manifest["tables"].items():
        file = folder / top / told["file"]
        assert file.stat().st_size == told["bytes"]
        if form == "parquet":
            found[name] = rows(duckdb.sql(f"FROM '{file}'").fetchall())
        elif form == "arrow":
            with duckdb.connect() as con:
                con.register("held", pa.ipc.open_file(file.read_bytes()).read_all())
                found[name] = rows(con.execute("FROM held").fetchall())
        else:
            every = f"read_csv('{file}', all_varchar = true, allow_quoted_nulls = false)"
            found[name] = rows(duckdb.sql(f"FROM {every}").fetchall())
        assert len(found[name]) == told["rows"]
    return found


def truth(service: Service, form: str, where: str) -> dict[str, list[str]]:
    """The rows that the lake has for runs *where* a condition holds, as `read` gives them."""
    ids = f"(SELECT run_id FROM lake.main.run_facts WHERE {where})"
    by_source = f"source IN (SELECT source FROM lake.main.run_facts WHERE run_id IN {ids})"
    by_file = (
        f"(source, path) IN (SELECT (source, path) FROM lake.main.files WHERE run_id IN {ids})"
    )
    found = {}
    with service.readers.apart() as con:
        for name in tables(form):  # type: ignore[arg-type]
            choice = {
                "sources": by_source, "source_facts": by_source, "cycles": by_source,
                "problems": by_file, "migrations": "true",
            }.get(name, f"run_id IN {ids}")  # fmt: skip
            columns = "*"
            if form == "csv":
                kinds = con.execute(f"DESCRIBE lake.main.{name}").fetchall()
                texts = (
                    f'to_base64("{one}")' if kind == "BLOB" else f'CAST("{one}" AS VARCHAR)'
                    for one, kind, *_ in kinds
                )  # fmt: skip
                columns = ", ".join(texts)
            found[name] = rows(
                con.execute(f"SELECT {columns} FROM lake.main.{name} WHERE {choice}").fetchall()
            )
    return found


@pytest.mark.parametrize("form", FORMS)
def test_an_export_is_the_lake_row_by_row(
    client: FlaskClient, service: Service, form: str, tmp_path: Path
) -> None:
    """Every table, with NaN, lists and bytes; of the runs that match and of no other."""
    told, data = take(client, filter="points > 50", format=form)
    found = read(data, form, tmp_path)
    where = (
        "run_id IN (SELECT run_id FROM lake.main.runs WHERE points > 50 AND duplicate_of IS NULL)"
    )
    expected = truth(service, form, where)
    assert list(found) == list(expected)
    for name in expected:
        assert found[name] == expected[name], name
    assert told["rows"] == {name: len(held) for name, held in expected.items()}
    assert told["rows_done"] == told["rows_total"] == sum(told["rows"].values()) > 10_000
    assert told["rows"]["blobs"] and told["rows"]["tensors"]
    assert 0 < told["runs"] == told["rows"]["run_facts" if form == "duckdb" else "runs"]


@pytest.mark.parametrize("form", FORMS)
def test_odd_values_come_along(filled: Filled, form: str, tmp_path: Path) -> None:
    """NaN, infinities, long and strange texts are as they were logged."""
    text = 'a "quoted", text\nof two lines; \u2028 ünïcode \\N'

    def write(writer: EventWriter) -> None:
        values = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-300, 5e-324]
        for step, value in enumerate(values):
            writer.scalar_tensor(
                'odd, "tag"\nof lines', value, step, 1_700_000_000.0 + step, dtype="float64"
            )
        writer.text("words", text, 3, 1_700_000_000.0)

    client, service = filled({"one": write})
    told, data = take(client, format=form)
    found, expected = read(data, form, tmp_path), truth(service, form, "true")
    assert found == expected
    assert told["rows"]["scalar_points"] == 7
    assert sum("nan" in row for row in found["scalar_points"]) == 1


def test_runs_by_key_and_tags_by_pattern(
    client: FlaskClient, service: Service, tmp_path: Path
) -> None:
    """Those of a list, those of it that match, and series whose tags match as well."""
    every = client.get("/api/v1/runs?columns=run_key,points&limit=1000").get_json()["rows"]
    keys = [key for _, key, _ in every][:6]
    more = [key for _, key, points in every[:6] if points > 500]
    assert 0 < len(more) < 6
    body: dict[str, object] = {
        "runs": [*keys, keys[0]],
        "tag_pattern": "loss$",
        "tags": ["*train*"],
    }
    told, data = take(client, **body)
    found = read(data, "parquet", tmp_path)
    with service.cursor() as con:
        ((count,),) = con.execute(
            "SELECT count(*) FROM scalar_points JOIN runs USING (run_id)"
            " WHERE tag LIKE '%train%loss' AND run_key IN (SELECT unnest(?))",
            [keys],
        ).fetchall()
    assert told["runs"] == 6 and len(found["scalar_points"]) == count > 0
    some = client.post(
        "/api/v1/exports/estimate", json=body | {"filter": "points > 500"}
    ).get_json()
    assert some["runs"] == len(more)
    all_of_them = client.post("/api/v1/exports/estimate", json=body).get_json()
    assert all_of_them["points"] == count
    assert all_of_them["rows"] == told["rows"] and all_of_them["bytes"] > 0 < all_of_them["free"]


def test_a_hundred_thousand_keys_are_taken(client: FlaskClient, service: Service) -> None:
    """As many as can be selected; those that are not there are told by name."""
    with service.cursor() as con:
        ((key,),) = con.execute("SELECT run_key FROM runs LIMIT 1").fetchall()
    many = [key] * 99_999
    assert client.post("/api/v1/exports/estimate", json={"runs": [*many, key]}).status_code == 200
    gone = client.post("/api/v1/exports", json={"runs": [*many, "gone"]})
    assert gone.status_code == 404 and "gone" in gone.get_json()["error"]["message"]
    assert client.post("/api/v1/exports", json={"runs": [key] * 100_001}).status_code == 400


@pytest.mark.parametrize("path", ["exports", "exports/estimate"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"filter": "name = 'nothing like it'"}, "no run matches"),
        ({"filter": "pints > 3"}, "pints is no field"),
        ({"tags": ["no such tag"]}, "no run has the tag"),
        ({"tag_pattern": "no such tag"}, "no run has a tag that matches"),
        ({"tag_pattern": "(open"}, "tag_pattern"),
        ({"format": "points"}, "parquet"),
        ({"form": "csv"}, "form"),
    ],
)
def test_nothing_to_export(
    client: FlaskClient, service: Service, path: str, body: dict[str, object], text: str
) -> None:
    """It is said at once, with nothing written."""
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 400 and text in answer.get_json()["error"]["message"]
    assert not left(service)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Exports stand before their first table until it is set."""
    go = threading.Event()
    whole = Package._queries

    def held(self: Package) -> Iterator[tuple[str, str]]:
        while not go.wait(0.02):
            self._check()
        yield from whole(self)

    monkeypatch.setattr(Package, "_queries", held)
    return go


@pytest.mark.parametrize("form", FORMS)
def test_an_export_is_stopped(
    client: FlaskClient, service: Service, slow: threading.Event, form: str
) -> None:
    """Whoever asks is told; its file is gone, and its place is free."""
    for _ in range(AT_ONCE + 1):
        told = begin(client, format=form)
        assert told["state"] == "writing" and told["rows_done"] == 0
        assert drop(client, told["id"]) == 204
        after = client.get(f"/api/v1/exports/{told['id']}").get_json()
        assert after["state"] == "stopped" and "stopped" in after["error"]["message"]
        assert client.get(f"/api/v1/exports/{told['id']}/file").status_code == 410
        assert not left(service)
        assert drop(client, told["id"]) == 204 and drop(client, told["id"]) == 404


def test_only_some_at_once(client: FlaskClient, service: Service, slow: threading.Event) -> None:
    """Two are written side by side and are whole; one more is refused until one is done."""
    ids = [begin(client, format=form)["id"] for form in ("csv", "duckdb")]
    for refused in (
        client.post("/api/v1/exports", json={}),
        client.get("/api/v1/export?format=parquet"),
    ):
        assert (refused.status_code, refused.get_json()["error"]["kind"]) == (429, "Busy")
    assert client.post("/api/v1/exports/estimate", json={}).status_code == 200
    slow.set()
    first, second = (done(client, id) for id in ids)
    assert first["state"] == second["state"] == "ready"
    assert first["rows"]["scalar_points"] == second["rows"]["scalar_points"] > 0
    with client.get("/api/v1/export?format=parquet") as answer:
        assert answer.status_code == 200
    assert [drop(client, id) for id in ids] == [204, 204]
    assert not left(service)


def test_only_some_follow_at_once(
    client: FlaskClient,
    service: Service,
    slow: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Slow readers leave threads to the pages; once the file is ready it takes none."""
    monkeypatch.setattr("boardlake.api.exports.MOST_FOLLOWING", 0)
    told = begin(client, filter="points < 100", format="csv")
    refused = client.get(f"/api/v1/exports/{told['id']}/file")
    assert refused.status_code == 429 and "as they grow" in refused.get_json()["error"]["message"]
    whole = client.get("/api/v1/export?format=csv")
    assert whole.status_code == 429 and len(left(service)) <= 1
    slow.set()
    assert done(client, told["id"])["state"] == "ready"
    with client.get(f"/api/v1/exports/{told['id']}/file") as answer:
        assert answer.status_code == 200 and answer.data


def test_an_export_is_taken_in_parts(client: FlaskClient) -> None:
    """Whoever was cut off goes on where he was; another file is not taken for it."""
    told, data = take(client, filter="points > 100")
    at = f"/api/v1/exports/{told['id']}/file"
    with client.get(at) as answer:
        tag = answer.headers["ETag"]
    with client.get(at, headers={"Range": "bytes=1000-", "If-Range": tag}) as part:
        assert part.status_code == 206 and part.data == data[1000:]
        assert part.headers["Content-Range"] == f"bytes 1000-{len(data) - 1}/{len(data)}"
    with client.get(at, headers={"Range": "bytes=1000-", "If-Range": '"another"'}) as whole:
        assert whole.status_code == 200 and whole.data == data
    assert client.get(at, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    with client.head(at) as head:
        assert head.content_length == len(data) and head.data == b""


@pytest.fixture
def server(service: Service) -> Iterator[str]:
    """The address of a running server."""
    bound = bind("127.0.0.1", 0)
    running = server_of(service, bound)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield url(bound)
    running.task_dispatcher.shutdown()
    running.trigger.pull_trigger(running.close)
    thread.join(10)
    bound.close()


@pytest.mark.parametrize("form", FORMS)
def test_an_export_is_taken_as_it_grows(
    server: str, client: FlaskClient, service: Service, slow: threading.Event, form: str
) -> None:
    """Whoever asks for the file before it is whole has it, to its last byte."""
    told = begin(client, format=form)
    with closing(http.client.HTTPConnection(urlsplit(server).netloc)) as connection:
        connection.request("GET", f"/api/v1/exports/{told['id']}/file")
        while not service.exports.find(told["id"]).taking:
            time.sleep(0.01)
        slow.set()
        answer = connection.getresponse()
        assert answer.status == 200 and answer.getheader("Content-Length") is None
        grown = answer.read()
    with client.get(f"/api/v1/exports/{told['id']}/file") as whole:
        assert whole.data == grown


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_file_that_fails_is_never_a_short_one(
    server: str, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped midway, whoever is taking it sees that it broke off, and not an end."""
    go = threading.Event()
    whole = Package._copy

    def held(self: Package, name: str, query: str, sink: Any) -> int:
        count = whole(self, name, query, sink)
        while name == "scalar_points" and not go.wait(0.02):
            self._check()
        return count

    monkeypatch.setattr(Package, "_copy", held)
    told = begin(client, format="parquet")
    with closing(http.client.HTTPConnection(urlsplit(server).netloc)) as connection:
        connection.request("GET", f"/api/v1/exports/{told['id']}/file")
        answer = connection.getresponse()
        assert answer.status == 200 and len(answer.read(4)) == 4
        assert drop(client, told["id"]) == 204
        with pytest.raises(http.client.IncompleteRead):
            answer.read()


def test_without_chunks_the_whole_file_is_waited_for(
    server: str, client: FlaskClient, slow: threading.Event
) -> None:
    """HTTP/1.0, as proxies speak it, has no other way to tell an end from a break."""
    told = begin(client)
    parts = urlsplit(server)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as connection:
        head = f"GET /api/v1/exports/{told['id']}/file HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
        connection.sendall(head.encode())
        slow.set()
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    top, _, body = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in top
    assert zipfile.ZipFile(io.BytesIO(body)).testzip() is None


def test_a_client_that_hangs_up_takes_nothing_from_others(
    server: str, client: FlaskClient, service: Service
) -> None:
    """The file is there for the next one."""
    told = begin(client, format="csv")
    parts = urlsplit(server)
    for _ in range(3):
        with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as connection:
            head = f"GET /api/v1/exports/{told['id']}/file HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
            connection.sendall(head.encode())
            assert b"200 OK" in connection.recv(200)
    assert done(client, told["id"])["state"] == "ready"
    with client.get(f"/api/v1/exports/{told['id']}/file") as answer:
        assert zipfile.ZipFile(io.BytesIO(answer.data)).testzip() is None
    assert drop(client, told["id"]) == 204 and not left(service)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_who_waits_and_hangs_up_leaves_his_place(
    server: str, client: FlaskClient, service: Service, slow: threading.Event, version: str
) -> None:
    """While nothing can be sent yet, no thread waits for a client that is not there."""
    export = service.exports.find(begin(client, format="duckdb")["id"])
    parts = urlsplit(server)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as connection:
        head = (
            f"GET /api/v1/exports/{export.id}/file HTTP/{version}\r\nHost: {parts.netloc}\r\n\r\n"
        )
        connection.sendall(head.encode())
        until(lambda: export.taking == 1)
    until(lambda: export.taking == 0)
    assert export.state == "writing"


def until(holds: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_other_pages_start_no_download(client: FlaskClient, service: Service) -> None:
    """An image elsewhere whose address is this one has nothing written; a link may lead here."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}
    assert client.get("/api/v1/export?format=csv", headers=headers).status_code == 403
    assert not left(service)
    headers["Sec-Fetch-Dest"] = "document"
    with client.get("/api/v1/export?format=csv&filter=points<100", headers=headers) as answer:
        assert answer.status_code == 200


def test_an_export_is_stopped_where_it_cannot_be_looked_at(
    client: FlaskClient, slow: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong beside it ends neither it nor the watch over it."""
    looks: list[int] = []

    def fails(_: Package) -> None:
        looks.append(1)
        if len(looks) > 1:
            raise OSError("no one can look")

    monkeypatch.setattr(Package, "_look", fails)
    told = begin(client, format="csv")
    until(lambda: len(looks) > 3)
    assert drop(client, told["id"]) == 204
    assert done(client, told["id"])["state"] == "stopped"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small file system needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Lake]:
    """A lake whose exports take more than 8 MB."""
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as lake:
        with lake.transaction() as con:
            con.execute("INSERT INTO run_facts BY NAME SELECT 1 AS run_id, 'key' AS run_key")
            con.execute(
                "INSERT INTO scalar_points BY NAME SELECT 1 AS run_id, '' AS stream, 'noise' AS tag,"
                " range AS step, random() AS wall_time, random() AS value FROM range(2_000_000)"
            )
        yield lake


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reserve", [0, 2 << 20])
def test_a_full_disk_is_told_and_left_as_it_was(
    large: Lake, small: Path, form: str, reserve: int
) -> None:
    """Where it is full, or nearly, the error names it, and nothing stays."""
    file = small / "out"
    packing = Package(large, file, form, Choice(), name="out", reserve=reserve)  # type: ignore[arg-type]
    with pytest.raises(package.SpaceError) as told:
        packing.write()
    assert str(small) in told.value.message and told.value.hint
    assert not list(small.iterdir())
    assert large.query("SELECT count(*) FROM scalar_points") == [(2_000_000,)]


def test_what_cannot_fit_is_refused_before(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With how much it would take, and how much there is."""
    monkeypatch.setattr(Exports, "free", lambda _: 1_000)
    refused = client.post("/api/v1/exports", json={})
    assert refused.status_code == 507 and "0 MB are free" in refused.get_json()["error"]["message"]
    assert not left(service)


def test_a_server_that_ends_leaves_nothing(
    client: FlaskClient, service: Service, slow: threading.Event
) -> None:
    """Neither of what was written nor of what was being written."""
    slow.set()
    take(client, format="csv")
    slow.clear()
    begin(client, format="parquet")
    assert left(service)
    service.exports.close()
    assert not (service.readers.lake.location.root / "exports").exists()
    assert client.post("/api/v1/exports", json={}).status_code == 429


_KILLED = """
import sys, time
from pathlib import Path
from boardlake.lake.spool import Spool
folder = Spool(Path(sys.argv[1])).folder()
(folder / "export.zip").write_bytes(b"secret")
print("ready", flush=True)
time.sleep(600)
"""


def test_what_a_killed_server_left_goes_with_the_next(tmp_path: Path) -> None:
    """After kill -9 its files go when another starts; those of one that lives do not."""
    parent = tmp_path / "exports"
    processes = [
        subprocess.Popen([sys.executable, "-c", _KILLED, str(parent)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        mine = spool.Spool(parent)
        assert len(list(parent.iterdir())) == 2
        os.kill(processes[0].pid, signal.SIGKILL)
        processes[0].wait()
        (parent / "somebody's").mkdir()
        other = spool.Spool(parent)
        assert len(list(parent.glob("*/export.zip"))) == 1
        assert mine.folder() != other.folder() and (parent / "somebody's").is_dir()
        spool.sweep(parent)
        assert mine.folder().is_dir()
        mine.close()
        other.close()
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_old_exports_go(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those beyond what is kept, the one used longest ago first; and those that were kept for long."""
    monkeypatch.setattr("boardlake.api.exports.MOST_KEPT", 2)
    ids = [take(client, filter="points < 100", format="csv")[0]["id"] for _ in range(4)]
    found = [client.get(f"/api/v1/exports/{id}").status_code for id in ids]
    assert found[0] == 404 and found[-2:] == [200, 200]
    monkeypatch.setattr("boardlake.api.exports.KEPT_S", -1.0)
    service.exports._expire()
    gone = client.get(f"/api/v1/exports/{ids[-1]}")
    assert gone.status_code == 404 and "start another" in gone.get_json()["error"]["hint"]
    assert not left(service)


def test_bytes_are_base64_in_csv(client: FlaskClient, service: Service, tmp_path: Path) -> None:
    """And are the bytes that were logged."""
    _, data = take(client, format="csv", duplicates=True)
    read(data, "csv", tmp_path)
    (file,) = tmp_path.rglob("blobs.csv")
    found = duckdb.sql(f"SELECT data FROM read_csv('{file}', all_varchar = true)").fetchall()
    with service.readers.apart() as con:
        held = con.execute("SELECT data FROM lake.main.blobs").fetchall()
    assert sorted(base64.b64decode(text) for (text,) in found if text) == sorted(
        one for (one,) in held if one
    )


def test_parquet_keeps_its_types(client: FlaskClient, tmp_path: Path) -> None:
    """Integers, floats, truth values and lists are what they are in the lake."""
    _, data = take(client, format="parquet")
    read(data, "parquet", tmp_path)
    (file,) = tmp_path.rglob("scalar_points.parquet")
    schema = pq.read_schema(file)
    assert schema.field("step").type == pa.int64() and schema.field("value").type == pa.float64()
    assert schema.field("superseded").type == pa.bool_()
