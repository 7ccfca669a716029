"""Trees over a real sshd: odd ones, odd roots, other shells and other makes of find."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from boardlake.ingest.memory import Memory
from boardlake.ingest.sources.local.source import LocalSource
from boardlake.tests.servers.sshd import Cluster, cluster

from .conftest import EVENTS, PATH, Open, failure, paths

pytest.importorskip("asyncssh", reason="pip install 'boardlake[ssh]'")


def odd_tree(tree: Path) -> None:
    """Links of every kind, names of any bytes, and what is passed over."""
    root = os.fsencode(tree)
    for name in (
        b"a",
        b"b/c",
        b"\xff\xfe",
        b"tab\there",
        b"line\nfeed",
        b'it\'s $(id) "`x`"',
        b"-P",
    ):
        os.makedirs(root + b"/" + name)
        Path(os.fsdecode(root + b"/" + name + b"/" + EVENTS.encode())).write_bytes(name)
        Path(os.fsdecode(root + b"/" + name + b"/hparams.yaml")).write_bytes(b"a: 1\n")
    (tree / "a" / (EVENTS + ".2")).write_bytes(b"two")
    for name in (".git", "a/node_modules/x"):
        (tree / name).mkdir(parents=True)
        (tree / name / EVENTS).write_bytes(b"never")
    outside = tree.with_name(f"{tree.name} outside")
    (outside / "run" / "deep").mkdir(parents=True)
    (outside / "run" / EVENTS).write_bytes(b"outside")
    (outside / "run" / "deep" / EVENTS).write_bytes(b"deeper")
    (outside / EVENTS).write_bytes(b"linked")
    (outside / "back").symlink_to(tree)
    (tree / "linked").symlink_to(outside)
    (tree / "a" / "up").symlink_to("..")
    (tree / "z").mkdir()
    (tree / "z" / EVENTS).symlink_to(outside / EVENTS)
    (tree / "z" / f"again.{EVENTS}").symlink_to(f"../b/c/{EVENTS}")
    (tree / "z" / f"broken.{EVENTS}").symlink_to("nowhere")
    (tree / "z" / f"loop.{EVENTS}").symlink_to(f"loop.{EVENTS}")
    os.link(tree / "a" / EVENTS, tree / "b" / f"hard.{EVENTS}")


def test_an_odd_tree_is_listed_as_a_local_one(shells: Cluster, opens: Open) -> None:
    """The same files with size, time to the nanosecond and inode, the same beside them, each once."""
    host = shells.fresh()
    odd_tree(host.tree)
    local = LocalSource(str(host.tree), exclude=(".git", "node_modules")).walk(Memory())
    source = opens(host.settings(), exclude=(".git", "node_modules"))
    listing = source.walk(Memory())
    assert listing.files == local.files
    assert listing.beside == local.beside
    assert sorted(p.path for p in listing.problems) == sorted(p.path for p in local.problems)
    assert len(listing.problems) == 2
    for entry in listing.files:
        assert len(source.read(entry.path, 0, 100)) == entry.size
        assert source.stat(entry.path) == entry


def test_an_odd_tree_by_sftp_alone(no_shells: Cluster, opens: Open) -> None:
    """The same files, but for hard links, which SFTP does not tell; times in seconds."""
    host = no_shells.fresh()
    odd_tree(host.tree)
    (host.tree / "b" / f"hard.{EVENTS}").unlink()
    local = LocalSource(str(host.tree), exclude=(".git", "node_modules")).walk(Memory())
    source = opens(host.settings(), exclude=(".git", "node_modules"))
    listing = source.walk(Memory())
    assert [(e.path, e.size, e.mtime_ns) for e in listing.files] == [
        (e.path, e.size, e.mtime_ns // 10**9 * 10**9) for e in local.files
    ]
    assert {d: len(found) for d, found in listing.beside.items()} == {
        d: len(found) for d, found in local.beside.items()
    }
    assert sorted(p.path for p in listing.problems) == sorted(p.path for p in local.problems)
    for entry in listing.files:
        assert len(source.read(entry.path, 0, 100)) == entry.size
        assert source.stat(entry.path) == entry


def test_links_are_not_followed_where_they_shall_not(machine: Cluster, opens: Open) -> None:
    """Linked directories are left out; linked files are files."""
    host = machine.fresh()
    odd_tree(host.tree)
    found = paths(opens(host.settings(), follow_symlinks=False).walk(Memory()))
    assert not [path for path in found if path.startswith(("linked/", "a/up/"))]
    assert f"z/{EVENTS}" in found


def test_a_single_file(machine: Cluster, opens: Open) -> None:
    """An event file may be the root; what lies beside it is seen."""
    host = machine.fresh()
    for name in (EVENTS, f"other.{EVENTS}", f"below/{EVENTS}", "hparams.yaml"):
        host.put(name, b"x")
    settings = host.settings()
    source = opens(settings, uri=f"{settings['uri']}/{EVENTS}")
    listing = source.walk(Memory())
    assert paths(listing) == [EVENTS]
    assert {e.path for e in listing.beside[""]} >= {"hparams.yaml"}
    assert source.read(EVENTS, 0, 10) == b"x"
    assert source.stat(EVENTS) == listing.files[0]


@pytest.mark.parametrize("name", ["a b", "$(touch x)", "it's", '"q"', "-L", "~", "*", "ü", "a\\0b"])
def test_odd_roots(machine: Cluster, opens: Open, name: str) -> None:
    """No name of a root is taken for anything else by a shell over there, at home and elsewhere."""
    host = machine.fresh()
    host.put(f"{name}/{PATH}", b"x")
    settings = host.settings()
    assert paths(opens(settings, uri=f"{settings['uri']}/{name}").walk(Memory())) == [PATH]
    uri = f"sftp://{host.alias}/~/{host.folder}/{name}"
    assert paths(opens(settings, uri=uri).walk(Memory())) == [PATH]
    assert os.listdir(host.tree) == [name]


def test_the_home_itself(machine: Cluster, opens: Open) -> None:
    """sftp://host is the user's home."""
    host = machine.fresh()
    host.put(PATH, b"x")
    source = opens(host.settings(), uri=f"sftp://{host.alias}", include=(f"{host.folder}/**",))
    assert paths(source.walk(Memory())) == [f"{host.folder}/{PATH}"]


