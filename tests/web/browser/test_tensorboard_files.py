"""Projector and Profile in a browser: points are drawn, captures listed, and what is amiss is told."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import FrameLocator, Page, expect

from boardlake.cli.main import main
from boardlake.tests.web.tensorboard import embedded


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs with embeddings and captures; of one the config is damaged."""
    root = tmp_path_factory.mktemp("files") / "logs"
    for name in ("drawn", "damaged", "profiled"):
        embedded.events(root / name)
    embedded.add_embedding(root / "drawn", 0)
    (root / "damaged" / embedded.CONFIG).write_text("embeddings {", "utf-8")
    for host in ("gpu1", "gpu2"):
        embedded.capture(root / "profiled", host)
    return root


@pytest.fixture(scope="module")
def served(logs: Path, serve: Callable[[Path, Path], Any]) -> Iterator[str]:
    """The address of a server over them."""
    lake = logs.parent / "lake"
    assert main(["--lake", str(lake), "ingest", str(logs)]) == 0
    with serve(lake, logs.parent / "state") as at:
        yield at


def inside(page: Page) -> FrameLocator:
    """The page of a plugin: TensorBoard shows it in a frame."""
    return page.frame_locator("iframe")


def test_the_projector_draws_points(page: Page, served: str) -> None:
    """Through its routes TensorBoard's own projector has points, labels and a sprite; the rest is told."""
    page.goto(f"{served}/tensorboard")
    page.get_by_role("tab", name="Projector").click()
    own = inside(page).frame_locator("iframe")
    expect(own.get_by_text("Points: 50")).to_be_visible()
    expect(own.get_by_text("Dimension: 6")).to_be_visible()
    expect(own.get_by_text("Total variance described")).to_be_visible()
    expect(own.get_by_text("Fetching")).to_have_count(0)
    canvas = own.locator("#scatter canvas").first

    def drawn() -> set[str]:
        """The colours of areas in the picture."""
        picture = Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
        found = set[str]()
        for count, (red, green, blue) in picture.getcolors(1 << 24):
            if count > 20 and max(red, green, blue) - min(red, green, blue) > 60:
                most = max(red, green, blue)
                found.add("red" if most == red else "green" if most == green else "blue")
        return found

    for _ in range(40):
        if drawn() == {"red", "green", "blue"}:
            break
        page.wait_for_timeout(250)
    # The squares of the sprite, and not only the axes.
    assert drawn() == {"red", "green", "blue"}
    bar = inside(page).get_by_text("1 of 2 projector configs cannot be shown here")
    bar.click()
    expect(inside(page).get_by_text("the projector's config is damaged")).to_be_visible()


def test_captures_are_listed(page: Page, served: str, logs: Path) -> None:
    """Each with its host and its place; what is in reach is downloaded, and filtered by words."""
    page.goto(f"{served}/tensorboard")
    page.get_by_role("tab", name="Profile").click()
    found = inside(page)
    row = found.get_by_role("row").filter(has_text="gpu2.xplane.pb")
    expect(row).to_contain_text("profiled")
    expect(row).to_contain_text("2024-05-06 07:08:09")
    expect(row).to_contain_text("3.0 kB")
    expect(row).to_contain_text(str(logs / "profiled" / embedded.CAPTURE / "gpu2.xplane.pb"))
    expect(found.get_by_role("status")).to_have_text("4 files")
    with page.expect_download() as got:
        row.get_by_role("link", name="gpu2.xplane.pb").click()
    whole = (logs / "profiled" / embedded.CAPTURE / "gpu2.xplane.pb").read_bytes()
    assert Path(got.value.path()).read_bytes() == whole
    assert got.value.suggested_filename == "gpu2.xplane.pb"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row.get_by_role("button", name="Copy: tensorboard --logdir").click()
    expect(row.get_by_role("button")).to_have_text("Copied")
    words = page.evaluate("navigator.clipboard.readText()")
    assert words == f"tensorboard --logdir {logs / 'profiled'}"
    found.get_by_label("Filter captures").fill("gpu1 trace")
    expect(found.get_by_role("status")).to_have_text("1 file")
    expect(found.get_by_role("row")).to_have_count(2)
    found.get_by_label("Filter captures").fill("nothing of the kind")
    expect(found.get_by_text("No file has these words.")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_pages_can_be_used_by_all(page: Page, served: str, dark: bool) -> None:
    """No serious finding of axe in the list, and in the bar above the projector."""
    page.goto(f"{served}/tensorboard")
    page.wait_for_url("**/tb/**")
    at = page.url.partition("#")[0]
    for name, shown in (("profile", "table"), ("projector", "summary")):
        page.goto(f"{at}data/plugin_entry.html?name={name}")
        page.locator(shown).click()
        page.locator("html").evaluate("(html, dark) => html.classList.toggle('dark', dark)", dark)
        told = Axe().run(page, options={"iframes": False}).response["violations"]
        assert not [one for one in told if one["impact"] in ("serious", "critical")], told
