"""The run table, used as a person would."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

_RUNS = 10_000
_FILL = f"""
INSERT INTO run_facts BY NAME SELECT i AS run_id, format('{{:012x}}', i) AS run_key,
    'here' AS source, 'node' || i % 4 AS machine, 'project' || i % 3 AS project,
    'run' || i AS name, 'runs/' || i AS path, now()::TIMESTAMP AS discovered_at
    FROM range({_RUNS}) t(i);
INSERT INTO files BY NAME SELECT i AS file_id, i AS run_id, 'here' AS source, '' AS stream,
    i || '/events.out' AS path, 1000 AS size, 10 AS records, 10 AS points,
    md5(i::VARCHAR) AS content_key, 1.7e9 + i AS first_wall_time, 1.7e9 + i AS last_wall_time,
    i AS last_step, 1 AS attempts, 'host' AS host, 'pytorch' AS writer, 1.7e9 AS grew_at
    FROM range({_RUNS}) t(i);
INSERT INTO hparams BY NAME SELECT i AS run_id, 'p' || k AS name, 'float' AS type,
    (i * (k + 1) % 1000)::VARCHAR AS value, i * (k + 1) % 1000 AS number,
    'hparams plugin' AS origin, 1 AS rank
    FROM range({_RUNS}) t(i), range(40) u(k) ORDER BY name, run_id;
INSERT INTO source_facts BY NAME SELECT 'here' AS source, 1800 AS stalled_after_s,
    86400 AS finished_after_s
"""


@pytest.fixture
def table(page: Page, server_url: str) -> Callable[..., Page]:
    """Opens the table alone: `table(cols="label,points", sort="name")`."""

    def show(**state: str) -> Page:
        asked = {"view": "table"} | state
        page.goto(f"{server_url}/?" + "&".join(f"{k}={quote(v)}" for k, v in asked.items()))
        page.wait_for_load_state("networkidle")
        expect(page.locator(".grid")).to_have_attribute("aria-busy", "false")
        return page

    return show


def _row(page: Page, number: int) -> Locator:
    """Row *number* of those below the head, from 0."""
    return page.locator(f".space .row[data-i='{number}']")


def _names(page: Page, count: int) -> list[str]:
    return [_row(page, i).locator(".name").inner_text() for i in range(count)]


def _head(page: Page, title: str) -> Locator:
    return page.get_by_role("columnheader", name=title, exact=True)


def _state(page: Page) -> dict[str, str]:
    """What the URL says once the page is at rest."""
    page.wait_for_timeout(50)
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def _drag(page: Page, source: Locator, by: float) -> None:
    box = source.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by / 2, y)
    page.mouse.move(x + by, y)
    page.mouse.up()


def test_a_head_sorts_and_shift_adds_a_key(table: Callable[..., Page]) -> None:
    """A click orders, another turns it around, Shift adds a second key; undo takes each back."""
    page = table(cols="label,project,points")
    _head(page, "Project").click()
    expect(_head(page, "Project")).to_have_attribute("aria-sort", "ascending")
    _head(page, "Project").click()
    expect(_head(page, "Project")).to_have_attribute("aria-sort", "descending")
    _head(page, "Run").click(modifiers=["Shift"])
    expect(_head(page, "Run")).to_contain_text("2")
    assert _state(page)["sort"] == "-project,label"
    expect(_row(page, 0)).to_contain_text("vision")
    names = _names(page, 10)
    assert names == sorted(names)
    page.keyboard.press("Control+z")
    expect(_head(page, "Run")).to_have_attribute("aria-sort", "none")


def test_eyes_say_what_is_drawn(table: Callable[..., Page]) -> None:
    """The first n are drawn; eyes make exceptions; the head's eye takes all or none; s is solo."""
    page = table(cols="label,project")
    drawn = page.locator(".count")
    expect(drawn).to_have_text("10 of 58 drawn")
    eye = _row(page, 0).locator(".eye")
    eye.click()
    expect(drawn).to_have_text("9 of 58 drawn")
    expect(eye).to_have_attribute("aria-pressed", "false")
    _row(page, 15).locator(".eye").click()
    expect(drawn).to_have_text("10 of 58 drawn")
    page.get_by_label("How many of the first are drawn").fill("3")
    page.keyboard.press("Enter")
    expect(drawn).to_have_text("3 of 58 drawn")
    page.get_by_role("button", name="Draw none").click()
    expect(drawn).to_have_text("0 of 58 drawn")
    page.get_by_role("button", name="Draw all").click()
    expect(drawn).to_have_text("58 of 58 drawn")
    _row(page, 20).locator(".cell").nth(4).click()
    page.keyboard.press("s")
    expect(drawn).to_have_text("1 of 58 drawn")
    page.keyboard.press("s")
    expect(drawn).to_have_text("10 of 58 drawn")


