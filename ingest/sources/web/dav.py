"""WebDAV: folders by PROPFIND of depth 1, for the whole tree at once is what many servers refuse."""

from __future__ import annotations

from dataclasses import dataclass
from xml.parsers import expat

from ....core.settings import SourceSettings
from ....core.values import Problem
from ...memory import Memory
from ..folders import Folder, Item, join
from . import pages
from .answers import HttpError, when
from .tree import WebTree, encoded_path, own_address

_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/>'
    b"<getcontentlength/><getlastmodified/><getetag/></prop></propfind>"
)
_NO_DAV = "expected a WebDAV server: an address of one begins with dav:// or davs://"
_MAX_TEXT = 8192
_MAX_NESTED = 32


def open_source(settings: SourceSettings) -> DavSource:
    """The files below a dav or davs URL; nothing is asked before the first walk."""
    return DavSource(settings)


class DavSource(WebTree):
    """A tree of files that a WebDAV server lists."""

    def __init__(self, settings: SourceSettings) -> None:
        scheme = "http" if settings.uri.lower().startswith("dav://") else "https"
        super().__init__(settings, scheme=scheme)

    def look(self, memory: Memory, path: str, address: str, known: Folder | None) -> Folder:
        """One folder as its properties say."""
        here = address or (encoded_path(path) + "/" if path else "")
        folder = Folder()
        here, resources = self._ask(here or self.single, "0" if self.single else "1")
        for found in resources:
            row = found.row
            if row is None or "/" in row.name:
                continue
            whole = join(path, row.name)
            at = own_address(path, row.name, here + row.address, found.is_folder)
            if found.is_folder:
                folder.folders[row.name] = found.mtime_ns
                if at:
                    folder.addresses[row.name] = at
            elif found.size < 0:
                message = "the server does not tell its size"
                folder.problems.append(Problem(whole, 0, 0, "unreadable", message))
            else:
                folder.files.append(Item(row.name, found.size, found.mtime_ns, found.etag, at))
        return folder

    def look_at(self, path: str) -> Item | None:
        """One file by its own properties."""
        address = self.address(path)
        for found in self._ask(address.removeprefix(self.base), "0")[1]:
            if not found.is_folder and found.size >= 0:
                return Item(path, found.size, found.mtime_ns, found.etag)
        return None

    def _ask(self, address: str, depth: str) -> tuple[str, list[Found]]:
        headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
        try:
            answer = self.client.ask("PROPFIND", self.base + address, headers=headers, body=_ASKED)
        except HttpError as error:
            if error.status in (400, 405, 501):
                raise HttpError(error.strerror or "", status=error.status, hint=_NO_DAV) from None
            raise
        if answer.status != 207:
            raise HttpError("answers no PROPFIND", status=answer.status, hint=_NO_DAV)
        try:
            return self.below(answer.path), parse(answer.body, self.url(answer.path))
        except (expat.ExpatError, ValueError):
            raise HttpError("answers with no XML of WebDAV", status=200, hint=_NO_DAV) from None


@dataclass
class Found:
    """What a server says of one resource; `row` is None for the folder that was asked for."""

    row: pages.Row | None = None
    is_folder: bool = False
    size: int = -1
    mtime_ns: int = 0
    etag: str = ""


def parse(body: bytes, base: str) -> list[Found]:
    """The resources of a multistatus answer from the URL *base*.

    Raises ValueError or ExpatError for what is none, and for declarations: they can hold bombs.
    """
    reader = _Reader(base)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.Parse(body, True)
    if not reader.multistatus:
        raise ValueError("expected a multistatus")
    return reader.found


def _refuse(*_: object) -> None:
    raise ValueError("expected no document type")


class _Reader:
    """Takes elements of a multistatus as they come; properties count where their status is 200."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.found: list[Found] = []
        self.multistatus = False
        self._depth = 0
        self._text: list[str] = []
        self._href = ""
        self._properties: dict[str, str] = {}
        self._good: dict[str, str] = {}

    def start(self, name: str, _: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_NESTED:
            raise ValueError("nested too deeply")
        self._text = []
        if name == "DAV: multistatus":
            self.multistatus = True
        elif name == "DAV: response":
            self._href, self._good = "", {}
        elif name == "DAV: propstat":
            self._properties = {"status": "200"}

    def text(self, data: str) -> None:
        if len(self._text) < 64:
            self._text.append(data[:_MAX_TEXT])

    def end(self, name: str) -> None:
        self._depth -= 1
        text = "".join(self._text).strip()
        self._text = []
        if name == "DAV: href":
            self._href = self._href or text
        elif name == "DAV: status":
            self._properties["status"] = text
        elif name == "DAV: collection":
            self._properties["folder"] = "yes"
        elif name.startswith("DAV: get"):
            self._properties[name.removeprefix("DAV: get")] = text[:256]
        elif name == "DAV: propstat":
            if "200" in self._properties["status"]:
                self._good |= self._properties
        elif name == "DAV: response" and len(self.found) < pages.MAX_ROWS:
            self.found.append(self._resource())

    def _resource(self) -> Found:
        said = self._good
        length = said.get("contentlength", "")
        return Found(
            pages.linked(self._href, self.base),
            "folder" in said,
            int(length) if length.isdecimal() and len(length) < 19 else -1,
            when(said.get("lastmodified", "")) * 10**9,
            said.get("etag", ""),
        )
