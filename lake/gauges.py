"""A lake and its sources as metrics: what the last cycle of each did, sums over all, and what is left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb

from ..core.exposition import Family
from . import ask
from .spending import COST_PER_DAY, DAY

# One pass over the record of cycles, and one over the files: both are small beside the points.
_SOURCES = """
WITH c AS (
    SELECT source, count(*) AS cycles, max(ended_at) AS ended_at,
           arg_max(epoch(ended_at - started_at), ended_at) AS seconds,
           arg_max_null(error, ended_at) IS NOT NULL AS down,
           arg_max_null(requests_per_day, ended_at) AS allowed,
           count(*) FILTER (error IS NOT NULL) AS failed, count(*) FILTER (skipped IS NOT NULL) AS put_off,
           {last},
           {sums}
    -- A cycle that is far in the future ran while the ingester's clock was ahead.
    FROM cycles WHERE started_at < $now + INTERVAL 1 HOUR GROUP BY source
), f AS (
    SELECT source, count(*) AS files, count(*) FILTER (missing_since IS NOT NULL) AS missing,
           coalesce(sum(size), 0) AS size, coalesce(sum(points), 0) AS points,
           coalesce(sum(greatest(size - offset_read, 0))
               FILTER (missing_since IS NULL AND NOT ends_with(path, '.gz')), 0) AS behind
    FROM files GROUP BY source
), p AS (
    SELECT source, count(*) AS problems FROM problems GROUP BY source
), d AS ({day})
SELECT s.source, s.machine, s.kind, c.* EXCLUDE (source), f.* EXCLUDE (source),
       coalesce(p.problems, 0) AS problems, coalesce(d.requests_day, 0) AS requests_day,
       {cost} AS cost_per_day
FROM source_facts s LEFT JOIN c USING (source) LEFT JOIN f USING (source) LEFT JOIN p USING (source)
LEFT JOIN d USING (source)
ORDER BY s.source
"""
_TOTALS = """
SELECT (SELECT count(*) FROM run_facts) AS runs, count(*) AS files,
       coalesce(sum(points), 0) AS points, coalesce(sum(size), 0) AS size FROM files
