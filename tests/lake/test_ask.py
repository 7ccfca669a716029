"""A user's SQL: one reading statement, patient with upkeep, stopped by Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from boardlake.core.errors import LakeError, UsageError
from boardlake.lake import ask
from boardlake.lake.database import open_lake
from boardlake.lake.location import Location, locate


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Location:
    place = locate(str(tmp_path_factory.mktemp("lake")))
    with open_lake(place, read_only=False, create=True) as lake:
        lake.con.execute("INSERT INTO run_facts (run_id, name) VALUES (1, 'one'), (2, 'two')")
    return place


@pytest.fixture(scope="module")
def con(location: Location) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_lake(location) as lake:
        yield lake.con


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM run_facts",
        "WITH a AS (SELECT 1) FROM a;",
        "FROM run_facts -- a comment; with a semicolon",
        "VALUES (1)",
        "DESCRIBE runs",
        "SUMMARIZE run_facts",
        "SHOW TABLES",
        "EXPLAIN SELECT 1",
        "PIVOT run_facts ON name USING count(*)",
        "PIVOT run_facts ON name IN ('one') USING count(*)",
    ],
)
def test_every_way_to_read_is_answered(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """A reading statement has rows, whole and in batches alike."""
    table = ask.ask(con, sql)
    schema, batches = ask.stream(con, sql)
    assert table.num_rows > 0
    assert sum(batch.num_rows for batch in batches) == table.num_rows
    assert schema.names == table.column_names


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("COPY run_facts TO 'x.csv'", "boardlake export"),
        ("DELETE FROM run_facts", "boardlake delete"),
        ("SET threads = 1", "read-only"),
        ("ATTACH 'x' AS x", "read-only"),
        ("WITH a AS (SELECT 1) INSERT INTO hparams FROM a", "INSERT is not taken"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("  -- nothing", "no statement"),
        ("SELECT * FROM ducklake_cleanup_old_files('lake', cleanup_all => true)", "maintain"),
        ("CALL ducklake_expire_snapshots ('lake')", "CALL is not taken"),
    ],
)
def test_what_does_not_read_is_refused(
    con: duckdb.DuckDBPyConnection, sql: str, message: str
) -> None:
    """Whatever is not one reading statement is refused with what to do instead."""
    for way in (ask.ask, ask.stream):
        with pytest.raises(UsageError, match=message) as caught:
            way(con, sql)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nam FROM run_facts", '"name"'),
        ("SELECT * FROM run_fact", 'Did you mean "run_facts"'),
        ("SELEC 1", "syntax error"),
        ("SELECT 'a\x1b[31m'::INT", r"a\?\[31m"),
        ("SELECT CASE WHEN range = 300000 THEN error('late') END FROM range(400000)", "late"),
    ],
)
def test_errors_are_those_of_duckdb(con: duckdb.DuckDBPyConnection, sql: str, message: str) -> None:
    """DuckDB's message comes through with its suggestion and without control characters."""
    # Of several threads one may tell that it was interrupted because another met the error.
    con.execute("SET threads = 1")
    with pytest.raises(UsageError, match=message):
        ask.ask(con, sql)
    with pytest.raises(UsageError, match=message):
        list(ask.stream(con, sql, 1000)[1])
    assert ask.ask(con, "SELECT 1").num_rows == 1


def test_the_lake_itself_cannot_be_written(con: duckdb.DuckDBPyConnection) -> None:
    """Even what passes the check changes nothing: the lake is attached read-only."""
    with pytest.raises(UsageError, match="read-only"):
        ask.ask(con, "EXPLAIN ANALYZE DELETE FROM run_facts")
    assert ask.ask(con, "FROM run_facts").num_rows == 2


def test_names_of_columns_are_distinct(con: duckdb.DuckDBPyConnection) -> None:
    """Columns of the same name are told apart, also from one that looks like the new name."""
    sql = "SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a"
    assert ask.ask(con, sql).column_names == ["a", "a_1", "a_1_1", "a_2"]


def test_parameters_are_bound(con: duckdb.DuckDBPyConnection) -> None:
    """A parameter is a value, whatever it holds."""
    found = ask.ask(con, "SELECT $name AS n", {"name": "'; DROP TABLE x"})
    assert found["n"].to_pylist() == ["'; DROP TABLE x"]


@pytest.mark.parametrize(
    "text", ["IO Error: Cannot open file x.parquet", "TransactionContext Error: database is locked"]
)
def test_a_read_is_tried_again_when_upkeep_comes_between(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """A passing failure is not seen; one that stays ends in an error after a few tries."""
    monkeypatch.setattr(ask, "_WAITS_S", (0.0, 0.0))
    failures = [duckdb.IOException(text), OSError(text)]

    def passing() -> str:
        if failures:
            raise failures.pop()
        return "read"

    def lasting() -> str:
        failures.append(duckdb.IOException(text))
        raise failures[-1]

    assert ask.read(con, passing) == "read"
    with pytest.raises(LakeError, match="cannot be read"):
        ask.read(con, lasting)
    assert len(failures) == 3


def test_other_failures_are_not_tried_again(con: duckdb.DuckDBPyConnection) -> None:
    """An error of the statement itself is passed on at once."""
    tries: list[int] = []

    def wrong() -> None:
        tries.append(1)
        raise duckdb.BinderException("no such column")

    with pytest.raises(duckdb.BinderException):
        ask.read(con, wrong)
    assert tries == [1]


def test_a_read_outlives_the_removal_of_its_files(tmp_path: Path) -> None:
    """Rows rewritten and files cleaned up under an open reader are read from where they are now."""
    location = locate(str(tmp_path / "lake"))
    with open_lake(location, read_only=False, create=True) as writer, open_lake(location) as reader:
        writer.con.execute("INSERT INTO hparams (run_id, name) VALUES (1, 'a')")
        assert ask.ask(reader.con, "FROM hparams").num_rows == 1
        writer.con.execute("INSERT INTO hparams (run_id, name) VALUES (2, 'b')")
        writer.con.execute("CALL ducklake_merge_adjacent_files('lake')")
        writer.con.execute("CALL ducklake_expire_snapshots('lake', older_than => now())")
        writer.con.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
        assert ask.ask(reader.con, "FROM hparams").num_rows == 2


def test_ctrl_c_stops_a_query_and_leaves_the_connection(con: duckdb.DuckDBPyConnection) -> None:
    """A query that would run for hours ends with KeyboardInterrupt, and the next one is answered."""
    endless = "SELECT sum(a.range * b.range) FROM range(10_000_000) a, range(10_000_000) b"
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ask.ask(con, endless)
    timer.join()
    assert ask.ask(con, "SELECT 1").num_rows == 1


def test_statements_are_parted_but_not_within_texts(con: duckdb.DuckDBPyConnection) -> None:
    """A semicolon parts statements only where SQL says so."""
    assert ask.statements(con, "SELECT ';'; FROM runs") == ["SELECT ';'", "FROM runs"]
    pivot = "PIVOT run_facts ON name USING count(*)"
    assert ask.statements(con, pivot) == [pivot]


def test_relations_are_the_tables_and_views_of_the_lake(con: duckdb.DuckDBPyConnection) -> None:
    """Every column of every relation is listed, and none of DuckDB's own."""
    found = ask.relations(con).to_pylist()
    kinds = {row["relation"]: row["kind"] for row in found}
    assert kinds["runs"] == "view" and kinds["run_facts"] == "table"
    assert {"relation": "runs", "kind": "view", "column": "run_key", "type": "VARCHAR"} in found
    assert not any(name.startswith(("duckdb_", "ducklake_", "sqlite_")) for name in kinds)
