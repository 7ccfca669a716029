"""Indexes of web servers: links that lead away, odd answers, slow ones, logins; secrets stay unseen."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.core.errors import SourceError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.base import Changed, Listing
from boardlake.ingest.sources.web import client as web
from boardlake.ingest.sources.web import pages
from boardlake.ingest.sources.web.index import IndexSource, open_source
from boardlake.tests.servers.faulty import faulty
from boardlake.tests.servers.nginx import Nginx
from boardlake.tests.servers.scripted import Asked, Said, Scripted, scripted

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


def test_links_that_lead_elsewhere_are_left(server: Scripted, opened: Open) -> None:
    """Only names below the page's own folder count: no other hosts, no queries, no way up."""
    for name in ("a", "secret", "other"):
        server.file(f"/runs/{name}/{EVENTS}", b"x", Last_Modified=OLD)
    server.file(f"/runs/{EVENTS}", b"abc", Last_Modified=OLD)
    server.html("/runs/a/", EVENTS, "../", "..", "../secret/", "/runs/other/", "%2e%2e/secret/")
    server.html(
        "/runs/",
        *("./", "../", "/", "/etc/", "/runs/", "a/", "a/", f"{EVENTS}?x=1", "?C=N;O=D", "#top", ""),
        *("http://elsewhere.invalid/runs/b/", "//elsewhere.invalid/runs/c/", "mailto:a@b"),
        *("javascript:alert(1)", f"{server.url}1/runs/d/", "https://127.0.0.1/runs/e/"),
        *("a%2Fb/", "%2e%2e/", "..%2f", "x%00y/", "http://[/", "ftp://127.0.0.1/runs/f/"),
        *(EVENTS, f"{server.url}/runs/{EVENTS}", f"/runs/{EVENTS}"),
    )
    source = opened(f"{server.url}/runs")
    listing = source.walk(Memory())
    assert paths(listing) == [f"a/{EVENTS}", EVENTS]
    assert not listing.problems
    assert source.read(EVENTS, 0, 10) == b"abc"
    assert {asked.path for asked in server.asked} == {
        *("/runs/", "/runs/a/", f"/runs/a/{EVENTS}", f"/runs/{EVENTS}")
    }


def test_pages_of_other_servers() -> None:
    """What Apache, Python, Caddy and lighttpd write of a folder is understood."""
    names = ["b", "bad\\xff.tfevents", EVENTS, "we ird %41#?&é<b>.tfevents"]
    odd = "we%20ird%20%2541%23%3f&amp;%c3%a9%3cb%3e.tfevents"
    base = "http://lab.invalid/fancy/a/"
    apache = f"""<table><tr><th><a href="?C=N;O=D">Name</a></th></tr>
<tr><td><a href="/fancy/">Parent Directory</a></td><td>&nbsp;</td><td>  - </td></tr>
<tr><td><a href="b/">b/</a></td><td align="right">2026-11-26 01:50  </td><td>  - </td></tr>
<tr><td><a href="bad%ff.tfevents">bad\udcff</a></td><td>2026-11-26 01:50  </td><td>1.2K</td></tr>
<tr><td><a href="{EVENTS}">{EVENTS}</a></td><td>2026-11-26 01:50  </td><td>  3 </td></tr>
<tr><td><a href="{odd}">we ird</a></td><td>2026-11-26 01:50  </td><td>  2 </td></tr></table>"""
    rows = pages.of_html(apache.encode("utf-8", "surrogateescape"), base)
    assert [row.name for row in rows] == names
    assert [row.is_folder for row in rows] == [True, False, False, False]
    assert all(row.dated and row.size == -1 for row in rows)
    python = f'<ul><li><a href="b/">b/</a></li><li><a href="{EVENTS}">{EVENTS}</a></li></ul>'
    rows = pages.of_html(python.encode(), base)
    assert [(row.name, row.is_folder, row.dated) for row in rows] == [
        *(("b", True, False), (EVENTS, False, False))
    ]
    nginx = f'<a href="../">../</a>\n<a href="{EVENTS}">e..</a>     26-Nov-2026 01:50      3\n'
    (row,) = pages.of_html(nginx.encode(), base)
    assert row.dated and row.text == "26-Nov-2026 01:50 3"
    caddy = (
        '[{"name":"b/","size":4096,"url":"./b/","mod_time":"2026-11-26T01:50:12.380358817Z",'
        '"is_dir":true},{"name":"bad\\ufffd.tfevents","size":1,"url":"./bad%FF.tfevents",'
        '"mod_time":"2026-11-26T01:50:12.380358817Z","is_dir":false}]'
    )
    rows = pages.of_json(caddy.encode(), base)
    assert [(row.name, row.is_folder, row.address) for row in rows] == [
        *(("b", True, "b/"), ("bad\\xff.tfevents", False, "bad%FF.tfevents"))
    ]
    assert rows[1].mtime_ns == 1_795_657_812 * 10**9


