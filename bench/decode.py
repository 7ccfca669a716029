"""How fast are event files decoded on one core, beside tbparse and TensorBoard's own reader?

`python bench/decode.py [EVENTS]` writes two files of EVENTS (500,000) scalar events, PyTorch-like
and TF2-like, and prints one JSON line: medians of several runs, both CRCs verified.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from logs import write_logs  # the module beside this script
from peers import EVERY_POINT, rust
from tbparse import SummaryReader
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from boardlake.kernels.crc32c import HAS_INSTRUCTION
from boardlake.kernels.decode import CLEAN, Buffers, decode, warm

SLICE = 20_000  # events for the slow readers


def median(work: Callable[[], Any], runs: int) -> float:
    """The middle one of *runs* durations of *work*, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _decode_file(path: Path) -> dict[str, float]:
    data, buffers = np.fromfile(path, np.uint8), Buffers()
    decoded = decode(data, True, buffers)
    assert decoded.stop == CLEAN and decoded.slow_offset.size == 1  # the file version
    seconds = median(lambda: decode(data, True, buffers), 9)
    return {
        "mb_per_s": round(data.size / seconds / 1e6),
        "events_per_s": round(decoded.records / seconds),
        "bytes_per_event": round(data.size / decoded.records, 1),
    }


def _accumulate(directory: Path) -> None:
    accumulator = EventAccumulator(str(directory), size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()


def main() -> None:
    """Write the files, time the readers, print the line."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    start = time.perf_counter()
    warm()
    result: dict[str, Any] = {"crc_instruction": HAS_INSTRUCTION}
    result["warm_s"] = round(time.perf_counter() - start, 2)
    with tempfile.TemporaryDirectory() as folder:
        whole = write_logs(Path(folder) / "whole", 2, events)
        part = write_logs(Path(folder) / "part", 2, SLICE)
        for name, path, small in zip(("pytorch", "tf2"), whole, part, strict=True):
            figures: dict[str, float] = _decode_file(path)
            tbparse = SLICE / median(lambda p=small: SummaryReader(str(p.parent)).scalars, 3)
            accumulator = SLICE / median(lambda p=small: _accumulate(p.parent), 3)
            figures["tbparse_events_per_s"] = round(tbparse)
            figures["accumulator_events_per_s"] = round(accumulator)
            figures["times_tbparse"] = round(figures["events_per_s"] / tbparse)
            figures["times_accumulator"] = round(figures["events_per_s"] / accumulator)
            for label, options in (("every_point", EVERY_POINT), ("default", ())):
                # Its own start is within: half a million events make that small.
                took = statistics.median(
                    rust(path.parent, *options, one_core=True).wall for _ in range(3)
                )
                figures[f"rust_{label}_events_per_s"] = round(events / took)
                figures[f"times_rust_{label}"] = round(figures["events_per_s"] * took / events, 1)
            result[name] = figures
    print(json.dumps(result))


if __name__ == "__main__":
    main()
