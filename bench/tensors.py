"""How long people wait for histograms, PR curves and texts of 30 runs, and for a search within texts.

The service over HTTP on one connection, then the page in headless Chromium without a GPU at
1640 x 900, a fresh profile for each visit; medians of --times. Histograms are those that PyTorch
writes, of 3,000 values in some 300 buckets, 100 steps of 2 tags; curves have 201 thresholds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from browser import _ARGS, _CHROMIUM, visiting
from measure import boardlake, process, report
from playwright.sync_api import Browser, sync_playwright
from serving import Client, Server, check, serving, timed

from boardlake.ingest.sample.writer import EventWriter

_RUNS, _STEPS, _VALUES = 30, 100, 3_000
_POSITIVE = 1e-12 * 1.1 ** np.arange(300)
_EDGES = np.concatenate([-_POSITIVE[::-1], [0.0], _POSITIVE])
_THRESHOLDS = np.linspace(0, 1, 201)
# Waits until the first sheet is drawn: by then its canvases are painted in the same frame.
_DRAWN = """() => new Promise((done) => {
  const look = () => {
    const drawn = document.querySelector('.tensors .sheetbox:not(.waiting) :is(canvas, .textcolumn)');
    requestAnimationFrame(drawn ? () => done(performance.now()) : look);
  };
  look();
})"""


def _histogram(values: np.ndarray) -> np.ndarray:
    counts, _ = np.histogram(values, _EDGES)
    full = np.flatnonzero(counts)
    low, high = full[0], full[-1] + 1
    return np.stack([_EDGES[low:high], _EDGES[low + 1 : high + 1], counts[low:high]], 1)


def _curve(rng: np.random.Generator, step: int) -> np.ndarray:
    truth = rng.random(500) < 0.3
    scores = np.clip(rng.normal(0.35 + truth * (0.1 + 0.003 * step), 0.15), 0, 1)
    above = scores[None, :] >= _THRESHOLDS[:, None]
    tp, fp = (above & truth).sum(1), (above & ~truth).sum(1)
    precision, recall = tp / np.maximum(tp + fp, 1), tp / max(truth.sum(), 1)
    return np.stack([tp, fp, (~truth).sum() - fp, truth.sum() - tp, precision, recall]).astype(
        float
    )


def write(logs: Path) -> None:
    """The logs of all runs."""
    for run in range(_RUNS):
        rng = np.random.default_rng(run)
        path = logs / f"run{run:02}" / "events.out.tfevents.1700000000.host.1.0"
        with EventWriter(path) as writer:
            writer.file_version(1.7e9 + run)
            for step in range(_STEPS):
                wall = 1.7e9 + run + step
                for tag in ("layer1", "layer2"):
                    spread = 0.02 + 0.0006 * step * (1 + run % 6)
                    rows = _histogram(rng.normal(0, spread, _VALUES))
                    writer.tensor(tag, rows, 50 * step, wall, plugin="histograms")
                text = " ".join(f"word{one}" for one in rng.integers(0, 500, 120))
                writer.text("sample", f"## step {step}\n\n{text}", 50 * step, wall)
                if step % 5 == 0:
                    curve = _curve(rng, step)
                    writer.tensor("val/pr", curve, 50 * step, wall, plugin="pr_curves")


def lake_of(folder: Path) -> Path:
    """A lake of such logs, both made where they are missing."""
    lake = folder / "lake"
    if not (folder / "done").exists():
        write(folder / "logs")
        process(boardlake("--lake", str(lake), "ingest", str(folder / "logs")))
        (folder / "done").touch()
    return lake


def asked(server: Server, times: int) -> dict[str, Any]:
    """What the page asks for, answer by answer."""
    client = Client(server.port)
    rows = check(client.get("/api/v1/runs", columns="run_key", limit=_RUNS)).json["rows"]
    keys = [row[1] for row in rows]
    questions: dict[str, tuple[str, dict[str, Any]]] = {
        "histograms_50_steps": ("histograms", {"tag": "layer1", "most": 50}),
        "histograms_one_step": ("histograms", {"tag": "layer1", "step": 2_000}),
        "histograms_fine_25_steps": ("histograms", {"tag": "layer1", "most": 25, "fine": True}),
        "pr_curves_one_step": ("pr_curves", {"tag": "val/pr", "step": 2_000}),
        "texts_last": ("texts", {"tag": "sample/text_summary"}),
        "search_word": ("texts/search", {"query": "word123"}),
        "search_expression": ("texts/search", {"query": "word12[0-9].*word45", "regex": True}),
    }
    figures: dict[str, Any] = {}
    for name, (path, body) in questions.items():
        answer = check(client.post(f"/api/v1/{path}", runs=keys, **body))

        def ask(_: int, path: str = path, body: dict[str, Any] = body) -> Any:
            return client.post(f"/api/v1/{path}", runs=keys, **body)

        figures[name] = timed(server, ask, times, 1) | {"kb": len(answer.body) / 1000}
    client.close()
    return figures


def seen(browser: Browser, server: Server, times: int) -> dict[str, float]:
    """From the address to the first tag of 30 runs."""
    figures = {}
    for kind in ("histograms", "curves", "texts"):
        url = f"http://127.0.0.1:{server.port}/media?kind={kind}&n={_RUNS}&many=1"
        found = []
        for _ in range(times):
            with visiting(browser, url) as page:
                found.append(page.evaluate(_DRAWN))
        figures[f"{kind}_seen_ms"] = statistics.median(found)
    return figures


def main() -> None:
    """Build what is missing, ask, visit, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lakes", type=Path, default=Path(tempfile.gettempdir()) / "boardlake-bench"
    )
    parser.add_argument("--times", type=int, default=9)
    options = parser.parse_args()
    with serving(lake_of(options.lakes / "tensors")) as server:
        figures = asked(server, options.times)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGS)
            figures |= seen(browser, server, max(1, options.times // 2))
            browser.close()
    report("tensors", **figures)


if __name__ == "__main__":
    main()
