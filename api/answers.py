"""Rows of the lake as JSON, CSV, Arrow or Parquet."""

from __future__ import annotations

import io
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ..core.errors import UsageError

Format = Literal["json", "csv", "arrow", "parquet"]
MIME = {
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


def plain(value: object) -> Any:
    """*value* as JSON has it: times in ISO 8601 (UTC), NaN and infinities by name."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def columns(table: pa.Table) -> list[dict[str, str]]:
    """Name and kind of each column."""
    return [{"name": one.name, "kind": _kind(one.type)} for one in table.schema]


def rows(table: pa.Table) -> list[list[Any]]:
    """The rows of *table* as JSON has them; raises UsageError for what has no form in it."""
    columns = zip(table.column_names, table.columns, strict=True)
    lists = [[plain(one) for one in values(name, column)] for name, column in columns]
    return [list(row) for row in zip(*lists, strict=True)] if lists else []


def values(name: str, column: pa.ChunkedArray) -> list[Any]:
    """A column's values as Python has them; raises UsageError for what has no form in JSON."""
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError) as error:
        # A time that Python has no object for: of nanoseconds, or of another geological age.
        if pa.types.is_temporal(column.type):
            return list(column.cast(pa.string()).to_pylist())
        hint = "cast it to VARCHAR, or ask for format arrow"
        raise UsageError(
            f"column {name:.80}: JSON has no form for it ({error})", hint=hint
        ) from None


def write(table: pa.Table, form: Format) -> bytes:
    """*table* as a file of its own."""
    sink = io.BytesIO()
    if form == "arrow":
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    elif form == "parquet":
        pyarrow.parquet.write_table(table, sink, compression="zstd")
    else:
        pyarrow.csv.write_csv(_flat(table), sink)
    return sink.getvalue()


def _flat(table: pa.Table) -> pa.Table:
    """*table* without lists, which CSV cannot hold."""
    for index, one in enumerate(table.schema):
        if pa.types.is_list(one.type):
            texts = ["|".join(map(str, value or ())) for value in table.column(index).to_pylist()]
            table = table.set_column(index, one.name, pa.array(texts, pa.string()))
    return table


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_temporal(kind):
        return "time"
    if pa.types.is_list(kind):
        return "list"
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return "number" if number else "text"
