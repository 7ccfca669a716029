"""The page of a run, used as people use it."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


def asked(page: Page, path: str) -> Any:
    """An answer of the API."""
    answer = page.request.get(path)
    assert answer.ok, answer.text()
    return answer.json()


def found(page: Page, server_url: str, words: str) -> str:
    """The key of the first run that matches a filter."""
    answer = page.request.get(
        f"{server_url}/api/v1/runs",
        params={"filter": words, "columns": "run_key", "sort": "path", "limit": "1"},
    )
    return str(answer.json()["rows"][0][1])


@pytest.fixture
def vision(page: Page, server_url: str) -> str:
    """The address of a run with images, histograms, PR curves and a graph."""
    return f"{server_url}/run/{found(page, server_url, _VISION)}"


_VISION = "project = 'vision' and name = 'resnet50_lr0.1_bs256_s0' and machine = 'lab-cluster'"


def step_of(page: Page) -> str | None:
    """The step that the URL says."""
    return str(page.evaluate("new URLSearchParams(location.search).get('step')"))


def painted(page: Page, selector: str) -> int:
    """How many different colours a canvas shows."""
    script = """(selector) => {
        const canvas = document.querySelector(selector);
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
    }"""
    return int(page.evaluate(script, selector))


def test_only_tabs_that_have_something(page: Page, server_url: str, vision: str) -> None:
    """Tabs follow the arrows, stand in the URL, and those without content are not there."""
    page.goto(vision)
    tabs = page.get_by_role("tab")
    expect(tabs.first).to_have_text("Overview")
    names = [name.rstrip("0123456789") for name in tabs.all_inner_texts()]
    assert "Histograms" in " ".join(names) and "Text" not in names
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Charts")).to_be_focused()
    assert "tab=charts" in page.url
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Notes")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")
    key = found(page, server_url, "name = 'pretrain-70m'")
    page.goto(f"{server_url}/run/{key}?tab=texts")
    expect(page.get_by_role("tabpanel")).to_contain_text("This run logged no texts")


def test_metrics_are_those_of_the_lake(page: Page, server_url: str, vision: str) -> None:
    """The summary has the numbers of the lake, is searched, sorted, and leads to the chart."""
    page.goto(vision)
    run = asked(page, vision.replace("/run/", "/api/v1/runs/"))
    loss = next(one for one in run["series"] if one["tag"] == "val/loss")
    row = page.get_by_role("row", name="val/loss", exact=False).last
    expect(row).to_contain_text(f"{loss['min']:.5g} @{loss['min_step']:,}")
    expect(row).to_contain_text(f"{loss['points']:,}")
    page.get_by_role("button", name="Last", exact=True).click()
    head = page.get_by_role("columnheader", name="Last")
    expect(head).to_have_attribute("aria-sort", "descending")
    scalars = [one["last"] for one in run["series"] if one["kind"] == "scalar"]
    top = page.locator("table.metrics tbody tr").first.locator("td").first.inner_text()
    assert math.isclose(float(top.split(" @")[0].replace(",", "")), max(scalars), rel_tol=1e-4)
    page.get_by_label("Search metrics").fill("val acc1")
    # Every word has to be there: `hparam/val_acc1` has both as well.
    expect(page.locator("table.metrics tbody tr")).to_have_count(2)
    page.get_by_label("Search metrics").fill("nothing of that name")
    expect(page.get_by_role("tabpanel")).to_contain_text("No metric is called")
    page.get_by_role("button", name="Clear the search").click()
    page.get_by_role("button", name="train/loss", exact=True).click()
    expect(page.get_by_role("tab", name="Charts")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".charts .card:has(canvas), .charts .card").first).to_contain_text("loss")


def test_what_is_not_finite_is_marked(page: Page, server_url: str) -> None:
    """A run that broke says where."""
    key = found(page, server_url, "name = 'resnet50_lr3'")
    page.goto(f"{server_url}/run/{key}")
    run = asked(page, f"{server_url}/api/v1/runs/{key}")
    bad = next(one for one in run["series"] if one["nan_count"])
    row = page.locator("table.metrics tbody tr", has_text=bad["tag"])
    expect(row).to_contain_text(f"{bad['nan_count']:,} NaN")


def test_hyperparameters_with_their_origins(page: Page, vision: str) -> None:
    """Nested names are indented under their level, every origin is named, all can be copied."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(vision)
    table = page.get_by_role("region", name="Hyperparameters")
    expect(table.locator("tr.level")).to_have_text(["optimizer"])
    expect(table.get_by_role("row", name="momentum")).to_contain_text(".hydra/config.yaml")
    expect(table.get_by_role("row", name="lr", exact=False).first).to_contain_text("plugin")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("menuitem", name="JSON").click()
    expect(page.locator("#toasts")).to_contain_text("copied")
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied["lr"] == 0.1 and copied["optimizer.name"] == "sgd" and copied["seed"] == 0
    page.get_by_label("Search hyperparameters").fill("momentum")
    expect(table.locator("tbody tr")).to_have_text([re.compile("optimizer.momentum")])


