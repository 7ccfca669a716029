"""Files behind a web server: an index of its directories in JSON or HTML, or one plain list of paths."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

from ...core.errors import SourceError
from ...core.settings import SourceSettings
from ...core.values import FileEntry, Problem
from .. import artifacts, provenance
from ..memory import Memory
from ..names import is_event_file
from . import pages
from .base import Listing, Spent
from .chosen import Chosen
from .folders import Folder, Item, join, walk
from .pages import Row
from .web import AT_ONCE, Client, Gone, HttpError

_LISTS_AT_ONCE = 8
# Nginx answers the first, Caddy either; whoever knows only HTML sends it anyway.
_ACCEPT = "application/json, text/html;q=0.9, text/plain;q=0.8, */*;q=0.1"
# Rows tell minutes: what changed within this time of the answer may change again unseen.
_SETTLED_S = 120.0
_NO_INDEX = (
    "expected an index of files: nginx with `autoindex on`, Apache with mod_autoindex, "
    "`rclone serve http`, `python -m http.server`, or a list of paths as text/plain"
)
_NO_RANGES = (
    "the server knows no byte ranges: each look at a file reads it from its beginning. "
    "nginx, Apache, Caddy and `rclone serve http` know them"
)


def open_source(settings: SourceSettings) -> IndexSource:
    """The files below an http or https URL; nothing is asked before the first walk."""
    return IndexSource(settings)


class IndexSource:
    """A tree of files that a web server lists."""

    def __init__(self, settings: SourceSettings) -> None:
        self.spent = Spent()
        self.at_once = AT_ONCE
        self._client = Client(settings, self.spent)
        self._chosen = Chosen(settings.include, settings.exclude)
        self._items: dict[str, Item] = {}
        root = self._client.root
        last = root.rpartition("/")[2]
        self._single = last if is_event_file(last) else ""
        self._list = last if last.endswith(".txt") else ""
        self._base = root.rstrip("/") + "/"
        if self._single or self._list:
            self._base = root.rpartition("/")[0] + "/"
        self._heads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="head")

    def walk(self, memory: Memory) -> Listing:
        """All files that the indexes below the root link to, within it."""
        uri, ranges = self._client.uri, memory.data.get("ranges")
        try:
            tree = walk(partial(self._look, memory), self._chosen, memory, _LISTS_AT_ONCE)
        except Gone as error:
            raise SourceError(f"{uri}: there is nothing (404)", hint="check the path") from error
        except HttpError as error:
            raise SourceError(f"{uri}: {error.strerror}", hint=error.hint) from error
        except SourceError as error:
            raise SourceError(
                f"{uri}: {error.message}", hint="the next scan tries again"
            ) from error
        self._items = tree.items()
        listing = tree.listing(self._chosen)
        if memory.full or not isinstance(ranges, bool):
            ranges = self._probe(listing)
        memory.data["ranges"] = ranges
        if not ranges:
            listing.problems.append(Problem("", 0, 0, "no ranges", _NO_RANGES))
        return listing

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """At most *length* bytes of a file, by a range."""
        item = self._items.get(path)
        return self._client.read(
            self._address(path), start, length, version, item.size if item else -1
        )

    def stat(self, path: str) -> FileEntry | None:
        """The entry of a file: by its headers if the walk knows it, else by its folder's index."""
        item = self._items.get(path)
        try:
            if item is None:
                return self._stat_listed(path)
            facts = self._client.head(self._address(path))
        except Gone:
            return None
        # JSON says no tag: an entry with one would be another version.
        version = facts.etag if item.version else ""
        return FileEntry(path, facts.size, facts.mtime_ns, version)

    def close(self) -> None:
        """Let go of connections and threads."""
        self._heads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _stat_listed(self, path: str) -> FileEntry | None:
        directory, _, name = path.rpartition("/")
        if self._list or self._single:
            directory, name = "", path
        folder = self._look(Memory(), directory, "", None)
        found = next((item for item in folder.files if item.name == name), None)
        if found is None:
            return None
        self._items[path] = found
        return FileEntry(path, found.size, found.mtime_ns, found.version)

    def _address(self, path: str) -> str:
        item = self._items.get(path)
        if item and item.address:
            return self._base + item.address
        return self._base + quote(path.encode("utf-8", "surrogateescape"))

    def _look(self, memory: Memory, path: str, address: str, known: Folder | None) -> Folder:
        """One folder as its index says; `address` is that of the folder, relative to the root."""
        here = address or (quote(path) + "/" if path else "")
        if self._single:
            return self._filled([Row(self._single, self._single)], "", "", memory, known)
        answer = self._client.ask(
            "GET", self._base + (self._list or here), headers={"Accept": _ACCEPT}
        )
        rows = self._rows(answer.headers.get("Content-Type", ""), answer.body, answer.path)
        return self._filled(rows, path, here, memory, known)

    def _rows(self, content_type: str, body: bytes, path: str) -> list[Row]:
        client = self._client
        kind = content_type.partition(";")[0].strip().lower()
        # Links are held against where the page came from, never against a scheme that it names.
        base = f"{client.scheme}://{client.host}{path}"
        try:
            if kind == "application/json":
                return pages.of_json(body)
            if kind in ("text/html", "application/xhtml+xml"):
                return pages.of_html(body, base)
            if kind == "text/plain":
                return pages.of_text(body, base)
        except (ValueError, RecursionError):
            pass
        raise HttpError("answers with no index of files", status=200, hint=_NO_INDEX)

    def _filled(
        self, rows: list[Row], path: str, here: str, memory: Memory, known: Folder | None
    ) -> Folder:
        """The folder of *rows*; where they lack sizes and times, the files are asked for them."""
        folder = Folder()
        before = {item.name: item for item in known.files} if known else {}
        looks = {}
        for row in rows:
            at = here + row.address
            derived = quote(join(path, row.name)) + "/" * row.is_folder
            address = "" if at == derived else at
            if row.is_folder:
                folder.folders[row.name] = row.mtime_ns
                if address:
                    folder.addresses[row.name] = address
            elif row.size >= 0:
                item = Item(row.name, row.size, row.mtime_ns, address=address)
                folder.files.append(item)
            elif not _wanted(join(path, row.name)) or self._chosen.excluded(join(path, row.name)):
                folder.files.append(Item(row.name, 0, 0, address=address))
            elif (old := before.get(row.name)) and _unchanged(row, old, memory):
                folder.files.append(old)
            else:
                looks[self._heads.submit(self._client.head, self._base + at)] = (row, address)
        for task, (row, address) in looks.items():
            whole = join(path, row.name)
            try:
                facts = task.result()
            except (Gone, HttpError) as error:
                # A server that fails says nothing of this folder.
                if isinstance(error, HttpError) and error.away:
                    raise
                if is_event_file(row.name.rpartition("/")[2]):
                    message = f"is in the index, but {error.strerror}"
                    folder.problems.append(Problem(whole, 0, 0, "unreadable", message))
                continue
            note = f"{row.text}\n{memory.now:.0f}\n{facts.age_s > _SETTLED_S:d}"
            folder.files.append(
                Item(row.name, facts.size, facts.mtime_ns, facts.etag, address, note)
            )
        return folder

    def _probe(self, listing: Listing) -> bool:
        """Whether the server reads from the middle of a file."""
        entry = next((entry for entry in listing.files if entry.size > 1), None)
        if entry:
            try:
                self._client.read(self._address(entry.path), 1, 1)
            except OSError:
                return True
        return self._client.ranges


def _wanted(path: str) -> bool:
    """Whether anybody asks for the size of a file."""
    return bool(
        is_event_file(path.rpartition("/")[2])
        or artifacts.classify(path, False)
        or artifacts.checkpoint_directory(path)
        or provenance.recognise(path)
    )


def _unchanged(row: Row, old: Item, memory: Memory) -> bool:
    """Whether a file need not be asked for again: its row says so, or it is long unchanged."""
    text, _, rest = old.note.partition("\n")
    looked_at, _, settled = rest.partition("\n")
    if row.text != text or not looked_at.isdecimal():
        return False
    if row.dated:
        return settled == "1"
    return old.mtime_ns > 0 and not memory.due(float(looked_at), old.mtime_ns / 1e9)
