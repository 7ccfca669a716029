"""Hosts over a real sshd that go away, fall silent or do not answer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from boardlake.ingest.memory import Memory
from boardlake.tests.servers import sshd
from boardlake.tests.servers.sshd import Cluster, cluster

from .conftest import PATH, Open, alias, failure, paths

pytest.importorskip("asyncssh", reason="pip install 'boardlake[ssh]'")


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
