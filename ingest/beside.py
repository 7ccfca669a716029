"""What lies beside event files: hyperparameters, provenance and checkpoints of runs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ..core.values import FileEntry, Problem
from ..lake.facts import ArtifactRow, RunFacts
from ..lake.logdir.side import MAX_BYTES
from . import artifacts, provenance
from .sidefile import Returned
from .sources.base import Listing, Source, split, walk_up

_MAX_SIDE_FILE = 1 << 20
_LEVELS_DOWN = 2
_LEVELS_UP = 3
_AGAIN_S = 3600


@dataclass
class Found:
    """What there is to store: facts by run, and the `keys` of the directories they came from."""

    keys: dict[str, str] = field(default_factory=dict)
    facts: dict[int, list[RunFacts]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    bytes_read: int = 0


def look_beside(
    source: Source,
    listing: Listing,
    runs: dict[str, int],
    looked: dict[str, str],
    deleted: Callable[[str], bool],
    said: Container[str] = (),
) -> Found:
    """What side files of *runs*, by directory, say where a directory changed or a run is new.

    *looked* is what each directory held when it was last looked at; a *deleted* directory is none.
    *said* is which of machine and project the settings say, so that no file is asked.
    """
    if not runs:
        return Found()
    keys = {directory: "" for directory in runs}
    keys |= {directory: _key(entries) for directory, entries in listing.beside.items()}
    # A deleted run's directory stays unknown to the lake, even by name.
    keys = {directory: key for directory, key in keys.items() if not deleted(directory)}
    now = time.time()
    changed = {
        directory
        for directory, key in keys.items()
        if looked.get(directory) not in (key, _unread(key, now))
    }
    if not changed:
        return Found()
    look = _Look(source, listing, runs, said)
    affected = look.affected(changed)
    look.fetch(affected)
    facts = {run_id: look.at(directory) for directory, run_id in affected.items()}
    # A server that was silent for a moment shall not cost a run its hyperparameters for ever.
    failed = {split(path)[0] for path in look.failed}
    told = {
        d: _unread(keys[d], now) if any(_near(d, other) for other in failed) else keys[d]
        for d in changed
    }
    return Found(told, facts, look.problems, look.bytes_read)


def _unread(key: str, now: float) -> str:
    """What a directory of which something could not be read is noted to hold, for an hour."""
    return f"{key}!{now // _AGAIN_S:.0f}"


def _near(one: str, other: str) -> bool:
    """Whether one directory is the other, or lies in it."""
    one, other = f"{one}/" if one else "", f"{other}/" if other else ""
    return one.startswith(other) or other.startswith(one)


@dataclass(frozen=True)
class _Said:
    facts: provenance.SideFacts = field(default_factory=provenance.SideFacts)
    problem: Problem | None = None
    size: int = 0


@dataclass
class _Look:
    """One pass over what changed: a file in a parent directory is read once for all runs below."""

    source: Source
    listing: Listing
    runs: dict[str, int]
    said: Container[str] = ()
    problems: list[Problem] = field(default_factory=list)
    bytes_read: int = 0
    failed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._read_before: dict[str, tuple[str, provenance.SideFacts]] = {}
        self._owned: dict[str, list[str]] = {}
        self._below: dict[str, list[str]] = {}
        for directory in self.listing.beside:
            owner = self._owner(directory)
            if owner is not None:
                self._owned.setdefault(owner, []).append(directory)
        for run in self.runs:
            for parent in list(walk_up(run, _LEVELS_UP))[1:]:
                self._below.setdefault(parent, []).append(run)

    def affected(self, changed: set[str]) -> dict[str, int]:
        """The runs, by directory, that changed directories have a say in."""
        found: set[str] = set()
        for directory in changed:
            owner = self._owner(directory)
            found.update(self._below.get(directory, ()))
            if owner is not None:
                found.add(owner)
        return {run: self.runs[run] for run in sorted(found)}

    def fetch(self, runs: Iterable[str]) -> None:
        """Read the side files of *runs* side by side, where each would be waited for."""
        if self.source.at_once == 1:
            return
        wanted = {}
        for run in runs:
            every = self._every(run, self._own(run))
            for file in provenance.find_side_files(every):
                entry = every[file.path_relative]
                wanted[entry.path] = (entry, file)
        with ThreadPoolExecutor(self.source.at_once) as pool:
            for path, said in zip(
                wanted, pool.map(lambda pair: self._read(*pair), wanted.values()), strict=True
            ):
                self._read_before[path] = wanted[path][1].name, self._counted(said)

    def _own(self, run: str) -> dict[str, FileEntry]:
        return {
            _relative(run, entry.path): entry
            for directory in self._owned.get(run, ())
            for entry in self.listing.beside[directory]
        }

    def _every(self, run: str, own: dict[str, FileEntry]) -> dict[str, FileEntry]:
        """With the files of directories above."""
        every = dict(own)
        for up, parent in enumerate(list(walk_up(run, _LEVELS_UP))[1:], 1):
            for entry in self.listing.beside.get(parent, ()):
                every["../" * up + split(entry.path)[1]] = entry
        return every

    def at(self, run: str) -> list[RunFacts]:
        """All that side files of a run's directory say."""
        own = self._own(run)
        every = self._every(run, own)
        side = provenance.find_side_files(every)
        said = [self._side_facts(every[file.path_relative], file) for file in side]
        names = {file.name for file in side}
        returned = next((s.returned for s in said if s.returned), None) or Returned()
        # What an export noted of files that lie here again, they say themselves.
        said = [_without(s, names) if s.returned else s for s in said]
        merged = provenance.merge(said)
        ends = [
            s.returned.end_at if s.returned else every[f.path_relative].mtime_ns / 1e9
            for f, s in zip(side, said, strict=True)
            if s.end_state
        ]
        # What was known from a file that cannot be read now stays.
        origins = {f.name for f in side if every[f.path_relative].path not in self.failed}
        return [
            RunFacts(
                origins=origins | {h.origin for h in returned.hparams if h.origin not in names},
                hparams=list(merged.hparams),
                artifacts=_artifacts(own) + _returned_artifacts(run, own, returned),
                git_commit=merged.git_commit,
                command=merged.command,
                group_name=returned.group_name,
                end_state=merged.end_state,
                end_reason=merged.end_reason or None,
                end_at=max((at for at in ends if at is not None), default=None),
                name=returned.name,
                machine=None if "machine" in self.said else returned.machine,
                project=None if "project" in self.said else returned.project,
                job=returned.job,
            )
        ]

    def _owner(self, directory: str) -> str | None:
        above = list(walk_up(directory, _LEVELS_DOWN))
        home = artifacts.plugin_home(directory)
        if home != directory:
            above += walk_up(home, _LEVELS_DOWN)
        return next((d for d in above if d in self.runs), None)

    def _side_facts(self, entry: FileEntry, file: provenance.SideFile) -> provenance.SideFacts:
        if entry.path not in self._read_before:
            self._read_before[entry.path] = file.name, self._counted(self._read(entry, file))
        name, facts = self._read_before[entry.path]
        if name == file.name:
            return facts
        # Seen from a run of another depth the same file is another origin.
        hparams = (replace(h, origin=file.name) if h.origin == name else h for h in facts.hparams)
        return replace(facts, hparams=tuple(hparams))

    def _counted(self, said: _Said) -> provenance.SideFacts:
        self.bytes_read += said.size
        if said.problem:
            self.problems.append(said.problem)
            if said.problem.kind == "unreadable":
                self.failed.add(said.problem.path)
        return said.facts

    def _read(self, entry: FileEntry, file: provenance.SideFile) -> _Said:
        """What one file says; from any thread."""
        if entry.size > (MAX_BYTES if file.kind == "exported" else _MAX_SIDE_FILE):
            return _Said()
        try:
            data = bytes(self.source.read(entry.path, 0, entry.size)) if entry.size else b""
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            return _Said(problem=Problem(entry.path, 0, 0, "unreadable", message))
        facts = provenance.read_side_file(file.kind, file.name, data)
        problem = None
        if facts.problem:
            problem = Problem(entry.path, 0, len(data), "side file", facts.problem)
        return _Said(facts, problem, len(data))


