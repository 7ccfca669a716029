"""The layers below the judge: without it attacks run, and still change nothing and read no secret."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from boardlake.core.errors import BoardlakeError, UsageError
from boardlake.lake.database import open_lake
from boardlake.lake.sandbox.pool import Sandbox


@pytest.fixture(scope="module")
def unjudged(made: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox without its first layer."""
    return made(allow_list=False, seconds=2.0, grace_s=2.0)


def pids(sandbox: Sandbox) -> list[int]:
    """The processes of *sandbox*."""
    return [worker._process.pid for worker in sandbox._all]


def test_attacks_do_no_harm_without_the_judge(
    unjudged: Sandbox, ground: Any, attacks: list[str], secret: bytes
) -> None:
    """Files, catalog and lake stay as they are; no answer or error has a secret; no one is called."""
    assert len(attacks) >= 100
    before = ground.state()
    for attack in map(ground.said, attacks):
        try:
            told = unjudged.ask(attack).stream
        except BoardlakeError as error:
            told = str(error).encode()
        assert secret not in told and b"root:" not in told, attack
    assert ground.state() == before
    assert not ground.was_called()
    with open_lake(ground.location) as lake:
        assert lake.query("SELECT count(*) FROM hparams") == [(10,)]
    # What holds the settings still does.
    for setting in ("lock_configuration", "enable_external_access"):
        answer = unjudged.ask(f"SELECT current_setting('{setting}') AS v")
        value = pa.ipc.open_stream(answer.stream).read_all()["v"].to_pylist()
        assert value == [setting == "lock_configuration"]


def test_attacks_are_refused_and_do_no_harm_with_all_layers(
    sandbox: Sandbox, ground: Any, attacks: list[str]
) -> None:
    """Each with a message; the worker that refuses is the one that answers the next."""
    before = ground.state()
    sandbox.ask("SELECT 1")
    workers = pids(sandbox)
    for attack in map(ground.said, attacks):
        with pytest.raises(UsageError) as caught:
            sandbox.ask(attack)
        assert caught.value.message
    assert sandbox.ask("SELECT 1").rows == 1
    assert pids(sandbox) == workers
    assert ground.state() == before and not ground.was_called()


@pytest.mark.parametrize("private", [False, True])
def test_no_user_right_is_needed_to_keep_files(
    made: Callable[..., Sandbox], ground: Any, is_root: bool, private: bool
) -> None:
    """Also a worker with its owner's rights cannot write, where there is Landlock.

    Where another user cannot read the lake, workers keep their own, say so, and answer.
    """
    mode = stat.S_IMODE(ground.root.stat().st_mode)
    if private:
        ground.root.chmod(0o700)
    try:
        unjudged = made(allow_list=False)
        before = ground.state()
        assert unjudged.ask("SELECT * FROM hparams").rows == 10
        told = [one for one in unjudged.missing if "cannot read" in one and "as user 0" in one]
        assert bool(told) == (private and is_root)
        if any("Landlock" in one for one in unjudged.missing):
            pytest.skip("this system has no Landlock")
        for statement in (
            "COPY (SELECT 1) TO '{live}' (FORMAT parquet, USE_TMP_FILE false)",
            "SELECT * FROM ducklake_cleanup_old_files('lake', cleanup_all => true)",
            "SELECT * FROM ducklake_delete_orphaned_files('lake', cleanup_all => true)",
            "COPY (SELECT 1) TO '{data}new.csv'",
        ):
            try:
                unjudged.ask(ground.said(statement))
            except BoardlakeError:
                pass
            assert unjudged.ask("SELECT * FROM hparams").rows == 10
        assert ground.state() == before
        unjudged.close()
    finally:
        ground.root.chmod(mode)


def test_a_worker_has_nothing_to_begin_with(sandbox: Sandbox, is_root: bool) -> None:
    """No descriptor but the one it was given, no environment to speak of, limits, another user."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc")
    sandbox.ask("SELECT count(*) FROM scalars")
    (pid, *_) = pids(sandbox)
    if is_root:
        status = Path(f"/proc/{pid}/status").read_text()
        assert "\nUid:\t65534\t65534\t65534\t65534\n" in status
        assert "\nGroups:\t \n" in status or "\nGroups:\t\n" in status
        assert "\nNoNewPrivs:\t1\n" in status or sandbox.missing
    names = [os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir()] if is_root else []
    others = [one for one in names if not one.startswith(("socket:", "/dev/null"))]
    assert all("catalog-" in one or "/data/" in one or "(deleted)" in one for one in others), others
    assert len([one for one in names if one.startswith("socket:")]) <= 1
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if is_root else []
    assert not [one for one in environment if one.startswith((b"HOME=", b"PATH=", b"USER="))]
    limits = Path(f"/proc/{pid}/limits").read_text() if is_root else ""
    for name, value in (("Max address space", 3 << 30), ("Max file size", 0)):
        assert not limits or f"{name:<25} {value:<20}" in limits


def test_no_copy_of_the_catalog_stays_on_the_disk(sandbox: Sandbox) -> None:
    """It is taken from its folder as soon as it is open."""
    sandbox.ask("SELECT 1")
    assert sandbox._folder is not None
    assert not list(sandbox._folder.path.glob("catalog-*"))


def test_only_the_group_of_workers_may_look(sandbox: Sandbox) -> None:
    """Neither the folder nor what is in it is for others."""
    assert sandbox._folder is not None
    assert stat.S_IMODE(sandbox._folder.path.stat().st_mode) & 0o027 == 0


def test_landlock_leaves_reading_below_some_folders(ground: Any) -> None:
    """In a process of its own: files there can be read, nothing else, and nothing written."""
    command = [sys.executable, "-c", _LOCKED, str(ground.location.data), str(ground.live)]
    ended = subprocess.run(
        [*command, str(ground.outside)], capture_output=True, text=True, check=False
    )
    if ended.returncode == 77:
        pytest.skip("this system has no Landlock")
    assert (ended.returncode, ended.stdout) == (0, "all refused\n"), ended.stderr


_LOCKED = """
import os, sys, tempfile
from boardlake.lake.sandbox import confine

data, live, outside = sys.argv[1:]
if confine._landlock([data]):
    sys.exit(77)
with open(live, "rb") as file:
    assert file.read(4) == b"PAR1"
for action in (
    lambda: open(live, "r+b"),
    lambda: os.truncate(live, 0),
    lambda: os.unlink(live),
    lambda: os.rename(live, live + ".x"),
    lambda: open(data + "/new", "wb"),
    lambda: os.mkdir(data + "/new"),
    lambda: open(outside + "/secret.csv"),
    lambda: os.listdir(outside),
    lambda: open("/etc/passwd"),
    lambda: tempfile.NamedTemporaryFile(dir="/tmp"),
    lambda: os.execv("/bin/true", ["true"]),
):
    try:
        action()
    except (PermissionError, FileNotFoundError):
        continue
    sys.exit("was allowed")
print("all refused")
"""
