"""An export holds what the lake holds, readable without us, whole or not at all."""

from __future__ import annotations

import base64
import csv
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from boardlake.cli.main import main
from boardlake.core.errors import UsageError
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.export import export
from boardlake.lake.location import locate

BYTES = b"\x89PNG\x00\xff"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as opened:
        fill(opened)
        yield opened


def fill(lake: Lake) -> None:
    with lake.transaction() as con:
        con.execute(
            "INSERT INTO source_facts BY NAME SELECT 's' AS source,"
            " 'https://me:pass@host/logs' AS uri, 1.0 AS stalled_after_s, 2.0 AS finished_after_s"
        )
        con.execute(
            "INSERT INTO run_facts BY NAME SELECT range AS run_id, 'key' || range AS run_key,"
            " 'run-' || range AS name, 'run-' || range AS path, 's' AS source FROM range(1, 4)"
        )
        con.execute(
            "INSERT INTO files BY NAME SELECT range AS file_id, range AS run_id, 's' AS source,"
            " 'run-' || range || '/events' AS path, 10 AS size, 100 AS points, 100 AS records,"
            " 1.0 AS first_wall_time, 2.0 AS last_wall_time, 3.0 AS grew_at,"
            " 'c' || range AS content_key, '' AS stream FROM range(1, 4)"
        )
        con.execute(
            "INSERT INTO scalar_points BY NAME SELECT r.range AS run_id, '' AS stream, 'loss' AS tag,"
            " s.range AS step, 1.5 AS wall_time, s.range < 10 AS superseded,"
            " CASE WHEN s.range = 50 THEN 'nan'::DOUBLE ELSE s.range / 7 END AS value"
            " FROM range(1, 4) r, range(100) s"
        )
        con.execute(
            "INSERT INTO series_parts BY NAME SELECT range AS run_id, '' AS stream, 'loss' AS tag,"
            " 'scalar' AS kind, 90 AS points, 99 AS last_step, 2.5 AS \"last\", 0 AS finite"
            " FROM range(1, 4)"
        )
        con.execute(
            "INSERT INTO tensors BY NAME SELECT 1 AS run_id, '' AS stream, 'text' AS tag,"
            " 'text' AS plugin, ['a, b', 'c'] AS strings, false AS superseded"
        )
        con.execute(
            "INSERT INTO blobs BY NAME SELECT 2 AS run_id, '' AS stream, 'image' AS tag,"
            " ? AS data, 0 AS step",
            [BYTES],
        )
        con.execute(
            "INSERT INTO problems BY NAME SELECT 's' AS source, 'run-' || range || '/events' AS path,"
            " 'torn' AS kind FROM range(1, 4)"
        )
        con.execute("INSERT INTO cycles BY NAME SELECT 's' AS source, now()::TIMESTAMP AS ended_at")


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_a_parquet_export_holds_every_point(lake: Lake, tmp_path: Path) -> None:
    """Every row once, NaN as NaN, superseded points labelled; the manifest counts them right."""
    target = tmp_path / "out"
    receipt = export(lake, target)
    points = pq.read_table(target / "scalar_points.parquet").sort_by([("run_id", "ascending")])
    assert points.num_rows == receipt.rows["scalar_points"] == 300
    assert sum(points["superseded"].to_pylist()) == 30
    assert sum(math.isnan(value) for value in points["value"].to_pylist()) == 3
    assert pq.read_table(target / "runs.parquet")["name"].to_pylist() == ["run-1", "run-2", "run-3"]
    manifest = json.loads((target / "manifest.json").read_text())
    assert manifest["whole_lake"] and manifest["runs"] == receipt.runs == 3
    for table in manifest["tables"].values():
        assert pq.read_metadata(target / table["file"]).num_rows == table["rows"]
    assert receipt.bytes == sum(file.stat().st_size for file in target.iterdir())
    assert "scalar_points.parquet" in (target / "README.md").read_text()
    assert hidden(tmp_path) == []


