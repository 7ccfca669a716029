"""What the sandbox costs: a worker's start, a statement's way through it, a new copy of the catalog.

Medians of one run, beside the same statements on a plain connection of the same process.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import latency
import pyarrow as pa
from measure import peak_mb, report, seconds

from boardlake.lake import ask
from boardlake.lake.database import open_lake
from boardlake.lake.location import Location, locate
from boardlake.lake.readers import Readers
from boardlake.lake.sandbox.gate import Gate
from boardlake.lake.sandbox.pool import Sandbox

_ROWS = 1_000_000


def statements(runs: int) -> dict[str, str]:
    """What is asked on both ways."""
    return {
        "select_1": "SELECT 1",
        "one_series": f"SELECT step, value FROM scalars WHERE run_id = {runs // 2} AND tag = 'metric/07'",
        "20_runs": "SELECT run_id, avg(value) FROM scalars"
        f" WHERE run_id <= {runs // 5} AND tag = 'metric/07' GROUP BY 1",
        "runs": "SELECT * FROM runs ORDER BY run_id LIMIT 100",
        "best": "SELECT r.name, s.min FROM series s JOIN runs r USING (run_id)"
        " WHERE tag = 'metric/03' ORDER BY 2 LIMIT 20",
        "pivot": 'PIVOT (FROM series WHERE run_id < 50) ON tag USING any_value("last") GROUP BY run_id',
        "describe": "DESCRIBE runs",
        "million_rows": f"SELECT run_id, step, value FROM scalars LIMIT {_ROWS}",
    }


def measure(location: Location, runs: int, times: int) -> dict[str, float]:
    """Every figure, on a lake that has been filled."""
    figures: dict[str, float] = {}
    readers = Readers(open_lake(location))
    sandbox = Sandbox(readers)
    readers.snapshot()

    def start() -> None:
        sandbox.forget()
        sandbox.ask("SELECT 1")

    def commit() -> None:
        with open_lake(location, read_only=False) as lake:
            lake.con.execute("INSERT INTO artifacts (run_id) VALUES (1)")
        readers.look()

    def after_commit() -> float:
        commit()
        return seconds(lambda: sandbox.ask("SELECT count(*) FROM artifacts"), 1)

    def told(sql: str) -> int:
        stream = sandbox.ask(sql, rows=_ROWS).stream
        return int(pa.ipc.open_stream(stream).read_all().num_rows)

    try:
        figures["worker_start_ms"] = 1000 * seconds(start, times)
        after = sorted(after_commit() for _ in range(times))
        figures["after_commit_ms"] = 1000 * after[times // 2]
        gate = Gate("256MB")
        for name, sql in statements(runs).items():
            with readers.apart() as con:
                con.execute("SET threads = 1")
                figures[f"{name}_plain_ms"] = 1000 * seconds(lambda s=sql: ask.ask(con, s), times)
                figures[f"{name}_ms"] = 1000 * seconds(lambda s=sql: told(s), times)
        relations = frozenset({"runs", "series", "scalars"})
        judged = statements(runs)["best"]
        figures["judge_ms"] = 1000 * seconds(lambda: gate.admit(judged, relations, list), times)
        (worker,) = sandbox._all
        figures["worker_peak_mb"] = peak_mb(worker._process.pid)
    finally:
        sandbox.close()
        readers.close()
    return figures


def main() -> None:
    """Build, ask, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        location = locate(f"{folder}/lake")
        with open_lake(location, read_only=False, create=True) as lake:
            latency.build(lake, options.runs, options.steps)
        figures = measure(location, options.runs, options.times)
    report("sandbox", points=options.runs * options.steps * 20, **figures)


if __name__ == "__main__":
    main()
