"""Which runs are meant: a list of run_ids, a filter, or those of a list that match a filter."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from ..core.errors import UsageError
from ..lake import detail, history
from ..lake.search import Names, Query
from .asked import Listed
from .models import Chosen


def by_key(
    con: duckdb.DuckDBPyConnection, run_keys: Sequence[str], asked: Chosen, names: Names
) -> list[int]:
    """The run_ids of *run_keys* that match what is *asked*, or without any, of all that match.

    Raises NoSuchRun, FilterError.
    """
    listed = detail.run_ids(con, list(dict.fromkeys(run_keys)))
    return _among(con, listed, asked, names, None)


def run_ids(
    con: duckdb.DuckDBPyConnection, asked: Listed, names: Names, most: int | None = None
) -> list[int]:
    """The run_ids that are *asked* for, in the order of the list, else the newest first.

    A run that is listed is meant though it be a copy or archived. Raises UsageError where a filter
    finds more than *most*, FilterError.
    """
    return _among(con, list(dict.fromkeys(asked.runs)), asked, names, most)


def _among(
    con: duckdb.DuckDBPyConnection, listed: list[int], asked: Chosen, names: Names, most: int | None
) -> list[int]:
    if listed and not asked.filter.strip():
        return listed
    query = Query(
        asked.filter, ("run_id",), duplicates=asked.duplicates or bool(listed),
        archived=asked.archived or bool(listed),
        limit=None if listed or most is None else most + 1,
    )  # fmt: skip
    found: list[int] = history.find(con, query, names)["run_id"].to_pylist()
    if listed:
        matching = set(found)
        return [run_id for run_id in listed if run_id in matching]
    if most is not None and len(found) > most:
        message = f"filter: more than {most} runs match"
        raise UsageError(message, hint="narrow the filter, or list run_ids in runs")
    return found
