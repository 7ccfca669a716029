"""The values of results as people and JSON have them."""

from __future__ import annotations

import base64
import math
import re
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# What moves the cursor, changes colours or turns the reading direction of a terminal around.
UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]"
)
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TIME = r"^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.0+|(\.\d*[1-9])0*)?$"
# DuckDB's infinite times and dates are the ends of their integers.
_NEVER = {f"<value out of range: {end}>": "infinity" for end in (2**63 - 1, 2**31 - 1)}
_NEVER |= {f"<value out of range: -{end}>": "-infinity" for end in (2**63 - 1, 2**31 - 1)}


def visible(text: str) -> str:
    """*text* with control characters written out: what a log holds must not steer a terminal."""
    return UNSAFE.sub(lambda found: _ESCAPES.get(found[0]) or _code(found[0]), text)


def plain(array: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values of *array* as JSON has them: times in ISO 8601, bytes in base64, NaN as text."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        values: list[Any] = iso(array).to_pylist()
        return values
    try:
        values = array.to_pylist()
    except (OverflowError, ValueError):
        # Dates that Python has no value for.
        values = _named(array.cast(pa.string())).to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind):
        return values
    return [_plain(value) for value in values]


def iso(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Timestamps as texts such as `2024-05-01T12:00:00.25Z`."""
    texts = _named(array.cast(pa.timestamp("us"), safe=False).cast(pa.string()))
    return pc.replace_substring_regex(texts, _TIME, r"\1T\2\3Z")


def _named(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    for text, name in _NEVER.items():
        texts = pc.replace_substring(texts, text, name)
    return texts


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, pa.MonthDayNano):
        return f"P{value.months}M{value.days}DT{value.nanoseconds / 1e9:.9g}S"
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _code(character: str) -> str:
    point = ord(character)
    return f"\\x{point:02x}" if point < 256 else f"\\u{point:04x}"