def _artifacts(own: dict[str, FileEntry]) -> list[ArtifactRow]:
    """Artifacts among a run's own files; a checkpoint directory is one, with the size of its files."""
    found: dict[str, ArtifactRow] = {}
    for relative, entry in own.items():
        whole = artifacts.checkpoint_directory(relative)
        kind = artifacts.classify(whole or relative, whole is not None)
        if kind is None:
            continue
        depth = relative.count("/") - whole.count("/") if whole else 0
        path = entry.path.rsplit("/", depth)[0] if depth else entry.path
        before = found.get(path)
        size = entry.size + (before.size or 0 if before else 0)
        mtime = max(entry.mtime_ns / 1e9, before.mtime or 0 if before else 0)
        found[path] = ArtifactRow(kind.kind, path, size, mtime, kind.step)
    return list(found.values())


def _without(said: provenance.SideFacts, names: set[str]) -> provenance.SideFacts:
    return replace(said, hparams=tuple(h for h in said.hparams if h.origin not in names))


def _returned_artifacts(
    run: str, own: dict[str, FileEntry], returned: Returned
) -> list[ArtifactRow]:
    """Artifacts that lay beside an exported run, but for those that do so here."""
    above = f"{run}/" if run else ""
    return [
        replace(row, path=above + row.path)
        for row in returned.artifacts
        if row.path not in own and not any(path.startswith(f"{row.path}/") for path in own)
    ]


def _relative(run: str, path: str) -> str:
    return path[len(run) + 1 :] if run else path


def _key(entries: list[FileEntry]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for entry in entries:
        line = f"{entry.path}\0{entry.size}\0{entry.mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
