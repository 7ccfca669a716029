"""What a source remembers from one scan to the next: a cache on disk, whose loss costs one full walk."""

from __future__ import annotations

import json
import os
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MAX = 1 << 30
# A file that was quiet for a day is looked at every hour, one of a month every 30 hours.
_PATIENCE = 24


@dataclass
class Memory:
    """`data` is what the source's kind keeps there, in JSON's types; empty where nothing is known.

    `full_at` is when everything was last looked at, Unix seconds; `now` is the time of this scan.
    """

    data: dict[str, Any] = field(default_factory=dict)
    full_at: float = 0.0
    now: float = field(default_factory=time.time)
    rescan_s: float = 3600.0

    @property
    def full(self) -> bool:
        """Whether this scan has to look at everything."""
        return not self.data or not 0 <= self.now - self.full_at < self.rescan_s

    def due(self, looked_at: float, changed_at: float) -> bool:
        """Whether what last changed at *changed_at* is to be looked at again; Unix seconds."""
        return self.full or self.now - looked_at >= max(0.0, looked_at - changed_at) / _PATIENCE


def load(path: Path, key: str, rescan_s: float) -> Memory:
    """The memory in the file *path*; an empty one if there is none of the same settings *key*."""
    try:
        unpack = zlib.decompressobj()
        text = unpack.decompress(path.read_bytes(), _MAX)
        kept = json.loads(text)
        if kept["key"] == key and isinstance(kept["data"], dict):
            return Memory(kept["data"], float(kept["full_at"]), rescan_s=rescan_s)
    except (OSError, ValueError, KeyError, TypeError, zlib.error, RecursionError):
        # It is only a cache: whatever is wrong with it, a full walk makes a new one.
        pass
    return Memory(rescan_s=rescan_s)


def save(memory: Memory, path: Path, key: str) -> None:
    """Keep *memory* for the next scan; a scan that looked at everything says so."""
    full_at = memory.now if memory.full else memory.full_at
    kept = {"key": key, "full_at": full_at, "data": memory.data}
    path.parent.mkdir(exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}")
    new.write_bytes(zlib.compress(json.dumps(kept).encode("utf-8", "surrogatepass"), 1))
    new.replace(path)
