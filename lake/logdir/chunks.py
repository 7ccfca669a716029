"""What an export of event files asks the lake: files in portions that fit in memory, and their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from ..history import among
from .values import Series

# Bytes of event files whose rows are held at once.
CHUNK_BYTES = 32 << 20
_CHUNK_FILES = 2_000
# A file that is longer is taken apart by its records, these many at a time at least.
_BIN = 4_096
# No record is shorter than its frame.
_FRAME = 16
_POINT_BYTES = 50


@dataclass(frozen=True)
class File:
    """A row of `files`, and where it is written to, relative to the target."""

    file_id: int
    run_id: int | None
    source: str
    stream: str
    path: str
    records: int
    bytes: int
    mtime_ns: int
    first_wall_time: float | None
    last_wall_time: float | None
    writer: str | None


@dataclass(frozen=True)
class Part:
    """Records [first, end) of a file; *last* says that it ends there."""

    file: File
    first: int
    end: int
    last: bool = True


@dataclass
class Chunk:
    """Parts of files in order, their series, and the rows of `scalar_points`."""

    parts: list[Part]
    tags: list[tuple[str, Series]] = field(default_factory=list)
    series: dict[tuple[int, str, str, str], Series] = field(default_factory=dict)
    # Tags that are used for more than one kind of thing: (run_id, stream, tag).
    shared: set[tuple[int, str, str]] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)


_FILES = """
    SELECT f.file_id, f.run_id, f.source, f.stream, f.path, coalesce(f.records, 0),
           coalesce(f.offset_read, 0), coalesce(f.mtime_ns, 0), f.first_wall_time,
           f.last_wall_time, f.writer
    FROM files f WHERE {where}
    ORDER BY f.run_id NULLS LAST, f.stream, coalesce(f.created_unix, 0), f.path
"""


def files(con: duckdb.DuckDBPyConnection, runs: Sequence[int] | None) -> list[File]:
    """The event files of *runs* in order of runs; None are all, those without a run as well."""
    params: dict[str, object] = {}
    where = among(runs, "f.run_id", params)
    return [File(*row) for row in con.execute(_FILES.format(where=where), params).fetchall()]


def count(con: duckdb.DuckDBPyConnection, runs: Sequence[int] | None) -> int:
    """How many scalars, tensors and blobs *runs* have."""
    params: dict[str, object] = {}
    where = among(runs, "run_id", params)
    tables = ("scalar_points", "tensors", "blobs")
    counts = " + ".join(f"(SELECT count(*) FROM {one} WHERE {where})" for one in tables)
    found = con.execute(f"SELECT {counts}", params).fetchone()
    return int(found[0]) if found else 0


def portions(con: duckdb.DuckDBPyConnection, found: Sequence[File]) -> Iterator[list[Part]]:
    """All of *found* in order, as much at a time as may be in memory."""
    waiting: list[Part] = []
    size = 0
    for one in found:
        if one.bytes > CHUNK_BYTES:
            if waiting:
                yield waiting
            waiting, size = [], 0
            for part in _parts(con, one):
                yield [part]
            continue
        if waiting and (size + one.bytes > CHUNK_BYTES or len(waiting) >= _CHUNK_FILES):
            yield waiting
            waiting, size = [], 0
        waiting.append(Part(one, 0, _records(one)))
        size += one.bytes
    if waiting:
        yield waiting


def _records(file: File) -> int:
    if file.records == 0 and file.first_wall_time is not None:
        # A header that waits for the first value, which will say what run this is.
        return 1
    # More than its bytes can hold there cannot have been.
    return min(file.records, file.bytes // _FRAME)


_WEIGHTS = f"""
    SELECT record // {_BIN} AS bin, sum(weight) FROM (
        SELECT record, {_POINT_BYTES} AS weight FROM scalar_points
        WHERE run_id = $run AND file_id = $file
        UNION ALL SELECT record, 200 + nbytes FROM blobs WHERE run_id = $run AND file_id = $file
        UNION ALL SELECT record, 200 + 8 * coalesce(len(data), 0) + coalesce(octet_length(raw), 0)
            + coalesce(list_sum(list_transform(strings, x -> strlen(x))), 0)
        FROM tensors WHERE run_id = $run AND file_id = $file
    ) GROUP BY bin ORDER BY bin
"""


def _parts(con: duckdb.DuckDBPyConnection, file: File) -> Iterator[Part]:
    """A long file by stretches of records that weigh about as much as a chunk may."""
    rows = con.execute(_WEIGHTS, {"run": file.run_id, "file": file.file_id}).fetchall()
    end = _records(file)
    cuts: list[int] = []
    size = 0
    for number, weight in rows:
        if size and size + weight > CHUNK_BYTES:
            cuts.append(number * _BIN)
            size = 0
        size += weight
    bounds = [0, *(cut for cut in cuts if cut < end), end]
    for at, (first, after) in enumerate(zip(bounds, bounds[1:], strict=False)):
        yield Part(file, first, after, at == len(bounds) - 2)


_SERIES = """
    SELECT run_id, stream, tag, kind, plugin, coalesce(data_class, ''), coalesce(content, ''::BLOB),
           coalesce(display_name, ''), coalesce(description, '')
    FROM series WHERE {where} ORDER BY run_id, stream, tag, kind
