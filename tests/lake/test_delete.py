"""A deleted run is gone: from every table, every file, every page of the catalog, and for good."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from boardlake.cli.main import main
from boardlake.core.errors import UsageError
from boardlake.lake import catalog, delete, maintain
from boardlake.lake.database import Lake, open_lake, reread
from boardlake.lake.delete import delete_runs, deleted_keys, path_key
from boardlake.lake.erase import LOG
from boardlake.lake.location import locate

SECRET = "zz-secret"
POINTS = ("scalar_points", "series_parts", "tensors", "blobs")
TABLES = ("run_facts", "files", "hparams", "artifacts", "problems", "directories", "jobs", *POINTS)


@pytest.fixture
def lake(tmp_path: Path, empty_lake: Path) -> Iterator[Lake]:
    shutil.copytree(empty_lake, tmp_path / "lake")
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as opened:
        fill(opened, {1: "alpha", 2: SECRET, 3: "beta", 4: f"{SECRET[:2]}/nested"})
        yield opened


def fill(lake: Lake, names: dict[int, str]) -> None:
    """Runs with rows in every table, in two commits, which upkeep then merges."""
    for half in range(2):
        with lake.transaction() as con:
            con.execute("CREATE OR REPLACE TEMP TABLE made (run_id BIGINT, name VARCHAR)")
            con.executemany("INSERT INTO made VALUES (?, ?)", list(names.items()))
            if half == 0:
                con.execute(
                    "INSERT INTO run_facts BY NAME SELECT run_id, md5(name) AS run_key, name,"
                    " name AS path, 's' AS source, name AS command FROM made"
                )
                con.execute(
                    "INSERT INTO files BY NAME SELECT run_id, run_id AS file_id, 's' AS source,"
                    " name || '/events' AS path, 9.0 AS grew_at, 1 AS records, 100 AS size,"
                    " '' AS stream, name AS content_key FROM made"
                )
            for table in POINTS:
                con.execute(
                    f"INSERT INTO {table} BY NAME SELECT run_id, name AS stream, name AS tag,"
                    " run_id AS file_id FROM made, range(100)"
                )
            con.execute("INSERT INTO hparams BY NAME SELECT run_id, name, name AS value FROM made")
            con.execute(
                "INSERT INTO jobs BY NAME SELECT run_id, 's' AS source, name AS job_name FROM made"
            )
            con.execute("INSERT INTO artifacts BY NAME SELECT run_id, name AS path FROM made")
            con.execute(
                "INSERT INTO problems BY NAME SELECT 's' AS source, name || file AS path"
                " FROM made, (VALUES ('/events'), ('/hparams.yaml')) t(file)"
            )
            con.execute(
                "INSERT INTO directories BY NAME SELECT 's' AS source, name AS path FROM made"
            )
    maintain.maintain(lake, force=True)


def traces(lake: Lake, text: str) -> list[str]:
    """The files of the lake whose bytes hold *text*."""
    return [
        file.name
        for file in lake.location.root.rglob("*")
        if file.is_file() and text.encode() in file.read_bytes()
    ]


def rows(lake: Lake) -> dict[str, int]:
    return {table: lake.query(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def version(lake: Lake) -> int:
    return int(lake.query("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')")[0][0])


def test_nothing_of_a_deleted_run_is_left_on_the_disk(lake: Lake) -> None:
    """No Parquet file has a row of the run, no byte of the lake has its name; the others stay."""
    before = rows(lake)
    assert len(traces(lake, SECRET)) > 5
    receipt = delete_runs(lake, [2])
    assert traces(lake, SECRET) == []
    parquet = list(lake.location.data.rglob("*.parquet"))
    held = [pq.read_table(file) for file in parquet]
    assert len(held) >= len(TABLES)
    assert not any(
        2 in table["run_id"].to_pylist() for table in held if "run_id" in table.schema.names
    )
    after = rows(lake)
    assert {name: before[name] - after[name] for name in TABLES} == receipt.rows
    assert all(receipt.rows.values())
    assert lake.query("SELECT run_id FROM run_facts ORDER BY 1") == [(1,), (3,), (4,)]
    assert receipt.erased and receipt.files_removed and receipt.bytes_after < receipt.bytes_before


def test_what_is_written_later_does_not_bring_the_name_back(lake: Lake) -> None:
    """Statistics that this or another process had cached do not go back into the catalog."""
    with open_lake(lake.location, read_only=False) as other:
        other.query("SELECT * FROM run_facts WHERE name > 'y'")
        delete_runs(lake, [2])
        for writer in (lake, other):
            with writer.transaction() as con:
                con.execute("INSERT INTO run_facts (run_id, name, path) VALUES (5, 'b', 'b')")
                con.execute("INSERT INTO scalar_points (run_id, tag, stream) VALUES (5, 'b', '')")
    assert traces(lake, SECRET) == []


def test_a_dry_run_says_the_same_and_changes_nothing(lake: Lake) -> None:
    """`dry_run` counts what the deletion will remove; it also works on a read-only lake."""
    before, now = rows(lake), version(lake)
    with open_lake(lake.location) as reader:
        planned = delete_runs(reader, [2, 3], dry_run=True)
    assert (rows(lake), version(lake)) == (before, now)
    assert not (lake.location.root / LOG).exists()
    done = delete_runs(lake, [2, 3])
    assert (planned.rows, planned.runs) == (done.rows, done.runs)


def test_paths_are_remembered_as_hashes(lake: Lake) -> None:
    """The plan of the next ingest can tell files of deleted runs, and nothing says their names."""
    delete_runs(lake, [2])
    assert deleted_keys(lake.con, "s") == {
        path_key("s", f"{SECRET}/events"),
        path_key("s", SECRET),
    }
    assert deleted_keys(lake.con, "other") == set()
    assert path_key("a", "b/c") != path_key("a/b", "c")


def test_a_nested_run_keeps_its_problems(lake: Lake) -> None:
    """A run in a directory below belongs to itself: what lies there does not go with its parent."""
    with lake.transaction() as con:
        con.execute(
            "INSERT INTO run_facts BY NAME SELECT 9 AS run_id, 'zz' AS path, 'zz' AS name,"
            " 'k' AS run_key, 's' AS source"
        )
        con.execute("INSERT INTO problems (source, path) VALUES ('s', 'zz/logs/x.yaml')")
    assert delete_runs(lake, [9]).rows["problems"] == 1
    nested = "SELECT count(*) FROM problems WHERE path LIKE 'zz/nested/%'"
    assert lake.query(nested) == [(4,)]


def test_the_log_names_runs_by_key_only(lake: Lake) -> None:
    """The log beside the lake proves the deletion without holding what was to go."""
    receipt = delete_runs(lake, [2])
    lines = [json.loads(line) for line in (lake.location.root / LOG).read_text().splitlines()]
    assert lines[0]["deleted"] == [receipt.runs[0]["run_key"]]
    assert lines[0]["rows"] == receipt.rows
    assert lines[1]["erased"] is True
    assert receipt.runs[0]["name"] == SECRET


def test_an_erase_that_was_stopped_is_finished_by_upkeep(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the commit and the erase, the bytes go with the next cycle's upkeep."""

    def stopped(_: Lake) -> tuple[int, bool]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(delete, "erase", stopped)
        with pytest.raises(KeyboardInterrupt):
            delete_runs(lake, [2])
    assert lake.query("SELECT count(*) FROM scalar_points WHERE run_id = 2") == [(0,)]
    assert traces(lake, SECRET)
    assert maintain.due(lake) == ["erase"]
    assert maintain.maintain_due(lake).erased
    assert traces(lake, SECRET) == []
    assert maintain.due(lake) == []


