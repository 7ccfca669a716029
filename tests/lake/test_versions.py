"""A lake of an older version, with real rows in it, is refused, brought forward, and then says the same."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from boardlake.cli.main import main
from boardlake.core.errors import LakeVersionError
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake import fold, migrate
from boardlake.lake.database import open_lake
from boardlake.lake.location import Location, locate

T0 = 1_700_000_000.0
NAN, INF = math.nan, math.inf
_SERIES = "SELECT * FROM series ORDER BY run_id, stream, tag, kind"


_ADDED = re.compile(r"ALTER TABLE (\w+) ADD COLUMN (\w+)")


def _write(writer: EventWriter, steps: list[int], values: list[float], tag: str = "loss") -> None:
    for index, (step, value) in enumerate(zip(steps, values, strict=True)):
        writer.scalar(tag, value, step, T0 + 60 * step + index)


@pytest.fixture
def old(tmp_path: Path) -> Location:
    """A lake of version 1: a run in pieces, one restarted over its NaNs, one with streams."""
    logs = tmp_path / "logs"
    name = "events.out.tfevents.1700000000.host.1.0"
    ingest = ["--lake", str(tmp_path / "lake"), "ingest", str(logs)]
    pieces = [([0, 1, 2], [1.0, INF, 2.0]), ([3, 4], [NAN, NAN]), ([5, 6], [-INF, NAN])]
    for count in range(1, len(pieces) + 1):
        with EventWriter(logs / "grown" / name) as writer:
            writer.file_version(T0)
            for steps, values in pieces[:count]:
                _write(writer, steps, values)
        assert main(ingest) == 0
    with EventWriter(logs / "restarted" / name) as writer:
        writer.file_version(T0)
        _write(writer, [0, 1, 2, 3], [1.0, 2.0, NAN, INF])
        _write(writer, [2, 3, 4], [3.0, 4.0, NAN])
        _write(writer, [0, 1], [NAN, 1.0], "again")
        _write(writer, [0, 1], [1.0, 1.0], "again")
    with EventWriter(logs / "streams" / "train" / name) as writer:
        writer.file_version(T0)
        _write(writer, [7, 8], [1.0, INF])
        writer.histogram("weights", [1.0, 2.0], 3, T0 + 5)
        writer.tensor("words", [[b"a"]], 4, T0 + 6)
    assert main(ingest) == 0
    place = locate(str(tmp_path / "lake"))
    (_, _, first), *later = migrate.steps()
    with open_lake(place, read_only=False) as lake, lake.transaction() as con:
        for _, _, sql in later:
            for table, column in _ADDED.findall(sql):
                con.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
            for table in re.findall(r"^CREATE TABLE (\w+)", sql, re.MULTILINE):
                con.execute(f"DROP TABLE {table}")
        view = first[first.index("CREATE VIEW series AS") :].partition(";")[0]
        con.execute(view.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))
        con.execute(f"DELETE FROM migrations WHERE version > {later[0][0] - 1}")
    return place


def _rows(place: Location, sql: str) -> str:
    with open_lake(place) as lake:
        return repr(lake.query(sql))


def test_version_1_becomes_current(
    old: Location, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is refused with the command to run; after that every series says what a new lake says."""
    with pytest.raises(LakeVersionError, match="schema version 1, this boardlake needs") as caught:
        open_lake(old)
    assert "boardlake migrate" in caught.value.hint
    call = ["--lake", str(old.root), "migrate"]
    assert main([*call, "--dry-run"]) == 0
    assert "pending: 0002 firsts" in capsys.readouterr().err
    with pytest.raises(LakeVersionError):
        open_lake(old)
    assert main(call) == 0
    assert "applied 0002 firsts" in capsys.readouterr().err
    assert main(call) == 0
    assert "nothing to do" in capsys.readouterr().err
    new = str(tmp_path / "new")
    assert main(["--lake", new, "ingest", str(tmp_path / "logs")]) == 0
    named = "SELECT path, s.* EXCLUDE (run_id) FROM series s JOIN runs USING (run_id) ORDER BY ALL"
    assert _rows(old, named) == _rows(locate(new), named)


def test_what_was_brought_forward_is_where_the_points_are(old: Location) -> None:
    """First NaN, first infinity and first wall time by hand; superseded points do not count."""
    assert main(["--lake", str(old.root), "migrate"]) == 0
    with open_lake(old) as lake:
        known = dict(lake.query("SELECT path, run_id FROM runs"))
        found = {
            (path, tag): lake.query(
                "SELECT nan_step, inf_step, first_wall_time FROM series WHERE run_id = ? AND tag = ?",
                [run_id, tag],
            )
            for path, run_id in known.items()
            for tag in ("loss", "again", "weights", "words")
        }
    assert found["grown", "loss"] == [(3, 1, T0)]
    assert found["restarted", "loss"] == [(4, None, T0)]
    assert found["restarted", "again"] == [(None, None, T0)]
    assert found["streams", "loss"] == [(None, 8, T0 + 420)]
    assert found["streams", "weights"] == [(None, None, T0 + 5)]
    assert found["streams", "words"] == [(None, None, T0 + 6)]


def test_parts_keep_what_is_theirs(old: Location) -> None:
    """Each part gets its own firsts, so that folding and replacing files go on as in a new lake."""
    assert main(["--lake", str(old.root), "migrate"]) == 0
    parts = (
        "SELECT first_step, nan_step, inf_step, first_wall_time FROM series_parts s"
        " JOIN run_facts r USING (run_id) WHERE r.path = 'grown' ORDER BY first_step"
    )
    before = _rows(old, _SERIES)
    with open_lake(old, read_only=False) as lake:
        assert lake.query(parts) == [
            (0, None, 1, T0), (3, 3, None, T0 + 180), (5, 6, 5, T0 + 300),
        ]  # fmt: skip
        for chunk in fold.chunks(lake.con, 0.0):
            with lake.transaction() as con:
                fold.fold(con, chunk, least=1)
        assert lake.query(parts) == [(0, 3, 1, T0)]
    assert _rows(old, _SERIES) == before


def test_the_ingester_goes_on_after_it(old: Location, tmp_path: Path) -> None:
    """What grows later is added to what was brought forward."""
    assert main(["--lake", str(old.root), "migrate"]) == 0
    path = tmp_path / "logs" / "streams" / "train" / "events.out.tfevents.1700000000.host.1.0"
    size = path.stat().st_size
    more = tmp_path / "more"
    with EventWriter(more) as writer:
        _write(writer, [9, 10], [NAN, INF])
    path.write_bytes(path.read_bytes() + more.read_bytes())
    assert path.stat().st_size > size
    assert main(["--lake", str(old.root), "ingest", str(tmp_path / "logs")]) == 0
    with open_lake(old) as lake:
        found = lake.query(
            "SELECT nan_step, inf_step, s.points FROM series s JOIN runs r USING (run_id)"
            " WHERE r.path = 'streams' AND tag = 'loss'"
        )
    assert found == [(9, 8, 4)]


def test_a_command_on_an_old_lake_says_what_to_do(old: Location) -> None:
    """One line, no traceback."""
    command = [sys.executable, "-m", "boardlake", "--lake", str(old.root), "runs"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "schema version 1" in ended.stderr and "boardlake migrate" in ended.stderr
    assert "Traceback" not in ended.stderr
