"""A folder for files that one server makes and no one needs after it: gone with it, however it ends."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from pathlib import Path

from ..core.errors import LakeError

_LOCK = "lock"
# A folder of a server that is just being started has no lock yet.
_NEW = ".new-"
_NEW_LASTS_S = 60.0


class Spool:
    """A folder of this process below *parent*, made when it is first asked for.

    It is locked as long as the process lives; what processes that were killed left there, goes.
    """

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._folder: Path | None = None
        self._handle = -1
        sweep(parent)

    def folder(self) -> Path:
        """The folder; raises LakeError where it cannot be made."""
        if self._folder is None:
            try:
                self._folder = self._make()
            except OSError as error:
                message = f"{self._parent} cannot be written: {error.strerror}"
                hint = f"you need write permission on {self._parent.parent}"
                raise LakeError(message, hint=hint) from error
        return self._folder

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        if self._folder is None:
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._handle)
        self._folder = None
        try:
            self._parent.rmdir()
        except OSError:
            # Another server has a folder there.
            pass

    def _make(self) -> Path:
        self._parent.mkdir(exist_ok=True)
        name = secrets.token_hex(8)
        new, folder = self._parent / f"{_NEW}{name}", self._parent / name
        # Others' runs may be in it.
        new.mkdir(mode=0o700)
        self._handle = os.open(new / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new.rename(folder)
        return folder


def sweep(parent: Path) -> None:
    """Remove the folders below *parent* whose process is gone."""
    try:
        found = list(os.scandir(parent))
    except OSError:
        return
    for one in found:
        if not one.is_dir(follow_symlinks=False):
            continue
        if one.name.startswith(_NEW):
            left = time.time() - one.stat(follow_symlinks=False).st_mtime > _NEW_LASTS_S
        else:
            left = _is_left(Path(one.path) / _LOCK)
        if left:
            shutil.rmtree(one.path, ignore_errors=True)


def _is_left(lock: Path) -> bool:
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        # No folder of ours, or not ours to touch.
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
