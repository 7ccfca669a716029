"""Ways to TensorBoard that show none: pages of ours, which say why and lead on."""

from __future__ import annotations

import re
from urllib.parse import quote

from playwright.sync_api import Page, expect

from .test_accessibility import check

_PATIENCE_MS = 20_000


def test_a_filter_that_finds_nothing(page: Page, server_url: str) -> None:
    """It is shown, can be tried again by keyboard, and be changed in the run table."""
    filter = "name = '<i>nobody</i>' or name = 'no one'"
    page.goto(f"{server_url}/tensorboard?q={quote(filter)}")
    expect(page.get_by_role("heading", name="No runs to show")).to_be_visible()
    expect(page.locator("pre")).to_have_text(filter)
    check(page)
    at = page.url
    assert re.fullmatch(rf"{re.escape(server_url)}/tb/\w+/", at)
    again = page.get_by_role("link", name="Try again")
    again.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(at)
    page.get_by_role("link", name="Change the filter").click()
    expect(page.get_by_text("No run matches").first).to_be_visible(timeout=_PATIENCE_MS)
    assert "q=name" in page.url


def test_a_mistake_in_a_filter(page: Page, server_url: str, expected_errors: list[str]) -> None:
    """The page points at the place."""
    expected_errors.append("400")
    page.goto(f"{server_url}/tensorboard?q={quote('points > 1 and hp.lrr > 1')}")
    expect(page.get_by_role("alert")).to_have_text("no run has the hyperparameter lrr.")
    where = page.locator("pre").text_content()
    assert where == "points > 1 and hp.lrr > 1\n               ^"
    check(page)
