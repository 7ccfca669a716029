"""Columns, groups and order of the run table, chosen as a person does."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from boardlake.lake.grammar import split


def of(page: Page, name: str) -> list[str]:
    """A list in the page's address."""
    return list(split(parse_qs(urlsplit(page.url).query).get(name, [""])[0]))


def heads(page: Page) -> Locator:
    return page.get_by_role("grid", name="Runs").get_by_role("columnheader")


@pytest.fixture
def manager(page: Page, server_url: str) -> Locator:
    """The column manager, open, with three columns."""
    page.goto(f"{server_url}/?cols=label,state,project&view=table")
    page.get_by_role("button", name="Columns").click()
    opened = page.get_by_role("dialog", name="Columns")
    expect(opened.get_by_role("group", name="Metrics")).to_be_attached()
    return opened


def shown(manager: Locator) -> Locator:
    return manager.get_by_role("list", name="Chosen columns").get_by_role("listitem")


def test_hyperparameters_and_fields_are_checked_to_be_columns(page: Page, manager: Locator) -> None:
    """They are found by a few letters; those that vary come first and say in how many values."""
    search = manager.get_by_role("searchbox")
    expect(search).to_be_focused()
    rows = manager.get_by_role("group", name="Hyperparameters").locator("label")
    expect(rows.first).to_contain_text("values")
    expect(rows.last).to_contain_text("same in all")
    page.keyboard.type("weightd")
    box = manager.get_by_role("checkbox", name=re.compile("^weight_decay"))
    box.check()
    expect(page).to_have_url(re.compile("hp.weight_decay"))
    expect(heads(page).filter(has_text="weight_decay")).to_be_visible()
    box.uncheck()
    expect(heads(page).filter(has_text="weight_decay")).to_have_count(0)
    search.fill("/^(points|files)/")
    expect(manager.get_by_role("checkbox")).to_have_count(2)
    search.fill("/(/")
    expect(manager.get_by_role("alert")).to_contain_text("no regular expression")


def test_a_metric_has_aggregates_and_their_steps(page: Page, manager: Locator) -> None:
    """A box shows its last value; further aggregates are a click each; the best of a loss is its least."""
    manager.get_by_role("searchbox").fill("val/loss")
    manager.get_by_label(re.compile("^val/loss")).first.check()
    expect(page).to_have_url(re.compile(r"last"))
    choice = manager.get_by_role("group", name="Aggregates of val/loss", exact=True)
    choice.get_by_role("button", name="best (min)").click()
    choice.get_by_role("button", name="step of min").click()
    choice.get_by_role("button", name="last").click()
    expect(choice.get_by_role("button", name="min", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert of(page, "cols")[3:] == ['min("val/loss")', 'step_min("val/loss")']
    expect(heads(page).filter(has_text="step min val/loss")).to_be_visible()
    manager.get_by_role("searchbox").fill("val/acc1")
    manager.get_by_label(re.compile("^val/acc1")).first.check()
    expect(manager.get_by_role("button", name="best (max)")).to_be_visible()


def test_an_expression_is_a_column_and_its_errors_are_told(
    page: Page, manager: Locator, expected_errors: list[str]
) -> None:
    """What the search does not find can be added as it is written."""
    expected_errors.append("status of 400")
    search = manager.get_by_role("searchbox")
    search.fill("points / duration_z as speed")
    manager.get_by_role("button", name=re.compile("Add the expression")).click()
    expect(manager.get_by_role("alert")).to_contain_text("Did you mean duration_s?")
    search.fill("points / duration_s as speed")
    manager.get_by_role("button", name=re.compile("Add the expression")).click()
    expect(heads(page).filter(has_text="speed")).to_be_visible()
    assert of(page, "cols")[3:] == ["points / duration_s as speed"]


def test_columns_are_ordered_pinned_renamed_and_removed_by_keyboard(
    page: Page, manager: Locator
) -> None:
    """Alt and arrows move, p pins, Enter renames, Delete removes, and the focus stays with it."""
    shown(manager).nth(2).focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page).to_have_url(re.compile("cols=label%2Cproject%2Cstate"))
    expect(shown(manager).nth(1)).to_be_focused()
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile("fix=2"))
    expect(shown(manager).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("team of")
    page.keyboard.press("Enter")
    expect(heads(page).filter(has_text="team of")).to_be_visible()
    assert of(page, "cols") == ["label", 'project as "team of"', "state"]
    expect(shown(manager).nth(1)).to_be_focused()
    page.keyboard.press("Delete")
    expect(shown(manager)).to_have_count(2)
    expect(page).not_to_have_url(re.compile("fix="))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Columns")).to_have_count(0)
    expect(page.get_by_role("button", name="Columns")).to_be_focused()


def test_columns_are_dragged(page: Page, manager: Locator) -> None:
    """A row goes where it is dropped."""
    one, other = shown(manager).nth(0).bounding_box(), shown(manager).nth(2).bounding_box()
    assert one and other
    page.mouse.move(one["x"] + 60, one["y"] + 10)
    page.mouse.down()
    page.mouse.move(one["x"] + 60, one["y"] + 40, steps=4)
    page.mouse.move(one["x"] + 60, other["y"] + other["height"] - 2, steps=6)
    page.mouse.up()
    expect(page).to_have_url(re.compile("cols=state%2Cproject%2Clabel"))


def test_all_that_vary_come_at_once_and_reset_takes_them_away(page: Page, manager: Locator) -> None:
    """Only hyperparameters that differ between runs are added."""
    manager.get_by_role("button", name="All that vary").click()
    expect(page).to_have_url(re.compile("hp.lr"))
    cols = of(page, "cols")
    assert {"hp.lr", "hp.seed", "hp.model"} < set(cols) and "hp.epochs" not in cols
    manager.get_by_role("button", name="Reset").click()
    expect(page).not_to_have_url(re.compile("cols="))


def test_runs_are_grouped_by_several_keys(page: Page, server_url: str) -> None:
    """Keys are picked from a list or written; the order of keys can be changed, and none ungroups."""
    page.goto(f"{server_url}/?view=table")
    page.get_by_role("button", name="Group", exact=True).click()
    editor = page.get_by_role("dialog", name="Group the runs")
    field = editor.get_by_role("combobox")
    expect(field).to_be_focused()
    page.keyboard.type("proj")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("group=project"))
    field.fill("hp.model")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("group=project%2Chp.model"))
    expect(page.get_by_role("button", name="Group: Project, model")).to_be_visible()
    keys = editor.get_by_role("listitem")
    keys.nth(1).focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page).to_have_url(re.compile("group=hp.model%2Cproject"))
    editor.get_by_role("button", name="Ungroup").click()
    expect(page).not_to_have_url(re.compile("group="))


