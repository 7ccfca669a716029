"""Files beside the logs that TensorBoard's projector and profiler left: where they lie."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from .. import ask
from ..history import among

MOST = 10_000
CONFIG = "projector_config.pbtxt"

_FILES = f"""
    SELECT a.run_id, a.kind, a.path, a.size, epoch(a.mtime) AS mtime, coalesce(s.kind, '') AS place
    FROM artifacts a JOIN run_facts r USING (run_id) LEFT JOIN source_facts s USING (source)
    WHERE {{where}}
      AND (a.kind = 'profile' OR a.kind = 'projector' AND parse_filename(a.path) = '{CONFIG}')
    ORDER BY a.kind, a.run_id, a.path LIMIT {MOST}
"""


def plugin_files(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> pa.Table:
    """Configs of the projector and captures of the profiler, the first `MOST` by kind, run and path.

    Columns: run_id, kind (`profile`, `projector`), path (below the root of the source), size in bytes,
    mtime (Unix seconds), place (the kind of the source, `edge` where another machine pushed it).
    """
    params: dict[str, object] = {}
    text = _FILES.format(where=among(run_ids, "a.run_id", params))
    return ask.read(con, lambda: con.execute(text, params or None).to_arrow_table())
