"""The application over a lake of sample logs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.state.store import open_state
from boardlake.web.app import create_app


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of the sample logs."""
    root = tmp_path_factory.mktemp("web") / "demo"
    assert main(["demo", str(root), "--scale", "0.1"]) == 0
    return root / "lake"


@pytest.fixture
def service(samples: Path, tmp_path: Path) -> Iterator[Service]:
    """The samples with a state database of the test's own."""
    opened = Service(open_lake(locate(str(samples))), open_state(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def client(service: Service) -> FlaskClient:
    """A client of the application."""
    return create_app(service).test_client()


@pytest.fixture
def filled(
    tmp_path: Path, empty_lake: Path
) -> Iterator[Callable[..., tuple[FlaskClient, Service]]]:
    """Makes a lake of event files, by path, and the application over it."""
    opened: list[Service] = []

    def make(
        files: dict[str, Callable[[EventWriter], None]], **settings: str
    ) -> tuple[FlaskClient, Service]:
        source, lake = tmp_path / "logs", tmp_path / "lake"
        if not lake.exists():
            shutil.copytree(empty_lake, lake)
        for path, write in files.items():
            with EventWriter(source / path / "events.out.tfevents.1700000000.host.1.0") as writer:
                writer.file_version(1_700_000_000.0)
                write(writer)
        config = tmp_path / "boardlake.toml"
        lines = [f'[lake]\npath = "{lake}"', f'[sources.here]\nuri = "{source}"']
        lines += [f'{name} = "{value}"' for name, value in settings.items()]
        config.write_text("\n".join(lines) + "\n", "utf-8")
        assert main(["--config", str(config), "ingest"]) == 0
        opened.append(Service(open_lake(locate(str(lake))), open_state(lake)))
        return create_app(opened[-1]).test_client(), opened[-1]

    yield make
    for one in opened:
        one.close()
