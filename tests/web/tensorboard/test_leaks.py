"""Nobody sees by one selection's address what is another's, or what is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import numpy as np
import pytest

from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter

from .asked import Board
from .conftest import Ours, ingest
from .written import START, graph, open_file, picture

AT = "/data/plugin"


def _fill(log: EventWriter, name: str) -> None:
    number = sum(map(ord, name))
    log.scalar(f"{name} loss", number, 0, START)
    log.scalar("loss", number, 0, START)
    log.image("image", picture(number % 10), 4, 3, 0, START)
    log.audio("sound", np.full(50, number / 1000), 8000, 0, START)
    log.text("words", name, 0, START)
    log.histogram("weights", [number], 0, START)
    log.pr_curve("curve", [0, 1], [0.1, number / 1000], 0, START)
    log.mesh("shape", np.full((1, 3, 3), number), 0, START)
    log.hparams({"name": name}, ["loss"], START)
    log.graph(graph(), START)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with everything, each with its own values."""
    root = tmp_path_factory.mktemp("leaks")
    for name in ("mine", "yours"):
        with open_file(root / "logs" / "runs" / name) as log:
            _fill(log, name)
    ingest(root / "logs", root / "lake")
    return root / "lake"


@pytest.fixture(scope="module")
def app(lake: Path, ours: Callable[[Path], Ours]) -> Ours:
    """The application over both runs."""
    return ours(lake)


def only(app: Ours, name: str) -> Board:
    """TensorBoard on one of the runs."""
    return app.board(filter=f"name = '{name}'")


def test_each_selection_has_its_run_alone(app: Ours) -> None:
    """All that is listed and read is the selection's."""
    assert only(app, "mine").get("/data/runs") == ["mine"]
    assert only(app, "yours").get("/data/runs") == ["yours"]
    both = app.board(filter="")
    assert both.get("/data/runs") == ["mine", "yours"]


