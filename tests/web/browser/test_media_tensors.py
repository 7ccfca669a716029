"""Histograms, PR curves and texts of many runs on the media page, over the sample logs and real ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from boardlake.cli.main import main
from boardlake.ingest.sample.writer import EventWriter

Serve = Callable[[Path, Path], AbstractContextManager[str]]
_PATIENCE_MS = 20_000
WALL = 1_700_000_000.0


def state(page: Page) -> dict[str, str]:
    """What the address says."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(page.url).query).items()}


def post(url: str, path: str, **body: Any) -> Any:
    request = Request(
        f"{url}/api/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request) as answer:
        return json.load(answer)


def sheet(page: Page, tag: str) -> Any:
    """The sheet of a tag, once something is drawn in it."""
    found = page.locator(".tensors > .sheet").filter(
        has=page.get_by_role("heading", name=tag, exact=True)
    )
    expect(found.locator(".sheetbox:not(.waiting)")).to_be_visible(timeout=_PATIENCE_MS)
    return found


def painted(page: Page, canvas: Any) -> None:
    """Waits until a canvas has more than one colour."""
    script = """(el) => {
        if (!el.width || !el.height) return false;
        const { data } = el.getContext('2d').getImageData(0, 0, el.width, el.height);
        const seen = new Set();
        for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
        return seen.size > 3;
    }"""
    canvas.scroll_into_view_if_needed()
    handle = canvas.element_handle()
    page.wait_for_function(script, arg=handle, timeout=_PATIENCE_MS)


@pytest.fixture(scope="module")
def own_url(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[str]:
    """A server over two runs whose texts, histograms and curves are known, and a third without."""
    root = tmp_path_factory.mktemp("tensors")
    for at, name in enumerate(("one", "two", "bare")):
        path = root / "logs" / name / "events.out.tfevents.1700000000.host.1.0"
        with EventWriter(path) as writer:
            # Files that begin alike are copies.
            writer.file_version(WALL + at)
            writer.scalar("loss", 1.0, 0, WALL + at)
            if name == "bare":
                continue
            for step in (0, 10, 20):
                body = f"# Run {name}\n\nalpha at step {step}\n\n<img src=x onerror=alert(1)>"
                body += "\n\nneedle in it" if name == "two" and step == 10 else ""
                writer.text("notes", body, step, WALL + step)
                size = 100 if name == "one" else 1000
                rows = [[0.0, 1.0, size / 4], [1.0, 2.0, size / 2], [2.0, 3.0 + step, size / 4]]
                writer.tensor("h", rows, step, WALL + step, plugin="histograms")
    config = root / "boardlake.toml"
    config.write_text(f'[lake]\npath = "{root}/lake"\n[sources.here]\nuri = "{root}/logs"\n')
    assert main(["--config", str(config), "ingest"]) == 0
    with serve(root / "lake", root / "state") as url:
        yield url


def test_histograms_of_many_runs(page: Page, server_url: str) -> None:
    """A heat map for each run and one slice over all; views and scales stand in the address."""
    page.goto(f"{server_url}/media?kind=histograms&n=60")
    conv = sheet(page, "weights/conv1")
    expect(conv.locator(".cell")).to_have_count(12)
    expect(conv.locator(".percentiles tbody tr")).to_have_count(12)
    expect(conv.get_by_role("img", name=re.compile("^Heat map of .* of resnet"))).to_have_count(12)
    painted(page, conv.locator(".cell canvas").first)
    painted(page, conv.locator(".aside canvas"))
    page.get_by_role("button", name="Ridges").click()
    expect(conv.get_by_role("img", name=re.compile("one behind the other"))).to_have_count(12)
    painted(page, conv.locator(".cell canvas").first)
    page.get_by_role("button", name="One step").click()
    expect(conv.locator(".cells")).to_be_hidden()
    page.get_by_label("Axis of values").select_option("symlog")
    page.get_by_label("counts").check()
    painted(page, conv.locator(".aside canvas"))
    assert {"hv": "slice", "hx": "symlog", "hc": "1"}.items() <= state(page).items()
    page.go_back()
    expect(page.get_by_label("counts")).not_to_be_checked()
    page.reload()
    expect(page.get_by_label("Axis of values")).to_have_value("symlog")
    expect(page.get_by_role("button", name="One step")).to_have_attribute("aria-pressed", "true")


def test_a_click_on_a_heat_map_is_the_step_of_all(page: Page, own_url: str) -> None:
    """The slice, the table and the slider go to the step under the pointer."""
    page.goto(f"{own_url}/media?kind=histograms")
    own = sheet(page, "h")
    expect(own.get_by_text("step 20", exact=True).first).to_be_visible()
    expect(own.get_by_text("Not in bare.")).to_be_visible()
    canvas = own.locator(".cell canvas").first
    painted(page, canvas)
    canvas.click(position={"x": 56, "y": 60})
    expect(own.locator(".stepsays")).to_have_text("step 0")
    assert state(page)["step"] == "0"
    row = own.locator(".percentiles tbody tr").filter(has_text="one")
    # 0, 5 %, 25 %, median, 75 %, 95 %, max of 25, 50 and 25 values, each evenly in its bucket.
    expect(row.locator("td")).to_have_text(["0", "0.2", "1", "1.5", "2", "2.8", "3", "100"])
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("ArrowRight")
    expect(own.locator(".stepsays")).to_have_text("step 10")
    expect(row.locator("td").nth(6)).to_have_text("13")


def test_the_slice_under_the_pointer(page: Page, own_url: str) -> None:
    """Shares are told for each run; the row of the nearest is marked, in the run table as well."""
    page.goto(f"{own_url}/media?kind=histograms&hv=slice&step=0")
    own = sheet(page, "h")
    canvas = own.locator(".aside canvas")
    painted(page, canvas)
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 100)
    page.mouse.move(box["x"] + 62, box["y"] + 100)
    tip = own.locator(".aside .hint")
    expect(tip).to_contain_text("%")
    expect(tip.locator("tr")).to_have_count(2)
    expect(own.locator(".percentiles tr.lit")).to_have_count(1)
    expect(page.locator(".runs .row.lit")).to_have_count(1)


def test_histograms_of_a_run_with_many_steps(page: Page, tmp_path: Path, serve: Serve) -> None:
    """Only some are fetched; the one that the slider is at is fetched besides."""
    path = tmp_path / "logs" / "long" / "events.out.tfevents.1700000000.host.1.0"
    with EventWriter(path) as writer:
        writer.file_version(WALL)
        for step in range(500):
            writer.tensor("h", [[0.0, 1.0, step + 1]], step, WALL + step, plugin="histograms")
    config = tmp_path / "boardlake.toml"
    config.write_text(
        f'[lake]\npath = "{tmp_path}/lake"\n[sources.here]\nuri = "{tmp_path}/logs"\n'
    )
    assert main(["--config", str(config), "ingest"]) == 0
    with serve(tmp_path / "lake", tmp_path / "state") as url:
        page.goto(f"{url}/media?kind=histograms&step=251")
        own = sheet(page, "h")
        expect(own.locator(".stepsays")).to_have_text("step 251")
        expect(own.locator(".percentiles td").nth(7)).to_have_text("252")
        expect(page.get_by_text("252 of 500")).to_be_visible()


def test_from_one_step_to_the_newest(page: Page, own_url: str) -> None:
    """Who begins at a step has it alone: the newest is fetched when it is wanted."""
    page.goto(f"{own_url}/media?kind=texts&step=0")
    one = page.get_by_role("region", name="Text of notes/text_summary of one")
    expect(one).to_contain_text("alpha at step 0")
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("End")
    expect(one).to_contain_text("alpha at step 20")
    assert "step" not in state(page)


def test_pr_curves_of_many_runs(page: Page, server_url: str) -> None:
    """One drawing; areas as they are worked out from the API's numbers; differences from the baseline."""
    page.goto(f"{server_url}/media?kind=curves&n=60")
    dog = sheet(page, "val/pr/dog")
    rows = dog.locator(".areas tbody tr")
    expect(rows).to_have_count(12)
    painted(page, dog.locator("canvas"))
    keys = rows.evaluate_all("(rows) => rows.map((row) => row.dataset.key)")
    found = post(server_url, "pr_curves", runs=keys, tag="val/pr/dog", most=100, thresholds=1000)
    areas = []
    for one in found["runs"]:
        precision, recall = one["precision"][-1], [*one["recall"][-1], 0]
        areas.append(sum(p * (recall[i] - recall[i + 1]) for i, p in enumerate(precision)))
    column = [one for one in dog.locator(".areas thead th").all_inner_texts()].index("AP") - 1
    for row, area in zip(rows.all(), areas, strict=True):
        assert float(row.locator("td").nth(column).inner_text()) == pytest.approx(area, rel=1e-3)
    delta = rows.nth(3).locator("td").nth(column + 1).inner_text()
    assert float(delta.replace("−", "-")) == pytest.approx(areas[3] - areas[0], abs=2e-4)
    page.goto(f"{server_url}/media?kind=curves&n=60&base={keys[2]}&ct=1&cf=1&ci=0")
    expect(dog.get_by_text("the baseline")).to_be_visible()
    expect(rows.nth(2).locator("td").nth(column + 1)).to_have_text("")
    painted(page, dog.locator("canvas"))


def test_a_curve_under_the_pointer(page: Page, server_url: str) -> None:
    """The threshold, and what each run has there."""
    page.goto(f"{server_url}/media?kind=curves&n=60")
    dog = sheet(page, "val/pr/dog")
    canvas = dog.locator("canvas")
    painted(page, canvas)
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 30)
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 32)
    tip = dog.locator(".curveplot .hint")
    expect(tip).to_contain_text("threshold")
    expect(tip.locator("tr").first).to_contain_text("TP")
    expect(tip.locator("tr.near")).to_have_count(1)
    expect(tip.get_by_text("and 2 more runs")).to_be_visible()


