"""Downloads: the form, progress behind the pages, and a file that has the selection's rows."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Locator, Page, expect

from boardlake.lake.package import Package

# On a busy machine; nothing is measured here.
_PATIENCE_MS = 60_000
Serve = Callable[[Path, Path], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def url(serve: Serve, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over a copy of the samples."""
    root = tmp_path_factory.mktemp("download")
    shutil.copytree(samples, root / "lake")
    with serve(root / "lake", root / "lake") as at:
        yield at


def ask(url: str, path: str, **query: str) -> Any:
    with urlopen(f"{url}/api/v1/{path}?{urlencode(query)}") as answer:
        return json.load(answer)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Exports stand behind their points until it is set."""
    go = threading.Event()
    whole = Package._copy

    def held(self: Package, name: str, query: str, sink: Any) -> int:
        while name == "tensors" and not go.wait(0.02):
            self._check()
        return whole(self, name, query, sink)

    monkeypatch.setattr(Package, "_copy", held)
    yield go
    go.set()


def form(page: Page, url: str, query: str = "project = 'vision'") -> Locator:
    """The form for all runs that match."""
    page.goto(f"{url}/?{urlencode({'q': query, 'view': 'table'})}")
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute(
        "aria-rowcount", re.compile(r"\d+")
    )
    page.get_by_role("button", name="Download all runs that match").click()
    return page.get_by_role("dialog", name=re.compile("^Download all"))


def saved(page: Page, press: Callable[[], object], to: Path) -> Path:
    """The file that the browser saves."""
    with page.expect_download(timeout=_PATIENCE_MS) as started:
        press()
    started.value.save_as(to)
    return to


def points(file: Path, kind: str, folder: Path) -> list[tuple[int, str, int]]:
    """run_id, tag and step of every point of a file."""
    columns = ["run_id", "tag", "step"]
    if kind == "duckdb":
        with duckdb.connect(str(file), read_only=True) as con:
            return sorted(con.execute("SELECT run_id, tag, step FROM scalar_points").fetchall())
    with zipfile.ZipFile(file) as packed:
        (name,) = (one for one in packed.namelist() if one.endswith(f"scalar_points.{kind}"))
        data = packed.read(name)
    if kind == "csv":
        table = list(csv.DictReader(io.StringIO(data.decode())))
        return sorted((int(row["run_id"]), row["tag"], int(row["step"])) for row in table)
    held = (
        pq.read_table(io.BytesIO(data)) if kind == "parquet" else pa.ipc.open_file(data).read_all()
    )
    return sorted(zip(*(held[column].to_pylist() for column in columns), strict=True))


@pytest.mark.parametrize(
    ("kind", "label"),
    [("parquet", "Parquet"), ("csv", "CSV"), ("arrow", "Arrow"), ("duckdb", "DuckDB")],
)
def test_everything_of_the_runs_that_match(
    page: Page, url: str, tmp_path: Path, samples: Path, kind: str, label: str
) -> None:
    """The file that the browser saves opens elsewhere, and has every point of those runs."""
    asked = form(page, url)
    asked.get_by_label(f"Everything as {label}").check()
    expect(asked.get_by_role("status").first).to_contain_text("points", timeout=_PATIENCE_MS)
    promised = asked.get_by_role("status").first.inner_text()
    go = asked.get_by_role("button", name="Download", exact=True)
    file = saved(page, go.click, tmp_path / f"all.{kind}")
    found = points(file, kind, tmp_path)
    runs = ask(url, "runs", filter="project = 'vision'", columns="points", limit="1000")["rows"]
    assert {run_id for run_id, _, _ in found} == {run_id for run_id, points in runs if points}
    assert f"{len(found):,} points" in promised and f"{len(runs)} runs" in promised
    done = page.get_by_role("dialog", name=re.compile("^Download all"))
    expect(done).to_contain_text("saved by your browser", timeout=_PATIENCE_MS)
    expect(done).to_contain_text(f"{len(found):,} rows")
    again = done.get_by_role("link", name="Save it again")
    assert saved(page, again.click, tmp_path / "again").read_bytes() == file.read_bytes()
    done.get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("button", name="Download is being written")).to_be_hidden()


def test_only_some_tags(page: Page, url: str, tmp_path: Path, expected_errors: list[str]) -> None:
    """A regular expression chooses series; one that cannot be read is told of in its place."""
    expected_errors.append("status of 400")
    asked = form(page, url)
    pattern = asked.get_by_role("textbox", name="Tags")
    pattern.fill("loss(")
    expect(asked.get_by_role("alert").first).to_contain_text("tag_pattern", timeout=_PATIENCE_MS)
    pattern.fill("no such tag")
    expect(asked.get_by_role("alert").first).to_contain_text(
        "no run has a tag that matches", timeout=_PATIENCE_MS
    )
    pattern.fill("^train/loss$")
    expect(asked.get_by_role("status").first).to_contain_text("points", timeout=_PATIENCE_MS)
    file = saved(page, lambda: pattern.press("Enter"), tmp_path / "some.zip")
    assert {tag for _, tag, _ in points(file, "parquet", tmp_path)} == {"train/loss"}


def test_it_goes_on_behind_the_pages(
    page: Page, url: str, tmp_path: Path, slow: threading.Event
) -> None:
    """With rows and bytes told; the dialog may be closed, the page left; in the end there is a file."""
    asked = form(page, url)
    asked.get_by_role("button", name="Download", exact=True).click()
    written = page.get_by_role("dialog", name=re.compile("^Download all"))
    bar = written.get_by_role("progressbar", name="Rows written")
    expect(bar).to_be_visible(timeout=_PATIENCE_MS)
    expect(written).to_contain_text(
        re.compile(r"[1-9]\d* % [\d,]+ of [\d,]+ rows"), timeout=_PATIENCE_MS
    )
    expect(written).to_contain_text(re.compile(r"now: histograms.* · [\d.]+ [kM]B"))
    written.get_by_role("button", name="Go on behind the page").click()
    expect(written).to_be_hidden()
    chip = page.get_by_role("button", name="Download is being written")
    expect(chip).to_be_visible()
    page.goto(f"{url}/compare")
    expect(chip).to_contain_text("%")
    chip.click()
    written = page.get_by_role("dialog", name=re.compile("^Download all"))
    expect(written.get_by_role("progressbar")).to_be_visible()
    page.keyboard.press("Escape")
    file = saved(page, slow.set, tmp_path / "all.zip")
    assert points(file, "parquet", tmp_path)
    expect(chip).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="is saved")).to_be_visible()
    page.reload()
    expect(chip).to_be_hidden()


def test_it_is_stopped(page: Page, url: str, slow: threading.Event) -> None:
    """Nothing is saved, and the server has nothing left of it."""
    asked = form(page, url)
    with page.expect_response(re.compile("exports$")) as begun:
        asked.get_by_role("button", name="Download", exact=True).click()
    id = begun.value.json()["id"]
    written = page.get_by_role("dialog", name=re.compile("^Download all"))
    written.get_by_role("button", name="Stop").click()
    expect(written).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Download is being written")).to_be_hidden()
    assert ask(url, f"exports/{id}")["state"] == "stopped"


def test_what_fails_is_told_and_tried_again(
    page: Page, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the dialog, with what to do; trying again writes it anew."""
    monkeypatch.setattr("boardlake.api.exports.Package", _reserving(1 << 60))
    asked = form(page, url)
    asked.get_by_role("button", name="Download", exact=True).click()
    failed = page.get_by_role("alert").filter(has_text="of its disk are free")
    expect(failed).to_contain_text("free some space", timeout=_PATIENCE_MS)
    monkeypatch.setattr("boardlake.api.exports.Package", Package)
    again = failed.get_by_role("button", name="Try again")
    file = saved(page, again.click, tmp_path / "all.zip")
    assert points(file, "parquet", tmp_path)


