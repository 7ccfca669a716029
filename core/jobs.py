"""Which run a job of a cluster wrote: by directory, time, host and number. Pure."""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .values import Job

MAX_NODES = 4096
# Clocks of nodes and of the scheduler, and what it takes to notice an end.
_SLACK_S = 120.0
# Events that are written while a job is being ended.
_GRACE_S = 900.0
# Until a program begins its file, another job may have started.
_TOGETHER_S = 180.0
# Of the jobs in one directory, so many that began before a file are looked at.
_MOST = 2_000
# A short number is in many names.
_TELLING = 3
_RANGES = re.compile(r"([^,\[\]]*)(?:\[([0-9,-]+)\]([^,\[\]]*))?(?:,|\Z)")
_NUMBERS = (re.compile(r"[0-9]+"), re.compile(r"(?<![0-9])[0-9]+[_+][0-9]+"))
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
    whose number is in the path (`12_3` of an array rather than `12`, which is another task's own),
    then one whose times fit without allowing for clocks, one that had not ended before the run's
    last event, the one with the nearest directory, one whose name is in the path, and then the one
    that started last, if no other started with it: which of two was the quicker to begin its file,
    nobody knows. Where that leaves two, none: a wrong job is worse than no job.
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

    def fits(self, file: SeenFile) -> int:
        """Whether a file was begun while the job ran, on one of its nodes: 1 if nearly, 2 if so."""
        begun = file.begun
        if begun is None or not self.since - _SLACK_S <= begun <= self.until + _SLACK_S:
            return 0
        hidden = not self.hosts or _CONTAINER.fullmatch(file.host)
        if not hidden and _short(file.host) not in self.hosts:
            return 0
        return 2 if self.since <= begun <= self.until else 1


@dataclass
class _Line:
    """Jobs by their start."""

    jobs: list[_Known] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)

    def sort(self) -> None:
        """Bring the jobs into order, when all are there."""
        self.jobs.sort(key=lambda known: known.since)
        self.starts = [known.since for known in self.jobs]

    def latest(self, file: SeenFile) -> Iterator[_Known]:
        """Of the jobs that a file fits, those that began last, and those that fit only nearly."""
        begun = file.begun if file.begun is not None else -math.inf
        end = bisect.bisect_right(self.starts, begun + _SLACK_S)
        since = -math.inf
        for known in reversed(self.jobs[max(0, end - _MOST) : end]):
            if known.since < since:
                return
            if fits := known.fits(file):
                if fits == 2 and since == -math.inf:
                    since = known.since - _TOGETHER_S
                yield known


@dataclass
class _Root:
    """The jobs of one directory, and those of each number and each name."""

    all: _Line = field(default_factory=_Line)
    numbers: dict[str, _Line] = field(default_factory=dict)
    names: dict[str, _Line] = field(default_factory=dict)

    def candidates(self, below: str, file: SeenFile) -> Iterator[tuple[int, bool, _Known]]:
        """Jobs that a file fits, with the length of their number in the path *below*, and whether
        their name is a directory in it."""
        if self.numbers:
            found = {number for pattern in _NUMBERS for number in pattern.findall(below)}
            for number in found & self.numbers.keys():
                for known in self.numbers[number].latest(file):
                    yield len(number), False, known
        for name in self.names.keys() & set(below.split("/")):
            for known in self.names[name].latest(file):
                yield 0, True, known
        for known in self.all.latest(file):
            yield 0, False, known


def _by_root(jobs: Iterable[Job]) -> dict[str, _Root]:
    found: dict[str, _Root] = {}
    names: dict[str, frozenset[str]] = {}
    for job in jobs:
        since = job.since if job.since is not None else job.started_at
        if since is None:
            continue
        if job.nodes not in names:
            names[job.nodes] = frozenset(_short(host) for host in hosts(job.nodes))
        until = math.inf if job.ended_at is None else job.ended_at
        known = _Known(job, since, until, names[job.nodes])
        for path in job.roots:
            root = found.setdefault(path, _Root())
            root.all.jobs.append(known)
            for number in {job.job_id, job.number}:
                if len(number) >= _TELLING:
                    root.numbers.setdefault(number, _Line()).jobs.append(known)
            if len(job.name) >= _TELLING:
                root.names.setdefault(job.name, _Line()).jobs.append(known)
    for root in found.values():
        for line in (root.all, *root.numbers.values(), *root.names.values()):
            line.sort()
    return found


def _job_of(run: SeenRun, near: list[tuple[str, _Root]]) -> Job | None:
    newest = sorted(run.files, key=lambda file: file.begun or -math.inf, reverse=True)
    for at, file in enumerate(newest):
        ranked: list[tuple[tuple[int, int, bool, int, bool], _Known]] = []
        for path, root in near:
            # The name of the job's own directory counts.
            below = f"{path.rpartition('/')[2]}{run.path[len(path) :]}"
            for length, named, known in root.candidates(below, file):
                outlived = at == 0 and (run.last_wall or 0.0) > known.until + _SLACK_S
                rank = (length, known.fits(file), not outlived, len(path), named)
                ranked.append((rank, known))
        if ranked:
            best = max(rank for rank, _ in ranked)
            winners = [known for rank, known in ranked if rank == best]
            latest = max(known.since for known in winners)
            left = {
                known.job.job_id: known.job
                for known in winners
                if known.since >= latest - _TOGETHER_S
            }
            return left.popitem()[1] if len(left) == 1 else None
    return None


def _short(host: str) -> str:
    return host.partition(".")[0].lower()


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""
