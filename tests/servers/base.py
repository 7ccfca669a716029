"""What every test server on loopback gives: a tree that can be written to, and the settings that read it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Protocol


class Served(Protocol):
    """A running server with an empty tree of its own for one test."""

    kind: str
    environ: dict[str, str]
    """Credentials: what a user would have in the environment."""

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Make or replace a file."""
        ...

    def append(self, path: str, data: bytes) -> None:
        """Let a file grow: in place where the store can, else by replacing it."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file."""
        ...


def program(name: str) -> str | None:
    """Where a server's program is installed, sbin included."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


def put_tree(served: Served, folder: Path) -> None:
    """Put all files below *folder* there."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            served.put(path.relative_to(folder).as_posix(), path.read_bytes())


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server, at once if it will not."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
