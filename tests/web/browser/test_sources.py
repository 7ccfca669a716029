"""The page of sources over logs of which much is wrong, over nothing, and while they grow."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, Route, expect

from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

Serve = Callable[[Path, Path], AbstractContextManager[str]]
HOSTILE = "<img src=x onerror=alert(1)>"
_TABS = ["Sources", "Runs in trouble", "Problems", "Copies", "Disk", "Data quality"]
_DAMAGED = 260  # records whose bytes are flipped


def write(
    run: Path, start: float, steps: int, value: Callable[[int], float] = float, tag: str = "loss"
) -> Path:
    """A run of *steps* points, one each second."""
    file = run / f"events.out.tfevents.{int(start)}.host.{abs(hash(run)) % 1000}.0"
    with EventWriter(file) as writer:
        writer.file_version(start)
        for step in range(steps):
            writer.scalar(tag, value(step), step, start + step)
    return file


def damage(file: Path) -> None:
    """Flip a byte in the payload of most records."""
    data, at, seen = bytearray(file.read_bytes()), 0, 0
    while at + 12 < len(data) and seen <= _DAMAGED:
        length = int.from_bytes(data[at : at + 8], "little")
        if seen:
            data[at + 14] ^= 0xFF
        at, seen = at + length + 16, seen + 1
    file.write_bytes(data)


class Logs:
    """Event files below a folder, and the lake that they are read into."""

    def __init__(self, root: Path, sources: dict[str, str]) -> None:
        self.root, self.lake = root, root / "lake"
        self.config = root / "boardlake.toml"
        lines = [f'[lake]\npath = "{self.lake}"']
        for name, machine in sources.items():
            lines.append(
                f'[sources."{name}"]\nuri = "{root / name}"\nmachine = {json.dumps(machine)}'
            )
        self.config.write_text("\n".join(lines) + "\n", "utf-8")

    def ingest(self) -> None:
        """One cycle by a process of its own, which may fail to read a source."""
        command = [sys.executable, "-m", "boardlake", "--config", str(self.config), "ingest"]
        subprocess.run(command, check=False, capture_output=True)


def change(logs: Logs, *statements: str) -> None:
    """Statements on the lake as if an ingester had made them."""
    with open_lake(locate(str(logs.lake)), read_only=False) as lake, lake.transaction() as con:
        for statement in statements:
            con.execute(statement)


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Two machines with three sources, one of which is not there, and much that is wrong."""
    root = tmp_path_factory.mktemp("trouble")
    logs = Logs(root, {"north": "alpha", "south": "beta", "nowhere": "alpha"})
    now = time.time()
    write(root / "north" / "good", now - 60, 50)
    for number in range(3):
        write(root / "north" / f"silent{number}", now - 7200, 30)
    write(root / "south" / "crashed", now - 7200, 30)
    (root / "south" / "crashed" / "error.txt").write_text("Traceback\nValueError: out of luck\n")
    write(root / "south" / "nan", now - 90, 50, lambda step: math.nan if step >= 20 else 1.0)
    write(root / "south" / HOSTILE.replace("/", ""), now - 80, 40, tag="constructor")
    damage(write(root / "north" / "damaged", now - 7000, _DAMAGED + 40))
    shutil.copytree(root / "north" / "silent0", root / "south" / "kept" / "silent0")
    logs.ingest()
    file = write(root / "north" / "good", now - 10, 5)
    os.utime(file, (now + 900, now + 900))
    logs.ingest()
    return logs


