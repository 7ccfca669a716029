"""Metrics as Prometheus reads them: families of samples as its text format, version 0.0.4."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_NAME = re.compile(r"[a-z_:][a-z0-9_:]*")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass
class Family:
    """Samples of one name; a counter's ends in `_total`. *help* is one line."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    samples: list[tuple[str, dict[str, str], float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a metric")

    def add(self, value: float | None, labels: Mapping[str, object] | None = None) -> None:
        """Add a sample; None is none."""
        if value is not None:
            told = {name: str(one) for name, one in (labels or {}).items()}
            self.samples.append(("", told, float(value)))

    def add_histogram(
        self, bounds: Iterable[float], counts: Iterable[int], total: float, labels: dict[str, str]
    ) -> None:
        """Add a histogram: *counts* are of each bucket up to its bound, and of what is above all."""
        below = 0
        for bound, count in zip((*bounds, math.inf), counts, strict=True):
            below += count
            self.samples.append(("_bucket", labels | {"le": _number(bound)}, float(below)))
        self.samples.append(("_sum", labels, total))
        self.samples.append(("_count", labels, float(below)))


def text(families: Iterable[Family]) -> str:
    """All *families* with samples, each under its help and type."""
    lines: list[str] = []
    for family in families:
        if not family.samples:
            continue
        says = family.help.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {family.name} {says}", f"# TYPE {family.name} {family.kind}"]
        for suffix, labels, value in family.samples:
            lines.append(f"{family.name}{suffix}{_labels(labels)} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    # Halves of characters, as names of files may have them, are no UTF-8.
    sound = {
        name: value.encode("utf-8", "backslashreplace").decode().translate(_ESCAPES)
        for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in sound.items()) + "}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
