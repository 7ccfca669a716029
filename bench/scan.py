"""What listing an unchanged tree costs: a walk through all of it against one that remembers the last.

The remembered walk reads its memory from the disk and writes it back, as a process of cron does.
All files are a month old: what cron meets most of the time. `floor` looks at everything and makes
nothing of it.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import report

from boardlake.ingest.memory import Memory, load, save
from boardlake.ingest.sources.local.source import LocalSource

_MONTH_S = 30 * 86400.0
_RACY_S = 3.0
_KEY = "bench"


def make(root: Path, runs: int, beside: int) -> None:
    """A tree of *runs* directories, each with an event file and *beside* others."""
    old = time.time() - _MONTH_S
    for number in range(runs):
        folder = root / f"project{number % 100}" / f"run{number:05}"
        folder.mkdir(parents=True)
        names = ["events.out.tfevents.1700000000.host.1.0"]
        names += [f"model_{step}.pt" for step in range(beside)]
        for name in names:
            (folder / name).write_bytes(b"0" * 88)
            os.utime(folder / name, (old, old))


def floor(root: Path) -> None:
    """Look at everything, and make nothing of it."""
    stack = [str(root)]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                else:
                    entry.stat()


def both(work: Callable[[], object], times: int) -> tuple[float, float]:
    """Medians of the wall and the CPU time of *work*."""
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), statistics.median(cpus)


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--beside", type=int, default=4, help="other files in each run")
    parser.add_argument("--times", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, kept = Path(folder) / "runs", Path(folder) / "scans" / "bench.json.z"
        make(root, options.runs, options.beside)
        # As `boardlake ingest` has it.
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)
        # What was made within two seconds would be scanned again.
        time.sleep(_RACY_S)

        def full() -> LocalSource:
            source = LocalSource(str(root))
            source.walk(Memory())
            return source

        def remembered() -> LocalSource:
            source, memory = LocalSource(str(root)), load(kept, _KEY, 1e9)
            source.walk(memory)
            save(memory, kept, _KEY)
            return source

        remembered()
        asked_full, asked = full().spent, remembered().spent
        figures = {
            "floor": both(lambda: floor(root), options.times),
            "full": both(full, options.times),
            "remembered": both(remembered, options.times),
        }
        report(
            "scan",
            files=options.runs * (1 + options.beside),
            directories=options.runs + 101,
            **{f"{name}_s": wall for name, (wall, _) in figures.items()},
            **{f"{name}_cpu_s": cpu for name, (_, cpu) in figures.items()},
            full_calls=asked_full.lists + asked_full.reads,
            remembered_calls=asked.lists + asked.reads,
            memory_kb=kept.stat().st_size / 1e3,
            load_average=os.getloadavg()[0],
        )


if __name__ == "__main__":
    main()
