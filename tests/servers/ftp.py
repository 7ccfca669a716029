"""An FTP server on loopback, behind a login."""

from __future__ import annotations

import importlib.util
import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .base import program, stop
from .local import Tree
from .radosgw import free_port

_USER, _PASSWORD = "ftp-reader-of-logs", "ftp-password-that-nobody-may-see"


class Folder(Tree):
    """A tree that the server gives to whoever has the password."""

    kind = "fsspec"

    def __init__(self, root: Path, port: int) -> None:
        super().__init__(root)
        self.port = port
        self.environ = {"FSSPEC_FTP_USERNAME": _USER, "FSSPEC_FTP_PASSWORD": _PASSWORD}

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        return {"uri": f"ftp://127.0.0.1:{self.port}/{self.root.name}"}


class Ftp:
    """A running server."""

    def __init__(self, root: Path, port: int) -> None:
        self._root, self._port = root, port
        self._numbers = itertools.count()

    def folder(self) -> Folder:
        """An empty tree."""
        return Folder(self._root / f"logs-{next(self._numbers)}", self._port)


def missing() -> str:
    """What is not installed; '' where the server can run."""
    if importlib.util.find_spec("pyftpdlib") and program("setpriv"):
        return ""
    return "pyftpdlib is not installed: pip install 'boardlake[dev]'"


@contextmanager
def ftp(root: Path) -> Iterator[Ftp]:
    """A server of the files in *root*."""
    port = free_port()
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "pyftpdlib"]
    command += ["-i", "127.0.0.1", "-p", str(port), "-d", str(root), "-u", _USER, "-P", _PASSWORD]
    with root.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        try:
            _answers(port)
            yield Ftp(root, port)
        finally:
            stop(process)


def _answers(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the FTP server does not answer")
