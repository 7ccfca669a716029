"""What Slurm says, taken apart: recorded answers of 22.05 and hostile ones; where a job may have written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.ingest.sources.slurm import roots as slurm_roots
from boardlake.ingest.sources.slurm import words as slurm_words
from boardlake.ingest.sources.slurm.roots import Homes
from boardlake.ingest.sources.slurm.words import Said

_NONCE = "0123456789abcdef"
_LINE = (
    "JobId={raw} JobName={name} UserId=ada(1000) GroupId=ada(1000) MCS_label=N/A Priority=4294901759 Nice=0"
    " Account=(null) QOS=(null) JobState=FAILED Reason=NonZeroExitCode Dependency=(null) Requeue=1 Restarts=0"
    " BatchFlag=1 Reboot=0 ExitCode=3:0 RunTime=00:00:09 TimeLimit=UNLIMITED TimeMin=N/A"
    " SubmitTime=2026-11-26T01:47:56 EligibleTime=2026-11-26T01:47:56 AccrueTime=2026-11-26T01:47:56"
    " StartTime=2026-11-26T01:47:58 EndTime=2026-11-26T01:48:07 Deadline=N/A SuspendTime=None"
    " SecsPreSuspend=0 LastSchedEval=2026-11-26T01:47:58 Scheduler=Main Partition=main"
    " AllocNode:Sid=localhost:32144 ReqNodeList=(null) ExcNodeList=(null) NodeList=vm BatchHost=vm NumNodes=1"
    " NumCPUs=1 NumTasks=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:* TRES=cpu=1,node=1,billing=1 Socks/Node=*"
    " NtasksPerN:B:S:C=0:0:*:* CoreSpec=* MinCPUsNode=1 MinMemoryNode=0 MinTmpDiskNode=0 Features=(null)"
    " DelayBoot=00:00:00 OverSubscribe=OK Contiguous=0 Licenses=(null) Network=(null)"
    " Command=/data/a dir = x/my train.sh 4 WorkDir=/data/a dir = x Comment=hello JobId=3 "
    " StdErr={out} StdIn=/dev/null StdOut={out} Power= \n"
)


def _squeue(*rows: dict[str, str]) -> str:
    names = slurm_words.squeue(_NONCE, [])[-1].removeprefix(f"--format=r{_NONCE}")
    assert names.count("%") == len(names.split(f"f{_NONCE}"))
    order = (
        "raw array task job_id name user state submitted started ended nodes partition reason directory command"
    ).split()
    usual = dict.fromkeys(order, "x") | {
        "submitted": "2026-11-26T01:47:56", "started": "2026-11-26T01:47:58",
        "ended": "2026-11-26T01:48:07", "state": "COMPLETED", "task": "N/A",
    }  # fmt: skip
    return "".join(
        f"r{_NONCE}" + f"f{_NONCE}".join((usual | row)[name] for name in order) + "\n"
        for row in rows
    )


_HOSTILE = "a=b\nJobId=7 JobName=x UserId=root(0) \tü\udc80 StdOut=/etc ExitCode=0:0 RunTime= |"


def test_squeue_tells_everything_of_hostile_names() -> None:
    """Line breaks, '=', and what looks like another job are a part of the name; nothing else moves."""
    text = _squeue(
        {"raw": "7", "job_id": "7", "name": _HOSTILE, "directory": "/d = e/ f"}, {"raw": "8"}
    )
    first, second = slurm_words.parse_squeue(text, _NONCE)
    assert (first.raw, first.name, first.directory) == ("7", _HOSTILE, "/d = e/ f")
    assert (first.submitted, first.ended) == (1795657676.0, 1795657687.0)
    assert second.raw == "8"


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=4))
def test_squeue_of_any_names(rows: list[tuple[str, str]]) -> None:
    """Every job is told of, with its own number, whatever it is called and wherever it runs."""
    text = _squeue(
        *(
            {"raw": str(n), "name": name, "command": command}
            for n, (name, command) in enumerate(rows)
        )
    )
    found = slurm_words.parse_squeue(text, _NONCE)
    assert [job.raw for job in found] == [str(n) for n in range(len(rows))]


def test_states_and_times() -> None:
    """What waits has no start, what runs no end: those are only expected."""
    rows = [
        {"state": s} for s in ("PENDING", "RUNNING", "CANCELLED by 0", "COMPLETED", "no\nstate")
    ]
    pending, running, cancelled, completed, odd = slurm_words.parse_squeue(_squeue(*rows), _NONCE)
    assert (pending.started, pending.ended) == (None, None)
    assert running.started is not None and running.ended is None
    assert (cancelled.state, completed.state, odd.state) == ("CANCELLED", "COMPLETED", "NO")
    assert completed.ended == 1795657687.0
    (waiting,) = slurm_words.parse_squeue(
        _squeue({"job_id": "3_[2-9%1]"}, {"job_id": "3_1"}), _NONCE
    )
    assert waiting.job_id == "3_1"
    assert slurm_words.seconds("Unknown") is slurm_words.seconds("9" * 99) is None


def test_sacct() -> None:
    """Its fields end with the same word; a job name may hold line breaks."""
    command = slurm_words.sacct(_NONCE, ["ada"], 1795657676.0)
    assert "--starttime=2026-11-26T01:47:56" in command and "--user=ada" in command
    end = f"f{_NONCE}"
    row = ["6", "3_1", "ada", "CANCELLED by 0", "2026-11-26T01:47:56", "2026-11-26T01:47:58"]
    row += ["2026-11-26T01:48:07", "0:15", "gpu[01-02]", "main", _HOSTILE, "/d = e"]
    later = ["9", "9", "ada", "RUNNING", "2026-11-26T01:47:56", "2026-11-26T01:47:58"]
    later += ["Unknown", "0:0", "gpu01", "main", "x", "/d"]
    text = "".join(end.join(one) + end + "\n" for one in (row, later))
    first, second = slurm_words.parse_sacct(text, _NONCE)
    assert (first.raw, first.job_id, first.state, first.exit_code) == (
        "6",
        "3_1",
        "CANCELLED",
        "0:15",
    )
    assert (first.nodes, first.name, first.directory) == ("gpu[01-02]", _HOSTILE, "/d = e")
    assert (second.job_id, second.ended) == ("9", None)
    assert slurm_words.parse_sacct("", _NONCE) == slurm_words.parse_sacct("junk\n", _NONCE) == []


@pytest.mark.parametrize(
    "out", ["/data/a dir = x/ar-3_1.out", "/o/ StdIn=x/y Power=1 z/out", "/dev/null"]
)
def test_scontrol(out: str) -> None:
    """Output paths with spaces and '=', in the line as 22.05 writes it."""
    text = _LINE.format(raw=6, name="n", out=out) + _LINE.format(raw=7, name="m", out="/other")
    jobs = [Said("6", "3_1"), Said("7", "7"), Said("8", "8")]
    first, second, third = slurm_words.add_details(text, jobs)
    assert (first.stdout, first.exit_code) == (out, "3:0")
    assert (second.stdout, third) == ("/other", jobs[2])


def test_scontrol_with_a_name_that_imitates_a_job() -> None:
    """It takes nothing from the job that it imitates; alone, it is told of in full."""
    forged = "x\n" + _LINE.format(raw=7, name="forged", out="/etc/x")
    text = _LINE.format(raw=6, name=forged, out="/six/o") + _LINE.format(
        raw=7, name="m", out="/seven/o"
    )
    six, seven = slurm_words.add_details(text, [Said("6", "6"), Said("7", "7")])
    assert seven.stdout == "" and six.stdout != "/seven/o"
    (alone,) = slurm_words.add_details(
        _LINE.format(raw=6, name=forged, out="/six/o"), [Said("6", "6")]
    )
    assert alone.stdout == "/six/o"


_HOME = Homes("/home/ada")
_JOB = Said(
    "41", "40_1", name="big", user="ada", array="40", directory="/home/ada/project",
    command="/home/ada/project/my job.sh --log-dir relative/one --epochs 3",
    stdout="/home/ada/project/slurm/%A_%a-%j.out",
)  # fmt: skip


def _named(script: str, job: Said = _JOB) -> list[str]:
    usual = slurm_roots.candidates(job, "", _HOME)
    return [path for path in slurm_roots.candidates(job, script, _HOME) if path not in usual]


def test_a_job_s_own_directories() -> None:
    """Its directory, that of its output, and what its command names."""
    assert slurm_roots.candidates(_JOB, "", _HOME) == [
        "/home/ada/project", "/home/ada/project/slurm", "/home/ada/project/relative/one",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("python train.py --logdir /scratch/ada/x", "/scratch/ada/x"),
        ("python train.py --logdir=/scratch/ada/x --seed 1", "/scratch/ada/x"),
        ("srun python -m m --output_dir '/scratch/ada/a b'", "/scratch/ada/a b"),
        ('torchrun t.py --output-dir "/scratch/ada/$SLURM_JOB_ID"', "/scratch/ada/41"),
        ("t.py --tensorboard_dir /scratch/ada/${SLURM_ARRAY_TASK_ID}/x", "/scratch/ada/1/x"),
        ("t.py --log_dir=out/$SLURM_ARRAY_JOB_ID", "/home/ada/project/out/40"),
        ("t.py logging.dir=/scratch/ada/h", "/scratch/ada/h"),
        (
            "t.py hydra.run.dir=/scratch/ada/h +trainer.default_root_dir=/scratch/ada/i",
            "/scratch/ada/h",
        ),
        ("t.py --trainer.default_root_dir ~/elsewhere/x", "/home/ada/elsewhere/x"),
        ("t.py \\\n    --lr 1 \\\n    --logdir \\\n    /scratch/ada/long", "/scratch/ada/long"),
        ("OUT=/scratch/ada/out\nexport D=$OUT/deep\nt.py --logdir $D", "/scratch/ada/out/deep"),
        ("t.py --logdir=$SLURM_SUBMIT_DIR/../sibling/x", "/home/ada/sibling/x"),
        ("t.py --logdir /scratch/ada/x; rm -r /tmp/y", "/scratch/ada/x"),
        ("(t.py --logdir /scratch/ada/x)&", "/scratch/ada/x"),
        (r"t.py --logdir /scratch/ada/a\ b", "/scratch/ada/a b"),
    ],
)
def test_arguments_that_name_a_place(line: str, path: str) -> None:
    """As people write them."""
    assert path in _named(f"#!/bin/bash\n#SBATCH -n 1\n{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "t.py --logdir $UNKNOWN/x",
        "t.py --logdir $(mktemp -d)",
        "t.py --logdir `pwd`/x",
        "t.py --logdir $1",
        "OUT=$(date)\nt.py --logdir $OUT/x",
        "# t.py --logdir /scratch/ada/x",
        "t.py --logdir --verbose",
        "t.py --logdir /scratch/ada/*/x",
        "t.py --data_dir /scratch/ada/data",
        "t.py --logdir ''",
        "t.py --logdir ~bob/x",
        "t.py --logdir /",
        "t.py --logdir /dev/shm/x",
        "t.py --logdir /proc/self/x",
        "t.py --logdir '/scratch/ada/\x07'",
        "t.py --logdir /" + "x" * 5000,
    ],
)
def test_what_names_no_place(line: str) -> None:
    """What is not known, not written out, or nobody's logs is left out rather than guessed."""
    assert _named(line) == []


