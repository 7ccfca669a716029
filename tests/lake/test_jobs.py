"""Runs get the jobs that wrote them, and nothing is written where there is no news."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from boardlake.core.values import Job
from boardlake.lake import jobs
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.delete import delete_runs
from boardlake.lake.location import locate


@pytest.fixture
def lake(tmp_path: Path, empty_lake: Path) -> Iterator[Lake]:
    """Two runs of a cluster, one of another source, whose last events are two hours old."""
    shutil.copytree(empty_lake, tmp_path / "lake")
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as made:
        with made.transaction() as con:
            for run_id, source, path in ((1, "hpc", "p/a"), (2, "hpc", "."), (3, "lab", "p/a")):
                con.execute(
                    "INSERT INTO run_facts (run_id, run_key, source, name, path)"
                    " VALUES (?, ?, ?, 'x', ?)",
                    [run_id, f"key{run_id}", source, path],
                )
                con.execute(
                    "INSERT INTO files (file_id, run_id, source, path, created_unix, host,"
                    " first_wall_time, last_wall_time, grew_at) VALUES (?, ?, ?, ?, ?, 'n1', ?, ?, ?)",
                    [run_id, run_id, source, f"{path}/e", _at(-7300), *[_at(-7200)] * 3],
                )
            for source in ("hpc", "lab"):
                con.execute(
                    "INSERT INTO source_facts (source, stalled_after_s, finished_after_s)"
                    " VALUES (?, 1800, 86400)",
                    [source],
                )
        yield made


_NOW = time.time()


def _at(seconds: float) -> float:
    return float(round(_NOW + seconds))


def _job(**changes: object) -> Job:
    job = Job(
        "4000", "4000", "name", "ada", "RUNNING", "n[1-2]", "gpu", _at(-7500), _at(-7400),
        _at(-7400), roots=("p",),
    )  # fmt: skip
    return replace(job, **changes)  # type: ignore[arg-type]


def _state(lake: Lake, run_id: int = 1) -> tuple[object, ...]:
    (row,) = lake.query(
        "SELECT state, job_id, job_state, end_reason FROM runs WHERE run_id = ?", [run_id]
    )
    return row


def _snapshot(lake: Lake) -> int:
    (row,) = lake.query("SELECT id FROM ducklake_current_snapshot('lake')")
    return int(row[0])


def test_states_follow_the_scheduler(lake: Lake) -> None:
    """Running by its word, failed by its word, running again when it is put on again."""
    assert _state(lake) == ("stalled", None, None, None)
    assert jobs.settle(lake, "hpc", [_job()]) == 1
    assert _state(lake) == ("running", "4000", "RUNNING", None)
    ended = _job(state="TIMEOUT", ended_at=_at(-60), exit_code="0:0")
    assert jobs.settle(lake, "hpc", [ended]) == 1
    reason = "Slurm job 4000 reached its time limit"
    assert _state(lake) == ("failed", "4000", "TIMEOUT", reason)
    assert jobs.settle(lake, "hpc", [_job(started_at=_at(-30))]) == 1
    assert _state(lake)[:3] == ("running", "4000", "RUNNING")
    done = _job(state="COMPLETED", ended_at=_at(-1))
    assert jobs.settle(lake, "hpc", [done]) == 1
    assert _state(lake) == ("finished", "4000", "COMPLETED", "Slurm job 4000 completed")
    assert _state(lake, 2)[1] is None and _state(lake, 3)[1] is None


def test_a_cluster_that_is_no_longer_asked(lake: Lake) -> None:
    """A job that was last seen to run long ago is no sign of life."""
    jobs.settle(lake, "hpc", [_job()])
    with lake.transaction() as con:
        con.execute("UPDATE jobs SET seen_at = seen_at - INTERVAL 2 HOUR")
    assert _state(lake)[0] == "stalled"
    assert jobs.settle(lake, "hpc", [_job()]) == 1
    assert _state(lake)[0] == "running"


def test_no_news_is_not_written(lake: Lake) -> None:
    """The same jobs leave the lake as it is; so do jobs whose runs are not there."""
    jobs.settle(lake, "hpc", [_job()])
    before = _snapshot(lake)
    assert jobs.settle(lake, "hpc", [_job()]) == 0
    assert jobs.settle(lake, "hpc", []) == 0
    assert jobs.settle(lake, "hpc", [_job(), _job(job_id="9", roots=("q",))]) == 0
    assert _snapshot(lake) == before


def test_the_root_of_the_source(lake: Lake) -> None:
    """A run that is the root itself has a job whose directory that is."""
    jobs.settle(lake, "hpc", [_job(roots=("",), state="COMPLETED", ended_at=_at(-1))])
    assert _state(lake, 2)[:2] == ("finished", "4000")


def test_a_deleted_run_takes_its_job_along(lake: Lake) -> None:
    """Nothing of who ran what stays."""
    jobs.settle(lake, "hpc", [_job()])
    receipt = delete_runs(lake, [1])
    assert receipt.rows["jobs"] == 1
    assert lake.query("SELECT * FROM jobs") == []
