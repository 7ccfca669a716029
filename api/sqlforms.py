"""An answer to SQL in the forms in which people take it: rows for a page, or a file of its own."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from ..core.errors import LimitError
from ..lake.sandbox.pool import Answer
from . import answers

Form = Literal["json", "csv", "parquet", "arrow"]
# Integers beyond are not the same in every reader of JSON.
_EXACT = 1 << 53
_BLOB_BYTES = 64
# A flag is a bit in Arrow and some thirty bytes on its way to JSON.
_MOST_CELLS = 5_000_000
# In microseconds of Unix time.
_YEAR_1, _YEAR_9999 = -62_135_596_800_000_000, 253_402_300_799_999_999
_Test = Callable[[pa.DataType], bool]
_LONG: tuple[_Test, ...] = (pa.types.is_string, pa.types.is_large_string, pa.types.is_nested)
_BYTES: tuple[_Test, ...] = (pa.types.is_binary, pa.types.is_large_binary)
_NOT_IN_PARQUET: tuple[_Test, ...] = (
    pa.types.is_interval, pa.types.is_union, pa.types.is_null,
)  # fmt: skip
_NOT_IN_CSV: tuple[_Test, ...] = (*_BYTES, pa.types.is_dictionary, pa.types.is_nested)


def table_of(answer: Answer) -> pa.Table:
    """The rows of *answer*, which come from a process that has seen foreign SQL."""
    table = pa.ipc.open_stream(answer.stream).read_all()
    table.validate(full=True)
    return table


def told(answer: Answer, clip: int | None = None) -> dict[str, Any]:
    """*answer* as JSON: exact where JSON can be, by name or as text where it cannot.

    With *clip*, of longer texts only so many characters are given, of bytes the first 64; `cut`
    names these: row, column, size of the whole. Raises UsageError for what has no form in JSON,
    LimitError for what is too much.
    """
    table = table_of(answer)
    cells = sum(_cells(chunk) for column in table.columns for chunk in column.chunks)
    if cells > _MOST_CELLS:
        hint = "ask for fewer rows or columns, or for Arrow, CSV or Parquet"
        raise LimitError(f"{cells:,} values are too many for JSON: {_MOST_CELLS:,} fit", hint=hint)
    cut: list[tuple[int, int, int]] = []
    columns = []
    for at, column in enumerate(table.columns):
        values = _plain(table.column_names[at], column)
        if clip is not None:
            cut += [(row, at, size) for row, size in _clipped(column, values, clip)]
        columns.append(values)
    named = answers.columns(table)
    types = [*answer.types, *("" for _ in named)][: len(named)]
    return {
        "columns": [{**one, "type": kind} for one, kind in zip(named, types, strict=True)],
        "rows": [list(row) for row in zip(*columns, strict=True)] if columns else [],
        "cut": sorted(cut), "truncated": answer.truncated, "truncated_by": answer.cut,
        "seconds": answer.seconds, "snapshot": answer.snapshot,
    }  # fmt: skip


def file_of(answer: Answer, form: Form) -> bytes:
    """*answer* as a file of its own; what CSV and Parquet have no type for is JSON or text there."""
    if form == "arrow":
        return answer.stream
    table = table_of(answer)
    for at, field in enumerate(table.schema):
        if (_unfit_csv if form == "csv" else _unfit_parquet)(field.type):
            texts = [_text(one) for one in _plain(field.name, table.column(at))]
            table = table.set_column(at, field.name, pa.array(texts, pa.string()))
    sink = io.BytesIO()
    if form == "csv":
        pyarrow.csv.write_csv(table, sink)
    else:
        pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _cells(array: pa.Array) -> int:
    """How many values there are in *array*, those within others included."""
    kind = array.type
    if isinstance(array, pa.MapArray):
        return len(array) + _cells(array.keys) + _cells(array.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return len(array) + _cells(array.flatten())
    if pa.types.is_struct(kind):
        return len(array) + sum(map(_cells, array.flatten()))
    return len(array)


def _plain(name: str, column: pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_integer(kind):
        values: list[Any] = column.to_pylist()
        small = pc.min_max(column).as_py()
        low, high = small["min"] or 0, small["max"] or 0
        return values if -_EXACT <= low and high <= _EXACT else [_exact(one) for one in values]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind):
        return list(column.to_pylist())
    if pa.types.is_float64(kind) and pc.all(pc.is_finite(column), min_count=0).as_py():
        return list(column.to_pylist())
    if kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        times = _times(column)
        if times is not None:
            return times
    return [_exact(one) for one in answers.values(name, column)]


def _times(column: pa.ChunkedArray) -> list[Any] | None:
    """Times as `_exact` has them, all at once; None where one of them is beyond Python's years."""
    micros = column.cast(pa.int64())
    span = pc.min_max(micros).as_py()
    if span["min"] is None:
        return [None] * len(column)
    if span["min"] < _YEAR_1 or span["max"] > _YEAR_9999:
        return None
    plain = pc.fill_null(micros, 0).to_numpy()
    fine = plain % 1000 != 0
    unit: Literal["us", "ms"] = "us" if fine.any() else "ms"
    texts = np.datetime_as_string(plain.astype("datetime64[us]"), unit=unit)
    found: list[Any] = [f"{one}Z" for one in texts.tolist()]
    if unit == "us":
        found = [one if odd else f"{one[:-4]}Z" for one, odd in zip(found, fine, strict=True)]
    for row in np.flatnonzero(column.is_null().to_numpy()):
        found[row] = None
    return found


