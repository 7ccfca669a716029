"""The SQL page in a browser: editor, completion, answers, charts, downloads, cancelling."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from boardlake.cli.main import main

Serve = Callable[[Path, Path], AbstractContextManager[str]]
_PATIENCE_MS = 30_000
_ENDLESS = "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range % 7 = b.range"


@pytest.fixture
def sql(page: Page, server_url: str) -> Callable[..., Page]:
    """Opens the page with a state."""

    def opened(q: str = "", **state: str) -> Page:
        given = {"q": q, **state} if q else state
        page.goto(f"{server_url}/sql" + (f"?{urlencode(given)}" if given else ""))
        expect(page.locator(".sql-table").first).to_be_attached(timeout=_PATIENCE_MS)
        return page

    return opened


def rows(page: Page) -> list[list[str]]:
    """The cells of the rows in sight, without their numbers."""
    expect(page.locator(".sql-count")).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.locator(".sql-result:not(.busy)")).to_be_attached(timeout=_PATIENCE_MS)
    found: list[list[str]] = page.evaluate(
        "() => [...document.querySelectorAll('.sql-rows .space > .row')]"
        ".sort((a, b) => a.dataset.i - b.dataset.i)"
        ".map((row) => [...row.querySelectorAll('.cell')].slice(1).map((cell) => cell.textContent))"
    )
    return found


def write(page: Page, text: str) -> None:
    """Type into the empty editor, without its suggestions."""
    page.get_by_label("SQL", exact=True).fill(text)


def run(page: Page) -> None:
    """Run by keys, and wait for what comes."""
    with page.expect_response("**/api/v1/sql"):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".sql-result:not(.busy)")).to_be_attached(timeout=_PATIENCE_MS)


def drawn(page: Page, what: str) -> None:
    """Wait for a chart of *what*."""
    picture = page.locator(".sql-chart canvas")
    expect(picture).to_have_attribute("aria-label", re.compile(what), timeout=_PATIENCE_MS)


def module(page: Page, path: str, body: str, *given: Any) -> Any:
    """What *body* (of a function of the module and a list) gives."""
    return page.evaluate(
        f"async (given) => {{ const m = await import('/static/test/sql/{path}.js'); {body} }}",
        list(given),
    )


def test_a_statement_is_run_by_keys_and_stands_in_the_address(sql: Callable[..., Page]) -> None:
    """Ctrl+Enter asks; the address brings the same back, and Back the statement before."""
    page = sql()
    expect(page.get_by_text("Write a statement above")).to_be_visible()
    write(page, "SELECT 1 AS one, NULL AS none, '' AS empty, 'x' AS text")
    run(page)
    assert rows(page) == [["1", "NULL", "''", "x"]]
    write(page, "SELECT 2 AS two")
    run(page)
    assert rows(page) == [["2"]]
    address = page.url
    page.go_back()
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("1", timeout=_PATIENCE_MS)
    assert page.get_by_label("SQL", exact=True).input_value().startswith("SELECT 1")
    page.goto(address)
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("2", timeout=_PATIENCE_MS)


def test_the_statement_at_the_caret_or_the_selection_is_run(sql: Callable[..., Page]) -> None:
    """Of several, one; its place in the address; a selection by itself."""
    page = sql()
    text = "SELECT 'first; one';\n-- two;\nSELECT 2 AS n;\n\nSELECT 3 AS n"
    write(page, text)
    editor = page.get_by_label("SQL", exact=True)
    for at, expected in ((3, "first; one"), (text.index("SELECT 2") + 2, "2"), (len(text), "3")):
        editor.evaluate("(el, at) => { el.focus(); el.setSelectionRange(at, at); }", at)
        run(page)
        assert rows(page) == [[expected]]
    assert "at=2" in page.url
    page.reload()
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("3", timeout=_PATIENCE_MS)
    start = text.index("3 AS n")
    editor.evaluate("(el) => { el.focus(); el.setSelectionRange(0, 19); }")
    run(page)
    assert rows(page) == [["first; one"]] and start


def test_a_long_text_has_a_short_address(sql: Callable[..., Page]) -> None:
    """What no address holds is kept by the server, and comes back with it."""
    page = sql()
    text = "SELECT 7 AS n -- " + "x" * 20_000
    write(page, text)
    run(page)
    page.wait_for_url("**/v/*", timeout=_PATIENCE_MS)
    page.reload()
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("7", timeout=_PATIENCE_MS)
    assert page.get_by_label("SQL", exact=True).input_value() == text


def test_errors_point_at_their_place(sql: Callable[..., Page], expected_errors: list[str]) -> None:
    """In the editor, with names that there are; one click writes and runs them."""
    expected_errors.append("400")
    page = sql()
    write(page, "SELECT 1;\n\nSELECT 'ä', nme\nFROM runs")
    page.get_by_label("SQL", exact=True).press("End")
    run(page)
    expect(page.locator(".sql-shown .misfit")).to_have_text("nme")
    alert = page.get_by_role("alert").filter(has_text="nme")
    expect(alert).to_contain_text("not found")
    expect(alert).not_to_contain_text("LINE")
    expect(alert.get_by_role("button", name="Line 3")).to_be_visible()
    with page.expect_response("**/api/v1/sql"):
        alert.get_by_role("button", name="Use name").click()
    expect(page.locator(".sql-count")).to_contain_text("rows", timeout=_PATIENCE_MS)
    assert "'ä', name\n" in page.get_by_label("SQL", exact=True).input_value()
    for wrong, marked, use in (
        ("FROM rns", "rns", "Use runs"),
        ("SELECT r.nme FROM runs r", "r.nme", "Use r.name"),
        ("SELECT regexp_matchs('a', 'b')", "regexp_matchs", "Use regexp_matches"),
        ("SELECT 1 +", " ", None),
    ):
        write(page, wrong)
        run(page)
        expect(page.get_by_label("SQL", exact=True)).to_have_attribute("aria-invalid", "true")
        assert "".join(page.locator(".sql-shown .misfit").all_text_contents()) == marked
        if use:
            expect(page.get_by_role("button", name=use, exact=True)).to_be_visible()
    # What is typed next clears it.
    page.get_by_label("SQL", exact=True).press("End")
    page.keyboard.type(" 1")
    expect(page.locator(".sql-shown .misfit")).to_have_count(0)


def test_tab_completes_names_of_the_lake(sql: Callable[..., Page]) -> None:
    """Tables after FROM, columns of aliases, tags and values in quotes; undo takes it back."""
    page = sql()
    editor = page.get_by_label("SQL", exact=True)
    editor.click()
    page.keyboard.type("SELECT s.tag, s.fi")
    option = page.get_by_role("option")
    page.keyboard.press("Escape")
    page.keyboard.type(" FROM ser")
    expect(option.first).to_contain_text("series")
    page.keyboard.press("Tab")
    page.keyboard.type(" s WHERE s.ta")
    expect(option.first).to_contain_text("tag")
    page.keyboard.press("Tab")
    page.keyboard.type(" = 'val/")
    expect(option.first).to_contain_text("val/", timeout=_PATIENCE_MS)
    page.keyboard.press("ArrowDown")
    tag = (option.first.locator(".label").text_content() or "").strip()
    page.keyboard.press("Enter")
    expect(editor).to_have_value(f"SELECT s.tag, s.fi FROM series s WHERE s.tag = '{tag}'")
    page.keyboard.press("Control+z")
    assert editor.input_value() != f"SELECT s.tag, s.fi FROM series s WHERE s.tag = '{tag}'"
    page.keyboard.press("Escape")
    # The caret goes up and down in the text, and Tab leaves where there is nothing to complete.
    editor.fill("a\nb\n")
    editor.evaluate("(el) => el.setSelectionRange(0, 0)")
    page.keyboard.press("ArrowDown")
    assert editor.evaluate("(el) => el.selectionStart") == 2
    editor.evaluate("(el) => el.setSelectionRange(4, 4)")
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()


COMPLETIONS = [
    ("SELECT * FROM |", ["runs", "series"], ["SELECT"]),
    ("SELECT * FROM runs r JOIN hparams h USING (run_id) WHERE h.|", ["value", "number"], ["state"]),
    ("SELECT st| FROM scalars", ["step", "stream"], []),
    ("SELECT no_such_thing_at_all| FROM runs", [], []),
    ("SELECT arg_ma| FROM runs", ["arg_max("], []),
    ("SELECT * FROM runs WHERE state = |", ["'finished'"], []),
    ("SELECT * FROM runs WHERE state IN ('failed', 'fi|", ["'finished'"], ["'failed'"]),
    ("SELECT * FROM runs WHERE machine <> '|'", ["'lab-cluster"], []),
    ("SELECT * FROM hparams WHERE name = 'l|", ["'lr'"], []),
    ("SELECT * FROM hparams h JOIN runs r USING (run_id) WHERE r.name = '|", ["'resnet50_lr0.1_bs512_s1'"], ["'lr'"]),
    ("SELECT * FROM scalars WHERE tag IN (|", ["'train/loss'"], []),
    ("SELECT * FROM series WHERE kind = '|", ["'scalar'", "'blob'"], []),
    ("SELECT 'a string |", [], ["name"]),
    ("SELECT 1 -- a comment na|", [], ["name"]),
    ("WITH best AS (SELECT 1 AS top) SELECT to| FROM best", ["top"], []),
    ("WITH best AS (SELECT 1) SELECT * FROM be|", ["best"], []),
    ("SELECT count FROM histograms WHERE lef|", ['"left"'], []),
    ("SELECT 1; SELECT na| FROM runs; SELECT 2", ["name"], []),
    ("SELECT 12|", [], []),
    ("", [], []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "offered", "without"), COMPLETIONS)
def test_what_is_offered_fits_its_place(
    sql: Callable[..., Page], text: str, offered: list[str], without: list[str]
) -> None:
    """At | in a statement: what is inserted, as the module itself gives it."""
    page = sql()
    caret = text.find("|") if "|" in text else len(text)
    found = module(
        page, "complete",
        "const n = await import('/static/test/table/names.js');"
        "const schema = await (await fetch('/api/v1/schema')).json();"
        "return (await m.complete(given[0], given[1], false, { schema, names: n.names, valuesOf: n.valuesOf }))"
        ".map((one) => one.insert);",
        text.replace("|", ""), caret,
    )  # fmt: skip
    for one in offered:
        assert any(name.startswith(one) for name in found), (one, found[:20])
    assert not {*without} & {*found}
    if not offered:
        assert found == [] or without


def test_the_pure_parts(sql: Callable[..., Page]) -> None:
    """Statements, brackets, places in characters, near names."""
    page = sql()
    texts = [
        "SELECT ';' AS \"a;b\"; -- c;\n/* ; */ SELECT $$;$$ ; ;", "  ", "SELECT 1", ";;SELECT E'x;' ;",
        "SELECT $a$ ; $b$ ; $a$ x; SELECT 'unended ;",
    ]  # fmt: skip
    cut = "return given.map((text) => m.statements(text).map((one) => text.slice(one.start, one.end)));"
    assert module(page, "tokens", cut, *texts) == [
        ["SELECT ';' AS \"a;b\"", "SELECT $$;$$"], [], ["SELECT 1"], ["SELECT E'x;'"],
        ["SELECT $a$ ; $b$ ; $a$ x", "SELECT 'unended ;"],
    ]  # fmt: skip
    mates = "return given.map(([text, at]) => m.mates(m.tokens(text), at));"
    assert module(page, "tokens", mates, ["f(a[1], ')')", 1], ["f(a[1], ')')", 6], ["(]", 0], ["x", 0]) == [
        [1, 11], [3, 5], [0], [],
    ]  # fmt: skip
    assert module(
        page, "tokens", "return given.map(([t, p]) => m.offset(t, p));", ["😀ab", 1], ["ab", 9]
    ) == [2, 2]
    assert (
        module(
            page, "tokens", "return m.near(given[0], given[1]);", "nme", ["name", "names", "state"]
        )[0]
        == "name"
    )
    whole = "return given.map((text) => m.tokens(text).map((one) => one.text).join('') === text);"
    odd = ["'", '"', "$", "$$", "/*", "--", "\0", "é'", "1e", ".5.5.", "😀", "\u2028;", "e'", "$é$"]
    assert module(page, "tokens", whole, *odd) == [True] * len(odd)


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
    expect(first.locator("a")).to_have_count(2, timeout=_PATIENCE_MS)
    for link in first.locator("a").all():
        assert link.get_attribute("href") == f"/run/{key}"


def test_what_was_cut_is_said(sql: Callable[..., Page]) -> None:
    """Rows beyond the limit, long values, and none at all."""
    page = sql("SELECT i, repeat('x', 20000) AS long FROM range(1500) t(i)", limit="1000")
    expect(page.locator(".sql-count")).to_contain_text("First 1,000 rows", timeout=_PATIENCE_MS)
    expect(page.locator(".sql-note")).to_contain_text("There are more rows than the 1,000")
    expect(page.locator(".sql-note")).to_contain_text("1,000 values are long")
    page.get_by_label("Rows to load").select_option("10000")
    expect(page.locator(".sql-count")).to_contain_text("1,500 rows", timeout=_PATIENCE_MS)
    write(page, "SELECT 1 WHERE false")
    run(page)
    expect(page.locator(".sql-note")).to_contain_text("No row is the answer")


def test_a_million_rows_are_scrolled(sql: Callable[..., Page]) -> None:
    """As many as can be loaded: only those in sight are in the page."""
    page = sql("SELECT i, i * 2 AS twice FROM range(100000) t(i)", limit="100000")
    expect(page.locator(".sql-count")).to_contain_text("100,000 rows", timeout=_PATIENCE_MS)
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
    expect(picture).to_have_attribute("aria-label", again, timeout=_PATIENCE_MS)
    expect(tools.get_by_label("log y")).to_be_checked()
    page.go_back()
    expect(tools.get_by_label("log y")).not_to_be_checked(timeout=_PATIENCE_MS)
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
    expect(note).to_contain_text("The first 50 of 60 series", timeout=_PATIENCE_MS)
    write(page, "SELECT n, v FROM (VALUES ('a', 1), ('a', 2), ('b', NULL)) t(n, v)")
    run(page)
    expect(page.locator(".sql-chart-note")).to_contain_text("added up")
    expect(page.locator(".sql-chart-note")).to_contain_text("1 point without a number is left out")
    write(page, "SELECT 'x' AS only_text")
    run(page)
    expect(page.get_by_text("No column of numbers")).to_be_visible()


def test_what_runs_again_is_what_was_asked(sql: Callable[..., Page]) -> None:
    """A selection with more rows is that selection; undo brings the answer of the other statement."""
    page = sql()
    text = "SELECT 1 AS a;\nSELECT i FROM range(2000) t(i)"
    write(page, text)
    editor = page.get_by_label("SQL", exact=True)
    editor.evaluate("(el) => el.setSelectionRange(15, el.value.length)")
    run(page)
    expect(page.get_by_role("columnheader", name="i", exact=False)).to_be_visible()
    with page.expect_request("**/api/v1/sql") as asked:
        page.get_by_label("Rows to load").select_option("1000")
    assert asked.value.post_data_json["query"] == text[15:]
    assert asked.value.post_data_json["limit"] == 1000
    editor.evaluate("(el) => el.setSelectionRange(3, 3)")
    run(page)
    assert rows(page) == [["1"]]
    editor.evaluate("(el) => el.setSelectionRange(20, 20)")
    run(page)
    assert len(rows(page)) > 1
    with page.expect_response("**/api/v1/sql"):
        page.go_back()
    assert rows(page) == [["1"]]
    assert editor.input_value() == text


def test_the_whole_answer_is_downloaded(sql: Callable[..., Page]) -> None:
    """Beyond what is loaded, in each form, under a name of its own."""
    page = sql("SELECT i, 'a,b' AS t FROM range(2500) t(i) ORDER BY i", limit="1000")
    rows(page)
    for form in ("CSV", "Parquet", "Arrow stream", "JSON"):
        page.get_by_role("button", name="Download", exact=True).click()
        with page.expect_download(timeout=_PATIENCE_MS) as download:
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


def test_a_statement_is_cancelled(sql: Callable[..., Page], server_url: str) -> None:
    """By the button and by Esc; the answer before stays, and the next statement is answered."""
    page = sql("SELECT 5 AS n")
    assert rows(page) == [["5"]]
    for cancel in ("button", "key", "button"):
        write(page, _ENDLESS)
        page.keyboard.press("Control+Enter")
        stop = page.get_by_role("button", name="Cancel")
        expect(stop).to_be_visible(timeout=_PATIENCE_MS)
        expect(page.locator(".sql-tools")).to_contain_text("Running for")
        if cancel == "button":
            stop.click()
        else:
            page.keyboard.press("Escape")
        expect(stop).to_be_hidden()
        expect(page.locator(".sql-tools")).to_contain_text("Cancelled")
        assert rows(page) == [["5"]]
    write(page, "SELECT 6 AS n")
    run(page)
    assert rows(page) == [["6"]]


def test_tables_are_searched_and_inserted(sql: Callable[..., Page]) -> None:
    """Words beside names; a click writes at the caret."""
    page = sql()
    write(page, "SELECT  FROM runs")
    page.get_by_label("SQL", exact=True).evaluate("(el) => el.setSelectionRange(7, 7)")
    page.get_by_label("Find a table or column").fill("wall_time")
    expect(page.locator(".sql-column").first).to_be_visible()
    assert {*page.locator(".sql-column > .sql-name").all_text_contents()} <= {
        "wall_time", "last_wall_time", "first_wall_time",
    }  # fmt: skip
    page.get_by_label("Find a table or column").fill("duplicate_of")
    expect(page.locator(".sql-column")).to_contain_text("run_id of the fullest copy")
    page.locator(".sql-column").click()
    expect(page.get_by_label("SQL", exact=True)).to_have_value("SELECT duplicate_of FROM runs")
    page.get_by_label("Find a table or column").fill("no such thing")
    expect(page.get_by_text("No table or column is called")).to_be_visible()
    page.get_by_label("Find a table or column").fill("")
    page.get_by_role("button", name="Summary of runs").click()
    expect(page.locator(".sql-count")).to_contain_text("rows", timeout=_PATIENCE_MS)
    assert rows(page)[0][0] == "run_id"


def test_history_is_the_readers_own(sql: Callable[..., Page], expected_errors: list[str]) -> None:
    """The newest first, each text once, with what came of it; one click runs it again."""
    expected_errors.append("400")
    page = sql()
    for text in ("SELECT 1 AS a", "SELECT 2 AS b", "SELECT nope", "SELECT 1 AS a"):
        write(page, text)
        run(page)
    page.get_by_role("tab", name="History").click()
    items = page.get_by_role("list", name="History").get_by_role("button")
    expect(items).to_have_count(3)
    texts = [one.locator("code").text_content() for one in items.all()]
    assert texts == ["SELECT 1 AS a", "SELECT nope", "SELECT 2 AS b"]
    expect(items.nth(1)).to_contain_text("failed")
    with page.expect_response("**/api/v1/sql"):
        items.nth(2).click()
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("2")
    page.reload()
    expect(items).to_have_count(3)
    page.get_by_role("button", name="Forget all").click()
    expect(page.get_by_text("What you run is listed here")).to_be_visible()


def test_queries_are_saved_under_a_name(sql: Callable[..., Page]) -> None:
    """With chart and order; the link opens it; it can be deleted."""
    page = sql("SELECT 'a' AS n, 1 AS v UNION ALL SELECT 'b', 2", show="chart", side="saved")
    expect(page.locator(".sql-chart canvas")).to_be_visible(timeout=_PATIENCE_MS)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="needs a name")).to_be_visible()
    page.get_by_label("Name of this query").fill("<b>My bars</b>")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="<b>My bars</b>")
    link.click()
    page.wait_for_url("**/v/*")
    drawn(page, "Bar chart of v by n")
    page.get_by_role("button", name="Delete <b>My bars</b>").click()
    expect(link).to_have_count(0)


@pytest.fixture(scope="module")
def empty_url(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[str]:
    """The address of a server over a lake without runs."""
    root = tmp_path_factory.mktemp("empty-sql")
    (root / "logs").mkdir()
    config = root / "boardlake.toml"
    config.write_text(f'[lake]\npath = "{root}/lake"\n[sources.here]\nuri = "{root}/logs"\n')
    assert main(["--config", str(config), "ingest"]) == 0
    with serve(root / "lake", root / "state") as url:
        yield url


@pytest.mark.parametrize("lake", ["samples", "empty"])
def test_examples_run_on_any_lake(page: Page, server_url: str, empty_url: str, lake: str) -> None:
    """Each of them has an answer; over the samples with rows, and its chart can be drawn."""
    page.goto(f"{server_url if lake == 'samples' else empty_url}/sql")
    examples = module(page, "examples", "return m.EXAMPLES;")
    assert len(examples) >= 12
    for one in examples:
        answer = page.request.post(
            page.url.replace("/sql", "/api/v1/sql"),
            data=json.dumps({"query": one["sql"], "format": "json"}),
            headers={"Content-Type": "application/json"},
        )
        told = answer.json()
        assert answer.status == 200, (one["title"], told)
        assert told["rows"] or lake == "empty" or one["title"] == "Problems by source", one["title"]
        names = {column["name"] for column in told["columns"]}
        chart = one.get("chart")
        assert not chart or {chart["x"], *chart["y"], chart.get("by", chart["x"])} <= names


def test_an_example_is_opened_from_the_empty_page(sql: Callable[..., Page]) -> None:
    """One click writes, runs and draws it; the browser's undo brings the text back."""
    page = sql()
    page.get_by_role("button", name="Points by day").first.click()
    drawn(page, "Bar chart of points by day")
    page.get_by_label("SQL", exact=True).press("Control+z")
    expect(page.get_by_label("SQL", exact=True)).to_have_value("")


def test_the_editor_helps_with_lines(sql: Callable[..., Page]) -> None:
    """Indent goes along, lines become comments and no longer, brackets find each other."""
    page = sql()
    editor = page.get_by_label("SQL", exact=True)
    editor.click()
    page.keyboard.type("SELECT (")
    page.keyboard.press("Enter")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    page.keyboard.type(")")
    assert editor.input_value() == "SELECT (\n  1\n  )"
    expect(page.locator(".sql-shown .mate")).to_have_count(2)
    expect(page.locator(".sql-lines")).to_have_text("1\n2\n3")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+/")
    assert editor.input_value() == "-- SELECT (\n--   1\n--   )"
    page.keyboard.press("Control+/")
    assert editor.input_value() == "SELECT (\n  1\n  )"


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
