"""Sessions of the hparams dashboard: as stock has them, and where more is known or meant, as that is.

| what | both loaders | ours |
|---|---|---|
| several experiments | the columns of any one of them | those of all sessions |
| names and domains that an experiment declares | shown | those of the values |
| `add_hparams` of PyTorch | a run of its own without curves | the run above it, with the metrics |
| `hp_metric` = -1 of Lightning | a metric | none |
| hyperparameters in files beside the events | not known | sessions like others |
| status | as logged, by most writers at the start | the run's state; a failure that was logged is one |
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams import summary_v2

from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter

from . import stock
from .asked import Board, sessions_request
from .conftest import Ours, ingest
from .sides import differences
from .written import START, open_file, values

AT = "/data/plugin/hparams"


def _session(log: EventWriter, hparams: dict[str, Any], end: str, *, losses: int = 3) -> None:
    values(log, 0, summary_v2.hparams_pb(hparams, start_time_secs=START + 1))
    for step in range(losses):
        log.scalar("loss", hparams["lr"] / (step + 1), step, START + step)
    values(log, 9, forms.hparams_end(end, START + 9))


def _logs(root: Path) -> None:
    """Sessions that say all there is to say; two have the same values, so that they are one row."""
    adam = {"lr": 0.1, "optimizer": "adam", "shuffle": True}
    for name, hparams, end in (
        ("sweep/1", adam, "SUCCESS"),
        ("sweep/2", adam, "FAILURE"),
        ("sweep/3", {"lr": 0.01, "optimizer": "sgd", "shuffle": False}, "SUCCESS"),
        ("other/4", {"lr": 0.5, "depth": 3}, "SUCCESS"),
    ):
        with open_file(root / name) as log:
            _session(log, hparams, end)
    for stream in ("train", "validation"):
        with open_file(root / "sweep" / "3" / stream) as log:
            log.scalar_tensor("epoch_loss", len(stream), 4, START + 5)
    with open_file(root / "other" / "no session") as log:
        log.scalar("loss", 1.0, 0, START)


@pytest.fixture(scope="module")
def boards(
    tmp_path_factory: pytest.TempPathFactory, ours: Callable[[Path], Ours], unsampled: None
) -> Iterator[dict[str, Board]]:
    """The three TensorBoards on the same sessions."""
    root = tmp_path_factory.mktemp("sessions")
    _logs(root / "logs")
    ingest(root / "logs", root / "lake")
    with stock.data_server(root / "logs", root) as server:
        python = stock.python_loader(root / "logs")
        yield {"ours": ours(root / "lake").board(), "python": python, "server": server}


@pytest.mark.parametrize("loader", ["python", "server"])
def test_columns(boards: dict[str, Board], loader: str) -> None:
    """Names, types and domains of hyperparameters, and all metrics with their groups."""
    found = {name: _columns(board) for name, board in boards.items()}
    assert len(found[loader]["hparamInfos"]) == 4 and len(found[loader]["metricInfos"]) == 3
    assert not list(differences(found["ours"], found[loader]))


@pytest.mark.parametrize("loader", ["python", "server"])
def test_rows(boards: dict[str, Board], loader: str) -> None:
    """Groups of sessions with their values, metrics, times and states."""
    found = {name: _rows(board) for name, board in boards.items()}
    assert len(found[loader]) == 3
    assert not list(differences(found["ours"], found[loader]))


@pytest.mark.parametrize("loader", ["python", "server"])
def test_curves_of_metrics(boards: dict[str, Board], loader: str) -> None:
    """What a row that is opened shows of each metric of its sessions."""
    asked = [
        (session["name"], metric["name"])
        for group in _rows(boards[loader])
        for session in group["sessions"]
        for metric in session["metricValues"]
    ]
    assert len(asked) == 6
    for name, metric in asked:
        request = json.dumps({"sessionName": name, "metricName": metric})
        mine, its = (boards[one].post(f"{AT}/metric_evals", request) for one in ("ours", loader))
        assert mine == its and mine[0][1] in (0, 4)


@pytest.mark.parametrize("form", ["csv", "json", "latex"])
@pytest.mark.parametrize("loader", ["python", "server"])
def test_downloads(boards: dict[str, Board], loader: str, form: str) -> None:
    """The table as a file, by the names of its columns: their order is that of a map."""
    mine, its = (_download(boards[one], form) for one in ("ours", loader))
    assert len(its) == 3 and mine == its


def _columns(board: Board) -> dict[str, Any]:
    found = board.post(f"{AT}/experiment", "{}")
    found["hparamInfos"] = sorted(found["hparamInfos"], key=lambda one: str(one["name"]))
    for one in found["hparamInfos"]:
        if "domainDiscrete" in one:
            one["domainDiscrete"] = sorted(one["domainDiscrete"], key=str)
    found["metricInfos"] = sorted(found["metricInfos"], key=lambda one: _name(one["name"]))
    return dict(found)


def _rows(board: Board, **more: Any) -> list[dict[str, Any]]:
    request = sessions_request(board.post(f"{AT}/experiment", "{}")) | more
    groups = board.post(f"{AT}/session_groups", json.dumps(request))["sessionGroups"]
    for group in groups:
        group["sessions"] = sorted(group["sessions"], key=lambda one: str(one["name"]))
        for one in (group, *group["sessions"]):
            one["metricValues"] = sorted(one["metricValues"], key=lambda m: _name(m["name"]))
    return sorted(groups, key=lambda group: str(group["name"]))


def _name(metric: dict[str, str]) -> tuple[str, str]:
    return metric["tag"], metric["group"]


def _download(board: Board, form: str) -> list[list[tuple[str, str]]]:
    """The rows as sorted cells with the names of their columns."""
    experiment = board.post(f"{AT}/experiment", "{}")
    columns = len(experiment["hparamInfos"]) + len(experiment["metricInfos"])
    answer = board.get(
        f"{AT}/download_data", request=json.dumps(sessions_request(experiment)), format=form,
        columnsVisibility=json.dumps([True] * columns),
    )  # fmt: skip
    if form == "json":
        lines = [answer["header"], *answer["rows"]]
    elif form == "latex":
        lines = [
            line.rstrip("\\ hline").split(" & ") for line in answer.split("\n") if " & " in line
        ]
    else:
        lines = answer
    head, *rows = [[str(cell).strip() for cell in line] for line in lines]
    return sorted(sorted(zip(head, row, strict=True)) for row in rows)


def _board(logs: Path, ours: Callable[[Path], Ours], work: Path) -> Board:
    ingest(logs, work / "lake")
    return ours(work / "lake").board()


def test_columns_of_several_experiments(tmp_path: Path, ours: Callable[[Path], Ours]) -> None:
    """Two calls of `add_hparams` with other names: stock has the columns of one of them, we of both."""
    for name, hparams in (("a", {"lr": 0.1}), ("b", {"depth": 3})):
        with open_file(tmp_path / "logs" / name) as log:
            log.hparams(hparams, ["loss"], START)
            log.scalar("loss", 1.0, 0, START)
    mine = _columns(_board(tmp_path / "logs", ours, tmp_path))
    its = _columns(stock.python_loader(tmp_path / "logs"))
    assert [one["name"] for one in mine["hparamInfos"]] == ["depth", "lr"]
    assert len(its["hparamInfos"]) == 1


def test_what_an_experiment_declares(tmp_path: Path, ours: Callable[[Path], Ours]) -> None:
    """A display name and a domain are the experiment's, which is not taken: values tell theirs."""
    with open_file(tmp_path / "logs" / "a") as log:
        lr = summary_v2.HParam("lr", summary_v2.RealInterval(0.0, 1.0), display_name="rate")
        values(log, 0, summary_v2.hparams_config_pb([lr], [summary_v2.Metric("loss")]))
        _session(log, {"lr": 0.1}, "SUCCESS")
    (mine,) = _columns(_board(tmp_path / "logs", ours, tmp_path))["hparamInfos"]
    (its,) = _columns(stock.python_loader(tmp_path / "logs"))["hparamInfos"]
    assert (its["displayName"], its["domainInterval"]["maxValue"]) == ("rate", 1.0)
    assert (mine["displayName"], mine["domainInterval"]["maxValue"]) == ("", 0.1)


