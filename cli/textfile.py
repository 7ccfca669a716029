"""Metrics as a file, for the textfile collector of Prometheus' node_exporter."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UsageError
from ..core.exposition import text

if TYPE_CHECKING:
    from ..lake.database import Lake

_READABLE = 0o644


def check(path: Path) -> None:
    """Raise UsageError where no file can be written at *path*."""
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"--metrics-file {path}: no file can be written there",
            hint="name a file that ends in .prom, in the folder that node_exporter reads",
        )


def write(lake: Lake, path: Path) -> None:
    """Replace the file at *path* by what the lake's metrics are now, at once; raises OSError."""
    from ..lake import gauges

    # The collector reads names that end in .prom, and would read half of a file.
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_text(text(gauges.families(lake.con)), "utf-8")
        # Of whoever runs node_exporter, whatever cron's umask is.
        new.chmod(_READABLE)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
