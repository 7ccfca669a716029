"""The server as programs use it: `boardlake.open("http://...")` against the lake it serves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

import boardlake
from boardlake.api.client import Client
from boardlake.api.service import Service
from boardlake.cli.serve import bind, url
from boardlake.core.errors import FilterError, UsageError
from boardlake.web.app import create_app


@pytest.fixture
def server(service: Service) -> Iterator[str]:
    """The address of a running server."""
    from waitress.server import create_server

    bound = bind("127.0.0.1", 0)
    running = create_server(create_app(service), sockets=[bound], threads=8)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield url(bound)
    running.close()
    bound.close()
    thread.join(10)


@pytest.mark.parametrize(
    "ask",
    [
        lambda lake: lake.runs(),
        lambda lake: lake.runs("state = 'finished'", "name, hp.lr", "-hp.lr,name", limit=7),
        lambda lake: lake.runs(group_by="machine", columns='last("loss")'),
        lambda lake: lake.history(lake.runs(limit=3), "*loss*", x="relative"),
        lambda lake: lake.history("", "*", streams="train", superseded=True),
        lambda lake: lake.series("machine = 'laptop'"),
        lambda lake: lake.hparams(origins=True),
        lambda lake: lake.tags(),
    ],
)  # fmt: skip
def test_a_server_gives_what_the_lake_gives(
    server: str, service: Service, ask: Callable[[Client], pd.DataFrame]
) -> None:
    """The same frame, to the last dtype, comes from both ends."""
    with (
        boardlake.open(service.readers.lake.location.root) as here,
        boardlake.open(server) as there,
    ):
        pd.testing.assert_frame_equal(ask(there), ask(here))


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda lake: lake.runs("pints > 3"), FilterError),
        (lambda lake: lake.history("", "no such tag"), UsageError),
        (lambda lake: lake.history(["no such run"], "loss"), UsageError),
        (lambda lake: lake.history("", "loss", x="stp"), UsageError),
    ],
)
def test_a_server_refuses_what_the_lake_refuses(
    server: str, service: Service, ask: Callable[[Client], Any], kind: type[Exception]
) -> None:
    """The error is of the same class with the same words."""
    with boardlake.open(service.readers.lake.location.root) as here, pytest.raises(kind) as first:
        ask(here)
    with boardlake.open(server) as there, pytest.raises(kind) as second:
        ask(there)
    assert type(first.value) is type(second.value)
    assert getattr(first.value, "text", "") == getattr(second.value, "text", "")


def test_other_addresses_and_taken_ports_are_refused() -> None:
    """Without authentication only this machine is served."""
    with pytest.raises(UsageError, match="only this machine"):
        bind("0.0.0.0", 0)
    with bind("127.0.0.1", 0) as taken, pytest.raises(UsageError, match="cannot be had"):
        bind("127.0.0.1", taken.getsockname()[1])
