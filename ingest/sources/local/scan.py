"""Looking at a directory and at single files, and what that makes of what was remembered. Safe from any thread."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from ...artifacts import checkpoint_directory
from ...memory import Memory
from ...names import is_event_file
from ..base import Spent
from ..chosen import MAX_BESIDE, Chosen
from .mounts import Mounts, tells_changes
from .remembered import File, Folder, Link

_WORTH_A_POOL = 32
_GONE = (FileNotFoundError, NotADirectoryError)

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Rules:
    """What of a tree is looked at; `single` is the name of the one event file that counts."""

    chosen: Chosen
    follow: bool = True
    cross: bool = False
    single: str = ""

    def is_event(self, shown: str, base: str) -> bool:
        """Whether a file is read as an event file, or else lies beside one."""
        return is_event_file(base) and (not self.single or shown == self.single)


class Scanner:
    """The file system below *root*, by paths relative to it; *first*: nothing of it is remembered."""

    def __init__(
        self,
        root: bytes,
        rules: Rules,
        memory: Memory,
        spent: Spent,
        mounts: Mounts,
        *,
        first: bool,
    ) -> None:
        self.root, self.rules, self.memory, self.spent = root, rules, memory, spent
        self.now = int(memory.now)
        self.pool: ThreadPoolExecutor | None = None
        """Where stats wait for a server."""
        self._prefix = os.path.join(root, b"")
        self._mounts, self._first = mounts, first
        self._kinds: dict[int, str] = {}

    def at(self, path: bytes) -> bytes:
        """Where a path is."""
        return self._prefix + path if path else self.root

    def all(self, work: Callable[[_T], _R], items: list[_T]) -> Iterable[_R]:
        """Do *work* for all items, side by side where that takes waiting."""
        if self.pool is None or len(items) < _WORTH_A_POOL:
            return map(work, items)
        return self.pool.map(work, items)

    def stats(self, paths: list[bytes]) -> Iterable[os.stat_result | OSError]:
        """What the paths are, links followed."""
        self.spent.add(reads=len(paths))
        return self.all(self._stat, paths)

    def _stat(self, path: bytes) -> os.stat_result | OSError:
        try:
            return os.stat(self.at(path))
        except OSError as error:
            return error

    def kind(self, dev: int, path: bytes) -> str:
        """The type of the file system of a device, on which *path* lies."""
        if dev not in self._kinds:
            self._kinds[dev] = self._mounts.kind(self.at(path))
        return self._kinds[dev]

    def faithful(self, dev: int, path: bytes) -> bool:
        """Whether a directory there tells that its entries changed."""
        return tells_changes(self.kind(dev, path))

    def due(self, file: File) -> bool:
        """Whether a remembered file is to be looked at again."""
        return self.memory.due(file.looked, file.changed)

    def due_link(self, link: Link) -> bool:
        """Whether a remembered link is: all are that lead to no file."""
        return isinstance(link.to, str) or self.due(link.to)

    def file(self, name: bytes, info: os.stat_result, known: File | None = None) -> File:
        """A file as it is now, where *known* is what is remembered of it."""
        is_now = (info.st_size, info.st_mtime_ns, info.st_ino)
        changed = self.now
        if known is None and self._first:
            changed = min(changed, info.st_mtime_ns // 1_000_000_000)
        elif known is not None and is_now == (known.size, known.mtime_ns, known.ino):
            changed = min(changed, known.changed)
        return File(name, *is_now, info.st_dev, self.now, changed)

    def link(self, name: bytes, path: bytes, known: Link | None = None) -> Link:
        """Where a symlink leads now."""
        info = self._stat(path)
        if isinstance(info, OSError):
            return broken(name, info)
        if stat.S_ISREG(info.st_mode):
            before = known.to if known is not None and isinstance(known.to, File) else None
            return Link(name, self.file(name, info, before))
        return Link(name, "d" if stat.S_ISDIR(info.st_mode) else "other")

    def scan(
        self, path: bytes, info: os.stat_result, known: Folder | None
    ) -> tuple[Folder, Others | None]:
        """The entries of a directory, whose *info* was taken before, and those that are of no
        interest yet; None where it cannot be listed."""
        identity = (info.st_dev, info.st_ino)
        stamp = (info.st_mtime_ns, info.st_ctime_ns)
        since = min(self.now, max(stamp) // 1_000_000_000) if self._first else self.now
        if known is not None and known.identity == identity and known.stamp == stamp:
            # By our clock, whatever a server's says.
            since = min(self.now, known.since)
        folder = Folder(identity, stamp, since, self.now, self.now)
        faithful = self.faithful(info.st_dev, path)
        try:
            others = self.read(path, folder, known, reuse=not faithful)
        except OSError as error:
            failed = Folder(identity, stamp, since, self.now, self.now)
            failed.error = error.strerror or str(error)
            return failed, None
        folder.checkpoint = checkpoint_directory(show(path) + "/.") is not None
        if not faithful:
            folder.stamp = (0, 0)
        return folder, others

    def read(
        self, path: bytes, folder: Folder, known: Folder | None = None, *, reuse: bool = False
    ) -> Others:
        """Put the entries of a directory into *folder*, and return the files that are no event files.

        With *reuse* event files that are not due are taken from *known*. Raises OSError.
        """
        files = {file.name: file for file in (known.files if known else ())}
        links = {link.name: link for link in (known.links if known else ())}
        prefix = show(path) + "/" if path else ""
        others: Others = []
        looked = 0
        with os.scandir(self.at(path)) as entries:
            for item in entries:
                base = show(item.name)
                shown = prefix + base
                if self.rules.chosen.excluded(shown):
                    continue
                if item.is_symlink():
                    looked += 1
                    where = within(path, item.name)
                    folder.links.append(self.link(item.name, where, links.get(item.name)))
                elif item.is_dir(follow_symlinks=False):
                    folder.below.append(item.name)
                elif not item.is_file(follow_symlinks=False):
                    continue
                elif not self.rules.is_event(shown, base):
                    others.append((item.name, item.inode()))
                elif self.rules.chosen.included(shown):
                    before = files.get(item.name)
                    if before is not None and reuse and not self.due(before):
                        folder.files.append(before)
                    else:
                        looked += 1
                        self._event_file(item, folder, before)
        self.spent.add(reads=looked)
        folder.below.sort()
        folder.files.sort(key=lambda file: file.name)
        folder.links.sort(key=lambda link: link.name)
        others.sort()
        return others[:MAX_BESIDE]

    def _event_file(self, item: os.DirEntry[bytes], folder: Folder, before: File | None) -> None:
        try:
            info = item.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            folder.links.append(broken(item.name, error))
            return
        folder.files.append(self.file(item.name, info, before))


# Names and inodes.
Others = list[tuple[bytes, int]]


def broken(name: bytes, error: OSError) -> Link:
    """What cannot be looked at, which is not the same as gone."""
    gone = isinstance(error, _GONE) or error.errno == errno.ELOOP
    return Link(name, "", error.strerror or str(error), gone)


def is_gone(error: OSError) -> bool:
    """Whether there is no such file or directory, rather than one that cannot be looked at."""
    return isinstance(error, _GONE)


def within(directory: bytes, name: bytes) -> bytes:
    """The path of an entry; that of the root's own directory is empty."""
    return directory + b"/" + name if directory else name


def show(path: bytes) -> str:
    """A path as text: what is not UTF-8, or a control character, as `\\xNN`: the lake holds text."""
    text = path.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c >= " " and c != "\x7f" else f"\\x{ord(c):02x}" for c in text)