def test_texts_side_by_side(page: Page, own_url: str) -> None:
    """A column for each run at the slider's step; markup of the writer does nothing."""
    page.goto(f"{own_url}/media?kind=texts")
    notes = sheet(page, "notes/text_summary")
    columns = notes.locator(".textcolumn")
    expect(columns).to_have_count(2)
    one = notes.get_by_role("region", name="Text of notes/text_summary of one")
    expect(one.get_by_role("heading", name="Run one")).to_be_visible()
    expect(one).to_contain_text("alpha at step 20")
    assert one.locator("img").count() == 0
    expect(notes.get_by_text("Not in bare.")).to_be_visible()
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("Home")
    expect(one).to_contain_text("alpha at step 0")
    page.get_by_role("button", name="As written").click()
    expect(one.locator("pre")).to_contain_text("# Run one")
    expect(one.locator("pre")).to_contain_text("onerror")


def test_what_differs(page: Page, own_url: str) -> None:
    """Between two runs, and between two steps of one; it stands in the address."""
    page.goto(f"{own_url}/media?kind=texts&tv=diff&step=20")
    notes = sheet(page, "notes/text_summary")
    table = notes.locator("table.diff")
    expect(table).to_be_visible()
    names = {notes.locator(".side").nth(i).locator(".label").inner_text() for i in (0, 1)}
    assert names == {"one", "two"}
    first = notes.locator(".side .label").first.inner_text()
    expect(table.locator("del")).to_have_text([first])
    left = page.get_by_label("Left run").input_value()
    page.get_by_label("Right run").select_option(left)
    page.get_by_label("Step of the left text").select_option("0")
    expect(table.locator("del")).to_have_text(["0"])
    expect(table.locator("ins")).to_have_text(["20"])
    page.get_by_label("in one column").check()
    expect(notes.locator("table.diff.unified")).to_be_visible()
    said = state(page)
    assert (said["tb"], said["tas"], said["tu"]) == (left, "0", "1")
    page.get_by_role("button", name="Swap left and right").click()
    expect(table.locator("del")).to_have_text(["20"])
    page.go_back()
    expect(table.locator("del")).to_have_text(["0"])