def _reserving(reserve: int) -> Callable[..., Package]:
    return lambda *given, **named: Package(*given, **named, reserve=reserve)


def test_too_many_at_once_are_refused_where_they_are_asked(
    page: Page, url: str, slow: threading.Event, expected_errors: list[str]
) -> None:
    """The form stays, with what was chosen."""
    expected_errors.append("status of 429")
    for _ in range(2):
        form(page, url).get_by_role("button", name="Download", exact=True).click()
        expect(page.get_by_role("progressbar")).to_be_visible(timeout=_PATIENCE_MS)
    asked = form(page, url)
    expect(page.get_by_role("button", name="2 downloads are being written")).to_be_visible()
    asked.get_by_label("Everything as CSV").check()
    asked.get_by_role("button", name="Download", exact=True).click()
    expect(asked.get_by_role("alert").last).to_contain_text(
        "being written already", timeout=_PATIENCE_MS
    )
    expect(asked.get_by_label("Everything as CSV")).to_be_checked()
    page.keyboard.press("Escape")
    for _ in range(2):
        page.get_by_role("button", name=re.compile("being written")).click()
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("progressbar")).to_be_hidden(timeout=_PATIENCE_MS)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_the_table_as_it_is_shown(page: Page, url: str, tmp_path: Path, kind: str) -> None:
    """Its columns in its order: of all runs that match, or of those that are selected."""
    asked = form(page, url, "project = 'vision' or project = 'keras'")
    asked.get_by_label(f"The table as it is shown, as {kind.upper()}").check()
    expect(asked.get_by_role("textbox", name="Tags")).to_be_hidden()
    go = asked.get_by_role("button", name="Download", exact=True)
    file = saved(page, go.click, tmp_path / f"runs.{kind}")
    text = file.read_text()
    rows = json.loads(text) if kind == "json" else list(csv.DictReader(io.StringIO(text)))
    truth = ask(
        url, "runs", filter="project = 'vision' or project = 'keras'", columns="label", limit="1000"
    )
    assert [row["label"] for row in rows] == [label for _, label in truth["rows"]]
    assert {"state", "machine", "project"} <= set(rows[0]) and len(rows) > 20


