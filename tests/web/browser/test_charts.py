"""The charts of the workspace, used as a person would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from boardlake.api.opened import open_client
from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter

VISION = "project = 'vision'"


@pytest.fixture
def workspace(page: Page, server_url: str) -> Callable[..., Page]:
    """Opens the workspace with a state, when its first chart is drawn."""

    def show(**state: str) -> Page:
        asked = {"q": VISION, "n": "4", "view": "charts"} | state
        page.goto(f"{server_url}/?" + "&".join(f"{k}={quote(v)}" for k, v in asked.items()))
        expect(page.locator(".plot[role=img]").first).to_be_visible()
        return page

    return show


def plot(page: Page, id: str) -> Locator:
    """The plot of a chart by its tag or number, brought into sight."""
    found = page.locator(f".card[data-id='{id}']:not(.whole) .plot").last
    found.scroll_into_view_if_needed()
    return found


def told(page: Page, id: str, pattern: str = ".") -> str:
    """What a chart says it shows, once it is drawn as *pattern* wants."""
    found = plot(page, id)
    expect(found).to_have_attribute("aria-label", re.compile(pattern))
    return found.get_attribute("aria-label") or ""


def span(text: str, axis: str) -> tuple[float, float]:
    """From and to of x or y in what a chart says."""
    part = re.search(rf"{axis} from (.*?) to (.*?)[,.](?: |$)", text)
    assert part, text
    numbers = (re.search(r"[−-]?[\d,.]+(e-?\d+)?$", one) for one in part.groups())
    low, high = (float(one[0].replace("−", "-").replace(",", "")) for one in numbers if one)
    return low, high


def state(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def point(page: Page, id: str, x: float, y: float) -> tuple[float, float]:
    """A place within a plot, as fractions of it, on the screen."""
    box = plot(page, id).bounding_box()
    assert box
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Page, id: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*point(page, id, *start))
    page.mouse.down()
    page.mouse.move(*point(page, id, *end), steps=5)
    page.mouse.up()


def series_requests(page: Page) -> list[dict[str, Any]]:
    """What is asked of the series from now on."""
    asked: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.url.endswith("/api/v1/series"):
            asked.append(json.loads(request.post_data or "{}"))

    page.on("request", note)
    return asked


def test_tags_are_charts_in_sections(workspace: Callable[..., Page]) -> None:
    """One chart for each tag, in sections by its prefix, which close and stay closed."""
    page = workspace()
    train = page.get_by_role("region", name="train", exact=True)
    expect(train.get_by_role("article")).to_have_count(4)
    assert "4 lines" in told(page, "train/loss", "4 lines")
    train.get_by_role("button", name="train 4").click()
    expect(train.get_by_role("article")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="train 4")).to_have_attribute("aria-expanded", "false")


def test_hovering_tells_values_in_order(workspace: Callable[..., Page]) -> None:
    """The tooltip sorts runs by value, names the nearest, and the crosshair is on all charts."""
    page = workspace(tags="^train/(loss|acc1)$")
    told(page, "train/loss", "4 lines")
    told(page, "train/acc1", "4 lines")
    page.mouse.move(*point(page, "train/loss", 0.3, 0.5))
    tip = page.locator(".tip")
    expect(tip).to_contain_text("step")
    rows = tip.locator("tbody tr")
    expect(rows).to_have_count(4)
    values = [float(one) for one in rows.locator("td:nth-child(3)").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    expect(tip.locator("tr.near")).to_have_count(1)
    expect(page.locator(".crosshair:not([hidden])")).to_have_count(2)
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()


def test_dragging_zooms_every_chart_and_asks_for_finer_points(
    workspace: Callable[..., Page],
) -> None:
    """The window stands in the URL; undo, the button and a double click take it back."""
    page = workspace(tags="^train/(loss|acc1)$")
    whole = span(told(page, "train/loss", "4 lines"), "x")
    told(page, "train/acc1", "4 lines")
    asked = series_requests(page)
    drag(page, "train/loss", (0.5, 0.4), (0.6, 0.6))
    expect(page).to_have_url(re.compile("zoom="))
    narrow = span(told(page, "train/acc1", r"x from step [1-9]"), "x")
    assert (narrow[1] - narrow[0]) < 0.2 * (whole[1] - whole[0])
    page.wait_for_timeout(600)
    ranges = [one["range"] for one in asked if one.get("range")]
    assert not asked or ranges, "whatever is asked is asked for the window"
    page.keyboard.press("Control+z")
    expect(page).not_to_have_url(re.compile("zoom="))
    assert span(told(page, "train/loss", r"x from step −?-?[\d,]+ to"), "x") == whole
    page.keyboard.press("Control+Shift+Z")
    expect(page).to_have_url(re.compile("zoom="))
    page.get_by_role("button", name="Reset zoom").click()
    expect(page).not_to_have_url(re.compile("zoom="))


def test_shift_drag_zooms_both_ways(workspace: Callable[..., Page]) -> None:
    """The range of y is the chart's own."""
    page = workspace(tags="^train/(loss|acc1)$")
    before = span(told(page, "train/loss", "4 lines"), "y")
    page.keyboard.down("Shift")
    drag(page, "train/loss", (0.4, 0.3), (0.6, 0.5))
    page.keyboard.up("Shift")
    expect(page).to_have_url(re.compile("yz="))
    page.wait_for_timeout(300)
    after = span(told(page, "train/loss"), "y")
    assert after[1] - after[0] < 0.6 * (before[1] - before[0])
    plot(page, "train/loss").dblclick()
    expect(page).not_to_have_url(re.compile("zoom=|yz="))


