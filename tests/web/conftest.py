"""The application over a lake of sample logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from boardlake.api.service import Service
from boardlake.cli.main import main
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
