"""The state of a page: what URLs and saved views may say, and how changes become steps of undo."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

_WRONG: list[Any] = [None, 1e300, "y" * 20_000, [5], [{}], {"a": {}}, {"a": [1, "b"]}]
_FIELDS = {
    "workspace": "q sort group cols fix wide n hide show hue sel base open arch tags x xs sk sm out"
    " band pins multi shut size zoom yz own full live pane view",
    "compare": "runs base diff stat q flip closed dirs text ta tb uni pins multi zoom yz own full",
}


def values(page: Page) -> dict[str, Any]:
    """What the page's state is."""
    found: dict[str, Any] = page.evaluate("() => history.state.values")
    return found


def kept(page: Page, server_url: str, of: str, state: dict[str, Any]) -> str:
    """The address of a view that is saved unchecked."""
    answer = page.request.post(f"{server_url}/api/v1/views", data={"page": of, "state": state})
    assert answer.ok, answer.text()
    return f"{server_url}/v/{answer.json()['id']}"


@pytest.mark.parametrize("of", _FIELDS)
@pytest.mark.parametrize("wrong", range(len(_WRONG)))
def test_a_view_of_rubbish_opens_as_if_it_said_nothing(
    page: Page, server_url: str, of: str, wrong: int
) -> None:
    """Values of another type, or beyond all measure, are left out; the page works."""
    page.goto(f"{server_url}/{'' if of == 'workspace' else of}")
    usual = page.evaluate("() => history.state.values")
    state = dict.fromkeys(_FIELDS[of].split(), _WRONG[wrong])
    page.goto(kept(page, server_url, of, state))
    now = values(page)
    for name, fallback in usual.items():
        if isinstance(fallback, (bool, list, dict)):
            assert type(now[name]) is type(fallback), name
    assert all(isinstance(one, str) for one in now["pins"])
    assert now["multi"] == []
    assert now["zoom"] is None
    expect(page.locator("main")).to_be_visible()
    page.get_by_role("button", name="Search everything").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_what_fits_is_kept_beside_what_does_not(page: Page, server_url: str) -> None:
    """Lists and objects lose only the items that cannot be used."""
    chart = {"title": "two", "tags": ["a", "b"]}
    state = {
        "pins": ["loss", 5], "multi": [chart, {"title": 5}, {"expr": '"a" - "b"'}],
        "yz": {"constructor": [0, 1], "b": ["0", 1]}, "hue": {"a": "#346bbb", "b": "red;"},
        "zoom": [3, 1], "n": 1e9, "gone": 1,
    }  # fmt: skip
    page.goto(kept(page, server_url, "workspace", state))
    now = values(page)
    assert now["pins"] == ["loss"]
    assert now["multi"] == [chart, {"expr": '"a" - "b"'}]
    assert now["yz"] == {"constructor": [0, 1]}
    assert now["hue"] == {"a": "#346bbb"}
    assert (now["zoom"], now["n"]) == (None, 200)
    assert "gone" not in now
    page.goto(f"{server_url}/?{urlencode({name: json.dumps(one) for name, one in state.items()})}")
    again = values(page)
    assert {name: again[name] for name in state if name in again} == {
        name: now[name] for name in state if name in now
    }


def test_a_drag_is_one_step_of_undo_however_long_it_is(page: Page, server_url: str) -> None:
    """The URL follows while something is dragged; going back leads to where the drag began."""
    page.goto(f"{server_url}/?sm=0.3")
    slider = page.get_by_role("slider", name="Smoothing")
    slider.evaluate("""async (el) => {
        for (let i = 0; i < 400; i += 1) {
            el.value = String(0.4 + (i % 50) / 100);
            el.dispatchEvent(new Event("input", { bubbles: true }));
            if (i % 100 === 0) await new Promise((done) => setTimeout(done, 20));
        }
    }""")
    page.wait_for_function("() => location.search.includes('sm=0.89')")
    slider.evaluate("(el) => el.dispatchEvent(new Event('change', { bubbles: true }))")
    page.wait_for_function("() => history.state.at === 1")
    page.go_back()
    page.wait_for_function("() => location.search === '?sm=0.3'")
    assert values(page)["sm"] == 0.3
    expect(slider).to_have_value("0.3")


def test_going_back_while_something_is_typed_forgets_it(page: Page, server_url: str) -> None:
    """What was not committed is no part of the step that comes next."""
    page.goto(f"{server_url}/")
    page.keyboard.press("l")
    page.wait_for_function("() => history.state.at === 1")
    page.get_by_role("slider", name="Smoothing").evaluate("""(el) => {
        el.value = "0.1";
        el.dispatchEvent(new Event("input", { bubbles: true }));
    }""")
    page.go_back()
    page.wait_for_function("() => history.state.at === 0")
    page.keyboard.press("r")
    page.keyboard.press("l")
    page.wait_for_function("() => history.state.at === 1")
    now = values(page)
    assert (now["sm"], now["ys"]) == (0.6, "log")
    page.go_back()
    page.wait_for_function("() => history.state.at === 0")
    assert values(page)["sm"] == 0.6
