"""Upkeep keeps a lake of many small commits small and quick, and changes nothing that it says."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boardlake.lake import catalog, fold, lock
from boardlake.lake.catalog import CATALOG
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate
from boardlake.lake.maintain import due, maintain, maintain_due

MINUTE, DAY = 60.0, 86400.0
# Where parts tie for least or greatest, the view may name the step of any; folding keeps the first.
SERIES = "SELECT * EXCLUDE (mean, std, min_step, max_step) FROM series ORDER BY run_id, stream, tag, kind"
STEPS = (
    'SELECT run_id, tag, arg_min(min_step, ("min", min_step)), arg_min(max_step, (-"max", max_step))'
    " FROM series_parts GROUP BY ALL ORDER BY ALL"
)
SUMS = "SELECT mean, std FROM series ORDER BY run_id, stream, tag, kind"
POINTS = "SELECT count(*), sum(step), min(value), max(value) FROM scalars"


@pytest.fixture
def lake(tmp_path: Path, empty_lake: Path) -> Iterator[Lake]:
    shutil.copytree(empty_lake, tmp_path / "lake")
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as opened:
        yield opened


def commit(lake: Lake, step: int, now: float, *, runs: int = 3, tags: int = 4) -> None:
    """One tick of cron: each series grows by a point, and the cursors of their files move."""
    names = (
        f"SELECT r.range AS run_id, '' AS stream, 't' || t.range AS tag, r.range AS file_id,"
        f" {step} AS step, CAST(sin({step} + t.range) AS DOUBLE) AS v"
        f" FROM range({runs}) r, range({tags}) t"
    )
    with lake.transaction() as con:
        con.execute(
            "INSERT INTO scalar_points BY NAME SELECT run_id, stream, tag, step, 1.0 AS wall_time,"
            f" v AS value, 0 AS attempt, false AS superseded, file_id, step AS record FROM ({names})"
        )
        con.execute(
            "INSERT INTO series_parts BY NAME SELECT run_id, stream, tag, 'scalar' AS kind, file_id,"
            " 'scalars' AS plugin, 1 AS points, 0 AS superseded, step AS first_step,"
            ' step AS last_step, 1.0 + step AS last_wall_time, v AS "first", v AS "last", v AS "min",'
            ' step AS min_step, v AS "max", step AS max_step, 0.5 AS shift, v - 0.5 AS shift_sum,'
            " (v - 0.5) ** 2 AS shift_sum2, 1 AS finite, 0 AS nan_count, 0 AS inf_count,"
            f" 0 AS attempt FROM ({names})"
        )
        con.execute("UPDATE files SET offset_read = ?, grew_at = ?", [step, now])
        con.execute("INSERT INTO cycles (files_listed) VALUES (?)", [step])


def known_files(lake: Lake, runs: int = 3) -> None:
    with lake.transaction() as con:
        con.execute(
            "INSERT INTO files BY NAME SELECT range AS file_id, range AS run_id, 's' AS source,"
            f" 'p' || range AS path, 0 AS offset_read, 0.0 AS grew_at FROM range({runs})"
        )


def live_files(lake: Lake) -> dict[str, int]:
    return dict(
        lake.query(
            f"SELECT t.table_name, count(*) FROM {CATALOG}.ducklake_data_file f"
            f" JOIN {CATALOG}.ducklake_table t USING (table_id)"
            " WHERE f.end_snapshot IS NULL GROUP BY 1"
        )
    )


def snapshots(lake: Lake) -> int:
    return int(lake.query("SELECT count(*) FROM ducklake_snapshots('lake')")[0][0])


def on_disk(lake: Lake) -> int:
    return sum(1 for _ in lake.location.data.rglob("*.parquet"))


def test_minutes_of_cron_leave_few_files_and_the_same_rows(lake: Lake) -> None:
    """Many commits with upkeep after each: files per table stay bounded, and after days the
    disk does too; what the views say is what was written."""
    known_files(lake)
    begin = time.time()
    most: dict[str, int] = {}
    for step in range(60):
        now = begin + 10 * MINUTE * step
        commit(lake, step, now)
        maintain_due(lake, now=now)
        most = {name: max(n, most.get(name, 0)) for name, n in live_files(lake).items()}
    assert max(most.values()) <= 2 * 16
    assert lake.query("SELECT count(*) FROM series_parts")[0][0] < 60 * 12 / 3
    assert lake.query("SELECT DISTINCT points, first_step, last_step FROM series") == [(60, 0, 59)]
    assert lake.query("SELECT count(*), count(DISTINCT step) FROM scalars") == [(60 * 12, 60)]

    assert on_disk(lake) > 120
    before = lake.query(POINTS)
    later = begin + 10 * DAY
    assert {"tidy", "compact"} <= set(due(lake, now=later))
    done = maintain_due(lake, now=later)
    assert done.compacted and done.expired > 60 and done.removed > 90
    assert snapshots(lake) < 10 and on_disk(lake) < 60
    assert lake.query(POINTS) == before


def test_a_quiet_lake_costs_no_commit(lake: Lake) -> None:
    """Where nothing is due nothing is written, however often upkeep is asked for."""
    now = time.time()
    maintain_due(lake, now=now)
    before = snapshots(lake)
    for minute in range(5):
        assert due(lake, now=now + minute * MINUTE) == []
        done = maintain_due(lake, now=now + minute * MINUTE).as_dict()
        assert not any(value for name, value in done.items() if name != "seconds")
    assert snapshots(lake) == before


def test_force_leaves_one_file_per_table(lake: Lake) -> None:
    """`--force` merges everything, also files that updates have put deleted rows into."""
    known_files(lake)
    for step in range(6):
        commit(lake, step, 1.0)
    with lake.transaction() as con:
        con.execute("DELETE FROM scalar_points WHERE step = 3 AND tag = 't1'")
    series, points = lake.query(SERIES), lake.query(POINTS)
    said: list[str] = []
    done = maintain(lake, force=True, progress=said.append)
    assert done.folded == 5 * 12
    assert {"fold", "tidy", "compact", "merge scalar_points", "merge cycles"} <= set(said)
    counts = live_files(lake)
    assert counts["scalar_points"] == counts["series_parts"] == counts["files"] == 1
    assert (lake.query(SERIES), lake.query(POINTS)) == (series, points)


def test_many_deleted_rows_make_a_file_be_rewritten(lake: Lake) -> None:
    """Rows that are deleted stop costing reads once they are many, without being asked."""
    with lake.transaction() as con:
        con.execute("INSERT INTO scalar_points BY NAME SELECT range AS step FROM range(50000)")
    with lake.transaction() as con:
        con.execute("DELETE FROM scalar_points WHERE step % 3 = 0")
    assert "rewrite scalar_points" in due(lake)
    assert maintain_due(lake).rewritten == {"scalar_points": 1}
    found = lake.query(
        f"SELECT sum(record_count) FROM {CATALOG}.ducklake_data_file WHERE end_snapshot IS NULL"
        f" AND table_id = (SELECT table_id FROM {CATALOG}.ducklake_table"
        " WHERE table_name = 'scalar_points')"
    )
    assert found == [(33_333,)] == lake.query("SELECT count(*) FROM scalar_points")
    assert "rewrite scalar_points" not in due(lake)


def test_files_that_cannot_be_merged_are_not_tried_every_minute(lake: Lake) -> None:
    """Files of different schema versions stay apart in DuckLake; upkeep accepts that for a day."""
    for number in range(16):
        with lake.transaction() as con:
            con.execute("INSERT INTO problems (message) VALUES ('x')")
        with lake.transaction() as con:
            con.execute(f"ALTER TABLE problems ADD COLUMN c{number} INTEGER")
    now = time.time()
    maintain_due(lake, now=now)
    before = snapshots(lake)
    assert due(lake, now=now + MINUTE) == []
    maintain_due(lake, now=now + MINUTE)
    assert snapshots(lake) == before


def test_upkeep_waits_for_no_writer(lake: Lake) -> None:
    """While another writer holds the lock, upkeep after a cycle leaves it at that."""
    known_files(lake)
    for step in range(20):
        commit(lake, step, 1.0)
    lake.lock_timeout_s = 0.02
    with lock.hold(lake.location.lock, 1.0):
        assert maintain_due(lake).merged == {}
    assert maintain_due(lake).merged


def test_readers_in_another_process_go_on(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader in a process of its own sees every row all the time while all upkeep is done."""
    monkeypatch.setattr(catalog, "_READERS_WAIT_S", 0.2)
    known_files(lake)
    for step in range(40):
        commit(lake, step, 1.0)
    script = textwrap.dedent("""
        import pathlib, sys, time
        from boardlake.lake.database import open_lake
        from boardlake.lake.location import locate
        root, stop = sys.argv[1], pathlib.Path(sys.argv[2])
        seen, reads = set(), 0
        with open_lake(locate(root)) as lake:
            print("ready", flush=True)
            until = time.monotonic() + 60
            while not (stop.exists() and reads > 3) and time.monotonic() < until:
                seen |= set(lake.query("SELECT count(*), sum(step) FROM scalars"))
                seen |= set(lake.query("SELECT sum(points), max(last_step) FROM series"))
                reads += 1
        print(sorted(seen))
    """)
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", script, str(lake.location.root), str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None and reader.stdout.readline() == "ready\n"
        try:
            for days in range(2):
                maintain(lake, force=True, now=time.time() + days * 0.1 * DAY)
                commit(lake, 39, 1.0, runs=0)
        finally:
            stop.touch()
        said = reader.stdout.read()
    assert said == f"{[(480, 39), (480, sum(range(40)) * 12)]}\n"
    assert reader.returncode == 0


