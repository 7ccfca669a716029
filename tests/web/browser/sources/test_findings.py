"""The page of sources: runs in trouble, problems, copies, disk use, data quality."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from boardlake.cli.main import main

from .conftest import (
    DAMAGED,
    Logs,
    ask,
    state,
    table,
)


def test_runs_in_trouble(page: Page, at: str) -> None:
    """Stalled and failed runs with the time since and the reason, and the way to the run table."""
    page.goto(f"{at}/sources?tab=trouble")
    stalled, failed = table(page, "Stalled runs"), table(page, "Failed runs")
    expect(stalled).to_have_count(4)
    expect(failed).to_have_count(1)
    expect(failed.first).to_contain_text("ValueError: out of luck")
    expect(failed.first.locator("time")).to_have_attribute("title", re.compile("UTC$"))
    # The copy of a stalled run has stalled, too.
    expect(page.get_by_text("4 of 5 runs: archived runs and copies are left out")).to_be_visible()
    page.get_by_role("region", name="Stalled runs").get_by_role(
        "link", name="Open in the run table"
    ).click()
    expect(page.locator(".count")).to_contain_text("of 4 drawn")
    page.go_back()
    failed.first.get_by_role("link").first.click()
    expect(page.locator(".head .state")).to_have_text("failed")


def test_problems_page_by_page(page: Page, at: str) -> None:
    """Kinds with their numbers, a search in paths, pages, and a command that asks for the same."""
    page.goto(f"{at}/sources?tab=problems")
    kinds = page.get_by_role("group", name="Kinds of problems").get_by_role("button")
    expect(kinds).to_have_count(2)
    expect(kinds.first).to_contain_text(f"bad payload{DAMAGED}")
    rows = table(page, "Problems")
    expect(rows).to_have_count(100)
    pager = page.get_by_role("group", name="Pages of problems")
    expect(pager).to_contain_text("1 to 100 of 261")
    pager.get_by_role("button", name="Next page").click()
    expect(pager).to_contain_text("101 to 200 of 261")
    pager.get_by_role("button", name="Last page").click()
    expect(rows).to_have_count(61)
    assert state(page)["at"] == "200"
    kinds.last.click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("the whole source")
    assert "at" not in state(page)
    kinds.last.click()
    page.get_by_label("Search paths").fill("DAMAGED/events")
    expect(page.get_by_text(f"{DAMAGED} problems in 1 file")).to_be_visible()
    expect(rows.first.get_by_role("link", name="damaged")).to_have_attribute(
        "href", re.compile(r"/run/\w+\?tab=files")
    )
    page.get_by_label("Search paths").fill("no such path")
    expect(page.get_by_text("No problem is like this.")).to_be_visible()
    page.get_by_role("button", name="Show all problems").click()
    expect(rows).to_have_count(100)


def test_the_command_asks_for_the_same(page: Page, at: str, trouble: Logs, capfd: Any) -> None:
    """What is copied works in a shell, quotes and all."""
    page.goto(f"{at}/sources?tab=problems&kind=bad payload&path=damaged/events")
    page.get_by_text("The same in SQL").click()
    command = shlex.split(page.locator("code.sql").inner_text())
    assert command[:2] == ["boardlake", "sql"]
    assert main(["--config", str(trouble.config), *command[1:]]) == 0
    assert capfd.readouterr().out.count("bad payload") == DAMAGED
    page.goto(f"{at}/sources?tab=problems&path=it's")
    page.get_by_text("The same in SQL").click()
    command = shlex.split(page.locator("code.sql").inner_text())
    assert main(["--config", str(trouble.config), *command[1:]]) == 0


def test_copies(page: Page, at: str) -> None:
    """Which run is shown, and where its copies lie."""
    page.goto(f"{at}/sources?tab=copies")
    rows = table(page, "Runs with copies")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("silent0")
    expect(rows.first).to_contain_text("kept/silent0")
    page.get_by_label("Source", exact=True).select_option("nowhere")
    expect(page.get_by_text("No run of nowhere lies in several places.")).to_be_visible()


def test_disk(page: Page, at: str) -> None:
    """Projects and tags by size, tables of the lake, and that some of it is estimated."""
    page.goto(f"{at}/sources?tab=disk")
    told = ask(at, "disk", limit=20)
    for name, key in (
        ("Size of tables", "tables"),
        ("Size of projects", "projects"),
        ("Size of tags", "tags"),
    ):
        rows = table(page, name)
        expect(rows).to_have_count(len(told[key]))
        widths = rows.locator(".diskbar > span").evaluate_all(
            "(all) => all.map((el) => el.offsetWidth)"
        )
        assert widths == sorted(widths, reverse=True) and widths[0] > 50
    expect(page.get_by_text(re.compile("are estimates"))).to_be_visible()
    expect(table(page, "Size of tags").get_by_role("link", name="constructor")).to_be_visible()


@pytest.fixture(scope="module")
def checks(at: str) -> list[dict[str, Any]]:
    """The checks of the report on data."""
    found: list[dict[str, Any]] = ask(at, "quality")["checks"]
    return found


def test_quality_tells_what_it_found(page: Page, at: str, checks: list[dict[str, Any]]) -> None:
    """A card for each check; what found nothing says so; findings unfold and stand in the address."""
    page.goto(f"{at}/sources?tab=quality")
    expect(page.locator(".check")).to_have_count(len(checks))
    for one in checks:
        card = page.locator(f'[data-check="{one["id"]}"]')
        expect(card).to_contain_text(one["title"])
        if not one["runs"]:
            expect(card.locator(".fine")).to_have_text("none")
            continue
        expect(card.locator(".chip.found")).to_have_text(
            f"{one['runs']} run{'s' * (one['runs'] > 1)}"
        )
        card.get_by_role("button", name="Show what was found").click()
        rows = table(page, one["title"])
        total = ask(at, f"quality/{one['id']}")["total"]
        expect(rows).to_have_count(min(25, total))
    found = {one["id"]: one["runs"] for one in checks}
    assert found["non_finite"] == 1 and found["failed"] == 1 and found["copies"] == 1
    assert found["stalled"] == 4 and found["problems"] == 1
    assert sum(one["runs"] == 0 for one in checks) > 0
    row = table(page, "NaN or infinite values")
    expect(row).to_contain_text("loss")
    expect(row.get_by_role("link", name="loss")).to_have_attribute(
        "href", re.compile(r"tab=charts&tags=%5Eloss%24")
    )
    expect(row).to_contain_text("20")
    assert set(state(page)["open"].split(",")) == {one["id"] for one in checks if one["runs"]}
    page.reload()
    expect(table(page, "NaN or infinite values")).to_have_count(1)


def test_every_finding_leads_to_its_runs(page: Page, at: str, checks: list[dict[str, Any]]) -> None:
    """The run table behind a card has as many runs as the card says, with columns that say why."""
    for one in checks:
        if not one["runs"]:
            continue
        page.goto(f"{at}/sources?tab=quality&open={one['id']}")
        card = page.locator(f'[data-check="{one["id"]}"]')
        expect(table(page, one["title"]).first).to_be_visible()
        card.get_by_role("link", name="Show in the run table").click()
        expect(page.locator(".count")).to_contain_text(f"of {one['runs']} drawn")
        expect(page.locator(".grid .note")).to_be_hidden()
    page.goto(f"{at}/sources?tab=quality")
    link = page.locator('[data-check="non_finite"]').get_by_role(
        "link", name="Show in the run table"
    )
    expect(link).to_have_attribute("href", re.compile("first_nan"))
    link.click()
    first = page.get_by_role("columnheader", name=re.compile("first nan", re.I))
    column = first.get_attribute("aria-colindex")
    expect(page.locator(f'.grid .space .row [aria-colindex="{column}"]').first).to_have_text("20")
