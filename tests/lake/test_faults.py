"""What may be wrong with runs: what each field of it counts, and where each ends."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import duckdb
import pytest

from boardlake.core.errors import FilterError
from boardlake.lake import migrate
from boardlake.lake.search import Query, count, search

T0 = 1_700_000_000.0
FIELDS = ("nan_tags", "stopped_tags", "hparams", "problems", "clock_skew_s")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """The lake's tables and views in memory, with run 1 that nothing is wrong with."""
    opened = duckdb.connect()
    for _, _, sql in migrate.steps():
        opened.execute(re.sub(r"ALTER TABLE \w+ SET SORTED BY [^;]*;", "", sql))
    add_run(opened, 1)
    yield opened
    opened.close()


def insert(con: duckdb.DuckDBPyConnection, table: str, **row: object) -> None:
    columns = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    con.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))


def add_file(con: duckdb.DuckDBPyConnection, run_id: int, path: str, **more: object) -> None:
    row: dict[str, object] = {
        "run_id": run_id,
        "file_id": 1,
        "source": "lab",
        "path": path,
        "stream": "",
    }
    row |= {"first_wall_time": T0, "last_wall_time": T0, "grew_at": T0, "records": 1}
    insert(con, "files", **(row | {"content_key": f"{run_id}/{path}"} | more))


def add_run(con: duckdb.DuckDBPyConnection, run_id: int) -> None:
    insert(con, "run_facts", run_id=run_id, run_key=f"key{run_id}", source="lab", name="run")
    add_file(con, run_id, f"{run_id}/events")


def add(
    con: duckdb.DuckDBPyConnection,
    tag: str,
    points: int,
    steps: tuple[int, int] = (0, 1000),
    walls: tuple[float, float] | None = None,
    **more: object,
) -> None:
    """A part of a series of run 1; a step takes ten seconds unless *walls* say otherwise."""
    begin, end = walls or (T0 + 10 * steps[0], T0 + 10 * steps[1])
    row: dict[str, object] = {"run_id": 1, "stream": "", "tag": tag, "kind": "scalar", "file_id": 1}
    row |= {"points": points, "superseded": 0, "first_step": steps[0], "last_step": steps[1]}
    row |= {"first_wall_time": begin, "last_wall_time": end, "finite": points, "attempt": 0}
    insert(con, "series_parts", **(row | {"nan_count": 0, "inf_count": 0} | more))


def value(con: duckdb.DuckDBPyConnection, field: str) -> object:
    (row,) = search(con, Query("run_id = 1", (field,))).to_pylist()
    return row[field]


def test_a_run_without_anything_has_zeros(con: duckdb.DuckDBPyConnection) -> None:
    """Nothing counted is 0; a skew that is not known is missing."""
    query = Query("", FIELDS)
    assert search(con, query).to_pylist() == [
        {"nan_tags": 0, "stopped_tags": 0, "hparams": 0, "problems": 0, "clock_skew_s": None}
    ]
    assert count(con, Query("hparams = 0 and problems = 0 and clock_skew_s is null")) == 1


def test_curves_with_nan_or_infinities_count_once(con: duckdb.DuckDBPyConnection) -> None:
    """By tag and stream, whatever their parts; other kinds do not count."""
    add(con, "loss", 5, nan_count=2, nan_step=3)
    add(con, "loss", 5, (1001, 2000), nan_count=1, nan_step=1500, inf_count=1, inf_step=1100)
    add(con, "loss", 5, stream="val", inf_count=1, inf_step=7)
    add(con, "fine", 5)
    add(con, "image", 5, kind="blob", nan_count=1)
    assert value(con, "nan_tags") == 2
    columns = ('first_nan("loss")', 'first_inf("loss")', 'first_inf("loss", "val")',
               'nan_count("loss")', 'inf_count("loss")', 'first_nan("fine")')  # fmt: skip
    (row,) = search(con, Query(columns=columns)).to_pylist()
    assert list(row.values()) == [3, 1100, 7, 3, 1, None]
    assert count(con, Query('first_nan("loss") < 4')) == 1
    assert count(con, Query('first_nan("loss") < 3')) == 0
    assert count(con, Query('first_nan("fine") < 4 or first_nan("fine") is null')) == 1


def test_attempts_is_a_field_and_a_metric(con: duckdb.DuckDBPyConnection) -> None:
    """Of the run without brackets, of a series with them."""
    con.execute("UPDATE files SET attempts = 3")
    add(con, "loss", 5, attempt=1, superseded=7)
    columns = ("attempts", 'attempts("loss")', 'superseded("loss")', 'step_last("loss")')
    (row,) = search(con, Query(columns=columns, sort=('-attempts("loss")', "attempts"))).to_pylist()
    assert list(row.values()) == [3, 2, 7, 1000]
    assert count(con, Query('attempts > 2 and attempts("loss") = 2')) == 1


