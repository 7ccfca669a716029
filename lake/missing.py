"""Files that are no longer in their source: kept and labelled, or dropped where the source is a mirror."""

from __future__ import annotations

import pyarrow as pa

from .database import Lake
from .derive import derive
from .ledger import FileRow
from .write import forget_points


def note(lake: Lake, rows: dict[str, FileRow], gone: list[FileRow], *, mirror: bool) -> None:
    """Label *gone* files of a source, and unlabel those that are back; a *mirror* drops their rows."""
    labelled = {
        file_id
        for (file_id,) in lake.query("SELECT file_id FROM files WHERE missing_since IS NOT NULL")
    }
    absent = {row.file_id for row in gone}
    fresh = [row for row in gone if row.file_id not in labelled]
    back = [row for row in rows.values() if row.file_id in labelled - absent]
    if mirror and gone:
        _drop(lake, gone)
        fresh = []
    if fresh:
        _label(lake, fresh, "CAST(now() AS TIMESTAMP)")
    if back:
        _label(lake, back, "NULL")


def _ids(rows: list[FileRow]) -> pa.Table:
    return pa.table({"file_id": pa.array([row.file_id for row in rows], pa.int64())})


def _label(lake: Lake, rows: list[FileRow], since: str) -> None:
    with lake.transaction() as con:
        con.register("gone", _ids(rows))
        con.execute(
            f"UPDATE files SET missing_since = {since} WHERE file_id IN (SELECT file_id FROM gone)"
        )
        con.unregister("gone")


def _drop(lake: Lake, rows: list[FileRow]) -> None:
    """A mirror follows its source; a run whose last file goes, goes with it."""
    with lake.transaction() as con:
        disturbed = forget_points(con, rows)
        con.register("gone", _ids(rows))
        con.execute("DELETE FROM files WHERE file_id IN (SELECT file_id FROM gone)")
        con.unregister("gone")
        if disturbed:
            derive(con, disturbed)
        for table in ("hparams", "artifacts", "jobs", "run_facts"):
            con.execute(
                f"DELETE FROM {table} WHERE run_id NOT IN"
                " (SELECT run_id FROM files WHERE run_id IS NOT NULL)"
            )