def test_a_reader_that_stays_keeps_the_catalog_from_being_emptied(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`compact_catalog` says so when an open reader holds on to the write-ahead log."""
    monkeypatch.setattr(catalog, "_READERS_WAIT_S", 0.05)
    with open_lake(lake.location) as reader:
        reader.query("BEGIN")
        reader.query(POINTS)
        known_files(lake)
        with lake.exclusive():
            assert not catalog.compact_catalog(lake.location)
        reader.query("COMMIT")
    with lake.exclusive():
        assert catalog.compact_catalog(lake.location)


# Folding

numbers = st.floats(-1e3, 1e3, allow_subnormal=False)


@st.composite
def parts(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Parts of a few series of a few files, as the ingester makes them: steps only go up."""
    rows = []
    for run_id in range(draw(st.integers(1, 3))):
        for tag in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)):
            step = 0
            shift: float | None = None
            for number in range(draw(st.integers(1, 8))):
                values = draw(st.lists(st.one_of(numbers, st.sampled_from([float("nan"), 1.0]))))
                finite = [(v, step + i) for i, v in enumerate(values) if v == v]
                shift = finite[0][0] if shift is None and finite else shift
                away = [v - (shift or 0.0) for v, _ in finite]
                rows.append(
                    {
                        "run_id": run_id, "stream": "", "tag": tag, "kind": "scalar",
                        "file_id": 10 * run_id + number // 3,
                        "plugin": "scalars" if number == 0 else None,
                        "content": b"x" if number == 0 else None,
                        "points": len(values), "superseded": draw(st.integers(0, 2)),
                        "first_step": step if values else None,
                        "last_step": step + len(values) - 1 if values else None,
                        "first_wall_time": step - 0.5 if values else None,
                        "last_wall_time": float(step) if values else None,
                        "first": values[0] if values else None,
                        "last": values[-1] if values else None,
                        "min": min(finite)[0] if finite else None,
                        "min_step": min(finite)[1] if finite else None,
                        "max": max(finite)[0] if finite else None,
                        "max_step": min((-v, s) for v, s in finite)[1] if finite else None,
                        "shift": shift if finite else None,
                        "shift_sum": sum(away) if finite else None,
                        "shift_sum2": sum(v * v for v in away) if finite else None,
                        "finite": len(finite), "nan_count": len(values) - len(finite),
                        "nan_step": next((step + i for i, v in enumerate(values) if v != v), None),
                        "inf_count": 0, "inf_step": None, "attempt": 0,
                    }
                )  # fmt: skip
                step += len(values)
    return rows


