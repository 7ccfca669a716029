"""A small lake for the commands that list, and a way to run them as a person does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from boardlake.cli.main import main
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate

RUNS = 60


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty runs of two projects, one of them twice, with a hyperparameter and a hostile name."""
    root = tmp_path_factory.mktemp("lake")
    with open_lake(locate(str(root)), read_only=False, create=True) as lake:
        lake.con.execute(
            "INSERT INTO run_facts (run_id, run_key, source, machine, project, name, path)"
            " SELECT i, 'key' || i, 'lab', '', CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END,"
            "        CASE WHEN i = 7 THEN 'evil' || chr(27) || '[31m' ELSE 'run/seed' || i END,"
            f"       'run/seed' || i FROM range({RUNS + 1}) t(i)"
        )
        # The first run is a shorter copy of the last: their files have the same content.
        lake.con.execute(
            "INSERT INTO files (file_id, run_id, source, stream, path, size, points, records,"
            " last_step, attempts, first_wall_time, last_wall_time, grew_at, content_key)"
            f" SELECT i, i, 'lab', '', 'f' || i, 10, i, i, i, 1, 1.7e9, 1.7e9 + i, 1.7e9,"
            f" 'content' || (i % {RUNS}) FROM range({RUNS + 1}) t(i)"
        )
        lake.con.execute(
            "INSERT INTO hparams SELECT i, 'lr', 'float', CAST(i AS VARCHAR), i, 'args', 1"
            f" FROM range({RUNS}) t(i)"
        )
        lake.con.execute(
            "INSERT INTO scalar_points SELECT 1, '', 'loss', i, 1.7e9 + i, 1 / i, 0, false, 1, i"
            " FROM range(300) t(i)"
        )
        lake.con.execute(
            "INSERT INTO series_parts (run_id, stream, tag, kind, points)"
            " VALUES (1, '', 'loss', 'scalar', 300)"
        )
    return root


@pytest.fixture
def ran(
    small_lake: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """`ran(*args)` runs the command on the small lake; *width* cells make stdout a terminal."""

    def run(*args: str, lake: Path = small_lake, width: int = 0) -> Ran:
        with monkeypatch.context() as patch:
            patch.setenv("BOARDLAKE_LAKE", str(lake))
            patch.setenv("COLUMNS", str(width or 80))
            patch.setenv("TERM", "dumb")
            patch.setattr(sys.stdout, "isatty", lambda: width > 0, raising=False)
            code = main(list(args))
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