def test_smoothing_is_a_matter_of_the_picture(workspace: Callable[..., Page]) -> None:
    """The slider asks nothing of the server, is one step of undo, and has a number and keys."""
    page = workspace(tags="grad_norm", out="0")
    raw = workspace(tags="grad_norm", out="0", sm="0")
    rough = span(told(raw, "train/grad_norm", "4 lines"), "y")
    asked = series_requests(page)
    slider = page.get_by_role("slider", name="Smoothing")
    slider.focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"sm=0\.3"))
    page.get_by_role("spinbutton", name="Smoothing, as a number").fill("0.95")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"sm=0\.95"))
    page.wait_for_timeout(300)
    smooth = span(told(page, "train/grad_norm"), "y")
    assert smooth[1] - smooth[0] < rough[1] - rough[0]
    page.locator(".sections").focus()
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile(r"sm=0\.9($|&)"))
    assert not asked
    for kind in ("Time-weighted EMA", "Gaussian", "Running mean", "No smoothing"):
        page.get_by_role("button", name="Settings").click()
        page.get_by_role("combobox", name="Kind of smoothing").select_option(label=kind)
        page.keyboard.press("Escape")
        told(page, "train/grad_norm", "4 lines")


@pytest.mark.parametrize(
    ("x", "pattern"),
    [
        ("Relative time", r"x from .*[hms] to \d+h"),
        ("Wall time", r"x from \d{4}-\d\d-\d\d"),
        ("train/acc1", r"x from train/acc1 [\d.]+ to train/acc1 [\d.]+"),
    ],
)
def test_the_axis_may_be_time_or_any_metric(
    workspace: Callable[..., Page], x: str, pattern: str
) -> None:
    """Steps are the default; every scalar tag can be the axis."""
    page = workspace(tags="^train/loss$")
    told(page, "train/loss", "4 lines, x from step")
    page.get_by_role("combobox", name="x axis").select_option(label=x)
    assert "4 lines" in told(page, "train/loss", pattern)


def test_scales(workspace: Callable[..., Page]) -> None:
    """Logarithmic and symlog for all charts, or for one of them."""
    page = workspace(tags="^train/(loss|acc1)$")
    told(page, "train/loss", "4 lines")
    page.locator(".sections").focus()
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("ys=log"))
    told(page, "train/loss", "4 lines")
    plot(page, "train/acc1").hover()
    page.get_by_role("button", name="Menu of train/acc1").click()
    page.get_by_role("menuitemcheckbox", name="y symlog").click()
    expect(page).to_have_url(re.compile("own="))
    told(page, "train/acc1", "4 lines")
    assert json.loads(state(page)["own"]) == {"train/acc1": {"ys": "symlog"}}
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("combobox", name="Scale of the x axis").select_option(label="logarithmic")
    page.keyboard.press("Escape")
    told(page, "train/loss", r"x from step [1-9]")


def test_outliers_are_left_out_of_the_scale_only(workspace: Callable[..., Page]) -> None:
    """Without the switch the spikes are in range."""
    page = workspace(tags="grad_norm", q="name = 'resnet50_lr3'", sm="0")
    clipped = span(told(page, "train/grad_norm", "1 line"), "y")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("checkbox", name="Leave outliers out of the scale").uncheck()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("out=0"))
    page.wait_for_timeout(200)
    assert span(told(page, "train/grad_norm"), "y")[1] >= clipped[1]


