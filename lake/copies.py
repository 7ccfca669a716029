"""Runs that were found in several places."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from . import ask

_COPIES = """
WITH c AS (
    SELECT duplicate_of AS run_id, list({run_key: run_key, name: name, source: source,
        machine: machine, path: path} ORDER BY source, path) AS copies
    FROM runs WHERE duplicate_of IS NOT NULL GROUP BY duplicate_of
)
SELECT r.run_key, r.name, r.source, r.machine, r.path, c.copies
FROM c JOIN runs r USING (run_id)
WHERE $source IS NULL OR r.source = $source OR len(list_filter(c.copies, lambda one: one.source = $source)) > 0
ORDER BY r.last_event_at DESC NULLS LAST, r.run_id DESC LIMIT $limit OFFSET $offset
"""
_TOTAL = """
SELECT count(DISTINCT c.duplicate_of) FROM runs c JOIN runs r ON r.run_id = c.duplicate_of
WHERE $source IS NULL OR $source IN (r.source, c.source)
"""


def copies(
    con: duckdb.DuckDBPyConnection, limit: int = 100, offset: int = 0, source: str | None = None
) -> tuple[pa.Table, int]:
    """Runs that have copies, each with them, the newest first; and how many such runs there are.

    With *source*, those of which it has the run or a copy.
    """
    given = {"limit": limit, "offset": offset, "source": source}
    table = ask.read(con, lambda: con.execute(_COPIES, given).to_arrow_table())
    ((total,),) = ask.read(con, lambda: con.execute(_TOTAL, {"source": source}).fetchall())
    return table, int(total)
