"""Clocks that are off: nothing runs for ever, nothing waits for ever, whoever's clock it was."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.report import Options, Report
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.lake import gauges, known, machines, maintain
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate
from boardlake.lake.sources import write_cycles

_YEAR = 365 * 86400.0
_FILE = "events.out.tfevents.1700000000.host.1.0"


@pytest.fixture
def lake(tmp_path: Path, empty_lake: Path) -> Iterator[Lake]:
    """An empty lake."""
    shutil.copytree(empty_lake, tmp_path / "lake")
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as opened:
        yield opened


def write(root: Path, run_name: str, first: float, count: int = 10) -> Path:
    """A run whose events begin at *first*, Unix seconds."""
    path = root / run_name / _FILE
    with EventWriter(path, append=path.exists()) as writer:
        if not path.exists() or not path.stat().st_size:
            writer.file_version(first)
        for step in range(count):
            writer.scalar("loss", 1.0, step, first + step)
    return path


def cycle(lake: Lake, root: Path) -> Report:
    """One cycle over *root*."""
    source = SourceSettings(uri=str(root))
    (report,) = run(lake, setups({"lab": source}), Options())
    return report


def state(lake: Lake) -> str:
    """The state of the only run."""
    ((found,),) = lake.query("SELECT state FROM runs")
    return str(found)


def told(**row: Any) -> dict[str, Any]:
    """A report of a cycle that did nothing, as it is stored."""
    return Report("lab").as_dict() | row


def moment(at: float) -> datetime:
    """UTC without a zone."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)


def test_an_old_run_of_a_clock_that_was_ahead_is_over(lake: Lake, tmp_path: Path) -> None:
    """Its events lie in the future, and its file has not been touched for a month."""
    path = write(tmp_path / "logs", "a", time.time() + _YEAR)
    old = time.time() - 30 * 86400

    os.utime(path, (old, old))
    cycle(lake, tmp_path / "logs")
    assert state(lake) == "finished"
    # The lake keeps what was written.
    ((last,),) = lake.query("SELECT max(wall_time) FROM scalars")
    assert last > time.time() + _YEAR - 60


@pytest.mark.parametrize("ahead", [_YEAR, -_YEAR, 300.0, -300.0])
def test_a_run_that_grows_is_running(lake: Lake, tmp_path: Path, ahead: float) -> None:
    """Whatever its own clock says, events and file alike."""

    path = write(tmp_path / "logs", "a", time.time() + ahead)
    os.utime(path, (time.time() + ahead,) * 2)
    cycle(lake, tmp_path / "logs")
    write(tmp_path / "logs", "a", time.time() + ahead + 60)
    os.utime(path, (time.time() + ahead + 60,) * 2)
    report = cycle(lake, tmp_path / "logs")
    assert report.files_changed == 1 and report.points == 10
    assert state(lake) == "running"


def test_a_file_of_the_future_is_read_once(lake: Lake, tmp_path: Path) -> None:
    """It is looked at again and again, since nobody can say that it is old; it is not read again."""

    path = write(tmp_path / "logs", "a", 1.7e9)
    later = time.time() + _YEAR
    os.utime(path, (later, later))
    assert cycle(lake, tmp_path / "logs").points == 10
    for _ in range(2):
        report = cycle(lake, tmp_path / "logs")
        assert (report.files_listed, report.points, report.problems) == (1, 0, 0)
    write(tmp_path / "logs", "a", 1.7e9 + 100)
    os.utime(path, (later, later))
    assert cycle(lake, tmp_path / "logs").points == 10


@pytest.mark.parametrize(("ahead", "expected"), [(2 * _YEAR, "finished"), (3600.0, "stalled")])
def test_our_own_clock_was_ahead(lake: Lake, tmp_path: Path, ahead: float, expected: str) -> None:
    """What was seen to grow then does not go on running until then; growth that is seen now counts."""
    write(tmp_path / "logs", "a", 1.7e9)
    cycle(lake, tmp_path / "logs")
    with lake.transaction() as con:
        con.execute("UPDATE files SET grew_at = ?", [time.time() + ahead])
    assert state(lake) == expected
    # A second file of the same run.
    with lake.transaction() as con:
        con.execute(
            "INSERT INTO files BY NAME SELECT * REPLACE (file_id + 1 AS file_id, path || '.2' AS path,"
            " ? AS grew_at) FROM files",
            [time.time()],
        )
    if ahead > 86400:
        assert state(lake) == "running"


def test_cycles_of_a_clock_that_was_ahead_are_not_the_last(lake: Lake, tmp_path: Path) -> None:
    """The sources page and the metrics show what runs now, and no budget is spent until then."""
    write(tmp_path / "logs", "a", 1.7e9)
    cycle(lake, tmp_path / "logs")
    future = time.time() + _YEAR
    write_cycles(lake, [told(started_at=future, ended_at=future + 5, requests=10_000)])
    now = time.time()
    (one,) = machines.sources(lake.con, moment(now)).to_pylist()
    assert 0 <= one["lag_s"] < 600 and one["cycle"]["requests"] < 10_000
    assert known.load(lake.con, "lab").requests < 10_000
    values = {family.name: family.samples for family in gauges.families(lake.con, moment(now))}
    ((_, _, last),) = values["boardlake_source_last_cycle_timestamp_seconds"]
    assert last < now + 1


def test_a_lag_is_never_negative(lake: Lake, tmp_path: Path) -> None:
    """An ingester whose clock is a minute ahead of the server's."""
    write(tmp_path / "logs", "a", 1.7e9)
    cycle(lake, tmp_path / "logs")
    (one,) = machines.sources(lake.con, moment(time.time() - 60)).to_pylist()
    assert one["lag_s"] == 0


def test_upkeep_does_not_wait_for_a_clock_that_was_ahead(lake: Lake, tmp_path: Path) -> None:
    """What was done 'next year' is due now, and once it is done it is not."""
    write(tmp_path / "logs", "a", 1.7e9)
    cycle(lake, tmp_path / "logs")
    maintain.maintain_due(lake)
    with lake.transaction() as con:
        con.execute('UPDATE upkeep SET "at" = "at" + INTERVAL 1 YEAR')
    assert {"tidy", "compact"} <= set(maintain.due(lake))
    maintain.maintain(lake)
    assert not {"fold", "tidy", "compact"} & set(maintain.due(lake))
