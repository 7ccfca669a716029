"""WebDAV: answers that no honest server gives, other ways to write an address, servers that are none."""

from __future__ import annotations

from xml.parsers.expat import ExpatError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.core.errors import SourceError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.web import dav
from boardlake.tests.servers.nginx import Nginx
from boardlake.tests.servers.rclone import Rclone
from boardlake.tests.servers.scripted import Said, Scripted

from .conftest import EVENTS, OLD


def entry(href: str, *properties: str, status: str = "HTTP/1.1 200 OK") -> str:
    """A response element, in a prefix of its own as some servers write it."""
    given = "".join(properties)
    return (
        f"<x:response><x:href>{href}</x:href><x:propstat><x:prop>{given}</x:prop>"
        f"<x:status>{status}</x:status></x:propstat></x:response>"
    )


def whole(*entries: str) -> bytes:
    """A multistatus answer."""
    text = "".join(entries)
    return f'<?xml version="1.0"?><x:multistatus xmlns:x="DAV:">{text}</x:multistatus>'.encode()


SIZE = "<x:getcontentlength>3</x:getcontentlength>"
TIME = f"<x:getlastmodified>{OLD}</x:getlastmodified>"
FOLDER = "<x:resourcetype><x:collection/></x:resourcetype>"


def test_addresses_are_written_in_many_ways(server: Scripted) -> None:
    """Whole URLs and paths, escaped or not: names are compared; what leads elsewhere is left."""
    server.pages["/d%C3%A9/"] = Said(
        207,
        {"Content-Type": "application/xml"},
        whole(
            entry("/d%c3%a9/", FOLDER),
            entry(f"{server.url}/d%c3%a9/a%20b/", FOLDER, TIME),
            entry(f"/dé/{EVENTS}", SIZE, TIME, '<x:getetag>W/"7"</x:getetag>'),
            entry(f"/d%C3%A9/%7e{EVENTS}", SIZE, TIME),
            entry(f"http://lab.invalid/d%C3%A9/{EVENTS}.1", SIZE, TIME),
            entry(f"/d%C3%A9/../{EVENTS}.2", SIZE, TIME),
            entry(f"/d%C3%A9/%2e%2e/{EVENTS}.3", SIZE, TIME),
            entry(f"/other/{EVENTS}.4", SIZE, TIME),
            entry(f"/d%C3%A9/far/{EVENTS}.5", SIZE, TIME),
            entry(f"/d%C3%A9/{EVENTS}.6", SIZE, TIME, status="HTTP/1.1 404 Not Found"),
        ),
    )
    inside = entry(f"/d%c3%a9/a%20b/{EVENTS}", SIZE, TIME)
    server.pages["/d%C3%A9/a%20b/"] = Said(207, {}, whole(inside))
    server.file(f"/d%C3%A9/%7E{EVENTS}", b"abc")
    source = dav.open_source(SourceSettings(uri=f"dav://127.0.0.1:{server.port}/dé"))
    listing = source.walk(Memory())
    assert [(e.path, e.size, e.version) for e in listing.files] == [
        *((f"a b/{EVENTS}", 3, ""), (EVENTS, 3, 'W/"7"'), (f"~{EVENTS}", 3, ""))
    ]
    assert {e.mtime_ns for e in listing.files} == {1_700_000_000 * 10**9}
    assert [(p.path, p.kind) for p in listing.problems] == [(f"{EVENTS}.6", "unreadable")]
    assert source.read(f"~{EVENTS}", 0, 10) == b"abc"
    assert [a.headers["Depth"] for a in server.asked if a.method == "PROPFIND"] == ["1", "1"]
    source.close()


def test_bombs_are_refused() -> None:
    """Declarations are, which entities need; and what is nested without end."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + whole()[21:]
    outside = b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + whole()[21:]
    for body in (bomb, outside, b"<x>" * 100_000, b"", b"<html></html>", b"\xff" * 100):
        with pytest.raises((ValueError, ExpatError)):
            dav.parse(body, "http://lab.invalid/a/")


@given(st.text(max_size=60), st.text(max_size=40))
def test_whatever_is_said_of_a_file(href: str, value: str) -> None:
    """It is a name in the folder with a size of at least nothing, or no file."""
    given = "".join(f"<x:get{name}>{value}</x:get{name}>" for name in ("contentlength", "etag"))
    try:
        found = dav.parse(whole(entry(href, given)), "http://lab.invalid/a/")
    except (ValueError, ExpatError):
        return
    for one in found:
        assert one.size >= -1
        assert one.row is None or not {"", ".", ".."} & set(one.row.name.split("/"))


def test_servers_that_speak_no_webdav(web_server: Nginx, server: Scripted) -> None:
    """An index of nginx, a page, and an answer that is none are told apart from an empty folder."""
    site = web_server.site("open")
    site.put(f"a/{EVENTS}", b"abc")
    server.pages["/"] = Said(200, {"Content-Type": "text/html"}, b"<p>hello")
    server.pages["/x/"] = Said(207, {"Content-Type": "text/xml"}, b"<html/>")
    uris = (site.uri.replace("http:", "dav:"), f"dav://127.0.0.1:{server.port}")
    for uri in (*uris, f"dav://127.0.0.1:{server.port}/x"):
        source = dav.open_source(SourceSettings(uri=uri))
        with pytest.raises(SourceError) as caught:
            source.walk(Memory())
        assert uri in str(caught.value) and "WebDAV" in caught.value.hint
        source.close()


def test_one_file_as_the_root(shares: Rclone, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of an event file is a source of one file."""
    share = shares.share("dav")
    for name, value in share.environ.items():
        monkeypatch.setenv(name, value)
    share.put(f"a b/{EVENTS}", b"abcdef")
    share.put(f"a b/{EVENTS}.2", b"abcdef")
    uri = f"{share.settings()['uri']}/a b/{EVENTS}"
    source = dav.open_source(SourceSettings(uri=uri))
    (found,) = source.walk(Memory()).files
    assert (found.path, found.size) == (EVENTS, 6)
    assert source.read(EVENTS, 1, 2, found.version) == b"bc"
    assert source.stat(EVENTS) == found
    source.close()