def test_more_than_can_be_named_are_shown_alone_and_downloaded(
    page: Page, url: str, tmp_path: Path
) -> None:
    """'Only these' and a download of a selection have no limit of their own."""
    every = [key for _, key in ask(url, "runs", columns="run_key", limit="1000")["rows"]]
    assert len(every) > 25
    chosen = every[:25]
    page.goto(f"{url}/?{urlencode({'sel': ','.join(chosen), 'view': 'table'})}")
    bar = page.get_by_role("toolbar", name="Selected runs")
    expect(bar).to_contain_text("25 selected")
    bar.get_by_role("button", name="Show only these runs").click()
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", "26")
    box = page.get_by_label("Filter", exact=True)
    expect(box).to_have_value(re.compile(r"^selected\('\w+'\)$"))
    assert parse_qs(urlsplit(page.url).query)["q"] == [box.input_value()]
    bar.get_by_role("button", name="Download", exact=True).click()
    asked = page.get_by_role("dialog", name="Download 25 runs")
    asked.get_by_label("The table as it is shown, as CSV").check()
    go = asked.get_by_role("button", name="Download", exact=True)
    file = saved(page, go.click, tmp_path / "runs.csv")
    with file.open(newline="") as opened:
        assert len(list(csv.DictReader(opened))) == 25
    bar.get_by_role("button", name="Download", exact=True).click()
    with page.expect_request(re.compile("exports$")) as sent:
        file = saved(page, go.click, tmp_path / "all.zip")
    assert sent.value.post_data_json["runs"] == chosen
    with zipfile.ZipFile(file) as packed:
        (name,) = (one for one in packed.namelist() if one.endswith("/runs.parquet"))
        keys = pq.read_table(io.BytesIO(packed.read(name)))["run_key"].to_pylist()
    assert sorted(keys) == sorted(chosen)


def test_a_run_is_downloaded_from_its_page(page: Page, url: str, tmp_path: Path) -> None:
    """All that it logged."""
    ((run_id, key),) = ask(url, "runs", columns="run_key", sort="-points", limit="1")["rows"]
    page.goto(f"{url}/run/{key}")
    page.get_by_role("button", name="Download").click()
    page.get_by_role("menuitem", name="All that it logged").click()
    asked = page.get_by_role("dialog", name="Download this run")
    expect(asked.get_by_role("radio")).to_have_count(4)
    go = asked.get_by_role("button", name="Download", exact=True)
    file = saved(page, go.click, tmp_path / "run.zip")
    assert {one for one, _, _ in points(file, "parquet", tmp_path)} == {run_id}
