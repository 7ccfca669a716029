"""Linux' inotify through the C library: which of some directories somebody wrote to. A hint, not the truth."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct

_CREATE, _MODIFY, _CLOSE_WRITE, _MOVED, _DELETE = 0x100, 0x2, 0x8, 0xC0, 0x200
_ONLYDIR, _IGNORED, _OVERFLOW = 0x01000000, 0x8000, 0x4000
_WANTED = _CREATE | _MODIFY | _CLOSE_WRITE | _MOVED | _DELETE | _ONLYDIR
_EVENT = struct.Struct("iIII")
_MOST_READ = 1 << 16


class Inotify:
    """Watches on directories. Raises OSError where the system has none, or none left."""

    def __init__(self) -> None:
        self._handle = -1
        library = ctypes.CDLL(None, use_errno=True)
        if not hasattr(library, "inotify_init1"):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._add = library.inotify_add_watch
        self._add.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
        self._remove = library.inotify_rm_watch
        self._remove.argtypes = (ctypes.c_int, ctypes.c_int)
        self._handle = _checked(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def watch(self, directory: bytes) -> int:
        """The number of the watch on *directory*; the same for the same directory. Raises OSError."""
        return _checked(self._add(self._handle, directory, _WANTED))

    def unwatch(self, number: int) -> None:
        """End a watch; one that has ended by itself may be ended, too."""
        self._remove(self._handle, number)

    def wait(self, seconds: float) -> tuple[set[int], set[int], bool]:
        """Watches on which something happened within *seconds*, those that ended, and whether there
        was so much that some of it is lost."""
        happened: set[int] = set()
        ended: set[int] = set()
        lost = False
        ready = select.select([self._handle], [], [], max(0.0, seconds))[0]
        while ready:
            try:
                data = os.read(self._handle, _MOST_READ)
            except BlockingIOError:
                break
            at = 0
            while at < len(data):
                number, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                if mask & _IGNORED:
                    ended.add(number)
                elif mask & _OVERFLOW:
                    lost = True
                else:
                    happened.add(number)
            # Somebody who writes without end shall not keep us here.
            if len(data) < _MOST_READ // 2:
                break
        return happened, ended, lost

    def close(self) -> None:
        """End all watches."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
