"""What a later cycle must not do: bring back the deleted, revive the old, or merge the empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from boardlake.ingest.cycle import run
from boardlake.ingest.reader import Limits
from boardlake.ingest.report import Options
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import setups
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.delete import delete_runs
from boardlake.lake.location import locate


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """An empty lake."""
    with open_lake(locate(str(tmp_path / "lake")), read_only=False, create=True) as made:
        yield made


def log(directory: Path, points: int, start: float = 1_500_000_000.0) -> Path:
    """An event file of one tag, one point a second from *start*."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"events.out.tfevents.{int(start)}.host.1.0"
    with EventWriter(path) as writer:
        writer.file_version(wall_time=start)
        for step in range(points):
            writer.scalar("loss", 1.0 / (step + 1), step, start + step)
    return path


def test_a_deleted_run_stays_deleted(lake: Lake, tmp_path: Path) -> None:
    """Its files still lie in the source, and are not read again; a new file there is a new run."""
    logs = tmp_path / "logs"
    log(logs / "a", 5)
    log(logs / "b", 5)
    (logs / "b" / "hparams.yaml").write_text("lr: 0.1\n")
    run(lake, setups({}, (str(logs),)), Options())
    ((run_id,),) = lake.query("SELECT run_id FROM runs WHERE name = 'b'")
    delete_runs(lake, [run_id])
    (report,) = run(lake, setups({}, (str(logs),)), Options())
    assert (report.files_changed, report.bytes_read) == (0, 0)
    assert lake.query("SELECT name FROM runs") == [("a",)]
    assert not lake.query("SELECT * FROM directories WHERE path = 'b'")
    log(logs / "b", 3, start=1_500_001_000.0)
    run(lake, setups({}, (str(logs),)), Options())
    assert lake.query("SELECT name, points FROM runs ORDER BY name") == [("a", 5), ("b", 3)]


def test_an_old_file_is_no_running_run(lake: Lake, tmp_path: Path) -> None:
    """However many pieces and commits its first reading takes."""
    path = log(tmp_path / "logs" / "old", 5_000)
    size = path.stat().st_size
    options = Options(batch_points=1_000, limits=Limits(piece=size // 20))
    run(lake, setups({}, (str(tmp_path / "logs"),)), options)
    assert lake.query("SELECT state, points FROM runs") == [("finished", 5_000)]


def test_growth_is_seen_by_our_own_clock(lake: Lake, tmp_path: Path) -> None:
    """A file that grows is running, whatever the writer's clock says."""
    logs = tmp_path / "logs"
    path = log(logs / "live", 5)
    run(lake, setups({}, (str(logs),)), Options())
    assert lake.query("SELECT state FROM runs") == [("finished",)]
    with EventWriter(path, append=True) as writer:
        writer.scalar("loss", 0.1, 5, 1_500_000_005.0)
    run(lake, setups({}, (str(logs),)), Options())
    assert lake.query("SELECT state FROM runs") == [("running",)]


def test_files_with_only_a_header_are_no_copies(lake: Lake, tmp_path: Path) -> None:
    """Nothing in them tells whether they are the same."""
    logs = tmp_path / "logs"
    log(logs / "a", 0)
    log(logs / "b", 0)
    run(lake, setups({}, (str(logs),)), Options())
    assert lake.query("SELECT name, duplicate_of FROM runs ORDER BY name") == [
        ("a", None),
        ("b", None),
    ]