def test_an_index_in_json_that_lies(server: Scripted, opened: Open) -> None:
    """Names that are no names, sizes that are none and other types are left out; the rest is there."""
    body = (
        '[{"name":"..","type":"directory"},{"name":"a/b","type":"file","size":1},{"name":"",'
        '"type":"file","size":1},{"name":7,"type":"file"},3,null,{"name":"\\ud800","type":"file",'
        '"size":1},{"name":"pipe","type":"other","size":1},'
        f'{{"name":"{EVENTS}","type":"file","size":3,"mtime":"{OLD}"}},'
        f'{{"name":"{EVENTS}","type":"file","size":99,"mtime":"{OLD}"}},'
        f'{{"name":"{EVENTS}.b","type":"file","size":-5,"mtime":"never"}}]'
    )
    server.pages["/"] = Said(headers={"Content-Type": "application/json"}, body=body.encode())
    server.file(f"/{EVENTS}", b"abc")
    server.file(f"/{EVENTS}.b", b"abcd", Last_Modified=OLD)
    listing = opened(f"{server.url}/").walk(Memory())
    assert [(entry.path, entry.size) for entry in listing.files] == [
        (EVENTS, 3),
        (f"{EVENTS}.b", 4),
    ]


@given(st.binary(max_size=400))
def test_pages_never_fail(body: bytes) -> None:
    """Whatever a page holds, names come out that lie below it, or it is no page."""
    for parse in (pages.of_html, pages.of_text, pages.of_json):
        for text in (
            body,
            b'<a href="' + body + b'">x</a>',
            b'[{"name":"' + body + b'","size":1}]',
        ):
            try:
                rows = parse(text, "http://lab.invalid/a%20b/")
            except (ValueError, RecursionError):
                continue
            for row in rows:
                parts = row.name.split("/")
                assert ".." not in parts and "." not in parts and "" not in parts
                assert not any(ord(letter) < 32 for letter in row.name)


