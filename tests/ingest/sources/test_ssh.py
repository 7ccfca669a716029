"""Hosts over a real sshd: odd trees, other shells, keys, jumps, and hosts that do not answer."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.errors import SourceError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.memory import Memory
from boardlake.ingest.setup import open_source
from boardlake.ingest.sources.base import Listing, Source
from boardlake.ingest.sources.local.source import LocalSource
from boardlake.tests.servers import sshd
from boardlake.tests.servers.sshd import Cluster, Host, cluster

pytest.importorskip("asyncssh", reason="pip install 'boardlake[ssh]'")

EVENTS = "events.out.tfevents.1700000000.host"
PATH = f"run/{EVENTS}"
Open = Callable[..., Source]


@pytest.fixture(params=["shell", "sftp"])
def machine(request: pytest.FixtureRequest) -> Cluster:
    """A machine with a shell, and one without, in turn."""
    found: Cluster = request.getfixturevalue("shells" if request.param == "shell" else "no_shells")
    return found


@pytest.fixture
def opens() -> Iterator[Open]:
    """Opens sources by settings, and closes them."""
    sources: list[Source] = []

    def open_it(settings: dict[str, object], **more: Any) -> Source:
        sources.append(open_source(SourceSettings(**{**settings, **more})))
        return sources[-1]

    yield open_it
    for source in sources:
        source.close()


def paths(listing: Listing) -> list[str]:
    """The files of a listing."""
    return [entry.path for entry in listing.files]


def failure(source: Source) -> SourceError:
    """How a walk fails."""
    with pytest.raises(SourceError) as caught:
        source.walk(Memory())
    assert caught.value.hint
    return caught.value


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


def test_a_connection_that_breaks_is_made_again(machine: Cluster, opens: Open) -> None:
    """Once for a read; files go on where they were."""
    host = machine.fresh()
    host.put(PATH, b"0123456789")
    source = opens(host.settings())
    source.walk(Memory())
    assert source.read(PATH, 0, 4) == b"0123"
    for _ in range(3):
        machine.drop()
        assert source.read(PATH, 4, 4) == b"4567"
    machine.drop()
    assert source.stat(PATH)
    machine.drop()
    assert paths(source.walk(Memory())) == [PATH]


def test_a_host_that_goes_away(opens: Open) -> None:
    """The file says so, and the next ones at once: many files do not wait one after the other."""
    with cluster() as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        source = opens(host.settings(), timeout=2)
        source.walk(Memory())
        machine.process.send_signal(signal.SIGSTOP)
        machine.drop()
        machine.process.kill()
        machine.process.wait()
        for _ in range(50):
            with pytest.raises(OSError, match="node01"):
                source.read(PATH, 0, 1)
        assert "connection refused" in str(failure(source))


def test_a_host_that_falls_silent(opens: Open) -> None:
    """Reading gives up after the time-out, and after a few of them the host counts as away."""
    with cluster() as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        source = opens(host.settings(), timeout=0.5)
        source.walk(Memory())
        children = sshd._children(machine.process.pid)
        for child in (machine.process.pid, *children):
            os.kill(child, signal.SIGSTOP)
        try:
            said = set()
            for _ in range(20):
                with pytest.raises(OSError) as caught:
                    source.read(PATH, 0, 1)
                said.add(str(caught.value))
            assert any("node01: no" in text for text in said), said
        finally:
            for child in (*children, machine.process.pid):
                os.kill(child, signal.SIGCONT)


def alias(folder: Path, *lines: str) -> dict[str, object]:
    """Settings of a host that is no sshd of ours."""
    (folder / "ssh_config").write_text("\n".join(["Host gone", "  HostName 127.0.0.1", *lines]))
    return {"uri": "sftp://gone/x", "ssh_config": str(folder / "ssh_config"), "timeout": 1}


def test_hosts_that_do_not_answer(opens: Open, tmp_path: Path) -> None:
    """Refused, silent, hung up, speaking another protocol, no such name: each told, none waits long."""
    (port,) = sshd.free_ports(1)
    source = opens(alias(tmp_path, f"  Port {port}"))
    assert "sftp://gone/x: connection refused" in str(failure(source))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        source = opens(alias(tmp_path, f"  Port {port}"))
        assert "no answer within 1 s" in str(failure(source))
        with pytest.raises(OSError, match="gone: no answer"):
            source.read("x", 0, 1)
    with subprocess.Popen(
        [sys.executable, "-c", HANGS_UP], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        for said in ("the connection was closed", "no agreement"):
            port = int(other.stdout.readline())
            source = opens(alias(tmp_path, f"  Port {port}"))
            assert f"sftp://gone/x: {said}" in str(failure(source))
        other.kill()
    source = opens(alias(tmp_path, "  HostName no-such-name.invalid"), uri="sftp://no.invalid/x")
    assert "no.invalid/x: there is no host of this name" in str(failure(source))


HANGS_UP = """
import socket, threading
def serve(server, words):
    while True:
        peer, _ = server.accept()
        peer.sendall(words)
        peer.close()
