"""The contract of a source: list what lies there, read ranges of it. Paths are relative to its root."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ...core.values import FileEntry, Job, Problem
from ..memory import Memory


class Changed(OSError):
    """A file is no longer the version that was asked for: look at it again."""


@dataclass
class Spent:
    """What a source has asked of its server since it was opened: requests, and bytes of answers.

    Safe from any thread. `lists` are requests that list; `reads` all others. Retries count.
    """

    lists: int = 0
    reads: int = 0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def total(self) -> int:
        """All requests."""
        return self.lists + self.reads

    def add(self, *, lists: int = 0, reads: int = 0, bytes: int = 0) -> None:
        """Count requests and bytes."""
        with self._lock:
            self.lists += lists
            self.reads += reads
            self.bytes += bytes


@dataclass
class Listing:
    """One pass over a source: event files, files beside them, and what could not be listed.

    `beside` maps a directory to the other files in it, for directories at or above event files.
    It is whole: what was remembered rather than looked at is in it, too; `remembered` are the paths of
    such event files, which another scan may have seen grow since; `looked` counts the files that
    were looked at. `jobs` are those of a cluster that may have written the files;
    `projects` names the project of what lies at and below a directory, where its path says little.
    """

    files: list[FileEntry] = field(default_factory=list)
    beside: dict[str, list[FileEntry]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    remembered: set[str] = field(default_factory=set)
    looked: int = 0
    jobs: list[Job] = field(default_factory=list)
    projects: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A place with event files. `read` and `stat` are safe from any thread."""

    spent: Spent
    at_once: int
    """Reads that wait for a server side by side; 1 where a read costs no waiting."""

    def walk(self, memory: Memory) -> Listing:
        """Everything below the root; what cannot be listed is a problem, and hides nothing else.

        *memory* is what the last walk left there, and is left for the next one. With an empty one
        everything is looked at. Raises `SourceError` when the root itself cannot be listed.
        """
        ...

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """At most *length* bytes of a listed file from *start*; fewer, or none, at its end.

        Raises `Changed` where the store can tell that the file is not *version* any more, and
        OSError for whatever else is wrong, with words for a person and no secrets.
        """
        ...

    def stat(self, path: str) -> FileEntry | None:
        """The entry of one file as `walk` would list it now; None when it is gone. Raises OSError."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


def split(path: str) -> tuple[str, str]:
    """Directory and name of a relative path; the root's own directory is ''."""
    directory, _, name = path.rpartition("/")
    return directory, name


def walk_up(directory: str, levels: int) -> Iterator[str]:
    """*directory* and up to *levels* of its parents, within the source."""
    for _ in range(levels + 1):
        yield directory
        if not directory:
            return
        directory = split(directory)[0]
