"""What a media page's address shows, as JSON: its runs, their tags, and all steps of those shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

import duckdb

from ..api import answers, packed
from ..api.models import parted
from ..api.service import Service
from ..core.errors import UsageError
from ..lake import history, media_series
from ..lake.search import Query

_DRAWN, _MOST_DRAWN = 10, 200
_TAGS, _MOST_TAGS = 12, 500
_MAX_TEXT = 10_000


def shown(service: Service, given: Mapping[str, str]) -> dict[str, Any]:
    """The answer to the address *given*; raises UsageError for what cannot be read in it."""
    kinds: tuple[media_series.Kind, ...] = get_args(media_series.Kind)
    asked = given.get("kind") or kinds[0]
    kind = next((one for one in kinds if one == asked), None)
    if kind is None:
        raise UsageError(f"kind: {asked[:50]!r}, expected one of {', '.join(kinds)}")
    with service.cursor() as con:
        keys = _drawn(service, con, given)
        if not keys:
            return {"kind": kind, "runs": [], "tags": [], "series": []}
        _, table = media_series.tags(con, keys, [kind])
        pattern = given.get("tags", "")[:_MAX_TEXT]
        found = media_series.matching(table, pattern, _picked(given.get("pick", "")))
        some = found.slice(0, _number(given, "many", _TAGS, _MOST_TAGS))
        series = []
        if some.num_rows and (kind == "images" or kind == "audio"):
            wanted = list(zip(some["tag"].to_pylist(), some["stream"].to_pylist(), strict=True))
            series = media_series.steps(con, keys, wanted, kind)
    return {
        "kind": kind, "runs": keys, "tags": answers.plain(some.to_pylist()),
        "series": [packed.series(one) for one in series],
    }  # fmt: skip


def _drawn(service: Service, con: duckdb.DuckDBPyConnection, given: Mapping[str, str]) -> list[str]:
    """The run_keys that the page draws: the first of the order, less those hidden, and others."""
    query = Query(
        given.get("q", "")[:_MAX_TEXT], ("run_key",), sort=_list(given, "sort"),
        archived=given.get("arch") == "1", duplicates=given.get("dup") == "1",
        limit=_number(given, "n", _DRAWN, _MOST_DRAWN),
    )  # fmt: skip
    first = history.find(con, query, service.names)["run_key"].to_pylist()
    hidden, more = set(_list(given, "hide")), _list(given, "show")[:_MOST_DRAWN]
    return [key for key in dict.fromkeys([*first, *more]) if key not in hidden]


def _list(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    text = given.get(name, "")[:_MAX_TEXT]
    parts: Any = parted(text)
    return tuple(part.strip() for part in parts) if text else ()


def _number(given: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = given.get(name, str(usual))
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"{name}: {text[:50]!r}, expected a whole number up to {most}")
    return min(int(text), most)


def _picked(text: str) -> list[str]:
    """The tags of a JSON list."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise UsageError(f"pick: {text[:50]!r}, expected a JSON list of tags")
    return found[:_MOST_TAGS]
