"""The filter of the run table, used as a person does: completion, errors in their place, quick filters."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import urlopen

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Locator, Page, expect

from boardlake.lake import words

REFUSED = "status of 400"


def runs(server_url: str, text: str) -> int:
    """How many runs a filter leaves."""
    with urlopen(
        f"{server_url}/api/v1/runs?limit=0&columns=run_key&filter={quote(text)}"
    ) as answer:
        return int(json.load(answer)["total"])


def filter_of(page: Page) -> str:
    """The filter in the page's address."""
    return parse_qs(urlsplit(page.url).query).get("q", [""])[0]


def opened(page: Page, address: str) -> Locator:
    """The filter of the workspace at *address*."""
    page.goto(address)
    expect(page.get_by_role("group", name="Quick filters")).to_be_visible()
    return page.get_by_label("Filter", exact=True)


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Completions").get_by_role("option")


def test_a_condition_is_written_by_its_first_letters(
    page: Page, server_url: str, expected_errors: list[str]
) -> None:
    """Field, operator, value, metric: each is offered, and Tab and Enter take it."""
    expected_errors.append(REFUSED)
    box = opened(page, f"{server_url}/?view=table")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("stat")
    expect(suggestions(page).first).to_contain_text("state")
    page.keyboard.press("Tab")
    expect(box).to_have_value("state ")
    expect(suggestions(page).first).to_contain_text("equals")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("state = ")
    expect(suggestions(page)).to_have_count(3)
    page.keyboard.type("fin")
    expect(suggestions(page)).to_have_text([re.compile("'finished'")])
    page.keyboard.press("Enter")
    expect(box).to_have_value("state = 'finished' ")
    page.keyboard.type("and min(")
    expect(suggestions(page).first).to_contain_text("train/")
    page.keyboard.type('"val/lo')
    suggestions(page).filter(has_text="val/loss").first.click()
    expect(box).to_have_value("state = 'finished' and min(\"val/loss\") ")
    page.keyboard.type("< 9 and hp.weight")
    expect(suggestions(page).first).to_have_text(re.compile("hp.weight_decay"))
    page.keyboard.press("Tab")
    page.keyboard.type("> 0")
    page.keyboard.press("Enter")
    text = "state = 'finished' and min(\"val/loss\") < 9 and hp.weight_decay > 0"
    expect(page).to_have_url(re.compile("q=state"))
    assert filter_of(page) == text
    assert 0 < runs(server_url, text) < runs(server_url, "")
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute(
        "aria-rowcount", str(runs(server_url, text) + 1)
    )


def test_a_tag_is_completed_by_its_whole_name(
    page: Page, server_url: str, expected_errors: list[str]
) -> None:
    """What looks like a division is the start of a tag, if one is called so."""
    expected_errors.append(REFUSED)
    box = opened(page, f"{server_url}/?view=table")
    box.click()
    page.keyboard.type("hp.lr > 0 and val/lo")
    expect(suggestions(page).first).to_contain_text('last("val/loss")')
    page.keyboard.press("Tab")
    expect(box).to_have_value('hp.lr > 0 and last("val/loss") ')
    box.fill("")
    page.keyboard.type("points/dur")
    expect(suggestions(page).first).to_contain_text("duration_s")


def test_words_stay_words(page: Page, server_url: str) -> None:
    """Enter after words searches for them, whatever could be completed; Escape closes the list."""
    box = opened(page, f"{server_url}/?view=table")
    box.click()
    page.keyboard.type("na")
    expect(suggestions(page).first).to_be_visible()
    assert suggestions(page).first.get_attribute("aria-selected") == "false"
    page.keyboard.press("Escape")
    expect(suggestions(page)).to_have_count(0)
    expect(box).to_be_focused()
    box.fill("resnet18")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=resnet18&"))
    expect(box).to_have_value("resnet18")


def test_a_filter_that_is_typed_applies_by_itself_as_one_step(page: Page, server_url: str) -> None:
    """The table follows while one types; undo takes the whole filter back."""
    box = opened(page, f"{server_url}/?view=table")
    box.press_sequentially("vision", delay=5)
    expect(page).to_have_url(re.compile("q=vision&"))
    box.press_sequentially(" resnet18", delay=5)
    expect(page).to_have_url(re.compile(r"q=vision\+resnet18&"))
    box.press("Enter")
    page.get_by_role("grid", name="Runs").focus()
    page.go_back()
    expect(box).to_have_value("")
    page.go_forward()
    expect(box).to_have_value("vision resnet18")


