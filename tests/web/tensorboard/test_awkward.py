"""Awkward files, of which the two loaders make different things: each says which side is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import awkward, stock
from .asked import Board
from .conftest import Ours, ingest

# Which of the loaders is followed; "both" agree; OWN is where neither is.
BOTH, PYTHON, SERVER, OWN = "both", "python", "server", "own"
SIDES: dict[str, tuple[str, str]] = {
    "several files": (BOTH, "sorted by name, one after the other"),
    "header only": (BOTH, "a run without data"),
    "profile-empty": (SERVER, "no run: nothing tells when it began; artifacts of it are found elsewhere"),
    "nothing": (SERVER, "no run, until something is written"),
    "same step": (SERVER, "the last value of a step"),
    "steps back": (SERVER, "what comes later replaces, of its own tag, all from its step on"),
    "purged": (SERVER, "as steps that go back, whatever a session's start says"),
    "restarted": (SERVER, "tags that are not written again keep their tail"),
    "version 1": (BOTH, "the tags that are written again"),
    "time back": (BOTH, "points are in order of steps, whatever the clock says"),
    "odd values": (BOTH, "NaN and infinities are values"),
    "no time": (PYTHON, "a wall time of NaN is kept, and so is all that follows"),
    "torn": (BOTH, "the record is not yet there"),
    "bad payload": (OWN, "neither a wrong value nor the loss of what follows: the record alone is left out"),
    "bad length": (OWN, "likewise"),
    "compressed": (OWN, "read"),
    "linked": (BOTH, "links are followed"),
    "far steps": (BOTH, "kept; where the hparams dashboard asks they are cut to 32 bits"),
    "doubles": (PYTHON, "scalars in double precision are shown, tensors without metadata are not"),
}  # fmt: skip
# The steps that are shown of what only we read.
READ = {"bad payload": [0, 1, 3, 4], "bad length": [0, 1, 3, 4], "compressed": [0, 1, 2]}


@pytest.fixture(scope="module")
def boards(
    tmp_path_factory: pytest.TempPathFactory, ours: Callable[[Path], Ours], unsampled: None
) -> Iterator[dict[str, Board]]:
    """The three TensorBoards over the same directory."""
    root = tmp_path_factory.mktemp("awkward")
    awkward.write(root / "logs")
    ingest(root / "logs", root / "lake")
    with stock.data_server(root / "logs", root) as server:
        python = stock.python_loader(root / "logs")
        yield {"ours": ours(root / "lake").board(), PYTHON: python, SERVER: server}


def _shown(board: Board, run: str) -> Any:
    """The scalars of a run by tag; None of what is no run."""
    if run not in board.get("/data/runs"):
        return None
    at = "/data/plugin/scalars"
    tags = board.get(f"{at}/tags").get(run, {})
    return {tag: board.get(f"{at}/scalars", run=run, tag=tag) for tag in tags}


@pytest.mark.parametrize("case", awkward.CASES)
def test_the_side_that_is_taken(boards: dict[str, Board], case: str) -> None:
    """Ours is the side that the table names, and the other one is really other."""
    found = {name: _shown(board, case) for name, board in boards.items()}
    side, _ = SIDES[case]
    if side == BOTH:
        assert found["ours"] == found[PYTHON] == found[SERVER]
    elif side == OWN:
        assert found["ours"] not in (found[PYTHON], found[SERVER])
        assert [step for _, step, _ in found["ours"]["a"]] == READ[case]
        assert [round(value) for _, _, value in found["ours"]["a"]] == READ[case]
    else:
        other = found[SERVER if side == PYTHON else PYTHON]
        assert found["ours"] == found[side] != other


def test_the_table_is_whole() -> None:
    """Each case has a side, and each side that is said to be ours says what is shown."""
    assert SIDES.keys() == awkward.CASES.keys()
    assert READ.keys() == {case for case, (side, _) in SIDES.items() if side == OWN}


def test_runs_are_in_order_of_their_earliest_event(boards: dict[str, Board]) -> None:
    """As the data server has it; the Python loader takes the first event, whatever its time."""
    ours, python, server = (
        [run for run in boards[name].get("/data/runs") if run not in READ]
        for name in ("ours", PYTHON, SERVER)
    )
    assert ours[0] == "time back" != python[0]
    assert ours == [run for run in server if run not in READ]


def test_a_file_that_grows_is_shown_once_it_is_read(
    tmp_path: Path, ours: Callable[[Path], Ours], unsampled: None
) -> None:
    """Torn records are completed, empty files begun: the same selection shows them after the next cycle."""
    logs = tmp_path / "logs"
    for case in ("torn", "nothing"):
        (logs / case).mkdir(parents=True)
        awkward.CASES[case](logs / case)
    ingest(logs, tmp_path / "lake")
    app = ours(tmp_path / "lake")
    board = app.board()
    assert [len(_shown(board, "torn")["a"]), _shown(board, "nothing")] == [3, None]
    whole = tmp_path / "whole"
    with awkward.open_file(whole) as log:
        awkward.points(log, range(6))
    for case in ("torn", "nothing"):
        (file,) = (logs / case).iterdir()
        file.write_bytes(next(whole.iterdir()).read_bytes())
    ingest(logs, tmp_path / "lake")
    app.service.readers.look()
    assert [len(_shown(board, run)["a"]) for run in ("torn", "nothing")] == [6, 6]
