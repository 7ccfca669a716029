"""Points, series and hyperparameters by run and tag."""

from __future__ import annotations

import math
from collections.abc import Iterator

import duckdb
import pytest

from boardlake.core.errors import UsageError
from boardlake.lake import history
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

ROWS = [
    # run_id, stream, tag, step, wall_time, value, attempt, superseded, record
    (1, "", "loss", 0, 100.0, 3.0, 0, False, 0),
    (1, "", "loss", 10, 110.0, 2.0, 0, True, 1),
    (1, "", "loss", 5, 120.0, math.nan, 1, False, 2),
    (1, "", "loss", 5, 121.0, 1.0, 1, False, 3),
    (1, "val", "loss", 0, 130.0, 9.0, 0, False, 0),
    (1, "", "loss_100%", 0, 100.0, 7.0, 0, False, 4),
    (2, "", "loss", 0, 1e300, math.inf, 0, False, 0),
    (2, "", "lossy", 0, 90.0, 8.0, 0, False, 1),
]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    location = locate(str(tmp_path_factory.mktemp("lake")))
    with open_lake(location, read_only=False, create=True) as lake:
        for run_id, name in ((1, "a/one"), (2, "b/two"), (3, "a/one")):
            lake.con.execute(
                "INSERT INTO run_facts (run_id, run_key, name, path, source) VALUES (?, ?, ?, ?, 's')",
                [run_id, f"key{run_id}", name, name],
            )
        for row in ROWS:
            lake.con.execute(
                "INSERT INTO scalar_points (run_id, stream, tag, step, wall_time, value, attempt,"
                " superseded, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        lake.con.execute(
            "INSERT INTO series_parts (run_id, stream, tag, kind, plugin, points)"
            " SELECT run_id, stream, tag, 'scalar', 'scalars', count(*) FROM scalar_points"
            " GROUP BY run_id, stream, tag"
        )
        for origin, rank, value in (("yaml", 1, 0.1), ("args", 2, 0.2)):
            lake.con.execute(
                "INSERT INTO hparams VALUES (1, 'lr', 'float', ?, ?, ?, ?)",
                [str(value), value, origin, rank],
            )
    with open_lake(location) as lake:
        yield lake.con


def values(con: duckdb.DuckDBPyConnection, *args: object, **options: object) -> list[float]:
    table = history.points(con, *args, **options)  # type: ignore[arg-type]
    found: list[float] = table["value"].to_pylist()
    return found


def test_points_are_those_on_the_curve_in_order(con: duckdb.DuckDBPyConnection) -> None:
    """Every point that no restart took back is there once, duplicates and NaN among them."""
    table = history.points(con, [1], ["loss"])
    assert table.column_names == [
        "run_id", "run", "stream", "tag", "step", "time", "wall_time", "value", "attempt",
    ]  # fmt: skip
    assert table["step"].to_pylist() == [0, 5, 5, 0]
    assert table["stream"].to_pylist() == ["", "", "", "val"]
    assert set(table["run"].to_pylist()) == {"a/one"}
    assert table["value"].null_count == 0
    assert [str(value) for value in table["value"].to_pylist()] == ["3.0", "nan", "1.0", "9.0"]


def test_superseded_points_come_back_marked(con: duckdb.DuckDBPyConnection) -> None:
    """With superseded all stored points are there, and a column says which were taken back."""
    table = history.points(con, [1], ["loss"], streams=[""], superseded=True)
    assert table["step"].to_pylist() == [0, 10, 5, 5]
    assert table["superseded"].to_pylist() == [False, True, False, False]


def test_a_star_stands_for_any_characters_and_nothing_else_does(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """`%` and `_` of SQL are plain characters, in patterns as in names."""
    assert values(con, [1, 2], ["loss*"], streams=[""]) != values(con, [1, 2], ["loss"])
    assert values(con, [1, 2], ["*_*%"]) == [7.0]
    assert values(con, [1, 2], ["loss_*"]) == [7.0]
    assert values(con, [1, 2], ["loss%*", "los?*"]) == []
    assert values(con, [1], ["loss"], streams=["v*"]) == [9.0]
    assert values(con, [1], ["loss_100%", "loss*"], streams=["val"]) == [9.0]


def test_relative_counts_from_the_first_point_of_the_series(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """relative is in seconds, and the points are in its order."""
    table = history.points(con, [1], ["loss"], streams=[""], x="relative")
    assert table["relative"].to_pylist() == [0.0, 20.0, 21.0]


def test_a_time_beyond_the_calendar_is_missing(con: duckdb.DuckDBPyConnection) -> None:
    """A hostile wall time is kept as a number and is no time."""
    table = history.points(con, [2], ["loss"])
    assert table["time"].to_pylist() == [None]
    assert table["wall_time"].to_pylist() == [1e300]


def test_many_runs_are_asked_for_at_once(con: duckdb.DuckDBPyConnection) -> None:
    """A long list of runs gives the same points as a short one."""
    many = list(range(1, 2000))
    assert str(values(con, many, ["loss*"])) == str(values(con, [1, 2], ["loss*"]))
    assert history.series(con, many) == history.series(con, [1, 2]) == history.series(con)


def test_no_runs_is_an_empty_table(con: duckdb.DuckDBPyConnection) -> None:
    """Without runs there are no rows, and the columns are the same."""
    empty = history.points(con, [], ["loss"])
    assert empty.num_rows == 0
    assert empty.schema == history.points(con, [1], ["loss"]).schema


def test_a_tag_that_does_not_exist_is_named(con: duckdb.DuckDBPyConnection) -> None:
    """A misspelt tag is an error with the nearest name; one that others have is just empty."""
    with pytest.raises(UsageError, match="did you mean 'loss'"):
        history.points(con, [1], ["los"])
    assert values(con, [1], ["lossy"]) == []


@pytest.mark.parametrize(
    ("options", "message"), [({"x": "epoch"}, "'epoch'"), ({"tags": []}, "0 are given")]
)
def test_wrong_arguments_are_refused(
    con: duckdb.DuckDBPyConnection, options: dict[str, object], message: str
) -> None:
    """An axis that there is not, or no tag at all, is refused by name."""
    arguments = {"tags": ["loss"], **options}
    with pytest.raises(UsageError, match=message):
        history.points(con, [1], **arguments)  # type: ignore[arg-type]


def test_runs_go_by_id_key_or_name(con: duckdb.DuckDBPyConnection) -> None:
    """A name may be that of several runs, and what is unknown is named."""
    assert history.run_ids(con, [2, "key1"]) == [1, 2]
    assert history.run_ids(con, ["a/one"]) == [1, 3]
    assert history.run_ids(con, []) == []
    with pytest.raises(UsageError, match="'nope', 7"):
        history.run_ids(con, [1, "nope", 7])


def test_hparams_have_one_value_unless_origins_are_asked_for(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """The origin of the smallest rank wins."""
    assert history.hparams(con)["value"].to_pylist() == ["0.1"]
    assert history.hparams(con, [1], origins=True)["origin"].to_pylist() == ["yaml", "args"]
    assert history.hparams(con, [2]).num_rows == 0


def test_tags_count_their_runs(con: duckdb.DuckDBPyConnection) -> None:
    """The commonest tag is first."""
    first = history.tags(con).to_pylist()[0]
    assert first == {"tag": "loss", "kind": "scalar", "plugin": "scalars", "runs": 2, "points": 6}
