"""The analysis page over the samples: its panels, their dots and lines, and what its address says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

Serve = Callable[[Path, Path], AbstractContextManager[str]]

# On a busy machine; nothing is measured here.
PATIENCE_MS = 20_000

VISION, RL = "project = 'vision'", "project = 'rl'"

X, Y = "hp.lr", 'max("val/acc1")'

OTHERS = '["importance","groups","best"]'

AXES = f'hp.lr,hp.batch_size,hp.model,{Y}'  # fmt: skip


@pytest.fixture
def analysis(page: Page, server_url: str) -> Callable[..., Page]:
    """Opens the page with a state, when both plots are drawn; the other panels are closed."""

    def show(**state: str) -> Page:
        asked = {"q": VISION, "sx": X, "sy": Y, "axes": AXES, "closed": OTHERS} | state
        page.goto(f"{server_url}/analyze?{urlencode(asked)}")
        shown(page)
        expect(parallel(page)).to_have_attribute(
            "aria-label", re.compile(r"of \d+ runs?: "), timeout=PATIENCE_MS
        )
        return page

    return show


def scatter(page: Page) -> Locator:
    return page.locator("#scatter .plot")


def parallel(page: Page) -> Locator:
    return page.locator("#parallel .plot")


def shown(page: Page, told: str = r"[\d,]+ runs?$") -> None:
    """The scatter plot is drawn, and says what it shows."""
    expect(scatter(page)).to_have_attribute("aria-label", re.compile(told), timeout=PATIENCE_MS)


def note(page: Page, panel: str) -> Locator:
    return page.locator(f"#{panel} > .inside > .note").last


def state(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def ask(url: str, path: str, **given: Any) -> Any:
    with urlopen(f"{url}/api/v1/{path}?{urlencode(given)}") as answer:
        return json.load(answer)


def rows(url: str, *columns: str, filter: str = VISION) -> list[Any]:
    """run_key and the values of columns of the runs that match, by key."""
    asked = ",".join(("run_key", *columns))
    found = ask(url, "runs", filter=filter, columns=asked, limit=1000)["rows"]
    return sorted((row[1:] for row in found), key=lambda row: row[0])


def selected(page: Page) -> set[str]:
    return set(filter(None, state(page).get("sel", "").split(",")))


def box(target: Locator) -> dict[str, float]:
    target.scroll_into_view_if_needed()
    found = target.bounding_box()
    assert found
    return dict(found)


def drag(page: Page, at: dict[str, float], points: list[tuple[float, float]], *held: str) -> None:
    """Drag along points within a box, as fractions of it."""
    places = [(at["x"] + x * at["width"], at["y"] + y * at["height"]) for x, y in points]
    for key in held:
        page.keyboard.down(key)
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()
    for key in held:
        page.keyboard.up(key)


def dots(page: Page) -> dict[str, tuple[float, float]]:
    """Where each run of the scatter plot is, as fractions of it, as the keyboard goes through them."""
    at = box(scatter(page))
    found = {}
    scatter(page).focus()
    for _ in range(100):
        page.keyboard.press("ArrowRight")
        name = page.locator("#scatter .card-tip strong").inner_text()
        if name in found:
            break
        ring = page.locator("#scatter .above .lit")
        x, y = (float(ring.get_attribute(key) or "nan") for key in ("cx", "cy"))
        found[name] = (x / at["width"], y / at["height"])
    page.keyboard.press("Escape")
    return found


def head(page: Page, expr: str) -> Locator:
    return page.locator(f".axis-head[data-expr='{expr}'] .axis-name")
