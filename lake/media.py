"""Images, sounds and other byte strings of one series, and the bytes of one of them."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ..core.errors import UsageError
from . import ask, outside
from .detail import run_id


class NoSuchMedia(UsageError):
    """The lake has no such byte string, or not its bytes."""

    http_status = 404


@dataclass(frozen=True)
class Page:
    """Some of the blobs of a series: step, wall_time, idx, mime, width, height, nbytes, label,
    file_id, record."""

    plugin: str
    total: int
    rows: pa.Table


_ROWS = """
    WITH found AS (
        SELECT step, wall_time, idx, mime, width, height, nbytes, label, file_id, record, plugin
        FROM blobs
        WHERE run_id = $run AND stream = $stream AND tag = $tag AND NOT superseded AND nbytes > 0
    ), page AS (
        SELECT * EXCLUDE plugin FROM found
        ORDER BY step, wall_time, idx, file_id, record LIMIT $limit OFFSET $offset
    )
    SELECT t.total, t.plugin, p.*
    FROM (SELECT count(*) AS total, any_value(plugin) AS plugin FROM found) t
    LEFT JOIN page p ON true
    ORDER BY p.step, p.wall_time, p.idx, p.file_id, p.record
"""


def page(
    con: duckdb.DuckDBPyConnection,
    run_key: str,
    tag: str,
    stream: str,
    *,
    limit: int,
    offset: int,
) -> Page:
    """A page of what a series shows, by step, wall time and index; raises NoSuchRun."""
    given = {"run": run_id(con, run_key), "stream": stream, "tag": tag}
    given |= {"limit": limit, "offset": offset}
    table = ask.read(con, lambda: con.execute(_ROWS, given).to_arrow_table())
    total, plugin = table["total"][0].as_py(), table["plugin"][0].as_py()
    rows = table.drop_columns(["total", "plugin"])
    # Where the page is empty, the numbers stand alone in the one row.
    rows = rows.slice(0, 0) if rows["file_id"][0].as_py() is None else rows
    return Page(plugin or "", int(total), rows)


def data(
    con: duckdb.DuckDBPyConnection,
    run_key: str,
    file_id: int,
    record: int,
    idx: int,
    tag: str | None = None,
) -> bytes:
    """The bytes of one blob; without *tag*, of the first tag that the record has.

    Where they were left at the source they are read there, if it is within reach. Raises
    NoSuchRun, or NoSuchMedia with the reason.
    """
    sql = f"""
        SELECT b.tag, b.plugin, b.idx, b.nbytes, b.data, b.location, s.uri
        FROM blobs b JOIN run_facts r USING (run_id)
        LEFT JOIN source_facts s ON s.source = r.source
        WHERE b.run_id = $run AND b.file_id = $file AND b.record = $record AND b.idx = $idx
          {"" if tag is None else "AND b.tag = $tag"}
        ORDER BY b.tag LIMIT 1
    """
    given: dict[str, object] = {"run": run_id(con, run_key), "file": file_id, "record": record}
    given |= {"idx": idx} | ({} if tag is None else {"tag": tag})
    found = ask.read(con, lambda: con.execute(sql, given).fetchall())
    if not found:
        raise NoSuchMedia("there is nothing of that file, record and index", hint=_LIST)
    name, plugin, index, size, stored, location, uri = found[0]
    if stored is not None:
        return bytes(stored)
    if not location:
        hint = "media = 'copy' in the source's settings keeps those that are read from now on"
        raise NoSuchMedia("the bytes were not kept when the file was read", hint=hint)
    try:
        blob = outside.Blob(name, plugin, index, size)
        return outside.read(uri or "", location, blob)
    except outside.OutOfReach as error:
        raise NoSuchMedia(
            f"the bytes were left at the source, which cannot be reached: {error}",
            hint="mount the source on this machine, or read it with media = 'copy'",
        ) from error


_LIST = "/api/v1/media lists what a series has"
