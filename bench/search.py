"""How long does a page of the run table take at 100,000 runs? Arguments: a lake, runs."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import duckdb
from measure import report

from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate
from boardlake.lake.search import Query, count, search

BATCH = 5_000
ROUNDS = 9

_FILL = """
INSERT INTO run_facts BY NAME SELECT i AS run_id, md5(i::VARCHAR)[:12] AS run_key,
    'source' || i % 5 AS source, 'node' || i % 40 AS machine, 'project' || i % 12 AS project,
    format('{}_bs{}_seed{}', ['resnet50', 'vit', 'unet', 'bert'][1 + i % 4], 2 ** (i % 6), i % 7)
        AS name, 'exp' || i % 97 || '/trial_' || i AS path, now()::TIMESTAMP AS discovered_at
    FROM range($a, $b) t(i);
INSERT INTO files BY NAME SELECT 2 * i + k AS file_id, i AS run_id, 'source' || i % 5 AS source,
    ['', 'eval'][k + 1] AS stream, i || '/events.out' AS path, 1000000 + i AS size,
    1000 AS records, 20000 AS points, md5((2 * i + k)::VARCHAR) AS content_key,
    1.6e9 + 60 * i AS first_wall_time, 1.6e9 + 60 * i + 3600 + i % 5000 AS last_wall_time,
    1000 + i % 50 AS last_step, 1 AS attempts, 'host' || i % 40 AS host, 'pytorch' AS writer,
    CAST(1e9 * (1.6e9 + 60 * i + 3600 + i % 5000) AS BIGINT) AS mtime_ns,
    1.6e9 + 60 * i + 3600 + i % 9000 AS grew_at FROM range($a, $b) t(i), range(2) u(k) ORDER BY i, k;
INSERT INTO series_parts BY NAME SELECT i AS run_id, '' AS stream,
    ['train/', 'val/'][1 + k % 2] || 'metric' || k AS tag, 'scalar' AS kind, 2 * i AS file_id,
    'scalars' AS plugin, 1000 AS points, 0 AS superseded, 0 AS first_step,
    CASE WHEN i % 1000 = k THEN 400 ELSE 1000 END AS last_step, 1.6e9 + 60 * i AS first_wall_time,
    1.6e9 + 60 * i + 3.6 * last_step AS last_wall_time, random() AS "first", random() AS "last", random() AS "min",
    500 AS min_step, 1 + random() AS "max", 700 AS max_step, 0 AS shift, 500 AS shift_sum,
    400 AS shift_sum2, 1000 AS finite,
    CASE WHEN i % 50 = 7 THEN 3 ELSE 0 END AS nan_count, 0 AS inf_count, 0 AS attempt,
    CASE WHEN i % 50 = 7 THEN i % 1000 END AS nan_step
    FROM range($a, $b) t(i), range(20) u(k) ORDER BY run_id, stream, tag;
INSERT INTO hparams BY NAME SELECT i AS run_id, 'param' || k AS name,
    CASE WHEN k % 4 = 0 THEN 'text' ELSE 'float' END AS type,
    CASE WHEN k % 4 = 0 THEN ['adam', 'sgd', 'lamb'][1 + i % 3] ELSE (i * (k + 1) % 1000)::VARCHAR
        END AS value, CASE WHEN k % 4 <> 0 THEN i * (k + 1) % 1000 END AS number,
    'hparams plugin' AS origin, 1 AS rank
    FROM range($a, $b) t(i), range(20) u(k) ORDER BY name, run_id;
INSERT INTO problems BY NAME SELECT now()::TIMESTAMP AS "at", 'source' || i % 5 AS source,
    i || '/events.out' AS path, 'bad payload' AS kind FROM range($a, $b) t(i) WHERE i % 200 = 3;
"""

_HPARAMS = tuple(f"hp.param{k}" for k in range(1, 6))
_METRICS = tuple(f'last("{["train", "val"][k % 2]}/metric{k}")' for k in range(5))
QUERIES = {
    "first page": Query(),
    "filter on fields": Query("project = 'project3' and state <> 'failed'"),
    "regex on name": Query("name ~ 'resnet.*seed3'", sort=("name",)),
    "hyperparameter range": Query("hp.param1 between 100 and 200", sort=("-hp.param1",)),
    "metric": Query('min("val/metric3") < 0.1', sort=('min("val/metric3")',)),
    "sort by metric": Query(columns=("name", *_METRICS), sort=("-" + _METRICS[0],)),
    "5 hyperparameters, 5 metrics": Query(
        "project in ('project1', 'project2') and hp.param1 > 10",
        ("name", "project", "created_at", *_HPARAMS, *_METRICS),
        sort=(_METRICS[2],),
    ),
    "last page": Query(sort=("name", "path"), offset=99_900),
    "groups": Query(columns=(*_METRICS[:2],), group_by=("project", "hp.param4"), sort=("-runs",)),
    "first NaN": Query('first_nan("train/metric4") < 500', sort=('first_nan("train/metric4")',)),
    "faults": Query("nan_tags > 0 or problems > 0", sort=("-nan_tags",)),
    "no hyperparameters, skew": Query("hparams = 0 or abs(clock_skew_s) > 300"),
    "stopped": Query("stopped_tags > 0", sort=("-stopped_tags",)),
    "words": Query("resnet50 adam"),
    "locations": Query(columns=("name", "locations")),
}


def fill(lake: Lake, runs: int) -> None:
    """Rows for *runs* runs: 2 files, 20 series and 20 hyperparameters each, batch by batch."""
    for start in range(0, runs, BATCH):
        for statement in _FILL.split(";\n")[:-1]:
            lake.con.execute(statement, {"a": start, "b": min(start + BATCH, runs)})
    lake.con.execute(
        "INSERT INTO source_facts BY NAME SELECT 'source' || i AS source,"
        " 1800 AS stalled_after_s, 86400 AS finished_after_s FROM range(5) t(i)"
    )


def measure(con: duckdb.DuckDBPyConnection, query: Query) -> list[float]:
    """Milliseconds of each round for one page of 50 rows, fastest first."""
    page = Query(**{**query.__dict__, "limit": 50})
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        search(con, page)
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)


def main() -> None:
    """Make the lake where there is none, measure each kind of page, and print one line."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    new = not locate(str(root)).exists()
    with open_lake(locate(str(root)), read_only=not new, create=new) as lake:
        if new:
            fill(lake, runs)
        found = {name: measure(lake.con, query) for name, query in QUERIES.items()}
        report(
            "search",
            runs=count(lake.con, Query()),
            page=50,
            median_ms={name: times[len(times) // 2] for name, times in found.items()},
            worst_ms={name: times[-1] for name, times in found.items()},
        )


if __name__ == "__main__":
    main()
