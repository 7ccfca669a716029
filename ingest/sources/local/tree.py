"""One pass over a directory tree: scans what changed, takes the rest from what the last pass remembers."""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ....core.errors import SourceError
from ....core.values import Problem
from ...memory import Memory
from ..base import Listing, Spent
from ..chosen import MAX_DEPTH, finish, nearness
from .listed import Lister, problem
from .mounts import Mounts, is_network, may_enter
from .remembered import File, Folder, Id, Link
from .scan import Others, Rules, Scanner, broken, is_gone, show, within

# Stats that wait for a server side by side.
_SIDE_BY_SIDE = 16
# In a directory of more files, those of the same inode are not looked at each time one is added.
_MANY = 256
# A directory in which something happened within this time is one to be watched.
LIVE_S = 3600
# Where the root is one file, only what may say something of it is looked at.
_AROUND_A_FILE = 2


@dataclass(slots=True)
class _Place:
    """A directory that is to be visited; `above` is the one whose entry it is."""

    path: bytes
    depth: int
    above: bytes | None
    linked: bool = False


class Tree:
    """A pass over the tree at *root*; *known* is what the last one remembers, `folders` this one.

    `changed` says whether the two differ.
    """

    def __init__(
        self, root: bytes, rules: Rules, memory: Memory, spent: Spent, known: dict[bytes, Folder]
    ) -> None:
        self.folders: dict[bytes, Folder] = {}
        self.changed = False
        mounts = Mounts()
        self._network = is_network(mounts.kind(root))
        self._scanner = Scanner(root, rules, memory, spent, mounts, first=not known)
        self.lister = Lister(self._scanner, self.folders, known)
        self._rules, self._memory, self._known = rules, memory, known
        self._holding = {
            path[:end]
            for path, folder in known.items()
            if folder.files or folder.links
            for end in _ends(path)
        }
        self._others: dict[bytes, Others] = {}
        self._seen: set[Id] = set()
        self._problems: list[Problem] = []
        self._looked = 0

    def listing(self) -> Listing:
        """All that is there. Raises SourceError when the root cannot be listed."""
        with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="stat") as pool:
            # Threads begin only when there is work for them.
            self._scanner.pool = pool if self._network else None
            self._gather()
            self._look_again()
            found = Listing(problems=self._problems)
            self.lister.files(found)
            self._look_beside(found)
        self.lister.beside(found)
        finish(found)
        found.problems.sort(key=lambda one: one.path)
        found.looked = self._looked
        return found

    def live(self) -> list[bytes]:
        """Directories in which something happened lately, the latest first, as absolute paths."""
        times: dict[bytes, int] = {}
        for path, folder in self.folders.items():
            newest = max((file.changed for file in folder.files), default=0)
            if newest and self._scanner.now - newest < LIVE_S:
                times[path] = newest
        return [self._scanner.at(path) for path in sorted(times, key=lambda path: -times[path])]

    # Directories

    def _gather(self) -> None:
        """Every directory: the real ones first, so that a link never renames what it points at.

        Then all that one link leads to before the next, the highest first: a new link deeper down
        renames nothing, either.
        """
        level, links = [_Place(b"", 0, None)], list[_Place]()
        waiting: list[tuple[int, bytes, _Place]] = []
        while level or waiting:
            level = self._visit(level or [heapq.heappop(waiting)[2]], links)
            for place in links:
                heapq.heappush(waiting, (place.depth, place.path, place))
            links.clear()

    def _visit(self, level: list[_Place], links: list[_Place]) -> list[_Place]:
        """Look at one level of directories; returns those below, and adds links to *links*."""
        visits, stale = self._look_at(level)
        again = [
            (place.path, link)
            for place in visits
            if place.path in self.folders
            for link in self.folders[place.path].links
            if self._scanner.due_link(link)
        ]
        self._scan(stale)
        self._follow(again)
        below: list[_Place] = []
        for place in visits:
            self._below(place, self.folders[place.path], below, links)
        return below

    def _look_at(
        self, level: list[_Place]
    ) -> tuple[list[_Place], list[tuple[_Place, os.stat_result]]]:
        """Which directories are there and new to this walk; of those, which have to be scanned."""
        visits: list[_Place] = []
        stale: list[tuple[_Place, os.stat_result]] = []
        asked = []
        for place in level:
            known = self._known.get(place.path)
            if known is None or self._due_folder(place.path, known):
                asked.append(place)
            elif known.identity not in self._seen:
                self._seen.add(known.identity)
                self.folders[place.path] = known
                visits.append(place)
        infos = self._scanner.stats([place.path for place in asked])
        for place, info in zip(asked, infos, strict=True):
            if isinstance(info, OSError):
                self._unreachable(place, info)
            elif not stat.S_ISDIR(info.st_mode):
                self._doubt(place.above)
            elif (info.st_dev, info.st_ino) not in self._seen and self._may_enter(place, info):
                self._seen.add((info.st_dev, info.st_ino))
                visits.append(place)
                known = self._known.get(place.path)
                if known is None or not self._still(known, info):
                    stale.append((place, info))
                else:
                    # Of others nobody asks when that was.
                    self.changed |= known.checkpoint
                    known.looked = self._scanner.now
                    self.folders[place.path] = known
        return visits, stale

    def _scan(self, stale: list[tuple[_Place, os.stat_result]]) -> None:
        def scan(one: tuple[_Place, os.stat_result]) -> tuple[Folder, Others | None]:
            place, info = one
            return self._scanner.scan(place.path, info, self._known.get(place.path))

        self.changed |= bool(stale)
        self._scanner.spent.add(lists=len(stale))
        scanned = self._scanner.all(scan, stale)
        for (place, _), (folder, others) in zip(stale, scanned, strict=True):
            if place.above is None and folder.error:
                raise self._rootless(folder.error)
            self.folders[place.path] = folder
            if others is not None:
                self._others[place.path] = others
                self._looked += len(folder.files)

    def _below(
        self, place: _Place, folder: Folder, below: list[_Place], links: list[_Place]
    ) -> None:
        if folder.error:
            message = f"directory cannot be listed: {folder.error}"
            self._problem(place.path, "unreadable", message)
        linked = [link.name for link in folder.links if link.to == "d" and self._rules.follow]
        if self._rules.single and place.depth == _AROUND_A_FILE:
            return
        for names, found in ((folder.below, below), (linked, links)):
            for name in names:
                path = within(place.path, name)
                if place.depth == MAX_DEPTH:
                    message = f"lies more than {MAX_DEPTH} directories deep: not looked into"
                    self._problem(path, "too deep", message)
                else:
                    found.append(_Place(path, place.depth + 1, place.path, found is links))

    def _unreachable(self, place: _Place, error: OSError) -> None:
        if place.above is None:
            raise self._rootless(error.strerror or str(error)) from error
        self._doubt(place.above)
        if not is_gone(error):
            message = f"directory cannot be listed: {error.strerror}"
            self._problem(place.path, "unreadable", message)

    def _rootless(self, why: str) -> SourceError:
        root = os.fsdecode(self._scanner.root)
        return SourceError(f"{root}: {why}", hint="check that the directory exists and is mounted")

    def _doubt(self, path: bytes | None) -> None:
        """What a directory held is no longer so: it is scanned by the next walk."""
        if path is not None and path in self.folders:
            self.folders[path].stamp = (0, 0)
            self.changed = True

    def _may_enter(self, place: _Place, info: os.stat_result) -> bool:
        if place.above is None or place.linked or self._rules.cross:
            return True
        above = self.folders[place.above].identity[0]
        if info.st_dev == above:
            return True
        kind = self._scanner.kind(info.st_dev, place.path)
        if may_enter(kind, self._scanner.kind(above, place.above)):
            return True
        message = f"another file system ({kind}) is mounted here: cross_mounts = true enters it"
        self._problem(place.path, "mount", message)
        return False

    def _still(self, known: Folder, info: os.stat_result) -> bool:
        """Whether the entries of a directory are those that are remembered."""
        stamp = (info.st_mtime_ns, info.st_ctime_ns)
        return not self._memory.full and known.holds((info.st_dev, info.st_ino), stamp)

    def _due_folder(self, path: bytes, known: Folder) -> bool:
        """Whether a directory is looked at: all are, but for what lies in checkpoints of some age."""
        sealed = known.checkpoint and path not in self._holding
        return not sealed or self._memory.due(known.looked, known.since)

    # Files

    def _follow(self, again: list[tuple[bytes, Link]]) -> None:
        """Look at links that are due."""

        def look(one: tuple[bytes, Link]) -> Link:
            folder, known = one
            return self._scanner.link(known.name, within(folder, known.name), known)

        self._scanner.spent.add(reads=len(again))
        self._looked += sum(isinstance(link.to, File) for _, link in again)
        for (_, known), new in zip(again, self._scanner.all(look, again), strict=True):
            self.changed |= known.to != new.to or isinstance(new.to, File)
            known.to, known.error, known.gone = new.to, new.error, new.gone

    def _look_again(self) -> None:
        """Look at the event files that are due, of directories that were not scanned."""
        self._renew(
            [
                (path, folder.files, file)
                for path, folder in self.folders.items()
                if path not in self._others
                for file in folder.files
                if self._scanner.due(file)
            ]
        )

    def _renew(self, due: list[tuple[bytes, list[File], File]]) -> None:
        """Look at files of the lists that they stand in; those that are gone leave them."""
        paths = [within(path, file.name) for path, _, file in due]
        self._looked += len(due)
        self.changed |= bool(due)
        gone: dict[int, tuple[list[File], set[bytes]]] = {}
        for (path, files, file), info in zip(due, self._scanner.stats(paths), strict=True):
            if isinstance(info, OSError) or not stat.S_ISREG(info.st_mode):
                gone.setdefault(id(files), (files, set()))[1].add(file.name)
                folder = self.folders[path]
                if isinstance(info, OSError) and not is_gone(info) and files is folder.files:
                    folder.links.append(broken(file.name, info))
                self._doubt(path)
                continue
            new = self._scanner.file(file.name, info, file if file.looked else None)
            file.size, file.mtime_ns, file.ino, file.dev = new.size, new.mtime_ns, new.ino, new.dev
            file.looked, file.changed = new.looked, new.changed
        for files, names in gone.values():
            files[:] = [file for file in files if file.name not in names]

    # Files beside event files

    def _look_beside(self, found: Listing) -> None:
        """Look at files beside event files that are due; others are not even remembered."""
        near = nearness(found.files)
        due: list[tuple[bytes, list[File], File]] = []
        for path, folder in self.folders.items():
            if not near(show(path)):
                self.changed |= folder.beside is not None
                folder.beside = None
            elif path in self._others or folder.beside is None:
                folder.beside = self._fresh_beside(path, due)
            else:
                files = folder.beside
                due += [(path, files, file) for file in files if self._scanner.due(file)]
        self._renew(due)

    def _fresh_beside(self, path: bytes, due: list[tuple[bytes, list[File], File]]) -> list[File]:
        """The files of a scanned directory, those that have to be looked at in *due*."""
        if self.folders[path].error:
            return []
        if path not in self._others:
            self._scanner.spent.add(lists=1)
            try:
                unused = Folder((0, 0), (0, 0), 0, 0, 0)
                self._others[path] = self._scanner.read(path, unused)
            except OSError:
                return []
        known = self._known.get(path)
        before = {file.name: file for file in (known.beside if known else None) or ()}
        faithful = self._scanner.faithful(self.folders[path].identity[0], path)
        files: list[File] = []
        for name, ino in self._others[path]:
            file = before.get(name)
            if file is None:
                file = File(name, -1, 0, ino, 0, 0, 0)
                due.append((path, files, file))
            elif self._scanner.due(file) or (
                faithful and (len(before) <= _MANY or file.ino != ino)
            ):
                due.append((path, files, file))
            files.append(file)
        return files

    def _problem(self, path: bytes, kind: str, message: str) -> None:
        self._problems.append(problem(path, kind, message))


def _ends(path: bytes) -> Iterator[int]:
    """Where a path and those of all directories above it end."""
    end = len(path)
    while end > 0:
        yield end
        end = path.rfind(b"/", 0, end)
    yield 0
