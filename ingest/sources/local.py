"""Local directories and every mount: scandir and pread."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...core.errors import SourceError
from ...core.values import FileEntry, Problem
from ..memory import Memory
from ..names import is_event_file
from .base import Listing, Spent
from .chosen import MAX_BESIDE, MAX_DEPTH, Chosen, finish

# Device and inode: what a file or a directory is, whatever its name.
_Id = tuple[int, int]


@dataclass
class _Walk:
    """One pass over a tree: what it found, what it has seen, and what is still to be looked into."""

    listing: Listing
    seen: set[_Id] = field(default_factory=set)
    files: set[_Id] = field(default_factory=set)
    stack: list[tuple[bytes, int, _Id]] = field(default_factory=list)
    links: list[tuple[bytes, int, _Id]] = field(default_factory=list)
    linked: list[tuple[str, bytes, FileEntry, _Id]] = field(default_factory=list)


class LocalSource:
    """A directory tree, or a single event file, of this machine."""

    def __init__(
        self,
        root: str,
        include: Sequence[str] = ("**",),
        exclude: Sequence[str] = (),
        *,
        follow_symlinks: bool = True,
    ) -> None:
        self.spent = Spent()
        self.at_once = 1
        self._follow = follow_symlinks
        self._single = ""
        if os.path.isfile(root):
            root, self._single = os.path.split(root)
        self.root = os.fsencode(root)
        self._chosen = Chosen(include, exclude)
        self._names: dict[str, bytes] = {}

    def walk(self, memory: Memory) -> Listing:
        """All files below the root, symlinks followed, each file once however many names it has.

        What is really there comes before links, so that a link never renames what it points at.
        """
        walk = _Walk(Listing())
        try:
            info = os.stat(self.root)
            os.scandir(self.root).close()
        except OSError as error:
            root = os.fsdecode(self.root)
            raise SourceError(
                f"{root}: {error.strerror}", hint="check that the directory exists and is mounted"
            ) from error
        walk.stack.append((b"", 0, (info.st_dev, info.st_ino)))
        while walk.stack or walk.links:
            relative, depth, identity = (walk.stack or walk.links).pop()
            if identity in walk.seen:
                continue
            walk.seen.add(identity)
            self.spent.add(lists=1)
            self._scan(relative, depth, walk)
        for name, path, entry, identity in sorted(walk.linked, key=lambda found: found[0]):
            self._add(walk, name, path, entry, identity)
        listing = walk.listing
        finish(listing)
        listing.looked = len(listing.files)
        return listing

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """At most *length* bytes of a listed file."""
        handle = os.open(self._real(path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = bytearray(length)
            view, filled = memoryview(data), 0
            while filled < length:
                count = os.preadv(handle, [view[filled:]], start + filled)
                if count == 0:
                    break
                filled += count
            view.release()
            if filled < length:
                del data[filled:]
            self.spent.add(reads=1, bytes=len(data))
            return data
        finally:
            os.close(handle)

    def stat(self, path: str) -> FileEntry | None:
        """The entry of a listed file as it is now."""
        try:
            info = os.stat(self._real(path))
        except FileNotFoundError:
            return None
        return FileEntry(path, info.st_size, info.st_mtime_ns, f"{info.st_ino:x}")

    def _real(self, path: str) -> bytes:
        return os.path.join(self.root, self._names.get(path, os.fsencode(path)))

    def close(self) -> None:
        """Nothing is held open."""

    def _scan(self, relative: bytes, depth: int, walk: _Walk) -> None:
        shown = _show(relative)
        problems = walk.listing.problems
        try:
            with os.scandir(os.path.join(self.root, relative)) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            message = f"directory cannot be listed: {error.strerror}"
            problems.append(Problem(shown, 0, 0, "unreadable", message))
            return
        below: list[tuple[bytes, int, _Id]] = []
        for item in found:
            path = os.path.join(relative, item.name)
            name = _show(path)
            if self._chosen.excluded(name):
                continue
            try:
                info = item.stat()
            except OSError as error:
                if is_event_file(_show(item.name)):
                    message = f"cannot be looked at: {error.strerror}"
                    problems.append(Problem(name, 0, 0, "unreadable", message))
                continue
            identity = (info.st_dev, info.st_ino)
            linked = item.is_symlink()
            if stat.S_ISREG(info.st_mode):
                entry = FileEntry(name, info.st_size, info.st_mtime_ns, f"{info.st_ino:x}")
                if linked:
                    walk.linked.append((name, path, entry, identity))
                else:
                    self._add(walk, name, path, entry, identity)
            elif stat.S_ISDIR(info.st_mode) and (self._follow or not linked):
                if depth == MAX_DEPTH:
                    message = f"lies more than {MAX_DEPTH} directories deep: not looked into"
                    problems.append(Problem(name, 0, 0, "too deep", message))
                    continue
                (walk.links if linked else below).append((path, depth + 1, identity))
        walk.stack.extend(reversed(below))

    def _add(self, walk: _Walk, name: str, path: bytes, entry: FileEntry, identity: _Id) -> None:
        directory, _, base = name.rpartition("/")
        if not is_event_file(base) or (self._single and name != self._single):
            beside = walk.listing.beside.setdefault(directory, [])
            if len(beside) < MAX_BESIDE:
                beside.append(entry)
        elif self._chosen.included(name) and identity not in walk.files:
            walk.files.add(identity)
            walk.listing.files.append(entry)
            self._names[name] = path


def _show(path: bytes) -> str:
    """A path as text: bytes that are not UTF-8 as `\\xNN`, since the lake holds only text."""
    return path.decode("utf-8", "backslashreplace")
