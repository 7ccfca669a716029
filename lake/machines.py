"""Machines and sources as they stand: what they hold, how far behind they are, how often they are read."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from . import ask
from .faults import SKEW
from .spending import COST_PER_DAY, DAY

# What a source usually takes and asks for is the median of so many of its last cycles.
_USUALLY = 100

_STATES = ", ".join(
    f"count(*) FILTER (state = '{state}') AS {state}"
    for state in ("running", "stalled", "failed", "finished")
)

_SOURCES = f"""
WITH latest AS (
    -- A cycle that is far in the future ran while the ingester's clock was ahead.
    SELECT source, list_min(max(started_at, {_USUALLY + 1})) AS since
    FROM cycles WHERE started_at < $now + INTERVAL 1 HOUR GROUP BY source
), c AS (
    -- Of years of cycles only these are put in order.
    SELECT y.*, epoch(started_at - lag(started_at) OVER (PARTITION BY source ORDER BY started_at)) AS gap
    FROM cycles y JOIN latest USING (source)
    WHERE started_at >= latest.since AND started_at < $now + INTERVAL 1 HOUR
    QUALIFY row_number() OVER (PARTITION BY source ORDER BY started_at DESC, ended_at DESC) <= {_USUALLY}
), usual AS (
    SELECT source, median(requests) AS requests_per_cycle, median(gap) AS usual_s,
           max(ended_at) AS last_cycle_at, arg_max({{cycle}}, (started_at, ended_at)) AS cycle
    FROM c GROUP BY source
), d AS (
    {DAY}
), w AS (
    SELECT source, max(ended_at) AS whole_at FROM cycles
    WHERE files_looked >= files_listed AND files_listed > 0 AND error IS NULL AND started_at <= $now
    GROUP BY source
), f AS (
    SELECT source, count(*) AS files, count(*) FILTER (missing_since IS NOT NULL) AS files_missing,
           sum(size) AS size, sum(points) AS points,
           -- Of a compressed file offset_read is what it would be unpacked.
           sum(greatest(size - offset_read, 0))
               FILTER (missing_since IS NULL AND NOT ends_with(path, '.gz')) AS behind
    FROM files GROUP BY source
), r AS (SELECT source, count(*) AS runs, {_STATES} FROM runs GROUP BY source)
SELECT s.source, s.uri, s.machine, s.kind, s.project, s.policy, usual.last_cycle_at,
       CASE WHEN usual.last_cycle_at IS NOT NULL
            THEN greatest(0, epoch($now - usual.last_cycle_at)) END AS lag_s, usual.usual_s,
       coalesce(f.files, 0) AS files, coalesce(f.files_missing, 0) AS files_missing,
       coalesce(r.runs, 0) AS runs, coalesce(r.running, 0) AS running, coalesce(r.stalled, 0) AS stalled,
       coalesce(r.failed, 0) AS failed, coalesce(r.finished, 0) AS finished, s.problems,
       CAST(coalesce(f.points, 0) AS BIGINT) AS points, CAST(coalesce(f.size, 0) AS BIGINT) AS size,
       CAST(coalesce(f.behind, 0) AS BIGINT) AS behind, usual.requests_per_cycle, usual.cycle, e.error,
       coalesce(d.requests_day, 0) AS requests_day, nullif(usual.cycle.requests_per_day, 0) AS requests_per_day,
       coalesce(d.received_day, 0) AS received_day,
       {COST_PER_DAY} AS cost_per_day,
       w.whole_at, w.whole_at + to_seconds(usual.cycle.rescan_s) AS whole_again_at,
       s.stalled_after_s, s.finished_after_s
FROM sources s LEFT JOIN usual USING (source) LEFT JOIN f USING (source) LEFT JOIN r USING (source)
LEFT JOIN d USING (source) LEFT JOIN w USING (source)
LEFT JOIN (SELECT source, max(message) AS error FROM problems WHERE kind = 'source' GROUP BY source) e
    USING (source)
ORDER BY s.source
"""
_CYCLE = """struct_pack(
    started_at := started_at, ended_at := ended_at, seconds := epoch(ended_at - started_at),
    files_listed := files_listed, files_changed := files_changed, bytes_read := bytes_read,
    points := points, requests := requests, problems := problems,
    list_requests := list_requests, read_requests := read_requests, bytes_received := bytes_received,
    files_looked := files_looked, cost := cost, error := error, skipped := skipped,
    requests_per_day := requests_per_day, rescan_s := rescan_s)"""

_MACHINES = f"""
WITH named AS (
    SELECT DISTINCT machine, source FROM source_facts
    UNION SELECT DISTINCT machine, source FROM run_facts
), r AS (
    SELECT machine, count(*) AS runs, {_STATES}, sum(files) AS files, sum(points) AS points,
           sum(size) AS size, max(last_event_at) AS last_event_at
    FROM runs GROUP BY machine
), k AS (
    SELECT r.machine, median(skew) AS skew_s, count(skew) AS skew_files
    FROM (SELECT f.run_id, {SKEW} AS skew FROM files f) JOIN run_facts r USING (run_id)
    GROUP BY r.machine
)
SELECT n.machine, n.sources, coalesce(r.runs, 0) AS runs, coalesce(r.running, 0) AS running,
       coalesce(r.stalled, 0) AS stalled, coalesce(r.failed, 0) AS failed,
       coalesce(r.finished, 0) AS finished, CAST(coalesce(r.files, 0) AS BIGINT) AS files,
       CAST(coalesce(r.points, 0) AS BIGINT) AS points, CAST(coalesce(r.size, 0) AS BIGINT) AS size,
       r.last_event_at, k.skew_s, coalesce(k.skew_files, 0) AS skew_files
FROM (SELECT machine, list(source ORDER BY source) AS sources FROM named GROUP BY machine) n
LEFT JOIN r USING (machine) LEFT JOIN k USING (machine)
ORDER BY n.machine
"""


def sources(con: duckdb.DuckDBPyConnection, now: datetime | None = None) -> pa.Table:
    """Each source by name: what it holds, its last cycle, and how long ago that was at *now* (UTC)."""
    at = now or datetime.now(UTC).replace(tzinfo=None)
    sql = _SOURCES.format(cycle=_CYCLE)
    return ask.read(con, lambda: con.execute(sql, {"now": at}).to_arrow_table())


def machines(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Each machine by name: its sources and runs, and how far its clock is off, where that is known."""
    return ask.read(con, lambda: con.execute(_MACHINES).to_arrow_table())
