"""Hosts by name, range or pattern: gpu[01-20], and lab-* of the Host lines in OpenSSH's configuration."""

from __future__ import annotations

import glob
import itertools
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from ....core.errors import UsageError

MAX_HOSTS = 10_000
_MAX_CONFIG = 1 << 20
_MAX_FILES = 1000
_MAX_NESTED = 16
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_ADDRESS = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\](:[0-9]{1,5})?")
_WILD = re.compile(r"[*?!]")


def expand(hosts: Sequence[str], ssh_config: str) -> list[str]:
    """The names that *hosts* stand for, in their order, each once.

    `gpu[01-20,25]` counts with its leading zeros; `lab-*` are the names on Host lines of the file
    *ssh_config* and of what it includes. Raises UsageError for what is no host, for more than
    10,000, and where a pattern matches nothing.
    """
    found: dict[str, None] = {}
    known: list[str] | None = None
    for spec in hosts:
        for name in _ranged(spec):
            if not _WILD.search(name):
                found[name] = None
                continue
            if known is None:
                known = names(ssh_config)
            matches = _pattern(name)
            matching = [host for host in known if matches.fullmatch(host)]
            if not matching:
                raise UsageError(
                    f"hosts: {spec}: no Host line of {ssh_config} matches it",
                    hint="name the hosts themselves, or add Host lines there",
                )
            found.update(dict.fromkeys(matching))
        if len(found) > MAX_HOSTS:
            raise _refusal(spec, f"at most {MAX_HOSTS:,} hosts")
    return list(found)


def names(ssh_config: str) -> list[str]:
    """The hosts that Host lines name, without patterns; in order, each once.

    Raises UsageError where the file is there but cannot be read.
    """
    found: dict[str, None] = {}
    for keyword, values in _lines(ssh_config):
        if keyword == "host":
            found.update(dict.fromkeys(v for v in values if not _WILD.search(v)))
    return list(found)


def option(ssh_config: str, host: str, name: str) -> str:
    """What the configuration says of an option for *host*; the first one counts, '' if none does.

    Blocks of Match are taken where they match all or the host by name, and left out otherwise.
    """
    counts = True
    for keyword, values in _lines(ssh_config):
        if keyword == "host":
            counts = _any_of(values, host)
        elif keyword == "match":
            condition = [value.lower() for value in values]
            named = len(values) == 2 and condition[0] in ("host", "originalhost")
            counts = condition == ["all"] or (named and _any_of(values[1].split(","), host))
        elif counts and keyword == name.lower() and values:
            return values[0]
    return ""


def _ranged(spec: str) -> Iterator[str]:
    """A host for each number in its brackets."""
    if _ADDRESS.fullmatch(spec):
        yield spec
        return
    parts = re.split(r"\[([^\[\]]*)\]", spec)
    if any(_unfit(part) for part in parts[::2]):
        raise _refusal(spec, "one host, a range such as gpu[01-20,25] or a pattern such as lab-*")
    choices = [_numbers(spec, part) if n % 2 else [part] for n, part in enumerate(parts)]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MAX_HOSTS:
        raise _refusal(spec, f"at most {MAX_HOSTS:,} hosts")
    for chosen in itertools.product(*choices):
        yield "".join(chosen)


def _unfit(part: str) -> bool:
    return bool(re.search(r"[\[\],\s/@#%]", part))


def _numbers(spec: str, text: str) -> list[str]:
    found: list[str] = []
    for part in text.split(","):
        numbers = _RANGE.fullmatch(part.strip())
        if not numbers:
            raise _refusal(spec, "numbers and ranges in brackets, as in gpu[01-20,25]")
        first, last = numbers[1], numbers[2] or numbers[1]
        if int(last) < int(first):
            raise _refusal(spec, f"the smaller number first, not {part.strip()}")
        if int(last) - int(first) >= MAX_HOSTS:
            raise _refusal(spec, f"at most {MAX_HOSTS:,} hosts")
        width = len(first) if first.startswith("0") else 0
        found += [str(number).zfill(width) for number in range(int(first), int(last) + 1)]
    return found


def _refusal(spec: str, expected: str) -> UsageError:
    return UsageError(f"hosts: got {spec[:80]!r}, expected {expected}")


def _pattern(text: str) -> re.Pattern[str]:
    """A pattern as OpenSSH has them: `*` and `?`, in any case."""
    wild = {"*": ".*", "?": "."}
    whole = "".join(wild.get(part) or re.escape(part) for part in re.split(r"([*?])", text))
    return re.compile(whole, re.IGNORECASE | re.DOTALL)


def _any_of(patterns: Sequence[str], host: str) -> bool:
    if any(p.startswith("!") and _pattern(p[1:]).fullmatch(host) for p in patterns):
        return False
    return any(not p.startswith("!") and _pattern(p).fullmatch(host) for p in patterns)


def _lines(ssh_config: str) -> Iterator[tuple[str, list[str]]]:
    """Keyword in lower case and values of each line, with what is included in its place."""
    path = Path(os.path.expanduser(ssh_config))
    if path.exists():
        yield from _lines_of(path, 0, [0])


def _lines_of(path: Path, depth: int, files: list[int]) -> Iterator[tuple[str, list[str]]]:
    files[0] += 1
    if depth > _MAX_NESTED or files[0] > _MAX_FILES:
        raise UsageError(f"{path}: too many Include lines", hint="does a file include itself?")
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_CONFIG + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _MAX_CONFIG:
        raise UsageError(f"{path}: expected an SSH configuration of at most 1 MB")
    for line in data.decode("utf-8", "replace").splitlines():
        keyword, values = _line(line)
        if keyword != "include":
            yield keyword, values
            continue
        for value in values:
            # OpenSSH looks for relative names there, whatever file they stand in.
            pattern = os.path.join(os.path.expanduser("~/.ssh"), os.path.expanduser(value))
            for included in sorted(glob.glob(pattern)):
                if os.path.isfile(included):
                    yield from _lines_of(Path(included), depth + 1, files)


def _line(line: str) -> tuple[str, list[str]]:
    found = re.match(r"\s*([A-Za-z]\w*)(?:\s*=\s*|\s+)(.*)", line)
    if not found:
        return "", []
    try:
        values = shlex.split(found[2], comments=True)
    except ValueError:
        values = found[2].split()
    return found[1].lower(), values
