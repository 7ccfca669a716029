"""What cron pays: a cycle over unchanged files, a tick that finds a little more in some, and start-up."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from logs import event_file
from measure import boardlake, median, process, report

from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options
from boardlake.ingest.setup import setups
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.lake.maintain import maintain_due

_BYTES = 1024


def grow(paths: list[Path]) -> None:
    """Append the next bytes to every file; its number is the seed of what it holds."""
    for number, path in enumerate(paths):
        have = path.stat().st_size
        data = event_file(1_000, 10, False, number)
        with path.open("ab") as file:
            file.write(data[have : have + _BYTES])


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--growing", type=int, default=1_000)
    parser.add_argument("--ticks", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logs, lake_path = Path(folder) / "logs", Path(folder) / "lake"
        paths = []
        for number in range(options.files):
            path = (
                logs
                / f"project{number % 20}"
                / f"run{number:05}"
                / "events.out.tfevents.1700000000.host.1.0"
            )
            path.parent.mkdir(parents=True)
            path.write_bytes(event_file(20, 10, False, number))
            paths.append(path)
        found = setups({}, (str(logs),))
        with open_lake(locate(str(lake_path)), read_only=False, create=True) as lake:
            start = time.perf_counter()
            run(lake, found, Options())
            first = time.perf_counter() - start
            maintain_due(lake)
            unchanged, ticks = [], []
            for _ in range(options.ticks):
                start = time.perf_counter()
                run(lake, found, Options())
                unchanged.append(time.perf_counter() - start)
            for _ in range(options.ticks):
                grow(paths[: options.growing])
                start = time.perf_counter()
                run(lake, found, Options())
                maintain_due(lake)
                ticks.append(time.perf_counter() - start)
        command = boardlake("--lake", str(lake_path), "ingest", str(logs))
        whole = [process(command) for _ in range(3)]
        help_ = [process(boardlake("--help")) for _ in range(3)]
        empty = Path(folder) / "empty"
        empty.mkdir()
        bare = [
            process(boardlake("--lake", str(Path(folder) / "lake2"), "ingest", str(empty)))
            for _ in range(4)
        ][1:]
        report(
            "cycles",
            files=options.files,
            first_cycle_s=first,
            unchanged_s=float(np.median(unchanged)),
            tick_files=options.growing,
            tick_s=float(np.median(ticks)),
            unchanged_whole_process_s=median(whole),
            unchanged_whole_process_peak_mb=median(whole, "peak_mb"),
            ingest_start_up_s=median(bare),
            help_s=median(help_),
        )


if __name__ == "__main__":
    main()
