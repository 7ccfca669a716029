"""The report on the quality of runs: each check finds the runs that have it, and no other."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

import boardlake
from boardlake.api.service import Service
from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.database import open_lake

Filled = Callable[..., tuple[FlaskClient, Service]]
T0 = 1_700_000_000.0
FILE = "events.out.tfevents.1700000000.host.1.0"
NAN, INF = math.nan, math.inf
IDS = ["non_finite", "stopped_tags", "steps_back", "problems", "failed", "stalled", "clock_skew",
       "no_hparams", "copies"]  # fmt: skip


def _steps(writer: EventWriter, *tags: str, to: int = 100, every: int = 1) -> None:
    for step in range(0, to, every):
        for tag in tags:
            writer.scalar(tag, 1.0, step, T0 + 10 * step)


def _fine(writer: EventWriter) -> None:
    _steps(writer, "loss", "lr")
    _steps(writer, "val/loss", every=30)


def _nan(writer: EventWriter) -> None:
    _steps(writer, "loss", to=50)
    for step in range(50, 60):
        writer.scalar("loss", INF if step == 50 else NAN, step, T0 + 10 * step)


def _nan_taken_back(writer: EventWriter) -> None:
    writer.scalar("loss", 1.0, 0, T0)
    writer.scalar("loss", NAN, 5, T0 + 5)
    writer.scalar("loss", 2.0, 4, T0 + 6)
    writer.scalar("loss", 2.0, 5, T0 + 7)


def _stopped(writer: EventWriter) -> None:
    _steps(writer, "loss")
    _steps(writer, "acc", to=40)


def _named(name: str, write: Callable[[EventWriter], None]) -> Callable[[EventWriter], None]:
    """What *write* does, after a record that only this run has: else runs would be copies."""

    def written(writer: EventWriter) -> None:
        writer.scalar(f"of/{name}", 1.0, 0, T0)
        write(writer)

    return written


_RUNS = {
    "fine": _fine, "nan": _nan, "back": _nan_taken_back, "stopped": _stopped, "bare": _fine,
    "damaged": _fine, "ahead": _fine, "failed": _fine, "stalled": _fine,
}  # fmt: skip
Report = tuple[FlaskClient, Service]


@pytest.fixture
def report(filled: Filled, tmp_path: Path) -> Report:
    """Runs of each sort, one with a copy; all but `bare` have a hyperparameter."""
    logs = tmp_path / "logs"
    for name, write in _RUNS.items():
        with EventWriter(logs / name / FILE) as writer:
            writer.file_version(T0)
            _named(name, write)(writer)
        if name != "bare":
            (logs / name / "hparams.yaml").write_text("lr: 0.1\n", "utf-8")
    shutil.copytree(logs / "fine", logs / "copied" / "fine")
    content = bytearray((logs / "damaged" / FILE).read_bytes())
    content[200] ^= 0xFF
    (logs / "damaged" / FILE).write_bytes(content)
    os.utime(logs / "ahead" / FILE, (T0 - 3600, T0 - 3600))
    (logs / "failed" / "error.txt").write_text("Traceback\nValueError: no\n", "utf-8")
    client, service = filled({"zero": _named("zero", _fine)})
    with open_lake(service.readers.lake.location, read_only=False) as lake:
        with lake.transaction() as con:
            con.execute(
                "UPDATE files SET grew_at = epoch(now()) - 7200 WHERE path LIKE 'stalled/%'"
            )
    service.readers.look()
    return client, service


def _counts(client: FlaskClient, **given: str) -> dict[str, int]:
    found = client.get("/api/v1/quality", query_string=given).get_json()
    return {one["id"]: one["runs"] for one in found["checks"]}


def _rows(client: FlaskClient, id: str, **given: str) -> list[dict[str, Any]]:
    found = client.get(f"/api/v1/quality/{id}", query_string=given).get_json()
    assert found["id"] == id
    names = [one["name"] for one in found["columns"]]
    assert names[:2] == ["run_key", "run"]
    return [dict(zip(names, row, strict=True)) for row in found["rows"]]


def _runs(client: FlaskClient, check: dict[str, Any]) -> set[str]:
    duplicates = str(check["duplicates"]).lower()
    query = {"filter": check["filter"], "columns": "name", "duplicates": duplicates}
    rows = client.get("/api/v1/runs", query_string=query).get_json()["rows"]
    return {row[1] for row in rows}


WANTED = {
    "non_finite": {"nan"}, "stopped_tags": {"stopped"}, "steps_back": {"back"},
    "problems": {"damaged"}, "clock_skew": {"ahead"}, "no_hparams": {"bare", "zero"},
    "failed": {"failed"}, "stalled": {"stalled"}, "copies": {"fine"},
}  # fmt: skip


def test_each_check_finds_its_runs(report: Report) -> None:
    """Those that have it, and the run table finds the same by the check's filter."""
    client, _ = report
    found = client.get("/api/v1/quality").get_json()
    assert [one["id"] for one in found["checks"]] == IDS
    assert found["runs"] == client.get("/api/v1/runs?limit=0").get_json()["total"] == 10
    for one in found["checks"]:
        assert one["title"] and one["detail"]
        assert _runs(client, one) == WANTED[one["id"]], one["id"]
        assert one["runs"] == len(WANTED[one["id"]]), one["id"]
        assert {row["run"] for row in _rows(client, one["id"])} == WANTED[one["id"]], one["id"]


