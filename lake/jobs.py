"""Jobs of a cluster's scheduler: which run each of them wrote, and what its end says of the run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from ..core import jobs as matching
from ..core.jobs import SeenFile, SeenRun
from ..core.values import Job
from . import facts
from .database import Lake

_TEXTS = ("job_id", "job_name", "job_user", "job_state", "job_nodes", "partition", "exit_code")
_TIMES = ("submitted_at", "started_at", "ended_at")
_COLUMNS = ("run_id", *_TEXTS, *_TIMES)
# A job that runs is noted to run at least so often, where its source stalls later than that.
_SEEN_EVERY_S = 600.0


def settle(lake: Lake, source: str, found: Sequence[Job]) -> int:
    """Give the runs of *source* their jobs, after the files of a cycle; returns how many changed.

    Nothing is written where there is no news, but now and then that a job still runs.
    """
    if not found:
        return 0
    runs = _runs(lake.con, source)
    by_path = matching.match(found, [run for _, run in runs])
    now = time.time()
    chosen = {run_id: (by_path[run.path], run) for run_id, run in runs if run.path in by_path}
    news = _news(lake.con, source, {run_id: job for run_id, (job, _) in chosen.items()}, now)
    if not news:
        return 0
    ends = {run_id: matching.end_of(*chosen[run_id]) for run_id in news}
    with lake.transaction() as con:
        _write(con, source, {run_id: chosen[run_id][0] for run_id in news}, now)
        told = [
            (run_id, [facts.RunFacts(end_state=end[0], end_reason=end[1], end_at=end[2])])
            for run_id, end in ends.items()
            if end
        ]
        facts.write_run_facts(con, told)
    return len(news)


def _runs(con: duckdb.DuckDBPyConnection, source: str) -> list[tuple[int, SeenRun]]:
    rows = con.execute(
        """
        SELECT r.run_id, any_value(r.path), max(f.last_wall_time),
               list(coalesce(f.created_unix, f.first_wall_time) ORDER BY f.file_id),
               list(coalesce(f.host, '') ORDER BY f.file_id)
        FROM run_facts r JOIN files f ON f.run_id = r.run_id
        WHERE r.source = ? GROUP BY r.run_id
        """,
        [source],
    ).fetchall()
    return [
        (run_id, SeenRun("" if path == "." else path, tuple(map(SeenFile, begun, hosts)), last))
        for run_id, path, last, begun, hosts in rows
    ]


def _news(
    con: duckdb.DuckDBPyConnection, source: str, chosen: Mapping[int, Job], now: float
) -> list[int]:
    """The runs whose job is another one, or another state of it, than the lake has."""
    known = {
        row[0]: row
        for row in con.execute(
            f"SELECT {', '.join(_COLUMNS)}, epoch(seen_at) FROM jobs WHERE source = ?", [source]
        ).fetchall()
    }
    stalls = con.execute(
        "SELECT min(stalled_after_s) FROM source_facts WHERE source = ?", [source]
    ).fetchall()[0][0]
    often = min(_SEEN_EVERY_S, (stalls or _SEEN_EVERY_S) / 3)
    found = []
    for run_id, job in chosen.items():
        was = known.get(run_id)
        writing = job.state in matching.WRITING
        if (
            was is None
            or was[:-1] != (run_id, *_values(job))
            or (writing and not 0 <= now - was[-1] < often)
        ):
            found.append(run_id)
    return found


def _values(job: Job) -> tuple[Any, ...]:
    texts = (job.job_id, job.name, job.user, job.state, job.nodes, job.partition, job.exit_code)
    times = (job.submitted_at, job.started_at, job.ended_at)
    return (*texts, *(facts.moment(at) for at in times))


def _write(
    con: duckdb.DuckDBPyConnection, source: str, chosen: Mapping[int, Job], now: float
) -> None:
    rows = [(run_id, *_values(job)) for run_id, job in chosen.items()]
    types = [pa.int64(), *[pa.string()] * len(_TEXTS), *[pa.timestamp("us")] * len(_TIMES)]
    columns = {
        name: pa.array([row[at] for row in rows], kind)
        for at, (name, kind) in enumerate(zip(_COLUMNS, types, strict=True))
    }
    columns["source"] = pa.array([source] * len(rows), pa.string())
    columns["seen_at"] = pa.array([facts.moment(now)] * len(rows), pa.timestamp("us"))
    con.register("found", pa.table(columns))
    con.execute("DELETE FROM jobs j USING found f WHERE j.run_id = f.run_id")
    con.execute("INSERT INTO jobs BY NAME SELECT * FROM found ORDER BY run_id")
    con.unregister("found")