@given(parts())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_folding_leaves_every_series_as_it_was(lake: Lake, rows: list[dict[str, Any]]) -> None:
    """One part is left of each series and file, and the view `series` is the same; sums to a
    rounding."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    arrays = {
        name: pa.array(values, pa.float64(), from_pandas=False)
        if name in ("first", "last", "min", "max", "shift", "shift_sum", "shift_sum2")
        else pa.array(values, pa.string() if name == "plugin" else None)
        for name, values in columns.items()
    }
    arrays["content"] = pa.array(columns["content"], pa.binary())
    with lake.transaction() as con:
        con.execute("DELETE FROM series_parts")
        con.register("made", pa.table(arrays))
        con.execute("INSERT INTO series_parts BY NAME SELECT * FROM made")
        con.unregister("made")
    series, sums, steps = repr(lake.query(SERIES)), lake.query(SUMS), lake.query(STEPS)
    for chunk in fold.chunks(lake.con, 0.0):
        with lake.transaction() as con:
            fold.fold(con, chunk, least=1)
    assert (repr(lake.query(SERIES)), lake.query(STEPS)) == (series, steps)
    for before, after in zip(sums, lake.query(SUMS), strict=True):
        for was, now in zip(before, after, strict=True):
            assert now is was or now == pytest.approx(was, rel=1e-6, abs=1e-3)
    assert lake.query(
        "SELECT count(*) FROM (SELECT 1 FROM series_parts"
        " GROUP BY run_id, stream, tag, kind, file_id HAVING count(*) > 1)"
    ) == [(0,)]


def test_only_runs_that_grew_are_folded(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Upkeep looks at runs of which a file has grown since the last fold, a bounded lot at a time."""
    known_files(lake)
    for step in range(10):
        commit(lake, step, 1.0)
    with lake.transaction() as con:
        con.execute("UPDATE files SET grew_at = 5000 WHERE run_id = 1")
    assert fold.chunks(lake.con, 4000.0) == [[1]]
    assert not fold.any_grown(lake.con, 9000.0)
    assert fold.chunks(lake.con, 0.0) == [[0, 1, 2]]
    monkeypatch.setattr(fold, "_PARTS_AT_ONCE", 80)
    assert fold.chunks(lake.con, 0.0) == [[0, 1], [2]]
    with lake.transaction() as con:
        assert fold.fold(con, [1]) == 9 * 4
    assert lake.query("SELECT run_id, count(*) FROM series_parts GROUP BY 1 ORDER BY 1") == [
        (0, 40),
        (1, 4),
        (2, 40),
    ]
