"""Hyperparameters and one number of many runs as arrays, for statistics over runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..core.errors import FilterError
from ..core.ranks import Codes, Floats
from . import ask, grammar, history
from .fields import hparam_expression
from .search import Names, Query

# The newest runs, and those hyperparameters that most of them have.
MOST_RUNS = 100_000
MOST_FACTORS = 100

# Texts of which there are as many as runs name the runs: they tell nothing of others.
_FEW_TEXTS = 12
Why = Literal["one value", "a value for each run", "too many"]


@dataclass(frozen=True)
class Factor:
    """A hyperparameter of runs: numbers (NaN for none), or codes of *texts* (-1 for none)."""

    name: str
    values: Floats | Codes
    texts: tuple[str, ...] = ()

    @property
    def expr(self) -> str:
        """How the language writes it."""
        return hparam_expression(self.name)

    @property
    def there(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which runs have it."""
        found: np.ndarray[tuple[int], np.dtype[np.bool_]]
        found = self.values >= 0 if self.texts else ~np.isnan(self.values)
        return found


@dataclass(frozen=True)
class Apart:
    """A hyperparameter that nothing can be said about."""

    name: str
    expr: str
    why: Why


@dataclass(frozen=True)
class Factors:
    """Runs with a finite *target*, in order of run_id; *left_out* have none, *cut* were too many."""

    target: Floats
    factors: list[Factor]
    apart: list[Apart]
    left_out: int
    cut: int


def factors(
    con: duckdb.DuckDBPyConnection,
    query: Query,
    target: str,
    names: Names | None = None,
    *,
    runs: Collection[str] | None = None,
    hparams: Collection[str] | None = None,
) -> Factors:
    """What the runs of *query* (of those only *runs*, run_keys) have of *target* and *hparams*.

    Raises FilterError for a target that is no number.
    """
    source, _ = grammar.alias(target)
    columns = ("run_id", "run_key", f"{source} as target_")
    asked = replace(query, columns=columns, sort=("-run_id",), limit=MOST_RUNS)
    table, total = history.find_page(con, asked, names)
    values = table["target_"]
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        if values.null_count < len(values) or not pa.types.is_string(values.type):
            message, hint = (
                f"{source.strip()[:80]} is no number",
                'A metric is written min("loss").',
            )
            raise FilterError(message, text=target, position=0, hint=hint)
        values = pa.nulls(len(values), pa.float64())
    if runs is not None:
        chosen = pc.is_in(table["run_key"], pa.array(list(runs), pa.string()))
        table, values = table.filter(chosen), values.filter(chosen)
    numbers = np.asarray(values.cast(pa.float64()).fill_null(np.nan).to_numpy(), np.float64)
    ids = table["run_id"].to_numpy()
    good = np.isfinite(numbers)
    order = np.argsort(ids[good], kind="stable")
    ids, numbers = ids[good][order], numbers[good][order]
    found, apart = _factors(con, ids, hparams)
    found = [one for one in found if one.expr != source.strip()]
    return Factors(numbers, found, apart, int((~good).sum()), max(0, total - MOST_RUNS))


def _factors(
    con: duckdb.DuckDBPyConnection,
    run_ids: np.ndarray[tuple[int], np.dtype[np.int64]],
    hparams: Collection[str] | None,
) -> tuple[list[Factor], list[Apart]]:
    # As a parameter a long list takes seconds to plan.
    con.register("chosen", pa.table({"run_id": pa.array(run_ids, pa.int64())}))
    wanted = "" if hparams is None else "AND name IN (SELECT unnest($wanted::VARCHAR[]))"
    given: dict[str, object] = {} if hparams is None else {"wanted": list(hparams)}
    try:
        names = ask.read(con, lambda: con.execute(f"""
            SELECT name FROM hparams
            WHERE run_id IN (SELECT run_id FROM chosen) {wanted} AND value IS NOT NULL
            GROUP BY name ORDER BY min(value) = max(value), count(*) DESC, name
            LIMIT {2 * MOST_FACTORS:d}
        """, given or None).to_arrow_table())  # fmt: skip
        given = {"names": names["name"].to_pylist()}
        # The origin that comes first decides, as everywhere.
        rows = ask.read(con, lambda: con.execute("""
            SELECT name, run_id, value, number FROM (
                SELECT name, run_id, arg_min_null(value, rank) AS value,
                       arg_min_null(number, rank) AS number
                FROM hparams WHERE run_id IN (SELECT run_id FROM chosen)
                     AND name IN (SELECT unnest($names::VARCHAR[]))
                GROUP BY name, run_id)
            WHERE value IS NOT NULL ORDER BY name, run_id
        """, given).to_arrow_table())  # fmt: skip
    finally:
        con.unregister("chosen")
    return _parted(rows, run_ids, names["name"].to_pylist())


def _parted(
    rows: pa.Table, run_ids: np.ndarray[tuple[int], np.dtype[np.int64]], order: Sequence[str]
) -> tuple[list[Factor], list[Apart]]:
    """The rows of each name as a factor, those that tell something first by how many have them."""
    found: list[Factor] = []
    apart: list[Apart] = []
    at = np.searchsorted(run_ids, rows["run_id"].to_numpy())
    named = pc.run_end_encode(rows["name"].combine_chunks())
    ends = named.run_ends.to_pylist()
    parts = {
        name: slice(start, end)
        for name, start, end in zip(named.values.to_pylist(), [0, *ends], ends, strict=False)
    }
    for name in order:
        part = parts.get(name)
        if part is None:
            continue
        here, count = at[part], part.stop - part.start
        numbers = rows["number"].slice(part.start, count).fill_null(np.nan).to_numpy()
        if not np.isnan(numbers).any():
            values = np.full(len(run_ids), np.nan)
            values[here] = numbers
            distinct = len(np.unique(numbers))
            factor = Factor(name, values)
        else:
            texts = rows["value"].slice(part.start, count).combine_chunks().dictionary_encode()
            codes = np.full(len(run_ids), -1, np.int64)
            codes[here] = texts.indices.to_numpy()
            distinct = len(texts.dictionary)
            factor = Factor(name, codes, tuple(texts.dictionary.to_pylist()))
        why: Why | None = None
        if distinct < 2:
            why = "one value"
        elif factor.texts and distinct > max(_FEW_TEXTS, count / 2):
            why = "a value for each run"
        elif len(found) >= MOST_FACTORS:
            why = "too many"
        if why:
            apart.append(Apart(name, factor.expr, why))
        else:
            found.append(factor)
    return found, apart
