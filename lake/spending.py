"""What sources were asked within 24 hours, and what a day of that costs: one rule, in SQL and for a cycle."""

from __future__ import annotations

_DAY_S = 86_400
# Nothing is told of a day by its first minutes.
_LEAST_SPAN_S = 600
# Kinds of sources whose provider counts requests.
PRICED = ("s3", "gs", "az")

# What each source was asked within 24 hours, and since when.
DAY = """
    SELECT source, CAST(sum(requests) AS BIGINT) AS requests_day,
           CAST(sum(bytes_received) AS BIGINT) AS received_day, sum(cost) AS cost_day,
           epoch($now - min(started_at)) AS span_s
    FROM cycles WHERE started_at BETWEEN $now - INTERVAL 1 DAY AND $now GROUP BY source
"""
# Of a source `s` and its day `d`; as `per_day`.
COST_PER_DAY = f"""
    CASE WHEN s.kind IN {PRICED} AND d.span_s > {_LEAST_SPAN_S}
         THEN d.cost_day * {_DAY_S} / least({_DAY_S}, d.span_s) END
"""


def per_day(kind: str, cost: float, span_s: float) -> float | None:
    """The cost of 24 hours, if *cost* was that of the last *span_s* seconds; None if nothing tells."""
    if kind not in PRICED or span_s <= _LEAST_SPAN_S:
        return None
    return cost * _DAY_S / min(_DAY_S, span_s)
