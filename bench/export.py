"""What an export takes, in each form: over HTTP with its progress asked for, beside `boardlake export`.

Medians of *times* of 20 million points; a server of its own for each form, so that its peak is that form's.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import latency
from measure import boardlake, peak_mb, process, report
from serving import Client, serving

from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

_FORMS = ("parquet", "csv", "arrow", "duckdb")
_ASK_EVERY_S = 0.2


def over_http(lake: Path, form: str, times: int) -> dict[str, float]:
    """Seconds until it is ready and until the file is here, its MB, and what the server took."""
    ready, taken, first = [], [], []
    with serving(lake) as server:
        client = Client(server.port)
        client.get("/api/v1/runs", limit=1)
        before, worked = peak_mb(server.pid), server.cpu_s()
        for _ in range(times):
            begin = time.perf_counter()
            told = client.post("/api/v1/exports", format=form).json
            at = f"/api/v1/exports/{told['id']}"
            moved = 0.0
            while told["state"] == "writing":
                time.sleep(_ASK_EVERY_S)
                told = client.get(at).json
                if told["rows_done"] and not moved:
                    moved = time.perf_counter() - begin
            if told["state"] != "ready":
                raise RuntimeError(told)
            ready.append(time.perf_counter() - begin)
            first.append(moved)
            size = len(client.get(f"{at}/file").body)
            taken.append(time.perf_counter() - begin)
            _drop(server.port, at)
        cpu = (server.cpu_s() - worked) / times
        peak = peak_mb(server.pid)
    seconds = statistics.median(ready)
    return {
        "ready_s": seconds, "taken_s": statistics.median(taken), "cpu_s": cpu,
        "first_rows_s": statistics.median(first), "mb": size / 1e6,
        "mb_per_s": size / 1e6 / seconds, "server_mb_before": before, "server_peak_mb": peak,
    }  # fmt: skip


def _drop(port: int, at: str) -> None:
    from urllib.request import Request, urlopen

    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"http://127.0.0.1:{port}{at}", b"{}", headers, method="DELETE")):
        pass


def by_command(lake: Path, form: str, times: int) -> dict[str, float]:
    """The same by the command line, into a folder or a DuckDB file."""
    took = []
    size = 0
    for _ in range(times):
        with tempfile.TemporaryDirectory(dir=lake.parent) as folder:
            target = Path(folder) / "out"
            command = boardlake("--lake", str(lake), "export", str(target), "--format", form)
            took.append(process(command))
            files = target.iterdir() if target.is_dir() else [target]
            size = sum(file.stat().st_size for file in files)
    return {
        "command_s": statistics.median(one.wall for one in took),
        "command_cpu_s": statistics.median(one.cpu for one in took),
        "command_mb": size / 1e6,
        "command_peak_mb": max(one.peak_mb for one in took),
    }


def main() -> None:
    """Build, export, print a line for each form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--forms", nargs="+", choices=_FORMS, default=_FORMS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder) / "lake"
        with open_lake(locate(str(lake)), read_only=False, create=True) as opened:
            latency.build(opened, options.runs, options.steps)
            ((points,),) = opened.query("SELECT count(*) FROM scalar_points")
        for form in options.forms:
            figures = over_http(lake, form, options.times) | by_command(lake, form, options.times)
            report(f"export_{form}", points=points, **figures)


if __name__ == "__main__":
    main()
