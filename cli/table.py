"""A table of results for people: aligned, in local time, and no wider than the terminal."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import pyarrow as pa
from rich.cells import cell_len, set_cell_size

from .cells import iso, plain, visible

_GAP = "  "
# Texts are cut down to so many cells before a column is left out; the first says which row it is.
_MIN_TEXT = 14
_MIN_FIRST = 26
_MIN_TITLE = 8
_MAX_CELLS = 2_000
# EXPLAIN draws a picture.
_PLAN = ["explain_key", "explain_value"]


def number(value: float) -> str:
    """*value* in 4 significant digits, or more where its whole part has more."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    size = abs(value)
    if size and not 1e-4 <= size < 1e15:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"
    return f"{value:.0f}" if size >= 9999.5 else f"{value:.4g}"


def write(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], file: IO[str], *, terminal: bool
) -> list[str]:
    """Write all rows; returns the titles of the columns that the terminal had no room for.

    Without a terminal nothing is cut or left out, and nothing is coloured.
    """
    table = pa.Table.from_batches(list(batches), schema)
    columns = [_column(name, table.column(i)) for i, name in enumerate(table.column_names)]
    if not table.num_rows or not columns:
        return []
    if table.column_names == _PLAN:
        file.writelines(f"{line}\n" for line in _lines(table.column(1)))
        return []
    shown = _fit(columns, shutil.get_terminal_size().columns) if terminal else columns
    title = _line([(c, c.title) for c in shown])
    rule = _GAP.join("─" * column.width for column in shown)
    if terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb":
        title, rule = f"\x1b[1m{title}\x1b[0m", f"\x1b[2m{rule}\x1b[0m"
    file.write(f"{title}\n{rule}\n")
    for row in range(table.num_rows):
        file.write(_line([(c, c.cells[row]) for c in shown]) + "\n")
    return [column.title for column in columns if column not in shown]


def _lines(array: pa.ChunkedArray) -> Iterator[str]:
    for text in array.to_pylist():
        yield from map(visible, text.split("\n"))


@dataclass(eq=False)
class _Column:
    """The cells of a column as text; *fixed* ones are aligned right where *right*, never cut."""

    title: str
    cells: list[str]
    fixed: bool
    right: bool
    width: int = 0
    least: int = 0

    def __post_init__(self) -> None:
        cells = min(max(map(cell_len, self.cells), default=0), _MAX_CELLS)
        title = min(cell_len(self.title), _MAX_CELLS)
        self.width = max(cells, title, 1)
        self.least = min(self.width, _MIN_TEXT)
        if self.fixed:
            self.least = max(cells, min(title, _MIN_TITLE), 1)


def _column(name: str, array: pa.ChunkedArray) -> _Column:
    kind, title = array.type, visible(name)
    if pa.types.is_timestamp(kind):
        return _Column(title, _times(array), fixed=True, right=False)
    if pa.types.is_binary(kind):
        cells = ["" if data is None else f"<{len(data)} bytes>" for data in array.to_pylist()]
        return _Column(title, cells, fixed=False, right=False)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    show: Callable[[Any], str] = number if pa.types.is_floating(kind) else _text
    values = array.to_pylist() if pa.types.is_floating(kind) else plain(array)
    cells = ["" if value is None else show(value) for value in values]
    return _Column(title, cells, fixed=numeric, right=numeric)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool):
        return str(value).lower()
    return visible(json.dumps(value, ensure_ascii=False))


def _times(array: pa.ChunkedArray) -> list[str]:
    """Local times, to the minute unless different ones would look alike."""
    micros = array.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).to_pylist()
    form = "%Y-%m-%d %H:%M"
    seconds = {micro // 1_000_000 for micro in micros if micro is not None}
    if len({second // 60 for second in seconds}) < len(seconds):
        form += ":%S"
    pairs = zip(micros, iso(array).to_pylist(), strict=True)
    return ["" if micro is None else _time(micro / 1e6, form, text) for micro, text in pairs]


def _time(seconds: float, form: str, otherwise: str) -> str:
    try:
        return datetime.fromtimestamp(seconds).strftime(form)
    except (OverflowError, ValueError, OSError):
        return otherwise


def _fit(columns: list[_Column], width: int) -> list[_Column]:
    """The columns that *width* cells hold, with their widths set: texts give way, then columns."""
    columns[0].least = max(columns[0].least, min(columns[0].width, _MIN_FIRST))
    shown = columns
    if _needed(shown, [column.width for column in shown]) > width:
        shown = [column for column in columns if any(column.cells)] or columns[:1]
    while True:
        most = max(column.width for column in shown)
        for cap in range(min(most, width), 0, -1):
            widths = [max(column.least, min(column.width, cap)) for column in shown]
            if _needed(shown, widths) <= width:
                for column, given in zip(shown, widths, strict=True):
                    column.width = given
                return shown
        if len(shown) == 1:
            shown[0].width = max(1, width)
            return shown
        shown = shown[:-1]


def _needed(columns: list[_Column], widths: list[int]) -> int:
    return sum(widths) + len(_GAP) * (len(columns) - 1)


def _line(cells: list[tuple[_Column, str]]) -> str:
    parts = []
    for column, text in cells:
        text = _cut(text, column.width)
        blank = " " * (column.width - cell_len(text))
        parts.append(blank + text if column.right else text + blank)
    return _GAP.join(parts).rstrip()


def _cut(text: str, width: int) -> str:
    """*text* in at most *width* cells, its middle left out: runs differ at the ends of names."""
    if cell_len(text) <= width:
        return text
    end = text[-((width - 1) // 2) :] if width > 2 else ""
    while cell_len(end) > (width - 1) // 2:
        end = end[1:]
    return set_cell_size(text, width - 1 - cell_len(end)).rstrip() + "…" + end