for words in (b"", b"HTTP/1.0 400 Bad Request\\r\\n\\r\\n" * 1000):
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    threading.Thread(target=serve, args=(server, words)).start()
"""


def test_no_such_place(machine: Cluster, opens: Open) -> None:
    """A path that is not there, or below a file."""
    host = machine.fresh()
    host.put("file", b"x")
    settings = host.settings()
    for path in ("missing", "missing/deep", "file/x"):
        uri = f"{settings['uri']}/{path}"
        assert f"{uri}: there is no such directory" in str(failure(opens(settings, uri=uri)))


def test_no_files_service(opens: Open) -> None:
    """Where sshd offers no SFTP, the files say so."""
    with cluster(extra="Subsystem sftp /nonexistent") as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        source = opens(host.settings())
        assert paths(source.walk(Memory())) == [PATH]
        with pytest.raises(OSError, match="node01: it offers no SFTP"):
            source.read(PATH, 0, 1)


def test_keys_that_are_not_taken(opens: Open) -> None:
    """No password is asked for; a key with a passphrase is passed over."""
    with cluster() as machine:
        host = machine.fresh()
        (machine.folder / "authorized_keys").write_text("")
        error = failure(opens(host.settings()))
        assert "permission denied" in str(error) and "ssh-agent" in error.hint
        key = machine.folder / "user_key"
        secret = "correct horse battery staple"
        command = ["ssh-keygen", "-q", "-p", "-N", secret, "-f", str(key)]
        subprocess.run(command, check=True, capture_output=True)
        shutil.copy(machine.folder / "user_key.pub", machine.folder / "authorized_keys")
        error = failure(opens(host.settings()))
        assert "permission denied" in str(error)
        assert secret not in repr(error)


def test_the_agent_is_asked(opens: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that only ssh-agent has opens the host."""
    if shutil.which("ssh-agent") is None:
        pytest.skip("no ssh-agent: apt-get install openssh-client")
    with cluster() as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        text = machine.ssh_config.read_text()
        machine.ssh_config.write_text(text.replace("IdentitiesOnly yes", "IdentitiesOnly no"))
        place = str(machine.folder / "agent")
        with subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.PIPE) as agent:
            try:
                while not os.path.exists(place):
                    time.sleep(0.01)
                monkeypatch.setenv("SSH_AUTH_SOCK", place)
                key = machine.folder / "user_key"
                subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)
                key.unlink()
                assert paths(opens(host.settings()).walk(Memory())) == [PATH]
            finally:
                agent.terminate()


def test_host_keys_are_checked(opens: Open) -> None:
    """A key that is not known, or another one, is refused, with what to do; the key is shown."""
    with cluster() as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        known = machine.folder / "known_hosts"
        right = known.read_text()
        fingerprint = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(machine.folder / "host_key.pub")],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()[1]
        for nothing in ("", "# nothing\n", "other ssh-ed25519 AAAA\nnonsense\n"):
            known.write_text(nothing)
            error = failure(opens(host.settings()))
            assert "host key" in str(error) and "is not known" in str(error)
            assert fingerprint in str(error) and f"`ssh {host.alias}` once" in error.hint
        public = (machine.folder / "user_key.pub").read_text().split()
        known.write_text(f"cluster {public[0]} {public[1]}\n")
        error = failure(opens(host.settings()))
        assert "is not the one in known_hosts" in str(error)
        assert f"ssh-keygen -R {host.alias}" in error.hint
        known.write_text(f"nonsense\n@odd x y\n{right}")
        assert not opens(host.settings()).walk(Memory()).problems
        for line in ("UserKnownHostsFile none", "UserKnownHostsFile /dev/null"):
            rest = machine.ssh_config.read_text()
            other = machine.folder / "other_config"
            other.write_text(f"Host *\n{line}\n{rest}")
            error = failure(opens(host.settings(), ssh_config=str(other)))
            assert "is not known" in str(error)