@pytest.mark.parametrize(
    ("path", "too_much"),
    [
        ("/", True), ("/home", True), ("/home/ada", True), ("/home/bob", True), ("/scratch", True),
        ("/scratch/ada", True), ("/tmp", True), ("/etc/x/y", True), ("/users/x", True),
        ("/home/ada/project", False), ("/scratch/ada/runs", False), ("/data/lab/logs", False),
        ("/data/lab", False), ("/home/bob/shared/runs", False),
    ],
)  # fmt: skip
def test_homes(path: str, too_much: bool) -> None:
    """Homes and what lies above them are never scanned as a whole, unless that is asked for."""
    assert _HOME.too_much(path, "ada") is too_much
    job = Said("1", "1", user="ada", directory=path)
    found = slurm_roots.candidates(job, "", _HOME)
    assert (path in found) is not too_much
    if path in ("/home/ada", "/scratch/ada"):
        assert f"{path}/runs" in found and f"{path}/lightning_logs" in found
    whole = slurm_roots.candidates(job, "", Homes("/home/ada", whole=True))
    assert whole == ([] if path in ("/", "/etc/x/y") else [path])


def test_outermost() -> None:
    """Roots within roots are scanned once; names that only begin alike are others."""
    paths = ["/a/b", "/a/b/c", "/a/bc", "/a/b.c/d", "/a/b", "/x y/z", "/x y"]
    assert sorted(slurm_roots.outermost(paths)) == ["/a/b", "/a/b.c/d", "/a/bc", "/x y"]


