"""The importance of hyperparameters over HTTP: which runs and hyperparameters count, and what is told."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.core import forest
from boardlake.core.ranks import ranks
from boardlake.ingest.sample.writer import EventWriter

WALL = 1_700_000_000.0
Filled = Callable[..., tuple[FlaskClient, Service]]


def ask(client: FlaskClient, **body: object) -> Any:
    answer = client.post("/api/v1/importance", json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def by_name(answer: Any) -> dict[str, Any]:
    return {row["name"]: row for row in answer["rows"]}


@pytest.fixture
def sweep(filled: Filled) -> tuple[FlaskClient, Service]:
    """Thirty runs: the learning rate decides, the optimizer a little, the seed nothing at all."""
    rng = np.random.default_rng(5)

    def run(i: int) -> Callable[[EventWriter], None]:
        lr, opt = [0.1, 0.01, 0.001][i % 3], ["adam", "sgd"][i // 3 % 2]
        hparams: dict[str, bool | int | float | str] = {
            "lr": lr, "opt": opt, "seed": i // 6, "epochs": 90, "out": f"runs/{i}",
            "constructor": i % 2 == 0,
        }  # fmt: skip
        if i % 5 == 0:
            hparams["warmup"] = 10 * (1 + i % 2)
        loss = -math.log10(lr) + 0.4 * (opt == "sgd") + 0.01 * rng.normal()
        loss = {28: math.nan, 29: math.inf}.get(i, loss)

        def write(writer: EventWriter) -> None:
            writer.scalar("number", i, 0, WALL)
            writer.hparams(hparams, [], WALL)
            writer.scalar("loss", loss, 1, WALL + 1)

        return write

    return filled({f"r{i}": run(i) for i in range(30)} | {"none": lambda _: None})


def test_what_decides_comes_first(sweep: tuple[FlaskClient, Service]) -> None:
    """With its direction, what it is, and how many runs have it; runs without a finite value are
    left out, and hyperparameters that tell nothing are listed apart."""
    pytest.importorskip("sklearn")
    answer = ask(sweep[0], target='last("loss")')
    assert (answer["method"], answer["runs"], answer["left_out"]) == ("forest", 28, 3)
    assert [row["name"] for row in answer["rows"]][:2] == ["lr", "opt"]
    rows = by_name(answer)
    assert set(rows) == {"lr", "opt", "seed", "warmup", "constructor"}
    lr, opt = rows["lr"], rows["opt"]
    assert (lr["kind"], lr["distinct"], lr["runs"], lr["direction"]) == ("number", 3, 28, "down")
    assert (opt["kind"], opt["direction"], opt["expr"]) == ("category", None, "hp.opt")
    assert lr["rank_correlation"] < -0.9 and lr["p"] < 1e-6
    assert lr["importance"] > 0.5 > opt["importance"] > 0.01
    assert abs(rows["seed"]["importance"]) < 0.05 and rows["seed"]["direction"] == "none"
    assert rows["warmup"]["runs"] == 6
    assert answer["r2"] > 0.8 and answer["note"] == ""
    assert {one["name"]: one["why"] for one in answer["apart"]} == {
        "epochs": "one value", "out": "a value for each run"
    }  # fmt: skip
    trend = [(one["low"], one["high"], one["runs"]) for one in lr["trend"]]
    assert [low for low, _, _ in trend] == [0.001, 0.01, 0.1]
    assert sum(runs for _, _, runs in trend) == 28
    assert [one["text"] for one in opt["trend"]] == ["adam", "sgd"]
    assert rows["warmup"]["trend"][-1] | {"mean": 0, "q1": 0, "q3": 0, "median": 0} == {
        "low": None, "high": None, "text": None, "runs": 22, "mean": 0, "q1": 0, "q3": 0, "median": 0
    }  # fmt: skip


def test_correlations_are_those_of_the_runs(client: FlaskClient) -> None:
    """As numpy has them from the run table."""
    target, query = 'min("val/loss")', "project = 'vision'"
    answer = ask(client, target=target, filter=query, method="rank")
    assert (answer["method"], answer["r2"]) == ("rank", None)
    asked = {"columns": f"{target} as y,hp.lr as lr,hp.model as model", "filter": query}
    table = client.get("/api/v1/runs", query_string=asked).get_json()["rows"]
    used = [row for row in table if isinstance(row[1], float)]
    assert (answer["runs"], answer["left_out"]) == (len(used), len(table) - len(used))
    y, lr = (np.array([row[i] for row in used], float) for i in (1, 2))
    rows = by_name(answer)
    assert rows["lr"]["rank_correlation"] == pytest.approx(np.corrcoef(ranks(y), ranks(lr))[0, 1])
    first = np.array([row[3] == "resnet18" for row in used])
    places = ranks(y) - (len(y) + 1) / 2
    h = (
        (len(y) - 1)
        * sum(places[g].sum() ** 2 / g.sum() for g in (first, ~first))
        / (places @ places)
    )
    eta = (h - 1) / (len(y) - 2)
    assert rows["model"]["rank_correlation"] == pytest.approx(math.sqrt(max(0, eta)))
    assert all(row["importance"] is None for row in answer["rows"])


def test_only_some_runs_and_hyperparameters(sweep: tuple[FlaskClient, Service]) -> None:
    """By run_key and by name; a target that is itself a hyperparameter is none of its own causes."""
    client, _ = sweep
    asked = {"columns": "run_key", "filter": "hp.lr = 0.1", "sort": "run_id", "limit": 8}
    keys = [row[1] for row in client.get("/api/v1/runs", query_string=asked).get_json()["rows"]]
    answer = ask(client, target='last("loss")', runs=keys, hparams=["lr", "opt", "nosuch"])
    assert answer["runs"] + answer["left_out"] == 8
    assert set(by_name(answer)) <= {"opt"}
    assert [one["name"] for one in answer["apart"]] == ["lr"]
    assert "lr" not in by_name(ask(client, target="hp.lr", method="rank"))
    assert ask(client, target='last("loss")', runs=[])["runs"] == 0


def test_few_runs_have_no_forest(sweep: tuple[FlaskClient, Service]) -> None:
    """It says so, and still has rank correlations."""
    answer = ask(sweep[0], target='last("loss")', filter="name in ('r0', 'r1', 'r2', 'r3', 'r4')")
    assert (answer["method"], answer["runs"]) == ("rank", 5)
    assert answer["note"].startswith("5 runs have a value: a forest takes 10 or more")
    assert by_name(answer)["lr"]["rank_correlation"] is not None


def test_a_poor_forest_is_not_to_be_trusted(sweep: tuple[FlaskClient, Service]) -> None:
    """How little it explains is said in words."""
    pytest.importorskip("sklearn")
    answer = ask(sweep[0], target='last("loss")', hparams=["seed", "constructor"])
    assert answer["r2"] < 0.1
    assert answer["note"].endswith("do not trust its importances.")


def test_without_scikit_learn(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """How to get it is said; correlations need none."""
    monkeypatch.setattr(forest, "there", lambda: False)
    answer = ask(client, target='min("val/loss")', filter="project = 'vision'")
    assert answer["method"] == "rank"
    assert "pip install 'boardlake[analysis]'" in answer["note"]
    assert by_name(answer)["lr"]["rank_correlation"] is not None


def test_the_same_question_has_the_same_answer(client: FlaskClient, service: Service) -> None:
    """Also when it is computed anew; a new name of a run is no reason for another."""
    pytest.importorskip("sklearn")
    asked = {"target": "points", "filter": "project = 'vision'"}
    first = ask(client, **asked)
    assert ask(client, **asked) == first
    key = client.get("/api/v1/runs?columns=run_key&limit=1").get_json()["rows"][0][1]
    client.patch("/api/v1/annotations", json={"runs": [key], "set": {"name": "another"}})
    assert ask(client, **asked) | {"seconds": 0} == first | {"seconds": 0}


def test_a_passing_answer_is_not_kept(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was told that another forest is being grown finds one the next time."""
    pytest.importorskip("sklearn")
    asked = {"target": 'max("val/acc1")', "filter": "project = 'vision'"}
    monkeypatch.setattr(forest, "_WAIT_S", 0.0)
    with forest._growing:
        assert "ask again" in ask(client, **asked)["note"]
    assert ask(client, **asked)["method"] == "forest"


