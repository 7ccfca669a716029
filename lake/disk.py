"""What a lake takes on the disk: by table exactly, by project and tag by their share of the rows."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from . import ask
from .catalog import CATALOG
from .location import Location

NOTE = (
    "The bytes of tables are those of their data files. Those of projects and tags are estimates:"
    " scalars and tensors by their share of the rows, blobs by their own sizes. Files that readers of"
    " an older state may still need are not counted; upkeep removes them after some days."
)

_TABLES = f"""
SELECT t.table_name AS "table",
       CAST(coalesce(sum(f.record_count), 0) - coalesce(sum(d.gone), 0) AS BIGINT) AS rows,
       count(f.data_file_id) AS files,
       CAST(coalesce(sum(f.file_size_bytes), 0) + coalesce(sum(d.bytes), 0) AS BIGINT) AS bytes
FROM {CATALOG}.ducklake_table t
LEFT JOIN {CATALOG}.ducklake_data_file f ON f.table_id = t.table_id AND f.end_snapshot IS NULL
LEFT JOIN (SELECT data_file_id, sum(delete_count) AS gone, sum(file_size_bytes) AS bytes
           FROM {CATALOG}.ducklake_delete_file WHERE end_snapshot IS NULL
           GROUP BY data_file_id) d ON d.data_file_id = f.data_file_id
WHERE t.end_snapshot IS NULL GROUP BY t.table_name ORDER BY bytes DESC, t.table_name
"""

# Points ever read, superseded ones too: they lie on the disk as well.
_TAGS = """
WITH s AS (
    SELECT tag, kind, count(DISTINCT run_id) AS runs, sum(points) AS points,
           sum(points + superseded) AS rows
    FROM series_parts GROUP BY tag, kind
), b AS (SELECT tag, sum(coalesce(nbytes, 0)) FILTER (data IS NOT NULL) AS own
         FROM blobs GROUP BY tag)
SELECT s.tag, s.kind, s.runs, CAST(s.points AS BIGINT) AS points,
       CAST(round(CASE s.kind WHEN 'scalar' THEN $scalar * s.rows WHEN 'tensor' THEN $tensor * s.rows
                  ELSE coalesce(b.own, 0) END) AS BIGINT) AS bytes
FROM s LEFT JOIN b ON s.kind = 'blob' AND b.tag = s.tag
ORDER BY bytes DESC, s.tag, s.kind LIMIT $limit
"""
_PROJECTS = """
WITH s AS (
    SELECT run_id, sum(points + superseded) FILTER (kind = 'scalar') AS scalars,
           sum(points + superseded) FILTER (kind = 'tensor') AS tensors
    FROM series_parts GROUP BY run_id
), b AS (SELECT run_id, sum(coalesce(nbytes, 0)) FILTER (data IS NOT NULL) AS own
         FROM blobs GROUP BY run_id)
SELECT r.project, count(*) AS runs, CAST(coalesce(sum(s.scalars), 0) AS BIGINT) AS points,
       CAST(round($scalar * coalesce(sum(s.scalars), 0) + $tensor * coalesce(sum(s.tensors), 0)
                  + coalesce(sum(b.own), 0)) AS BIGINT) AS bytes
FROM run_facts r LEFT JOIN s USING (run_id) LEFT JOIN b USING (run_id)
GROUP BY r.project ORDER BY bytes DESC, r.project LIMIT $limit
"""


@dataclass(frozen=True)
class Disk:
    """Bytes of the data files and of the catalog; tables, projects and tags, the largest first."""

    total: int
    catalog: int
    tables: pa.Table
    projects: pa.Table
    tags: pa.Table


def disk(con: duckdb.DuckDBPyConnection, location: Location, limit: int = 50) -> Disk:
    """What the lake at *location* takes: its tables, and the *limit* largest projects and tags."""
    tables = ask.read(con, lambda: con.execute(_TABLES).to_arrow_table())
    sizes = {row["table"]: row["bytes"] / max(1, row["rows"]) for row in tables.to_pylist()}
    given = {
        "scalar": sizes.get("scalar_points", 0.0), "tensor": sizes.get("tensors", 0.0),
        "limit": limit,
    }  # fmt: skip
    catalog = 0
    for name in (location.catalog.name, f"{location.catalog.name}-wal"):
        file = location.catalog.with_name(name)
        catalog += file.stat().st_size if file.exists() else 0
    return Disk(
        sum(tables["bytes"].to_pylist()), catalog, tables,
        ask.read(con, lambda: con.execute(_PROJECTS, given).to_arrow_table()),
        ask.read(con, lambda: con.execute(_TAGS, given).to_arrow_table()),
    )  # fmt: skip