def test_pages_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tags that are never closed cost no more than pages that are, and are refused."""
    monkeypatch.setattr(pages, "_MAX_TAG", 1 << 17)
    for piece in (b"<a href='x", b"<!--", b"<![CDATA[", b"<script>", b"<a " * 10):
        with pytest.raises(ValueError):
            pages.of_html(piece + b"<a <b " * 50_000, "http://lab.invalid/")
    assert pages.of_html(b"<" * 50_000, "http://lab.invalid/") == []


def test_a_huge_index(server: Scripted, opened: Open) -> None:
    """20,000 names in one page are all there; side files that say nothing are not asked for."""
    folders = [f"run{n}/" for n in range(5)]
    server.html("/", *[f"image{n}.png" for n in range(20_000)], *folders)
    for folder in folders:
        server.html(f"/{folder}", EVENTS)
        server.file(f"/{folder}{EVENTS}", b"xy", Last_Modified=OLD)
    listing = opened(server.url).walk(Memory())
    assert len(listing.files) == 5
    assert len(server.asked) == 1 + 5 + 5 + 1


def test_answers_without_an_end(
    server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index of more than 64 MB is refused, packed or not, and neither is held."""
    monkeypatch.setattr(web, "MAX_ANSWER", 1 << 20)
    forever = (b"<a href='x'>x</a>" * 4000 for _ in range(1000))
    server.pages["/"] = Said(headers={"Content-Type": "text/html"}, parts=forever)
    with pytest.raises(SourceError, match="more than 1 MB"):
        opened(server.url).walk(Memory())
    assert next(forever)
    packed = gzip.compress(b"\0" * (8 << 20))
    assert len(packed) < 10_000
    headers = {"Content-Type": "text/html", "Content-Encoding": "gzip"}
    server.pages["/"] = Said(headers=headers, body=packed)
    with pytest.raises(SourceError, match="more than 1 MB"):
        opened(server.url).walk(Memory())
    server.pages["/"] = Said(headers=headers, body=packed[:-20])
    with pytest.raises(SourceError, match="damaged|more than"):
        opened(server.url).walk(Memory())


def test_links_of_the_disk_that_lead_back(web_server: Nginx, opened: Open) -> None:
    """A link to a folder above is found to be one, and each file is there once."""
    site = web_server.site("open")
    site.put(f"a/{EVENTS}", b"abc")
    site.put(f"a/b/c/{EVENTS}", b"abcd")
    (site.root / "a/b/up").symlink_to("..")
    (site.root / "round/and").mkdir(parents=True)
    (site.root / "round/and/about").symlink_to("..")
    memory = Memory()
    source = opened(site.uri)
    listing = source.walk(memory)
    assert paths(listing) == [f"a/b/c/{EVENTS}", f"a/{EVENTS}"]
    assert {(p.path, p.kind) for p in listing.problems} == {
        *(("a/b/up", "unreadable"), ("round/and/about", "unreadable"))
    }
    again = source.walk(later(memory, 60))
    assert (again.files, again.problems) == (listing.files, listing.problems)


def test_folders_that_are_alike_are_no_circle(web_server: Nginx, opened: Open) -> None:
    """A folder in a folder of the same name and the same time is looked into."""
    site = web_server.site("open")
    site.put(f"0/0/{EVENTS}", b"abc")
    site.put(f"x/x/x/{EVENTS}", b"abc")
    for path in sorted(site.root.rglob("*"), reverse=True):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    listing = opened(site.uri).walk(Memory())
    assert paths(listing) == [f"0/0/{EVENTS}", f"x/x/x/{EVENTS}"]
    assert not listing.problems


def test_too_deep(web_server: Nginx, opened: Open) -> None:
    """What lies deeper than any logs is a problem, and hides nothing else."""
    site = web_server.site("open")
    site.put("/".join(f"d{n}" for n in range(70)) + f"/{EVENTS}", b"abc")
    site.put(f"a/{EVENTS}", b"abc")
    listing = opened(site.uri).walk(Memory())
    assert paths(listing) == [f"a/{EVENTS}"]
    assert [problem.kind for problem in listing.problems] == ["too deep"]


