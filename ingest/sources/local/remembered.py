"""What a walk over directories remembers of each, and how that is kept as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Another number makes the next walk a full one.
_FORM = 1
# File systems stamp with a clock that ticks: what changes within a tick has the same time. FAT's
# takes two seconds.
RACY_S = 2

# Device and inode: what a file or a directory is, whatever its name.
Id = tuple[int, int]


@dataclass(slots=True)
class File:
    """A file as it was when it was last looked at; `looked` and `changed` are Unix seconds.

    `changed` is by our clock where we saw it change, otherwise what the file says.
    """

    name: bytes
    size: int
    mtime_ns: int
    ino: int
    dev: int
    looked: int
    changed: int


@dataclass(slots=True)
class Link:
    """A symlink: `to` is what it led to, a file, a directory ('d') or nothing that can be reached.

    `error` says why not, `gone` that there is nothing.
    """

    name: bytes
    to: File | str
    error: str = ""
    gone: bool = True


@dataclass(slots=True)
class Folder:
    """A directory as its last scan found it.

    `stamp` is its mtime and ctime before the scan, `since` when that stamp was first seen; `looked`
    is when it was last looked at, scanned or not. `beside` is None where files that are no event
    files were of no interest; `checkpoint` says that it is one or lies in one, by name.
    """

    identity: Id
    stamp: tuple[int, int]
    since: int
    scanned: int
    looked: int
    below: list[bytes] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    beside: list[File] | None = None
    error: str = ""
    checkpoint: bool = False

    def holds(self, identity: Id, stamp: tuple[int, int]) -> bool:
        """Whether a directory that looks like this now has the entries that the scan found."""
        return (
            self.stamp == stamp
            and self.identity == identity
            and not self.error
            and self.scanned - self.since > RACY_S
        )


def dump(folders: dict[bytes, Folder]) -> dict[str, Any]:
    """Folders by path, in JSON's types."""
    return {"form": _FORM, "folders": {_text(p): _folder(f) for p, f in folders.items()}}


def load(data: dict[str, Any]) -> dict[bytes, Folder]:
    """What `dump` made; nothing where it is of another form or was not made by it."""
    if data.get("form") != _FORM:
        return {}
    try:
        return {_bytes(p): _to_folder(f) for p, f in data["folders"].items()}
    except (TypeError, ValueError, KeyError, AttributeError):
        return {}


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _folder(folder: Folder) -> list[Any]:
    dev = folder.identity[0]
    beside = folder.beside
    return [
        *folder.identity,
        *folder.stamp,
        folder.since,
        folder.scanned,
        folder.looked,
        [_text(name) for name in folder.below],
        [_file(file, dev) for file in folder.files],
        [
            [_text(link.name), link.to if isinstance(link.to, str) else _file(link.to, dev)]
            for link in folder.links
        ],
        None if beside is None else [_file(file, dev) for file in beside],
        folder.error,
        folder.checkpoint,
    ]


def _to_folder(row: list[Any]) -> Folder:
    dev, ino, mtime_ns, ctime_ns, since, scanned, looked, *rest = row
    below, files, links, beside, error, checkpoint = rest
    for number in (since, scanned, looked):
        if type(number) is not int:
            raise TypeError
    return Folder(
        (dev, ino),
        (mtime_ns, ctime_ns),
        since,
        scanned,
        looked,
        [_bytes(name) for name in below],
        [_to_file(file, dev) for file in files],
        [Link(_bytes(n), to if isinstance(to, str) else _to_file(to, dev)) for n, to in links],
        None if beside is None else [_to_file(file, dev) for file in beside],
        str(error),
        bool(checkpoint),
    )


def _file(file: File, dev: int) -> list[Any]:
    row = [_text(file.name), file.size, file.mtime_ns, file.ino, file.looked, file.changed]
    return row if file.dev == dev else [*row, file.dev]


def _to_file(row: list[Any], dev: int) -> File:
    name, size, mtime_ns, ino, looked, changed, *other = row
    for number in (size, mtime_ns, ino, looked, changed):
        if type(number) is not int:
            raise TypeError
    return File(_bytes(name), size, mtime_ns, ino, other[0] if other else dev, looked, changed)