def test_what_is_wrong_is_told(report: Report) -> None:
    """Tags, steps, files and reasons."""
    client, _ = report

    def only(id: str) -> dict[str, Any]:
        (row,) = _rows(client, id)
        return row

    nan = only("non_finite")
    assert (nan["tag"], nan["stream"]) == ("loss", "")
    assert [nan[n] for n in ("first_nan", "first_inf", "nan_count", "inf_count", "last_step")] == [
        51, 50, 9, 1, 59,
    ]  # fmt: skip
    stopped = only("stopped_tags")
    assert (stopped["tag"], stopped["last_step"], stopped["run_last_step"]) == ("acc", 39, 99)
    assert stopped["last_point"] < stopped["run_last_point"] and stopped["points"] == 40
    back = only("steps_back")
    assert (back["tag"], back["attempts"], back["superseded"]) == ("loss", 2, 1)
    damaged = only("problems")
    assert (damaged["problems"], damaged["files"]) == (1, 1)
    assert damaged["path"] == f"damaged/{FILE}" and damaged["kind"] and damaged["message"]
    ahead = only("clock_skew")
    assert ahead["clock_skew_s"] == pytest.approx(3600 + 990)
    assert ahead["newest_event"] > ahead["file_time"] and ahead["path"] == f"ahead/{FILE}"
    assert "ValueError: no" in only("failed")["end_reason"]
    copy = only("copies")
    assert {copy["path"], copy["path_of"]} == {"fine", "copied/fine"}
    assert copy["run_key"] != copy["copy_of"]


def test_clocks_of_files_that_grow(filled: Filled, tmp_path: Path) -> None:
    """An event that is old as it comes in tells of a clock that is behind; a file found whole,
    though it is newer than its events, and one that grew with the time do not."""
    client, service = filled({name: _named(name, _fine) for name in ("behind", "whole", "right")})
    config = str(tmp_path / "boardlake.toml")
    (check,) = (
        one
        for one in client.get("/api/v1/quality").get_json()["checks"]
        if one["id"] == "clock_skew"
    )
    assert check["runs"] == 0
    for name, ago in (("behind", 7_200.0), ("right", 1.0)):
        path = tmp_path / "logs" / name / FILE
        with EventWriter(tmp_path / "more") as writer:
            writer.scalar("loss", 1.0, 1_000, time.time() - ago)
        path.write_bytes(path.read_bytes() + (tmp_path / "more").read_bytes())
    assert main(["--config", config, "ingest"]) == 0
    service.readers.look()
    (row,) = _rows(client, "clock_skew")
    assert row["run"] == "behind" and -7_300 < row["clock_skew_s"] < -7_190
    machine = client.get("/api/v1/sources").get_json()["machines"][0]
    assert machine["skew_files"] == 2


