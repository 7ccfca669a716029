"""Many clients at once while an ingest reads growing files into the same lake: errors and latencies.

Ends with 1 if any answer was an error, or if nothing new arrived meanwhile.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from logs import event_file
from measure import boardlake, process, report
from serving import Answer, Client, Server, serving

_CSV = {"format": "csv"}
_EVENTS, _TAGS = 20_000, 10
_PROCESSES = 2


class Growing:
    """Event files of which a part is written at first, and some more each second; never whole records."""

    def __init__(self, root: Path, runs: int) -> None:
        self._data = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._grow, daemon=True)
        for number in range(runs):
            run = root / f"project{number % 7}" / f"lr=0.{number % 9 + 1}_run{number:04}"
            path = run / "events.out.tfevents.1700000000.host.1.0"
            path.parent.mkdir(parents=True)
            data = event_file(_EVENTS, _TAGS, number % 2 == 1, number)
            path.write_bytes(data[: len(data) // 2])
            self._data[path] = data

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _grow(self) -> None:
        chance = random.Random(1)
        while not self._stop.wait(1.0):
            for path, data in chance.sample(list(self._data.items()), len(self._data) // 3):
                have = path.stat().st_size
                with path.open("ab") as file:
                    file.write(data[have : have + chance.randrange(500, 5_000)])


def questions(client: Client, chance: random.Random) -> dict[str, Callable[[], Answer]]:
    """What a client may ask next, by kind."""
    table = client.get("/api/v1/runs", columns="run_id,run_key,project", limit=1_000).json["rows"]
    some = chance.sample(table, min(10, len(table)))
    ids, key = [row[0] for row in some], some[0][1]
    tags = ["train/loss", "train/accuracy", "val/loss", "val/accuracy"]
    low = chance.randrange(0, 900)
    floor = f"points > {chance.randrange(100)}"
    return {
        "page": lambda: client.get(
            "/api/v1/runs", filter=floor, sort='-last("val/loss")', limit=50,
            columns='name,project,state,points,last("train/loss"),min("val/loss") as best',
        ),
        "groups": lambda: client.get(
            "/api/v1/groups", group_by="project", columns='last("train/loss")', filter=floor
        ),
        "facets": lambda: client.get("/api/v1/facets", filter=floor),
        "series": lambda: client.post("/api/v1/series", runs=ids, tags=tags, px=600),
        "zoom": lambda: client.post(
            "/api/v1/series", runs=ids, tags=tags[:1], range=[low, low + 100], x="step"
        ),
        "band": lambda: client.post(
            "/api/v1/series", groups=[[row[0] for row in table]], tags=["val/loss"], x="relative"
        ),
        "run": lambda: client.get(f"/api/v1/runs/{key}"),
        "run_page": lambda: client.get(f"/run/{key}"),
        "start_page": lambda: client.get("/"),
        "csv_runs": lambda: client.get("/api/v1/runs", filter=floor, **_CSV),
        "csv_series": lambda: client.post(
            "/api/v1/series", runs=ids[:3], tags=tags[:2], every=True, **_CSV
        ),
    }  # fmt: skip


def ask(port: int, seconds: float, seed: int) -> tuple[list[tuple[str, float]], Counter[str]]:
    """One client: (kind, milliseconds) of each answer, and what went wrong how often."""
    chance, end = random.Random(seed), time.monotonic() + seconds
    found: list[tuple[str, float]] = []
    wrong: Counter[str] = Counter()
    client = Client(port)
    while time.monotonic() < end:
        kind = "listing"
        try:
            kind, question = chance.choice(list(questions(client, chance).items()))
            answer = question()
            found.append((kind, answer.ms))
            if answer.status != 200:
                wrong[f"{kind}: HTTP {answer.status} {answer.body[:200]!r}"] += 1
        except Exception as error:
            wrong[f"{kind}: {error!r}"[:300]] += 1
            client.close()
    client.close()
    return found, wrong


def clients(
    port: int, seconds: float, seeds: list[int]
) -> tuple[list[tuple[str, float]], Counter[str]]:
    """Several clients, a thread each."""
    results: list[tuple[list[tuple[str, float]], Counter[str]]] = []
    threads = [
        threading.Thread(target=lambda seed=seed: results.append(ask(port, seconds, seed)))
        for seed in seeds
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrong: Counter[str] = Counter()
    for _, one in results:
        wrong += one
    return [item for found, _ in results for item in found], wrong


def under_load(
    server: Server, seconds: float, number: int
) -> tuple[dict[str, dict[str, float]], Counter[str], float]:
    """Figures by kind, errors, and the most memory that the server had."""
    seeds = [list(range(first, number, _PROCESSES)) for first in range(_PROCESSES)]
    most = 0.0
    with ProcessPoolExecutor(_PROCESSES, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(partial(clients, server.port, seconds, some)) for some in seeds]
        while not all(future.done() for future in futures):
            most = max(most, server.rss_mb())
            time.sleep(0.5)
        results = [future.result() for future in futures]
    by_kind: dict[str, list[float]] = {}
    wrong: Counter[str] = Counter()
    for found, errors in results:
        wrong += errors
        for kind, ms in found:
            by_kind.setdefault(kind, []).append(ms)
    return {kind: _figures(sorted(found)) for kind, found in sorted(by_kind.items())}, wrong, most


def _figures(found: list[float]) -> dict[str, float]:
    def at(part: float) -> float:
        return found[min(len(found) - 1, int(part * len(found)))]

    return {"n": len(found), "p50_ms": at(0.5), "p95_ms": at(0.95), "max_ms": found[-1]}


def main() -> int:
    """Build, load, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, lake = Path(folder), Path(folder) / "lake"
        growing = Growing(root / "logs", options.runs)
        ingest = boardlake("--lake", str(lake), "ingest", str(root / "logs"))
        process(ingest)
        with serving(lake) as server:
            before = Client(server.port).get("/api/v1/info").json
            with growing, (root / "said").open("w") as said:
                reader = subprocess.Popen([*ingest, "--watch", "1"], stderr=said, stdout=said)
                try:
                    figures, wrong, most = under_load(server, options.seconds, options.clients)
                finally:
                    reader.terminate()
                    reader.wait()
            time.sleep(1)
            after = Client(server.port).get("/api/v1/info").json
        told = (root / "said").read_text()
    report(
        "load", clients=options.clients, seconds=options.seconds, runs=options.runs,
        answers=sum(int(one["n"]) for one in figures.values()), errors=sum(wrong.values()),
        new_points=after["points"] - before["points"],
        snapshots=after["snapshot"] - before["snapshot"], rss_most_mb=most, **figures,
    )  # fmt: skip
    for error, times in wrong.most_common(10):
        print(f"{times} x {error}", file=sys.stderr)
    if told:
        print(f"ingest said: {told}", file=sys.stderr)
    return 1 if wrong or after["points"] <= before["points"] or reader.returncode else 0


if __name__ == "__main__":
    raise SystemExit(main())
