"""A real sshd on loopback: a host for each port, with a home, and so a tree, of its own."""

from __future__ import annotations

import getpass
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from .base import program, stop

_START_S = 20.0
# One sshd listens at so many ports (MAX_LISTEN_SOCKS).
_PORTS = 16


@dataclass
class Host:
    """One host of a cluster, as its alias in the SSH configuration; its tree is a folder of its home."""

    alias: str
    port: int
    home: Path
    ssh_config: Path
    folder: str = "runs"
    kind: str = "ssh"
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def tree(self) -> Path:
        """The tree on this machine's own disk."""
        return self.home / self.folder

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        return {"uri": f"sftp://{self.alias}{self.tree}", "ssh_config": str(self.ssh_config)}

    def at_home(self) -> dict[str, object]:
        """The same by a path that starts at the user's home."""
        return {**self.settings(), "uri": f"sftp://{self.alias}/~/{self.folder}"}

    def put(self, path: str, data: bytes) -> None:
        """Make or replace a file, as writers do that rename."""
        target = self.tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f".{target.name}.new"[-200:])
        new.write_bytes(data)
        new.replace(target)

    def append(self, path: str, data: bytes) -> None:
        """Let a file grow in place."""
        with (self.tree / path).open("ab") as file:
            file.write(data)

    def delete(self, path: str) -> None:
        """Remove a file."""
        (self.tree / path).unlink()


@dataclass
class Cluster:
    """The hosts of one sshd, and the files of who may log in."""

    folder: Path
    servers: list[subprocess.Popen[bytes]]
    hosts: list[Host]
    trees: int = 0

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server of the first hosts."""
        return self.servers[0]

    def fresh(self, number: int = 0) -> Host:
        """A host with an empty tree of its own for one test."""
        self.trees += 1
        host = replace(self.hosts[number], folder=f"tree{self.trees}", environ={})
        host.tree.mkdir()
        return host

    @property
    def ssh_config(self) -> Path:
        """The client's configuration, with an alias for each host and more."""
        return self.folder / "ssh_config"

    @property
    def log(self) -> str:
        """What sshd wrote."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def drop(self) -> None:
        """Cut all connections that there are; the server stays."""
        for server in self.servers:
            for pid in _children(server.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, 9)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        for child in map(int, text.split()):
            found += [child, *_children(child)]
    return found


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _key(path: Path, *options: str) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path), *options]
    subprocess.run(command, check=True, capture_output=True)


def missing() -> str:
    """What is not installed; '' where sshd can run."""
    if program("sshd") is None or shutil.which("ssh-keygen") is None:
        return "sshd is not installed: scripts/servers.sh"
    if importlib.util.find_spec("asyncssh") is None:
        return "asyncssh is not installed: pip install 'boardlake[ssh]'"
    return ""


@contextmanager
def cluster(
    names: Sequence[str] = ("node01",),
    *,
    shell: bool = True,
    extra: str = "",
    each: str = "",
    client: str = "",
) -> Iterator[Cluster]:
    """An sshd with a host for each of *names*; without *shell* it serves SFTP alone.

    *extra* goes first into its configuration, *each* into the environment of every host, *client*
    first into the client's. Beside the hosts the client knows `NAME-jump`, which is reached through
    the first host. Skips where no sshd is installed.
    """
    if reason := missing():
        pytest.skip(reason)
    sshd = program("sshd")
    assert sshd is not None
    # Whoever logs in must get there: pytest's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="sshd-"))
    try:
        folder.chmod(0o755)
        _key(folder / "host_key")
        _key(folder / "user_key")
        shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
        ports = free_ports(len(names))
        hosts = []
        for name, port in zip(names, ports, strict=True):
            host = Host(name, port, folder / "homes" / name, folder / "ssh_config")
            host.tree.mkdir(parents=True)
            hosts.append(host)
        public = (folder / "host_key.pub").read_text().split()[:2]
        (folder / "known_hosts").write_text(f"cluster {' '.join(public)}\n")
        (folder / "ssh_config").write_text(client + _client(folder, hosts))
        configs = []
        for start in range(0, len(hosts), _PORTS):
            text = _server(folder, hosts[start : start + _PORTS], shell, extra, each)
            configs.append(folder / f"sshd_config{start}")
            configs[-1].write_text(text)
        yield from _run(sshd, folder, configs, hosts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(sshd: str, folder: Path, configs: list[Path], hosts: list[Host]) -> Iterator[Cluster]:
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    found = Cluster(folder, [], hosts)
    try:
        for config in configs:
            command = [sshd, "-D", "-f", str(config), "-E", str(folder / "log")]
            found.servers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))
        reaper = _reaper(found.servers)
        try:
            _await(found)
            yield found
        finally:
            reaper.kill()
            reaper.communicate()
    finally:
        found.drop()
        for server in found.servers:
            stop(server)


def _reaper(servers: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """Ends the servers where the test is killed, for its input ends then."""
    script = 'while read -r _; do :; done; kill "$@"'
    command = ["sh", "-c", script, "sh", *(str(server.pid) for server in servers)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _await(found: Cluster) -> None:
    deadline = time.monotonic() + _START_S
    for host in found.hosts:
        while True:
            try:
                socket.create_connection(("127.0.0.1", host.port), 1).close()
                break
            except OSError:
                if (
                    any(one.poll() is not None for one in found.servers)
                    or time.monotonic() > deadline
                ):
                    pytest.fail(f"sshd does not start: {found.log}")
                time.sleep(0.02)


def _server(folder: Path, hosts: list[Host], shell: bool, extra: str, each: str) -> str:
    lines = [extra, *(f"ListenAddress 127.0.0.1:{host.port}" for host in hosts)]
    lines += [
        f"HostKey {folder}/host_key",
        f"AuthorizedKeysFile {folder}/authorized_keys",
        "PidFile none",
        "UsePAM no",
        "StrictModes no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "" if "MaxStartups" in extra else "MaxStartups 100",
        "UseDNS no",
        "PrintMotd no",
        "" if "Subsystem" in extra else "Subsystem sftp internal-sftp",
    ]
    for host in hosts:
        # Each port is a machine: where the shell is at home there, and where SFTP begins.
        lines += [f"Match LocalPort {host.port}", f"  SetEnv HOME={host.home} {each}"]
        if not shell:
            lines += [f"  ForceCommand internal-sftp -d {host.home}"]
    return "\n".join(lines) + "\n"


def _client(folder: Path, hosts: list[Host]) -> str:
    lines = []
    for host in hosts:
        lines += [f"Host {host.alias}", f"  Port {host.port}"]
    for host in hosts:
        lines += [f"Host {host.alias}-jump", f"  Port {host.port}"]
        lines += [f"  ProxyJump {hosts[0].alias}"]
    lines += [
        "Host *",
        "  HostName 127.0.0.1",
        "  HostKeyAlias cluster",
        f"  User {getpass.getuser()}",
        f"  IdentityFile {folder}/missing_key",
        f"  IdentityFile {folder}/user_key",
        "  IdentitiesOnly yes",
        f"  UserKnownHostsFile {folder}/known_hosts",
    ]
    return "\n".join(lines) + "\n"
