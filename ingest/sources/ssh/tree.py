"""What lies below a root on another machine, put together from listings: each thing once. No I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from ....core.values import FileEntry, Problem
from ...names import is_event_file
from ..chosen import MAX_DEPTH, Chosen
from ..folders import shown
from .find import Found

_Identity = tuple[bytes, bytes]


@dataclass
class Tree:
    """Files found so far; real ones come before links, so that a link never renames its target."""

    chosen: Chosen
    follow: bool
    entries: list[FileEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    odd: dict[str, bytes] = field(default_factory=dict)
    """Paths that are shown otherwise than they are written."""
    _seen: set[_Identity] = field(default_factory=set)
    _files: set[_Identity] = field(default_factory=set)
    _linked: list[Found] = field(default_factory=list)

    def wanted(self, found: Found) -> bool:
        """Whether a directory is one to look into, as far as is known."""
        name = shown(found.path)
        excluded = bool(name) and self.chosen.excluded(name)
        deep = found.path.count(b"/") >= MAX_DEPTH
        return not (excluded or deep or found.identity in self._seen)

    def _enter(self, found: Found) -> bool:
        """Whether what lies in a directory counts: once, not where it is excluded, not too deep."""
        name = shown(found.path)
        if found.identity in self._seen or (name and self.chosen.excluded(name)):
            return False
        if found.path.count(b"/") >= MAX_DEPTH:
            message = f"lies more than {MAX_DEPTH} directories deep: not looked into"
            self.problems.append(Problem(name, 0, 0, "too deep", message))
            return False
        self._seen.add(found.identity)
        return True

    def take(self, listing: Iterable[Found]) -> list[Found]:
        """Take what one listing holds, and return the links in it."""
        links: list[Found] = []
        closed: set[bytes] = set()
        for found in sorted(listing, key=_place):
            directory = found.path.rpartition(b"/")[0]
            if found.path and directory in closed:
                if found.kind == "d":
                    closed.add(found.path)
            elif found.kind == "d":
                if not self._enter(found):
                    closed.add(found.path)
            elif found.kind == "f":
                self._add(found)
            elif not self.chosen.excluded(shown(found.path)):
                links.append(found)
        return links

    async def follow_all(
        self,
        links: list[Found],
        look: Callable[[list[bytes]], Awaitable[list[Found]]],
        walk: Callable[[list[bytes]], Awaitable[list[Found]]],
    ) -> None:
        """Follow *links*, and those behind them: *look* says what is there, *walk* lists below it."""
        while links:
            leading = [link.path for link in links if link.leads in "fd"]
            found = await look(leading) if leading else []
            there = {one.path for one in found}
            for link in links:
                if link.path not in there and is_event_file(shown(link.path.rpartition(b"/")[2])):
                    self._problem(link.path, "cannot be looked at: a link that leads nowhere")
            links = []
            self._linked += [one for one in found if one.kind == "f"]
            below: dict[_Identity, bytes] = {}
            for one in sorted(found, key=_place):
                if one.kind == "d" and self.follow and one.identity not in self._seen:
                    below.setdefault(one.identity, one.path)
            if below:
                links = self.take(await walk(list(below.values())))
        for one in sorted(self._linked, key=lambda one: shown(one.path)):
            self._add(one)
        self._linked.clear()

    def _add(self, found: Found) -> None:
        name = shown(found.path)
        if is_event_file(name.rpartition("/")[2]):
            if found.identity in self._files:
                return
            if self.chosen.included(name) and not self.chosen.excluded(name):
                self._files.add(found.identity)
        if name.encode("utf-8", "surrogatepass") != found.path:
            self.odd[name] = found.path
        self.entries.append(FileEntry(name, found.size, found.mtime_ns, found.version))

    def refuse(self, path: bytes, why: str) -> None:
        """A part of the tree that cannot be looked at."""
        name = shown(path)
        if not self.chosen.excluded(name):
            self._problem(path, f"cannot be listed: {why}")

    def _problem(self, path: bytes, message: str) -> None:
        self.problems.append(Problem(shown(path), 0, 0, "unreadable", message))


def _place(found: Found) -> tuple[list[bytes], bytes]:
    """The order in which a walk meets things: a directory, its files, then what lies below."""
    if not found.path:
        return [], b""
    *directories, name = found.path.split(b"/")
    return directories, name
