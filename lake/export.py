"""Copies of a lake for others: a folder of Parquet, CSV or Arrow files, or one plain DuckDB file."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

from ..core.errors import LakeError, SpaceError
from . import exported, targets
from .database import Lake, reread
from .exported import Choice, Form


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
            receipt = _write(lake, partial, target, form, Choice(runs, tags), tell)
            targets.put(partial, target)
            return receipt

    try:
        receipt = reread(attempt)
    except (OSError, duckdb.Error) as error:
        raise translate(error, target) from error
    receipt.seconds = round(time.monotonic() - begin, 3)
    return receipt


def _write(
    lake: Lake, partial: Path, target: Path, form: Form, choice: Choice, tell: Tell
) -> Receipt:
    con, database = lake.con, form == "duckdb"
    names = exported.tables(form)
    with exported.snapshot(con, choice, partial if database else None) as (snapshot, runs):
        receipt = Receipt(str(target), form, snapshot, runs)
        if not database:
            partial.mkdir()
        for number, name in enumerate(names, 1):
            tell(name, number, len(names))
            receipt.rows[name] = _copy(con, name, form, choice, partial / f"{name}.{form}")
        if database:
            exported.views(con)
    if not database:
        sizes = {name: targets.size(partial / f"{name}.{form}") for name in names}
        told = exported.manifest(form, choice, (snapshot, runs), receipt.rows, sizes)
        (partial / targets.MANIFEST).write_text(told, "utf-8")
        page = exported.readme(form, choice, runs, receipt.rows)
        (partial / "README.md").write_text(page, "utf-8")
    receipt.bytes = targets.size(partial)
    return receipt


def _copy(con: duckdb.DuckDBPyConnection, name: str, form: Form, choice: Choice, file: Path) -> int:
    """Write a table to *file*, or into the DuckDB file that is attached; returns its rows."""
    query = exported.query(con, name, form, choice)
    if form == "arrow":
        with file.open("wb") as opened:
            return sum(batch.num_rows for batch in exported.arrow(con, name, query, opened))
    if form == "duckdb":
        copied = con.execute(f"CREATE TABLE exporting.main.{name} AS {query}")
    else:
        options = exported.copy_options(name, form)
        copied = con.execute(f"COPY ({query}) TO {exported.quote(str(file))} {options}")
    row = copied.fetchone()
    return int(row[0]) if row else 0


def translate(error: OSError | duckdb.Error, target: Path) -> LakeError | SpaceError:
    """The error to show for one that came up while *target* was written."""
    text = str(error)
    if "No space left" in text or getattr(error, "errno", None) == errno.ENOSPC:
        return SpaceError(
            f"{target}: its disk is full, nothing was written",
            hint="free some space, or name a target on another disk",
        )
    return LakeError(f"{target} could not be written: {text}")