def test_a_target_that_nobody_has(client: FlaskClient) -> None:
    """No run of the filter, or none with a value."""
    for query in ("name = 'nobody'", "project = 'rl'"):
        answer = ask(client, target='min("val/loss")', filter=query)
        assert (answer["runs"], answer["rows"], answer["method"]) == (0, [], "rank")


def test_one_value_of_the_target_is_no_target(sweep: tuple[FlaskClient, Service]) -> None:
    """Nothing goes with what does not change."""
    answer = ask(sweep[0], target='count("loss")')
    assert answer["method"] == "rank" and "same value" in answer["note"]
    assert all(row["rank_correlation"] is None for row in answer["rows"])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"target": "name"}, "name is no number"),
        ({"target": "created_at"}, "created_at is no number"),
        ({"target": "archived"}, "archived is no number"),
        ({"target": "hp.model"}, "hp.model is no number"),
        ({"target": 'last("nosuch")'}, "no run has the tag nosuch"),
        ({"target": ""}, "target: "),
        ({}, "target: "),
        ({"target": "points", "method": "magic"}, "method: "),
        ({"target": "points", "nosuch": 1}, "there is no parameter 'nosuch'"),
        ({"target": "points", "filter": "nosuch = 1"}, "nosuch is no field"),
        ({"target": "points", "runs": [1]}, "runs.0: "),
        ({"target": "points\0"}, "target: a NUL character"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    client: FlaskClient, body: dict[str, object], told: str
) -> None:
    """With what was expected."""
    answer = client.post("/api/v1/importance", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.get_json()["error"]["message"].startswith(told), answer.text
