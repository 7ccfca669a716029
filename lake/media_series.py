"""Images, sounds, texts, histograms and PR curves of many runs: their tags, and every step of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import ask
from .detail import run_ids
from .history import among, find
from .search import Names, Query

Kind = Literal["images", "audio", "texts", "histograms", "curves"]
PLUGINS: dict[Kind, str] = {
    "images": "images", "audio": "audio", "texts": "text", "histograms": "histograms",
    "curves": "pr_curves",
}  # fmt: skip
MAX_TAGS = 5_000
# Of all series of an answer together; beyond it the steps of each are thinned alike.
MAX_ITEMS = 200_000
# What an item has besides its step; each is one column of a series.
COLUMNS = ("idx", "file_id", "record", "nbytes", "width", "height", "mime", "label")


def tags(
    con: duckdb.DuckDBPyConnection, run_keys: Sequence[str], kinds: Sequence[Kind] = get_args(Kind)
) -> tuple[bool, pa.Table]:
    """Whether there are more than MAX_TAGS, and the first of them by kind, tag and stream.

    Columns: kind, tag, stream, plugin, runs, steps (of the run with most), points (of all runs),
    first_step, last_step, display_name, description. Raises NoSuchRun.
    """
    params: dict[str, object] = {"most": MAX_TAGS + 1}
    where = among(run_ids(con, run_keys), "run_id", params)
    plugins = [PLUGINS[kind] for kind in kinds]
    params["plugins"] = plugins
    sql = f"""
        SELECT plugin, tag, stream, count(*) AS runs, max(points) AS steps,
               CAST(sum(points) AS BIGINT) AS points,
               min(first_step) AS first_step, max(last_step) AS last_step,
               any_value(nullif(display_name, '')) AS display_name,
               any_value(nullif(description, '')) AS description
        FROM series
        WHERE kind <> 'scalar' AND {where} AND points > 0
          AND plugin IN (SELECT unnest($plugins::VARCHAR[]))
        GROUP BY plugin, tag, stream
        ORDER BY list_position($plugins::VARCHAR[], plugin), tag, stream LIMIT $most
    """
    table = ask.read(con, lambda: con.execute(sql, params).to_arrow_table())
    named = {plugin: kind for kind, plugin in PLUGINS.items()}
    kind = pa.array([named[one] for one in table["plugin"].to_pylist()], pa.string())
    return table.num_rows > MAX_TAGS, table.append_column("kind", kind).slice(0, MAX_TAGS)


def matching(table: pa.Table, pattern: str, picked: Sequence[str] = ()) -> pa.Table:
    """The rows of *table* whose tag matches *pattern* in any case, and is one of *picked* if any.

    A pattern that is no regular expression (of RE2: it takes linear time) is found as it stands.
    """
    try:
        fits = pc.match_substring_regex(table["tag"], pattern, ignore_case=True)
    except pa.ArrowInvalid:
        fits = pc.match_substring(table["tag"], pattern, ignore_case=True)
    found = table.filter(fits)
    return found.filter(pc.is_in(found["tag"], pa.array(picked, pa.string()))) if picked else found


def holders(
    con: duckdb.DuckDBPyConnection, query: Query, kind: Kind, known: Names
) -> tuple[int, list[str]]:
    """How many runs *query* finds, and the run_keys of those that have something of *kind*, in order."""
    found = find(con, query, known)
    sql = "SELECT DISTINCT run_id FROM series_parts WHERE plugin = $plugin AND points > 0"
    given = {"plugin": PLUGINS[kind]}
    rows = ask.read(con, lambda: con.execute(sql, given).fetchall())
    having = {run_id for (run_id,) in rows}
    pairs = zip(found["run_key"].to_pylist(), found["run_id"].to_pylist(), strict=True)
    return found.num_rows, [key for key, run_id in pairs if run_id in having]


@dataclass(frozen=True)
class Steps:
    """The images or sounds of one series, by step and index.

    *step*, *wall_time* and the COLUMNS by name have one value for each item. *steps* is how many
    steps the series has in the lake; fewer than that are here where the answer was too long.
    """

    run_key: str
    tag: str
    stream: str
    steps: int
    given: int
    step: list[int]
    wall_time: list[float | None]
    columns: dict[str, list[Any]]

    @property
    def truncated(self) -> bool:
        """Whether steps were left out."""
        return self.given < self.steps


def steps(
    con: duckdb.DuckDBPyConnection,
    run_keys: Sequence[str],
    wanted: Sequence[tuple[str, str | None]],
    kind: Literal["images", "audio"],
    most: int = MAX_ITEMS,
) -> list[Steps]:
    """Every series of *run_keys* that is one of *wanted* (tag, stream; None is any stream).

    In the order of the runs, then by tag and stream. Beyond *most* items the steps of every series
    are thinned evenly to their share, first and last among them. Raises NoSuchRun.
    """
    ids = run_ids(con, run_keys)
    params: dict[str, object] = {"plugin": PLUGINS[kind], "most": most}
    where = among(ids, "run_id", params)
    params["tags"] = sorted({tag for tag, _ in wanted})
    params["any"] = sorted({tag for tag, stream in wanted if stream is None})
    params["pairs"] = [
        {"tag": tag, "stream": stream} for tag, stream in wanted if stream is not None
    ]
    table = ask.read(con, lambda: con.execute(_STEPS.format(where=where), params).to_arrow_table())
    keys = dict(zip(ids, run_keys, strict=True))
    places = {run_id: place for place, run_id in enumerate(ids)}
    found = list(_parted(table, keys))
    order = {key: places[run_id] for run_id, key in keys.items()}
    return sorted(found, key=lambda one: (order[one.run_key], one.tag, one.stream))


# Steps are numbered in each series; row i is kept where it is the first of its share, as in
# tensors.py, so that first and last stay.
_STEPS = """
    WITH found AS (
        SELECT run_id, tag, stream, step, wall_time, idx, file_id, record, nbytes, width, height,
               mime, label,
               dense_rank() OVER (PARTITION BY run_id, tag, stream ORDER BY step) - 1 AS i
        FROM blobs
        WHERE {where} AND plugin = $plugin AND NOT superseded AND nbytes > 0
          AND tag IN (SELECT unnest($tags::VARCHAR[]))
          AND (tag IN (SELECT unnest($any::VARCHAR[]))
               OR {{'tag': tag, 'stream': stream}} IN (
                   SELECT unnest($pairs::STRUCT(tag VARCHAR, stream VARCHAR)[])))
    ), counted AS (
        SELECT *, max(i) OVER (PARTITION BY run_id, tag, stream) + 1 AS steps,
               (SELECT count(*) FROM found) AS items
        FROM found
    ), shared AS (
        SELECT *, greatest(2, steps * $most // items) AS room FROM counted
    )
    SELECT * EXCLUDE (i, items, room) FROM shared
    WHERE items <= $most OR i = 0
       OR i * (room - 1) // (steps - 1) > (i - 1) * (room - 1) // (steps - 1)
    ORDER BY run_id, tag, stream, step, wall_time, idx, file_id, record
"""


def _parted(table: pa.Table, keys: dict[int, str]) -> Iterator[Steps]:
    """The rows of each series."""
    if not table.num_rows:
        return
    # Lists once: a slice of a table for each column of each series takes longer than the query.
    lists = {name: table[name].to_pylist() for name in table.column_names}
    whose = [lists[name] for name in ("run_id", "tag", "stream")]
    changed = np.zeros(table.num_rows, bool)
    for column in whose:
        values = np.array(column, dtype=object)
        changed[1:] |= values[1:] != values[:-1]
    starts = [0, *np.flatnonzero(changed).tolist()]
    for start, end in zip(starts, [*starts[1:], table.num_rows], strict=True):
        run_id, tag, stream = (column[start] for column in whose)
        rows = {name: column[start:end] for name, column in lists.items()}
        step = rows["step"]
        yield Steps(
            keys[run_id], tag, stream, int(rows["steps"][0]), len(set(step)), step,
            rows["wall_time"], {name: rows[name] for name in COLUMNS},
        )  # fmt: skip