@pytest.mark.parametrize(
    "text, misfit, button, fixed",
    [
        (
            "points > 0 and stat = 'running'",
            "stat",
            "Use state",
            "points > 0 and state = 'running'",
        ),
        ('min("val/los") < 9', '"val/los"', "Use val/loss", 'min("val/loss") < 9'),
        ("hp.lrr < 1", "hp.lrr", "Use hp.lr", "hp.lr < 1"),
        ("lr < 1", "lr", "Use hp.lr", "hp.lr < 1"),
        ("lowr(name) = 'x'", "lowr", "Use lower", "lower(name) = 'x'"),
    ],
)
def test_an_error_stands_in_its_place_with_a_remedy(
    page: Page, server_url: str, expected_errors: list[str], text: str, misfit: str, button: str,
    fixed: str,
) -> None:  # fmt: skip
    """The server's words, the place underlined, and one click writes what was meant."""
    expected_errors.append(REFUSED)
    box = opened(page, f"{server_url}/?view=table")
    box.fill(text)
    box.press("Enter")
    told = page.get_by_role("alert").filter(has_text=re.compile("no field|no run has|no function"))
    expect(told).to_be_visible()
    expect(page.locator(".misfit")).to_have_text(misfit)
    expect(box).to_have_attribute("aria-invalid", "true")
    assert filter_of(page) == ""
    told.get_by_role("button", name=button, exact=True).click()
    expect(box).to_have_value(fixed)
    expect(told).to_be_hidden()
    expect(page.locator(".misfit")).to_have_count(0)
    expect(page).to_have_url(re.compile("[?&]q="))
    assert filter_of(page) == fixed


def test_an_unfinished_filter_is_not_scolded_and_not_used(
    page: Page, server_url: str, expected_errors: list[str]
) -> None:
    """The error of a filter in a link is told at once, at its end where that is the place."""
    expected_errors.append(REFUSED)
    page.goto(f"{server_url}/?view=table&q={quote('state = ')}")
    box = page.get_by_label("Filter", exact=True)
    expect(page.locator(".query-wrong")).to_contain_text("a value or a field is expected after =")
    box.press("End")
    page.keyboard.type(" ")
    expect(page.locator(".query-wrong")).to_be_hidden()
    page.get_by_role("button", name="Clear the filter").first.click()
    expect(box).to_have_value("")
    expect(page).to_have_url(re.compile(r"/\?view=table$"))


def test_a_slow_answer_does_not_undo_what_was_typed_meanwhile(page: Page, server_url: str) -> None:
    """What is in the box stays, whichever answer comes when."""
    held: list[Any] = []

    def hold(route: Any) -> None:
        if "filter=vis&" in route.request.url and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/v1/runs?*limit=0*", hold)
    box = opened(page, f"{server_url}/?view=table")
    box.press_sequentially("vis")
    page.wait_for_timeout(600)
    assert held
    box.press_sequentially("ion")
    held[0].continue_()
    expect(page).to_have_url(re.compile("q=vision&"))
    expect(box).to_have_value("vision")


def test_quick_filters_write_conditions(page: Page, server_url: str) -> None:
    """A click adds a condition to whatever is there and takes it away again; counts are true."""
    box = opened(page, f"{server_url}/?view=table&q=resnet")
    chips = page.get_by_role("group", name="Quick filters")
    state = chips.get_by_role("group", name="state")
    finished = state.get_by_role("button", name=re.compile("^finished"))
    expect(finished).to_contain_text(
        str(runs(server_url, "search('resnet') and state = 'finished'"))
    )
    finished.click()
    expect(box).to_have_value("search('resnet') and state = 'finished'")
    expect(finished).to_have_attribute("aria-pressed", "true")
    expect(finished).to_be_focused()
    state.get_by_role("button", name=re.compile("^running")).click()
    expect(box).to_have_value("search('resnet') and state in ('finished', 'running')")
    chips.get_by_role("group", name="machine").get_by_role("button").first.click()
    expect(box).to_have_value(re.compile(r"'running'\) and machine = '[\w-]+'$"))
    text = box.input_value()
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute(
        "aria-rowcount", str(runs(server_url, text) + 1)
    )
    chips.get_by_role("button", pressed=True).first.click()
    chips.get_by_role("button", pressed=True).first.click()
    chips.get_by_role("button", pressed=True).first.click()
    expect(box).to_have_value("resnet")


