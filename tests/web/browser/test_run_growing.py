"""The page of a run that is being written, that is damaged, or that writes markup."""

from __future__ import annotations

import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from boardlake.ingest.sample.writer import EventWriter

Serve = Callable[[Path, Path], Any]
HOSTILE = "<img src=x onerror=alert(1)>"


def found(page: Page, at: str) -> str:
    """The key of the only run."""
    return str(page.request.get(f"{at}/api/v1/runs?columns=run_key").json()["rows"][0][1])


def step_of(page: Page) -> str | None:
    """The step that the URL says."""
    return str(page.evaluate("new URLSearchParams(location.search).get('step')"))


def png(size: int, shade: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            len(data).to_bytes(4, "big") + kind + data
            + zlib.crc32(kind + data).to_bytes(4, "big")
        )  # fmt: skip

    head = size.to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    rows = (b"\0" + bytes([shade]) * size) * size
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )  # fmt: skip


class Growing:
    """A lake of one run that is being written, read by a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lake = root / "lake"
        self.file = root / "logs" / "run" / "events.out.tfevents.1700000000.host.1.0"
        config = f'[lake]\npath = "{self.lake}"\n[sources.here]\nuri = "{root / "logs"}"\n'
        root.joinpath("boardlake.toml").write_text(config, "utf-8")
        self.now = time.time() - 600
        with EventWriter(self.file) as writer:
            writer.file_version(self.now)
            writer.hparams({"lr": 0.1}, [], self.now)
        self.file.with_name("hparams.yaml").write_text("lr: 0.2\nnote: kept\n", "utf-8")
        self.steps(0, 4)

    def steps(self, first: int, last: int) -> None:
        """Log on, and read it."""
        with EventWriter(self.file, append=True) as writer:
            for step in range(first, last):
                at = self.now + step
                writer.scalar("loss", 1 / (step + 1), step, at)
                writer.scalar(HOSTILE, float(step), step, at)
                pictures = [png(8, shade) for shade in (0, 80 + step, 255)]
                writer.image_tensor("three", pictures, 8, 8, step, at)
                writer.histogram("weights", np.linspace(-1, 1, 50) * (step + 1), step, at)
                writer.text(
                    "words", f"step {step} {HOSTILE} <b>bold</b> [x](javascript:1)", step, at
                )
        command = [sys.executable, "-m", "boardlake", "--config", str(self.root / "boardlake.toml")]
        subprocess.run([*command, "ingest"], check=True, capture_output=True)


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    """A run that can be made to grow."""
    return Growing(tmp_path)


@pytest.fixture
def beside(growing: Growing, serve: Serve, tmp_path: Path) -> Iterator[str]:
    """A server over it."""
    with serve(growing.lake, tmp_path / "state") as at:
        yield at


def test_a_growing_run_is_followed(page: Page, growing: Growing, beside: str) -> None:
    """New steps arrive while neither the slider nor what is being typed is lost."""
    key = found(page, beside)
    page.goto(f"{beside}/run/{key}?tab=notes")
    expect(page.locator(".head .state")).to_have_text("running")
    page.get_by_label("Notes in Markdown").fill("half a sent")
    page.get_by_role("tab", name="Images").click()
    output = page.locator(".panel.media .slider output")
    expect(output).to_contain_text("4 of 4")
    expect(page.locator(".media img")).to_have_count(3)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    expect(output).to_contain_text("3 of 4")
    growing.steps(4, 6)
    expect(output).to_contain_text("3 of 6", timeout=30_000)
    assert step_of(page) == "2"
    page.keyboard.press("End")
    expect(output).to_contain_text("6 of 6")
    growing.steps(6, 7)
    # The last step is followed.
    expect(output).to_contain_text("7 of 7", timeout=30_000)
    page.get_by_role("tab", name="Notes").click()
    expect(page.get_by_label("Notes in Markdown")).to_have_value("half a sent")
    page.get_by_role("button", name="Discard").click()


def test_text_of_runs_stays_text(page: Page, beside: str) -> None:
    """Tags and texts with markup in them are shown, and nothing in them runs."""
    page.on("dialog", lambda one: pytest.fail(f"a dialog says {one.message}"))
    key = found(page, beside)
    page.goto(f"{beside}/run/{key}")
    expect(page.locator("table.metrics")).to_contain_text(HOSTILE)
    page.get_by_role("tab", name="Text").click()
    text = page.get_by_role("region", name="Text of words/text_summary")
    expect(text).to_contain_text("step 3 <img src=x onerror=alert(1)> <b>bold</b>")
    assert text.locator("img, b, script, a[href^='javascript']").count() == 0
    page.get_by_role("tab", name="Charts").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(HOSTILE)


def test_origins_that_disagree_are_shown(page: Page, beside: str) -> None:
    """Two origins with two values: the one that holds, and the other beside it."""
    page.goto(f"{beside}/run/{found(page, beside)}")
    expect(page.get_by_text("origins disagree on 1")).to_be_visible()
    row = page.get_by_role("region", name="Hyperparameters").get_by_role("row", name="lr")
    expect(row).to_contain_text("but 0.2 in hparams.yaml")


def test_problems_are_told(page: Page, growing: Growing, beside: str) -> None:
    """A damaged file says where, how much and why, and how far it is read."""
    with growing.file.open("ab") as file:
        file.write(b"\xff" * 100)
    growing.file.with_name("events.out.tfevents.1700000001.host.1.1").write_bytes(b"")
    growing.steps(8, 9)
    page.goto(f"{beside}/run/{found(page, beside)}?tab=files")
    problems = page.get_by_role("region", name="Problems")
    expect(problems.locator("tbody tr").first).to_contain_text("events.out.tfevents")
    expect(page.get_by_role("region", name="Event files")).to_contain_text("%")
    expect(page.get_by_role("tabpanel")).to_contain_text("was last looked at")


def test_a_run_is_deleted(page: Page, beside: str, expected_errors: list[str]) -> None:
    """Deleting says what goes, wants the number of runs, and leaves a page that says so."""
    # The page that follows the run may ask for it once more.
    expected_errors.append("404 (NOT FOUND)")
    key = found(page, beside)
    page.goto(f"{beside}/run/{key}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    asks = page.get_by_role("dialog")
    expect(asks).to_contain_text("points")
    expect(asks.get_by_role("button", name="Delete 1 run")).to_be_disabled()
    asks.get_by_label("Type 1 to confirm").fill("1")
    asks.get_by_role("button", name="Delete 1 run").click()
    expect(page.get_by_role("main")).to_contain_text("This run was deleted", timeout=30_000)
    assert page.request.get(f"{beside}/api/v1/runs/{key}").status == 404