def test_what_is_excluded_is_not_even_sent(shells: Cluster, opens: Open) -> None:
    """find does not enter directories that are excluded by name."""
    host = shells.fresh()
    host.put(PATH, b"x")
    for n in range(500):
        host.put(f"checkpoints/{n}/{EVENTS}", b"x")
    source = opens(host.settings(), exclude=("checkpoints", ".*"))
    assert paths(source.walk(Memory())) == [PATH]
    assert source.spent.bytes < 1000
    assert source.spent.lists == 1


def test_a_pattern_with_slashes_excludes_a_directory(machine: Cluster, opens: Open) -> None:
    """What find cannot leave out by name, is left out here, with all below it."""
    host = machine.fresh()
    host.put(PATH, b"x")
    host.put(f"old/tmp/deep/{EVENTS}", b"x")
    host.put(f"tmp/{EVENTS}", b"x")
    found = paths(opens(host.settings(), exclude=("old/tmp",)).walk(Memory()))
    assert found == [PATH, f"tmp/{EVENTS}"]


def test_shells_that_talk(shells: Cluster, opens: Open) -> None:
    """What start-up files write is not taken for a listing."""
    host = shells.fresh()
    host.put(PATH, b"x")
    noisy = host.home / ".bashrc"
    noisy.write_text("echo welcome; printf 'a\\0b\\0'; echo 'find: x: No' >&2; cd /; CDPATH=/\n")
    try:
        for settings in (host.settings(), host.at_home()):
            listing = opens(settings).walk(Memory())
            assert paths(listing) == [PATH]
            assert not listing.problems
            assert listing.files[0].version
    finally:
        noisy.unlink()


def test_a_find_of_another_make(tmp_path: Path, opens: Open) -> None:
    """busybox has no -printf: the host is listed by SFTP."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not installed: scripts/servers.sh")
    for tool in ("find", "sh", "ls", "date", "printf", "xargs", "pwd"):
        (tmp_path / tool).symlink_to(busybox)
    tmp_path.chmod(0o755)
    with cluster(each=f"PATH={tmp_path}") as machine:
        host = machine.fresh()
        host.put(PATH, b"x" * 10)
        source = opens(host.at_home())
        listing = source.walk(Memory())
        assert paths(listing) == [PATH]
        assert (listing.files[0].version, listing.problems) == ("", [])
        assert source.stat(PATH) == listing.files[0]
        assert source.read(PATH, 0, 5) == b"xxxxx"


def test_a_find_that_is_killed(tmp_path: Path, opens: Open) -> None:
    """Half a listing is none: what is missing in it would be taken for gone."""
    find = tmp_path / "find"
    find.write_text('#!/bin/bash\n/usr/bin/find "$@" | head -c 300\nkill -9 $$\n')
    find.chmod(0o755)
    tmp_path.chmod(0o755)
    with cluster(each=f"PATH={tmp_path}:/usr/bin:/bin") as machine:
        host = machine.fresh()
        for n in range(20):
            host.put(f"{n}/{EVENTS}", b"x")
        assert "the listing was broken off" in str(failure(opens(host.settings())))


def test_a_listing_without_end(
    shells: Cluster, opens: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, and the host is there for others."""
    host = shells.fresh()
    for n in range(50):
        host.put(f"{n}/{EVENTS}", b"x")
    source = opens(host.settings())
    monkeypatch.setattr("boardlake.ingest.sources.ssh.source._MAX_LISTING", 1000)
    error = failure(source)
    assert "the listing is longer than" in str(error) and "exclude" in error.hint
    monkeypatch.undo()
    assert len(source.walk(Memory()).files) == 50


