"""From every page one click opens TensorBoard, for exactly the runs that the page says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from boardlake.api.tensorboard import selection

_INSIDE = re.compile(r"/tb/[0-9a-f]+/(\?|#|$)")
_VISION = "project = 'vision'"
# On a busy machine; nothing is measured here.
_PATIENCE_MS = 60_000


def ask(page: Page, url: str, path: str, **query: Any) -> Any:
    answer = page.request.get(f"{url}/api/v1/{path}?{urlencode(query)}")
    assert answer.ok, answer.text()
    return answer.json()


def keys(page: Page, url: str, filter: str = "", **more: Any) -> list[str]:
    """The run_keys that a filter finds, in the order of names."""
    asked = {"filter": filter, "columns": "run_key", "sort": "name", "limit": 1000, **more}
    return [row[1] for row in ask(page, url, "runs", **asked)["rows"]]


def runs_at(page: Page, url: str, address: str) -> list[str]:
    """The keys of the runs that TensorBoard has at *address*, which lists exactly their series."""
    assert _INSIDE.search(address), address
    id = urlsplit(address).path.split("/")[2]
    state = ask(page, url, f"views/{id}")["state"]
    found = state.get("sel") or keys(page, url, state.get("q", ""))
    told = page.request.post(f"{url}/api/v1/tensorboard", data={"runs": found}).json()
    assert told["runs"] == len(found)
    names = page.request.get(f"{url}/tb/{id}/data/runs").json()
    assert names == page.request.get(f"{url}{told['url']}data/runs").json()
    assert len(names) >= len(found) > 0
    return sorted(found)


def opened(page: Page, act: Callable[[], object]) -> str:
    """The address of TensorBoard in the tab that *act* opens."""
    with page.context.expect_page() as coming:
        act()
    tab = coming.value
    tab.wait_for_url(_INSIDE, wait_until="commit", timeout=_PATIENCE_MS)
    assert tab.evaluate("window.opener") is None
    address = tab.url
    tab.close()
    return address


def led(page: Page, url: str, link: Locator) -> str:
    """Where a plain link to another tab leads, without a browser's help."""
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener")
    answer = page.request.get(f"{url}{link.get_attribute('href')}", max_redirects=0)
    assert answer.status == 302, answer.text()
    return str(answer.headers["location"])


def link(page: Page, name: str | re.Pattern[str]) -> Locator:
    found = page.get_by_role("banner").get_by_role("link", name=name)
    expect(found).to_be_visible(timeout=_PATIENCE_MS)
    return found


def test_the_table_leads_to_what_its_filter_finds(page: Page, server_url: str) -> None:
    """The link says how many runs there are, follows the filter, and opens a tab."""
    wanted = keys(page, server_url, _VISION)
    page.goto(f"{server_url}/?{urlencode({'q': _VISION})}")
    here = link(page, f"Open {len(wanted)} runs in TensorBoard")
    assert runs_at(page, server_url, opened(page, here.click)) == sorted(wanted)
    page.get_by_role("textbox", name="Filter").fill("name = 'nothing is called so'")
    page.keyboard.press("Enter")
    expect(here).to_have_count(0)


def test_selected_runs_go_before_the_filter(page: Page, server_url: str) -> None:
    """In the bar, in that of the selection, and by a key; in the order they do not matter."""
    some = keys(page, server_url, _VISION)[:3]
    page.goto(f"{server_url}/?{urlencode({'sel': ','.join(some)})}")
    name = "Open 3 selected runs in TensorBoard"
    assert runs_at(page, server_url, led(page, server_url, link(page, name))) == sorted(some)
    bar = page.get_by_role("toolbar", name="Selected runs").get_by_role("link", name=name)
    assert runs_at(page, server_url, led(page, server_url, bar)) == sorted(some)
    address = opened(page, lambda: page.keyboard.press("b"))
    assert runs_at(page, server_url, address) == sorted(some)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("in TensorBoard")


