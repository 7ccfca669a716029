"""Directories beside event files as they were last looked at, and what was found there."""

from __future__ import annotations

import time

import duckdb
import pyarrow as pa

from ..core.values import Problem
from . import facts
from .database import Lake


def directories(con: duckdb.DuckDBPyConnection, source: str) -> dict[str, int]:
    """The run_id of every run of *source*, by its directory relative to the root ('' = the root)."""
    found = con.execute("SELECT path, run_id FROM run_facts WHERE source = ?", [source])
    return {"" if path == "." else path: run_id for path, run_id in found.fetchall()}


def looked_at(con: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """What each directory held when it was last looked at, as a key."""
    found = con.execute("SELECT path, content FROM directories WHERE source = ?", [source])
    return dict(found.fetchall())


def write(
    lake: Lake,
    source: str,
    keys: dict[str, str],
    found: dict[int, list[facts.RunFacts]],
    problems: list[Problem],
) -> None:
    """Store facts of runs by run_id, and the *keys* of the directories that they came from."""
    table = pa.table(
        {
            "path": pa.array(list(keys), pa.string()),
            "content": pa.array(list(keys.values()), pa.string()),
        }
    )
    with lake.transaction() as con:
        facts.write_run_facts(con, list(found.items()))
        facts.write_problems(con, [(source, problems)], time.time())
        con.register("looked", table)
        con.execute(
            "DELETE FROM directories d USING looked l WHERE d.source = ? AND d.path = l.path",
            [source],
        )
        con.execute(
            "INSERT INTO directories (source, path, content) SELECT ?, path, content FROM looked",
            [source],
        )
        con.unregister("looked")
