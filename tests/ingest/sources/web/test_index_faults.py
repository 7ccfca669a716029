"""Web servers that are away, slow, or fall over."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from boardlake.core.errors import SourceError
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.web import client as web
from boardlake.tests.servers.faulty import faulty
from boardlake.tests.servers.nginx import Nginx
from boardlake.tests.servers.scripted import Said, Scripted

from .conftest import EVENTS, Open, paths


def test_hosts_that_are_away(opened: Open) -> None:
    """A closed port, a name that nobody knows and a host that is silent cost one time-out each."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(SourceError, match="silent for 0.3 s") as caught:
            opened(f"http://127.0.0.1:{port}/", timeout=0.3).walk(Memory())
        assert f"http://127.0.0.1:{port}" in str(caught.value)
    source = opened("http://127.0.0.1:1/x")
    with pytest.raises(SourceError, match="cannot be reached: connection refused"):
        source.walk(Memory())
    assert source.spent.lists == 1
    with pytest.raises(SourceError, match="name of the host"):
        opened("http://no-such-host.invalid/x").walk(Memory())
    with pytest.raises(SourceError, match="connection broke off|encryption|cannot be understood"):
        opened(f"https://127.0.0.1:{_plain_port()}/x", timeout=2).walk(Memory())


def _plain_port() -> int:
    """A port where somebody answers in plain text, once."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listening, listening.accept()[0] as peer:
            peer.recv(100)
            peer.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")

    threading.Thread(target=answer, daemon=True).start()
    port: int = listening.getsockname()[1]
    return port


def test_servers_that_drip(server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not hold a scan for ever."""
    monkeypatch.setattr(web, "_SLOWEST", 1 << 20)
    over = threading.Event()

    def drip() -> Iterator[bytes]:
        while not over.wait(0.02):
            yield b"<p>"

    server.pages["/"] = Said(headers={"Content-Type": "text/html"}, parts=drip())
    try:
        with pytest.raises(SourceError, match="more slowly"):
            opened(server.url, timeout=0.3).walk(Memory())
    finally:
        over.set()


def test_what_passes_is_tried_again(web_server: Nginx, opened: Open) -> None:
    """A server that is busy or hangs up once is asked again, and every request is counted."""
    site = web_server.site("open")
    whole = os.urandom(100_000)
    site.put(f"a/{EVENTS}", whole)
    place = f"/open/{site.name}"
    for fault in ({"status": 503}, {"cut_after": 20}):
        with faulty(web_server.port) as proxy:
            source = opened(f"{proxy.url}{place}")
            for name, value in fault.items():
                setattr(proxy, name, value)
            proxy.times = 2
            assert len(source.walk(Memory()).files) == 1
            assert source.spent.lists + source.spent.reads == proxy.count()
            proxy.times = 1
            assert source.read(f"a/{EVENTS}", 5, 50_000) == whole[5:50_005]
            proxy.times = 1 << 60
            before = proxy.count()
            with pytest.raises(OSError) as caught:
                source.read(f"a/{EVENTS}", 5, 50_000)
            assert proxy.count() == before + 3
            assert caught.value.strerror


def test_folders_that_fail_stay_as_they_were(web_server: Nginx, opened: Open) -> None:
    """What was known of a folder that cannot be listed is still listed; one that is gone is gone."""
    site = web_server.site("open")
    for run in ("a", "b", "c"):
        site.put(f"{run}/{EVENTS}", b"abc")
    with faulty(web_server.port) as proxy:
        source = opened(f"{proxy.url}/open/{site.name}")
        memory = Memory()
        first = source.walk(memory)
        proxy.status, proxy.only = 403, lambda method, target: target.endswith("/b/")
        site.put(f"a/{EVENTS}.2", b"abc")
        site.delete(f"c/{EVENTS}")
        (site.root / "c").rmdir()
        after = Memory(memory.data)
        assert after.full
        again = source.walk(after)
        assert paths(again) == [f"a/{EVENTS}", f"a/{EVENTS}.2", f"b/{EVENTS}"]
        assert [(p.path, p.kind) for p in again.problems] == [("b", "unreadable")]
        assert again.remembered == {f"b/{EVENTS}"}
        assert len(first.files) == 3
        assert [p.path for p in source.walk(Memory()).problems] == ["b"]


def test_a_server_that_falls_over(web_server: Nginx, opened: Open) -> None:
    """After some folders in a row the rest is not asked for: it would fail one by one."""
    site = web_server.site("open")
    for n in range(60):
        site.put(f"{n}/{EVENTS}", b"abc")
    with faulty(web_server.port, status=503, only=lambda _, target: target[-2].isdigit()) as proxy:
        proxy.only = lambda method, target: not target.endswith(f"{site.name}/")
        source = opened(f"{proxy.url}/open/{site.name}")
        with pytest.raises(SourceError, match="in a row"):
            source.walk(Memory())
        assert proxy.count() < 120


def test_a_server_that_falls_over_among_files(web_server: Nginx, opened: Open) -> None:
    """Where sizes have to be asked for one by one, not each of a thousand files costs a time-out."""
    site = web_server.site("noranges")
    for n in range(200):
        site.put(f"a/{EVENTS}.{n}", b"abc")
    site.put(f"b/{EVENTS}", b"abc")
    with faulty(
        web_server.port, delay_s=5.0, only=lambda method, target: "/a/e" in target
    ) as proxy:
        source = opened(f"{proxy.url}/noranges/{site.name}", timeout=0.3)
        listing = source.walk(Memory())
        assert paths(listing) == [f"b/{EVENTS}"]
        assert [(p.path, p.kind) for p in listing.problems if p.path] == [("a", "unreadable")]
        assert proxy.count("/a/e") < 100
