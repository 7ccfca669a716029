"""A real Slurm cluster: its jobs' logs are found wherever they were told to go, and runs know their jobs."""

from __future__ import annotations

import json
import shlex
import signal
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from boardlake.core.errors import SourceError
from boardlake.core.settings import SourceSettings
from boardlake.ingest.cycle import run
from boardlake.ingest.memory import Memory
from boardlake.ingest.report import Options, Report
from boardlake.ingest.sample.writer import EventWriter
from boardlake.ingest.setup import open_source, setups
from boardlake.ingest.sources.base import Listing
from boardlake.tests.ingest.conftest import House
from boardlake.tests.servers import slurm, sshd

# The program that a job runs: a run of five steps.
_PROGRAM = """\
import os, socket, sys, time
from pathlib import Path
from boardlake.tests.ingest.sources.test_slurm import write_run

name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.0"
write_run(Path(sys.argv[1]) / name, time.time())
"""
# The same without Python's start: `train --logdir=FOLDER` and `train --logdir=FOLDER --old`.
_TRAIN = """\
train() {
    local folder= template=new
    for argument; do
        case $argument in --logdir=*) folder=${argument#*=} ;; --old) template=old ;; esac
    done
    mkdir -p "$folder"
    cp TEMPLATES/$template "$folder/events.out.tfevents.$(date +%s).$(hostname).$$.0"
}
hold() { until [ -e FOLDER/go ]; do sleep 0.1; done; }
"""


def write_run(path: Path, begun: float) -> None:
    """An event file of five steps."""
    with EventWriter(path) as writer:
        writer.file_version(begun)
        for step in range(5):
            writer.scalar("loss", 1.0 / (step + 1), step, begun + step / 100)


class Lab:
    """A cluster, a lake, and a project from which jobs are put on."""

    def __init__(self, cluster: slurm.Cluster, house: House, folder: Path) -> None:
        self.cluster, self.house = cluster, house
        self.folder = folder / "my project = 1"
        self.folder.mkdir()
        self.templates = folder / "templates"
        write_run(self.templates / "new", time.time())
        write_run(self.templates / "old", time.time() - 7200)

    def script(self, text: str, name: str = "job.sh") -> Path:
        """A batch script; `train` in it writes a run, `hold` waits until `go` is there."""
        path = self.folder / name
        places = {"TEMPLATES": self.templates, "FOLDER": self.folder}
        begin = _TRAIN
        for word, place in places.items():
            begin = begin.replace(f"{word}/", f"{shlex.quote(str(place))}/")
        path.write_text(f"#!/bin/bash\n{begin}{textwrap.dedent(text)}")
        return path

    def submit(self, text: str, *arguments: str, name: str = "job.sh") -> str:
        """Put a job on in the project's folder; its number."""
        return self.cluster.submit(self.script(text, name), f"--chdir={self.folder}", *arguments)

    def settings(self, **more: Any) -> SourceSettings:
        """The cluster as a source."""
        return SourceSettings(**{"uri": "slurm:", "rescan": 0, "timeout": 30, **more})

    def cycle(self, **more: Any) -> Report:
        """One cycle over the cluster."""
        (report,) = run(self.house.lake, setups({"hpc": self.settings(**more)}), Options())
        assert not report.error
        return report

    def walk(self, memory: Memory | None = None, **more: Any) -> Listing:
        """What is listed."""
        source = open_source(self.settings(**more))
        try:
            return source.walk(memory if memory is not None else Memory())
        finally:
            source.close()

    def runs(self) -> dict[str, dict[str, Any]]:
        """The runs of this lab by name: those of others are in the lake as well."""
        rows = self.house.lake.con.execute("SELECT * FROM runs").to_arrow_table().to_pylist()
        own = str(self.folder.parent)[1:]
        return {row["name"]: row for row in rows if row["path"].startswith(own)}

    def wait_for_none(self) -> None:
        """Wait until Slurm knows of no job."""
        for _ in range(600):
            if not self.cluster.run("squeue", "-h", "-t", "all").strip():
                return
            time.sleep(0.1)
        raise AssertionError("jobs that do not end")

    def wait_for(self, pattern: str) -> None:
        """Wait until a file in the project is there and no longer empty."""
        for _ in range(600):
            if any(path.stat().st_size for path in self.folder.glob(pattern)):
                return
            time.sleep(0.1)
        said = [path.read_text() for path in self.folder.glob("*.out")]
        raise AssertionError(f"no {pattern}: {said}")


