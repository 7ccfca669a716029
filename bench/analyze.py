"""How long people wait on the analysis page: a scatter plot of 10,000 runs, parallel coordinates of 2,000.

Headless Chromium without a GPU at 1640 x 900, medians of --times visits or of the steps of one.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from browser import _ARGS, _CHROMIUM, visiting
from measure import report
from playwright.sync_api import Browser, Page, sync_playwright
from serving import many_runs, serving

_RUNS = 10_000
_SOME = 2_000
_Y = 'last("val/metric1")'
_CLOSED = '["importance","groups","best"%s]'
# A picture says what it shows in the same turn in which its figure is given the points; a frame later it is painted.
_SHOWN = """([panel, told]) => new Promise((done) => {
  const look = () => {
    const says = document.querySelector(`#${panel} .plot`)?.ariaLabel ?? '';
    if (new RegExp(told).test(says)) requestAnimationFrame(() => done(performance.now()));
    else requestAnimationFrame(look);
  };
  look();
})"""
# Pointer events at places of a plot, each with the time until the second frame behind it.
_DRAG = """async ([panel, from, to, steps, press]) => {
  const plot = document.querySelector(`#${panel} .plot`);
  const box = plot.getBoundingClientRect();
  plot.setPointerCapture = () => {};
  const between = (k, t) => from[k] + (to[k] - from[k]) * t;
  const shared = { bubbles: true, pointerId: 1, button: 0 };
  const at = (t) => ({ ...shared, clientX: box.left + between(0, t), clientY: box.top + between(1, t) });
  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  if (press) plot.dispatchEvent(new PointerEvent('pointerdown', at(0)));
  const took = [];
  for (let i = 1; i <= steps; i += 1) {
    const start = performance.now();
    plot.dispatchEvent(new PointerEvent('pointermove', at(i / steps)));
    await frames();
    took.push(performance.now() - start);
  }
  const start = performance.now();
  if (press) plot.dispatchEvent(new PointerEvent('pointerup', at(1)));
  await frames();
  return { took, end: performance.now() - start };
}"""


def _address(port: int, **state: str) -> str:
    return f"http://127.0.0.1:{port}/analyze?{urlencode(state)}"


def visits(browser: Browser, url: str, panel: str, told: str, times: int) -> float:
    """The median until a panel is drawn, in ms since the visit began."""
    found: list[float] = []
    for _ in range(times):
        with visiting(browser, url) as page:
            page.wait_for_selector(f"#{panel} .plot")
            found.append(page.evaluate(_SHOWN, [panel, told]))
    return statistics.median(found)


def until(page: Page, panel: str, told: str, act: Callable[[], object]) -> float:
    """How many ms pass from *act* until a panel says what was *told*, and is painted."""
    start = time.perf_counter()
    act()
    page.evaluate(_SHOWN, [panel, told])
    return 1000 * (time.perf_counter() - start)


def scatter(browser: Browser, port: int, times: int) -> dict[str, float]:
    """10,000 runs: visit, another axis, hover, a lasso around half of them."""
    closed = _CLOSED % ',"parallel"'
    url = _address(port, sx="hp.param1", sy=_Y, sc="hp.param0", closed=closed)
    told = "against param1: 10,000 runs"
    found: dict[str, float] = {"first_ms": visits(browser, url, "scatter", told, times)}
    with visiting(browser, url) as page:
        page.wait_for_selector("#scatter .plot")
        page.evaluate(_SHOWN, ["scatter", told])
        page.wait_for_timeout(1_000)
        axes = []
        for number in (2, 3, 5, 6, 7, 2, 3, 5, 6, 7):
            box = page.get_by_role("combobox", name="x", exact=True)
            box.fill(f"hp.param{number}")
            act = lambda box=box: box.press("Enter")  # noqa: E731
            axes.append(until(page, "scatter", f"against param{number}:", act))
        found["new_axis_ms"] = statistics.median(axes[:5])
        found["known_axis_ms"] = statistics.median(axes[5:])
        hovered = page.evaluate(_DRAG, ["scatter", [100, 60], [800, 300], 40, False])["took"]
        found["hover_ms"] = statistics.median(hovered)
        size = page.locator("#scatter .plot").bounding_box()
        assert size
        page.get_by_role("button", name="Rectangle").click()
        middle = [size["width"] / 2, size["height"] - 40]
        loop = page.evaluate(_DRAG, ["scatter", [60, 20], middle, 20, True])
        found |= {"lasso_ms": statistics.median(loop["took"]), "lasso_select_ms": loop["end"]}
        found["lasso_runs"] = page.evaluate("() => history.state.values.sel.length")
    return found


def parallel(browser: Browser, port: int, times: int) -> dict[str, float]:
    """2,000 runs on six axes: visit, a brush being drawn, and the table behind it."""
    closed = _CLOSED % ',"scatter"'
    axes = ",".join(["hp.param1", "hp.param2", "hp.param3", "hp.param0", "duration_s", _Y])
    chosen = f"run_id < {_SOME}"
    url = _address(port, axes=axes, q=chosen, closed=closed)
    told = "of 2,000 runs"
    found: dict[str, float] = {"first_ms": visits(browser, url, "parallel", told, times)}
    with visiting(browser, url) as page:
        page.wait_for_selector("#parallel .plot")
        page.evaluate(_SHOWN, ["parallel", told])
        page.wait_for_timeout(1_000)
        hovered = page.evaluate(_DRAG, ["parallel", [200, 60], [800, 250], 40, False])["took"]
        found["hover_ms"] = statistics.median(hovered)
        head = page.locator(".axis-head").nth(1).bounding_box()
        plot = page.locator("#parallel .plot").bounding_box()
        assert head and plot
        x = head["x"] + head["width"] / 2 - plot["x"]
        drawn = page.evaluate(_DRAG, ["parallel", [x, 20], [x, plot["height"] / 2], 30, True])
        took = sorted(drawn["took"])
        found |= {"brush_ms": statistics.median(took), "brush_p90_ms": took[-3]}
        found["brush_done_ms"] = drawn["end"]
    return found


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        lake = many_runs(Path(root), _RUNS)
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGS)
        with serving(lake) as server:
            found: dict[str, Any] = {
                "scatter": scatter(browser, server.port, arguments.times),
                "parallel": parallel(browser, server.port, arguments.times),
            }
        browser.close()
    for part, figures in found.items():
        for name, value in figures.items():
            found[part][name] = float(f"{value:.4g}")
    report("analyze", runs=_RUNS, some=_SOME, **found)


if __name__ == "__main__":
    main()
