"""The editor of the SQL page: what runs a statement, where errors point, what is completed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .conftest import PATIENCE_MS, module, rows, run, write

_ENDLESS = "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range % 7 = b.range"


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
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("1", timeout=PATIENCE_MS)
    assert page.get_by_label("SQL", exact=True).input_value().startswith("SELECT 1")
    page.goto(address)
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("2", timeout=PATIENCE_MS)


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
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("3", timeout=PATIENCE_MS)
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
    page.wait_for_url("**/v/*", timeout=PATIENCE_MS)
    page.reload()
    expect(page.locator(".sql-rows .space .cell").nth(1)).to_have_text("7", timeout=PATIENCE_MS)
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
    expect(page.locator(".sql-count")).to_contain_text("rows", timeout=PATIENCE_MS)
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
    expect(option.first).to_contain_text("val/", timeout=PATIENCE_MS)
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


def test_a_statement_is_cancelled(sql: Callable[..., Page], server_url: str) -> None:
    """By the button and by Esc; the answer before stays, and the next statement is answered."""
    page = sql("SELECT 5 AS n")
    assert rows(page) == [["5"]]
    for cancel in ("button", "key", "button"):
        write(page, _ENDLESS)
        page.keyboard.press("Control+Enter")
        stop = page.get_by_role("button", name="Cancel")
        expect(stop).to_be_visible(timeout=PATIENCE_MS)
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
