"""Whose turn it is to read a source: one process at a time, by locks that do not outlive it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from ..core.errors import LakeError
from ..core.settings import SourceSettings
from .sources.ssh.hosts import expand

_POLL_S = 0.2
_MOST_TOLD = 1_000
# File systems that have no locks: rows are written exactly once without them, too.
_LOCKLESS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
# Descriptors that a cycle needs beside its locks.
_OTHER_FILES = 512


@dataclass(frozen=True)
class Holder:
    """The process that reads a source now; *watch*: it goes on until it is stopped."""

    pid: int = 0
    host: str = ""
    watch: bool = False

    def __str__(self) -> str:
        if not self.pid:
            return "another process"
        how = " (ingest --watch)" if self.watch else ""
        return f"process {self.pid} on {self.host or 'another machine'}{how}"


class Turns:
    """This process's turns at reading sources, as locked files in *folder*; `close` ends them.

    A lock is the system's: it is free when its process is gone, however that ended. What the file
    says of its holder is only for messages.
    """

    def __init__(self, folder: Path, *, watch: bool = False) -> None:
        self._folder = folder
        self._watch = watch
        self._held: dict[str, int] = {}

    def __enter__(self) -> Turns:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def take(self, names: Iterable[str]) -> dict[str, Holder]:
        """Take the turns that are free; returns who has the others.

        Those that this process has, it keeps. Raises LakeError where *folder* cannot be written.
        """
        return self._take(sorted(set(names)), all_or_first=False)

    def wait(
        self, names: Iterable[str], seconds: float, stop: threading.Event
    ) -> dict[str, Holder]:
        """Take all turns, waiting up to *seconds* for others or until *stop*; returns what is left."""
        ordered = sorted(set(names))
        end = time.monotonic() + seconds
        # In one order and never past one that is held: two that wait cannot wait for each other.
        while self._take(ordered, all_or_first=True):
            if time.monotonic() >= end or stop.wait(_POLL_S):
                break
        return self._take(ordered, all_or_first=False)

    def release(self, name: str) -> None:
        """Give one turn back; from any thread."""
        handle = self._held.pop(name, None)
        if handle is not None:
            _give_back(handle)

    def close(self) -> None:
        """Give all turns back."""
        while self._held:
            _give_back(self._held.popitem()[1])

    def _take(self, names: list[str], *, all_or_first: bool) -> dict[str, Holder]:
        _allow_files(len(names))
        left: dict[str, Holder] = {}
        for name in names:
            if name not in self._held and (holder := self._try(name)):
                left[name] = holder
                if all_or_first:
                    break
        return left

    def _try(self, name: str) -> Holder | None:
        path = self._folder / f"{quote(name, safe='')[:200]}.lock"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
        except OSError as error:
            raise LakeError(
                f"{path}: the lake cannot be written: {error.strerror}",
                hint=f"you need write permission on {self._folder.parent}",
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _LOCKLESS:
                holder = _told(handle)
                os.close(handle)
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    return holder
                raise LakeError(f"{path}: cannot be locked: {error.strerror}") from error
        own = {"pid": os.getpid(), "host": socket.gethostname(), "watch": self._watch}
        _tell(handle, json.dumps(own).encode())
        self._held[name] = handle
        return None


def names_of(configured: Mapping[str, SourceSettings]) -> list[str]:
    """The names of *configured* sources, one for each host of those that have hosts.

    Raises UsageError where a pattern of hosts matches none.
    """
    return [
        f"{name}.{host}" if host else name
        for name, one in configured.items()
        for host in (expand(one.hosts, one.ssh_config) if one.hosts else [""])
    ]


def _give_back(handle: int) -> None:
    _tell(handle, b"")
    os.close(handle)


def _tell(handle: int, text: bytes) -> None:
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, text, 0)
    except OSError:
        # A full disk: the lock holds all the same.
        pass


def _told(handle: int) -> Holder:
    try:
        found = json.loads(os.pread(handle, _MOST_TOLD, 0))
        host = "".join(c for c in str(found["host"])[:255] if c.isprintable())
        return Holder(int(found["pid"]), host, found["watch"] is True)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Holder()


def _allow_files(locks: int) -> None:
    """A cluster of many hosts has a lock for each: raise the soft limit of open files to that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = locks + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
