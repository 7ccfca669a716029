"""The pages over real logs of many projects: whatever they hold, pages are drawn and nothing fails."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

# On a busy machine; nothing is measured here.
_PATIENCE_MS = 60_000
Serve = Callable[[Path, Path], AbstractContextManager[str]]
# A run with each kind of data, so that every tab is opened on somebody's real files.
_KINDS = """
SELECT plugin, arg_max(r.run_key, s.points) AS run_key
FROM series s JOIN runs r USING (run_id) WHERE r.duplicate_of IS NULL GROUP BY plugin
"""


@pytest.fixture(scope="module")
def real_url(
    corpus_lake: Path, tmp_path_factory: pytest.TempPathFactory, serve: Serve
) -> Iterator[tuple[str, Path]]:
    """The address of a server over the corpus, and its lake."""
    with serve(corpus_lake, tmp_path_factory.mktemp("corpus")) as url:
        yield url, corpus_lake


def ask(url: str, path: str, **given: Any) -> Any:
    with urlopen(f"{url}/api/v1/{path}?{urlencode(given)}") as answer:
        return json.load(answer)


def test_all_runs_and_their_charts(page: Page, real_url: tuple[str, Path]) -> None:
    """The table says how many there are; charts of the first 30 are drawn down to the last one."""
    url, _ = real_url
    total = ask(url, "runs", limit=1)["total"]
    assert total > 200
    page.goto(f"{url}/?n=30")
    expect(page.get_by_text(re.compile(rf"30 of {total} drawn"))).to_be_visible()
    sections = page.locator(".sections")
    expect(page.locator(".plot[role=img]").first).to_be_visible()
    for _ in range(40):
        at = sections.evaluate("(el) => { el.scrollBy(0, 700); return el.scrollTop; }")
        page.wait_for_timeout(150)
        if at == sections.evaluate("(el) => el.scrollHeight - el.clientHeight"):
            break
    expect(page.locator(".failed")).to_have_count(0)
    for part in ("x=wall", "x=relative&ys=symlog", "group=project&n=12"):
        page.goto(f"{url}/?n=12&{part}")
        expect(page.locator(".plot[role=img]").first).to_be_visible()
        expect(page.locator(".failed")).to_have_count(0)


def test_runs_of_every_kind_of_data(page: Page, real_url: tuple[str, Path]) -> None:
    """Each tab of the page of a run that has a plugin's data opens without a complaint."""
    from boardlake.api.opened import open_client

    url, lake = real_url
    with open_client(lake) as opened:
        kinds = opened.sql(_KINDS)  # type: ignore[attr-defined]
    assert len(kinds) >= 8
    for key in dict.fromkeys(kinds["run_key"]):
        page.goto(f"{url}/run/{key}")
        expect(page.get_by_role("tab").first).to_be_visible()
        for number in range(page.get_by_role("tab").count()):
            page.get_by_role("tab").nth(number).click()
            page.wait_for_timeout(250)
            expect(page.locator(".failed")).to_have_count(0)


def test_runs_of_different_projects_side_by_side(page: Page, real_url: tuple[str, Path]) -> None:
    """What one project logs another may not: empty cells, no errors."""
    url, _ = real_url
    groups = ask(url, "groups", group_by="project", limit=5)["rows"]
    keys = [
        ask(url, "runs", columns="run_key", limit=1, members=json.dumps([["project", row[0]]]))[
            "rows"
        ][0][1]
        for row in groups
    ]
    page.goto(f"{url}/compare?runs={','.join(keys)}&base={keys[0]}")
    expect(page.get_by_text("baseline").first).to_be_visible()
    expect(page.locator(".failed")).to_have_count(0)


def test_sources(page: Page, real_url: tuple[str, Path]) -> None:
    """What is known of these files: every part is drawn, and the numbers are those of the API."""
    url, _ = real_url
    for tab in ("sources", "trouble", "problems", "copies", "disk", "quality"):
        page.goto(f"{url}/sources?tab={tab}")
        expect(page.get_by_role("tab", selected=True)).to_be_visible()
        page.wait_for_load_state("networkidle")
        expect(page.locator(".failed:not(.state)")).to_have_count(0)
    checks = ask(url, "quality")["checks"]
    assert {one["id"] for one in checks if one["runs"]} >= {"non_finite", "steps_back", "problems"}
    for one in checks:
        if one["runs"]:
            card = page.locator(f'[data-check="{one["id"]}"]')
            card.get_by_role("button", name="Show what was found").click()
            expect(card.locator("tbody tr").first).to_be_visible()
    expect(page.locator(".failed:not(.state)")).to_have_count(0)


def test_sql(page: Page, real_url: tuple[str, Path]) -> None:
    """A statement over every point of them is answered as a table and as a chart."""
    url, _ = real_url
    statement = "SELECT tag, count(*) AS n FROM scalars GROUP BY tag ORDER BY n DESC, tag LIMIT 20"
    page.goto(f"{url}/sql?{urlencode({'q': statement})}")
    expect(page.locator(".sql-count")).to_contain_text("20 rows", timeout=_PATIENCE_MS)
    (most,) = ask(url, "sql", query=f"SELECT max(n) FROM ({statement})")["rows"]
    expect(page.locator(".sql-rows .space > .row").first).to_contain_text(f"{most[0]}")
    page.goto(f"{url}/sql?{urlencode({'q': statement, 'show': 'chart'})}")
    picture = page.locator(".sql-chart canvas")
    expect(picture).to_have_attribute("aria-label", re.compile("n"), timeout=_PATIENCE_MS)
    expect(page.locator(".failed")).to_have_count(0)


def test_everything_is_downloaded(page: Page, real_url: tuple[str, Path], tmp_path: Path) -> None:
    """All runs of all projects as Parquet: every point that was ever logged."""
    url, _ = real_url
    page.goto(f"{url}/?view=table&dup=1")
    page.get_by_role("button", name="Download all runs that match").click()
    asked = page.get_by_role("dialog", name=re.compile("^Download all"))
    with page.expect_download(timeout=_PATIENCE_MS) as started:
        asked.get_by_role("button", name="Download", exact=True).click()
    started.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        (name,) = (one for one in packed.namelist() if one.endswith("scalar_points.parquet"))
        points = pq.read_metadata(io.BytesIO(packed.read(name))).num_rows
    (told,) = ask(url, "sql", query="SELECT count(*) FROM scalar_points")["rows"]
    assert points == told[0] > 100_000
