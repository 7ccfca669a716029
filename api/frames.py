"""The binary frame that carries charts to the browser: a JSON header, then aligned columns.

Layout: u32 little-endian length H of the header, the header as UTF-8 JSON padded with spaces so
that the columns begin at a multiple of 8, then the columns, each at a multiple of 8. A column is
named in the header as [offset from the first column, count, type].
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..lake.curves import Chart, Curve

MIME = "application/x-boardlake-frame"
_ALIGN = 8


class _Columns:
    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def put(self, values: NDArray[Any] | None, dtype: str) -> list[Any] | None:
        """Where *values* lie from now on, as the header names it; None stays None."""
        if values is None:
            return None
        body = np.ascontiguousarray(values, dtype=f"<{dtype}").tobytes()
        at = [self._size, len(values), dtype]
        body += b"\0" * (-len(body) % _ALIGN)
        self._pieces.append(body)
        self._size += len(body)
        return at

    def join(self) -> bytes:
        return b"".join(self._pieces)


def encode(charts: list[Chart], snapshot: int) -> bytes:
    """*charts* as one frame."""
    columns = _Columns()
    header = {
        "snapshot": snapshot,
        "charts": [
            {
                "tag": chart.tag,
                "range": chart.span,
                "exact": chart.grid is None,
                "grid": columns.put(chart.grid, "f8"),
                "series": [_curve(curve, columns) for curve in chart.curves],
            }
            for chart in charts
        ],
    }
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(4 + len(text)) % _ALIGN)
    return struct.pack("<I", len(text)) + text + columns.join()


def plain(charts: list[Chart]) -> list[dict[str, Any]]:
    """*charts* for JSON: like the header of a frame, with the columns in their places."""
    return [
        {
            "tag": chart.tag,
            "range": chart.span,
            "exact": chart.grid is None,
            "grid": _list(chart.grid),
            "series": [
                {
                    "run_id": curve.owner,
                    "stream": curve.stream,
                    "n": curve.n,
                    "x": _list(curve.x),
                    "y": _list(curve.y),
                    "min": _list(curve.least),
                    "max": _list(curve.most),
                    "std": _list(curve.std),
                    "count": _list(curve.count),
                    "special": curve.special,
                    "restarts": curve.restarts,
                    "superseded": curve.superseded,
                }
                for curve in chart.curves
            ],
        }
        for chart in charts
    ]


def table(charts: list[Chart], names: Mapping[int, str]) -> pa.Table:
    """*charts* as rows: run_id (or group), run, stream, tag, x, value, min, max, count, superseded.

    *names* of runs by run_id; groups have none. A point of an exact chart has its value alone;
    buckets without points have no row.
    """
    pieces = [_rows(chart, curve, names) for chart in charts for curve in chart.curves]
    return pa.concat_tables(pieces) if pieces else _SCHEMA.empty_table()


_SCHEMA = pa.schema([
    ("run_id", pa.int64()), ("run", pa.string()), ("stream", pa.string()), ("tag", pa.string()),
    ("x", pa.float64()), ("value", pa.float64()), ("min", pa.float64()), ("max", pa.float64()), ("count", pa.int64()),
    ("superseded", pa.bool_()),
])  # fmt: skip


def _rows(chart: Chart, curve: Curve, names: Mapping[int, str]) -> pa.Table:
    x = chart.grid if curve.x is None else curve.x
    assert x is not None
    filled = slice(None) if curve.count is None else curve.count > 0
    n = len(x[filled])

    def column(values: NDArray[Any] | None, kind: pa.DataType) -> pa.Array:
        return pa.nulls(n, kind) if values is None else pa.array(values[filled], kind)

    return pa.table([
        pa.repeat(pa.scalar(curve.owner, pa.int64()), n),
        pa.repeat(pa.scalar(names.get(curve.owner), pa.string()), n), pa.repeat(curve.stream, n),
        pa.repeat(chart.tag, n), column(x, pa.float64()), column(curve.y, pa.float64()),
        column(curve.least, pa.float64()), column(curve.most, pa.float64()),
        column(curve.count, pa.int64()), pa.repeat(curve.superseded, n),
    ], schema=_SCHEMA)  # fmt: skip


def _list(values: NDArray[Any] | None) -> list[Any] | None:
    return None if values is None else values.tolist()


def _curve(curve: Curve, columns: _Columns) -> dict[str, Any]:
    return {
        "run_id": curve.owner,
        "stream": curve.stream,
        "n": curve.n,
        "x": columns.put(curve.x, "f8"),
        "y": columns.put(curve.y, "f8"),
        "min": columns.put(curve.least, "f4"),
        "max": columns.put(curve.most, "f4"),
        "std": columns.put(curve.std, "f4"),
        "count": columns.put(curve.count, "u4"),
        "special": curve.special,
        "restarts": curve.restarts,
        "superseded": curve.superseded,
    }
