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


class Text:
    """A text of at most *most* characters that UTF-8 can hold."""

    def __init__(self, most: int, least: int = 0) -> None:
        self.most, self.least = most, least

    def __call__(self, value: Any, name: str) -> str:
        if not isinstance(value, str) or not self.least <= len(value) <= self.most:
            raise WireError(f"{name}: expected a text of {self.least} to {self.most} characters")
        if _fitting(value) != value:
            raise WireError(f"{name}: expected a text without NUL and lone surrogates")
        return value


def text(most: int, least: int = 0) -> Check:
    """A text of at most *most* characters that UTF-8 can hold."""
    return Text(most, least)


def _fitting(value: str) -> str:
    """*value* without what neither UTF-8 nor a table can hold."""
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def clipped(value: Any, most: int) -> Any:
    """A text as it is taken on the other side; whatever is no text stays."""
    return _fitting(value[:most]) if isinstance(value, str) else value


def is_path(value: str) -> bool:
    """Whether *value* is taken as a path."""
    try:
        path(value, "")
    except WireError:
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


def moment(value: Any, name: str) -> float:
    """A time in Unix seconds that a calendar holds: of the years 1970 to 9999."""
    found = finite(value, name)
    if not 0 <= found < 253_402_300_800:
        raise WireError(f"{name}: expected a time in Unix seconds")
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


class Maybe:
    """None, or what *check* takes."""

    def __init__(self, check: Check) -> None:
        self.check = check

    def __call__(self, value: Any, name: str) -> Any:
        return None if value is None else self.check(value, name)


def maybe(check: Check) -> Check:
    """None, or what *check* takes."""
    return Maybe(check)


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
    """The *fields* of a dataclass, for JSON; texts are cut to what is taken on the other side.

    A message that is refused would be sent again and again, and hold up all behind it.
    """
    return {name: taken(getattr(value, name), check) for name, check in fields.items()}


def taken(value: Any, check: Check) -> Any:
    """*value* as *check* takes it, where that is a text that is too long or unfit."""
    inner = check.check if isinstance(check, Maybe) else check
    return clipped(value, inner.most) if isinstance(inner, Text) else value


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
