"""A listing made of directories as they were looked at: what counts, once each, under which name."""

from __future__ import annotations

from collections.abc import Mapping

from ....core.values import FileEntry, Problem
from ...names import is_event_file
from ..base import Listing
from ..chosen import MAX_BESIDE
from .mounts import has_inodes
from .remembered import File, Folder, Id
from .scan import Scanner, show, within


class Lister:
    """Puts files of folders, by path, into a listing.

    `real` are the paths whose text in the listing is not their bytes; `numbered` says of devices
    whether their files keep their inode numbers.
    """

    def __init__(
        self, scanner: Scanner, folders: Mapping[bytes, Folder], known: Mapping[bytes, Folder]
    ) -> None:
        self.real: dict[str, bytes] = {}
        self.numbered: dict[int, bool] = {}
        self._scanner, self._folders = scanner, folders
        # A file that was not looked at is the one that is known: times say less, they are whole seconds.
        self._known = known

    def files(self, found: Listing) -> None:
        """Event files, each once however many names it has, under the first that is its own."""
        own: list[tuple[str, bytes, File]] = []
        linked: list[tuple[str, bytes, File]] = []
        for path, folder in self._folders.items():
            prefix = show(path) + "/" if path else ""
            for file in folder.files:
                own.append((prefix + show(file.name), within(path, file.name), file))
            self._links(path, prefix, folder, linked, found)
        own.sort(key=lambda one: one[:2])
        linked.sort(key=lambda one: one[:2])
        identities: set[Id] = set()
        remembered = self._remembered()
        last = ""
        for name, path, file in own + linked:
            if (file.dev, file.ino) in identities:
                continue
            identities.add((file.dev, file.ino))
            if name == last:
                message = "another name looks the same: rename one"
                found.problems.append(problem(path, "unreadable", message))
                continue
            last = name
            found.files.append(self._entry(name, b"", path, file))
            if id(file) in remembered:
                found.remembered.add(name)

    def _remembered(self) -> set[int]:
        found = {id(file) for folder in self._known.values() for file in folder.files}
        for folder in self._known.values():
            found |= {id(link.to) for link in folder.links if isinstance(link.to, File)}
        return found

    def beside(self, found: Listing) -> None:
        """Files that are no event files, of all directories in which some were looked at."""
        for path in sorted(self._folders):
            folder, directory = self._folders[path], show(path)
            prefix = directory + "/" if path else ""
            files = [
                self._entry(prefix + show(file.name), path, file.name, file)
                for file in folder.beside or ()
            ]
            for link in folder.links:
                shown = show(link.name)
                event = self._scanner.rules.is_event(prefix + shown, shown)
                if isinstance(link.to, File) and not event:
                    files.append(self._entry(prefix + shown, path, link.name, link.to))
            if files:
                found.beside[directory] = files[:MAX_BESIDE]

    def _links(
        self,
        path: bytes,
        prefix: str,
        folder: Folder,
        linked: list[tuple[str, bytes, File]],
        found: Listing,
    ) -> None:
        rules = self._scanner.rules
        for link in folder.links:
            base = show(link.name)
            shown = prefix + base
            if isinstance(link.to, File):
                if rules.is_event(shown, base) and rules.chosen.included(shown):
                    linked.append((shown, within(path, link.name), link.to))
            elif link.error and (is_event_file(base) or not link.gone):
                message = f"cannot be looked at: {link.error}"
                found.problems.append(problem(within(path, link.name), "unreadable", message))

    def _entry(self, shown: str, folder: bytes, name: bytes, file: File) -> FileEntry:
        if "\\" in shown:
            self.real[shown] = within(folder, name)
        if file.dev not in self.numbered:
            kind = self._scanner.kind(file.dev, within(folder, name))
            self.numbered[file.dev] = has_inodes(kind)
        version = f"{file.ino:x}" if self.numbered[file.dev] else ""
        return FileEntry(shown, file.size, file.mtime_ns, version)


def problem(path: bytes, kind: str, message: str) -> Problem:
    """What is wrong with a part of the tree."""
    return Problem(show(path), 0, 0, kind, message)
