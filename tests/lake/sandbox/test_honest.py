"""What people ask: the same answers from the sandbox as from a connection of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from boardlake.core.errors import LimitError, SqlError, UsageError
from boardlake.lake import ask
from boardlake.lake.readers import Readers
from boardlake.lake.sandbox import values
from boardlake.lake.sandbox.pool import Answer, Sandbox

_LINES = (Path(__file__).parent / "honest.sql").read_text("utf-8").splitlines()
HONEST = [line for line in _LINES if line and not line.startswith("#")]


def table(answer: Answer) -> pa.Table:
    return pa.ipc.open_stream(answer.stream).read_all()


@pytest.mark.parametrize("sql", HONEST)
def test_the_answer_is_that_of_a_plain_connection(
    sandbox: Sandbox, readers: Readers, sql: str
) -> None:
    """Names, types and values, to the last one."""
    with readers.apart() as con:
        plain = ask.ask(con, sql)
    found = table(sandbox.ask(sql, rows=100_000))
    assert found.schema.equals(plain.schema)
    # NaN is no NaN's equal, but is written alike.
    assert found.equals(plain) or repr(found.to_pydict()) == repr(plain.to_pydict())


@pytest.mark.parametrize(
    ("sql", "given"),
    [
        ("SELECT ?::INT + 1, ?, ?", [1, "it's", None]),
        ("SELECT $a, $b", {"a": 1.5, "b": [[1, 2], [3]]}),
        (
            "SELECT count(*) FROM scalars WHERE tag = ? AND run_id IN (SELECT unnest(?))",
            ["loss", [1, 2]],
        ),
        ("SELECT $1, $1 || 'x'", [True]),
    ],
)
def test_parameters_are_values(sandbox: Sandbox, readers: Readers, sql: str, given: Any) -> None:
    """They mean what they mean to DuckDB, whatever is in them."""
    with readers.apart() as con:
        plain = ask.ask(con, sql, given)
    found = table(sandbox.ask(sql, values.encode(given)))
    assert found.schema.equals(plain.schema) and found.to_pydict() == plain.to_pydict()


@pytest.mark.parametrize(
    ("sql", "position"),
    [
        ("SELECT foo FROM runs", 7),
        ("SELECT 'ä',\n foo FROM runs", 13),
        ("SELECT name + 1 FROM runs", 12),
        ("SELECT 'abc'::INT", 12),
        ("SELEC 1", 0),
        ("SELECT * FROM runs WHERE", 24),
        ("SELECT sum(value FROM scalars", 17),
        ("SELECT ?", None),
        ("SELECT error('my own words')", None),
    ],
)
def test_errors_are_those_of_a_plain_connection(
    sandbox: Sandbox, readers: Readers, sql: str, position: int | None
) -> None:
    """With DuckDB's words, and the place in the statement where it tells one."""
    with readers.apart() as con, pytest.raises(SqlError) as plain:
        ask.ask(con, sql)
    with pytest.raises(SqlError) as caught:
        sandbox.ask(sql)
    assert caught.value.message.split("\n")[0] == plain.value.message.split("\n")[0]
    assert caught.value.position == position


def test_rows_are_cut_off_and_that_is_told(sandbox: Sandbox) -> None:
    """At the limit and not one row earlier."""
    for rows, truncated in ((0, True), (4, True), (5, False), (6, False)):
        answer = sandbox.ask("SELECT * FROM runs ORDER BY run_id", rows=rows)
        assert (answer.rows, answer.truncated) == (min(rows, 5), truncated)
        assert table(answer)["run_id"].to_pylist() == list(range(1, min(rows, 5) + 1))


def test_bytes_are_cut_off_and_that_is_told(made: Any) -> None:
    """An answer is no larger than it may be; a single row that is larger is refused."""
    small = made(result_bytes=1 << 20)
    answer = small.ask("SELECT repeat('x', 1000) AS x FROM range(100000)", rows=1_000_000)
    assert answer.truncated and 900 < answer.rows < 1_100
    assert table(answer)["x"].to_pylist() == ["x" * 1000] * answer.rows
    with pytest.raises(LimitError, match="a row of the answer"):
        small.ask("SELECT repeat('x', 5000000)")


def test_pivot_refuses_what_duckdb_refuses(sandbox: Sandbox) -> None:
    """Too many values, or a parameter in what they are taken from."""
    with pytest.raises(SqlError, match="more than 1000 values"):
        sandbox.ask("PIVOT (FROM range(5000) t(i)) ON i USING count(*)")
    with pytest.raises(UsageError):
        sandbox.ask("PIVOT (FROM runs WHERE run_id > ?) ON name USING count(*)", [1])
    with pytest.raises(SqlError, match='"nope" not found'):
        sandbox.ask("PIVOT runs ON nope USING count(*)")