def test_add_hparams_is_the_run_above(tmp_path: Path, ours: Callable[[Path], Ours]) -> None:
    """Its metrics stand in the run's row and have their curve; stock has a row of the sub-run alone."""
    with open_file(tmp_path / "logs" / "run") as log:
        log.scalar("train/loss", 0.5, 7, START)
    with open_file(tmp_path / "logs" / "run" / "1700000000.25") as log:
        log.hparams({"lr": 0.1, "on": True}, ["final"], START)
        log.scalar("final", 0.75, 0, START)
    board = _board(tmp_path / "logs", ours, tmp_path)
    (group,) = _rows(board)
    (session,) = group["sessions"]
    assert session["name"] == "run" and group["hparams"]["lr"] == 0.1
    found = {metric["name"]["tag"]: metric["value"] for metric in session["metricValues"]}
    assert found == {"final": 0.75, "train/loss": 0.5}
    request = {"sessionName": "run", "metricName": {"tag": "final", "group": ""}}
    assert board.post(f"{AT}/metric_evals", json.dumps(request)) == [[START, 0, 0.75]]
    (its,) = _rows(stock.python_loader(tmp_path / "logs"))
    assert [session["name"] for session in its["sessions"]] == ["run/1700000000.25"]
    # Elsewhere the sub-run is a run, as in stock.
    assert board.get("/data/runs") == ["run", "run/1700000000.25"]