def test_a_wrong_key_is_told(page: Page, server_url: str, expected_errors: list[str]) -> None:
    """The server's error stands under the field, and nothing changes."""
    expected_errors.append("status of 400")
    page.goto(f"{server_url}/?view=table")
    page.get_by_role("button", name="Group", exact=True).click()
    editor = page.get_by_role("dialog", name="Group the runs")
    editor.get_by_role("combobox").fill("lower(projec)")
    page.keyboard.press("Enter")
    expect(editor.get_by_role("alert")).to_contain_text("Did you mean project?")
    expect(page).not_to_have_url(re.compile("group="))


def test_runs_are_sorted_by_several_keys(page: Page, server_url: str) -> None:
    """Each key has a direction that can be turned around."""
    page.goto(f"{server_url}/?view=table&sort=project")
    page.get_by_role("button", name="Sort", exact=True).click()
    editor = page.get_by_role("dialog", name="Sort the runs")
    editor.get_by_role("combobox").fill("points")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sort=project%2C-points"))
    editor.get_by_role("button", name=re.compile("^Project: ascending")).click()
    expect(page).to_have_url(re.compile("sort=-project%2C-points"))
    editor.get_by_role("button", name="Remove Project").click()
    expect(page).to_have_url(re.compile("sort=-points"))


def test_a_metric_is_sorted_by_from_its_tag_alone(page: Page, server_url: str) -> None:
    """The whole tag finds it, the best comes first and is shown, and the usual order gives way."""
    page.goto(f"{server_url}/")
    page.get_by_role("button", name="Sort", exact=True).click()
    page.keyboard.type("val/acc1")
    offered = page.get_by_role("listbox", name="Add a sort key").get_by_role("option")
    expect(offered.first).to_contain_text('max("val/acc1")')
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sort="))
    assert of(page, "sort") == ['-max("val/acc1")']
    assert of(page, "cols")[:3] == ["label", 'max("val/acc1")', "state"]
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="max val/acc1")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.keyboard.press("Control+z")
    expect(page).not_to_have_url(re.compile("sort=|cols="))