def test_an_eye_outlasts_order_and_filter(table: Callable[..., Page]) -> None:
    """A run that was shown by its eye is drawn wherever it stands, as long as it matches."""
    page = table(cols="label,project", n="0")
    name = _row(page, 50).locator(".name").inner_text() if _row(page, 50).count() else ""
    assert name == ""
    page.keyboard.press("j")
    page.keyboard.press("v")
    expect(page.locator(".count")).to_have_text("1 of 58 drawn")
    _head(page, "Run").click()
    expect(page.locator(".count")).to_have_text("1 of 58 drawn")
    page.goto(page.url + "&q=" + quote("run_key = 'nothing'"))
    expect(page.locator(".count")).to_have_text("0 of 0 drawn")


def test_ranges_and_all_are_selected(table: Callable[..., Page]) -> None:
    """Shift selects a range, the head's box all that match, and none again."""
    page = table(cols="label,project")
    _row(page, 2).get_by_role("checkbox").click()
    _row(page, 6).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(page.locator(".row.selected")).to_have_count(5)
    assert len(_state(page)["sel"].split(",")) == 5
    _row(page, 4).get_by_role("checkbox").click()
    expect(page.locator(".row.selected")).to_have_count(4)
    page.get_by_label("Release 4 selected runs").click()
    expect(page.locator(".row.selected")).to_have_count(0)
    page.get_by_label("Select all runs that match").click()
    expect(page.get_by_label("Release 58 selected runs")).to_be_checked()


def test_columns_are_widened_moved_and_hidden(table: Callable[..., Page]) -> None:
    """Width by drag, as wide as the values by a double-click, place by drag, the rest by the menu."""
    page = table(cols="label,project,machine,points")
    edge = _head(page, "Machine").locator(".edge")
    _drag(page, edge, 90)
    assert '"machine":200' in _state(page)["wide"]
    edge.dblclick()
    expect(page).not_to_have_url(re.compile("200"))
    _drag(page, _head(page, "Points").locator(".title"), -330)
    assert _state(page)["cols"] == "label,points,project,machine"
    _head(page, "Project").hover()
    page.get_by_role("button", name="Menu of Project").click()
    page.get_by_role("menuitem", name="Hide").click()
    expect(_head(page, "Project")).to_have_count(0)
    _head(page, "Points").click(button="right")
    page.get_by_role("menuitem", name="Keep it at the left").click()
    assert _state(page)["fix"] == "2"
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(_head(page, "Project")).to_have_count(1)


def test_a_metric_gets_its_other_statistics(table: Callable[..., Page]) -> None:
    """The menu of a metric adds and takes away columns of the same tag."""
    page = table(cols='label,last("val/loss")')
    for there in (1, 0):
        _head(page, "last val/loss").click(button="right")
        page.get_by_role("menuitemcheckbox", name="step min of val/loss").click()
        expect(_head(page, "step min val/loss")).to_have_count(there)


