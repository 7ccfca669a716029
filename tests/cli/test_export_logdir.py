"""`boardlake export --tensorboard`: whole or not at all, nowhere but in its directory, both orders of words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boardlake.cli.main import main
from boardlake.core.errors import SpaceError, UsageError
from boardlake.ingest.sample.writer import EventWriter
from boardlake.lake.database import Lake, open_lake
from boardlake.lake.location import locate
from boardlake.lake.logdir.export import export

NAME = "events.out.tfevents.1700000000.host.7.0"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of two sources, each with runs of one name."""
    root = tmp_path_factory.mktemp("two")
    for source in ("first", "second"):
        for run in ("a", "b"):
            with EventWriter(root / source / run / NAME) as writer:
                writer.file_version(1.7e9)
                for step in range(100):
                    writer.scalar(f"{source}/{run}", step, step, 1.7e9 + step)
    config = root / "boardlake.toml"
    sources = "".join(f'[sources.{one}]\nuri = "{root / one}"\n' for one in ("first", "second"))
    config.write_text(f'[lake]\npath = "{root / "lake"}"\n{sources}')
    assert main(["--config", str(config), "ingest"]) == 0
    return root / "lake"


@pytest.fixture
def lake(two: Path) -> Iterator[Lake]:
    """It, open to read."""
    with open_lake(locate(str(two)), read_only=True) as opened:
        yield opened


def files(folder: Path) -> list[str]:
    """Paths of all files below a folder."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("last", [True, False])
def test_the_filter_may_stand_before_or_behind(
    two: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], last: bool
) -> None:
    """What is exported is what the filter finds; a single source lies in the directory itself."""
    words = ["--tensorboard", str(tmp_path / "out"), "source = 'first' AND name = 'b'"]
    words = words if last else [words[2], *words[:2]]
    assert main(["--lake", str(two), "export", *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["files"], told["points"]) == (1, 1, 100)
    assert (told["form"], told["folders"], told["left_out"]) == ("tensorboard", {"first": ""}, {})
    assert files(tmp_path / "out") == ["b/boardlake.json", f"b/{NAME}", "manifest.json"]
    written = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert told["bytes"] == written
    assert told["seconds"] > 0


def test_each_of_several_sources_has_a_folder(
    two: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs of one path of two sources are kept apart, and each folder is a source that gives them again."""
    assert main(["--lake", str(two), "export", "--tensorboard", str(tmp_path / "out")]) == 0
    assert "4 runs, 4 event files, 400 points" in capsys.readouterr().err
    assert files(tmp_path / "out") == sorted(
        ["manifest.json"]
        + [
            f"{s}/{r}/{n}"
            for s in ("first", "second")
            for r in "ab"
            for n in (NAME, "boardlake.json")
        ]
    )
    again = tmp_path / "again"
    config = tmp_path / "boardlake.toml"
    config.write_text(
        f'[lake]\npath = "{again}"\n[sources.second]\nuri = "{tmp_path}/out/second"\n'
    )
    assert main(["--config", str(config), "ingest"]) == 0
    keys = "SELECT run_key FROM runs WHERE source = 'second' ORDER BY run_key"
    found = []
    for path in (two, again):
        with open_lake(locate(str(path)), read_only=True) as opened:
            found.append(opened.query(keys))
    assert found[0] == found[1]
    assert len(found[0]) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tensorboard", "out", "--format", "csv"], "--format csv tables"),
        (["out", "name = 'a'", "--tensorboard", "out"], "one too many"),
        (["--tensorboard", "out", "name = 'nobody'"], "no run matches"),
        (["--tensorboard", "missing/out"], "there is no directory"),
        ([], "no TARGET is named"),
    ],
)
def test_what_makes_no_sense_is_said(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], message: str,
) -> None:  # fmt: skip
    """With what to do, exit code 2, and nothing written."""
    monkeypatch.chdir(tmp_path)
    assert main(["--lake", str(two), "export", *words]) == 2
    assert message in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_only_an_earlier_export_is_replaced(lake: Lake, tmp_path: Path) -> None:
    """And only with force; another's directory is never touched."""
    target = tmp_path / "out"
    export(lake, target)
    with pytest.raises(UsageError, match="exists"):
        export(lake, target)
    runs = [run_id for (run_id,) in lake.query("SELECT run_id FROM runs WHERE name = 'a'")]
    assert export(lake, target, runs=runs, force=True).points == 200
    assert not (target / "first/b").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years")
    with pytest.raises(UsageError, match="not an export"):
        export(lake, mine, force=True)
    with pytest.raises(UsageError, match="lies in the lake"):
        export(lake, lake.location.data / "out")
    assert sorted(os.listdir(tmp_path)) == ["mine", "out"]


