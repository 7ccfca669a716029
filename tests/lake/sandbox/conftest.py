"""A small lake that another user may read, with secrets beside it, and the attacks on them."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from boardlake.lake.database import open_lake
from boardlake.lake.location import Location, locate
from boardlake.lake.readers import Readers
from boardlake.lake.sandbox.limits import Limits
from boardlake.lake.sandbox.pool import Sandbox

SECRET = "eyes-only-7f3a"

_FILL = """
INSERT INTO source_facts (source, machine, stalled_after_s, finished_after_s) VALUES ('lab', 'box', 1800, 86400);
INSERT INTO run_facts (run_id, run_key, source, machine, project, name, path)
    SELECT i, printf('%012x', i), 'lab', 'box', 'p' || i % 2, 'it''s run "' || i || '"', 'p/' || i
    FROM range(1, 6) t(i);
INSERT INTO files (file_id, run_id, source, stream, path, size, points, records, last_step, attempts,
                   first_wall_time, last_wall_time, grew_at)
    SELECT i, i, 'lab', '', 'f' || i, 1000, 900, 900, 299, 1, 1.7e9 + i, 1.7e9 + 300 * i, 1.7e9
    FROM range(1, 6) t(i);
INSERT INTO hparams SELECT i, h, 'float', (i * 0.5)::VARCHAR, i * 0.5, 'args.json', 10
    FROM range(1, 6) t(i), (VALUES ('lr'), ('wd')) v(h);
INSERT INTO scalar_points BY NAME
    SELECT i AS run_id, '' AS stream, tag, step, 1.7e9 + i + step AS wall_time,
           CASE WHEN step % 97 = 0 THEN 'nan'::DOUBLE ELSE i * 0.5 + step * 0.25 END AS value,
           0 AS attempt, step = 7 AS superseded, i AS file_id, step AS record
    FROM range(1, 6) t(i), range(300) s(step), (VALUES ('loss'), ('acc'), ('lr')) v(tag);
INSERT INTO series_parts BY NAME
    SELECT run_id, stream, tag, 'scalar' AS kind, file_id, 'scalars' AS plugin, count(*) AS points,
           0 AS superseded, min(step) AS first_step, max(step) AS last_step,
           max(wall_time) AS last_wall_time, arg_min(value, step) AS "first",
           arg_max(value, step) AS "last", min(value) AS "min", 0 AS min_step, max(value) AS "max",
           299 AS max_step, 0.0 AS shift, 1.5 AS shift_sum, 2.5 AS shift_sum2, count(*) AS finite,
           0 AS nan_count, 0 AS inf_count, 0 AS attempt
    FROM scalar_points GROUP BY ALL
"""


@dataclass(frozen=True)
class Ground:
    """Where things are."""

    root: Path
    location: Location
    outside: Path
    live: Path
    listener: socket.socket

    def said(self, statement: str) -> str:
        """*statement* with the names of things here."""
        for name, value in {
            "outside": str(self.outside), "data": f"{self.location.data}/", "live": str(self.live),
            "catalog": str(self.location.catalog), "port": str(self.listener.getsockname()[1]),
        }.items():  # fmt: skip
            statement = statement.replace("{" + name + "}", value)
        return statement

    def state(self) -> dict[str, str]:
        """What every file holds but for SQLite's own notes on who reads."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
            for path in sorted(self.root.rglob("*"))
            if not path.name.endswith(("-shm", "-wal"))
        }

    def was_called(self) -> bool:
        """Whether anyone has connected to the port."""
        self.listener.settimeout(0)
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True


def _secrets(folder: Path) -> None:
    folder.mkdir()
    (folder / "secret.csv").write_text(f"secret,n\n{SECRET},1\n")
    (folder / "secret.json").write_text(f'{{"secret": "{SECRET}"}}\n')
    (folder / "schema.sql").write_text(f"SELECT '{SECRET}';")
    (folder / "load.sql").write_text("")
    with duckdb.connect(str(folder / "secret.duckdb")) as con:
        con.execute(f"CREATE TABLE secret AS SELECT '{SECRET}' AS secret")
        con.execute(f"COPY secret TO '{folder / 'secret.parquet'}' (FORMAT parquet)")
    with sqlite3.connect(folder / "secret.sqlite") as lite:
        lite.execute(f"CREATE TABLE secret AS SELECT '{SECRET}' AS secret")
    lite.close()


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """A lake that was written to, deleted from and merged, so that files wait to be removed."""
    # Not below pytest's own folder, which other users cannot enter.
    root = Path(tempfile.mkdtemp(prefix="boardlake-ground-"))
    root.chmod(0o755)
    location = locate(str(root / "lake"))
    with open_lake(location, read_only=False, create=True) as lake:
        for statement in _FILL.split(";\n"):
            lake.con.execute(statement)
        for i in range(4):
            lake.con.execute("INSERT INTO hparams (run_id, name) VALUES (?, 'x')", [i])
        lake.con.execute("DELETE FROM hparams WHERE name = 'x'")
        lake.con.execute(
            "CALL ducklake_rewrite_data_files('lake', 'hparams', delete_threshold => 0)"
        )
        lake.con.execute("CALL ducklake_merge_adjacent_files('lake')")
    _secrets(root / "outside")
    live = next((location.data / "main" / "hparams").glob("*.parquet"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Ground(root, location, root / "outside", live, listener)
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def readers(ground: Ground) -> Iterator[Readers]:
    """The lake as the service has it open."""
    opened = Readers(open_lake(ground.location, threads=1))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def made(readers: Readers) -> Iterator[Callable[..., Sandbox]]:
    """Makes sandboxes of limits, and closes them in the end."""
    sandboxes: list[Sandbox] = []

    def make(**limits: object) -> Sandbox:
        sandboxes.append(Sandbox(readers, Limits(**limits)))  # type: ignore[arg-type]
        return sandboxes[-1]

    yield make
    for one in sandboxes:
        one.close()


@pytest.fixture(scope="module")
def sandbox(made: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox as it is by default."""
    return made()


@pytest.fixture(scope="session")
def attacks() -> list[str]:
    """Statements that must do no harm, with places to fill in."""
    text = (Path(__file__).parent / "attacks.sql").read_text("utf-8")
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="session")
def secret() -> bytes:
    """What stands in every file that is not to be read."""
    return SECRET.encode()


@pytest.fixture(scope="session")
def is_root() -> bool:
    """Whether workers can be another user."""
    return os.geteuid() == 0