def test_what_is_not_due_costs_nothing(web_server: Nginx, opened: Open) -> None:
    """JSON needs no request for a file; HTML one for each, and none again while its row is the same;
    folders that are long unchanged are not asked for."""
    site = web_server.site("open")
    for n in range(20):
        site.put(f"runs/{n}/{EVENTS}", b"abc")
    old = time.time() - 10 * 86_400
    for path in site.root.rglob("*"):
        os.utime(path, (old, old))
    os.utime(site.root, (old, old))
    # HTML tells no times of folders: those that have none but folders are watched for a while.
    for form, heads, watched in (("open", 0, 0), ("noranges", 20, 2)):
        memory = Memory()
        source = opened(site.uri.replace("/open/", f"/{form}/"))
        source.walk(memory)
        assert source.spent.lists == 22
        assert heads <= source.spent.reads <= heads + 1
        before = source.spent.reads
        again = source.walk(later(memory, 60))
        assert (source.spent.lists, source.spent.reads) == (22 + watched, before)
        assert again.looked == 0 and len(again.files) == 20
        assert again.remembered == set(paths(again))
        # Ten days are ten hours of patience.
        source.walk(later(memory, 11 * 3600))
        assert source.spent.lists == 44 + watched
        assert source.spent.reads <= before + 1
    # A folder whose time moved is looked into at once, if the one above it is.
    memory = Memory()
    source = opened(site.uri)
    source.walk(memory)
    site.put(f"runs/7/{EVENTS}.2", b"new")
    os.utime(site.root / "runs")
    later_on = later(memory, 60)
    for path in ("", "runs"):
        later_on.data["folders"][path][0] = 0
    assert f"runs/7/{EVENTS}.2" in paths(source.walk(later_on))


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


