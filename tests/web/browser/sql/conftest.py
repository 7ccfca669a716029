"""The SQL page over the samples: its editor, its rows, its chart, and its modules."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

Serve = Callable[[Path, Path], AbstractContextManager[str]]

PATIENCE_MS = 30_000


@pytest.fixture
def sql(page: Page, server_url: str) -> Callable[..., Page]:
    """Opens the page with a state."""

    def opened(q: str = "", **state: str) -> Page:
        given = {"q": q, **state} if q else state
        page.goto(f"{server_url}/sql" + (f"?{urlencode(given)}" if given else ""))
        expect(page.locator(".sql-table").first).to_be_attached(timeout=PATIENCE_MS)
        return page

    return opened


def rows(page: Page) -> list[list[str]]:
    """The cells of the rows in sight, without their numbers."""
    expect(page.locator(".sql-count")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".sql-result:not(.busy)")).to_be_attached(timeout=PATIENCE_MS)
    found: list[list[str]] = page.evaluate(
        "() => [...document.querySelectorAll('.sql-rows .space > .row')]"
        ".sort((a, b) => a.dataset.i - b.dataset.i)"
        ".map((row) => [...row.querySelectorAll('.cell')].slice(1).map((cell) => cell.textContent))"
    )
    return found


def write(page: Page, text: str) -> None:
    """Type into the empty editor, without its suggestions."""
    page.get_by_label("SQL", exact=True).fill(text)


def run(page: Page) -> None:
    """Run by keys, and wait for what comes."""
    with page.expect_response("**/api/v1/sql"):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".sql-result:not(.busy)")).to_be_attached(timeout=PATIENCE_MS)


def drawn(page: Page, what: str) -> None:
    """Wait for a chart of *what*."""
    picture = page.locator(".sql-chart canvas")
    expect(picture).to_have_attribute("aria-label", re.compile(what), timeout=PATIENCE_MS)


def module(page: Page, path: str, body: str, *given: Any) -> Any:
    """What *body* (of a function of the module and a list) gives."""
    return page.evaluate(
        f"async (given) => {{ const m = await import('/static/test/sql/{path}.js'); {body} }}",
        list(given),
    )
