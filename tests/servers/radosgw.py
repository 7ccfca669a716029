"""Ceph's radosgw, a real S3 server: one monitor, one OSD in memory and the gateway, up in some 12 seconds."""

from __future__ import annotations

import itertools
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config

from .base import program, stop

_PROGRAMS = (
    "ceph",
    "ceph-mon",
    "ceph-osd",
    "monmaptool",
    "radosgw",
    "radosgw-admin",
    "setpriv",
)
_KEY = "AKIARADOSGW000000001"
# Each command takes a second or two, and some ten where the machine is busy.
_PATIENCE_S = 40
_SECRET = "radosgw-secret-key-that-nobody-may-see"
_CONF = """\
[global]
fsid = {fsid}
mon_initial_members = a
mon_host = [v1:127.0.0.1:{port}]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
run_dir = {root}
crash_dir = {root}
admin_socket =
pid_file =
log_file =
mon_data = {root}/mon
osd_data = {root}/osd
rgw_data = {root}/rgw
keyring = {root}/keyring
osd_objectstore = memstore
memstore_device_bytes = 2147483648
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
ms_bind_msgr2 = false
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
"""


class Bucket:
    """A bucket of its own; the tree lies below a prefix in it."""

    kind = "s3"

    def __init__(self, endpoint: str, name: str, prefix: str = "lab logs") -> None:
        self.endpoint = endpoint
        self.name = name
        self.prefix = prefix
        self.environ = {"AWS_ACCESS_KEY_ID": _KEY, "AWS_SECRET_ACCESS_KEY": _SECRET}
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=_KEY,
            aws_secret_access_key=_SECRET,
            # This Ceph is older than the checksums that clients add of their own accord.
            config=Config(
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path"},
            ),
        )
        self.client.create_bucket(Bucket=name)
        # What only begins like the prefix is not below it.
        self.client.put_object(Bucket=name, Key=f"{prefix}2/run/events.out.tfevents.1", Body=b"x")

    def settings(self) -> dict[str, object]:
        """Keyword arguments of SourceSettings that read the tree."""
        return {
            "uri": f"s3://{self.name}/{self.prefix}",
            "endpoint": self.endpoint,
            "region": "us-east-1",
        }

    def put(self, path: str, data: bytes) -> None:
        """Make or replace an object."""
        self.client.put_object(Bucket=self.name, Key=f"{self.prefix}/{path}", Body=data)

    def append(self, path: str, data: bytes) -> None:
        """Replace an object by one that goes on."""
        got = self.client.get_object(Bucket=self.name, Key=f"{self.prefix}/{path}")
        self.put(path, got["Body"].read() + data)

    def delete(self, path: str) -> None:
        """Remove an object."""
        self.client.delete_object(Bucket=self.name, Key=f"{self.prefix}/{path}")


class Gateway:
    """A running radosgw, which makes buckets."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._numbers = itertools.count()

    def bucket(self, prefix: str = "lab logs") -> Bucket:
        """A bucket with nothing below *prefix*."""
        return Bucket(self.endpoint, f"logs-{next(self._numbers)}", prefix)


def missing() -> str:
    """What is not installed; '' where radosgw can run."""
    absent = [name for name in _PROGRAMS if not program(name)]
    return f"radosgw cannot run without {', '.join(absent)}: scripts/servers.sh" if absent else ""


@contextmanager
def radosgw(root: Path) -> Iterator[Gateway]:
    """A Ceph of one machine and its gateway, with everything in memory and its files in *root*.

    On a busy machine its parts now and then miss each other while they start, and wait for minutes.
    """
    for attempt in range(4):
        folder = root / str(attempt)
        with ExitStack() as running:
            try:
                endpoint = _start(folder, running)
            except (AssertionError, subprocess.TimeoutExpired):
                if attempt == 3:
                    raise
                continue
            yield Gateway(endpoint)
            return


def _start(root: Path, running: ExitStack) -> str:
    """Start all parts; the gateway's endpoint."""
    mon, gateway = free_port(), free_port()
    fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
    conf = root / "ceph.conf"
    for name in ("mon", "osd", "rgw"):
        (root / name).mkdir(parents=True)
    conf.write_text(_CONF.format(fsid=fsid, port=mon, gateway=gateway, root=root))
    log = running.enter_context((root / "log").open("wb"))

    def run(name: str, *arguments: str) -> bytes:
        done = subprocess.run(
            [str(program(name)), "-c", str(conf), *arguments],
            capture_output=True,
            timeout=_PATIENCE_S,
            cwd=root,
        )
        said = done.stderr.decode(errors="replace")[-2000:]
        assert done.returncode == 0, f"{name} {arguments}: {said}"
        return done.stdout

    def start(name: str, *arguments: str) -> None:
        # It must not outlive a test run that is killed.
        command = ["setpriv", "--pdeathsig", "KILL", str(program(name)), "-c", str(conf)]
        process = subprocess.Popen([*command, *arguments, "-f"], stdout=log, stderr=log, cwd=root)
        running.callback(stop, process)

    monmap = str(root / "monmap")
    address = f"[v1:127.0.0.1:{mon}]"
    run("monmaptool", "--create", "--addv", "a", address, "--fsid", fsid, monmap)
    run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)
    start("ceph-mon", "-i", "a")
    run("ceph", "osd", "create", osd)
    run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
    run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=here")
    start("ceph-osd", "-i", "0")
    for _ in range(100):
        # The monitor now and then refuses a client for no reason.
        with suppress(AssertionError):
            if b"1 up" in run("ceph", "osd", "stat"):
                break
        time.sleep(0.2)
    keys = ("--access-key", _KEY, "--secret", _SECRET)
    run("radosgw-admin", "user", "create", "--uid=u", "--display-name=u", *keys)
    start("radosgw", "-n", "client.rgw")
    endpoint = f"http://127.0.0.1:{gateway}"
    answers(endpoint, root / "log")
    return endpoint


def answers(endpoint: str, log: Path) -> None:
    """Wait until an HTTP server answers; its log is in the error if it does not."""
    for _ in range(600):
        try:
            with urlopen(endpoint, timeout=30):
                return
        except URLError as error:
            if hasattr(error, "code"):
                return
            time.sleep(0.1)
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{endpoint} does not answer: {log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
