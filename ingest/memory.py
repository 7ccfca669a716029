"""What a source remembers from one scan to the next: a cache on disk, whose loss costs one full walk."""

from __future__ import annotations

import json
import os
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Bytes of JSON, some hundred thousand files: parsed, it takes four times that. Whoever has more
# walks through all of them each time.
MAX_JSON = 64 << 20
# A file that was quiet for a day is looked at every hour, one of a month every 30 hours.
PATIENCE = 24
# What a killed process left half written.
_LEFT_S = 3600.0


@dataclass
class Memory:
    """`data` is what the source's kind keeps there, in JSON's types; empty where nothing is known.

    `full_at` is when everything was last looked at, Unix seconds; `now` is the time of this scan. A
    kind that has learned nothing new may say that it is `unchanged`.
    """

    data: dict[str, Any] = field(default_factory=dict)
    full_at: float = 0.0
    now: float = field(default_factory=time.time)
    rescan_s: float = 3600.0
    unchanged: bool = False

    @property
    def full(self) -> bool:
        """Whether this scan has to look at everything."""
        return not self.data or not 0 <= self.now - self.full_at < self.rescan_s

    def due(self, looked_at: float, changed_at: float) -> bool:
        """Whether what last changed at *changed_at* is to be looked at again; Unix seconds."""
        if self.full or looked_at > self.now:
            return True
        return self.now - looked_at >= max(0.0, looked_at - changed_at) / PATIENCE


def load(path: Path, key: str, rescan_s: float) -> Memory:
    """The memory in the file *path*; an empty one if there is none of the same settings *key*."""
    try:
        with path.open("rb") as file:
            packed = file.read(MAX_JSON)
        unpack = zlib.decompressobj()
        text = unpack.decompress(packed, MAX_JSON)
        if unpack.eof:
            kept = json.loads(text)
            if kept["key"] == key and isinstance(kept["data"], dict):
                return Memory(kept["data"], float(kept["full_at"]), rescan_s=rescan_s)
    except (OSError, ValueError, KeyError, TypeError, zlib.error, RecursionError):
        # It is only a cache: whatever is wrong with it, a full walk makes a new one.
        pass
    return Memory(rescan_s=rescan_s)


def save(memory: Memory, path: Path, key: str) -> None:
    """Keep *memory* for the next scan; a scan that looked at everything says so.

    Where it cannot be kept, nothing is: an older one would not hold what the lake has since learned.
    """
    if memory.unchanged and path.exists():
        return
    full_at = memory.now if memory.full else memory.full_at
    text = json.dumps({"key": key, "full_at": full_at, "data": memory.data}, check_circular=False)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if len(text) > MAX_JSON:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(exist_ok=True)
        _tidy(path)
        # Text in ASCII: names that are no UTF-8 are escapes of surrogates.
        new.write_bytes(zlib.compress(text.encode("ascii"), 1))
        new.replace(path)
    except OSError:
        forget(new, path)


def forget(*paths: Path) -> None:
    """Remove memories: the next scan looks at everything."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            # On a disk that nobody may write to it stays, and is as old as the lake there.
            pass


def _tidy(path: Path) -> None:
    for left in path.parent.glob(f".{path.name}.*"):
        try:
            if abs(time.time() - left.lstat().st_mtime) > _LEFT_S:
                left.unlink()
        except FileNotFoundError:
            continue
