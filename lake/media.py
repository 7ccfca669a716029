"""Images, sounds and other byte strings of one series, and the bytes of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ..core.errors import UsageError
from . import ask, outside
from .detail import run_id, run_ids
from .history import among


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


@dataclass(frozen=True)
class Wanted:
    """Which byte string: of which run, event file, record, index, and tag of the record."""

    run_key: str
    file_id: int
    record: int
    idx: int
    tag: str


def several(
    con: duckdb.DuckDBPyConnection, wanted: Sequence[Wanted], room: int
) -> list[bytes | NoSuchMedia | None]:
    """The bytes of each, or why they cannot be had; None for those beyond *room* bytes together.

    One statement for all: what costs is a block of the file, not the image in it. The first is
    always given. Raises NoSuchRun.
    """
    keys = list(dict.fromkeys(one.run_key for one in wanted))
    ids = dict(zip(keys, run_ids(con, keys), strict=True))
    params: dict[str, object] = {}
    where = among(sorted(ids.values()), "b.run_id", params)
    params["room"] = room
    params["items"] = [
        {"place": place, "run_id": ids[one.run_key]}
        | {name: getattr(one, name) for name in ("file_id", "record", "idx", "tag")}
        for place, one in enumerate(wanted)
    ]
    sql = _SEVERAL.format(where=where)
    rows = ask.read(con, lambda: con.execute(sql, params).fetchall())
    found: list[bytes | NoSuchMedia | None] = [_nothing() for _ in wanted]
    uris: dict[int, str] = {}
    for place, run, size, within, plugin, stored, location in rows:
        if not within:
            found[place] = None
            continue
        if stored is None and location and run not in uris:
            uris[run] = _uri(con, run)
        one = wanted[place]
        blob = outside.Blob(one.tag, plugin, one.idx, size)
        try:
            found[place] = _bytes(blob, stored, location, uris.get(run, ""))
        except NoSuchMedia as error:
            found[place] = error
    return found


_SEVERAL = """
    WITH wanted AS (
        SELECT unnest($items::STRUCT(
            place BIGINT, run_id BIGINT, file_id BIGINT, record BIGINT, idx INTEGER, tag VARCHAR
        )[], recursive := true)
    ), found AS (
        SELECT w.place, b.run_id, b.nbytes, b.plugin, b.data, b.location
        FROM blobs b JOIN wanted w USING (run_id, file_id, record, idx, tag)
        WHERE {where}
        QUALIFY row_number() OVER (PARTITION BY w.place) = 1
    )
    SELECT place, run_id, nbytes,
           place = 0 OR sum(nbytes) OVER (ORDER BY place) <= $room AS within,
           plugin, CASE WHEN within THEN data END, location
    FROM found ORDER BY place
"""


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
    run = run_id(con, run_key)
    sql = f"""
        SELECT tag, plugin, idx, nbytes, data, location FROM blobs
        WHERE run_id = $run AND file_id = $file AND record = $record AND idx = $idx
          {"" if tag is None else "AND tag = $tag"}
        ORDER BY tag LIMIT 1
    """
    given: dict[str, object] = {"run": run, "file": file_id, "record": record}
    given |= {"idx": idx} | ({} if tag is None else {"tag": tag})
    found = ask.read(con, lambda: con.execute(sql, given).fetchall())
    if not found:
        raise _nothing()
    name, plugin, index, size, stored, location = found[0]
    uri = _uri(con, run) if stored is None and location else ""
    return _bytes(outside.Blob(name, plugin, index, size), stored, location, uri)


def _bytes(blob: outside.Blob, stored: bytes | None, location: str | None, uri: str) -> bytes:
    """The bytes as they are stored, or from below the root *uri*; raises NoSuchMedia."""
    if stored is not None:
        return bytes(stored)
    if not location:
        hint = "media = 'copy' in the source's settings keeps those that are read from now on"
        raise NoSuchMedia("the bytes were not kept when the file was read", hint=hint)
    try:
        return outside.read(uri, location, blob)
    except outside.OutOfReach as error:
        raise NoSuchMedia(
            f"the bytes were left at the source, which cannot be reached: {error}",
            hint="mount the source on this machine, or read it with media = 'copy'",
        ) from error


def _uri(con: duckdb.DuckDBPyConnection, run: int) -> str:
    """The root of a run's source, '' where it is not known."""
    sql = """
        SELECT s.uri FROM run_facts r JOIN source_facts s USING (source) WHERE r.run_id = $run
    """
    found = ask.read(con, lambda: con.execute(sql, {"run": run}).fetchone())
    return str(found[0] or "") if found else ""


def _nothing() -> NoSuchMedia:
    hint = "/api/v1/media lists what a series has"
    return NoSuchMedia("there is nothing of that file, record and index", hint=hint)
