"""What the lake holds of chosen files, held row by row against what another reader found in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ..core.values import Cursor

# Rows of a reader. `reader` is 'tensorboard', with the record that a row comes from, or 'tbparse',
# which knows no records and no kinds. NULL where the reader cannot say, so nothing is compared.
READ = pa.schema(
    {
        "file_id": pa.int64(),
        "reader": pa.string(),
        "kind": pa.string(),
        "tag": pa.string(),
        "record": pa.int64(),
        "idx": pa.int32(),
        "step": pa.int64(),
        "wall_time": pa.float64(),
        "value": pa.float64(),
        "shape": pa.list_(pa.int64()),
        "data": pa.list_(pa.float64()),
        "strings": pa.list_(pa.string()),
        "digest": pa.string(),  # MD5 of the bytes, in hexadecimal
        "nbytes": pa.int64(),
    }
)
MAX_DIFFERENCES = 10_000
_EVERY_RECORD = 2**62
# What two rows of one record are compared in.
_LISTS = ("shape", "data", "strings")
_COMPARED = ("step", "wall_time", "value", *_LISTS, "digest", "nbytes")


@dataclass(frozen=True)
class StoredFile:
    """A row of `files` with its run; `cursor` says how much of the file the lake holds."""

    file_id: int
    run_id: int
    run: str
    source: str
    stream: str
    path: str
    cursor: Cursor


@dataclass(frozen=True)
class Gap:
    """Bytes that `problems` says were skipped: `records` of them are counted, 0 or 1."""

    offset: int
    bytes: int
    records: int
    kind: str


@dataclass(frozen=True)
class FileRead:
    """How far a reader came: up to *records* records, but for those in *unread*.

    *whole* says that tbparse gave all that it can see of the file, so that counts must agree.
    """

    records: int
    unread: tuple[int, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Found:
    """Where lake and reader differ in `rows` rows of one series of a file; the first one is shown."""

    file_id: int
    tag: str
    kind: str
    what: str
    lake: str
    reader: str
    rows: int


def files_of(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> list[StoredFile]:
    """The files of runs, by run and stream, in the order in which they were to be read."""
    rows = con.execute(
        "SELECT f.file_id, f.run_id, r.name, f.source, f.stream, f.path, f.offset_read, f.records,"
        " f.head_bytes, f.head_hash, f.tail_bytes, f.tail_hash"
        " FROM files f JOIN run_facts r USING (run_id)"
        " WHERE f.run_id IN (SELECT unnest($runs::BIGINT[]))"
        " ORDER BY f.run_id, f.stream, coalesce(f.created_unix, 0), f.path",
        {"runs": list(run_ids)},
    ).fetchall()
    return [
        StoredFile(file_id, run_id, run, source, stream, path, Cursor(*cursor))
        for file_id, run_id, run, source, stream, path, *cursor in rows
    ]


def uris(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Where each source was when it was last read."""
    return dict(con.execute("SELECT source, uri FROM source_facts").fetchall())


def gaps(con: duckdb.DuckDBPyConnection, source: str) -> dict[str, list[Gap]]:
    """What was skipped in the files of a source because of damage, by path."""
    found: dict[str, list[Gap]] = {}
    rows = con.execute(
        'SELECT DISTINCT path, "offset", bytes, kind FROM problems WHERE source = ?'
        " AND kind IN ('bad payload', 'bad length', 'too long')",
        [source],
    ).fetchall()
    for path, offset, size, kind in rows:
        records = 0 if kind == "bad length" else 1
        found.setdefault(path, []).append(Gap(offset, size, records, kind))
    return found


def differences(
    con: duckdb.DuckDBPyConnection,
    files: Mapping[StoredFile, FileRead],
    tables: Sequence[str],
) -> tuple[list[Found], list[StoredFile]]:
    """How the lake's rows of *files* differ from a reader's in *tables*, Parquet files of `READ`.

    Also returns the files that became others since they were chosen, which are not compared.
    """
    with _snapshot(con):
        scope, changed = _scope(con, files)
        if not scope.num_rows:
            return [], changed
        unread = [(one.file_id, record) for one, read in files.items() for record in read.unread]
        con.register("scope", scope)
        con.register("unread", _table(unread, {"file_id": pa.int64(), "record": pa.int64()}))
        try:
            con.execute(_STORED)
            con.execute(_AGAIN, {"tables": list(tables)})
            rows = [
                row for sql in (_ROWS, _MULTISETS, _COUNTS) for row in con.execute(sql).fetchall()
            ]
        finally:
            con.unregister("scope")
            con.unregister("unread")
    return [Found(*row) for row in rows], changed


