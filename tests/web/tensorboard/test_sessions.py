"""The hparams dashboard over the lake: a session for each run, from all that the lake knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter

AT = 1_700_000_000.0
Filled = Callable[..., tuple[FlaskClient, Service]]


class Board:
    """The hparams plugin on all runs of a lake."""

    def __init__(self, client: FlaskClient) -> None:
        made = client.post("/api/v1/tensorboard", json={})
        self._client, self._root = client, made.json["url"]

    def ask(self, route: str, **body: Any) -> Any:
        """The answer of a route of the plugin."""
        url = f"{self._root}data/plugin/hparams/{route}"
        answer = self._client.post(url, data=json.dumps(body), content_type="application/json")
        assert answer.status_code == 200, answer.text
        return answer.get_json(force=True)

    def columns(self) -> dict[str, Any]:
        """The hyperparameters by name."""
        return {one["name"]: one for one in self.ask("experiment").get("hparamInfos", [])}

    def sessions(self, **more: Any) -> dict[str, Any]:
        """The sessions by name, each with its `hparams` and `metrics`, by (group, tag)."""
        infos = self.ask("experiment")
        asked = [{"hparam": one["name"]} for one in infos.get("hparamInfos", [])]
        asked += [{"metric": one["name"]} for one in infos.get("metricInfos", [])]
        groups = self.ask(
            "session_groups", colParams=asked, startIndex=0, sliceSize=100,
            allowedStatuses=[f"STATUS_{name}" for name in ("UNKNOWN", "SUCCESS", "FAILURE", "RUNNING")],
            **more,
        )["sessionGroups"]  # fmt: skip
        found = {}
        for group in groups:
            for session in group["sessions"]:
                metrics = {
                    (one["name"].get("group", ""), one["name"]["tag"]): one["value"]
                    for one in session.get("metricValues", [])
                }
                found[session["name"]] = session | {"hparams": group["hparams"], "metrics": metrics}
        return found


def curve(tag: str, *values: float) -> Callable[[EventWriter], None]:
    """Writes a curve."""

    def write(log: EventWriter) -> None:
        for step, value in enumerate(values):
            log.scalar(tag, value, step, AT + step)

    return write


def test_sessions_are_made_of_all_that_is_known(filled: Filled, tmp_path: Path) -> None:
    """Records, side files and texts; a run below another's experiment has its own columns, too."""

    def logged(log: EventWriter) -> None:
        log.hparams({"lr": 0.5, "opt": "adam", "flag": True}, ["loss"], AT)
        curve("loss", 3.0, 2.0)(log)

    def other(log: EventWriter) -> None:
        log.hparams({"depth": 4}, ["acc"], AT)

    (tmp_path / "logs/beside").mkdir(parents=True)
    (tmp_path / "logs/beside/hparams.yaml").write_text("lr: 0.25\nnested:\n  use: true\n", "utf-8")
    client, _ = filled(
        {"logged": logged, "other": other, "beside": curve("loss", 1.0), "bare": curve("x", 1.0)}
    )
    board = Board(client)
    columns = board.columns()
    assert set(columns) == {"lr", "opt", "flag", "depth", "nested.use"}
    assert columns["lr"]["domainInterval"] == {"minValue": 0.25, "maxValue": 0.5}
    assert columns["nested.use"]["type"] == "DATA_TYPE_BOOL"
    found = board.sessions()
    assert set(found) == {"logged", "other", "beside"}
    assert found["logged"]["hparams"]["lr"] == 0.5
    assert found["beside"]["hparams"] == {"lr": 0.25, "nested.use": True}
    assert found["logged"]["metrics"][("", "loss")] == 2.0
    assert found["beside"]["metrics"][("", "loss")] == 1.0


def test_times_and_states_are_the_runs_own(filled: Filled) -> None:
    """What a record claims at the start is no end: the lake saw the events."""

    def log(file: EventWriter) -> None:
        file.hparams({"lr": 1.0}, ["loss"], AT)
        curve("loss", 3.0, 2.0, 1.0)(file)

    client, _ = filled({"run": log}, stalled_after="3000d", finished_after="4000d")
    (session,) = Board(client).sessions().values()
    assert session["status"] == "STATUS_RUNNING"
    assert (session["startTimeSecs"], session["endTimeSecs"]) == (AT, AT + 2)


def test_metrics_of_add_hparams_are_the_runs_own(filled: Filled) -> None:
    """PyTorch writes them into a directory named by the time; the last call counts, a curve first."""

    def added(value: float) -> Callable[[EventWriter], None]:
        def write(log: EventWriter) -> None:
            log.hparams({"lr": 0.1}, ["hparam/acc"], AT)
            log.scalar("hparam/acc", value, 0, AT)
            log.scalar("loss", 9.0, 0, AT)

        return write

    client, _ = filled({
        "run": curve("loss", 2.0, 1.0), "run/1700000000.5": added(0.5),
        "run/1700000007.25": added(0.75), "run/train": curve("loss", 4.0),
    })  # fmt: skip
    (session,) = Board(client).sessions().values()
    assert session["name"] == "run"
    assert session["metrics"] == {
        ("", "hparam/acc"): 0.75,
        ("", "loss"): 1.0,
        ("train", "loss"): 4.0,
    }


def test_odd_records(filled: Filled) -> None:
    """Steps beyond the plugin's 32 bits, infinity, types that differ, Lightning's `hp_metric` of -1.

    A group of the lake, by a path or by a record, does not take runs of other values together.
    """

    def log(step: int, **values: Any) -> Callable[[EventWriter], None]:
        def write(file: EventWriter) -> None:
            file.values([forms.hparams_start(values, group_name="g")], 0, AT)
            file.scalar("hp_metric", -1.0, 0, AT)
            file.scalar("loss", 5.0, step, AT)

        return write

    client, _ = filled({"a": log(1 << 40, x=float("inf"), y=1), "b": log(7, x=2.0, y="one")})
    board = Board(client)
    assert board.columns()["y"]["type"] == "DATA_TYPE_STRING"
    found = board.sessions()
    assert {name: one["hparams"]["y"] for name, one in found.items()} == {"a": 1.0, "b": "one"}
    assert [one["metrics"] for one in found.values()] == [{("", "loss"): 5.0}] * 2


def test_a_hostile_filter_ends(filled: Filled) -> None:
    """A filter of a column of text takes a pattern; what is no pattern, or takes too long, is refused."""

    def log(file: EventWriter) -> None:
        file.hparams({"name": "a" * 60 + "b"}, [], AT)

    client, _ = filled({"run": log})
    url = client.post("/api/v1/tensorboard", json={}).json["url"]
    body: dict[str, Any] = {"startIndex": 0, "sliceSize": 9, "allowedStatuses": ["STATUS_SUCCESS"]}
    for pattern, status in (("(a+)+$", 200), ("(?!x)(a+)+$", 400), ("(", 400)):
        body["colParams"] = [{"hparam": "name", "filterRegexp": pattern}]
        answer = client.post(
            f"{url}data/plugin/hparams/session_groups", data=json.dumps(body),
            content_type="application/json",
        )  # fmt: skip
        assert answer.status_code == status, pattern
