"""Which job wrote a run: never a wrong one, whatever jobs share directories, nodes and times."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.core.jobs import MAX_NODES, SeenFile, SeenRun, end_of, hosts, match
from boardlake.core.values import Job

_T = 1_700_000_000.0
_JOB = Job(
    "4000", "4000", state="COMPLETED", nodes="gpu[01-04]", since=_T, started_at=_T,
    ended_at=_T + 3600, roots=("home/a/project",),
)  # fmt: skip


def _job(job_id: str = "4000", **changes: object) -> Job:
    return replace(_JOB, job_id=job_id, number=job_id.partition("_")[0], **changes)  # type: ignore[arg-type]


def _run(path: str, *files: tuple[float | None, str], last: float | None = None) -> SeenRun:
    return SeenRun(path, tuple(SeenFile(*file) for file in files), last)


def _one(jobs: list[Job], *files: tuple[float | None, str], path: str = "home/a/project/x") -> str:
    found = match(jobs, [_run(path, *files)])
    return found[path].job_id if path in found else ""


@pytest.mark.parametrize(
    ("begun", "host", "path", "is_its"),
    [
        (_T + 5, "gpu02", "home/a/project/runs/x", True),
        (_T + 5, "gpu02", "home/a/project", True),
        (_T + 5, "GPU02.cluster.example", "home/a/project/x", True),
        (_T + 5, "", "home/a/project/x", True),
        (_T + 5, "localhost", "home/a/project/x", True),
        (_T + 5, "0123456789ab", "home/a/project/x", True),
        (_T + 3660, "gpu02", "home/a/project/x", True),
        (_T + 5, "gpu07", "home/a/project/x", False),
        (_T + 5, "laptop", "home/a/project/x", False),
        (_T + 5, "gpu02", "home/a/project2/x", False),
        (_T + 5, "gpu02", "home/a", False),
        (_T - 600, "gpu02", "home/a/project/x", False),
        (_T + 7200, "gpu02", "home/a/project/x", False),
        (None, "gpu02", "home/a/project/x", False),
    ],
)
def test_directory_time_and_host(begun: float, host: str, path: str, is_its: bool) -> None:
    """All three must fit; a host that only a container knows says nothing."""
    assert _one([_job()], (begun, host), path=path) == ("4000" if is_its else "")


def test_the_newest_file_decides() -> None:
    """A run that was continued by another job is of the last one that wrote in it."""
    first = _job("4000")
    second = _job("4001", since=_T + 7200, started_at=_T + 7200, ended_at=_T + 9000)
    files = [(_T + 5, "gpu01"), (_T + 7205, "gpu01")]
    assert _one([first, second], *files) == "4001"
    assert _one([first, second], *files, (_T + 99_999, "laptop")) == "4001"


def test_several_jobs_at_once() -> None:
    """The number in the path, the nearest directory, the name in the path, a clear order; else none."""
    one, two = _job("4000"), _job("4001")
    at = (_T + 400, "gpu01")
    assert _one([one, two], at) == ""
    assert _one([one, two], at, path="home/a/project/version_4001") == "4001"
    assert _one([one, two], at, path="home/a/project/version_40011") == ""
    assert _one([one, replace(two, since=_T + 2)], at) == ""
    assert _one([one, replace(two, since=_T + 300)], at) == "4001"
    near = replace(one, roots=(*one.roots, "home/a/project/x"))
    assert _one([near, replace(two, since=_T + 300)], at) == "4000"
    elsewhere = replace(two, nodes="gpu[05-06]")
    assert _one([one, elsewhere], at) == "4000"
    named = replace(one, roots=("home/a/project", "home/a/project/4000"))
    assert _one([named, replace(two, since=_T + 300)], at, path="home/a/project/4000/x") == "4000"


def test_names_of_jobs_in_paths() -> None:
    """A job that is called as a directory is more likely than one that started later."""
    vit, resnet = _job("4000", name="vit"), _job("4001", name="resnet", since=_T + 300)
    at = (_T + 400, "gpu01")
    assert _one([vit, resnet], at, path="home/a/project/runs/vit") == "4000"
    assert _one([vit, resnet], at, path="home/a/project/runs/vit/seed1") == "4000"
    assert _one([vit, resnet], at, path="home/a/project/runs/vit2") == "4001"
    again = replace(vit, job_id="4002", number="4002")
    assert _one([vit, again, resnet], at, path="home/a/project/runs/vit") == ""


def test_a_job_that_had_ended() -> None:
    """Of two that started together, it is not the one that ended before the run's last event."""
    short, long = _job("4000", ended_at=_T + 1000), _job("4001", ended_at=_T + 5000)
    path = "home/a/project/x"
    for last, whose in ((_T + 4000, "4001"), (_T + 900, None)):
        found = match([short, long], [_run(path, (_T + 5, "gpu01"), last=last)])
        assert (found[path].job_id if path in found else None) == whose
    # Alone, its clock may be the reason.
    assert match([short], [_run(path, (_T + 5, "gpu01"), last=_T + 4000)])[path] == short


