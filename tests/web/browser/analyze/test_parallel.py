"""Parallel coordinates of the analysis page: brushes, and axes that are moved, added and turned."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import (
    Y,
    box,
    drag,
    head,
    note,
    parallel,
    rows,
    selected,
    shown,
    state,
)


def brush(page: Page, expr: str, start: float, end: float) -> None:
    """Drag along an axis, from and to as fractions of the plot's height."""
    at = box(parallel(page))
    name = head(page, expr).bounding_box()
    assert name
    x = (name["x"] + name["width"] / 2 - at["x"]) / at["width"]
    drag(page, at, [(x, start), (x, end)])


def brushes(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(state(page).get("brush", "{}"))
    return found


def left(url: str, told: dict[str, Any]) -> set[str]:
    """The runs that brushes of ranges and texts leave, by their values."""
    found = rows(url, *told)
    return {
        row[0]
        for row in found
        if all(
            any(
                value == part
                if not isinstance(part, list)
                else value is None
                if not part
                else value is not None and part[0] <= value <= part[1]
                for part in parts
            )
            for value, parts in zip(row[1:], told.values(), strict=True)
        )
    }


def test_a_brush_filters_table_and_panels(analysis: Callable[..., Page], server_url: str) -> None:
    """Dragged on one axis, then a second; chips say so and take them away; undo does, too."""
    page = analysis()
    every = len(rows(server_url))
    brush(page, Y, 0.03, 0.5)
    expect(page.locator(".over .chip")).to_have_count(1)
    first = left(server_url, brushes(page))
    assert 0 < len(first) < every
    expect(page.locator(".table-head .count")).to_contain_text(f"of {len(first)} drawn")
    expect(page.locator(".over .looked")).to_have_text(f"{len(first)} runs")
    expect(note(page, "parallel")).to_contain_text(f"{len(first)} of ")
    shown(page, f": {len(first)} runs$")
    brush(page, "hp.model", 0.1, 0.45)
    expect(page.locator(".over .chip")).to_have_count(2)
    second = left(server_url, brushes(page))
    assert 0 < len(second) < len(first)
    shown(page, f": {len(second)} runs?$")
    page.get_by_role("button", name="Select the brushed runs").click()
    expect(page.get_by_text(re.compile(f"^{len(second)} runs? selected"))).to_be_visible()
    assert selected(page) == second
    page.locator(".over .chip button").first.click()
    expect(page.locator(".over .chip")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(page.locator(".over .chip")).to_have_count(2)


def test_brushes_become_the_filter(analysis: Callable[..., Page], server_url: str) -> None:
    """Words that were searched for are kept beside them; then there are no brushes."""
    page = analysis(q="vision resnet", brush=json.dumps({"hp.lr": [[0.01, 0.1]]}))
    expect(page.locator(".over .looked")).to_have_text(re.compile(r"\d+ runs"))
    count = page.locator(".over .looked").inner_text()
    page.get_by_role("button", name="Make it the filter").click()
    assert state(page)["q"] == "search('vision resnet') and hp.lr between 0.01 and 0.1"
    assert brushes(page) == {}
    expect(page.locator(".over .chip")).to_have_count(0)
    expect(page.locator(".over .looked")).to_have_text(count)
    expect(page.locator(".query-wrong")).to_be_hidden()


def test_a_brush_is_moved_stretched_and_cleared(
    analysis: Callable[..., Page], server_url: str
) -> None:
    """By its middle, by its ends, by a double-click; a second one beside it adds to it."""
    page = analysis()
    brush(page, Y, 0.1, 0.3)
    expect(page.locator(".above .brush")).to_have_count(1)
    ((low, high),) = brushes(page)[Y]
    brush(page, Y, 0.2, 0.4)
    ((moved_low, moved_high),) = brushes(page)[Y]
    assert moved_low < low and moved_high < high
    assert moved_high - moved_low == pytest.approx(high - low, rel=0.1)
    brush(page, Y, 0.5, 0.7)
    ((wide_low, wide_high),) = brushes(page)[Y]
    assert wide_low < moved_low and wide_high == pytest.approx(moved_high, rel=0.02)
    brush(page, Y, 0.05, 0.15)
    assert len(brushes(page)[Y]) == 2
    at = box(parallel(page))
    name = head(page, Y).bounding_box()
    assert name
    page.mouse.dblclick(name["x"] + name["width"] / 2, at["y"] + 0.8 * at["height"])
    expect(page.locator(".above .brush")).to_have_count(0)
    assert brushes(page) == {}


def test_the_place_of_those_without_a_value(analysis: Callable[..., Page], server_url: str) -> None:
    """A click there leaves them alone."""
    page = analysis(q="", axes=f"hp.lr,{Y}")
    at = box(parallel(page))
    name = head(page, "hp.lr").bounding_box()
    assert name
    page.mouse.click(name["x"] + name["width"] / 2, at["y"] + at["height"] - 12)
    expect(page.locator(".over .chip")).to_contain_text("missing")
    lacking = sum(row[1] is None for row in rows(server_url, "hp.lr", filter=""))
    expect(page.locator(".over .looked")).to_have_text(f"{lacking} runs")


def test_axes_by_keys(analysis: Callable[..., Page], server_url: str) -> None:
    """Moved, removed, inverted, brushed without a pointer."""
    page = analysis()
    head(page, "hp.lr").focus()
    page.keyboard.press("Alt+ArrowRight")
    assert state(page)["axes"].startswith("hp.batch_size,hp.lr,")
    expect(head(page, "hp.lr")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("menuitemcheckbox", name="Inverted").click()
    assert state(page)["inv"] == "hp.lr"
    expect(page.locator(".axis-head[data-expr='hp.lr'] .axis-scale")).to_contain_text("inverted")
    head(page, "hp.lr").press("Enter")
    page.get_by_role("menuitem", name="Brush by values").click()
    editor = page.get_by_role("dialog", name="Brush of lr")
    editor.get_by_label("From").fill("0.01")
    editor.get_by_label("From").press("Enter")
    editor.get_by_label("To").fill("0.1")
    editor.get_by_label("To").press("Enter")
    assert brushes(page) == {"hp.lr": [[0.01, 0.1]]}
    editor.get_by_label("From").fill("5")
    editor.get_by_label("From").press("Enter")
    expect(editor.get_by_role("alert")).to_contain_text("must not be more")
    page.keyboard.press("Escape")
    head(page, "hp.model").press("Enter")
    page.get_by_role("menuitem", name="Brush by values").click()
    page.get_by_role("dialog", name="Brush of model").get_by_label("resnet18").check()
    assert brushes(page)["hp.model"] == ["resnet18"]
    page.keyboard.press("Escape")
    shown(page, f": {len(left(server_url, brushes(page)))} runs?$")
    head(page, "hp.lr").press("Delete")
    assert "hp.lr" not in state(page)["axes"] and "hp.lr" not in brushes(page)


def test_axes_are_dragged_into_another_order(analysis: Callable[..., Page]) -> None:
    """And put back by undo; one step for a drag."""
    page = analysis()
    first, last = head(page, "hp.lr"), head(page, Y)
    start, end = box(first), box(last)
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, start["y"] + 10, steps=12)
    page.mouse.up()
    expect(page.locator(".axis-head").last).to_have_attribute("data-expr", "hp.lr")
    assert state(page)["axes"].endswith(",hp.lr")
    page.keyboard.press("Control+z")
    expect(page.locator(".axis-head").first).to_have_attribute("data-expr", "hp.lr")


def test_an_axis_can_be_added(analysis: Callable[..., Page]) -> None:
    """By the box above; with its own scale, and the colours by it."""
    page = analysis()
    add = page.get_by_role("combobox", name="Add an axis")
    add.fill("duration_s")
    add.press("Enter")
    expect(page.locator(".axis-head")).to_have_count(5)
    assert state(page)["axes"].endswith(",duration_s")
    head(page, "duration_s").press("Enter")
    page.get_by_role("menuitemcheckbox", name="Scale: logarithmic").click()
    assert json.loads(state(page)["scale"]) == {"duration_s": "log"}
    head(page, "hp.lr").press("Enter")
    page.get_by_role("menuitem", name="Colour by it").click()
    expect(page.locator("#parallel .legendbar")).to_contain_text("lr")
