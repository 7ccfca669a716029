"""All that TensorBoard's lists say of a selection, made once for each state of the lake."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa

from ...core.errors import UsageError
from ...lake.dashboard import index as lake_index
from ...lake.dashboard import sessions
from ..service import Service
from . import selection as selections
from . import shown
from .names import Place, run_names, series_run

# Of so many selections the lists stay in memory, and of so many series together.
_MOST_KEPT, _MOST_SERIES = 64, 400_000
_FRESH_S = 60

T = TypeVar("T")


class Run(NamedTuple):
    """A run of the lake, and what TensorBoard calls it."""

    run_id: int
    run_key: str
    name: str
    source: str
    machine: str
    path: str
    uri: str
    state: str
    group: str
    started: float | None
    ended: float | None


class Series(NamedTuple):
    """A series: *run* is what TensorBoard calls the run that it stands under."""

    run: str
    tag: str
    run_id: int
    stream: str
    kind: str
    plugin: str
    content: bytes
    description: str
    display_name: str
    points: int
    last_step: int
    last_wall_time: float
    last: float | None


@dataclass
class Index:
    """The runs of a selection and their series by plugin, run and tag."""

    id: str
    service: Service
    runs: list[Run]
    by_plugin: dict[str, dict[str, dict[str, Series]]]
    started: dict[str, float | None]
    size: int
    _made: dict[str, Any] = field(default_factory=dict)
    _making: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.run_ids = [run.run_id for run in self.runs]
        self.run_of_key = {run.run_key: run for run in self.runs}

    def once(self, name: str, make: Callable[[Index], T]) -> T:
        """What *make* makes of the index, made the first time that somebody wants it."""
        with self._making:
            if name not in self._made:
                self._made[name] = make(self)
            made: T = self._made[name]
            return made

    @property
    def lengths(self) -> dict[tuple[int, str, str], int]:
        """How many byte strings the longest step of a series has, by run_id, stream and tag."""
        return self.once("lengths", _lengths)

    @property
    def has_hparams(self) -> bool:
        """Whether any run has hyperparameters."""
        return self.once("has_hparams", _has_hparams)

    def series(self, plugin: str, runs: Any = None, tags: Any = None) -> Iterator[Series]:
        """The series of a plugin, of *runs* and *tags* (sets; None is any)."""
        known = self.by_plugin.get(plugin, {})
        for run in known if runs is None else [run for run in known if run in runs]:
            of_run = known[run]
            names = of_run if tags is None else [tag for tag in of_run if tag in tags]
            yield from (of_run[tag] for tag in names)


def _lengths(index: Index) -> dict[tuple[int, str, str], int]:
    with index.service.cursor() as con:
        table = lake_index.lengths(con, index.run_ids)
    rows = _rows(table, ("run_id", "stream", "tag", "length"))
    return {(run_id, stream, tag): length for run_id, stream, tag, length in rows}


def _has_hparams(index: Index) -> bool:
    with index.service.cursor() as con:
        return sessions.any_hparams(con, index.run_ids)


class Indexes:
    """The lists of the selections that were asked for last, for any number of threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[str, Index]] = OrderedDict()
        self._making: dict[str, threading.Lock] = {}

    def get(self, id: str) -> Index:
        """The lists of a selection as the lake is now. Raises NoSuchView and what its filter raises."""
        selection = selections.find(self._service, id)
        version = self._service.version()
        if selection.filter.strip() and not selection.runs:
            # Time alone changes what a filter finds: `now()`, runs that end in silence.
            version += f".{time.time() // _FRESH_S}"
        with self._lock:
            making = self._making.setdefault(id, threading.Lock())
        with making:
            with self._lock:
                found = self._kept.get(id)
                if found and found[0] == version:
                    self._kept.move_to_end(id)
                    return found[1]
            try:
                made = _make(self._service, id, selection)
            except BaseException:
                with self._lock:
                    self._kept.pop(id, None)
                    self._making.pop(id, None)
                raise
            with self._lock:
                self._kept[id] = version, made
                self._kept.move_to_end(id)
                self._shrink()
        return made

    def _shrink(self) -> None:
        while len(self._kept) > 1 and (
            len(self._kept) > _MOST_KEPT
            or sum(index.size for _, index in self._kept.values()) > _MOST_SERIES
        ):
            id, _ = self._kept.popitem(last=False)
            self._making.pop(id, None)


def _make(service: Service, id: str, selection: selections.Selection) -> Index:
    ids = selections.run_ids(service, selection)
    with service.cursor() as con:
        found = lake_index.runs(con, ids).to_pylist()
        # What is known of runs may be a moment older than the lake.
        ids = [row["run_id"] for row in found]
        table = lake_index.series(con, ids, _MOST_SERIES + 1)
        directories = lake_index.directories(con, ids)
    if table.num_rows > _MOST_SERIES:
        raise UsageError(
            f"these {len(ids):,} runs have more than {_MOST_SERIES:,} series: TensorBoard cannot show them",
            hint="narrow the filter, or select some of the runs",
        )
    streams: dict[int, set[str]] = {}
    for run_id, stream in (*_rows(table, _STREAM), *_rows(directories, _STREAM)):
        if stream:
            streams.setdefault(run_id, set()).add(stream)
    names = run_names([
        Place(row["machine"], row["source"], row["path"], tuple(sorted(streams.get(row["run_id"], ()))))
        for row in found
    ])  # fmt: skip
    runs = [
        Run(
            row["run_id"], row["run_key"], name, row["source"], row["machine"], row["path"],
            row["uri"], row["state"], row["group_name"] or "", row["started"], row["ended"],
        )
        for row, name in zip(found, names, strict=True)
    ]  # fmt: skip
    name_of = {run.run_id: run.name for run in runs}
    # Words that come again and again are kept once.
    once: dict[Any, Any] = {}
    by_plugin: dict[str, dict[str, dict[str, Series]]] = {}
    for run_id, stream, tag, kind, plugin, written, *rest in _rows(table, _COLUMNS):
        content = shown.content(plugin, written)
        if content is not None and shown.listed(tag):
            run = series_run(name_of[run_id], stream)
            words = (
                once.setdefault(word, word)
                for word in (run, tag, stream, kind, plugin, content, *rest[:2])
            )
            run, tag, stream, kind, plugin, content, *told = words
            one = Series(run, tag, run_id, stream, kind, plugin, content, *told, *rest[2:])
            # Values that a plugin's form does not hold are a tensor of the same tag.
            by_plugin.setdefault(plugin, {}).setdefault(run, {}).setdefault(tag, one)
    started = {
        series_run(name_of[run_id], stream): begun
        for run_id, stream, begun in _rows(directories, ("run_id", "stream", "started"))
    }
    return Index(id, service, runs, by_plugin, started, table.num_rows)


def _rows(table: pa.Table, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in columns), strict=True)


_STREAM = ("run_id", "stream")
_COLUMNS = (
    "run_id", "stream", "tag", "kind", "plugin", "content", "description",
    "display_name", "points", "last_step", "last_wall_time", "last",
)  # fmt: skip
