"""Counts of runs by tag and hyperparameter are those of the plain definition, however they are made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from boardlake.lake import counted, history
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

_TAGS = """
    SELECT tag, kind, coalesce(any_value(plugin), '') AS plugin, count(DISTINCT run_id) AS runs,
           CAST(sum(points) AS BIGINT) AS points, list_sort(list(DISTINCT stream)) AS streams
    FROM series_parts WHERE {} GROUP BY tag, kind ORDER BY tag, kind
"""
_HPARAMS = """
    SELECT name, count(DISTINCT run_id) AS runs, count(DISTINCT value) AS "distinct",
           bool_and(number IS NOT NULL) AS "numeric"
    FROM hparams GROUP BY name ORDER BY "distinct" = 1, runs DESC, name
"""


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Runs far apart with several parts, streams and origins each."""
    location = locate(str(tmp_path_factory.mktemp("lake")))
    with open_lake(location, read_only=False, create=True) as lake:
        lake.con.execute(
            "INSERT INTO series_parts (run_id, stream, tag, kind, plugin, points)"
            " SELECT 7 + 100 * (i % 40), ['', 'train', 'eval'][1 + i % 3], 'tag' || (i * i % 11),"
            "        CASE WHEN i % 5 = 0 THEN 'blob' ELSE 'scalar' END,"
            "        CASE WHEN i % 5 = 0 THEN 'images' END, i FROM range(500) t(i)"
        )
        lake.con.execute(
            "INSERT INTO hparams SELECT 7 + 100 * (i % 40), 'h' || (i % 7),"
            "  CASE WHEN i % 7 = 3 THEN 'text' ELSE 'float' END, CAST(i % 4 * (i % 7) AS VARCHAR),"
            "  CASE WHEN i % 7 <> 3 THEN i % 4 END, 'origin' || (i % 2), i % 2 FROM range(300) t(i)"
        )
        yield lake.con


@pytest.mark.parametrize("most", [1 << 28, 0])
def test_counts_are_those_of_the_definition(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Bits and sets of run_ids give the same."""
    monkeypatch.setattr(counted, "_MOST_BITS", most)
    every = con.execute(_TAGS.format("true")).to_arrow_table().to_pylist()
    assert len(every) > 11 and counted.tags_of(con, None).to_pylist() == every
    where = "run_id IN (7, 1007, 3907) AND kind = 'scalar'"
    some = con.execute(_TAGS.format(where)).to_arrow_table().to_pylist()
    assert some and counted.tags_of(con, [7, 1007, 3907, 12345], "scalar").to_pylist() == some
    assert counted.tags_of(con, []).num_rows == 0
    names = con.execute(_HPARAMS).to_arrow_table().to_pylist()
    assert len(names) == 7 and counted.hparam_names(con).to_pylist() == names


def test_the_commonest_tags_come_first(con: duckdb.DuckDBPyConnection) -> None:
    """For completion and for the Python API."""
    runs = history.tags(con)["runs"].to_pylist()
    assert runs == sorted(runs, reverse=True)


def test_an_empty_lake_has_no_names(tmp_path: Path) -> None:
    """Without runs there are no tags and no hyperparameters, and asking is no error."""
    with open_lake(locate(str(tmp_path)), read_only=False, create=True) as lake:
        assert counted.hparam_names(lake.con).num_rows == 0
        assert counted.tags_of(lake.con, None, "").num_rows == 0
