"""What is shown of more steps than TensorBoard asks for: an even share, with the first and the last."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from . import stock
from .asked import Board
from .conftest import Ours, ingest
from .written import START, open_file, picture

AT = "/data/plugin"


@pytest.fixture(scope="module")
def boards(
    tmp_path_factory: pytest.TempPathFactory, ours: Callable[[Path], Ours]
) -> tuple[Board, Board]:
    """Ours as people have it, and stock with nothing sampled away."""
    root = tmp_path_factory.mktemp("long")
    for name in ("a", "b"):
        with open_file(root / "logs" / name) as log:
            for step in range(2500):
                log.scalar("loss", step / 7, step * 3, START + step)
            for step in range(120):
                log.histogram("weights", [step, step + 1], step, START + step)
                log.text("words", str(step), step, START + step)
            for step in range(25):
                log.image("picture", picture(step % 12), 4, 3, step, START + step)
    ingest(root / "logs", root / "lake")
    return ours(root / "lake").board(), stock.python_loader(root / "logs")


@pytest.mark.parametrize(
    ("route", "tag", "most"),
    [("scalars/scalars", "loss", 1000), ("histograms/histograms", "weights", 51),
     ("distributions/distributions", "weights", 501), ("text/text", "words/text_summary", 100),
     ("images/images", "picture", 10)],
)  # fmt: skip
def test_a_share_of_the_steps(boards: tuple[Board, Board], route: str, tag: str, most: int) -> None:
    """As many as TensorBoard's own limit, each one of stock's, in even distances."""
    steps, every = (
        [_step(point) for point in board.get(f"{AT}/{route}", run="a", tag=tag)] for board in boards
    )
    assert len(steps) == min(most, len(every))
    assert set(steps) <= set(every) and steps == sorted(steps)
    assert (steps[0], steps[-1]) == (every[0], every[-1])
    at = [every.index(step) for step in steps]
    widths = {after - before for before, after in zip(at, at[1:], strict=False)}
    assert max(widths) - min(widths) <= 1


def _step(point: object) -> int:
    return int(point["step"] if isinstance(point, dict) else point[1])  # type: ignore[index]


def test_cards_ask_for_the_same(boards: tuple[Board, Board]) -> None:
    """The Time Series dashboard has the same points as the Scalars dashboard."""
    ours, _ = boards
    request = json.dumps([{"plugin": "scalars", "tag": "loss"}])
    (card,) = ours.post(f"{AT}/timeseries/timeSeries", {"requests": request})
    points = ours.get(f"{AT}/scalars/scalars", run="b", tag="loss")
    assert [one["step"] for one in card["runToSeries"]["b"]] == [step for _, step, _ in points]
