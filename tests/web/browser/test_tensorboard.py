"""TensorBoard's own front end over a lake: each dashboard shows what was logged, and nothing fails."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from boardlake.cli.main import main
from boardlake.tests.web.tensorboard import written

Serve = Callable[[Path, Path], Any]
# On a busy machine; nothing is measured here.
_PATIENCE_MS = 25_000
# So many pixels of a strong colour are a line, and no tick of an axis.
_COLOURED = 60


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """How long is waited for what is to be seen."""
    expect.set_options(timeout=_PATIENCE_MS)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[str]:
    """The address of a server over runs with data of every plugin."""
    root = tmp_path_factory.mktemp("dashboards")
    written.write(root / "logs")
    assert main(["--lake", str(root / "lake"), "ingest", str(root / "logs")]) == 0
    with serve(root / "lake", root / "state") as at:
        yield at


def runs_of(url: str) -> dict[str, str]:
    """The keys of all runs by path."""
    with urlopen(f"{url}/api/v1/runs?columns=run_key,path&limit=100") as answer:
        return {path: key for _, key, path in json.load(answer)["rows"]}


def select(url: str, runs: Sequence[str]) -> str:
    """The address of TensorBoard on runs, by key."""
    head = {"Content-Type": "application/json"}
    body = json.dumps({"runs": list(runs)}).encode()
    with urlopen(Request(f"{url}/api/v1/tensorboard", body, head)) as answer:
        return f"{url}{json.load(answer)['url']}"


@contextmanager
def watched(browser: Browser) -> Iterator[tuple[BrowserContext, list[str]]]:
    """A context, and what goes wrong in its pages: errors, answers that are none, other hosts."""
    context = browser.new_context(viewport={"width": 1640, "height": 900}, accept_downloads=True)
    context.set_default_timeout(_PATIENCE_MS)
    wrong: list[str] = []

    def console(message: Any) -> None:
        if message.type == "error":
            wrong.append(f"console: {message.text} {message.location['url']}")

    def answered(response: Any) -> None:
        if response.status >= 400:
            wrong.append(f"{response.status} {response.url}")

    def asked(request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:", "about:")):
            wrong.append(f"leaves the host: {request.url}")

    context.on("console", console)
    context.on("weberror", lambda one: wrong.append(f"script: {one.error}"))
    context.on("response", answered)
    context.on("request", asked)
    yield context, wrong
    context.close()


@pytest.fixture(scope="module")
def watching(browser: Browser) -> Iterator[tuple[BrowserContext, list[str]]]:
    """One context for all tests: its pages load TensorBoard once."""
    with watched(browser) as both:
        yield both


@pytest.fixture(scope="module")
def shared(watching: tuple[BrowserContext, list[str]], served: str) -> Page:
    """A page at TensorBoard on all runs."""
    page = watching[0].new_page()
    # One has tags that are names in JavaScript: at them the pages would stop.
    runs = runs_of(served)
    assert "odd" in runs
    page.goto(select(served, list(runs.values())))
    return page


@pytest.fixture
def board(shared: Page, watching: tuple[BrowserContext, list[str]]) -> Iterator[Page]:
    """That page; what goes wrong in it fails the test."""
    watching[1].clear()
    yield shared
    assert not watching[1], watching[1]


def dashboard(page: Page, name: str, element: str) -> Locator:
    """A dashboard of the page."""
    page.evaluate("(name) => { location.hash = name; }", name)
    found = page.locator(element)
    expect(found).to_be_visible(timeout=_PATIENCE_MS)
    return found


def only(found: Locator, tag: str) -> None:
    """Have a dashboard show what has this tag first; else only few categories are open."""
    found.locator("tf-tag-filterer input").first.fill(tag)


def coloured(place: Locator) -> int:
    """How many pixels of it have a colour: text, axes and the page are grey."""
    with Image.open(io.BytesIO(place.screenshot())) as picture:
        rgb = np.asarray(picture.convert("RGB"), np.int16)
    return int(np.sum(rgb.max(axis=2) - rgb.min(axis=2) > 25))


def drawn(place: Locator) -> None:
    """Wait until it has lines; they are drawn by a worker, of which the page says nothing."""
    place.scroll_into_view_if_needed()
    for _ in range(200):
        if coloured(place) > _COLOURED:
            return
        place.page.wait_for_timeout(100)
    raise AssertionError("no line is drawn")


def shown(picture: Locator) -> None:
    """Wait until an image is decoded."""
    picture.scroll_into_view_if_needed()
    picture.evaluate("(img) => img.decode()")
    assert picture.evaluate("(img) => [img.naturalWidth, img.naturalHeight]") == [4, 3]


def test_time_series(board: Page) -> None:
    """Scalars as lines with their last values, images, histograms; in TensorBoard's own fonts."""
    found = dashboard(board, "timeseries", "metrics-dashboard")
    names = found.locator("runs-data-table tb-data-table-content-row")
    expect(names.filter(has_text="keras/validation")).to_be_visible()
    tags = found.get_by_role("combobox", name="Filter tags (regex)")
    tags.fill("^(epoch_loss|batch|weights)$")
    fit = found.locator("metrics-filtered-view")
    card = fit.locator("scalar-card")
    expect(card).to_have_count(1)
    rows = card.locator("tb-data-table-content-row")
    expect(rows.filter(has_text="keras/train")).to_contain_text("0.3333")
    expect(rows.filter(has_text="keras/validation")).to_contain_text("0.5")
    drawn(card.locator("line-chart").first)
    expect(fit.locator("image-card")).to_have_count(2)
    shown(fit.locator("image-card img").first)
    histogram = fit.locator("histogram-card")
    histogram.scroll_into_view_if_needed()
    expect(histogram).to_contain_text("pytorch")
    expect(histogram.locator("tb-histogram path").nth(11)).to_be_attached()
    tags.fill("")
    fonts = "() => document.fonts.ready.then(() => [...document.fonts].map((one) => one.status))"
    assert "loaded" in board.evaluate(fonts)
    assert "error" not in board.evaluate(fonts)