def test_a_header_names_no_other_selection(app: Ours) -> None:
    """TensorBoard takes the experiment from a header, which any page could send."""
    mine, yours = only(app, "mine"), only(app, "yours")
    other = yours.prefix.rpartition("/")[2]
    headers = {"Tensorboard-Experiment-Id": other}
    for path in (
        "/data/runs", f"{AT}/scalars/tags", f"{AT}/timeseries/tags", f"{AT}/images/tags",
        f"/experiment/{other}/data/runs", f"/experiment/{other}{AT}/scalars/tags",
    ):  # fmt: skip
        answer = app.client.get(mine.prefix + path, headers=headers)
        assert answer.status_code == 200
        assert b"mine" in answer.data and b"yours" not in answer.data, path
    answer = app.client.get(
        mine.prefix + f"{AT}/scalars/scalars?run=yours&tag=loss", headers=headers
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("kind", ["images", "audio"])
def test_a_key_of_another_selection_opens_nothing(app: Ours, kind: str) -> None:
    """A blob's key is good only below an address that has its run."""
    one = {"images": "individualImage", "audio": "individualAudio"}[kind]
    tag = {"images": "image", "audio": "sound"}[kind]
    mine, yours = only(app, "mine"), only(app, "yours")
    (datum,) = yours.get(f"{AT}/{kind}/{kind}", run="yours", tag=tag, sample=0)
    query = datum["query"]
    good = app.client.get(f"{yours.prefix}{AT}/{kind}/{one}?{query}")
    assert good.status_code == 200 and good.data
    headers = {"Tensorboard-Experiment-Id": yours.prefix.rpartition("/")[2]}
    for sent in ({}, headers):
        bad = app.client.get(f"{mine.prefix}{AT}/{kind}/{one}?{query}", headers=sent)
        assert bad.status_code == 404
        assert good.data not in bad.data
    if kind == "images":
        key = parse_qs(query)["blob_key"][0]
        bad = app.client.get(
            f"{mine.prefix}{AT}/timeseries/imageData?{urlencode({'imageId': key})}"
        )
        assert bad.status_code == 404


@pytest.mark.parametrize(
    "key", ["", "x", "A" * 5000, "bnVsbA", "W10", "../../etc/passwd", "é", "WyJhIl0"]
)
def test_a_made_up_key_is_none(app: Ours, key: str) -> None:
    """Whatever is sent for a key, the answer is that there is none."""
    mine = only(app, "mine")
    for route in ("images/individualImage", "timeseries/imageData"):
        name = "blob_key" if "individual" in route else "imageId"
        answer = mine.send(f"{AT}/{route}", query_string=urlencode({name: key}))
        assert answer.status_code in (400, 404), route


def test_posts_read_their_own_selection(app: Ours) -> None:
    """Cards of the Time Series dashboard, and what the hparams dashboard asks."""
    mine = only(app, "mine")
    requests = json.dumps([
        {"plugin": "scalars", "tag": "loss"},
        {"plugin": "scalars", "tag": "yours loss"},
        {"plugin": "histograms", "tag": "weights", "run": "yours"},
        {"plugin": "images", "tag": "image", "run": "yours", "sample": 0},
    ])  # fmt: skip
    loss, *others = mine.post(f"{AT}/timeseries/timeSeries", {"requests": requests})
    assert set(loss["runToSeries"]) == {"mine"}
    assert [one["runToSeries"] for one in others] == [{}, {}, {}]
    form = {"tag": "loss", "runs": ["mine", "yours"]}
    assert set(mine.post(f"{AT}/scalars/scalars_multirun", form)) == {"mine"}
    asked = {
        "startIndex": 0,
        "sliceSize": 10,
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS"],
    }
    groups = mine.post(f"{AT}/hparams/session_groups", json.dumps(asked))
    assert "yours" not in json.dumps(groups) and "mine" in json.dumps(groups)


@pytest.mark.parametrize(
    "route",
    ["text/text?run=yours&tag=words/text_summary", "histograms/histograms?run=yours&tag=weights",
     "distributions/distributions?run=yours&tag=weights", "pr_curves/pr_curves?run=yours&tag=curve",
     "mesh/meshes?run=yours&tag=shape", "graphs/graph?run=yours", "images/images?run=yours&tag=image",
     "audio/audio?run=yours&tag=sound", "custom_scalars/scalars?run=yours&tag=.*"],
)  # fmt: skip
def test_a_run_of_another_selection_is_no_run(app: Ours, route: str) -> None:
    """Asked for by name below an address that has it not, it is refused or empty, and never a fault."""
    answer = app.client.get(f"{only(app, 'mine').prefix}{AT}/{route}")
    assert answer.status_code in (200, 400, 404)
    if answer.status_code == 200:
        assert answer.json in ([], {}, {"regex_valid": True, "tag_to_events": {}})
    there = app.client.get(f"{only(app, 'yours').prefix}{AT}/{route}")
    assert there.status_code == 200 and there.data != answer.data


@pytest.mark.parametrize("id", ["nothing", "0000000000", "..", "%2e%2e", "a b", "x" * 300])
@pytest.mark.parametrize("path", ["/", "/data/runs", "/index.js"])
def test_an_unknown_selection_is_not_there(app: Ours, id: str, path: str) -> None:
    """No page, no data."""
    assert app.client.get(f"/tb/{id}{path}").status_code == 404


def test_a_view_that_is_deleted_is_gone(app: Ours) -> None:
    """So is what it showed, at once."""
    board = app.board(filter="name = 'mine' or name = 'nobody'")
    assert board.get("/data/runs") == ["mine"]
    app.service.state.delete_view(board.prefix.rpartition("/")[2])
    for path in ("/", "/data/runs", f"{AT}/scalars/tags"):
        assert app.client.get(board.prefix + path).status_code == 404


def test_a_deleted_run_is_gone_from_its_selections(
    tmp_path: Path, ours: Callable[[Path], Ours]
) -> None:
    """Its name, its points and its keys."""
    for name in ("mine", "yours"):
        with open_file(tmp_path / "logs" / "runs" / name) as log:
            _fill(log, name)
    ingest(tmp_path / "logs", tmp_path / "lake")
    app = ours(tmp_path / "lake")
    by_key, by_filter = _keys(app), app.board(filter="")
    boards = [app.board(runs=sorted(by_key.values())), by_filter]
    queries = [
        board.get(f"{AT}/images/images", run="yours", tag="image", sample=0)[0]["query"]
        for board in boards
    ]
    command = ["--lake", str(tmp_path / "lake"), "delete", "name = 'yours'", "--yes"]
    assert main(command) == 0
    app.service.readers.look()
    for board, query in zip(boards, queries, strict=True):
        assert board.get("/data/runs") == ["mine"]
        assert board.get(f"{AT}/scalars/scalars", run="yours", tag="loss") == "status 404"
        assert board.send(f"{AT}/images/individualImage", query_string=query).status_code == 404
        assert "yours" not in json.dumps(board.get(f"{AT}/timeseries/tags"))


def _keys(app: Ours) -> dict[str, str]:
    found = app.client.get("/api/v1/runs?columns=name,run_key").json
    names = [column["name"] for column in found["columns"]]
    rows = (dict(zip(names, row, strict=True)) for row in found["rows"])
    return {row["name"]: row["run_key"] for row in rows}