@pytest.fixture(scope="module")
def at(trouble: Logs, serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over it."""
    with serve(trouble.lake, tmp_path_factory.mktemp("trouble-state")) as url:
        yield url


def ask(url: str, path: str, **given: Any) -> Any:
    """What the API answers."""
    with urlopen(f"{url}/api/v1/{path}?{urlencode(given)}") as answer:
        return json.load(answer)


def table(page: Page, name: str) -> Any:
    """The rows of a table by its name."""
    return page.get_by_role("table", name=name, exact=True).locator("tbody tr")


def state(page: Page) -> dict[str, str]:
    """What the address says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_machines_and_sources_in_one_table(page: Page, at: str) -> None:
    """Each machine with its sources under it, numbers as the API has them, what is wrong above."""
    page.goto(f"{at}/sources")
    rows = table(page, "Machines and sources")
    expect(rows).to_have_count(5)
    names = [text.split("\n")[0].strip() for text in rows.locator("th").all_inner_texts()]
    assert [name.split()[0] for name in names] == ["alpha", "north", "nowhere", "beta", "south"]
    told = ask(at, "sources")["sources"]
    (north,) = (one for one in told if one["source"] == "north")
    assert north["stalled"] == 4 and north["problems"] == _DAMAGED
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


def test_runs_in_trouble(page: Page, at: str) -> None:
    """Stalled and failed runs with the time since and the reason, and the way to the run table."""
    page.goto(f"{at}/sources?tab=trouble")
    stalled, failed = table(page, "Stalled runs"), table(page, "Failed runs")
    expect(stalled).to_have_count(4)
    expect(failed).to_have_count(1)
    expect(failed.first).to_contain_text("ValueError: out of luck")
    expect(failed.first.locator("time")).to_have_attribute("title", re.compile("UTC$"))
    # The copy of a stalled run has stalled, too.
    expect(page.get_by_text("4 of 5 runs: archived runs and copies are left out")).to_be_visible()
    page.get_by_role("region", name="Stalled runs").get_by_role(
        "link", name="Open in the run table"
    ).click()
    expect(page.locator(".count")).to_contain_text("of 4 drawn")
    page.go_back()
    failed.first.get_by_role("link").first.click()
    expect(page.locator(".head .state")).to_have_text("failed")


def test_problems_page_by_page(page: Page, at: str) -> None:
    """Kinds with their numbers, a search in paths, pages, and a command that asks for the same."""
    page.goto(f"{at}/sources?tab=problems")
    kinds = page.get_by_role("group", name="Kinds of problems").get_by_role("button")
    expect(kinds).to_have_count(2)
    expect(kinds.first).to_contain_text(f"bad payload{_DAMAGED}")
    rows = table(page, "Problems")
    expect(rows).to_have_count(100)
    pager = page.get_by_role("group", name="Pages of problems")
    expect(pager).to_contain_text("1 to 100 of 261")
    pager.get_by_role("button", name="Next page").click()
    expect(pager).to_contain_text("101 to 200 of 261")
    pager.get_by_role("button", name="Last page").click()
    expect(rows).to_have_count(61)
    assert state(page)["at"] == "200"
    kinds.last.click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("the whole source")
    assert "at" not in state(page)
    kinds.last.click()
    page.get_by_label("Search paths").fill("DAMAGED/events")
    expect(page.get_by_text(f"{_DAMAGED} problems in 1 file")).to_be_visible()
    expect(rows.first.get_by_role("link", name="damaged")).to_have_attribute(
        "href", re.compile(r"/run/\w+\?tab=files")
    )
    page.get_by_label("Search paths").fill("no such path")
    expect(page.get_by_text("No problem is like this.")).to_be_visible()
    page.get_by_role("button", name="Show all problems").click()
    expect(rows).to_have_count(100)


def test_the_command_asks_for_the_same(page: Page, at: str, trouble: Logs, capfd: Any) -> None:
    """What is copied works in a shell, quotes and all."""
    page.goto(f"{at}/sources?tab=problems&kind=bad payload&path=damaged/events")
    page.get_by_text("The same in SQL").click()
    command = shlex.split(page.locator("code.sql").inner_text())
    assert command[:2] == ["boardlake", "sql"]
    assert main(["--config", str(trouble.config), *command[1:]]) == 0
    assert capfd.readouterr().out.count("bad payload") == _DAMAGED
    page.goto(f"{at}/sources?tab=problems&path=it's")
    page.get_by_text("The same in SQL").click()
    command = shlex.split(page.locator("code.sql").inner_text())
    assert main(["--config", str(trouble.config), *command[1:]]) == 0


def test_copies(page: Page, at: str) -> None:
    """Which run is shown, and where its copies lie."""
    page.goto(f"{at}/sources?tab=copies")
    rows = table(page, "Runs with copies")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("silent0")
    expect(rows.first).to_contain_text("kept/silent0")
    page.get_by_label("Source", exact=True).select_option("nowhere")
    expect(page.get_by_text("No run of nowhere lies in several places.")).to_be_visible()


def test_disk(page: Page, at: str) -> None:
    """Projects and tags by size, tables of the lake, and that some of it is estimated."""
    page.goto(f"{at}/sources?tab=disk")
    told = ask(at, "disk", limit=20)
    for name, key in (
        ("Size of tables", "tables"),
        ("Size of projects", "projects"),
        ("Size of tags", "tags"),
    ):
        rows = table(page, name)
        expect(rows).to_have_count(len(told[key]))
        widths = rows.locator(".diskbar > span").evaluate_all(
            "(all) => all.map((el) => el.offsetWidth)"
        )
        assert widths == sorted(widths, reverse=True) and widths[0] > 50
    expect(page.get_by_text(re.compile("are estimates"))).to_be_visible()
    expect(table(page, "Size of tags").get_by_role("link", name="constructor")).to_be_visible()


@pytest.fixture(scope="module")
def checks(at: str) -> list[dict[str, Any]]:
    """The checks of the report on data."""
    found: list[dict[str, Any]] = ask(at, "quality")["checks"]
    return found


def test_quality_tells_what_it_found(page: Page, at: str, checks: list[dict[str, Any]]) -> None:
    """A card for each check; what found nothing says so; findings unfold and stand in the address."""
    page.goto(f"{at}/sources?tab=quality")
    expect(page.locator(".check")).to_have_count(len(checks))
    for one in checks:
        card = page.locator(f'[data-check="{one["id"]}"]')
        expect(card).to_contain_text(one["title"])
        if not one["runs"]:
            expect(card.locator(".fine")).to_have_text("none")
            continue
        expect(card.locator(".chip.found")).to_have_text(
            f"{one['runs']} run{'s' * (one['runs'] > 1)}"
        )
        card.get_by_role("button", name="Show what was found").click()
        rows = table(page, one["title"])
        total = ask(at, f"quality/{one['id']}")["total"]
        expect(rows).to_have_count(min(25, total))
    found = {one["id"]: one["runs"] for one in checks}
    assert found["non_finite"] == 1 and found["failed"] == 1 and found["copies"] == 1
    assert found["stalled"] == 4 and found["problems"] == 1
    assert sum(one["runs"] == 0 for one in checks) > 0
    row = table(page, "NaN or infinite values")
    expect(row).to_contain_text("loss")
    expect(row.get_by_role("link", name="loss")).to_have_attribute(
        "href", re.compile(r"tab=charts&tags=%5Eloss%24")
    )
    expect(row).to_contain_text("20")
    assert set(state(page)["open"].split(",")) == {one["id"] for one in checks if one["runs"]}
    page.reload()
    expect(table(page, "NaN or infinite values")).to_have_count(1)


def test_every_finding_leads_to_its_runs(page: Page, at: str, checks: list[dict[str, Any]]) -> None:
    """The run table behind a card has as many runs as the card says, with columns that say why."""
    for one in checks:
        if not one["runs"]:
            continue
        page.goto(f"{at}/sources?tab=quality&open={one['id']}")
        card = page.locator(f'[data-check="{one["id"]}"]')
        expect(table(page, one["title"]).first).to_be_visible()
        card.get_by_role("link", name="Show in the run table").click()
        expect(page.locator(".count")).to_contain_text(f"of {one['runs']} drawn")
        expect(page.locator(".grid .note")).to_be_hidden()
    page.goto(f"{at}/sources?tab=quality")
    link = page.locator('[data-check="non_finite"]').get_by_role(
        "link", name="Show in the run table"
    )
    expect(link).to_have_attribute("href", re.compile("first_nan"))
    link.click()
    first = page.get_by_role("columnheader", name=re.compile("first nan", re.I))
    column = first.get_attribute("aria-colindex")
    expect(page.locator(f'.grid .space .row [aria-colindex="{column}"]').first).to_have_text("20")


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
    expect(page.get_by_role("tab")).to_have_count(len(_TABS))
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
    from boardlake.lake.database import open_lake
    from boardlake.lake.location import locate

    open_lake(locate(str(tmp_path / "bare")), read_only=False, create=True).close()
    with serve(tmp_path / "bare", tmp_path / "state") as url:
        page.goto(f"{url}/sources")
        expect(page.get_by_text("This lake has no sources yet.")).to_be_visible()
        for tab in _TABS[1:]:
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


@pytest.fixture(scope="module")
def bins(browser: Browser, server_url: str) -> Iterator[Callable[..., Any]]:
    """A function that runs a script with the modules of columns and of health at hand as `m`."""
    page = browser.new_context().new_page()
    page.goto(f"{server_url}/api")
    page.evaluate("""async () => {
        const base = document.querySelector('link[rel=stylesheet]').href.replace(/[^/]*$/, '');
        window.m = { ...await import(`${base}sources/bins.js`), ...await import(`${base}sources/health.js`) };
    }""")
    yield page.evaluate
    page.context.close()


_CYCLES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "constructor", "__proto__"]),
        st.floats(0, 80_000), st.floats(0, 6_000), st.integers(0, 1000), st.integers(1, 9),
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=60)
@given(cycles=_CYCLES, most=st.integers(1, 400))
def test_columns_lose_nothing(bins: Callable[..., Any], cycles: list[Any], most: int) -> None:
    """However cycles fall into columns, the sums of each source stay."""
    given_ = [
        {"source": source, "from": start, "to": start + length, "cycles": many, "seconds": length,
         "bytes_read": amount, "points": amount, "requests": 1, "problems": 0, "files_changed": 0}
        for source, start, length, amount, many in cycles
    ]  # fmt: skip
    got = bins(
        """([cycles, most]) => {
            const { columns } = m.binned(cycles, 0, 86400, most);
            const sums = {};
            for (const column of columns) for (const [name, cell] of column ?? []) {
                const one = sums[`s ${name}`] ??= [0, 0, 0];
                one[0] += cell.values.bytes_read; one[1] += cell.cycles; one[2] += cell.seconds;
            }
            return [sums, columns.length];
        }""",
        [given_, most],
    )
    sums, count = got
    assert count <= most + 1
    for name in {one["source"] for one in given_}:
        own = [one for one in given_ if one["source"] == name]
        whole = [sum(one[key] for one in own) for key in ("bytes_read", "cycles", "seconds")]
        assert sums[f"s {name}"] == pytest.approx(whole, rel=1e-6, abs=1e-6)


