"""A server that answers as a test says, and clients of indexes without a login or a proxy of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.base import Listing
from boardlake.ingest.sources.web import client as web
from boardlake.ingest.sources.web.index import IndexSource, open_source
from boardlake.tests.servers.scripted import Scripted, scripted

EVENTS = "events.out.tfevents.1700000000.host"

SECRET = "a-token-that-nobody-may-see"

OLD = "Tue, 14 Nov 2023 22:13:20 GMT"

Open = Callable[..., IndexSource]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a login nor a proxy of this machine has a part in it."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("BOARDLAKE_HTTP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    # Between tries.
    monkeypatch.setattr(web, "_WAIT_S", 0.01)


@pytest.fixture
def server() -> Iterator[Scripted]:
    """A server that answers as a test says."""
    with scripted() as running:
        yield running


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens sources, and closes them."""
    sources: list[IndexSource] = []

    def open_it(uri: str, **settings: Any) -> IndexSource:
        sources.append(open_source(SourceSettings(uri=uri, **settings)))
        return sources[-1]

    yield open_it
    for source in sources:
        source.close()


def paths(listing: Listing) -> list[str]:
    """The paths of the files."""
    return [entry.path for entry in listing.files]


def later(memory: Memory, seconds: float) -> Memory:
    """The memory of a scan so much later."""
    return Memory(memory.data, memory.full_at or memory.now, now=memory.now + seconds)
