"""Which side is taken where TensorBoard's two loaders differ.

| what | Python loader | data server | taken |
|---|---|---|---|
| steps that repeat or go back | nearly all | the last of each, no step back | data server |
| images, sounds, graphs of the same step | the first | the last | data server |
| buckets of legacy histograms | no empty ones outside | as written | Python loader |
| edges of them | float32 | float64 | data server |
| display name of legacy summaries | the tag | none: the tag is shown | either |
| type of legacy audio | audio/wav | application/octet-stream | Python loader |
| scalars of double precision | shown | dropped | Python loader |
| when a run began: the order of runs | first event | earliest event | data server |
| tags that every object of JavaScript has | pages fail at them | pages fail at them | neither: left out |
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from .asked import Answers, Key

INHERITED = {"__proto__", "constructor"}
FLOAT32 = 2**-24
"""Half of a float32's last digit, relative."""
_BLOBS = ("images/", "audio/", "graphs/")


def taken(python: Answers, server: Answers) -> Answers:
    """What we are to answer where the Python loader and the data server say this."""
    found = {}
    for key, told in python.items():
        if key not in server:
            found[key] = told
        elif key == ("runs",) or _of_blobs(key):
            found[key] = _typed(told, server[key])
        else:
            found[key] = _both(told, server[key])
    return {key: _without(told) for key, told in found.items() if not INHERITED & set(key)}


def _without(told: Any) -> Any:
    """An answer without the tags that are left out."""
    if isinstance(told, dict):
        return {name: _without(one) for name, one in told.items() if name not in INHERITED}
    if isinstance(told, list):
        return [_without(one) for one in told if not isinstance(one, str) or one not in INHERITED]
    return told


def _of_blobs(key: Key) -> bool:
    route = key[0]
    return route.startswith(_BLOBS) and not route.endswith("/tags") or key[1:2] == ("images",)


def _typed(python: Any, server: Any) -> Any:
    """What the data server says, with the types that the Python loader has for its bytes."""
    if not (isinstance(python, list) and python and isinstance(python[0], dict)):
        return server
    kind = python[0].get("contentType")
    if kind is None:
        return server
    found = []
    for datum in server:
        blob = {"blob": (kind, datum["blob"][1])} if "blob" in datum else {}
        found.append(datum | {"contentType": kind} | blob)
    return found


def settled(answers: Answers) -> Answers:
    """The same where it makes no difference: the order of a mesh's parts, a display name that is the tag."""
    return {key: _settled(key, told) for key, told in answers.items()}


def _settled(key: Key, told: Any) -> Any:
    if key[0] == "mesh/meshes":
        return sorted(told, key=lambda part: (part["step"], part["content_type"]))
    if key[0].endswith("/tags") and isinstance(told, dict):
        for found in told.values():
            for tag, one in found.items() if isinstance(found, dict) else ():
                if isinstance(one, dict) and one.get("displayName") == tag:
                    one["displayName"] = ""
    return told


def unequal(ours: Answers, stock: Answers) -> Iterator[str]:
    """Where two lots of answers differ, six lines of each answer at most."""
    for key in sorted(ours.keys() | stock.keys()):
        if key not in ours or key not in stock:
            yield f"{key}: only {'ours' if key in ours else 'stock'} has it"
        else:
            yield from (f"{key}{at}" for at in islice(differences(ours[key], stock[key]), 6))


def differences(ours: Any, stock: Any, at: str = "", near: float = FLOAT32) -> Iterator[str]:
    """Where two answers differ, one line for each place; floats within *near*, relative, do not."""
    if isinstance(ours, dict) and isinstance(stock, dict):
        for name in sorted(ours.keys() | stock.keys(), key=str):
            if name not in stock or name not in ours:
                side = "ours" if name in ours else "stock"
                yield f"{at}/{name}: only {side} has it"
            else:
                yield from differences(ours[name], stock[name], f"{at}/{name}", near)
    elif isinstance(ours, list | tuple) and isinstance(stock, list | tuple):
        if len(ours) != len(stock):
            yield f"{at}: {len(ours)} of ours, {len(stock)} of stock's"
        for i, (one, other) in enumerate(zip(ours, stock, strict=False)):
            yield from differences(one, other, f"{at}[{i}]", near)
    elif isinstance(ours, float) and isinstance(stock, float):
        alike = math.isnan(ours) and math.isnan(stock)
        if not alike and not math.isclose(ours, stock, rel_tol=near, abs_tol=1e-300):
            yield f"{at}: {ours!r}, not {stock!r}"
    elif ours != stock:
        yield f"{at}: {_short(ours)}, not {_short(stock)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}..."


def _both(python: Any, server: Any) -> Any:
    if isinstance(python, dict) and isinstance(server, dict):
        return {
            name: _both(told, server[name]) if name in server else told
            for name, told in python.items()
        }
    if isinstance(python, list) and isinstance(server, list):
        return kept(python, server)
    return python


def kept(python: list[Any], server: list[Any]) -> list[Any]:
    """The points of *python* that *server* has as well, the last ones where it has fewer."""
    left = Counter(map(_when, server))
    if None in left:
        return python
    found = []
    for point in reversed(python):
        if left[_when(point)] > 0:
            left[_when(point)] -= 1
            found.append(point)
    return found[::-1]


def _when(point: Any) -> Any:
    """What tells a point from others of its series; None of what is none."""
    if isinstance(point, dict) and "step" in point:
        wall_time = point.get("wall_time", point.get("wallTime"))
        return point["step"], wall_time, point.get("content_type")
    if isinstance(point, list) and len(point) == 3:
        return tuple(map(str, point[:2]))
    return None
