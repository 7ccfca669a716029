"""TensorBoard over the lake beside TensorBoard over the event files: the first card, the server's memory.

Selections of 1, 50 and 500 runs of 20 tags with 1,000 points each, in headless Chromium without a
GPU at 1640 x 900, a fresh profile for each visit, medians of --times. Stock TensorBoard is started
as people start it, with its data server, and visited once it has read everything. A card counts
when its chart shows a line: its colours are looked for in pictures of the page.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from logs import write_logs
from measure import boardlake, process, report
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from serving import serving

_CHROMIUM = "/usr/bin/chromium-headless-shell"
# Lines are drawn with WebGL, which takes a renderer without a GPU.
_ARGS = [
    "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_VISIT_MS = 300_000
_LOADED_S = 900.0
_RUNS, _TAGS, _STEPS = 500, 20, 1_000
_TAG = "train/loss"
# So many pixels of a strong colour are a line, and no tick of an axis.
_COLOURED = 200
_IDLE_S = 2.0


def logs_and_lake(root: Path) -> tuple[Path, Path]:
    """The event files and a lake of them, made where they are missing."""
    logs, lake = root / "logs", root / "lake"
    if not (root / "done").exists():
        write_logs(logs, _RUNS, _STEPS * _TAGS, _TAGS)
        process(boardlake("--lake", str(lake), "ingest", str(logs)))
        (root / "done").touch()
    return logs, lake


class Asked:
    """A server's answers; a connection that stays open, as a browser's does."""

    def __init__(self, port: int, at: str) -> None:
        self._con = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self.at = at

    def json(self, path: str, form: Mapping[str, Any] | None = None) -> Any:
        """The answer to a GET, or to a POST of a form or of JSON (where *path* is the API's)."""
        api = path.startswith("/api/")
        body = None if form is None else json.dumps(form) if api else urlencode(form)
        kind = "application/json" if api else "application/x-www-form-urlencoded"
        self._con.request(
            "GET" if body is None else "POST", path if api else self.at + path, body,
            {"Content-Type": kind} if body else {},
        )  # fmt: skip
        answer = self._con.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"HTTP {answer.status} of {path}: {data[:300]!r}")
        return json.loads(data)

    def card(self) -> Any:
        """The points of a card of all runs."""
        asked = json.dumps([{"plugin": "scalars", "tag": _TAG}])
        return self.json("data/plugin/timeseries/timeSeries", {"requests": asked})

    def tags(self) -> Any:
        """The lists that Time Series begins with."""
        return self.json("data/plugin/timeseries/tags")

    def timed(self, times: int) -> dict[str, float]:
        """Medians of both as the server gives them, in ms, and how many points a card has."""
        found: dict[str, float] = {}
        for name, ask in (("card_ms", self.card), ("tags_ms", self.tags)):
            found[name] = statistics.median(_ms(ask) for _ in range(times))
        points = self.card()[0]["runToSeries"].values()
        return found | {"card_points": sum(map(len, points))}


def _ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def first_card(browser: Browser, url: str) -> float:
    """Milliseconds from navigation until the first card shows a line."""
    context = browser.new_context(viewport={"width": 1640, "height": 900})
    context.set_default_timeout(_VISIT_MS)
    page = context.new_page()
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    chart = page.locator("scalar-card line-chart").first
    chart.wait_for()
    box = chart.bounding_box()
    while not _drawn(page, box):
        page.wait_for_timeout(20)
        box = chart.bounding_box()
        if time.perf_counter() - start > _VISIT_MS / 1000:
            raise RuntimeError(f"no line in {_VISIT_MS / 1000:.0f} s: {url}")
    took = 1000 * (time.perf_counter() - start)
    context.close()
    return took


def _drawn(page: Page, box: Any) -> bool:
    """Whether the first card has a line: text, axes and the page are grey, what loads is orange."""
    if box is None or page.locator("scalar-card").first.locator("mat-spinner").count():
        return False
    with Image.open(io.BytesIO(page.screenshot(clip=box))) as picture:
        rgb = np.asarray(picture.convert("RGB"), np.int16)
    return int(np.sum(rgb.max(axis=2) - rgb.min(axis=2) > 25)) > _COLOURED