def test_tags_are_searched_by_regular_expression(workspace: Callable[..., Page]) -> None:
    """What matches is shown; where nothing does, the page says so and offers the way back."""
    page = workspace()
    page.get_by_role("searchbox", name="Search tags").fill("^val/(loss|acc1)$")
    expect(page.locator(".sections article")).to_have_count(2)
    page.get_by_role("searchbox", name="Search tags").fill("(nothing")
    expect(page.get_by_text(re.compile("None of .* matches"))).to_be_visible()
    page.get_by_role("button", name="Clear the tag search").click()
    expect(page.get_by_role("region", name="train", exact=True)).to_be_visible()


def test_pinned_charts_stand_first(workspace: Callable[..., Page]) -> None:
    """A pin is a step of undo, and the chart also stays in its section."""
    page = workspace(tags="^train/|^val/")
    plot(page, "val/loss").hover()
    page.get_by_role("button", name="Pin val/loss").click()
    first = page.locator(".sections > section").first
    expect(first).to_have_attribute("aria-label", "Pinned")
    expect(first.get_by_role("heading", name="val/loss")).to_be_visible()
    expect(page.locator(".card[data-id='val/loss']")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.get_by_role("region", name="Pinned")).to_have_count(0)


def test_charts_of_several_tags_and_of_expressions(workspace: Callable[..., Page]) -> None:
    """They are put together on the page; a mistake is told where it is."""
    page = workspace(tags="^train/loss$")
    page.get_by_role("button", name="Chart", exact=True).click()
    dialog = page.get_by_role("dialog", name="Add a chart")
    dialog.get_by_role("searchbox", name="Search tags").fill("loss")
    dialog.get_by_role("checkbox", name="train/loss").check()
    dialog.get_by_role("checkbox", name="val/loss", exact=True).check()
    dialog.get_by_role("button", name="Add", exact=True).click()
    assert "8 lines" in told(page, "chart:0", "8 lines")
    page.get_by_role("button", name="Chart", exact=True).click()
    dialog.get_by_role("textbox", name="Expression").fill('"train/loss" - ')
    expect(dialog.get_by_role("alert").first).to_contain_text("expected at the end")
    dialog.get_by_role("textbox", name="Expression").fill('"val/loss" - "train/loss"')
    dialog.get_by_role("textbox", name="Title").fill("gap")
    dialog.get_by_role("button", name="Add", exact=True).click()
    low, high = span(told(page, "chart:1", "gap: 4 lines"), "y")
    assert -10 < low < high < 10
    plot(page, "chart:1").hover()
    page.get_by_role("button", name="Menu of gap").click()
    page.get_by_role("menuitem", name="Remove this chart").click()
    expect(page.locator(".card[data-id='chart:1']")).to_have_count(0)


def test_streams_of_a_tag_share_a_chart(workspace: Callable[..., Page]) -> None:
    """Training and validation of a run are two lines of one chart, told apart by their dashes."""
    page = workspace(q="name in ('adam-0.2', 'sgd-0.2')", tags="^epoch_loss$", sm="0")
    text = told(page, "epoch_loss", "4 lines")
    assert "train" in text and "validation" in text
    plot(page, "epoch_loss").hover()
    page.get_by_role("button", name="epoch_loss in full").click()
    expect(page.locator(".legend button")).to_have_count(4)
    dashes = page.locator(".legend path").evaluate_all(
        "all => all.map((one) => one.getAttribute('stroke-dasharray'))"
    )
    assert sorted(set(dashes)) == ["", "6 3"]


def test_a_group_is_a_line_with_a_band(workspace: Callable[..., Page]) -> None:
    """Mean over all members whatever is drawn besides, with the kind of band that is chosen."""
    page = workspace(group="hp.model", tags="^val/acc1$", n="9", cols="label")
    both = told(page, "val/acc1", "2 lines")
    page.mouse.move(*point(page, "val/acc1", 0.2, 0.5))
    tip = page.locator(".tip")
    expect(tip.locator("th", has_text="runs")).to_be_visible()
    rows = {row.split("\t")[1]: row.split("\t")[2:5] for row in _rows(tip)}
    page.mouse.move(5, 5)
    page.get_by_role("combobox", name="Band of a group").first.select_option(label="min to max")
    expect(page).to_have_url(re.compile("band=minmax"))
    page.get_by_role("checkbox", name="single runs").check()
    told(page, "val/acc1", "2 lines")
    alone = workspace(group="hp.model", tags="^val/acc1$", n="0", show='g:["resnet18"]')
    told(alone, "val/acc1", "1 line")
    alone.mouse.move(*point(alone, "val/acc1", 0.2, 0.5))
    (row,) = _rows(alone.locator(".tip"))
    name, *values = row.split("\t")[1:5]
    assert "resnet18" in both and rows[name] == values


