"""Which files of a source count, and a listing of them: the same rules wherever the files lie. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence

from ...core.values import FileEntry
from ..artifacts import plugin_home
from ..names import is_event_file
from .base import Listing

MAX_DEPTH = 64
MAX_BESIDE = 10_000


class Chosen:
    """The include and exclude patterns of a source, for paths relative to its root."""

    def __init__(self, include: Sequence[str] = ("**",), exclude: Sequence[str] = ()) -> None:
        self.included = matcher(include)
        self.excluded = matcher(exclude)

    def listing(self, entries: Iterable[FileEntry], single: str = "") -> Listing:
        """What counts of *entries*, in order; where the root is one file, *single* is its name."""
        listing = Listing()
        for entry in entries:
            if self.excluded(entry.path):
                continue
            directory, _, base = entry.path.rpartition("/")
            if not is_event_file(base) or (single and entry.path != single):
                beside = listing.beside.setdefault(directory, [])
                if len(beside) < MAX_BESIDE:
                    beside.append(entry)
            elif self.included(entry.path):
                listing.files.append(entry)
        finish(listing)
        return listing


def finish(listing: Listing) -> None:
    """Sort the files, and forget what lies beside none of them."""
    near = nearness(listing.files)
    listing.beside = {d: files for d, files in listing.beside.items() if near(d)}
    listing.files.sort(key=lambda entry: entry.path)


def nearness(files: Iterable[FileEntry]) -> Callable[[str], bool]:
    """Whether a directory is at, above, or one or two levels below one that holds one of *files*.

    What TensorBoard's plugins keep in a directory counts as if it lay in it.
    """
    holding = {entry.path.rpartition("/")[0] for entry in files}
    above = {"/".join(d.split("/")[:n]) for d in holding for n in range(d.count("/") + 2)}

    def near(directory: str) -> bool:
        directory = plugin_home(directory)
        parts = directory.split("/") if directory else []
        levels = range(min(3, len(parts) + 1))
        return any("/".join(parts[: len(parts) - n]) in above for n in levels)

    return near


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a relative path matches a glob; a pattern without '/' matches any path component."""
    if not patterns:
        return lambda _: False
    whole: list[str] = []
    parts: list[str] = []
    for pattern in patterns:
        if pattern in ("**", "**/*"):
            return lambda _: True
        (whole if "/" in pattern else parts).append(fnmatch.translate(pattern))
    whole_re = re.compile("|".join(whole)) if whole else None
    part_re = re.compile("|".join(parts)) if parts else None

    def matches(path: str) -> bool:
        if part_re and any(part_re.match(part) for part in path.split("/")):
            return True
        return bool(whole_re and whole_re.match(path))

    return matches