@pytest.mark.parametrize(
    ("directory", "root", "project"),
    [
        ("/home/ada/gan", "/scratch/ada/logs", "gan"),
        ("/home/ada/gan/runs", "/home/ada/gan/runs", "gan"),
        ("", "/home/ada/gan/lightning_logs", "gan"),
        ("", "/scratch/lab/diffusion/4711", "diffusion"),
        ("", "/home/ada/runs", ""),
        ("", "/", ""),
    ],
)
def test_project(directory: str, root: str, project: str) -> None:
    """What people would call it, not `home`."""
    assert slurm_roots.project(directory, root) == project


@given(st.text(max_size=200), st.text(max_size=100), st.text(max_size=50))
def test_any_script(script: str, command: str, stdout: str) -> None:
    """Whatever a job holds, its places are few, absolute, and never too much."""
    job = Said("1", "1", user="ada", directory="/home/ada/p", command=command, stdout=stdout)
    found = slurm_roots.candidates(job, f"t --logdir {script}", _HOME)
    assert len(found) <= slurm_roots.MAX_ROOTS
    for path in found:
        assert path.startswith("/") and not _HOME.too_much(path, "ada")


def test_a_long_script_takes_linear_time() -> None:
    """Quotes that never end and a megabyte of options are looked at once."""
    for part in ('--logdir "', "--logdir=a ", "\\", "'", "x" * 10 + "=", "--" + "a" * 60):
        assert len(slurm_roots.candidates(_JOB, part * 30_000, _HOME)) <= slurm_roots.MAX_ROOTS
