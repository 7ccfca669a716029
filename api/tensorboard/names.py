"""What TensorBoard calls the runs of a selection: `machine:path` without what all of them share. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """Where a run lies: its path is relative to the root of its source, `.` for the root itself.

    *streams* are its directories below.
    """

    machine: str
    source: str
    path: str
    streams: tuple[str, ...] = ()


def run_names(places: Sequence[Place]) -> list[str]:
    """A name for each of *places*, whatever their order: none is empty or `.`.

    No two are the same, also with their streams. The hparams plugin takes names for paths, so that a
    run below another stays below it.
    """
    parts = [_parts(place) for place in places]
    cut = _shared(parts)
    owners = _owners(places)
    names = [f"{owner}{'/'.join(part[cut:])}" for owner, part in zip(owners, parts, strict=True)]
    return _distinct(names, places)


def series_run(name: str, stream: str) -> str:
    """The run that a series of *stream* stands under."""
    return f"{name}/{stream}" if stream else name


def _parts(place: Place) -> list[str]:
    found = [part for part in place.path.split("/") if part not in ("", ".")]
    return found or [place.source if place.source not in ("", ".") else "logs"]


def _shared(parts: Sequence[list[str]]) -> int:
    """How many leading directories all have in common; each keeps one at least."""
    most = min((len(part) for part in parts), default=1) - 1
    first = parts[0] if parts else []
    for depth in range(most):
        if any(part[depth] != first[depth] for part in parts):
            return depth
    return most


def _owners(places: Sequence[Place]) -> list[str]:
    """What stands before each path.

    The machine, if there are several; the source too, where a machine has the same path twice.
    """
    several = len({place.machine for place in places}) > 1
    twice = Counter((place.machine, place.path) for place in places)
    again = max(twice.values(), default=1) > 1
    owners = [
        ((place.machine or (place.source if not again else "")) if several else "",
         place.source if again else "")
        for place in places
    ]  # fmt: skip
    return ["".join(f"{part}:" for part in owner if part) for owner in owners]


def _distinct(names: list[str], places: Sequence[Place]) -> list[str]:
    """*names* with a number behind those that another run has, or a stream of one."""
    taken = set[str]()
    result = list(names)
    # Whoever comes first by place keeps the name.
    for i in sorted(range(len(names)), key=lambda i: places[i]):
        number, name, own = 1, names[i], ("", *places[i].streams)
        while any(series_run(name, stream) in taken for stream in own):
            number += 1
            name = f"{names[i]} ({number})"
        taken.update(series_run(name, stream) for stream in own)
        result[i] = name
    return result
