"""What Slurm's commands are asked and what they say: squeue, scontrol and sacct, taken apart. Pure.

Names, paths and commands of jobs are their users' own and may hold anything, line breaks included:
where it can be had, fields are parted by a word that nobody can have guessed.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace


class CommandError(Exception):
    """A command ended with an error or cannot be run; its words are for a person."""


ENVIRON = {"TZ": "UTC", "SLURM_TIME_FORMAT": "standard", "LC_ALL": "C.UTF-8"}
"""Times in UTC, whatever the machine's own zone."""

ACTIVE = frozenset(
    ("PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "RESIZING", "SIGNALING")
    + ("STAGE_OUT", "STOPPED", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT")
    + ("RESV_DEL_HOLD",)
)
WAITING = frozenset(
    ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT")
    + ("RESV_DEL_HOLD",)
)
UNKNOWN = "UNKNOWN"
MAX_FIELD = 4096

_SQUEUE = {
    "raw": "%A", "array": "%F", "task": "%K", "job_id": "%i", "name": "%j", "user": "%u",
    "state": "%T", "submitted": "%V", "started": "%S", "ended": "%e", "nodes": "%N",
    "partition": "%P", "reason": "%r", "directory": "%Z", "command": "%o",
}  # fmt: skip
_SACCT = {
    "raw": "JobIDRaw", "job_id": "JobID", "user": "User", "state": "State", "submitted": "Submit",
    "started": "Start", "ended": "End", "exit_code": "ExitCode", "nodes": "NodeList",
    "partition": "Partition", "name": "JobName", "directory": "WorkDir",
}  # fmt: skip
_JOB = re.compile(r"^JobId=(\d{1,12}) ", re.MULTILINE)
_EXIT = re.compile(r" ExitCode=(\d{1,5}:\d{1,5}) ")
# What may follow StdOut; none of it holds spaces.
_AFTER = re.compile(
    r"(?: (?:Power|CpusPerTres|MemPerTres|TresBind|TresFreq|TresPer\w+|NtasksPerTRES\S*|MailUser"
    r"|MailType|SubmitLine)=\S*)*\s*\Z"
)


@dataclass(frozen=True)
class Said:
    """A job as a command tells of it; '' and None where it does not say. Times in Unix seconds."""

    raw: str
    job_id: str
    name: str = ""
    user: str = ""
    state: str = ""
    array: str = ""
    task: str = ""
    submitted: float | None = None
    started: float | None = None
    ended: float | None = None
    nodes: str = ""
    partition: str = ""
    reason: str = ""
    exit_code: str = ""
    directory: str = ""
    command: str = ""
    stdout: str = ""


def squeue(nonce: str, users: Sequence[str]) -> list[str]:
    """The command that tells of all jobs the controller knows, finished ones of the last minutes too."""
    fields = f"f{nonce}".join(_SQUEUE.values())
    whose = [f"--user={','.join(users)}"] if users else []
    return ["squeue", "--noheader", "--all", "--states=all", *whose, f"--format=r{nonce}{fields}"]


def parse_squeue(text: str, nonce: str) -> list[Said]:
    """The jobs in the answer to `squeue`; arrays of tasks that only wait are left out."""
    found = []
    for record in text.split(f"r{nonce}")[1:]:
        values = record.removesuffix("\n").split(f"f{nonce}")
        if len(values) == len(_SQUEUE):
            job = _said(dict(zip(_SQUEUE, values, strict=True)))
            if "[" not in job.job_id:
                found.append(job)
    return found


def sacct(nonce: str, users: Sequence[str], since: float) -> list[str]:
    """The command that tells of all jobs that ran since *since*, from the accounting."""
    whose = [f"--user={','.join(users)}"] if users else ["--allusers"]
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(max(0.0, since)))
    options = ["--noheader", "--allocations", "--parsable", f"--delimiter=f{nonce}"]
    return [
        "sacct",
        *options,
        *whose,
        f"--starttime={start}",
        f"--format={','.join(_SACCT.values())}",
    ]


def parse_sacct(text: str, nonce: str) -> list[Said]:
    """The jobs in the answer to `sacct`."""
    values = text.split(f"f{nonce}")[:-1]
    width = len(_SACCT)
    return [
        _said(
            dict(zip(_SACCT, [values[at].lstrip("\n"), *values[at + 1 : at + width]], strict=True))
        )
        for at in range(0, len(values) - width + 1, width)
    ]


def add_details(text: str, jobs: Sequence[Said]) -> list[Said]:
    """*jobs* with what only `scontrol show job -o` tells: StdOut and exit code.

    A name with a line break can look like another job's line: a job that is told of twice stays as
    it is, and a line that tells of none of *jobs* is taken for a part of the one before.
    """
    wanted = {job.raw for job in jobs}
    starts = [match for match in _JOB.finditer(text) if match[1] in wanted]
    ends = [*(match.start() for match in starts[1:]), len(text)]
    lines: dict[str, str | None] = {}
    for match, end in zip(starts, ends, strict=True):
        lines[match[1]] = None if match[1] in lines else text[match.start() : end]
    return [_detailed(job, lines.get(job.raw)) for job in jobs]


def _detailed(job: Said, line: str | None) -> Said:
    if line is None:
        return job
    _, key, after = line.rpartition(" StdOut=")
    stdout = _text(_AFTER.sub("", after)) if key else ""
    codes = _EXIT.findall(line)
    return replace(job, stdout=stdout, exit_code=codes[-1] if codes else job.exit_code)


def seconds(text: str) -> float | None:
    """A time of Slurm's in UTC as Unix seconds; None where it is not known."""
    try:
        return float(calendar.timegm(time.strptime(text.strip(), "%Y-%m-%dT%H:%M:%S")))
    except (ValueError, OverflowError):
        return None


def _said(fields: dict[str, str]) -> Said:
    state = (fields["state"].split() or [""])[0].rstrip("+").upper()
    texts = {name: _text(value) for name, value in fields.items()}
    texts["state"] = state if state.replace("_", "").isalpha() else UNKNOWN
    for name in ("submitted", "started", "ended"):
        texts.pop(name)
    return Said(
        **texts,
        submitted=seconds(fields["submitted"]),
        # Of what waits and what runs, Slurm tells when it expects them to start and to end.
        started=None if state in WAITING else seconds(fields["started"]),
        ended=None if state in ACTIVE else seconds(fields["ended"]),
    )


def _text(value: str) -> str:
    value = value.strip(" ")[:MAX_FIELD]
    return "" if value in ("(null)", "N/A", "None", "None assigned", "Unknown") else value
