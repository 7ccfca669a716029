"""What a day costs, in SQL and for a cycle: one rule."""

from __future__ import annotations

import duckdb
import pytest

from boardlake.lake.spending import COST_PER_DAY, per_day


@pytest.mark.parametrize("kind", ["s3", "gs", "az", "local", "ssh"])
@pytest.mark.parametrize("span_s", [0.0, 600.0, 601.0, 43_200.0, 86_400.0, 90_000.0])
def test_both_say_the_same(kind: str, span_s: float) -> None:
    """Nothing within the first minutes, nor where nobody counts requests."""
    found = duckdb.sql(
        f"SELECT {COST_PER_DAY} FROM (SELECT '{kind}' AS kind) s,"
        f" (SELECT 0.5 AS cost_day, CAST({span_s} AS DOUBLE) AS span_s) d"
    ).fetchone()
    assert found == (per_day(kind, 0.5, span_s),)


def test_a_part_of_a_day_stands_for_all_of_it() -> None:
    """And a whole day for itself."""
    assert per_day("s3", 0.5, 43_200.0) == 1.0
    assert per_day("s3", 0.5, 86_400.0) == per_day("s3", 0.5, 90_000.0) == 0.5