HALF = (T0, T0 + 5_000)
STOPPED: dict[str, tuple[dict[str, object], bool]] = {
    "in the middle": ({"points": 501, "steps": (0, 500)}, True),
    "never": ({"points": 1001, "steps": (0, 1000)}, False),
    "validation every 100 steps, the last not due": ({"points": 10, "steps": (0, 900)}, False),
    "nine of its points were due": ({"points": 2 + 1, "steps": (0, 200)}, False),
    "ten points were due": ({"points": 11, "steps": (0, 500)}, False),
    "eleven points were due": ({"points": 10, "steps": (0, 450)}, True),
    "a tenth before the end": ({"points": 901, "steps": (0, 900)}, False),
    "more than a tenth before the end": ({"points": 900, "steps": (0, 899)}, True),
    "two points": ({"points": 2, "steps": (0, 1)}, False),
    "three points": ({"points": 3, "steps": (0, 2)}, True),
    "by epochs, to the end": ({"points": 10, "steps": (0, 9), "walls": (T0, T0 + 9_900)}, False),
    "by epochs, to the middle": ({"points": 50, "steps": (0, 49), "walls": HALF}, True),
    "by time only, as after a pause": ({"points": 999, "steps": (0, 998), "walls": HALF}, False),
    "by steps only": ({"points": 501, "steps": (0, 500), "walls": (T0, T0 + 10_000)}, False),
    "of no time": ({"points": 501, "steps": (0, 500), "walls": (math.nan, math.nan)}, False),
    "of a time that runs back": ({"points": 9, "steps": (0, 500), "walls": HALF[::-1]}, False),
}


@pytest.mark.parametrize("case", STOPPED)
def test_a_tag_has_stopped_when_the_run_went_on(con: duckdb.DuckDBPyConnection, case: str) -> None:
    """By steps and by time, for more than ten of its distances and a tenth of the run."""
    add(con, "loss", 1001)
    tag, stopped = STOPPED[case]
    add(con, "tag", **tag)  # type: ignore[arg-type]
    assert value(con, "stopped_tags") == int(stopped)


@pytest.mark.parametrize(("begin", "stopped"), [(249, 1), (250, 1), (251, 0), (500, 0)])
def test_a_later_phase_is_not_the_run(
    con: duckdb.DuckDBPyConnection, begin: int, stopped: int
) -> None:
    """Only curves that began before the middle of a tag's time count as what went on."""
    add(con, "pretrain/loss", 501, (0, 500))
    add(con, "train/loss", 1001 - begin, (begin, 1000))
    assert value(con, "stopped_tags") == stopped


@pytest.mark.parametrize(("seconds", "stopped"), [(239, 0), (240, 0), (242, 1)])
def test_two_minutes_are_no_end(con: duckdb.DuckDBPyConnection, seconds: int, stopped: int) -> None:
    """Writers keep points back for so long: what a killed one lost has not stopped."""
    add(con, "loss", 1001, (0, 1000), (T0, T0 + seconds))
    add(con, "tag", 501, (0, 500), (T0, T0 + seconds / 2))
    assert value(con, "stopped_tags") == stopped


def test_stopped_tags_are_series(con: duckdb.DuckDBPyConnection) -> None:
    """Streams count apart, parts together; tensors neither stop nor go on."""
    add(con, "loss", 1001, stream="train")
    add(con, "loss", 501, (0, 500), stream="rank1")
    add(con, "loss", 101, (0, 100), stream="rank2")
    add(con, "loss", 301, (101, 401), stream="rank2")
    add(con, "loss", 101, (0, 100), stream="rank3")
    add(con, "loss", 900, (101, 1000), stream="rank3")
    add(con, "weights", 101, (0, 100), kind="tensor")
    assert value(con, "stopped_tags") == 2
    add_run(con, 2)
    add(con, "weights", 1001, kind="tensor", run_id=2)
    add(con, "loss", 101, (0, 100), run_id=2)
    assert count(con, Query("stopped_tags > 0")) == 1


