"""Where results go and as what: a table for people, or CSV, JSON and Parquet for programs.

CSV and JSON are UTF-8 with times in ISO 8601, UTC. A missing value is an empty field or null; NaN
and infinities are `nan`, `inf`, `-inf` in CSV and the strings "NaN", "Infinity", "-Infinity" in
JSON. Bytes are base64; lists and structures are JSON within CSV.
"""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click
import pyarrow as pa
from pyarrow import csv, parquet

from ..core.errors import BoardlakeError, SpaceError, UsageError
from . import cells, table

FORMATS = ("table", "csv", "json", "parquet")
_SUFFIXES = {".csv": "csv", ".json": "json", ".parquet": "parquet"}


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
    """The options --format, --json and --output of a command that lists something."""
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
    if path and path.suffix and not (by_suffix or format_ or as_json):
        raise UsageError(
            f"--output {path}: {path.suffix} is no format that is known",
            hint=f"use one of {', '.join(_SUFFIXES)}, or say --format",
        )
    chosen = Target("json" if as_json else format_ or by_suffix or "table", path)
    if chosen.format == "parquet" and chosen.terminal:
        raise UsageError(
            "Parquet is bytes and is not shown on a terminal",
            hint="give --output FILE, or send stdout to a file or a program",
        )
    return chosen


def counted(number: int, what: str) -> str:
    """`1 run`, `1,234 runs`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def narrow(left_out: list[str]) -> str:
    """What to say of columns that `write` left out."""
    return f"not shown: {', '.join(left_out)} (choose columns, or widen the terminal)"


def write(schema: pa.Schema, batches: Iterable[pa.RecordBatch], to: Target) -> list[str]:
    """Write *batches* to *to*; returns the columns that a terminal had no room for.

    Raises UsageError where the format cannot hold a column, BoardlakeError where the file cannot
    be written; a file is there whole or as it was before.
    """
    with _sink(to) as sink:
        if to.format == "csv":
            _csv(schema, batches, sink, safe=to.terminal)
        elif to.format == "json":
            _json(schema, batches, sink)
        elif to.format == "parquet":
            _parquet(schema, batches, sink)
        else:
            text = io.TextIOWrapper(sink, encoding="utf-8", newline="\n", write_through=True)
            try:
                return table.write(schema, batches, text, terminal=to.terminal)
            finally:
                text.detach()
    return []


@contextmanager
def _sink(to: Target) -> Iterator[IO[bytes]]:
    if to.path is None:
        try:
            sys.stdout.flush()
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # `| head` has seen enough, which click would call an error; nothing more may be written.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise click.exceptions.Exit(0) from None
        return
    path = to.path.resolve()
    # A device or a pipe is written to; a file is replaced when all is there.
    plain = path.is_file() or not path.exists()
    part = path.with_name(f".{path.name}.{os.getpid()}.part") if plain else path
    try:
        with part.open("wb") as file:
            yield file
        if plain:
            part.replace(path)
    except OSError as error:
        kind = SpaceError if error.errno == errno.ENOSPC else BoardlakeError
        raise kind(f"{to.path}: cannot be written: {error.strerror or error}") from error
    finally:
        if plain:
            part.unlink(missing_ok=True)


def _csv(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], sink: IO[bytes], *, safe: bool
) -> None:
    def flat(batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = [_flat(column, safe) for column in batch.columns]
        return pa.RecordBatch.from_arrays(columns, names=schema.names)

    names = [cells.visible(name) if safe else name for name in schema.names]
    empty = flat(pa.RecordBatch.from_pylist([], schema=schema)).schema
    named = pa.schema([field.with_name(n) for field, n in zip(empty, names, strict=True)])
    with csv.CSVWriter(sink, named) as writer:
        for batch in batches:
            writer.write_batch(pa.RecordBatch.from_arrays(flat(batch).columns, schema=named))


def _json(schema: pa.Schema, batches: Iterable[pa.RecordBatch], sink: IO[bytes]) -> None:
    before = "[\n"
    for batch in batches:
        columns = [cells.plain(column) for column in batch.columns]
        for values in zip(*columns, strict=True):
            row = json.dumps(dict(zip(schema.names, values, strict=True)), ensure_ascii=False)
            row = cells.UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", row)
            sink.write((before + row).encode())
            before = ",\n"
    sink.write(b"[]\n" if before == "[\n" else b"\n]\n")


def _parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], sink: IO[bytes]) -> None:
    try:
        with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
    except pa.ArrowNotImplementedError as error:
        hint = "cast the column to another type, or take --format csv"
        raise UsageError(f"Parquet cannot hold this result: {error}", hint=hint) from error


def _flat(array: pa.Array, safe: bool) -> pa.Array:
    """*array* as numbers, booleans or texts; *safe* texts have no control characters."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        return cells.iso(array)
    if pa.types.is_primitive(kind) and not pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
        return array
    values = cells.plain(array)
    texts = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    if safe:
        texts = [text and cells.visible(text) for text in texts]
    return pa.array(texts, pa.string())
