"""What the ingester asks of runs that the lake already has."""

from __future__ import annotations

from typing import Any

import duckdb


def paths(con: duckdb.DuckDBPyConnection, source: str) -> dict[int | None, str]:
    """The path of every run of *source*, by run_id."""
    found = con.execute("SELECT run_id, path FROM run_facts WHERE source = ?", [source])
    return dict(found.fetchall())


def metadata(
    con: duckdb.DuckDBPyConnection, run_id: int, stream: str
) -> list[tuple[str, str, bytes, str, str]]:
    """Tag, plugin, content, display name and description of every series of a stream.

    Safe from any thread: it reads through a cursor of its own, beside a running transaction.
    """
    cursor = con.cursor()
    try:
        found: list[Any] = cursor.execute(
            "SELECT tag, plugin, content, display_name, description FROM lake.main.series"
            " WHERE run_id = ? AND stream = ? ORDER BY tag, kind",
            [run_id, stream],
        ).fetchall()
        return found
    finally:
        cursor.close()
