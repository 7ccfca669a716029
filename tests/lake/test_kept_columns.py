"""Columns in memory give the same answers as the lake, and only while it stays as it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from boardlake.lake import kept_columns
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.history import find
from boardlake.lake.location import locate
from boardlake.lake.readers import Readers
from boardlake.lake.search import Names, Query, page

_RUNS = 40
_QUERIES = (
    Query(columns=("run_id", "hp.lr", 'last("loss")'), sort=('-last("loss")',), limit=7),
    Query("hp.lr > 3", ("run_id", "hp.lr"), sort=("hp.lr", "-hp.kind"), limit=50),
    Query("min(\"loss\") < 20 and hp.kind = 'a'", ("run_id", 'max("loss", "eval")'), limit=50),
    Query(columns=('last("loss")', "hp.kind"), group_by=("hp.kind",), sort=("-runs",)),
    Query(columns=("hp.lr", "hp.kind", "hp.lr * 2 as twice"), sort=("run_id",), offset=30),
    Query("nan_tags > 0", ("run_id", "nan_tags", "hp.nan_tags"), sort=("-nan_tags", "hparams")),
    Query("clock_skew_s is null", ("stopped_tags", "problems"), group_by=("nan_tags", "hparams")),
    Query('first_nan("loss") < 9', ("run_id", 'nan_count("loss")'), sort=('-first_nan("loss")',)),
)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Lake]:
    """A lake whose runs have hyperparameters of several origins and metrics of several streams."""
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as lake:
        _add(lake, 0, _RUNS)
        yield lake


@pytest.fixture
def readers(writer: Lake) -> Iterator[Readers]:
    opened = Readers(open_lake(writer.location))
    yield opened
    opened.close()


def _add(lake: Lake, first: int, last: int) -> None:
    runs = f"FROM range({first}, {last}) t(i)"
    lake.con.execute(
        f"INSERT INTO run_facts BY NAME SELECT i AS run_id, 'k' || i AS run_key {runs}"
    )
    lake.con.execute(
        "INSERT INTO files BY NAME SELECT i AS file_id, i AS run_id, 1.7e9 AS last_wall_time,"
        f" 1.7e9 AS grew_at {runs}"
    )
    lake.con.execute(
        f"INSERT INTO hparams SELECT i, 'lr', 'float', CAST(i % 9 AS VARCHAR), i % 9, 'args', 2 {runs}"
    )
    lake.con.execute(
        f"INSERT INTO hparams SELECT i, 'lr', 'text', 'auto', NULL, 'yaml', 1 {runs} WHERE i % 5 = 0"
    )
    lake.con.execute(
        "INSERT INTO hparams SELECT i, 'kind', 'text', ['a', 'b'][1 + i % 2], NULL, 'args', 1"
        f" {runs} WHERE i % 3 <> 0"
    )
    lake.con.execute(
        "INSERT INTO series_parts BY NAME SELECT i AS run_id, ['', 'eval'][1 + k] AS stream,"
        " 'loss' AS tag, 'scalar' AS kind, 10 AS points, i + k AS \"last\", i AS \"min\","
        ' 2 * i + k AS "max", 10 AS last_step, i % 3 AS nan_count, 0 AS inf_count,'
        f" CASE WHEN i % 3 > 0 THEN i % 11 END AS nan_step {runs}, range(2) u(k)"
        " WHERE (i + k) % 4 <> 0"
    )
    # A hyperparameter may be called like a field.
    lake.con.execute(
        f"INSERT INTO hparams SELECT i, 'nan_tags', 'float', 'x', NULL, 'args', 1 {runs} WHERE i % 7 = 0"
    )


def _names(readers: Readers, *, kept: bool) -> Names:
    known = readers.known()
    return Names(hparams=known.hparams, series=known.series, kept=readers.kept if kept else None)


def _rows(readers: Readers, query: Query, *, kept: bool) -> tuple[list[dict[str, object]], int]:
    with readers.cursor() as con:
        table, total = page(con, query, _names(readers, kept=kept))
    return table.to_pylist(), total


def _until_kept(readers: Readers, query: Query) -> None:
    for _ in range(6):
        _rows(readers, query, kept=True)
        readers.kept.close()


@pytest.mark.parametrize("query", _QUERIES, ids=lambda query: query.filter or str(query.columns))
def test_answers_from_memory_are_those_of_the_lake(readers: Readers, query: Query) -> None:
    """Before there is anything in memory, and after."""
    truth = _rows(readers, query, kept=False)
    assert _rows(readers, query, kept=True) == truth
    assert not readers.kept.tables()
    _until_kept(readers, query)
    assert readers.kept.tables()
    assert _rows(readers, query, kept=True) == truth


def test_a_changed_lake_is_read_anew(readers: Readers, writer: Lake) -> None:
    """Nothing of before is shown once there is a new snapshot."""
    query = replace(_QUERIES[0], limit=1_000)
    _until_kept(readers, query)
    _add(writer, _RUNS, _RUNS + 5)
    readers.look()
    assert not readers.kept.tables()
    found = _rows(readers, query, kept=True)
    assert found == _rows(readers, query, kept=False) and found[1] == _RUNS + 5
    _until_kept(readers, query)
    assert _rows(readers, query, kept=True) == found


@pytest.mark.parametrize("lately", [0.0, 1e9])
def test_there_is_room_for_so_much_only(
    readers: Readers, monkeypatch: pytest.MonkeyPatch, lately: float
) -> None:
    """What was not used lately makes room, and leaves memory once statements have found it."""
    monkeypatch.setattr(kept_columns, "_FOUND_AFTER_S", 0.0)
    monkeypatch.setattr(kept_columns, "_LATELY_S", lately)
    monkeypatch.setattr(kept_columns, "_MOST_BYTES", _RUNS * kept_columns._HPARAM_BYTES)
    made = []
    for column in ("hp.lr", "hp.kind", 'last("loss")', 'min("loss")', 'max("loss")'):
        time.sleep(0.01)
        _until_kept(readers, Query(columns=(column,)))
        made.append(readers.kept.tables())
    with readers.cursor() as con:
        found = con.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'kept%'")
        there = [name for (name,) in found.fetchall()]
    if lately:
        assert made == [["kept_1"]] * 5 and there == ["kept_1"]
    else:
        assert made[1:3] == [["kept_2"], ["kept_3"]]
        assert made[4] == ["kept_3", "kept_4", "kept_5"] and sorted(there) == made[4]


def test_a_column_without_room_stays_in_the_lake(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded, answers are the same."""
    monkeypatch.setattr(kept_columns, "_MOST_BYTES", 10)
    _until_kept(readers, _QUERIES[0])
    assert not readers.kept.tables()
    assert _rows(readers, _QUERIES[0], kept=True) == _rows(readers, _QUERIES[0], kept=False)


def test_a_table_that_went_too_soon_is_done_without(readers: Readers) -> None:
    """A statement that comes late is asked again of the lake."""
    _until_kept(readers, _QUERIES[0])
    with readers.cursor() as con:
        for name in readers.kept.tables():
            con.execute(f"DROP TABLE memory.main.{name}").fetchall()
        found = find(con, _QUERIES[0], _names(readers, kept=True))
        assert found.to_pylist() == find(con, _QUERIES[0], _names(readers, kept=False)).to_pylist()