def test_a_key_is_taken_unchecked_where_the_user_says_so(opens: Open) -> None:
    """StrictHostKeyChecking no lets us in, and stands among the problems; another key never does."""
    client = "Host *\n  StrictHostKeyChecking no\n"
    with cluster(client=client) as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        assert not opens(host.settings()).walk(Memory()).problems
    with cluster(client=client) as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        (machine.folder / "known_hosts").write_text("")
        listing = opens(host.settings()).walk(Memory())
        assert paths(listing) == [PATH]
        (problem,) = listing.problems
        assert "StrictHostKeyChecking no" in problem.message
    with cluster(client=client) as machine:
        public = (machine.folder / "user_key.pub").read_text().split()
        (machine.folder / "known_hosts").write_text(f"cluster {public[0]} {public[1]}\n")
        error = failure(opens(machine.fresh().settings()))
        assert "is not the one in known_hosts" in str(error)


def test_configurations(opens: Open) -> None:
    """What stands in other people's configurations does no harm, and what is wrong is told."""
    client = "Host *\n  RemoteCommand tmux attach\n  RequestTTY force\n  SendEnv LANG LC_*\n"
    client += "  ForwardAgent yes\n  ForwardX11 yes\n  ControlMaster auto\n  LogLevel QUIET\n"
    with cluster(client=client) as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        source = opens(host.settings())
        assert paths(source.walk(Memory())) == [PATH]
        assert source.read(PATH, 0, 1) == b"x"
        other = machine.folder / "included"
        other.write_text(f"Include {machine.ssh_config}\n")
        settings = host.settings() | {"ssh_config": str(other)}
        assert paths(opens(settings).walk(Memory())) == [PATH]
        for wrong, said in (
            ("Port many\n", "Port"),
            ("Include itself\n", "itself"),
            ("Match nonsense\n", "nonsense"),
        ):
            itself = machine.folder / "itself"
            itself.write_text(wrong.replace("itself", str(itself)))
            error = failure(opens(settings | {"ssh_config": str(itself)}))
            assert said in str(error)
        error = failure(opens(settings | {"ssh_config": str(machine.folder / "none")}))
        assert "none" in str(error)


def test_user_and_port_of_the_uri(machine: Cluster, opens: Open) -> None:
    """They go before those of the configuration."""
    host = machine.fresh()
    host.put(PATH, b"x")
    text = host.ssh_config.read_text()
    user = text.split("User ")[1].split()[0]
    other = machine.folder / "elsewhere"
    other.write_text(f"Host other\n  Port 1\n  User nobody\n{text}")
    uri = f"ssh://{user}@other:{host.port}{host.tree}"
    assert paths(opens(host.settings(), uri=uri, ssh_config=str(other)).walk(Memory())) == [PATH]


def test_hosts_behind_a_jump_host(opens: Open) -> None:
    """All go through one connection to it; where it is away, each says so."""
    names = ["bastion", *(f"node{n:02}" for n in range(1, 6))]
    with cluster(names) as machine:
        hosts = machine.hosts[1:]
        sources = []
        for host in hosts:
            host.put(PATH, host.alias.encode())
            uri = f"sftp://{host.alias}-jump/~/runs"
            sources.append(opens(host.settings(), uri=uri))
        for host, source in zip(hosts, sources, strict=True):
            (entry,) = source.walk(Memory()).files
            assert source.read(PATH, 0, 100, entry.version) == host.alias.encode()
        assert machine.log.count("Accepted publickey") == len(names)
        text = machine.ssh_config.read_text()
        (port,) = sshd.free_ports(1)
        machine.ssh_config.write_text(
            text.replace(f"Port {machine.hosts[0].port}\n", f"Port {port}\n", 1)
        )
        machine.drop()
        uri = "sftp://node01-jump/~/runs"
        error = failure(opens(hosts[0].settings(), uri=uri))
        assert f"{uri}: its jump host cannot be reached: bastion: connection refused" in str(error)


def test_a_host_with_many_guests(opens: Open) -> None:
    """sshd drops logins while there are too many: they are tried again."""
    with cluster(extra="MaxStartups 1") as machine, ThreadPoolExecutor(1) as pool:
        host = machine.fresh()
        host.put(PATH, b"x")
        guest = socket.create_connection(("127.0.0.1", host.port))
        while guest.recv(4) != b"SSH-":
            guest.close()
            guest = socket.create_connection(("127.0.0.1", host.port))
        with guest:
            source = opens(host.settings(), timeout=30)
            asked = pool.submit(lambda: paths(source.walk(Memory())))
            with pytest.raises(TimeoutError):
                asked.result(0.3)
        assert asked.result() == [PATH]
        assert "MaxStartups throttling" in machine.log