def test_silence_is_told(bins: Callable[..., Any]) -> None:
    """A stretch without a cycle, longer than three times what is usual; the last one up to now."""
    cycles = [{"from": 60 * i, "to": 60 * i + 5} for i in range(10)]
    cycles += [{"from": 3000 + 60 * i, "to": 3000 + 60 * i + 5} for i in range(10)]
    told = bins("([cycles, now]) => m.gaps(cycles, now, null, 1)", [cycles, 4000])
    assert told == [[545, 3000], [3545, 4000]]
    assert bins("([cycles, now]) => m.gaps(cycles, now, null, 1)", [cycles[:10], 600]) == []
    assert bins("([cycles, now]) => m.gaps(cycles, now, null, 1)", [[], 600]) == []
    # What nobody could see is none.
    assert bins("([cycles, now]) => m.gaps(cycles, now, null, 1e5)", [cycles, 4000]) == []


@pytest.mark.parametrize(
    ("lag", "usual", "error", "state"),
    [
        (None, None, None, "never"),
        (10, 600, None, "fresh"),
        (1800, 600, None, "fresh"),
        (1801, 600, None, "late"),
        # A cycle may take longer than the usual distance of short ones.
        (29, 2, None, "fresh"),
        (31, 2, None, "late"),
        (3600, None, None, "fresh"),
        (90_000, None, None, "late"),
        (10, 600, "no such folder", "unreadable"),
    ],
)
def test_health(
    bins: Callable[..., Any], lag: float | None, usual: float | None, error: str | None, state: str
) -> None:
    """What the distance to the last cycle says of a source."""
    last = None if lag is None else "2026-01-01T00:00:00Z"
    source = {"last_cycle_at": last, "lag_s": lag, "usual_s": usual, "error": error}
    assert bins("(source) => m.healthOf(source)", source) == state
    off = {"skipped": "no requests are left", "error": None}
    put_off = bins("(source) => m.healthOf(source)", source | {"cycle": off})
    assert put_off == ("put off" if state == "fresh" else state)
    if last:
        down = source | {"cycle": {"error": "no route", "skipped": None}}
        assert bins("(source) => [m.healthOf(source), m.reasonOf(source)]", down) == [
            "unreadable",
            error or "no route",
        ]
