"""From directories to runs and streams: which directory belongs to which training job. Pure."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..core.values import FileEntry, Place
from .names import parse_event_file_name

MAX_PATH = 4096
# SummaryWriter.add_hparams names its sub-run by time.time().
_TIME = re.compile(r"\d{9,10}(\.\d{1,9})?")


@dataclass(frozen=True)
class Rules:
    """What a source's settings say about its runs; `label` is what people call it.

    `projects` is what the source itself says: the project of what lies at and below a directory.
    """

    source: str
    machine: str
    project: str
    streams: tuple[str, ...]
    run_pattern: str = ""
    label: str = ""
    projects: Mapping[str, str] = field(default_factory=dict, compare=False)


def run_key(source: str, path: str) -> str:
    """The identity of a run: the same in every lake, short enough for a URL."""
    return hashlib.blake2b(f"{source}\0{path}".encode(), digest_size=6).hexdigest()


def place(directory: str, rules: Rules, holding: Collection[str]) -> Place:
    """The run and stream of *directory* (relative, '' = root); *holding* have event files themselves.

    A directory named like a stream belongs to the one above it; so does a sub-run of add_hparams.
    """
    run, stream = _split(directory, rules.streams, holding)
    groups = pattern_groups(run, rules.run_pattern)
    label = rules.label or rules.source
    name = run.rpartition("/")[2] or label
    project = groups.get("project") or rules.project
    if not project and rules.projects:
        above = ("/".join(run.split("/")[:n]) for n in range(run.count("/") + 1, 0, -1))
        project = next((rules.projects[one] for one in above if one in rules.projects), "")
    if not project:
        project = run.split("/")[0] if "/" in run else label
    path = run or "."
    return Place(
        source=rules.source,
        run_key=run_key(rules.source, path),
        run_path=path,
        stream=stream,
        machine=rules.machine,
        project=project,
        name=name,
        group=groups.get("group", ""),
    )


def within(place: Place, parent: Place, directory: str) -> Place:
    """*place* of *directory* made a stream of the run *parent*."""
    root = "" if parent.run_path == "." else parent.run_path
    stream = directory[len(root) :].lstrip("/")
    return Place(
        parent.source,
        parent.run_key,
        parent.run_path,
        stream,
        parent.machine,
        parent.project,
        parent.name,
        parent.group,
    )


def pattern_groups(run: str, pattern: str) -> dict[str, str]:
    """The named groups of a run pattern in a run's path; {} where it does not match."""
    if not pattern or len(run) > MAX_PATH:
        return {}
    found = re.search(pattern, run)
    return {k: v for k, v in found.groupdict().items() if v is not None} if found else {}


def same_process(entries: Iterable[FileEntry], parents: Iterable[FileEntry]) -> bool:
    """Whether a process that wrote in the parent directory also wrote these files."""
    writers = {_writer(entry) for entry in parents} - {None}
    return any(_writer(entry) in writers for entry in entries)


def is_sub_run(directory: str, tags: Collection[str], has_hparams: bool) -> bool:
    """Whether a child directory of the same process is part of its parent's run, by what it holds.

    `add_scalars` writes each curve to a directory named after the tag, which is its only tag;
    `add_hparams(run_name=...)` writes the hparams records to a directory of any name.
    """
    name = directory.rpartition("/")[2]
    if has_hparams:
        return True
    if len(tags) != 1:
        return False
    (tag,) = tags
    return name.startswith(tag.replace("/", "_") + "_")


def _writer(entry: FileEntry) -> tuple[str, int] | None:
    parsed = parse_event_file_name(entry.path.rpartition("/")[2])
    return (parsed.host, parsed.pid) if parsed.pid is not None else None


def _split(directory: str, streams: Sequence[str], holding: Collection[str]) -> tuple[str, str]:
    parts = directory.split("/") if directory else []
    cut = len(parts)
    if cut and _TIME.fullmatch(parts[-1]) and "/".join(parts[:-1]) in holding:
        cut -= 1
    while cut and any(fnmatch.fnmatchcase(parts[cut - 1], pattern) for pattern in streams):
        cut -= 1
    return "/".join(parts[:cut]), "/".join(parts[cut:])