"""
_SHARED = """
    SELECT run_id, stream, tag FROM tensors WHERE {where}
    GROUP BY run_id, stream, tag HAVING count(DISTINCT plugin) > 1
"""


def chunk(con: duckdb.DuckDBPyConnection, parts: list[Part]) -> Chunk:
    """The series of the runs of *parts*; their files and tags are at hand for `rows` then."""
    found = Chunk(parts)
    runs = sorted({part.file.run_id for part in parts if part.file.run_id is not None})
    params: dict[str, object] = {}
    where = among(runs, "run_id", params)
    before: tuple[int, str, str] | None = None
    for run_id, stream, tag, kind, *about in con.execute(
        _SERIES.format(where=where), params
    ).fetchall():
        found.kinds.add(kind)
        series = Series(*about)
        if (run_id, stream, tag) == before:
            found.shared.add(before)
        if kind == "scalar":
            found.tags.append((tag, series))
        found.series[run_id, stream, tag, kind] = series
        before = (run_id, stream, tag)
    if "tensor" in found.kinds:
        found.shared.update(con.execute(_SHARED.format(where=where), params).fetchall())
    scalar = [key[:3] for key in found.series if key[3] == "scalar"]
    con.register("logdir_tags", pa.table({
        "run_id": pa.array([key[0] for key in scalar], pa.int64()),
        "stream": pa.array([key[1] for key in scalar], pa.string()),
        "tag": pa.array([key[2] for key in scalar], pa.string()),
        "code": pa.array(np.arange(len(scalar), dtype=np.int32)),
    }))  # fmt: skip
    con.register("logdir_files", pa.table({
        "run_id": pa.array([part.file.run_id for part in parts], pa.int64()),
        "file_id": pa.array([part.file.file_id for part in parts], pa.int64()),
        "pos": pa.array(np.arange(len(parts), dtype=np.int32)),
        "first": pa.array([part.first for part in parts], pa.int64()),
        "end": pa.array([part.end for part in parts], pa.int64()),
    }))  # fmt: skip
    return found


def forget(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what `chunk` put at hand."""
    con.unregister("logdir_tags")
    con.unregister("logdir_files")


_FROM = """
    FROM {table} p
    JOIN logdir_files e ON e.run_id = p.run_id AND e.file_id = p.file_id
     AND p.record >= e.first AND p.record < e."end"
"""
# Columns that are sorted by come back from the sort's keys, which know no -0.0: values are hashed.
_TAG = "LEFT JOIN logdir_tags t ON t.run_id = p.run_id AND t.stream = p.stream AND t.tag = p.tag"
_SCALARS = f"""
    SELECT e.pos, p.record, p.step, p.wall_time, p.value, t.code {_FROM} {_TAG}
    WHERE {{where}}
    ORDER BY e.pos, p.record, t.code, p.superseded DESC, p.attempt, hash(p.value)
"""
_TENSORS = f"""
    SELECT e.pos, p.record, p.step, p.wall_time, p.tag, p.plugin, p.dtype, p.shape, p.data, p.strings,
           p.raw
    {_FROM} WHERE {{where}}
    ORDER BY e.pos, p.record, p.tag, p.superseded DESC, p.attempt, p.plugin, p.dtype,
             hash(p.raw), hash(p.strings), hash(p.data)
"""
_BLOBS = f"""
    SELECT e.pos, p.record, p.step, p.wall_time, p.tag, p.plugin, p.superseded, p.width, p.height, p.idx,
           p.nbytes, p.label, p.location, p.data
    {_FROM} WHERE {{where}}
    ORDER BY e.pos, p.record, p.tag, p.superseded DESC, p.attempt, p.width, p.height, p.idx, p.label,
             hash(p.data)
"""


def scalars(con: duckdb.DuckDBPyConnection, chunk: Chunk) -> pa.Table:
    """pos, record, step, wall_time, value and code (place in `chunk.tags`), in order of records."""
    return _rows(con, _SCALARS, "scalar_points", chunk)


def tensors(con: duckdb.DuckDBPyConnection, chunk: Chunk) -> pa.Table:
    """pos, record, step, wall_time and what a tensor is, in order of records and tags."""
    return _rows(con, _TENSORS, "tensors", chunk)


def blobs(con: duckdb.DuckDBPyConnection, chunk: Chunk) -> pa.Table:
    """pos, record, step, wall_time and what a byte string is, in order of records, tags and indices."""
    return _rows(con, _BLOBS, "blobs", chunk)


def _rows(con: duckdb.DuckDBPyConnection, sql: str, table: str, chunk: Chunk) -> pa.Table:
    params: dict[str, object] = {}
    runs = sorted({part.file.run_id for part in chunk.parts if part.file.run_id is not None})
    # Bounds that are known when the query is planned leave out row groups.
    where = [among(runs, "p.run_id", params), "p.file_id BETWEEN $least AND $most"]
    file_ids = [part.file.file_id for part in chunk.parts]
    params |= {"least": min(file_ids), "most": max(file_ids)}
    if len(chunk.parts) == 1:
        part = chunk.parts[0]
        params |= {"first": part.first, "end": part.end}
        where.append("p.record >= $first AND p.record < $end")
    query = sql.format(table=table, where=" AND ".join(where))
    return con.execute(query, params).to_arrow_table()