def test_jobs_one_after_the_other() -> None:
    """A file is of the job that ran, not of one that began or ended within what clocks may differ by."""
    first = _job("4000", ended_at=_T + 1000)
    second = _job("4001", since=_T + 1030, started_at=_T + 1030, ended_at=_T + 2000)
    third = _job("4002", since=_T + 1031, started_at=_T + 1031, ended_at=None, nodes="gpu05")
    jobs = [first, second, third]
    assert _one(jobs, (_T + 980, "gpu01")) == "4000"
    assert _one(jobs, (_T + 1040, "gpu01")) == "4001"
    assert _one(jobs, (_T - 20, "gpu01")) == "4000"
    assert _one(jobs, (_T + 2010, "gpu01")) == "4001"
    assert _one(jobs, (_T + 1040, "gpu05")) == "4002"


def test_tasks_of_an_array_by_number() -> None:
    """Both the number that people see and the scheduler's own count; short ones do not."""
    tasks = [replace(_job(f"4000_{n}"), number=str(4100 + n)) for n in range(3)]
    at = (_T + 5, "gpu01")
    assert _one(tasks, at, path="home/a/project/run-4000_2") == "4000_2"
    assert _one(tasks, at, path="home/a/project/lightning_logs/version_4101") == "4000_1"
    # The last task has the number of the array itself.
    tasks[1] = replace(tasks[1], number="4000")
    assert _one(tasks, at, path="home/a/project/run-4000_2") == "4000_2"
    assert _one(tasks, at, path="home/a/project/version_4000") == "4000_1"
    short = [_job("1"), _job("2")]
    assert _one(short, at, path="home/a/project/version_2") == ""


def test_a_requeued_job_and_one_that_waits() -> None:
    """Files of the first try are of a job that was put on again; what never started wrote nothing."""
    again = _job(state="RUNNING", since=_T, started_at=_T + 9000, ended_at=None)
    assert _one([again], (_T + 5, "gpu01")) == "4000"
    assert _one([_job(since=None, started_at=None)], (_T + 5, "gpu01")) == ""


@pytest.mark.parametrize(
    ("state", "code", "told"),
    [
        ("COMPLETED", "0:0", ("finished", "Slurm job 4000 completed")),
        ("FAILED", "3:0", ("failed", "Slurm job 4000 failed, exit code 3")),
        ("FAILED", "0:53", ("failed", "Slurm job 4000 failed, signal 53")),
        ("TIMEOUT", "0:0", ("failed", "Slurm job 4000 reached its time limit")),
        ("OUT_OF_MEMORY", "0:125", ("failed", "Slurm job 4000 ran out of memory, signal 125")),
        ("NODE_FAIL", "", ("failed", "Slurm job 4000 lost its node")),
        ("CANCELLED", "0:15", ("failed", "Slurm job 4000 was cancelled, signal 15")),
        ("PREEMPTED", "0:0", ("failed", "Slurm job 4000 was preempted")),
        ("RUNNING", "0:0", None),
        ("UNKNOWN", "", None),
        ("PENDING", "0:0", None),
    ],
)
def test_what_an_end_says(state: str, code: str, told: tuple[str, str] | None) -> None:
    """Only a known end is evidence."""
    end = end_of(_job(state=state, exit_code=code), _run("x"))
    assert (end[:2] if end else None) == told


def test_when_a_run_ended() -> None:
    """Last words and a clock that is ahead are within the end; what goes on long after it is not."""
    job = _job()
    assert job.ended_at is not None
    for last, at in ((-60, 0), (30, 30), (7200, 0)):
        end = end_of(job, _run("x", last=job.ended_at + last))
        assert end is not None and end[2] == job.ended_at + at


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        ("", []),
        ("vm", ["vm"]),
        ("gpu[01-03,7],login1", ["gpu01", "gpu02", "gpu03", "gpu7", "login1"]),
        ("a[1-2]-ib,b", ["a1-ib", "a2-ib", "b"]),
        ("n[008-011]", ["n008", "n009", "n010", "n011"]),
        ("n[5-3]", []),
    ],
)
def test_hosts(nodes: str, names: list[str]) -> None:
    """Lists of nodes as Slurm writes them."""
    assert hosts(nodes) == names


@given(st.text(alphabet="ab[]0123456789,-", max_size=60))
def test_hosts_of_anything(text: str) -> None:
    """Whatever is written there, there is an answer of bounded length."""
    assert len(hosts(text)) <= MAX_NODES
    assert len(hosts(f"n[0-999999999],{text}")) <= MAX_NODES
