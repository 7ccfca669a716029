"""20,000 keys on S3 of which 1 % changed: a cycle of `boardlake ingest`, TensorBoard over s3://, and list calls alone.

The server is Ceph's radosgw on this machine. TensorBoard's data server in Rust reads no s3://, so the client is
`tensorboard --logdir s3://` without it: its reload, in a process of its own, over fewer keys, for it takes that long.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from logs import event_file
from measure import Took, boardlake, median, process, report

from boardlake.tests.servers import moto, radosgw

_EVENTS = "events.out.tfevents.1700000000.host.{}.0"
_GROWN = 1024

# Keys and bytes of all pages, as the client under boardlake lists them.
_FLOOR = """
import json, sys, obstore
from obstore.store import S3Store
bucket, prefix, endpoint = sys.argv[1:]
store = S3Store(bucket, prefix=prefix, endpoint=endpoint, region="us-east-1", client_options={"allow_http": True})
print(json.dumps({"keys": sum(len(page) for page in obstore.list(store, chunk_size=1000))}))
"""

# What the thread of TensorBoard's backend does at each reload; a line on stdin asks for the next one.
_TENSORBOARD = """
import json, os, resource, sys, time, threading
import botocore.httpsession
counts = {"requests": 0, "bytes": 0}
send = botocore.httpsession.URLLib3Session.send
def counted(self, request):
    answer = send(self, request)
    counts["requests"] += 1
    counts["bytes"] += int(answer.headers.get("Content-Length") or 0)
    return answer
botocore.httpsession.URLLib3Session.send = counted
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
multiplexer = EventMultiplexer()
while True:
    counts.update(requests=0, bytes=0)
    start, before = time.perf_counter(), time.process_time()
    multiplexer.AddRunsFromDirectory(sys.argv[1])
    multiplexer.Reload()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": time.perf_counter() - start, "cpu": time.process_time() - before,
        "peak_mb": peak, "runs": len(multiplexer.Runs()), **counts}), flush=True)
    if not sys.stdin.readline():
        break
"""


class Runs:
    """A bucket with four keys a run: two event files, settings and a checkpoint."""

    def __init__(self, bucket: Any, keys: int) -> None:
        self.bucket = bucket
        self.runs = keys // 4
        self.rounds = 0
        self._whole = [event_file(200, 10, False, number) for number in range(50)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._put, range(self.runs)))

    def _put(self, number: int) -> None:
        directory = f"project{number % 20}/run{number:05}"
        for which in range(2):
            self._events(number, which, _GROWN)
        self.bucket.put(f"{directory}/hparams.yaml", b"lr: 0.1\nseed: %d\n" % number)
        self.bucket.put(f"{directory}/checkpoint-100.pt", b"x")

    def _events(self, number: int, which: int, size: int) -> None:
        name = f"project{number % 20}/run{number:05}/{_EVENTS.format(which)}"
        self.bucket.put(name, self._whole[number % 50][:size])

    def change(self, share: float) -> int:
        """Let some files grow; how many."""
        self.rounds += 1
        count = round(self.runs * 4 * share)
        for number in range(count):
            self._events(number % self.runs, 1, _GROWN * (1 + self.rounds))
        return count


def cycle(lake: Path, config: Path) -> tuple[Took, dict[str, Any]]:
    """One `boardlake ingest` as cron runs it, and what it reports."""
    took = process(boardlake("--config", str(config), "ingest", "--json"))
    found = json.loads(took.output.splitlines()[-1])
    (of_source,) = found["sources"] if "sources" in found else [found]
    return took, of_source


def figures(cycles: list[tuple[Took, dict[str, Any]]]) -> dict[str, object]:
    """Medians of several processes, and what the last one asked for."""
    took, last = [one for one, _ in cycles], cycles[-1][1]
    names = ("files_listed", "files_changed", "list_requests", "read_requests", "bytes_received")
    return {
        "s": median(took),
        "cpu_s": median(took, "cpu"),
        "peak_mb": median(took, "peak_mb"),
        **{name: last[name] for name in names},
    }


def tensorboard(bucket: Any, keys: int, share: float, patience_s: float) -> dict[str, object]:
    """First load, a reload of what did not change and one of what did; or what it ended with."""
    runs = Runs(bucket, keys)
    command = [sys.executable, "-c", _TENSORBOARD, f"s3://{bucket.name}/{bucket.prefix}"]
    # It takes the endpoint from a variable of its own.
    env = {**os.environ, "S3_ENDPOINT": bucket.settings()["endpoint"]}
    found: dict[str, object] = {"keys": keys}
    with subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin and child.stdout
        with ThreadPoolExecutor(1) as pool:
            try:
                for name in ("first", "unchanged", "changed"):
                    if name == "changed":
                        found["changed_files"] = runs.change(share)
                    if name != "first":
                        child.stdin.write("\n")
                        child.stdin.flush()
                    line = pool.submit(child.stdout.readline).result(patience_s)
                    found[name] = json.loads(line)
            except TimeoutError:
                found["gave_up_after_s"] = patience_s
            child.kill()
    return found


def rust_server(uri: str) -> str:
    """What TensorBoard's data server in Rust says of a bucket of S3."""
    import tensorboard_data_server

    command = [tensorboard_data_server.server_binary(), "--logdir", uri, "--die-after-stdin"]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=60)
    return (done.stderr.strip().splitlines() or ["ran"])[-1][:200]


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tensorboard-keys", type=int, default=2_000)
    parser.add_argument("--patience", type=float, default=900.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if radosgw.missing():
            with moto.moto() as running:
                measure(lambda: running.bucket("s3", "logs"), "moto", Path(folder), options)
            return
        root = Path(folder) / "ceph"
        root.mkdir()
        with radosgw.radosgw(root) as gateway:
            measure(lambda: gateway.bucket("logs"), "radosgw", Path(folder), options)


def measure(make: Any, server: str, folder: Path, options: argparse.Namespace) -> None:
    """All parts over one server, and the line."""
    bucket = make()
    os.environ.update(bucket.environ)
    runs = Runs(bucket, options.keys)
    settings = bucket.settings()
    config = folder / "boardlake.toml"
    lines = [f'{name} = "{value}"' for name, value in settings.items()]
    config.write_text(
        "\n".join(
            ["[lake]", f'path = "{folder / "lake"}"', "[sources.bucket]", *lines, 'machine = "lab"']
        )
    )
    lake = folder / "lake"
    command = [sys.executable, "-c", _FLOOR, bucket.name, bucket.prefix, str(settings["endpoint"])]
    first = [cycle(lake, config)]
    floor = [process(command) for _ in range(options.rounds)]
    unchanged = [cycle(lake, config) for _ in range(options.rounds)]
    changed, count = [], 0
    for _ in range(options.rounds):
        count = runs.change(options.share)
        changed.append(cycle(lake, config))
    assert changed[-1][1]["files_changed"] == count
    report(
        "buckets",
        server=server,
        keys=options.keys,
        changed_keys=count,
        floor={
            "s": median(floor),
            "cpu_s": median(floor, "cpu"),
            "peak_mb": median(floor, "peak_mb"),
            "list_requests": -(-options.keys // 1000),
        },
        first=figures(first),
        unchanged=figures(unchanged),
        changed=figures(changed),
        rust_data_server=rust_server(str(settings["uri"])),
        tensorboard=tensorboard(make(), options.tensorboard_keys, options.share, options.patience),
        load=os.getloadavg()[0],
    )


if __name__ == "__main__":
    main()
