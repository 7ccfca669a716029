"""One pass over a directory tree: scans what changed, takes the rest from what the last pass remembers."""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from ...core.errors import SourceError
from ...core.values import FileEntry, Problem
from ..artifacts import checkpoint_directory
from ..memory import Memory
from ..names import is_event_file
from .base import Listing, Spent
from .chosen import MAX_BESIDE, MAX_DEPTH, Chosen, finish, nearness
from .mounts import Mounts, has_inodes, is_network, may_enter, tells_changes
from .remembered import File, Folder, Id, Link

# Stats that wait for a server side by side.
_SIDE_BY_SIDE = 16
_WORTH_A_POOL = 32
# In a directory of more files, those of the same inode are not looked at each time one is added.
_MANY = 256
# A directory in which something happened within this time is one to be watched.
LIVE_S = 3600
# Where the root is one file, only what may say something of it is looked at.
_AROUND_A_FILE = 2

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Rules:
    """What of a tree is looked at; `single` is the name of the one event file that counts."""

    chosen: Chosen
    follow: bool = True
    cross: bool = False
    single: str = ""


@dataclass(slots=True)
class _Place:
    """A directory that is to be visited; `above` is the one whose entry it is."""

    path: bytes
    depth: int
    above: bytes | None
    linked: bool = False


