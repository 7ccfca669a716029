"""A lake of a directory, and TensorBoard over it with nothing sampled away."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tensorboard.plugins.distribution.distributions_plugin import DistributionsPlugin
from tensorboard.plugins.histogram.histograms_plugin import HistogramsPlugin

from boardlake.api.service import Service
from boardlake.api.tensorboard import mount
from boardlake.cli.main import main
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.state.store import open_state
from boardlake.web.app import create_app

from .asked import Board
from .stock import ALL, SAMPLES


class Ours:
    """The application over a lake, and TensorBoard on selections of its runs."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.client = create_app(service).test_client()

    def select(self, **given: object) -> str:
        """The id of a selection, made through the API; duplicates are selected as well."""
        answer = self.client.post("/api/v1/tensorboard", json={"duplicates": True} | given)
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def board(self, **given: object) -> Board:
        """TensorBoard on a selection."""
        return Board(self.client, f"/tb/{self.select(**given)}")


@pytest.fixture(scope="module")
def unsampled() -> Iterator[None]:
    """Every TensorBoard of the module, ours as well, shows every step."""
    whole = functools.partial(mount.TensorBoard, samples=SAMPLES, points_a_card=1 << 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mount, "TensorBoard", whole)
        patch.setattr(HistogramsPlugin, "SAMPLE_SIZE", ALL)
        patch.setattr(DistributionsPlugin, "SAMPLE_SIZE", ALL)
        yield


def ingest(logs: Path, lake: Path) -> None:
    """Bring the event files of a directory into a lake."""
    assert main(["--lake", str(lake), "ingest", str(logs)]) == 0


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Ours]]:
    """Makes the application over a lake, with a state database of its own."""
    opened: list[Service] = []

    def make(lake: Path) -> Ours:
        state = open_state(tmp_path_factory.mktemp("state"))
        opened.append(Service(open_lake(locate(str(lake))), state))
        return Ours(opened[-1])

    yield make
    for service in opened:
        service.close()
