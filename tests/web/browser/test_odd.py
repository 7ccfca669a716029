"""Charts and tables of what nobody would log on purpose, and what happens when answers are late."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter

_LONG = "very/" + "long_" * 180
_TAGS = ["constructor", "__proto__", "toString", 'a"b<img src=x>', "chart 0 ]", _LONG]
_FAR = 2**60
_AT = 1_800_000_000


@pytest.fixture(scope="module")
def odd_url(
    tmp_path_factory: pytest.TempPathFactory,
    serve: Callable[[Path, Path], AbstractContextManager[str]],
) -> Iterator[str]:
    """A lake of two runs with tags, values and steps at the edge."""
    at = tmp_path_factory.mktemp("odd")
    for place, name in enumerate(("constructor", "n" * 200)):
        path = at / "logs" / name / "events.out.tfevents.1800000000.host.1.0"
        with EventWriter(path) as writer:
            writer.file_version(_AT)
            for step in range(place, 30):
                for tag in _TAGS:
                    writer.scalar(tag, 1 / (1 + step), step, _AT + step)
                writer.scalar("nothing", math.nan, step, _AT + step)
                writer.scalar("negative", float(step), step - 40, _AT + step)
            writer.scalar("once", 3 + place, 7, _AT)
            writer.scalar("far", 3, _FAR, _AT)
            for step in range(3):
                writer.scalar("further", step, _FAR + 4096 * step, _AT + step)
    assert main(["--lake", str(at / "lake"), "ingest", str(at / "logs")]) == 0
    with serve(at / "lake", at / "state") as url:
        yield url


_HOW = ["", "&xs=log&ys=log", "&x=constructor", "&xs=symlog&ys=symlog&x=relative"]


@pytest.mark.parametrize("how", _HOW)
def test_every_odd_series_has_a_chart(page: Page, odd_url: str, how: str) -> None:
    """Names of JavaScript's own, markup, NaN alone, one point, steps below 0 and beyond 2^53."""
    page.goto(f"{odd_url}/?view=charts{how}")
    cards = page.locator(".card")
    expect(cards).to_have_count(len(_TAGS) + 5)
    for i in range(cards.count()):
        cards.nth(i).scroll_into_view_if_needed()
        drawn = cards.nth(i).locator(".plot[role=img]")
        expect(drawn).to_have_attribute("aria-label", re.compile("line"))
        told = drawn.get_attribute("aria-label") or ""
        assert "y from NaN" not in told and "undefined" not in told, told
    expect(page.locator(".failed")).to_have_count(0)
    expect(page.locator("img[src=x]")).to_have_count(0)


def test_odd_tags_can_be_pinned_zoomed_and_filled(page: Page, odd_url: str) -> None:
    """What belongs to a chart is found again under any name."""
    own = json.dumps({"__proto__": {"ys": "log"}, "toString": {"ys": "symlog"}})
    yz = json.dumps({"constructor": [-2, 5]})
    page.goto(f"{odd_url}/?view=charts&own={quote(own)}&yz={quote(yz)}")
    chart = page.locator(".card[data-id=constructor]")
    expect(chart.locator(".plot")).to_have_attribute("aria-label", re.compile("y from -2 to 5"))
    # A window below 0 is none on a logarithmic axis.
    page.keyboard.press("l")
    expect(chart.locator(".plot")).to_have_attribute("aria-label", re.compile("y from 0.0"))
    chart.hover()
    chart.get_by_role("button", name="Pin constructor").click()
    expect(page.get_by_role("region", name="Pinned").locator(".card")).to_have_count(1)
    expect(chart.last.get_by_role("button", name="Unpin constructor")).to_be_focused()
    chart.first.hover()
    page.keyboard.press("f")
    expect(page.get_by_role("dialog").get_by_role("heading", name="constructor")).to_be_visible()