def test_a_placeholder_is_no_metric(tmp_path: Path, ours: Callable[[Path], Ours]) -> None:
    """Lightning logs `hp_metric` = -1 where nobody logged a metric; a real one is shown."""
    for name, value in (("placeholder", -1.0), ("real", 0.5)):
        with open_file(tmp_path / "logs" / name) as log:
            log.hparams({"lr": 0.1}, ["hp_metric"], START)
            log.scalar("hp_metric", value, 0, START)
    rows = {
        row["sessions"][0]["name"]: row for row in _rows(_board(tmp_path / "logs", ours, tmp_path))
    }
    assert not rows["placeholder"]["sessions"][0]["metricValues"]
    assert rows["real"]["sessions"][0]["metricValues"][0]["value"] == 0.5


def test_files_beside_are_known(tmp_path: Path, ours: Callable[[Path], Ours]) -> None:
    """Hyperparameters of a run that logged none are a session; stock has nothing to show."""
    with open_file(tmp_path / "logs" / "run") as log:
        log.scalar("loss", 1.0, 0, START)
    (tmp_path / "logs" / "run" / "hparams.yaml").write_text("lr: 0.25\nname: wide\ndeep: true\n")
    board = _board(tmp_path / "logs", ours, tmp_path)
    (row,) = _rows(board)
    assert row["hparams"] == {"lr": 0.25, "name": "wide", "deep": True}
    assert board.get("/data/plugins_listing")["hparams"]["enabled"]
    its = stock.python_loader(tmp_path / "logs")
    assert not its.get("/data/plugins_listing")["hparams"]["enabled"]


def test_a_run_that_goes_on_is_running(tmp_path: Path, ours: Callable[[Path], Ours]) -> None:
    """PyTorch claims success when it starts; what grew a moment ago is running."""
    with open_file(tmp_path / "logs" / "run", at=time.time()) as log:
        log.hparams({"lr": 0.1}, ["loss"], time.time())
        log.scalar("loss", 1.0, 0, time.time())
    (row,) = _rows(_board(tmp_path / "logs", ours, tmp_path))
    assert row["sessions"][0]["status"] == "STATUS_RUNNING"
    (its,) = _rows(stock.python_loader(tmp_path / "logs"))
    assert its["sessions"][0]["status"] == "STATUS_SUCCESS"


def test_far_steps_fit(tmp_path: Path, ours: Callable[[Path], Ours]) -> None:
    """The dashboard has 32 bits for a step: stock fails at larger ones, ours cuts them."""
    with open_file(tmp_path / "logs" / "run") as log:
        log.hparams({"lr": 0.1}, ["loss"], START)
        log.scalar("loss", 1.0, 2**40, START)
    (row,) = _rows(_board(tmp_path / "logs", ours, tmp_path))
    assert row["sessions"][0]["metricValues"][0]["trainingStep"] == 2**31 - 1
    with pytest.raises(ValueError, match="range"):
        _rows(stock.python_loader(tmp_path / "logs"))


def test_a_group_of_other_values_is_none(tmp_path: Path, ours: Callable[[Path], Ours]) -> None:
    """A row has the values of one of its sessions: stock shows those for all, ours a row for each."""
    for name, lr in (("a", 0.1), ("b", 0.2)):
        with open_file(tmp_path / "logs" / name) as log:
            values(log, 0, forms.hparams_start({"lr": lr}, group_name="g"))
            log.scalar("loss", lr, 0, START)
    mine = _rows(_board(tmp_path / "logs", ours, tmp_path))
    assert [row["hparams"]["lr"] for row in mine] == [0.1, 0.2]
    assert len(_rows(stock.python_loader(tmp_path / "logs"))) == 1
