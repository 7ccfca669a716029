"""Deleting over HTTP: runs are gone from every answer and from the disk, and only those."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.lake.database import open_lake
from boardlake.lake.location import Location, locate
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
