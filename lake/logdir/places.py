"""Where each event file of an export lies: the path it had, as far as that is safe. Pure.

Paths in a lake come from elsewhere: components that lead out of the directory, that no file system
takes, or that two files would share get another name, which ends in a hash of the old one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from posixpath import join

from .. import targets
from .side import SIDE_FILE

_MAX_NAME = 255  # bytes, as Linux and macOS have it
_MAX_DIRECTORY = 2_000  # bytes below the target; deeper ones are moved up
_KEPT = 200


class Places:
    """Names that were given out below one directory, so that none is given twice."""

    def __init__(self, reserved: Iterable[str] = (targets.MANIFEST,)) -> None:
        self._taken = {("", name) for name in reserved}
        self._given: dict[tuple[str, str, bool], str] = {}

    def folder(self, name: str) -> str:
        """A directory of its own at the top, named after *name*."""
        return self._give("", name, is_file=False)

    def directory(self, folder: str, path: str) -> str:
        """The place of the directory *path* ('' or '.' = itself) within the directory *folder*."""
        return folder if path in ("", ".") else self._below(folder, path.split("/"))

    def file(self, folder: str, path: str) -> str:
        """The place of the event file at *path* within the directory *folder*."""
        *above, name = path.split("/")
        return self._give(self._below(folder, above), name, is_file=True)

    def _below(self, folder: str, names: Iterable[str]) -> str:
        for name in names:
            folder = self._give(folder, name, is_file=False)
        return folder

    def _give(self, parent: str, name: str, *, is_file: bool) -> str:
        key = (parent, name, is_file)
        found = self._given.get(key)
        if found is None:
            if len(parent.encode("utf-8", "surrogatepass")) > _MAX_DIRECTORY:
                parent, name = "", f"{_hash(parent)}-{name}"
            found = self._given[key] = join(parent, self._free(parent, name, is_file))
        return found

    def _free(self, parent: str, name: str, is_file: bool) -> str:
        chosen = first = safe(name)
        whole = f"{parent}/{name}{'' if is_file else '/'}"
        while (parent, chosen) in self._taken or chosen == SIDE_FILE:
            chosen, whole = _hashed(first, whole), f"{whole}/"
        self._taken.add((parent, chosen))
        return chosen


def safe(name: str) -> str:
    """*name* as one component of a path, unchanged where it is one."""
    bad = name in ("", ".", "..") or "\0" in name or "/" in name or _has_surrogates(name)
    if not bad and len(name.encode()) <= _MAX_NAME:
        return name
    clean = name.replace("\0", "_").replace("/", "_").strip(".")
    return _hashed(clean.encode("utf-8", "replace").decode(), name)


def _has_surrogates(name: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in name)


def _hashed(name: str, whole: str) -> str:
    kept = name.encode()[:_KEPT].decode("utf-8", "ignore")
    return f"{kept}~{_hash(whole)}"


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
