"""What a cycle has to read: the listing held against the cursors. Files that did not change cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

from tensorboard.compat.proto import summary_pb2

from ..core.values import Cursor, FileEntry, Piece, Place
from ..lake import delete, ledger
from ..lake.known import Known
from . import discover
from .gather import from_pattern
from .names import order_key
from .reader import Work
from .sources.base import Listing, split

# Problems of a listing behind which there may be files.
_UNSEEN = ("unreadable", "too deep", "mount")
# Tag, plugin, content, display name and description of every series of a run's stream.
AskMetadata = Callable[[int, str], list[tuple[str, str, bytes, str, str]]]


@dataclass(frozen=True)
class PlanSettings:
    """What a source's settings say about its runs and files."""

    rules: discover.Rules
    mirror: bool = False
    media: str = "copy"


@dataclass
class Plan:
    """Changed files in groups of one run each, in the order in which TensorBoard reads them."""

    groups: list[list[Work]]
    rows: dict[str, ledger.FileRow]
    gone: list[ledger.FileRow]
    parents: dict[str, Place] = field(default_factory=dict)
    settled: dict[str, Place] = field(default_factory=dict)
    held: dict[str, Cursor] = field(default_factory=dict)

    def cut(self, most: int, piece: int) -> int:
        """Leave to a later cycle what more than *most* requests of *piece* bytes would have to read.

        Returns how many files are left. The last of the others may take more than there is: a file
        that is larger than all requests of a day shall be read some day.
        """
        left = 0
        for group in self.groups:
            keep = 0
            while keep < len(group) and most > 0:
                most -= max(1, -(-group[keep].behind // piece))
                keep += 1
            left += len(group) - keep
            del group[keep:]
        self.groups = [group for group in self.groups if group]
        return left

    @property
    def works(self) -> Iterator[Work]:
        """All changed files."""
        return (work for group in self.groups for work in group)

    @property
    def files(self) -> int:
        """How many files are to be read."""
        return sum(len(group) for group in self.groups)

    @property
    def bytes(self) -> int:
        """How many bytes lie behind the cursors; a compressed file counts as it lies there."""
        return sum(work.behind for work in self.works)


def make(
    known: Known,
    listing: Listing,
    settings: PlanSettings,
    ask: AskMetadata | None = None,
    stat: Callable[[str], FileEntry | None] | None = None,
) -> Plan:
    """Hold *listing* against the cursors; *ask* is for writers that give metadata only once.

    *stat* looks at files that are remembered otherwise than the lake has them.
    """
    rows = known.rows
    listed = {entry.path for entry in listing.files}
    # What could not be looked at is not gone.
    hidden = {found.path for found in listing.problems if found.kind in _UNSEEN}
    gone = [
        row
        for path, row in rows.items()
        if path not in listed and not (hidden and _below(path, hidden))
    ]
    changed = [e for e in listing.files if e.path not in rows or not rows[e.path].same_listing(e)]
    if stat is not None and listing.remembered:
        changed = list(_as_they_are(changed, rows, listing.remembered, stat))
    if known.deleted:
        source = settings.rules.source
        changed = [e for e in changed if delete.path_key(source, e.path) not in known.deleted]
    plan = Plan([], rows, gone)
    if not changed:
        return plan
    rules = replace(settings.rules, projects=listing.projects)
    places = _places(known, listing, changed, plan, rules)
    plan.groups = _groups(ask, changed, places, rows)
    for work in plan.works:
        work.media = settings.media
    return plan


def _as_they_are(
    changed: list[FileEntry],
    rows: Mapping[str, ledger.FileRow],
    remembered: set[str],
    stat: Callable[[str], FileEntry | None],
) -> Iterator[FileEntry]:
    """Without what only looks changed: the lake may know more than the last scan remembers."""
    for entry in changed:
        found: FileEntry | None = entry
        if entry.path in remembered:
            try:
                found = stat(entry.path)
            except OSError:
                # Reading it will say what is wrong.
                pass
        if found is not None:
            row = rows.get(found.path)
            if row is None or not row.same_listing(found):
                yield found


def _below(path: str, directories: set[str]) -> bool:
    parts = path.split("/")
    return any("/".join(parts[:n]) in directories for n in range(len(parts) + 1))


def _places(
    known: Known,
    listing: Listing,
    changed: list[FileEntry],
    plan: Plan,
    rules: discover.Rules,
) -> dict[str, Place]:
    """Run and stream of each directory with changed files; what the lake says once, stays."""
    by_directory: dict[str, list[FileEntry]] = {}
    for entry in listing.files:
        by_directory.setdefault(split(entry.path)[0], []).append(entry)
    stored = {
        split(path)[0]: (known.runs[row.run_id], row.stream)
        for path, row in plan.rows.items()
        if row.run_id in known.runs
    }
    places: dict[str, Place] = {}
    for directory in {split(entry.path)[0] for entry in changed}:
        place = discover.place(directory, rules, by_directory)
        if directory in stored:
            run_path, stream = stored[directory]
            if (run_path, stream) != (place.run_path, place.stream):
                root = "" if run_path == "." else run_path
                run = discover.place(root, replace(rules, streams=()), ())
                place = discover.within(run, run, directory)
            plan.settled[directory] = place
        else:
            parent = split(directory)[0]
            holds = directory and not place.stream and parent in by_directory
            if holds and discover.same_process(by_directory[directory], by_directory[parent]):
                plan.parents[directory] = discover.place(parent, rules, by_directory)
        places[directory] = place
    return places


def _groups(
    ask: AskMetadata | None,
    changed: list[FileEntry],
    places: dict[str, Place],
    rows: dict[str, ledger.FileRow],
) -> list[list[Work]]:
    groups: dict[str, list[Work]] = {}
    known: dict[tuple[str, str], KnownMetadata] = {}
    run_ids = {split(path)[0]: row.run_id for path, row in rows.items() if row.run_id is not None}
    for entry in sorted(changed, key=lambda e: (split(e.path)[0], order_key(split(e.path)[1]))):
        place = places[split(entry.path)[0]]
        row = rows.get(entry.path)
        run_id = run_ids.get(split(entry.path)[0])
        shared = known.setdefault(
            (place.run_key, place.stream), KnownMetadata(_loader(ask, place, run_id))
        )
        work = Work(entry, place, row.cursor if row else None, row.content_key if row else None)
        work.known = shared
        groups.setdefault(place.run_key, []).append(work)
    return list(groups.values())


def refine(piece: Piece, plan: Plan, settings: PlanSettings) -> Piece:
    """Let what a directory turned out to hold decide whether it is part of its parent's run."""
    directory = split(piece.entry.path)[0]
    if piece.entry.path in plan.held:
        piece.before = plan.held.pop(piece.entry.path)
    if directory in plan.settled:
        piece.place = plan.settled[directory]
    elif directory in plan.parents:
        tags = {tag for block in piece.blocks for tag in block.tags}
        if not tags:
            # Only a header so far: which run this is shows with the first value.
            piece.after = plan.held[piece.entry.path] = piece.before or Cursor()
            return piece
        hparams = any(meta.plugin == "hparams" for meta in piece.meta.values())
        if discover.is_sub_run(directory, {tag for tag, _ in piece.meta} | tags, hparams):
            piece.place = discover.within(
                plan.parents[directory], plan.parents[directory], directory
            )
        plan.settled[directory] = piece.place
    if piece.before is None and settings.rules.run_pattern:
        run = "" if piece.place.run_path == "." else piece.place.run_path
        groups = discover.pattern_groups(run, settings.rules.run_pattern)
        piece.facts_of_run += from_pattern(groups)
    return piece


class KnownMetadata(dict[str, Any]):
    """SummaryMetadata by tag, asked of the lake at the first question only: most logs never ask."""

    def __init__(self, load: Callable[[], MutableMapping[str, Any]] | None) -> None:
        super().__init__()
        self._load = load

    def get(self, tag: str, default: Any = None) -> Any:
        """As dict.get."""
        self._ask()
        return super().get(tag, default)

    def setdefault(self, tag: str, default: Any = None) -> Any:
        """As dict.setdefault."""
        self._ask()
        return super().setdefault(tag, default)

    def _ask(self) -> None:
        if self._load is not None:
            # Where that fails, the next file asks again: it would be read wrongly without.
            found, self._load = self._load(), None
            for tag, metadata in found.items():
                super().setdefault(tag, metadata)


def _loader(
    ask: AskMetadata | None, place: Place, run_id: int | None
) -> Callable[[], MutableMapping[str, Any]] | None:
    if ask is None or run_id is None:
        return None

    def load() -> MutableMapping[str, Any]:
        found = {}
        for tag, plugin, content, name, text in ask(run_id, place.stream):
            metadata = summary_pb2.SummaryMetadata(display_name=name, summary_description=text)
            metadata.plugin_data.plugin_name = plugin
            metadata.plugin_data.content = content
            found[tag] = metadata
        return found

    return load
