"""A search within texts: what matches, where, and that it ends."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.core.errors import LimitError, UsageError
from boardlake.lake import text_search
from boardlake.lake.tensors import MAX_CHARS

_TEXTS = {
    1: [("a", "", 0, ["The **learning rate** is 0.001"]), ("a", "", 5, ["Übergröße, ÜBERALL"])],
    2: [("b", "eval", 0, ["one", "two", "three"]), ("a", "", 1, ["x" * MAX_CHARS + "needle"])],
    3: [("a", "", 0, ["before " * 50 + "middle" + " after" * 50])],
}


def fill(texts: dict[int, list[tuple[str, str, int, list[str]]]]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE tensors (run_id BIGINT, stream VARCHAR, tag VARCHAR, step BIGINT,"
        " wall_time DOUBLE, plugin VARCHAR, strings VARCHAR[], superseded BOOLEAN,"
        " file_id BIGINT, record BIGINT)"
    )
    record = 0
    for run_id, rows in texts.items():
        for tag, stream, step, strings in rows:
            record += 1
            con.execute(
                "INSERT INTO tensors VALUES (?, ?, ?, ?, 1, 'text', ?, false, 1, ?)",
                [run_id, stream, tag, step, strings, record],
            )
    return con


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = fill(_TEXTS)
    yield opened
    opened.close()


def found(
    con: duckdb.DuckDBPyConnection,
    query: str,
    *,
    regex: bool = False,
    ids: tuple[int, ...] = (3, 1, 2),
) -> list[tuple[int, int, list[str]]]:
    _, hits = text_search.search(con, query, ids, regex=regex)
    return [(hit.run_id, hit.step, [hit.snippet[a:b] for a, b in hit.matches]) for hit in hits]


def test_words(con: duckdb.DuckDBPyConnection) -> None:
    """All must occur, in any order and case; phrases as they are; special characters are text."""
    assert found(con, "rate LEARNING") == [(1, 0, ["learning", "rate"])]
    assert found(con, '"learning rate"') == [(1, 0, ["learning rate"])]
    assert found(con, '"rate learning"') == [] == found(con, "rate nowhere")
    assert found(con, "**") == [(1, 0, ["**", "**"])]
    assert found(con, "0.001") == [(1, 0, ["0.001"])] and found(con, "0x001") == []
    assert found(con, "überall") == [(1, 5, ["ÜBERALL"])]
    assert found(con, "two one") == [(2, 0, ["one", "two"])]


def test_regular_expressions(con: duckdb.DuckDBPyConnection) -> None:
    """Every place is found; lines are the strings of a text; what matches nothing marks nothing."""
    assert found(con, r"\b[ot]\w+", regex=True, ids=(2,)) == [(2, 0, ["one", "two", "three"])]
    assert found(con, r"(?m)^two$", regex=True) == [(2, 0, ["two"])]
    assert found(con, r"z*", regex=True, ids=(1,)) == [(1, 0, []), (1, 5, [])]
    assert found(con, r"(?-i)überall", regex=True) == []


def test_order_and_number(con: duckdb.DuckDBPyConnection) -> None:
    """Runs in the order asked for, steps in theirs; all are counted."""
    total, hits = text_search.search(con, "e", (2, 1), limit=2)
    assert total == 3 and [(hit.run_id, hit.step) for hit in hits] == [(2, 0), (1, 0)]
    assert text_search.search(con, "e", ()) == (0, [])


def test_snippets(con: duckdb.DuckDBPyConnection) -> None:
    """What stands around the first place, and whether there is more on either side."""
    _, (hit,) = text_search.search(con, "middle", (3,))
    assert hit.before and hit.after and "before middle after" in hit.snippet
    _, (hit,) = text_search.search(con, "rate", (1,))
    assert not hit.before and not hit.after and not hit.cut


def test_what_is_never_shown_is_not_found(con: duckdb.DuckDBPyConnection) -> None:
    """A text is searched as far as it is shown, and a hit in it says that it goes on."""
    assert found(con, "needle") == []
    _, (hit,) = text_search.search(con, "xx", (2,))
    assert hit.cut


@pytest.mark.parametrize("query", ["(", "[a", r"\Q(", "a**", "(?<=a)b"])
def test_no_expression(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refused with RE2's reason, unless RE2 takes it."""
    try:
        found(con, query, regex=True)
    except UsageError as error:
        assert "query" in str(error)


_ALPHABET = st.text("ab .*(é\n", max_size=30)


@given(text=_ALPHABET, word=st.text("ab.*(é", min_size=1, max_size=3))
def test_places_are_those_of_the_word(text: str, word: str) -> None:
    """Python finds the same, wherever they are."""
    with fill({1: [("t", "", 0, [text])]}) as own:
        _, hits = text_search.search(own, word, (1,))
    places = [list(match.span()) for match in re.finditer(re.escape(word), text, re.IGNORECASE)]
    assert [hit.matches for hit in hits] == ([places] if places else [])
    assert [hit.places for hit in hits] == ([len(places)] if places else [])


def test_a_search_ends() -> None:
    """One that takes too long is interrupted and says so; the connection can be used again."""
    with fill({1: [("t", "", step, ["ab" * 100_000]) for step in range(300)]}) as own:
        with pytest.raises(LimitError, match="longer"):
            text_search.search(own, "(a|b)*c|" * 40 + "d", (1,), regex=True, seconds=0.001)
        time.sleep(0.01)
        assert own.execute("SELECT 1").fetchall() == [(1,)]
