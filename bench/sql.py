"""The SQL page: what its questions cost over a plain connection's, and from Run until rows are drawn.

Each statement is asked as the page does it, over HTTP with JSON for an answer; beside it stands the same
on a plain connection of one thread. What the sandbox itself costs is in sandbox.py. Medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import latency
from browser import _ARGS, _CHROMIUM, visiting
from measure import report, seconds
from playwright.sync_api import Browser, sync_playwright
from serving import Client, serving

from boardlake.lake import ask
from boardlake.lake.database import open_lake
from boardlake.lake.location import Location, locate

_CLIP = 10_000
# Writes a statement, presses Run, and waits for the frame after the row whose first cell is its mark.
_RUN = """async ([sql, mark]) => {
  const input = document.querySelector('.sql-input');
  input.value = sql;
  input.setSelectionRange(sql.length, sql.length);
  input.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise((done) => setTimeout(done, 600));
  const began = performance.now();
  [...document.querySelectorAll('.sql-tools button')].find((one) => one.textContent === 'Run').click();
  const drawn = () => document.querySelector(".sql-rows .row[data-i='0']")?.children[1]?.textContent === mark;
  const frame = () => new Promise(requestAnimationFrame);
  while (!drawn()) await frame();
  await frame();
  return performance.now() - began;
}"""
# One key in a text of 5,000 characters, until the frame in which its colours are painted.
_KEY = """async () => {
  const input = document.querySelector('.sql-input');
  input.value = "SELECT tag, max(value) FROM scalars WHERE tag = 'a' -- x\\n".repeat(90);
  input.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise((done) => setTimeout(done, 300));
  const took = [];
  for (let i = 0; i < 20; i += 1) {
    input.setSelectionRange(7, 7);
    const began = performance.now();
    input.setRangeText('a', 7, 7, 'end');
    input.dispatchEvent(new InputEvent('input', { bubbles: true, data: 'a' }));
    took.push(performance.now() - began);
    await new Promise(requestAnimationFrame);
  }
  return took.sort((a, b) => a - b)[10];
}"""


def statements(runs: int) -> dict[str, str]:
    """What is asked, by name; the first column takes a mark."""
    return {
        "select_1": "SELECT {mark} AS mark",
        "runs": "SELECT {mark} AS mark, * FROM runs ORDER BY run_id",
        "best": "SELECT {mark} AS mark, r.name, s.min FROM series s JOIN runs r USING (run_id)"
        " WHERE tag = 'metric/03' ORDER BY s.min LIMIT 20",
        "one_series": "SELECT {mark} AS mark, step, value FROM scalars"
        f" WHERE run_id = {runs // 2} AND tag = 'metric/07' ORDER BY step",
        "10_000_rows": "SELECT {mark} AS mark, run_id, tag, step, value, time FROM scalars LIMIT 10000",
        "100_000_rows": "SELECT {mark} AS mark, run_id, step, value FROM scalars LIMIT 100000",
    }


def over_http(location: Location, client: Client, runs: int, times: int) -> dict[str, float]:
    """Each statement as the page asks it, and on a plain connection."""
    figures: dict[str, float] = {}
    with open_lake(location) as lake:
        lake.con.execute("SET threads = 1")
        for name, sql in statements(runs).items():
            asked = sql.format(mark=1)
            body = {"query": asked, "format": "json", "limit": 100_000, "clip": _CLIP}
            figures[f"{name}_plain_ms"] = 1000 * seconds(
                lambda s=asked: ask.ask(lake.con, s), times
            )
            figures[f"{name}_ms"] = 1000 * seconds(
                lambda b=body: client.post("/api/v1/sql", **b), times
            )
    for form in ("csv", "parquet"):
        given = {
            "query": statements(runs)["100_000_rows"].format(mark=1),
            "limit": 100_000,
            "format": form,
        }
        figures[f"100_000_rows_{form}_ms"] = 1000 * seconds(
            lambda g=given: client.get("/api/v1/sql", **g), times
        )
    return figures


def in_browser(browser: Browser, port: int, runs: int, times: int) -> dict[str, float]:
    """From Run to the frame after the rows; a key in a long text; a visit that shows rows."""
    figures: dict[str, float] = {}
    with visiting(browser, f"http://127.0.0.1:{port}/sql?limit=100000") as page:
        page.wait_for_selector(".sql-table")
        for name, sql in statements(runs).items():
            took = []
            for mark in range(1000, 1000 + times + 1):
                took.append(page.evaluate(_RUN, [sql.format(mark=mark), str(mark)]))
            figures[f"{name}_drawn_ms"] = statistics.median(took[1:])
        figures["key_in_5_000_characters_ms"] = page.evaluate(_KEY)
    visits = []
    for _ in range(times):
        with visiting(browser, f"http://127.0.0.1:{port}/sql?q=SELECT+7+AS+n") as page:
            page.wait_for_selector(".sql-rows .row[data-i='0']")
            visits.append(page.evaluate("performance.now()"))
    figures["visit_ms"] = statistics.median(visits)
    return figures


def main() -> None:
    """Build, ask, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        location = locate(f"{folder}/lake")
        with open_lake(location, read_only=False, create=True) as lake:
            latency.build(lake, options.runs, options.steps)
        figures: dict[str, Any] = {}
        with serving(Path(folder) / "lake") as server:
            client = Client(server.port)
            client.post("/api/v1/sql", query="SELECT 1")
            figures |= over_http(location, client, options.runs, options.times)
            client.close()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGS)
                figures |= in_browser(browser, server.port, options.runs, options.times)
                browser.close()
    report("sql", points=options.runs * options.steps * 20, **figures)


if __name__ == "__main__":
    main()