def test_an_erase_stays_due_while_a_reader_holds_old_pages(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a reader keeps from going is said, and goes when the reader is gone."""
    monkeypatch.setattr(catalog, "_READERS_WAIT_S", 0.05)
    with open_lake(lake.location) as reader:
        reader.query("BEGIN")
        reader.query("SELECT count(*) FROM run_facts")
        assert not delete_runs(lake, [2]).erased
        reader.query("COMMIT")
    assert "erase" in maintain.due(lake)
    maintain.maintain_due(lake)
    assert traces(lake, SECRET) == []


def test_an_unknown_run_is_refused_and_none_goes(lake: Lake) -> None:
    """One wrong number in a list leaves all the others where they are."""
    before = rows(lake)
    with pytest.raises(UsageError, match="run_id 77"):
        delete_runs(lake, [1, 77])
    assert rows(lake) == before
    assert delete_runs(lake, []).rows == {}


def test_a_reader_whose_file_went_reads_once_more() -> None:
    """`reread` repeats only what failed for a missing file, and only once."""
    failures = [duckdb.IOException("IO Error: Cannot open file 'x.parquet'")]

    def read() -> str:
        if failures:
            raise failures.pop()
        return "rows"

    assert reread(read) == "rows"
    failures += [duckdb.IOException("Cannot open file")] * 2
    with pytest.raises(duckdb.IOException):
        reread(read)
    failures[:] = [duckdb.IOException("disk I/O error")]
    with pytest.raises(duckdb.IOException):
        reread(read)


def test_the_command_asks_before_it_deletes(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal and without --yes nothing goes; --dry-run shows, --yes deletes."""
    root = ["--lake", str(lake.location.root)]
    before = rows(lake)
    assert main([*root, "delete", f"name = '{SECRET}'"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert main([*root, "delete", " ", "--yes"]) == 2
    capsys.readouterr()
    assert main([*root, "delete", f"name = '{SECRET}'", "--dry-run"]) == 0
    said = capsys.readouterr()
    assert SECRET in said.err and said.out == ""
    assert rows(lake) == before
    assert main([*root, "delete", f"name = '{SECRET}'", "--yes", "--json"]) == 0
    receipt = json.loads(capsys.readouterr().out)
    assert receipt["erased"] and receipt["rows"]["scalar_points"] == 200
    assert main([*root, "delete", f"name = '{SECRET}'", "--yes"]) == 0
    assert "no run matches" in capsys.readouterr().err
