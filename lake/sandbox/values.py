"""Parameters of a statement as JSON: what JSON has no word for goes as {"type": ..., "value": ...}."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from ...core.errors import UsageError
from .limits import MAX_PARAMETERS

_READ: dict[str, Callable[[str], Any]] = {
    "timestamp": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
    "double": float,
    "blob": lambda text: base64.b64decode(text, validate=True),
}
_PLAIN = "a number, text, time, bytes, None, or a list of these"
_MAX_DEPTH = 4


def encode(parameters: Any) -> Any:
    """*parameters*, a sequence for `?` or a mapping for `$name`, as JSON; raises UsageError."""
    if parameters is None:
        return None
    if isinstance(parameters, Mapping):
        return {str(name): _encode(one, f"${name}") for name, one in parameters.items()}
    if isinstance(parameters, str | bytes):
        hint = "pass [value] for one ?"
        raise UsageError("parameters: a list or a mapping is expected", hint=hint)
    return [_encode(one, f"{at}.") for at, one in enumerate(parameters, 1)]


def decode(parameters: Any) -> Any:
    """What `encode` made of them, or anyone else; raises UsageError."""
    if parameters is None:
        return None
    if len(parameters) > MAX_PARAMETERS:
        raise UsageError(f"{len(parameters)} parameters: at most {MAX_PARAMETERS} are taken")
    if isinstance(parameters, dict):
        return {name: _decode(one, f"${name}") for name, one in parameters.items()}
    return [_decode(one, f"{at}.") for at, one in enumerate(parameters, 1)]


def _encode(value: Any, where: str, depth: int = 0) -> Any:
    if hasattr(value, "item") and not isinstance(value, bytes):
        # A scalar of NumPy.
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"type": "double", "value": str(value)}
    if isinstance(value, datetime | date | time):
        kind = {True: "timestamp"}.get(isinstance(value, datetime), type(value).__name__)
        return {"type": kind if kind in _READ else "date", "value": value.isoformat()}
    if isinstance(value, Decimal):
        return {"type": "decimal", "value": str(value)}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"type": "blob", "value": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, list | tuple) and depth < _MAX_DEPTH:
        return [_encode(one, where, depth + 1) for one in value]
    raise UsageError(f"parameter {where} is {value!r:.80}: {_PLAIN} is expected")


def _decode(value: Any, where: str, depth: int = 0) -> Any:
    if isinstance(value, list) and depth < _MAX_DEPTH:
        return [_decode(one, where, depth + 1) for one in value]
    if isinstance(value, dict):
        read, text = _READ.get(str(value.get("type"))), value.get("value")
        try:
            if read is not None and isinstance(text, str) and len(value) == 2:
                return read(text)
        except (ValueError, InvalidOperation, binascii.Error):
            pass
        kinds = ", ".join(_READ)
        raise UsageError(
            f"parameter {where} is {value!r:.80}: it cannot be read",
            hint=f'JSON, or {{"type": ..., "value": text}} with a type of {kinds}',
        )
    if isinstance(value, list):
        raise UsageError(f"parameter {where}: lists are nested too deeply")
    return value