def _exact(value: Any) -> Any:
    """*value* as JSON has it; what would lose digits there is text."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and value.as_tuple().exponent == 0:
            return _exact(int(value))
        near = float(value)
        return near if math.isfinite(near) and Decimal(repr(near)) == value else str(value)
    if isinstance(value, datetime) and value.microsecond % 1000:
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, pa.MonthDayNano):
        return _span(value)
    if isinstance(value, dict):
        return {str(key): _exact(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(one) for one in value]
    return answers.plain(value)


def _span(value: Any) -> str:
    """An INTERVAL as DuckDB writes it: 1 month 2 days 03:04:05."""
    years, months = divmod(abs(value.months), 12)
    named = [(years, "year"), (months, "month")]
    parts = [
        f"{'-' if value.months < 0 else ''}{n} {word}{'s' * (n != 1)}" for n, word in named if n
    ]
    if value.days:
        parts.append(f"{value.days} day{'s' * (abs(value.days) != 1)}")
    micros = abs(value.nanoseconds) // 1000
    if micros or not parts:
        seconds, micros = divmod(micros, 1_000_000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        clock += f".{micros:06}".rstrip("0") if micros else ""
        parts.append(("-" if value.nanoseconds < 0 else "") + clock)
    return " ".join(parts)


def _clipped(column: pa.ChunkedArray, values: list[Any], clip: int) -> list[tuple[int, int]]:
    """Cut what is longer than *clip* in *values*; the rows where that was, with the whole size."""
    kind = column.type
    if _is(kind, _BYTES):
        sizes = pc.binary_length(column).to_pylist()
        found = [(row, size) for row, size in enumerate(sizes) if size and size > _BLOB_BYTES]
        for row, _ in found:
            values[row] = values[row][: 2 * _BLOB_BYTES]
        return found
    if column.nbytes <= clip or not _is(kind, _LONG):
        return []
    found = []
    for row, value in enumerate(values):
        text = value if isinstance(value, str) else "" if value is None else _text(value) or ""
        if len(text) > clip:
            values[row] = text[:clip]
            found.append((row, len(text)))
    return found


def _text(value: Any) -> str | None:
    """*value*, plain as JSON has it, as one text."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is(kind: pa.DataType, tests: tuple[_Test, ...]) -> bool:
    return any(test(kind) for test in tests)


def _unfit_parquet(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.ExtensionType) or _is(kind, _NOT_IN_PARQUET):
        return True
    inner = [kind.field(at).type for at in range(kind.num_fields)] if kind.num_fields else []
    return any(map(_unfit_parquet, inner)) or (pa.types.is_struct(kind) and not inner)


def _unfit_csv(kind: pa.DataType) -> bool:
    return _is(kind, _NOT_IN_CSV) or _unfit_parquet(kind)
