"""What the side files of an export hold, asked of the lake for some runs at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from ..history import among
from . import side

_RUNS_AT_ONCE = 1_000
_MAX_ROWS = side.MAX_ITEMS

_RUNS = """
    SELECT run_id, source, path, name, machine, project, group_name, git_commit, command, end_state,
           end_reason, end_at
    FROM run_facts WHERE {where} ORDER BY run_id
"""
_HPARAMS = f"""
    SELECT run_id, name, type, value, origin, rank FROM hparams
    WHERE {{where}} AND origin <> 'plugin' AND NOT starts_with(origin, 'text:')
    QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY rank, origin, name) <= {_MAX_ROWS + 1}
    ORDER BY run_id, rank, origin, name
"""
_ARTIFACTS = f"""
    SELECT run_id, kind, path, size, epoch_us(mtime), step FROM artifacts
    WHERE {{where}}
    QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY path) <= {_MAX_ROWS + 1}
    ORDER BY run_id, path
"""
_JOBS = """
    SELECT run_id, job_id, job_name, job_user, job_state, job_nodes, partition, exit_code,
           epoch_us(submitted_at), epoch_us(started_at), epoch_us(ended_at), epoch_us(seen_at)
    FROM jobs WHERE {where}
"""


def side_files(
    con: duckdb.DuckDBPyConnection, runs: Sequence[int]
) -> Iterator[tuple[str, str, bytes, int]]:
    """For each run its source, its path, its side file, and how many rows that had no room for."""
    for start in range(0, len(runs), _RUNS_AT_ONCE):
        yield from _some(con, sorted(runs)[start : start + _RUNS_AT_ONCE])


def _some(
    con: duckdb.DuckDBPyConnection, runs: Sequence[int]
) -> Iterator[tuple[str, str, bytes, int]]:
    params: dict[str, object] = {}
    where = among(runs, "run_id", params)
    hparams: dict[int, list[dict[str, Any]]] = {}
    for run_id, *row in con.execute(_HPARAMS.format(where=where), params).fetchall():
        hparams.setdefault(run_id, []).append(dict(zip(side.HPARAM, row, strict=True)))
    artifacts: dict[int, list[dict[str, Any]]] = {}
    for run_id, *row in con.execute(_ARTIFACTS.format(where=where), params).fetchall():
        artifacts.setdefault(run_id, []).append(dict(zip(side.ARTIFACT, row, strict=True)))
    jobs: dict[int, dict[str, Any]] = {}
    for run_id, *row in con.execute(_JOBS.format(where=where), params).fetchall():
        texts = len(side.JOB_TEXTS)
        times = (None if at is None else at / 1e6 for at in row[texts:])
        jobs[run_id] = dict(
            zip((*side.JOB_TEXTS, *side.JOB_TIMES), (*row[:texts], *times), strict=True)
        )
    names = (*side.RUN, *side.END)
    for run_id, *row in con.execute(_RUNS.format(where=where), params).fetchall():
        about = dict(zip(names, row, strict=True))
        if about["end_at"] is not None and not math.isfinite(about["end_at"]):
            about["end_at"] = None
        path = about["path"] or "."
        below = _below(path, artifacts.get(run_id, []))
        data, left_out = side.write(about, jobs.get(run_id, {}), hparams.get(run_id, []), below)
        yield about["source"] or "", path, data, left_out


def _below(path: str, artifacts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Artifacts in the run's directory, as seen from there; what the events name comes from them."""
    prefix = "" if path == "." else f"{path}/"
    for row in artifacts:
        if row["path"].startswith(prefix):
            mtime = None if row["mtime"] is None else row["mtime"] / 1e6
            yield row | {"path": row["path"][len(prefix) :], "mtime": mtime}