def test_links_that_lead_to_each_other(machine: Cluster, opens: Open) -> None:
    """Each directory is looked into once, however many ways lead there."""
    host = machine.fresh()
    names = [f"d{n}" for n in range(8)]
    for name in names:
        host.put(f"{name}/{EVENTS}", name.encode())
        for other in names:
            (host.tree / name / f"to-{other}").symlink_to(f"../{other}")
    source = opens(host.settings())
    listing = source.walk(Memory())
    assert paths(listing) == [f"{name}/{EVENTS}" for name in names]
    assert source.spent.lists < 200


def test_directories_that_are_closed(opens: Open) -> None:
    """They are problems, and hide nothing else; a root that is closed is an error."""
    setpriv = shutil.which("setpriv")
    if os.getuid() != 0 or setpriv is None:
        pytest.skip("needs root, whose commands another user runs")
    as_nobody = f"{setpriv} --reuid=65534 --regid=65534 --clear-groups"
    extra = f'ForceCommand exec {as_nobody} sh -c "$SSH_ORIGINAL_COMMAND"\n'
    extra += f"Subsystem sftp {sftp_server()}\n"
    with cluster(extra=extra) as machine:
        host = machine.fresh()
        for run in ("open", "closed", "half"):
            host.put(f"{run}/{EVENTS}", b"x")
        (host.tree / "closed").chmod(0o700)
        (host.tree / "half").chmod(0o744)
        (host.tree / "open" / f"secret.{EVENTS}").write_bytes(b"x")
        (host.tree / "open" / f"secret.{EVENTS}").chmod(0o600)
        source = opens(host.settings())
        listing = source.walk(Memory())
        assert f"open/{EVENTS}" in paths(listing)
        assert f"closed/{EVENTS}" not in paths(listing)
        assert ("closed", "unreadable") in [(p.path, p.kind) for p in listing.problems]
        with pytest.raises(PermissionError):
            source.read(f"open/secret.{EVENTS}", 0, 10)
        host.tree.chmod(0o700)
        assert "permission denied" in str(failure(opens(host.settings())))


def sftp_server() -> str:
    """The program that serves files where sshd does not do it itself."""
    for path in ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server"):
        if os.path.exists(path):
            return path
    pytest.skip("sftp-server is not installed")


def test_a_quiet_host_is_left_alone(machine: Cluster, opens: Open) -> None:
    """What did not change for long is looked at rarely: the listing is remembered, nobody connects."""
    host = machine.fresh()
    odd_tree(host.tree)
    a_week_ago = time.time() - 7 * 86400
    outside = host.tree.with_name(f"{host.tree.name} outside")
    for path in (*host.tree.rglob("*"), *outside.rglob("*")):
        os.utime(path, (a_week_ago, a_week_ago), follow_symlinks=False)
    memory = Memory(rescan_s=1e9)
    first = opens(host.settings(), exclude=(".git",)).walk(memory)
    memory.full_at = memory.now
    source = opens(host.settings(), exclude=(".git",))
    memory.now += 3600
    again = source.walk(memory)
    assert (again.files, again.beside, again.problems) == (
        first.files,
        first.beside,
        first.problems,
    )
    assert (source.spent.lists, again.looked, first.looked) == (0, 0, len(first.files))
    assert again.remembered == set(paths(first)) and not first.remembered
    assert all(len(source.read(e.path, 0, 100)) == e.size for e in again.files)
    host.put(f"new/{EVENTS}", b"x")
    memory.now += 8 * 3600
    assert f"new/{EVENTS}" in paths(source.walk(memory))
    # What changed just now is looked at again at once.
    memory.now += 1
    before = source.spent.lists
    source.walk(memory)
    assert source.spent.lists > before
