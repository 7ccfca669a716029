"""Deleting over HTTP: runs are gone from every answer and from the disk, and only those."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.core.errors import SpaceError
from boardlake.core.settings import SourceSettings
from boardlake.core.values import Piece
from boardlake.ingest import cycle, destination
from boardlake.ingest.reader import Limits
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.lake import delete as delete_module
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.detail import run_ids
from boardlake.lake.erase import erase
from boardlake.lake.location import Location, locate
from boardlake.lake.package import Package
from boardlake.lake.write import Written, write
from boardlake.state.store import open_state
from boardlake.web.app import create_app


@pytest.fixture
def place(samples: Path, tmp_path: Path) -> Location:
    """A copy of the samples."""
    shutil.copytree(samples, tmp_path / "lake")
    return locate(str(tmp_path / "lake"))


@pytest.fixture
def service(place: Location) -> Iterator[Service]:
    """A service over the copy."""
    opened = Service(open_lake(place), open_state(place.root))
    yield opened
    opened.close()


def rows(client: FlaskClient) -> dict[str, str]:
    """run_key and name of every run."""
    answer = client.get("/api/v1/runs?columns=run_key,name&limit=10000&duplicates=true")
    return {row[1]: row[2] for row in answer.get_json()["rows"]}


def delete(client: FlaskClient, **body: object) -> Any:
    answer = client.post("/api/v1/delete", json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_deleted_runs_are_gone(client: FlaskClient, place: Location) -> None:
    """From tables, disk and notes at once, while the service goes on; the others stay."""
    before = rows(client)
    going = list(before)[:2]
    client.patch("/api/v1/annotations", json={"runs": going, "set": {"notes": "zz-secret"}})
    receipt = delete(client, runs=going, confirm=2)
    assert {one["run_key"] for one in receipt["runs"]} == set(going)
    assert receipt["erased"] and receipt["note"] == "" and receipt["rows"]["scalar_points"] > 0
    assert rows(client) == {key: name for key, name in before.items() if key not in going}
    assert client.get(f"/api/v1/runs/{going[0]}").status_code == 404
    assert client.get("/api/v1/annotations").get_json() == {"annotations": []}
    with open_lake(place) as lake:
        assert not lake.query("SELECT 1 FROM run_facts WHERE run_key = ?", [going[0]])
    again = client.post("/api/v1/delete", json={"runs": going, "confirm": 2})
    assert again.status_code == 404


def test_a_dry_run_only_counts(client: FlaskClient) -> None:
    """It needs no word, and says what the deletion then does."""
    before = rows(client)
    going = list(before)[3:6]
    planned = delete(client, runs=going, dry_run=True)
    assert planned["dry_run"] and rows(client) == before
    done = delete(client, runs=going, confirm=3)
    assert (planned["rows"], planned["runs"]) == (done["rows"], done["runs"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"confirm": 1}, 400),
        ({"confirm": 3}, 400),
        ({}, 400),
        ({"confirm": 2, "runs": ["none", "nothing"]}, 404),
        ({"confirm": 0, "runs": []}, 400),
        ({"confirm": 2, "force": True}, 400),
    ],
)
def test_without_the_right_word_nothing_goes(
    client: FlaskClient, body: dict[str, object], status: int
) -> None:
    """The number must be that of the runs, each of which must be there."""
    before = rows(client)
    answer = client.post("/api/v1/delete", json={"runs": list(before)[:2]} | body)
    assert answer.status_code == status and answer.get_json()["error"]["message"]
    assert rows(client) == before


def test_only_pages_of_this_server_may_delete(client: FlaskClient) -> None:
    """Neither a form nor a page from elsewhere."""
    before = rows(client)
    body = {"runs": list(before)[:1], "confirm": 1}
    foreign = client.post("/api/v1/delete", json=body, headers={"Origin": "http://evil.example"})
    form = client.post("/api/v1/delete", data=body)
    assert foreign.status_code == form.status_code == 403 and rows(client) == before


def test_readers_at_work_see_no_error(service: Service) -> None:
    """While runs go, others read curves and tables: each answer is whole."""
    app = create_app(service)
    first = app.test_client()
    going = list(rows(first))[:2]
    failed: list[str] = []
    done = threading.Event()

    def read() -> None:
        client = app.test_client()
        while not done.is_set():
            for path in ("/api/v1/runs", "/api/v1/tags", "/api/v1/fields"):
                answer = client.get(path)
                if answer.status_code != 200:
                    failed.append(answer.text)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for key in going:
            receipt = delete(first, runs=[key], confirm=1)
            assert receipt["erased"] or receipt["note"]
            assert key not in rows(first)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failed, failed[:3]


def test_a_reader_that_holds_on(service: Service) -> None:
    """A run goes although someone else reads an old snapshot; what is left to erase is told."""
    client = create_app(service).test_client()
    key = next(iter(rows(client)))
    with open_lake(service.readers.lake.location) as other:
        other.con.execute("BEGIN")
        other.con.execute("SELECT count(*) FROM run_facts").fetchall()
        receipt = delete(client, runs=[key], confirm=1)
        assert not receipt["erased"] and "upkeep" in receipt["note"]
        assert key not in rows(client)
        other.con.execute("ROLLBACK")


def test_receipts_are_kept(client: FlaskClient, place: Location) -> None:
    """The log has each deletion, the newest first, with runs by their keys and no name of them."""
    assert client.get("/api/v1/receipts").get_json() == {"total": 0, "receipts": []}
    before = rows(client)
    first, second, third, *_ = before
    given = [delete(client, runs=some, confirm=len(some)) for some in ([first], [second, third])]
    delete(client, runs=list(before)[4:5], dry_run=True)
    with (place.root / "deletions.jsonl").open("a") as log:
        log.write('{"at": "torn')
    found = client.get("/api/v1/receipts").get_json()
    newest, oldest = found["receipts"]
    assert found["total"] == 2 and oldest["run_keys"] == [first]
    assert (newest["runs"], set(newest["run_keys"])) == (2, {second, third})
    for receipt, told in zip((oldest, newest), given, strict=True):
        assert receipt["at"] == told["at"] and receipt["rows"] == told["rows"]
        assert receipt["erased_at"] and receipt["files_removed"] == told["files_removed"]
    assert before[first] not in str(found)
    assert client.get("/api/v1/receipts?limit=1&offset=1").get_json()["receipts"] == [oldest]
    assert client.get("/api/v1/receipts?limit=-1").status_code == 400


def test_a_receipt_says_what_is_still_to_erase(service: Service) -> None:
    """While a reader holds old pages it is not erased; the upkeep after that is told of."""
    client = create_app(service).test_client()
    key = next(iter(rows(client)))
    with open_lake(service.readers.lake.location) as other:
        other.con.execute("BEGIN")
        other.con.execute("SELECT count(*) FROM run_facts").fetchall()
        delete(client, runs=[key], confirm=1)
        other.con.execute("ROLLBACK")
    (receipt,) = client.get("/api/v1/receipts").get_json()["receipts"]
    assert receipt["erased_at"] is None
    with open_lake(service.readers.lake.location, read_only=False) as lake:
        erase(lake)
    (receipt,) = client.get("/api/v1/receipts").get_json()["receipts"]
    assert receipt["erased_at"] and receipt["run_keys"] == [key]


def test_exports_of_a_deleted_run_go_with_it(client: FlaskClient, place: Location) -> None:
    """What was written for a download is no hiding place; exports of other runs stay."""
    gone, other, *_ = rows(client)
    ids = []
    for key in (gone, other):
        answer = client.post("/api/v1/exports", json={"runs": [key], "format": "csv"})
        ids.append(answer.get_json()["id"])
        with client.get(f"/api/v1/exports/{ids[-1]}/file") as file:
            assert file.status_code == 200 and len(file.data) > 1_000
    delete(client, runs=[gone], confirm=1)
    assert client.get(f"/api/v1/exports/{ids[0]}").status_code == 404
    assert [file.name for file in place.root.glob("exports/*/*.csv")] == [f"{ids[1]}.csv"]


def test_what_fails_after_the_commit_leaves_nothing_of_the_runs(
    client: FlaskClient, service: Service, place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk is too full to erase, they are gone all the same: their exports and notes too."""

    def full(_: Lake) -> tuple[int, bool]:
        raise SpaceError("the disk is full")

    key = next(iter(rows(client)))
    client.patch("/api/v1/annotations", json={"runs": [key], "set": {"notes": "zz-secret"}})
    id = client.post("/api/v1/exports", json={"runs": [key]}).get_json()["id"]
    assert service.exports.find(id).done.wait(120)
    monkeypatch.setattr(delete_module, "erase", full)
    failed = client.post("/api/v1/delete", json={"runs": [key], "confirm": 1})
    assert failed.status_code == 507 and key not in rows(client)
    assert client.get(f"/api/v1/exports/{id}").status_code == 404
    assert client.get("/api/v1/annotations").get_json() == {"annotations": []}
    assert not list(place.root.glob("exports/*/*.parquet"))


