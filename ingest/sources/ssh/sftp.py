"""Files of another machine over SFTP: ranges with many requests in flight, and listings without a shell."""

from __future__ import annotations

import asyncio
import stat
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncssh

from ..base import Spent
from . import words as ssh_words
from .find import Found
from .link import Link
from .tree import Tree

BROKEN = (
    asyncssh.DisconnectError,
    asyncssh.SFTPConnectionLost,
    asyncssh.SFTPNoConnection,
    ConnectionError,
)
_T = TypeVar("_T")
_HANDLES = 32
_IN_FLIGHT = 64
_BLOCK = 1 << 18


class Files:
    """What lies below the real path `root`, once that is known; coroutines of the loop of links."""

    def __init__(self, link: Link, spent: Spent, timeout: float) -> None:
        self.root = b""
        self._link, self._spent, self._timeout = link, spent, timeout
        self._handles: OrderedDict[tuple[bytes, str], asyncssh.SFTPClientFile] = OrderedDict()
        self._in_flight = asyncio.Semaphore(_IN_FLIGHT)

    async def resolve(self, start: str) -> tuple[bytes, bytes]:
        """The real path of *start*, and its name if it is a file: the path is its directory's then."""
        host = self._link.host
        sftp = await self._link.sftp()
        try:
            async with asyncio.timeout(self._timeout):
                root = await sftp.realpath(start.encode())
                facts = await sftp.stat(root)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied) as error:
            denied = isinstance(error, asyncssh.SFTPPermissionDenied)
            raise ssh_words.no_root(host, denied) from error
        except (OSError, asyncssh.Error) as error:
            raise ssh_words.explained(error, host, self._timeout) from error
        self._spent.add(lists=2)
        single = b""
        if stat.S_ISREG(facts.permissions or 0):
            root, _, single = root.rpartition(b"/")
        return root or b"/", single

    async def fill(self, tree: Tree, single: bytes) -> None:
        """All below the root into *tree*, directory by directory, many at once."""
        top = Found(b"", "d", "d", 0, 0, (b"", self.root))
        if single:
            listed = await self._scan(b"", self.root, tree)
            tree.take([top, *(one for one in listed if one.kind == "f")])
            return

        async def below(paths: list[bytes]) -> list[Found]:
            return await self._below(await self.look(paths), tree)

        links = tree.take(await self._below([top], tree))
        await tree.follow_all(links, self.look, below)

    async def look(self, paths: list[bytes]) -> list[Found]:
        """What lies at *paths*, links followed; what is not there is left out."""

        async def all_of_them() -> list[Found | None]:
            return await asyncio.gather(*(self._target(path) for path in paths))

        found = await self._twice(all_of_them)
        return [one for one in found if one is not None]

    async def _target(self, path: bytes) -> Found | None:
        sftp = await self._link.sftp()
        async with self._in_flight:
            try:
                async with asyncio.timeout(self._timeout):
                    real = await sftp.realpath(self._real(path))
                    facts = await sftp.stat(real)
            except BROKEN:
                raise
            except asyncssh.SFTPError:
                return None
        self._spent.add(lists=2)
        return _found(path, facts, real)

    async def _below(self, start: list[Found], tree: Tree) -> list[Found]:
        found, level = list(start), list(start)
        seen = {one.identity for one in start}
        while level:
            lists = await asyncio.gather(
                *(self._scan(one.path, one.identity[1], tree) for one in level)
            )
            level = []
            for one in (one for listed in lists for one in listed):
                found.append(one)
                if one.kind == "d" and one.identity not in seen and tree.wanted(one):
                    seen.add(one.identity)
                    level.append(one)
        return found

    async def _scan(self, path: bytes, real: bytes, tree: Tree) -> list[Found]:
        """What one directory holds; links are looked at later."""
        found: list[Found] = []
        try:
            sftp = await self._link.sftp()
            async with self._in_flight:
                self._spent.add(lists=1)
                names = sftp.scandir(real)
                while True:
                    async with asyncio.timeout(self._timeout):
                        name = await anext(names, None)
                    if name is None:
                        return found
                    base = name.filename
                    if isinstance(base, bytes) and base not in (b".", b".."):
                        below = b"%s/%s" % (path, base) if path else base
                        one = _found(below, name.attrs, b"%s/%s" % (real.rstrip(b"/"), base))
                        found += [one] if one else []
        except asyncssh.SFTPPermissionDenied:
            if not path:
                raise ssh_words.no_root(self._link.host, True) from None
            tree.refuse(path, "Permission denied")
        except asyncssh.SFTPNoSuchFile:
            pass
        except (TimeoutError, *BROKEN) as error:
            raise ssh_words.explained(error, self._link.host, self._timeout) from error
        except asyncssh.SFTPError as error:
            tree.refuse(path, " ".join(str(error).split())[:200])
        return found

    async def read(self, path: bytes, start: int, length: int, version: str) -> bytearray:
        """At most *length* bytes; where the connection broke, once more over another one."""
        return await self._twice(lambda: self._read(path, start, length, version))

    async def _twice(self, work: Callable[[], Awaitable[_T]]) -> _T:
        connection = await self._link.connection()
        try:
            return await work()
        except BROKEN:
            self._link.broke(connection)
            self._handles.clear()
            return await work()

    async def _read(self, path: bytes, start: int, length: int, version: str) -> bytearray:
        key = (path, version)
        # Out of the cache while it is in use, so that nobody closes it.
        file = self._handles.pop(key, None)
        try:
            if file is None:
                sftp = await self._link.sftp()
                async with asyncio.timeout(self._timeout):
                    file = await sftp.open(self._real(path), "rb", block_size=0)
                self._spent.add(reads=1)
            data = await self._fetch(file, start, length)
        except TimeoutError:
            self._link.silent()
            raise
        self._link.spoke()
        old = self._handles.pop(key, None)
        self._handles[key] = file
        if old is None and len(self._handles) > _HANDLES:
            old = self._handles.popitem(last=False)[1]
        if old is not None:
            await self._shut(old)
        return data

    async def _fetch(self, file: asyncssh.SFTPClientFile, start: int, length: int) -> bytearray:
        """Blocks side by side; what lies behind the first end of file does not count."""
        data = bytearray(length)
        ends = [length]

        async def block(offset: int, end: int) -> None:
            async with self._in_flight:
                while offset < min(end, *ends):
                    got = await file.read(end - offset, start + offset)
                    assert isinstance(got, bytes)
                    self._spent.add(reads=1, bytes=len(got))
                    if not got:
                        ends.append(offset)
                        return
                    data[offset : offset + len(got)] = got
                    offset += len(got)

        blocks = {
            asyncio.ensure_future(block(offset, min(offset + _BLOCK, length)))
            for offset in range(0, length, _BLOCK)
        }
        try:
            while blocks:
                done, blocks = await asyncio.wait(
                    blocks, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    raise TimeoutError
                for one in done:
                    one.result()
        finally:
            for one in blocks:
                one.cancel()
            await asyncio.gather(*blocks, return_exceptions=True)
        del data[min(ends) :]
        return data

    async def let_go(self) -> None:
        """Close the files that are open: they belong to the listing before."""
        handles, self._handles = self._handles, OrderedDict()
        for file in handles.values():
            await self._shut(file)

    async def _shut(self, file: asyncssh.SFTPClientFile) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await file.close()
        except (OSError, asyncssh.Error, ValueError):
            # Whoever does not close it has lost it anyway.
            pass

    def _real(self, path: bytes) -> bytes:
        return b"%s/%s" % (self.root.rstrip(b"/"), path)


def _found(path: bytes, facts: asyncssh.SFTPAttrs, real: bytes) -> Found | None:
    mode = facts.permissions or 0
    for kind, is_it in (("f", stat.S_ISREG), ("d", stat.S_ISDIR), ("l", stat.S_ISLNK)):
        if is_it(mode):
            # SFTP tells of a link only that it is one, and of times only seconds.
            leads = "f" if kind == "l" else kind
            mtime_ns = int(facts.mtime or 0) * 10**9
            return Found(path, kind, leads, facts.size or 0, mtime_ns, (b"", real))
    return None
