"""The analysis page, used as a person would: scatter plot, parallel coordinates, brushes, selection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

Serve = Callable[[Path, Path], AbstractContextManager[str]]
# On a busy machine; nothing is measured here.
_PATIENCE_MS = 20_000
VISION, RL = "project = 'vision'", "project = 'rl'"
X, Y = "hp.lr", 'max("val/acc1")'
_OTHERS = '["importance","groups","best"]'
AXES = f'hp.lr,hp.batch_size,hp.model,{Y}'  # fmt: skip


@pytest.fixture
def analysis(page: Page, server_url: str) -> Callable[..., Page]:
    """Opens the page with a state, when both plots are drawn; the other panels are closed."""

    def show(**state: str) -> Page:
        asked = {"q": VISION, "sx": X, "sy": Y, "axes": AXES, "closed": _OTHERS} | state
        page.goto(f"{server_url}/analyze?{urlencode(asked)}")
        shown(page)
        expect(parallel(page)).to_have_attribute(
            "aria-label", re.compile(r"of \d+ runs?: "), timeout=_PATIENCE_MS
        )
        return page

    return show


def scatter(page: Page) -> Locator:
    return page.locator("#scatter .plot")


def parallel(page: Page) -> Locator:
    return page.locator("#parallel .plot")


def shown(page: Page, told: str = r"[\d,]+ runs?$") -> None:
    """The scatter plot is drawn, and says what it shows."""
    expect(scatter(page)).to_have_attribute("aria-label", re.compile(told), timeout=_PATIENCE_MS)


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


WHOLE = [(0.06, 0.03), (0.98, 0.03), (0.98, 0.92), (0.06, 0.92), (0.06, 0.05)]


# What is seen at once


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


# Axes


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
    page.goto(f"{server_url}/analyze?{urlencode({'q': VISION, 'closed': _OTHERS})}")
    failed = page.locator("#scatter .failed")
    expect(failed).to_contain_text("BokehJS cannot be loaded", timeout=_PATIENCE_MS)
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


# Front and trend


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


# Selection


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


# Parallel coordinates


def head(page: Page, expr: str) -> Locator:
    return page.locator(f".axis-head[data-expr='{expr}'] .axis-name")


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


# The page itself


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
    looks = {"front": "1", "trend": "1", "closed": _OTHERS}
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
        "closed": _OTHERS,
    }
    page.goto(f"{real_url}/analyze?{urlencode(odd)}")
    shown(page, r"[0-9,]+ runs$")
    expect(page.locator("#scatter .failed, #parallel .failed")).to_have_count(0)
