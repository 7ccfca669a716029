"""The media page: images and sounds of runs under one step slider, and the viewer that compares two."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from boardlake.cli.main import main
from boardlake.ingest.sample import forms
from boardlake.ingest.sample.writer import EventWriter

Serve = Callable[[Path, Path], AbstractContextManager[str]]
# On a busy machine; nothing is measured here.
_PATIENCE_MS = 20_000
WALL = 1_700_000_000.0
NAME = "events.out.tfevents.1700000000.host.1.0"
WAV = forms.wav(np.sin(np.arange(4_000) / 9), 8_000)


def png(colour: tuple[int, int, int], size: tuple[int, int] = (8, 6)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def write(logs: Path) -> None:
    """Two runs whose steps differ, one of them with several images a step; one run without any."""
    for number, (name, every) in enumerate((("first", 10), ("second", 15))):
        with EventWriter(logs / name / NAME) as writer:
            writer.file_version(WALL)
            for step in range(0, 100, every):
                colour = (step, 100 * number, 50)
                writer.image_tensor("eval/grid", [png(colour)], 8, 6, step, WALL + step)
                if number:
                    pair = [png((1, 2, step), (4, 4)), png((3, 4, step), (4, 4))]
                    writer.image_tensor("pair", pair, 4, 4, step, WALL + step)
            writer.audio_tensor("speech", [WAV], 30, WALL)
            writer.audio_tensor("speech", [WAV], 60, WALL)
    with EventWriter(logs / "plain" / NAME) as writer:
        writer.scalar("loss", 1.0, 1, WALL)


def ingest(root: Path, **settings: str) -> Path:
    write(root / "logs")
    config = root / "boardlake.toml"
    lines = [f'[lake]\npath = "{root}/lake"', f'[sources.here]\nuri = "{root}/logs"']
    lines += [f'{name} = "{value}"' for name, value in settings.items()]
    config.write_text("\n".join(lines) + "\n", "utf-8")
    assert main(["--config", str(config), "ingest"]) == 0
    return root / "lake"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[str]:
    """The media page over those runs."""
    root = tmp_path_factory.mktemp("media")
    with serve(ingest(root), root / "state") as at:
        yield f"{at}/media"


@pytest.fixture(scope="module")
def keys(url: str) -> dict[str, str]:
    """The keys of the runs by name."""
    with urlopen(url.replace("/media", "/api/v1/runs?columns=run_key,name")) as answer:
        return {name: key for _, key, name in json.load(answer)["rows"]}


def grid(page: Page) -> Locator:
    return page.get_by_role("grid", name="Images")


def shown(page: Page, label: str) -> None:
    """Waits for an image by the beginning of its name."""
    image = grid(page).get_by_role("button", name=label).locator("img").first
    expect(image).to_be_visible(timeout=_PATIENCE_MS)


def state(page: Page, name: str) -> Any:
    found = parse_qs(urlsplit(page.url).query).get(name)
    return found[0] if found else None


def test_nearest_steps_of_every_run(page: Page, url: str) -> None:
    """One slider over all steps; a cell says its own step where it is another one."""
    page.goto(f"{url}?sort=name&tags=grid")
    # The newest of each: 90 of both.
    shown(page, "first, eval/grid, step 90")
    shown(page, "second, eval/grid, step 90")
    expect(grid(page).locator(".away:not(:empty)")).to_have_count(0)
    step = page.get_by_label("Step, as a number")
    step.fill("20")
    step.press("Enter")
    shown(page, "first, eval/grid, step 20")
    shown(page, "second, eval/grid, step 15")
    expect(grid(page).locator(".away:not(:empty)")).to_have_text(["step 15"])
    expect(page.get_by_text("4 of 13")).to_be_visible()
    assert state(page, "step") == "20"


def test_steps_by_keys(page: Page, url: str) -> None:
    """Arrows, Home and End; the last step follows newer ones; undo is the browser's."""
    page.goto(f"{url}?sort=name&tags=grid")
    shown(page, "first, eval/grid, step 90")
    page.keyboard.press("Home")
    shown(page, "first, eval/grid, step 0")
    page.keyboard.press("ArrowRight")
    shown(page, "first, eval/grid, step 10")
    page.keyboard.press("Control+ArrowRight")
    shown(page, "second, eval/grid, step 15")
    page.go_back()
    page.wait_for_url("**step=10")
    page.keyboard.press("End")
    shown(page, "first, eval/grid, step 90")
    assert state(page, "step") is None
    newest = page.get_by_role("button", name="Newest")
    expect(newest).to_have_attribute("aria-pressed", "true")
    newest.click()
    expect(newest).to_have_attribute("aria-pressed", "false")
    assert state(page, "step") == "90"