def test_copies_and_what_lies_beside(page: Page, vision: str) -> None:
    """A run that was found twice leads to its copy; checkpoints and configs are listed by step."""
    page.goto(vision)
    expect(page.get_by_role("region", name="Beside the logs")).to_contain_text("checkpoint")
    page.get_by_role("link", name="laptop:from-cluster/resnet50_lr0.1_bs256_s0").click()
    expect(page.locator(".head")).to_contain_text("a copy")
    expect(page.get_by_text("the fullest copy")).to_be_visible()


def test_restarts_are_told(page: Page, server_url: str) -> None:
    """A run that was started twice says what the restart took back."""
    key = found(page, server_url, "name = 'pretrain-70m'")
    run = asked(page, f"{server_url}/api/v1/runs/{key}")
    lost = sum(one["superseded"] for one in run["series"])
    page.goto(f"{server_url}/run/{key}")
    expect(
        page.get_by_text(f"2 attempts · 2 event files · {lost:,} points taken back")
    ).to_be_visible()
    expect(page.get_by_role("region", name="Starts").locator("tbody tr")).to_have_count(2)


def test_a_run_is_downloaded_and_compared(page: Page, server_url: str, vision: str) -> None:
    """The run as files, and beside another that is picked from a list."""
    page.goto(vision)
    page.get_by_role("button", name="Download").click()
    page.get_by_role("menuitem", name="All that it logged").click()
    asked = page.get_by_role("dialog", name="Download this run")
    with page.expect_download() as taken:
        asked.get_by_role("button", name="Download", exact=True).click()
    assert zipfile.is_zipfile(taken.value.path())
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Compare with").click()
    page.get_by_label("Search runs").fill("name = 'resnet50_lr0.1_bs512_s0'")
    page.get_by_role("dialog").get_by_role("checkbox", name="resnet50_lr0.1_bs512_s0").check()
    page.get_by_role("dialog").get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile(f"/compare.*{vision.rsplit('/', 1)[1]}"))
    expect(page.get_by_role("main")).to_contain_text("resnet50_lr0.1_bs512_s0")


def test_what_people_write_in_the_header(page: Page, vision: str) -> None:
    """Name, tags, colour and archive are changed in place, and stay."""
    page.goto(vision)
    own = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of the run").fill("the best one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("the best one")
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("New tag").fill("keep")
    page.keyboard.press("Enter")
    expect(page.locator(".taglist .chip")).to_have_text(["keep"])
    page.get_by_role("button", name="Colour of the run").click()
    page.get_by_role("button", name="Colour #f65405").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Archive").click()
    expect(page.locator(".head")).to_contain_text("archived")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("the best one")
    expect(page.locator(".names .swatch")).to_have_css("background-color", "rgb(246, 84, 5)")
    expect(page).to_have_title("the best one · boardlake")
    # All tests share the server: what was written is taken back, as a person would.
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name of the run").fill(own)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Remove the tag keep").click()
    page.get_by_role("button", name="Colour of the run").click()
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Take out of the archive").click()
    expect(page.locator(".head")).not_to_contain_text("archived")
    note = asked(page, vision.replace("/run/", "/api/v1/runs/"))["annotation"]
    assert (note["name"], note["tags"], note["colour"]) == ("", [], "")


