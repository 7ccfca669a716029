"""Hyperparameters of the runs of a selection, one value for each name."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from .. import ask
from ..history import among

# A name is shown where runs differ in it, or where there are few.
_HPARAMS = """
    WITH first AS (
        SELECT run_id, name, type, value, number, origin FROM hparams WHERE {where}
        QUALIFY row_number() OVER (PARTITION BY run_id, name ORDER BY rank, origin) = 1
    ), names AS (
        SELECT name, bool_or(origin = 'plugin') AS logged,
               count(DISTINCT value) > 1 OR count(*) < $runs AS differs
        FROM first GROUP BY name ORDER BY logged DESC, differs DESC, name LIMIT $most
    )
    SELECT f.run_id, f.name, f.type, f.value, f.number
    FROM first f JOIN names USING (name) ORDER BY f.run_id, f.name
"""


def hparams(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int], most: int) -> pa.Table:
    """The hyperparameters of *run_ids* by run_id and name: type, value (text), number.

    Where there are more than *most* names, those of the hparams plugin come first, then those in
    which runs differ.
    """
    params: dict[str, object] = {"most": most, "runs": len(run_ids)}
    text = _HPARAMS.format(where=among(run_ids, "run_id", params))
    return ask.read(con, lambda: con.execute(text, params).to_arrow_table())


def any_hparams(con: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> bool:
    """Whether any of *run_ids* has hyperparameters."""
    params: dict[str, object] = {}
    text = f"SELECT 1 FROM hparams WHERE {among(run_ids, 'run_id', params)} LIMIT 1"
    return bool(ask.read(con, lambda: con.execute(text, params or None).fetchall()))