def _rows(tip: Locator) -> list[str]:
    expect(tip.locator("tbody tr").first).to_be_visible()
    return [text.strip("\n") for text in tip.locator("tbody tr").all_inner_texts()]


def test_a_chart_in_full_has_a_legend(workspace: Callable[..., Page]) -> None:
    """A click hides a run, a double click shows it alone, arrows go on, Escape closes."""
    page = workspace(tags="^train/(loss|acc1)$", view="both")
    told(page, "train/loss", "4 lines")
    plot(page, "train/loss").hover()
    page.keyboard.press("f")
    full = page.get_by_role("dialog", name="Chart in full")
    expect(full.locator(".legend button")).to_have_count(4)
    expect(page).to_have_url(re.compile("full=train"))
    full.locator(".legend button").first.click()
    expect(full.locator(".legend button")).to_have_count(3)
    page.keyboard.press("ArrowLeft")
    expect(full.get_by_role("heading", name="train/acc1")).to_be_visible()
    full.locator(".legend button").first.dblclick()
    expect(full.locator(".legend button")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(full).to_have_count(0)
    expect(page).not_to_have_url(re.compile("full="))


def test_pictures_and_points_can_be_taken_away(
    workspace: Callable[..., Page], samples: Path, tmp_path: Path
) -> None:
    """PNG, SVG, CSV with every point, and the same points in SQL."""
    page = workspace(tags="^train/loss$")
    told(page, "train/loss", "4 lines")

    def take(item: str) -> bytes:
        plot(page, "train/loss").hover()
        page.get_by_role("button", name="Menu of train/loss").click()
        with page.expect_download() as got:
            page.get_by_role("menuitem", name=item).click()
        path = tmp_path / got.value.suggested_filename
        got.value.save_as(path)
        return path.read_bytes()

    assert take("Picture (PNG)").startswith(b"\x89PNG")
    drawing = take("Drawing (SVG)").decode()
    assert drawing.startswith("<svg") and drawing.count("<path") >= 4
    assert ">train/loss</text>" in drawing and drawing.count("resnet50_") >= 1
    rows = take("Every point (CSV)").decode().strip().splitlines()[1:]
    plot(page, "train/loss").hover()
    page.get_by_role("button", name="Menu of train/loss").click()
    page.get_by_role("menuitem", name="As SQL, Python, JSON").click()
    sql = page.get_by_role("dialog").locator("pre").first.inner_text()
    with open_client(samples) as lake:
        assert len(lake.sql(sql)) == len(rows)  # type: ignore[attr-defined]


def test_what_is_no_number_and_what_began_again_is_marked(
    workspace: Callable[..., Page],
) -> None:
    """NaN and infinities, restarts, and on demand the points that a restart took back."""
    page = workspace(q="name = 'resnet50_lr3'", tags="^train/loss$")
    told(page, "train/loss", "1 line")
    expect(page.locator(".card .note")).to_contain_text(
        re.compile(r"▲ \d+ values that are no finite")
    )
    page = workspace(q="name = 'pretrain-70m'", tags="^lm_loss$")
    told(page, "lm_loss", "line")
    expect(page.locator(".card .note")).to_contain_text("restart")
    asked = series_requests(page)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("checkbox", name="Show what restarts took back").check()
    page.wait_for_timeout(500)
    assert asked and asked[-1]["superseded"] is True


def test_tensorboards_links_are_understood(page: Page, server_url: str) -> None:
    """smoothing, tagFilter, runFilter and pinnedCards as TensorBoard writes them."""
    pins = quote(json.dumps([{"plugin": "scalars", "tag": "train/loss"}]))
    page.goto(f"{server_url}/?smoothing=0.9&tagFilter=loss&runFilter=resnet18&pinnedCards={pins}")
    expect(page.get_by_role("region", name="Pinned")).to_be_visible()
    assert page.get_by_role("searchbox", name="Search tags").input_value() == "loss"
    number = page.get_by_role("spinbutton", name="Smoothing, as a number")
    assert number.input_value() == "0.9"
    expect(page.get_by_text(re.compile("of 12 drawn"))).to_be_visible()


def test_a_long_state_becomes_a_short_link(workspace: Callable[..., Page], page: Page) -> None:
    """The address stays short, and opens as it was."""
    tags = [f"made/up/tag/{i}" for i in range(120)]
    workspace(tags="^train/loss$", pins=json.dumps(["train/loss"]))
    page.get_by_role("button", name="Chart", exact=True).click()
    dialog = page.get_by_role("dialog", name="Add a chart")
    dialog.get_by_role("textbox", name="Title").fill("long")
    dialog.get_by_role("textbox", name="Expression").fill('"train/loss" + 0')
    dialog.get_by_role("button", name="Add", exact=True).click()
    told(page, "chart:0", "long")
    page.evaluate(
        "(pins) => history.replaceState(null, '', '/?' + new URLSearchParams({pins: JSON.stringify(pins)}))",
        tags,
    )
    page.reload()
    page.get_by_role("searchbox", name="Search tags").fill("loss")
    expect(page).to_have_url(re.compile(r"/v/[0-9a-f]{10}$"))
    page.reload()
    assert page.get_by_role("searchbox", name="Search tags").input_value() == "loss"


def test_quick_search_finds_runs_tags_and_actions(workspace: Callable[..., Page]) -> None:
    """Ctrl+K, a few letters, Enter."""
    page = workspace()
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search everything")
    box.fill("val/acc5")
    expect(page.get_by_role("option", name=re.compile("tag.*val.acc5"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("tags="))
    expect(page.locator(".sections article")).to_have_count(1)
    page.keyboard.press("Control+k")
    box.fill("resnet18_lr0.1_bs256_s0")
    expect(
        page.get_by_role("option", name=re.compile("run.*resnet18_lr0.1_bs256_s0"))
    ).to_be_visible()  # noqa: E501
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/run/"))


def test_running_runs_grow_on_the_page(
    page: Page,
    tmp_path: Path,
    serve: Callable[[Path, Path], AbstractContextManager[str]],
) -> None:
    """New points come by themselves, and the window that was chosen stays."""
    lake = tmp_path / "lake"
    log = tmp_path / "logs" / "run" / "events.out.tfevents.1800000000.host.1.0"

    def grow(first: int, last: int) -> None:
        with EventWriter(log, append=True) as writer:
            if not first:
                writer.file_version(1_800_000_000)
            for step in range(first, last):
                writer.scalar("loss", 1 / (1 + step), step, 1_800_000_000 + step)

    grow(0, 200)
    assert main(["--lake", str(lake), "ingest", str(tmp_path / "logs")]) == 0
    with serve(lake, tmp_path / "state") as url:
        page.goto(f"{url}/?view=charts")
        assert span(told(page, "loss", "1 line"), "x")[1] < 210
        grow(200, 400)
        assert main(["--lake", str(lake), "ingest", str(tmp_path / "logs")]) == 0
        told(page, "loss", r"to step 40\d")
        drag(page, "loss", (0.4, 0.5), (0.6, 0.5))
        zoomed = told(page, "loss", r"x from step 1\d\d")
        grow(400, 600)
        with page.expect_response(lambda answer: answer.url.endswith("/api/v1/series")):
            assert main(["--lake", str(lake), "ingest", str(tmp_path / "logs")]) == 0
        page.wait_for_timeout(300)
        assert span(told(page, "loss"), "x") == span(zoomed, "x")
        page.keyboard.press("r")
        told(page, "loss", r"to step 60\d")


def test_an_empty_lake_says_what_to_do(
    page: Page,
    tmp_path: Path,
    serve: Callable[[Path, Path], AbstractContextManager[str]],
) -> None:
    """Nothing to draw is no blank page."""
    (tmp_path / "logs").mkdir()
    assert main(["--lake", str(tmp_path / "lake"), "ingest", str(tmp_path / "logs")]) == 0
    with serve(tmp_path / "lake", tmp_path / "state") as url:
        page.goto(url)
        expect(page.get_by_text("There are no runs yet")).to_be_visible()
        expect(page.get_by_text("boardlake ingest").first).to_be_visible()
