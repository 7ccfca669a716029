"""What TensorBoard calls the runs of a selection: `machine:path` without what all of them share. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """Where a run lies: its path is relative to the root of its source, `.` for the root itself."""

    machine: str
    source: str
    path: str


def run_names(places: Sequence[Place]) -> list[str]:
    """A name for each of *places*: none is empty or `.`, no two are the same.

    The hparams plugin takes names for paths, so that a run below another stays below it.
    """
    parts = [_parts(place) for place in places]
    cut = _shared(parts)
    owners = _owners(places)
    names = [f"{owner}{'/'.join(part[cut:])}" for owner, part in zip(owners, parts, strict=True)]
    return _distinct(names)


def series_run(name: str, stream: str) -> str:
    """The run that a series of *stream* stands under."""
    return f"{name}/{stream}" if stream else name


def _parts(place: Place) -> list[str]:
    found = [part for part in place.path.split("/") if part not in ("", ".")]
    return found or [place.source or "logs"]


def _shared(parts: Sequence[list[str]]) -> int:
    """How many leading directories all have in common; each keeps one at least."""
    most = min((len(part) for part in parts), default=1) - 1
    first = parts[0] if parts else []
    for depth in range(most):
        if any(part[depth] != first[depth] for part in parts):
            return depth
    return most


def _owners(places: Sequence[Place]) -> list[str]:
    """The machine of each, if there are several; its source too, where a machine has the same path twice."""
    machines = {place.machine for place in places}
    twice = Counter((place.machine, place.path) for place in places)
    more = max(twice.values(), default=1) > 1
    if more:
        return [f"{place.machine}:{place.source}:" for place in places]
    return [f"{place.machine}:" if len(machines) > 1 else "" for place in places]


def _distinct(names: list[str]) -> list[str]:
    taken: Counter[str] = Counter()
    result = []
    for name in names:
        number = taken[name]
        taken[name] += 1
        found = name if not number else f"{name} ({number + 1})"
        while number and found in names:
            number += 1
            found = f"{name} ({number + 1})"
        result.append(found)
    return result
