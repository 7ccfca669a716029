"""What an export holds: its tables, the query for each, and what it says about itself.

A folder or ZIP holds what people read: the views `runs`, `series` and `sources` as they are now, and
every point once, as `scalar_points` with `superseded` (the view `scalars` is the rows where it is
false). A DuckDB file holds the tables below and the views on them. In CSV, bytes are base64.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

import duckdb
import pyarrow as pa

from ..core.errors import UsageError
from .catalog import CATALOG
from .database import reread
from .history import matching
from .targets import FORMAT

Form = Literal["parquet", "csv", "arrow", "duckdb"]

# What belongs to a run has run_id; the rest is chosen by the runs' sources and files.
_BY_RUN = "run_id IN (SELECT run_id FROM exported)"
_BY_SOURCE = f"source IN (SELECT source FROM run_facts WHERE {_BY_RUN})"
_BY_FILE = f"(source, path) IN (SELECT (source, path) FROM files WHERE {_BY_RUN})"
_CHOICE = dict.fromkeys(("sources", "source_facts", "cycles"), _BY_SOURCE) | {"problems": _BY_FILE}
_BOTH = (
    *("scalar_points", "tensors", "blobs", "hparams", "artifacts", "jobs", "files", "problems"),
    "cycles",
)
_FOLDER = ("runs", "series", "sources", *_BOTH)
_DATABASE = ("run_facts", "series_parts", "source_facts", "migrations", *_BOTH)
_TAGGED = ("series", "series_parts", "scalar_points", "tensors", "blobs")
# Rows of these may be large: as many as the lake's own files have together are written at once.
_HEAVY = ("tensors", "blobs")
_HEAVY_ROWS = 2_048
_LIGHT_ROWS = 65_536

_COPY = {
    "parquet": "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2",
    "csv": "FORMAT csv, HEADER",
}
# Names and passwords in a URI are no one else's business.
_MASKED = r"regexp_replace(uri, '://[^/@]*@', '://***@') AS uri"
# Bytes of a row as exported, against those of a row of the lake's own files.
_HEAVIER = {"parquet": 1.05, "csv": 3.6, "arrow": 2.0, "duckdb": 2.7}

_README = """# An export of a boardlake lake

{about}

{tables}

`manifest.json` says the same for programs. {how}

`scalar_points` holds every point ever read; `superseded` are those that TensorBoard no longer shows
since a restart went back over them.
"""
_HOW_SQL = """Read it with DuckDB, pandas, or anything that knows {form}:

    duckdb -c "SELECT step, value FROM '{example}' WHERE NOT superseded AND tag = 'loss' ORDER BY step\""""
_HOW_ARROW = """Read it with pyarrow, polars, pandas, or anything that knows Arrow IPC files:

    python -c "import pyarrow.feather; print(pyarrow.feather.read_table('{example}'))\""""


@dataclass(frozen=True)
class Choice:
    """Which runs, and which of their tags; None are all.

    A `*` in one of *tags* stands for any characters; *pattern* is a regular expression.
    """

    runs: list[int] | None = None
    tags: Sequence[str] | None = None
    pattern: str = ""

    @property
    def tagged(self) -> bool:
        """Whether only some tags are chosen."""
        return self.tags is not None or bool(self.pattern)


@dataclass(frozen=True)
class Figures:
    """What an export holds: how many runs, rows by table, about how many bytes."""

    runs: int
    rows: dict[str, int]
    bytes: int


def tables(form: Form) -> tuple[str, ...]:
    """The tables and views of an export, in order."""
    return _DATABASE if form == "duckdb" else _FOLDER


def batch_rows(name: str) -> int:
    """How many rows of a table may be in memory at once."""
    return _HEAVY_ROWS if name in _HEAVY else _LIGHT_ROWS