def test_the_grid_is_used_by_keys(table: Callable[..., Page]) -> None:
    """One stop for Tab, arrows and j, k move, x selects, p pins, Enter opens the run."""
    page = table(cols="label,project,points")
    page.keyboard.press("j")
    expect(_row(page, 0).locator(".cell").first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(_row(page, 2).locator(".cell").nth(1)).to_be_focused()
    expect(page.locator(".grid [tabindex='0']")).to_have_count(1)
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(_row(page, 1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("p")
    expect(page.locator(".row.top")).to_contain_text(_row(page, 1).locator(".name").inner_text())
    page.keyboard.press("Control+End")
    expect(_row(page, 57).locator(".cell").nth(1)).to_be_focused()
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    expect(_head(page, "Points")).to_be_focused()
    page.keyboard.press("Enter")
    assert _state(page)["sort"] == "points"
    page.keyboard.press("ArrowDown")
    key = _row(page, 0).get_attribute("data-key")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/run/{key}"))


def test_a_baseline_shows_how_far_the_others_are(table: Callable[..., Page]) -> None:
    """Less loss is better and green; points are only different; the baseline stays on top."""
    page = table(
        cols='label,min("val/loss"),points', q="project = 'vision'", sort='min("val/loss")'
    )
    _row(page, 2).locator(".name").hover()
    _row(page, 2).get_by_role("button", name="Menu of").click()
    page.get_by_role("menuitem", name="Use as baseline").click()
    expect(page.locator(".row.top")).to_contain_text(_row(page, 2).locator(".name").inner_text())
    loss = _row(page, 0).locator(".cell").nth(4).locator(".delta")
    expect(loss).to_have_class("delta good")
    expect(loss).to_have_text(re.compile(r"^−.*\(−.*%\)$"))
    expect(_row(page, 10).locator(".cell").nth(4).locator(".delta")).to_have_class("delta worse")
    expect(page.locator(".delta:not(.good, .worse)").first).to_be_visible()
    page.get_by_role("button", name="No baseline").click()
    expect(page.locator(".row.top")).to_be_hidden()


def test_groups_open_and_are_drawn(table: Callable[..., Page]) -> None:
    """A group has its count and mean ± deviation; its members are below it; (none) is a group."""
    page = table(cols='label,hp.lr,last("train/loss")', group="hp.model")
    first = _row(page, 0)
    expect(first).to_contain_text("(none)")
    count = int(first.locator(".size").inner_text())
    expect(page.locator(".row.group")).to_have_count(3)
    expect(page.locator(".count")).to_have_text("3 of 3 drawn")
    resnet = page.locator(".row.group", has_text="resnet50")
    expect(resnet).to_contain_text("±")
    first.get_by_role("button", name="Open the group").click()
    expect(first).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".grid")).to_have_attribute("aria-rowcount", str(1 + 3 + count))
    expect(page.locator(".row.member .name").first).to_be_visible()
    first.locator(".eye").click()
    expect(page.locator(".count")).to_have_text("2 of 3 drawn")
    first.get_by_role("checkbox").click()
    expect(page.get_by_label(f"Release {count} selected runs")).to_be_visible()
    member = page.locator(".row.member").first.get_by_role("checkbox")
    member.click()
    expect(first.get_by_role("checkbox")).to_have_js_property("indeterminate", True)
    page.reload()
    expect(first.get_by_role("checkbox")).to_have_js_property("indeterminate", True)
    member.click()
    expect(first.get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator(".row.member")).to_have_count(0)


def test_members_and_counts_are_those_of_the_group(table: Callable[..., Page]) -> None:
    """Two keys make one level; each member has the values of its group."""
    page = table(cols="label,machine,project", group="project,machine")
    group = page.locator(".row.group", has_text="rl · lab-cluster")
    count = int(group.locator(".size").inner_text())
    group.dblclick()
    members = page.locator(".row.member")
    expect(members).to_have_count(count)
    for text in members.all_inner_texts():
        assert "rl" in text and "lab-cluster" in text


def test_a_colour_is_for_this_view_or_for_everybody(table: Callable[..., Page]) -> None:
    """The popover writes the URL or the annotations, and takes both back."""
    page = table(cols="label")
    dot = _row(page, 0).locator(".dot")
    _row(page, 0).locator(".tint").click()
    page.get_by_role("button", name="#2fa59b").click()
    expect(dot).to_have_css("background-color", "rgb(47, 165, 155)")
    assert "2fa59b" in _state(page)["hue"]
    _row(page, 0).locator(".tint").click()
    page.get_by_label("for everybody").check()
    page.get_by_label("Colour as hexadecimal number").fill("123456")
    page.keyboard.press("Enter")
    expect(dot).to_have_css("background-color", "rgb(18, 52, 86)")
    assert "hue" not in _state(page)
    page.reload()
    expect(dot).to_have_css("background-color", "rgb(18, 52, 86)")
    _row(page, 0).locator(".tint").click()
    page.get_by_label("for everybody").check()
    page.get_by_role("button", name="Reset").click()
    expect(dot).not_to_have_css("background-color", "rgb(18, 52, 86)")
    _row(page, 0).locator(".tint").click()
    page.get_by_role("button", name="Distinct colours for 10 drawn").click()
    expect(page.locator(".popover")).to_have_count(0)
    dots = page.locator(".space .dot")
    colours = [dots.nth(i).get_attribute("style") for i in range(10)]
    assert len(set(colours)) == 10


def test_the_table_says_why_it_is_empty(
    table: Callable[..., Page], expected_errors: list[str]
) -> None:
    """No match, a filter that cannot be read, a column that nobody has: each with its way out."""
    page = table(q="name = 'nosuchrun'")
    expect(page.locator(".note")).to_contain_text("No run matches name = 'nosuchrun'")
    page.locator(".note").get_by_role("button", name="Clear the filter").click()
    expect(page.locator(".count")).to_have_text("10 of 58 drawn")
    expected_errors.append("400")
    page = table(q="pints > 3")
    expect(page.locator(".note")).to_contain_text("because the filter cannot be used")
    page = table(cols='label,last("no/tag")')
    expect(page.locator(".note")).to_contain_text('the column last("no/tag") cannot be had')
    page.get_by_role("button", name="Hide this column").click()
    expect(_row(page, 0)).to_be_visible()


@pytest.fixture(scope="module")
def many(
    tmp_path_factory: pytest.TempPathFactory,
    serve: Callable[[Path, Path], AbstractContextManager[str]],
) -> object:
    """The address of a server over a lake of 10,000 runs with 40 hyperparameters each."""
    root = tmp_path_factory.mktemp("many")
    with open_lake(locate(str(root / "lake")), create=True) as lake:
        for statement in _FILL.split(";\n"):
            lake.con.execute(statement)
    with serve(root / "lake", root / "state") as at:
        yield at


def test_the_end_of_many_runs_is_one_jump_away(page: Page, many: str) -> None:
    """Only what is in view is in the page, whether at the start or at the end, in both directions."""
    cols = ",".join(["label", *(f"hp.p{k}" for k in range(40))])
    page.goto(f"{many}/?view=table&sort=run_id&cols={cols}")
    expect(_row(page, 0)).to_contain_text("run0")
    page.locator(".grid").evaluate("grid => { grid.scrollTop = grid.scrollHeight; }")
    expect(_row(page, _RUNS - 1)).to_contain_text(f"run{_RUNS - 1}")
    expect(_row(page, _RUNS - 1)).to_have_attribute("aria-rowindex", str(_RUNS + 1))
    assert page.locator(".space .row").count() < 60
    assert _row(page, _RUNS - 1).locator(".cell").count() < 25
    page.locator(".grid").evaluate("grid => { grid.scrollLeft = grid.scrollWidth; }")
    expect(_row(page, _RUNS - 1).locator(".cell").last).to_have_text(str((_RUNS - 1) * 40 % 1000))
    expect(_row(page, _RUNS - 1)).to_contain_text(f"run{_RUNS - 1}")


def test_what_is_on_screen_stays_when_it_is_asked_anew(page: Page, many: str) -> None:
    """After a change the place in the list, the selection and the focus are what they were."""
    page.goto(f"{many}/?view=table&sort=run_id&cols=label,project")
    expect(_row(page, 0)).to_contain_text("run0")
    page.locator(".grid").evaluate("grid => { grid.scrollTop = 5000 * 32; }")
    row = _row(page, 5003)
    row.get_by_role("checkbox").click()
    row.locator(".cell").nth(4).click()
    expect(row).to_have_class(re.compile("selected"))
    row.locator(".tint").click()
    page.get_by_label("for everybody").check()
    with page.expect_response(re.compile("/api/v1/runs.*offset=5000")):
        page.get_by_role("button", name="#7364fb").click()
    expect(row.locator(".dot")).to_have_css("background-color", "rgb(115, 100, 251)")
    assert page.locator(".grid").evaluate("grid => grid.scrollTop") == 5000 * 32
    expect(row).to_have_class(re.compile("selected"))
