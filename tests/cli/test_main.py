"""The command line as a whole: exit codes, where results and talk go, and the first five minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from boardlake.cli import main as entry
from boardlake.ingest.sample.writer import EventWriter


def call(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run boardlake in a process of its own, without any config of the user's."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("BOARDLAKE_")}
    return subprocess.run(
        [sys.executable, "-m", "boardlake", *arguments],
        cwd=cwd,
        env=env | {"HOME": str(cwd)} | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Two runs of one tag each."""
    for name in ("a", "b"):
        folder = tmp_path / "logs" / name
        folder.mkdir(parents=True)
        with EventWriter(folder / "events.out.tfevents.1700000000.host.1.0") as writer:
            writer.file_version(1.7e9)
            for step in range(10):
                writer.scalar("loss", 1 / (step + 1), step, 1.7e9 + step)
    return tmp_path / "logs"


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """`--help` is quick because it loads no command: neither DuckDB nor NumPy nor protobuf."""
    code = (
        "import sys; from boardlake.cli.main import main; main(['--help']);"
        "print([n for n in ('duckdb', 'numpy', 'pyarrow', 'tensorboard') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    for name in entry._COMMANDS:
        assert f"\n  {name} " in done.stdout


def test_up_makes_a_lake_and_says_what_is_next(logs: Path, tmp_path: Path) -> None:
    """One command from logs to an answer in SQL."""
    done = call("--lake", "lake", "up", "--no-serve", str(logs), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 runs with 20 points" in done.stderr and "boardlake runs" in done.stderr
    asked = call(
        "--lake",
        "lake",
        "sql",
        "SELECT count(*) AS n FROM scalars",
        "--format",
        "json",
        cwd=tmp_path,
    )
    assert json.loads(asked.stdout) == [{"n": 20}]


def test_ingest_in_cron_says_nothing(logs: Path, tmp_path: Path) -> None:
    """Neither on stdout nor on stderr, since cron would send it by mail."""
    done = call("ingest", str(logs), cwd=tmp_path, BOARDLAKE_LAKE="lake")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "lake" / "catalog.sqlite").exists()


def test_ingest_json_is_a_summary(logs: Path, tmp_path: Path) -> None:
    """One object with a row for each source; a second cycle reads nothing."""
    for points in (20, 0):
        done = call("--lake", "lake", "ingest", "--json", str(logs), cwd=tmp_path)
        (report,) = json.loads(done.stdout)["sources"]
        assert (report["points"], report["files_listed"], report["error"]) == (points, 2, "")
        assert (report["bytes_read"] > 0) == (points > 0)


def test_dry_run_reads_nothing(logs: Path, tmp_path: Path) -> None:
    """It lists files and bytes, and makes no lake."""
    done = call("--lake", "lake", "ingest", "--dry-run", str(logs), cwd=tmp_path)
    size = sum(path.stat().st_size for path in logs.rglob("*tfevents*"))
    assert done.returncode == 0
    assert f"{size:,} bytes of 2 files" in done.stderr
    assert done.stdout.count("tfevents") == 2
    assert not (tmp_path / "lake").exists()


def test_one_missing_source_does_not_stop_the_others(logs: Path, tmp_path: Path) -> None:
    """What was reachable is in the lake, the rest is named, and the exit code says so."""
    (tmp_path / "boardlake.toml").write_text(
        f'lake.path = "lake"\n[sources.gone]\nuri = "{tmp_path}/nowhere"\n[sources.here]\nuri = "{logs}"\n'
    )
    done = call("ingest", cwd=tmp_path)
    assert done.returncode == 6
    assert "gone" in done.stderr and "nowhere" in done.stderr
    asked = call("sql", "SELECT kind, message FROM problems", "--format", "json", cwd=tmp_path)
    (problem,) = json.loads(asked.stdout)
    assert problem["kind"] == "source" and "nowhere" in problem["message"]
    assert "hint: check that the directory exists" in problem["message"]
    planned = call("ingest", "--dry-run", cwd=tmp_path)
    assert planned.returncode == 6 and "nowhere" in planned.stderr
    assert "would read 0 bytes of 0 files" in planned.stderr
    assert json.loads(call("runs", "--json", cwd=tmp_path).stdout)[0]["points"] == 10


def test_a_path_that_never_was_is_no_source_for_later(logs: Path, tmp_path: Path) -> None:
    """A slip of the hand is told once; what could be read goes on without a config file."""
    lake = ["--lake", str(tmp_path / "lake")]
    assert call(*lake, "ingest", str(tmp_path / "lgos"), cwd=tmp_path).returncode == 6
    assert call(*lake, "ingest", str(logs), cwd=tmp_path).returncode == 0
    again = call(*lake, "ingest", "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    (source,) = json.loads(again.stdout)["sources"]
    assert source["files_listed"] > 0 and not source["error"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["igest"], 2, "Did you mean 'ingest'"),
        (["runs"], 4, "no lake"),
        (["ingest"], 2, "nothing to scan"),
        (["--config", "nowhere.toml", "runs"], 3, "nowhere.toml"),
        (["--lake", "s3://bucket/lake", "runs"], 3, "s3://"),
    ],
)
def test_wrong_use_is_named(arguments: list[str], code: int, says: str, tmp_path: Path) -> None:
    """Each class of error has its exit code, says what to do, and shows no traceback."""
    done = call(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr and not done.stdout


def test_check_tells_what_is_wrong(logs: Path, tmp_path: Path) -> None:
    """A healthy house exits 0; a source that is gone is a problem with a hint."""
    (tmp_path / "boardlake.toml").write_text(f'lake.path = "lake"\n[sources.s]\nuri = "{logs}"\n')
    assert call("ingest", cwd=tmp_path).returncode == 0
    fine = call("check", "--json", cwd=tmp_path)
    assert fine.returncode == 0, fine.stdout
    assert all(finding["ok"] for finding in json.loads(fine.stdout))
    (logs.parent / "boardlake.toml").write_text(
        f'lake.path = "lake"\n[sources.s]\nuri = "{logs}/gone"\n'
    )
    broken = call("check", cwd=tmp_path)
    assert broken.returncode == 1
    assert "PROBLEM  source s" in broken.stdout and "does not exist" in broken.stdout


def test_check_prints_the_example_config(tmp_path: Path) -> None:
    """What it prints is the file that is shipped."""
    shipped = Path(entry.__file__).parent.parent / "config.example.toml"
    assert call("check", "--example", cwd=tmp_path).stdout == shipped.read_text("utf-8")


def test_demo_writes_and_ingests_samples(tmp_path: Path) -> None:
    """Sample logs of three machines are found by every command that runs in the demo's folder."""
    done = call("demo", "d", "--scale", "0.02", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = call("runs", "--json", "--columns", "machine, name, hp.lr", cwd=tmp_path / "d")
    runs = json.loads(listed.stdout)
    assert {run["machine"] for run in runs} == {"cloud", "lab-cluster", "laptop"}
    again = call("demo", "d", cwd=tmp_path)
    assert again.returncode == 2 and "not empty" in again.stderr


def test_version_names_what_it_stands_on(tmp_path: Path) -> None:
    """As text and as JSON."""
    found = json.loads(call("version", "--json", cwd=tmp_path).stdout)
    assert {"boardlake", "python", "duckdb", "tensorboard"} <= set(found)


def test_migrate_has_nothing_to_do(logs: Path, tmp_path: Path) -> None:
    """On a lake of this version it says so."""
    call("--lake", "lake", "ingest", str(logs), cwd=tmp_path)
    done = call("--lake", "lake", "migrate", cwd=tmp_path)
    assert done.returncode == 0 and "nothing to do" in done.stderr


def test_ingest_without_config_goes_on_with_what_up_began(logs: Path, tmp_path: Path) -> None:
    """The lake knows its sources, so that the command that `up` recommends works."""
    assert call("--lake", "lake", "up", "--no-serve", str(logs), cwd=tmp_path).returncode == 0
    done = call("--lake", "lake", "ingest", "--json", cwd=tmp_path)
    (report,) = json.loads(done.stdout)["sources"]
    assert (done.returncode, report["files_listed"], report["bytes_read"]) == (0, 2, 0)
    listed = call("--lake", "lake", "runs", "--json", cwd=tmp_path)
    assert {run["project"] for run in json.loads(listed.stdout)} == {"logs"}


def test_up_says_when_there_is_nothing(tmp_path: Path) -> None:
    """An empty directory is told, and no next step is offered."""
    (tmp_path / "empty").mkdir()
    done = call("--lake", "lake", "up", "--no-serve", "empty", cwd=tmp_path)
    assert done.returncode == 0
    assert "no event files" in done.stderr and "Next" not in done.stderr


def test_a_source_that_is_back_is_no_problem_any_more(logs: Path, tmp_path: Path) -> None:
    """An outage leaves nothing behind once it is over."""
    (tmp_path / "boardlake.toml").write_text(
        f'lake.path = "lake"\n[sources.lab]\nuri = "{tmp_path}/away"\n'
    )
    assert call("ingest", cwd=tmp_path).returncode == 6
    assert call("check", cwd=tmp_path).returncode == 1
    logs.rename(tmp_path / "away")
    assert call("ingest", cwd=tmp_path).returncode == 0
    assert call("check", cwd=tmp_path).returncode == 0


def test_a_lake_that_cannot_be_made_is_an_error_with_its_place(logs: Path, tmp_path: Path) -> None:
    """Not a traceback."""
    (tmp_path / "file").write_text("")
    done = call("--lake", "file/lake", "ingest", str(logs), cwd=tmp_path)
    assert done.returncode == 4 and "file/lake" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_forgotten_prefix_and_an_unknown_suffix_are_told(logs: Path, tmp_path: Path) -> None:
    """`lr` instead of `hp.lr`, and a format that there is not."""
    (logs / "a" / "hparams.yaml").write_text("lr: 0.1\n")
    call("--lake", "lake", "ingest", str(logs), cwd=tmp_path)
    done = call("--lake", "lake", "runs", "lr > 0.01", cwd=tmp_path)
    assert done.returncode == 2 and "hp.lr" in done.stderr
    done = call("--lake", "lake", "runs", "--output", "r.xlsx", cwd=tmp_path)
    assert done.returncode == 2 and ".xlsx" in done.stderr
    assert not (tmp_path / "r.xlsx").exists()
