"""Files behind a web server: an index of its directories in JSON or HTML, or one plain list of paths."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from ....core.settings import SourceSettings
from ....core.values import Problem
from ... import artifacts, provenance
from ...memory import Memory
from ...names import is_event_file
from ..base import Listing
from ..folders import Folder, Item, join
from . import pages
from .answers import Gone, HttpError
from .client import AT_ONCE
from .pages import Row
from .tree import WebTree, encoded_path, own_address

# Nginx answers the first, Caddy either; whoever knows only HTML sends it anyway.
_ACCEPT = "application/json, text/html;q=0.9, text/plain;q=0.8, */*;q=0.1"
# Rows tell minutes: what changed within this time of the answer may change again unseen.
_SETTLED_S = 120.0
# A run knows of files so far below it.
_NEAR = 3
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


class IndexSource(WebTree):
    """A tree of files that a web server lists."""

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__(settings)
        root = self.client.root
        last = root.rpartition("/")[2]
        self._list = last if last.endswith(".txt") else ""
        if self._list:
            self.base = root.rpartition("/")[0] + "/"
        self._heads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="head")

    def walk(self, memory: Memory) -> Listing:
        """All files that the indexes below the root link to, within it."""
        ranges = memory.data.get("ranges")
        listing = super().walk(memory)
        if memory.full or not isinstance(ranges, bool):
            ranges = self._probe(listing)
        memory.data["ranges"] = ranges
        if not ranges:
            listing.problems.append(Problem("", 0, 0, "no ranges", _NO_RANGES))
        return listing

    def look_at(self, path: str) -> Item | None:
        """One file: by its headers if the walk knows it, else by its folder's index."""
        item = self.items.get(path)
        if item is None:
            return super().look_at(path)
        facts = self.client.head(self.address(path))
        # JSON says no tag: an entry with one would be another version.
        return Item(path, facts.size, facts.mtime_ns, facts.etag if item.version else "")

    def close(self) -> None:
        """Let go of connections and threads."""
        self._heads.shutdown(wait=False, cancel_futures=True)
        super().close()

    def look(self, memory: Memory, path: str, address: str, known: Folder | None) -> Folder:
        """One folder as its index says."""
        here = address or (encoded_path(path) + "/" if path else "")
        if self.single:
            return self._filled([Row(self.single, self.single)], "", "", memory, known)
        asked = self.base + (self._list or here)
        answer = self.client.ask("GET", asked, headers={"Accept": _ACCEPT})
        rows = self._rows(answer.headers.get("Content-Type", ""), answer.body, answer.path)
        return self._filled(rows, path, self.below(answer.path), memory, known)

    def _rows(self, content_type: str, body: bytes, path: str) -> list[Row]:
        kind = content_type.partition(";")[0].strip().lower()
        base = self.url(path)
        try:
            if kind == "application/json":
                return pages.of_json(body, base)
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
            address = own_address(path, row.name, at, row.is_folder)
            if row.is_folder:
                folder.folders[row.name] = row.mtime_ns
                if address:
                    folder.addresses[row.name] = address
            elif row.size >= 0:
                item = Item(row.name, row.size, row.mtime_ns, address=address)
                folder.files.append(item)
            elif not _wanted(join(path, row.name)) or self.chosen.excluded(join(path, row.name)):
                folder.files.append(Item(row.name, 0, 0, address=address))
            elif (old := before.get(row.name)) and _unchanged(row, old, memory):
                folder.files.append(old)
            else:
                looks[self._heads.submit(self.client.head, self.base + at)] = (row, address)
        for task, (row, address) in looks.items():
            whole = join(path, row.name)
            try:
                facts = task.result()
            except (Gone, HttpError) as error:
                # A server that fails says nothing of this folder.
                if isinstance(error, HttpError) and error.away:
                    for other in looks:
                        other.cancel()
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
                self.client.read(self.address(entry.path), 1, 1)
            except OSError:
                return True
        return self.client.ranges


def _wanted(path: str) -> bool:
    """Whether anybody asks for the size of a file, seen from whichever directory above is a run's."""
    parts = path.split("/")
    if is_event_file(parts[-1]) or artifacts.checkpoint_directory("/".join(parts[-_NEAR:])):
        return True
    tails = ["/".join(parts[-n:]) for n in range(1, min(len(parts), _NEAR) + 1)]
    return any(provenance.recognise(tail) or artifacts.classify(tail, False) for tail in tails)


def _unchanged(row: Row, old: Item, memory: Memory) -> bool:
    """Whether a file need not be asked for again: its row says so, or it is long unchanged."""
    text, _, rest = old.note.partition("\n")
    looked_at, _, settled = rest.partition("\n")
    if row.text != text or not looked_at.isdecimal():
        return False
    if row.dated:
        return settled == "1"
    return old.mtime_ns > 0 and not memory.due(float(looked_at), old.mtime_ns / 1e9)