def test_a_csv_export_holds_bytes_as_base64(lake: Lake, tmp_path: Path) -> None:
    """CSV says the same as the lake, with bytes in a form that any program can decode."""
    export(lake, tmp_path / "out", form="csv")
    with open(tmp_path / "out" / "blobs.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert base64.b64decode(row["data"]) == BYTES
    with open(tmp_path / "out" / "scalar_points.csv", newline="") as file:
        values = [float(row["value"]) for row in csv.DictReader(file)]
    assert len(values) == 300 and sum(map(math.isnan, values)) == 3


def test_a_duckdb_export_needs_no_extension(lake: Lake, tmp_path: Path) -> None:
    """A plain client finds the views with the rows that they have in the lake."""
    target = tmp_path / "out.duckdb"
    receipt = export(lake, target, form="duckdb")
    assert receipt.bytes == target.stat().st_size
    with duckdb.connect(str(target), read_only=True) as con:
        for view in ("scalars", "series", "texts", "sources", "histograms"):
            where = "" if view != "sources" else " WHERE uri IS NULL"
            order = f"SELECT * FROM {view}{where} ORDER BY ALL"
            assert repr(con.execute(order).fetchall()) == repr(lake.query(order))
        runs = "SELECT run_key, name, points FROM runs ORDER BY 1"
        assert con.execute(runs).fetchall() == lake.query(runs)
    assert lake.query("SELECT current_database()") == [("lake",)]
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.duckdb"]


@pytest.mark.parametrize("form", ["parquet", "csv", "arrow", "duckdb"])
def test_chosen_runs_take_nothing_of_others_along(lake: Lake, tmp_path: Path, form: str) -> None:
    """An export of one run names no other run, in any form."""
    target = tmp_path / "out"
    receipt = export(lake, target, form=form, runs=[2])  # type: ignore[arg-type]
    assert receipt.rows["scalar_points"] == 100
    assert receipt.rows["files"] == receipt.rows["problems"] == receipt.rows["blobs"] == 1
    assert receipt.rows["tensors"] == 0 and receipt.rows["cycles"] == 1
    if form == "duckdb":
        with duckdb.connect(str(target), read_only=True) as con:
            assert con.execute("SELECT name FROM runs").fetchall() == [("run-2",)]
            text = repr([con.execute(f"FROM {name}").fetchall() for name in receipt.rows])
    elif form == "csv":
        text = "".join(file.read_text() for file in target.iterdir())
    elif form == "arrow":
        text = repr([feather.read_table(file).to_pylist() for file in target.glob("*.arrow")])
    else:
        text = repr([pq.read_table(file).to_pylist() for file in target.glob("*.parquet")])
    assert "run-2" in text
    assert "run-1" not in text and "run-3" not in text


@pytest.mark.parametrize("form", ["parquet", "csv", "duckdb"])
def test_credentials_stay_at_home(lake: Lake, tmp_path: Path, form: str) -> None:
    """Name and password in a source's URI are masked."""
    target = tmp_path / "out"
    export(lake, target, form=form)  # type: ignore[arg-type]
    if form == "duckdb":
        with duckdb.connect(str(target), read_only=True) as con:
            uris = con.execute("SELECT uri FROM sources").fetchall()
    else:
        uris = duckdb.sql(f"SELECT uri FROM '{target}/sources.{form}'").fetchall()
    assert uris == [("https://***@host/logs",)]


def test_a_target_that_is_taken_is_refused(lake: Lake, tmp_path: Path) -> None:
    """Only an earlier export is replaced, and only with force; anything else is never touched."""
    target = tmp_path / "out"
    target.mkdir()
    export(lake, target)
    with pytest.raises(UsageError, match="exists"):
        export(lake, target)
    assert export(lake, target, runs=[1], force=True).rows["scalar_points"] == 100
    assert pq.read_metadata(target / "scalar_points.parquet").num_rows == 100

    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    for form in ("parquet", "duckdb"):
        with pytest.raises(UsageError, match="not an export"):
            export(lake, mine, form=form, force=True)
    with pytest.raises(UsageError, match="not an export"):
        export(lake, mine / "thesis.txt", form="duckdb", force=True)
    assert (mine / "thesis.txt").read_text() == "years of work"
    with pytest.raises(UsageError, match="in the lake itself"):
        export(lake, lake.location.data / "out")
    with pytest.raises(UsageError, match="no directory"):
        export(lake, tmp_path / "missing" / "out")
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("form", ["parquet", "arrow", "duckdb"])
def test_an_export_that_fails_leaves_nothing(lake: Lake, tmp_path: Path, form: str) -> None:
    """Stopped midway there is no target, the earlier export stays, and the lake can go on."""
    target = tmp_path / "out"
    export(lake, target, form=form, runs=[1])  # type: ignore[arg-type]

    def stop(name: str, number: int, of: int) -> None:
        if number == 4:
            raise KeyboardInterrupt

    for place, force in ((target, True), (tmp_path / "other", False)):
        with pytest.raises(KeyboardInterrupt):
            export(lake, place, form=form, force=force, progress=stop)  # type: ignore[arg-type]
    assert not (tmp_path / "other").exists() and hidden(tmp_path) == []
    assert lake.query("SELECT count(*) FROM runs") == [(3,)]
    again = export(lake, target, form=form, force=True)  # type: ignore[arg-type]
    assert again.rows["scalar_points"] == 300


def test_what_a_killed_export_left_goes_with_the_next(lake: Lake, tmp_path: Path) -> None:
    """The partial folder of a process that is dead is removed, that of a living one is not."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        for process in (dead, living):
            (tmp_path / f".out.partial-{process.pid}").mkdir()
        export(lake, tmp_path / "out")
        assert hidden(tmp_path) == [f".out.partial-{living.pid}"]
    finally:
        living.communicate()


def test_the_command_exports_what_a_filter_finds(
    lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The receipt is on stdout as JSON, the form follows the name, and no match is an error."""
    root = ["--lake", str(lake.location.root)]
    target = tmp_path / "two.duckdb"
    assert main([*root, "export", str(target), "name <> 'run-3'", "--json"]) == 0
    receipt = json.loads(capsys.readouterr().out)
    assert (receipt["form"], receipt["rows"]["scalar_points"]) == ("duckdb", 200)
    assert main([*root, "export", str(tmp_path / "no"), "name = 'nobody'"]) == 2
    assert main([*root, "export", str(tmp_path / "all")]) == 0
    said = capsys.readouterr()
    assert said.out == "" and "3 runs, 300 points" in said.err
    assert main([*root, "maintain", "--force", "--json"]) == 0
    assert "merged" in json.loads(capsys.readouterr().out)
