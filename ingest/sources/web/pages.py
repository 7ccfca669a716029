"""What an index of files says, as JSON, HTML or plain text: the names in it, and no more. Pure."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from ..folders import shown
from .answers import encoded, when

MAX_ROWS = 1_000_000
MAX_LINK = 8192
_CHUNK = 1 << 16
_MAX_TAG = 1 << 20
_MAX_TEXT = 200
_PARSE_S = 60.0
_DATED = re.compile(
    r"\d{1,2}[-/ ][A-Za-z]{3}[-/ ]\d{4},? +\d{1,2}:\d\d|\d{4}-\d\d-\d\d[ T]+\d\d:\d\d"
)


# A name in this folder and no more, in whatever base.
_PLAIN = re.compile(r"[^\s\\/?#:]+/?")


@dataclass(frozen=True)
class Row:
    """One name of an index; `address` is relative to the folder, percent-encoded.

    Of HTML and text `size` is -1 and `mtime_ns` 0; `text` is what stands beside the name there.
    """

    name: str
    address: str
    is_folder: bool = False
    size: int = -1
    mtime_ns: int = 0
    text: str = ""

    @property
    def dated(self) -> bool:
        """Whether the text tells, to the minute, when the file has changed."""
        return bool(_DATED.search(self.text))


def of_json(body: bytes, base: str) -> list[Row]:
    """The rows of nginx's autoindex, or Caddy's, at the URL *base*; raises ValueError for others."""
    # A name that is not UTF-8 stands in nginx's answer as it is on the disk.
    found = json.loads(body.decode("utf-8", "surrogateescape"))
    if not isinstance(found, list):
        raise ValueError("expected a list of files in JSON")
    rows: dict[str, Row] = {}
    for one in found[:MAX_ROWS]:
        row = _row(one, base) if isinstance(one, dict) else None
        if row:
            rows.setdefault(row.name, row)
    return list(rows.values())


def _row(one: dict[str, Any], base: str) -> Row | None:
    name, size = one.get("name"), one.get("size")
    is_folder = one.get("type") == "directory" or one.get("is_dir") is True
    if not isinstance(name, str) or (not is_folder and one.get("type", "file") != "file"):
        return None
    try:
        raw = name.removesuffix("/").encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None
    named = Row(shown(raw), quote(raw)) if _fit(raw) else None
    if isinstance(one.get("url"), str):
        # Caddy's names are in UTF-8 whatever the disk says; its URLs are exact.
        named = linked(one["url"], base)
    if named is None or "/" in named.name:
        return None
    size = size if type(size) is int and 0 <= size < 1 << 62 else -1
    address = named.address.removesuffix("/") + "/" * is_folder
    return Row(named.name, address, is_folder, size, _seconds(one) * 10**9)


def _seconds(one: dict[str, Any]) -> int:
    """When a file changed, in whole seconds, as a header would say it."""
    if isinstance(one.get("mtime"), str):
        return when(one["mtime"])
    try:
        return max(0, int(datetime.fromisoformat(str(one.get("mod_time"))[:64]).timestamp()))
    except (ValueError, OverflowError):
        return 0


def of_html(body: bytes, base: str) -> list[Row]:
    """The rows of the links in a page at the URL *base* that lead to what lies below it.

    Links to other places, with queries, and to what lies above are no rows. Raises ValueError for a
    page that cannot be parsed within bounds.
    """
    parser = _Links()
    text = body.decode("utf-8", "surrogateescape")
    until = time.monotonic() + _PARSE_S
    # `close` is never called: it would go through an unfinished tag again and again.
    for start in range(0, len(text), _CHUNK):
        parser.feed(text[start : start + _CHUNK])
        if len(parser.rawdata) > _MAX_TAG or time.monotonic() > until:
            raise ValueError("expected an index of files in HTML")
    rows: dict[str, Row] = {}
    for link, beside in parser.links[:MAX_ROWS]:
        row = linked(link, base, " ".join("".join(beside).split())[:_MAX_TEXT])
        if row:
            rows.setdefault(row.name, row)
    return list(rows.values())


def of_text(body: bytes, base: str) -> list[Row]:
    """The rows of a plain list: one path or URL below *base* in each line."""
    rows: dict[str, Row] = {}
    for line in body.splitlines()[:MAX_ROWS]:
        line = line.strip(b"\r\n")
        if not line.strip() or len(line) > 4096:
            continue
        if re.match(rb"https?://", line):
            row = linked(line.decode("utf-8", "surrogateescape"), base)
        else:
            row = linked(quote(line.removeprefix(b"./")), base)
        if row and not row.is_folder:
            rows.setdefault(row.name, row)
    return list(rows.values())


def linked(link: str, base: str, text: str = "") -> Row | None:
    """The row of a *link* in an answer from the URL *base*; None where it leads elsewhere."""
    if len(link) > MAX_LINK:
        return None
    if _PLAIN.fullmatch(link):
        # Nearly all links are: an index has a hundred thousand of them.
        plain = encoded(link)
        name = unquote_to_bytes(plain.removesuffix("/"))
        return Row(shown(name), plain, plain.endswith("/"), text=text) if _fit(name) else None
    try:
        here, to = urlsplit(base), urlsplit(urljoin(base, link.strip()))
        same = (to.scheme, to.hostname, to.port) == (here.scheme, here.hostname, here.port)
    except ValueError:
        return None
    if not same or to.query or to.fragment or "?" in link:
        return None
    above = [unquote_to_bytes(part) for part in here.path.split("/")[:-1]]
    raw = encoded(to.path).split("/")
    parts = [unquote_to_bytes(part) for part in raw]
    # Servers differ in what they encode: names are compared, not how they are written.
    if parts[: len(above)] != above:
        return None
    below, address = parts[len(above) :], "/".join(raw[len(above) :])
    is_folder = not below[-1:] or below[-1] == b""
    below = below[:-1] if is_folder else below
    if not below or not all(_fit(part) for part in below):
        return None
    return Row("/".join(shown(part) for part in below), address, is_folder, text=text)


def _fit(name: bytes) -> bool:
    """Whether a name is one of a file in this folder, and not of a place elsewhere."""
    return name not in (b"", b".", b"..") and b"/" not in name and b"\0" not in name


class _Links(HTMLParser):
    """Every link with the text from its end to the next one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, list[str]]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href") and len(self.links) < MAX_ROWS:
            self.links.append((given["href"] or "", []))
            self._inside = True
        elif tag == "time" and given.get("datetime"):
            self.handle_data(f" {given['datetime']} ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self.links and not self._inside and len(self.links[-1][1]) < 50:
            self.links[-1][1].append(data[:_MAX_TEXT])
