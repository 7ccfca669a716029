"""A way to files of sources that are not directories of this machine: what a server may be given."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Reach(Protocol):
    """Fetches files of the sources that it knows; safe from any thread."""

    def knows(self, source: str) -> bool:
        """Whether files of *source* can be asked for at all."""
        ...

    def fetch(self, source: str, path: str, most: int) -> Path:
        """A copy on this machine of a file of at most *most* bytes; raises OutOfReach."""
        ...
