"""The analysis page as a whole: what it opens with, its panels, rubbish in its address, real logs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from .conftest import (
    OTHERS,
    RL,
    VISION,
    Serve,
    X,
    Y,
    ask,
    parallel,
    scatter,
    shown,
    state,
)

WHOLE = [(0.06, 0.03), (0.98, 0.03), (0.98, 0.92), (0.06, 0.92), (0.06, 0.05)]


def test_it_opens_with_something_to_see(page: Page, server_url: str) -> None:
    """Nobody has chosen anything: a hyperparameter against a metric, and axes that vary."""
    page.goto(f"{server_url}/analyze")
    shown(page, r"Scatter plot of (max|min|last) .* against \w+: \d+ runs")
    expect(page.locator("#parallel .axis-head").nth(2)).to_be_visible()
    expect(page.locator(".failed")).to_have_count(0)
    # What is automatic is no part of the address, but told in its place.
    assert state(page) == {}
    placeholder = page.get_by_role("combobox", name="x", exact=True).get_attribute("placeholder")
    assert placeholder and placeholder.startswith("hp.")


def test_defaults_are_of_the_runs_that_match(page: Page, server_url: str) -> None:
    """Another filter, other hyperparameters and metrics."""
    page.goto(f"{server_url}/analyze?{urlencode({'q': RL})}")
    shown(page, "episodic_return")


def test_panels_are_closed_and_reached(analysis: Callable[..., Page]) -> None:
    """What is closed is remembered in the address; the bar above opens it again."""
    page = analysis()
    page.get_by_role("button", name="Scatter", exact=True).click()
    expect(scatter(page)).to_be_hidden()
    assert "scatter" in json.loads(state(page)["closed"])
    page.get_by_role("navigation", name="Panels").get_by_role("link", name="Scatter").click()
    expect(scatter(page)).to_be_visible()
    assert "scatter" not in json.loads(state(page)["closed"])


def test_nothing_matches(page: Page, server_url: str) -> None:
    """Each panel says so in its place."""
    page.goto(f"{server_url}/analyze?{urlencode({'q': 'hp.lr > 1e9'})}")
    expect(page.locator("#scatter .message")).to_contain_text("No run matches the filter")
    expect(page.locator("#parallel .message")).to_contain_text("No run matches the filter")
    brushed = {"q": VISION, "sx": X, "sy": Y, "brush": json.dumps({"hp.lr": [[1e9, 1e10]]})}
    page.goto(f"{server_url}/analyze?{urlencode(brushed)}")
    expect(page.locator("#scatter .message")).to_contain_text("The brushes leave no run")
    table = page.locator(".runtable")
    expect(table).to_contain_text("The brushes leave no run")
    table.get_by_role("button", name="Clear the brushes").click()
    expect(page.locator(".over .looked")).to_have_text(re.compile(r"^\d+ runs$"))


@pytest.mark.parametrize(
    "wrong", [None, 1e300, "y" * 20_000, [5], [{}], {"a": {}}, {"a": [1, "b"]}]
)
def test_rubbish_in_a_view(page: Page, server_url: str, wrong: Any) -> None:
    """Values of another type are left out; the page opens."""
    names = (
        "sx sy sc ss sxs sys scs front fx fy trend drag szoom axes inv scale pc curves brush closed"
    )
    if isinstance(wrong, str):
        names = names.replace("sx sy sc ss ", "").replace(" pc", "")
    lists = {"axes", "inv"} if wrong == [5] else set()
    view = {"page": "analyze", "state": dict.fromkeys(set(names.split()) - lists, wrong)}
    answer = page.request.post(f"{server_url}/api/v1/views", data=view)
    assert answer.ok, answer.text()
    page.goto(f"{server_url}/v/{answer.json()['id']}")
    shown(page, r"\d+ runs?$")
    values = page.evaluate("() => history.state.values")
    assert values["szoom"] is None and values["brush"] == {} and values["sxs"] == "auto"


@pytest.fixture(scope="module")
def real_url(
    corpus_lake: Path, tmp_path_factory: pytest.TempPathFactory, serve: Serve
) -> Iterator[str]:
    """The address of a server over the corpus."""
    with serve(corpus_lake, tmp_path_factory.mktemp("analyzed")) as url:
        yield url


def test_real_logs(page: Page, real_url: str) -> None:
    """Whatever they hold, panels are drawn: of all runs, of each project's, with odd axes."""
    projects = [
        row[0] for row in ask(real_url, "groups", group_by="project", sort="-runs", limit=6)["rows"]
    ]
    filters = ["", *(f"project = '{one}'" for one in projects if isinstance(one, str))]
    looks = {"front": "1", "trend": "1", "closed": OTHERS}
    for filter in filters:
        page.goto(f"{real_url}/analyze?{urlencode({'q': filter} | looks)}")
        shown(page, r"\d+ runs?$")
        expect(parallel(page)).to_have_attribute("aria-label", re.compile("Parallel"))
        expect(page.locator("#scatter .failed, #parallel .failed")).to_have_count(0)
    odd = {
        "sx": "created_at",
        "sy": "label",
        "sc": "machine",
        "ss": "points",
        "axes": "label,project,created_at,points",
        "closed": OTHERS,
    }
    page.goto(f"{real_url}/analyze?{urlencode(odd)}")
    shown(page, r"[0-9,]+ runs$")
    expect(page.locator("#scatter .failed, #parallel .failed")).to_have_count(0)
