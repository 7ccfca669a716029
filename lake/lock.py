"""The writers' lock: one writer from BEGIN to COMMIT, freed by the system when a process dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import LakeBusy, LakeError

_POLL_S = 0.01


@contextmanager
def hold(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock at *path*; raises `LakeBusy` when another process keeps it for *timeout_s*,
    `LakeError` when the lake's directory cannot be written."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
    except OSError as error:
        raise LakeError(
            f"{path}: the lake cannot be written: {error.strerror}",
            hint=f"you need write permission on {path.parent}",
        ) from error
    try:
        _acquire(handle, path, timeout_s)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(handle, 32, 0).decode("ascii", "replace") or "unknown"
                raise LakeBusy(
                    f"{path}: process {holder} has been writing for more than {timeout_s:g} s",
                    hint="try again later, or raise lake.lock_timeout",
                ) from None
            time.sleep(_POLL_S)
