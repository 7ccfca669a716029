"""Values as JSON and arrays as bytes, and the strict way back: whoever sent them is not trusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UsageError

MOST_INT = (1 << 63) - 1
Check = Callable[[Any, str], Any]


class WireError(UsageError):
    """What came is not what this version sends."""


def text(most: int, least: int = 0) -> Check:
    """A text of at most *most* characters that UTF-8 can hold."""

    def check(value: Any, name: str) -> str:
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise WireError(f"{name}: expected a text of {least} to {most} characters")
        if "\0" in value or not _encodable(value):
            raise WireError(f"{name}: expected a text without NUL and lone surrogates")
        return value

    return check


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def path(value: Any, name: str) -> str:
    """A path relative to the root of a source; '' is the root itself."""
    found: str = text(4096)(value, name)
    if found.startswith("/") or ".." in found.split("/"):
        raise WireError(f"{name}: expected a path below the root of its source")
    return found


def whole(least: int = 0, most: int = MOST_INT) -> Check:
    """An integer within bounds."""

    def check(value: Any, name: str) -> int:
        if type(value) is not int or not least <= value <= most:
            raise WireError(f"{name}: expected an integer from {least} to {most}")
        return value

    return check


def real(value: Any, name: str) -> float:
    """A number; NaN and infinities are numbers, too."""
    if type(value) not in (int, float):
        raise WireError(f"{name}: expected a number")
    try:
        return float(value)
    except OverflowError:
        raise WireError(f"{name}: expected a number that a float holds") from None


def finite(value: Any, name: str) -> float:
    """A number that is neither NaN nor infinite."""
    found = real(value, name)
    if not math.isfinite(found):
        raise WireError(f"{name}: expected a finite number")
    return found


def flag(value: Any, name: str) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise WireError(f"{name}: expected true or false")
    return value


def one_of(*values: str) -> Check:
    """One of some words."""

    def check(value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in values:
            raise WireError(f"{name}: expected one of {', '.join(values)}")
        return value

    return check


def maybe(check: Check) -> Check:
    """None, or what *check* takes."""
    return lambda value, name: None if value is None else check(value, name)


def many(check: Check, most: int) -> Check:
    """A list of at most *most*."""

    def checked(value: Any, name: str) -> list[Any]:
        if not isinstance(value, list) or len(value) > most:
            raise WireError(f"{name}: expected a list of at most {most}")
        return [check(one, name) for one in value]

    return checked


def record(value: Any, name: str, fields: Mapping[str, Check]) -> dict[str, Any]:
    """An object with exactly these *fields*."""
    if not isinstance(value, dict) or value.keys() != fields.keys():
        raise WireError(f"{name}: expected exactly {', '.join(fields)}")
    return {key: check(value[key], f"{name}.{key}") for key, check in fields.items()}


def given(value: object, fields: Mapping[str, Check]) -> dict[str, Any]:
    """The *fields* of a dataclass, for JSON."""
    return {name: getattr(value, name) for name in fields}


class Writer:
    """Arrays, one behind the other; their types and lengths are known to whoever reads them."""

    def __init__(self) -> None:
        self.parts: list[bytes | memoryview] = []

    def array(self, values: Any, dtype: str) -> None:
        """Numbers, as *dtype*."""
        self.parts.append(np.ascontiguousarray(values, dtype).tobytes())

    def strings(self, values: Sequence[str | bytes | None]) -> None:
        """Texts or byte strings, of which some may be missing."""
        found = [v.encode("utf-8") if isinstance(v, str) else v for v in values]
        self.array([-1 if one is None else len(one) for one in found], "<i8")
        self.parts += [one for one in found if one]

    def numbers(self, values: Sequence[int | None]) -> None:
        """Integers, of which some may be missing."""
        self.array([one is not None for one in values], "u1")
        self.array([one or 0 for one in values], "<i8")

    def lists(self, values: Sequence[Any], dtype: str) -> None:
        """Lists of numbers, of which some may be missing."""
        self.array([-1 if one is None else len(one) for one in values], "<i8")
        for one in values:
            if one is not None:
                self.array(one, dtype)


class Reader:
    """What a `Writer` wrote; every length is held against what is there."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def end(self) -> None:
        """Raises WireError where something is left."""
        if self._at != len(self._data):
            raise WireError(f"{len(self._data) - self._at} bytes are left over")

    def array(self, count: int, dtype: str) -> NDArray[Any]:
        """*count* numbers; a copy, which may be written to."""
        kind = np.dtype(dtype)
        return np.frombuffer(self._take(count * kind.itemsize), kind).astype(
            kind.newbyteorder("="), copy=True
        )

    def strings(self, count: int) -> list[bytes | None]:
        """Byte strings, of which some may be missing."""
        lengths = self._lengths(count)
        return [None if n < 0 else bytes(self._take(n)) for n in lengths]

    def texts(self, count: int, most: int, name: str) -> list[str | None]:
        """Texts of at most *most* bytes."""
        found: list[str | None] = []
        for one in self.strings(count):
            if one is not None and len(one) > most:
                raise WireError(f"{name}: expected at most {most} bytes of text")
            try:
                found.append(None if one is None else one.decode("utf-8"))
            except UnicodeDecodeError:
                raise WireError(f"{name}: expected UTF-8") from None
        return found

    def numbers(self, count: int, name: str, bits: int = 64) -> list[int | None]:
        """Integers of so many *bits*."""
        there, values = self.array(count, "u1"), self.array(count, "<i8")
        sign = values >> (bits - 1)
        if (there > 1).any() or ((sign != 0) & (sign != -1)).any():
            raise WireError(f"{name}: expected integers of {bits} bits")
        return [v if yes else None for yes, v in zip(there.tolist(), values.tolist(), strict=True)]

    def lists(self, count: int, dtype: str) -> list[NDArray[Any] | None]:
        """Lists of numbers."""
        return [None if n < 0 else self.array(n, dtype) for n in self._lengths(count)]

    def _lengths(self, count: int) -> list[int]:
        lengths: list[int] = self.array(count, "<i8").tolist()
        if any(n < -1 for n in lengths):
            raise WireError("a length is negative")
        return lengths

    def _take(self, size: int) -> memoryview:
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise WireError(f"ends after {len(self._data)} bytes, within an array")
        found = self._data[self._at : end]
        self._at = end
        return found
