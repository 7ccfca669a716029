"""What the SQL page keeps and offers: tables, history, saved queries, examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from boardlake.cli.main import main

from .conftest import PATIENCE_MS, Serve, drawn, module, rows, run, write


def test_tables_are_searched_and_inserted(sql: Callable[..., Page]) -> None:
    """Words beside names; a click writes at the caret."""
    page = sql()
    write(page, "SELECT  FROM runs")
    page.get_by_label("SQL", exact=True).evaluate("(el) => el.setSelectionRange(7, 7)")
    page.get_by_label("Find a table or column").fill("wall_time")
    expect(page.locator(".sql-column").first).to_be_visible()
    assert {*page.locator(".sql-column > .sql-name").all_text_contents()} <= {
        "wall_time", "last_wall_time", "first_wall_time",
    }  # fmt: skip
    page.get_by_label("Find a table or column").fill("duplicate_of")
    expect(page.locator(".sql-column")).to_contain_text("run_id of the fullest copy")
    page.locator(".sql-column").click()
    expect(page.get_by_label("SQL", exact=True)).to_have_value("SELECT duplicate_of FROM runs")
    page.get_by_label("Find a table or column").fill("no such thing")
    expect(page.get_by_text("No table or column is called")).to_be_visible()
    page.get_by_label("Find a table or column").fill("")
    page.get_by_role("button", name="Summary of runs").click()
    expect(page.locator(".sql-count")).to_contain_text("rows", timeout=PATIENCE_MS)
    assert rows(page)[0][0] == "run_id"


def test_history_is_the_readers_own(sql: Callable[..., Page], expected_errors: list[str]) -> None:
    """The newest first, each text once, with what came of it; one click runs it again."""
    expected_errors.append("400")
    page = sql()
    for text in ("SELECT 1 AS a", "SELECT 2 AS b", "SELECT nope", "SELECT 1 AS a"):
        write(page, text)
        run(page)
    page.get_by_role("tab", name="History").click()
    items = page.get_by_role("list", name="History").get_by_role("button")
    expect(items).to_have_count(3)
    texts = [one.locator("code").text_content() for one in items.all()]
    assert texts == ["SELECT 1 AS a", "SELECT nope", "SELECT 2 AS b"]
    expect(items.nth(1)).to_contain_text("failed")
    with page.expect_response("**/api/v1/sql"):
        items.nth(2).click()
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("2")
    page.reload()
    expect(items).to_have_count(3)
    page.get_by_role("button", name="Forget all").click()
    expect(page.get_by_text("What you run is listed here")).to_be_visible()


def test_queries_are_saved_under_a_name(sql: Callable[..., Page]) -> None:
    """With chart and order; the link opens it; it can be deleted."""
    page = sql("SELECT 'a' AS n, 1 AS v UNION ALL SELECT 'b', 2", show="chart", side="saved")
    expect(page.locator(".sql-chart canvas")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="needs a name")).to_be_visible()
    page.get_by_label("Name of this query").fill("<b>My bars</b>")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="<b>My bars</b>")
    link.click()
    page.wait_for_url("**/v/*")
    drawn(page, "Bar chart of v by n")
    page.get_by_role("button", name="Delete <b>My bars</b>").click()
    expect(link).to_have_count(0)


@pytest.fixture(scope="module")
def empty_url(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[str]:
    """The address of a server over a lake without runs."""
    root = tmp_path_factory.mktemp("empty-sql")
    (root / "logs").mkdir()
    config = root / "boardlake.toml"
    config.write_text(f'[lake]\npath = "{root}/lake"\n[sources.here]\nuri = "{root}/logs"\n')
    assert main(["--config", str(config), "ingest"]) == 0
    with serve(root / "lake", root / "state") as url:
        yield url


@pytest.mark.parametrize("lake", ["samples", "empty"])
def test_examples_run_on_any_lake(page: Page, server_url: str, empty_url: str, lake: str) -> None:
    """Each of them has an answer; over the samples with rows, and its chart can be drawn."""
    page.goto(f"{server_url if lake == 'samples' else empty_url}/sql")
    examples = module(page, "examples", "return m.EXAMPLES;")
    assert len(examples) >= 12
    for one in examples:
        answer = page.request.post(
            page.url.replace("/sql", "/api/v1/sql"),
            data=json.dumps({"query": one["sql"], "format": "json"}),
            headers={"Content-Type": "application/json"},
        )
        told = answer.json()
        assert answer.status == 200, (one["title"], told)
        assert told["rows"] or lake == "empty" or one["title"] == "Problems by source", one["title"]
        names = {column["name"] for column in told["columns"]}
        chart = one.get("chart")
        assert not chart or {chart["x"], *chart["y"], chart.get("by", chart["x"])} <= names


def test_an_example_is_opened_from_the_empty_page(sql: Callable[..., Page]) -> None:
    """One click writes, runs and draws it; the browser's undo brings the text back."""
    page = sql()
    page.get_by_role("button", name="Points by day").first.click()
    drawn(page, "Bar chart of points by day")
    page.get_by_label("SQL", exact=True).press("Control+z")
    expect(page.get_by_label("SQL", exact=True)).to_have_value("")