def test_playing_ends_where_it_is_paused(page: Page, url: str) -> None:
    """Every step in turn, and one entry of the history for all."""
    page.goto(f"{url}?sort=name&tags=grid&speed=16&loop=0&step=0")
    shown(page, "first, eval/grid, step 0")
    page.get_by_role("button", name="Play").click()
    shown(page, "first, eval/grid, step 90")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.go_back()
    shown(page, "first, eval/grid, step 0")


def test_several_images_of_a_step(page: Page, url: str) -> None:
    """All are shown; a run that has none says so; runs may be columns."""
    page.goto(f"{url}?sort=name")
    shown(page, "second, pair, step 90, image 1 of 2")
    shown(page, "second, pair, step 90, image 2 of 2")
    expect(grid(page).get_by_text("none", exact=True)).to_have_count(1)
    expect(page.get_by_text("1 run of the 3 drawn has no images of these tags")).to_be_visible()
    expect(grid(page).get_by_role("rowheader")).to_have_text(["first", "second"])
    page.get_by_role("button", name="Transpose").click()
    expect(grid(page).get_by_role("rowheader")).to_have_text(["eval/grid", "pair"])
    shown(page, "second, pair, step 90, image 2 of 2")
    # Small images keep their pixels.
    assert page.locator(".thumb img").first.evaluate("(el) => el.className") == "pixels"


def test_tags_from_the_list(page: Page, url: str) -> None:
    """What is chosen stands in the URL; nothing chosen is all."""
    page.goto(f"{url}?sort=name")
    shown(page, "second, pair")
    page.get_by_role("button", name="2 tags").click()
    page.get_by_role("checkbox", name="pair").check()
    expect(grid(page).get_by_role("columnheader")).to_have_text(["Run", "pair"])
    assert json.loads(state(page, "pick")) == ["pair"]
    page.get_by_role("button", name="Show all tags").click()
    expect(grid(page).get_by_role("columnheader")).to_have_count(3)
    page.keyboard.press("Escape")
    page.get_by_role("searchbox", name="Search tags").fill("nothing")
    expect(page.get_by_text("No tag of these runs matches")).to_be_visible()
    page.get_by_role("button", name="Show all tags").click()
    shown(page, "second, pair")


def test_bytes_only_of_what_is_in_sight(page: Page, url: str) -> None:
    """In few requests, and two steps to either side ahead; late steps are dropped."""
    asked: list[list[dict[str, Any]]] = []
    page.on(
        "request",
        lambda one: (
            asked.append(json.loads(one.post_data or "{}")["items"])
            if one.url.endswith("/media/bytes")
            else None
        ),
    )
    page.goto(f"{url}?sort=name&tags=grid&step=40")
    shown(page, "first, eval/grid, step 40")
    page.wait_for_load_state("networkidle")
    assert len(asked[0]) == 2
    records = {(one["run"], one["record"]) for items in asked for one in items}
    # Five steps of the slider: 20, 30, 40, 45, 50 lead to 20, 30, 40, 50 and 15, 30, 45 of the runs.
    assert len(records) <= 8
    assert not page.evaluate(
        "() => performance.getEntriesByType('resource').some((one) => /media\\/[^/]+\\/\\d/.test(one.name))"
    )


def test_viewer_in_the_url(page: Page, url: str, keys: dict[str, str]) -> None:
    """What it shows, what with, and how: a link opens it as it was; Escape and Back close it."""
    page.goto(f"{url}?sort=name&tags=grid&step=30")
    shown(page, "first, eval/grid, step 30")
    grid(page).get_by_role("button", name="first, eval/grid, step 30").click()
    viewer = page.get_by_role("dialog", name="Image viewer")
    expect(viewer.get_by_text("8 × 6")).to_be_visible()
    page.keyboard.press("s")
    expect(viewer.locator(".side-tag:visible")).to_have_text(
        ["A first, eval/grid, step 30", "B second, eval/grid, step 30"]
    )
    page.keyboard.press("d")
    expect(viewer.get_by_text("largest 100 at")).to_be_visible()
    assert json.loads(state(page, "va")) == [keys["first"], "eval/grid", "", 0, None]
    assert json.loads(state(page, "vb")) == [keys["second"], "eval/grid", "", 0, None]
    assert state(page, "vm") == "diff"
    page.reload()
    expect(viewer.get_by_text("largest 100 at")).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    page.go_back()
    expect(viewer).to_be_visible()
    expect(viewer.get_by_role("button", name="Difference")).to_have_attribute(
        "aria-pressed", "true"
    )


