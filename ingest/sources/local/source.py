"""Local directories and every mount: scandir and pread."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ....core.values import FileEntry
from ...memory import Memory
from ..base import Listing, Spent
from ..chosen import Chosen
from . import remembered
from .mounts import Mounts, is_network
from .scan import Rules
from .tree import Tree

# Reads that wait for a file server side by side.
_AT_ONCE = 8


class LocalSource:
    """A directory tree, or a single event file, of this machine."""

    def __init__(
        self,
        root: str,
        include: Sequence[str] = ("**",),
        exclude: Sequence[str] = (),
        *,
        follow_symlinks: bool = True,
        cross_mounts: bool = False,
    ) -> None:
        self.spent = Spent()
        single = ""
        if os.path.isfile(root):
            root, single = os.path.split(root)
        self.root = os.fsencode(root)
        self.at_once = _AT_ONCE if is_network(Mounts().kind(self.root)) else 1
        self.live: list[bytes] = []
        """Directories in which the last walk saw that something happened lately."""
        chosen = Chosen(include, exclude)
        self._rules = Rules(chosen, follow_symlinks, cross_mounts, single)
        self._names: dict[str, bytes] = {}
        self._numbered: dict[int, bool] = {}

    def walk(self, memory: Memory) -> Listing:
        """All files below the root, symlinks followed, each file once however many names it has.

        What is really there comes before links, so that a link never renames what it points at.
        Directories that look as they did are not scanned again, files not before they are due.
        """
        known = remembered.load(memory.data)
        if not known:
            memory.data = {}
        tree = Tree(self.root, self._rules, memory, self.spent, known)
        listing = tree.listing()
        memory.unchanged = not tree.changed and not memory.full
        if not memory.unchanged:
            full = memory.full
            memory.data = remembered.dump(tree.folders)
            memory.full_at = memory.now if full else memory.full_at
        self._names, self._numbered = tree.lister.real, tree.lister.numbered
        self.live = tree.live()
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
        version = f"{info.st_ino:x}" if self._numbered.get(info.st_dev, True) else ""
        return FileEntry(path, info.st_size, info.st_mtime_ns, version)

    def _real(self, path: str) -> bytes:
        return os.path.join(self.root, self._names.get(path, os.fsencode(path)))

    def close(self) -> None:
        """Nothing is held open."""