def strays(
    con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]
) -> list[tuple[str, str, str, int]]:
    """Rows of runs that belong to no file: (run, stream, tag, how many)."""
    tables = " UNION ALL ".join(
        f"SELECT run_id, stream, tag, file_id FROM {table}"
        " WHERE run_id IN (SELECT unnest($runs::BIGINT[]))"
        for table in ("scalar_points", "tensors", "blobs")
    )
    return con.execute(
        f"SELECT coalesce(any_value(r.name), ''), p.stream, p.tag, count(*) FROM ({tables}) p"
        " LEFT JOIN run_facts r USING (run_id)"
        " WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.file_id = p.file_id"
        " AND f.run_id = p.run_id AND f.stream = p.stream)"
        f" GROUP BY p.run_id, p.stream, p.tag ORDER BY ALL LIMIT {MAX_DIFFERENCES}",
        {"runs": list(run_ids)},
    ).fetchall()


@contextmanager
def _snapshot(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Everything within is read from one state of the lake."""
    con.execute("BEGIN")
    try:
        yield
    finally:
        con.execute("ROLLBACK")


def _grew_from(now: Cursor, before: Cursor) -> bool:
    same_head = now.head_bytes != before.head_bytes or now.head_hash == before.head_hash
    return now == before or (now.offset > before.offset and same_head)


def _scope(
    con: duckdb.DuckDBPyConnection, files: Mapping[StoredFile, FileRead]
) -> tuple[pa.Table, list[StoredFile]]:
    """What of each file is compared, and the files that are others now."""
    now = {file.file_id: file for file in files_of(con, sorted({file.run_id for file in files}))}
    rows, changed = [], []
    for file, read in files.items():
        current = now.get(file.file_id)
        if current is None or not _grew_from(current.cursor, file.cursor):
            changed.append(file)
            continue
        settled = current == file and read.records == file.cursor.records
        below = _EVERY_RECORD if settled else read.records
        rows.append((file.file_id, file.run_id, file.stream, below, read.whole))
    types = dict.fromkeys(("file_id", "run_id"), pa.int64())
    types |= {"stream": pa.string(), "below": pa.int64(), "whole": pa.bool_()}
    return _table(rows, types), changed


def _table(rows: Sequence[tuple[object, ...]], types: Mapping[str, pa.DataType]) -> pa.Table:
    columns = [[row[index] for row in rows] for index in range(len(types))]
    return pa.table(columns, schema=pa.schema(list(types.items())))


def _stored(kind: str, table: str, columns: str) -> str:
    return (
        f"SELECT file_id, '{kind}' AS kind, tag, record, step, wall_time, {columns}"
        f" FROM {table} t JOIN scope USING (file_id, run_id, stream) WHERE record < below"
        " AND NOT EXISTS (SELECT 1 FROM unread u"
        " WHERE u.file_id = t.file_id AND u.record = t.record)"
    )


_NO_LISTS = "NULL::BIGINT[] AS shape, NULL::DOUBLE[] AS data, NULL::VARCHAR[] AS strings"
_LAKE = " UNION ALL ".join(
    (
        _stored(
            "scalar",
            "scalar_points",
            f"0 AS idx, value, {_NO_LISTS}, NULL AS digest, NULL::BIGINT AS nbytes",
        ),
        _stored(
            "tensor",
            "tensors",
            "0, NULL, shape, data, strings, md5(raw), NULL",
        ),
        # Bytes that stay outside the lake are compared by their number only.
        _stored(
            "blob",
            "blobs",
            f"idx, NULL, {_NO_LISTS}, coalesce(md5(data), 'not kept'), nbytes",
        ),
    )
)
_KEYS = "file_id, kind, tag, record, idx"
# Lists are compared by a hash; what is kept of them is there to be shown.
_SLIM = (
    f"{_KEYS}, step, wall_time, value, digest, nbytes, {{}}"
    " data[:6] AS data_begin, left(array_to_string(strings, ' | '), 200) AS text"
).format(
    "".join(f"CASE WHEN {name} IS NOT NULL THEN hash({name}) END AS {name}, " for name in _LISTS)
)


def _numbered(rows: str) -> str:
    """Rows with a key of their own: several values of a record may have one tag."""
    order = "step, wall_time, value, data, strings, digest"
    return (
        f"SELECT *, row_number() OVER (PARTITION BY {_KEYS} ORDER BY {order}) AS nth FROM ({rows})"
    )


def _differ(name: str) -> str:
    unlike = f"r.{name} IS NOT NULL AND l.{name} IS DISTINCT FROM r.{name}"
    if name == "digest":
        unlike += " AND l.digest IS DISTINCT FROM 'not kept'"
    return f"CASE WHEN l.nth IS NOT NULL AND {unlike} THEN '{name}' END"


def _shown(side: str) -> str:
    return (
        f"concat('step ', {side}.step, ', wall time ', {side}.wall_time,"
        f" ', value ' || {side}.value, ', ' || CAST({side}.data_begin AS VARCHAR),"
        f" ', ' || {side}.text, ', ' || {side}.nbytes || ' bytes')"
    )


_GROUPED = (
    " SELECT file_id, tag, any_value(kind), what, coalesce(arg_min(lake, record), ''),"
    " coalesce(arg_min(reader, record), ''), CAST(count(*) AS BIGINT) FROM found"
    f" GROUP BY file_id, tag, what ORDER BY file_id, tag, what LIMIT {MAX_DIFFERENCES}"
)

# Row against row, by the record that both say it comes from.
_TENSORBOARD, _TBPARSE = "'tensorboard'", "'tbparse'"
_THEIRS = "FROM read_again SEMI JOIN scope USING (file_id) WHERE reader = "
_ROWS = (
    f"WITH l AS ({_numbered('FROM stored')}), r AS ({_numbered(_THEIRS + _TENSORBOARD)}),"
    f" pairs AS (SELECT {_KEYS}, CASE WHEN l.nth IS NOT NULL THEN {_shown('l')} END AS lake,"
    f" CASE WHEN r.nth IS NOT NULL THEN {_shown('r')} END AS reader,"
    " list_filter([CASE WHEN l.nth IS NULL THEN 'missing' WHEN r.nth IS NULL THEN 'extra' END, "
    + ", ".join(_differ(name) for name in _COMPARED)
    + f"], lambda what: what IS NOT NULL) AS whats FROM l FULL JOIN r USING ({_KEYS}, nth)),"
    " found AS (SELECT * EXCLUDE whats, unnest(whats) AS what FROM pairs WHERE len(whats) > 0)"
    + _GROUPED
)

# What both readers can tell: numbers, lists of numbers, and single texts. tbparse cuts a suffix off
# the tags of texts, and a tensor of one number is that number to it.
_SIDES = (
    "WITH ours AS (SELECT file_id, step, wall_time, tag_without_suffix AS tag,"
    " coalesce(value, single) AS value, CASE WHEN single IS NULL THEN data END AS data, strings"
    " FROM stored WHERE value IS NOT NULL OR data IS NOT NULL OR texts = 1),"
    f" theirs AS ({_THEIRS + _TBPARSE})"
)
_SAME = ("file_id", "tag", "step", "wall_time", "value", "data", "strings")
_MULTISETS = (
    f"{_SIDES}, o AS (SELECT {', '.join(_SAME)}, count(*) AS n FROM ours GROUP BY ALL),"
    f" t AS (SELECT {', '.join(_SAME)}, count(*) AS n, any_value(data_begin) AS data_begin,"
    " any_value(text) AS text, NULL AS nbytes FROM theirs"
    f" GROUP BY {', '.join(_SAME)}),"
    " found AS (SELECT t.file_id, t.tag, '' AS kind, 'missing' AS what, '' AS lake,"
    f" 'tbparse: ' || {_shown('t')} AS reader, t.step AS record FROM t LEFT JOIN o ON "
    + " AND ".join(f"o.{name} IS NOT DISTINCT FROM t.{name}" for name in _SAME)
    + " WHERE t.n > coalesce(o.n, 0))"
    + _GROUPED
)
_COUNTS = (
    f"{_SIDES}, o AS (SELECT file_id, tag, count(*) AS n FROM ours GROUP BY ALL),"
    " t AS (SELECT file_id, tag, count(*) AS n FROM theirs JOIN scope USING (file_id)"
    " WHERE whole GROUP BY ALL)"
    " SELECT file_id, tag, '', 'count', CAST(o.n AS VARCHAR), 'tbparse: ' || t.n,"
    " CAST(abs(o.n - t.n) AS BIGINT) FROM t JOIN o USING (file_id, tag) WHERE o.n <> t.n"
    f" ORDER BY ALL LIMIT {MAX_DIFFERENCES}"
)
_STORED = (
    f"CREATE OR REPLACE TEMP TABLE stored AS SELECT {_SLIM}, len(strings) AS texts,"
    " CASE WHEN len(data) = 1 THEN data[1] END AS single,"
    " CASE WHEN strings IS NULL THEN tag ELSE regexp_replace(tag, '/text_summary$', '') END"
    f" AS tag_without_suffix FROM ({_LAKE})"
)
_AGAIN = (
    f"CREATE OR REPLACE TEMP TABLE read_again AS SELECT reader, {_SLIM}"
    " FROM read_parquet($tables::VARCHAR[])"
)
