"""Layer 1: every statement that is more than reading the lake's relations is refused by its tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from boardlake.core.errors import SqlError, UsageError
from boardlake.lake.sandbox.gate import Gate

RELATIONS = frozenset({"runs", "scalars", "hparams", "series"})


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    opened = Gate("256MB")
    yield opened
    opened.con.close()


def no_values(sql: str) -> list[str]:
    """No attack comes as far as to have values listed."""
    raise AssertionError(f"was admitted: {sql}")


def test_every_attack_is_refused(gate: Gate, ground: Any, attacks: list[str]) -> None:
    """The refusal says what is wrong and what is possible; nothing is looked at on the way."""
    assert len(attacks) >= 100 and len(set(attacks)) == len(attacks)
    before = ground.state()
    admitted = []
    for attack in map(ground.said, attacks):
        try:
            gate.admit(attack, RELATIONS, no_values)
        except UsageError as error:
            assert error.message, attack
        else:
            admitted.append(attack)
    assert admitted == []
    assert ground.state() == before and not ground.was_called()


@pytest.mark.parametrize(
    ("sql", "named", "position"),
    [
        ("SELECT * FROM rums", "rums", 14),
        ("SELECT 'ä', * FROM read_text('x')", "read_text", 19),
        ("SELECT current_setting('x')", "current_setting", 7),
        ("SELECT foo(1)", "foo", 7),
        ("SELECT 1 +", "syntax error", None),
        ("COPY runs TO 'x'", "COPY", None),
        ("SELECT * FROM runs AT (VERSION => 1)", "newest", 14),
        ("SELECT 1; SELECT 2", "2 statements", None),
        ("SELECT * FROM lake.other.runs", "lake.other.runs", 14),
    ],
)
def test_a_refusal_names_the_thing(gate: Gate, sql: str, named: str, position: int | None) -> None:
    """Message, hint and, where the tree tells it, the place."""
    with pytest.raises(UsageError, match=named) as caught:
        gate.admit(sql, RELATIONS, no_values)
    if position is not None:
        assert isinstance(caught.value, SqlError) and caught.value.position == position


def test_near_names_are_offered(gate: Gate) -> None:
    """A misspelt table or function is told with the nearest there is."""
    for sql, near in (("FROM rns", "runs"), ("SELECT regexp_matchs('a', 'b')", "regexp_matches")):
        with pytest.raises(SqlError) as caught:
            gate.admit(sql, RELATIONS, no_values)
        assert near in caught.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 " + "+ 1" * 5_000,
        "SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
        "SELECT " + "NOT " * 10_000 + "true",
        "SELECT " + "(SELECT " * 5_000 + "1" + ")" * 5_000,
        "FROM (" * 5_000 + "SELECT 1" + ")" * 5_000,
        "SELECT " + "[" * 20_000 + "]" * 20_000,
        "SELECT 1" + " UNION ALL SELECT 1" * 2_500,
        "WITH " + ", ".join(f"a{i} AS (SELECT 1)" for i in range(2_000)) + " SELECT 1",
        "SELECT '" + "x" * 60_000 + "'",
        "SELECT 1\0; DROP TABLE runs",
        "SELECT '\ud800'",
        "SELECT " + ", ".join(["1"] * 16_000),
        "",
        ";",
    ],
)
def test_what_is_long_deep_or_no_text_is_judged_or_refused(gate: Gate, sql: str) -> None:
    """Neither recursion nor memory ends the judge: it answers the next statement."""
    try:
        assert gate.admit(sql, RELATIONS, no_values) == sql
    except UsageError as error:
        assert error.message
    assert gate.admit("SELECT 1", RELATIONS, no_values) == "SELECT 1"


@pytest.mark.parametrize(
    "name", ["runs", "RUNS", "main.runs", "lake.runs", "lake.main.runs", '"runs"']
)
def test_a_relation_has_its_full_names(gate: Gate, name: str) -> None:
    """Qualified and in any case, as DuckDB has it."""
    assert gate.admit(f"FROM {name}", RELATIONS, no_values)


def test_other_letters_are_other_names(gate: Gate) -> None:
    """Only ASCII letters are the same in both cases: DuckDB would look for a file otherwise."""
    with pytest.raises(SqlError):
        gate.admit("WITH kelvin AS (SELECT 1) FROM \u212aelvin", RELATIONS, no_values)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (SELECT 1 AS x), b AS (FROM a) SELECT * FROM b, A",
        "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a WHERE x < 5) FROM a",
        "SELECT (WITH a AS (SELECT 1) SELECT * FROM a)",
        "WITH runs AS (SELECT * FROM runs) FROM runs",
    ],
)
def test_names_of_ctes_are_known_where_duckdb_knows_them(gate: Gate, sql: str) -> None:
    """Those before, and itself if it is recursive."""
    assert gate.admit(sql, RELATIONS, no_values) == sql


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (FROM a) FROM a",
        "WITH a AS (FROM b), b AS (SELECT 1) FROM a",
        "SELECT (WITH a AS (SELECT 1) SELECT 1) FROM a",
        "WITH RECURSIVE a AS (FROM a UNION ALL FROM a) FROM a",
        "SELECT * FROM (WITH a AS (SELECT 1) FROM a) t, a",
    ],
)
def test_names_of_ctes_are_unknown_elsewhere(gate: Gate, sql: str) -> None:
    """There the name would be looked for in the system's catalog, and among files."""
    with pytest.raises(SqlError, match="no table '[ab]'"):
        gate.admit(sql, RELATIONS, no_values)


def test_pivot_is_written_with_the_values_there_are(gate: Gate) -> None:
    """What is asked for the values is judged as well, and quotes in them stay within them."""
    asked = []

    def values(sql: str) -> list[str]:
        asked.append(sql)
        return ["a", "b'); DROP TABLE runs; --"]

    sql = "WITH s AS (FROM scalars) PIVOT s ON tag || '_ON, ', run_id IN (1, 2) -- x\nUSING max(value)"
    written = gate.admit(sql, RELATIONS, values)
    assert len(asked) == 1 and "FROM s" in asked[0]
    kinds = [one.type for one in duckdb.extract_statements(written)]
    assert kinds == [duckdb.StatementType.SELECT]
    assert re.search(r"IN \('a', 'b''\); DROP TABLE runs; --'\)", written)


def test_show_tables_names_the_relations_alone(gate: Gate) -> None:
    """It is a list of values, and touches no catalog."""
    shown = gate.admit("show tables;", RELATIONS, no_values)
    assert duckdb.sql(shown).fetchall() == [(name,) for name in sorted(RELATIONS)]


def test_no_function_that_tells_of_the_server_is_offered(gate: Gate) -> None:
    """By what DuckDB says of them: none that reads settings, files, logs or runs text is left."""
    offered = gate._functions
    assert {"sum", "regexp_extract", "strftime", "json_extract", "list_transform"} <= offered
    suspicious = re.compile(
        r"setting|variable|getenv|file|read_|scan|attach|log_|serialize|query|sleep"
    )
    harmless = {"parse_filename", "list_filter", "array_filter", "filter"}
    assert {name for name in offered if suspicious.search(name)} <= harmless
