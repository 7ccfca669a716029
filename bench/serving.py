"""A real server process over a lake, and the lakes that benches of the service ask."""

from __future__ import annotations

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import latency
import search as search_bench
from measure import boardlake

from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate

_POINTS = """
INSERT INTO scalar_points BY NAME
SELECT {run} AS run_id, '' AS stream, 'train/loss' AS tag, step, 1.7e9 + step * 0.25 AS wall_time,
       (exp(-step / 300000.0) + random() * 0.1)::FLOAT::DOUBLE AS value,
       0 AS attempt, false AS superseded, {run} AS file_id, step AS record
FROM range({steps}) s(step)
"""


@dataclass(frozen=True)
class Answer:
    """One answer of the server, and how many milliseconds it took."""

    ms: float
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The answer as JSON."""
        return json.loads(self.body)


class Client:
    """A connection that stays open, as a browser's does."""

    def __init__(self, port: int) -> None:
        self._con = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def get(self, path: str, **given: object) -> Answer:
        """Ask with GET."""
        return self._ask("GET", f"{path}?{urlencode(given)}" if given else path)

    def post(self, path: str, **body: object) -> Answer:
        """Ask with POST."""
        return self._ask("POST", path, json.dumps(body))

    def close(self) -> None:
        """Hang up."""
        self._con.close()

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        headers = {"Content-Type": "application/json"} if body else {}
        start = time.perf_counter()
        self._con.request(method, path, body, headers)
        answer = self._con.getresponse()
        data = answer.read()
        return Answer(1000 * (time.perf_counter() - start), answer.status, data)


class Server:
    """A running `boardlake serve`."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port

    def cpu_s(self) -> float:
        """How long it has worked, in seconds of a core."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Its resident memory now."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024


@contextmanager
def serving(lake: Path) -> Iterator[Server]:
    """The server over *lake* until the block ends."""
    with (
        tempfile.NamedTemporaryFile("w+") as said,
        subprocess.Popen(
            boardlake("--lake", str(lake), "serve", "--port", "0"), stderr=said
        ) as process,
    ):
        try:
            yield Server(process.pid, _port(Path(said.name), process))
        finally:
            process.terminate()
            rest = Path(said.name).read_text().partition("\n")[2]
            print(rest[-4_000:], end="", file=sys.stderr)


def _port(said: Path, process: subprocess.Popen[bytes]) -> int:
    while process.poll() is None:
        found = re.search(r":(\d+)/", said.read_text())
        if found:
            return int(found[1])
        time.sleep(0.02)
    raise RuntimeError(said.read_text())


def timed(
    server: Server, ask: Callable[[int], Answer], times: int, warm: int = 3
) -> dict[str, float]:
    """Median, 95th percentile and worst of *times* answers to *ask* (given a number), in ms.

    `cpu_ms` is what the server worked for each, on all cores: it says the most on a busy machine.
    """
    for number in range(warm):
        check(ask(-1 - number))
    before = server.cpu_s()
    found = sorted(check(ask(number)).ms for number in range(times))
    return {
        "median_ms": statistics.median(found),
        "p95_ms": found[min(len(found) - 1, int(0.95 * len(found)))],
        "worst_ms": found[-1],
        "cpu_ms": 1000 * (server.cpu_s() - before) / times,
    }


def check(answer: Answer) -> Answer:
    """*answer*, unless it is an error."""
    if answer.status != 200:
        raise RuntimeError(f"HTTP {answer.status}: {answer.body[:500]!r}")
    return answer


def many_runs(root: Path, runs: int) -> Path:
    """A lake of *runs* runs with 20 series and 20 hyperparameters each, without points."""
    return _made(root / f"runs{runs}", lambda lake: search_bench.fill(lake, runs))


def many_points(root: Path, runs: int, steps: int) -> Path:
    """A lake of *runs* runs x 20 tags x *steps* points."""
    return _made(root / f"points{runs}x{steps}", lambda lake: latency.build(lake, runs, steps))


def long_runs(root: Path, runs: int, steps: int) -> Path:
    """A lake of *runs* runs with one series of *steps* points each."""

    def fill(lake: Lake) -> None:
        for run in range(1, runs + 1):
            lake.con.execute(_POINTS.format(run=run, steps=steps))
        latency.describe(lake, runs, steps)

    return _made(root / f"long{runs}x{steps}", fill)


def _made(path: Path, fill: Callable[[Lake], None]) -> Path:
    if not (path / "done").exists():
        with open_lake(locate(str(path)), read_only=False, create=True) as lake:
            fill(lake)
        (path / "done").touch()
    return path
