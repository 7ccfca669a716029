"""Every page can be used with a screen reader and seen by most eyes, in light and in dark."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal
from urllib.request import urlopen

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from boardlake.cli.main import main
from boardlake.lake.package import Package

Serve = Callable[[Path, Path], AbstractContextManager[str]]
# On a busy machine; nothing is measured here.
_PATIENCE_MS = 20_000
_GRAVE = ("serious", "critical")
_THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def check(page: Page) -> None:
    """Fails with every serious or critical finding of axe in either theme, or without a heading."""
    # What fades in is judged where it ends.
    page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    told: list[str] = []
    for theme in _THEMES:
        page.emulate_media(color_scheme=theme)
        told += findings(page, theme)
    assert not told, "\n".join(told)
    assert page.locator("h1").count() == 1


def findings(page: Page, theme: str) -> list[str]:
    """What axe finds grave in the page as it is."""
    # Of a theme only colours are its own.
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if theme != _THEMES[0]:
        options["runOnly"] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
    if page.evaluate("!('axe' in window)"):
        page.evaluate(AXE_SCRIPT)
    # Rules look at what the page shows; style sheets need not be fetched once more for them.
    options["preload"] = {"assets": ["media"]}
    found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [
        f"{theme}: {one['id']} ({one['impact']}): {node['target']} {node['html'][:200]}"
        f" {[fact['message'] for fact in node['any']][:1]}"
        for one in found
        if one["impact"] in _GRAVE
        for node in one["nodes"][:5]
    ]


def test_findings_are_found(page: Page, empty_url: str) -> None:
    """What has no name is told, and what is too faint in one theme only, of that theme."""
    page.goto(empty_url)
    page.wait_for_load_state("networkidle")
    page.emulate_media(color_scheme="light")
    assert findings(page, "light") == []
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('button')),"
        " Object.assign(document.createElement('p'), {id: 'faint', textContent: 'Faint words'}))"
    )
    faint = "#faint { color: #000; background: #fff; }"
    faint += "@media (prefers-color-scheme: dark) { #faint { color: #222; background: #111; } }"
    page.add_style_tag(content=faint)
    (nameless,) = findings(page, "light")
    assert "button-name" in nameless
    page.emulate_media(color_scheme="dark")
    (seen,) = findings(page, "dark")
    assert "color-contrast" in seen


@pytest.fixture(scope="module")
def keys(server_url: str) -> list[str]:
    """The keys of all sample runs; the first has curves, texts and pictures."""
    with urlopen(f"{server_url}/api/v1/runs?columns=run_key,name&sort=name&limit=1000") as answer:
        rows: list[tuple[int, str, str]] = json.load(answer)["rows"]
    rows.sort(key=lambda row: not row[2].startswith("resnet50_lr0.1"))
    return [key for _, key, _ in rows]


@pytest.fixture(scope="module")
def empty_url(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[str]:
    """The address of a server over a lake without runs."""
    root = tmp_path_factory.mktemp("empty")
    (root / "logs").mkdir()
    config = root / "boardlake.toml"
    config.write_text(f'[lake]\npath = "{root}/lake"\n[sources.here]\nuri = "{root}/logs"\n')
    assert main(["--config", str(config), "ingest"]) == 0
    with serve(root / "lake", root / "state") as url:
        yield url


def test_workspace(page: Page, server_url: str) -> None:
    """The run table and the charts, with rows and curves in them."""
    page.goto(server_url)
    expect(page.get_by_text("resnet50_lr0.1_bs512_s1").first).to_be_visible(timeout=_PATIENCE_MS)
    page.wait_for_load_state("networkidle")
    check(page)


def test_workspace_over_an_empty_lake(page: Page, empty_url: str) -> None:
    """It says that there are no runs yet."""
    page.goto(empty_url)
    page.wait_for_load_state("networkidle")
    check(page)


def test_run(page: Page, server_url: str, keys: list[str]) -> None:
    """A run's page at each of its tabs."""
    page.goto(f"{server_url}/run/{keys[0]}")
    tabs = page.get_by_role("tab")
    expect(tabs.first).to_be_visible(timeout=_PATIENCE_MS)
    for tab in range(tabs.count()):
        tabs.nth(tab).click()
        expect(tabs.nth(tab)).to_have_attribute("aria-selected", "true")
        page.wait_for_load_state("networkidle")
        check(page)


@pytest.mark.parametrize("most", [0, 1, 2, 52])
def test_compare(page: Page, server_url: str, keys: list[str], most: int) -> None:
    """Without runs, with one, with a few, and with many in rows."""
    some = ",".join(keys[:most])
    page.goto(f"{server_url}/compare?runs={some}&base={some[:12]}&diff=0")
    if most:
        expect(page.locator("th.run").first).to_be_visible(timeout=_PATIENCE_MS)
    page.wait_for_load_state("networkidle")
    check(page)


def test_compare_over_an_empty_lake(page: Page, empty_url: str) -> None:
    """It says that there is nothing to compare."""
    page.goto(f"{empty_url}/compare")
    expect(page.get_by_text("The lake holds no runs yet")).to_be_visible(timeout=_PATIENCE_MS)
    check(page)


