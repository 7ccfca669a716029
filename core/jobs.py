"""Which run a job of a cluster wrote: by directory, time, host and number. Pure."""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .values import Job

MAX_NODES = 4096
# Clocks of nodes and of the scheduler, and what it takes to notice an end.
_SLACK_S = 120.0
# Events that are written while a job is being ended.
_GRACE_S = 900.0
# Of the jobs in one directory, so many that began before a file are looked at.
_MOST = 2_000
# A short number is in many names.
_TELLING = 3
_RANGES = re.compile(r"([^,\[\]]*)(?:\[([0-9,-]+)\]([^,\[\]]*))?(?:,|\Z)")
_CONTAINER = re.compile(r"[0-9a-f]{12}|localhost|")

_ENDS = {"COMPLETED": "finished"} | dict.fromkeys(
    ("FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "CANCELLED", "DEADLINE")
    + ("PREEMPTED", "REVOKED"),
    "failed",
)
WRITING = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT")
"""States in which a job may still write."""


@dataclass(frozen=True)
class SeenFile:
    """An event file of a run: when it was begun (Unix seconds, by its name or first event), where."""

    begun: float | None
    host: str


@dataclass(frozen=True)
class SeenRun:
    """A run as the lake has it: its directory relative to the source, '' for the root."""

    path: str
    files: tuple[SeenFile, ...]
    last_wall: float | None = None


def match(jobs: Iterable[Job], runs: Iterable[SeenRun]) -> dict[str, Job]:
    """The job of each run that has one, by the run's path.

    A run is of a job if it lies in one of the job's directories and a file of it was begun while the
    job ran, on one of its nodes; its newest such file decides. Of several such jobs it is the one
    whose number is in the path, then the one with the nearest directory, then the one that started
    last; where that leaves two, none: a wrong job is worse than no job.
    """
    by_root = _by_root(jobs)
    found: dict[str, Job] = {}
    for run in runs:
        near = [(root, by_root[root]) for root in _upwards(run.path) if root in by_root]
        if near:
            job = _job_of(run, near)
            if job is not None:
                found[run.path] = job
    return found


def end_of(job: Job, run: SeenRun) -> tuple[str, str, float] | None:
    """What the end of a job says of its run: state, reason and time; None where it says nothing.

    The last events may be written while the job is being ended, or by a clock that is ahead.
    """
    state = _ENDS.get(job.state)
    if state is None or job.ended_at is None:
        return None
    words = job.state.replace("_", " ").lower()
    reason = f"Slurm job {job.job_id} {'was ' if words in ('cancelled', 'preempted') else ''}"
    reason += {
        "timeout": "reached its time limit",
        "out of memory": "ran out of memory",
        "node fail": "lost its node",
        "deadline": "missed its deadline",
        "boot fail": "failed: its node did not boot",
    }.get(words, words)
    if state == "failed" and job.exit_code not in ("", "0:0"):
        code, _, signal = job.exit_code.partition(":")
        reason += f", signal {signal}" if code == "0" else f", exit code {code}"
    at = job.ended_at
    if run.last_wall is not None and at < run.last_wall <= at + _GRACE_S:
        at = run.last_wall
    return state, reason, at


def hosts(nodes: str) -> list[str]:
    """The names in a list of nodes such as `gpu[01-03,7],login1`, at most MAX_NODES."""
    found: list[str] = []
    for head, ranges, tail in _RANGES.findall(nodes[:65536]):
        for part in ranges.split(",") if ranges else [""]:
            first, dash, last = part.partition("-")
            if not dash:
                found.append(f"{head}{first}{tail}")
            elif first.isdecimal() and last.isdecimal():
                low = int(first[:9])
                for number in range(low, min(int(last[:9]), low + MAX_NODES) + 1):
                    found.append(f"{head}{number:0{len(first)}}{tail}")
            if len(found) >= MAX_NODES:
                return found[:MAX_NODES]
    return [name for name in found if name]


@dataclass(frozen=True)
class _Known:
    job: Job
    since: float
    until: float
    hosts: frozenset[str]
    numbers: re.Pattern[str] | None


def _by_root(jobs: Iterable[Job]) -> dict[str, list[_Known]]:
    found: dict[str, list[_Known]] = {}
    for job in jobs:
        since = job.since if job.since is not None else job.started_at
        if since is None:
            continue
        known = _Known(
            job,
            since - _SLACK_S,
            (math.inf if job.ended_at is None else job.ended_at) + _SLACK_S,
            frozenset(_short(host) for host in hosts(job.nodes)),
            _numbers(job),
        )
        for root in job.roots:
            found.setdefault(root, []).append(known)
    for many in found.values():
        many.sort(key=lambda known: known.since)
    return found


def _job_of(run: SeenRun, near: list[tuple[str, list[_Known]]]) -> Job | None:
    for file in sorted(run.files, key=lambda file: file.begun or -math.inf, reverse=True):
        if file.begun is None:
            continue
        ranked = [
            ((_named(known, run.path, root), len(root), known.since), known.job)
            for root, many in near
            for known in _during(many, file.begun)
            if not known.hosts
            or _CONTAINER.fullmatch(file.host)
            or _short(file.host) in known.hosts
        ]
        if ranked:
            best = max(rank for rank, _ in ranked)
            winners = {job.job_id: job for rank, job in ranked if rank == best}
            return winners.popitem()[1] if len(winners) == 1 else None
    return None


def _during(many: list[_Known], at: float) -> Iterator[_Known]:
    """The jobs that ran at a time, of the last ones that began before it."""
    end = bisect.bisect_right(many, at, key=lambda known: known.since)
    return (known for known in many[max(0, end - _MOST) : end] if at <= known.until)


def _numbers(job: Job) -> re.Pattern[str] | None:
    told = {text for text in (job.job_id, job.number) if len(text) >= _TELLING}
    if not told:
        return None
    return re.compile(rf"(?<![0-9])(?:{'|'.join(map(re.escape, sorted(told)))})(?![0-9])")


def _named(known: _Known, path: str, root: str) -> bool:
    """Whether a job's number is in a run's path, the job's own directory included."""
    last = root.rpartition("/")[2]
    return bool(known.numbers and known.numbers.search(f"{last}{path[len(root) :]}"))


def _short(host: str) -> str:
    return host.partition(".")[0].lower()


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""
