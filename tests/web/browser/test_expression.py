"""What columns, sort keys and ids of groups mean, run where it runs: in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def words(browser: Browser, server_url: str) -> Iterator[Page]:
    """A page with the modules at hand as `m`."""
    page = browser.new_context().new_page()
    page.goto(f"{server_url}/api")
    page.evaluate("""async () => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        const names = ['table/expression', 'table/rows', 'core/split'];
        window.m = Object.assign({}, ...await Promise.all(names.map((name) => import(`${base}${name}.js`))));
    }""")
    yield page
    page.context.close()


@pytest.mark.parametrize(
    ("text", "name", "title", "expr", "better"),
    [
        ("label", "label", "Run", "label", 0),
        ("last_event_at", "last_event_at", "Last event", "last_event_at", 0),
        ("hp.lr", "hp.lr", "lr", "hp.lr", 0),
        ('hp."a ""b"""', 'hp."a ""b"""', 'a "b"', 'hp."a ""b"""', 0),
        ('min("val/loss")', 'min("val/loss")', "min val/loss", 'min("val/loss")', -1),
        ('max("acc", "eval")', 'max("acc", "eval")', "max acc (eval)", 'max("acc", "eval")', 1),
        ('step_min("loss")', 'step_min("loss")', "step min loss", 'step_min("loss")', 0),
        ('first_nan("loss")', 'first_nan("loss")', "first NaN loss", 'first_nan("loss")', 0),
        ('attempts("loss")', 'attempts("loss")', "attempts loss", 'attempts("loss")', 0),
        ("nan_tags", "nan_tags", "Curves with NaN", "nan_tags", 0),
        ('min("val/loss") as best', "best", "best", 'min("val/loss")', -1),
        ('hp.lr * 2 as "twice, or so"', "twice, or so", "twice, or so", "hp.lr * 2", 0),
        ('last("charts/episodic_return")', None, None, None, 1),
        ('last("val_iou")', None, None, None, 1),
        ('last("eval/mAP")', None, None, None, 1),
        ('last("image_map/size")', None, None, None, 1),
        ('last("mapping")', None, None, None, 0),
        ('last("wall/acceleration")', None, None, None, 0),
        ('last("perplexity")', None, None, None, -1),
        ('last("train/error_rate")', None, None, None, -1),
    ],
)
def test_a_column_says_what_it_is(
    words: Page, text: str, name: str | None, title: str | None, expr: str | None, better: int
) -> None:
    """Its name at the server, a title to read, the expression to sort by, and what is better."""
    one: dict[str, Any] = words.evaluate("(text) => m.column(text)", text)
    assert one["better"] == better
    if name is not None:
        assert (one["name"], one["title"], one["expr"]) == (name, title, expr)


@pytest.mark.parametrize(
    ("text", "expr", "desc", "written"),
    [
        ("-points", "points", True, "-points"),
        ("points desc", "points", True, "-points"),
        ('min("val/loss") ASC', 'min("val/loss")', False, 'min("val/loss")'),
    ],
)
def test_a_sort_key_has_a_direction(
    words: Page, text: str, expr: str, desc: bool, written: str
) -> None:
    """Both ways to write it are read, and one is written."""
    key = words.evaluate("(text) => m.sortKey(text)", text)
    assert key == {"expr": expr, "desc": desc}
    assert words.evaluate("(key) => m.sortText(key)", key) == written


VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(st.characters(codec="utf-8"))


@settings(max_examples=200)
@given(st.lists(st.lists(VALUES, min_size=1, max_size=3), min_size=1, max_size=4))
def test_ids_of_groups_stand_in_lists(words: Page, groups: list[list[object]]) -> None:
    """Whatever the values are: ids that were joined by commas are parted again as they were."""
    back = words.evaluate(
        "(groups) => m.split(groups.map((one) => m.groupId(one)).join(',')).map(m.groupValues)",
        groups,
    )
    assert back == groups
