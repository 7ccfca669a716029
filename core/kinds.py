"""What kinds of values settings have: amounts, paths, URIs, patterns; and how a misfit is told."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote_to_bytes

from pydantic import AfterValidator, BeforeValidator, Field

from . import places

_TIMES = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_SIZES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) *([A-Za-z]{1,3})")
_REMOTE = re.compile(r"[^/]+:/")
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def show(value: object) -> str:
    """Return *value* as the reader of the file knows it, in one short line."""
    if isinstance(value, dict | list | tuple):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    # Python refuses to print an integer of more than 4300 digits.
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    return text if len(text := repr(value)) <= 80 else f"{text[:80]}..."


def refusal(value: object, expected: str) -> ValueError:
    """What to raise for a *value* that is not as *expected*."""
    return ValueError(f"got {show(value)}, expected {expected}")


def _quantity(value: object, units: Mapping[str, int], most: int, expected: str) -> float:
    amount = value
    if isinstance(value, str) and (parts := _QUANTITY.fullmatch(value.strip())):
        amount = float(parts[1]) * units.get(parts[2].lower(), math.nan)
    if isinstance(amount, int | float) and not isinstance(amount, bool) and 0 <= amount <= most:
        return amount
    raise refusal(value, expected)


def _seconds(value: object) -> float:
    expected = 'a time up to 100 years such as "90s", "30m", "24h", "7d" or a number of seconds'
    return float(_quantity(value, _TIMES, 36_500 * 86400, expected))


def _bytes(value: object) -> int:
    expected = 'a size up to 1000TB such as "128MB", "64MiB" or a number of bytes'
    return int(_quantity(value, _SIZES, 10**15, expected))


def _matching(pattern: str, expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise refusal(value, expected)
        return value

    return AfterValidator(check)


def _run_pattern(value: str) -> str:
    try:
        groups = re.compile(value).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        raise refusal(value, f"a regular expression: {error}") from None
    if value and not groups:
        raise refusal(value, "at least one named group such as (?P<project>[^/]+)")
    return value


def local_path(text: str, base: Path, remote: str) -> str:
    """Return the absolute path that *text* names, seen from the directory *base*.

    `file://` URIs (RFC 8089) are taken; for other schemes and hosts *remote* says what is possible.
    """
    path = text
    if text[:7].lower() == "file://":
        host, slash, rest = text[7:].partition("/")
        if host.lower() not in ("", "localhost") or not slash:
            raise refusal(text, "file:/// and an absolute path of this machine")
        path = "/" + os.fsdecode(unquote_to_bytes(rest.encode("utf-8", "surrogateescape")))
    elif _REMOTE.match(text):
        raise refusal(text, f"a local path: {remote}")
    if not path.strip() or _UNFIT.search(path):
        raise refusal(text, "a path in UTF-8 without control characters")
    path = os.path.expanduser(path)
    if path.startswith("~"):
        raise refusal(text, "a path, or ~ and the name of a user of this machine")
    place = (base / path).absolute()
    # Only the disk knows what `..` means behind a link.
    return os.path.realpath(place) if ".." in place.parts else str(place)


def source_uri(text: str, base: Path) -> str:
    """Return *text* as the URI of a source: an absolute path, or a remote URI without secrets."""
    if places.kind_of(text) == "local":
        return local_path(text, base, "another machine's is sftp://HOST/PATH")
    try:
        places.parse(text)
    except ValueError as error:
        # What was given may hold a password, and errors are stored and shown.
        raise ValueError(f"got {places.scheme_of(text)}:..., {error}") from None
    return text.rstrip("/") if text.count("/") > 2 else text


def lake_path(value: object, base: Path) -> Path:
    """Return the directory of a lake, seen from *base*; raises ValueError."""
    if not isinstance(value, str | Path):
        raise refusal(value, "the path of a directory")
    return Path(local_path(str(value), base, "this version keeps a lake in a local directory only"))


_INNER = "a pattern relative to the source's root, up to 1024 characters"
_NAME = "a pattern for the name of one directory, without '/'"
_SOURCE = "a letter or digit, then up to 63 letters, digits, '.', '_', '-'"
Duration = Annotated[float, BeforeValidator(_seconds)]
Size = Annotated[int, BeforeValidator(_bytes)]
Label = Annotated[str, _matching(r"[^\x00-\x1f]{0,255}", "one line up to 255 characters")]
Glob = Annotated[str, _matching(r"[^/\x00-\x1f][^\x00-\x1f]{0,1023}", _INNER)]
Globs = Annotated[tuple[Glob, ...], Field(strict=False, max_length=1000)]
NameGlob = Annotated[str, _matching(r"[^/\x00-\x1f]{1,255}", _NAME)]
NameGlobs = Annotated[tuple[NameGlob, ...], Field(strict=False, max_length=1000)]
RunPattern = Annotated[str, Field(max_length=1000), AfterValidator(_run_pattern)]
Host = Annotated[
    str, _matching(r"[^\s/@#%-][^\s/@#%]{0,255}", "a name, a range or a pattern of hosts")
]
Hosts = Annotated[tuple[Host, ...], Field(strict=False, max_length=1000)]
UserName = Annotated[str, _matching(r"\*|[A-Za-z0-9_.@\\][^\s,\x00-\x1f]{0,63}", "a name, or *")]
UserNames = Annotated[tuple[UserName, ...], Field(strict=False, max_length=1000)]
EnvPrefix = Annotated[str, _matching(r"([A-Z][A-Z0-9_]{0,31}_)?", "capitals that end in '_'")]
SourceName = Annotated[str, _matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", _SOURCE)]