def copy_options(name: str, form: Form) -> str:
    """What follows COPY ... TO; not for Arrow and DuckDB."""
    rows = f", ROW_GROUP_SIZE {_HEAVY_ROWS}" if form == "parquet" and name in _HEAVY else ""
    return f"({_COPY[form]}{rows})"


@contextmanager
def snapshot(
    con: duckdb.DuckDBPyConnection, choice: Choice, database: Path | None = None
) -> Iterator[tuple[int, int]]:
    """One snapshot of the lake for all that is read; gives its number, and that of the runs.

    *choice* is at hand for `query` meanwhile, *database* is attached as `exporting`.
    Raises UsageError for tags that no run has.
    """
    if database is not None:
        con.execute(f"ATTACH {quote(str(database))} AS exporting")
    try:
        con.execute("BEGIN")
        yield _stage(con, choice)
        con.execute("COMMIT")
        if database is not None:
            con.execute("USE lake")
            # DETACH would do the same, but says nothing where the disk is full.
            con.execute("CHECKPOINT exporting")
            con.execute("DETACH exporting")
    except BaseException:
        # What went wrong first is to be told: a full disk makes each of these fail as well.
        for statement in ("ROLLBACK", "USE lake", "DETACH exporting")[
            : 1 if database is None else 3
        ]:
            with suppress(duckdb.Error):
                con.execute(statement)
        raise
    finally:
        con.unregister("exported")
        con.unregister("exported_tags")


def _stage(con: duckdb.DuckDBPyConnection, choice: Choice) -> tuple[int, int]:
    """Register the runs as `exported` and the tags as `exported_tags`."""
    found = con.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
    assert found is not None
    if choice.tagged:
        con.register("exported_tags", _tags(con, choice))
    if choice.runs is None:
        count = con.execute("SELECT count(*) FROM runs").fetchone()
        return int(found[0]), int(count[0]) if count else 0
    runs = sorted(set(choice.runs))
    con.register("exported", pa.table({"run_id": pa.array(runs, pa.int64())}))
    return int(found[0]), len(runs)


def _tags(con: duckdb.DuckDBPyConnection, choice: Choice) -> pa.Table:
    """The chosen tags, as the column tag."""
    if not choice.pattern:
        return matching(con, choice.tags or ())
    sql = "SELECT DISTINCT tag FROM series_parts WHERE regexp_matches(tag, $pattern)"
    try:
        found = con.execute(sql, {"pattern": choice.pattern}).to_arrow_table()
    except duckdb.InvalidInputException as error:
        hint = "regular expressions are written as RE2 has them"
        raise UsageError(f"tag_pattern: {error}"[:500], hint=hint) from error
    if choice.tags is not None:
        named = set(matching(con, choice.tags)["tag"].to_pylist())
        found = pa.table({"tag": [one for one in found["tag"].to_pylist() if one in named]})
    if not found.num_rows:
        message = f"tag_pattern: no run has a tag that matches {choice.pattern[:200]!r}"
        raise UsageError(message, hint="leave it out for all tags")
    return found


def query(con: duckdb.DuckDBPyConnection, name: str, form: Form, choice: Choice) -> str:
    """The query for what is exported of a table or view."""
    replaced = [_MASKED] if name in ("sources", "source_facts") else []
    if form == "csv":
        types = con.execute(f"SELECT column_name, column_type FROM (DESCRIBE lake.main.{name})")
        replaced += [
            f'to_base64("{column}") AS "{column}"'
            for column, kind in types.fetchall()
            if kind == "BLOB"
        ]
    columns = f"* REPLACE ({', '.join(replaced)})" if replaced else "*"
    return f"SELECT {columns} FROM lake.main.{name}{_where(name, choice)}"


def _where(name: str, choice: Choice) -> str:
    tests = []
    if choice.runs is not None and name != "migrations":
        tests.append(_CHOICE.get(name, _BY_RUN))
    if choice.tagged and name in _TAGGED:
        tests.append("tag IN (SELECT tag FROM exported_tags)")
    return f" WHERE {' AND '.join(tests)}" if tests else ""


