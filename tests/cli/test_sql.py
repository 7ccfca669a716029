"""`boardlake sql`, as it is typed, and its prompt."""

from __future__ import annotations

import io
import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from pyarrow import parquet

from boardlake.cli import output, prompt
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def con(small_lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_lake(locate(str(small_lake))) as lake:
        yield lake.con


def test_a_query_is_answered(ran: Run) -> None:
    """NaN and infinities are kept, and stderr is silent without a terminal."""
    done = ran("sql", "SELECT count(*) AS n, 'nan'::DOUBLE AS x FROM scalars", "--json")
    assert (done.code, json.loads(done.out), done.err) == (0, [{"n": 300, "x": "NaN"}], "")


@pytest.mark.parametrize("arguments", [["-"], []])
def test_a_query_comes_from_stdin(
    ran: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """`-` reads stdin, and so does no query at all where stdin is no terminal."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 1 AS a\n;\n"))
    assert json.loads(ran("sql", *arguments, "--json").out) == [{"a": 1}]


def test_a_terminal_shows_the_first_rows(ran: Run) -> None:
    """A page of rows, and that there are more; a small result is counted."""
    done = ran("sql", "SELECT step FROM scalars ORDER BY step", width=80)
    assert len(done.out.splitlines()) == 102 and done.err.startswith("the first 100 rows")
    assert ran("sql", "SELECT 1", width=80).err == "1 row\n"
    assert ran("sql", "SELECT 1 WHERE false", width=80).err == "0 rows\n"
    exact = ran("sql", "SELECT step FROM scalars LIMIT 100", width=80)
    assert exact.err == "100 rows\n"
    assert len(ran("sql", "SELECT step FROM scalars").out.splitlines()) == 302


def test_a_plan_keeps_its_lines(ran: Run) -> None:
    """EXPLAIN draws over several lines."""
    lines = ran("sql", "EXPLAIN SELECT 1").out.splitlines()
    assert len(lines) > 2 and lines[0].startswith("┌")


def test_a_file_takes_all_rows(ran: Run, tmp_path: Path) -> None:
    """--output holds every row, also when a person sits at a terminal."""
    ran("sql", "FROM scalars", "--output", str(tmp_path / "x.parquet"), width=80)
    assert parquet.read_table(tmp_path / "x.parquet").num_rows == 300


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM scalrs", 'Did you mean "scalars"?'),
        ("SELECT nam FROM runs", "Candidate bindings"),
        ("DELETE FROM runs", "boardlake delete"),
        ("COPY runs TO 'x'", "boardlake export"),
        ("", "no statement"),
    ],
)
def test_an_error_ends_with_2(ran: Run, query: str, message: str) -> None:
    """DuckDB's words and ours, on stderr."""
    done = ran("sql", query)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_attach_prints_what_any_client_runs(ran: Run, tmp_path: Path) -> None:
    """The statements open the lake in a DuckDB of one's own, read-only."""
    done = ran("sql", "--attach")
    with duckdb.connect() as own:
        own.execute(done.out)
        assert own.execute("SELECT count(*) FROM run_facts").fetchall() == [(61,)]
        with pytest.raises(duckdb.Error, match="read-only"):
            own.execute("DELETE FROM run_facts")
    assert ran("sql", "--attach", lake=tmp_path / "none").code == 4


def offered(con: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    names = prompt.Names(con)
    found = names.get_completions(Document(text), CompleteEvent(completion_requested=True))
    return [text[: len(text) + one.start_position] + one.text for one in found]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("SELECT * FROM scala", "SELECT * FROM scalars"),
        ("sel", "SELECT"),
        ("SELECT run_ke", "SELECT run_key"),
        ("FROM runs SELECT runs.mach", "FROM runs SELECT runs.machine"),
        ("FROM scalars WHERE tag = 'lo", "FROM scalars WHERE tag = 'loss'"),
        ("FROM scalars WHERE tag IN ('x', 'lo", "FROM scalars WHERE tag IN ('x', 'loss'"),
        (".sch", ".schema"),
        (".schema scala", ".schema scalars"),
    ],
)
def test_tab_completes(con: duckdb.DuckDBPyConnection, text: str, whole: str) -> None:
    """Keywords, tables, columns, tags and commands, each where it may stand."""
    assert whole in offered(con, text)


def test_tab_knows_where_nothing_fits(con: duckdb.DuckDBPyConnection) -> None:
    """Within another text nothing is offered, and a table's columns are only its own."""
    assert offered(con, "FROM runs WHERE name = 'sel") == []
    assert offered(con, "FROM hparams SELECT machi") == []


def typed(
    con: duckdb.DuckDBPyConnection, keys: str, capfd: pytest.CaptureFixture[str]
) -> tuple[str, list[str]]:
    said: list[str] = []
    with create_pipe_input() as pipe:
        pipe.send_text(keys)
        session: PromptSession[str] = PromptSession(
            history=InMemoryHistory(), input=pipe, output=DummyOutput()
        )
        prompt.run(con, output.Target("csv"), said.append, session)
    return capfd.readouterr().out, said[1:]


def test_the_prompt_answers_until_quit(
    con: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    """A statement may take several lines, two may stand in one, and errors do not end it."""
    keys = "SELECT 41\r+ 1 AS a;\rSELECT nope;\rSELECT 1 AS b; SELECT 2 AS c;\r.quit\rSELECT 3;\r"
    out, said = typed(con, keys, capfd)
    assert out.split() == ['"a"', "42", '"b"', "1", '"c"', "2"]
    assert len(said) == 1 and "nope" in said[0]


def test_ctrl_c_clears_a_line_and_ctrl_d_leaves(
    con: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    """What was begun before Ctrl-C is forgotten."""
    out, said = typed(con, "SELECT nonsense\x03SELECT 1 AS a;\r\x04", capfd)
    assert (out.split(), said) == (['"a"', "1"], [])


def test_the_prompt_explains_the_lake(
    con: duckdb.DuckDBPyConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    """.tables lists, .schema describes, and what is unknown shows the help."""
    out, said = typed(con, ".tables\r.schema hparams\r.schema nope\r.nope\r.help\r\x04", capfd)
    assert '"scalars","view"' in out and '"number","DOUBLE"' in out
    assert "scalars" in said[0] and ".nope is unknown" in said[1] and ".quit" in said[2]


def test_history_is_kept_for_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was typed is in a private file of the state directory; without one, in memory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    prompt.past().store_string("SELECT 1;")
    file = tmp_path / "state" / "boardlake" / "sql_history"
    assert "SELECT 1;" in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    assert isinstance(prompt.past(), InMemoryHistory)
