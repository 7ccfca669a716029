"""A tree that is listed folder by folder: many at once, only those that may have changed, loops left."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import SourceError
from ...core.values import FileEntry, Problem
from ..memory import Memory
from ..names import is_event_file
from .base import Listing
from .chosen import MAX_DEPTH, Chosen

MAX_FOLDERS = 200_000
MAX_FILES = 2_000_000
MAX_PATH = 4096
# As many folders in a row whose server failed, and the rest is not asked for.
_GIVE_UP = 8
_LOOPS = 3
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Item:
    """A file of a folder: its name, and what its kind needs to ask for it again.

    `address` is how the server names it, '' where that follows from the name; `note` is what the
    listing itself said of it, where the rest had to be asked for.
    """

    name: str
    size: int
    mtime_ns: int
    version: str = ""
    address: str = ""
    note: str = ""


@dataclass
class Folder:
    """What lies in one folder: its files, and its folders with their times (0: unknown).

    `addresses` holds how the server names a folder where that does not follow from its name;
    `changed_at` and `looked_at` are Unix seconds of this machine.
    """

    files: list[Item] = field(default_factory=list)
    folders: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    looked_at: float = 0.0
    changed_at: float = 0.0

    def print(self) -> tuple[object, ...]:
        """What tells this folder's contents from another's."""
        files = sorted((one.name, one.size, one.mtime_ns) for one in self.files)
        return (tuple(files), tuple(sorted(self.folders.items())))

    @property
    def certain(self) -> bool:
        """Whether two folders with the same print are the same one: an event file has its time."""
        return any(one.mtime_ns and is_event_file(one.name) for one in self.files)


# Lists a folder at a path: how the server names it, and what was known of it. Raises
# FileNotFoundError where it is gone, and OSError, with `away` where the server itself failed.
List = Callable[[str, str, Folder | None], Folder]


@dataclass
class Tree:
    """One walk: all folders of now, and what could not be looked at."""

    folders: dict[str, Folder] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    looked: int = 0
    # Folders that were not looked at.
    quiet: set[str] = field(default_factory=set)
    loops: set[str] = field(default_factory=set)

    def items(self) -> dict[str, Item]:
        """Every file by its path."""
        found: dict[str, Item] = {}
        for path, folder in self.folders.items():
            for item in folder.files:
                found.setdefault(join(path, item.name), item)
        return found

    def listing(self, chosen: Chosen, single: str = "") -> Listing:
        """All of it as a listing."""
        entries = (
            FileEntry(path, item.size, item.mtime_ns, item.version)
            for path, item in sorted(self.items().items())
        )
        listing = chosen.listing(entries, single)
        listing.problems += self.problems
        listing.looked = self.looked
        listing.remembered = {
            entry.path for entry in listing.files if self._above(entry.path) in self.quiet
        }
        return listing

    def _above(self, path: str) -> str:
        """The folder that has *path*: the nearest, where a list names files further down."""
        folder = path.rpartition("/")[0]
        while folder and folder not in self.folders:
            folder = folder.rpartition("/")[0]
        return folder


def walk(list_one: List, chosen: Chosen, memory: Memory, at_once: int) -> Tree:
    """Every folder below the root; those that are not due are as they are remembered.

    What cannot be listed is a problem, and stays as it was known. Raises the OSError of the root,
    and `SourceError` where the server fails again and again.
    """
    return _Walk(list_one, chosen, memory, at_once).run()


class _Walk:
    def __init__(self, list_one: List, chosen: Chosen, memory: Memory, at_once: int) -> None:
        self.list_one, self.chosen, self.memory, self.at_once = list_one, chosen, memory, at_once
        self.known = remembered(memory.data)
        self.tree = Tree()
        self.failed = 0
        self.files = 0
        self.asked = 0
        # Where a folder is due because its time moved.
        self.moved: set[str] = set()
        self.waiting: list[str] = [""]

    def run(self) -> Tree:
        pending: dict[Future[Folder], str] = {}
        self.tree.places[""] = ""
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="list") as pool:
            try:
                while self.waiting or pending:
                    while self.waiting and len(pending) < 4 * self.at_once:
                        path = self.waiting.pop()
                        known = self.known.get(path)
                        if known and not self._due(path, known):
                            self.tree.quiet.add(path)
                            self._take(path, known)
                        else:
                            task = pool.submit(self.list_one, path, self.tree.places[path], known)
                            pending[task] = path
                            self.asked += 1
                    done, _ = wait(pending, return_when=FIRST_COMPLETED) if pending else ((), ())
                    for task in done:
                        self._finish(pending.pop(task), task)
            except BaseException:
                for task in pending:
                    task.cancel()
                raise
        self._leave_loops()
        self.memory.unchanged = not self.memory.full and self.asked == 0
        self.memory.data = kept(self.tree)
        return self.tree

    def _due(self, path: str, known: Folder) -> bool:
        return path in self.moved or self.memory.due(known.looked_at, known.changed_at)

    def _finish(self, path: str, task: Future[Folder]) -> None:
        known = self.known.get(path)
        try:
            folder = task.result()
        except OSError as error:
            self._fail(path, known, error)
            return
        self.failed = 0
        now = self.memory.now
        folder.looked_at = now
        newest = max([item.mtime_ns for item in folder.files] + list(folder.folders.values()) + [0])
        folder.changed_at = newest / 1e9 if newest else now
        if known:
            same = known.print() == folder.print()
            folder.changed_at = known.changed_at if same else max(folder.changed_at, now)
            for name, mtime_ns in folder.folders.items():
                if mtime_ns and mtime_ns != known.folders.get(name):
                    self.moved.add(join(path, name))
        self.tree.looked += len(folder.files)
        self._take(path, folder)

    def _fail(self, path: str, known: Folder | None, error: OSError) -> None:
        if not path:
            raise error
        if isinstance(error, FileNotFoundError):
            return
        words = error.strerror or "cannot be read"
        self.failed += getattr(error, "away", False)
        if self.failed >= _GIVE_UP:
            raise SourceError(f"{_GIVE_UP} folders in a row cannot be listed: {words}") from error
        message = f"directory cannot be listed: {words}"
        self.tree.problems.append(Problem(path, 0, 0, "unreadable", message))
        if known:
            self.tree.quiet.add(path)
            self._take(path, known)

    def _take(self, path: str, folder: Folder) -> None:
        """Count a folder in, and go on with those in it."""
        tree = self.tree
        if len(tree.folders) >= MAX_FOLDERS or self.files > MAX_FILES:
            self._too_many()
            return
        tree.folders[path] = folder
        self.files += len(folder.files)
        tree.problems += folder.problems
        if self._loops(path, folder):
            return
        depth = path.count("/") + 2 if path else 1
        for name in sorted(folder.folders, reverse=True):
            below = join(path, name)
            if len(below) > MAX_PATH or self.chosen.excluded(below) or below in tree.places:
                continue
            if depth > MAX_DEPTH:
                message = f"lies more than {MAX_DEPTH} directories deep: not looked into"
                tree.problems.append(Problem(below, 0, 0, "too deep", message))
                continue
            tree.places[below] = folder.addresses.get(name, "")
            self.waiting.append(below)

    def _too_many(self) -> None:
        message = f"more than {MAX_FOLDERS} directories or {MAX_FILES} files: the rest is left out"
        problem = Problem("", 0, 0, "unreadable", message)
        if problem not in self.tree.problems:
            self.tree.problems.append(problem)

    def _loops(self, path: str, folder: Folder) -> bool:
        """Whether a folder is one of those above it under another name, as a link makes it."""
        if not path or not folder.folders:
            return False
        print = folder.print()
        parts = path.split("/")
        above = ["/".join(parts[:n]) for n in range(len(parts))]
        same = [
            one
            for one in above
            if one in self.tree.folders and self.tree.folders[one].print() == print
        ]
        # Folders without files are easily alike: only a long row of them is a circle.
        if not same or (not folder.certain and len(same) < _LOOPS):
            return False
        self.tree.loops.add(([*same, path])[1])
        return True

    def _leave_loops(self) -> None:
        tree = self.tree
        for loop in sorted(tree.loops):
            inside = [p for p in tree.folders if p == loop or p.startswith(f"{loop}/")]
            for path in inside:
                del tree.folders[path]
            if inside:
                message = "leads back to a directory above it: not looked into"
                tree.problems.append(Problem(loop, 0, 0, "unreadable", message))


def join(folder: str, name: str) -> str:
    """The path of *name* in a folder; the root is ''."""
    return f"{folder}/{name}" if folder else name


def shown(name: bytes) -> str:
    """A name as text: what is not UTF-8, and control characters, as `\\xNN`."""
    text = name.decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def kept(tree: Tree) -> dict[str, Any]:
    """What is remembered of a walk, in JSON's types."""
    return {
        "folders": {
            path: [
                folder.looked_at,
                folder.changed_at,
                [[i.name, i.size, i.mtime_ns, i.version, i.address, i.note] for i in folder.files],
                folder.folders,
                folder.addresses,
                [[p.path, p.kind, p.message] for p in folder.problems],
            ]
            for path, folder in tree.folders.items()
        }
    }


def remembered(data: dict[str, Any]) -> dict[str, Folder]:
    """The folders of the last walk; none where the memory is of another shape."""
    found: dict[str, Folder] = {}
    try:
        for path, (looked_at, changed_at, files, folders, addresses, problems) in data.get(
            "folders", {}
        ).items():
            found[path] = Folder(
                [Item(*item) for item in files],
                folders,
                addresses,
                [Problem(where, 0, 0, kind, message) for where, kind, message in problems],
                looked_at,
                changed_at,
            )
    except (TypeError, ValueError, AttributeError):
        return {}
    return found
