"""Layer 4: what the operating system lets a worker do, whatever runs in it."""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOKED_AT = 200
# linux/landlock.h; the numbers of the system calls are the same for all architectures.
_CREATE, _ADD, _RESTRICT, _VERSION_FLAG, _BENEATH = 444, 445, 446, 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
# DuckDB looks there for how much memory and how many processors it has, and dies if it may not.
_OF_SYSTEM = ("/proc/self/cgroup", "/sys/fs/cgroup")
_NO_NEW_PRIVS, _NOT_DUMPABLE = 38, 4


def confine(
    folders: list[str], data: str, user: tuple[int, int] | None, memory: int, cpu: int
) -> list[str]:
    """Give up all rights but to read *folders*; returns what could not be given up, in words.

    *user* (uid, gid) is taken on if it can read the lake's *data*. Not to be undone.
    """
    missing = []
    for kind, most in (
        (resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, cpu), (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):  # fmt: skip
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError) as error:
            missing.append(f"a resource limit cannot be set ({error})")
    if user is not None:
        kept = _become(user, folders, data)
        missing += [kept] if kept else []
    reason = _landlock(folders)
    return missing + ([reason] if reason else [])


def allow_cpu(seconds: float) -> None:
    """Let this process use *seconds* more of a processor; the system kills it after that."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _become(user: tuple[int, int], folders: list[str], data: str) -> str:
    """Become *user* for good, or say why not."""
    uid, gid = user
    groups = os.getgroups()
    try:
        os.setgroups([])
        os.setegid(gid)
        os.seteuid(uid)
    except OSError as error:
        return f"user {uid} cannot be taken on ({error}), so SQL runs as user {os.getuid()}"
    try:
        denied = _unreadable(folders, data)
    finally:
        os.seteuid(0)
        os.setegid(0)
    if denied:
        os.setgroups(groups)
        return f"user {uid} cannot read {denied}, so SQL runs as user {os.getuid()}"
    os.setgid(gid)
    os.setuid(uid)
    return ""


def _unreadable(folders: list[str], data: str) -> str:
    """Something of the lake that this process may not read; '' if there seems to be none."""
    errors: list[OSError] = []
    for folder in folders:
        try:
            os.scandir(folder).close()
        except OSError:
            return folder
    looked = 0
    for folder, _, files in os.walk(data, onerror=errors.append):
        for name in files:
            looked += 1
            try:
                os.close(os.open(os.path.join(folder, name), os.O_RDONLY))
            except OSError:
                return os.path.join(folder, name)
        if errors or looked > _LOOKED_AT:
            break
    return str(errors[0].filename) if errors else ""


def _landlock(folders: list[str]) -> str:
    """Keep this process from all files but those below *folders*, and from TCP; or say why not."""
    if not sys.platform.startswith("linux"):
        return "this system has no Landlock, so that only user rights keep it from writing files"
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return "this kernel has no Landlock, so that only user rights keep it from writing files"
    files = sum(right for since, right in _FILE_RIGHTS.items() if version >= since)
    network, scoped = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    attributes = struct.pack("=QQQ", files, network, scoped)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    with _opened(libc.syscall(_CREATE, attributes, ctypes.c_size_t(size), 0)) as rules:
        for path in (*folders, *_OF_SYSTEM):
            if not Path(path).exists():
                continue
            rights = _READ_FILE | (_READ_DIR if Path(path).is_dir() else 0)
            with _opened(os.open(path, os.O_PATH)) as at:
                _must(libc.syscall(_ADD, rules, _BENEATH, struct.pack("=Qi", rights, at), 0))
        _must(libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
        _must(libc.prctl(_NOT_DUMPABLE, 0, 0, 0, 0))
        _must(libc.syscall(_RESTRICT, rules, 0))
    return ""


@contextmanager
def _opened(handle: int) -> Iterator[int]:
    _must(handle)
    try:
        yield handle
    finally:
        os.close(handle)


def _must(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
