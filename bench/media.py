"""How long people wait for images in the browser: 20 runs x 3 tags in a grid, another step, 200 runs.

Headless Chromium without a GPU at 1640 x 900, a fresh profile for each visit, medians of --times.
Images are 128 x 128 PNGs of a scene that gets clearer, about 30 kB each.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from browser import _ARGS, _CHROMIUM, visiting
from measure import boardlake, process, report
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from serving import Server, serving

from boardlake.ingest.sample.writer import EventWriter

_SIDE = 128
# Waits until every image in sight is the one that is asked for, decoded and painted.
_DRAWN = """() => new Promise((done) => {
  const look = () => {
    const box = document.querySelector('.mx')?.getBoundingClientRect();
    const seen = [...document.querySelectorAll('.thumb')].filter((one) => {
      const at = one.getBoundingClientRect();
      return box && at.bottom > box.top && at.top < box.bottom && at.right > box.left && at.left < box.right;
    });
    const whole = (one) => one.querySelector('img')?.complete && one.querySelector('img').naturalWidth > 0;
    const tell = () => done({ at: performance.now(), images: seen.length });
    requestAnimationFrame(seen.length && seen.every(whole) ? () => requestAnimationFrame(tell) : look);
  };
  look();
})"""
# Moves the step and waits until no image in sight is of the step before.
_STEP = """(by) => new Promise((done) => {
  const before = new Map([...document.querySelectorAll('.thumb img')].map((one) => [one.closest('.thumb'), one]));
  const start = performance.now();
  document.querySelector(by > 0 ? '.stepbar button[title^="The next"]' : '.stepbar .back').click();
  const look = () => {
    const same = [...before].filter(([thumb, img]) => thumb.isConnected && thumb.querySelector('img') === img);
    requestAnimationFrame(same.length ? look : () => done(performance.now() - start));
  };
  requestAnimationFrame(look);
})"""
# Scrolls as fast as frames come and gives how long each took.
_SCROLL = """() => new Promise((done) => {
  const el = document.querySelector('.mx');
  const took = [];
  let last = performance.now();
  const move = () => {
    const now = performance.now();
    took.push(now - last);
    last = now;
    el.scrollTop += 120;
    if (took.length < 60) requestAnimationFrame(move);
    else done(took.slice(1));
  };
  requestAnimationFrame(move);
})"""


def write(logs: Path, runs: int, tags: int, steps: int) -> None:
    """Logs of *runs* runs with an image of each of *tags* tags at each step."""
    ramp = np.linspace(0, 255, _SIDE)
    scene = np.stack(
        [
            np.add.outer(ramp, ramp) / 2,
            np.outer(ramp, ramp) / 255,
            255 - np.add.outer(ramp, ramp[::-1]) / 2,
        ]
    )
    for run in range(runs):
        rng = np.random.default_rng(run)
        with EventWriter(
            logs / f"run{run:03}" / "events.out.tfevents.1700000000.host.1.0"
        ) as writer:
            for step in range(steps):
                for tag in range(tags):
                    noise = rng.normal(0, 60 * (1 - step / steps), scene.shape)
                    pixels = np.clip(np.roll(scene, 9 * tag, 1) + noise, 0, 255).astype(np.uint8)
                    out = io.BytesIO()
                    Image.fromarray(pixels.transpose(1, 2, 0)).save(out, "PNG", compress_level=1)
                    writer.image_tensor(
                        f"eval/tag{tag}", [out.getvalue()], _SIDE, _SIDE, 100 * step, 1.7e9 + step
                    )


def lake_of(folder: Path, runs: int, tags: int, steps: int) -> Path:
    """A lake of such logs, both made where they are missing."""
    lake = folder / "lake"
    if not (folder / "done").exists():
        write(folder / "logs", runs, tags, steps)
        process(boardlake("--lake", str(lake), "ingest", str(folder / "logs")))
        (folder / "done").touch()
    return lake


class Counted:
    """Requests of a page and the bytes of their answers."""

    def __init__(self, page: Page) -> None:
        self.requests, self.bytes = 0, 0
        page.on("requestfinished", self._note)

    def _note(self, request: Any) -> None:
        if "/api/v1/media" in request.url:
            self.requests += 1
            self.bytes += request.sizes()["responseBodySize"]


def grid(browser: Browser, server: Server, times: int) -> dict[str, Any]:
    """20 runs x 3 tags: until all images in sight are drawn, and the same after a step."""
    url = f"http://127.0.0.1:{server.port}/media?n=20&sort=name&step=1000"
    first, ahead, far, counted = [], [], [], None
    for _ in range(times):
        with visiting(browser, url) as page:
            counted = Counted(page)
            found = page.evaluate(_DRAWN)
            first.append(found["at"])
            in_sight = {"requests": counted.requests, "kb": counted.bytes / 1000}
            page.wait_for_timeout(1_500)
            # What is ahead is there already; back and forth, so that it stays so.
            for by in (1, 1, -1, -1):
                ahead.append(page.evaluate(_STEP, by))
            for at in (300, 2_000):
                page.get_by_label("Step, as a number").fill(str(at))
                page.wait_for_timeout(100)
                far.append(page.evaluate(_JUMP, str(at)))
                page.wait_for_timeout(500)
    return {
        "in_sight_ms": statistics.median(first), "images_in_sight": found["images"],
        "in_sight_requests": in_sight["requests"], "in_sight_kb": in_sight["kb"],
        "next_step_ms": statistics.median(ahead), "far_step_ms": statistics.median(far),
    }  # fmt: skip


# Types a step that nobody fetched ahead.
_JUMP = _STEP.replace(
    """document.querySelector(by > 0 ? '.stepbar button[title^="The next"]' : '.stepbar .back').click();""",
    "const typed = document.querySelector('.stepbar .at'); typed.value = by;"
    " typed.dispatchEvent(new Event('change'));",
)


def many(browser: Browser, server: Server, times: int) -> dict[str, float]:
    """200 runs x 10 tags: until all in sight are drawn, and frames while it is scrolled through."""
    url = f"http://127.0.0.1:{server.port}/media?n=200&sort=name&view=charts&size=96"
    first, frames = [], []
    for _ in range(times):
        with visiting(browser, url) as page:
            first.append(page.evaluate(_DRAWN)["at"])
            frames += page.evaluate(_SCROLL)
    frames.sort()
    return {
        "many_in_sight_ms": statistics.median(first),
        "scroll_frame_ms": statistics.median(frames),
        "scroll_frame_p95_ms": frames[int(0.95 * len(frames))],
    }


def main() -> None:
    """Build what is missing, visit, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lakes", type=Path, default=Path(tempfile.gettempdir()) / "boardlake-bench"
    )
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGS)
        with serving(lake_of(options.lakes / "media", 20, 3, 40)) as server:
            grid(browser, server, 1)
            figures |= grid(browser, server, options.times)
        with serving(lake_of(options.lakes / "media200", 200, 10, 3)) as server:
            figures |= many(browser, server, max(1, options.times // 2))
        browser.close()
    report("media", **figures)


if __name__ == "__main__":
    main()