NS = 1_000_000_000
SKEWS: dict[str, tuple[dict[str, float], float | None]] = {
    "the file is newer, as a copy is": ({"mtime": 900, "grew": 0}, None),
    "seen to grow, the file is newer": ({"mtime": 400, "grew": 401}, -400),
    "seen to grow, in step": ({"mtime": 0, "grew": 2}, 0),
    "touched since it grew": ({"mtime": 4_000, "grew": 401}, None),
    "the event is newer than the file": ({"mtime": -400, "grew": -1}, 400),
    "a time of packers": ({"mtime": 315_532_800 - T0, "grew": 0}, None),
}


@pytest.mark.parametrize("case", SKEWS)
def test_a_clock_is_off_where_that_is_known(con: duckdb.DuckDBPyConnection, case: str) -> None:
    """The newest event against the file's time, but not of copies."""
    found, skew = SKEWS[case]
    con.execute("DELETE FROM files")
    at = {"mtime_ns": int((T0 + found["mtime"]) * NS), "grew_at": T0 + found["grew"]}
    add_file(con, 1, "a", **at)
    assert value(con, "clock_skew_s") == skew


def test_of_several_files_the_worst_clock_counts(con: duckdb.DuckDBPyConnection) -> None:
    """Whichever way it is off; wild times are no clock's."""
    con.execute("DELETE FROM files")
    add_file(con, 1, "a", mtime_ns=int((T0 - 200) * NS))
    add_file(con, 1, "b", mtime_ns=int((T0 + 301) * NS), grew_at=T0 + 302)
    add_file(con, 1, "c", mtime_ns=int(T0 * NS), last_wall_time=1e300)
    assert value(con, "clock_skew_s") == -301
    assert count(con, Query("abs(clock_skew_s) > 300")) == 1
    assert count(con, Query("clock_skew_s > 0")) == 0


def test_problems_are_those_of_the_runs_files(con: duckdb.DuckDBPyConnection) -> None:
    """By source and path: neither those of another source nor of files beside."""
    add_run(con, 2)
    for source, path in [("lab", "1/events")] * 2 + [("else", "1/events"), ("lab", "1/args.json")]:
        insert(con, "problems", source=source, path=path, kind="bad payload")
    rows = search(con, Query(columns=("run_id", "problems"), sort=("run_id",))).to_pylist()
    assert [row["problems"] for row in rows] == [2, 0]
    assert count(con, Query("problems > 1")) == 1


def test_hyperparameters_are_counted_by_name(con: duckdb.DuckDBPyConnection) -> None:
    """However many origins tell of one."""
    for name, origin in [("lr", "args"), ("lr", "yaml"), ("bs", "args")]:
        insert(con, "hparams", run_id=1, name=name, value="1", number=1, origin=origin, rank=1)
    assert value(con, "hparams") == 2
    assert count(con, Query("hparams = 0")) == 0 and count(con, Query("hparams = hp.lr + 1")) == 1


def test_fields_sort_group_and_mix(con: duckdb.DuckDBPyConnection) -> None:
    """They are fields like others: in filters, columns, sort keys and groups, with pages of runs."""
    for run_id in range(2, 12):
        add_run(con, run_id)
        if run_id % 2:
            add(con, "loss", 5, run_id=run_id, nan_count=1, nan_step=run_id)
        for number in range(run_id % 3):
            insert(con, "hparams", run_id=run_id, name=f"h{number}", value="1", number=1, rank=1)
    query = Query(
        "nan_tags > 0 or hparams > 1", ("run_id", "nan_tags", "hparams"),
        sort=("-hparams", "nan_tags", "run_id"), limit=3,
    )  # fmt: skip
    rows = [list(row.values()) for row in search(con, query).to_pylist()]
    assert rows == [[2, 0, 2], [8, 0, 2], [5, 1, 2]]
    groups = Query(columns=("hparams",), group_by=("nan_tags",), sort=("nan_tags",))
    found = [(row["nan_tags"], row["runs"]) for row in search(con, groups).to_pylist()]
    assert found == [(0, 6), (1, 5)]
    assert count(con, Query("hparams + nan_tags >= 2")) == 5


def test_a_slip_of_the_pen_is_helped(con: duckdb.DuckDBPyConnection) -> None:
    """Names that are nearly right are offered."""
    with pytest.raises(FilterError) as caught:
        count(con, Query("nan_tag > 0"))
    assert "nan_tags" in caught.value.hint
    with pytest.raises(FilterError) as caught:
        count(con, Query('first_nans("loss") > 0'))
    assert "first_nan" in caught.value.hint
    with pytest.raises(FilterError) as caught:
        count(con, Query("first_nan > 0"))
    assert 'first_nan("tag")' in caught.value.hint
    with pytest.raises(FilterError, match="is a field already"):
        search(con, Query(columns=("points as problems",)))