def arrow(
    con: duckdb.DuckDBPyConnection, name: str, sql: str, sink: IO[bytes]
) -> Iterator[pa.RecordBatch]:
    """Write a table to *sink* as an Arrow IPC file; gives each batch that is written."""
    reader = con.execute(sql).to_arrow_reader(batch_rows(name))
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, reader.schema, options=options) as writer:
        for batch in reader:
            writer.write_batch(batch)
            yield batch


def count(con: duckdb.DuckDBPyConnection, form: Form, choice: Choice) -> dict[str, int]:
    """How many rows each table of the export will have; points are counted by their series."""
    found = {}
    for name in tables(form):
        # The view `runs` has a row for each of these, and takes much longer.
        table = "run_facts" if name == "runs" else name
        what, where = f"count(*) FROM lake.main.{table}", _where(name, choice)
        if name == "scalar_points":
            what = "CAST(coalesce(sum(points + superseded), 0) AS BIGINT) FROM series_parts"
            where = f"{where} AND kind = 'scalar'" if where else " WHERE kind = 'scalar'"
        row = con.execute(f"SELECT {what}{where}").fetchone()
        found[name] = int(row[0]) if row else 0
    return found


def figures(con: duckdb.DuckDBPyConnection, form: Form, choice: Choice) -> Figures:
    """What an export would hold; raises UsageError for tags that no run has."""

    def look() -> Figures:
        with snapshot(con, choice) as (_, runs):
            rows = count(con, form, choice)
            return Figures(runs, rows, _expected_bytes(con, form, rows))

    return reread(look)


def _expected_bytes(con: duckdb.DuckDBPyConnection, form: Form, rows: Mapping[str, int]) -> int:
    """About how large an export of so many rows will be, by what the lake's own rows take."""
    held = con.execute(
        "SELECT t.table_name, s.file_size_bytes, s.record_count"
        f" FROM {CATALOG}.ducklake_table t JOIN {CATALOG}.ducklake_table_stats s USING (table_id)"
        " WHERE t.end_snapshot IS NULL"
    ).fetchall()
    total = sum((size or 0) * rows.get(name, 0) / max(1, all_ or 0) for name, size, all_ in held)
    return int(total * _HEAVIER[form])


def views(con: duckdb.DuckDBPyConnection) -> None:
    """Make the lake's views in `exporting`."""
    found = con.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = 'lake' AND NOT internal"
    ).fetchall()
    # The views name their tables without a schema: those of the database in use are meant.
    con.execute("USE exporting")
    for (sql,) in found:
        con.execute(sql)
    con.execute("USE lake")


def manifest(
    form: Form,
    choice: Choice,
    of: tuple[int, int],
    rows: Mapping[str, int],
    sizes: Mapping[str, int],
) -> str:
    """The page for programs, of snapshot and number of runs *of*; rows and bytes by table."""
    told = {
        "format": FORMAT,
        "form": form,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "snapshot": of[0],
        "whole_lake": choice.runs is None and not choice.tagged,
        "tags": None if choice.tags is None else list(choice.tags),
        "tag_pattern": choice.pattern or None,
        "runs": of[1],
        "tables": {
            name: {"file": f"{name}.{form}", "rows": rows[name], "bytes": sizes[name]}
            for name in rows
        },
    }
    return json.dumps(told, indent=2) + "\n"


def readme(form: Form, choice: Choice, runs: int, rows: Mapping[str, int]) -> str:
    """The page for people."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    how = (_HOW_ARROW if form == "arrow" else _HOW_SQL).format(
        form=form, example=f"scalar_points.{form}"
    )
    return _README.format(
        about=f"{'All' if choice.runs is None else 'Some'} of its runs ({runs:,}), on {at}.",
        tables="\n".join(f"- `{name}.{form}`: {number:,} rows" for name, number in rows.items()),
        how=how,
    )


def quote(text: str) -> str:
    """*text* as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
