"""Thinned series: their first and last steps, evenly between, and every row of the steps that stay."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boardlake.lake.dashboard import points
from boardlake.lake.dashboard.points import Wanted
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate

_STEPS = {(1, "", "loss"): 200, (1, "train", "loss"): 41, (1, "", "few"): 3, (2, "", "loss"): 1}
_TABLES: tuple[points.Table, ...] = ("scalar_points", "tensors", "blobs")
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Series of some lengths in each table, with what a restart took back and steps far apart."""
    root = tmp_path_factory.mktemp("lake")
    with open_lake(locate(str(root)), read_only=False, create=True) as opened:
        for (run, stream, tag), steps in _STEPS.items():
            given = {"run": run, "stream": stream, "tag": tag, "steps": steps}
            for superseded in ("false", "true"):
                opened.con.execute(
                    "INSERT INTO scalar_points SELECT $run, $stream, $tag, i * i - 50, 1.7e9 + i,"
                    " CASE i % 5 WHEN 1 THEN 'nan'::DOUBLE WHEN 2 THEN 'inf'::DOUBLE ELSE i END,"
                    f" 0, {superseded}, run, i FROM (SELECT $run AS run), range($steps) t(i)",
                    given,
                )
                opened.con.execute(
                    "INSERT INTO tensors (run_id, stream, tag, step, wall_time, plugin, dtype, shape,"
                    " data, attempt, superseded, file_id, record)"
                    " SELECT $run, $stream, $tag, i * i - 50, 1.7e9 + i, 'x', 'float64', [1], [i], 0,"
                    f" {superseded}, 1, i FROM range($steps) t(i)",
                    given,
                )
                # Written from the last to the first, as no reader may rely on their order.
                opened.con.execute(
                    "INSERT INTO blobs (run_id, stream, tag, step, wall_time, plugin, idx, nbytes,"
                    " attempt, superseded, file_id, record)"
                    " SELECT $run, $stream, $tag, i * i - 50, 1.7e9 + i, 'images', idx, 1, 0,"
                    f" {superseded}, 1, i FROM range($steps) t(i), range(3) u(idx)"
                    " ORDER BY i DESC, idx DESC",
                    given,
                )
        yield opened


def read(lake: Lake, table: points.Table, most: int, *keys: tuple[int, str, str]) -> list[Row]:
    """What is read of some series."""
    wanted = [Wanted(*key, _STEPS[key]) for key in keys]
    found = points.read(lake.con, table, wanted, most)
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def steps(rows: list[Row]) -> list[int]:
    """The steps of one series, each once, in the order in which they come."""
    return [step for step, _ in groupby(row[3] for row in rows)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(most=st.integers(1, 220), table=st.sampled_from(_TABLES), key=st.sampled_from([*_STEPS]))
def test_as_many_steps_as_asked_for(
    lake: Lake, most: int, table: points.Table, key: tuple[int, str, str]
) -> None:
    """So many, or all there are; the last one always, the first of two; no gap twice another."""
    every = [i * i - 50 for i in range(_STEPS[key])]
    found = steps(read(lake, table, most, key))
    assert len(found) == min(most, len(every)) and found[-1] == every[-1]
    assert found[0] == every[0] or most == 1
    places = [every.index(step) for step in found]
    gaps = {b - a for a, b in pairwise(places)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(most=st.integers(1, 60), table=st.sampled_from(_TABLES))
def test_what_stays_is_as_it_was(lake: Lake, most: int, table: points.Table) -> None:
    """Thinned rows are rows of the whole series, in their order, all of each step that stays."""
    every = read(lake, table, 1_000, *_STEPS)
    thinned = read(lake, table, most, *_STEPS)
    kept = {row[:4] for row in thinned}
    assert [repr(row) for row in thinned] == [repr(row) for row in every if row[:4] in kept]
    assert {row[:3] for row in thinned} == set(_STEPS)


def test_few_are_all(lake: Lake) -> None:
    """Where no series is longer than asked for, every row on the curve comes."""
    rows = read(lake, "scalar_points", 200, *_STEPS)
    assert len(rows) == sum(_STEPS.values())
    nan, infinite = rows[1], rows[2]
    assert str(nan[5]) == "nan" and infinite[5] == float("inf")


def test_series_are_thinned_each_for_itself(lake: Lake) -> None:
    """The same tag in several streams and runs; a short one beside a long one is whole."""
    found = {
        key: steps(list(rows))
        for key, rows in groupby(read(lake, "scalar_points", 5, *_STEPS), lambda row: row[:3])
    }
    assert {key: len(of) for key, of in found.items()} == {
        key: min(5, steps) for key, steps in _STEPS.items()
    }


@pytest.mark.parametrize("most", [2, 1_000])
def test_byte_strings_of_a_step_keep_their_order(lake: Lake, most: int) -> None:
    """By their index, which the columns of the rows tell."""
    rows = read(lake, "blobs", most, (1, "", "loss"))
    assert [row[6] for row in rows] == [0, 1, 2] * (len(rows) // 3)


def test_tags_that_look_like_sql(lake: Lake) -> None:
    """Names are bound, and what is not there is empty."""
    wanted = [Wanted(1, "'", "loss' OR 1=1 --", 9), Wanted(9, "$tag0", "%", 9)]
    assert points.read(lake.con, "tensors", wanted, 3).num_rows == 0


@pytest.mark.parametrize("table", _TABLES)
@pytest.mark.parametrize("most", [1, 2, 7, 40, 41, 199])
def test_much_is_thinned_to_the_same(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, table: points.Table, most: int
) -> None:
    """What is too much to be fetched is thinned by the database, by the same rule."""
    few = read(lake, table, most, *_STEPS)
    monkeypatch.setitem(points._FETCHED, table, 0)
    assert list(map(repr, read(lake, table, most, *_STEPS))) == list(map(repr, few)) != []
