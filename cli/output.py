"""Where results go and as what: a table for people, or CSV, JSON and Parquet for programs.

CSV and JSON are UTF-8 with times in ISO 8601, UTC. A missing value is an empty field or null; NaN
and infinities are `nan`, `inf`, `-inf` in CSV and the strings "NaN", "Infinity", "-Infinity" in
JSON. Bytes are base64; lists and structures are JSON within CSV.
"""

from __future__ import annotations

import base64
import io
import json
import math
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import click
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from ..core.errors import BoardlakeError, SpaceError, UsageError
from . import table

FORMATS = ("table", "csv", "json", "parquet")
_SUFFIXES = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
# JSON escapes the rest of them anyway; these would reach a terminal as they are.
_RAW_CONTROL = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Target:
    """Where results go and in which format; `path` None is stdout."""

    format: str
    path: Path | None = None

    @property
    def terminal(self) -> bool:
        """Whether a person looks at the result as it is written."""
        return self.path is None and sys.stdout.isatty()

    @property
    def page(self) -> bool:
        """Whether this is a table on a terminal, of which the first rows are enough."""
        return self.terminal and self.format == "table"


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options --format, --json and --output, for a command that lists something."""
    text = "How results are written; the suffix of --output says it too.  [default: table]"
    for option in (
        click.option("--output", metavar="FILE", help="Write to FILE instead of stdout."),
        click.option("--json", "as_json", is_flag=True, help="Short for --format json."),
        click.option("--format", "format_", type=click.Choice(FORMATS), help=text),
    ):
        command = option(command)
    return command


def target(format_: str | None, as_json: bool, output: str | None) -> Target:
    """The target that a command's options name; raises UsageError where they disagree."""
    if as_json and format_ not in (None, "json"):
        raise UsageError(f"--json and --format {format_} cannot both hold", hint="leave one out")
    path = Path(output) if output and output != "-" else None
    by_suffix = _SUFFIXES.get(path.suffix.lower()) if path else None
    chosen = Target("json" if as_json else format_ or by_suffix or "table", path)
    if chosen.format == "parquet" and chosen.terminal:
        raise UsageError(
            "Parquet is bytes and is not shown on a terminal",
            hint="give --output FILE, or send stdout to a file or a program",
        )
    return chosen


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], to: Target) -> list[str]:
    """Write *batches* to *to*; returns the columns that a terminal had no room for.

    Raises UsageError where the format cannot hold a column, BoardlakeError where FILE cannot be
    written; FILE is there whole or as it was before.
    """
    with _sink(to) as sink:
        if to.format == "table":
            text = io.TextIOWrapper(sink, encoding="utf-8", errors="replace", newline="\n")
            left_out = table.write(schema, batches, text, terminal=to.terminal)
            text.flush()
            text.detach()
            return left_out
        writer = {"csv": _csv, "json": _json, "parquet": _parquet}[to.format]
        writer(schema, batches, sink)
    return []


@contextmanager
def _sink(to: Target) -> Iterator[IO[bytes]]:
    if to.path is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with tempfile.NamedTemporaryFile(dir=to.path.parent, prefix=".boardlake-") as file:
            yield cast(IO[bytes], file)
            file.flush()
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(file.name, 0o666 & ~umask)
            os.replace(file.name, to.path)
            # What is left to delete is an empty file of the old name.
            Path(file.name).touch()
    except OSError as error:
        raise _unwritable(to.path, error) from error


def _csv(schema: pa.Schema, batches: Iterable[pa.RecordBatch], sink: IO[bytes]) -> None:
    raise NotImplementedError
