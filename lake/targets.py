"""Where an export goes: refused when taken, written under another name, there whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import UsageError

MANIFEST = "manifest.json"
FORMAT = "boardlake export"


def check(target: Path, lake: Path, *, single_file: bool, force: bool) -> None:
    """Refuse a target in *lake*, or taken by anything but, with *force*, an earlier export.

    Raises `UsageError`.
    """
    if not target.parent.is_dir():
        raise UsageError(f"there is no directory {target.parent}", hint="make it first")
    if target.resolve().is_relative_to(lake.resolve()):
        raise UsageError(f"{target} lies in the lake itself", hint="name a target elsewhere")
    if not target.exists() and not target.is_symlink():
        return
    if target.is_dir() and not single_file:
        if not any(target.iterdir()):
            return
        ours = _is_export(target)
    else:
        ours = single_file and target.is_file() and _is_database(target)
    if not ours:
        hint = "name another target: only an earlier export of the same form can be replaced"
        raise UsageError(f"{target} exists and is not an export", hint=hint)
    if not force:
        raise UsageError(f"{target} exists", hint="name another target, or replace it with --force")


def _is_export(folder: Path) -> bool:
    try:
        with open(folder / MANIFEST, "rb") as file:
            found = json.loads(file.read(1 << 20))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


def _is_database(file: Path) -> bool:
    # DuckDB's storage format: an 8-byte checksum, then the magic bytes.
    with open(file, "rb") as opened:
        return opened.read(12)[8:] == b"DUCK"


@contextmanager
def partial(target: Path) -> Iterator[Path]:
    """A name beside *target* to write to; what a killed export left there before goes first."""
    prefix = f".{target.name}.partial-"
    for name in os.listdir(target.parent):
        owner = name.removeprefix(prefix).partition("-")[0]
        if name.startswith(prefix) and owner.isdecimal() and not _is_alive(int(owner)):
            _remove(target.parent / name)
    written = target.parent / f"{prefix}{os.getpid()}"
    try:
        yield written
    finally:
        _remove(written)
        _remove(written.with_name(f"{written.name}.wal"))


def put(written: Path, target: Path) -> None:
    """Give what was *written* its name; an earlier export is moved aside for that moment."""
    if target.is_dir() and any(target.iterdir()):
        aside = written.with_name(f"{written.name}-old")
        os.rename(target, aside)
        os.rename(written, target)
        _remove(aside)
    else:
        os.replace(written, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def size(path: Path) -> int:
    """Bytes of a file, or of the files in a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir())
    return path.stat().st_size
