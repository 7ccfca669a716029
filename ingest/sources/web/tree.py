"""What all trees of files behind HTTP have in common: addresses, reads by range, errors of the root."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from ....core.errors import SourceError
from ....core.settings import SourceSettings
from ....core.values import FileEntry
from ...memory import Memory
from ...names import is_event_file
from ..base import Listing, Spent
from ..chosen import Chosen
from ..folders import Folder, Item, Tree, join, walk
from .answers import Gone, HttpError
from .client import AT_ONCE, Client

LISTS_AT_ONCE = 8


class WebTree:
    """A tree of files on a server of HTTP; each kind has its own way to look at a folder."""

    def __init__(self, settings: SourceSettings, *, scheme: str = "") -> None:
        self.spent = Spent()
        self.at_once = AT_ONCE
        self.client = Client(settings, self.spent, scheme=scheme)
        self.chosen = Chosen(settings.include, settings.exclude)
        self.items: dict[str, Item] = {}
        root = self.client.root
        last = root.rpartition("/")[2]
        self.single = last if is_event_file(last) else ""
        self.base = (root.rpartition("/")[0] if self.single else root.rstrip("/")) + "/"

    def walk(self, memory: Memory) -> Listing:
        """All files below the root."""
        return self.look_at_all(memory).listing(self.chosen)

    def look_at_all(self, memory: Memory) -> Tree:
        """All folders below the root; raises `SourceError` with the URI."""
        uri = self.client.uri
        try:
            tree = walk(partial(self.look, memory), self.chosen, memory, LISTS_AT_ONCE)
        except Gone as error:
            raise SourceError(f"{uri}: there is nothing (404)", hint="check the path") from error
        except HttpError as error:
            hint = error.hint or "the next scan tries again"
            raise SourceError(f"{uri}: {error.strerror}", hint=hint) from error
        except SourceError as error:
            raise SourceError(
                f"{uri}: {error.message}", hint="the next scan tries again"
            ) from error
        self.items = tree.items()
        return tree

    def look(self, memory: Memory, path: str, address: str, known: Folder | None) -> Folder:
        """One folder; `address` is how the server names it below the base, '' where as *path*."""
        raise NotImplementedError

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """At most *length* bytes of a file, by a range."""
        item = self.items.get(path) or Item(path, -1, 0)
        return self.client.read(
            self.address(path), start, length, version, item.size, item.mtime_ns
        )

    def stat(self, path: str) -> FileEntry | None:
        """The entry of a file as it is now."""
        try:
            item = self.look_at(path)
        except Gone:
            return None
        return FileEntry(path, item.size, item.mtime_ns, item.version) if item else None

    def look_at(self, path: str) -> Item | None:
        """One file as its folder lists it."""
        directory, _, name = ("", "", path) if path in self.items else path.rpartition("/")
        folder = self.look(Memory(), directory, "", None)
        found = next((item for item in folder.files if item.name == name), None)
        if found:
            self.items[path] = found
        return found

    def address(self, path: str) -> str:
        """The path to ask for, percent-encoded."""
        item = self.items.get(path)
        return self.base + ((item and item.address) or encoded_path(path))

    def below(self, path: str) -> str:
        """The folder that an answer came from, as it is named below the base."""
        return (path.rpartition("/")[0] + "/").removeprefix(self.base)

    def url(self, path: str) -> str:
        """What links in an answer from *path* are relative to."""
        return self.client.origin + path

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()


def encoded_path(path: str) -> str:
    """A path below the root as a server names it that has no ways of its own."""
    return quote(path.encode("utf-8", "surrogateescape"))


def own_address(path: str, name: str, address: str, is_folder: bool) -> str:
    """The *address* of a name in a folder, '' where it follows from its path."""
    bare = address.removesuffix("/")
    return "" if bare == encoded_path(join(path, name)) else bare + "/" * is_folder
