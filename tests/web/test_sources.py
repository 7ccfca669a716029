"""Sources, machines, cycles, problems, copies and disk use, as the API tells them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.database import open_lake

Filled = Callable[..., tuple[FlaskClient, Service]]
T0 = 1_700_000_000.0
FILE = "events.out.tfevents.1700000000.host.1.0"
BEGIN = datetime(2025, 1, 1)
_COLUMNS = "started_at, ended_at, source, files_listed, files_changed, bytes_read, points, requests, problems"


def _loss(writer: EventWriter) -> None:
    for step in range(20):
        writer.scalar("loss", 1.0, step, T0 + step)


def _change(service: Service, *statements: str) -> None:
    """Statements on the lake as if an ingester had made them."""
    with open_lake(service.readers.lake.location, read_only=False) as lake:
        with lake.transaction() as con:
            for statement in statements:
                con.execute(statement)
    service.readers.look()


def _cycles(source: str, count: int, every_s: int = 60) -> str:
    rows = [
        f"('{BEGIN + timedelta(seconds=every_s * i)}', '{BEGIN + timedelta(seconds=every_s * i + 2)}',"
        f" '{source}', {100 + i}, {i % 3}, {10 * i}, {i}, {5 + i}, 0)"
        for i in range(count)
    ]
    return f"INSERT INTO cycles ({_COLUMNS}) VALUES {', '.join(rows)}"


def test_a_source_is_told_in_full(client: FlaskClient) -> None:
    """Its runs by state, its files, what was not read; lag is by the clock and not kept."""
    answer = client.get("/api/v1/sources")
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.get_json()
    now = datetime.fromisoformat(found["now"])
    names = [one["source"] for one in found["sources"]]
    assert names == ["cloud", "lab-cluster", "laptop"]
    for one in found["sources"]:
        states = sum(one[state] for state in ("running", "stalled", "failed", "finished"))
        assert states == one["runs"] > 0
        ended = datetime.fromisoformat(one["last_cycle_at"])
        assert one["lag_s"] == pytest.approx((now - ended).total_seconds(), abs=0.01)
        assert one["cycle"]["files_listed"] == one["files"] > 0
        assert one["cycle"]["points"] == one["points"] > 0
        assert one["requests_per_cycle"] == one["cycle"]["requests"]
        assert one["files_missing"] == 0 and one["usual_s"] is None
    # The demo leaves a record half written.
    assert sum(one["behind"] for one in found["sources"]) > 0
    machines = {one["machine"]: one for one in found["machines"]}
    assert set(machines) == {"cloud", "lab-cluster", "laptop"}
    for one in found["sources"]:
        machine = machines[one["machine"]]
        assert machine["sources"] == [one["source"]]
        assert [machine[n] for n in ("runs", "files", "points", "size")] == [
            one[n] for n in ("runs", "files", "points", "size")
        ]


def test_what_is_gone_is_counted(filled: Filled, tmp_path: Path) -> None:
    """A file that left its source is missing, and no one is behind with it."""
    client, service = filled({"a": _loss, "b": _loss})
    (tmp_path / "logs" / "a" / FILE).unlink()
    assert main(["--config", str(tmp_path / "boardlake.toml"), "ingest"]) == 0
    service.readers.look()
    (one,) = client.get("/api/v1/sources").get_json()["sources"]
    assert (one["files"], one["files_missing"], one["behind"]) == (2, 1, 0)
    assert one["usual_s"] is not None and one["cycle"]["files_changed"] == 0
    _change(service, "UPDATE files SET size = size + 100")
    (one,) = client.get("/api/v1/sources").get_json()["sources"]
    assert one["behind"] == 100


def test_usual_figures_are_medians(filled: Filled) -> None:
    """Of the last cycles, so that one long pause says nothing."""
    client, service = filled({"a": _loss})
    _change(service, "DELETE FROM cycles", _cycles("here", 5))
    _change(
        service, f"INSERT INTO cycles ({_COLUMNS}) VALUES ('{BEGIN + timedelta(days=9)}',"
        f" '{BEGIN + timedelta(days=9)}', 'here', 1, 0, 0, 0, 900, 0)",
    )  # fmt: skip
    (one,) = client.get("/api/v1/sources").get_json()["sources"]
    assert one["usual_s"] == 60 and one["requests_per_cycle"] == 7.5
    assert one["cycle"]["requests"] == 900 and one["cycle"]["seconds"] == 0
    _change(service, "DELETE FROM cycles")
    (one,) = client.get("/api/v1/sources").get_json()["sources"]
    assert one["cycle"] is one["lag_s"] is one["last_cycle_at"] is None


def test_a_machine_has_the_median_of_its_clocks(filled: Filled) -> None:
    """Of files where that is known: copies say nothing."""
    client, service = filled({name: _loss for name in "abcd"}, machine="m")
    (machine,) = client.get("/api/v1/sources").get_json()["machines"]
    assert (machine["skew_s"], machine["skew_files"]) == (None, 0)
    for name, ahead in (("a", 10), ("b", 700), ("c", 400)):
        _change(
            service, f"UPDATE files SET mtime_ns = CAST((last_wall_time - {ahead}) * 1000000000"
            f" AS BIGINT) WHERE path LIKE '{name}/%'",
        )  # fmt: skip
    (machine,) = client.get("/api/v1/sources").get_json()["machines"]
    assert machine["machine"] == "m" and machine["sources"] == ["here"]
    assert (machine["skew_s"], machine["skew_files"]) == (400, 3)


def test_cycles_are_put_together(filled: Filled) -> None:
    """Nothing is lost by it: sums stay, neighbours of one source only, in order of time."""
    client, service = filled({"a": _loss})
    _change(service, "DELETE FROM cycles", _cycles("here", 95), _cycles("else", 40, 150))
    path = "/api/v1/cycles"
    every = client.get(f"{path}?most=500").get_json()["cycles"]
    assert len(every) == 135 and {one["cycles"] for one in every} == {1}
    few = client.get(f"{path}?most=20").get_json()["cycles"]
    for source in ("here", "else"):
        some = [one for one in few if one["source"] == source]
        assert 10 <= len(some) <= 21
        whole = [one for one in every if one["source"] == source]
        for name in ("seconds", "files_changed", "bytes_read", "points", "requests", "cycles"):
            assert sum(one[name] for one in some) == sum(one[name] for one in whole)
        assert max(one["files_listed"] for one in some) == whole[-1]["files_listed"]
        assert (some[0]["started_at"], some[-1]["ended_at"]) == (
            whole[0]["started_at"], whole[-1]["ended_at"],
        )  # fmt: skip
        ends = [(one["started_at"], one["ended_at"]) for one in some]
        assert all(one[1] <= two[0] for one, two in zip(ends, ends[1:], strict=False))
    assert [one["started_at"] for one in few] == sorted(one["started_at"] for one in few)
    some = client.get(f"{path}?source=else&since=2025-01-01T01:00:00%2B00:00").get_json()["cycles"]
    assert len(some) == 16 and {one["source"] for one in some} == {"else"}
    same = client.get(f"{path}?source=else&since=2025-01-01T02:00:00%2B01:00").get_json()["cycles"]
    assert same == some
    assert client.get(f"{path}?source=none").get_json()["cycles"] == []


@pytest.mark.parametrize(
    "query",
    ["cycles?since=soon", "cycles?most=1", "cycles?most=100000", "problems?limit=5000", "disk?limit=0",
     "problems?offset=-1", "copies?limit=-1", "sources?more=1", "cycles?since=0001-01-01T00:00:00%2B09:00"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(client: FlaskClient, query: str) -> None:
    """With the name of the parameter."""
    answer = client.get(f"/api/v1/{query}")
    assert answer.status_code == 400
    assert query.partition("?")[2].partition("=")[0] in answer.get_json()["error"]["message"]


def _damage(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


def test_problems_by_kind_and_path(filled: Filled, tmp_path: Path) -> None:
    """Found by kind, source and part of the path; each leads to its run."""
    for name in ("good", "Bad/one", "Bad/two"):
        with EventWriter(tmp_path / "logs" / name / FILE) as writer:
            writer.file_version(T0)
            _loss(writer)
        if name != "good":
            for at in (120, 500):
                _damage(tmp_path / "logs" / name / FILE, at)
    (tmp_path / "logs" / "good" / "hparams.yaml").write_text("a: [", "utf-8")
    client, service = filled({"other": _loss})
    found = client.get("/api/v1/problems").get_json()
    assert found["total"] == len(found["problems"]) == sum(k["problems"] for k in found["kinds"])
    damage = [one for one in found["problems"] if one["kind"] != "side file"]
    assert {one["run"] for one in damage} == {"one", "two"}
    with service.cursor() as con:
        keys = dict(con.execute("SELECT path, run_key FROM runs").fetchall())
    for one in damage:
        assert one["run_key"] == keys[one["path"].rpartition("/")[0]]
        assert one["source"] == "here" and one["offset"] >= 0 and one["message"]
    (side,) = [one for one in found["problems"] if one["kind"] == "side file"]
    assert side["run_key"] == keys["good"]
    some = client.get("/api/v1/problems?path=bad/ONE").get_json()
    assert 0 < some["total"] < found["total"]
    assert {one["run"] for one in some["problems"]} == {"one"}
    kind = found["kinds"][0]
    only = client.get("/api/v1/problems", query_string={"kind": kind["kind"]}).get_json()
    assert only["kinds"] == found["kinds"] and only["total"] == kind["problems"]
    assert {one["kind"] for one in only["problems"]} == {kind["kind"]}
    pages = [
        client.get(f"/api/v1/problems?limit=1&offset={i}").get_json()["problems"]
        for i in range(found["total"] + 1)
    ]
    assert [one for page in pages for one in page] == found["problems"] and not pages[-1]
    assert client.get("/api/v1/problems?source=none").get_json()["total"] == 0
    assert client.get("/api/v1/problems?path=%25").get_json()["total"] == 0


def test_copies_stand_with_the_fullest(filled: Filled, tmp_path: Path) -> None:
    """A run found in three places is one entry with two copies."""
    client, service = filled({"a/run": _loss, "b/run": _loss, "c/run": _loss, "other": _loss})
    assert client.get("/api/v1/copies").get_json()["total"] == 1
    for name in ("b", "c"):
        path = tmp_path / "logs" / name / "run" / FILE
        assert path.read_bytes() == (tmp_path / "logs" / "a" / "run" / FILE).read_bytes()
    (one,) = client.get("/api/v1/copies").get_json()["copies"]
    told = {one["path"], *(copy["path"] for copy in one["copies"])}
    assert len(one["copies"]) == len(told) - 1
    assert told >= {"a/run", "b/run", "c/run"}
    assert client.get("/api/v1/copies?offset=1").get_json() == {"total": 1, "copies": []}


def test_the_disk_is_shared_out(client: FlaskClient, service: Service) -> None:
    """Tables are exact; shares of projects and tags come to what the three great tables take."""
    found = client.get("/api/v1/disk?limit=1000").get_json()
    tables = {one["table"]: one for one in found["tables"]}
    assert found["total"] == sum(one["bytes"] for one in found["tables"])
    location = service.readers.lake.location
    on_disk = sum(path.stat().st_size for path in location.data.rglob("*.parquet"))
    assert 0 < found["total"] <= on_disk and found["catalog"] >= location.catalog.stat().st_size
    with service.cursor() as con:
        for name in ("scalar_points", "tensors", "blobs", "hparams"):
            ((rows,),) = con.execute(f"SELECT count(*) FROM {name}").fetchall()
            assert tables[name]["rows"] == rows
        ((blobs,),) = con.execute("SELECT sum(nbytes) FROM blobs WHERE data IS NOT NULL").fetchall()
        projects = dict(con.execute("SELECT project, count(*) FROM runs GROUP BY 1").fetchall())
    great = tables["scalar_points"]["bytes"] + tables["tensors"]["bytes"] + int(blobs)
    for name in ("projects", "tags"):
        sizes = [one["bytes"] for one in found[name]]
        assert sizes == sorted(sizes, reverse=True)
        assert sum(sizes) == pytest.approx(great, rel=0.01)
    assert {one["project"]: one["runs"] for one in found["projects"]} == projects
    assert "estimates" in found["note"]
    few = client.get("/api/v1/disk?limit=2").get_json()
    assert few["tags"] == found["tags"][:2] and few["projects"] == found["projects"][:2]


def _spent(hours_ago: float, **columns: str) -> str:
    """A cycle over the source `here`, which looked at everything."""
    given = {
        "files_listed": "10", "files_looked": "10", "requests": "100", "list_requests": "90",
        "read_requests": "10", "bytes_received": "1000", "cost": "0.5", "rescan_s": "7200",
        "requests_per_day": "150",
    } | columns  # fmt: skip
    told = ", ".join(f"{value} AS {name}" for name, value in given.items())
    at = f"now()::TIMESTAMP - INTERVAL {int(hours_ago * 3600)} SECOND"
    return f"INSERT INTO cycles BY NAME SELECT 'here' AS source, {at} AS started_at, {at} AS ended_at, {told}"


def test_what_a_source_asks_and_costs(filled: Filled) -> None:
    """Of the last 24 hours alone, against what is allowed, and scaled to a day where it has a price."""
    client, service = filled({"a": _loss})

    def told() -> dict[str, Any]:
        (one,) = client.get("/api/v1/sources").get_json()["sources"]
        return dict(one)

    _change(service, "DELETE FROM cycles", _spent(30), _spent(12), _spent(0))
    one = told()
    assert (one["requests_day"], one["requests_per_day"], one["received_day"]) == (200, 150, 2000)
    assert one["cycle"]["list_requests"] == 90 and one["cycle"]["cost"] == 0.5
    # A directory has no price.
    assert one["cost_per_day"] is None
    whole, again = (datetime.fromisoformat(one[name]) for name in ("whole_at", "whole_again_at"))
    assert (again - whole).total_seconds() == 7200
    _change(service, "UPDATE source_facts SET kind = 's3'")
    assert told()["cost_per_day"] == pytest.approx(2.0, rel=0.01)
    # What only looked at a part is no look at everything, and the first minutes say nothing of a day.
    _change(service, "DELETE FROM cycles", _spent(0, files_looked="3", requests_per_day="0"))
    one = told()
    assert (one["cost_per_day"], one["whole_at"], one["whole_again_at"]) == (None, None, None)
    assert one["requests_per_day"] is None


def test_why_a_cycle_left_something_is_told(filled: Filled) -> None:
    """By the last cycle, and among those that are put together by the last that has a reason."""
    client, service = filled({"a": _loss})
    _change(
        service, "DELETE FROM cycles", _spent(3, error="'no route'"),
        _spent(2, skipped="'150 requests are allowed'"), _spent(1),
    )  # fmt: skip
    (one,) = client.get("/api/v1/sources").get_json()["sources"]
    assert (one["cycle"]["error"], one["cycle"]["skipped"]) == (None, None)
    rows = client.get("/api/v1/cycles").get_json()["cycles"]
    assert [(row["failed"], row["put_off"], row["reason"]) for row in rows] == [
        (1, 0, "no route"), (0, 1, "150 requests are allowed"), (0, 0, None),
    ]  # fmt: skip
    _change(service, *(_spent(h / 1000) for h in range(40)))
    rows = client.get("/api/v1/cycles?most=10").get_json()["cycles"]
    assert sum(row["failed"] for row in rows) == sum(row["put_off"] for row in rows) == 1
    assert sum(row["bytes_received"] for row in rows) == 43_000
    assert sum(row["cost"] for row in rows) == pytest.approx(21.5)
