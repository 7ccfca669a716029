"""The record of cycles, and of what they could not store."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pyarrow as pa

from . import ask

# Put together by time, so that a stretch in which none ran stays one; the widths are powers of two
# seconds, so that those put together stay so as more are added.
_CYCLES = """
WITH chosen AS (
    SELECT *, count(*) OVER own AS many,
           row_number() OVER (PARTITION BY source ORDER BY started_at, ended_at) AS number,
           pow(2, ceil(log2(greatest(1, epoch(max(started_at) OVER own - min(started_at) OVER own) / $most))))
               AS width
    FROM cycles
    WHERE ($source IS NULL OR source = $source) AND ($since IS NULL OR ended_at >= $since)
    WINDOW own AS (PARTITION BY source)
)
SELECT min(started_at) AS started_at, max(ended_at) AS ended_at,
       sum(epoch(ended_at - started_at)) AS seconds, source, count(*) AS cycles,
       max(files_listed) AS files_listed, CAST(sum(files_changed) AS BIGINT) AS files_changed,
       CAST(sum(bytes_read) AS BIGINT) AS bytes_read, CAST(sum(points) AS BIGINT) AS points,
       CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(problems) AS BIGINT) AS problems,
       CAST(sum(list_requests) AS BIGINT) AS list_requests, CAST(sum(read_requests) AS BIGINT) AS read_requests,
       CAST(sum(bytes_received) AS BIGINT) AS bytes_received, max(files_looked) AS files_looked,
       sum(cost) AS cost, count(*) FILTER (error IS NOT NULL) AS failed,
       count(*) FILTER (skipped IS NOT NULL) AS put_off,
       arg_max(coalesce(error, skipped), started_at) FILTER (error IS NOT NULL OR skipped IS NOT NULL)
           AS reason
FROM chosen
GROUP BY source, CASE WHEN many <= $most THEN number ELSE floor(epoch(started_at) / width) END
ORDER BY started_at, source
"""

_WHERE = """
    ($source IS NULL OR p.source = $source)
    AND ($path = '' OR contains(lower(p.path), lower($path)))
"""
_KINDS = f"""
SELECT kind, count(*) AS problems, count(DISTINCT (source, path)) AS files
FROM problems p WHERE {_WHERE} GROUP BY kind ORDER BY problems DESC, kind
"""
# What is wrong with a file beside the event files is of the run in whose directory it lies.
_PROBLEMS = f"""
WITH page AS (
    SELECT p."at", p.source, p.path, p."offset", p.bytes, p.kind, p.message
    FROM problems p WHERE {_WHERE} AND ($kind IS NULL OR kind = $kind)
    ORDER BY p."at" DESC, p.source, p.path, p."offset", p.kind LIMIT $limit OFFSET $offset
), found AS (
    SELECT page.*, coalesce(f.run_id, r.run_id) AS run_id
    FROM page LEFT JOIN files f USING (source, path)
    LEFT JOIN run_facts r ON f.run_id IS NULL AND r.source = page.source
        AND r.path = coalesce(nullif(regexp_extract(page.path, '^(.*)/[^/]*$', 1), ''), '.')
        AND page.path <> ''
)
SELECT found.* EXCLUDE (run_id), o.run_key, o.name AS run
FROM found LEFT JOIN run_facts o USING (run_id)
ORDER BY "at" DESC, found.source, found.path, "offset", kind
"""


def cycles(
    con: duckdb.DuckDBPyConnection,
    source: str | None = None,
    since: datetime | None = None,
    most: int = 500,
) -> pa.Table:
    """Cycles by time; where a source has more than *most*, its neighbours are put together.

    Then `cycles` says how many, and all figures are sums but files_listed, which is the largest.
    *since* is UTC. There may be one row more for each source than *most*.
    """
    given = {"source": source, "since": since, "most": most}
    return ask.read(con, lambda: con.execute(_CYCLES, given).to_arrow_table())


def problem_kinds(
    con: duckdb.DuckDBPyConnection, source: str | None = None, path: str = ""
) -> pa.Table:
    """Kinds of problems with how many there are, the commonest first; *path* is a part of a path."""
    given = {"source": source, "path": path}
    return ask.read(con, lambda: con.execute(_KINDS, given).to_arrow_table())


def problems(
    con: duckdb.DuckDBPyConnection,
    source: str | None = None,
    kind: str | None = None,
    path: str = "",
    limit: int = 100,
    offset: int = 0,
) -> pa.Table:
    """Problems, the newest first, with the run that the file belongs to."""
    given = {"source": source, "kind": kind, "path": path, "limit": limit, "offset": offset}
    return ask.read(con, lambda: con.execute(_PROBLEMS, given).to_arrow_table())