def memory_mb(pid: int) -> dict[str, float]:
    """Resident (RSS) and proportional (PSS) memory of a process and its children in MB."""
    found = {"rss_mb": 0.0, "pss_mb": 0.0}
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    for name in ("Rss", "Pss"):
        kb = re.search(rf"^{name}:\s+(\d+)", told, re.MULTILINE)
        found[f"{name.lower()}_mb"] = int(kb[1]) / 1024 if kb else 0.0
    children = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
    )
    for child in children.stdout.split():
        for name, mb in memory_mb(int(child)).items():
            found[name] += mb
    return found


def visited(browser: Browser, url: str, ask: Asked, pid: int, times: int) -> dict[str, Any]:
    """The first visit, the median of those after it, answers, memory after all that."""
    found: dict[str, Any] = {"first_visit_ms": first_card(browser, url)}
    found["first_card_ms"] = statistics.median(first_card(browser, url) for _ in range(times))
    found |= ask.timed(times)
    return found | memory_mb(pid)


def ours(browser: Browser, lake: Path, runs: int, times: int) -> dict[str, Any]:
    """A server over the whole lake, asked for a selection of *runs*."""
    with serving(lake) as server:
        ask = Asked(server.port, "/")
        listed = ask.json(f"/api/v1/runs?columns=run_key&sort=name&limit={_RUNS}")["rows"]
        time.sleep(_IDLE_S)
        idle = memory_mb(server.pid)
        keys = [row[1] for row in listed[:runs]]
        ask.at = ask.json("/api/v1/tensorboard", {"runs": keys})["url"]
        url = f"http://127.0.0.1:{server.port}{ask.at}#timeseries"
        found = visited(browser, url, ask, server.pid, times)
    return found | {f"idle_{name}": mb for name, mb in idle.items()}


def stock(browser: Browser, logs: Path, times: int, runs: int) -> dict[str, Any]:
    """TensorBoard over the event files, once it has read them."""
    start = time.perf_counter()
    with _tensorboard(logs) as (pid, port):
        ask = Asked(port, "/")
        _wait_for_all(ask, runs, start)
        loaded = time.perf_counter() - start
        url = f"http://127.0.0.1:{port}/#timeseries"
        return {"loaded_s": loaded} | visited(browser, url, ask, pid, times)


def _wait_for_all(ask: Asked, runs: int, start: float) -> None:
    """Wait until every run is listed with every tag, and its last point is there."""
    missing = {f"run_{number:04d}" for number in range(runs)}
    while missing:
        tags = ask.json("data/plugin/scalars/tags")
        for run in sorted(missing):
            if len(tags.get(run, ())) < _TAGS:
                break
            query = urlencode({"run": run, "tag": max(tags[run])})
            points = ask.json(f"data/plugin/scalars/scalars?{query}")
            if points[-1][1] < _STEPS - 1:
                break
            missing.discard(run)
        if missing:
            if time.perf_counter() - start > _LOADED_S:
                raise RuntimeError(f"TensorBoard has not read {len(missing)} runs")
            time.sleep(0.1)


@contextmanager
def _tensorboard(logs: Path) -> Iterator[tuple[int, int]]:
    """The process and port of a TensorBoard."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--port", "0"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stderr
        try:
            for line in running.stderr:
                at = re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/", line)
                if at:
                    yield running.pid, int(at[1])
                    return
            raise RuntimeError("TensorBoard did not start")
        finally:
            running.terminate()


def _some(logs: Path, runs: int) -> Path:
    """A directory of links to the first *runs* runs."""
    folder = logs.parent / f"logs{runs}"
    folder.mkdir(exist_ok=True)
    for run in sorted(logs.iterdir())[:runs]:
        link = folder / run.name
        if not link.is_symlink():
            link.symlink_to(run, target_is_directory=True)
    return folder


def main(arguments: Sequence[str] | None = None) -> None:
    """Build what is missing, visit, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lakes", type=Path, default=Path(tempfile.gettempdir()) / "boardlake-bench"
    )
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--runs", type=int, nargs="+", default=[1, 50, _RUNS])
    options = parser.parse_args(arguments)
    logs, lake = logs_and_lake(options.lakes / "dashboards")
    figures: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGS)
        for runs in options.runs:
            figures[f"runs{runs}"] = {
                "boardlake": ours(browser, lake, runs, options.times),
                "tensorboard": stock(browser, _some(logs, runs), options.times, runs),
            }
        browser.close()
    report("dashboards", **figures)


if __name__ == "__main__":
    main()
