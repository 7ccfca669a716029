"""Event files to committed lake rows, whole process, against TensorBoard's Rust data server and tbparse.

The Rust server (`tensorboard-data-server`) loads the same files into memory, every point kept and
every checksum verified, and with its defaults. tbparse and EventAccumulator read one file of fewer
events, since they take minutes for all.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

from logs import write_logs
from measure import boardlake, median, process, report, seconds
from peers import EVERY_POINT, rust


def python_readers(folder: Path) -> dict[str, float]:
    """Events per second of the readers that Python users have."""
    from tbparse import SummaryReader
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = 20_000
    (path,) = write_logs(folder, 1, events)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_tbparse = seconds(lambda: SummaryReader(str(path.parent)).scalars)
        by_accumulator = seconds(lambda: EventAccumulator(str(path), {"scalars": 0}).Reload())
    return {"tbparse": events / by_tbparse, "event_accumulator": events / by_accumulator}


def main() -> None:
    """Measure, peers in turn, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--events", type=int, default=500_000, help="in each file")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    points = options.files * options.events
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        logs = root / "logs"
        size = sum(path.stat().st_size for path in write_logs(logs, options.files, options.events))
        process(boardlake("--lake", str(root / "warm"), "ingest", str(logs / "run_0000")))
        ours, checked, default = [], [], []
        for turn in range(options.times):
            lake = root / f"lake{turn}"
            ours.append(process(boardlake("--lake", str(lake), "ingest", str(logs))))
            checked.append(rust(logs, *EVERY_POINT))
            default.append(rust(logs))
        stored = sum(p.stat().st_size for p in (root / "lake0" / "data").rglob("*.parquet"))
        readers = python_readers(root / "slice")
        report(
            "ingest",
            points=points,
            log_mb=size / 1e6,
            boardlake_s=median(ours),
            boardlake_cpu_s=median(ours, "cpu"),
            boardlake_peak_mb=median(ours, "peak_mb"),
            rust_every_point_s=median(checked),
            rust_every_point_peak_mb=median(checked, "peak_mb"),
            rust_default_s=median(default),
            times_rust_every_point=median(checked) / median(ours),
            events_per_s=points / median(ours),
            readers_events_per_s=readers,
            times_tbparse=points / median(ours) / readers["tbparse"],
            lake_bytes_per_point=stored / points,
            lake_share_of_logs=stored / size,
        )


if __name__ == "__main__":
    main()