def test_data_of_a_card_is_downloaded(board: Page) -> None:
    """The links of a card in Time Series, which have no prefix, lead to the data of this selection."""
    found = dashboard(board, "timeseries", "metrics-dashboard")
    found.get_by_role("combobox", name="Filter tags (regex)").fill("^acc$")
    card = found.locator("metrics-filtered-view scalar-card")
    expect(card).to_have_count(1)
    card.get_by_role("button", name="More line chart options").click()
    board.get_by_text("Download data").click()
    dialog = board.locator("mat-dialog-container")
    dialog.locator("select").select_option(label="sweep/2")
    for form in ("JSON", "CSV"):
        with board.expect_download() as coming:
            dialog.get_by_text(form, exact=True).click()
        text = Path(coming.value.path()).read_text("utf-8")
        rows = json.loads(text) if form == "JSON" else list(csv.reader(io.StringIO(text)))[1:]
        assert [int(row[1]) for row in rows] == [0, 1, 2]
        assert [float(row[2]) for row in rows] == pytest.approx([0.0, 0.5, 2 / 3])
    dialog.get_by_text("Close").click()
    found.get_by_role("combobox", name="Filter tags (regex)").fill("")


def test_scalars(board: Page) -> None:
    """Lines of the runs, and links to their data."""
    found = dashboard(board, "scalars", "tf-scalar-dashboard")
    only(found, "epoch_loss")
    card = found.locator("tf-scalar-card").filter(has_text="epoch_loss").first
    expect(found.locator("tf-runs-selector")).to_contain_text("keras/train")
    drawn(card)
    found.get_by_text("Show data download links").click()
    card.locator("select, paper-dropdown-menu").first.wait_for()
    with urlopen(f"{board.url.partition('#')[0]}data/plugin/scalars/tags") as answer:
        assert "epoch_loss" in json.load(answer)["keras/train"]


def test_custom_scalars(board: Page) -> None:
    """The layouts of all runs, merged: their categories and charts."""
    found = dashboard(board, "custom_scalars", "tf-custom-scalar-dashboard")
    expect(found).to_contain_text("own")
    chart = found.locator("tf-custom-scalar-multi-line-chart-card").first
    expect(chart).to_contain_text("one")
    drawn(chart)


def test_images(board: Page) -> None:
    """Pictures with their steps, both samples of a step."""
    found = dashboard(board, "images", "tf-image-dashboard")
    loaders = found.locator("tf-image-loader")
    expect(loaders.nth(1)).to_contain_text(re.compile(r"sample: 2 of 2\s*step\s*5"))
    shown(loaders.first.locator("img").first)


def test_audio(board: Page) -> None:
    """Clips that a browser can play."""
    found = dashboard(board, "audio", "tf-audio-dashboard")
    clip = found.locator("tf-audio-loader audio").first
    clip.wait_for()
    length = """(audio) => new Promise((done) => {
      if (audio.readyState > 0) done(audio.duration);
      audio.addEventListener('loadedmetadata', () => done(audio.duration));
      audio.addEventListener('error', () => done(-1));
      audio.load();
    })"""
    assert clip.evaluate(length) > 0


def test_distributions(board: Page) -> None:
    """Areas of percentiles."""
    found = dashboard(board, "distributions", "tf-distribution-dashboard")
    only(found, "dense/kernel_0/histogram")
    chart = found.locator("tf-distribution-loader").filter(has_text="dense/kernel_0/histogram")
    drawn(chart.first)


def test_histograms(board: Page) -> None:
    """A ridge for each step."""
    found = dashboard(board, "histograms", "tf-histogram-dashboard")
    only(found, "dense/kernel_0/histogram")
    chart = found.locator("tf-histogram-loader").filter(has_text="dense/kernel_0/histogram").first
    drawn(chart)
    expect(chart.locator("vz-histogram-timeseries path").nth(5)).to_be_attached()


