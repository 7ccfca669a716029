"""Copies of a lake for others: a folder of Parquet or CSV files, or one plain DuckDB file.

A folder holds what people read: the views `runs`, `series` and `sources` as they are now, and every
point once, as `scalar_points` with `superseded` (the view `scalars` is the rows where it is false).
A DuckDB file holds the tables below and the views on them. In CSV, bytes are base64.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from ..core.errors import LakeError, SpaceError
from . import targets
from .database import Lake, reread
from .history import matching

Form = Literal["parquet", "csv", "duckdb"]
# What belongs to a run has run_id; the rest is chosen by the runs' sources and files.
_BY_RUN = "run_id IN (SELECT run_id FROM exported)"
_BY_SOURCE = f"source IN (SELECT source FROM run_facts WHERE {_BY_RUN})"
_BY_FILE = f"(source, path) IN (SELECT (source, path) FROM files WHERE {_BY_RUN})"
_CHOICE = dict.fromkeys(("sources", "source_facts", "cycles"), _BY_SOURCE) | {"problems": _BY_FILE}
_BOTH = ("scalar_points", "tensors", "blobs", "hparams", "artifacts", "files", "problems", "cycles")
_FOLDER = ("runs", "series", "sources", *_BOTH)
_DATABASE = ("run_facts", "series_parts", "source_facts", "migrations", *_BOTH)

_TAGGED = ("series", "series_parts", "scalar_points", "tensors", "blobs")

_COPY = {
    "parquet": "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)",
    "csv": "(FORMAT csv, HEADER)",
}
# Names and passwords in a URI are no one else's business.
_MASKED = r"regexp_replace(uri, '://[^/@]*@', '://***@') AS uri"

_README = """# An export of a boardlake lake

{about}

{tables}

`manifest.json` says the same for programs. Read it with DuckDB, pandas, or anything that knows {form}:

    duckdb -c "SELECT step, value FROM '{example}' WHERE NOT superseded AND tag = 'loss' ORDER BY step"

`scalar_points` holds every point ever read; `superseded` are those that TensorBoard no longer shows
since a restart went back over them.
"""


@dataclass
class Receipt:
    """What was written: rows by table, bytes on the disk, and the lake's snapshot it is a copy of."""

    target: str
    form: Form
    snapshot: int
    runs: int
    rows: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class _Chosen:
    """Which runs, and which of their tags; None are all."""

    runs: list[int] | None
    tags: Sequence[str] | None


Tell = Callable[[str, int, int], None]


def export(
    lake: Lake,
    target: Path,
    *,
    form: Form = "parquet",
    runs: list[int] | None = None,
    tags: Sequence[str] | None = None,
    force: bool = False,
    progress: Tell | None = None,
) -> Receipt:
    """Write the lake, or *runs* of it, as one snapshot to *target*, whole or not at all.

    With *tags* only these of their series; a `*` in one stands for any characters.
    *force* replaces what an earlier export left there and nothing else. *progress* is told (table,
    number, of how many). Raises `UsageError` for a target that is taken, `SpaceError`, `LakeError`.
    """
    begin = time.monotonic()
    target = Path(os.path.abspath(target))
    targets.check(target, lake.location.root, single_file=form == "duckdb", force=force)
    tell = progress or (lambda *_: None)

    def attempt() -> Receipt:
        with targets.partial(target) as partial:
            receipt = _write(lake, partial, target, form, _Chosen(runs, tags), tell)
            targets.put(partial, target)
            return receipt

    try:
        receipt = reread(attempt)
    except (OSError, duckdb.Error) as error:
        raise _translate(error, target) from error
    receipt.seconds = round(time.monotonic() - begin, 3)
    return receipt


