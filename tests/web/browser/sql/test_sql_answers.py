"""Answers on the SQL page: tables, charts, copies, downloads, and text from outside."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .conftest import PATIENCE_MS, drawn, module, rows, run, write


def test_copies_hold_every_value(sql: Callable[..., Page]) -> None:
    """TSV, CSV, JSON and Markdown of awkward values can be read back."""
    page = sql()
    kinds = {'a"b': "text", "__proto__": "number", "s": "nested", "t": "time"}
    columns = [{"name": name, "kind": kind} for name, kind in kinds.items()]
    data = [
        ["x,\"y\"\n|z\t", 1.5, {"k": [1, None]}, "2024-01-02T03:04:05.500Z"], [None, None, None, None],
        ["", "NaN", [], "2024-01-02T00:00:00.000Z"],
    ]  # fmt: skip
    forms = "return ['tsv', 'csv', 'json', 'markdown'].map((form) => m.written(form, ...given));"
    written = module(page, "copying", forms, columns, data)
    tsv, comma, as_json, markdown = written
    read = list(csv.reader(io.StringIO(tsv), delimiter="\t"))
    assert read[0] == ['a"b', "__proto__", "s", "t"]
    assert read[1] == ['x,"y"\n|z\t', "1.5", '{"k":[1,null]}', "2024-01-02 03:04:05.5"]
    assert list(csv.reader(io.StringIO(comma)))[1:] == [
        read[1], ["", "", "", ""], ["", "NaN", "[]", "2024-01-02 00:00:00"],
    ]  # fmt: skip
    assert '\n"",NaN' in comma and "\n,,," in comma
    assert [list(row.values()) for row in json.loads(as_json)] == data
    assert markdown.count("\n") == 4 and 'x,"y"<br>\\|z' in markdown and "| NULL |" in markdown
    order = (
        "return [false, true].map((down) =>"
        " m.ordered(given[0].map((v) => [v]), 0, 'number', down).map((row) => row[0]));"
    )
    assert module(page, "copying", order, [3, None, "NaN", "12345678901234567890", -1, "-Infinity"]) == [
        ["-Infinity", -1, 3, "12345678901234567890", "NaN", None],
        ["12345678901234567890", 3, -1, "-Infinity", "NaN", None],
    ]  # fmt: skip


def test_rows_are_sorted_widened_opened_and_copied(
    sql: Callable[..., Page], server_url: str
) -> None:
    """By mouse and keys; order and width stand in the address."""
    page = sql(
        "SELECT * FROM (VALUES (1, 'b', [1, 2]), (NULL, 'a', NULL), (3, 'c', [3])) t(n, s, l)"
    )
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server_url)
    assert [row[0] for row in rows(page)] == ["1", "NULL", "3"]
    head = page.get_by_role("columnheader", name="n", exact=True)
    head.click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert [row[0] for row in rows(page)] == ["3", "1", "NULL"] and "sort=-n" in page.url
    head.click()
    assert [row[0] for row in rows(page)] == ["1", "NULL", "3"]
    edge = page.locator(".sql-rows .head .edge").nth(1)
    box = edge.bounding_box()
    assert box
    page.mouse.move(box["x"] + 3, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 103, box["y"] + 5, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("wide="))
    cell = page.locator(".sql-rows .space .row[data-i='0'] .cell").nth(2)
    cell.click()
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == "b"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="l")).to_contain_text("INTEGER[]")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("menuitem", name="3 rows as JSON").click()
    expect(page.get_by_text("3 rows copied")).to_be_visible()
    pasted = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert pasted[1] == {"n": None, "s": "a", "l": None}


def test_runs_lead_to_their_pages(sql: Callable[..., Page]) -> None:
    """By key at once, by number once it is known."""
    page = sql("SELECT run_id, run_key, points AS id FROM runs ORDER BY run_id LIMIT 3")
    key = rows(page)[0][1]
    first = page.locator(".sql-rows .space .row[data-i='0']")
    expect(first.locator("a")).to_have_count(2, timeout=PATIENCE_MS)
    for link in first.locator("a").all():
        assert link.get_attribute("href") == f"/run/{key}"


def test_what_was_cut_is_said(sql: Callable[..., Page]) -> None:
    """Rows beyond the limit, long values, and none at all."""
    page = sql("SELECT i, repeat('x', 20000) AS long FROM range(1500) t(i)", limit="1000")
    expect(page.locator(".sql-count")).to_contain_text("First 1,000 rows", timeout=PATIENCE_MS)
    expect(page.locator(".sql-note")).to_contain_text("There are more rows than the 1,000")
    expect(page.locator(".sql-note")).to_contain_text("1,000 values are long")
    page.get_by_label("Rows to load").select_option("10000")
    expect(page.locator(".sql-count")).to_contain_text("1,500 rows", timeout=PATIENCE_MS)
    write(page, "SELECT 1 WHERE false")
    run(page)
    expect(page.locator(".sql-note")).to_contain_text("No row is the answer")


def test_a_million_rows_are_scrolled(sql: Callable[..., Page]) -> None:
    """As many as can be loaded: only those in sight are in the page."""
    page = sql("SELECT i, i * 2 AS twice FROM range(100000) t(i)", limit="100000")
    expect(page.locator(".sql-count")).to_contain_text("100,000 rows", timeout=PATIENCE_MS)
    page.locator(".sql-rows .grid").evaluate("(el) => { el.scrollTop = el.scrollHeight; }")
    expect(page.locator(".sql-rows .row[data-i='99999'] .cell").nth(2)).to_have_text("199998")
    assert page.locator(".sql-rows .space > .row").count() < 80


def test_a_chart_is_guessed_and_changed(sql: Callable[..., Page]) -> None:
    """One click draws; choices stand in the address and come back with it."""
    page = sql(
        "SELECT s.step, s.value, r.name AS run FROM scalars s JOIN runs r USING (run_id)"
        " WHERE s.tag = 'train/loss' AND r.run_id < 6 ORDER BY ALL"
    )
    rows(page)
    page.get_by_role("button", name="Chart", exact=True).click()
    picture = page.locator(".sql-chart canvas")
    expect(picture).to_have_attribute("aria-label", re.compile("Line chart of value by step"))
    tools = page.get_by_role("group", name="Chart")
    expect(tools.get_by_label("Series")).to_have_value("run")
    tools.get_by_label("Kind").select_option("scatter")
    tools.get_by_label("log y").check()
    expect(picture).to_have_attribute("aria-label", re.compile("Scatter chart"))
    page.reload()
    again = re.compile("Scatter chart of value by step")
    expect(picture).to_have_attribute("aria-label", again, timeout=PATIENCE_MS)
    expect(tools.get_by_label("log y")).to_be_checked()
    page.go_back()
    expect(tools.get_by_label("log y")).not_to_be_checked(timeout=PATIENCE_MS)
    painted = (
        "(el) => el.getContext('2d').getImageData(0, 0, el.width, el.height).data.some((v) => v)"
    )
    assert picture.evaluate(painted)
    with page.expect_download() as download:
        tools.get_by_role("button", name="PNG").click()
    assert download.value.suggested_filename == "boardlake-sql.png"


def test_small_values_have_short_bars_on_a_logarithmic_axis(sql: Callable[..., Page]) -> None:
    """0 has no place there: bars stand on the foot of the axis."""
    page = sql(
        "SELECT n, v FROM (VALUES ('a', 0.001), ('b', 0.5)) t(n, v)",
        show="chart",
        chart=json.dumps({"kind": "bar", "x": "n", "y": ["v"], "by": "", "scale": "log"}),
    )
    drawn(page, "Bar chart of v by n")
    heights = page.locator(".sql-chart canvas").evaluate(
        """(el) => [0.25, 0.75].map((part) => {
            const ratio = el.width / el.clientWidth;
            const x = Math.round((64 + part * (el.clientWidth - 64 - 18)) * ratio);
            const { data } = el.getContext("2d").getImageData(x, 0, 1, el.height);
            const seen = new Map();
            for (let i = 0; i < data.length; i += 4) {
                const colour = data.slice(i, i + 3).join();
                if (data[i + 3] === 255) seen.set(colour, (seen.get(colour) ?? 0) + 1);
            }
            return Math.max(...seen.values());
        })"""
    )
    assert 0 < heights[0] < heights[1] / 2, heights


A, B = [1, 2.0, "a"], [1, 3.0, "b"]

GUESSES = [
    ("step value run:text", [A, B, [2, 1.0, "a"]], ("line", "step", ["value"], "run")),
    ("machine:text run_id points", [["a", 1, 5], ["b", 2, 6]], ("bar", "machine", ["points"], "")),
    ("lr loss", [[0.1, 1], [0.2, 2]], ("scatter", "lr", ["loss"], "")),
    ("day:time n", [["2024-01-01", 1], ["2024-01-02", 2]], ("bar", "day", ["n"], "")),
    ("step p10 p90", [[1, 1, 2], [2, 1, 2]], ("line", "step", ["p10", "p90"], "")),
    ("name:text", [["a"]], None),
    ("n", [[1]], None),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "data", "expected"), GUESSES)
def test_guesses(sql: Callable[..., Page], columns: Any, data: Any, expected: Any) -> None:
    """By names and kinds of columns."""
    page = sql()
    kinds = [(one + ":number").split(":")[:2] for one in columns.split()]
    named = [{"name": name, "kind": kind, "type": ""} for name, kind in kinds]
    found = module(page, "points", "return m.guess(given[0], given[1]);", named, data)
    assert (found and (found["kind"], found["x"], found["y"], found["by"])) == expected


def test_charts_tell_their_limits(sql: Callable[..., Page]) -> None:
    """Too many series, points without a number, rows that are added up."""
    page = sql(
        "SELECT i AS step, i % 60 AS value, 's' || (i % 60) AS run FROM range(600) t(i)",
        show="chart",
        chart=json.dumps({"kind": "line", "x": "step", "y": ["value"], "by": "run"}),
    )
    note = page.locator(".sql-chart-note")
    expect(note).to_contain_text("The first 50 of 60 series", timeout=PATIENCE_MS)
    write(page, "SELECT n, v FROM (VALUES ('a', 1), ('a', 2), ('b', NULL)) t(n, v)")
    run(page)
    expect(page.locator(".sql-chart-note")).to_contain_text("added up")
    expect(page.locator(".sql-chart-note")).to_contain_text("1 point without a number is left out")
    write(page, "SELECT 'x' AS only_text")
    run(page)
    expect(page.get_by_text("No column of numbers")).to_be_visible()


def test_the_whole_answer_is_downloaded(sql: Callable[..., Page]) -> None:
    """Beyond what is loaded, in each form, under a name of its own."""
    page = sql("SELECT i, 'a,b' AS t FROM range(2500) t(i) ORDER BY i", limit="1000")
    rows(page)
    for form in ("CSV", "Parquet", "Arrow stream", "JSON"):
        page.get_by_role("button", name="Download", exact=True).click()
        with page.expect_download(timeout=PATIENCE_MS) as download:
            page.get_by_role("link", name=form, exact=True).click()
        content = Path(download.value.path()).read_bytes()
        assert download.value.suggested_filename.startswith("boardlake-sql.")
        if form == "CSV":
            read = list(csv.reader(io.StringIO(content.decode())))
            assert len(read) == 2501 and read[2] == ["1", "a,b"]
        elif form == "Parquet":
            assert pq.read_table(io.BytesIO(content)).num_rows == 2500
        elif form == "JSON":
            assert len(json.loads(content)["rows"]) == 2500


def test_text_from_outside_stays_text(sql: Callable[..., Page]) -> None:
    """Names and values of an answer are never markup."""
    evil = "<img src=x onerror=alert(1)>"
    page = sql(
        f"SELECT '{evil}' AS \"{evil}\", {{'{evil}': '{evil}'}} AS s,"
        ' 1 AS "__proto__", 2 AS "constructor"'
    )
    assert rows(page)[0][0] == evil and rows(page)[0][2:] == ["1", "2"]
    page.locator(".sql-rows .space .cell").nth(1).dblclick()
    expect(page.get_by_role("dialog")).to_contain_text(evil)
    page.keyboard.press("Escape")
    page.get_by_role("columnheader", name="__proto__").click()
    page.get_by_role("button", name="Chart", exact=True).click()
    expect(page.locator(".sql-chart canvas")).to_be_visible()
    assert page.locator("img[src='x']").count() == 0