def test_a_search_leads_to_run_tag_and_step(page: Page, own_url: str) -> None:
    """Hits have their words marked; a click goes to the text, though its run is not drawn."""
    page.goto(f"{own_url}/media?kind=texts")
    sheet(page, "notes/text_summary")
    field = page.get_by_role("searchbox", name="Search within the texts")
    field.fill("needle step")
    results = page.get_by_role("region", name="Texts that were found")
    expect(results.get_by_role("button")).to_have_count(1)
    expect(results.locator("mark")).to_have_text(["step", "needle"])
    field.press("Enter")
    keys = page.locator(".textcolumn").evaluate_all("(all) => all.map((el) => el.dataset.key)")
    shown = page.locator(".textcolumn").filter(has_text="Run one").get_attribute("data-key")
    (other,) = [key for key in keys if key != shown]
    page.goto(f"{own_url}/media?kind=texts&tq=needle&tw=all&hide={other}")
    expect(page.locator(".textcolumn")).to_have_count(1)
    page.get_by_role("region", name="Texts that were found").get_by_role("button").click()
    two = page.get_by_role("region", name="Text of notes/text_summary of two")
    expect(two.locator("mark")).to_have_text("needle")
    expect(two).to_be_focused()
    said = state(page)
    assert (said["step"], json.loads(said["tf"])) == ("10", [other, "notes/text_summary", ""])
    expect(page.locator(".textcolumn.reached")).to_have_attribute("data-key", other)