def test_the_menu_of_a_row_is_a_link(page: Page, server_url: str) -> None:
    """It is reached and followed by the keyboard."""
    (key, *_) = keys(page, server_url, _VISION)
    page.goto(f"{server_url}/?{urlencode({'q': _VISION, 'sort': 'name', 'view': 'table'})}")
    row = page.locator(f".row[data-key='{key}']")
    row.get_by_role("gridcell").nth(4).click()
    page.keyboard.press("Shift+F10")
    item = page.get_by_role("menuitem", name="Open in TensorBoard")
    page.keyboard.press("ArrowDown")
    expect(item).to_be_focused()
    address = opened(page, lambda: page.keyboard.press("Enter"))
    assert runs_at(page, server_url, address) == [key]
    expect(item).to_have_count(0)


@pytest.mark.parametrize(
    "by",
    [
        ["project", "machine"],
        ["hp.batch_size"],
        ["hp.lr", "state"],
        ["isnan(last(\"train/loss\"))"],
        ["round(log10(hp.lr)) as decade"],
        ['last("train/loss")'],
        ["tags"],
        ["created_at"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_group_leads_to_its_members(page: Page, server_url: str, by: list[str]) -> None:
    """Numbers, texts, conditions, what is missing or no number; times and tags by a list of runs."""
    query = "last_step > 100"
    state = {"q": query, "group": ",".join(by), "view": "table", "n": 0}
    page.goto(f"{server_url}/?{urlencode(state)}")
    rows = page.locator(".row.group")
    expect(rows.first).to_be_visible()
    seen: list[str] = []
    for i in range(min(rows.count(), 3 if by in (["tags"], ["created_at"]) else 12)):
        size = int(rows.nth(i).locator(".size").inner_text())
        rows.nth(i).get_by_role("gridcell").nth(4).click(button="right")
        item = page.get_by_role("menuitem", name=re.compile(r"Open its \d+ runs? in TensorBoard"))
        if item.get_attribute("href"):
            address = led(page, server_url, item)
            page.keyboard.press("Escape")
        else:
            address = opened(page, item.click)
        found = runs_at(page, server_url, address)
        assert len(found) == size
        seen += found
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(keys(page, server_url, query))
    if rows.count() <= 12 and by != ["tags"]:
        assert len(seen) == len(keys(page, server_url, query))


def test_a_saved_view_leads_to_its_runs(page: Page, server_url: str) -> None:
    """By its own id, so that the address goes on with the view."""
    page.goto(f"{server_url}/?{urlencode({'q': _VISION})}")
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_label("Name of this view").fill("Of an evening")
    page.keyboard.press("Enter")
    here = page.get_by_role("link", name="Open the runs of Of an evening in TensorBoard")
    address = led(page, server_url, here)
    assert urlsplit(address).path == here.evaluate(
        "a => `/tb/${new URL(a.href).searchParams.get('view')}/`"
    )
    assert runs_at(page, server_url, address) == sorted(keys(page, server_url, _VISION))
    page.get_by_role("button", name="Delete Of an evening").click()
    expect(here).to_have_count(0)


def test_a_run_page_leads_to_its_run(page: Page, server_url: str) -> None:
    """In its head, by the key, and in the quick search."""
    (key, *_) = keys(page, server_url, _VISION)
    page.goto(f"{server_url}/run/{key}")
    head = page.get_by_role("link", name="Open this run in TensorBoard")
    assert runs_at(page, server_url, led(page, server_url, head)) == [key]
    assert runs_at(page, server_url, opened(page, lambda: page.keyboard.press("b"))) == [key]
    page.keyboard.press("Control+k")
    page.keyboard.type("run in tensorboard")
    address = opened(page, lambda: page.keyboard.press("Enter"))
    assert runs_at(page, server_url, address) == [key]


def test_the_compared_runs(page: Page, server_url: str) -> None:
    """They are opened together, and the one that is left out is not."""
    some = keys(page, server_url, _VISION)[:3]
    page.goto(f"{server_url}/compare?runs={','.join(some)}")
    here = page.get_by_role("link", name="Open 3 compared runs in TensorBoard")
    assert runs_at(page, server_url, led(page, server_url, here)) == sorted(some)
    page.goto(f"{server_url}/compare?runs={','.join(some[:2])}")
    expect(page.get_by_role("link", name="Open 2 compared runs in TensorBoard")).to_be_visible()
    address = opened(page, lambda: page.keyboard.press("b"))
    assert runs_at(page, server_url, address) == sorted(some[:2])


def test_media_lead_to_their_dashboard(page: Page, server_url: str) -> None:
    """The panel's link has the runs that are shown, and the dashboard of their kind."""
    state = {"q": "state = 'finished'", "kind": "images", "n": 40}
    page.goto(f"{server_url}/media?{urlencode(state)}")
    here = page.get_by_role("link", name=re.compile("Open the images of .* in TensorBoard"))
    expect(here).to_be_visible(timeout=_PATIENCE_MS)
    address = opened(page, here.click)
    assert urlsplit(address).fragment == "images"
    assert runs_at(page, server_url, address) == sorted(
        keys(page, server_url, state["q"], sort="-last_event_at", limit=40)
    )
    page.get_by_role("tab", name="Texts").click()
    texts = page.get_by_role("link", name=re.compile("Open the texts of .* in TensorBoard"))
    expect(texts).to_have_attribute("href", re.compile("#text$"))
    link(page, re.compile(r"Open \d+ runs in TensorBoard"))


def test_brushes_narrow_what_is_opened(page: Page, server_url: str) -> None:
    """The analysis page leads to the runs that its brushes leave, as does its saved view."""
    brush = '{"hp.batch_size":[[200,600]]}'
    page.goto(f"{server_url}/analyze?{urlencode({'q': _VISION, 'brush': brush})}")
    wanted = keys(page, server_url, f"{_VISION} and hp.batch_size between 200 and 600")
    assert 0 < len(wanted)
    here = link(page, f"Open {len(wanted)} runs in TensorBoard")
    assert runs_at(page, server_url, led(page, server_url, here)) == sorted(wanted)
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_label("Name of this view").fill("Brushed")
    page.keyboard.press("Enter")
    view = page.get_by_role("link", name="Open the runs of Brushed in TensorBoard")
    assert runs_at(page, server_url, led(page, server_url, view)) == sorted(wanted)
    page.get_by_role("button", name="Delete Brushed").click()
    expect(view).to_have_count(0)


def test_a_chart_opens_at_its_tag(page: Page, server_url: str) -> None:
    """Time Series shows this tag alone, as smooth as here, for the runs that are drawn."""
    some = keys(page, server_url, _VISION)[:4]
    state = {"q": _VISION, "n": 0, "show": ",".join(some), "tags": "^train/loss$", "sm": "0.8"}
    page.goto(f"{server_url}/?{urlencode(state)}")
    page.get_by_role("article", name="Chart train/loss").hover()
    page.get_by_role("button", name="Menu of train/loss").click()
    item = page.get_by_role("menuitem", name="Open in TensorBoard")
    with page.context.expect_page() as coming:
        item.click()
    tab = coming.value
    tab.wait_for_url(_INSIDE, timeout=_PATIENCE_MS)
    assert urlsplit(tab.url).fragment == "timeseries"
    assert parse_qs(urlsplit(tab.url).query) == {
        "tagFilter": ["^train/loss$"],
        "smoothing": ["0.8"],
    }
    tab.set_default_timeout(_PATIENCE_MS)
    expect(tab.get_by_role("combobox", name=re.compile("Filter tags"))).to_have_value(
        "^train/loss$", timeout=_PATIENCE_MS
    )
    expect(tab.locator("scalar-card")).to_have_count(1, timeout=_PATIENCE_MS)
    assert runs_at(page, server_url, tab.url) == sorted(some)
    tab.close()


def test_what_is_too_long_for_an_address_is_sent(page: Page, server_url: str) -> None:
    """A button is there instead of the link, and opens the same; so does the menu of a group."""
    wanted = keys(page, server_url, _VISION)
    long = f"{_VISION} and name != '{'x' * 2000}'"
    answer = page.request.post(
        f"{server_url}/api/v1/views",
        data={"page": "workspace", "state": {"q": long, "group": ["project"]}},
    )
    page.goto(f"{server_url}/v/{answer.json()['id']}")
    name = f"Open {len(wanted)} runs in TensorBoard"
    here = page.get_by_role("banner").get_by_role("button", name=name)
    expect(here).to_be_visible()
    assert runs_at(page, server_url, opened(page, here.click)) == sorted(wanted)
    page.locator(".row.group").get_by_role("gridcell").nth(4).click(button="right")
    item = page.get_by_role("menuitem", name=f"Open its {len(wanted)} runs in TensorBoard")
    assert runs_at(page, server_url, opened(page, item.click)) == sorted(wanted)


def test_too_many_runs_are_told(
    page: Page, server_url: str, monkeypatch: pytest.MonkeyPatch, expected_errors: list[str]
) -> None:
    """The link stays: the page behind it says what to do. What was sent is refused beside it."""
    monkeypatch.setattr(selection, "MAX_RUNS", 3)
    expected_errors.append("status of 400")
    page.goto(f"{server_url}/?{urlencode({'q': _VISION})}")
    here = link(page, re.compile(r"Open \d+ runs in TensorBoard"))
    with page.context.expect_page() as coming:
        here.click()
    tab = coming.value
    expect(tab.get_by_text("more than 3 runs are selected")).to_be_visible()
    tab.close()
    long = quote(f"{_VISION} and name != '{'x' * 2000}'")
    page.goto(f"{server_url}/?q={long}")
    page.get_by_role("banner").get_by_role("button", name=re.compile("in TensorBoard")).click()
    expect(page.get_by_role("status").filter(has_text="more than 3 runs")).to_be_visible()
    assert len(page.context.pages) == 1


def said(page: Page, count: int, kind: str = "") -> dict[str, str]:
    script = "async ([url, count, kind]) => (await import(url)).wording(count, kind)"
    url = page.evaluate(
        "performance.getEntriesByType('resource').map((one) => one.name)"
        ".find((name) => name.includes('core/tensorboard.js'))"
    )
    found: dict[str, str] = page.evaluate(script, [url, count, kind])
    return found


def test_more_runs_than_tensorboard_ticks(page: Page, server_url: str) -> None:
    """Up to 500 it ticks all, beyond none, which the tooltip tells."""
    page.goto(server_url)
    link(page, re.compile("in TensorBoard"))
    assert said(page, 1) == dict.fromkeys(("label", "title"), "Open 1 run in TensorBoard")
    assert said(page, 500, "selected")["title"] == "Open 500 selected runs in TensorBoard"
    assert "ticks none" in said(page, 501)["title"]


def without_script(browser: Browser, urls: Sequence[str], name: str) -> list[str]:
    """The addresses of the link called *name* on some pages, where scripts are off."""
    context = browser.new_context(java_script_enabled=False)
    found = []
    for url in urls:
        page = context.new_page()
        page.goto(url)
        found.append(str(page.get_by_role("link", name=name).get_attribute("href")))
    context.close()
    return found


def test_without_scripts(page: Page, browser: Browser, server_url: str) -> None:
    """The table and the run page have the plain link."""
    wanted = keys(page, server_url, _VISION)
    urls = [f"{server_url}/?{urlencode({'q': _VISION})}"]
    (href,) = without_script(browser, urls, f"Open these {len(wanted)} runs in TensorBoard")
    address = page.request.get(f"{server_url}{href}", max_redirects=0).headers["location"]
    assert runs_at(page, server_url, address) == sorted(wanted)
    urls = [f"{server_url}/run/{wanted[0]}"]
    (href,) = without_script(browser, urls, "Open this run in TensorBoard")
    address = page.request.get(f"{server_url}{href}", max_redirects=0).headers["location"]
    assert runs_at(page, server_url, address) == wanted[:1]


def test_a_selection_of_too_many_runs_says_what_to_do(page: Page, server_url: str) -> None:
    """The server's own words, and not those of a check of lists."""
    many = [f"{i:012x}" for i in range(selection.MAX_RUNS + 1)]
    answer = page.request.post(f"{server_url}/api/v1/tensorboard", data={"runs": many})
    assert answer.status == 400
    told = answer.json()["error"]
    assert "TensorBoard cannot show them" in told["message"]
    assert "select some of the runs" in told["hint"]