@dataclass
class Tree:
    """A pass over the tree at `root`; `folders` are what the last one remembers, and then this one."""

    root: bytes
    rules: Rules
    memory: Memory
    spent: Spent
    folders: dict[bytes, Folder]
    real: dict[str, bytes] = field(default_factory=dict)
    """Paths that are not the bytes of their names in the listing."""
    numbered: dict[int, bool] = field(default_factory=dict)
    """Whether the files of a device keep their inode numbers."""
    changed: bool = False
    """Whether what is remembered is no longer what was given."""

    def __post_init__(self) -> None:
        self._now = int(self.memory.now)
        self._prefix = os.path.join(self.root, b"")
        self._known, self.folders = self.folders, {}
        self._first = not self._known
        self._holding = {
            path[:end]
            for path, folder in self._known.items()
            if folder.files or folder.links
            for end in _ends(path)
        }
        self._names: dict[bytes, list[tuple[bytes, int]]] = {}
        self._seen: set[Id] = set()
        self._problems: list[Problem] = []
        self._looked = 0
        self._mounts = Mounts()
        self._kinds: dict[int, str] = {}
        self._pool: ThreadPoolExecutor | None = None

    def listing(self) -> Listing:
        """All that is there. Raises SourceError when the root cannot be listed."""
        kind = self._mounts.kind(self.root)
        with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="stat") as pool:
            # Threads begin only when there is work for them.
            self._pool = pool if is_network(kind) else None
            self._gather()
            self._look_again()
            found = Listing(problems=self._problems)
            self._list_files(found)
            self._look_beside(found)
        self._list_beside(found)
        finish(found)
        found.problems.sort(key=lambda problem: problem.path)
        found.looked = self._looked
        return found

    def live(self) -> list[bytes]:
        """Directories in which something happened lately, the latest first, as absolute paths."""
        times: dict[bytes, int] = {}
        for path, folder in self.folders.items():
            newest = max((file.changed for file in folder.files), default=0)
            if newest and self._now - newest < LIVE_S:
                times[path] = newest
        return [self._at(path) for path in sorted(times, key=lambda path: -times[path])]

    def _at(self, path: bytes) -> bytes:
        return self._prefix + path if path else self.root

    def _all(self, work: Callable[[_T], _R], items: list[_T]) -> Iterable[_R]:
        if self._pool is None or len(items) < _WORTH_A_POOL:
            return map(work, items)
        return self._pool.map(work, items)

    def _stat(self, path: bytes) -> os.stat_result | OSError:
        try:
            return os.stat(self._at(path))
        except OSError as error:
            return error

    def _stats(self, paths: list[bytes]) -> Iterable[os.stat_result | OSError]:
        self.spent.add(reads=len(paths))
        return self._all(self._stat, paths)

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
        for place, info in zip(asked, self._stats([p.path for p in asked]), strict=True):
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
                    known.looked = self._now
                    self.folders[place.path] = known
        again = [
            (place.path, link)
            for place in visits
            if place.path in self.folders
            for link in self.folders[place.path].links
            if self._due(link)
        ]
        self.changed |= bool(stale)
        self.spent.add(lists=len(stale))
        for (place, _), folder in zip(stale, self._all(self._scan, stale), strict=True):
            if place.depth == 0 and folder.error:
                raise self._rootless(folder.error)
            self.folders[place.path] = folder
        self._follow(again)
        below: list[_Place] = []
        for place in visits:
            self._below(place, self.folders[place.path], below, links)
        return below

    def _below(
        self, place: _Place, folder: Folder, below: list[_Place], links: list[_Place]
    ) -> None:
        if folder.error:
            message = f"directory cannot be listed: {folder.error}"
            self._problem(place.path, "unreadable", message)
        linked = [link.name for link in folder.links if link.to == "d" and self.rules.follow]
        if self.rules.single and place.depth == _AROUND_A_FILE:
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
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            message = f"directory cannot be listed: {error.strerror}"
            self._problem(place.path, "unreadable", message)

    def _rootless(self, why: str) -> SourceError:
        root = os.fsdecode(self.root)
        return SourceError(f"{root}: {why}", hint="check that the directory exists and is mounted")

    def _doubt(self, path: bytes | None) -> None:
        """What a directory held is no longer so: it is scanned by the next walk."""
        if path is not None and path in self.folders:
            self.folders[path].stamp = (0, 0)
            self.changed = True

    def _may_enter(self, place: _Place, info: os.stat_result) -> bool:
        if place.above is None or place.linked or self.rules.cross:
            return True
        above = self.folders[place.above].identity[0]
        if info.st_dev == above:
            return True
        kind = self._kind(info.st_dev, place.path)
        if may_enter(kind, self._kind(above, place.above)):
            return True
        message = f"another file system ({kind}) is mounted here: cross_mounts = true enters it"
        self._problem(place.path, "mount", message)
        return False

    def _kind(self, dev: int, path: bytes) -> str:
        if dev not in self._kinds:
            self._kinds[dev] = self._mounts.kind(self._at(path))
        return self._kinds[dev]

    def _still(self, known: Folder, info: os.stat_result) -> bool:
        """Whether the entries of a directory are those that are remembered."""
        stamp = (info.st_mtime_ns, info.st_ctime_ns)
        return not self.memory.full and known.holds((info.st_dev, info.st_ino), stamp)

    def _due_folder(self, path: bytes, known: Folder) -> bool:
        """Whether a directory is looked at: all are, but for what lies in checkpoints of some age."""
        sealed = known.checkpoint and path not in self._holding
        return not sealed or self.memory.due(known.looked, known.since)

    def _scan(self, visit: tuple[_Place, os.stat_result]) -> Folder:
        """The entries of a directory, whose *info* was taken before. Safe from any thread."""
        place, info = visit
        identity = (info.st_dev, info.st_ino)
        stamp = (info.st_mtime_ns, info.st_ctime_ns)
        known = self._known.get(place.path)
        since = min(self._now, max(stamp) // 1_000_000_000)
        if known is not None:
            # By our clock, whatever a server's says.
            same = known.identity == identity and known.stamp == stamp
            since = min(self._now, known.since) if same else self._now
        elif not self._first:
            since = self._now
        folder = Folder(identity, stamp, since, self._now, self._now)
        folder.checkpoint = checkpoint_directory(show(place.path) + "/.") is not None
        faithful = tells_changes(self._kind(info.st_dev, place.path))
        if not faithful:
            folder.stamp = (0, 0)
        entries = _Entries(self, folder, known, faithful)
        try:
            names = entries.read(place.path)
        except OSError as error:
            folder = Folder(identity, stamp, since, self._now, self._now)
            folder.error = error.strerror or str(error)
            return folder
        self._names[place.path] = names
        return folder

    # Files

    def counts(self, shown: str) -> bool:
        """Whether an event file is one of those that are read."""
        return self.rules.chosen.included(shown)

    def is_event(self, shown: str, base: str) -> bool:
        """Whether a file is read as an event file, or else lies beside one."""
        return is_event_file(base) and (not self.rules.single or shown == self.rules.single)

    def due(self, file: File) -> bool:
        """Whether a remembered file is to be looked at again."""
        return self.memory.due(file.looked, file.changed)

    def _due(self, link: Link) -> bool:
        return isinstance(link.to, str) or self.due(link.to)

    def file(self, name: bytes, info: os.stat_result, known: File | None = None) -> File:
        """A file as it is now, where *known* is what is remembered of it."""
        is_now = (info.st_size, info.st_mtime_ns, info.st_ino)
        changed = self._now
        if known is None and self._first:
            changed = min(changed, info.st_mtime_ns // 1_000_000_000)
        elif known is not None and is_now == (known.size, known.mtime_ns, known.ino):
            changed = min(changed, known.changed)
        return File(name, *is_now, info.st_dev, self._now, changed)

    def link(self, name: bytes, path: bytes, known: Link | None = None) -> Link:
        """Where a symlink leads now."""
        info = self._stat(path)
        if isinstance(info, OSError):
            return Link(name, "", info.strerror or str(info))
        if stat.S_ISREG(info.st_mode):
            before = known.to if known is not None and isinstance(known.to, File) else None
            return Link(name, self.file(name, info, before))
        return Link(name, "d" if stat.S_ISDIR(info.st_mode) else "other")

    def _follow(self, again: list[tuple[bytes, Link]]) -> None:
        """Look at links that are due."""

        def look(one: tuple[bytes, Link]) -> Link:
            folder, known = one
            return self.link(known.name, within(folder, known.name), known)

        self.spent.add(reads=len(again))
        self._looked += sum(isinstance(link.to, File) for _, link in again)
        for (_, known), new in zip(again, self._all(look, again), strict=True):
            self.changed |= known.to != new.to or isinstance(new.to, File)
            known.to, known.error = new.to, new.error

    def _look_again(self) -> None:
        """Look at the event files that are due, of directories that were not scanned."""
        self._renew(
            [
                (path, folder.files, file)
                for path, folder in self.folders.items()
                if path not in self._names
                for file in folder.files
                if self.due(file)
            ]
        )

    def _renew(self, due: list[tuple[bytes, list[File], File]]) -> None:
        """Look at files of the lists that they stand in; those that are gone leave them."""
        paths = [within(path, file.name) for path, _, file in due]
        self._looked += len(due)
        self.changed |= bool(due)
        gone: dict[int, tuple[list[File], set[bytes]]] = {}
        for (path, files, file), info in zip(due, self._stats(paths), strict=True):
            if isinstance(info, OSError) or not stat.S_ISREG(info.st_mode):
                gone.setdefault(id(files), (files, set()))[1].add(file.name)
                self._doubt(path)
                continue
            new = self.file(file.name, info, file if file.looked else None)
            file.size, file.mtime_ns, file.ino, file.dev = new.size, new.mtime_ns, new.ino, new.dev
            file.looked, file.changed = new.looked, new.changed
        for files, names in gone.values():
            files[:] = [file for file in files if file.name not in names]

    def _list_files(self, found: Listing) -> None:
        """Event files, each once however many names it has, under the first that is its own."""
        own: list[tuple[str, bytes, File]] = []
        linked: list[tuple[str, bytes, File]] = []
        for path, folder in self.folders.items():
            prefix = show(path) + "/" if path else ""
            self._looked += len(folder.files) if path in self._names else 0
            for file in folder.files:
                own.append((prefix + show(file.name), within(path, file.name), file))
            for link in folder.links:
                shown = show(link.name)
                event = self.is_event(prefix + shown, shown)
                if isinstance(link.to, File):
                    if event and self.counts(prefix + shown):
                        linked.append((prefix + shown, within(path, link.name), link.to))
                elif link.error and is_event_file(shown):
                    message = f"cannot be looked at: {link.error}"
                    self._problem(within(path, link.name), "unreadable", message)
        own.sort(key=lambda one: one[:2])
        linked.sort(key=lambda one: one[:2])
        identities: set[Id] = set()
        last = ""
        for name, path, file in own + linked:
            if (file.dev, file.ino) in identities:
                continue
            identities.add((file.dev, file.ino))
            if name == last:
                self._problem(path, "unreadable", "another name looks the same: rename one")
                continue
            last = name
            found.files.append(self._entry(name, b"", path, file))
            if file.looked != self._now:
                found.remembered.add(name)

    def _entry(self, shown: str, folder: bytes, name: bytes, file: File) -> FileEntry:
        if "\\" in shown:
            self.real[shown] = within(folder, name)
        if file.dev not in self.numbered:
            kind = self._kind(file.dev, within(folder, name))
            self.numbered[file.dev] = has_inodes(kind)
        version = f"{file.ino:x}" if self.numbered[file.dev] else ""
        return FileEntry(shown, file.size, file.mtime_ns, version)

    # Files beside event files

    def _look_beside(self, found: Listing) -> None:
        """Look at files beside event files that are due; others are not even remembered."""
        near = nearness(found.files)
        due: list[tuple[bytes, list[File], File]] = []
        for path, folder in self.folders.items():
            if not near(show(path)):
                self.changed |= folder.beside is not None
                folder.beside = None
            elif path in self._names or folder.beside is None:
                folder.beside = self._fresh_beside(path, due)
            else:
                files = folder.beside
                due += [(path, files, file) for file in files if self.due(file)]
        self._renew(due)

    def _fresh_beside(self, path: bytes, due: list[tuple[bytes, list[File], File]]) -> list[File]:
        """The files of a scanned directory, those that have to be looked at in *due*."""
        if self.folders[path].error:
            return []
        if path not in self._names:
            self.spent.add(lists=1)
            try:
                unused = Folder((0, 0), (0, 0), 0, 0, 0)
                scanned = _Entries(self, unused, None, True)
                self._names[path] = scanned.read(path)
            except OSError:
                return []
        known = self._known.get(path)
        before = {file.name: file for file in (known.beside if known else None) or ()}
        faithful = tells_changes(self._kind(self.folders[path].identity[0], path))
        files: list[File] = []
        for name, ino in self._names[path]:
            file = before.get(name)
            if file is None:
                file = File(name, -1, 0, ino, 0, 0, 0)
                due.append((path, files, file))
            elif self.due(file) or (faithful and (len(before) <= _MANY or file.ino != ino)):
                due.append((path, files, file))
            files.append(file)
        return files

    def _list_beside(self, found: Listing) -> None:
        for path in sorted(self.folders):
            folder, directory = self.folders[path], show(path)
            prefix = directory + "/" if path else ""
            files = [
                self._entry(prefix + show(file.name), path, file.name, file)
                for file in folder.beside or ()
            ]
            for link in folder.links:
                shown = show(link.name)
                if isinstance(link.to, File) and not self.is_event(prefix + shown, shown):
                    files.append(self._entry(prefix + shown, path, link.name, link.to))
            if files:
                found.beside[directory] = files[:MAX_BESIDE]

    def _problem(self, path: bytes, kind: str, message: str) -> None:
        self._problems.append(Problem(show(path), 0, 0, kind, message))


class _Entries:
    """The entries of one directory, put into its Folder."""

    def __init__(self, tree: Tree, folder: Folder, known: Folder | None, faithful: bool) -> None:
        self._tree, self._folder = tree, folder
        self._files = {file.name: file for file in (known.files if known else ())}
        self._links = {link.name: link for link in (known.links if known else ())}
        # Where directories do not tell of changes, scanning them is no reason to look at all files.
        self._reuse = not faithful

    def read(self, path: bytes) -> list[tuple[bytes, int]]:
        """Scan; returns name and inode of the files that are no event files. Raises OSError."""
        tree, folder = self._tree, self._folder
        prefix = show(path) + "/" if path else ""
        others: list[tuple[bytes, int]] = []
        looked = 0
        with os.scandir(tree._at(path)) as entries:
            for item in entries:
                base = show(item.name)
                shown = prefix + base
                if tree.rules.chosen.excluded(shown):
                    continue
                if item.is_symlink():
                    looked += 1
                    where = within(path, item.name)
                    folder.links.append(tree.link(item.name, where, self._links.get(item.name)))
                elif item.is_dir(follow_symlinks=False):
                    folder.below.append(item.name)
                elif not item.is_file(follow_symlinks=False):
                    continue
                elif not tree.is_event(shown, base):
                    others.append((item.name, item.inode()))
                elif tree.counts(shown):
                    looked += self._event_file(item)
        tree.spent.add(reads=looked)
        folder.below.sort()
        folder.files.sort(key=lambda file: file.name)
        folder.links.sort(key=lambda link: link.name)
        others.sort()
        return others[:MAX_BESIDE]

    def _event_file(self, item: os.DirEntry[bytes]) -> int:
        known = self._files.get(item.name)
        if known is not None and self._reuse and not self._tree.due(known):
            self._folder.files.append(known)
            return 0
        try:
            info = item.stat(follow_symlinks=False)
        except FileNotFoundError:
            return 1
        except OSError as error:
            self._folder.links.append(Link(item.name, "", error.strerror or str(error)))
            return 1
        self._folder.files.append(self._tree.file(item.name, info, known))
        return 1


def _ends(path: bytes) -> Iterator[int]:
    """Where a path and those of all directories above it end."""
    end = len(path)
    while end > 0:
        yield end
        end = path.rfind(b"/", 0, end)
    yield 0


def within(directory: bytes, name: bytes) -> bytes:
    """The path of an entry; that of the root's own directory is empty."""
    return directory + b"/" + name if directory else name


def show(path: bytes) -> str:
    """A path as text: what is not UTF-8, or a control character, as `\\xNN`: the lake holds text."""
    text = path.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c >= " " and c != "\x7f" else f"\\x{ord(c):02x}" for c in text)
