"""The contract of a source: list what lies there, read ranges of it. Paths are relative to its root."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ...core.values import FileEntry, Problem


@dataclass
class Listing:
    """One pass over a source: event files, files beside them, and what could not be listed.

    `beside` maps a directory to the other files in it, for directories at or above event files.
    """

    files: list[FileEntry] = field(default_factory=list)
    beside: dict[str, list[FileEntry]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    requests: int = 0


class Source(Protocol):
    """A place with event files."""

    def walk(self) -> Listing:
        """Everything below the root; a directory that cannot be read is a problem, not an error.

        Raises `SourceError` when the root itself cannot be listed.
        """
        ...

    def read(self, path: str, start: int, length: int) -> bytearray:
        """At most *length* bytes from *start*; fewer at the end of the file. Raises OSError."""
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
