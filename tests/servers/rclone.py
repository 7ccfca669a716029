"""Rclone on loopback: a tree as WebDAV, or as pages of HTML, behind a login."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .base import program, stop
from .local import Tree
from .radosgw import answers, free_port

_USER, _PASSWORD = "rclone-reader-of-logs", "rclone-password-that-nobody-may-see"


class Share(Tree):
    """A tree that rclone serves."""

    def __init__(self, root: Path, port: int, kind: str) -> None:
        super().__init__(root)
        self.kind, self.port = kind, port
        self.environ = {"BOARDLAKE_HTTP_USER": _USER, "BOARDLAKE_HTTP_PASSWORD": _PASSWORD}

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        return {"uri": f"{self.kind}://127.0.0.1:{self.port}/{self.root.name}"}


class Rclone:
    """A server of each protocol that is asked for, all with their trees in one directory."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self._root, self._stack = root, stack
        self._ports: dict[str, int] = {}
        self._numbers = itertools.count()

    def share(self, kind: str) -> Share:
        """An empty tree as *kind*, dav or http."""
        if kind not in self._ports:
            protocol = "webdav" if kind == "dav" else kind
            self._ports[kind] = self._stack.enter_context(_serve(protocol, self._root))
        return Share(self._root / f"logs-{next(self._numbers)}", self._ports[kind], kind)


def missing() -> str:
    """What is not installed; '' where rclone can run."""
    if program("rclone") and program("setpriv"):
        return ""
    return "rclone is not installed: scripts/servers.sh"


@contextmanager
def rclone(root: Path) -> Iterator[Rclone]:
    """Servers with their files in *root*."""
    with ExitStack() as stack:
        yield Rclone(root, stack)


@contextmanager
def _serve(protocol: str, root: Path) -> Iterator[int]:
    port = free_port()
    command = ["setpriv", "--pdeathsig", "KILL", program("rclone") or "rclone", "serve", protocol]
    command += [str(root), "--addr", f"127.0.0.1:{port}", "--config", "/dev/null"]
    command += ["--user", _USER, "--pass", _PASSWORD]
    # It remembers directories for minutes otherwise.
    command += ["--dir-cache-time", "0", "--poll-interval", "0"]
    log_path = root / f"{protocol}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        try:
            answers(f"http://127.0.0.1:{port}/", log_path)
            yield port
        finally:
            stop(process)
