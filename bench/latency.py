"""How long questions take on a lake of 200 million points: 10,000 runs x 20 tags x 1,000 points.

The lake is made with SQL in the physical order that ingesting and merging give it. Medians in
milliseconds of the process's own connection, beside the same data in a native DuckDB file.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import duckdb
from measure import report, seconds

from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate
from boardlake.lake.search import Query, search

_STEP_RUNS = 500

_POINTS = """
INSERT INTO scalar_points BY NAME
SELECT run_id, '' AS stream, 'metric/' || lpad(tag::VARCHAR, 2, '0') AS tag, step,
       1.7e9 + run_id * 1000 + step * 0.5 + random() * 0.05 AS wall_time,
       (exp(-step / 400.0) + random() * 0.1)::FLOAT::DOUBLE AS value,
       0 AS attempt, false AS superseded, run_id AS file_id, step * 20 + tag AS record
FROM range({first}, {last}) r(run_id), range(20) t(tag), range({steps}) s(step)
ORDER BY run_id, stream, tag, step
"""
_PARTS = """
INSERT INTO series_parts BY NAME
SELECT run_id, stream, tag, 'scalar' AS kind, file_id, 'scalars' AS plugin, count(*) AS points,
       0 AS superseded, min(step) AS first_step, max(step) AS last_step, max(wall_time) AS last_wall_time,
       arg_min(value, step) AS "first", arg_max(value, step) AS "last", min(value) AS "min",
       arg_min(step, value) AS min_step, max(value) AS "max", arg_max(step, value) AS max_step,
       0.0 AS shift, sum(value) AS shift_sum, sum(value * value) AS shift_sum2, count(*) AS finite,
       0 AS nan_count, 0 AS inf_count, 0 AS attempt
FROM scalar_points WHERE run_id >= {first} AND run_id < {last} GROUP BY ALL ORDER BY run_id, tag
"""
_RUNS = """
INSERT INTO run_facts BY NAME
SELECT i AS run_id, printf('%012x', i) AS run_key, 'lab' AS source, 'host' || i % 20 AS machine,
       'project' || i % 50 AS project, 'run-' || i AS name, 'p' || i % 50 || '/run-' || i AS path
FROM range(1, {runs} + 1) t(i)
"""
_FILES = """
INSERT INTO files BY NAME
SELECT i AS file_id, i AS run_id, 'lab' AS source, '' AS stream, 'f' || i AS path, 1000 AS size,
       20000 AS points, 20000 AS records, {steps} AS last_step, 1 AS attempts,
       1.7e9 + i * 1000 AS first_wall_time, 1.7e9 + i * 1000 + 500 AS last_wall_time, 1.7e9 AS grew_at
FROM range(1, {runs} + 1) t(i)
"""
_HPARAMS = """
INSERT INTO hparams BY NAME
SELECT i AS run_id, 'h' || lpad(h::VARCHAR, 2, '0') AS name, 'float' AS type, (random())::VARCHAR AS value,
       random() AS number, 'plugin' AS origin, 10 AS rank
FROM range(20) h(h), range(1, {runs} + 1) t(i) ORDER BY name, run_id
"""


def build(lake: Lake, runs: int, steps: int) -> None:
    """Fill *lake*; the last run is one of ten times as many points in each series."""
    for first in range(1, runs, _STEP_RUNS):
        last = min(first + _STEP_RUNS, runs)
        lake.con.execute(_POINTS.format(first=first, last=last, steps=steps))
    lake.con.execute(_POINTS.format(first=runs, last=runs + 1, steps=10 * steps))
    describe(lake, runs, steps)


def describe(lake: Lake, runs: int, steps: int) -> None:
    """Write what belongs to the points of *lake*: aggregates, runs, files, hyperparameters."""
    for first in range(1, runs + 1, _STEP_RUNS):
        lake.con.execute(_PARTS.format(first=first, last=first + _STEP_RUNS))
    lake.con.execute(
        "INSERT INTO source_facts (source, stalled_after_s, finished_after_s) VALUES ('lab', 1800, 86400)"
    )
    for sql in (_RUNS, _FILES, _HPARAMS):
        lake.con.execute(sql.format(runs=runs, steps=steps))


def questions(runs: int) -> dict[str, str]:
    """What is asked, in SQL, of the view that people use."""
    some = ", ".join(str(1 + i * runs // 20) for i in range(20))
    return {
        "one_series_of_10k": f"SELECT step, value FROM scalars WHERE run_id = {runs} AND tag = 'metric/07'",
        "20_runs_1_tag": f"SELECT run_id, step, value FROM scalars WHERE run_id IN ({some}) AND tag = 'metric/07'",
        "one_tag_of_all_runs_mean": "SELECT avg(value) FROM scalars WHERE tag = 'metric/07'",
        "count_all": "SELECT count(*) FROM scalars",
    }


def main() -> None:
    """Build, ask, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with open_lake(locate(folder + "/lake"), read_only=False, create=True) as lake:
            build(lake, options.runs, options.steps)
            lake.con.execute(f"ATTACH '{folder}/native.duckdb' AS native")
            lake.con.execute("CREATE TABLE native.scalars AS SELECT * EXCLUDE (time) FROM scalars")
        stored = sum(p.stat().st_size for p in Path(folder, "lake/data").rglob("*.parquet"))
        figures: dict[str, float] = {}
        with open_lake(locate(folder + "/lake")) as lake:
            for name, sql in questions(options.runs).items():
                figures[name + "_ms"] = 1000 * seconds(
                    lambda s=sql: lake.con.execute(s).fetch_arrow_table(), 7
                )
            tags = [f"metric/{tag:02}" for tag in range(20)]
            table = Query(
                filter="hp.h03 < 0.5 and project <> 'project1'",
                columns=("name", *(f'last("{tag}")' for tag in tags)),
                sort=('last("metric/03")',),
            )
            figures["last_values_20_tags_all_rows_ms"] = 1000 * seconds(
                lambda: search(lake.con, table), 5
            )
        native = duckdb.connect(folder + "/native.duckdb", read_only=True)
        for name, sql in questions(options.runs).items():
            figures[name + "_native_ms"] = 1000 * seconds(
                lambda s=sql: native.execute(s).fetch_arrow_table(), 5
            )
        points = options.runs * options.steps * 20
        report(
            "latency",
            points=points,
            lake_mb=stored / 1e6,
            native_mb=Path(folder, "native.duckdb").stat().st_size / 1e6,
            **figures,
        )


if __name__ == "__main__":
    main()