def test_redirects_to_others_are_refused(
    server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a request nor the login goes to another host, another port or out of the root."""
    monkeypatch.setenv("BOARDLAKE_HTTP_TOKEN", SECRET)
    with scripted() as other:
        other.html("/runs/", EVENTS)
        for to in (
            f"{other.url}/runs/",
            f"//localhost:{other.port}/runs/",
            "ftp://127.0.0.1/runs/",
        ):
            server.pages["/runs/"] = Said(302, {"Location": f"{to}?key={SECRET}"})
            with pytest.raises(SourceError, match="another server") as caught:
                opened(f"{server.url}/runs").walk(Memory())
            assert SECRET not in str(caught.value)
        assert not other.asked
    for to in ("/login", "/", "/runs/../x/", "/runsome/"):
        server.pages["/runs/"] = Said(302, {"Location": f"{to}?next={SECRET}"})
        with pytest.raises(SourceError, match="outside of its root") as caught:
            opened(f"{server.url}/runs").walk(Memory())
        assert SECRET not in str(caught.value)
        assert "BOARDLAKE_HTTP_TOKEN" in caught.value.hint
    server.pages["/runs/"] = Said(302, {"Location": "/runs/"})
    with pytest.raises(SourceError, match="circles"):
        opened(f"{server.url}/runs").walk(Memory())
    server.pages["/runs/"] = Said(302, {"Location": "/runs/real/"})
    server.html("/runs/real/", EVENTS)
    server.file(f"/runs/real/{EVENTS}", b"x")
    source = opened(f"{server.url}/runs")
    assert paths(source.walk(Memory())) == [EVENTS]
    assert source.read(EVENTS, 0, 10) == b"x"


def test_logins(
    server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token, a name and password, ~/.netrc, and variables of this source alone; or none of them."""
    server.html("/")

    def sent(**settings: Any) -> str:
        server.asked.clear()
        opened(server.url, **settings).walk(Memory())
        return server.asked[0].headers.get("Authorization", "")

    assert sent() == ""
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login n password {SECRET}\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert sent().startswith("Basic ")
    assert sent(anonymous=True) == ""
    monkeypatch.setenv("BOARDLAKE_HTTP_USER", "me")
    monkeypatch.setenv("BOARDLAKE_HTTP_PASSWORD", "pä:ss")
    assert sent() == "Basic bWU6cMOkOnNz"
    monkeypatch.setenv("LAB_BOARDLAKE_HTTP_TOKEN", "lab-token")
    assert sent(env_prefix="LAB_") == "Bearer lab-token"
    assert sent(env_prefix="OTHER_").startswith("Basic ")
    monkeypatch.setenv("BOARDLAKE_HTTP_TOKEN", SECRET)
    assert sent() == f"Bearer {SECRET}"
    monkeypatch.setenv("BOARDLAKE_HTTP_TOKEN", f"{SECRET}\r\nX-Evil: 1")
    with pytest.raises(SourceError, match="cannot be sent") as caught:
        opened(server.url)
    assert SECRET not in str(caught.value)


def test_secrets_are_never_shown(
    server: Scripted,
    opened: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Whatever goes wrong, no message, repr, memory or log has the token in it."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("BOARDLAKE_HTTP_TOKEN", SECRET)
    said: list[str] = []
    server.html("/good/", EVENTS)
    wrong: list[Said] = [
        Said(status, {"X": SECRET}, SECRET.encode()) for status in (401, 403, 404, 500)
    ]
    wrong += [Said(302, {"Location": f"/in/?{SECRET}"}), Said(200, {}, SECRET.encode())]
    wrong += [Said(200, {"Content-Length": "1000"}, SECRET.encode())]
    wrong += [Said(200, {"Content-Type": "application/json"}, f'["{SECRET}"'.encode())]
    for answer in wrong:
        server.pages["/"] = server.pages[f"/good/{EVENTS}"] = answer
        source = opened(server.url, timeout=2)
        with pytest.raises(SourceError) as caught:
            source.walk(Memory())
        said += [str(caught.value), repr(caught.value), caught.value.hint, repr(source)]
        good, memory = opened(f"{server.url}/good/"), Memory()
        with pytest.raises(OSError) as failed:
            good.read(EVENTS, 0, 10)
            raise OSError("it was read")
        said += [str(failed.value), repr(failed.value)]
        try:
            said += [repr(good.walk(memory)), repr(memory), repr(vars(good))]
        except SourceError as error:
            said += [str(error)]
    assert all(asked.headers["Authorization"] == f"Bearer {SECRET}" for asked in server.asked)
    assert not [text for text in said if SECRET in text]
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())


def test_a_proxy_with_a_login(
    server: Scripted, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests go through the proxy of the environment, whose password is shown to nobody."""
    page = Said(headers={"Content-Type": "text/html"}, body=b"")
    server.pages["http://lab.invalid/runs/"] = server.pages["http://lab.invalid:80/runs/"] = page
    monkeypatch.setenv("http_proxy", f"http://me:{SECRET}@127.0.0.1:{server.port}")
    assert paths(opened("http://lab.invalid/runs").walk(Memory())) == []
    assert server.asked[0].headers["proxy-authorization"].startswith("Basic ")
    monkeypatch.setenv("http_proxy", f"http://me:{SECRET}@127.0.0.1:1")
    with pytest.raises(SourceError) as caught:
        opened("http://lab.invalid/runs").walk(Memory())
    assert "proxy" in str(caught.value) and SECRET not in str(caught.value)


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


def test_certificates(tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for is refused; SSL_CERT_FILE vouches for it."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-days", "2", "-subj", "/CN=lab", "-addext", "subjectAltName=IP:127.0.0.1"]
    make += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with scripted(context) as server:
        server.html("/", EVENTS)
        server.file(f"/{EVENTS}", b"abc", Last_Modified=OLD)
        uri = f"https://127.0.0.1:{server.port}"
        with pytest.raises(SourceError, match="certificate") as caught:
            opened(uri).walk(Memory())
        assert "SSL_CERT_FILE" in caught.value.hint
        assert not server.asked
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        source = opened(uri)
        assert paths(source.walk(Memory())) == [EVENTS]
        assert source.read(EVENTS, 1, 1) == b"b"


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


def test_a_plain_list(server: Scripted, opened: Open) -> None:
    """A list of paths as text is an index: of what lies beside it, and of nothing else."""
    for path in (f"a/{EVENTS}", f"b%20c/%23%C3%A9.{EVENTS}", f"d/{EVENTS}", "a/hparams.yaml"):
        server.file(f"/logs/{path}", b"x" * len(path), Last_Modified=OLD)
    text = f"./a/{EVENTS}\r\nb c/#é.{EVENTS}\n\n../x/{EVENTS}\n/etc/{EVENTS}\na/hparams.yaml\n"
    text += f"{server.url}/logs/d/{EVENTS}\nhttp://lab.invalid/logs/e/{EVENTS}\ngone/{EVENTS}\n"
    for place in ("/logs/files.txt", "/logs/"):
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        server.pages[place] = Said(headers=headers, body=text.encode())
        source = opened(server.url + place)
        listing = source.walk(Memory())
        assert paths(listing) == [f"a/{EVENTS}", f"b c/#é.{EVENTS}", f"d/{EVENTS}"]
        assert [entry.path for entry in listing.beside["a"]] == ["a/hparams.yaml"]
        assert [problem.path for problem in listing.problems] == [f"gone/{EVENTS}"]
        for entry in listing.files:
            assert source.stat(entry.path) == entry
            assert source.read(entry.path, 0, 100) == b"x" * entry.size


def test_one_file_as_the_root(web_server: Nginx, opened: Open) -> None:
    """The URL of an event file is a source of one file."""
    site = web_server.site("open")
    site.put(f"a/{EVENTS}", b"abcdef")
    site.put(f"a/{EVENTS}.2", b"abcdef")
    source = opened(f"{site.uri}/a/{EVENTS}")
    (entry,) = source.walk(Memory()).files
    assert (entry.path, entry.size) == (EVENTS, 6)
    assert source.read(EVENTS, 1, 2, entry.version) == b"bc"
    assert source.stat(EVENTS) == entry


def test_pages_that_are_no_index(server: Scripted, opened: Open) -> None:
    """An answer that lists nothing is told, with what was expected."""
    for kind, body in (("application/octet-stream", b"\0"), ("application/json", b"{}")):
        server.pages["/"] = Said(headers={"Content-Type": kind}, body=body)
        with pytest.raises(SourceError, match="no index") as caught:
            opened(server.url).walk(Memory())
        assert "autoindex" in caught.value.hint


def test_uris_are_taken_as_they_are(web_server: Nginx, opened: Open) -> None:
    """A root with spaces and signs may be written plainly or percent-encoded."""
    site = web_server.site("open")
    site.put(f"lab é/50% done/{EVENTS}", b"abc")
    for root in ("lab é/50% done", "lab%20%C3%A9/50%25%20done", "lab é/50%25 done"):
        source = opened(f"{site.uri}/{root}")
        assert paths(source.walk(Memory())) == [EVENTS]
        assert source.read(EVENTS, 0, 10) == b"abc"


def test_names_that_are_not_utf8(web_server: Nginx, opened: Open) -> None:
    """They are shown with escapes, and read."""
    site = web_server.site("open")
    name = b"caf\xe9.\x01" + EVENTS.encode()
    (site.root / "a").mkdir()
    with open(os.fsencode(site.root / "a") + b"/" + name, "wb") as file:
        file.write(b"abc")
    for form in ("open", "noranges"):
        source, memory = opened(site.uri.replace("/open/", f"/{form}/")), Memory()
        (entry,) = source.walk(memory).files
        assert entry.path == f"a/caf\\xe9.\\x01{EVENTS}"
        assert source.read(entry.path, 0, 10, entry.version) == b"abc"
        assert source.stat(entry.path) == entry
        (again,) = opened(source.client.uri).walk(later(memory, 1)).files
        assert again == entry


@pytest.mark.skipif(sys.platform == "win32", reason="paths")
def test_python_serves_an_index(tmp_path: Path, opened: Open) -> None:
    """`python -m http.server` is an index without sizes and without ranges."""
    import functools
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / EVENTS).write_bytes(b"abcdef")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
        try:
            source = opened(f"http://127.0.0.1:{serving.server_port}/")
            listing = source.walk(Memory())
            (entry,) = listing.files
            assert (entry.path, entry.size) == (f"a b/{EVENTS}", 6)
            assert [problem.kind for problem in listing.problems] == ["no ranges"]
            assert source.read(entry.path, 2, 3) == b"cde"
            assert source.stat(entry.path) == entry
        finally:
            serving.shutdown()
