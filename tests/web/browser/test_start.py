"""The pages start in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_the_pages_start(page: Page, server_url: str) -> None:
    """The runs are the first page, and its bar leads to the others."""
    page.goto(server_url)
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text("Runs")
    expect(page).to_have_title("Runs · boardlake")
