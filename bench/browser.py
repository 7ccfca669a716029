"""How long people wait in the browser: first chart, all in sight, smoothing, zoom; beside TensorBoard.

Headless Chromium without a GPU at 1640 x 900, a fresh profile for each visit, medians of --times.
TensorBoard serves the same 500 runs from their event files; ours come from a lake that holds them.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from logs import write_logs
from measure import boardlake, peak_mb, process, report
from playwright.sync_api import Browser, Page, sync_playwright
from serving import Server, long_runs, serving

_CHROMIUM = "/usr/bin/chromium"
_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_VISIT_MS = 180_000
# Waits for the first chart, and for all in sight; a frame later the last one is painted.
_WAIT = """() => new Promise((done) => {
  const drawn = DRAWN;
  let first = 0;
  const inSight = (card) => {
    const box = card.getBoundingClientRect();
    return box.top < innerHeight && box.bottom > 0 && box.height > 0;
  };
  const look = () => {
    const seen = [...document.querySelectorAll('CARDS')].filter(inSight);
    if (!first && seen.some(drawn)) first = performance.now();
    const tell = () => done({ first, all: performance.now(), charts: seen.length });
    requestAnimationFrame(seen.length && seen.every(drawn) ? tell : look);
  };
  look();
})"""
# A chart says what it shows in the same turn in which its figure is given the lines.
_OURS = _WAIT.replace("CARDS", ".card").replace(
    "DRAWN",
    "(card) => / [1-9][0-9,]* lines?,/.test(card.querySelector('.plot').ariaLabel ?? '')",
)
# A card of TensorBoard's Time Series page is drawn when its chart has lines.
_TENSORBOARD = _WAIT.replace("CARDS", "scalar-card").replace(
    "DRAWN",
    "(card) => card.querySelector('line-chart canvas, line-chart svg path')"
    " && !card.querySelector('mat-spinner')",
)
_PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_SLIDE = """async () => {
  const slider = document.querySelector('.toolbar input[type=range]');
  const took = [];
  for (let i = 0; i < 15; i += 1) {
    const start = performance.now();
    slider.value = String(0.3 + 0.04 * i);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    took.push(performance.now() - start);
  }
  return took;
}"""


@contextmanager
def visiting(browser: Browser, url: str) -> Iterator[Page]:
    """A page at *url* with nothing cached; the visit is measured from its start on."""
    context = browser.new_context(viewport={"width": 1640, "height": 900})
    context.set_default_timeout(_VISIT_MS)
    page = context.new_page()
    page.goto(url, wait_until="commit")
    yield page
    context.close()


def visits(browser: Browser, url: str, script: str, times: int) -> dict[str, float]:
    """Medians of the first chart and of all in sight, in ms since the visit began.

    Once with nothing cached, and once for people who come back (`again`).
    """
    found: list[dict[str, float]] = []
    again: list[dict[str, float]] = []
    for _ in range(times):
        with visiting(browser, url) as page:
            found.append(page.evaluate(script))
            page.goto("about:blank")
            page.goto(url, wait_until="commit")
            again.append(page.evaluate(script))
    return {
        "first_ms": statistics.median(one["first"] for one in found),
        "in_sight_ms": statistics.median(one["all"] for one in found),
        "again_first_ms": statistics.median(one["first"] for one in again),
        "again_in_sight_ms": statistics.median(one["all"] for one in again),
        "charts_in_sight": found[-1]["charts"],
    }


def charts(browser: Browser, root: Path, times: int) -> dict[str, Any]:
    """50 charts of 20 runs with 1,000 points: visit, scroll through all, smooth."""
    lake = _lake(root / "charts", files=20, events=50_000, tags=50)
    with serving(lake) as server:
        url = f"http://127.0.0.1:{server.port}/?n=20"
        visits(browser, url, _OURS, 1)
        found: dict[str, Any] = visits(browser, url, _OURS, times)
        with visiting(browser, f"{url}&view=charts") as page:
            page.evaluate(_OURS)
            cards = page.locator(".card").count()
            start = time.perf_counter()
            for card in range(0, cards, 4):
                page.locator(".card").nth(card).scroll_into_view_if_needed()
                page.evaluate(_OURS)
            found["scrolled_through_ms"] = 1000 * (time.perf_counter() - start)
            page.locator(".sections").evaluate("(el) => el.scrollTo(0, 0)")
            page.evaluate(_OURS)
            page.wait_for_timeout(1_000)
            took = sorted(page.evaluate(_SLIDE))
            found |= {"slider_ms": statistics.median(took), "slider_p90_ms": took[-2]}
            found["charts"] = cards
    return found


def zoom(browser: Browser, root: Path, times: int) -> dict[str, float]:
    """A chart of 20 runs of a million points: visit, then zoom into a tenth until it is finer."""
    lake = long_runs(root, 20, 1_000_000)
    found = []
    with serving(lake) as server:
        url = f"http://127.0.0.1:{server.port}/?n=20&view=charts&size=l"
        first = visits(browser, url, _OURS, times)
        for _ in range(times):
            with visiting(browser, url) as page:
                page.evaluate(_OURS)
                page.wait_for_timeout(500)
                box = page.locator(".plot").first.bounding_box()
                assert box
                middle = box["y"] + box["height"] / 2
                page.mouse.move(box["x"] + 0.5 * box["width"], middle)
                page.mouse.down()
                page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=3)
                start = time.perf_counter()
                with page.expect_response("**/api/v1/series"):
                    page.mouse.up()
                page.evaluate(
                    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
                )
                found.append(1000 * (time.perf_counter() - start))
    return {"long_first_ms": first["first_ms"], "long_zoom_ms": statistics.median(found)}


def beside_tensorboard(browser: Browser, root: Path, runs: int, times: int) -> dict[str, Any]:
    """The same runs in both: from a stopped server to the first chart, and each visit after that."""
    lake = _lake(root / f"beside{runs}", files=runs, events=10_000, tags=20)
    logs = lake.parent / "logs"
    figures: dict[str, Any] = {"runs": runs}
    start = time.perf_counter()
    with serving(lake) as server:
        url = f"http://127.0.0.1:{server.port}/?n=200"
        with visiting(browser, url) as page:
            page.evaluate(_OURS)
        figures["boardlake_cold_s"] = time.perf_counter() - start
        figures["boardlake"] = visits(browser, url, _OURS, times)
        figures["boardlake_mb"] = _memory(server.pid)
    start = time.perf_counter()
    with _tensorboard(logs) as (server, url):
        with visiting(browser, url) as page:
            page.evaluate(_TENSORBOARD)
        figures["tensorboard_cold_s"] = time.perf_counter() - start
        figures["tensorboard"] = visits(browser, url, _TENSORBOARD, times)
        figures["tensorboard_mb"] = _memory(server.pid)
    return figures


@contextmanager
def _tensorboard(logs: Path) -> Iterator[tuple[Server, str]]:
    """TensorBoard as people start it, once its own data server has read everything."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--port", "0"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stderr
        try:
            for line in running.stderr:
                at = re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/", line)
                if at:
                    yield Server(running.pid, int(at[1])), f"http://127.0.0.1:{at[1]}/#timeseries"
                    return
            raise RuntimeError("TensorBoard did not start")
        finally:
            running.terminate()


def _memory(pid: int) -> float:
    """Peak memory of a process and its children in MB: TensorBoard reads in one of them."""
    children = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
    )
    return peak_mb(pid) + sum(_memory(int(child)) for child in children.stdout.split())


def _lake(folder: Path, files: int, events: int, tags: int) -> Path:
    """A lake of logs, both made where they are missing."""
    lake = folder / "lake"
    if not (folder / "done").exists():
        write_logs(folder / "logs", files, events, tags)
        process(boardlake("--lake", str(lake), "ingest", str(folder / "logs")))
        (folder / "done").touch()
    return lake


def main() -> None:
    """Build what is missing, visit, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lakes", type=Path, default=Path(tempfile.gettempdir()) / "boardlake-bench"
    )
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--only", choices=("charts", "zoom", "tensorboard"))
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGS)
        if options.only in (None, "charts"):
            figures |= charts(browser, options.lakes, options.times)
        if options.only in (None, "zoom"):
            figures |= zoom(browser, options.lakes, options.times)
        if options.only in (None, "tensorboard"):
            figures |= beside_tensorboard(browser, options.lakes, options.runs, options.times)
        browser.close()
    report("browser", **figures)


if __name__ == "__main__":
    main()