def test_images_follow_one_slider(page: Page, server_url: str, vision: str) -> None:
    """Keys move the step, the URL says it, the neighbours are there before, a click enlarges."""
    page.goto(f"{vision}?tab=media")
    key = vision.rsplit("/", 1)[1]
    items = asked(page, f"{server_url}/api/v1/media?run={key}&tag=val/predictions")["items"]
    picture = page.locator(".media img")
    expect(picture).to_have_attribute("src", items[-1]["url"])
    slider = page.get_by_role("slider", name="Step of the images and sounds")
    slider.focus()
    with page.expect_response(lambda answer: items[-4]["url"] in answer.url):
        page.keyboard.press("ArrowLeft")
    expect(picture).to_have_attribute("src", items[-2]["url"])
    assert step_of(page) == str(items[-2]["step"])
    assert str(items[-2]["step"]) in (slider.get_attribute("aria-valuetext") or "").replace(",", "")
    assert picture.evaluate("(img) => img.decode().then(() => img.naturalWidth)") == 128
    page.get_by_role("button", name="Enlarge val/predictions").click()
    large = page.get_by_role("dialog")
    page.keyboard.press("ArrowLeft")
    expect(large.get_by_role("img")).to_have_attribute("src", items[-3]["url"])
    page.keyboard.press("Escape")
    expect(picture).to_have_attribute("src", items[-3]["url"])
    # The step is the same in every tab: the nearest there is.
    page.get_by_role("tab", name="PR curves").click()
    expect(page.locator(".curves .slider output")).to_contain_text("2 of 3")


def test_sounds_play(page: Page, server_url: str) -> None:
    """A sound is loaded when it is asked for, and has a length."""
    key = found(page, server_url, "name = 'tts-voice0'")
    page.goto(f"{server_url}/run/{key}?tab=media")
    sound = page.get_by_label("eval/utterance, step")
    length = sound.evaluate(
        """(el) => new Promise((done, fail) => {
            el.onloadedmetadata = () => done(el.duration);
            el.onerror = () => fail(new Error('it cannot be played'));
            el.load(); el.preload = 'auto';
        })"""
    )
    assert length > 0


def test_texts_are_rendered_and_searched(page: Page, server_url: str) -> None:
    """Markdown is rendered or shown as written; words are marked; each tag has its nearest step."""
    key = found(page, server_url, "project = 'language' and name ~ 'Nov'")
    page.goto(f"{server_url}/run/{key}?tab=texts")
    sample = page.get_by_role("region", name="Text of samples/text_summary")
    expect(sample.locator("strong").first).to_have_text("prompt:")
    page.get_by_role("button", name="As written").click()
    expect(sample.locator("pre")).to_contain_text("**prompt:**")
    page.get_by_label("Search within the texts").fill("PROMPT")
    expect(sample.locator("mark")).to_have_text("prompt")
    expect(page.get_by_text("1 place", exact=True)).to_be_visible()
    expect(page.get_by_text("Also at")).to_be_visible()
    before = sample.inner_text()
    page.locator(".also button").first.click()
    expect(sample).not_to_have_text(before)
    assert step_of(page) != "None"


def test_histograms_over_time(page: Page, vision: str) -> None:
    """The heat map says what is under the pointer, a click picks the slice, ridges are a choice."""
    page.goto(f"{vision}?tab=histograms")
    canvas = page.locator(".histograms .hist canvas").first
    expect(canvas).to_have_attribute("aria-label", _starts("Heat map of weights/conv1: 10 steps"))
    page.wait_for_timeout(100)
    assert painted(page, ".histograms .hist canvas") > 30
    box = canvas.bounding_box()
    assert box
    canvas.hover(position={"x": box["width"] / 2, "y": box["height"] / 2})
    tip = page.locator(".histograms .hint").first
    expect(tip).to_contain_text("% of the values")
    expect(tip).to_contain_text("step ")
    canvas.click(position={"x": 80, "y": 100})
    expect(page.locator(".histograms .slider output")).to_contain_text("1 of 10")
    first = step_of(page)
    assert first and first != "None"
    page.get_by_role("button", name="Ridges").click()
    expect(canvas).to_have_attribute("aria-label", _starts("Histograms of weights/conv1"))
    page.wait_for_timeout(100)
    assert painted(page, ".histograms .hist canvas") > 10
    page.get_by_label("Search tags").fill("fc")
    expect(page.locator(".histograms .sheet")).to_have_count(1)
    page.go_back()
    expect(page.get_by_role("button", name="Heat map")).to_have_attribute("aria-pressed", "true")


