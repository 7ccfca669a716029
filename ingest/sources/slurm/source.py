"""A Slurm cluster: its jobs, and the directories that they write their logs to."""

from __future__ import annotations

import bisect
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ....core import places
from ....core.errors import SourceError
from ....core.settings import SourceSettings
from ....core.values import FileEntry, Problem
from ...memory import MAX_JSON, Memory
from ..base import Listing, Source, Spent
from ..chosen import Chosen
from . import roots as slurm_roots
from . import words as slurm_words
from .known import as_text, job_of, lost, merged, remembered, requeued
from .words import CommandError, Said

# Slurm forgets a job minutes after its end; its runs are still looked at.
_MAX_JOBS = 20_000
_MAX_ROOTS = 2_000
_MAX_SCRIPTS = 200
# Below a job's directory; a logdir that lies deeper is named by an argument.
_MAX_DEPTH = 12
# Few jobs are asked for one by one: the answer for all of them is that of the whole cluster.
_ONE_BY_ONE = 8
_DAY = 86400.0
# How far back the accounting is asked when nothing is remembered.
_FIRST_LOOK = 30 * _DAY
_PROBLEM = "unreadable"
# Of a file that is remembered, in JSON. The jobs must fit beside the files: they are told only once.
_SIZE = 200


class Machine(Protocol):
    """The machine whose commands and files are those of the cluster."""

    at_once: int

    def run(self, command: Sequence[str], environ: dict[str, str]) -> tuple[bytes, str]:
        """What a command writes, and its warnings in one line.

        Raises CommandError, and SourceError when it did not end in time.
        """
        ...

    def whoami(self) -> tuple[str, str]:
        """The name and the home of the user who runs commands."""
        ...

    def resolve(self, paths: Sequence[str]) -> dict[str, str]:
        """The real paths of those that are directories."""
        ...

    def tree(self, root: str, exclude: Sequence[str], spent: Spent) -> Source:
        """The files below a directory; what it asks for is counted in *spent*."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class SlurmSource:
    """Files below the directories of a cluster's jobs; paths are those of its file system without
    the first slash, so that a run is the same whichever job led to it."""

    def __init__(self, machine: Machine, settings: SourceSettings) -> None:
        self.spent = Spent()
        self._machine = machine
        self._settings = settings
        self.at_once = machine.at_once
        self._warnings: dict[str, None] = {}
        self._trees: dict[str, Source] = {}
        self._order: list[str] = []
        # Patterns with a slash are relative to the file system's root: the trees know only names.
        self._names = [pattern for pattern in settings.exclude if "/" not in pattern]
        self._chosen = Chosen(settings.include, settings.exclude)

    def walk(self, memory: Memory) -> Listing:
        """Everything below the directories of all jobs that are or were known.

        Raises `SourceError` when the scheduler cannot be asked.
        """
        data = memory.data
        self._warnings.clear()
        user, home = self._machine.whoami()
        homes = slurm_roots.Homes(home, self._settings.whole_homes)
        known = remembered(data.get("jobs"))
        said = self._ask(known, data, memory, user)
        jobs = self._placed(said, known, memory, homes)
        roots = self._roots(jobs)
        listing = self._listing(roots, data.get("trees", {}), memory)
        if len(roots) > _MAX_ROOTS:
            message = f"{len(roots):,} directories of jobs: only {_MAX_ROOTS:,} are looked at"
            listing.problems.append(Problem("", 0, 0, _PROBLEM, message))
        listing.problems += [Problem("", 0, 0, _PROBLEM, words) for words in self._warnings]
        data["jobs"] = {one["job"]["job_id"]: one for one in jobs}
        data["asked_at"] = memory.now
        for one in reversed(jobs):
            for root in one["roots"]:
                found = slurm_roots.project(one["directory"], root)
                listing.projects.setdefault(as_text(root)[1:], found)
        above = _above(listing.files)
        # Who ran what else is nobody's business, and an edge would have to send it.
        listing.jobs = [job for one in jobs if not above.isdisjoint((job := job_of(one)).roots)]
        return listing

    def read(self, path: str, start: int, length: int, version: str = "") -> bytearray:
        """At most *length* bytes of a listed file."""
        tree, inner = self._tree_of(path)
        return tree.read(inner, start, length, version)

    def stat(self, path: str) -> FileEntry | None:
        """The entry of a listed file as it is now."""
        tree, inner = self._tree_of(path)
        found = tree.stat(inner)
        return replace(found, path=path) if found else None

    def close(self) -> None:
        """Give connections back."""
        for tree in self._trees.values():
            tree.close()
        self._machine.close()

    def _tree_of(self, path: str) -> tuple[Source, str]:
        at = bisect.bisect(self._order, path) - 1
        while at >= 0:
            shown = self._order[at]
            if path.startswith(f"{shown}/"):
                return self._trees[shown], path[len(shown) + 1 :]
            at -= 1
        raise FileNotFoundError(2, "lies below no job's directory", path)

    # What the scheduler says.

    def _ask(
        self, known: dict[str, dict[str, Any]], data: dict[str, Any], memory: Memory, user: str
    ) -> list[Said]:
        """All jobs that there is news of."""
        settings = self._settings
        everyone = "*" in settings.users
        users = [] if everyone else list(settings.users) or [user]
        nonce = secrets.token_hex(8)
        try:
            text = self._run(slurm_words.squeue(nonce, users))
        except CommandError as error:
            raise SourceError(
                f"{settings.uri.rstrip(':')}: the scheduler cannot be asked: {error}",
                hint="check that squeue works there, for the user who ingests",
            ) from None
        live = self._wanted(slurm_words.parse_squeue(text, nonce))
        over = self._accounted(users, data, memory)
        seen = {job.job_id for job in live}
        # What only the accounting thinks to be running was lost by it.
        ended = [
            job for job in over if job.job_id not in seen and job.state not in slurm_words.ACTIVE
        ]
        found = self._detailed(live, known) + ended
        told = {job.job_id for job in found}
        return found + [
            lost(one, data.get("asked_at", memory.now))
            for job_id, one in known.items()
            if job_id not in told and one["job"]["state"] in slurm_words.ACTIVE
        ]

    def _wanted(self, jobs: Iterable[Said]) -> list[Said]:
        only = self._settings.partitions
        return [job for job in jobs if not only or set(job.partition.split(",")) & set(only)]

    def _accounted(self, users: list[str], data: dict[str, Any], memory: Memory) -> list[Said]:
        """What the accounting tells of jobs since it was last asked; nothing where none runs."""
        if data.get("no_accounting") and not memory.full:
            return []
        nonce = secrets.token_hex(8)
        # An hour: the accounting may be told of an end late.
        since = data.get("asked_at", memory.now - _FIRST_LOOK) - 3600
        try:
            text = self._run(slurm_words.sacct(nonce, users, since))
        except (CommandError, SourceError):
            data["no_accounting"] = True
            return []
        data["no_accounting"] = False
        return self._wanted(slurm_words.parse_sacct(text, nonce))

    def _detailed(self, jobs: list[Said], known: dict[str, dict[str, Any]]) -> list[Said]:
        """*jobs* with their output and exit code, where that is not known for good."""
        news = [
            job
            for job in jobs
            if known.get(job.job_id, {}).get("job", {}).get("state") != job.state
        ]
        few = len(news) <= _ONE_BY_ONE
        fuller: dict[str, Said] = {}
        for job in news if few else news[:1]:
            # One that is told of alone cannot be mixed up with others but those of its array.
            mine = [one for one in news if one.array == job.array] if few else news
            try:
                text = self._run(["scontrol", "show", "job", "--oneliner", *([job.raw] * few)])
            except CommandError:
                # Gone meanwhile, or forbidden: only the place of its output is missing.
                continue
            told = slurm_words.add_details(text, mine)
            fuller |= {one.job_id: one for one in told if one.stdout or one.exit_code}
        return [fuller.get(job.job_id, job) for job in jobs]

    def _script(self, job: Said, scripts: dict[str, str]) -> str:
        """The script of a batch job, '' where it is not to be had; tasks of an array share one."""
        key = job.array or job.raw
        if key not in scripts and len(scripts) < _MAX_SCRIPTS:
            try:
                scripts[key] = self._run(["scontrol", "write", "batch_script", job.raw, "-"])
            except (CommandError, SourceError):
                scripts[key] = ""
        return scripts.get(key, "")

    def _run(self, command: list[str]) -> str:
        self.spent.add(lists=1)
        answer, warnings = self._machine.run(command, slurm_words.ENVIRON)
        self.spent.add(bytes=len(answer))
        if "Invalid user" in warnings:
            # squeue goes on with the others.
            self._warnings[warnings] = None
        return answer.decode("utf-8", "surrogateescape")

    # Where jobs may have written.

    def _placed(
        self,
        said: list[Said],
        known: dict[str, dict[str, Any]],
        memory: Memory,
        homes: slurm_roots.Homes,
    ) -> list[dict[str, Any]]:
        """All known jobs with the directories that may be theirs, the newest last."""
        jobs = dict(known)
        scripts: dict[str, str] = {}
        for one in said:
            if one.started is None and one.job_id not in known:
                # It has written nothing yet.
                continue
            before = known.get(one.job_id)
            if before and before["submitted"] != one.submitted and not requeued(before, one):
                # The numbers of jobs have begun anew.
                before = None
            # The accounting tells of jobs whose scripts Slurm has forgotten.
            asked = one.array and not (before and before["places"])
            script = self._script(one, scripts) if asked else ""
            paths = slurm_roots.candidates(one, script, homes)
            jobs[one.job_id] = merged(one, before, paths, homes)
        newest = sorted(jobs.values(), key=lambda job: job["job"]["started_at"] or 0)[-_MAX_JOBS:]
        told = {one.job_id for one in said}
        # What ended before the last scan writes nowhere else any more.
        open_ones = [job for job in newest if memory.full or job["job"]["job_id"] in told]
        real = self._machine.resolve(sorted({path for job in open_ones for path in job["places"]}))
        for job in open_ones:
            found = {real[path] for path in job["places"] if path in real}
            user = job["job"]["user"]
            job["roots"] = [path for path in sorted(found) if not homes.too_much(path, user)]
            job["job"]["roots"] = [as_text(path)[1:] for path in job["roots"]]
        return newest

    def _roots(self, jobs: list[dict[str, Any]]) -> list[str]:
        """What is scanned: each directory once, those of the newest jobs first."""
        paths = dict.fromkeys(path for one in reversed(jobs) for path in one["roots"])
        outer = slurm_roots.outermost(paths)
        first = {root: at for at, root in enumerate(paths)}
        return sorted(outer, key=lambda root: first[root])

    def _listing(self, roots: list[str], trees: dict[str, Any], memory: Memory) -> Listing:
        whole = Listing()
        kept: dict[str, Any] = {}
        room = MAX_JSON // 2
        deepest = "*/" * _MAX_DEPTH + "*"
        for tree in self._trees.values():
            tree.close()
        self._trees = {}
        for root in sorted(roots[:_MAX_ROOTS]):
            shown = as_text(root)[1:]
            inner = Memory(trees.get(root, {}), memory.full_at, memory.now, memory.rescan_s)
            tree = self._machine.tree(root, (*self._names, deepest), self.spent)
            try:
                found = tree.walk(inner)
            except SourceError as error:
                tree.close()
                if self._machine.resolve([root]):
                    whole.problems.append(Problem(shown, 0, 0, _PROBLEM, error.message))
                continue
            self._trees[shown] = tree
            self.at_once = max(self.at_once, tree.at_once)
            room -= _SIZE * (len(found.files) + sum(map(len, found.beside.values())))
            if room > 0:
                kept[root] = inner.data
            self._add(whole, found, shown)
        memory.data["trees"] = kept
        self._order = sorted(self._trees)
        whole.files.sort(key=lambda entry: entry.path)
        return whole

    def _add(self, whole: Listing, found: Listing, shown: str) -> None:
        excluded, included = self._chosen.excluded, self._chosen.included
        files = [_below(shown, entry) for entry in found.files]
        whole.files += [one for one in files if included(one.path) and not excluded(one.path)]
        whole.looked += found.looked
        whole.remembered |= {f"{shown}/{path}" for path in found.remembered}
        for directory, entries in found.beside.items():
            path = f"{shown}/{directory}" if directory else shown
            if not excluded(path):
                whole.beside[path] = [_below(shown, entry) for entry in entries]
        whole.problems += [
            replace(one, path=f"{shown}/{one.path}" if one.path else shown)
            for one in found.problems
        ]


def open_source(settings: SourceSettings) -> SlurmSource:
    """The cluster that a source's settings name: this machine's, or that of a login node."""
    place = places.parse(settings.uri)
    if not place.host:
        from .here import Here

        return SlurmSource(Here(settings), settings)
    from .there import There

    return SlurmSource(There(settings), settings)


def _above(files: Iterable[FileEntry]) -> set[str]:
    """The directories of files, and all above them."""
    found: set[str] = set()
    for directory in {entry.path.rpartition("/")[0] for entry in files}:
        path = directory
        while path not in found:
            found.add(path)
            path = path.rpartition("/")[0]
    return found


def _below(root: str, entry: FileEntry) -> FileEntry:
    return FileEntry(f"{root}/{entry.path}", entry.size, entry.mtime_ns, entry.version)
