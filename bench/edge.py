"""Pushing to a hub: a first push of all, and an idle cycle, in time, memory and bytes on the way."""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from logs import event_file
from measure import Took, boardlake, peak_mb, process, report

from boardlake.core import tokens
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """What a process has worked so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def wait_for(url: str) -> None:
    """Wait until a server answers."""
    while True:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--events", type=int, default=250_000, help="In each file.")
    parser.add_argument("--ticks", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logs, lake, file = folder / "logs", folder / "hub", folder / "tokens"
        for number in range(options.files):
            path = logs / f"run{number}" / "events.out.tfevents.1700000000.host.1.0"
            path.parent.mkdir(parents=True)
            path.write_bytes(event_file(options.events, 10, False, number))
        size = sum(path.stat().st_size for path in logs.rglob("events*"))
        with open_lake(locate(str(lake)), read_only=False, create=True):
            pass
        env = {"BOARDLAKE_TOKEN": tokens.add(file, "bench", "push")}
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        serve = boardlake("--lake", str(lake), "serve", "--port", str(port))
        hub = subprocess.Popen(
            serve, env=os.environ | {tokens.ENVIRONMENT: str(file)}, stderr=subprocess.DEVNULL
        )
        try:
            wait_for(url)
            before = cpu_s(hub.pid)
            arguments = (
                "ingest",
                str(logs),
                "--to",
                url,
                "--spool",
                str(folder / "spool"),
                "--json",
            )
            push = boardlake(*arguments)
            first = process(push, env=env)
            worked = cpu_s(hub.pid) - before
            peak = peak_mb(hub.pid)
            idle: list[Took] = []
            before = cpu_s(hub.pid)
            for _ in range(options.ticks):
                idle.append(process(push, env=env))
            hub_idle = (cpu_s(hub.pid) - before) / options.ticks
        finally:
            hub.terminate()
            hub.wait()
        told = json.loads(first.output)
        local = process(boardlake("--lake", str(folder / "local"), "ingest", str(logs)))
        load = re.split(r"\s", Path("/proc/loadavg").read_text())[0]
        report(
            "edge",
            files=options.files,
            points=told["sources"][0]["points"],
            mb=size / 1e6,
            sent_mb=told["hub"]["sent"] / 1e6,
            push_s=first.wall,
            push_edge_cpu_s=first.cpu,
            push_hub_cpu_s=worked,
            edge_peak_mb=first.peak_mb,
            hub_peak_mb=peak,
            local_ingest_s=local.wall,
            local_ingest_cpu_s=local.cpu,
            local_ingest_peak_mb=local.peak_mb,
            idle_s=statistics.median(took.wall for took in idle),
            idle_edge_cpu_s=statistics.median(took.cpu for took in idle),
            idle_hub_cpu_s=hub_idle,
            load=float(load),
        )


if __name__ == "__main__":
    main()
