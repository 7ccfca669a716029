"""Files behind web servers: ranges, versions, servers that give less or drip."""

from __future__ import annotations

import os
import time
from email.utils import formatdate

import pytest

from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.base import Changed
from boardlake.tests.servers.nginx import Nginx
from boardlake.tests.servers.scripted import Asked, Said, Scripted

from .conftest import EVENTS, OLD, Open, later


def test_servers_without_ranges(web_server: Nginx, opened: Open) -> None:
    """The right bytes all the same, counted as they came; it is told, and remembered."""
    site = web_server.site("noranges")
    whole = os.urandom(300_000)
    site.put(f"a/{EVENTS}", whole)
    source, memory = opened(site.uri), Memory()
    listing = source.walk(memory)
    assert [(p.path, p.kind) for p in listing.problems] == [("", "no ranges")]
    before = source.spent.bytes
    assert source.read(f"a/{EVENTS}", 200_000, 1000) == whole[200_000:201_000]
    assert source.read(f"a/{EVENTS}", 299_999, 1000) == whole[299_999:]
    assert source.read(f"a/{EVENTS}", 300_000, 1000) == b""
    assert 700_000 <= source.spent.bytes - before <= 1_000_000
    again = opened(site.uri).walk(later(memory, 1))
    assert [problem.kind for problem in again.problems] == ["no ranges"]
    with_ranges = opened(site.uri.replace("noranges", "open"))
    assert not with_ranges.walk(Memory()).problems


def test_another_range_than_asked_for(server: Scripted, opened: Open) -> None:
    """A server that answers with other bytes is not believed."""
    server.html("/", EVENTS)
    server.file(f"/{EVENTS}", b"abcdefgh", Last_Modified=OLD)
    source = opened(server.url)
    source.walk(Memory())
    server.pages[f"/{EVENTS}"] = Said(206, {"Content-Range": "bytes 0-1/8"}, b"ab")
    with pytest.raises(OSError, match="another range"):
        source.read(EVENTS, 4, 2)
    server.pages[f"/{EVENTS}"] = Said(206, {"Content-Range": "bytes 4-7/8"}, b"efghEXTRA")
    assert source.read(EVENTS, 4, 2) == b"ef"


def test_servers_that_give_less_than_they_have(server: Scripted, opened: Open) -> None:
    """Answers that are cut to a size of the server's are put together; only the end is the end."""
    server.html("/", EVENTS)
    whole = os.urandom(1000)

    def answer(asked: Asked) -> Said:
        wanted = asked.headers.get("Range", "").removeprefix("bytes=")
        if not wanted:
            return Said(200, {"Last-Modified": OLD}, whole)
        start, end = (int(number) for number in wanted.split("-"))
        part = whole[start : min(end + 1, start + 300)]
        if not part:
            return Said(416, {"Content-Range": f"bytes */{len(whole)}"})
        span = f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
        return Said(206, {"Last-Modified": OLD, "Content-Range": span}, part)

    server.pages[f"/{EVENTS}"] = answer
    source = opened(server.url)
    assert source.walk(Memory()).files[0].size == 1000
    for start, length in ((0, 1000), (0, 5000), (10, 700), (990, 100), (1000, 5), (2000, 5)):
        assert source.read(EVENTS, start, length) == whole[start : start + length]


def test_versions(server: Scripted, opened: Open) -> None:
    """A file that was replaced is `Changed`, by a weak tag as well; one that grew is read on."""
    server.html("/", EVENTS)
    now = formatdate(time.time(), usegmt=True)
    server.file(f"/{EVENTS}", b"abcdefgh", ETag='W/"1"', Last_Modified=now)
    source = opened(server.url)
    (entry,) = source.walk(Memory()).files
    assert source.read(EVENTS, 2, 3, entry.version) == b"cde"
    server.file(f"/{EVENTS}", b"ABCDEFGHIJ", ETag='W/"2"', Last_Modified=now)
    assert source.read(EVENTS, 2, 3, entry.version) == b"CDE"
    for data in (b"ABCDEFGH", b"ABC"):
        server.file(f"/{EVENTS}", data, ETag='W/"3"', Last_Modified=now)
        with pytest.raises(Changed):
            source.read(EVENTS, 2, 3, entry.version)
    with pytest.raises(Changed):
        source.read(EVENTS, 5, 3, entry.version)
    assert source.read(EVENTS, 1, 3) == b"BC"
    assert source.read(EVENTS, 5, 3) == b""


def test_tags_that_differ_by_request(server: Scripted, opened: Open) -> None:
    """Where a server tags an answer otherwise than its headers alone, times and sizes decide."""
    server.html("/", EVENTS)
    count = iter(range(1000))

    def answer(asked: Asked) -> Said:
        headers = {"ETag": f'"{next(count)}"', "Last-Modified": OLD, "Content-Range": "bytes 0-2/3"}
        return Said(206 if asked.method == "GET" else 200, headers, b"abc")

    server.pages[f"/{EVENTS}"] = answer
    source = opened(server.url)
    (entry,) = source.walk(Memory()).files
    assert source.read(EVENTS, 0, 3, entry.version) == b"abc"