def pixel(page: Page, x: float = 0.5, y: float = 0.5) -> list[int]:
    """The colour of a place of the viewer's first canvas."""
    found: list[int] = page.locator(".viewer canvas").first.evaluate(
        "(el, [x, y]) => [...el.getContext('2d')"
        ".getImageData(Math.floor(x * el.width), Math.floor(y * el.height), 1, 1).data]",
        [x, y],
    )
    return found


def wait_for_pixel(page: Page, colour: list[int]) -> None:
    page.wait_for_function(
        "(wanted) => { const el = document.querySelector('.viewer canvas'); if (!el) return false;"
        " const found = el.getContext('2d').getImageData(el.width / 2, el.height / 2 + 3, 1, 1);"
        " return wanted.every((one, i) => Math.abs(found.data[i] - one) <= 1); }",
        arg=colour,
    )


def compared(url: str, keys: dict[str, str], **more: object) -> str:
    a, b = ([keys[one], "eval/grid", "", 0, None] for one in ("first", "second"))
    query = {"sort": "name", "tags": "grid", "step": 60, "va": json.dumps(a), "vb": json.dumps(b)}
    return f"{url}?" + "&".join(f"{k}={v}" for k, v in (query | more).items())


def test_differences_are_computed_pixel_for_pixel(
    page: Page, url: str, keys: dict[str, str]
) -> None:
    """Absolute, signed and amplified: here A is (60, 0, 50) and B is (60, 100, 50)."""
    page.goto(compared(url, keys, vm="diff", gain=1, pg=0))
    wait_for_pixel(page, [0, 100, 0, 255])
    page.get_by_label("Amplify").evaluate(
        "(el) => { el.value = '1'; el.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    wait_for_pixel(page, [0, 200, 0, 255])
    page.get_by_role("button", name="Auto").click()
    wait_for_pixel(page, [0, 255, 0, 255])
    page.get_by_label("How the difference looks").select_option("signed")
    # Green is brighter in B by 100 of 255, which is 58.7 in brightness.
    wait_for_pixel(page, [150, 0, 0, 255])
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_flicker_and_wipe(page: Page, url: str, keys: dict[str, str]) -> None:
    """The space bar shows the other one and holds it; the wipe has A at its left."""
    page.goto(compared(url, keys, vm="flicker", rate=0.5, pg=0))
    tag = page.locator(".viewer .side-tag").first
    expect(tag).to_have_text("A first, eval/grid, step 60")
    page.locator(".stage").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    before = tag.inner_text()
    page.keyboard.press("Space")
    expect(tag).not_to_have_text(before)
    page.keyboard.press("w")
    expect(page.get_by_label("Place")).to_have_value("0.5")
    page.wait_for_function("() => document.querySelector('.viewer .side-tag.end:not([hidden])')")
    assert pixel(page, 0.45, 0.6)[:3] == [60, 0, 50]
    assert pixel(page, 0.55, 0.6)[:3] == [60, 100, 50]


def test_zoom_and_values(page: Page, url: str, keys: dict[str, str]) -> None:
    """The wheel zooms at the pointer; the pixel under it is read in both images."""
    page.goto(compared(url, keys, vm="side"))
    stage = page.locator(".stage")
    percent = page.get_by_label("Zoom", exact=True).locator("output")
    expect(page.locator(".viewer .side-tag:visible")).to_have_count(2)
    expect(percent).to_have_text(re.compile("%"))
    fitted = percent.inner_text()
    box = stage.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    expect(page.locator(".readout")).to_contain_text("60 0 50")
    expect(page.locator(".readout")).to_contain_text("60 100 50")
    expect(page.locator(".readout")).to_contain_text("0 +100 0")
    page.mouse.wheel(0, 240)
    expect(percent).not_to_have_text(fitted)
    page.wait_for_url("**vz=**")
    page.keyboard.press("0")
    expect(percent).to_have_text(fitted)
    page.keyboard.press("1")
    expect(percent).to_have_text("100 %")
    page.keyboard.press("+")
    expect(percent).to_have_text("125 %")


def test_different_sizes_are_told(page: Page, url: str, keys: dict[str, str]) -> None:
    """What both have is compared."""
    a, b = ([keys["second"], tag, "", 0, None] for tag in ("eval/grid", "pair"))
    page.goto(f"{url}?va={json.dumps(a)}&vb={json.dumps(b)}&vm=diff")
    expect(page.get_by_text("A is 8 × 6, B is 4 × 4: the 4 × 4 that both have")).to_be_visible()


def test_two_images_are_picked_in_the_grid(page: Page, url: str) -> None:
    """By keys: arrows move, c picks A and then B."""
    page.goto(f"{url}?sort=name&tags=grid")
    shown(page, "first, eval/grid, step 90")
    first = grid(page).get_by_role("button", name="first, eval/grid")
    first.focus()
    page.keyboard.press("c")
    page.keyboard.press("ArrowDown")
    expect(grid(page).get_by_role("button", name="second, eval/grid")).to_be_focused()
    page.keyboard.press("c")
    expect(page.locator(".viewer .side-tag:visible")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_steps_of_one_image_against_another(page: Page, url: str, keys: dict[str, str]) -> None:
    """An image that is kept at its step does not follow the slider."""
    page.goto(
        f"{url}?sort=name&tags=grid&step=30&va={json.dumps([keys['first'], 'eval/grid', '', 0, None])}"
    )
    viewer = page.get_by_role("dialog", name="Image viewer")
    viewer.get_by_role("button", name="Compare with").click()
    page.get_by_role("menuitem", name="The first step: 0").click()
    tags = viewer.locator(".side-tag:visible")
    expect(tags).to_have_text(["A first, eval/grid, step 30", "B first, eval/grid, step 0"])
    page.keyboard.press("Control+ArrowRight")
    expect(tags).to_have_text(["A first, eval/grid, step 40", "B first, eval/grid, step 0"])


def test_sounds(page: Page, url: str) -> None:
    """Players in a grid of their own; when another one starts, the first one stops."""
    page.goto(f"{url}?sort=name&kind=audio")
    players = page.locator("audio")
    expect(players).to_have_count(2)
    page.wait_for_function(
        "() => [...document.querySelectorAll('audio')].every((one) => one.duration > 0)"
    )
    page.evaluate(
        "async () => { for (const one of document.querySelectorAll('audio'))"
        " { one.muted = true; one.loop = true; await one.play(); } }"
    )
    page.wait_for_function(
        "() => [...document.querySelectorAll('audio')].map((one) => one.paused).join() === 'true,false'"
    )
    expect(players.first).to_have_attribute("aria-label", "first, speech, step 60")
    page.keyboard.press("Home")
    expect(players.first).to_have_attribute("aria-label", "first, speech, step 30")


def test_arrows_play_the_next_run(page: Page, url: str) -> None:
    """From the same moment; the focus goes along."""
    page.goto(f"{url}?sort=name&kind=audio")
    page.wait_for_function(
        "() => document.querySelectorAll('audio').length === 2"
        " && [...document.querySelectorAll('audio')].every((one) => one.duration > 0)"
    )
    page.evaluate(
        "() => { window.played = []; const all = [...document.querySelectorAll('audio')];"
        " for (const one of all) { one.muted = true; one.loop = true;"
        " one.addEventListener('play', () => window.played.push(all.indexOf(one))); }"
        " all[0].focus(); return all[0].play(); }"
    )
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => window.played.join() === '0,1'")
    assert page.evaluate("() => document.querySelectorAll('audio')[0].paused")
    expect(page.locator("audio").nth(1)).to_be_focused()
    # Not further than the last.
    page.keyboard.press("ArrowDown")
    expect(page.locator("audio").nth(1)).to_be_focused()


def test_newest_follows_a_run_that_grows(page: Page, tmp_path: Path, serve: Serve) -> None:
    """New steps come by themselves; who looks at an older step stays there."""
    lake = ingest(tmp_path)
    with serve(lake, tmp_path / "state") as at:
        page.goto(f"{at}/media?sort=name&tags=grid")
        shown(page, "first, eval/grid, step 90")
        first = grid(page).get_by_role("button", name="first, eval/grid")
        first.focus()
        # The page knows by now what it is to follow from.
        page.wait_for_load_state("networkidle")
        for step in (200, 300):
            with EventWriter(tmp_path / "logs" / "first" / NAME, append=True) as writer:
                writer.image_tensor("eval/grid", [png((9, 9, 9))], 8, 6, step, WALL + step)
            assert main(["--config", str(tmp_path / "boardlake.toml"), "ingest"]) == 0
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            if step == 200:
                shown(page, "first, eval/grid, step 200")
                # The cell is the same one: who was in it still is.
                expect(first).to_be_focused()
                page.keyboard.press("Control+ArrowLeft")
                shown(page, "first, eval/grid, step 90")
        expect(page.get_by_text("13 of 15")).to_be_visible(timeout=_PATIENCE_MS)
        shown(page, "first, eval/grid, step 90")
        page.goto("about:blank")


def test_a_run_that_grows_moves_nothing(page: Page, tmp_path: Path, serve: Serve) -> None:
    """Rows stay where they are while the table's order changes; what was not there yet appears."""
    lake = ingest(tmp_path)

    def grow(run: str, add: Callable[[EventWriter], None]) -> None:
        with EventWriter(tmp_path / "logs" / run / NAME, append=True) as writer:
            add(writer)
        assert main(["--config", str(tmp_path / "boardlake.toml"), "ingest"]) == 0
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def image(writer: EventWriter) -> None:
        writer.image_tensor("eval/grid", [png((9, 9, 9))], 8, 6, 200, WALL + 200)

    def pair(writer: EventWriter) -> None:
        images = [png((7, 7, 7), (4, 4)), png((8, 8, 8), (4, 4))]
        writer.image_tensor("pair", images, 4, 4, 90, WALL + 90)

    def speech(writer: EventWriter) -> None:
        writer.audio_tensor("noise", [WAV], 60, WALL)

    with serve(lake, tmp_path / "state") as at:
        page.goto(f"{at}/media")
        shown(page, "second, eval/grid, step 90")
        rows = grid(page).get_by_role("rowheader").locator(".runname")
        before = rows.all_inner_texts()
        assert sorted(before) == ["first", "second"]
        upper = grid(page).get_by_role("button", name=f"{before[0]}, eval/grid")
        upper.focus()
        expect(grid(page).get_by_text("none", exact=True)).to_have_count(1)
        page.wait_for_load_state("networkidle")
        grow(before[1], image)
        shown(page, f"{before[1]}, eval/grid, step 200")
        table = page.get_by_role("grid", name="Runs").get_by_role("row")
        expect(table.filter(has_text=re.compile("first|second")).first).to_contain_text(before[1])
        expect(rows).to_have_text(before)
        expect(upper).to_be_focused()
        grow("first", pair)
        shown(page, "first, pair, step 90")
        expect(grid(page).get_by_text("none", exact=True)).to_have_count(0)
        expect(upper).to_be_focused()
        page.goto(f"{at}/media?kind=audio")
        grow("first", speech)
        expect(page.locator("audio")).to_have_count(3)
        page.locator("audio").evaluate_all("(all) => { for (const one of all) one.old = true; }")
        grow("second", speech)
        expect(page.locator("audio")).to_have_count(4)
        assert (
            page.locator("audio").evaluate_all("(all) => all.filter((one) => one.old).length") == 3
        )
        page.goto("about:blank")


def test_a_kind_that_is_left_while_it_loads(page: Page, url: str) -> None:
    """Whoever comes back to it gets one panel, so one viewer."""
    held: list[Route] = []
    page.route(re.compile(r"/media/images\.js"), lambda route: held.append(route))
    page.goto(f"{url}?sort=name&kind=audio")
    expect(page.locator("audio")).to_have_count(2)
    for kind in ("Images", "Audio", "Images"):
        page.get_by_role("tab", name=kind).click()
    page.wait_for_timeout(100)
    for route in held:
        route.continue_()
    shown(page, "first, eval/grid")
    grid(page).get_by_role("button", name="first, eval/grid").click()
    expect(page.locator("dialog.viewer")).to_have_count(1)


def test_quick_search_opens_a_metric_where_it_is_drawn(page: Page, url: str) -> None:
    """The tags it lists are those of metrics, which this page does not draw."""
    page.goto(url)
    shown(page, "first, eval/grid")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search everything").fill("loss")
    page.get_by_role("option", name=re.compile("^tag")).click()
    page.wait_for_url(re.compile(r"/\?.*tags="))
    assert urlsplit(page.url).path == "/"


def test_the_list_of_tags_keeps_the_focus(page: Page, url: str) -> None:
    """The space bar chooses a tag and takes it back."""
    page.goto(f"{url}?sort=name")
    shown(page, "first, eval/grid")
    page.get_by_title("Choose tags from a list").click()
    box = page.get_by_role("dialog", name="Tags that are shown").get_by_role(
        "checkbox", name="pair"
    )
    box.focus()
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    expect(page.get_by_text("1 chosen")).to_be_visible()
    expect(box).to_be_focused()
    page.keyboard.press("Space")
    expect(box).not_to_be_checked()
    expect(page.get_by_text("None is chosen")).to_be_visible()
    assert state(page, "pick") is None


def test_where_some_runs_drawn_have_none(page: Page, url: str, keys: dict[str, str]) -> None:
    """The page says how many, and draws those that have some instead."""
    page.goto(f"{url}?sort=name")
    says = page.get_by_text("1 run of the 3 drawn has no images of these tags.")
    expect(says).to_be_visible()
    page.get_by_role("button", name="Draw runs that logged images").click()
    expect(says).to_have_count(0)
    shown(page, "second, eval/grid")
    drawn = state(page, "show")
    assert keys["first"] in drawn and keys["second"] in drawn and keys["plain"] not in drawn


def test_where_no_run_drawn_has_any(page: Page, url: str) -> None:
    """It says which runs have some, and draws them."""
    page.goto(f"{url}?q=name = 'plain'")
    expect(page.get_by_text("None of the 1 run drawn logged images.")).to_be_visible()
    page.get_by_role("button", name="Draw these 2").click()
    shown(page, "second, eval/grid")
    page.goto(f"{url}?kind=curves")
    expect(page.get_by_text("No run of the lake logged PR curves.")).to_be_visible()
    page.get_by_role("button", name="Audio (1)").click()
    expect(page.locator("audio").first).to_be_visible()
    page.goto(f"{url}?n=0")
    page.get_by_role("button", name="Draw the first 10").click()
    expect(page.get_by_role("tab", name="Images")).to_contain_text("2")


def test_groups_show_their_members(page: Page, url: str) -> None:
    """As runs, with the name of the group."""
    page.goto(f"{url}?group=source&tags=grid")
    shown(page, "first, eval/grid")
    shown(page, "second, eval/grid")
    expect(grid(page).get_by_role("rowheader").first).to_contain_text("here")
    # Groups can be sorted by what runs do not have.
    for sort in ("-runs", "-least_mean"):
        cols = 'label,min("loss") as least'
        page.goto(f"{url}?group=source&tags=grid&sort={sort}&cols={quote(cols)}")
        shown(page, "first, eval/grid")


def test_files_that_are_gone_say_why(page: Page, tmp_path: Path, serve: Serve) -> None:
    """Bytes that were left at their source are shown while it is there, else the reason is."""
    lake = ingest(tmp_path, media="reference")
    with serve(lake, tmp_path / "state") as at:
        page.goto(f"{at}/media?sort=name&tags=grid")
        shown(page, "first, eval/grid, step 90")
        shutil.rmtree(tmp_path / "logs" / "first")
        page.reload()
        shown(page, "second, eval/grid, step 90")
        gone = grid(page).get_by_role("button", name="first, eval/grid, step 90")
        expect(gone).to_contain_text("left at the source, which cannot be reached")
        expect(gone).to_contain_text("mount the source on this machine")
        shutil.rmtree(tmp_path / "logs" / "second")
        page.goto(f"{at}/media?sort=name&kind=audio")
        expect(page.get_by_role("alert")).to_have_count(2)
        page.get_by_role("button", name="Try again").first.click()
        expect(page.get_by_role("alert")).to_have_count(2)
        page.goto("about:blank")


def test_the_corpus_has_images(page: Page, corpus: Path, tmp_path: Path, serve: Serve) -> None:
    """Real files: whatever their images are, the grid shows them."""
    source = corpus / "tensorflow-tensorboard"
    if not source.exists():
        pytest.skip("the corpus has no such folder")
    config = tmp_path / "boardlake.toml"
    config.write_text(f'[lake]\npath = "{tmp_path}/lake"\n[sources.real]\nuri = "{source}"\n')
    assert main(["--config", str(config), "ingest"]) in (0, 1)
    with serve(tmp_path / "lake", tmp_path / "state") as at:
        with urlopen(f"{at}/api/v1/media/runs?kind=images") as answer:
            runs = json.load(answer)["runs"][:10]
        if not runs:
            pytest.skip("no image in this part of the corpus")
        page.goto(f"{at}/media?n=0&show={','.join(runs)}")
        expect(page.locator(".thumb img").first).to_be_visible()
        page.goto("about:blank")
