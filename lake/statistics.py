"""What is told of many values, as SQL aggregates: mean, deviation, range, quartiles and how many."""

from __future__ import annotations

# DuckDB ends a query whose sum of squares overflows; beyond this mean and std are missing instead.
_SUMMABLE = 1e150


def moments(value: str) -> dict[str, str]:
    """Mean, sample standard deviation and range of the finite values."""
    summable = f"abs({value}) < {_SUMMABLE!r}"
    sound = f"coalesce(max(abs({value})) FILTER (isfinite({value})), 0) < {_SUMMABLE!r}"
    return {
        "mean": f"CASE WHEN {sound} THEN avg({value}) FILTER ({summable}) END",
        "std": f"CASE WHEN {sound} THEN stddev_samp({value}) FILTER ({summable}) END",
        "min": f"min({value}) FILTER (isfinite({value}))",
        "max": f"max({value}) FILTER (isfinite({value}))",
    }


def quartiles(value: str) -> dict[str, str]:
    """Quartiles of the finite values, interpolated between their neighbours, and how many there are."""
    # Asked for as one list, so that DuckDB sorts the values once.
    every = f"quantile_cont({value}, [0.25, 0.5, 0.75]) FILTER (isfinite({value}))"
    return {
        "q1": f"({every})[1]",
        "median": f"({every})[2]",
        "q3": f"({every})[3]",
        "n": f"count({value}) FILTER (isfinite({value}))",
    }