def test_exports_of_runs_that_another_process_deleted_go(
    client: FlaskClient, service: Service, place: Location
) -> None:
    """As soon as anyone asks for an export after it."""
    gone, other, *_ = rows(client)
    first, second = (
        client.post("/api/v1/exports", json={"runs": [key]}).get_json()["id"]
        for key in (gone, other)
    )
    for id in (first, second):
        assert service.exports.find(id).done.wait(120)
    with open_lake(place, read_only=False) as lake:
        delete_module.delete_runs(lake, run_ids(lake.con, [gone]))
    service.readers.look()
    assert client.get(f"/api/v1/exports/{first}/file").status_code == 404
    assert client.get(f"/api/v1/exports/{second}").status_code == 200
    assert [file.name for file in place.root.glob("exports/*/*.parquet")] == [f"{second}.parquet"]


def test_a_run_that_an_ingester_reads_at_this_moment(
    filled: Callable[..., tuple[FlaskClient, Service]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Deleted between two commits of its file it stays away, with no row in any table."""

    def values(count: int) -> Callable[[EventWriter], None]:
        def write(writer: EventWriter) -> None:
            for step in range(count):
                writer.scalar("loss", step / 7, step, 1_700_000_000.0 + step)

        return write

    client, service = filled({"stays": values(20), "goes": values(2_000)})
    ((key,), *_) = [[key] for key, name in rows(client).items() if name == "goes"]
    with service.cursor() as con:
        ((number,),) = con.execute("SELECT run_id FROM runs WHERE name = 'goes'").fetchall()
    (path,) = (tmp_path / "logs" / "goes").iterdir()
    with EventWriter(path, append=True) as writer:
        values(5_000)(writer)
    commits: list[int] = []

    def commit(lake: Lake, pieces: list[Piece], **given: Any) -> Written:
        if len(commits) == 1:
            delete(client, runs=[key], confirm=1)
        commits.append(len(pieces))
        return write(lake, pieces, **given)

    monkeypatch.setattr(destination, "write", commit)
    source = {"here": SourceSettings(uri=str(tmp_path / "logs"))}
    options = cycle.Options(batch_points=500, limits=Limits(piece=20_000))
    with open_lake(service.readers.lake.location, read_only=False) as lake:
        cycle.run(lake, setups(source), options)
        assert len(commits) > 3
        monkeypatch.undo()
        (again,) = cycle.run(lake, setups(source), options)
        assert again.bytes_read == 0 and not again.error
        held = lake.query(
            "SELECT table_name FROM duckdb_columns() WHERE database_name = 'lake'"
            " AND schema_name = 'main' AND column_name = 'run_id' AND table_name IN"
            " (SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake')"
        )
        assert len(held) > 5
        for (table,) in held:
            assert lake.query(f"SELECT count(*) FROM {table} WHERE run_id = {number}") == [(0,)]
        assert lake.query("SELECT name FROM runs") == [("stays",)]
    service.readers.look()
    assert list(rows(client).values()) == ["stays"]


def test_a_hundred_thousand_runs_at_once(service: Service) -> None:
    """As many as can be selected; one that is not there keeps all of them."""
    client = create_app(service).test_client()
    with open_lake(service.readers.lake.location, read_only=False) as lake:
        with lake.transaction() as con:
            con.execute(
                "INSERT INTO run_facts BY NAME SELECT 1000000 + range AS run_id, 'many' || range AS"
                " run_key, 'name' AS name, 'many/' || range AS path, 'many' AS source FROM range(99_990)"
            )
    service.readers.look()
    before = rows(client)
    keys = [f"many{i}" for i in range(99_990)]
    refused = client.post("/api/v1/delete", json={"runs": [*keys, "gone"], "dry_run": True})
    assert refused.status_code == 404 and "gone" in refused.get_json()["error"]["message"]
    planned = delete(client, runs=keys, dry_run=True)
    assert planned["rows"]["run_facts"] == 99_990
    receipt = delete(client, runs=keys, confirm=99_990)
    assert len(receipt["runs"]) == 99_990 and receipt["erased"]
    (kept,) = client.get("/api/v1/receipts").get_json()["receipts"]
    assert kept["runs"] == 99_990 and len(kept["run_keys"]) == 1_000
    assert {key for key in before if not key.startswith("many")} == set(rows(client))


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_an_export_of_other_runs_outlives_a_deletion(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Files of the lake are written anew under it: it begins anew, and has every point of its runs."""
    going, *staying = rows(client)
    reached, go = threading.Event(), threading.Event()
    whole = Package._copy
    attempts: list[Package] = []

    def held(self: Package, name: str, query: str, sink: Any) -> int:
        if name == "scalar_points":
            attempts.append(self)
            reached.set()
            go.wait(120)
        return whole(self, name, query, sink)

    monkeypatch.setattr(Package, "_copy", held)
    body = {"runs": staying, "format": form}
    id = client.post("/api/v1/exports", json=body).get_json()["id"]
    assert reached.wait(120)
    delete(client, runs=[going], confirm=1)
    go.set()
    export = service.exports.find(id)
    assert export.done.wait(120) and export.state == "ready", export.error
    assert len(attempts) == 2
    with service.cursor() as con:
        ((count,),) = con.execute("SELECT count(*) FROM scalar_points").fetchall()
    assert export.packed.rows["scalar_points"] == count > 0
    assert export.packed.runs == len(staying)