def test_text(board: Page) -> None:
    """Markdown as a page without scripts."""
    found = dashboard(board, "text", "tf-text-dashboard")
    only(found, "notes")
    note = found.locator("tf-text-loader").filter(has_text="Step 11").first
    expect(note.locator("h1").first).to_have_text("Step 11")
    expect(note).to_contain_text("<script>alert(1)</script>")
    assert not found.locator("script, a[href^=javascript]").count()


def test_pr_curves(board: Page) -> None:
    """A curve of the last step."""
    found = dashboard(board, "pr_curves", "tf-pr-curve-dashboard")
    card = found.locator("tf-pr-curve-card").first
    expect(card).to_contain_text("pr/class 0")
    expect(card).to_contain_text(re.compile(r"pytorch is at\s*step\s*2"))
    drawn(card)


def test_hparams(board: Page) -> None:
    """A row for each run with hyperparameters; a line for each among parallel coordinates."""
    found = dashboard(board, "hparams", "tf-hparams-dashboard")
    table = found.locator("tf-hparams-table-view")
    # What adam made of it, and what is of PyTorch's sub-run.
    for text in ("torch hparams", "adam", "0.66667", "0.75000"):
        expect(table.get_by_role("gridcell", name=text, exact=True).first).to_be_visible()
    found.get_by_text("Parallel Coordinates View").click()
    plot = found.locator("tf-hparams-parallel-coords-plot")
    expect(plot).to_be_visible()
    expect(plot.locator("svg path").nth(2)).to_be_attached()
    expect(plot).to_contain_text("optimizer")


def test_mesh(board: Page) -> None:
    """Points and triangles, far away."""
    found = dashboard(board, "mesh", "mesh-dashboard")
    expect(found.locator("tf-mesh-loader").first).to_contain_text(re.compile(r"step\s*2"))
    canvas = found.locator("tf-mesh-loader canvas").first
    canvas.scroll_into_view_if_needed()
    for _ in range(200):
        with Image.open(io.BytesIO(canvas.screenshot())) as picture:
            if max(high - low for low, high in picture.convert("RGB").getextrema()) > 60:
                return
        board.wait_for_timeout(100)
    raise AssertionError("the canvas has one colour")


def test_two_selections_see_their_own(
    board: Page, watching: tuple[BrowserContext, list[str]], served: str
) -> None:
    """Beside the tab of all runs one of two: it has their names and graphs, and pins do no harm."""
    first = dashboard(board, "timeseries", "metrics-dashboard")
    first.get_by_role("combobox", name="Filter tags (regex)").fill("^epoch_loss$")
    card = first.locator("metrics-filtered-view scalar-card")
    card.get_by_role("button", name="Pin card").click()
    expect(first.locator("metrics-pinned-view card-view")).to_have_count(1)
    keys = runs_of(served)
    other = watching[0].new_page()
    other.goto(select(served, [keys["pytorch"], keys["sweep/1"]]))
    found = dashboard(other, "timeseries", "metrics-dashboard")
    names = found.locator("runs-data-table tb-data-table-content-row")
    expect(names).to_have_text([re.compile("pytorch"), re.compile("sweep/1")])
    found.get_by_role("combobox", name="Filter tags (regex)").fill("^(acc|epoch_loss)$")
    expect(
        found.locator("metrics-filtered-view scalar-card tb-data-table-content-row")
    ).to_have_text([re.compile("sweep/1")])
    # What is pinned is remembered for all selections: where there is none, no card is shown.
    expect(found.locator("metrics-pinned-view card-view")).to_have_count(0)
    graph = dashboard(other, "graphs", "tf-graph-dashboard")
    expect(graph.locator("tf-graph-scene g.node").first).to_be_attached()
    expect(graph.locator("tf-graph-scene")).to_contain_text("net")
    other.close()


def test_what_is_new_comes_with_a_reload(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    """TensorBoard's button shows steps, and runs that the filter finds, that came in meanwhile."""
    logs, lake = tmp_path / "logs", tmp_path / "lake"

    ingest = ["--lake", str(lake), "ingest", str(logs)]

    def log(run: str, *steps: int) -> None:
        with written.open_file(logs / run, at=written.START + steps[0]) as writer:
            for step in steps:
                writer.scalar("loss", step / 8, step, written.START + step)

    log("good/one", 0, 1)
    log("bad", 0, 1)
    assert main(ingest) == 0
    with serve(lake, tmp_path / "state") as url, watched(browser) as (context, wrong):
        page = context.new_page()
        page.goto(f"{url}/tensorboard?q=path ~ 'good'#timeseries")
        rows = page.locator("scalar-card tb-data-table-content-row")
        expect(rows).to_have_text([re.compile(r"0\.125\s*1\s")])
        log("good/one", 2, 6)
        log("good/two", 0, 3)
        command = [sys.executable, "-m", "boardlake", *ingest]
        subprocess.run(command, check=True, capture_output=True)
        again = page.locator("app-header-reload").get_by_role("button")
        for _ in range(60):
            again.click()
            page.wait_for_timeout(500)
            if rows.count() == 2 and "0.75" in rows.first.inner_text():
                break
        expect(rows.first).to_contain_text("0.75")
        expect(rows.nth(1)).to_contain_text("two")
        assert not wrong, wrong