def _write(
    lake: Lake, partial: Path, target: Path, form: Form, chosen: _Chosen, tell: Tell
) -> Receipt:
    names = _DATABASE if form == "duckdb" else _FOLDER
    with _snapshot(lake.con, partial if form == "duckdb" else None) as con:
        snapshot, count = _stage(con, chosen)
        receipt = Receipt(str(target), form, snapshot, count)
        if form != "duckdb":
            partial.mkdir()
        for number, name in enumerate(names, 1):
            tell(name, number, len(names))
            query = _query(con, name, form, chosen)
            if form == "duckdb":
                copied = con.execute(f"CREATE TABLE exporting.main.{name} AS {query}")
            else:
                file = _quote(str(partial / f"{name}.{form}"))
                copied = con.execute(f"COPY ({query}) TO {file} {_COPY[form]}")
            row = copied.fetchone()
            receipt.rows[name] = int(row[0]) if row else 0
        if form == "duckdb":
            _copy_views(con)
    if form != "duckdb":
        _describe(partial, receipt, chosen)
    receipt.bytes = targets.size(partial)
    return receipt


@contextmanager
def _snapshot(
    con: duckdb.DuckDBPyConnection, database: Path | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """One snapshot of the lake for all that is read, with *database* attached as `exporting`."""
    if database is not None:
        con.execute(f"ATTACH {_quote(str(database))} AS exporting")
    try:
        con.execute("BEGIN")
        try:
            yield con
            con.execute("COMMIT")
        except BaseException:
            con.execute("ROLLBACK")
            raise
    finally:
        con.unregister("exported")
        con.unregister("exported_tags")
        if database is not None:
            con.execute("USE lake")
            con.execute("DETACH exporting")


def _stage(con: duckdb.DuckDBPyConnection, chosen: _Chosen) -> tuple[int, int]:
    """Register the runs as `exported` and the tags as `exported_tags`; returns the number of the
    snapshot, and of runs."""
    snapshot = con.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
    assert snapshot is not None
    if chosen.tags is not None:
        con.register("exported_tags", matching(con, chosen.tags))
    if chosen.runs is None:
        count = con.execute("SELECT count(*) FROM runs").fetchone()
        return int(snapshot[0]), int(count[0]) if count else 0
    runs = sorted(set(chosen.runs))
    con.register("exported", pa.table({"run_id": pa.array(runs, pa.int64())}))
    return int(snapshot[0]), len(runs)


def _query(con: duckdb.DuckDBPyConnection, name: str, form: Form, chosen: _Chosen) -> str:
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
    tests = []
    if chosen.runs is not None and name != "migrations":
        tests.append(_CHOICE.get(name, _BY_RUN))
    if chosen.tags is not None and name in _TAGGED:
        tests.append("tag IN (SELECT tag FROM exported_tags)")
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    return f"SELECT {columns} FROM lake.main.{name}{where}"


def _copy_views(con: duckdb.DuckDBPyConnection) -> None:
    views = con.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = 'lake' AND NOT internal"
    ).fetchall()
    # The views name their tables without a schema: those of the database in use are meant.
    con.execute("USE exporting")
    for (sql,) in views:
        con.execute(sql)
    con.execute("USE lake")


def _describe(folder: Path, receipt: Receipt, chosen: _Chosen) -> None:
    """Write the manifest and a page for people."""
    files = {name: f"{name}.{receipt.form}" for name in receipt.rows}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {
        "format": targets.FORMAT,
        "form": receipt.form,
        "at": at,
        "snapshot": receipt.snapshot,
        "whole_lake": chosen.runs is None and chosen.tags is None,
        "tags": None if chosen.tags is None else list(chosen.tags),
        "runs": receipt.runs,
        "tables": {
            name: {"file": file, "rows": receipt.rows[name], "bytes": targets.size(folder / file)}
            for name, file in files.items()
        },
    }
    (folder / targets.MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    lines = [f"- `{file}`: {receipt.rows[name]:,} rows" for name, file in files.items()]
    about = f"{'All' if chosen.runs is None else 'Some'} of its runs ({receipt.runs:,}), on {at}."
    page = _README.format(
        about=about, tables="\n".join(lines), example=files["scalar_points"], form=receipt.form
    )
    (folder / "README.md").write_text(page, "utf-8")


def _translate(error: OSError | duckdb.Error, target: Path) -> Exception:
    text = str(error)
    if "No space left" in text or getattr(error, "errno", None) == errno.ENOSPC:
        return SpaceError(
            f"{target}: its disk is full, nothing was written",
            hint="free some space, or name a target on another disk",
        )
    return LakeError(f"{target} could not be written: {text}")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
