"""The scatter plot of the analysis page: axes, the front, trends, lasso, zoom, what a dot and a line offer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from .conftest import (
    OTHERS,
    PATIENCE_MS,
    VISION,
    X,
    Y,
    box,
    dots,
    drag,
    note,
    parallel,
    rows,
    scatter,
    selected,
    shown,
    state,
)


def test_who_lacks_a_value_is_counted(analysis: Callable[..., Page], server_url: str) -> None:
    """How many runs have no place, and why."""
    page = analysis(q="", sy='min("val/loss")')
    every = rows(server_url, X, 'min("val/loss")', filter="")
    lacking = sum(row[2] is None for row in every)
    assert 0 < lacking < len(every)
    text = f"{lacking} of {len(every)} runs have no min val/loss"
    expect(note(page, "scatter")).to_contain_text(text)


def test_logarithmic_axes_say_what_they_cannot_show(analysis: Callable[..., Page]) -> None:
    """Values of 0 and less are counted; symlog is a click away, and undo brings it back."""
    page = analysis(sx="hp.lr - 0.1", sxs="log")
    expect(note(page, "scatter")).to_contain_text("of 0 or less, which a logarithmic axis does not")
    before = scatter(page).get_attribute("aria-label")
    page.get_by_role("button", name="Use symlog").click()
    expect(note(page, "scatter")).not_to_contain_text("of 0 or less")
    assert scatter(page).get_attribute("aria-label") != before
    assert state(page)["sxs"] == "symlog"
    page.keyboard.press("Control+z")
    expect(note(page, "scatter")).to_contain_text("of 0 or less")


def test_axes_are_chosen_by_expressions(analysis: Callable[..., Page]) -> None:
    """From the list, and by what the filter language can compute; errors stand at the box."""
    page = analysis()
    x = page.get_by_role("combobox", name="x", exact=True)
    x.click()
    x.fill("batch")
    page.get_by_role("option", name="hp.batch_size", exact=False).first.click()
    shown(page, "against batch_size")
    y = page.get_by_role("combobox", name="y", exact=True)
    y.fill('last("val/loss") - min("val/loss")')
    y.press("Enter")
    shown(page, 'last."val/loss". - min')
    assert state(page)["sy"] == 'last("val/loss") - min("val/loss")'


def test_a_wrong_axis_is_told_at_its_box(
    analysis: Callable[..., Page], expected_errors: list[str]
) -> None:
    """What cannot be an axis changes nothing."""
    expected_errors.append("400")
    page = analysis()
    x = page.get_by_role("combobox", name="x", exact=True)
    for wrong, told in (("hp.lrr", "Did you mean hp.lr?"), ("locations", "is a list"), ("1 +", "")):
        x.fill(wrong)
        x.press("Enter")
        expect(page.locator("#scatter .exprbox .wrong").first).to_contain_text(
            told or re.compile(".")
        )
        assert state(page)["sx"] == X
    x.press("Escape")
    x.press("Escape")
    expect(x).to_have_value(X)
    expect(page.locator("#scatter .exprbox .wrong").first).to_be_empty()


def test_a_wrong_axis_in_the_address(
    page: Page, server_url: str, expected_errors: list[str]
) -> None:
    """The panel says so in its place, the other one is drawn, and the axis can be removed."""
    expected_errors.append("400")
    page.goto(f"{server_url}/analyze?{urlencode({'q': VISION, 'axes': 'hp.lr,hp.nope,hp.model'})}")
    expect(page.locator("#parallel .failed")).to_contain_text("nope")
    shown(page, r"\d+ runs$")
    page.get_by_role("button", name="Remove this axis").click()
    expect(page.locator("#parallel .axis-head")).to_have_count(2)


def test_one_box_takes_one_expression(analysis: Callable[..., Page], server_url: str) -> None:
    """Two would be two columns, and shift those behind them: typed, and in an address."""
    page = analysis()
    x = page.get_by_role("combobox", name="x", exact=True)
    x.fill("hp.lr, hp.batch_size")
    x.press("Enter")
    wrong = page.locator("#scatter .exprbox .wrong").first
    expect(wrong).to_contain_text("One expression is expected")
    assert state(page)["sx"] == X
    page.goto(f"{server_url}/analyze?{urlencode({'q': VISION, 'sx': 'hp.lr, hp.batch_size'})}")
    expect(wrong).to_contain_text("One expression is expected")
    expect(page.locator("#scatter .failed")).to_contain_text("One expression is expected")


def test_a_plot_that_could_not_be_loaded_is_tried_again(
    page: Page, server_url: str, expected_errors: list[str]
) -> None:
    """The library of plots did not come at first."""
    expected_errors += ["Failed to load resource", "bokeh"]
    page.route("**/bokeh.min.js", lambda route: route.abort())
    page.goto(f"{server_url}/analyze?{urlencode({'q': VISION, 'closed': OTHERS})}")
    failed = page.locator("#scatter .failed")
    expect(failed).to_contain_text("BokehJS cannot be loaded", timeout=PATIENCE_MS)
    page.unroute("**/bokeh.min.js")
    failed.get_by_role("button", name="Try again").click()
    shown(page, r"\d+ runs$")
    expect(failed).to_have_count(0)


def test_texts_and_times_are_axes_too(analysis: Callable[..., Page], server_url: str) -> None:
    """Categories, moments, truths: whatever has a place."""
    total = len(rows(server_url))
    page = analysis(
        sx="hp.model",
        sy="created_at",
        sc="state",
        ss="duration_s",
        axes="state,created_at,archived,duration_s",
    )
    shown(page, f": {total} runs$")
    expect(page.locator("#parallel .axis-head")).to_have_count(4)
    expect(page.locator("#scatter .legendbar")).to_contain_text("finished")


def test_the_front_can_be_selected(analysis: Callable[..., Page], server_url: str) -> None:
    """Its runs are those that no other beats, by the directions that were chosen."""
    page = analysis(front="1", fx="min", fy="max")
    page.get_by_role("button", name="Select the front").click()
    every = [row for row in rows(server_url, X, Y) if None not in row]
    front = {
        k
        for k, x, y in every
        if not any(a <= x and b >= y and (a < x or b > y) for _, a, b in every)
    }
    expect(page.get_by_text(re.compile(rf"^{len(front)} runs? on the front"))).to_be_visible()
    assert selected(page) == front
    page.get_by_label("Which y is better").select_option("min")
    expect(page.get_by_text(re.compile("less max val/acc1 is better"))).to_be_visible()


def test_a_trend_is_told_in_words(analysis: Callable[..., Page]) -> None:
    """Both correlations, or why there is none."""
    page = analysis()
    page.get_by_label("Trend").check()
    fits = page.locator("#scatter .fits")
    expect(fits).to_contain_text(re.compile(r"linear correlation .*rank correlation"))
    x = page.get_by_role("combobox", name="x", exact=True)
    x.fill("hp.model")
    x.press("Enter")
    expect(fits).to_contain_text("needs numbers on both axes")


def test_a_lasso_selects_adds_and_releases(analysis: Callable[..., Page], server_url: str) -> None:
    """Runs within the loop; with Shift besides those selected, with Alt without them."""
    page = analysis()
    keys = {row[1]: row[0] for row in rows(server_url, "label")}
    places = dots(page)
    assert len(places) > 10
    at = box(scatter(page))
    middle = sorted(y for _, y in places.values())[len(places) // 2] + 1e-6
    above = {keys[name] for name, (_, y) in places.items() if y < middle}
    upper = [(0.05, 0.0), (0.99, 0.0), (0.99, middle), (0.05, middle), (0.05, 0.02)]
    upper = [(x, max(0.03, y)) for x, y in upper]
    drag(page, at, upper)
    expect(page.locator("#scatter [role=status]")).to_have_text(f"{len(above)} runs selected")
    assert selected(page) == above
    page.get_by_role("button", name="Rectangle").click()
    at = box(scatter(page))
    drag(page, at, [(0.05, middle), (0.99, 0.95)], "Shift")
    expect(page.locator("#scatter [role=status]")).to_have_text(f"{len(places)} runs selected")
    assert selected(page) == {keys[name] for name in places}
    drag(page, at, [(0.05, middle), (0.99, 0.95)], "Alt")
    expect(page.locator("#scatter [role=status]")).to_have_text(f"{len(above)} runs selected")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.wait_for_function("(n) => history.state.values.sel.length === n", arg=len(above))
    assert selected(page) == above


def test_selection_is_shared_with_the_table(analysis: Callable[..., Page]) -> None:
    """What is selected there is ringed here, and goes along to other pages."""
    page = analysis()
    page.locator(".runtable .row .cell input[type=checkbox]").first.check()
    key = next(iter(selected(page)))
    link = page.locator('header.bar nav a[href^="/compare"]')
    expect(link).to_have_attribute("href", re.compile(key))


def test_zoom_by_dragging_and_keys(analysis: Callable[..., Page]) -> None:
    """A window, told how many runs lie outside; double-click shows all."""
    page = analysis(drag="zoom")
    at = box(scatter(page))
    drag(page, at, [(0.5, 0.1), (0.97, 0.9)])
    expect(note(page, "scatter")).to_contain_text("outside of the window")
    assert "szoom" in state(page)
    page.mouse.dblclick(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    expect(note(page, "scatter")).not_to_contain_text("outside of the window")
    scatter(page).focus()
    page.keyboard.press("+")
    assert "szoom" in state(page)
    page.keyboard.press("0")
    assert "szoom" not in state(page)


def test_turns_of_the_wheel_are_one_step(analysis: Callable[..., Page]) -> None:
    """A pinch is many of them; one undo takes it back."""
    page = analysis()
    at = box(scatter(page))
    steps = page.evaluate("() => history.length")
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.keyboard.down("Alt")
    for _ in range(6):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Alt")
    page.wait_for_function("(n) => history.length > n", arg=steps)
    assert page.evaluate("() => history.length") == steps + 1
    assert "szoom" in state(page)
    page.keyboard.press("Control+z")
    page.wait_for_function("() => history.state.values.szoom === null")


def test_a_run_is_pointed_at_everywhere(analysis: Callable[..., Page], server_url: str) -> None:
    """From the plot to the table and the other panel, and from the table to the plots."""
    page = analysis()
    names = {row[1]: row[2] for row in rows(server_url, "label", Y)}
    name, (x, y) = next(iter(dots(page).items()))
    at = box(scatter(page))
    page.mouse.move(at["x"] + x * at["width"], at["y"] + y * at["height"])
    card = page.locator("#scatter .card-tip")
    expect(card).to_contain_text("max val/acc1")
    told = card.locator("strong").inner_text()
    assert told in names and name in names
    expect(page.locator("#parallel .above .line")).to_have_count(1)
    page.mouse.move(5, 5)
    expect(page.locator("#parallel .above .line")).to_have_count(0)
    page.locator(".runtable .row").filter(has_text=name).first.hover()
    expect(page.locator("#scatter .above .lit")).to_have_count(1)
    expect(page.locator("#parallel .above .line")).to_have_count(1)


def test_a_group_is_pointed_at(analysis: Callable[..., Page], server_url: str) -> None:
    """All its runs are marked in the plots."""
    page = analysis(group="hp.model")
    models = [row[1] for row in rows(server_url, "hp.model")]
    page.locator(".runtable .row").filter(has_text="resnet18").first.hover()
    expect(page.locator("#parallel .above .line")).to_have_count(models.count("resnet18"))


def test_a_run_offers_what_can_be_done(analysis: Callable[..., Page], server_url: str) -> None:
    """Open its page, select it, find it in the table: by keys, and by a click on its point."""
    page = analysis()
    keys = {row[1]: row[0] for row in rows(server_url, "label")}
    scatter(page).focus()
    page.keyboard.press("ArrowRight")
    name = page.locator("#scatter .card-tip strong").inner_text()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Select").press("Enter")
    assert selected(page) == {keys[name]}
    expect(scatter(page)).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Show it in the table").press("Enter")
    expect(page.locator(f".runtable .row[data-key='{keys[name]}']")).to_be_visible()
    scatter(page).focus()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name=f"Open {name}").press("Enter")
    page.wait_for_url(f"**/run/{keys[name]}")
    page.go_back()
    shown(page)
    at = box(scatter(page))
    x, y = dots(page)[name]
    page.mouse.click(at["x"] + x * at["width"], at["y"] + y * at["height"])
    expect(page.get_by_role("menuitem", name="Show it in the table")).to_be_visible()


def test_a_line_offers_what_can_be_done(analysis: Callable[..., Page], server_url: str) -> None:
    """By a click on it, and by keys."""
    page = analysis()
    at = box(parallel(page))
    # The pointer goes down beside the last axis until it is on a line.
    for step in range(5, 95):
        page.mouse.move(at["x"] + 0.9 * at["width"], at["y"] + step / 100 * at["height"])
        if page.locator("#parallel .card-tip:visible").count():
            break
    name = page.locator("#parallel .card-tip strong").inner_text()
    page.mouse.down()
    page.mouse.up()
    page.get_by_role("menuitem", name="Select").press("Enter")
    keys = {row[1]: row[0] for row in rows(server_url, "label")}
    assert selected(page) == {keys[name]}


@pytest.mark.parametrize("panel", ["scatter", "parallel"])
@pytest.mark.parametrize("form", ["PNG", "SVG"])
def test_pictures_can_be_taken_away(
    analysis: Callable[..., Page], tmp_path: Path, panel: str, form: str
) -> None:
    """With their title, and what colours mean; axes of parallel coordinates have their names."""
    page = analysis()
    page.locator(f"#{panel}").get_by_role("button", name="Download the picture").click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name=form).click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    content = path.read_bytes()
    if form == "PNG":
        assert content.startswith(b"\x89PNG") and len(content) > 5_000
        return
    text = content.decode()
    assert "<svg" in text and "val/acc1" in text
    if panel == "parallel":
        assert "batch_size" in text
