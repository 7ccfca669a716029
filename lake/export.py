"""Copies of a lake for others: a folder of Parquet or CSV files, or one plain DuckDB file.

A folder holds what people read: the views `runs`, `series` and `sources` as they are now, and every
point once, as `scalar_points` with `superseded` (the view `scalars` is the rows where it is false).
A DuckDB file holds the tables below and the views on them. In CSV, bytes are base64.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from ..core.errors import LakeError, SpaceError, UsageError
from .database import Lake, reread

Form = Literal["parquet", "csv", "duckdb"]
MANIFEST = "manifest.json"
_FORMAT = "boardlake export"

# What belongs to a run has run_id; the rest is chosen by the runs' sources, or stays for the whole.
_BY_RUN = "run_id IN (SELECT run_id FROM exported)"
_BY_SOURCE = "source IN (SELECT source FROM run_facts WHERE run_id IN (SELECT run_id FROM exported))"
_BY_FILE = f"(source, path) IN (SELECT (source, path) FROM files WHERE {_BY_RUN})"
_CHOICE = {"sources": _BY_SOURCE, "source_facts": _BY_SOURCE, "problems": _BY_FILE}
_WHOLE_ONLY = ("cycles",)
_FOLDER = ("runs", "series", "scalar_points", "tensors", "blobs", "hparams", "artifacts")
_FOLDER += ("files", "problems", "sources", "cycles")
_DATABASE = ("run_facts", "series_parts", "scalar_points", "tensors", "blobs", "hparams", "artifacts")
_DATABASE += ("files", "problems", "source_facts", "cycles", "migrations")

_COPY = {
    "parquet": "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)",
    "csv": "(FORMAT csv, HEADER)",
}
# Names and passwords in a URI are no one else's business.
_MASK = r"regexp_replace(uri, '://[^/@]*@', '://***@') AS uri"

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


Tell = Callable[[str, int, int], None]


def export(
    lake: Lake,
    target: Path,
    *,
    form: Form = "parquet",
    runs: list[int] | None = None,
    force: bool = False,
    progress: Tell | None = None,
) -> Receipt:
    """Write the lake, or *runs* of it, as one snapshot to *target*, whole or not at all.

    *force* replaces what an earlier export left there and nothing else. *progress* is told (table,
    number, of how many). Raises `UsageError` for a target that is taken, `SpaceError`, `LakeError`.
    """
    begin = time.monotonic()
    target = Path(os.path.abspath(target))
    _check(target, form, force)
    tell = progress or (lambda *_: None)

    def attempt() -> Receipt:
        with _partial(target) as partial:
            receipt = _write(lake, partial, target, form, runs, tell)
            _put(partial, target)
            return receipt

    try:
        receipt = reread(attempt)
    except (OSError, duckdb.Error) as error:
        raise _translate(error, target) from error
    receipt.seconds = round(time.monotonic() - begin, 3)
    return receipt


def _write(
    lake: Lake, partial: Path, target: Path, form: Form, runs: list[int] | None, tell: Tell
) -> Receipt:
    con = lake.con
    con.execute("BEGIN")
    try:
        snapshot, count = _stage(con, runs)
        receipt = Receipt(str(target), form, snapshot, count)
        names = _DATABASE if form == "duckdb" else _FOLDER
        if runs is not None:
            names = tuple(name for name in names if name not in _WHOLE_ONLY)
        if form == "duckdb":
            _write_database(con, partial, names, runs is not None, receipt, tell)
        else:
            _write_folder(con, partial, names, runs is not None, receipt, tell)
    finally:
        con.execute("ROLLBACK")
        con.execute("DETACH DATABASE IF EXISTS exporting")
    receipt.bytes = _size(partial)
    return receipt


def _stage(con: duckdb.DuckDBPyConnection, runs: list[int] | None) -> tuple[int, int]:
    """Register the runs as `exported`; returns the number of the snapshot, and of runs."""
    found = con.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
    assert found is not None
    if runs is None:
        count = con.execute("SELECT count(*) FROM runs").fetchone()
        return found[0], count[0] if count else 0
    chosen = sorted(set(runs))
    con.register("exported", pa.table({"run_id": pa.array(chosen, pa.int64())}))
    return found[0], len(chosen)


def _rows(name: str, chosen: bool) -> str:
    """The query for what of a table or view is exported."""
    columns = f"* REPLACE ({_MASK})" if name in ("sources", "source_facts") else "*"
    where = f" WHERE {_CHOICE.get(name, _BY_RUN)}" if chosen and name != "migrations" else ""
    return f"SELECT {columns} FROM lake.main.{name}{where}"