def test_searches_that_find_nothing_or_cannot_be(
    page: Page, own_url: str, expected_errors: list[str]
) -> None:
    """It says so; an expression that is none is told with the reason."""
    expected_errors.append("400")
    page.goto(f"{own_url}/media?kind=texts&tq={quote('nowhere to be found')}")
    results = page.get_by_role("region", name="Texts that were found")
    expect(results).to_contain_text("Nothing in the texts of 3 runs")
    page.get_by_role("button", name="A regular expression").click()
    page.get_by_role("searchbox", name="Search within the texts").fill("ne+dle|(")
    expect(results.get_by_role("alert")).to_contain_text("missing )")
    page.get_by_role("searchbox", name="Search within the texts").fill("ne+dle")
    expect(results.locator("mark")).to_have_text("needle")


@pytest.mark.parametrize("kind", ["histograms", "curves", "texts"])
def test_a_server_that_fails(
    page: Page, server_url: str, expected_errors: list[str], kind: str
) -> None:
    """The error stands in its place, and a new try brings the picture."""
    path = {"curves": "pr_curves"}.get(kind, kind)
    expected_errors.append("503")
    refused = [True]

    def answer(route: Route) -> None:
        if refused[0]:
            told = {"error": {"kind": "LakeBusy", "message": "the lake is busy", "hint": "wait"}}
            route.fulfill(status=503, json=told)
        else:
            route.continue_()

    page.route(f"**/api/v1/{path}", answer)
    page.goto(f"{server_url}/media?kind={kind}&n=60&many=1")
    alert = page.locator(".tensors .failed")
    expect(alert.first).to_contain_text("the lake is busy", timeout=_PATIENCE_MS)
    refused[0] = False
    alert.first.get_by_role("button", name="Try again").click()
    expect(page.locator(".tensors .sheetbox :is(canvas, .textcolumn)").first).to_be_visible()
    expect(alert).to_have_count(0)


@pytest.fixture(scope="module")
def real_url(
    corpus_lake: Path, tmp_path_factory: pytest.TempPathFactory, serve: Serve
) -> Iterator[str]:
    """The address of a server over real logs of many projects."""
    with serve(corpus_lake, tmp_path_factory.mktemp("state")) as url:
        yield url


# Whether anything in sight has not come yet.
_WAITING = """(el) => {
  const box = el.getBoundingClientRect();
  return [...el.querySelectorAll('.sheetbox.waiting')].some((one) => {
    const at = one.getBoundingClientRect();
    return at.bottom > box.top && at.top < box.bottom;
  });
}"""


@pytest.mark.parametrize("kind", ["histograms", "curves", "texts"])
def test_real_logs(page: Page, real_url: str, kind: str) -> None:
    """Whatever they hold, runs that have something of a kind are drawn, and nothing fails."""
    with urlopen(f"{real_url}/api/v1/media/runs?kind={kind}&limit=40") as answer:
        runs = json.load(answer)["runs"]
    assert runs
    views = {
        "histograms": ("hv=heat", "hv=ridge&hx=symlog", "hv=slice&hx=log&ho=1"),
        "curves": ("ct=1",),
        "texts": ("tv=html", "tv=diff"),
    }[kind]
    for view in views:
        # Other looks at the same data: some of the runs show whether they are drawn.
        some = runs if view == views[0] else runs[::3]
        page.goto(f"{real_url}/media?kind={kind}&n=0&show={','.join(some)}&many=40&{view}")
        expect(page.locator(".tensors .sheetbox:not(.waiting)").first).to_be_visible(timeout=60_000)
        box = page.locator(".mediabox")
        for _ in range(20):
            at = box.evaluate("(el) => { el.scrollBy(0, 800); return el.scrollTop; }")
            # What was passed by before it came is fetched when it is seen again.
            for _ in range(600):
                page.wait_for_timeout(100)
                if not box.evaluate(_WAITING):
                    break
            assert not box.evaluate(_WAITING)
            if at == box.evaluate("(el) => el.scrollHeight - el.clientHeight"):
                break
        expect(page.locator(".failed")).to_have_count(0)