def test_the_menu_of_a_chart_in_full_works(page: Page, odd_url: str) -> None:
    """It is part of the dialog; arrows move in it, and do not turn to another chart."""
    page.goto(f"{odd_url}/?view=charts&full=constructor")
    full = page.get_by_role("dialog", name="Chart in full")
    full.get_by_role("button", name="Menu of constructor").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("own=.*log"))
    expect(full.get_by_role("heading", name="constructor")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    full.get_by_role("button", name="Menu of constructor").click()
    page.get_by_role("menuitem", name="Copy the tag").click()
    told = page.get_by_text("Tag copied")
    expect(told).to_be_visible()
    # What tells it lies above the dialog.
    assert told.evaluate("""(el) => {
        const box = el.getBoundingClientRect();
        const area = el.closest("#toasts");
        return box.right <= innerWidth && box.bottom <= innerHeight && area.matches(":popover-open");
    }""")


def test_a_section_that_is_opened_by_key_keeps_the_focus(page: Page, odd_url: str) -> None:
    """The page is made anew below the keyboard, but not from under it."""
    page.goto(f"{odd_url}/?view=charts")
    head = page.get_by_role("button", name=re.compile("^very 1"))
    head.focus()
    for state in ("false", "true"):
        page.keyboard.press("Enter")
        expect(head).to_have_attribute("aria-expanded", state)
        expect(head).to_be_focused()


def test_columns_may_be_called_like_anything(
    page: Page, odd_url: str, expected_errors: list[str]
) -> None:
    """A field that is none is told as such, whatever it is called; metrics of odd names have columns."""
    expected_errors.append("400")
    cols = ",".join(["label", 'last("constructor")', 'last("__proto__")', f'last("{_LONG}")'])
    page.goto(f"{odd_url}/?view=table&cols={quote(cols)}")
    expect(page.locator(".row .name").first).to_be_visible()
    expect(page.get_by_role("columnheader", name="last constructor")).to_be_visible()
    page.goto(f"{odd_url}/?view=table&cols=label,constructor")
    expect(page.get_by_text("the column constructor cannot be had")).to_be_visible()
    expect(page.get_by_text("[native code]")).to_have_count(0)


def test_a_late_list_of_tags_is_not_taken(page: Page, odd_url: str) -> None:
    """The charts are those of the runs that are drawn now, whichever answer comes first."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/v1/tags?**", hold)
    page.goto(f"{odd_url}/?view=both&n=1")
    expect(page.get_by_text("1 of 2 drawn")).to_be_visible()
    page.get_by_role("spinbutton", name="How many of the first are drawn").fill("2")
    page.keyboard.press("Enter")
    expect(page.locator(".card").first).to_be_visible()
    held[0].fulfill(json={"tags": []})
    page.wait_for_timeout(300)
    expect(page.locator(".card").first).to_be_visible()


def test_odd_metrics_are_compared(page: Page, odd_url: str) -> None:
    """Which way is better is asked of the names themselves, not of what JavaScript has under them."""
    page.goto(f"{odd_url}/?view=table")
    rows = page.locator(".row .name")
    expect(rows).to_have_count(2)
    keys = [str(one.get_attribute("href")).rsplit("/", 1)[1] for one in rows.all()]
    page.goto(f"{odd_url}/compare?runs={','.join(keys)}&base={keys[0]}&diff=0")
    row = page.get_by_role("row", name=re.compile("^constructor"))
    button = row.get_by_role("button", name=re.compile("^constructor: neither"))
    button.click()
    expect(row.get_by_role("button", name="constructor: higher is better")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("native code")


def test_a_chart_is_read_and_zoomed_by_keys(page: Page, odd_url: str) -> None:
    """Arrows move the crosshair and tell the values there; plus and minus zoom; Escape ends it."""
    page.goto(f"{odd_url}/?view=charts")
    chart = page.locator(".card[data-id=constructor]")
    plot = chart.locator(".plot")
    expect(plot).to_have_attribute("aria-label", re.compile("2 lines"))
    plot.focus()
    page.keyboard.press("End")
    voice = chart.get_by_role("status")
    expect(voice).to_have_text(re.compile(r"^step 29: .*constructor 0\.\d+"))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(voice).to_have_text(re.compile("^step 28: "))
    expect(page.locator(".tip tbody tr")).to_have_count(2)
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("zoom="))
    expect(plot).to_have_attribute("aria-label", re.compile(r"x from step 1\d to step"))
    expect(plot).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".tip")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tip")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".tip")).to_be_hidden()
