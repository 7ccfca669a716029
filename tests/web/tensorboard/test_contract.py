"""TensorBoard over the lake answers as TensorBoard over the directory: every plugin, every data route."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tensorboard.backend.application import TensorBoardWSGI

from . import stock, written
from .asked import ASIDE, Answers, Board, answers
from .conftest import Ours, ingest
from .sides import settled, taken, unequal


class Three(NamedTuple):
    """The same directory thrice: TensorBoards, and what they say."""

    boards: tuple[Board, Board, Board]
    ours: Answers
    python: Answers
    server: Answers


@pytest.fixture(scope="module")
def three(
    tmp_path_factory: pytest.TempPathFactory, ours: Callable[[Path], Ours], unsampled: None
) -> Iterator[Three]:
    """Ours, the Python loader's and the data server's."""
    root = tmp_path_factory.mktemp("written")
    written.write(root / "logs")
    ingest(root / "logs", root / "lake")
    with stock.data_server(root / "logs", root) as server:
        boards = ours(root / "lake").board(), stock.python_loader(root / "logs"), server
        yield Three(boards, *(settled(answers(board)) for board in boards))


COMPARED = [
    "core", "scalars", "timeseries", "custom_scalars", "images", "audio", "graphs", "distributions",
    "histograms", "text", "pr_curves", "mesh",
]  # fmt: skip


@pytest.mark.parametrize("dashboard", COMPARED)
def test_answers(three: Three, dashboard: str) -> None:
    """Ours are those of both loaders, or of the side that is taken where they differ (sides.py)."""
    ours = of_dashboard(dashboard, three.ours)
    stock = of_dashboard(dashboard, taken(three.python, three.server))
    assert stock, "nothing is compared"
    assert not list(unequal(ours, stock))


def of_dashboard(dashboard: str, found: Answers) -> Answers:
    """The answers of one dashboard; what the frame asks for is the core's."""
    parts = {key: key[0].split("/") for key in found}
    return {
        key: told for key, told in found.items()
        if (parts[key][0] if len(parts[key]) > 1 else "core") == dashboard
    }  # fmt: skip


def test_every_dashboard_is_compared(three: Three) -> None:
    """hparams has tests of its own (test_hparams.py), for sessions are made of more than event files."""
    left = {key for key in three.python if not any(of_dashboard(one, {key: 0}) for one in COMPARED)}
    assert {key[0].split("/")[0] for key in left} == {"hparams"}


def test_no_answer_is_an_error(three: Three) -> None:
    """Whatever the front end asks for is there, so that equal refusals do not pass for equality."""
    refused = {key: told for key, told in three.python.items() if str(told).startswith("status")}
    assert not refused


@pytest.mark.parametrize("which", range(3), ids=["ours", "python", "server"])
def test_every_data_route_is_asked_for(three: Three, which: int) -> None:
    """A route that comes with a new version of TensorBoard has to be compared, or named as aside."""
    known = three.boards[which].routes
    there = {route for route in _routes(three.boards[1].app) if not route.startswith(ASIDE)}
    assert there == known


def _routes(app: Any) -> set[str]:
    assert isinstance(app, TensorBoardWSGI)
    return {route for route in app.exact_routes if route.startswith("/data/")}


def test_every_form_is_there(three: Three) -> None:
    """The directory has what each data route can answer with, so that none is compared empty."""
    told = {key[0] for key in three.python}
    assert {"mesh/data", "graphs/run_metadata", "audio/audio", "pr_curves/pr_curves"} <= told
    assert three.python[("custom_scalars/layout",)]["category"]
    listing = three.python[("dashboards",)]
    assert all(one["enabled"] for one in listing.values() if one["tab_name"]), listing


def test_classes_of_patterns_are_those_of_re2(tmp_path: Path, ours: Callable[[Path], Ours]) -> None:
    """A layout's pattern is matched in linear time, where `\\w` is no umlaut; `.` and the letter are."""
    with written.open_file(tmp_path / "logs" / "run") as log:
        log.scalar("größe", 1.0, 0, written.START)
    ingest(tmp_path / "logs", tmp_path / "lake")
    boards = ours(tmp_path / "lake").board(), stock.python_loader(tmp_path / "logs")
    at = "/data/plugin/custom_scalars/scalars"
    for pattern, found in (
        ("gr.*e", (1, 1)),
        ("grö", (1, 1)),
        (r"gr\w+e", (0, 1)),
        ("(?=g)g", (1, 1)),
    ):
        told = [board.get(at, run="run", tag=pattern) for board in boards]
        assert tuple(len(one["tag_to_events"]) for one in told) == found, pattern
