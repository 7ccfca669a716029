"""Makes the pictures of the README from the sample logs: .venv/bin/python scripts/screenshots.py"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, sync_playwright

_CHROMIUM = "/usr/bin/chromium"
_ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
_VISION = "project = 'vision' and state = 'finished'"
_STATEMENT = """-- mean loss of each learning rate, from every point
SELECT h.value AS lr, p.step - p.step % 5000 AS step, avg(p.value) AS loss
FROM scalars p JOIN hparams h USING (run_id) JOIN runs r USING (run_id)
WHERE p.tag = 'train/loss' AND h.name = 'lr' AND r.project = 'vision' AND h.number < 1
GROUP BY ALL ORDER BY lr, step"""
_SIZE = {"width": 1440, "height": 810}


@contextmanager
def samples() -> Iterator[str]:
    """The address of a server over fresh sample logs."""
    boardlake = [sys.executable, "-m", "boardlake"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*boardlake, "demo", f"{folder}/demo"], check=True, capture_output=True)
        command = [*boardlake, "--lake", f"{folder}/demo/lake", "serve", "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr
            try:
                found = re.search(r"http://\S+", server.stderr.readline())
                assert found
                yield found[0].rstrip("/")
            finally:
                server.terminate()


def ask(url: str) -> Any:
    """The JSON at *url*."""
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def shoot(browser: Browser, url: str, name: str, dark: bool = False, hover: str = "") -> None:
    """A picture of the page at *url*, with the mouse on the plot that *hover* selects."""
    context = browser.new_context(
        viewport=_SIZE,  # type: ignore[arg-type]
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    page.goto(url, wait_until="networkidle")
    page.wait_for_timeout(1_500)
    if hover:
        box = page.locator(hover).first.bounding_box()
        assert box
        page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.5 * box["height"])
        page.wait_for_timeout(400)
    page.screenshot(path=_IMAGES / f"{name}.png")
    context.close()
    print(_IMAGES / f"{name}.png")


def pictures_of(url: str, keys: list[str]) -> list[tuple[str, str, str]]:
    """Images that runs of *keys* logged: (run_key, tag, stream)."""
    found = []
    for key in keys:
        for one in ask(f"{url}/api/v1/runs/{key}")["series"]:
            if one["plugin"] == "images":
                found.append((key, one["tag"], one["stream"]))
    return found


def main() -> None:
    """All pictures."""
    _IMAGES.mkdir(parents=True, exist_ok=True)
    with samples() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGS)
        runs = ask(f"{url}/api/v1/runs?columns=run_key&limit=4&filter={quote(_VISION)}")["rows"]
        keys = [row[1] for row in runs]
        query = quote("project = 'vision'")
        columns = quote('label,state,hp.lr,hp.batch_size,max("val/acc1") as best')
        pins = quote(json.dumps(["train/loss", "val/acc1"]))
        workspace = (
            f"{url}/?q={query}&cols={columns}&sort=-best&pins={pins}&tags=%5E(train|val)/&pane=500"
        )
        plot = ".card[data-key='pinned train/loss'] .plot"
        shoot(browser, workspace, "workspace", hover=plot)
        groups = quote('label,max("val/acc1") as acc,min("val/loss") as loss')
        shoot(
            browser,
            f"{url}/?q={query}&group=hp.model,hp.lr&cols={groups}&tags=%5Eval/&pane=560&n=6",
            "groups",
            dark=True,
        )
        shoot(browser, f"{url}/run/{keys[0]}", "run")
        shoot(browser, f"{url}/compare?runs={','.join(keys)}&base={keys[0]}", "compare", dark=True)
        shoot(browser, f"{url}/analyze?q={query}&front=1&pane=300", "analysis")
        pictures = ask(f"{url}/api/v1/runs?columns=run_key&limit=200&filter={query}")["rows"]
        first, second = pictures_of(url, [row[1] for row in pictures])[:2]
        two = [
            quote(json.dumps([key, tag, stream, 0, None])) for key, tag, stream in (first, second)
        ]
        media = f"{url}/media?q={query}&n=0&show={first[0]},{second[0]}"
        shoot(browser, f"{media}&va={two[0]}&vb={two[1]}&vm=diff", "media", dark=True)
        chart = quote(json.dumps({"kind": "line", "scale": "log"}))
        shoot(
            browser, f"{url}/sql?q={quote(_STATEMENT)}&show=chart&chart={chart}", "sql", dark=True
        )
        shoot(browser, f"{url}/sources", "sources")
        browser.close()


if __name__ == "__main__":
    main()
