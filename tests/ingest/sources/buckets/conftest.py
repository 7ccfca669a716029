"""Buckets behind a proxy that counts requests, and fails where it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.base import Listing
from boardlake.ingest.sources.buckets import odd as odd
from boardlake.ingest.sources.buckets import source as objects
from boardlake.ingest.sources.buckets.source import ObjectSource
from boardlake.tests.servers import moto
from boardlake.tests.servers.faulty import Faulty, faulty

EVENTS = "events.out.tfevents.1700000000.host.1.0"

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

PROJECTS, RUNS = 3, 1_010

Open = Callable[..., ObjectSource]


@pytest.fixture
def proxy(moto_server: moto.Moto) -> Iterator[Faulty]:
    """Counts requests, and fails where it is told to."""
    with faulty(moto_server.port) as between:
        yield between


@pytest.fixture
def bucket(moto_server: moto.Moto, proxy: Faulty, monkeypatch: pytest.MonkeyPatch) -> moto.Bucket:
    """An empty bucket behind the proxy; its credentials are in the environment."""
    return behind(moto_server.bucket("s3", prefix="lab"), proxy, monkeypatch)


def behind(found: moto.Bucket, proxy: Faulty, monkeypatch: pytest.MonkeyPatch) -> moto.Bucket:
    """A bucket that is read through the proxy."""
    found.endpoint = proxy.url
    for name, value in found.environ.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def opened(bucket: moto.Bucket) -> Open:
    """Opens the bucket with further settings."""

    def open_it(**settings: Any) -> ObjectSource:
        return objects.open_source(SourceSettings(**{**bucket.settings(), **settings}))

    return open_it


@pytest.fixture(scope="module")
def large(moto_server: moto.Moto) -> moto.Bucket:
    """A bucket of 3,030 keys in three projects."""
    found = moto_server.bucket("s3", prefix="lab")
    for project in range(PROJECTS):
        for run in range(RUNS):
            found.put(f"p{project}/{run:04}/{EVENTS}", b"x")
    return found


def sizes(listing: Listing) -> dict[str, int]:
    """The files with their sizes."""
    return {entry.path: entry.size for entry in listing.files}


def later(memory: Memory, seconds: float) -> Memory:
    """The memory as the next process finds it."""
    return Memory(json.loads(json.dumps(memory.data)), memory.now, memory.now + seconds, 1e12)