def test_rarer_values_are_in_a_menu(page: Page, server_url: str) -> None:
    """What has no chip is one click away."""
    box = opened(page, f"{server_url}/?view=table")
    page.get_by_role("button", name=re.compile(r"\d+ more of project")).click()
    page.get_by_role("menuitemcheckbox", name=re.compile("^speech")).click()
    expect(box).to_have_value("project = 'speech'")
    expect(page.get_by_role("button", name=re.compile("^speech"), pressed=True)).to_be_visible()


def test_a_long_filter_grows_and_its_colours_stay_under_its_letters(
    page: Page, server_url: str
) -> None:
    """Text and highlighting break at the same places."""
    text = " and ".join(f"hp.lr < {n + 9} and name != 'run {n}'" for n in range(40))
    box = opened(page, f"{server_url}/?view=table&q={quote(text)}")
    expect(box).to_have_value(text)
    shown = page.locator(".query-shown")
    one, other = box.bounding_box(), shown.bounding_box()
    assert one and other and one["height"] > 80 and one["height"] == other["height"]
    assert box.evaluate("el => el.scrollHeight <= el.clientHeight")
    assert shown.inner_text().rstrip("\u200b") == text


@pytest.fixture(scope="module")
def language(browser: Browser, server_url: str) -> Any:
    """A function that runs *script* with the page's module on the filter language as `m`."""
    page = browser.new_context().new_page()
    page.goto(f"{server_url}/api")
    page.evaluate("""async () => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        window.m = Object.assign({}, await import(`${base}table/language.js`), await import(`${base}core/combo.js`));
    }""")
    yield page.evaluate
    page.context.close()


PIECES = st.sampled_from([
    "resnet", "two words", "and", "or", "hp.lr", "lr=3", "'it''s'", '"a b"', "'", '"', "(", ")", "=", "~", " ", "  ",
    "*", ".", "-", "val/loss", "a:b", "name", "100%", "é", "not", "x_1",
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6).map("".join))
def test_words_and_expressions_are_told_apart_as_the_server_does(language: Any, text: str) -> None:
    """The page and the server agree on what is a search for words."""
    assert language("text => m.isWords(text)", text) == (words.split(text) is not None)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        ["", "resnet", "\"it's\" vision", "points > 1", "points > 1 or points < 0", "points between 1 and 2",
         "not (a = 1 or b = 2)"]
    ),
    st.lists(st.sampled_from(["running", "it's", "a, b", "x) or (y"]), min_size=1, max_size=4, unique=True),
)  # fmt: skip
def test_a_quick_filter_taken_back_leaves_the_filter_as_it_meant(
    language: Any, text: str, values: list[str]
) -> None:
    """Whatever stands there: what is added can be read back, and goes again."""
    script = """([text, values]) => {
        let now = text;
        for (const value of values) now = m.toggled(now, 'state', value);
        const read = m.chosen(now, 'state');
        for (const value of values) now = m.toggled(now, 'state', value);
        return [read, now];
    }"""
    read, left = language(script, [text, values])
    assert read == values
    assert left in (text, f"({text})")


@pytest.mark.parametrize(
    "typed, best",
    [
        ("val loss", "val/loss"),
        ("vl", "val/loss"),
        ("/^l.*s$/", "loss"),
        ("LOSS", "loss"),
        ("zz", None),
    ],
)
def test_names_are_found_by_words_letters_and_patterns(
    language: Any, typed: str, best: str | None
) -> None:
    """The best match comes first."""
    names = ["train/loss", "val/loss", "loss", "learning_rate"]
    found = language("([typed, names]) => m.ranked(typed, names)", [typed, names])
    assert (found[0] if found else None) == best
