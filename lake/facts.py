"""What is known of runs besides their points: hyperparameters, provenance, artifacts, problems."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from ..core.values import Hparam, Problem


@dataclass
class ArtifactRow:
    """A file beside the logs; `mtime` in Unix seconds."""

    kind: str
    path: str
    size: int | None
    mtime: float | None
    step: int | None


@dataclass
class JobRow:
    """The job that wrote a run, as a row of `jobs`; times in Unix seconds."""

    job_id: str
    job_name: str | None = None
    job_user: str | None = None
    job_state: str | None = None
    job_nodes: str | None = None
    partition: str | None = None
    exit_code: str | None = None
    submitted_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    seen_at: float | None = None


@dataclass
class RunFacts:
    """What one look at a run's surroundings found.

    `origins` are the origins of hyperparameters that were read anew: what was known from them is
    replaced by `hparams`. None in a text field means "nothing found": what is known stays.
    """

    origins: set[str] = field(default_factory=set)
    hparams: list[Hparam] = field(default_factory=list)
    artifacts: list[ArtifactRow] = field(default_factory=list)
    git_commit: str | None = None
    command: str | None = None
    group_name: str | None = None
    end_state: str | None = None
    end_reason: str | None = None
    end_at: float | None = None
    # Said by the side file of an exported run alone; otherwise they follow from settings and path.
    name: str | None = None
    machine: str | None = None
    project: str | None = None
    job: JobRow | None = None


_TEXTS = ("git_commit", "command", "group_name", "end_state", "end_reason") + (
    "name", "machine", "project",
)  # fmt: skip


def write_run_facts(
    con: duckdb.DuckDBPyConnection, found: list[tuple[int, list[RunFacts]]]
) -> None:
    """Store facts of runs by run_id, within a transaction."""
    pairs = [(run_id, facts) for run_id, many in found for facts in many]
    _write_hparams(con, pairs)
    _write_artifacts(con, pairs)
    _write_texts(con, pairs)
    _write_jobs(con, {run_id: facts.job for run_id, facts in pairs if facts.job})


def _write_hparams(con: duckdb.DuckDBPyConnection, pairs: list[tuple[int, RunFacts]]) -> None:
    origins = sorted({(run_id, origin) for run_id, facts in pairs for origin in facts.origins})
    if origins:
        run_ids, names = zip(*origins, strict=True)
        con.register(
            "origins", pa.table({"run_id": pa.array(run_ids, pa.int64()), "origin": names})
        )
        con.execute(
            "DELETE FROM hparams h USING origins o"
            " WHERE h.run_id = o.run_id AND h.origin = o.origin"
        )
        con.unregister("origins")
    # A later look at the same origin wins over an earlier one of the same batch.
    rows = {(run_id, row.origin, row.name): row for run_id, facts in pairs for row in facts.hparams}
    if not rows:
        return
    columns: dict[str, Any] = {
        "run_id": pa.array([key[0] for key in rows], pa.int64()),
        "number": pa.array([row.number for row in rows.values()], pa.float64(), from_pandas=False),
        "rank": pa.array([row.rank for row in rows.values()], pa.int32()),
    }
    for name in ("name", "type", "value", "origin"):
        columns[name] = pa.array([getattr(row, name) for row in rows.values()], pa.string())
    con.register("found", pa.table(columns))
    con.execute("INSERT INTO hparams BY NAME SELECT * FROM found ORDER BY name, run_id")
    con.unregister("found")


def _write_artifacts(con: duckdb.DuckDBPyConnection, pairs: list[tuple[int, RunFacts]]) -> None:
    rows = {(run_id, row.path): row for run_id, facts in pairs for row in facts.artifacts}
    if not rows:
        return
    found = list(rows.values())
    times = [moment(row.mtime) for row in found]
    table = pa.table(
        {
            "run_id": pa.array([key[0] for key in rows], pa.int64()),
            "kind": pa.array([row.kind for row in found], pa.string()),
            "path": pa.array([row.path for row in found], pa.string()),
            "size": pa.array([row.size for row in found], pa.int64()),
            "mtime": pa.array(times, pa.timestamp("us")),
            "step": pa.array([row.step for row in found], pa.int64()),
        }
    )
    con.register("found", table)
    con.execute(
        "DELETE FROM artifacts a USING found f WHERE a.run_id = f.run_id AND a.path = f.path"
    )
    con.execute("INSERT INTO artifacts BY NAME SELECT * FROM found")
    con.unregister("found")


def _write_texts(con: duckdb.DuckDBPyConnection, pairs: list[tuple[int, RunFacts]]) -> None:
    merged: dict[int, dict[str, str]] = {}
    for run_id, facts in pairs:
        for name in _TEXTS:
            value = getattr(facts, name)
            if value is not None:
                merged.setdefault(run_id, {})[name] = value
    if not merged:
        return
    ends = {run_id: facts.end_at for run_id, facts in pairs if facts.end_at is not None}
    columns: dict[str, Any] = {
        "run_id": pa.array(list(merged), pa.int64()),
        "end_at": pa.array([ends.get(run_id) for run_id in merged], pa.float64()),
    }
    for name in _TEXTS:
        columns[name] = pa.array([texts.get(name) for texts in merged.values()], pa.string())
    con.register("found", pa.table(columns))
    every = (*_TEXTS, "end_at")
    assignments = ", ".join(f"{name} = coalesce(f.{name}, r.{name})" for name in every)
    differs = " OR ".join(f"(f.{n} IS NOT NULL AND f.{n} IS DISTINCT FROM r.{n})" for n in every)
    con.execute(
        f"UPDATE run_facts r SET {assignments} FROM found f"
        f" WHERE r.run_id = f.run_id AND ({differs})"
    )
    con.unregister("found")


def _write_jobs(con: duckdb.DuckDBPyConnection, found: dict[int, JobRow]) -> None:
    """Note jobs of runs that have none: what the scheduler itself said stays."""
    if not found:
        return
    columns: dict[str, Any] = {"run_id": pa.array(list(found), pa.int64())}
    for one in fields(JobRow):
        values = [getattr(job, one.name) for job in found.values()]
        if one.name.endswith("_at"):
            columns[one.name] = pa.array([moment(at) for at in values], pa.timestamp("us"))
        else:
            columns[one.name] = pa.array(values, pa.string())
    con.register("found", pa.table(columns))
    con.execute(
        "INSERT INTO jobs BY NAME SELECT f.*, r.source FROM found f JOIN run_facts r USING (run_id)"
        " WHERE run_id NOT IN (SELECT run_id FROM jobs) ORDER BY run_id"
    )
    con.unregister("found")


# Problems that a later look at the file may find gone.
PASSING = ("unreadable", "lost", "held", "nul tail", "bad gzip")


def forget_passing(con: duckdb.DuckDBPyConnection, paths: list[tuple[str, str]]) -> None:
    """Drop what was wrong with files that have now been read anew: (source, path)."""
    known = con.execute(
        "SELECT DISTINCT source, path FROM problems WHERE kind IN (?, ?, ?, ?, ?)", list(PASSING)
    ).fetchall()
    for source, path in set(known) & set(paths):
        con.execute(
            "DELETE FROM problems WHERE source = ? AND path = ? AND kind IN (?, ?, ?, ?, ?)",
            [source, path, *PASSING],
        )


def write_problems(
    con: duckdb.DuckDBPyConnection, found: list[tuple[str, list[Problem]]], now: float
) -> None:
    """Store problems by source, each place of a file once, within a transaction."""
    rows = {
        (source, problem.path, problem.offset, problem.kind): problem
        for source, problems in found
        for problem in problems
    }
    if not rows:
        return
    problems = list(rows.values())
    table = pa.table(
        {
            "at": pa.array([moment(now)] * len(rows), pa.timestamp("us")),
            "source": pa.array([key[0] for key in rows], pa.string()),
            "path": pa.array([p.path for p in problems], pa.string()),
            "offset": pa.array([p.offset for p in problems], pa.int64()),
            "bytes": pa.array([p.bytes for p in problems], pa.int64()),
            "kind": pa.array([p.kind for p in problems], pa.string()),
            "message": pa.array([p.message[:2000] for p in problems], pa.string()),
        }
    )
    con.register("found", table)
    con.execute(
        "DELETE FROM problems p USING found f WHERE p.source = f.source AND p.path = f.path"
        ' AND p."offset" = f."offset" AND p.kind = f.kind'
    )
    con.execute("INSERT INTO problems BY NAME SELECT * FROM found")
    con.unregister("found")


def moment(unix: float | None) -> datetime | None:
    """Unix seconds as UTC; None for none, and for what no calendar has."""
    if unix is None:
        return None
    try:
        return datetime.fromtimestamp(unix, UTC).replace(tzinfo=None)
    except (OverflowError, ValueError, OSError):
        return None
