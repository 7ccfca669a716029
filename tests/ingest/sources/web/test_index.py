"""Indexes of web servers: links that lead away, odd answers, huge ones, what is no index."""

from __future__ import annotations

import gzip
import os
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.core.errors import SourceError
from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.web import client as web
from boardlake.ingest.sources.web import pages
from boardlake.tests.servers.nginx import Nginx
from boardlake.tests.servers.scripted import Said, Scripted

from .conftest import EVENTS, OLD, Open, later, paths


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
