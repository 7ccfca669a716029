"""One run in full: its row, its series, hyperparameters, files, artifacts and problems."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from ..core.errors import UsageError
from . import ask

MAX_FILES = 1_000


class NoSuchRun(UsageError):
    """The lake has no run of that key."""

    http_status = 404


def run_row(con: duckdb.DuckDBPyConnection, run_key: str) -> dict[str, object]:
    """The columns of `runs` for *run_key*, and `locations` of its copies; raises NoSuchRun."""
    sql = "SELECT * FROM runs WHERE run_key = $key"
    rows = _rows(con, sql, {"key": run_key})
    if not rows:
        raise _missing(run_key)
    return rows[0]


def run_id(con: duckdb.DuckDBPyConnection, run_key: str) -> int:
    """The run_id of *run_key*; raises NoSuchRun."""
    sql = "SELECT run_id FROM run_facts WHERE run_key = $key"
    rows = _rows(con, sql, {"key": run_key})
    if not rows:
        raise _missing(run_key)
    return int(str(rows[0]["run_id"]))


def run_ids(con: duckdb.DuckDBPyConnection, run_keys: Sequence[str]) -> list[int]:
    """The run_ids of *run_keys* in their order; raises NoSuchRun."""
    sql = "SELECT run_key, run_id FROM run_facts WHERE run_key IN (SELECT unnest($keys::VARCHAR[]))"
    found = {
        row["run_key"]: int(str(row["run_id"])) for row in _rows(con, sql, {"keys": list(run_keys)})
    }
    for run_key in run_keys:
        if run_key not in found:
            raise _missing(run_key)
    return [found[run_key] for run_key in run_keys]


def named(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Key and name of each run, by run_id; one that is not there is left out."""
    sql = "SELECT run_id, run_key, name FROM run_facts WHERE run_id IN (SELECT unnest($ids::BIGINT[]))"
    rows = _rows(con, sql, {"ids": list(run_ids)})
    return {int(str(row["run_id"])): (str(row["run_key"]), str(row["name"])) for row in rows}


def parts(con: duckdb.DuckDBPyConnection, run_id: int) -> dict[str, list[dict[str, object]]]:
    """What belongs to a run, by name: series, hparams (every origin), files, artifacts, problems."""
    given: dict[str, object] = {"run": run_id}
    queries = {
        "series": "SELECT * EXCLUDE (run_id, content, data_class) FROM series"
        " WHERE run_id = $run ORDER BY tag, stream",
        "hparams": "SELECT name, type, value, number, origin FROM hparams WHERE run_id = $run"
        " ORDER BY name, rank, origin",
        "files": "SELECT stream, path, size, offset_read, records, points, host, pid, writer,"
        " first_wall_time, last_wall_time, status, missing_since FROM files WHERE run_id = $run"
        f" ORDER BY first_wall_time, path LIMIT {MAX_FILES}",
        "artifacts": "SELECT kind, path, size, mtime, step FROM artifacts WHERE run_id = $run"
        f" ORDER BY kind, step, path LIMIT {MAX_FILES}",
        "problems": 'SELECT p."at", p.path, p."offset", p.bytes, p.kind, p.message FROM problems p'
        " JOIN files f ON f.source = p.source AND f.path = p.path WHERE f.run_id = $run"
        f' ORDER BY p."at" DESC LIMIT {MAX_FILES}',
    }
    return {name: _rows(con, sql, given) for name, sql in queries.items()}


def _missing(run_key: str) -> NoSuchRun:
    hint = "it may have been deleted; search for its name"
    return NoSuchRun(f"there is no run {run_key[:64]!r}", hint=hint)


def _rows(
    con: duckdb.DuckDBPyConnection, sql: str, given: dict[str, object]
) -> list[dict[str, object]]:
    table = ask.read(con, lambda: con.execute(sql, given).to_arrow_table())
    rows: list[dict[str, object]] = table.to_pylist()
    return rows
