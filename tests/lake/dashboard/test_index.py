"""What a selection's lists are made of: the same series, runs and lengths as the lake's views tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from boardlake.lake.dashboard import index
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate


@pytest.fixture(scope="module")
def lake(corpus_lake: Path) -> Iterator[Lake]:
    """The lake of the corpus."""
    with open_lake(locate(str(corpus_lake))) as opened:
        yield opened


@pytest.fixture(scope="module")
def ids(lake: Lake) -> list[int]:
    """Every second run."""
    return [run for (run,) in lake.query("SELECT run_id FROM runs WHERE run_id % 2 = 0")]


def test_series_are_those_of_the_view(lake: Lake, ids: list[int]) -> None:
    """Each with points on its curve, with the plugin, content, last step and value of the view."""
    names = 'run_id, stream, tag, kind, plugin, content, description, display_name, points, "last"'
    view = lake.query(
        f"SELECT {names} FROM series WHERE run_id % 2 = 0 AND points > 0"
        " ORDER BY run_id, stream, tag, kind"
    )
    found = index.series(lake.con, ids, 100_000)
    columns = [name.strip(' "') for name in names.split(",")]
    rows = zip(*(found[name].to_pylist() for name in columns), strict=True)
    assert [repr(row) for row in rows] == [repr(row) for row in view] != []


def test_runs_and_directories(lake: Lake, ids: list[int]) -> None:
    """Every run once, in order of time, and every directory of theirs that has records."""
    runs = index.runs(lake.con, ids).to_pylist()
    assert sorted(row["run_id"] for row in runs) == sorted(ids)
    begun = [row["started"] for row in runs if row["started"] is not None]
    assert begun == sorted(begun)
    found = index.directories(lake.con, ids)
    streams = set(zip(found["run_id"].to_pylist(), found["stream"].to_pylist(), strict=True))
    told = lake.query("SELECT run_id, stream FROM series WHERE run_id % 2 = 0 AND points > 0")
    assert set(told) <= streams


def test_lengths_are_those_of_the_longest_step(lake: Lake, ids: list[int]) -> None:
    """Counted from the rows themselves."""
    found = {
        tuple(row.values())[:3]: row["length"] for row in index.lengths(lake.con, ids).to_pylist()
    }
    counted = lake.query(
        "SELECT run_id, stream, tag, max(n) FROM (SELECT run_id, stream, tag, step, record, file_id,"
        " count(*) AS n FROM blobs WHERE run_id % 2 = 0 AND NOT superseded"
        # Of other plugins also what is empty is a value, such as a trace.
        " AND (nbytes > 0 OR plugin NOT IN ('images', 'audio')) GROUP BY ALL)"
        " GROUP BY ALL"
    )
    assert found == {row[:3]: row[3] for row in counted} != {}


def test_keys_that_are_known(lake: Lake) -> None:
    """The others are left out, whatever they hold."""
    ((run, key),) = lake.query("SELECT run_id, run_key FROM runs ORDER BY run_id LIMIT 1")
    assert index.known(lake.con, [key, "nobody", "' OR 1=1 --"]) == [run]
    assert index.known(lake.con, []) == []
