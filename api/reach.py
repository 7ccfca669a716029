"""A way to files of sources that are not directories of this machine: what a server may be given."""

from __future__ import annotations

from typing import BinaryIO, Protocol


class Reach(Protocol):
    """Fetches files of the sources that it knows; safe from any thread."""

    most: int
    """Bytes of the largest file that is fetched."""

    def knows(self, source: str, uri: str) -> bool:
        """Whether files of *source*, whose root is *uri*, can be asked for at all."""
        ...

    def open(self, source: str, path: str, directory: str, most: int) -> BinaryIO:
        """The copy of a file of at most *most* bytes, which has to lie below a *directory*.

        Both paths are relative to the root of the source. Raises OutOfReach.
        """
        ...

    def forget(self) -> None:
        """Let go of all copies: of runs that were deleted nothing is kept."""
        ...
