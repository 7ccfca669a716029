"""A machine with a shell and one without, and what opens them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.errors import SourceError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.setup import open_source
from boardlake.ingest.sources.base import Listing, Source
from boardlake.tests.servers.sshd import Cluster

EVENTS = "events.out.tfevents.1700000000.host"

PATH = f"run/{EVENTS}"

Open = Callable[..., Source]


@pytest.fixture(params=["shell", "sftp"])
def machine(request: pytest.FixtureRequest) -> Cluster:
    """A machine with a shell, and one without, in turn."""
    found: Cluster = request.getfixturevalue("shells" if request.param == "shell" else "no_shells")
    return found


@pytest.fixture
def opens() -> Iterator[Open]:
    """Opens sources by settings, and closes them."""
    sources: list[Source] = []

    def open_it(settings: dict[str, object], **more: Any) -> Source:
        sources.append(open_source(SourceSettings(**{**settings, **more})))
        return sources[-1]

    yield open_it
    for source in sources:
        source.close()


def paths(listing: Listing) -> list[str]:
    """The files of a listing."""
    return [entry.path for entry in listing.files]


def failure(source: Source) -> SourceError:
    """How a walk fails."""
    with pytest.raises(SourceError) as caught:
        source.walk(Memory())
    assert caught.value.hint
    return caught.value


def alias(folder: Path, *lines: str) -> dict[str, object]:
    """Settings of a host that is no sshd of ours."""
    (folder / "ssh_config").write_text("\n".join(["Host gone", "  HostName 127.0.0.1", *lines]))
    return {"uri": "sftp://gone/x", "ssh_config": str(folder / "ssh_config"), "timeout": 1}