def test_compare_with_a_menu_open(page: Page, server_url: str, keys: list[str]) -> None:
    """What opens over the page, and the list of runs to add."""
    page.goto(f"{server_url}/compare?runs={','.join(keys[:2])}")
    page.locator("th.run button").first.click()
    check(page)
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Add a run").click()
    expect(page.locator("#add-run-0")).to_be_visible(timeout=_PATIENCE_MS)
    check(page)


def test_media_viewer(page: Page, server_url: str) -> None:
    """Images in the grid, one of them large, two compared in every way, and a menu of partners."""
    page.goto(f"{server_url}/media?n=40&tags=val")
    thumb = page.locator(".thumb img").first
    expect(thumb).to_be_visible(timeout=_PATIENCE_MS)
    check(page)
    thumb.click()
    page.get_by_role("button", name="Compare with").click()
    check(page)
    page.get_by_role("menuitem").first.click()
    for mode in ("Side by side", "Flicker", "Difference", "Wipe", "One image"):
        page.get_by_role("button", name=mode).click()
        check(page)


def test_media_sounds_and_nothing(page: Page, server_url: str, empty_url: str) -> None:
    """Players of sounds, the list of tags, and a lake in which there is nothing to show."""
    page.goto(f"{server_url}/media?n=60&kind=audio")
    expect(page.locator("audio").first).to_be_visible(timeout=_PATIENCE_MS)
    page.get_by_role("button", name="1 tag").click()
    check(page)
    page.goto(f"{empty_url}/media")
    expect(page.get_by_text("There are no runs yet.")).to_be_visible(timeout=_PATIENCE_MS)
    check(page)


@pytest.mark.parametrize("tab", ["sources", "trouble", "problems", "copies", "disk", "quality"])
def test_sources(page: Page, server_url: str, empty_url: str, tab: str) -> None:
    """Each part of the page of sources, over the samples and over an empty lake."""
    for url in (server_url, empty_url):
        page.goto(f"{url}/sources?tab={tab}&open=stopped_tags,no_hparams")
        expect(page.get_by_role("tab", selected=True)).to_be_visible(timeout=_PATIENCE_MS)
        page.wait_for_load_state("networkidle")
        check(page)


@pytest.mark.parametrize(
    "view",
    [
        "kind=histograms&tags=conv1", "kind=histograms&tags=conv1&hv=slice", "kind=curves",
        "kind=texts&tq=learning", "kind=texts&tv=diff", "kind=texts&tq=(&tr=1",
    ],
)  # fmt: skip
def test_tensors_of_many_runs(
    page: Page, server_url: str, expected_errors: list[str], view: str
) -> None:
    """Histograms, PR curves, texts and what differs between them, with what a search has found."""
    expected_errors.append("400")
    page.goto(f"{server_url}/media?n=60&{view}")
    box = page.locator(".tensors .sheetbox:not(.waiting)")
    expect(box.first).to_be_visible(timeout=_PATIENCE_MS)
    page.wait_for_load_state("networkidle")
    check(page)


def test_api(page: Page, server_url: str) -> None:
    """The API page with schemas unfolded and a question asked."""
    page.goto(f"{server_url}/api")
    page.locator("#get-info").get_by_role("button", name="Try it").click()
    page.locator("#get-info").get_by_role("button", name="Send").click()
    expect(page.get_by_text("200 OK")).to_be_visible(timeout=_PATIENCE_MS)
    page.evaluate(
        "for (const one of document.querySelectorAll('.rules details, #get-compare details'))"
        " one.open = true"
    )
    check(page)