def test_an_export_that_is_stopped_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    """No directory, no half file; the earlier export stays, and the lake can go on."""
    export(lake, tmp_path / "out")
    before = files(tmp_path)

    def stop(name: str, number: int, of: int) -> None:
        raise KeyboardInterrupt

    for target, force in ((tmp_path / "out", True), (tmp_path / "other", False)):
        with pytest.raises(KeyboardInterrupt):
            export(lake, target, force=force, progress=stop)
    assert files(tmp_path) == before
    assert export(lake, tmp_path / "out", force=True).points == 400


def test_a_full_disk_is_said(lake: Lake, tmp_path: Path) -> None:
    """A small disk of its own: the error says it, and nothing is left there."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a disk can be mounted by root only")
    try:
        with pytest.raises(SpaceError, match="disk is full"):
            export(lake, disk / "out")
        assert os.listdir(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_rows_of_no_record_are_told(two: Path, tmp_path: Path) -> None:
    """A lake that another program wrote to: what has no place in a file is left out, and counted."""
    shutil.copytree(two, tmp_path / "lake")
    with open_lake(locate(str(tmp_path / "lake")), read_only=False) as lake:
        with lake.transaction() as con:
            con.execute(
                "INSERT INTO scalar_points BY NAME SELECT * REPLACE (CASE WHEN step = 1 THEN NULL"
                " ELSE record + 1000000 END AS record) FROM scalar_points WHERE step < 2"
            )
        told = export(lake, tmp_path / "out")
    assert told.points == 400
    assert list(told.left_out.values()) == [8]


def test_hostile_paths_stay_inside(two: Path, tmp_path: Path) -> None:
    """Whatever paths and names a lake holds, all files lie in the directory, and none is lost."""
    shutil.copytree(two, tmp_path / "lake")
    evil = [f"../../../up/{NAME}", f"/etc/{NAME}", f"a/\0/{'n' * 400}{NAME}", "a"]
    with open_lake(locate(str(tmp_path / "lake")), read_only=False) as lake:
        with lake.transaction() as con:
            rows: list[tuple[Any, ...]] = con.execute(
                "SELECT file_id, run_id FROM files ORDER BY file_id"
            ).fetchall()
            for (file_id, run_id), path in zip(rows, evil, strict=True):
                con.execute("UPDATE files SET path = ? WHERE file_id = ?", [path, file_id])
                above = path.rpartition("/")[0] or "."
                con.execute("UPDATE run_facts SET path = ? WHERE run_id = ?", [above, run_id])
            con.execute("UPDATE run_facts SET source = '../..' WHERE source = 'first'")
            con.execute("UPDATE files SET source = '../..' WHERE source = 'first'")
        inside = tmp_path / "in/side"
        inside.mkdir(parents=True)
        before = files(tmp_path)
        told = export(lake, inside / "out")
    assert told.points == 400
    new = sorted(set(files(tmp_path)) - set(before))
    assert [path for path in new if not path.startswith(("in/side/out/", "lake/"))] == []
    found = files(inside / "out")
    assert len(found) == 4 + 4 + 1
    assert len([path for path in found if not path.endswith(".json")]) == 4