def test_a_jump_host_that_is_its_own(opens: Open) -> None:
    """`Host *` with a ProxyJump holds for the jump host as well, and is no loop."""
    with cluster(["bastion", "node01"], client="Host *\n  ProxyJump bastion\n") as machine:
        for host in machine.hosts:
            host.put(PATH, b"x")
            assert paths(opens(host.at_home()).walk(Memory())) == [PATH]


def test_one_connection_for_all_sources_of_a_host(shells: Cluster, opens: Open) -> None:
    """Two roots of one host are read over one connection, which outlives the first of them."""
    hosts: list[Host] = [shells.fresh(), shells.fresh()]
    for host in hosts:
        host.put(PATH, b"x")
    before = shells.log.count("Accepted publickey")
    sources = [opens(host.settings(), timeout=17) for host in hosts]
    assert [paths(source.walk(Memory())) for source in sources] == [[PATH], [PATH]]
    assert shells.log.count("Accepted publickey") == before + 1
    sources[0].close()
    assert sources[1].read(PATH, 0, 1) == b"x"
    assert shells.log.count("Accepted publickey") == before + 1


def test_nothing_is_asked_before_the_first_question(opens: Open, tmp_path: Path) -> None:
    """Opening and closing a source of a dead host is no error."""
    (port,) = sshd.free_ports(1)
    source = opens(alias(tmp_path, f"  Port {port}"))
    assert "gone" in repr(source)
    source.close()
    source.close()


def test_without_the_extra() -> None:
    """Where asyncssh is not installed, the error says what to install."""
    script = (
        "import sys; sys.modules['asyncssh'] = None\n"
        "from boardlake.core.errors import UsageError\n"
        "from boardlake.core.settings import SourceSettings\n"
        "from boardlake.ingest.setup import open_source\n"
        "try: open_source(SourceSettings(uri='sftp://host/x'))\n"
        "except UsageError as error: print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pip install 'boardlake[ssh]'" in told.stdout, told.stderr


def test_a_connection_outlives_its_source(opens: Open) -> None:
    """The next scan, soon after, logs in no more."""
    with cluster() as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        for _ in range(3):
            source = opens(host.settings())
            assert paths(source.walk(Memory())) == [PATH]
            assert source.read(PATH, 0, 1) == b"x"
            source.close()
        assert machine.log.count("Accepted publickey") == 1


def test_a_command_as_way(opens: Open) -> None:
    """ProxyCommand is what the host is reached by."""
    with cluster() as machine:
        host = machine.fresh()
        host.put(PATH, b"x")
        other = machine.folder / "other"
        command = f"echo careful >&2; {sshd.program('sshd')} -i -f {machine.folder}/sshd_config0"
        other.write_text(f"Host piped\n  ProxyCommand {command}\n{machine.ssh_config.read_text()}")
        settings = host.settings() | {"uri": f"sftp://piped{host.tree}", "ssh_config": str(other)}
        source = opens(settings)
        assert paths(source.walk(Memory())) == [PATH]
        assert source.read(PATH, 0, 1) == b"x"


def test_a_process_that_ends_meanwhile(shells: Cluster) -> None:
    """Who does not close a source, or ends while one connects, is told nothing and not held up."""
    host = shells.fresh()
    host.put(PATH, b"x")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = shells.folder / "silent"
        config.write_text(
            f"Host silent\n  Port {silent.getsockname()[1]}\n{shells.ssh_config.read_text()}"
        )
        script = (
            "import threading, time\n"
            "from boardlake.core.settings import SourceSettings\n"
            "from boardlake.ingest.memory import Memory\n"
            "from boardlake.ingest.setup import open_source\n"
            f"config = {str(config)!r}\n"
            f"one = open_source(SourceSettings(uri='sftp://node01{host.tree}', ssh_config=config))\n"
            "print(len(one.walk(Memory()).files))\n"
            "two = open_source(SourceSettings(uri='sftp://silent/x', ssh_config=config, timeout=300))\n"
            "threading.Thread(target=two.walk, args=(Memory(),), daemon=True).start()\n"
            "time.sleep(0.5)\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
