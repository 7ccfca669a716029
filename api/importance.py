"""Which hyperparameters a number of runs depends on: rank correlations, and a random forest."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from ..core import forest, ranks, trend
from ..lake.factors import MOST_FACTORS, MOST_RUNS, Factor, Factors

# A chance of one in twenty is the usual one.
_CHANCE = 0.05
_POOR, _FAIR = 0.1, 0.4
_SCHEMA = pa.schema(
    [("name", pa.string()), ("expr", pa.string()), ("kind", pa.string()), ("distinct", pa.int64()),
     ("runs", pa.int64()), ("importance", pa.float64()), ("std", pa.float64()),
     ("rank_correlation", pa.float64()), ("p", pa.float64()), ("direction", pa.string())]
)  # fmt: skip
BUSY = "Another forest is being grown: ask again in a moment."
_INSTALL = "pip install 'boardlake[analysis]'"


Method = Literal["auto", "rank"]


def importance(
    found: Factors, method: Method = "auto", check: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """What can be said of each factor; *check* may raise between steps that take long."""
    notes = _bounds(found)
    weighed = None
    if method == "auto":
        weighed, note = _weighed(found, check)
        notes += [note] if note else []
    rows = [_row(one, found.target) for one in found.factors]
    if weighed:
        for row, mean, std in zip(rows, weighed.importance, weighed.std, strict=True):
            row |= {"importance": mean, "std": std}
    rows.sort(key=lambda row: (-(row["importance"] or 0), -abs(row["rank_correlation"] or 0)))
    return {
        "runs": len(found.target), "left_out": found.left_out,
        "cut": found.cut, "method": "forest" if weighed else "rank",
        "r2": weighed.score if weighed else None,
        "forest_runs": weighed.rows if weighed else None, "rows": rows,
        "apart": [asdict(one) for one in found.apart], "note": " ".join(notes),
    }  # fmt: skip


def table(answer: dict[str, Any]) -> pa.Table:
    """The rows of an answer, without their trends."""
    return pa.table(
        {name: [row[name] for row in answer["rows"]] for name in _SCHEMA.names}, schema=_SCHEMA
    )


def _bounds(found: Factors) -> list[str]:
    notes = []
    if found.cut:
        notes.append(f"Only the newest {MOST_RUNS:,} runs are looked at; {found.cut:,} are not.")
    if any(one.why == "too many" for one in found.apart):
        notes.append(f"Only {MOST_FACTORS} hyperparameters are looked at.")
    return notes


def _weighed(found: Factors, check: Callable[[], None]) -> tuple[forest.Weighed | None, str]:
    """What a forest says and what is to be known of it, or why there is none."""
    count = len(found.target)
    if not found.factors:
        return None, ""
    if count < forest.LEAST:
        return None, (
            f"{count} runs have a value: a forest takes {forest.LEAST} or more,"
            " so there are only rank correlations."
        )
    if not len(np.unique(found.target)) > 1:
        return None, "All runs have the same value."
    if not forest.there():
        return None, (
            f"Importance by a random forest needs scikit-learn: {_INSTALL}"
            " where boardlake is installed. Without it there are only rank correlations."
        )
    features = [forest.Feature(one.values, len(one.texts)) for one in found.factors]
    try:
        weighed = forest.weigh(features, found.target, check)
    except ImportError as error:
        return None, f"scikit-learn is installed, but cannot be used: {error}"[:300]
    except forest.Busy:
        return None, BUSY
    notes = []
    if weighed.rows < count:
        notes.append(f"The forest has seen {weighed.rows:,} of the {count:,} runs.")
    part = max(0.0, weighed.score)
    if part < _FAIR:
        what = "next to nothing" if part < 0.005 else f"{100 * part:.0f} %"
        trust = (
            "do not trust its importances." if part < _POOR else "take its importances with care."
        )
        notes.append(
            f"The forest explains {what} of the variance on runs that it has not seen: {trust}"
        )
    return weighed, " ".join(notes)


def _row(factor: Factor, target: ranks.Floats) -> dict[str, Any]:
    there = factor.there
    values, told = factor.values[there], target[there]
    if factor.texts:
        relation = ranks.separation(np.asarray(values, np.int64), told)
        bins = trend.of_texts(np.asarray(factor.values, np.int64), factor.texts, target)
    else:
        relation = ranks.correlation(np.asarray(values, np.float64), told)
        bins = trend.of_numbers(np.asarray(factor.values, np.float64), target)
    return {
        "name": factor.name, "expr": factor.expr,
        "kind": "category" if factor.texts else "number", "distinct": len(np.unique(values)),
        "runs": int(there.sum()), "importance": None, "std": None,
        "rank_correlation": relation.strength if relation else None,
        "p": relation.p if relation else None, "direction": _direction(factor, relation),
        "trend": [asdict(one) for one in bins],
    }  # fmt: skip


def _direction(factor: Factor, relation: ranks.Relation | None) -> str | None:
    """Where the target goes as the hyperparameter rises, unless that may well be chance."""
    if factor.texts or relation is None or not math.isfinite(relation.p):
        return None
    if relation.p >= _CHANCE:
        return "none"
    return "up" if relation.strength > 0 else "down"
