"""What every bench shares: whole processes timed with their peak memory, medians, one JSON line."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Took:
    """One process: wall and CPU seconds, peak resident memory in MB, and what it printed."""

    wall: float
    cpu: float
    peak_mb: float
    output: str = ""


def process(command: Sequence[str], *, env: dict[str, str] | None = None) -> Took:
    """Run *command* to its end; raises if it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            command, stdout=output, stderr=errors, env={**os.environ, **(env or {})}
        )
        peak = 0.0
        while True:
            peak = max(peak, peak_mb(child.pid))
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(0.003)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if child.returncode:
            raise RuntimeError(f"{command}: {errors.read().decode()}")
        return Took(wall, usage.ru_utime + usage.ru_stime, peak, output.read().decode())


def peak_mb(pid: int) -> float:
    """The peak resident memory of a running process in MB; 0 if it is gone.

    Not from its resource usage, which counts what the parent held when it forked.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The median wall time of *work* in this process."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def median(found: Sequence[Took], name: str = "wall") -> float:
    """The median of one figure of several processes."""
    return statistics.median(getattr(took, name) for took in found)


def boardlake(*arguments: str) -> list[str]:
    """The command line of this checkout's boardlake."""
    return [sys.executable, "-m", "boardlake", *arguments]


def report(bench: str, **figures: object) -> None:
    """Print one JSON line, floats to four digits."""
    print(json.dumps({"bench": bench} | {k: _round(v) for k, v in figures.items()}), flush=True)


def _round(value: object) -> object:
    if isinstance(value, dict):
        return {k: _round(v) for k, v in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
