"""A tree on another machine: listed by one remote find where a shell is allowed, read by SFTP."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncssh

from ....core import places
from ....core.errors import SourceError
from ....core.settings import SourceSettings
from ....core.values import FileEntry, Problem
from ...memory import Memory
from ..base import Listing, Spent
from ..chosen import Chosen
from . import find as ssh_find
from . import words as ssh_words
from .find import Found, Root
from .link import Way, share, wait
from .sftp import Files
from .tree import Tree

_AT_ONCE = 32
_MAX_LISTING = 256 << 20
_MAX_PROBLEMS = 1000
# Time-outs without a word from find, which passes over what it does not list: that the host lives,
# keep-alives show meanwhile.
_SILENT_FIND = 30
# find and xargs end so where they could not look at something.
_DONE = (0, 1, 123)
_T = TypeVar("_T")


class SshSource:
    """A directory tree, or a single event file, of another machine.

    A file's version is its inode and its time has a fraction where a shell is allowed; by SFTP alone
    there is no version, and the time is in seconds.
    """

    def __init__(self, settings: SourceSettings) -> None:
        remote = places.parse(settings.uri)
        self.spent = Spent()
        self.at_once = _AT_ONCE
        self._uri = settings.uri
        self._exclude = settings.exclude
        self._follow = settings.follow_symlinks
        self._chosen = Chosen(settings.include, settings.exclude)
        self._timeout = settings.timeout
        home = f"./{remote.path}" if remote.path else "."
        self._start = f"/{remote.path}" if remote.absolute else home
        way = Way(remote.host, remote.user, remote.port, settings.ssh_config)
        self._link = share(way, settings.timeout)
        self._files = Files(self._link, self.spent, settings.timeout)
        self._closed = False
        self._shell: bool | None = None
        self._single = b""
        self._odd: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"SshSource({self._uri!r})"

    def walk(self, memory: Memory) -> Listing:
        """All files below the root, each once; what is long quiet is asked for rarely."""
        kept = memory.data
        if kept and not memory.due(kept["looked"], kept["changed"]):
            return self._restored(kept)
        self._link.try_again()
        try:
            tree, now = wait(self._walk())
        except (SourceError, asyncssh.Error, OSError, ValueError) as error:
            # Whatever a server may send is its own source's error.
            told = ssh_words.explained(error, self._link.host, self._timeout)
            what = told.message.removeprefix(f"{self._link.host}: ")
            raise SourceError(f"{self._uri}: {what}", hint=told.hint) from error
        listing = self._listing(tree.entries, tree.problems)
        listing.looked = len(listing.files)
        self._remember(memory, listing, now)
        return listing

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """At most *length* bytes of a listed file."""
        return self._told(self._read(path, start, length, version))

    def stat(self, path: str) -> FileEntry | None:
        """The entry of a listed file as it is now."""
        return self._told(self._stat(path))

    def lies_within(self, path: str, directory: str) -> bool:
        """Whether a file lies below a *directory*, links followed; not where either is not there."""
        return self._told(self._lies_within(path, directory))

    def close(self) -> None:
        """Close the connection, unless another source uses it."""
        if not self._closed:
            self._closed = True
            self._link.give_back()

    def _told(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Wait for *work*; whatever goes wrong with a file is an OSError in words."""
        host = self._link.host
        try:
            return wait(work)
        except SourceError as error:
            raise OSError(error.message) from error
        except asyncssh.SFTPNoSuchFile as error:
            raise FileNotFoundError(errno.ENOENT, "it is not there any more") from error
        except asyncssh.SFTPPermissionDenied as error:
            raise PermissionError(errno.EACCES, "permission denied") from error
        except TimeoutError as error:
            raise TimeoutError(f"{host}: nothing came for {self._timeout:g} s") from error
        except (asyncssh.Error, ConnectionError, ValueError) as error:
            raise OSError(ssh_words.explained(error, host, self._timeout).message) from error

    def _listing(self, entries: list[FileEntry], problems: list[Problem]) -> Listing:
        listing = self._chosen.listing(entries, self._single.decode("utf-8", "replace"))
        listing.problems = problems[:_MAX_PROBLEMS]
        return listing

    def _restored(self, kept: dict[str, Any]) -> Listing:
        self._shell = kept["shell"]
        self._files.root = bytes.fromhex(kept["root"])
        self._single = bytes.fromhex(kept["single"])
        self._odd = {name: bytes.fromhex(path) for name, path in kept["odd"].items()}
        entries = [FileEntry(*entry) for entry in kept["entries"]]
        problems = [Problem(path, 0, 0, kind, message) for path, kind, message in kept["problems"]]
        listing = self._listing(entries, problems)
        listing.remembered = {entry.path for entry in listing.files}
        return listing

    def _remember(self, memory: Memory, listing: Listing, now: float) -> None:
        before = memory.data
        files = [*listing.files, *(one for beside in listing.beside.values() for one in beside)]
        entries = [[e.path, e.size, e.mtime_ns, e.version] for e in files]
        if before and before["entries"] != entries:
            changed = memory.now
        else:
            # A clock over there may be wrong: what counts is how long ago it was by that clock.
            newest = max((e.mtime_ns for e in listing.files), default=0) / 1e9
            ago = max(0.0, (now or memory.now) - newest)
            changed = max(memory.now - ago, before.get("changed", 0.0))
        memory.data = {
            "shell": self._shell,
            "root": self._files.root.hex(),
            "single": self._single.hex(),
            "looked": memory.now,
            "changed": changed,
            "entries": entries,
            "odd": {e.path: self._odd[e.path].hex() for e in files if e.path in self._odd},
            "problems": [[p.path, p.kind, p.message] for p in listing.problems],
        }

    async def _walk(self) -> tuple[Tree, float]:
        """The tree, and the host's own time; 0 where that is not known."""
        await self._files.let_go()
        self._files.root = b""
        tree = Tree(self._chosen, self._follow)
        now = await self._by_find(tree)
        self._shell = now is not None
        if now is None:
            tree.problems.clear()
            # A shell that has another find than GNU's has told the root all the same.
            if not self._files.root:
                self._files.root, self._single = await self._files.resolve(self._start)
            await self._files.fill(tree, self._single)
        self._odd = tree.odd
        tree.problems += [Problem("", 0, 0, "host key", said) for said in self._link.remarks]
        return tree, now or 0.0

    async def _by_find(self, tree: Tree) -> float | None:
        """List by the shell's find; None where there is no shell, or another find than GNU's."""
        answer = await self._ask(ssh_find.walk(self._start, self._exclude), b"", tree)
        if answer is None or not answer[1]:
            return None
        root, found = answer

        async def look(paths: list[bytes]) -> list[Found]:
            return await self._look(paths, tree)

        async def below(paths: list[bytes]) -> list[Found]:
            command = ssh_find.walk_links(self._start, self._exclude)
            listed = await self._ask(command, ssh_find.given(paths), tree)
            return listed[1] if listed else []

        links = await asyncio.to_thread(tree.take, found)
        if not root.single:
            await tree.follow_all(links, look, below)
        return root.now

    async def _look(self, paths: list[bytes], tree: Tree) -> list[Found]:
        answer = await self._ask(ssh_find.look(self._start), ssh_find.given(paths), tree)
        return answer[1] if answer else []

    async def _ask(self, command: str, given: bytes, tree: Tree) -> tuple[Root, list[Found]] | None:
        """Run one of the commands of `ssh_find`; None where no shell of ours answers."""
        host = self._link.host
        silence = self._timeout * _SILENT_FIND
        answer = await self._link.run(command, given, silence=silence, most=_MAX_LISTING)
        self.spent.add(lists=1, bytes=len(answer.out))
        if ssh_find.began(answer.out) and answer.status == ssh_find.NO_ROOT:
            raise ssh_words.no_root(host, b"ermission" in answer.err)
        told = ssh_find.root_of(answer.out)
        if told is None:
            return None
        root, rest = told
        self._files.root, self._single = root.path, root.single
        try:
            # In a thread: the loop has other hosts to hear.
            found = await asyncio.to_thread(lambda: list(ssh_find.entries(rest)))
        except ValueError:
            if answer.status in _DONE:
                return None
            found = []
        if answer.status not in _DONE and answer.status != 127:
            raise SourceError(
                f"{host}: the listing was broken off over there",
                hint="is the host short of memory, or its disk broken? The next scan tries again",
            )
        refused, others = ssh_find.refused(answer.err)
        for one in refused:
            if not one.path:
                raise ssh_words.no_root(host, True)
            tree.refuse(one.path, one.why)
        if found and answer.status:
            tree.problems += [Problem("", 0, 0, "unreadable", f"find: {o}") for o in others[:10]]
        return root, found

    async def _placed(self) -> None:
        """Find out how to ask and where, if nothing was listed before."""
        if not self._files.root:
            tree = Tree(self._chosen, self._follow)
            self._shell = bool(await self._look([b""], tree))
            if not self._files.root:
                self._files.root, self._single = await self._files.resolve(self._start)

    async def _stat(self, path: str) -> FileEntry | None:
        await self._placed()
        name = self._bytes(path)
        if self._shell:
            tree = Tree(self._chosen, self._follow)
            looked = await self._look([name], tree)
            if tree.problems:
                raise PermissionError(errno.EACCES, "permission denied")
        else:
            looked = await self._files.look([name])
        if not looked or looked[0].kind != "f":
            return None
        return FileEntry(path, looked[0].size, looked[0].mtime_ns, looked[0].version)

    async def _lies_within(self, path: str, directory: str) -> bool:
        await self._placed()
        found = await self._files.look([self._bytes(path), self._bytes(directory)])
        real, above = (one.identity[1] for one in found) if len(found) == 2 else (b"", b"/")
        return real.startswith(above.rstrip(b"/") + b"/")

    async def _read(self, path: str, start: int, length: int, version: str) -> bytearray:
        await self._placed()
        return await self._files.read(self._bytes(path), start, length, version)

    def _bytes(self, path: str) -> bytes:
        return self._odd.get(path) or path.encode("utf-8", "surrogateescape")
