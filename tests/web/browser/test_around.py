"""What happens around the charts: a server that goes away, single results, empty windows, the theme."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect


@contextmanager
def serving(lake: Path, port: int = 0) -> Iterator[int]:
    """A server over *lake* in a process of its own; its port."""
    command = [sys.executable, "-m", "boardlake", "--lake", str(lake), "serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr
            found = re.search(r"http://[^:]+:(\d+)", server.stderr.readline())
            assert found
            yield int(found[1])
        finally:
            server.terminate()


def test_a_server_that_is_gone_is_told_and_comes_back(
    page: Page, samples: Path, expected_errors: list[str]
) -> None:
    """The page says since when, keeps what it shows, and goes on by itself."""
    expected_errors.append("Failed to load resource")
    away = page.get_by_role("status").filter(has_text="The server has not answered since")
    with serving(samples) as port:
        page.goto(f"http://127.0.0.1:{port}/?q=vision")
        expect(page.get_by_role("row").nth(1)).to_be_visible()
        expect(away).to_have_count(0)
    expect(away).to_be_visible()
    page.get_by_role("group", name="Quick filters").get_by_role("button", name="finished").click()
    expect(page.get_by_text("the server does not answer").first).to_be_visible()
    with serving(samples, port):
        expect(page.get_by_text("the server does not answer")).to_have_count(0)
        expect(away).to_have_count(0)
        expect(page.get_by_role("gridcell", name="finished").first).to_be_visible()


def test_what_was_logged_once_stands_behind_curves(page: Page, server_url: str) -> None:
    """Results that the hparams plugin writes are one point each: no chart to begin with."""
    page.goto(f"{server_url}/?q=project+%3D+'vision'&n=25")
    heads = page.locator(".section h2 button")
    expect(heads.first).to_contain_text("perf")
    expect(heads.last).to_contain_text("hparam")


def test_a_window_without_points_can_be_left(page: Page, server_url: str) -> None:
    """The zoom is taken back where it says that nothing is to be seen."""
    page.goto(f"{server_url}/?q=project+%3D+'vision'&tags=train/loss&zoom=[-0.2,0.2]")
    card = page.get_by_role("article").first
    expect(card).to_contain_text("No point lies in this window.")
    card.get_by_role("button", name="Reset zoom").click()
    expect(card.get_by_role("img")).to_be_visible()
    expect(card).not_to_contain_text("No point")


def test_a_change_of_the_theme_paints_charts_anew(page: Page, server_url: str) -> None:
    """Grids and labels look as they do on a page that was dark from the start."""
    page.goto(f"{server_url}/?q=project+%3D+'vision'&tags=train/loss")
    card = page.get_by_role("article").first
    expect(card.get_by_role("img")).to_be_visible()
    page.wait_for_timeout(500)
    page.keyboard.press("t")
    page.wait_for_timeout(500)
    changed = card.screenshot()
    page.reload()
    expect(card.get_by_role("img")).to_be_visible()
    page.wait_for_timeout(500)
    assert changed == card.screenshot()


def test_runs_that_are_drawn_together_have_colours_of_their_own(
    page: Page, server_url: str
) -> None:
    """As long as there are enough; an eye or another order changes none of them."""

    def colours() -> dict[str, str | None]:
        rows = page.get_by_role("row").filter(has=page.locator(".name")).all()[:10]
        return {
            row.locator(".name").inner_text(): row.locator(".dot").get_attribute("style")
            for row in rows
        }

    page.goto(f"{server_url}/?q=project+%3D+'vision'")
    expect(page.locator(".name").nth(10)).to_be_visible()
    before = colours()
    assert len(before) == len(set(before.values())) == 10
    page.get_by_role("row").nth(2).locator(".eye").click()
    expect(page.get_by_text("9 of 25 drawn")).to_be_visible()
    assert colours() == before