@pytest.fixture(scope="module")
def cluster() -> Iterator[slurm.Cluster]:
    """One cluster for all tests here."""
    with slurm.cluster() as running:
        yield running


@pytest.fixture
def make(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[slurm.Cluster], Lab]:
    """Makes a lab at a cluster that Slurm's commands then find."""

    def made(cluster: slurm.Cluster) -> Lab:
        for name, value in cluster.environ.items():
            monkeypatch.setenv(name, value)
        return Lab(cluster, house, tmp_path)

    return made


@pytest.fixture
def lab(cluster: slurm.Cluster, make: Callable[[slurm.Cluster], Lab]) -> Lab:
    """A lab of this test's own at the cluster of all."""
    return make(cluster)


def test_a_job_that_completes(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its run has its number, name, user, node and state, and is finished by the scheduler's word.

    Times are UTC, whatever the zone of the machine.
    """
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    job = lab.submit(
        "train --logdir=runs/first", "--job-name=two words = 1\nJobId=9 JobState=FAILED"
    )
    lab.cluster.wait(job, "COMPLETED")
    lab.cycle()
    first = lab.runs()["first"]
    assert first["path"] == f"{lab.folder}/runs/first"[1:]
    assert (first["job_id"], first["job_user"], first["job_state"]) == (job, "root", "COMPLETED")
    assert first["job_nodes"] == lab.cluster.node
    assert first["project"] == "my project = 1"
    assert first["job_name"] == "two words = 1\\nJobId=9 JobState=FAILED"
    assert (first["state"], first["end_reason"]) == ("finished", f"Slurm job {job} completed")
    (row,) = lab.house.query(
        "SELECT partition, exit_code, started_at >= submitted_at AND ended_at >= started_at,"
        " abs(epoch(ended_at) - epoch(now())) < 3600 FROM jobs"
    )
    assert row == ("main", "0:0", True, True)
    assert lab.cycle().files_changed == 0


def test_a_job_that_fails_and_one_that_is_cancelled(lab: Lab) -> None:
    """Their runs have failed, with the reason."""
    failing = lab.submit("train --logdir=runs/bad; exit 3")
    stopped = lab.submit("train --logdir=runs/stopped; hold", name="other.sh")
    lab.wait_for("runs/stopped/*")
    lab.cluster.run("scancel", stopped)
    lab.cluster.wait(failing, "FAILED")
    lab.cluster.wait(stopped, "CANCELLED")
    lab.cycle()
    bad, cancelled = lab.runs()["bad"], lab.runs()["stopped"]
    assert (bad["state"], bad["job_id"]) == ("failed", failing)
    assert bad["end_reason"] == f"Slurm job {failing} failed, exit code 3"
    assert (cancelled["state"], cancelled["job_id"]) == ("failed", stopped)
    assert cancelled["end_reason"].startswith(f"Slurm job {stopped} was cancelled")


def test_a_running_job_keeps_its_run_running(lab: Lab) -> None:
    """However long ago it last logged; once the job has ended, the run has."""
    job = lab.submit("train --logdir=runs/slow --old; hold")
    lab.wait_for("runs/slow/*")
    lab.cycle()
    slow = lab.runs()["slow"]
    assert (slow["state"], slow["job_state"], slow["job_id"]) == ("running", "RUNNING", job)
    (lab.folder / "go").touch()
    lab.cluster.wait(job, "COMPLETED")
    lab.cycle()
    assert (lab.runs()["slow"]["state"], lab.runs()["slow"]["job_state"]) == (
        "finished",
        "COMPLETED",
    )


def test_logdirs_outside_the_job_s_directory(lab: Lab, tmp_path: Path) -> None:
    """Arguments in scripts and in the command, with variables that the scheduler sets."""
    script = f"""
    OUT="{tmp_path}/far away/$SLURM_JOB_ID"
    train --logdir="$OUT/a run"
    """
    far = lab.submit(script, name="far.sh")
    passing = lab.script('train "$@"')
    arguments = [
        str(passing),
        f"--logdir={tmp_path}/else where/direct".replace("else where", "other"),
    ]
    direct = lab.cluster.run("sbatch", "--parsable", f"--chdir={lab.folder}", *arguments).strip()
    for job in (far, direct):
        lab.cluster.wait(job, "COMPLETED")
    lab.cycle()
    runs = lab.runs()
    assert runs["a run"]["path"] == f"{tmp_path}/far away/{far}/a run"[1:]
    assert (runs["a run"]["job_id"], runs["a run"]["project"]) == (far, "my project = 1")
    assert runs["direct"]["path"] == f"{tmp_path}/other/direct"[1:]
    assert runs["direct"]["job_id"] == direct


def test_tasks_of_an_array(lab: Lab) -> None:
    """Tasks that start together in one directory are told apart by what their script names."""
    job = lab.submit("train --logdir=sweep/task-$SLURM_ARRAY_TASK_ID", "--array=1-3")
    for task in (1, 2, 3):
        lab.cluster.wait(f"{job}_{task}", "COMPLETED")
    lab.cycle()
    found = {name: row["job_id"] for name, row in lab.runs().items()}
    assert found == {f"task-{task}": f"{job}_{task}" for task in (1, 2, 3)}


def test_jobs_that_start_together(lab: Lab) -> None:
    """Names tell them apart where no argument does; a run that two may have written has no job."""
    script = "train --logdir=$(echo runs/$SLURM_JOB_NAME); train --logdir=$(echo runs/same); hold"
    jobs = {name: lab.submit(script, f"--job-name={name}") for name in ("vit", "resnet")}
    for name in jobs:
        lab.wait_for(f"runs/{name}/*")
    lab.wait_for("runs/same/*")
    lab.cycle()
    found = {name: row["job_id"] for name, row in lab.runs().items()}
    assert found == {**jobs, "same": None}
    (lab.folder / "go").touch()
    for job in jobs.values():
        lab.cluster.wait(job, "COMPLETED")


def test_a_job_that_is_put_on_again(lab: Lab) -> None:
    """It is the same job: files of both tries are its own, and its new state counts."""
    job = lab.submit("train --logdir=runs/again; hold")
    lab.wait_for("runs/again/*")
    lab.cycle()
    lab.cluster.run("scontrol", "requeue", job)
    lab.cluster.wait(job, "PENDING")
    lab.cycle()
    assert (lab.runs()["again"]["job_id"], lab.runs()["again"]["job_state"]) == (job, "PENDING")
    (lab.folder / "go").touch()
    # What is allowed within the second in which the first try was ended counts as ended, too.
    time.sleep(2)
    lab.cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now")
    lab.cluster.wait(job, "COMPLETED")
    lab.cycle()
    again = lab.runs()["again"]
    assert (again["job_id"], again["job_state"], again["files"]) == (job, "COMPLETED", 2)
    assert again["state"] == "finished"


def test_what_slurm_forgets_is_remembered(make: Callable[[slurm.Cluster], Lab]) -> None:
    """Its files stay in the listing, its end is unknown, and new files of a known place are found."""
    with slurm.cluster(forgets_s=2) as forgetful:
        lab = make(forgetful)
        job = lab.submit("train --logdir=runs/old; hold")
        lab.wait_for("runs/old/*")
        memory = Memory()
        before = lab.walk(memory)
        assert [one.job_id for one in before.jobs] == [job]
        (lab.folder / "go").touch()
        lab.wait_for_none()
        (lab.folder / "runs" / "old" / "events.out.tfevents.2.host").write_bytes(b"")
        memory.now += 10
        after = lab.walk(memory)
        (forgotten,) = after.jobs
        assert (forgotten.job_id, forgotten.state) == (job, "UNKNOWN")
        assert forgotten.ended_at is not None
        assert len(after.files) == len(before.files) + 1
        lab.cycle()
        assert lab.runs() == {}


def test_the_accounting_knows_how_it_ended(make: Callable[[slurm.Cluster], Lab]) -> None:
    """Jobs that Slurm has forgotten, whether they were seen before or not, name odd or not."""
    with slurm.cluster(forgets_s=2, accounting=True) as forgetful:
        lab = make(forgetful)
        memory = Memory()
        seen = lab.submit("train --logdir=runs/seen; hold; exit 4")
        lab.wait_for("runs/seen/*")
        assert [one.state for one in lab.walk(memory).jobs] == ["RUNNING"]
        (lab.folder / "go").touch()
        lab.wait_for_none()
        # Of jobs that accounting alone knows the arguments are not known: times tell them apart.
        time.sleep(2)
        name = "a|b = c\nd"
        unseen = lab.submit("train --logdir=runs/unseen", f"--job-name={name}", name="other.sh")
        lab.wait_for("runs/unseen/*")
        lab.wait_for_none()
        memory.now += 10
        jobs = {one.job_id: one for one in lab.walk(memory).jobs}
        assert (jobs[seen].state, jobs[seen].exit_code) == ("FAILED", "4:0")
        assert (jobs[unseen].state, jobs[unseen].name) == ("COMPLETED", "a|b = c\\nd")
        lab.cycle()
        found = {name: (row["job_id"], row["state"]) for name, row in lab.runs().items()}
        assert found["unseen"] == (unseen, "finished")


def test_whose_jobs(lab: Lab, tmp_path: Path) -> None:
    """Only the own ones, those of who is named, or all; only some partitions."""
    for folder in (tmp_path, lab.folder):
        folder.chmod(0o777)
    write_run(lab.folder / "events.out.tfevents.1.host", time.time())
    own = lab.submit("true")
    others = lab.submit("true", "--uid=nobody", name="others.sh")
    for job in (own, others):
        lab.cluster.wait(job, "COMPLETED", "FAILED")

    def found(**settings: Any) -> set[str]:
        jobs = {one.job_id for one in lab.walk(**settings).jobs}
        return jobs & {own, others}

    assert found() == {own}
    assert found(users=["nobody"]) == {others}
    assert found(users=["*"]) == found(users=["root", "nobody"]) == {own, others}
    assert found(partitions=["main"]) == {own}
    assert found(partitions=["other"]) == set()


def test_a_home_is_not_scanned_as_a_whole(lab: Lab, tmp_path: Path) -> None:
    """Only the usual directories in it, and what a job names; all of it where that is meant."""
    home = tmp_path / "home" / "ada"
    for place in ("runs/usual", "anything/else"):
        write_run(home / place / "events.out.tfevents.1.host", time.time())
    job = lab.cluster.submit(lab.script("true"), f"--chdir={home}")
    lab.cluster.wait(job, "COMPLETED")

    def found(**settings: Any) -> list[str]:
        prefix = f"{home}/"[1:]
        files = [entry.path for entry in lab.walk(**settings).files]
        return [path.removeprefix(prefix) for path in files if path.startswith(prefix)]

    usual = "runs/usual/events.out.tfevents.1.host"
    assert found() == [usual]
    assert found(whole_homes=True) == ["anything/else/events.out.tfevents.1.host", usual]


def test_what_a_script_keeps_secret(lab: Lab) -> None:
    """Of scripts and commands only places of logs are remembered: no keys, no other arguments."""
    script = "export API_KEY=hunter2\ntrain --logdir=runs/quiet --token=hunter2 --password hunter2"
    passing = lab.script(script, "quiet.sh")
    job = lab.cluster.run(
        "sbatch", "--parsable", f"--chdir={lab.folder}", str(passing), "--key=hunter2"
    ).strip()
    lab.cluster.wait(job, "COMPLETED")
    memory = Memory()
    listing = lab.walk(memory)
    assert [one.job_id for one in listing.jobs if one.job_id == job] == [job]
    assert "hunter2" not in json.dumps(memory.data) + repr(listing)
    lab.cycle()
    assert "hunter2" not in repr(lab.house.query("FROM jobs") + lab.house.query("FROM run_facts"))


def test_excluded_and_deep_directories(lab: Lab) -> None:
    """Names and paths that are excluded, and what lies deeper than logs do, are not listed."""
    job = lab.submit("true")
    lab.cluster.wait(job, "COMPLETED")
    places = ("a/b", "node_modules/x", "/".join("abcdefghijklmno"), "gone/x")
    for place in places:
        folder = lab.folder / place
        folder.mkdir(parents=True)
        (folder / "events.out.tfevents.1.host").write_bytes(b"")
    inner = f"{lab.folder}/gone"[1:]
    listing = lab.walk(exclude=["node_modules", f"{inner}/**"])
    prefix = f"{lab.folder}/"[1:]
    own = [e.path.removeprefix(prefix) for e in listing.files if e.path.startswith(prefix)]
    assert own == ["a/b/events.out.tfevents.1.host"]
    assert not [problem for problem in listing.problems if problem.path.startswith(prefix)]


def test_a_directory_that_cannot_be_read_or_is_gone(lab: Lab) -> None:
    """What is gone costs nothing; of a file that went meanwhile the reader is told."""
    job = lab.submit("train --logdir=runs/here")
    lab.cluster.wait(job, "COMPLETED")
    source = open_source(lab.settings())
    memory = Memory()
    (file,) = [e for e in source.walk(memory).files if str(lab.folder)[1:] in e.path]
    assert source.stat(file.path) == file
    assert source.read(file.path, 0, 8) == (Path("/") / file.path).read_bytes()[:8]
    (Path("/") / file.path).unlink()
    assert source.stat(file.path) is None
    with pytest.raises(OSError):
        source.read(file.path, 0, 8)
    with pytest.raises(FileNotFoundError):
        source.read("etc/passwd", 0, 8)
    source.close()


def test_a_scheduler_that_is_silent_or_away(make: Callable[[slurm.Cluster], Lab]) -> None:
    """It is an error of the source that names it, within its time-out; nothing is left behind."""
    with slurm.cluster() as other:
        lab = make(other)
        other.control.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(SourceError, match="slurm: squeue did not answer within 1 s"):
                lab.walk(timeout=1)
        finally:
            other.control.send_signal(signal.SIGCONT)
        assert lab.walk().files == []
        (problem,) = lab.walk(users=["root", "nosuch"]).problems
        assert "Invalid user: nosuch" in problem.message
        other.control.kill()
        other.control.wait()
        with pytest.raises(SourceError, match="slurm: "):
            lab.walk(timeout=3)


def test_no_slurm(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there are no commands, the error says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="there is no squeue there"):
        lab.walk()


def test_behind_a_login_node(
    cluster: slurm.Cluster, make: Callable[[slurm.Cluster], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same by SSH: commands, files, runs and their jobs."""
    lab = make(cluster)
    for name in cluster.environ:
        monkeypatch.delenv(name)
    with sshd.cluster(("login",), each=f"SLURM_CONF={cluster.environ['SLURM_CONF']}") as machines:
        settings = {"uri": "slurm://login", "ssh_config": str(machines.ssh_config)}
        job = lab.submit("train --logdir='runs/what? #1'", "--job-name=over there")
        lab.cluster.wait(job, "COMPLETED")
        lab.cycle(**settings)
        found = lab.runs()["what? #1"]
        assert (found["job_id"], found["job_name"], found["state"]) == (
            job,
            "over there",
            "finished",
        )
        assert found["points"] == 5
        assert lab.cycle(**settings).files_changed == 0
        (problem,) = lab.walk(**settings, users=["root", "nosuch"]).problems
        assert "Invalid user: nosuch" in problem.message
