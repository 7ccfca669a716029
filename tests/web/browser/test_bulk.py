"""What can be done with selected runs, and saved views, on a lake that may be changed."""

from __future__ import annotations

import csv
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

Serve = Callable[[Path, Path], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def url(serve: Serve, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over a copy of the samples."""
    root = tmp_path_factory.mktemp("bulk")
    shutil.copytree(samples, root / "lake")
    with serve(root / "lake", root / "lake") as at:
        yield at


def ask(url: str, path: str) -> Any:
    with urlopen(f"{url}/api/v1/{path}") as answer:
        return json.load(answer)


def written(url: str, key: str) -> dict[str, Any]:
    """What is written about a run."""
    blank = {"name": "", "notes": "", "archived": False, "tags": []}
    found = [one for one in ask(url, "annotations")["annotations"] if one["run_key"] == key]
    return blank | (found[0] if found else {})


def keys(page: Page) -> list[str]:
    """The selected run_keys, in the page's address."""
    return parse_qs(urlsplit(page.url).query).get("sel", [""])[0].split(",")


def select(page: Page, url: str, count: int, project: str = "vision") -> Locator:
    """The bar, once the first *count* runs of a project are selected."""
    page.goto(f"{url}/?q=project+%3D+'{project}'&view=table")
    boxes = page.get_by_role("row").get_by_role("checkbox", name=re.compile("^Select (?!all)"))
    for i in range(count):
        boxes.nth(i).check()
    bar = page.get_by_role("toolbar", name="Selected runs")
    expect(bar).to_contain_text(f"{count} selected")
    return bar


def undo(page: Page) -> None:
    page.get_by_role("status").get_by_role("button", name="Undo").last.click()
    expect(page.get_by_text("Undone")).to_be_visible()


def test_the_bar_is_there_as_long_as_runs_are_selected(page: Page, url: str) -> None:
    """It comes with the first and goes with the last; what needs more or fewer runs says so."""
    bar = select(page, url, 1)
    expect(bar.get_by_role("button", name="Compare", exact=True)).to_be_disabled()
    expect(bar.get_by_role("button", name="Rename")).to_be_visible()
    bar.get_by_role("button", name="Clear the selection").click()
    expect(bar).to_be_hidden()
    bar = select(page, url, 2)
    expect(bar.get_by_role("button", name="Rename")).to_have_count(0)
    expect(bar.get_by_role("button", name="Compare", exact=True)).to_be_enabled()


def test_tags_are_added_found_again_removed_and_undone(page: Page, url: str) -> None:
    """A new tag is typed; the next time it is offered; undo leaves what was there before."""
    bar = select(page, url, 3)
    chosen = keys(page)
    bar.get_by_role("button", name="Tag").click()
    editor = page.get_by_role("dialog", name="Tags")
    editor.get_by_role("combobox").fill("good one")
    page.keyboard.press("Enter")
    expect(editor.get_by_role("button", name="Remove the tag good one")).to_be_visible()
    assert [written(url, key)["tags"] for key in chosen] == [["good one"]] * 3
    # Whatever words the row has beside its name, they are those of people.
    expect(page.get_by_role("row").nth(1).locator(".tag")).to_have_text("good one")
    page.keyboard.press("Escape")
    bar = select(page, url, 4)
    more = keys(page)
    bar.get_by_role("button", name="Tag").click()
    expect(editor).to_contain_text("3 of 4")
    editor.get_by_role("combobox").fill("goo")
    expect(page.get_by_role("option", name=re.compile("^good one"))).to_contain_text("3 runs")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(editor).not_to_contain_text("3 of 4")
    assert written(url, more[3])["tags"] == ["good one"]
    undo(page)
    assert [written(url, key)["tags"] for key in more] == [["good one"]] * 3 + [[]]
    bar.get_by_role("button", name="Tag").click()
    editor.get_by_role("button", name="Remove the tag good one").click()
    expect(editor).to_contain_text("They have no tags yet")
    assert all(written(url, key)["tags"] == [] for key in more)


def test_a_run_is_renamed_and_has_its_name_back(page: Page, url: str) -> None:
    """The table shows the new name at once; undo takes it back."""
    bar = select(page, url, 1)
    [key] = keys(page)
    bar.get_by_role("button", name="Rename").click()
    page.get_by_role("dialog", name="Rename").get_by_role("textbox").fill("the <b>best</b> run")
    page.keyboard.press("Enter")
    expect(page.get_by_role("grid", name="Runs")).to_contain_text("the <b>best</b> run")
    assert written(url, key)["name"] == "the <b>best</b> run"
    undo(page)
    expect(page.get_by_role("grid", name="Runs")).not_to_contain_text("the <b>best</b> run")


def test_a_note_is_written(page: Page, url: str) -> None:
    """It is there again when it is opened again."""
    bar = select(page, url, 1)
    bar.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Write a note").click()
    note = page.get_by_role("dialog", name="Note")
    note.get_by_role("textbox").fill("# Odd\nloss jumps at 4k")
    note.get_by_role("button", name="Write").click()
    expect(note).to_be_hidden()
    assert written(url, keys(page)[0])["notes"] == "# Odd\nloss jumps at 4k"
    bar.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Write a note").click()
    expect(note.get_by_role("textbox")).to_have_value("# Odd\nloss jumps at 4k")


def test_runs_are_archived_and_brought_back(page: Page, url: str) -> None:
    """Archived runs leave the table, not the selection; undo and the bar bring them back."""
    bar = select(page, url, 2)
    chosen = keys(page)
    rows = page.get_by_role("grid", name="Runs")
    before = int(rows.get_attribute("aria-rowcount") or 0)
    bar.get_by_role("button", name="Archive").click()
    expect(rows).to_have_attribute("aria-rowcount", str(before - 2))
    assert all(written(url, key)["archived"] for key in chosen)
    undo(page)
    expect(rows).to_have_attribute("aria-rowcount", str(before))
    bar.get_by_role("button", name="Archive").click()
    expect(rows).to_have_attribute("aria-rowcount", str(before - 2))
    bar.get_by_role("button", name="Bring back").click()
    expect(rows).to_have_attribute("aria-rowcount", str(before))


def test_only_the_selected_are_shown_compared_and_one_is_the_baseline(page: Page, url: str) -> None:
    """The filter names them; the comparison gets them; the baseline is kept in the address."""
    bar = select(page, url, 1)
    [key] = keys(page)
    bar.get_by_role("button", name=re.compile("baseline")).click()
    expect(page).to_have_url(re.compile(f"base={key}"))
    boxes = page.get_by_role("checkbox", name=re.compile("^Select (?!all)"))
    boxes.nth(1).check()
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Show only these runs").click()
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", "3")
    expect(page.get_by_label("Filter", exact=True)).to_have_value(
        re.compile(r"^run_key in \('\w+', '\w+'\)$")
    )
    chosen = keys(page)
    page.get_by_role("grid", name="Runs").focus()
    page.keyboard.press("c")
    page.wait_for_url(re.compile("/compare"))
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["runs"] == [",".join(chosen)] and asked["base"] == [key]


def test_the_selected_are_downloaded(page: Page, url: str, tmp_path: Path) -> None:
    """The table as it is shown as CSV, and everything as a file of tables."""
    bar = select(page, url, 3)
    bar.get_by_role("button", name="Download").click()
    asked = page.get_by_role("dialog", name="Download 3 runs")
    asked.get_by_label("The table as it is shown, as CSV").check()
    with page.expect_download() as started:
        asked.get_by_role("button", name="Download").click()
    started.value.save_as(tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 and {"label", "state", "machine"} <= set(rows[0])
    assert {row["project"] for row in rows} == {"vision"}
    expect(asked).to_be_hidden()
    bar.get_by_role("button", name="Download").click()
    asked.get_by_label("Everything as Parquet").check()
    with page.expect_download() as started:
        asked.get_by_role("button", name="Download").click()
    started.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert any(name.endswith("scalar_points.parquet") for name in archive.namelist()), (
            archive.namelist()
        )


def test_runs_are_deleted_by_whoever_types_how_many(page: Page, url: str, tmp_path: Path) -> None:
    """The dialog names them and waits for their number; the receipt comes after, and they are gone.

    It is saved as JSON, and kept: the list of all has it, too.
    """
    bar = select(page, url, 2, project="keras")
    chosen = keys(page)
    bar.get_by_role("button", name="Delete for good").click()
    asked = page.get_by_role("dialog", name="Delete 2 runs?")
    expect(asked.get_by_role("list", name="Runs that go").get_by_role("listitem")).to_have_count(2)
    expect(asked).to_contain_text("event files in the source stay")
    go = asked.get_by_role("button", name="Delete 2 runs")
    expect(go).to_be_disabled()
    asked.get_by_role("textbox").fill("3")
    expect(go).to_be_disabled()
    asked.get_by_role("textbox").fill("2")
    go.click()
    receipt = page.get_by_role("dialog", name="2 runs deleted")
    expect(receipt).to_contain_text("points", timeout=120_000)
    with page.expect_download() as started:
        receipt.get_by_role("button", name="Save as JSON").click()
    started.value.save_as(tmp_path / "receipt.json")
    told = json.loads((tmp_path / "receipt.json").read_text())
    assert {run["run_key"] for run in told["runs"]} == set(chosen)
    assert told["rows"]["scalar_points"] > 0 and not told["dry_run"]
    receipt.get_by_role("button", name="All receipts").click()
    every = page.get_by_role("dialog", name="Receipts of deletions")
    expect(every.get_by_role("row")).to_have_count(2)
    expect(every.get_by_role("row").last).to_contain_text("points")
    every.get_by_role("button", name="Close").click()
    receipt.get_by_role("button", name="Close").click()
    expect(bar).to_be_hidden()
    left = ask(url, "runs?columns=run_key&limit=1000")["rows"]
    assert not {key for _, key in left} & set(chosen)
    expect(page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", "3")


def test_a_refused_change_is_told_where_it_was_asked(
    page: Page, url: str, expected_errors: list[str]
) -> None:
    """The dialog stays with the server's words, and nothing that was typed is lost."""
    expected_errors.append("status of 404")
    page.goto(f"{url}/?sel=nosuchrun&view=table")
    bar = page.get_by_role("toolbar", name="Selected runs")
    bar.get_by_role("button", name="Delete for good").click()
    asked = page.get_by_role("dialog", name="Delete 1 run?")
    expect(asked.get_by_role("alert").first).to_contain_text("nosuchrun")
    asked.get_by_role("textbox").fill("1")
    asked.get_by_role("button", name="Delete 1 run").click()
    expect(asked.get_by_role("alert").last).to_contain_text("nosuchrun")
    expect(asked.get_by_role("textbox")).to_have_value("1")


def test_views_are_saved_opened_and_deleted(page: Page, url: str) -> None:
    """A name keeps filter, order and columns; the link opens them; the list forgets what is deleted."""
    page.goto(f"{url}/?q=resnet&sort=name&cols=label,hp.lr&view=table")
    page.get_by_role("button", name="Views").click()
    views = page.get_by_role("dialog", name="Saved views")
    views.get_by_role("button", name="Save").click()
    expect(views.get_by_role("alert")).to_contain_text("needs a name")
    views.get_by_role("textbox").fill("lr & seeds")
    page.keyboard.press("Enter")
    link = views.get_by_role("link", name="lr & seeds", exact=True)
    expect(link).to_be_visible()
    link.click()
    page.wait_for_url(re.compile("/v/"))
    expect(page.get_by_label("Filter", exact=True)).to_have_value("resnet")
    expect(page.get_by_role("columnheader").filter(has_text="lr")).to_be_visible()
    page.get_by_role("button", name="Views").click()
    views.get_by_role("button", name="Delete lr & seeds").click()
    expect(views).to_contain_text("No view is saved yet")
    assert ask(url, "views")["views"] == []
