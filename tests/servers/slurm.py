"""A Slurm cluster of one node on loopback: munged, slurmctld and slurmd, with ports and folders of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .base import program, stop
from .sshd import free_ports

ACCOUNTS = ("slurmdbd", "mariadbd", "mariadb-install-db", "mariadb", "sacctmgr")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "sacct")
_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={root}/munge.sock
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/ctld.pid
SlurmdPidFile={root}/d.pid
SlurmctldLogFile={root}/ctld.log
SlurmdLogFile={root}/d.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
{accounting}
SlurmdParameters=config_overrides
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MpiDefault=none
MessageTimeout=10
MinJobAge={forgets_s}
FirstJobId=4000
KillWait=1
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
_NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none"
_ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={root}/munge.sock"""
_DBD = """\
AuthType=auth/munge
AuthInfo=socket={root}/munge.sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser=root
CommunicationParameters=NoInAddrAny
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database}
StorageUser=slurm
StoragePass=only-for-tests
StorageLoc=slurm
LogFile={root}/dbd.log
PidFile={root}/dbd.pid
"""
_GRANT = """\
CREATE USER 'slurm'@'%' IDENTIFIED BY 'only-for-tests';
GRANT ALL ON slurm.* TO 'slurm'@'%';
"""


@dataclass
class Cluster:
    """A running cluster: `environ` lets Slurm's commands find it, `root` holds its logs."""

    root: Path
    environ: dict[str, str]
    node: str
    control: subprocess.Popen[bytes]

    def run(self, *command: str) -> str:
        """What one of Slurm's commands says; raises CalledProcessError with its words."""
        done = subprocess.run(
            command, env=os.environ | self.environ, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command[0]}: {done.stderr}"
        return done.stdout

    def submit(self, script: Path, *arguments: str) -> str:
        """Put a job on; its number."""
        return self.run("sbatch", "--parsable", *arguments, str(script)).strip()

    def state(self, job: str) -> str:
        """The state of a job, as Slurm calls it."""
        return self.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%T").strip()

    def wait(self, job: str, *states: str) -> str:
        """Wait until a job is in one of *states*."""
        return self._until(lambda: self.state(job), states)

    def _until(self, ask: Callable[[], str], wanted: Sequence[str]) -> str:
        for _ in range(600):
            found = ask()
            if found in wanted:
                return found
            time.sleep(0.1)
        logs = "".join(p.read_text("utf-8", "replace")[-2000:] for p in self.root.glob("*.log"))
        raise AssertionError(f"still {found!r}, not one of {wanted}\n{logs}")


def missing(*, accounting: bool = False) -> str:
    """Why there can be no cluster here; '' if there can."""
    wanted = (*PROGRAMS, *(ACCOUNTS if accounting else ()))
    absent = [name for name in wanted if program(name) is None]
    if absent:
        return f"no {absent[0]}: scripts/servers.sh"
    return "" if os.geteuid() == 0 else "only root can start slurmd"


@contextmanager
def cluster(forgets_s: int = 300, *, accounting: bool = False) -> Iterator[Cluster]:
    """A cluster with one node of four CPUs and the partition `main`, idle.

    It forgets jobs *forgets_s* seconds after their end, but for its *accounting*. Skips where it
    cannot be.
    """
    if reason := missing(accounting=accounting):
        pytest.skip(reason)
    host = socket.gethostname().partition(".")[0]
    # Sockets have short names only: no folder below pytest's.
    root = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    root.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        for name in ("state", "spool"):
            (root / name).mkdir()
        ports = free_ports(4)
        accounts = _ACCOUNTING.format(port=ports[2], root=root) if accounting else _NO_ACCOUNTING
        conf = root / "slurm.conf"
        conf.write_text(
            _CONF.format(
                host=host, root=root, ports=ports[:2], forgets_s=forgets_s, accounting=accounts
            )
        )
        key = root / "munge.key"
        key.write_bytes(os.urandom(64))
        key.chmod(0o400)
        environ = {"SLURM_CONF": str(conf)}

        def start(name: str, *arguments: str) -> subprocess.Popen[bytes]:
            command = [str(program(name)), *arguments]
            with open(root / f"{name}.out", "wb") as out:
                process = subprocess.Popen(
                    command, env=os.environ | environ, stdout=out, stderr=out
                )
            stack.callback(stop, process)
            return process

        files = [
            f"--{option}={root}/munge.{suffix}"
            for option, suffix in (("socket", "sock"), ("pid-file", "pid"), ("seed-file", "seed"))
        ]
        start("munged", "--foreground", "--force", f"--key-file={key}", *files)
        _wait_for(root / "munge.sock")
        if accounting:
            _keep_accounts(stack, root, start, ports[2], ports[3])
            _until_told(["sacctmgr", "-i", "add", "cluster", "test"], environ)
        control = start("slurmctld", "-D", "-i")
        start("slurmd", "-D", "-N", host)
        made = Cluster(root, environ, host, control)
        made._until(lambda: made.run("sinfo", "-h", "-o", "%T").strip(), ("idle",))
        stack.callback(_end_jobs, made)
        yield made


def _in_memory(stack: ExitStack) -> Path:
    """A folder where a database need not wait for a disk, if there is one."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir=memory if memory.is_dir() else None))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _keep_accounts(
    stack: ExitStack, root: Path, start: Callable[..., object], port: int, database: int
) -> None:
    """Start a database and Slurm's accounting on it."""
    data = _in_memory(stack) / "database"
    options = [f"--datadir={data}", "--user=root", "--no-defaults"]
    make = [str(program("mariadb-install-db")), "--no-defaults", f"--datadir={data}", "--user=root"]
    subprocess.run([*make, "--skip-test-db"], check=True, capture_output=True)
    socket_file = root / "database.sock"
    own = [f"--socket={socket_file}", f"--port={database}", "--bind-address=127.0.0.1"]
    start("mariadbd", options[-1], *options[:-1], *own, f"--pid-file={root}/database.pid")
    client = ["mariadb", "--no-defaults", f"--socket={socket_file}", "--user=root"]
    _until_told([*client, f"--execute={_GRANT}"], {})
    conf = root / "slurmdbd.conf"
    conf.write_text(_DBD.format(root=root, port=port, database=database))
    conf.chmod(0o600)
    start("slurmdbd", "-D")


def _until_told(command: list[str], environ: dict[str, str]) -> None:
    """Run a command until its server is there to take it."""
    for _ in range(200):
        done = subprocess.run(
            command,
            env=os.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"{command[0]}: {done.stderr}")


def _end_jobs(made: Cluster) -> None:
    """Jobs outlive slurmd: end them while somebody can."""
    if made.control.poll() is None:
        made.run("scancel", "--user=root", "--signal=KILL", "--full")
        made.run("scancel", "--user=root")
        for _ in range(50):
            if not made.run("squeue", "-h").strip():
                return
            time.sleep(0.1)


def _wait_for(path: Path) -> None:
    for _ in range(100):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} did not appear")
