"""Ways to a real sshd: keys, configurations, jump hosts, connections that are shared."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from boardlake.ingest.memory import Memory
from boardlake.tests.servers import sshd
from boardlake.tests.servers.sshd import Cluster, Host, cluster

from .conftest import PATH, Open, alias, failure, paths

pytest.importorskip("asyncssh", reason="pip install 'boardlake[ssh]'")


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