def test_sql(page: Page, server_url: str) -> None:
    """Rows, a chart, each pane, suggestions, an opened value."""
    page.goto(f"{server_url}/sql?q=SELECT+run_id,+run_key,+name,+NULL+AS+none,+points+FROM+runs")
    expect(page.locator(".sql-rows .space .row").first).to_be_visible(timeout=_PATIENCE_MS)
    page.wait_for_load_state("networkidle")
    check(page)
    page.get_by_role("button", name="Chart", exact=True).click()
    for tab in ("Examples", "History", "Saved"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_load_state("networkidle")
        check(page)
    page.get_by_role("button", name="Table", exact=True).click()
    page.locator(".sql-rows .space .row .cell").nth(3).dblclick()
    expect(page.get_by_role("dialog", name="name")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.get_by_label("SQL", exact=True).press("Control+End")
    page.keyboard.type(" WHERE duplicat")
    expect(page.locator("ul.combo li").first).to_be_visible(timeout=_PATIENCE_MS)
    check(page)


def test_sql_that_is_wrong(page: Page, server_url: str, expected_errors: list[str]) -> None:
    """An error in its place, and the page before anything was asked."""
    page.goto(f"{server_url}/sql")
    page.wait_for_load_state("networkidle")
    check(page)
    expected_errors.append("400")
    page.goto(f"{server_url}/sql?q=SELECT+nme+FROM+runs")
    expect(page.get_by_role("button", name="Use name")).to_be_visible(timeout=_PATIENCE_MS)
    check(page)
    page.get_by_role("button", name="Use name").click()
    expect(page.locator(".sql-count")).to_be_visible(timeout=_PATIENCE_MS)
    page.get_by_label("SQL", exact=True).fill("SELECT nme FROM runs")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sql-result.stale")).to_be_visible(timeout=_PATIENCE_MS)
    check(page)


@pytest.mark.parametrize("path", ["nothing/here", "run/none", "v/none"])
def test_errors(page: Page, server_url: str, expected_errors: list[str], path: str) -> None:
    """A page that is not there says so."""
    expected_errors.append("404")
    page.goto(f"{server_url}/{path}")
    expect(page.get_by_role("alert")).to_be_visible(timeout=_PATIENCE_MS)
    check(page)


def test_quick_search_and_keys(page: Page, server_url: str) -> None:
    """The dialogs that every page has."""
    page.goto(f"{server_url}/compare")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Search everything")).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.locator("#quick-0")).to_be_visible(timeout=_PATIENCE_MS)
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible(timeout=_PATIENCE_MS)
    check(page)


@pytest.mark.parametrize("kind", ["boxes", "bars"])
def test_statistics_on_the_analysis_page(page: Page, server_url: str, kind: str) -> None:
    """Importance, groups and best runs, with a suggestion list open."""
    state = "q=project%20%3D%20'vision'&closed=%5B%22scatter%22%2C%22parallel%22%5D"
    page.goto(f"{server_url}/analyze?{state}&boxBy=hp.model,hp.lr&bestBy=hp.lr&boxKind={kind}")
    for part in (".weights tbody tr", ".group-mark", ".standings tbody tr"):
        expect(page.locator(part).first).to_be_visible(timeout=3 * _PATIENCE_MS)
    # The forest is there, or why there is none.
    done = page.locator("#importance").filter(has_text=re.compile("forest explains|scikit-learn"))
    expect(done).to_be_visible(timeout=3 * _PATIENCE_MS)
    check(page)
    page.get_by_role("combobox", name="Metric of the groups").click()
    expect(page.locator("ul.combo li").first).to_be_visible(timeout=_PATIENCE_MS)
    check(page)


def test_downloads(page: Page, server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form, an export that is being written, its button in the bar, and the file's rows."""
    go = threading.Event()
    whole = Package._copy

    def held(self: Package, name: str, query: str, sink: Any) -> int:
        while name == "tensors" and not go.wait(0.02):
            self._check()
        return whole(self, name, query, sink)

    monkeypatch.setattr(Package, "_copy", held)
    page.goto(f"{server_url}/?view=table")
    page.get_by_role("button", name="Download all runs that match").click()
    expect(page.get_by_text(re.compile("points, .* rows in all"))).to_be_visible(
        timeout=3 * _PATIENCE_MS
    )
    check(page)
    page.get_by_role("dialog").get_by_role("button", name="Download", exact=True).click()
    expect(page.get_by_text("now: histograms")).to_be_visible(timeout=3 * _PATIENCE_MS)
    check(page)
    page.keyboard.press("Escape")
    chip = page.get_by_role("button", name="Download is being written")
    expect(chip).to_be_visible()
    check(page)
    chip.click()
    go.set()
    expect(page.get_by_text("is saved by your browser")).to_be_visible(timeout=3 * _PATIENCE_MS)
    check(page)


def test_deletion_and_its_receipts(page: Page, server_url: str, keys: list[str]) -> None:
    """The question, and the list of what was deleted before."""
    page.goto(f"{server_url}/?view=table&sel={keys[0]}")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("go with them.")).to_be_visible(timeout=3 * _PATIENCE_MS)
    check(page)
    page.get_by_role("button", name="Receipts of earlier deletions").click()
    expect(page.get_by_text("Nothing was deleted from this lake.")).to_be_visible()
    check(page)


def test_plots_on_the_analysis_page(page: Page, server_url: str) -> None:
    """The scatter plot and parallel coordinates with brushes, an axis' menu, and a brush by values."""
    state = "sx=hp.lr&sy=max(%22val/acc1%22)&sc=hp.model&front=1&trend=1&sxs=log"
    brush = "%7B%22hp.model%22:%5B%22resnet50%22%5D,%22hp.lr%22:%5B%5B0.01,0.5%5D%5D%7D"
    closed = "%5B%22importance%22,%22groups%22,%22best%22%5D"
    page.goto(f"{server_url}/analyze?{state}&axes=hp.lr,hp.model&brush={brush}&closed={closed}")
    expect(page.locator("#scatter .plot")).to_have_attribute(
        "aria-label", re.compile(r"\d+ runs$"), timeout=_PATIENCE_MS
    )
    expect(page.locator(".axis-head")).to_have_count(2, timeout=_PATIENCE_MS)
    page.wait_for_load_state("networkidle")
    check(page)
    page.locator(".axis-head .axis-name").first.click()
    check(page)
    page.get_by_role("menuitem", name="Brush by values").click()
    expect(page.get_by_role("dialog", name="Brush of lr")).to_be_visible()
    check(page)
