"""What the lake knows of a source when a cycle over it begins."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import duckdb

from . import delete, ledger, runs_of

_DAY_S = 86400.0
_DAY = """
SELECT CAST(coalesce(sum(requests), 0) AS BIGINT), coalesce(sum(cost), 0),
       epoch(min(started_at)) FROM cycles
WHERE source = ? AND epoch(started_at) BETWEEN ? AND ?
"""


@dataclass
class Known:
    """`rows` by path; `runs` the path of each run by its number; `deleted` as `delete.path_key`.

    `requests` and `cost` are those of the last 24 hours, of which the first cycle began at `since`,
    Unix seconds.
    """

    rows: dict[str, ledger.FileRow] = field(default_factory=dict)
    runs: dict[int | None, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    requests: int = 0
    cost: float = 0.0
    since: float | None = None


def load(con: duckdb.DuckDBPyConnection, source: str) -> Known:
    """What the lake knows of *source*."""
    now = time.time()
    # A cycle in the future ran while this clock was ahead: it would count until then.
    day = con.execute(_DAY, [source, now - _DAY_S, now]).fetchone()
    assert day is not None
    return Known(
        ledger.rows_of_source(con, source),
        runs_of.paths(con, source),
        delete.deleted_keys(con, source),
        *day,
    )