"""
_STATES = "SELECT source, state, count(*) AS runs FROM runs GROUP BY ALL ORDER BY ALL"

_SUMMED = (
    *("files_changed", "bytes_read", "bytes_received", "points", "problems"),
    *("requests", "list_requests", "read_requests"),
)
_LAST = ("files_listed", "files_looked", *_SUMMED)

# Column of the statement, name after `boardlake_source_`, what it says.
_GAUGES = (
    ("seconds", "last_cycle_duration_seconds", "How long the last cycle took."),
    ("last_files_listed", "last_cycle_files_listed", "Event files that the last cycle listed."),
    ("last_files_looked", "last_cycle_files_looked", "Of those, the files that it looked at."),
    ("last_files_changed", "last_cycle_files_changed", "Event files that had changed then."),
    ("last_bytes_read", "last_cycle_read_bytes", "Bytes of event files that it read."),
    ("last_bytes_received", "last_cycle_received_bytes", "Bytes of the answers of its server."),
    ("last_points", "last_cycle_points", "Scalar points that it stored."),
    ("last_requests", "last_cycle_requests", "Requests that it made to the source."),
    ("requests_day", "requests_within_day", "Requests within the last 24 hours."),
    ("allowed", "requests_allowed_per_day", "Requests allowed within 24 hours; 0 = any number."),
    ("cost_per_day", "cost_per_day", "Estimate for 24 hours, in the currency of the prices."),
    ("last_problems", "last_cycle_problems", "Problems that it met."),
    ("files", "files", "Event files that the lake knows of the source."),
    ("missing", "files_missing", "Event files that are no longer there."),
    ("size", "files_bytes", "Size of its event files."),
    ("behind", "behind_bytes", "Bytes that were listed but not read."),
    ("points", "points", "Scalar points that the lake holds of it."),
    ("problems", "problems", "Problems that stand in the lake."),
)
_COUNTERS = (
    ("cycles", "cycles_total", "Cycles."),
    ("failed", "failed_cycles_total", "Cycles that could not read the source."),
    ("put_off", "put_off_cycles_total", "Cycles that left something to a later one."),
    ("all_files_changed", "files_changed_total", "Event files that had changed, over all cycles."),
    ("all_bytes_read", "read_bytes_total", "Bytes of event files that were read."),
    ("all_bytes_received", "received_bytes_total", "Bytes of the answers of its server."),
    ("all_points", "points_stored_total", "Scalar points that were stored."),
    ("all_requests", "requests_total", "Requests to the source."),
    ("all_list_requests", "list_requests_total", "Requests that list."),
    ("all_read_requests", "read_requests_total", "All other requests."),
    ("all_problems", "cycle_problems_total", "Problems that cycles met."),
)


def families(
    con: duckdb.DuckDBPyConnection, now: datetime | None = None, *, states: bool = False
) -> list[Family]:
    """Metrics of the lake and of each source at *now* (UTC); with *states* also runs by state."""
    at = now or datetime.now(UTC).replace(tzinfo=None)
    sql = _SOURCES.format(
        day=DAY,
        cost=COST_PER_DAY,
        last=", ".join(f"arg_max({name}, ended_at) AS last_{name}" for name in _LAST),
        sums=", ".join(f"coalesce(sum({name}), 0) AS all_{name}" for name in _SUMMED),
    )
    sources = ask.read(con, lambda: con.execute(sql, {"now": at}).to_arrow_table()).to_pylist()
    (totals,) = ask.read(con, lambda: con.execute(_TOTALS).to_arrow_table()).to_pylist()
    found = [*_of_lake(totals), *_of_sources(sources, at.replace(tzinfo=UTC).timestamp())]
    if states:
        runs = Family("boardlake_source_runs", "gauge", "Runs by state.")
        for source, state, count in ask.read(con, lambda: con.execute(_STATES).fetchall()):
            runs.add(count, {"source": source, "state": state})
        found.append(runs)
    return found


def _of_lake(totals: dict[str, Any]) -> list[Family]:
    told = {
        "runs": ("boardlake_lake_runs", "Runs in the lake."),
        "files": ("boardlake_lake_files", "Event files that the lake knows."),
        "points": ("boardlake_lake_points", "Scalar points in the lake."),
        "size": ("boardlake_lake_files_bytes", "Size of the event files that the lake knows."),
    }
    found = [Family(name, "gauge", says) for name, says in told.values()]
    for family, column in zip(found, told, strict=True):
        family.add(totals[column])
    return found


def _of_sources(sources: list[dict[str, Any]], now: float) -> list[Family]:
    about = Family("boardlake_source_info", "gauge", "What a source is; always 1.")
    up = Family("boardlake_source_up", "gauge", "Whether the source could be read: 1 or 0.")
    last = Family(
        "boardlake_source_last_cycle_timestamp_seconds", "gauge", "When its last cycle ended."
    )
    lag = Family("boardlake_source_lag_seconds", "gauge", "Time since its last cycle ended.")
    shown = [(c, Family(f"boardlake_source_{name}", "gauge", says)) for c, name, says in _GAUGES]
    shown += [
        (c, Family(f"boardlake_source_{name}", "counter", says)) for c, name, says in _COUNTERS
    ]
    for row in sources:
        own = {"source": row["source"]}
        about.add(1, own | {"machine": row["machine"] or "", "kind": row["kind"] or ""})
        if row["ended_at"] is not None:
            ended = row["ended_at"].replace(tzinfo=UTC).timestamp()
            up.add(0 if row["down"] else 1, own)
            last.add(ended, own)
            # A clock that was set back, or one of another machine that is ahead.
            lag.add(max(0.0, now - ended), own)
        for column, family in shown:
            family.add(row[column], own)
    return [about, up, last, lag, *(family for _, family in shown)]
