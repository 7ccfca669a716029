"""A directory of this machine as a server of files; what sshd, nginx and rclone serve is such a tree, too."""

from __future__ import annotations

from pathlib import Path


class Tree:
    """A directory that files are put into."""

    kind = "local"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)
        self.environ: dict[str, str] = {}

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        return {"uri": str(self.root)}

    def put(self, path: str, data: bytes) -> None:
        """Make or replace a file, in place."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def append(self, path: str, data: bytes) -> None:
        """Let a file grow in place."""
        with (self.root / path).open("ab") as file:
            file.write(data)

    def delete(self, path: str) -> None:
        """Remove a file."""
        (self.root / path).unlink()