def _starts(text: str) -> Any:
    return re.compile("^" + re.escape(text))


def test_pr_curves_name_their_thresholds(page: Page, vision: str) -> None:
    """A point of the curve tells its threshold and counts; the slider changes the curve."""
    page.goto(f"{vision}?tab=curves")
    canvas = page.locator(".curves canvas")
    expect(canvas).to_have_attribute(
        "aria-label", _starts("Precision against recall of val/pr/dog at step")
    )
    box = canvas.bounding_box()
    assert box
    canvas.hover(position={"x": box["width"] * 0.9, "y": 20})
    tip = page.locator(".curves .hint")
    expect(tip).to_contain_text("threshold")
    expect(tip).to_contain_text("TP ")
    says = page.locator(".curves .says")
    last = says.inner_text()
    page.get_by_role("button", name="The step before").click()
    expect(says).not_to_have_text(last)
    expect(says).to_contain_text("area 0.")


def test_other_data_can_be_taken(page: Page, server_url: str, vision: str) -> None:
    """What no tab draws is listed with shape and type, and its bytes are a download."""
    key = found(page, server_url, "name = 'torus-recon'")
    page.goto(f"{server_url}/run/{key}?tab=tensors")
    row = page.get_by_role("row", name="shape_VERTEX")
    expect(row).to_contain_text("float32")
    expect(row).to_contain_text("× 3")
    with page.expect_download() as taken:
        row.get_by_role("link", name="Download shape_VERTEX").click()
    array = np.load(io.BytesIO(Path(taken.value.path()).read_bytes()), allow_pickle=False)
    assert array.shape[-1] == 3 and np.isfinite(array).all()
    page.goto(f"{vision}?tab=tensors")
    page.get_by_role("button", name="Download __run_graph__").click()
    with page.expect_download() as taken:
        page.get_by_role("dialog").get_by_role("link").click()
    assert Path(taken.value.path()).stat().st_size > 100


def test_notes_are_kept(page: Page, vision: str) -> None:
    """Markdown is previewed by the server, Ctrl+Enter saves it, and leaving unsaved is asked."""
    page.goto(f"{vision}?tab=notes")
    field = page.get_by_label("Notes in Markdown")
    field.fill("# Seen\n\n* it **converges**\n\n<script>alert(1)</script>")
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("heading", name="Seen")).to_be_visible()
    expect(preview.locator("strong")).to_have_text("converges")
    assert preview.locator("script").count() == 0
    questions: list[str] = []
    page.once("dialog", lambda one: (questions.append(one.type), one.dismiss()))
    page.evaluate("setTimeout(() => location.reload(), 0)")
    page.wait_for_timeout(300)
    assert questions == ["beforeunload"]
    field.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("Notes saved")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    page.reload()
    expect(field).to_have_value("# Seen\n\n* it **converges**\n\n<script>alert(1)</script>")
    field.fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Notes saved")


def test_a_short_link_opens_the_same_view(page: Page, vision: str) -> None:
    """A saved view of the page knows its run."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{vision}?tab=histograms&hv=ridge")
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#toasts")).to_contain_text("Link copied")
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    expect(page.get_by_role("button", name="Ridges")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("heading", level=1)).to_have_text("resnet50_lr0.1_bs256_s0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tab_is_accessible(page: Page, vision: str, scheme: Any) -> None:
    """axe finds nothing in any tab, light or dark."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(vision)
    expect(page.get_by_role("region", name="Metrics")).to_be_visible()
    for at in range(page.get_by_role("tab").count()):
        page.get_by_role("tab").nth(at).click()
        page.wait_for_timeout(800)
        wrong = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        told = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in wrong]
        assert not told, (page.url, told)