def test_the_filter_says_which_runs_are_looked_at(report: Report) -> None:
    """Expressions and words; copies are only among them where they are asked for."""
    client, service = report
    counts = _counts(client, filter="name = 'nan' or name = 'back'")
    assert counts == {id: int(id in ("non_finite", "steps_back")) for id in IDS}
    assert _counts(client, filter="stopped")["stopped_tags"] == 1
    assert _rows(client, "non_finite", filter="name = 'back'") == []
    assert client.get("/api/v1/quality?filter=none").get_json()["runs"] == 0
    with_copies = client.get("/api/v1/quality?duplicates=true").get_json()
    assert with_copies["runs"] == 11
    nan = client.get("/api/v1/runs?filter=name%3D'nan'&columns=run_key").get_json()["rows"][0][1]
    service.state.annotate([nan], {"archived": True, "name": "Blown up"})
    assert _counts(client)["non_finite"] == 0
    assert _counts(client, archived="true")["non_finite"] == 1
    (row,) = _rows(client, "non_finite", archived="true")
    assert (row["run"], row["run_key"]) == ("Blown up", nan)


def test_rows_are_paged(report: Report) -> None:
    """Pages come to the whole, whose number is told."""
    client, _ = report
    path = "/api/v1/quality/no_hparams"
    whole = client.get(path).get_json()
    pages = [client.get(f"{path}?limit=1&offset={i}").get_json() for i in range(3)]
    assert [row for page in pages for row in page["rows"]] == whole["rows"]
    assert {page["total"] for page in pages} == {2}


def test_what_there_is_not_is_refused(report: Report) -> None:
    """A check by another name, a filter that is none, a parameter that is not known."""
    client, _ = report
    answer = client.get("/api/v1/quality/nans")
    assert answer.status_code == 404 and "non_finite" in answer.get_json()["error"]["hint"]
    answer = client.get("/api/v1/quality?filter=name%20=%20(")
    assert answer.status_code == 400 and answer.get_json()["error"]["field"] == "filter"
    assert client.get("/api/v1/quality/failed?sort=name").status_code == 400


def test_names_of_the_language_are_listed(report: Report) -> None:
    """Completion knows the fields and metrics."""
    client, _ = report
    found = client.get("/api/v1/fields").get_json()
    kinds = {one["name"]: one["kind"] for one in found["fields"]}
    fields = ("nan_tags", "stopped_tags", "hparams", "problems", "clock_skew_s", "attempts")
    assert {kinds[name] for name in fields} == {"number"}
    stats = {
        "first_nan",
        "first_inf",
        "nan_count",
        "inf_count",
        "step_last",
        "attempts",
        "superseded",
    }
    assert stats <= set(found["stats"]) <= set(found["functions"])


def test_the_python_api_and_the_command_line_know_them(
    report: Report, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """As filter, column and sort key."""
    query = 'first_nan("loss") < 1000 and attempts = 1'
    lake = str(tmp_path / "lake")
    columns = 'name, nan_tags, first_nan("loss") as at'
    call = ["--lake", lake, "runs", query, "--columns", columns, "--sort", "-nan_tags", "--json"]
    assert main(call) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["nan_tags"], row["at"]) == ("nan", 1, 51)
    with boardlake.open(lake) as opened:
        frame = opened.runs("hparams = 0", columns=["name", "hparams"], sort=["name"])
    assert frame["name"].tolist() == ["bare", "zero"] and frame["hparams"].tolist() == [0, 0]
