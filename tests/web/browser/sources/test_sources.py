"""The page of sources: one table of machines and sources, charts of cycles, tabs, what is read and followed."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

from .conftest import (
    DAMAGED,
    HOSTILE,
    TABS,
    Logs,
    Serve,
    ask,
    change,
    state,
    table,
    write,
)


def test_machines_and_sources_in_one_table(page: Page, at: str) -> None:
    """Each machine with its sources under it, numbers as the API has them, what is wrong above."""
    page.goto(f"{at}/sources")
    rows = table(page, "Machines and sources")
    expect(rows).to_have_count(5)
    names = [text.split("\n")[0].strip() for text in rows.locator("th").all_inner_texts()]
    assert [name.split()[0] for name in names] == ["alpha", "north", "nowhere", "beta", "south"]
    told = ask(at, "sources")["sources"]
    (north,) = (one for one in told if one["source"] == "north")
    assert north["stalled"] == 4 and north["problems"] == DAMAGED
    cells = rows.nth(1).locator("td").all_inner_texts()
    for number in (north["files"], north["runs"], north["stalled"], north["problems"]):
        assert f"{number:,}" in cells
    expect(rows.nth(2).locator(".state").first).to_have_text("unreadable")
    expect(rows.nth(2).locator("td").first).to_have_attribute("title", re.compile("No such file"))
    tiles = page.get_by_role("group", name="At a glance")
    for name in ("stalled", "failed", "problems"):
        whole = sum(one[name] for one in told)
        tile = tiles.get_by_role("button", name=re.compile(name, re.I))
        expect(tile.locator("strong")).to_have_text(f"{whole:,}")
    expect(tiles.get_by_role("button").first).to_contain_text("1 not readable")
    # A tile leads to what stands behind it.
    tiles.get_by_role("button").first.click()
    expect(rows).to_have_count(2)
    assert state(page)["only"] == "never"
    page.go_back()
    expect(rows).to_have_count(5)


def test_counts_lead_to_the_runs(page: Page, at: str) -> None:
    """A number of stalled runs is a link to just these runs in the run table."""
    page.goto(f"{at}/sources")
    row = table(page, "Machines and sources").filter(has_text="north")
    link = row.locator("a.stalled")
    expect(link).to_have_text("4")
    link.click()
    expect(page.locator(".count")).to_contain_text("of 4 drawn")
    assert state(page)["q"] == "source = 'north' and state = 'stalled'"


def test_a_source_is_what_the_page_is_about(page: Page, at: str) -> None:
    """Choosing a source chooses what every part shows; it stands in the address, undo takes it back."""
    page.goto(f"{at}/sources?tab=problems")
    expect(page.get_by_text("261 problems in 2 files")).to_be_visible()
    page.get_by_role("tab", name="Sources").click()
    page.get_by_role("button", name="south", exact=True).first.click()
    assert state(page)["source"] == "south"
    expect(page.get_by_label("Source", exact=True)).to_have_value("south")
    page.get_by_role("tab", name="Problems").click()
    expect(page.get_by_text("Every byte that was read from south was sound.")).to_be_visible()
    page.get_by_role("tab", name="Runs in trouble").click()
    expect(table(page, "Failed runs")).to_have_count(1)
    expect(page.get_by_text("No run has stalled in south.")).to_be_visible()
    page.get_by_role("tab", name="Data quality").click()
    expect(page.get_by_text(re.compile(r"3 runs of south looked at"))).to_be_visible()
    page.get_by_label("Source", exact=True).select_option("")
    expect(page.get_by_text(re.compile(r"8 runs looked at"))).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_text(re.compile(r"3 runs of south looked at"))).to_be_visible()


def test_a_source_that_there_is_not(page: Page, at: str) -> None:
    """A link may name one: the page says so, and how to go on."""
    page.goto(f"{at}/sources?source={HOSTILE}&tab=nonsense&at=-5&range=x")
    expect(page.get_by_text(f"The lake has no source {HOSTILE}.")).to_be_visible()
    page.get_by_role("button", name="Show all sources").click()
    expect(table(page, "Machines and sources")).to_have_count(5)


def test_order_and_search(page: Page, at: str) -> None:
    """The heads order machines and their sources; words and kinds leave some of them out."""
    page.goto(f"{at}/sources")
    rows = table(page, "Machines and sources")
    names = rows.locator("th")
    page.get_by_role("button", name="Problems", exact=True).click()
    expect(names.nth(1)).to_have_text("north")
    page.get_by_role("button", name="Problems", exact=True).click()
    expect(names.first).to_contain_text("beta")
    assert state(page)["sort"] == "problems"
    expect(page.get_by_role("columnheader", name="Problems")).to_have_attribute(
        "aria-sort", "ascending"
    )
    page.get_by_label("Which sources").select_option("failed")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("1 of 3 sources")).to_be_visible()
    page.get_by_label("Search sources").fill("alp")
    expect(page.get_by_text("No source fits.")).to_be_visible()
    page.get_by_role("button", name="Show all sources").click()
    expect(rows).to_have_count(5)


def painted(page: Page, label: str) -> int:
    """How many pixels of a chart are painted in a colour that is no grey."""
    chart = page.get_by_role("img", name=re.compile(f"^{label}"))
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    return int(
        chart.evaluate("""(el) => {
            const { data } = el.getContext('2d').getImageData(0, 0, el.width, el.height);
            let found = 0;
            for (let i = 0; i < data.length; i += 4) {
                const [r, g, b, a] = data.slice(i, i + 4);
                if (a > 200 && Math.max(r, g, b) - Math.min(r, g, b) > 60) found += 1;
            }
            return found;
        }""")
    )


def test_charts_of_cycles(page: Page, at: str) -> None:
    """What was read is drawn in the colours of sources; the pointer tells who read how much."""
    page.goto(f"{at}/sources?range=hour")
    cycles = page.get_by_role("region", name="Cycles")
    expect(cycles.get_by_role("button", name="Hour")).to_have_attribute("aria-pressed", "true")
    expect(
        cycles.get_by_role("group", name="Colours of sources").get_by_role("button")
    ).to_have_count(3)
    for label in ("Bytes read", "Points stored", "Requests", "Problems found", "When cycles ran"):
        assert painted(page, label) > 20, label
    chart = page.get_by_role("img", name=re.compile("^Points stored"))
    expect(chart).to_have_attribute("aria-label", re.compile(r"in 6 cycles of 3 sources$"))
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    hint = cycles.locator(".hint:visible")
    for part in range(1, 40):
        page.mouse.move(box["x"] + box["width"] - 10 - part * 2, box["y"] + 60)
        page.wait_for_timeout(60)
        if hint.count() and "north" in hint.inner_text():
            break
    expect(hint).to_contain_text("south")
    expect(hint).to_contain_text(re.compile(r"\d cycles · .* points"))
    cycles.get_by_role("button", name="All").click()
    assert state(page)["range"] == "all"
    cycles.get_by_role("button", name="south").click()
    expect(page.get_by_role("img", name=re.compile("of 1 source$")).first).to_be_attached()


def test_nothing_here_is_markup(page: Page, at: str) -> None:
    """Names from files and addresses are text wherever they stand."""
    page.on("dialog", lambda _: pytest.fail("a script ran"))
    for tab in ("sources", "trouble", "problems", "copies", "disk", "quality"):
        page.goto(
            f"{at}/sources?tab={tab}&open=no_hparams,stopped_tags&path={HOSTILE}&kind={HOSTILE}"
        )
        page.wait_for_load_state("networkidle")
        assert page.locator("main img").count() == 0
        expect(page.locator("main .failed:not(.state)")).to_have_count(0)


@pytest.mark.parametrize("tab", ["sources", "trouble", "problems", "quality"])
def test_what_is_wrong_can_be_read(page: Page, at: str, tab: str) -> None:
    """Warnings and findings in light and dark: nothing that axe finds grave."""
    page.goto(f"{at}/sources?tab={tab}&source=north&open=stalled,problems&kind=bad payload")
    expect(page.get_by_role("tab", selected=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        told = [(one["id"], node["html"][:200]) for one in grave for node in one["nodes"][:5]]
        assert not told, (scheme, told)


def test_tabs_by_keys(page: Page, at: str) -> None:
    """Digits and arrows choose parts, each of which stands in the address."""
    page.goto(f"{at}/sources")
    expect(page.get_by_role("tab")).to_have_count(len(TABS))
    page.keyboard.press("3")
    expect(page.get_by_role("tab", name="Problems")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Problems").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Copies")).to_be_focused()
    assert state(page)["tab"] == "copies"


def test_what_a_source_asks_and_costs(page: Page, tmp_path: Path, serve: Serve) -> None:
    """Requests against their budget, bytes, cost, the next full look, and why some was put off."""
    logs = Logs(tmp_path, {"bucket": "cloud", "gone": "cloud", "disk": "desk"})
    for name in ("bucket", "disk"):
        write(logs.root / name / "run", time.time() - 100, 10)
    logs.ingest()
    change(
        logs,
        "UPDATE source_facts SET kind = 's3' WHERE source = 'bucket'",
        "DELETE FROM cycles WHERE source = 'bucket'",
        # Of half a day, so that the estimate is twice what was spent.
        "INSERT INTO cycles BY NAME SELECT 'bucket' AS source, s.moment AS started_at, s.moment AS ended_at,"
        " 10 AS files_listed, 10 AS files_looked, 500 AS requests, 480 AS list_requests,"
        " 20 AS read_requests, 2000000 AS bytes_received, 17.5 AS cost, 1000 AS requests_per_day,"
        " 86400 AS rescan_s, 0 AS files_changed, 0 AS bytes_read, 0 AS points, 0 AS problems, s.why AS"
        " skipped FROM (VALUES (now()::TIMESTAMP - INTERVAL 12 HOUR, NULL),"
        " (now()::TIMESTAMP, '1,000 requests within 24 hours, 1,000 are allowed')) s(moment, why)",
    )
    with serve(logs.lake, tmp_path / "state") as at:
        page.goto(f"{at}/sources")
        row = page.get_by_role("row", name=re.compile("^bucket"))
        expect(row).to_contain_text("put off")
        expect(row).to_contain_text(re.compile(r"1,000\s*of 1,000"))
        expect(row).to_contain_text("4.00 MB")
        expect(row).to_contain_text(re.compile(r"whole in 2[34]h"))
        expect(row.get_by_role("cell", name=re.compile(r"^(70|69)$"))).to_have_count(1)
        reasons = page.get_by_role("list", name="Sources that were not read")
        expect(reasons.get_by_role("listitem")).to_have_count(2)
        expect(reasons).to_contain_text("1,000 are allowed")
        expect(reasons).to_contain_text("gone")
        assert page.get_by_role("region", name="Bytes received").is_visible()
        assert page.get_by_role("region", name="Cost of requests").is_visible()
        page.get_by_label("Which sources").select_option("putoff")
        expect(page.get_by_role("row", name=re.compile("^disk"))).to_have_count(0)
        expect(row).to_be_visible()
        page.goto(f"{at}/sources?source=disk")
        expect(page.get_by_role("region", name="Bytes read")).to_be_visible()
        # Only buckets have a price.
        expect(page.get_by_role("region", name="Cost of requests")).to_have_count(0)
        page.goto("about:blank")


def test_an_empty_lake(page: Page, tmp_path: Path, serve: Serve) -> None:
    """A lake without sources, and one whose source has nothing, say what to do; nothing looks wrong."""

    open_lake(locate(str(tmp_path / "bare")), read_only=False, create=True).close()
    with serve(tmp_path / "bare", tmp_path / "state") as url:
        page.goto(f"{url}/sources")
        expect(page.get_by_text("This lake has no sources yet.")).to_be_visible()
        for tab in TABS[1:]:
            page.get_by_role("tab", name=tab).click()
            page.wait_for_load_state("networkidle")
            expect(page.locator(".failed:not(.state)")).to_have_count(0)
        expect(page.get_by_text("There are no runs to look at yet.")).to_be_visible()
        page.goto("about:blank")
    logs = Logs(tmp_path, {"quiet": "alpha"})
    (tmp_path / "quiet").mkdir()
    logs.ingest()
    with serve(logs.lake, tmp_path / "state2") as url:
        page.goto(f"{url}/sources")
        expect(table(page, "Machines and sources")).to_have_count(2)
        expect(page.locator(".tile.bad, .tile.warn")).to_have_count(0)
        page.get_by_role("tab", name="Problems").click()
        expect(page.get_by_text("Every byte that was read was sound.")).to_be_visible()
        page.goto("about:blank")


def test_an_error_stands_in_its_place(page: Page, at: str, expected_errors: list[str]) -> None:
    """A part that cannot be had says why, and is tried again; the others stay."""
    expected_errors += ["ERR_FAILED", "Failed to load resource"]

    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/api/v1/problems*", refuse)
    page.goto(f"{at}/sources?tab=problems")
    wrong = page.locator(".failed:not(.state)")
    expect(wrong).to_contain_text("the server does not answer")
    expect(page.get_by_role("group", name="At a glance")).to_contain_text("Stalled")
    page.unroute("**/api/v1/problems*")
    wrong.get_by_role("button", name="Try again").click()
    expect(table(page, "Problems")).to_have_count(100)
    expect(wrong).to_have_count(0)


def test_late_answers_are_dropped(page: Page, at: str) -> None:
    """An answer that a newer question has overtaken changes nothing."""
    held: list[Route] = []
    page.route("**/api/v1/problems*source=south*", lambda route: held.append(route))
    page.goto(f"{at}/sources?tab=problems&source=south")
    expect(page.get_by_label("Source", exact=True)).to_be_visible()
    page.get_by_label("Source", exact=True).select_option("north")
    expect(table(page, "Problems")).to_have_count(100)
    for route in held:
        route.continue_()
    page.wait_for_timeout(500)
    expect(table(page, "Problems")).to_have_count(100)


def test_it_follows_the_lake(page: Page, tmp_path: Path, serve: Serve) -> None:
    """New cycles show by themselves while focus, scrolling and what is unfolded stay."""
    logs = Logs(tmp_path, {f"source{number:02d}": "alpha" for number in range(40)})
    for number in range(40):
        write(tmp_path / f"source{number:02d}" / "run", time.time() - 7200, 10)
    logs.ingest()
    with serve(logs.lake, tmp_path / "state") as url:
        page.goto(f"{url}/sources?range=hour")
        rows = table(page, "Machines and sources")
        expect(rows).to_have_count(41)
        scroll = page.get_by_role("region", name="Machines and sources")
        scroll.evaluate("(el) => { el.scrollTop = 300; }")
        held = page.get_by_role("button", name="source20", exact=True).first
        held.focus()
        top = scroll.evaluate("(el) => el.scrollTop")
        write(tmp_path / "source20" / "other", time.time() - 20, 33)
        logs.ingest()
        row = rows.filter(has=page.get_by_role("button", name="source20", exact=True))
        expect(row).to_contain_text("43", timeout=30_000)
        expect(held).to_be_focused()
        assert scroll.evaluate("(el) => el.scrollTop") == top
        expect(
            page.get_by_role("img", name=re.compile(r"in 80 cycles of 40 sources")).first
        ).to_be_attached()
